//! Say where on the shelves a SKU lies. Invariant: a bin is where people look; it changes no counter and promises nothing.

use crate::LocationId;
use crate::events::BinSet;
use crate::ground::{Ground, from_miss};
use catalog::SkuId;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::BTreeMap;

/// Sets the bin of a SKU at a location.
#[derive(Debug, Clone)]
pub struct SetBin {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// The bin as its label says it; none when it has no place of its own.
    pub bin: Option<String>,
}

kernel::refusals! {
    /// Why a bin was not set, in order of precedence.
    pub enum BinRefused {
        BadBin { bin: String } => Invalid, "inventory.bad_bin", "A bin has at most 32 printable characters; “{bin}” has not.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
    }
}
from_miss!(BinRefused);

fn decide(ground: &Ground, want: &SetBin) -> Result<Option<String>, BinRefused> {
    let bin = want.bin.as_deref().map(str::trim).filter(|b| !b.is_empty());
    if let Some(bin) = bin.filter(|b| b.chars().count() > 32 || b.chars().any(char::is_control)) {
        return Err(BinRefused::BadBin { bin: bin.to_owned() });
    }
    ground.owned(want.sku, want.location)?;
    Ok(bin.map(str::to_owned))
}

/// Sets bins, in order; of a repeated place the last counts. Events: `stock.bin_set` for each.
///
/// # Errors
/// A fault of the database.
pub async fn set_bins(tx: &Tx, batch: &[SetBin]) -> Result<Vec<Result<(), BinRefused>>, Fault> {
    let ground = Ground::lock(tx, batch.iter().map(|s| (s.sku, s.location))).await?;
    let mut wanted = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&ground, want);
        if let Ok(bin) = &outcome {
            wanted.insert((want.sku, want.location), bin.clone());
            tx.record(
                want.at,
                want.sku,
                None,
                BinSet { sku: want.sku, location: want.location, bin: bin.clone() },
            )?;
        }
        outcomes.push(outcome.map(|_| ()));
    }
    let mut rows = Rows::new("sku_id BIGINT, location_id BIGINT, bin TEXT?");
    for ((sku, location), bin) in wanted {
        rows.push([sku.into(), location.into(), bin.into()]);
    }
    let text = "INSERT INTO stock (sku_id, location_id, bin) SELECT sku_id, location_id, bin FROM input WHERE TRUE \
         ON CONFLICT (sku_id, location_id) DO UPDATE SET bin = excluded.bin";
    tx.exec_from(&rows, text, []).await?;
    Ok(outcomes)
}
