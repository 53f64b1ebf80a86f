//! Queries of shipments and their tracking.

use crate::model::{Shipment, ShipmentId, Status};
use db::{FromRow, Rows, Sql, Value};
use kernel::{Fault, Timestamp};
use orders::OrderId;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

const COLUMNS: &str = "s.id, s.parcel_id, s.order_id, s.carrier, s.service, s.tracking_number, s.cost, s.currency, s.label_at, s.shipped_at, \
    s.delivered_at, s.lost_at, s.voided_at, s.status, s.promised_at, s.version";

/// Shipments that join `input` on a condition, by id.
pub(crate) async fn shipments(sql: &Sql, input: &Rows, on: &str) -> Result<Vec<Shipment>, Fault> {
    let text = format!("SELECT {COLUMNS} FROM shipment s JOIN input ON {on} ORDER BY s.id");
    sql.all_from(input, &text, []).await
}

/// Shipments by id; unknown ids are left out.
///
/// # Errors
/// A fault of the database.
pub async fn shipments_by_id(sql: &Sql, ids: &[ShipmentId]) -> Result<HashMap<ShipmentId, Shipment>, Fault> {
    let input = ids_input(ids);
    Ok(shipments(sql, &input, "s.id = input.id").await?.into_iter().map(|s| (s.id, s)).collect())
}

/// The shipments of orders, oldest first, void ones included.
///
/// # Errors
/// A fault of the database.
pub async fn shipments_of(sql: &Sql, orders: &[OrderId]) -> Result<HashMap<OrderId, Vec<Shipment>>, Fault> {
    let input = ids_input(orders);
    let mut of: HashMap<OrderId, Vec<Shipment>> = HashMap::new();
    for shipment in shipments(sql, &input, "s.order_id = input.id").await? {
        of.entry(shipment.order_id).or_default().push(shipment);
    }
    Ok(of)
}

/// The shipments of a carrier by tracking number; unknown numbers are left out.
///
/// # Errors
/// A fault of the database.
pub async fn shipments_by_tracking(
    sql: &Sql,
    carrier: &str,
    numbers: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, ShipmentId>, Fault> {
    #[derive(FromRow)]
    struct Row {
        id: ShipmentId,
        tracking_number: String,
    }
    let mut input = Rows::new("number TEXT");
    for number in numbers {
        input.push([number.into()]);
    }
    let text = "SELECT s.id, s.tracking_number FROM shipment s WHERE s.carrier = $1 AND s.tracking_number IN (SELECT number FROM input)";
    let rows: Vec<Row> = sql.all_from(&input, text, [carrier.into()]).await?;
    Ok(rows.into_iter().map(|r| (r.tracking_number, r.id)).collect())
}

/// Orders by the tracking number of a parcel, whoever carries it.
pub(crate) const BY_TRACKING: web::Finder = web::Finder {
    what: orders::SEARCHED,
    find: |sql, number| {
        Box::pin(async move {
            let text = "SELECT DISTINCT s.order_id FROM shipment s WHERE s.tracking_number = $1 LIMIT 20";
            sql.column(text, [number.into()]).await
        })
    },
};

/// What a list of shipments is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// With this tracking number.
    pub tracking: Option<String>,
    /// In this status.
    pub status: Option<Status>,
    /// Of this order.
    pub order: Option<OrderId>,
    /// Older than this one: the last of the page before.
    pub before: Option<ShipmentId>,
}

/// A page of shipments, newest first.
///
/// # Errors
/// A fault of the database.
pub async fn list(sql: &Sql, filter: &Filter, limit: i64) -> Result<Vec<Shipment>, Fault> {
    let mut params: Vec<Value> = Vec::new();
    let mut conditions = String::new();
    let mut and = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            params.push(value);
            conditions.push_str(&format!(" AND {column} ${}", params.len()));
        }
    };
    and("s.tracking_number =", filter.tracking.as_deref().map(Value::from));
    and("s.status =", filter.status.map(|s| s.as_str().into()));
    and("s.order_id =", filter.order.map(Value::from));
    and("s.id <", filter.before.map(Value::from));
    params.push(limit.into());
    let text = format!(
        "SELECT {COLUMNS} FROM shipment s WHERE TRUE{conditions} ORDER BY s.id DESC LIMIT ${}",
        params.len()
    );
    sql.all(&text, params).await
}

/// Something a carrier said.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, utoipa::ToSchema)]
pub struct TrackingEvent {
    /// The carrier's own id of it.
    pub source_id: String,
    /// What.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub place: Option<String>,
    /// In the carrier's words.
    pub description: Option<String>,
}

/// What was said about a shipment, in the order in which it happened.
///
/// # Errors
/// A fault of the database.
pub async fn tracking(sql: &Sql, shipment: ShipmentId) -> Result<Vec<TrackingEvent>, Fault> {
    let text = "SELECT source_id, status, at, place, description FROM tracking_event WHERE shipment_id = $1 ORDER BY at, id";
    sql.all(text, [shipment.into()]).await
}

/// What was said about shipments, each in the order in which it happened.
///
/// # Errors
/// A fault of the database.
pub async fn tracking_of(
    sql: &Sql,
    shipments: &[ShipmentId],
) -> Result<HashMap<ShipmentId, Vec<TrackingEvent>>, Fault> {
    #[derive(FromRow)]
    struct Row {
        shipment_id: ShipmentId,
        source_id: String,
        status: Status,
        at: Timestamp,
        place: Option<String>,
        description: Option<String>,
    }
    let text = "SELECT e.shipment_id, e.source_id, e.status, e.at, e.place, e.description FROM tracking_event e \
        JOIN input ON input.id = e.shipment_id ORDER BY e.at, e.id";
    let mut of: HashMap<ShipmentId, Vec<TrackingEvent>> = HashMap::new();
    for row in sql.all_from::<Row>(&ids_input(shipments), text, []).await? {
        let Row { shipment_id, source_id, status, at, place, description } = row;
        of.entry(shipment_id).or_default().push(TrackingEvent { source_id, status, at, place, description });
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
