//! Count stock. Invariant: after a count the books say what was found, and the difference is a movement like any other.

use crate::events::{StockAdjusted, StockCounted};
use crate::ground::{Ground, MAX_UNITS, from_miss};
use crate::{LocationId, Move, MoveKind, apply};
use catalog::SkuId;
use db::Tx;
use kernel::{Fault, Timestamp};

/// Says how many units were found on the shelf.
#[derive(Debug, Clone)]
pub struct Count {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// Units found, promised ones included, without quarantine.
    pub counted: i64,
}

kernel::refusals! {
    /// Why a count was not taken, in order of precedence.
    pub enum CountRefused {
        BadCount { counted: i64 } => Invalid, "inventory.bad_count", "A count is between 0 and 1,000,000,000 units, not {counted}.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
        FewerThanPromised { sku: String, location: String, allocated: i64 } => Conflict, "inventory.fewer_than_promised", "{allocated} of {sku} at {location} are promised to orders and carts, more than were found: take promises back first (short pick).";
    }
}
from_miss!(CountRefused);

/// Takes counts, in order; the difference of each to what the books said. Events: `stock.counted` for each, and `stock.adjusted` where there
/// was a difference.
///
/// # Errors
/// A fault of the database.
pub async fn count(tx: &Tx, batch: &[Count]) -> Result<Vec<Result<i64, CountRefused>>, Fault> {
    let mut ground = Ground::lock(tx, batch.iter().map(|c| (c.sku, c.location))).await?;
    let mut moves = Vec::with_capacity(batch.len());
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&mut ground, want);
        if let Ok((delta, value)) = outcome {
            let (sku, location) = (want.sku, want.location);
            tx.record(want.at, sku, None, StockCounted { sku, location, counted: want.counted, delta })?;
            if delta != 0 {
                moves.push(Move {
                    on_hand: delta,
                    value,
                    ..Move::new(want.at, MoveKind::Count, sku, location)
                });
                tx.record(
                    want.at,
                    sku,
                    None,
                    StockAdjusted { sku, location, delta, value, reason: "count".into() },
                )?;
            }
        }
        outcomes.push(outcome.map(|(delta, _)| delta));
    }
    apply(tx, &moves).await?;
    Ok(outcomes)
}

/// Pure: the difference in units, and in the value of our stock.
fn decide(ground: &mut Ground, want: &Count) -> Result<(i64, i64), CountRefused> {
    if !(0..=MAX_UNITS).contains(&want.counted) {
        return Err(CountRefused::BadCount { counted: want.counted });
    }
    let owned = ground.owned(want.sku, want.location)?;
    let held = ground.held(want.sku, want.location);
    if want.counted < held.allocated {
        let (sku, location) = (ground.code(want.sku), ground.location_code(want.location));
        return Err(CountRefused::FewerThanPromised { sku, location, allocated: held.allocated });
    }
    let delta = want.counted - held.on_hand;
    ground.held_mut(want.sku, want.location).on_hand = want.counted;
    Ok((delta, ground.revalue(want.sku, owned, delta)))
}
