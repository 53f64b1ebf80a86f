//! REST of returns. Handlers only translate.

use crate::model::{Reception, Resolution, ReturnId, Status};
use crate::pages::sees_money;
use crate::read;
use crate::views::{DeclineBody, InspectBody, NewReturn, ReceiveBody, ReturnView, SettleBody, SettledView};
use crate::{Approve, Decline, Inspect, Receive, RequestReturn, Settle};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::{Sql, Tx};
use kernel::{Fault, Refuse, Timestamp};
use orders::OrderId;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Caller, IfMatch, Key, May, OrProblem, Page, Paging, Params, Problem, Reply, Segment};

kernel::permission!(ReadReturns, "returns:read", "See returns");
kernel::permission!(WriteReturns, "returns:write", "Enter, decide and settle returns");
kernel::permission!(ReceiveReturns, "returns:receive", "Receive and inspect returns");

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(post_return))
        .routes(routes!(list_returns))
        .routes(routes!(get_return))
        .routes(routes!(post_approve))
        .routes(routes!(post_decline))
        .routes(routes!(post_receive))
        .routes(routes!(post_inspect))
        .routes(routes!(post_settle))
}

/// Asks units of an order back.
#[utoipa::path(post, path = "/orders/{id}/returns", tag = "returns", params(("id" = OrderId, Path)), request_body = NewReturn,
    responses((status = 201, body = ReturnView), (status = 409, body = Problem)))]
async fn post_return(
    State(app): State<App>,
    caller: May<WriteReturns>,
    key: Key,
    Segment(order): Segment<OrderId>,
    Body(body): Body<NewReturn>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "returns.request", &body, |tx| {
        let one = RequestReturn {
            at: tx.now(),
            order,
            units: body.units.iter().cloned().map(Into::into).collect(),
            resolution: body.resolution,
            refund_shipping: body.refund_shipping,
            override_window: body.override_window,
            note: body.note.clone(),
        };
        let requested = single(crate::request(tx, &[one]).await?)?;
        web::reply(StatusCode::CREATED, &view(tx, requested.id, &caller).await?)
    })
}

/// Which returns.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Of this order.
    order: Option<OrderId>,
    /// With this status.
    status: Option<Status>,
    /// With this resolution.
    resolution: Option<Resolution>,
    /// Returns of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Returns, newest first.
#[utoipa::path(get, path = "/returns", tag = "returns", params(ListParams), responses((status = 200, body = Page<ReturnView>)))]
async fn list_returns(
    State(app): State<App>,
    caller: May<ReadReturns>,
    Params(ask): Params<ListParams>,
) -> Result<Json<Page<ReturnView>>, Problem> {
    let paging = Paging::<(Timestamp, ReturnId)>::read(ask.limit, ask.cursor.as_deref())?;
    let filter = read::Filter {
        order: ask.order,
        status: ask.status,
        resolution: ask.resolution,
        ..read::Filter::default()
    };
    let rows = read::list(app.db.read(), &filter, paging.after, paging.fetch()).await?;
    let money = sees_money(&caller);
    Ok(Json(paging.page(rows, |r| (r.requested_at, r.id)).map(|row| ReturnView::new(row, None, money))))
}

/// A return with its units.
#[utoipa::path(get, path = "/returns/{id}", tag = "returns", params(("id" = ReturnId, Path)),
    responses((status = 200, body = ReturnView), (status = 404, body = Problem)))]
async fn get_return(
    State(app): State<App>,
    caller: May<ReadReturns>,
    Segment(id): Segment<ReturnId>,
) -> Result<Reply, Problem> {
    Ok(web::reply(StatusCode::OK, &view(app.db.read(), id, &caller).await?)?)
}

/// The customer may send the units.
#[utoipa::path(post, path = "/returns/{id}/approve", tag = "returns", params(("id" = ReturnId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")),
    responses((status = 200, body = ReturnView), (status = 409, body = Problem)))]
async fn post_approve(
    State(app): State<App>,
    caller: May<WriteReturns>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<ReturnId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "returns.approve", &id, |tx| {
        check(tx, id, known).await?;
        single(crate::approve(tx, &[Approve { at: tx.now(), return_id: id }]).await?)?;
        web::reply(StatusCode::OK, &view(tx, id, &caller).await?)
    })
}

/// The units shall not come back.
#[utoipa::path(post, path = "/returns/{id}/decline", tag = "returns", params(("id" = ReturnId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = DeclineBody,
    responses((status = 200, body = ReturnView), (status = 409, body = Problem)))]
async fn post_decline(
    State(app): State<App>,
    caller: May<WriteReturns>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<ReturnId>,
    Body(body): Body<DeclineBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "returns.decline", &body, |tx| {
        check(tx, id, known).await?;
        let one = Decline { at: tx.now(), return_id: id, reason: body.reason.clone() };
        single(crate::decline(tx, &[one]).await?)?;
        web::reply(StatusCode::OK, &view(tx, id, &caller).await?)
    })
}

/// Units arrived, or it became known where they are.
#[utoipa::path(post, path = "/returns/{id}/receive", tag = "returns", params(("id" = ReturnId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = ReceiveBody,
    responses((status = 200, body = ReturnView), (status = 409, body = Problem)))]
async fn post_receive(
    State(app): State<App>,
    caller: May<ReceiveReturns>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<ReturnId>,
    Body(body): Body<ReceiveBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "returns.receive", &body, |tx| {
        check(tx, id, known).await?;
        let one = Receive {
            at: tx.now(),
            return_id: id,
            units: body.units.clone(),
            location: body.location,
            reception: body.reception.unwrap_or(Reception::Received),
        };
        single(crate::receive(tx, &[one]).await?)?;
        web::reply(StatusCode::OK, &view(tx, id, &caller).await?)
    })
}

/// Units were looked at.
#[utoipa::path(post, path = "/returns/{id}/inspect", tag = "returns", params(("id" = ReturnId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = InspectBody,
    responses((status = 200, body = ReturnView), (status = 409, body = Problem)))]
async fn post_inspect(
    State(app): State<App>,
    caller: May<ReceiveReturns>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<ReturnId>,
    Body(body): Body<InspectBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "returns.inspect", &body, |tx| {
        check(tx, id, known).await?;
        let one = Inspect {
            at: tx.now(),
            return_id: id,
            units: body.units.clone(),
            acceptance: body.acceptance,
            disposition: body.disposition,
            location: body.location,
        };
        single(crate::inspect(tx, &[one]).await?)?;
        web::reply(StatusCode::OK, &view(tx, id, &caller).await?)
    })
}

/// The customer gets what is due.
#[utoipa::path(post, path = "/returns/{id}/settle", tag = "returns", params(("id" = ReturnId, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = SettleBody,
    responses((status = 200, body = SettledView), (status = 409, body = Problem)))]
async fn post_settle(
    State(app): State<App>,
    caller: May<WriteReturns>,
    key: Key,
    known: IfMatch,
    Segment(id): Segment<ReturnId>,
    Body(body): Body<SettleBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "returns.settle", &body, |tx| {
        check(tx, id, known).await?;
        let one = Settle {
            at: tx.now(),
            by: caller.actor.clone(),
            return_id: id,
            resolution: body.resolution,
            exchange: body.exchange.clone().map(Into::into),
            recorded: false,
        };
        let done = single(crate::settle(tx, &[one]).await?)?;
        let view = SettledView {
            credited: done.credited,
            refunded: done.refunded,
            offset: done.offset,
            exchange: done.exchange,
            exchanged: done.exchanged,
            due: done.due,
            tender_refused: done.tender_refused,
            of: view(tx, id, &caller).await?,
        };
        web::reply(StatusCode::OK, &view)
    })
}

pub(crate) fn single<T, R: Refuse>(outcomes: Vec<Result<T, R>>) -> Result<T, Fault> {
    let outcome = outcomes.into_iter().next().ok_or_else(|| Fault::broken("a command without outcome"))?;
    Ok(outcome.or_problem()?)
}

/// A return as the caller may see it: its amounts are for who sees money elsewhere.
async fn view(sql: &Sql, id: ReturnId, caller: &Caller) -> Result<ReturnView, Fault> {
    let row = read::by_id(sql, id).await?.ok_or_else(|| Problem::not_found(format!("return {id}")))?;
    Ok(ReturnView::new(row, Some(read::units_of(sql, &[id]).await?), sees_money(caller)))
}

/// Whether the version the caller knows is the present one.
async fn check(tx: &Tx, id: ReturnId, known: IfMatch) -> Result<(), Fault> {
    if known.0.is_some() {
        let row = read::by_id(tx, id).await?.ok_or_else(|| Problem::not_found(format!("return {id}")))?;
        known.check(row.version)?;
    }
    Ok(())
}
