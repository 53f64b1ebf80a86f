//! History in bulk: what was fulfilled long ago becomes picked and packed, one parcel per fulfilment order, in a handful of statements.
//!
//! Invariant: the counters end as if it had been released (or requested and accepted), picked and packed one by one; the log tells it
//! as one fact, the parcel.

use crate::floor::Floor;
use crate::model::{FulfilmentId, ParcelId};
use crate::pack::{Pack, Parcels, everything, weight_of, weights};
use crate::progress;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};

/// A fulfilment order that was packed.
#[derive(Debug, Clone)]
pub struct FulfilRecorded {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub fulfilment: FulfilmentId,
}

/// Packs whole fulfilment orders, ours and those of others; one parcel each, in order.
///
/// # Errors
/// A fault of the database, and when a fulfilment order does not exist or has nothing left to pack.
pub async fn fulfil_recorded(tx: &Tx, batch: &[FulfilRecorded]) -> Result<Vec<ParcelId>, Fault> {
    let mut floor = Floor::lock(tx, batch.iter().map(|f| f.fulfilment)).await?;
    let skus = weights(tx, &floor).await?;
    let mut begun = Rows::new("id BIGINT, at BIGINT");
    let (mut parcels, mut ids) = (Parcels::new(), Vec::with_capacity(batch.len()));
    for item in batch {
        let f = floor.fulfilments.get(&item.fulfilment);
        let f =
            f.ok_or_else(|| Fault::broken(format!("there is no fulfilment order {}", item.fulfilment)))?;
        let content = everything(f);
        if content.is_empty() {
            return Err(Fault::broken(format!("nothing of {} is left to pack", f.number)));
        }
        begun.push([f.id.into(), item.at.into()]);
        let grams = weight_of(f, &skus);
        let by = tx.actor().clone();
        let pack = Pack { at: item.at, fulfilment: f.id, lines: Vec::new(), weight_g: None, dims: None, by };
        ids.push(parcels.add(tx, &mut floor, &pack, &content, grams)?);
    }
    let text = "UPDATE fulfilment_order AS f SET released_at = CASE WHEN f.executor = 'own' THEN COALESCE(f.released_at, input.at) ELSE f.released_at END, \
         request = CASE WHEN f.executor = 'own' THEN f.request ELSE 'accepted' END FROM input WHERE f.id = input.id";
    tx.exec_from(&begun, text, []).await?;
    floor.save(tx).await?;
    parcels.save(tx).await?;
    let touched: Vec<_> = floor.fulfilments.values().flat_map(|f| f.lines.iter().map(|l| l.id)).collect();
    progress::trim(tx, touched).await?;
    Ok(ids)
}
