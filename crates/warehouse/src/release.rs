//! Release fulfilment orders of our own locations to the floor.
//!
//! Invariant: what is on hold, cancelled or done is never released; releasing again changes nothing.

use crate::events::FulfilmentReleased;
use crate::model::{Executor, Fulfilment, FulfilmentId, Status};
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::BTreeMap;

/// Releases a fulfilment order.
#[derive(Debug, Clone)]
pub struct Release {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub fulfilment: FulfilmentId,
}

kernel::refusals! {
    /// Why a fulfilment order is not released.
    pub enum ReleaseRefused {
        UnknownFulfilment { fulfilment: FulfilmentId } => NotFound, "warehouse.unknown_fulfilment", "There is no fulfilment order {fulfilment}.";
        NotOurs { number: String } => Conflict, "warehouse.not_ours", "{number} is fulfilled by somebody else: request it from them.";
        Over { number: String } => Conflict, "warehouse.over", "{number} is cancelled or has been shipped: nothing of it is left to do.";
        OnHold { number: String } => Conflict, "warehouse.on_hold", "The order of {number} is on hold: release its holds first.";
    }
}

/// Whether it may be released; `true` when it is to be written.
fn decide_release(f: &Fulfilment) -> Result<bool, ReleaseRefused> {
    let number = || f.number.clone();
    if f.executor != Executor::Own {
        return Err(ReleaseRefused::NotOurs { number: number() });
    }
    if matches!(f.status, Status::Closed | Status::Cancelled) {
        return Err(ReleaseRefused::Over { number: number() });
    }
    if f.on_hold {
        return Err(ReleaseRefused::OnHold { number: number() });
    }
    Ok(f.released_at.is_none())
}

/// Releases fulfilment orders; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn release(tx: &Tx, batch: &[Release]) -> Result<Vec<Result<(), ReleaseRefused>>, Fault> {
    let mut floor = crate::floor::Floor::lock(tx, batch.iter().map(|r| r.fulfilment)).await?;
    let mut writes: BTreeMap<FulfilmentId, Timestamp> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for item in batch {
        let Some(f) = floor.fulfilments.get_mut(&item.fulfilment) else {
            outcomes.push(Err(ReleaseRefused::UnknownFulfilment { fulfilment: item.fulfilment }));
            continue;
        };
        outcomes.push(decide_release(f).map(|write| {
            if write {
                f.released_at = Some(item.at);
                writes.insert(f.id, item.at);
            }
        }));
    }
    let mut rows = Rows::new("id BIGINT, at BIGINT");
    for (id, at) in writes {
        let f = &floor.fulfilments[&id];
        rows.push([id.into(), at.into()]);
        let fact = FulfilmentReleased { fulfilment: id, order: f.order, location: f.location };
        tx.record(at, id, Some(f.order.0), fact)?;
    }
    let text = "UPDATE fulfilment_order AS f SET released_at = input.at, version = f.version + 1 FROM input WHERE f.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(outcomes)
}
