//! What shipping tells the world.

use crate::model::{ShipmentId, Status};
use kernel::{Currency, Timestamp};
use orders::OrderId;
use serde::{Deserialize, Serialize};
use warehouse::ParcelId;

/// A label was bought: from now on the carrier is owed its cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelPurchased {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Its parcel.
    pub parcel: ParcelId,
    /// The order.
    pub order: OrderId,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's product.
    pub service: String,
    /// The carrier's number.
    pub tracking_number: String,
    /// Minor units.
    pub cost: i64,
    /// Of the cost.
    pub currency: Currency,
}
kernel::fact!(LabelPurchased, "shipment.label_purchased");

/// A label was asked for from a carrier who answers later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelRequested {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Its parcel.
    pub parcel: ParcelId,
    /// The order.
    pub order: OrderId,
    /// Who.
    pub carrier: String,
    /// The carrier's product.
    pub service: String,
}
kernel::fact!(LabelRequested, "shipment.label_requested");

/// The carrier did not sell the label.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelDeclined {
    /// The shipment, which is void.
    pub shipment: ShipmentId,
    /// The order.
    pub order: OrderId,
    /// Who.
    pub carrier: String,
    /// Why, in the carrier's words.
    pub reason: String,
}
kernel::fact!(LabelDeclined, "shipment.label_declined");

/// A label was given back unused: its cost is not owed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelVoided {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Its parcel.
    pub parcel: ParcelId,
    /// The order.
    pub order: OrderId,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's number.
    pub tracking_number: String,
    /// Minor units.
    pub cost: i64,
    /// Of the cost.
    pub currency: Currency,
}
kernel::fact!(LabelVoided, "shipment.label_voided");

/// The carrier has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShipmentShipped {
    /// The shipment.
    pub shipment: ShipmentId,
    /// The order.
    pub order: OrderId,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's number.
    pub tracking_number: String,
}
kernel::fact!(ShipmentShipped, "shipment.shipped");

/// The carrier said something about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShipmentTracked {
    /// The shipment.
    pub shipment: ShipmentId,
    /// The order.
    pub order: OrderId,
    /// What.
    pub status: Status,
    /// When, by the carrier.
    pub at: Timestamp,
    /// Where.
    pub place: Option<String>,
    /// In the carrier's words.
    pub description: Option<String>,
}
kernel::fact!(ShipmentTracked, "shipment.tracked");

/// The customer has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShipmentDelivered {
    /// The shipment.
    pub shipment: ShipmentId,
    /// The order.
    pub order: OrderId,
}
kernel::fact!(ShipmentDelivered, "shipment.delivered");

/// Nobody will get it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShipmentLost {
    /// The shipment.
    pub shipment: ShipmentId,
    /// The order.
    pub order: OrderId,
}
kernel::fact!(ShipmentLost, "shipment.lost");

/// Rate cards were set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RateCardSaved {
    /// Whose.
    pub carrier: String,
    /// The carrier's product.
    pub service: String,
    /// Where parcels start.
    pub origin_country: String,
}
kernel::fact!(RateCardSaved, "rate_card.saved");
