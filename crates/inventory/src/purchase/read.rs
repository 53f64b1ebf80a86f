//! Queries of purchase orders. Invariant: lists go by id from the newest on, so that nothing is shown twice while others are made.

use super::book::ids_of;
use super::{PurchaseId, PurchaseStatus};
use crate::LocationId;
use catalog::{SkuId, SupplierId};
use db::{FromRow, Sql};
use kernel::{Fault, Timestamp};

/// A purchase order.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Purchase {
    /// Our id.
    pub id: PurchaseId,
    /// What people call it.
    pub number: String,
    /// From whom.
    pub supplier_id: SupplierId,
    /// The supplier's code.
    pub supplier: String,
    /// The supplier's name.
    pub supplier_name: String,
    /// Where the goods go.
    pub location_id: LocationId,
    /// The location's code.
    pub location: String,
    /// The location's name.
    pub location_name: String,
    /// The supplier's own number of it.
    pub reference: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was sent.
    pub ordered_at: Option<Timestamp>,
    /// When it should come.
    pub expected_at: Option<Timestamp>,
    /// How far it is.
    pub status: PurchaseStatus,
    /// Units that were ordered.
    pub units: i64,
    /// Units that came.
    pub received: i64,
    /// Of these, more than was ordered.
    pub surplus: i64,
    /// Units that will not come.
    pub cancelled: i64,
    /// Units that are still to come.
    pub open: i64,
    /// Rises with every change.
    pub version: i64,
    /// What the units that were ordered cost, in the base currency's minor units.
    pub value: i64,
}

const COLUMNS: &str = "p.id, p.number, p.supplier_id, s.code AS supplier, s.name AS supplier_name, p.location_id, l.code AS location, l.name AS location_name, \
     p.reference, p.created_at, p.ordered_at, p.expected_at, p.status, p.units, p.received, p.surplus, p.cancelled, p.open, p.version, \
     (SELECT CAST(SUM(n.ordered * n.unit_cost) AS BIGINT) FROM purchase_line n WHERE n.purchase_id = p.id) AS value \
     FROM purchase p JOIN supplier s ON s.id = p.supplier_id JOIN location l ON l.id = p.location_id";

/// Which purchase orders a list shows.
#[derive(Debug, Clone, Default)]
pub struct PurchaseFilter {
    /// Only those in this state.
    pub status: Option<PurchaseStatus>,
    /// Only those of the supplier with this code.
    pub supplier: Option<String>,
    /// The whole number, ours or the supplier's.
    pub number: Option<String>,
}

/// Purchase orders, the newest first, before `before`, at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn purchases(
    sql: &Sql,
    filter: &PurchaseFilter,
    before: Option<PurchaseId>,
    limit: i64,
) -> Result<Vec<Purchase>, Fault> {
    let mut text = format!("SELECT {COLUMNS} WHERE p.id < $1");
    let mut values: Vec<db::Value> = vec![before.map_or(i64::MAX, |id| id.0).into()];
    if let Some(status) = filter.status {
        values.push(status.as_str().into());
        text.push_str(&format!(" AND p.status = ${}", values.len()));
    }
    if let Some(supplier) = filter.supplier.as_deref().filter(|s| !s.is_empty()) {
        values.push(supplier.into());
        text.push_str(&format!(" AND s.code = ${}", values.len()));
    }
    if let Some(number) = filter.number.as_deref().map(str::trim).filter(|n| !n.is_empty()) {
        values.extend([number.to_uppercase().into(), number.into()]);
        let n = values.len();
        text.push_str(&format!(" AND (p.number = ${} OR p.reference = ${n})", n - 1));
    }
    values.push(limit.into());
    text.push_str(&format!(" ORDER BY p.id DESC LIMIT ${}", values.len()));
    sql.all(&text, values).await
}

/// A purchase order by its id.
///
/// # Errors
/// A fault of the database.
pub async fn purchase(sql: &Sql, id: PurchaseId) -> Result<Option<Purchase>, Fault> {
    sql.one(&format!("SELECT {COLUMNS} WHERE p.id = $1"), [id.into()]).await
}

/// A line of a purchase order.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PurchaseLine {
    /// The purchase order.
    pub purchase_id: PurchaseId,
    /// Its place, from 0 on.
    pub position: i64,
    /// What.
    pub sku_id: SkuId,
    /// Its code.
    pub sku: String,
    /// Its title.
    pub title: String,
    /// Units that were ordered.
    pub ordered: i64,
    /// What a unit costs, in the base currency's minor units.
    pub unit_cost: i64,
    /// Units that came.
    pub received: i64,
    /// Of these, more than was ordered.
    pub surplus: i64,
    /// Units that will not come.
    pub cancelled: i64,
    /// Units that are still to come.
    pub open: i64,
}

/// Lines of purchase orders, in order.
///
/// # Errors
/// A fault of the database.
pub async fn purchase_lines(sql: &Sql, ids: &[PurchaseId]) -> Result<Vec<PurchaseLine>, Fault> {
    let text = "SELECT n.purchase_id, n.position, n.sku_id, s.code AS sku, s.title, n.ordered, n.unit_cost, n.received, n.surplus, n.cancelled, n.open \
         FROM purchase_line n JOIN input ON input.id = n.purchase_id JOIN sku s ON s.id = n.sku_id ORDER BY n.purchase_id, n.position";
    sql.all_from(&ids_of(ids.iter().copied()), text, []).await
}

/// Goods of a purchase order that came.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PurchaseReceipt {
    /// When.
    pub at: Timestamp,
    /// The code of the SKU.
    pub sku: String,
    /// How many units.
    pub quantity: i64,
    /// Of these, more than was to come.
    pub surplus: i64,
    /// Why more came.
    pub reason: Option<String>,
    /// What the movement of stock says it belongs to.
    pub reference: Option<String>,
    /// Who took them.
    pub by_actor: Option<String>,
}

/// What came of a purchase order, the newest first.
///
/// # Errors
/// A fault of the database.
pub async fn purchase_receipts(sql: &Sql, id: PurchaseId) -> Result<Vec<PurchaseReceipt>, Fault> {
    let text = "SELECT m.at, s.code AS sku, r.quantity, r.surplus, r.reason, m.reference, m.by_actor FROM purchase_receipt r \
         JOIN stock_movement m ON m.id = r.movement_id JOIN sku s ON s.id = m.sku_id WHERE r.purchase_id = $1 ORDER BY r.movement_id DESC";
    sql.all(text, [id.into()]).await
}

/// Units of a SKU that are still to come.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OnOrder {
    /// The purchase order.
    pub id: PurchaseId,
    /// Its number.
    pub number: String,
    /// The supplier's name.
    pub supplier: String,
    /// The location's name.
    pub location: String,
    /// When it should come.
    pub expected_at: Option<Timestamp>,
    /// How many units.
    pub open: i64,
}

/// What is still to come of a SKU, by when it should.
///
/// # Errors
/// A fault of the database.
pub async fn on_order(sql: &Sql, sku: SkuId) -> Result<Vec<OnOrder>, Fault> {
    let text = "SELECT p.id, p.number, s.name AS supplier, l.name AS location, p.expected_at, n.open FROM purchase_line n \
         JOIN purchase p ON p.id = n.purchase_id JOIN supplier s ON s.id = p.supplier_id JOIN location l ON l.id = p.location_id \
         WHERE n.sku_id = $1 AND n.open > 0 AND p.ordered_at IS NOT NULL ORDER BY COALESCE(p.expected_at, $2), p.id";
    sql.all(text, [sku.into(), i64::MAX.into()]).await
}
