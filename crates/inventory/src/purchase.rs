//! Purchase orders: what is ordered from a supplier for a location, how much of it came, and what will not come any more.
//!
//! Invariants: what came is receipts, each of which is one movement of stock made by [`crate::receive`], so a purchase order never changes
//! what lies on a shelf in a way of its own; no more is received than is ordered unless somebody said why; what is still to come is the
//! incoming stock of its location. The state follows from the counters. Rows are locked before those of stock.

mod book;
mod cancel;
mod order;
mod read;
mod receive;
mod save;

pub use cancel::{CancelPurchase, CancelPurchaseRefused, cancel_purchases};
pub use order::{OrderPurchase, OrderPurchaseRefused, order_purchases};
pub use read::{
    OnOrder, Purchase, PurchaseFilter, PurchaseLine, PurchaseReceipt, on_order, purchase, purchase_lines,
    purchase_receipts, purchases,
};
pub use receive::{ReceivePurchase, ReceivePurchaseRefused, receive_purchases};
pub use save::{SavePurchase, SavePurchaseRefused, Wanted, save_purchases};

use serde::{Deserialize, Serialize};

kernel::id!(PurchaseId, "pur", "A purchase order.");

/// Lines of a purchase order at most.
pub const MOST_LINES: usize = 500;

/// How far a purchase order is; derived, never assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseStatus {
    /// Not sent yet: it can be changed.
    Draft,
    /// Sent, and nothing came.
    Ordered,
    /// Some of it came.
    PartlyReceived,
    /// Nothing more is to come.
    Received,
    /// Nothing came, and nothing will.
    Cancelled,
}

impl PurchaseStatus {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 5] =
        [Self::Draft, Self::Ordered, Self::PartlyReceived, Self::Received, Self::Cancelled];
    /// As the database and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Ordered => "ordered",
            Self::PartlyReceived => "partly_received",
            Self::Received => "received",
            Self::Cancelled => "cancelled",
        }
    }
}
impl std::str::FromStr for PurchaseStatus {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|s| s.as_str() == text);
        found.ok_or_else(|| format!("“{text}” is no state of a purchase order"))
    }
}
impl kernel::row::FromCell for PurchaseStatus {
    fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
        kernel::row::parsed(cell)
    }
}
