//! REST of the pack station: pieces are scanned into the open box of a fulfilment order, and the box is closed; and the kinds of boxes
//! there are. Handlers only translate.

use crate::api::{fulfilment, one_parcel, single};
use crate::cartons::{Carton, cartons, set_cartons};
use crate::model::{FulfilmentId, FulfilmentLineId, Parcel};
use crate::{CloseBox, Pack, PickWarehouse, ReadWarehouse, StationScan, WriteWarehouse};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use catalog::SkuId;
use db::{FromRow, Sql};
use kernel::Fault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Key, May, OrProblem, Problem, Reply, Segment};

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_box))
        .routes(routes!(post_box_scan))
        .routes(routes!(post_box_close))
        .routes(routes!(get_cartons, put_cartons))
}

/// Pieces of a SKU in the open box.
#[derive(Debug, Clone, Serialize, ToSchema, FromRow)]
struct BoxPiece {
    /// The line of the fulfilment order.
    line: FulfilmentLineId,
    /// What was scanned: the line's SKU, or a part of its bundle.
    sku_id: SkuId,
    /// Its code.
    sku: String,
    /// How many.
    scanned: i64,
}

/// The open box of a fulfilment order.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct BoxView {
    /// The fulfilment order.
    fulfilment: FulfilmentId,
    /// What is in the box.
    pieces: Vec<BoxPiece>,
}

async fn open_box(sql: &Sql, id: FulfilmentId) -> Result<BoxView, Fault> {
    let known = fulfilment(sql, id).await?.id;
    let text = "SELECT p.fulfilment_line_id AS line, p.sku_id, s.code AS sku, p.scanned FROM fulfilment_line l \
                JOIN pack_progress p ON p.fulfilment_line_id = l.id JOIN sku s ON s.id = p.sku_id \
                WHERE l.fulfilment_id = $1 AND p.scanned > 0 ORDER BY l.id, s.code";
    Ok(BoxView { fulfilment: known, pieces: sql.all(text, [known.into()]).await? })
}

/// What is scanned into the open box of a fulfilment order.
#[utoipa::path(get, path = "/fulfilments/{id}/box", tag = "warehouse", params(("id" = FulfilmentId, Path)),
    responses((status = 200, body = BoxView)))]
async fn get_box(
    State(app): State<App>,
    _: May<ReadWarehouse>,
    Segment(id): Segment<FulfilmentId>,
) -> Result<Json<BoxView>, Problem> {
    Ok(Json(open_box(app.db.read(), id).await?))
}

/// A scan at the pack station.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BoxScan {
    /// A barcode or a SKU code.
    scan: String,
    /// Takes a piece out again.
    #[serde(default)]
    back: bool,
}

/// Scans a picked piece into the open box, or out again.
///
/// A scan of something else is refused and says what is expected. A bundle that is scanned as such brings all its parts.
#[utoipa::path(post, path = "/fulfilments/{id}/box/scan", tag = "warehouse", params(("id" = FulfilmentId, Path)), request_body = BoxScan,
    responses((status = 200, body = BoxView)))]
async fn post_box_scan(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    key: Key,
    Segment(id): Segment<FulfilmentId>,
    Body(body): Body<BoxScan>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "warehouse.box_scan", &body, |tx| {
        let text = body.scan.trim().to_owned();
        let item = StationScan { at: tx.now(), fulfilment: id, text, back: body.back };
        single(crate::station_scan(tx, &[item]).await?)?;
        web::reply(StatusCode::OK, &open_box(tx, id).await?)
    })
}

/// How a box is closed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BoxClose {
    /// Grams on the scale; the SKUs' own weights when absent.
    #[serde(default)]
    weight_g: Option<i64>,
    /// Length, width and height in millimetres.
    #[serde(default)]
    dims: Option<(i64, i64, i64)>,
    /// The box is full: what else is picked goes into another. Without it, everything that is picked must have been scanned.
    #[serde(default)]
    split: bool,
}

/// Closes the open box: a parcel of exactly the units whose every piece was scanned.
#[utoipa::path(post, path = "/fulfilments/{id}/box/close", tag = "warehouse", params(("id" = FulfilmentId, Path)), request_body = BoxClose,
    responses((status = 201, body = Parcel)))]
async fn post_box_close(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    key: Key,
    Segment(id): Segment<FulfilmentId>,
    Body(body): Body<BoxClose>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "warehouse.box_close", &body, |tx| {
        let by = tx.actor().clone();
        let (weight_g, dims) = (body.weight_g, body.dims);
        let pack = Pack { at: tx.now(), fulfilment: id, lines: Vec::new(), weight_g, dims, by };
        let parcel = single(crate::close_box(tx, &[CloseBox { pack, split: body.split }]).await?)?;
        web::reply(StatusCode::CREATED, &one_parcel(tx, parcel).await?)
    })
}

/// The kinds of boxes there are.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cartons {
    /// At most 100, each with a name of its own.
    cartons: Vec<Carton>,
}

/// The kinds of boxes that the pack station suggests from.
#[utoipa::path(get, path = "/cartons", tag = "warehouse", responses((status = 200, body = Cartons)))]
async fn get_cartons(State(app): State<App>, _: May<ReadWarehouse>) -> Result<Json<Cartons>, Problem> {
    Ok(Json(Cartons { cartons: cartons(app.db.read()).await? }))
}

/// Sets the kinds of boxes there are, in place of those before.
#[utoipa::path(put, path = "/cartons", tag = "warehouse", request_body = Cartons, responses((status = 200, body = Cartons)))]
async fn put_cartons(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    key: Key,
    Body(body): Body<Cartons>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "warehouse.put_cartons", &body, |tx| {
        set_cartons(tx, tx.now(), &body.cartons).await?.or_problem()?;
        web::reply(StatusCode::OK, &Cartons { cartons: cartons(tx).await? })
    })
}
