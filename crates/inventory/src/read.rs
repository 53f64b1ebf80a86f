//! Queries of stock and its movements. Invariant: pages follow each other by key, so nothing is shown twice or left out while stock moves.

use crate::model::MovementId;
use crate::{Location, LocationId};
use catalog::SkuId;
use db::{FromRow, Rows, Sql};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeSet, HashMap};

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
    /// Where on the shelves it lies.
    pub bin: Option<String>,
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
    /// In the code or title of the SKU, or one of its barcodes.
    pub search: Option<String>,
    /// What is looked for.
    pub view: View,
}

/// What a list of stock is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Everything.
    #[default]
    All,
    /// Nothing is left that is not promised.
    Out,
    /// Less is left than the safety stock.
    Low,
    /// More is expected.
    Incoming,
    /// Something is put aside.
    Quarantine,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::All, Self::Out, Self::Low, Self::Incoming, Self::Quarantine];
    /// As an address says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Out => "out",
            Self::Low => "low",
            Self::Incoming => "incoming",
            Self::Quarantine => "quarantine",
        }
    }
    fn sql(self) -> &'static str {
        match self {
            Self::All => "TRUE",
            Self::Out => "t.on_hand = t.allocated",
            Self::Low => "t.safety > 0 AND t.available < 0",
            Self::Incoming => "t.incoming > 0",
            Self::Quarantine => "t.quarantined > 0",
        }
    }
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
         t.safety, t.channel_safety, t.bin, t.available FROM stock t JOIN sku s ON s.id = t.sku_id JOIN location l ON l.id = t.location_id WHERE ",
    );
    text.push_str(filter.view.sql());
    let mut values: Vec<db::Value> = Vec::new();
    if let Some(search) = filter.search.as_deref().filter(|s| !s.trim().is_empty()) {
        text.push_str(&format!(" AND {}", catalog::read::found_by(search, &mut values)));
    }
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

/// How much of the allocated stock is kept for carts, by SKU and location; places without are left out.
///
/// # Errors
/// A fault of the database.
pub async fn in_carts(
    sql: &Sql,
    places: &[(SkuId, LocationId)],
) -> Result<HashMap<(SkuId, LocationId), i64>, Fault> {
    #[derive(FromRow)]
    struct Row {
        sku_id: SkuId,
        location_id: LocationId,
        units: i64,
    }
    let mut input = Rows::new("sku BIGINT, place BIGINT");
    for (sku, location) in places.iter().copied().collect::<BTreeSet<_>>() {
        input.push([sku.into(), location.into()]);
    }
    let text = "SELECT l.sku_id, l.location_id, CAST(SUM(l.quantity) AS BIGINT) AS units FROM reservation r \
         JOIN reservation_line l ON l.reservation_id = r.id JOIN input ON input.sku = l.sku_id AND input.place = l.location_id \
         WHERE r.ended_at IS NULL GROUP BY l.sku_id, l.location_id";
    let rows: Vec<Row> = sql.all_from(&input, text, []).await?;
    Ok(rows.into_iter().map(|r| ((r.sku_id, r.location_id), r.units)).collect())
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
    /// Who did it.
    pub by_actor: Option<String>,
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
         m.reference, m.reason, m.by_actor FROM stock_movement m JOIN location l ON l.id = m.location_id WHERE m.sku_id = $1 AND m.id < $2 \
         ORDER BY m.id DESC LIMIT $3";
    let before = before.map_or(i64::MAX, |id| id.0);
    sql.all(text, [sku.into(), before.into(), limit.into()]).await
}

/// The same, at one location or of one kind.
///
/// # Errors
/// A fault of the database.
pub async fn movements_of(
    sql: &Sql,
    sku: SkuId,
    (location, kind): (&str, &str),
    before: Option<MovementId>,
    limit: i64,
) -> Result<Vec<Movement>, Fault> {
    let text = "SELECT m.id, m.at, l.code AS location, m.kind, m.on_hand, m.allocated, m.incoming, m.quarantined, m.value, m.order_id, \
         m.reference, m.reason, m.by_actor FROM stock_movement m JOIN location l ON l.id = m.location_id WHERE m.sku_id = $1 AND m.id < $2 \
         AND ($4 = '' OR l.code = $4) AND ($5 = '' OR m.kind = $5) ORDER BY m.id DESC LIMIT $3";
    let before = before.map_or(i64::MAX, |id| id.0);
    sql.all(text, [sku.into(), before.into(), limit.into(), location.into(), kind.into()]).await
}

/// The numbers that people know orders (raw ids) by.
///
/// # Errors
/// A fault of the database.
pub async fn order_numbers(
    sql: &Sql,
    orders: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, String>, Fault> {
    #[derive(FromRow)]
    struct Numbered {
        id: i64,
        number: String,
    }
    let mut ids = Rows::new("id BIGINT");
    for id in orders.into_iter().collect::<BTreeSet<i64>>() {
        ids.push([id.into()]);
    }
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let text = "SELECT o.id, o.number FROM orders o JOIN input ON input.id = o.id";
    let found: Vec<Numbered> = sql.all_from(&ids, text, []).await?;
    Ok(found.into_iter().map(|n| (n.id, n.number)).collect())
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
