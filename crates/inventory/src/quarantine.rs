//! Quarantine: put stock aside, put it back, or write it off from there. Invariant: stock in quarantine is ours and worth what it was, until
//! it is written off.

use crate::events::{StockAdjusted, StockQuarantined};
use crate::ground::{Ground, MAX_UNITS, from_miss};
use crate::{LocationId, Move, MoveKind, apply};
use catalog::SkuId;
use db::Tx;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

/// What happens to the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineStep {
    /// From the shelf into quarantine.
    Enter,
    /// From quarantine back on the shelf.
    Leave,
    /// Out of quarantine and out of the books.
    WriteOff,
}

/// Moves units into or out of quarantine.
#[derive(Debug, Clone)]
pub struct Quarantine {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// How many units, at least one.
    pub quantity: i64,
    /// What happens to them.
    pub step: QuarantineStep,
    /// Why, for people and the books.
    pub reason: String,
}

kernel::refusals! {
    /// Why quarantine was not changed, in order of precedence.
    pub enum QuarantineRefused {
        BadQuantity { quantity: i64 } => Invalid, "inventory.bad_quantity", "A quantity is between 1 and 1,000,000,000 units, not {quantity}.";
        NoReason => Invalid, "inventory.no_reason", "Say why the stock changes: the books keep it.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
        Promised { sku: String, location: String, free: i64 } => Conflict, "inventory.promised", "Only {free} of {sku} at {location} are not promised to an order or a cart: take those promises back first.";
        NotThere { sku: String, location: String, quarantined: i64 } => Conflict, "inventory.not_in_quarantine", "Only {quarantined} of {sku} at {location} are in quarantine.";
    }
}
from_miss!(QuarantineRefused);

/// Moves units into or out of quarantine, in order. Events: `stock.quarantined`, and `stock.adjusted` for write-offs.
///
/// # Errors
/// A fault of the database.
pub async fn quarantine(tx: &Tx, batch: &[Quarantine]) -> Result<Vec<Result<(), QuarantineRefused>>, Fault> {
    let mut ground = Ground::lock(tx, batch.iter().map(|q| (q.sku, q.location))).await?;
    let mut moves = Vec::with_capacity(batch.len());
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&mut ground, want);
        if let Ok((on_hand, quarantined, value)) = outcome {
            let (sku, location, reason) = (want.sku, want.location, want.reason.clone());
            let bare = Move::new(want.at, MoveKind::Quarantine, sku, location);
            moves.push(Move { on_hand, quarantined, value, reason: Some(reason.clone()), ..bare });
            match want.step {
                QuarantineStep::WriteOff => {
                    let fact = StockAdjusted { sku, location, delta: quarantined, value, reason };
                    tx.record(want.at, sku, None, fact)?;
                }
                QuarantineStep::Enter | QuarantineStep::Leave => {
                    tx.record(
                        want.at,
                        sku,
                        None,
                        StockQuarantined { sku, location, quantity: quarantined, reason },
                    )?;
                }
            }
        }
        outcomes.push(outcome.map(|_| ()));
    }
    apply(tx, &moves).await?;
    Ok(outcomes)
}

/// Pure: the differences on hand, in quarantine, and in the value of our stock.
fn decide(ground: &mut Ground, want: &Quarantine) -> Result<(i64, i64, i64), QuarantineRefused> {
    if !(1..=MAX_UNITS).contains(&want.quantity) {
        return Err(QuarantineRefused::BadQuantity { quantity: want.quantity });
    }
    if want.reason.trim().is_empty() {
        return Err(QuarantineRefused::NoReason);
    }
    let owned = ground.owned(want.sku, want.location)?;
    let held = ground.held(want.sku, want.location);
    let (sku, location) = (ground.code(want.sku), ground.location_code(want.location));
    if want.step == QuarantineStep::Enter && held.loose() < want.quantity {
        return Err(QuarantineRefused::Promised { sku, location, free: held.loose() });
    }
    if want.step != QuarantineStep::Enter && held.quarantined < want.quantity {
        return Err(QuarantineRefused::NotThere { sku, location, quarantined: held.quarantined });
    }
    let (on_hand, quarantined) = match want.step {
        QuarantineStep::Enter => (-want.quantity, want.quantity),
        QuarantineStep::Leave => (want.quantity, -want.quantity),
        QuarantineStep::WriteOff => (0, -want.quantity),
    };
    let row = ground.held_mut(want.sku, want.location);
    row.on_hand += on_hand;
    row.quarantined += quarantined;
    Ok((on_hand, quarantined, ground.revalue(want.sku, owned, on_hand + quarantined)))
}
