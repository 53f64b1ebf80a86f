//! What orders tell the world. Every fact carries what its readers need, so that none of them asks back.

use crate::model::{HoldKind, LineId, OrderId};
use catalog::SkuId;
use inventory::LocationId;
use kernel::{Currency, fact};
use serde::{Deserialize, Serialize};

/// An order was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order: OrderId,
    /// Its number for people.
    pub number: String,
    /// Where it came from.
    pub channel: String,
    /// Whose it is.
    pub customer: customers::CustomerId,
    /// Currency of all amounts.
    pub currency: Currency,
    /// What is to be paid, in minor units.
    pub total: i64,
    /// Destination, ISO 3166-1 alpha-2.
    pub country: String,
    /// 1 is express.
    pub priority: i64,
    /// For the confirmation.
    pub email: Option<String>,
    /// The lines.
    pub lines: Vec<PlacedLine>,
}
fact!(OrderPlaced, "order.placed");

/// A line of a placed order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlacedLine {
    /// The line.
    pub line: LineId,
    /// What.
    pub sku_id: SkuId,
    /// Its code.
    pub sku: String,
    /// Units.
    pub quantity: i64,
    /// The line's share of the total.
    pub total: i64,
}

/// Units of a line at a location.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AllocatedPart {
    /// The line.
    pub line: LineId,
    /// What.
    pub sku_id: SkuId,
    /// Where.
    pub location: LocationId,
    /// Units.
    pub quantity: i64,
}

/// Stock was promised to an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderAllocated {
    /// The order.
    pub order: OrderId,
    /// 1 is express.
    pub priority: i64,
    /// Holds the order has.
    pub holds: i64,
    /// Units by line and location.
    pub parts: Vec<AllocatedPart>,
    /// The name of the routing rule that chose the locations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}
fact!(OrderAllocated, "order.allocated");

/// Units of a line that left a location.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeallocatedPart {
    /// The line.
    pub line: LineId,
    /// Where from.
    pub location: LocationId,
    /// Units.
    pub quantity: i64,
}

/// Promised stock was taken back: the units were cancelled, or will come from elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderDeallocated {
    /// The order.
    pub order: OrderId,
    /// Units by line and location.
    pub parts: Vec<DeallocatedPart>,
    /// Why.
    pub reason: String,
}
fact!(OrderDeallocated, "order.deallocated");

/// A line and how many of its units.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineUnits {
    /// The line.
    pub line: LineId,
    /// What.
    pub sku_id: SkuId,
    /// Units.
    pub quantity: i64,
}

/// Units wait for stock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderBackordered {
    /// The order.
    pub order: OrderId,
    /// The units.
    pub lines: Vec<LineUnits>,
}
fact!(OrderBackordered, "order.backordered");

/// A reason not to go on appeared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderHeld {
    /// The order.
    pub order: OrderId,
    /// Which.
    pub kind: HoldKind,
    /// Why, for people.
    pub reason: String,
    /// How many holds the order has now.
    pub holds: i64,
}
fact!(OrderHeld, "order.held");

/// A reason not to go on is gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderHoldReleased {
    /// The order.
    pub order: OrderId,
    /// Which.
    pub kind: HoldKind,
    /// How many holds are left.
    pub holds: i64,
}
fact!(OrderHoldReleased, "order.hold_released");

/// Cancelled units of a line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CancelledLine {
    /// The line.
    pub line: LineId,
    /// Units.
    pub quantity: i64,
    /// Their share of the order's total.
    pub total: i64,
}

/// Units will not be shipped.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// The order.
    pub order: OrderId,
    /// Of the amounts.
    pub currency: Currency,
    /// The units.
    pub lines: Vec<CancelledLine>,
    /// Their share of the order's total.
    pub total: i64,
    /// Why.
    pub reason: String,
    /// Nothing of the order is left.
    pub whole: bool,
}
fact!(OrderCancelled, "order.cancelled");

/// Shipped units of a line with their exact money.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShippedLine {
    /// The line.
    pub line: LineId,
    /// What.
    pub sku_id: SkuId,
    /// From where.
    pub location: LocationId,
    /// Units.
    pub quantity: i64,
    /// Discount without tax.
    pub discount_net: i64,
    /// Goods without tax, after discount.
    pub net: i64,
    /// Tax on the goods.
    pub tax: i64,
    /// Share of shipping without tax.
    pub shipping: i64,
    /// Tax on that.
    pub shipping_tax: i64,
    /// Share of fees.
    pub fee: i64,
    /// What the units cost us, in the base currency.
    pub cost: i64,
}

/// Units left the house: this is the sale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitsShipped {
    /// The order.
    pub order: OrderId,
    /// Of the amounts but the cost.
    pub currency: Currency,
    /// Of the cost.
    pub base_currency: Currency,
    /// The units.
    pub lines: Vec<ShippedLine>,
    /// Their share of the order's total.
    pub total: i64,
}
fact!(UnitsShipped, "order.units_shipped");

/// Units reached the customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitsDelivered {
    /// The order.
    pub order: OrderId,
    /// The units.
    pub lines: Vec<LineUnits>,
    /// Every unit that was not cancelled has arrived.
    pub all: bool,
}
fact!(UnitsDelivered, "order.units_delivered");

/// Units were lost on the way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitsLost {
    /// The order.
    pub order: OrderId,
    /// The units.
    pub lines: Vec<LineUnits>,
}
fact!(UnitsLost, "order.units_lost");

/// Returned units of a line with their exact money.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnedLine {
    /// The line.
    pub line: LineId,
    /// Units.
    pub quantity: i64,
    /// Goods without tax.
    pub net: i64,
    /// Tax on the goods.
    pub tax: i64,
    /// Share of shipping given back.
    pub shipping: i64,
    /// Tax on that.
    pub shipping_tax: i64,
    /// Share of fees given back.
    pub fee: i64,
    /// What the units cost us; back on the shelf only as far as they were restocked.
    pub cost: i64,
}

/// Returned units were accepted: the sale is undone for them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitsReturned {
    /// The order.
    pub order: OrderId,
    /// Of the amounts but the cost.
    pub currency: Currency,
    /// Of the cost.
    pub base_currency: Currency,
    /// The return (raw id).
    pub return_id: i64,
    /// The units.
    pub lines: Vec<ReturnedLine>,
    /// What the customer gets for them.
    pub total: i64,
}
fact!(UnitsReturned, "order.units_returned");

/// Somebody wrote a note.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderNoted {
    /// The order.
    pub order: OrderId,
    /// What.
    pub text: String,
}
fact!(OrderNoted, "order.noted");

/// An order goes to another address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderAddressChanged {
    /// The order.
    pub order: OrderId,
    /// Where to.
    pub ship_to: contact::address::Address,
}
fact!(OrderAddressChanged, "order.address_changed");

/// An order's customer is reached elsewhere. What is not said here cannot be kept for ever: the order has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderContactChanged {
    /// The order.
    pub order: OrderId,
    /// The e-mail address is another, or gone.
    pub email: bool,
    /// The phone number is another, or gone.
    pub phone: bool,
}
fact!(OrderContactChanged, "order.contact_changed");

/// An order got a tag.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderTagged {
    /// The order.
    pub order: OrderId,
    /// Which.
    pub tag: String,
}
fact!(OrderTagged, "order.tagged");

/// A tag was taken off an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderUntagged {
    /// The order.
    pub order: OrderId,
    /// Which.
    pub tag: String,
}
fact!(OrderUntagged, "order.untagged");

/// The customer shall get the confirmation once more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderConfirmationAsked {
    /// The order.
    pub order: OrderId,
}
fact!(OrderConfirmationAsked, "order.confirmation_asked");

/// The customer shall get a link to pay what is left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderPaymentRequested {
    /// The order.
    pub order: OrderId,
    /// What was left then.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
}
fact!(OrderPaymentRequested, "order.payment_requested");
