//! Queries of fulfilment orders and parcels.

use crate::model::{
    Executor, Fulfilment, FulfilmentId, FulfilmentLine, FulfilmentLineId, Parcel, ParcelId, ParcelLine,
    Request, Status,
};
use catalog::SkuId;
use db::{FromRow, Rows, Sql, Value};
use inventory::LocationId;
use kernel::{Fault, Timestamp};
use orders::{LineId, OrderId};
use std::collections::{BTreeSet, HashMap};

#[derive(FromRow)]
struct Header {
    id: FulfilmentId,
    number: String,
    order_id: OrderId,
    location_id: LocationId,
    executor: Executor,
    status: Status,
    on_hold: bool,
    request: Request,
    request_reason: Option<String>,
    priority: i64,
    created_at: Timestamp,
    released_at: Option<Timestamp>,
    quantity: i64,
    cancelled: i64,
    picked: i64,
    packed: i64,
    shipped: i64,
    version: i64,
}

const HEADER: &str = "f.id, f.number, f.order_id, f.location_id, f.executor, f.status, f.on_hold, f.request, f.request_reason, f.priority, \
    f.created_at, f.released_at, f.quantity, f.cancelled, f.picked, f.packed, f.shipped, f.version";

/// Fulfilment orders that join `input` on a condition, by id, with their lines.
pub(crate) async fn fulfilments(sql: &Sql, input: &Rows, on: &str) -> Result<Vec<Fulfilment>, Fault> {
    let text = format!("SELECT {HEADER} FROM fulfilment_order f JOIN input ON {on} ORDER BY f.id");
    let headers = sql.ask_from(input, &text, []).await?;
    let text = format!(
        "SELECT {LINE} FROM fulfilment_order f JOIN input ON {on} JOIN fulfilment_line l ON l.fulfilment_id = f.id \
         JOIN order_line o ON o.id = l.line_id ORDER BY l.id"
    );
    let lines = sql.all_from(input, &text, []).await?;
    Ok(together(sql.answer(headers).await?, lines))
}

const LINE: &str = "l.id, l.fulfilment_id AS fulfilment, l.line_id AS line, l.sku_id, o.sku, o.title, l.quantity, l.cancelled, l.picked, \
    l.packed, l.shipped";

async fn with_lines(sql: &Sql, headers: Vec<Header>) -> Result<Vec<Fulfilment>, Fault> {
    let ids = ids_input(&headers.iter().map(|h| h.id).collect::<Vec<_>>());
    let text = format!(
        "SELECT {LINE} FROM fulfilment_line l JOIN input ON input.id = l.fulfilment_id JOIN order_line o ON o.id = l.line_id ORDER BY l.id"
    );
    Ok(together(headers, sql.all_from(&ids, &text, []).await?))
}

fn together(headers: Vec<Header>, all: Vec<FulfilmentLine>) -> Vec<Fulfilment> {
    let mut lines: HashMap<FulfilmentId, Vec<FulfilmentLine>> = HashMap::new();
    for line in all {
        lines.entry(line.fulfilment).or_default().push(line);
    }
    headers
        .into_iter()
        .map(|h| Fulfilment {
            lines: lines.remove(&h.id).unwrap_or_default(),
            id: h.id,
            number: h.number,
            order: h.order_id,
            location: h.location_id,
            executor: h.executor,
            status: h.status,
            on_hold: h.on_hold,
            request: h.request,
            request_reason: h.request_reason,
            priority: h.priority,
            created_at: h.created_at,
            released_at: h.released_at,
            quantity: h.quantity,
            cancelled: h.cancelled,
            picked: h.picked,
            packed: h.packed,
            shipped: h.shipped,
            version: h.version,
        })
        .collect()
}

/// Fulfilment orders by id; unknown ids are left out.
///
/// # Errors
/// A fault of the database.
pub async fn fulfilments_by_id(
    sql: &Sql,
    ids: &[FulfilmentId],
) -> Result<HashMap<FulfilmentId, Fulfilment>, Fault> {
    let input = ids_input(ids);
    Ok(fulfilments(sql, &input, "f.id = input.id").await?.into_iter().map(|f| (f.id, f)).collect())
}

/// The fulfilment orders of orders, oldest first.
///
/// # Errors
/// A fault of the database.
pub async fn fulfilments_of(
    sql: &Sql,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Vec<Fulfilment>>, Fault> {
    let input = ids_input(orders);
    let mut of: HashMap<OrderId, Vec<Fulfilment>> = HashMap::new();
    for fulfilment in fulfilments(sql, &input, "f.order_id = input.id").await? {
        of.entry(fulfilment.order).or_default().push(fulfilment);
    }
    Ok(of)
}

/// What a list of fulfilment orders is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this order.
    pub order: Option<OrderId>,
    /// At this location.
    pub location: Option<LocationId>,
    /// In this status.
    pub status: Option<Status>,
    /// Done by this kind of executor.
    pub executor: Option<Executor>,
    /// Older than this one: the last of the page before.
    pub before: Option<FulfilmentId>,
}

/// A page of fulfilment orders, newest first, with their lines.
///
/// # Errors
/// A fault of the database.
pub async fn list(sql: &Sql, filter: &Filter, limit: i64) -> Result<Vec<Fulfilment>, Fault> {
    let mut params: Vec<Value> = Vec::new();
    let mut conditions = String::new();
    let mut and = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            params.push(value);
            conditions.push_str(&format!(" AND {column} ${}", params.len()));
        }
    };
    and("f.order_id =", filter.order.map(Value::from));
    and("f.location_id =", filter.location.map(Value::from));
    and("f.status =", filter.status.map(|s| s.as_str().into()));
    and("f.executor =", filter.executor.map(|e| e.as_str().into()));
    and("f.id <", filter.before.map(Value::from));
    params.push(limit.into());
    let text = format!(
        "SELECT {HEADER} FROM fulfilment_order f WHERE TRUE{conditions} ORDER BY f.id DESC LIMIT ${}",
        params.len()
    );
    let headers: Vec<Header> = sql.all(&text, params).await?;
    with_lines(sql, headers).await
}

#[derive(FromRow)]
struct ParcelRow {
    id: ParcelId,
    fulfilment_id: FulfilmentId,
    order_id: OrderId,
    location_id: LocationId,
    weight_g: i64,
    length_mm: Option<i64>,
    width_mm: Option<i64>,
    height_mm: Option<i64>,
    packed_at: Timestamp,
    packed_by: String,
    unpacked_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct ParcelLineRow {
    parcel_id: ParcelId,
    line_id: LineId,
    fulfilment_line_id: FulfilmentLineId,
    sku_id: SkuId,
    location_id: LocationId,
    quantity: i64,
}

/// Parcels that join `input` on a condition, by id, with what is in them.
pub(crate) async fn parcels(sql: &Sql, input: &Rows, on: &str) -> Result<Vec<Parcel>, Fault> {
    let text = format!(
        "SELECT p.id, p.fulfilment_id, p.order_id, p.location_id, p.weight_g, p.length_mm, p.width_mm, p.height_mm, p.packed_at, \
         p.packed_by, p.unpacked_at FROM parcel p JOIN input ON {on} ORDER BY p.id"
    );
    let rows = sql.ask_from::<ParcelRow>(input, &text, []).await?;
    let mut lines = contents(sql, input, on).await?;
    let rows = sql.answer(rows).await?;
    Ok(rows
        .into_iter()
        .map(|r| Parcel {
            lines: lines.remove(&r.id).unwrap_or_default(),
            id: r.id,
            fulfilment: r.fulfilment_id,
            order: r.order_id,
            location: r.location_id,
            weight_g: r.weight_g,
            dims: r.length_mm.zip(r.width_mm).zip(r.height_mm).map(|((l, w), h)| (l, w, h)),
            packed_at: r.packed_at,
            packed_by: r.packed_by,
            unpacked_at: r.unpacked_at,
        })
        .collect())
}

/// Parcels by id; unknown ids are left out.
///
/// # Errors
/// A fault of the database.
pub async fn parcels_by_id(sql: &Sql, ids: &[ParcelId]) -> Result<HashMap<ParcelId, Parcel>, Fault> {
    let input = ids_input(ids);
    Ok(parcels(sql, &input, "p.id = input.id").await?.into_iter().map(|p| (p.id, p)).collect())
}

/// Whose parcels they are.
pub(crate) async fn fulfilments_of_parcels(
    sql: &Sql,
    parcels: &[ParcelId],
) -> Result<Vec<FulfilmentId>, Fault> {
    #[derive(FromRow)]
    struct Row {
        fulfilment_id: FulfilmentId,
    }
    let text = "SELECT p.fulfilment_id FROM parcel p JOIN input ON input.id = p.id";
    let rows: Vec<Row> = sql.all_from(&ids_input(parcels), text, []).await?;
    Ok(rows.into_iter().map(|r| r.fulfilment_id).collect())
}

/// The parcels of orders, oldest first, those taken apart again included.
///
/// # Errors
/// A fault of the database.
pub async fn parcels_of(sql: &Sql, orders: &[OrderId]) -> Result<HashMap<OrderId, Vec<Parcel>>, Fault> {
    let input = ids_input(orders);
    let mut of: HashMap<OrderId, Vec<Parcel>> = HashMap::new();
    for parcel in parcels(sql, &input, "p.order_id = input.id").await? {
        of.entry(parcel.order).or_default().push(parcel);
    }
    Ok(of)
}

/// What is in parcels.
///
/// # Errors
/// A fault of the database.
pub async fn parcel_contents(
    sql: &Sql,
    parcels: &[ParcelId],
) -> Result<HashMap<ParcelId, Vec<ParcelLine>>, Fault> {
    contents(sql, &ids_input(parcels), "p.id = input.id").await
}

async fn contents(sql: &Sql, input: &Rows, on: &str) -> Result<HashMap<ParcelId, Vec<ParcelLine>>, Fault> {
    let text = format!(
        "SELECT pl.parcel_id, pl.line_id, pl.fulfilment_line_id, l.sku_id, p.location_id, pl.quantity FROM parcel p JOIN input ON {on} \
         JOIN parcel_line pl ON pl.parcel_id = p.id JOIN fulfilment_line l ON l.id = pl.fulfilment_line_id \
         ORDER BY pl.parcel_id, pl.fulfilment_line_id"
    );
    let mut of: HashMap<ParcelId, Vec<ParcelLine>> = HashMap::new();
    for row in sql.all_from::<ParcelLineRow>(input, &text, []).await? {
        of.entry(row.parcel_id).or_default().push(ParcelLine {
            line: row.line_id,
            fulfilment_line: row.fulfilment_line_id,
            sku_id: row.sku_id,
            location: row.location_id,
            quantity: row.quantity,
        });
    }
    Ok(of)
}

/// Each id once: a join would repeat the rows of one that is named twice.
fn ids_input<T: Copy + Ord + Into<Value>>(ids: &[T]) -> Rows {
    let mut input = Rows::new("id BIGINT");
    for id in ids.iter().copied().collect::<BTreeSet<T>>() {
        input.push([id.into()]);
    }
    input
}
