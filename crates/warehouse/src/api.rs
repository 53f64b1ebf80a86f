//! REST of the warehouse. Handlers only translate.

use crate::api_station;
use crate::model::{Executor, Fulfilment, FulfilmentId, FulfilmentLineId, Parcel, ParcelId, Status};
use crate::{
    Accept, Ask, Pack, Pick, PickWarehouse, ReadWarehouse, Reject, Release, ShortPick, Unpick, What,
    WriteWarehouse, read, slip,
};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use db::{BoxFuture, Sql, Tx};
use inventory::LocationId;
use kernel::{Fault, Refuse};
use orders::OrderId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{
    App, Body, IfMatch, Key, May, Operation, OrProblem, Outcome, Page, Paging, Params, Problem, Reply,
    Segment,
};

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_fulfilments))
        .routes(routes!(get_fulfilment))
        .routes(routes!(post_release))
        .routes(routes!(post_request))
        .routes(routes!(post_accept))
        .routes(routes!(post_reject))
        .routes(routes!(post_pick))
        .routes(routes!(post_unpick))
        .routes(routes!(post_short_pick))
        .routes(routes!(post_pack))
        .routes(routes!(get_parcel))
        .routes(routes!(get_packing_slip))
        .merge(api_station::routes())
}

/// Which fulfilment orders.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Of this order.
    order: Option<OrderId>,
    /// At this location.
    location: Option<LocationId>,
    /// In this status.
    status: Option<Status>,
    /// Done by this kind of executor.
    executor: Option<Executor>,
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Fulfilment orders, newest first.
#[utoipa::path(get, path = "/fulfilments", tag = "warehouse", params(ListParams), responses((status = 200, body = Page<Fulfilment>)))]
async fn list_fulfilments(
    State(app): State<App>,
    _: May<ReadWarehouse>,
    Params(ask): Params<ListParams>,
) -> Result<Json<Page<Fulfilment>>, Problem> {
    let paging = Paging::<FulfilmentId>::read(ask.limit, ask.cursor.as_deref())?;
    let (order, location, status, executor) = (ask.order, ask.location, ask.status, ask.executor);
    let filter = read::Filter { order, location, status, executor, before: paging.after };
    let rows = read::list(app.db.read(), &filter, paging.fetch()).await?;
    Ok(Json(paging.page(rows, |f| f.id)))
}

/// A fulfilment order with its lines.
#[utoipa::path(get, path = "/fulfilments/{id}", tag = "warehouse", params(("id" = FulfilmentId, Path)),
    responses((status = 200, body = Fulfilment), (status = 404, body = Problem)))]
async fn get_fulfilment(
    State(app): State<App>,
    _: May<ReadWarehouse>,
    Segment(id): Segment<FulfilmentId>,
) -> Result<Reply, Problem> {
    Ok(web::reply(StatusCode::OK, &fulfilment(app.db.read(), id).await?)?)
}

/// Releases it to the floor.
#[utoipa::path(post, path = "/fulfilments/{id}/release", tag = "warehouse", params(("id" = FulfilmentId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")),
    responses((status = 200, body = Fulfilment), (status = 409, body = Problem)))]
async fn post_release(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<FulfilmentId>,
) -> Result<Reply, Problem> {
    app.send(&caller, &key, &id, ReleaseCall { fulfilment: id, known }).await
}

/// One call of [`post_release`].
struct ReleaseCall {
    fulfilment: FulfilmentId,
    known: IfMatch,
}

impl Operation for ReleaseCall {
    const NAME: &'static str = "warehouse.release";
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(async move {
            let ids: Vec<FulfilmentId> = calls.iter().map(|c| c.fulfilment).collect();
            let stale = stale(tx, calls.iter().map(|c| (c.fulfilment, c.known))).await?;
            let going = ids.iter().zip(&stale).filter(|(_, stale)| stale.is_none());
            let items: Vec<Release> =
                going.map(|(id, _)| Release { at: tx.now(), fulfilment: *id }).collect();
            let mut done = crate::release(tx, &items).await?.into_iter();
            let outcomes = stale.into_iter().map(|stale| match stale {
                Some(problem) => Some(Err(problem)),
                None => done.next().map(|outcome| outcome.or_problem()),
            });
            let outcomes: Option<Vec<Result<(), Problem>>> = outcomes.collect();
            let outcomes = outcomes.ok_or_else(|| Fault::broken("a command without outcome"))?;
            changed_all(tx, &ids, outcomes).await
        })
    }
}

/// Which of the callers know another version than the present one.
async fn stale(
    tx: &Tx,
    known: impl Iterator<Item = (FulfilmentId, IfMatch)>,
) -> Result<Vec<Option<Problem>>, Fault> {
    let known: Vec<(FulfilmentId, IfMatch)> = known.collect();
    let ask: Vec<FulfilmentId> = known.iter().filter(|(_, k)| k.0.is_some()).map(|(id, _)| *id).collect();
    let present = read::fulfilments_by_id(tx, &ask).await?;
    let check = |(id, known): (FulfilmentId, IfMatch)| known.check(present.get(&id)?.version).err();
    Ok(known.into_iter().map(check).collect())
}

/// The fulfilment orders of calls, when what follows from them is done too.
async fn changed_all<T>(
    tx: &Tx,
    ids: &[FulfilmentId],
    outcomes: Vec<Result<T, Problem>>,
) -> Result<Vec<Outcome>, Fault> {
    tx.settle().await?;
    let present = read::fulfilments_by_id(tx, ids).await?;
    let each = ids.iter().zip(outcomes).map(|(id, outcome)| match outcome {
        Ok(_) => Ok(Ok(web::reply(StatusCode::OK, &present.get(id))?)),
        Err(problem) => Ok(Err(problem)),
    });
    each.collect()
}

/// Asks those who fulfil it.
#[utoipa::path(post, path = "/fulfilments/{id}/request", tag = "warehouse", params(("id" = FulfilmentId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")),
    responses((status = 200, body = Fulfilment), (status = 409, body = Problem)))]
async fn post_request(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<FulfilmentId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "warehouse.request", &id, |tx| {
        check(tx, id, known).await?;
        single(crate::request(tx, &[Ask { at: tx.now(), fulfilment: id }]).await?)?;
        changed(tx, id).await
    })
}

/// Notes that they do it.
#[utoipa::path(post, path = "/fulfilments/{id}/accept", tag = "warehouse", params(("id" = FulfilmentId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")),
    responses((status = 200, body = Fulfilment), (status = 409, body = Problem)))]
async fn post_accept(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<FulfilmentId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "warehouse.accept", &id, |tx| {
        check(tx, id, known).await?;
        single(crate::accept(tx, &[Accept { at: tx.now(), fulfilment: id }]).await?)?;
        changed(tx, id).await
    })
}

/// Why they do not.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RejectBody {
    /// In their words.
    reason: String,
}

/// Notes that they do not; the units are sourced elsewhere.
#[utoipa::path(post, path = "/fulfilments/{id}/reject", tag = "warehouse", params(("id" = FulfilmentId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = RejectBody,
    responses((status = 200, body = Fulfilment), (status = 409, body = Problem)))]
async fn post_reject(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<FulfilmentId>,
    Body(body): Body<RejectBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "warehouse.reject", &body, |tx| {
        check(tx, id, known).await?;
        let item = Reject { at: tx.now(), fulfilment: id, reason: body.reason.clone() };
        single(crate::reject(tx, &[item]).await?)?;
        changed(tx, id).await
    })
}

/// What was picked: a scan, or units of a line.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PickBody {
    /// A barcode or a SKU code.
    #[serde(default)]
    scan: Option<String>,
    /// A line, instead of a scan.
    #[serde(default)]
    line: Option<FulfilmentLineId>,
    /// Pieces; 1 when absent.
    #[serde(default = "one")]
    quantity: i64,
}

fn one() -> i64 {
    1
}

impl PickBody {
    fn what(&self) -> Result<What, Problem> {
        match (&self.scan, self.line) {
            (Some(text), None) => Ok(What::Scan(text.clone())),
            (None, Some(line)) => Ok(What::Line(line)),
            _ => Err(Problem::invalid("/scan", "Send either a scan or a line.")),
        }
    }
}

/// Picks. A scan of something else is refused and says what is expected.
#[utoipa::path(post, path = "/fulfilments/{id}/pick", tag = "warehouse", params(("id" = FulfilmentId, Path)), request_body = PickBody,
    responses((status = 200, body = Fulfilment), (status = 409, body = Problem)))]
async fn post_pick(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    key: Key,
    Segment(id): Segment<FulfilmentId>,
    Body(body): Body<PickBody>,
) -> Result<Reply, Problem> {
    let call = PickCall { fulfilment: id, what: body.what()?, quantity: body.quantity };
    app.send(&caller, &key, &body, call).await
}

/// One call of [`post_pick`].
struct PickCall {
    fulfilment: FulfilmentId,
    what: What,
    quantity: i64,
}

impl Operation for PickCall {
    const NAME: &'static str = "warehouse.pick";
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(async move {
            let item = |c: &&Self| {
                let (fulfilment, what, quantity) = (c.fulfilment, c.what.clone(), c.quantity);
                Pick { at: tx.now(), fulfilment, what, quantity }
            };
            let items: Vec<Pick> = calls.iter().map(item).collect();
            let done = crate::pick(tx, &items).await?.into_iter().map(OrProblem::or_problem).collect();
            let ids: Vec<FulfilmentId> = calls.iter().map(|c| c.fulfilment).collect();
            changed_all(tx, &ids, done).await
        })
    }
}

/// Units of a line.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LineBody {
    /// The line.
    line: FulfilmentLineId,
    /// Units.
    quantity: i64,
}

/// Puts what was picked back to the shelf: units of a line, or the pieces of a scan.
#[utoipa::path(post, path = "/fulfilments/{id}/unpick", tag = "warehouse", params(("id" = FulfilmentId, Path)), request_body = PickBody,
    responses((status = 200, body = Fulfilment), (status = 409, body = Problem)))]
async fn post_unpick(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    key: Key,
    Segment(id): Segment<FulfilmentId>,
    Body(body): Body<PickBody>,
) -> Result<Reply, Problem> {
    let what = body.what()?;
    web::command!(app, caller, key, "warehouse.unpick", &body, |tx| {
        let item = Unpick { at: tx.now(), fulfilment: id, what: what.clone(), quantity: body.quantity };
        single(crate::unpick(tx, &[item]).await?)?;
        changed(tx, id).await
    })
}

/// Units that were not where they should be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShortBody {
    /// The line.
    line: FulfilmentLineId,
    /// Units that are missing.
    quantity: i64,
    /// Why, as `shelf empty`.
    #[serde(default)]
    reason: String,
}

/// Reports missing units; they are sourced elsewhere, or wait.
#[utoipa::path(post, path = "/fulfilments/{id}/short-pick", tag = "warehouse", params(("id" = FulfilmentId, Path)), request_body = ShortBody,
    responses((status = 200, body = Fulfilment), (status = 409, body = Problem)))]
async fn post_short_pick(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    key: Key,
    Segment(id): Segment<FulfilmentId>,
    Body(body): Body<ShortBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "warehouse.short_pick", &body, |tx| {
        let (line, quantity, reason) = (body.line, body.quantity, body.reason.clone());
        let item = ShortPick { at: tx.now(), fulfilment: id, line, quantity, reason };
        single(crate::short_pick(tx, &[item]).await?)?;
        changed(tx, id).await
    })
}

/// What goes into a parcel.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PackBody {
    /// Units by line; everything that is picked when absent.
    #[serde(default)]
    lines: Vec<LineBody>,
    /// Grams on the scale; the SKUs' own weights when absent.
    #[serde(default)]
    weight_g: Option<i64>,
    /// Length, width and height in millimetres.
    #[serde(default)]
    dims: Option<(i64, i64, i64)>,
}

/// Packs a parcel.
#[utoipa::path(post, path = "/fulfilments/{id}/pack", tag = "warehouse", params(("id" = FulfilmentId, Path)), request_body = PackBody,
    responses((status = 201, body = Parcel), (status = 409, body = Problem)))]
async fn post_pack(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    key: Key,
    Segment(id): Segment<FulfilmentId>,
    Body(body): Body<PackBody>,
) -> Result<Reply, Problem> {
    let call = PackCall { fulfilment: id, body: body.clone() };
    app.send(&caller, &key, &body, call).await
}

/// One call of [`post_pack`].
struct PackCall {
    fulfilment: FulfilmentId,
    body: PackBody,
}

impl Operation for PackCall {
    const NAME: &'static str = "warehouse.pack";
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(async move {
            let item = |c: &&Self| {
                let lines = c.body.lines.iter().map(|l| (l.line, l.quantity)).collect();
                let (weight_g, dims, by) = (c.body.weight_g, c.body.dims, tx.actor().clone());
                Pack { at: tx.now(), fulfilment: c.fulfilment, lines, weight_g, dims, by }
            };
            let items: Vec<Pack> = calls.iter().map(item).collect();
            let done = crate::pack(tx, &items).await?;
            let packed: Vec<ParcelId> = done.iter().filter_map(|d| d.as_ref().ok().copied()).collect();
            let parcels = read::parcels_by_id(tx, &packed).await?;
            web::outcomes(done, |_, parcel| web::reply(StatusCode::CREATED, &parcels.get(&parcel)))
        })
    }
}

/// A parcel with what is in it.
#[utoipa::path(get, path = "/parcels/{id}", tag = "warehouse", params(("id" = ParcelId, Path)),
    responses((status = 200, body = Parcel), (status = 404, body = Problem)))]
async fn get_parcel(
    State(app): State<App>,
    _: May<ReadWarehouse>,
    Segment(id): Segment<ParcelId>,
) -> Result<Json<Parcel>, Problem> {
    Ok(Json(one_parcel(app.db.read(), id).await?))
}

/// The packing slip of a parcel as PDF. It never shows a price.
#[utoipa::path(get, path = "/parcels/{id}/packing-slip", tag = "warehouse", params(("id" = ParcelId, Path)),
    responses((status = 200, content_type = "application/pdf"), (status = 404, body = Problem)))]
async fn get_packing_slip(
    State(app): State<App>,
    _: May<ReadWarehouse>,
    Segment(id): Segment<ParcelId>,
) -> Result<impl IntoResponse, Problem> {
    let slip = slip::packing_slip(app.db.read(), id)
        .await?
        .ok_or_else(|| Problem::not_found(format!("parcel {id}")))?;
    let pdf = tokio::task::spawn_blocking(move || documents::packing_slip::packing_slip_pdf(&slip)).await;
    let pdf = pdf.map_err(Fault::from)?.map_err(Fault::from)?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], pdf))
}

pub(crate) async fn fulfilment(sql: &Sql, id: FulfilmentId) -> Result<Fulfilment, Fault> {
    let found = read::fulfilments_by_id(sql, &[id]).await?.remove(&id);
    found.ok_or_else(|| Problem::not_found(format!("fulfilment order {id}")).into())
}

pub(crate) async fn one_parcel(sql: &Sql, id: ParcelId) -> Result<Parcel, Fault> {
    let found = read::parcels_by_id(sql, &[id]).await?.remove(&id);
    found.ok_or_else(|| Problem::not_found(format!("parcel {id}")).into())
}

async fn check(tx: &Tx, id: FulfilmentId, known: IfMatch) -> Result<(), Fault> {
    let present = fulfilment(tx, id).await?.version;
    Ok(known.check(present)?)
}

/// The fulfilment order after a command, when what follows from it is done too.
async fn changed(tx: &Tx, id: FulfilmentId) -> Result<Reply, Fault> {
    tx.settle().await?;
    web::reply(StatusCode::OK, &fulfilment(tx, id).await?)
}

/// The outcome of the one command that was given.
pub(crate) fn single<T, R: Refuse>(outcomes: Vec<Result<T, R>>) -> Result<T, Fault> {
    let outcome = outcomes.into_iter().next().ok_or_else(|| Fault::broken("a command without outcome"))?;
    Ok(outcome.or_problem()?)
}
