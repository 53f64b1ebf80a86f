//! Take parcels apart. Here, because only shipping knows which parcels have a label.
//!
//! Invariant: a parcel with a label that is not void stays as it is.

use crate::lock;
use db::Tx;
use kernel::Fault;
use std::collections::HashMap;
use warehouse::{ParcelId, Unpack, UnpackRefused};

kernel::refusals! {
    /// Why a parcel is not taken apart.
    pub enum TakeApartRefused {
        UnknownParcel { parcel: ParcelId } => NotFound, "shipping.unknown_parcel", "There is no parcel {parcel}.";
        Unpacked { parcel: ParcelId } => Conflict, "shipping.unpacked", "{parcel} was taken apart.";
        HasLabel { parcel: ParcelId, tracking_number: String } => Conflict, "shipping.has_label", "{parcel} has the label {tracking_number}: void it first.";
    }
}

/// Takes parcels without label apart; one outcome each, in order. Their units are picked again.
///
/// # Errors
/// A fault of the database.
pub async fn unpack(tx: &Tx, batch: &[Unpack]) -> Result<Vec<Result<(), TakeApartRefused>>, Fault> {
    lock::parcels(tx, batch.iter().map(|u| u.parcel)).await?;
    let live = lock::live(tx, batch.iter().map(|u| u.parcel)).await?;
    let free: Vec<Unpack> = batch.iter().filter(|u| !live.contains_key(&u.parcel)).cloned().collect();
    let mut done: HashMap<ParcelId, Vec<Result<(), UnpackRefused>>> = HashMap::new();
    for (item, outcome) in free.iter().zip(warehouse::unpack(tx, &free).await?) {
        done.entry(item.parcel).or_default().insert(0, outcome);
    }
    Ok(batch
        .iter()
        .map(|item| {
            let parcel = item.parcel;
            if let Some(shipment) = live.get(&parcel) {
                return Err(TakeApartRefused::HasLabel {
                    parcel,
                    tracking_number: shipment.tracking_number.clone(),
                });
            }
            match done.get_mut(&parcel).and_then(Vec::pop) {
                Some(Ok(())) => Ok(()),
                Some(Err(UnpackRefused::Unpacked { .. })) => Err(TakeApartRefused::Unpacked { parcel }),
                Some(Err(UnpackRefused::UnknownParcel { .. })) | None => {
                    Err(TakeApartRefused::UnknownParcel { parcel })
                }
            }
        })
        .collect())
}
