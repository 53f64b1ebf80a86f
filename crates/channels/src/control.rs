//! Control totals of a source: what its orders charge, less what was cancelled and returned, plus what its import booked outside of
//! orders. Invariant: it is read from the database alone, so it proves the import and not the file.

use db::{FromRow, Sql};
use kernel::{Currency, Fault};
use serde::Serialize;

/// A source in one currency; amounts in its minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Control {
    /// The channel or import.
    pub source: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Orders placed.
    pub orders: i64,
    /// What they charge.
    pub charged: i64,
    /// Of it, of cancelled units.
    pub cancelled: i64,
    /// Credit for returned units.
    pub returned: i64,
    /// Booked outside of orders: fees, adjustments, credits without an order.
    pub adjusted: i64,
    /// charged − cancelled − returned + adjusted.
    pub total_minor: i64,
}

/// The control totals, one per source and currency; of one source when one is named.
///
/// # Errors
/// A fault of the database.
pub async fn control(sql: &Sql, source: Option<&str>) -> Result<Vec<Control>, Fault> {
    let text = "SELECT source, currency, CAST(SUM(orders) AS BIGINT) AS orders, CAST(SUM(charged) AS BIGINT) AS charged, \
        CAST(SUM(cancelled) AS BIGINT) AS cancelled, CAST(SUM(returned) AS BIGINT) AS returned, CAST(SUM(adjusted) AS BIGINT) AS adjusted, \
        CAST(SUM(charged - cancelled - returned + adjusted) AS BIGINT) AS total_minor FROM ( \
        SELECT channel AS source, currency, 1 AS orders, total AS charged, cancelled_total AS cancelled, returned_total AS returned, 0 AS adjusted \
        FROM orders WHERE $1 = '' OR channel = $1 \
        UNION ALL SELECT source, currency, 0, 0, 0, 0, amount FROM import_adjustment WHERE $1 = '' OR source = $1) AS moved \
        GROUP BY source, currency ORDER BY source, currency";
    sql.all(text, [source.unwrap_or_default().into()]).await
}
