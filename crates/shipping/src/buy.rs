//! Buy labels. A carrier that needs no call answers in the transaction; of any other the intent is recorded here, and a job calls it.
//!
//! Invariants: a parcel has one label that is not void; nothing is labelled while its order is on hold.

use crate::cards::rate_cards;
use crate::carrier::{Answer, Bought, BuyAsk, Carriers, Plan};
use crate::events::{LabelPurchased, LabelRequested};
use crate::lock;
use crate::model::{Shipment, ShipmentId, Status};
use crate::quote::{Bound, bound, for_carrier};
use crate::settle::{Act, CallCarrier};
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::HashMap;
use warehouse::ParcelId;

/// Buys a label.
#[derive(Debug, Clone)]
pub struct BuyLabel {
    /// When.
    pub at: Timestamp,
    /// For which parcel.
    pub parcel: ParcelId,
    /// The carrier's code.
    pub carrier: String,
    /// The service's code.
    pub service: String,
}

kernel::refusals! {
    /// Why a label is not bought.
    pub enum BuyLabelRefused {
        UnknownParcel { parcel: ParcelId } => NotFound, "shipping.unknown_parcel", "There is no parcel {parcel}.";
        Unpacked { parcel: ParcelId } => Conflict, "shipping.unpacked", "{parcel} was taken apart.";
        HasLabel { parcel: ParcelId, tracking_number: String } => Conflict, "shipping.has_label", "{parcel} has the label {tracking_number}: void it first.";
        OnHold { order: String } => Conflict, "shipping.on_hold", "Order {order} is on hold: release its holds first.";
        UnknownCarrier { carrier: String } => NotFound, "shipping.unknown_carrier", "There is no carrier “{carrier}”, neither a connector nor rate cards.";
        NoOffer => Conflict, "shipping.no_offer", "No carrier carries this parcel there.";
        Declined { carrier: String, why: String } => Conflict, "shipping.label_declined", "{carrier} does not sell this label: {why}";
    }
}

fn decide_buy<'a>(
    parcel: ParcelId,
    bound: &'a HashMap<ParcelId, Bound>,
    live: &HashMap<ParcelId, Shipment>,
) -> Result<&'a Bound, BuyLabelRefused> {
    let b = bound.get(&parcel).ok_or(BuyLabelRefused::UnknownParcel { parcel })?;
    if b.unpacked {
        return Err(BuyLabelRefused::Unpacked { parcel });
    }
    if let Some(shipment) = live.get(&parcel) {
        return Err(BuyLabelRefused::HasLabel { parcel, tracking_number: shipment.tracking_number.clone() });
    }
    if b.on_hold {
        return Err(BuyLabelRefused::OnHold { order: b.consignment.reference.clone() });
    }
    Ok(b)
}

/// Buys labels; one outcome each, in order. A shipment of a carrier that has to be called comes back as `draft`.
///
/// # Errors
/// A fault of the database.
pub async fn buy_label(
    tx: &Tx,
    carriers: &Carriers,
    batch: &[BuyLabel],
) -> Result<Vec<Result<Shipment, BuyLabelRefused>>, Fault> {
    lock::parcels(tx, batch.iter().map(|b| b.parcel)).await?;
    let mut live = lock::live(tx, batch.iter().map(|b| b.parcel)).await?;
    let bound = bound(tx, batch.iter().map(|b| b.parcel)).await?;
    let cards = rate_cards(tx).await?;
    let (mut outcomes, mut bought, mut calls) = (Vec::with_capacity(batch.len()), Vec::new(), Vec::new());
    for item in batch {
        let outcome = decide_buy(item.parcel, &bound, &live).and_then(|b| {
            let consignment = for_carrier(&b.consignment, &item.carrier, &cards);
            let carrier = carriers.find(&item.carrier, !consignment.rate_cards.is_empty());
            let carrier =
                carrier.ok_or_else(|| BuyLabelRefused::UnknownCarrier { carrier: item.carrier.clone() })?;
            let id: ShipmentId = tx.id();
            let ask =
                BuyAsk { shipment: id, key: id.to_string(), service: item.service.clone(), consignment };
            let declined = |why| BuyLabelRefused::Declined { carrier: item.carrier.clone(), why };
            match carrier.buy(&ask) {
                Plan::Settled(Answer::Done(label)) => Ok(shipment(id, item, b, Some(label))),
                Plan::Settled(Answer::Declined(why) | Answer::Unknown(why)) => Err(declined(why)),
                Plan::Call(_) => Ok(shipment(id, item, b, None)),
            }
        });
        if let Ok(shipment) = &outcome {
            live.insert(item.parcel, shipment.clone());
            if shipment.status == Status::Draft {
                calls.push((CallCarrier { shipment: shipment.id, act: Act::Buy }, None));
            }
            bought.push(shipment.clone());
        }
        outcomes.push(outcome);
    }
    insert(tx, &bought).await?;
    for s in &bought {
        match s.status {
            Status::Draft => tx.record(s.label_at, s.id, Some(s.order_id.0), requested(s))?,
            _ => tx.record(s.label_at, s.id, Some(s.order_id.0), purchased(s))?,
        }
    }
    tx.enqueue(tx.now(), &calls).await?;
    Ok(outcomes)
}

/// Whether a parcel may get a label now, and its order's currency.
///
/// # Errors
/// A fault of the database.
pub(crate) async fn may_label(
    tx: &Tx,
    parcel: ParcelId,
) -> Result<Result<kernel::Currency, BuyLabelRefused>, Fault> {
    lock::parcels(tx, [parcel]).await?;
    let live = lock::live(tx, [parcel]).await?;
    let bound = bound(tx, [parcel]).await?;
    Ok(decide_buy(parcel, &bound, &live).map(|b| b.currency))
}

/// A new shipment; without a label it is a draft, and its own id stands for the number it will get.
fn shipment(id: ShipmentId, item: &BuyLabel, b: &Bound, label: Option<Bought>) -> Shipment {
    let status = if label.is_some() { Status::LabelPurchased } else { Status::Draft };
    let promised_at =
        label.as_ref().and_then(|l| l.max_days).map(|days| item.at.plus(days.saturating_mul(Timestamp::DAY)));
    let cost = label.as_ref().map_or((0, b.currency), |l| (l.cost.minor, l.cost.currency));
    Shipment {
        id,
        parcel_id: item.parcel,
        order_id: b.order,
        carrier: item.carrier.clone(),
        service: item.service.clone(),
        tracking_number: label.map_or_else(|| id.to_string(), |l| l.tracking_number),
        cost: cost.0,
        currency: cost.1,
        label_at: item.at,
        shipped_at: None,
        delivered_at: None,
        lost_at: None,
        voided_at: None,
        status,
        promised_at,
        version: 1,
    }
}

/// Writes new shipments.
pub(crate) async fn insert(tx: &Tx, shipments: &[Shipment]) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, parcel_id BIGINT, order_id BIGINT, carrier TEXT, service TEXT, tracking_number TEXT, cost BIGINT, currency TEXT, \
         label_at BIGINT, shipped_at BIGINT?, delivered_at BIGINT?, status TEXT, promised_at BIGINT?",
    );
    for s in shipments {
        rows.push([
            s.id.into(),
            s.parcel_id.into(),
            s.order_id.into(),
            s.carrier.as_str().into(),
            s.service.as_str().into(),
            s.tracking_number.as_str().into(),
            s.cost.into(),
            s.currency.into(),
            s.label_at.into(),
            s.shipped_at.into(),
            s.delivered_at.into(),
            s.status.as_str().into(),
            s.promised_at.into(),
        ]);
    }
    tx.insert("shipment", &rows).await?;
    Ok(())
}

fn requested(s: &Shipment) -> LabelRequested {
    LabelRequested {
        shipment: s.id,
        parcel: s.parcel_id,
        order: s.order_id,
        carrier: s.carrier.clone(),
        service: s.service.clone(),
    }
}

/// The fact of a bought label.
pub(crate) fn purchased(s: &Shipment) -> LabelPurchased {
    LabelPurchased {
        shipment: s.id,
        parcel: s.parcel_id,
        order: s.order_id,
        carrier: s.carrier.clone(),
        service: s.service.clone(),
        tracking_number: s.tracking_number.clone(),
        cost: s.cost,
        currency: s.currency,
    }
}
