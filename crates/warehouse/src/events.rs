//! What the warehouse tells the world.
//!
//! Invariant: a fact names the fulfilment order, the order and the units, so that no reader has to ask back.

use crate::model::{Executor, FulfilmentId, ParcelId};
use catalog::SkuId;
use inventory::LocationId;
use orders::{LineId, OrderId};
use serde::{Deserialize, Serialize};

/// Units of a line of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// The order's line.
    pub line: LineId,
    /// Units.
    pub quantity: i64,
}

/// A location got a part of an order to ship.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentCreated {
    /// The new fulfilment order.
    pub fulfilment: FulfilmentId,
    /// The number people read.
    pub number: String,
    /// The order.
    pub order: OrderId,
    /// Where.
    pub location: LocationId,
    /// Who does it.
    pub executor: Executor,
    /// What.
    pub lines: Vec<Units>,
}
kernel::fact!(FulfilmentCreated, "fulfilment.created");

/// A fulfilment order that had not begun got more units.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentExtended {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// What was added.
    pub lines: Vec<Units>,
}
kernel::fact!(FulfilmentExtended, "fulfilment.extended");

/// Released to the floor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentReleased {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// Where.
    pub location: LocationId,
}
kernel::fact!(FulfilmentReleased, "fulfilment.released");

/// Somebody else was asked to fulfil it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentRequested {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// Whom.
    pub location: LocationId,
    /// What kind of partner it is.
    pub executor: Executor,
}
kernel::fact!(FulfilmentRequested, "fulfilment.requested");

/// They do it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentAccepted {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// Who.
    pub location: LocationId,
}
kernel::fact!(FulfilmentAccepted, "fulfilment.accepted");

/// They do not; the units are sourced elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentRejected {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// Who.
    pub location: LocationId,
    /// Why.
    pub reason: String,
    /// What goes elsewhere.
    pub lines: Vec<Units>,
}
kernel::fact!(FulfilmentRejected, "fulfilment.rejected");

/// Something was picked: units that are complete, or components of a bundle that is not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentPicked {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// What was scanned, when it was not picked by line.
    pub scanned: Option<SkuId>,
    /// How many pieces.
    pub quantity: i64,
    /// Units that are complete by it.
    pub lines: Vec<Units>,
}
kernel::fact!(FulfilmentPicked, "fulfilment.picked");

/// Picked units went back to the shelf.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentUnpicked {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// What.
    pub lines: Vec<Units>,
}
kernel::fact!(FulfilmentUnpicked, "fulfilment.unpicked");

/// A piece was scanned into the box at the pack station, or out of it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentScanned {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// What.
    pub scanned: Option<catalog::SkuId>,
    /// Out again.
    pub back: bool,
}
kernel::fact!(FulfilmentScanned, "fulfilment.scanned");

/// Units were not where they should be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentShortPicked {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// Where.
    pub location: LocationId,
    /// The order's line.
    pub line: LineId,
    /// Units that were missing.
    pub quantity: i64,
    /// Why.
    pub reason: String,
}
kernel::fact!(FulfilmentShortPicked, "fulfilment.short_picked");

/// Units were taken out of a fulfilment order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FulfilmentCancelled {
    /// Which.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// What.
    pub lines: Vec<Units>,
    /// Why.
    pub reason: String,
    /// Whether nothing is left of it.
    pub whole: bool,
}
kernel::fact!(FulfilmentCancelled, "fulfilment.cancelled");

/// A parcel was packed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParcelPacked {
    /// The new parcel.
    pub parcel: ParcelId,
    /// The fulfilment order it is part of.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// Its weight in grams.
    pub weight_g: i64,
    /// What is in it.
    pub lines: Vec<Units>,
}
kernel::fact!(ParcelPacked, "parcel.packed");

/// A parcel was taken apart again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParcelUnpacked {
    /// Which.
    pub parcel: ParcelId,
    /// The fulfilment order it was part of.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
}
kernel::fact!(ParcelUnpacked, "parcel.unpacked");

/// The kinds of boxes were set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartonsSet {
    /// Their names.
    pub cartons: Vec<String>,
}
kernel::fact!(CartonsSet, "warehouse.cartons_set");
