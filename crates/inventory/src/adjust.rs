//! Adjust stock by hand. Invariant: units that are promised to somebody cannot be adjusted away.

use crate::apply::apply_noted;
use crate::events::StockAdjusted;
use crate::ground::{Ground, MAX_UNITS, from_miss};
use crate::model::MovementId;
use crate::{LocationId, Move, MoveKind};
use catalog::SkuId;
use db::Tx;
use kernel::{Fault, Timestamp};

/// Corrects the stock on hand by a difference.
#[derive(Debug, Clone)]
pub struct Adjust {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// By how many units, up or down.
    pub delta: i64,
    /// Why, for people and the books.
    pub reason: String,
}

kernel::refusals! {
    /// Why stock was not adjusted, in order of precedence.
    pub enum AdjustRefused {
        BadDelta { delta: i64 } => Invalid, "inventory.bad_delta", "Say by how many units the stock changes, up to 1,000,000,000 either way; {delta} is no such number.";
        NoReason => Invalid, "inventory.no_reason", "Say why the stock changes: the books keep it.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
        Promised { sku: String, location: String, free: i64 } => Conflict, "inventory.promised", "Only {free} of {sku} at {location} are not promised to an order or a cart: take those promises back first.";
    }
}
from_miss!(AdjustRefused);

/// Adjusts stock on hand, in order. What vanishes takes its share of the value at the moving average, what appears brings as much. Events:
/// `stock.adjusted` for each.
///
/// # Errors
/// A fault of the database.
pub async fn adjust(tx: &Tx, batch: &[Adjust]) -> Result<Vec<Result<(), AdjustRefused>>, Fault> {
    Ok(adjust_noted(tx, batch).await?.into_iter().map(|outcome| outcome.map(|_| ())).collect())
}

/// The same, with the movement of each correction.
pub(crate) async fn adjust_noted(
    tx: &Tx,
    batch: &[Adjust],
) -> Result<Vec<Result<MovementId, AdjustRefused>>, Fault> {
    let mut ground = Ground::lock(tx, batch.iter().map(|a| (a.sku, a.location))).await?;
    let mut moves = Vec::with_capacity(batch.len());
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&mut ground, want);
        if let Ok(value) = outcome {
            let bare = Move::new(want.at, MoveKind::Adjust, want.sku, want.location);
            moves.push(Move { on_hand: want.delta, value, reason: Some(want.reason.clone()), ..bare });
            let fact = StockAdjusted {
                sku: want.sku,
                location: want.location,
                delta: want.delta,
                value,
                reason: want.reason.clone(),
            };
            tx.record(want.at, want.sku, None, fact)?;
        }
        outcomes.push(outcome.map(|_| ()));
    }
    // A correction is by at least one unit, so that each has its movement.
    let mut ids = apply_noted(tx, &moves).await?.into_iter();
    let mut next = || ids.next().ok_or_else(|| Fault::broken("a correction without its movement"));
    let noted = |outcome: Result<(), AdjustRefused>| match outcome {
        Ok(()) => next().map(Ok),
        Err(refused) => Ok(Err(refused)),
    };
    outcomes.into_iter().map(noted).collect()
}

/// Pure: by how much the value of our stock changes.
fn decide(ground: &mut Ground, want: &Adjust) -> Result<i64, AdjustRefused> {
    if want.delta == 0 || !(-MAX_UNITS..=MAX_UNITS).contains(&want.delta) {
        return Err(AdjustRefused::BadDelta { delta: want.delta });
    }
    if want.reason.trim().is_empty() {
        return Err(AdjustRefused::NoReason);
    }
    let owned = ground.owned(want.sku, want.location)?;
    let free = ground.held(want.sku, want.location).loose();
    if free + want.delta < 0 {
        let (sku, location) = (ground.code(want.sku), ground.location_code(want.location));
        return Err(AdjustRefused::Promised { sku, location, free });
    }
    ground.held_mut(want.sku, want.location).on_hand += want.delta;
    Ok(ground.revalue(want.sku, owned, want.delta))
}
