//! What of an order its customer may ask back now, and what each unit gives: for those who fill in a return.
//!
//! Invariant: it says what [`crate::request`] would say, from the same facts; the command decides again under its locks.

use crate::credit::{unit_credit, with_shipping};
use crate::load;
use crate::model::Reason;
use crate::policy::Policy;
use db::Sql;
use kernel::{Fault, Timestamp};
use orders::{LineRow, OrderId};

/// A line, and what of it may come back.
#[derive(Debug, Clone)]
pub struct Returnable {
    /// The line.
    pub line: LineRow,
    /// The numbers of the units that may be asked back, lowest first.
    pub units: Vec<i64>,
    /// When its last unit arrived.
    pub delivered: Option<Timestamp>,
    /// Whether the window of the policy is open.
    pub in_window: bool,
}

impl Returnable {
    /// What the next `quantity` units give when they come back for a reason; minor units of the order's currency.
    pub fn credit(&self, policy: &Policy, quantity: i64, reason: Reason) -> i64 {
        let shipping = with_shipping(policy, false, reason);
        let units = self.units.iter().take(usize::try_from(quantity).unwrap_or(0));
        units.map(|unit| unit_credit(&self.line, *unit, shipping).total()).sum()
    }
}

/// The lines of an order that have shipped, with what may come back of each.
///
/// # Errors
/// A fault of the database.
pub async fn of_order(
    sql: &Sql,
    order: OrderId,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Returnable>, Fault> {
    let lines = orders::read::lines_of(sql, &[order]).await?.remove(&order).unwrap_or_default();
    let taken = load::taken_units(sql, &[order]).await?;
    let delivered = load::deliveries(sql, &[order]).await?;
    let shipped = lines.into_iter().filter(|l| l.shipped > 0);
    Ok(shipped
        .map(|line| {
            let gone = taken.get(&line.id).map(Vec::as_slice).unwrap_or_default();
            let free = (line.shipped - line.lost - gone.len() as i64).max(0);
            let units = crate::request::free_units(gone, line.shipped, free);
            let delivered = delivered.get(&line.id).copied();
            Returnable { units, delivered, in_window: policy.in_window(delivered, now), line }
        })
        .collect())
}
