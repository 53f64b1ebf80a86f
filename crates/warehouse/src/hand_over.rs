//! Hand parcels over to a carrier: their units are shipped.
//!
//! Invariant: a parcel is handed over once; whoever calls keeps that (a shipment has one time of shipping).

use crate::floor::Delta;
use crate::model::ParcelId;
use crate::pack::lock_parcels;
use db::Tx;
use kernel::{Fault, Timestamp};

/// A parcel leaves.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub parcel: ParcelId,
}

/// Ships the units of parcels: the counters here, the order's units and the stock.
///
/// # Errors
/// A fault of the database, and when a parcel does not exist or was taken apart.
pub async fn hand_over(tx: &Tx, batch: &[HandOver]) -> Result<(), Fault> {
    let ids: Vec<ParcelId> = batch.iter().map(|h| h.parcel).collect();
    let (mut floor, parcels) = lock_parcels(tx, &ids).await?;
    for item in batch {
        let parcel = parcels.get(&item.parcel).filter(|p| p.unpacked_at.is_none());
        let parcel = parcel
            .ok_or_else(|| Fault::broken(format!("there is no parcel {} to hand over", item.parcel)))?;
        for line in &parcel.lines {
            let delta = Delta { shipped: line.quantity, ..Delta::default() };
            floor.shift(item.at, parcel.fulfilment, line.fulfilment_line, delta);
        }
    }
    floor.save(tx).await
}
