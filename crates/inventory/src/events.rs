//! What inventory tells the world. Facts of single allocations and shipments are the orders': here is what changes stock from outside.

use crate::purchase::PurchaseId;
use crate::sheet::SheetId;
use crate::{LocationId, ReservationId, RestockTo};
use catalog::{SkuId, SupplierId};
use kernel::{Timestamp, fact};
use serde::{Deserialize, Serialize};

/// A location was made or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocationSaved {
    /// The location.
    pub location: LocationId,
    /// The merchant's code of it.
    pub code: String,
    /// Whether it did not exist before.
    pub new: bool,
}
fact!(LocationSaved, "location.saved");

/// Goods came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StockReceived {
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// How many units.
    pub quantity: i64,
    /// What they cost together, in the base currency's minor units; zero where they are not ours.
    pub value: i64,
    /// Whether they are on our balance sheet.
    pub owned: bool,
}
fact!(StockReceived, "stock.received");

/// Stock on hand or in quarantine was corrected or written off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StockAdjusted {
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// By how many units.
    pub delta: i64,
    /// By how much the value of our stock changed, in the base currency's minor units; of the sign of `delta`, or zero.
    pub value: i64,
    /// Why.
    pub reason: String,
}
fact!(StockAdjusted, "stock.adjusted");

/// Stock on hand was counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StockCounted {
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// How many units were found.
    pub counted: i64,
    /// How many that is more than the books said.
    pub delta: i64,
}
fact!(StockCounted, "stock.counted");

/// Stock went from one location of ours to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StockTransferred {
    /// What.
    pub sku: SkuId,
    /// From where.
    pub from: LocationId,
    /// To where.
    pub to: LocationId,
    /// How many units.
    pub quantity: i64,
}
fact!(StockTransferred, "stock.transferred");

/// Stock came back and was put on the shelf or into quarantine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StockRestocked {
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// How many units.
    pub quantity: i64,
    /// The cost put back, in the base currency's minor units. Posted by the return, not by this event.
    pub value: i64,
    /// Where they lie.
    pub to: RestockTo,
}
fact!(StockRestocked, "stock.restocked");

/// Stock went into quarantine, or back on the shelf. (A write-off out of quarantine is `stock.adjusted`.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StockQuarantined {
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// How many units went in; negative for units that came back on the shelf.
    pub quantity: i64,
    /// Why.
    pub reason: String,
}
fact!(StockQuarantined, "stock.quarantined");

/// A safety stock was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SafetySet {
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// Units that sourcing leaves on the shelf.
    pub safety: i64,
    /// Units that channels are not told of.
    pub channel_safety: i64,
}
fact!(SafetySet, "stock.safety_set");

/// Where a SKU lies was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinSet {
    /// What.
    pub sku: SkuId,
    /// At which location.
    pub location: LocationId,
    /// In which bin, if any.
    pub bin: Option<String>,
}
fact!(BinSet, "stock.bin_set");

/// Units of one SKU at one location, in a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// How many units.
    pub quantity: i64,
}

/// Stock is kept for a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReservationMade {
    /// The reservation.
    pub reservation: ReservationId,
    /// Until when.
    pub expires_at: Timestamp,
    /// What is kept.
    pub lines: Vec<Reserved>,
}
fact!(ReservationMade, "reservation.made");

/// Stock is no longer kept for a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReservationEnded {
    /// The reservation.
    pub reservation: ReservationId,
    /// `ordered`, `expired` or `released`.
    pub outcome: String,
    /// What is free again.
    pub lines: Vec<Reserved>,
}
fact!(ReservationEnded, "reservation.ended");

/// A purchase order was made, or a draft changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseSaved {
    /// The purchase order.
    pub purchase: PurchaseId,
    /// Its number.
    pub number: String,
    /// From whom.
    pub supplier: SupplierId,
    /// Where the goods go.
    pub location: LocationId,
    /// How many units.
    pub units: i64,
    /// Whether it did not exist before.
    pub new: bool,
}
fact!(PurchaseSaved, "purchase.saved");

/// A line of a purchase order as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchasedLine {
    /// What.
    pub sku: SkuId,
    /// How many units.
    pub quantity: i64,
    /// What a unit costs, in the base currency's minor units.
    pub unit_cost: i64,
}

/// A purchase order was sent to its supplier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseOrdered {
    /// The purchase order.
    pub purchase: PurchaseId,
    /// Its number.
    pub number: String,
    /// From whom.
    pub supplier: SupplierId,
    /// Where the goods go.
    pub location: LocationId,
    /// When they should come.
    pub expected_at: Option<Timestamp>,
    /// What.
    pub lines: Vec<PurchasedLine>,
}
fact!(PurchaseOrdered, "purchase.ordered");

/// A line of a purchase order that came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceivedLine {
    /// What.
    pub sku: SkuId,
    /// How many units.
    pub quantity: i64,
    /// Of these, more than was still to come.
    pub surplus: i64,
}

/// Goods of a purchase order came. Their value is posted by `stock.received`, not by this event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseReceived {
    /// The purchase order.
    pub purchase: PurchaseId,
    /// Its number.
    pub number: String,
    /// What.
    pub lines: Vec<ReceivedLine>,
    /// Why more came, where it did.
    pub surplus_reason: Option<String>,
}
fact!(PurchaseReceived, "purchase.received");

/// What is still to come of a purchase order will not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseCancelled {
    /// The purchase order.
    pub purchase: PurchaseId,
    /// Its number.
    pub number: String,
    /// How many units.
    pub units: i64,
    /// Why.
    pub reason: String,
}
fact!(PurchaseCancelled, "purchase.cancelled");

/// A count sheet was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SheetStarted {
    /// The sheet.
    pub sheet: SheetId,
    /// Where.
    pub location: LocationId,
    /// How the bins begin that are counted; empty for all.
    pub bins: String,
    /// How many SKUs.
    pub lines: i64,
}
fact!(SheetStarted, "count_sheet.started");

/// A count sheet was approved. What was corrected are `stock.adjusted` beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SheetApproved {
    /// The sheet.
    pub sheet: SheetId,
    /// Lines that were as the books said.
    pub same: i64,
    /// Lines that were corrected.
    pub adjusted: i64,
    /// Lines that were left out: the correction would have taken promised units.
    pub refused: i64,
}
fact!(SheetApproved, "count_sheet.approved");

/// A count sheet was given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SheetDiscarded {
    /// The sheet.
    pub sheet: SheetId,
}
fact!(SheetDiscarded, "count_sheet.discarded");
