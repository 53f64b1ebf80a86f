//! The figures of a day: what came in, and what waits for people. Invariant: each figure is read from an index that holds all it needs, over
//! the day or over what is open; how many orders there have ever been makes no difference.

use db::{FromRow, Sql};
use kernel::{Currency, Fault, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// The figures of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Today {
    /// The beginning of the day.
    pub from: Timestamp,
    /// Its end, or now.
    pub until: Timestamp,
    /// Orders placed in it.
    pub orders: i64,
    /// What they come to, without those that were cancelled whole.
    pub revenue: Vec<Revenue>,
    /// Reasons to wait that somebody has to look at, now.
    pub holds: Vec<Holds>,
    /// Parcels that are on their way past the day they were promised for, now.
    pub late_shipments: i64,
    /// SKUs that orders wait for, now.
    pub stock_outs: i64,
    /// Returns asked for in the day.
    pub returns: i64,
}

/// What the orders of a day come to in a currency, tax and shipping included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Revenue {
    /// Of the amount.
    #[schema(value_type = String)]
    pub currency: Currency,
    /// How many orders.
    pub orders: i64,
    /// Minor units.
    pub amount: i64,
}

/// How many orders wait for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, FromRow)]
pub struct Holds {
    /// The kind of hold, as `risk_review`.
    pub kind: String,
    /// How many orders.
    pub orders: i64,
}

#[derive(FromRow)]
struct Sum {
    currency: Currency,
    orders: i64,
    amount: i64,
}

#[derive(FromRow)]
struct Counts {
    late: i64,
    waiting: i64,
    returns: i64,
}

/// The figures from `from` until `until`; what is open is as of now.
///
/// # Errors
/// A fault of the database.
pub async fn today(sql: &Sql, from: Timestamp, until: Timestamp, now: Timestamp) -> Result<Today, Fault> {
    // What was cancelled is taken off afterwards, from an index of its own: the index of orders by time does not know it.
    let placed = "SELECT currency, CAST(SUM(orders) AS BIGINT) AS orders, CAST(SUM(amount) AS BIGINT) AS amount FROM (\
                  SELECT currency, COUNT(*) AS orders, SUM(total) AS amount FROM orders \
                  WHERE placed_at >= $1 AND placed_at < $2 GROUP BY currency \
                  UNION ALL SELECT currency, 0 AS orders, -SUM(total) AS amount FROM orders \
                  WHERE fulfilment_status = 'cancelled' AND placed_at >= $1 AND placed_at < $2 GROUP BY currency\
                  ) AS sold GROUP BY currency ORDER BY currency";
    let sums: Vec<Sum> = sql.all(placed, [from.into(), until.into()]).await?;
    // Those that wait for their payment end by themselves, and what is shipped or cancelled waits for nobody.
    let held = "SELECT h.kind, COUNT(*) AS orders FROM order_hold h JOIN orders o ON o.id = h.order_id \
                WHERE h.kind <> 'payment_due' AND o.units > o.units_cancelled + o.units_shipped GROUP BY h.kind ORDER BY h.kind";
    let counts = "SELECT (SELECT COUNT(*) FROM shipment WHERE promised_at < $3 AND status IN \
                  ('label_purchased', 'shipped', 'in_transit', 'out_for_delivery', 'available_for_pickup', 'attempt_failed', 'exception')) AS late, \
                  (SELECT COUNT(DISTINCT sku_id) FROM order_line WHERE backordered > 0) AS waiting, \
                  (SELECT COUNT(*) FROM return_request WHERE requested_at >= $1 AND requested_at < $2) AS returns";
    let counts: Option<Counts> = sql.one(counts, [from.into(), until.into(), now.into()]).await?;
    let counts = counts.ok_or_else(|| Fault::broken("the figures of the day have no row"))?;
    Ok(Today {
        from,
        until,
        orders: sums.iter().map(|s| s.orders).sum(),
        revenue: sums
            .into_iter()
            .map(|s| Revenue { currency: s.currency, orders: s.orders, amount: s.amount })
            .collect(),
        holds: sql.all(held, []).await?,
        late_shipments: counts.late,
        stock_outs: counts.waiting,
        returns: counts.returns,
    })
}
