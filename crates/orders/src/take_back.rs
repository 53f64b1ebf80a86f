//! Take units back that were returned and accepted: the sale is undone for them, to the cent.

use crate::buckets::{self, Changes};
use crate::events::{ReturnedLine, UnitsReturned};
use crate::model::{LineId, OrderId, Parts};
use db::Tx;
use kernel::{Fault, Timestamp};
use std::collections::BTreeMap;

/// Units of a line that came back.
#[derive(Debug, Clone)]
pub struct ReturnUnits {
    /// When.
    pub at: Timestamp,
    /// Of which line.
    pub line: LineId,
    /// How many.
    pub quantity: i64,
    /// What the customer gets for them, part by part.
    pub parts: Parts,
    /// What of their cost is stock again, base currency.
    pub cost: i64,
    /// The return (raw id).
    pub return_id: i64,
}

/// Marks shipped units as returned and undoes their sale.
///
/// # Errors
/// A fault when more come back than were shipped: callers look first, under lock.
pub async fn return_units(tx: &Tx, batch: &[ReturnUnits]) -> Result<(), Fault> {
    if batch.is_empty() {
        return Ok(());
    }
    let lines = buckets::lock_lines(tx, batch.iter().map(|r| r.line)).await?;
    let base = inventory::base_currency(tx).await?;
    let mut changes = Changes::default();
    let mut told: BTreeMap<(OrderId, i64, Timestamp), (Vec<ReturnedLine>, i64)> = BTreeMap::new();
    for want in batch {
        let line =
            lines.get(&want.line).ok_or_else(|| Fault::broken(format!("no order line {}", want.line)))?;
        changes.line(line.order_id, line.id).returned += want.quantity;
        changes.money.entry(line.order_id).or_default().1 += want.parts.total();
        let entry = told.entry((line.order_id, want.return_id, want.at)).or_default();
        entry.1 += want.parts.total();
        let Parts { net, tax, shipping, shipping_tax, fee, .. } = want.parts;
        let (line, quantity, cost) = (line.id, want.quantity, want.cost);
        entry.0.push(ReturnedLine { line, quantity, net, tax, shipping, shipping_tax, fee, cost });
    }
    let headers = buckets::apply(tx, &changes).await?;
    for ((order, return_id, at), (lines, total)) in told {
        let currency = headers.get(&order).map_or(base, |h| h.currency);
        let fact = UnitsReturned { order, currency, base_currency: base, return_id, lines, total };
        tx.record(at, order, Some(order.0), fact)?;
    }
    Ok(())
}
