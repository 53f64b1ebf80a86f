//! The words of an order: ids, holds, limits, and the exact share of money of any of a line's units.

use db::FromRow;
use kernel::money::units_share;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

kernel::id!(OrderId, "ord", "An order.");
kernel::id!(LineId, "lin", "A line of an order.");

/// Orders of one call.
pub const MAX_ORDERS: usize = 1000;
/// Lines of one order.
pub const MAX_LINES: usize = 2000;
/// Units of one line.
pub const MAX_QUANTITY: i64 = 1_000_000;
/// Minor units of one order; far below what the sums of a year can hold.
pub const MAX_AMOUNT: i64 = 100_000_000_000_000;
/// Parts per million of a tax rate; as the catalogue's.
pub const MAX_TAX_RATE: i64 = 1_000_000;
/// Characters of a name, a line of an address, a reference, a tag.
pub const MAX_NAME: usize = 255;
/// Characters of a note.
pub const MAX_TEXT: usize = 10_000;
/// Two equal orders of one customer within this time are probably one.
pub const DUPLICATE_WINDOW: i64 = 10 * kernel::Timestamp::MINUTE;

/// A reason not to go on. An order advances when it has none.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// A person must look at the risk.
    RiskReview,
    /// Neither paid nor authorised.
    PaymentDue,
    /// The address cannot be delivered to.
    AddressInvalid,
    /// Waits until all of it is there.
    OutOfStock,
    /// The customer asked to wait.
    CustomerRequest,
    /// Somebody of ours asked to wait.
    Manual,
    /// The same customer ordered the same a moment ago.
    ProbableDuplicate,
}

impl HoldKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::RiskReview,
        Self::PaymentDue,
        Self::AddressInvalid,
        Self::OutOfStock,
        Self::CustomerRequest,
        Self::Manual,
        Self::ProbableDuplicate,
    ];
    /// The name that tables and the API use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RiskReview => "risk_review",
            Self::PaymentDue => "payment_due",
            Self::AddressInvalid => "address_invalid",
            Self::OutOfStock => "out_of_stock",
            Self::CustomerRequest => "customer_request",
            Self::Manual => "manual",
            Self::ProbableDuplicate => "probable_duplicate",
        }
    }
}
impl fmt::Display for HoldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for HoldKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.as_str() == text).ok_or_else(|| format!("there is no hold “{text}”"))
    }
}

/// A line with its money and its buckets.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, utoipa::ToSchema)]
pub struct LineRow {
    /// Id.
    pub id: LineId,
    /// Whose.
    pub order_id: OrderId,
    /// From 1.
    pub position: i64,
    /// What.
    #[schema(value_type = String)]
    pub sku_id: catalog::SkuId,
    /// Its code.
    pub sku: String,
    /// Its title when it was sold.
    pub title: String,
    /// Minor units, with tax where the order is tax-inclusive.
    pub unit_price: i64,
    /// Parts per million.
    pub tax_rate_ppm: i64,
    /// Of the SKU when it was sold.
    pub tax_class: String,
    /// `unit_price × ordered`.
    pub gross: i64,
    /// Of the line and its share of the order's.
    pub discount: i64,
    /// The same without tax.
    pub discount_net: i64,
    /// Goods without tax, after discount.
    pub net: i64,
    /// Tax on them.
    pub tax: i64,
    /// Share of shipping without tax.
    pub shipping: i64,
    /// Tax on that.
    pub shipping_tax: i64,
    /// Share of fees.
    pub fee: i64,
    /// All of it.
    pub total: i64,
    /// Cost of the units shipped so far, base currency.
    pub cost: i64,
    /// Backorder rather than refuse.
    pub backorder_ok: bool,
    /// Units.
    pub ordered: i64,
    /// Units that will not ship.
    pub cancelled: i64,
    /// Units not looked at yet.
    pub pending: i64,
    /// Units that wait for stock.
    pub backordered: i64,
    /// Units promised at a location.
    pub allocated: i64,
    /// Units in a tote.
    pub picked: i64,
    /// Units in a parcel.
    pub packed: i64,
    /// Units that left.
    pub shipped: i64,
    /// Of them, at the customer's.
    pub delivered: i64,
    /// Of them, lost.
    pub lost: i64,
    /// Of the shipped, came back and were accepted.
    pub returned: i64,
}

/// The money of some of a line's units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// Discount without tax.
    pub discount_net: i64,
    /// Goods without tax, after discount.
    pub net: i64,
    /// Tax on them.
    pub tax: i64,
    /// Share of shipping without tax.
    pub shipping: i64,
    /// Tax on that.
    pub shipping_tax: i64,
    /// Share of fees.
    pub fee: i64,
}
impl Parts {
    /// What the customer pays for them.
    pub fn total(&self) -> i64 {
        self.net + self.tax + self.shipping + self.shipping_tax + self.fee
    }
    /// Goods and their tax alone.
    pub fn goods(&self) -> i64 {
        self.net + self.tax
    }
}

/// The exact money of the units `from..to` of a line (units are numbered from 0). Disjoint ranges that cover the line sum to the line.
///
/// What the customer sees is split first (goods with tax, shipping with tax), so that each of four units at 10.00 is 10.00; tax is what
/// that leaves over the split net. Units ship from 0 upwards and are cancelled from the last downwards, so what ships, what is cancelled
/// and what comes back never share a unit.
pub fn unit_parts(line: &LineRow, from: i64, to: i64) -> Parts {
    let share = |total: i64| units_share(total, line.ordered, from, to);
    let (net, shipping) = (share(line.net), share(line.shipping));
    Parts {
        discount_net: share(line.discount_net),
        net,
        tax: share(line.net + line.tax) - net,
        shipping,
        shipping_tax: share(line.shipping + line.shipping_tax) - shipping,
        fee: share(line.fee),
    }
}
