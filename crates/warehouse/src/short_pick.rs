//! Short pick: the shelf has less than the books say. And putting back what was picked.
//!
//! Invariant: missing units leave stock and fulfilment order in the same transaction in which they are sourced elsewhere or wait.

use crate::events::{FulfilmentShortPicked, FulfilmentUnpicked, Units};
use crate::floor::{Delta, Floor};
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

/// Picked units of a line go back to the shelf.
#[derive(Debug, Clone)]
pub struct Unpick {
    /// When.
    pub at: Timestamp,
    /// The fulfilment order.
    pub fulfilment: FulfilmentId,
    /// Its line.
    pub line: FulfilmentLineId,
    /// How many.
    pub quantity: i64,
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

kernel::refusals! {
    /// Why picked units are not put back.
    pub enum UnpickRefused {
        UnknownFulfilment { fulfilment: FulfilmentId } => NotFound, "warehouse.unknown_fulfilment", "There is no fulfilment order {fulfilment}.";
        UnknownLine { line: FulfilmentLineId } => NotFound, "warehouse.unknown_line", "This fulfilment order has no line {line}.";
        NotPositive => Invalid, "warehouse.quantity", "The quantity must be at least 1.";
        NotPicked { loose: i64 } => Conflict, "warehouse.not_picked", "Only {loose} of it are picked and not packed.";
    }
}

/// Puts picked units back; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn unpick(tx: &Tx, batch: &[Unpick]) -> Result<Vec<Result<(), UnpickRefused>>, Fault> {
    let mut floor = Floor::lock(tx, batch.iter().map(|u| u.fulfilment)).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for item in batch {
        let outcome = decide_unpick(&floor, item);
        if outcome.is_ok() {
            floor.shift(
                item.at,
                item.fulfilment,
                item.line,
                Delta { picked: -item.quantity, ..Delta::default() },
            );
            let f = &floor.fulfilments[&item.fulfilment];
            let line = f.lines.iter().find(|l| l.id == item.line);
            let lines = line.map(|l| Units { line: l.line, quantity: item.quantity }).into_iter().collect();
            let fact = FulfilmentUnpicked { fulfilment: f.id, order: f.order, lines };
            tx.record(item.at, f.id, Some(f.order.0), fact)?;
        }
        outcomes.push(outcome);
    }
    floor.save(tx).await?;
    Ok(outcomes)
}

fn decide_unpick(floor: &Floor, item: &Unpick) -> Result<(), UnpickRefused> {
    let unknown = UnpickRefused::UnknownFulfilment { fulfilment: item.fulfilment };
    let f = floor.fulfilments.get(&item.fulfilment).ok_or(unknown)?;
    let unknown = UnpickRefused::UnknownLine { line: item.line };
    let line = f.lines.iter().find(|l| l.id == item.line).ok_or(unknown)?;
    if item.quantity < 1 {
        return Err(UnpickRefused::NotPositive);
    }
    if item.quantity > line.loose() {
        return Err(UnpickRefused::NotPicked { loose: line.loose() });
    }
    Ok(())
}
