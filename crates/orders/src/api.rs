//! REST of orders: DTOs and thin handlers.

mod channels;
mod input;
mod many;
mod routing;
mod view;

use crate::place::{FieldProblem, Outcome, PlaceRefused};
use crate::read::{self, Cursor, Filter};
use crate::{
    Cancel, Cancelled, ChangeAddress, ChangeAddressRefused, ChangeContact, ChangeContactRefused, Hold,
    HoldKind, LineId, Note, NoteId, OrderId, Place, Placed, ReleaseHold, Review, Tag,
};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use contact::address::Address;
use db::Lane;
use input::NewOrders;
use kernel::{Actor, Fault, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use view::{EventView, OrderView};
use web::{App, Body, IfMatch, Key, May, OrProblem, Page, Paging, Params, Problem, Reply, Segment};

kernel::permission!(ReadOrders, "orders:read", "See orders");
kernel::permission!(WriteOrders, "orders:write", "Place, hold, cancel and annotate orders");
kernel::permission!(SetUpChannels, "channels:write", "Make and rename sales channels");
kernel::permission!(ReviewOrders, "risk:write", "Decide on orders held for their risk");

/// The door for single orders: whatever waits while a transaction runs is the next transaction.
pub type PlaceLane = Lane<Place>;

impl db::Command for Place {
    type Outcome = Outcome;
    /// Orders of many callers are placed together: each carries by whom.
    fn actor(&self) -> Actor {
        Actor::system("orders.place")
    }
    fn run<'a>(tx: &'a db::Tx, batch: &'a [Self]) -> db::BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(crate::place(tx, batch))
    }
}

/// Opens the lane.
pub fn lane(db: &db::Db) -> PlaceLane {
    Lane::new("orders.place", db)
}

/// The routes of orders.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, place))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .routes(routes!(hold))
        .routes(routes!(release))
        .routes(routes!(review))
        .merge(channels::routes())
        .merge(routing::routes())
        .routes(routes!(note))
        .routes(routes!(tag))
        .routes(routes!(change_address))
        .routes(routes!(change_contact))
        .routes(routes!(request_payment))
        .routes(routes!(events))
        .merge(many::routes())
}

/// One result of several.
#[derive(Serialize, ToSchema)]
struct PlaceResult {
    /// The HTTP status this order would have had alone.
    status: u16,
    /// The order, where it was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Placed>,
    /// The problem, where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<web::ProblemBody>,
}

/// Results in the order of the input.
#[derive(Serialize, ToSchema)]
struct PlaceResults {
    results: Vec<PlaceResult>,
}

/// A refusal as a problem, with what is wrong by the field.
fn problem(refused: &PlaceRefused) -> Problem {
    let problem = Problem::refused(refused);
    match refused {
        PlaceRefused::BadFields { fields, .. } => problem.with_errors(by_the_field(fields)),
        _ => problem,
    }
}

/// What is wrong with each field, as a problem says it.
pub(crate) fn by_the_field(fields: &[FieldProblem]) -> impl Iterator<Item = web::FieldError> {
    fields.iter().map(|f| web::FieldError {
        pointer: format!("/{}", f.field.replace('.', "/")),
        code: f.code.clone(),
        detail: f.message.clone(),
    })
}

fn created(placed: &Placed) -> StatusCode {
    if placed.existing { StatusCode::OK } else { StatusCode::CREATED }
}

/// Place orders
///
/// One order, or a list of up to 1,000: then one result per order, in order, and a bad order never fails its neighbours. An order is
/// identified by `Idempotency-Key` and by (channel, reference): repeating either gives the order that is there. What is answered with
/// 201 is durable.
#[utoipa::path(post, path = "/orders", tag = "orders", operation_id = "placeOrders", request_body = NewOrders,
    responses((status = 201, description = "Placed", body = Placed), (status = 200, description = "It was there already (one order), or the results (many)", body = PlaceResults)))]
async fn place(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    Body(body): Body<NewOrders>,
) -> Result<Response, Problem> {
    let at = app.db.now();
    match body {
        NewOrders::One(order) => {
            let place = order.into_command(&caller, &key, None, at)?;
            let outcome = app.state::<PlaceLane>()?.send(place).await??;
            let placed = outcome.map_err(|refused| problem(&refused))?;
            Ok((created(&placed), Json(placed)).into_response())
        }
        NewOrders::Many(orders) => {
            if orders.len() > crate::MAX_ORDERS {
                return Err(Problem::invalid(
                    "",
                    format!("At most {} orders in one call; send the rest in another.", crate::MAX_ORDERS),
                ));
            }
            let batch: Vec<Place> = orders
                .into_iter()
                .enumerate()
                .map(|(i, order)| order.into_command(&caller, &key, Some(i), at))
                .collect::<Result<_, _>>()?;
            let outcomes: Result<Vec<Outcome>, Fault> =
                db::write!(app.db, &caller.actor, |tx| crate::place(tx, &batch).await);
            let results = outcomes?
                .into_iter()
                .map(|outcome| match outcome {
                    Ok(placed) => {
                        PlaceResult { status: created(&placed).as_u16(), order: Some(placed), problem: None }
                    }
                    Err(refused) => {
                        let problem = problem(&refused);
                        PlaceResult {
                            status: problem.status().as_u16(),
                            order: None,
                            problem: Some(problem.body()),
                        }
                    }
                })
                .collect();
            Ok((StatusCode::OK, Json(PlaceResults { results })).into_response())
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListOrders {
    /// 1 to 200; 50 when not given.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Number, reference, e-mail, name or its beginning, SKU, or tracking number. Of the names that begin so, 300 are looked at.
    search: Option<String>,
    /// `unfulfilled`, `partial`, `fulfilled`, `delivered`, `returned` or `cancelled`.
    fulfilment_status: Option<String>,
    /// `unpaid`, `authorised`, `partially_paid`, `paid`, `overpaid`, `partially_refunded`, `refunded` or `disputed`.
    payment_status: Option<String>,
    /// Code of the channel.
    channel: Option<String>,
    /// Only orders with this hold.
    hold: Option<HoldKind>,
    /// Only orders with holds, or only those without.
    held: Option<bool>,
    /// Of this customer.
    #[param(value_type = Option<String>)]
    customer: Option<customers::CustomerId>,
    /// From this moment.
    placed_from: Option<Timestamp>,
    /// Before this moment.
    placed_before: Option<Timestamp>,
}

/// The derived fulfilment statuses.
pub(crate) const FULFILMENT: &[&str] =
    &["unfulfilled", "partial", "fulfilled", "delivered", "returned", "cancelled"];
/// The derived payment statuses.
pub(crate) const PAYMENT: &[&str] = &[
    "unpaid",
    "authorised",
    "partially_paid",
    "paid",
    "overpaid",
    "partially_refunded",
    "refunded",
    "disputed",
];

fn one_of(field: &str, value: Option<String>, known: &[&str]) -> Result<Option<String>, Problem> {
    match value {
        Some(value) if !known.contains(&value.as_str()) => Err(Problem::invalid(
            field,
            format!("“{value}” is no {field}; it is one of {}.", known.join(", ")),
        )),
        value => Ok(value),
    }
}

/// The orders that other slices know by a text.
pub(crate) async fn known_by(app: &App, search: Option<&str>) -> Result<Vec<OrderId>, Fault> {
    match search.map(str::trim).filter(|s| !s.is_empty()) {
        Some(text) => Ok(app.find(crate::SEARCHED, text).await?.into_iter().map(OrderId).collect()),
        None => Ok(Vec::new()),
    }
}

/// List orders, newest first
#[utoipa::path(get, path = "/orders", tag = "orders", operation_id = "listOrders", params(ListOrders), responses((status = 200, body = Page<OrderView>)))]
async fn list(
    State(app): State<App>,
    _: May<ReadOrders>,
    Params(q): Params<ListOrders>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let paging = Paging::<Cursor>::read(q.limit, q.cursor.as_deref())?;
    let filter = Filter {
        known_by: known_by(&app, q.search.as_deref()).await?,
        search: q.search,
        fulfilment_status: one_of("fulfilment_status", q.fulfilment_status, FULFILMENT)?,
        payment_status: one_of("payment_status", q.payment_status, PAYMENT)?,
        channel: q.channel,
        hold: q.hold,
        held: q.held,
        customer: q.customer,
        placed_from: q.placed_from,
        placed_before: q.placed_before,
        ..Filter::default()
    };
    let rows =
        read::list(app.db.read(), &filter, paging.after, u64::try_from(paging.fetch()).map_err(Fault::from)?)
            .await?;
    let page = paging.page(rows, |r| Cursor { placed_at: r.placed_at, id: r.id });
    Ok(Json(page.map(|row| OrderView::brief(&row))))
}

async fn full(sql: &db::Sql, id: OrderId) -> Result<OrderView, Fault> {
    let row = read::orders_by_id(sql, &[id]).await?.remove(&id);
    let row = match row {
        Some(row) => row,
        None => return Err(Problem::not_found(format!("order {id}")).into()),
    };
    let lines = read::lines_of(sql, &[id]).await?.remove(&id).unwrap_or_default();
    let holds = read::holds_of(sql, id).await?;
    OrderView::full(&row, &lines, &holds)
}

async fn version(sql: &db::Sql, id: OrderId) -> Result<i64, Fault> {
    let version: Option<i64> = sql.scalar("SELECT version FROM orders WHERE id = $1", [id.into()]).await?;
    version.ok_or_else(|| Problem::not_found(format!("order {id}")).into())
}

/// Show an order
#[utoipa::path(get, path = "/orders/{id}", tag = "orders", operation_id = "getOrder", params(("id" = OrderId, Path)), responses((status = 200, body = OrderView)))]
async fn show(
    State(app): State<App>,
    _: May<ReadOrders>,
    Segment(id): Segment<OrderId>,
) -> Result<impl IntoResponse, Problem> {
    let view = full(app.db.read(), id).await?;
    Ok(([(header::ETAG, web::etag(view.version))], Json(view)))
}

/// What to cancel.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelBody {
    /// Units by line; leave out for every unit that can still be cancelled.
    #[serde(default)]
    lines: Vec<CancelLine>,
    /// Why.
    reason: String,
    /// Pay back what was captured beyond what is still owed.
    #[serde(default = "yes")]
    refund: bool,
}
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelLine {
    line: LineId,
    #[schema(minimum = 1)]
    quantity: i64,
}
fn yes() -> bool {
    true
}

/// Cancel an order or some of its units
///
/// Units that were not picked yet. Their stock is free at once and goes to those who wait; authorisations are voided, captured money
/// goes back.
#[utoipa::path(post, path = "/orders/{id}/cancel", tag = "orders", operation_id = "cancelOrder", params(("id" = OrderId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = CancelBody, responses((status = 200, body = Cancelled)))]
async fn cancel(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<OrderId>,
    Body(body): Body<CancelBody>,
) -> Result<Reply, Problem> {
    if let Some(i) = body.lines.iter().position(|l| l.quantity < 1) {
        return Err(Problem::invalid(format!("/lines/{i}/quantity"), "Cancel one unit or more of a line."));
    }
    web::command!(app, caller, key, "orders.cancel", &body, |tx| {
        known.check(version(tx, id).await?)?;
        let lines = body.lines.iter().map(|l| (l.line, l.quantity)).collect();
        let item =
            Cancel { at: tx.now(), order: id, lines, reason: body.reason.clone(), refund: body.refund };
        let cancelled = crate::cancel(tx, &[item]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &cancelled)
    })
}

/// A reason to wait.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    kind: HoldKind,
    reason: String,
}

fn actor(caller: &web::Caller) -> Actor {
    caller.actor.clone()
}

/// Hold an order
#[utoipa::path(post, path = "/orders/{id}/holds", tag = "orders", operation_id = "holdOrder", params(("id" = OrderId, Path)), request_body = HoldBody, responses((status = 200, body = OrderView)))]
async fn hold(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    Segment(id): Segment<OrderId>,
    Body(body): Body<HoldBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.hold", &body, |tx| {
        let item = Hold {
            at: tx.now(),
            order: id,
            kind: body.kind,
            reason: body.reason.clone(),
            by: actor(&caller),
        };
        crate::hold(tx, &[item]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &full(tx, id).await?)
    })
}

/// Take a hold away
#[utoipa::path(delete, path = "/orders/{id}/holds/{kind}", tag = "orders", operation_id = "releaseHold", params(("id" = OrderId, Path), ("kind" = HoldKind, Path)), responses((status = 200, body = OrderView)))]
async fn release(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    Segment((id, kind)): Segment<(OrderId, HoldKind)>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.release_hold", &kind, |tx| {
        let item = ReleaseHold { at: tx.now(), order: id, kind, by: actor(&caller) };
        crate::release_hold(tx, &[item]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &full(tx, id).await?)
    })
}

/// A reviewer's decision.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviewBody {
    approve: bool,
    reason: String,
}

/// Decide on an order held for its risk
///
/// Approved, it goes on; rejected, it is cancelled, its stock free and its money back.
#[utoipa::path(post, path = "/orders/{id}/review", tag = "orders", operation_id = "reviewOrder", params(("id" = OrderId, Path)), request_body = ReviewBody, responses((status = 200, body = OrderView)))]
async fn review(
    State(app): State<App>,
    caller: May<ReviewOrders>,
    key: Key,
    Segment(id): Segment<OrderId>,
    Body(body): Body<ReviewBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.review", &body, |tx| {
        let by = actor(&caller);
        let item = Review { at: tx.now(), order: id, approve: body.approve, reason: body.reason.clone(), by };
        crate::review(tx, &[item]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &full(tx, id).await?)
    })
}

/// A note for colleagues.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoteBody {
    text: String,
}
#[derive(Serialize, ToSchema)]
struct NoteView {
    id: NoteId,
}

/// Write a note on an order
#[utoipa::path(post, path = "/orders/{id}/notes", tag = "orders", operation_id = "noteOrder", params(("id" = OrderId, Path)), request_body = NoteBody, responses((status = 201, body = NoteView)))]
async fn note(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    Segment(id): Segment<OrderId>,
    Body(body): Body<NoteBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.note", &body, |tx| {
        let item = Note { at: tx.now(), order: id, text: body.text.clone(), by: actor(&caller) };
        let id = crate::note(tx, &[item]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::CREATED, &NoteView { id })
    })
}

/// A word or two for filters and exports.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TagBody {
    tag: String,
}

/// Tag an order
///
/// A tag that is there already stays once.
#[utoipa::path(post, path = "/orders/{id}/tags", tag = "orders", operation_id = "tagOrder", params(("id" = OrderId, Path)), request_body = TagBody, responses((status = 200, body = OrderView)))]
async fn tag(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    Segment(id): Segment<OrderId>,
    Body(body): Body<TagBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.tag", &body, |tx| {
        let item = Tag { at: tx.now(), order: id, tag: body.tag.clone(), by: actor(&caller) };
        crate::tag(tx, &[item]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &full(tx, id).await?)
    })
}

/// Change where an order goes
///
/// Within its country, and as long as nothing of it is packed. A hold for a wrong address is released.
#[utoipa::path(put, path = "/orders/{id}/ship-to", tag = "orders", operation_id = "changeShipTo", params(("id" = OrderId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = Address, responses((status = 200, body = OrderView)))]
async fn change_address(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<OrderId>,
    Body(body): Body<Address>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.ship_to", &body, |tx| {
        known.check(version(tx, id).await?)?;
        let item = ChangeAddress { at: tx.now(), order: id, ship_to: body.clone(), by: actor(&caller) };
        crate::change_address(tx, &[item]).await?.remove(0).map_err(|refused| {
            let problem = Problem::refused(&refused);
            match &refused {
                ChangeAddressRefused::BadAddress { fields, .. } => problem.with_errors(by_the_field(fields)),
                _ => problem,
            }
        })?;
        web::reply(StatusCode::OK, &full(tx, id).await?)
    })
}

/// How the customer of an order is reached.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContactBody {
    /// The e-mail address.
    email: Option<String>,
    /// The phone number; without a country code it is one of the country that the order goes to.
    phone: Option<String>,
}

/// Change how the customer of an order is reached
///
/// News of this order go there from now on; the customer stays as they are. What is left out is removed.
#[utoipa::path(put, path = "/orders/{id}/contact", tag = "orders", operation_id = "changeOrderContact", params(("id" = OrderId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = ContactBody, responses((status = 200, body = OrderView)))]
async fn change_contact(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<OrderId>,
    Body(body): Body<ContactBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.contact", &body, |tx| {
        known.check(version(tx, id).await?)?;
        let (email, phone) = (body.email.clone(), body.phone.clone());
        let item = ChangeContact { at: tx.now(), order: id, email, phone, by: actor(&caller) };
        crate::change_contact(tx, &[item]).await?.remove(0).map_err(|refused| {
            let problem = Problem::refused(&refused);
            match &refused {
                ChangeContactRefused::BadContact { fields, .. } => problem.with_errors(by_the_field(fields)),
                ChangeContactRefused::NoOrder { .. } => problem,
            }
        })?;
        web::reply(StatusCode::OK, &full(tx, id).await?)
    })
}

/// Send the customer a link to pay
///
/// By e-mail, for what is neither authorised nor captured. The link is good for 30 days.
#[utoipa::path(post, path = "/orders/{id}/payment-requests", tag = "orders", operation_id = "requestOrderPayment", params(("id" = OrderId, Path)), responses((status = 204)))]
async fn request_payment(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    Segment(id): Segment<OrderId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.request_payment", &id, |tx| {
        let item = crate::RequestPayment { at: tx.now(), order: id, by: actor(&caller) };
        crate::request_payment(tx, &[item]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListEvents {
    /// 1 to 200; 50 when not given.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The timeline of an order, in the order things happened
#[utoipa::path(get, path = "/orders/{id}/events", tag = "orders", operation_id = "listOrderEvents", params(("id" = OrderId, Path), ListEvents), responses((status = 200, body = Page<EventView>)))]
async fn events(
    State(app): State<App>,
    _: May<ReadOrders>,
    Segment(id): Segment<OrderId>,
    Params(q): Params<ListEvents>,
) -> Result<Json<Page<EventView>>, Problem> {
    version(app.db.read(), id).await?;
    let paging = Paging::<(Timestamp, i64)>::read(q.limit, q.cursor.as_deref())?;
    let rows =
        read::timeline(app.db.read(), id, paging.after, u64::try_from(paging.fetch()).map_err(Fault::from)?)
            .await?;
    Ok(Json(paging.page(rows, |r| (r.at, r.id.0)).map(EventView::from)))
}
