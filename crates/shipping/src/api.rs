//! REST of shipping. Handlers only translate.

use crate::carrier::Carriers;
use crate::model::{Shipment, ShipmentId, Status};
use crate::rate::{Quote, RateCard};
use crate::read::{self, TrackingEvent};
use crate::{
    BuyLabel, BuyLabelRefused, ReadShipping, SetSecret, SetUpShipping, Ship, ShipRecorded, Track, Tracked,
    VoidLabel, WriteShipping, webhook,
};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use db::{BoxFuture, Sql, Tx};
use documents::DocumentError;
use kernel::{Actor, Fault, Money, Refuse, Timestamp};
use orders::OrderId;
use payments::RawRequest;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warehouse::{ParcelId, Unpack};
use web::{
    App, Body, Key, May, Operation, OrProblem, Outcome, Page, Paging, Params, Problem, Public, Reply, Segment,
};

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(put_rate_cards, get_rate_cards))
        .routes(routes!(get_rates))
        .routes(routes!(post_label))
        .routes(routes!(post_unpack))
        .routes(routes!(post_shipment))
        .routes(routes!(list_shipments))
        .routes(routes!(get_shipment))
        .routes(routes!(post_ship))
        .routes(routes!(post_void))
        .routes(routes!(post_track))
        .routes(routes!(get_label_pdf))
        .routes(routes!(get_label_zpl))
        .routes(routes!(get_invoice))
        .routes(routes!(put_webhook_secret))
        .routes(routes!(post_webhook))
}

/// Sets rate cards, each in place of the one of the same carrier, service and origin. All or none.
#[utoipa::path(put, path = "/rate-cards", tag = "shipping", request_body = Vec<RateCard>,
    responses((status = 200, body = Vec<RateCard>), (status = 422, body = Problem)))]
async fn put_rate_cards(
    State(app): State<App>,
    caller: May<SetUpShipping>,
    key: Key,
    Body(cards): Body<Vec<RateCard>>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "shipping.rate_cards", &cards, |tx| {
        for (i, outcome) in crate::save_rate_cards(tx, tx.now(), &cards).await?.into_iter().enumerate() {
            outcome.map_err(|refused| Problem::refused(&refused).at(format!("/{i}")))?;
        }
        web::reply(StatusCode::OK, &cards)
    })
}

/// All rate cards.
#[utoipa::path(get, path = "/rate-cards", tag = "shipping", responses((status = 200, body = Vec<RateCard>)))]
async fn get_rate_cards(
    State(app): State<App>,
    _: May<ReadShipping>,
) -> Result<Json<Vec<RateCard>>, Problem> {
    let cards = crate::rate_cards(app.db.read()).await?;
    Ok(Json(cards.iter().map(|card| RateCard::clone(card)).collect()))
}

/// What carriers ask for a parcel, cheapest first.
#[utoipa::path(get, path = "/parcels/{id}/rates", tag = "shipping", params(("id" = ParcelId, Path)),
    responses((status = 200, body = Vec<Quote>), (status = 404, body = Problem)))]
async fn get_rates(
    State(app): State<App>,
    _: May<ReadShipping>,
    Segment(parcel): Segment<ParcelId>,
) -> Result<Json<Vec<Quote>>, Problem> {
    Ok(Json(offers(&app, parcel).await?))
}

async fn offers(app: &App, parcel: ParcelId) -> Result<Vec<Quote>, Problem> {
    let carriers = app.ctx.parts.get::<Carriers>()?;
    crate::quote_everywhere(app.db.read(), &carriers, &*app.ctx.outside, parcel).await?.or_problem()
}

/// Which label: a carrier's service, or the cheapest offer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LabelBody {
    /// The carrier's code.
    #[serde(default)]
    carrier: Option<String>,
    /// The service's code.
    #[serde(default)]
    service: Option<String>,
    /// The first offer of `GET /parcels/{id}/rates`, instead of carrier and service.
    #[serde(default)]
    cheapest: bool,
}

/// Buys a label. It is a `draft` until a carrier that has to be called has answered.
#[utoipa::path(post, path = "/parcels/{id}/label", tag = "shipping", params(("id" = ParcelId, Path)), request_body = LabelBody,
    responses((status = 201, body = Shipment), (status = 409, body = Problem)))]
async fn post_label(
    State(app): State<App>,
    caller: May<WriteShipping>,
    key: Key,
    Segment(parcel): Segment<ParcelId>,
    Body(body): Body<LabelBody>,
) -> Result<Reply, Problem> {
    let carriers = app.ctx.parts.get::<Carriers>()?;
    let wanted = match (&body.carrier, &body.service, body.cheapest) {
        (Some(carrier), Some(service), false) => Ok(Wanted::Service(carrier.clone(), service.clone())),
        // Those who have to be called for their offers are called here, which no transaction may do.
        (None, None, true) if carriers.are_called() => offers(&app, parcel)
            .await
            .and_then(cheapest)
            .map(|(carrier, service)| Wanted::Service(carrier, service)),
        (None, None, true) => Ok(Wanted::Cheapest),
        _ => Err(Problem::invalid("/carrier", "Send either carrier and service, or cheapest: true.")),
    };
    app.send(&caller, &key, &body, LabelCall { parcel, wanted, carriers }).await
}

#[derive(Clone)]
enum Wanted {
    /// Carrier and service.
    Service(String, String),
    /// Of the offers that need no call.
    Cheapest,
}

/// Carrier and service of the first offer.
fn cheapest(offers: Vec<Quote>) -> Result<(String, String), Problem> {
    let first = offers.into_iter().next().ok_or(BuyLabelRefused::NoOffer).or_problem()?;
    Ok((first.carrier, first.service))
}

/// One call of [`post_label`].
struct LabelCall {
    parcel: ParcelId,
    wanted: Result<Wanted, Problem>,
    carriers: Arc<Carriers>,
}

impl Operation for LabelCall {
    const NAME: &'static str = "shipping.label";
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(async move {
            let Some(carriers) = calls.first().map(|c| &c.carriers) else { return Ok(Vec::new()) };
            let open = calls.iter().filter(|c| matches!(c.wanted, Ok(Wanted::Cheapest)));
            let open: Vec<ParcelId> = open.map(|c| c.parcel).collect();
            let mut offers = match open.is_empty() {
                true => Vec::new().into_iter(),
                false => crate::quote(tx, carriers, &open).await?.into_iter(),
            };
            let mut item = |c: &&Self| {
                let (carrier, service) = match c.wanted.clone()? {
                    Wanted::Service(carrier, service) => (carrier, service),
                    Wanted::Cheapest => {
                        cheapest(offers.next().transpose().or_problem()?.unwrap_or_default())?
                    }
                };
                Ok(BuyLabel { at: tx.now(), parcel: c.parcel, carrier, service })
            };
            let wanted: Vec<Result<BuyLabel, Problem>> = calls.iter().map(&mut item).collect();
            let items: Vec<BuyLabel> = wanted.iter().filter_map(|w| w.as_ref().ok().cloned()).collect();
            let mut done = crate::buy_label(tx, carriers, &items).await?.into_iter();
            let each = wanted.into_iter().map(|wanted| match wanted {
                Err(problem) => Ok(Err(problem)),
                Ok(_) => {
                    let outcome = done.next().ok_or_else(|| Fault::broken("a command without outcome"))?;
                    Ok(match outcome.or_problem() {
                        Ok(shipment) => Ok(web::reply(StatusCode::CREATED, &shipment)?),
                        Err(problem) => Err(problem),
                    })
                }
            });
            each.collect()
        })
    }
}

/// Takes a parcel without label apart; its units are picked again.
#[utoipa::path(post, path = "/parcels/{id}/unpack", tag = "shipping", params(("id" = ParcelId, Path)),
    responses((status = 204), (status = 409, body = Problem)))]
async fn post_unpack(
    State(app): State<App>,
    caller: May<WriteShipping>,
    key: Key,
    Segment(parcel): Segment<ParcelId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "shipping.unpack", &parcel, |tx| {
        single(crate::unpack(tx, &[Unpack { at: tx.now(), parcel }]).await?)?;
        Ok(Reply::empty())
    })
}

/// A shipment that somebody else made, as a supplier who ships under his own label.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShippedBody {
    /// Who carries it.
    carrier: String,
    /// The carrier's product.
    #[serde(default)]
    service: String,
    /// The carrier's number.
    tracking_number: String,
    /// When it left; now when absent.
    #[serde(default)]
    shipped_at: Option<Timestamp>,
    /// What it costs us; nothing when absent.
    #[serde(default)]
    cost: Option<Money>,
}

/// Records that somebody else shipped a parcel.
#[utoipa::path(post, path = "/parcels/{id}/shipment", tag = "shipping", params(("id" = ParcelId, Path)), request_body = ShippedBody,
    responses((status = 201, body = Shipment), (status = 409, body = Problem)))]
async fn post_shipment(
    State(app): State<App>,
    caller: May<WriteShipping>,
    key: Key,
    Segment(parcel): Segment<ParcelId>,
    Body(body): Body<ShippedBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "shipping.record", &body, |tx| {
        let free = crate::buy::may_label(tx, parcel).await?.or_problem()?;
        let cost = body.cost.unwrap_or(Money::new(0, free));
        let at = body.shipped_at.unwrap_or(tx.now());
        let item = ShipRecorded {
            parcel,
            carrier: body.carrier.clone(),
            service: body.service.clone(),
            tracking_number: body.tracking_number.clone(),
            label_at: at,
            shipped_at: at,
            delivered_at: None,
            cost: cost.minor,
            currency: cost.currency,
        };
        let id = crate::ship_recorded(tx, &[item]).await?;
        let id = id.first().copied().ok_or_else(|| Fault::broken("no shipment was recorded"))?;
        web::reply(StatusCode::CREATED, &shipment(tx, id).await?)
    })
}

/// Which shipments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// With this tracking number.
    tracking: Option<String>,
    /// In this status.
    status: Option<Status>,
    /// Of this order.
    order: Option<OrderId>,
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Shipments, newest first.
#[utoipa::path(get, path = "/shipments", tag = "shipping", params(ListParams), responses((status = 200, body = Page<Shipment>)))]
async fn list_shipments(
    State(app): State<App>,
    _: May<ReadShipping>,
    Params(ask): Params<ListParams>,
) -> Result<Json<Page<Shipment>>, Problem> {
    let paging = Paging::<ShipmentId>::read(ask.limit, ask.cursor.as_deref())?;
    let filter =
        read::Filter { tracking: ask.tracking, status: ask.status, order: ask.order, before: paging.after };
    let rows = read::list(app.db.read(), &filter, paging.fetch()).await?;
    Ok(Json(paging.page(rows, |s| s.id)))
}

/// A shipment and what was said about it.
#[derive(Serialize, ToSchema)]
struct ShipmentView {
    #[serde(flatten)]
    shipment: Shipment,
    /// In the order in which it happened.
    tracking: Vec<TrackingEvent>,
}

/// A shipment with its tracking.
#[utoipa::path(get, path = "/shipments/{id}", tag = "shipping", params(("id" = ShipmentId, Path)),
    responses((status = 200, body = ShipmentView), (status = 404, body = Problem)))]
async fn get_shipment(
    State(app): State<App>,
    _: May<ReadShipping>,
    Segment(id): Segment<ShipmentId>,
) -> Result<Reply, Problem> {
    let sql = app.db.read();
    let view = ShipmentView { shipment: shipment(sql, id).await?, tracking: read::tracking(sql, id).await? };
    Ok(web::reply(StatusCode::OK, &view)?)
}

/// Hands the parcel to the carrier.
#[utoipa::path(post, path = "/shipments/{id}/ship", tag = "shipping", params(("id" = ShipmentId, Path)),
    responses((status = 200, body = Shipment), (status = 409, body = Problem)))]
async fn post_ship(
    State(app): State<App>,
    caller: May<WriteShipping>,
    key: Key,
    Segment(id): Segment<ShipmentId>,
) -> Result<Reply, Problem> {
    app.send(&caller, &key, &id, ShipCall(id)).await
}

/// One call of [`post_ship`].
struct ShipCall(ShipmentId);

impl Operation for ShipCall {
    const NAME: &'static str = "shipping.ship";
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(async move {
            let ids: Vec<ShipmentId> = calls.iter().map(|c| c.0).collect();
            let items: Vec<Ship> = ids.iter().map(|id| Ship { at: tx.now(), shipment: *id }).collect();
            let done = crate::ship(tx, &items).await?;
            let present = read::shipments_by_id(tx, &ids).await?;
            web::outcomes(done, |n, ()| web::reply(StatusCode::OK, &present.get(&ids[n])))
        })
    }
}

/// Gives the label back unused.
#[utoipa::path(post, path = "/shipments/{id}/void", tag = "shipping", params(("id" = ShipmentId, Path)),
    responses((status = 200, body = Shipment), (status = 409, body = Problem)))]
async fn post_void(
    State(app): State<App>,
    caller: May<WriteShipping>,
    key: Key,
    Segment(id): Segment<ShipmentId>,
) -> Result<Reply, Problem> {
    let carriers = app.ctx.parts.get::<Carriers>()?;
    web::command!(app, caller, key, "shipping.void", &id, |tx| {
        single(crate::void_label(tx, &carriers, &[VoidLabel { at: tx.now(), shipment: id }]).await?)?;
        web::reply(StatusCode::OK, &shipment(tx, id).await?)
    })
}

/// Something about a shipment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TrackBody {
    /// The source's own id of the fact: the same one counts once.
    source_id: String,
    /// What: from `in_transit` to `returned_to_sender`.
    status: Status,
    /// When; now when absent.
    #[serde(default)]
    at: Option<Timestamp>,
    /// Where.
    #[serde(default)]
    place: Option<String>,
    /// In words.
    #[serde(default)]
    description: Option<String>,
}

/// Records something about a shipment.
#[utoipa::path(post, path = "/shipments/{id}/track", tag = "shipping", params(("id" = ShipmentId, Path)), request_body = TrackBody,
    responses((status = 200, body = Tracked), (status = 422, body = Problem)))]
async fn post_track(
    State(app): State<App>,
    caller: May<WriteShipping>,
    key: Key,
    Segment(id): Segment<ShipmentId>,
    Body(body): Body<TrackBody>,
) -> Result<Reply, Problem> {
    app.send(&caller, &key, &body, TrackCall { shipment: id, body: body.clone() }).await
}

/// One call of [`post_track`].
struct TrackCall {
    shipment: ShipmentId,
    body: TrackBody,
}

impl Operation for TrackCall {
    const NAME: &'static str = "shipping.track";
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(async move {
            let item = |c: &&Self| Track {
                at: c.body.at.unwrap_or(tx.now()),
                shipment: c.shipment,
                source_id: c.body.source_id.clone(),
                status: c.body.status,
                place: c.body.place.clone(),
                description: c.body.description.clone(),
            };
            let items: Vec<Track> = calls.iter().map(item).collect();
            let done = crate::track(tx, &items).await?;
            web::outcomes(done, |_, tracked| web::reply(StatusCode::OK, &tracked))
        })
    }
}

/// The label as a PDF of 4 × 6 inches.
#[utoipa::path(get, path = "/shipments/{id}/label.pdf", tag = "shipping", params(("id" = ShipmentId, Path)),
    responses((status = 200, content_type = "application/pdf"), (status = 404, body = Problem)))]
async fn get_label_pdf(
    State(app): State<App>,
    _: May<ReadShipping>,
    Segment(id): Segment<ShipmentId>,
) -> Result<Response, Problem> {
    let label = label(&app, id).await?;
    let pdf = press(move || documents::label::label_pdf(&label)).await?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], pdf).into_response())
}

/// The label as ZPL II for a thermal printer.
#[utoipa::path(get, path = "/shipments/{id}/label.zpl", tag = "shipping", params(("id" = ShipmentId, Path)),
    responses((status = 200, content_type = "application/zpl"), (status = 404, body = Problem)))]
async fn get_label_zpl(
    State(app): State<App>,
    _: May<ReadShipping>,
    Segment(id): Segment<ShipmentId>,
) -> Result<Response, Problem> {
    let label = label(&app, id).await?;
    let zpl = press(move || documents::label::label_zpl(&label)).await?;
    Ok(([(header::CONTENT_TYPE, "application/zpl")], zpl).into_response())
}

/// The invoice of an order as PDF.
#[utoipa::path(get, path = "/orders/{id}/invoice.pdf", tag = "shipping", params(("id" = OrderId, Path)),
    responses((status = 200, content_type = "application/pdf"), (status = 404, body = Problem)))]
async fn get_invoice(
    State(app): State<App>,
    _: May<ReadShipping>,
    Segment(id): Segment<OrderId>,
) -> Result<Response, Problem> {
    let invoice = crate::paper::invoice(app.db.read(), id).await?;
    let invoice = invoice.ok_or_else(|| Problem::not_found(format!("order {id}")))?;
    let pdf = press(move || documents::invoice::invoice_pdf(&invoice)).await?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], pdf).into_response())
}

async fn label(app: &App, id: ShipmentId) -> Result<documents::label::Label, Problem> {
    let label = crate::paper::label(app.db.read(), id).await?;
    label.ok_or_else(|| Problem::not_found(format!("label of shipment {id}")))
}

/// Makes a document beside the other requests: typesetting takes its time. What cannot be printed is the input's fault.
async fn press<T: Send + 'static>(
    make: impl FnOnce() -> Result<T, DocumentError> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(make).await.map_err(Fault::from)?.map_err(|e| match e {
        DocumentError::Typeset(_) => Problem::from(Fault::from(e)),
        other => Problem::new(StatusCode::CONFLICT, "shipping.not_printable", other.to_string()),
    })
}

/// The secret that a carrier signs its webhooks with.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecretBody {
    /// At least 16 characters.
    #[schema(min_length = 16)]
    secret: String,
}

/// Sets the secret of a carrier's webhooks.
#[utoipa::path(put, path = "/carriers/{carrier}/webhook-secret", tag = "shipping", params(("carrier" = String, Path)), request_body = SecretBody,
    responses((status = 204), (status = 422, body = Problem)))]
async fn put_webhook_secret(
    State(app): State<App>,
    caller: May<SetUpShipping>,
    key: Key,
    Segment(carrier): Segment<String>,
    Body(body): Body<SecretBody>,
) -> Result<Reply, Problem> {
    let carriers = app.ctx.parts.get::<Carriers>()?;
    web::command!(app, caller, key, "shipping.webhook_secret", &body, |tx| {
        let secret = kernel::Secret::new(body.secret.trim().to_owned());
        let set = SetSecret { at: tx.now(), carrier: carrier.clone(), secret };
        let outcome = crate::set_secrets(tx, &carriers, &[set]).await?.remove(0);
        outcome.map_err(|refused| {
            let problem = Problem::refused(&refused);
            if problem.code() == "shipping.short_secret" { problem.at("/secret") } else { problem }
        })?;
        Ok(Reply::empty())
    })
}

/// Takes a webhook of a carrier: it is stored as it came and applied a moment later.
#[utoipa::path(post, path = "/webhooks/carriers/{carrier}", tag = "shipping", params(("carrier" = String, Path)),
    request_body(content = Object, content_type = "application/json"), security(()), responses((status = 202), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn post_webhook(
    State(app): State<App>,
    _: Public,
    Segment(carrier): Segment<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let carriers = app.ctx.parts.get::<Carriers>()?;
    let read = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let request = RawRequest { headers: headers.iter().filter_map(read).collect(), body: body.to_vec() };
    let actor = Actor::of("carrier", &carrier);
    let outcome: Result<Result<(), webhook::WebhookRefused>, Fault> =
        db::write!(app.db, &actor, |tx| webhook::accept(tx, &carriers, &carrier, &request).await);
    outcome?.or_problem()?;
    Ok(StatusCode::ACCEPTED)
}

async fn shipment(sql: &Sql, id: ShipmentId) -> Result<Shipment, Fault> {
    let found = read::shipments_by_id(sql, &[id]).await?.remove(&id);
    found.ok_or_else(|| Problem::not_found(format!("shipment {id}")).into())
}

/// The outcome of the one command that was given.
fn single<T, R: Refuse>(outcomes: Vec<Result<T, R>>) -> Result<T, Fault> {
    let outcome = outcomes.into_iter().next().ok_or_else(|| Fault::broken("a command without outcome"))?;
    Ok(outcome.or_problem()?)
}
