//! What a shipment is: one parcel with one label.

use db::FromRow;
use kernel::{Currency, Timestamp};
use orders::OrderId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use warehouse::{ParcelId, UnknownWord};

kernel::id!(ShipmentId, "shp", "One parcel with one label.");
kernel::id!(TrackingEventId, "tre", "Something a carrier said about a shipment.");

/// Where a shipment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ShipmentStatus)]
pub enum Status {
    /// The label is being bought.
    Draft,
    /// It has a label.
    LabelPurchased,
    /// The carrier has it.
    Shipped,
    /// On its way.
    InTransit,
    /// In the van.
    OutForDelivery,
    /// Nobody was there.
    AttemptFailed,
    /// Waits at a counter or locker.
    AvailableForPickup,
    /// Something is wrong with it.
    Exception,
    /// Nobody knows where it is.
    Lost,
    /// The customer has it.
    Delivered,
    /// It came back.
    ReturnedToSender,
    /// The label was given back before it was used.
    Voided,
}

impl Status {
    /// All of them, lowest rank first.
    pub const ALL: [Self; 12] = [
        Self::Draft,
        Self::LabelPurchased,
        Self::Shipped,
        Self::InTransit,
        Self::OutForDelivery,
        Self::AttemptFailed,
        Self::AvailableForPickup,
        Self::Exception,
        Self::Lost,
        Self::Delivered,
        Self::ReturnedToSender,
        Self::Voided,
    ];
    /// The word in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::LabelPurchased => "label_purchased",
            Self::Shipped => "shipped",
            Self::InTransit => "in_transit",
            Self::OutForDelivery => "out_for_delivery",
            Self::AttemptFailed => "attempt_failed",
            Self::AvailableForPickup => "available_for_pickup",
            Self::Exception => "exception",
            Self::Lost => "lost",
            Self::Delivered => "delivered",
            Self::ReturnedToSender => "returned_to_sender",
            Self::Voided => "voided",
        }
    }
}
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Status {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord { expected: "shipment status", text: text.to_owned() };
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(unknown)
    }
}
impl kernel::row::FromCell for Status {
    fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
        kernel::row::parsed(cell)
    }
}

/// One parcel with one label.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, utoipa::ToSchema)]
pub struct Shipment {
    /// Id.
    pub id: ShipmentId,
    /// The parcel.
    pub parcel_id: ParcelId,
    /// The order.
    pub order_id: OrderId,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's product.
    pub service: String,
    /// The carrier's number; the shipment's own id while the label is being bought.
    pub tracking_number: String,
    /// What the label costs, in minor units of `currency`.
    pub cost: i64,
    /// Of the cost.
    pub currency: Currency,
    /// When the label was asked for.
    pub label_at: Timestamp,
    /// When the carrier got it.
    pub shipped_at: Option<Timestamp>,
    /// When its units were counted as delivered.
    pub delivered_at: Option<Timestamp>,
    /// When its units were counted as lost.
    pub lost_at: Option<Timestamp>,
    /// When the label was given back.
    pub voided_at: Option<Timestamp>,
    /// Where it is: the highest rank that its times and tracking reached.
    pub status: Status,
    /// When the carrier promised to be there.
    pub promised_at: Option<Timestamp>,
    /// Rises with every change.
    pub version: i64,
}
