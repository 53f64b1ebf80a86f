//! Control totals of a source: what its orders charge, less what was cancelled and returned, plus what its import booked outside of
//! orders. Invariant: the sum of an import's accepted rows, to the minor unit, or the import lost something.

use db::{FromQueryResult, Sql};
use kernel::{Currency, Fault};
use serde::Serialize;

/// A source in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromQueryResult)]
pub struct SourceTotal {
    /// The channel or import.
    pub source: String,
    /// Currency of the amounts.
    pub currency: Currency,
    /// Orders placed.
    pub orders: i64,
    /// What they charge, minor units.
    pub charged: i64,
    /// Share of cancelled units.
    pub cancelled: i64,
    /// Credit for returned units.
    pub returned: i64,
    /// Booked outside of orders: fees, adjustments, credits without an order.
    pub adjusted: i64,
    /// Charged − cancelled − returned + adjusted.
    pub total: i64,
}

/// The totals by source and currency; of one source when one is named.
///
/// # Errors
/// A fault of the database.
pub async fn control(sql: &Sql, source: Option<&str>) -> Result<Vec<SourceTotal>, Fault> {
    let text = "SELECT source, currency, CAST(SUM(orders) AS BIGINT) AS orders, CAST(SUM(charged) AS BIGINT) AS charged, \
        CAST(SUM(cancelled) AS BIGINT) AS cancelled, CAST(SUM(returned) AS BIGINT) AS returned, CAST(SUM(adjusted) AS BIGINT) AS adjusted, \
        CAST(SUM(charged - cancelled - returned + adjusted) AS BIGINT) AS total FROM (\
        SELECT channel AS source, currency, 1 AS orders, total AS charged, cancelled_total AS cancelled, returned_total AS returned, 0 AS adjusted FROM orders \
        UNION ALL SELECT source, currency, 0, 0, 0, 0, amount FROM import_adjustment\
        ) AS moved WHERE $1 = '' OR source = $1 GROUP BY source, currency ORDER BY source, currency";
    sql.all(text, [source.unwrap_or_default().into()]).await
}
