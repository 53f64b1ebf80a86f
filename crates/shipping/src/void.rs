//! Give labels back before they are used.
//!
//! Invariant: only a label that was bought and not shipped is voided; the parcel may get another one then, or be taken apart.

use crate::cards::rate_cards;
use crate::carrier::{Answer, Carriers, Plan, VoidAsk};
use crate::events::LabelVoided;
use crate::lock;
use crate::model::{Shipment, ShipmentId, Status};
use crate::settle::{Act, CallCarrier};
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};

/// Gives a label back.
#[derive(Debug, Clone)]
pub struct VoidLabel {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub shipment: ShipmentId,
}

kernel::refusals! {
    /// Why a label is not voided.
    pub enum VoidLabelRefused {
        UnknownShipment { shipment: ShipmentId } => NotFound, "shipping.unknown_shipment", "There is no shipment {shipment}.";
        Voided { shipment: ShipmentId } => Conflict, "shipping.voided", "The label of {shipment} is void.";
        NoLabel { shipment: ShipmentId } => Conflict, "shipping.no_label", "The label of {shipment} is still being bought.";
        Shipped { shipment: ShipmentId } => Conflict, "shipping.shipped", "{shipment} has left already.";
        Declined { carrier: String, why: String } => Conflict, "shipping.void_declined", "{carrier} does not take the label back: {why}";
    }
}

fn decide_void(s: &Shipment) -> Result<(), VoidLabelRefused> {
    let shipment = s.id;
    if s.voided_at.is_some() {
        return Err(VoidLabelRefused::Voided { shipment });
    }
    if s.status == Status::Draft {
        return Err(VoidLabelRefused::NoLabel { shipment });
    }
    if s.shipped_at.is_some() {
        return Err(VoidLabelRefused::Shipped { shipment });
    }
    Ok(())
}

/// Voids labels; one outcome each, in order. A carrier that has to be called is called by a job, and the label is void when it says so.
/// A carrier without a connector (history, labels of others) has nothing to say.
///
/// # Errors
/// A fault of the database.
pub async fn void_label(
    tx: &Tx,
    carriers: &Carriers,
    batch: &[VoidLabel],
) -> Result<Vec<Result<(), VoidLabelRefused>>, Fault> {
    let mut shipments = lock::shipments(tx, batch.iter().map(|v| v.shipment)).await?;
    let cards = rate_cards(tx).await?;
    let (mut outcomes, mut voided, mut calls) = (Vec::with_capacity(batch.len()), Vec::new(), Vec::new());
    for item in batch {
        let Some(s) = shipments.get_mut(&item.shipment) else {
            outcomes.push(Err(VoidLabelRefused::UnknownShipment { shipment: item.shipment }));
            continue;
        };
        if let Err(refused) = decide_void(s) {
            outcomes.push(Err(refused));
            continue;
        }
        let ask = VoidAsk { shipment: s.id, tracking_number: s.tracking_number.clone() };
        let carrier = carriers.find(&s.carrier, cards.iter().any(|c| c.carrier == s.carrier));
        outcomes.push(match carrier.map(|c| c.void(&ask)) {
            None | Some(Plan::Settled(Answer::Done(()))) => {
                voided.push((item.at, s.clone()));
                s.voided_at = Some(item.at);
                Ok(())
            }
            Some(Plan::Settled(Answer::Declined(why) | Answer::Unknown(why))) => {
                Err(VoidLabelRefused::Declined { carrier: s.carrier.clone(), why })
            }
            Some(Plan::Call(_)) => {
                calls.push((CallCarrier { shipment: s.id, act: Act::Void }, Some(format!("void {}", s.id))));
                Ok(())
            }
        });
    }
    write_void(tx, &voided).await?;
    tx.enqueue(tx.now(), &calls).await?;
    Ok(outcomes)
}

/// Writes voided labels.
pub(crate) async fn write_void(tx: &Tx, voided: &[(Timestamp, Shipment)]) -> Result<(), Fault> {
    let mut rows = Rows::new("id BIGINT, at BIGINT");
    for (at, s) in voided {
        rows.push([s.id.into(), (*at).into()]);
        let fact = LabelVoided {
            shipment: s.id,
            parcel: s.parcel_id,
            order: s.order_id,
            carrier: s.carrier.clone(),
            tracking_number: s.tracking_number.clone(),
            cost: s.cost,
            currency: s.currency,
        };
        tx.record(*at, s.id, Some(s.order_id.0), fact)?;
    }
    let text = "UPDATE shipment AS s SET voided_at = input.at, status = 'voided', version = s.version + 1 FROM input WHERE s.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}
