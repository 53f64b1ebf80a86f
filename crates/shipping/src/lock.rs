//! Locks of shipping, always in the same order: orders, parcels, shipments, each by id.
//!
//! Invariant: whoever decides about a label or a shipment holds its order's lock, so decisions about one order follow each other.

use crate::model::{Shipment, ShipmentId};
use crate::read;
use db::{Rows, Tx};
use kernel::Fault;
use std::collections::{BTreeSet, HashMap};
use warehouse::ParcelId;

fn ids<T: Into<db::Value> + Ord>(all: impl IntoIterator<Item = T>) -> Rows {
    let mut rows = Rows::new("id BIGINT");
    for id in all.into_iter().collect::<BTreeSet<T>>() {
        rows.push([id.into()]);
    }
    rows
}

/// Locks the orders of parcels, and the parcels.
pub(crate) async fn parcels(tx: &Tx, parcels: impl IntoIterator<Item = ParcelId>) -> Result<(), Fault> {
    let input = ids(parcels);
    let text = "SELECT o.id FROM orders o WHERE o.id IN (SELECT p.order_id FROM parcel p JOIN input ON input.id = p.id) ORDER BY o.id FOR UPDATE OF o";
    tx.lock_from(&input, text).await?;
    let text = "SELECT p.id FROM parcel p JOIN input ON input.id = p.id ORDER BY p.id FOR UPDATE OF p";
    tx.lock_from(&input, text).await
}

/// Locks the orders of shipments, and the shipments, and reads them. Unknown ids are left out.
pub(crate) async fn shipments(
    tx: &Tx,
    shipments: impl IntoIterator<Item = ShipmentId>,
) -> Result<HashMap<ShipmentId, Shipment>, Fault> {
    let input = ids(shipments);
    let text = "SELECT o.id FROM orders o WHERE o.id IN (SELECT s.order_id FROM shipment s JOIN input ON input.id = s.id) ORDER BY o.id FOR UPDATE OF o";
    tx.lock_from(&input, text).await?;
    let text = "SELECT s.id FROM shipment s JOIN input ON input.id = s.id ORDER BY s.id FOR UPDATE OF s";
    tx.lock_from(&input, text).await?;
    Ok(read::shipments(tx, &input, "s.id = input.id").await?.into_iter().map(|s| (s.id, s)).collect())
}

/// The shipment of each parcel that is not void.
pub(crate) async fn live(
    tx: &Tx,
    parcels: impl IntoIterator<Item = ParcelId>,
) -> Result<HashMap<ParcelId, Shipment>, Fault> {
    let found = read::shipments(tx, &ids(parcels), "s.parcel_id = input.id AND s.voided_at IS NULL").await?;
    Ok(found.into_iter().map(|s| (s.parcel_id, s)).collect())
}
