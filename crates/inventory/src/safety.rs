//! Set safety stocks. Invariant: a safety stock changes what can be promised from now on, never what was promised.

use crate::LocationId;
use crate::events::SafetySet;
use crate::ground::{Ground, Held, MAX_UNITS, Place, from_miss};
use catalog::SkuId;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::BTreeMap;

/// Sets what is kept back at a place; `None` leaves that one as it is.
#[derive(Debug, Clone)]
pub struct SetSafety {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// Units that sourcing leaves on the shelf.
    pub safety: Option<i64>,
    /// Units that channels are not told of.
    pub channel_safety: Option<i64>,
}

kernel::refusals! {
    /// Why a safety stock was not set, in order of precedence.
    pub enum SafetyRefused {
        BadSafety { units: i64 } => Invalid, "inventory.bad_safety", "A safety stock is between 0 and 1,000,000,000 units, not {units}.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
    }
}
from_miss!(SafetyRefused);

/// Sets safety stocks, in order. Events: `stock.safety_set` for each that changes something.
///
/// # Errors
/// A fault of the database.
pub async fn set_safety(tx: &Tx, batch: &[SetSafety]) -> Result<Vec<Result<(), SafetyRefused>>, Fault> {
    let mut ground = Ground::lock(tx, batch.iter().map(|s| (s.sku, s.location))).await?;
    let mut changed: BTreeMap<Place, Held> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let before = ground.held(want.sku, want.location);
        let outcome = decide(&mut ground, want);
        if let Ok(after) = outcome
            && after != before
        {
            changed.insert((want.sku, want.location), after);
            let (safety, channel_safety) = (after.safety, after.channel_safety);
            tx.record(
                want.at,
                want.sku,
                None,
                SafetySet { sku: want.sku, location: want.location, safety, channel_safety },
            )?;
        }
        outcomes.push(outcome.map(|_| ()));
    }
    let mut rows = Rows::new("sku_id BIGINT, location_id BIGINT, safety BIGINT, channel_safety BIGINT");
    for ((sku, location), held) in changed {
        rows.push([sku.into(), location.into(), held.safety.into(), held.channel_safety.into()]);
    }
    let text = "INSERT INTO stock (sku_id, location_id, safety, channel_safety) SELECT sku_id, location_id, safety, channel_safety \
         FROM input WHERE TRUE ON CONFLICT (sku_id, location_id) DO UPDATE \
         SET safety = excluded.safety, channel_safety = excluded.channel_safety";
    tx.exec_from(&rows, text, []).await?;
    Ok(outcomes)
}

/// Pure: the row afterwards.
fn decide(ground: &mut Ground, want: &SetSafety) -> Result<Held, SafetyRefused> {
    if let Some(units) =
        [want.safety, want.channel_safety].into_iter().flatten().find(|n| !(0..=MAX_UNITS).contains(n))
    {
        return Err(SafetyRefused::BadSafety { units });
    }
    ground.owned(want.sku, want.location)?;
    let held = ground.held_mut(want.sku, want.location);
    held.safety = want.safety.unwrap_or(held.safety);
    held.channel_safety = want.channel_safety.unwrap_or(held.channel_safety);
    Ok(*held)
}
