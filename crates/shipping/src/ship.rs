//! Hand parcels to the carrier.
//!
//! Invariants: a shipment ships once, with a label, and not while its order is on hold; what is handed over is shipped in the warehouse,
//! in the order and in stock in the same transaction.

use crate::events::ShipmentShipped;
use crate::lock;
use crate::model::{Shipment, ShipmentId, Status};
use crate::quote::{Bound, bound};
use crate::status::fold;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use warehouse::HandOver;

/// Hands a parcel over.
#[derive(Debug, Clone)]
pub struct Ship {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub shipment: ShipmentId,
}

kernel::refusals! {
    /// Why a parcel is not handed over.
    pub enum ShipRefused {
        UnknownShipment { shipment: ShipmentId } => NotFound, "shipping.unknown_shipment", "There is no shipment {shipment}.";
        Voided { shipment: ShipmentId } => Conflict, "shipping.voided", "The label of {shipment} is void.";
        NoLabel { shipment: ShipmentId } => Conflict, "shipping.no_label", "The label of {shipment} is still being bought.";
        Shipped { shipment: ShipmentId } => Conflict, "shipping.shipped", "{shipment} has left already.";
        OnHold { order: String } => Conflict, "shipping.on_hold", "Order {order} is on hold: release its holds first.";
    }
}

fn decide_ship(s: &Shipment, bound: Option<&Bound>) -> Result<(), ShipRefused> {
    let shipment = s.id;
    if s.voided_at.is_some() {
        return Err(ShipRefused::Voided { shipment });
    }
    if s.status == Status::Draft {
        return Err(ShipRefused::NoLabel { shipment });
    }
    if s.shipped_at.is_some() {
        return Err(ShipRefused::Shipped { shipment });
    }
    match bound.filter(|b| b.on_hold) {
        Some(b) => Err(ShipRefused::OnHold { order: b.consignment.reference.clone() }),
        None => Ok(()),
    }
}

/// Ships; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn ship(tx: &Tx, batch: &[Ship]) -> Result<Vec<Result<(), ShipRefused>>, Fault> {
    let mut shipments = lock::shipments(tx, batch.iter().map(|s| s.shipment)).await?;
    let bound = bound(tx, shipments.values().map(|s| s.parcel_id)).await?;
    let (mut outcomes, mut leaving) = (Vec::with_capacity(batch.len()), Vec::new());
    for item in batch {
        let Some(s) = shipments.get_mut(&item.shipment) else {
            outcomes.push(Err(ShipRefused::UnknownShipment { shipment: item.shipment }));
            continue;
        };
        outcomes.push(decide_ship(s, bound.get(&s.parcel_id)).map(|()| {
            s.shipped_at = Some(item.at);
            s.status = fold(s.status, Status::Shipped);
            leaving.push((item.at, s.clone()));
        }));
    }
    hand_over(tx, &leaving).await?;
    let mut rows = Rows::new("id BIGINT, at BIGINT, status TEXT");
    for (at, s) in &leaving {
        rows.push([s.id.into(), (*at).into(), s.status.as_str().into()]);
    }
    let text = "UPDATE shipment AS s SET shipped_at = input.at, status = input.status, version = s.version + 1 FROM input WHERE s.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(outcomes)
}

/// Ships the parcels of shipments in the warehouse, and says so.
pub(crate) async fn hand_over(tx: &Tx, leaving: &[(Timestamp, Shipment)]) -> Result<(), Fault> {
    if leaving.is_empty() {
        return Ok(());
    }
    let parcels: Vec<HandOver> =
        leaving.iter().map(|(at, s)| HandOver { at: *at, parcel: s.parcel_id }).collect();
    warehouse::hand_over(tx, &parcels).await?;
    for (at, s) in leaving {
        let (carrier, tracking_number) = (s.carrier.clone(), s.tracking_number.clone());
        let fact = ShipmentShipped { shipment: s.id, order: s.order_id, carrier, tracking_number };
        tx.record(*at, s.id, Some(s.order_id.0), fact)?;
    }
    Ok(())
}
