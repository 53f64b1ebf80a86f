//! REST of the same to many orders: it is begun, runs in the background, and can be asked how far it is.

use super::{ReadOrders, WriteOrders, actor};
use crate::bulk::{self, Bulk, BulkAction, BulkId, BulkRefusedRow, BulkRow, Meant, begin_bulk};
use crate::model::OrderId;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::Sql;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{App, Body, Key, May, OrProblem, Problem, Reply, Segment};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(begin)).routes(routes!(show))
}

/// The same to many orders.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BulkBody {
    action: BulkAction,
    /// The reason, or the tag; a release needs none.
    #[serde(default)]
    about: String,
    /// One to 1,000. Orders that do not exist are left out.
    orders: Vec<OrderId>,
}

/// How far it is, and what was refused.
#[derive(Serialize, ToSchema)]
struct BulkView {
    id: BulkId,
    action: BulkAction,
    /// The reason, or the tag.
    about: String,
    started_at: Timestamp,
    /// When it was over; null while it goes on.
    ended_at: Option<Timestamp>,
    /// Orders; those that are neither done nor refused still wait.
    total: i64,
    done: i64,
    refused: i64,
    /// The orders that were refused, and why; of very many the newest 1,000.
    refusals: Vec<BulkRefusal>,
}

/// An order that was refused.
#[derive(Serialize, ToSchema)]
struct BulkRefusal {
    order: OrderId,
    number: String,
    /// In a sentence.
    reason: String,
}

impl From<BulkRefusedRow> for BulkRefusal {
    fn from(row: BulkRefusedRow) -> Self {
        Self { order: row.order_id, number: row.number, reason: row.why.unwrap_or_default() }
    }
}

async fn view(sql: &Sql, id: BulkId) -> Result<BulkView, Fault> {
    let Some(row) = bulk::bulk(sql, id).await? else {
        return Err(Problem::not_found(format!("bulk action {id}")).into());
    };
    let refusals = if row.refused > 0 { bulk::bulk_refused(sql, id).await? } else { Vec::new() };
    let BulkRow { id, action, about, started_at, ended_at, total, done, refused, .. } = row;
    let action = action.parse().map_err(Fault::broken)?;
    let refusals = refusals.into_iter().map(BulkRefusal::from).collect();
    Ok(BulkView { id, action, about, started_at, ended_at, total, done, refused, refusals })
}

/// Do the same to many orders
///
/// Hold, release, cancel or tag them. It runs in the background; what is answered says how far it is, and can be asked again.
#[utoipa::path(post, path = "/bulk-actions", tag = "orders", operation_id = "beginBulkAction", request_body = BulkBody, responses((status = 202, body = BulkView)))]
async fn begin(
    State(app): State<App>,
    caller: May<WriteOrders>,
    key: Key,
    Body(body): Body<BulkBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.begin_bulk", &body, |tx| {
        let (about, orders) = (body.about.clone(), body.orders.clone());
        let want = Bulk {
            at: tx.now(),
            action: body.action,
            about,
            orders: Meant::These(orders),
            by: actor(&caller),
        };
        let id = begin_bulk(tx, &want).await?.or_problem()?;
        web::reply(StatusCode::ACCEPTED, &view(tx, id).await?)
    })
}

/// Show how far a bulk action is
#[utoipa::path(get, path = "/bulk-actions/{id}", tag = "orders", operation_id = "getBulkAction", params(("id" = BulkId, Path)), responses((status = 200, body = BulkView)))]
async fn show(
    State(app): State<App>,
    _: May<ReadOrders>,
    Segment(id): Segment<BulkId>,
) -> Result<Json<BulkView>, Problem> {
    Ok(Json(view(app.db.read(), id).await?))
}
