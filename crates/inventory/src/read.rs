//! Queries of stock and its movements. Invariant: pages follow each other by key, so nothing is shown twice or left out while stock moves.

use crate::model::MovementId;
use crate::{Location, LocationId};
use catalog::SkuId;
use db::{FromRow, Sql};
use kernel::{Fault, Timestamp};

/// The stock of a SKU at a location.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Level {
    /// The SKU.
    pub sku_id: SkuId,
    /// Its code.
    pub sku: String,
    /// Its title.
    pub title: String,
    /// The location.
    pub location_id: LocationId,
    /// Its code.
    pub location: String,
    /// Units on the shelf.
    pub on_hand: i64,
    /// Units of these that are promised.
    pub allocated: i64,
    /// Units expected.
    pub incoming: i64,
    /// Units put aside.
    pub quarantined: i64,
    /// Units that sourcing leaves on the shelf.
    pub safety: i64,
    /// Units that channels are not told of.
    pub channel_safety: i64,
    /// Units that can be promised; below zero where the safety stock is larger than what is left.
    pub available: i64,
}

/// Which levels a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The code of a SKU.
    pub sku: Option<String>,
    /// The code of a location.
    pub location: Option<String>,
}

/// Stock levels in order of (SKU, location), after `after`, at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn levels(
    sql: &Sql,
    filter: &Filter,
    after: Option<(SkuId, LocationId)>,
    limit: i64,
) -> Result<Vec<Level>, Fault> {
    let mut text = String::from(
        "SELECT t.sku_id, s.code AS sku, s.title, t.location_id, l.code AS location, t.on_hand, t.allocated, t.incoming, t.quarantined, \
         t.safety, t.channel_safety, t.available FROM stock t JOIN sku s ON s.id = t.sku_id JOIN location l ON l.id = t.location_id WHERE TRUE",
    );
    let mut values: Vec<db::Value> = Vec::new();
    for (column, value) in [("s.code", &filter.sku), ("l.code", &filter.location)] {
        if let Some(value) = value.as_deref().filter(|v| !v.is_empty()) {
            values.push(value.into());
            text.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    if let Some((sku, location)) = after {
        values.extend([sku.into(), location.into()]);
        let n = values.len();
        text.push_str(&format!(" AND (t.sku_id, t.location_id) > (${}, ${n})", n - 1));
    }
    values.push(limit.into());
    text.push_str(&format!(" ORDER BY t.sku_id, t.location_id LIMIT ${}", values.len()));
    sql.all(&text, values).await
}

/// A movement of stock.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Movement {
    /// Our id; rises with the time of recording.
    pub id: MovementId,
    /// When it happened.
    pub at: Timestamp,
    /// The code of the location.
    pub location: String,
    /// Why.
    pub kind: String,
    /// Difference on the shelf.
    pub on_hand: i64,
    /// Difference of what is promised.
    pub allocated: i64,
    /// Difference of what is expected.
    pub incoming: i64,
    /// Difference of what is put aside.
    pub quarantined: i64,
    /// Difference of the value of our stock, in the base currency's minor units.
    pub value: i64,
    /// The order it belongs to (raw id).
    pub order_id: Option<i64>,
    /// What it belongs to otherwise.
    pub reference: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
}

/// Movements of a SKU, the newest first, before `before`, at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn movements(
    sql: &Sql,
    sku: SkuId,
    before: Option<MovementId>,
    limit: i64,
) -> Result<Vec<Movement>, Fault> {
    let text = "SELECT m.id, m.at, l.code AS location, m.kind, m.on_hand, m.allocated, m.incoming, m.quarantined, m.value, m.order_id, \
         m.reference, m.reason FROM stock_movement m JOIN location l ON l.id = m.location_id WHERE m.sku_id = $1 AND m.id < $2 \
         ORDER BY m.id DESC LIMIT $3";
    let before = before.map_or(i64::MAX, |id| id.0);
    sql.all(text, [sku.into(), before.into(), limit.into()]).await
}

/// The location with a code.
///
/// # Errors
/// A fault of the database.
pub async fn location_by_code(sql: &Sql, code: &str) -> Result<Option<Location>, Fault> {
    crate::location::location_by_code(sql, code).await
}

/// What can be promised of a SKU at a location.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Free {
    /// The SKU.
    pub sku_id: SkuId,
    /// The location's name.
    pub location: String,
    /// Lower ships first.
    pub priority: i64,
    /// Units that can be promised; below zero where the safety stock is larger than what is left.
    pub available: i64,
    /// Units expected.
    pub incoming: i64,
}

/// What can be promised of SKUs at the active locations, those that ship first at the front.
///
/// # Errors
/// A fault of the database.
pub async fn free(sql: &Sql, skus: &[SkuId]) -> Result<Vec<Free>, Fault> {
    let text = "SELECT t.sku_id, l.name AS location, l.priority, t.available, t.incoming FROM stock t JOIN input ON input.sku_id = t.sku_id \
         JOIN location l ON l.id = t.location_id WHERE l.active = TRUE ORDER BY t.sku_id, l.priority, l.id";
    sql.all_from(&crate::ground::sku_rows(skus.iter().copied()), text, []).await
}
