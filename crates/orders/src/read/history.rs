//! What a customer did before, for those who decide about an order of theirs. By the index of their orders: it costs what they ordered.

use crate::model::{LineId, OrderId};
use customers::CustomerId;
use db::{FromRow, Sql};
use kernel::{Currency, Fault, Timestamp};

/// What a customer did so far, in a currency.
#[derive(Debug, Clone, FromRow)]
pub struct HistoryRow {
    /// Of the amounts.
    pub currency: Currency,
    /// Orders.
    pub orders: i64,
    /// Of them cancelled whole.
    pub cancelled: i64,
    /// Of them disputed.
    pub disputed: i64,
    /// Since when.
    pub first_at: Timestamp,
    /// The last one.
    pub last_at: Timestamp,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// Units shipped.
    pub units_shipped: i64,
    /// Of them come back.
    pub units_returned: i64,
}

/// What a customer did so far, by currency.
///
/// # Errors
/// A fault of the database.
pub async fn history(sql: &Sql, customer: CustomerId) -> Result<Vec<HistoryRow>, Fault> {
    let text = "SELECT o.currency, COUNT(*) AS orders, CAST(SUM(CASE WHEN o.fulfilment_status = 'cancelled' THEN 1 ELSE 0 END) AS BIGINT) AS cancelled, \
         CAST(SUM(CASE WHEN o.disputed > 0 THEN 1 ELSE 0 END) AS BIGINT) AS disputed, MIN(o.placed_at) AS first_at, MAX(o.placed_at) AS last_at, \
         CAST(SUM(o.captured) AS BIGINT) AS captured, CAST(SUM(o.refunded) AS BIGINT) AS refunded, \
         CAST(SUM(o.units_shipped) AS BIGINT) AS units_shipped, CAST(SUM(o.units_returned) AS BIGINT) AS units_returned \
         FROM orders o WHERE o.customer_id = $1 GROUP BY o.currency ORDER BY o.currency";
    sql.all(text, [customer.into()]).await
}

/// The addresses that the newest orders of a customer went to, the newest first, each once: JSON as it is stored.
///
/// # Errors
/// A fault of the database.
pub async fn addresses(sql: &Sql, customer: CustomerId) -> Result<Vec<String>, Fault> {
    let text = "SELECT o.ship_to FROM orders o WHERE o.customer_id = $1 ORDER BY o.placed_at DESC LIMIT 50";
    let mut all: Vec<String> = sql.column(text, [customer.into()]).await?;
    let mut seen = std::collections::HashSet::new();
    all.retain(|address| seen.insert(address.clone()));
    Ok(all)
}

/// Units of a line promised at a location.
#[derive(Debug, Clone, FromRow)]
pub struct PromisedRow {
    /// The line.
    pub line_id: LineId,
    /// The location's name.
    pub location: String,
    /// Units that have not left.
    pub quantity: i64,
}

/// Where the units of an order are promised.
///
/// # Errors
/// A fault of the database.
pub async fn promised(sql: &Sql, order: OrderId) -> Result<Vec<PromisedRow>, Fault> {
    let text = "SELECT a.line_id, l.name AS location, a.quantity FROM allocation a JOIN location l ON l.id = a.location_id \
                WHERE a.order_id = $1 AND a.quantity > 0 ORDER BY a.line_id, l.name";
    sql.all(text, [order.into()]).await
}

/// An order that waits for somebody.
#[derive(Debug, Clone, FromRow)]
pub struct WaitingRow {
    /// The order.
    pub order_id: OrderId,
    /// Name of the hold.
    pub kind: String,
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// Where the queue goes on: after this moment and order.
pub type After = (Timestamp, OrderId);

/// The holds of some kinds, oldest first, after a given one.
///
/// # Errors
/// A fault of the database.
pub async fn waiting(
    sql: &Sql,
    kinds: &[&str],
    after: Option<After>,
    limit: i64,
) -> Result<Vec<WaitingRow>, Fault> {
    let (at, order) = after.map_or((i64::MIN, i64::MIN), |(at, order)| (at.0, order.0));
    // One walk of the index for each kind, each no longer than the page.
    let one = |i: usize| {
        format!(
            "SELECT order_id, kind, reason, at FROM (SELECT h.order_id, h.kind, h.reason, h.at FROM order_hold h JOIN orders o ON o.id = h.order_id WHERE h.kind = ${} \
             AND o.units > o.units_cancelled + o.units_shipped AND (h.at, h.order_id) > ($1, $2) ORDER BY h.at, h.order_id LIMIT $3) w{i}",
            i + 4
        )
    };
    let parts: Vec<String> = (0..kinds.len()).map(one).collect();
    let text = format!("{} ORDER BY at, order_id LIMIT $3", parts.join(" UNION ALL "));
    let mut values: Vec<db::Value> = vec![at.into(), order.into(), limit.into()];
    values.extend(kinds.iter().map(|k| db::Value::from(*k)));
    sql.all(&text, values).await
}

/// How many orders wait, by the kind of hold.
///
/// # Errors
/// A fault of the database.
pub async fn waiting_counts(sql: &Sql) -> Result<Vec<(String, i64)>, Fault> {
    #[derive(FromRow)]
    struct Count {
        kind: String,
        orders: i64,
    }
    let text = "SELECT h.kind, COUNT(*) AS orders FROM order_hold h JOIN orders o ON o.id = h.order_id \
                WHERE o.units > o.units_cancelled + o.units_shipped GROUP BY h.kind ORDER BY h.kind";
    Ok(sql.all::<Count>(text, []).await?.into_iter().map(|c| (c.kind, c.orders)).collect())
}
