//! Shipments that others made: history in bulk, and suppliers who ship under their own label.
//!
//! Invariant: they end as if they had been labelled, shipped and tracked here; a cost is only told where there is one.

use crate::buy::{insert, purchased};
use crate::lock;
use crate::model::{Shipment, ShipmentId, Status};
use crate::quote::bound;
use crate::ship::hand_over;
use crate::status::Count;
use crate::track::{Track, end, insert_events};
use db::Tx;
use kernel::{Currency, Fault, Timestamp};
use std::collections::HashMap;
use warehouse::ParcelId;

/// A shipment that was made elsewhere.
#[derive(Debug, Clone)]
pub struct ShipRecorded {
    /// Its parcel, without a label of ours.
    pub parcel: ParcelId,
    /// Who carried it.
    pub carrier: String,
    /// The carrier's product.
    pub service: String,
    /// The carrier's number.
    pub tracking_number: String,
    /// When it was labelled.
    pub label_at: Timestamp,
    /// When it left.
    pub shipped_at: Timestamp,
    /// When it arrived, if it did.
    pub delivered_at: Option<Timestamp>,
    /// What it cost us, in minor units.
    pub cost: i64,
    /// Of the cost.
    pub currency: Currency,
}

/// Records shipments; their ids, in order.
///
/// # Errors
/// A fault of the database, and when a parcel does not exist, was taken apart or has a label.
pub async fn ship_recorded(tx: &Tx, batch: &[ShipRecorded]) -> Result<Vec<ShipmentId>, Fault> {
    lock::parcels(tx, batch.iter().map(|r| r.parcel)).await?;
    let live = lock::live(tx, batch.iter().map(|r| r.parcel)).await?;
    let bound = bound(tx, batch.iter().map(|r| r.parcel)).await?;
    let mut made: Vec<Shipment> = Vec::with_capacity(batch.len());
    for item in batch {
        let b = bound.get(&item.parcel).filter(|b| !b.unpacked && !live.contains_key(&item.parcel));
        let b = b.ok_or_else(|| Fault::broken(format!("{} is no parcel without label", item.parcel)))?;
        made.push(Shipment {
            id: tx.id(),
            parcel_id: item.parcel,
            order_id: b.order,
            carrier: item.carrier.clone(),
            service: item.service.clone(),
            tracking_number: item.tracking_number.clone(),
            cost: item.cost,
            currency: item.currency,
            label_at: item.label_at,
            shipped_at: Some(item.shipped_at),
            delivered_at: item.delivered_at,
            lost_at: None,
            voided_at: None,
            status: if item.delivered_at.is_some() { Status::Delivered } else { Status::Shipped },
            promised_at: None,
            version: 1,
        });
    }
    insert(tx, &made).await?;
    for s in made.iter().filter(|s| s.cost != 0) {
        tx.record(s.label_at, s.id, Some(s.order_id.0), purchased(s))?;
    }
    let leaving: Vec<(Timestamp, Shipment)> =
        made.iter().filter_map(|s| Some((s.shipped_at?, s.clone()))).collect();
    hand_over(tx, &leaving).await?;
    let arrived: Vec<Track> = made
        .iter()
        .filter_map(|s| {
            Some(Track {
                at: s.delivered_at?,
                shipment: s.id,
                source_id: "recorded".to_owned(),
                status: Status::Delivered,
                place: None,
                description: None,
            })
        })
        .collect();
    insert_events(tx, &arrived).await?;
    let ends: Vec<_> = arrived.iter().map(|t| (t.at, t.shipment, Count::Delivered)).collect();
    let ids = made.iter().map(|s| s.id).collect();
    let by_id: HashMap<ShipmentId, Shipment> = made.into_iter().map(|s| (s.id, s)).collect();
    end(tx, &by_id, &ends).await?;
    Ok(ids)
}
