//! Short pick: the shelf has less than the books say.
//!
//! Invariant: missing units leave stock and fulfilment order in the same transaction in which they are sourced elsewhere or wait.

use crate::events::FulfilmentShortPicked;
use crate::floor::Floor;
use crate::model::{FulfilmentId, FulfilmentLineId};
use crate::pick::{PickRefused, decide_may_pick};
use db::Tx;
use kernel::{Fault, Timestamp};
use orders::Resource;

/// Units of a line are not where they should be.
#[derive(Debug, Clone)]
pub struct ShortPick {
    /// When.
    pub at: Timestamp,
    /// The fulfilment order.
    pub fulfilment: FulfilmentId,
    /// Its line.
    pub line: FulfilmentLineId,
    /// How many are missing.
    pub quantity: i64,
    /// Why, as `shelf empty` or `damaged`.
    pub reason: String,
}

/// Takes the missing units out and sources them again, at other locations or as backorder; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn short_pick(tx: &Tx, batch: &[ShortPick]) -> Result<Vec<Result<(), PickRefused>>, Fault> {
    let mut floor = Floor::lock(tx, batch.iter().map(|s| s.fulfilment)).await?;
    let (mut outcomes, mut missing) = (Vec::with_capacity(batch.len()), Vec::new());
    for item in batch {
        let outcome = decide_short(&floor, item);
        if outcome.is_ok()
            && let Some(f) = floor.fulfilments.get_mut(&item.fulfilment)
            && let Some(line) = f.lines.iter_mut().find(|l| l.id == item.line)
        {
            // Only in memory, for the items that follow: the counters are written by what follows from the order's own fact.
            line.cancelled += item.quantity;
            f.cancelled += item.quantity;
            let fact = FulfilmentShortPicked {
                fulfilment: f.id,
                order: f.order,
                location: f.location,
                line: line.line,
                quantity: item.quantity,
                reason: item.reason.clone(),
            };
            tx.record(item.at, f.id, Some(f.order.0), fact)?;
            missing.push(Resource {
                at: item.at,
                line: line.line,
                location: f.location,
                quantity: item.quantity,
                write_off: true,
                reason: format!("short pick of {}: {}", f.number, item.reason),
            });
        }
        outcomes.push(outcome);
    }
    if !missing.is_empty() {
        orders::resource(tx, &missing).await?;
    }
    Ok(outcomes)
}

fn decide_short(floor: &Floor, item: &ShortPick) -> Result<(), PickRefused> {
    let unknown = PickRefused::UnknownFulfilment { fulfilment: item.fulfilment };
    let f = floor.fulfilments.get(&item.fulfilment).ok_or(unknown)?;
    let unknown = PickRefused::UnknownLine { line: item.line };
    let line = f.lines.iter().find(|l| l.id == item.line).ok_or(unknown)?;
    decide_may_pick(f)?;
    if item.quantity < 1 {
        return Err(PickRefused::NotPositive);
    }
    if item.quantity > line.open() {
        return Err(PickRefused::OverPick { left: line.open() });
    }
    Ok(())
}
