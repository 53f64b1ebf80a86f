//! What a fulfilment order and a parcel are. Pure.
//!
//! Invariant: `shipped ≤ packed ≤ picked` and `picked + cancelled ≤ quantity`, per line and per fulfilment order: the counters are
//! cumulative, so a shipped unit stays picked and packed.

use catalog::SkuId;
use db::FromRow;
use inventory::LocationId;
use kernel::Timestamp;
use orders::{LineId, OrderId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

kernel::id!(FulfilmentId, "ful", "The part of an order that one location ships.");
kernel::id!(FulfilmentLineId, "fln", "A line of a fulfilment order.");
kernel::id!(ParcelId, "par", "Units packed together.");

/// A text that is none of the words of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// What kind of word was expected.
    pub expected: &'static str,
    /// The text that came.
    pub text: String,
}
impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” is no {}", self.text, self.expected)
    }
}
impl std::error::Error for UnknownWord {}

/// An enum whose variants are words in the database, in JSON and in URLs; an unknown word is an error that names it. (`tt`: a `literal`
/// would be opaque to the derive of the schema, which would then show the names of the variants.)
macro_rules! words {
    ($(#[$m:meta])* $name:ident, $expected:literal, { $( $(#[$v:meta])* $var:ident = $word:tt ),* $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        $(#[$m])*
        pub enum $name { $( $(#[$v])* #[serde(rename = $word)] $var ),* }
        impl $name {
            /// The word.
            pub fn as_str(self) -> &'static str { match self { $( Self::$var => $word ),* } }
        }
        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $( $word => Ok(Self::$var), )* _ => Err(UnknownWord { expected: $expected, text: text.to_owned() }) }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
        impl kernel::row::FromCell for $name {
            fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
                kernel::row::parsed(cell)
            }
        }
    };
}

words! {
    /// Who picks and packs.
    Executor, "executor (own, 3pl, dropship)", {
        /// We do.
        Own = "own",
        /// A logistics company, from our stock.
        ThirdParty = "3pl",
        /// The supplier, from his stock.
        Dropship = "dropship",
    }
}
words! {
    /// How far we are with asking somebody else to fulfil.
    #[schema(as = FulfilmentRequest)]
    Request, "fulfilment request (none, requested, accepted, rejected)", {
        /// Not asked.
        None = "none",
        /// Asked, no answer yet.
        Requested = "requested",
        /// They do it.
        Accepted = "accepted",
        /// They do not; the units went elsewhere.
        Rejected = "rejected",
    }
}
words! {
    /// Where a fulfilment order stands; derived by the database from its counters.
    #[schema(as = FulfilmentStatus)]
    Status, "fulfilment status (open, in_progress, on_hold, incomplete, closed, cancelled)", {
        /// Waits for release or request.
        Open = "open",
        /// Released, or accepted by whoever fulfils it.
        InProgress = "in_progress",
        /// The order has holds.
        OnHold = "on_hold",
        /// Some of it has left.
        Incomplete = "incomplete",
        /// All of it has left, or was cancelled.
        Closed = "closed",
        /// All of it was cancelled.
        Cancelled = "cancelled",
    }
}

/// The part of an order that one location ships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fulfilment {
    /// Id.
    pub id: FulfilmentId,
    /// The number people read.
    pub number: String,
    /// The order.
    pub order: OrderId,
    /// The location that ships it.
    pub location: LocationId,
    /// Who does the work.
    pub executor: Executor,
    /// Derived from the counters.
    pub status: Status,
    /// Whether the order has holds.
    pub on_hold: bool,
    /// How far the request to somebody else is.
    pub request: Request,
    /// Why it was rejected.
    pub request_reason: Option<String>,
    /// 1 is express.
    pub priority: i64,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was released to the floor.
    pub released_at: Option<Timestamp>,
    /// Units assigned.
    pub quantity: i64,
    /// Of these, taken away again.
    pub cancelled: i64,
    /// Picked, packed or shipped.
    pub picked: i64,
    /// Packed or shipped.
    pub packed: i64,
    /// Shipped.
    pub shipped: i64,
    /// Rises with every change.
    pub version: i64,
    /// Its lines, by id.
    pub lines: Vec<FulfilmentLine>,
}

impl Fulfilment {
    /// Units that are still to be picked.
    pub fn open(&self) -> i64 {
        self.quantity - self.cancelled - self.picked
    }
    /// Whether picking may go on: released, or accepted by whoever does it.
    pub fn begun(&self) -> bool {
        self.released_at.is_some() || self.request == Request::Accepted
    }
}

/// A line of a fulfilment order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema, FromRow)]
pub struct FulfilmentLine {
    /// Id.
    pub id: FulfilmentLineId,
    /// Its fulfilment order.
    pub fulfilment: FulfilmentId,
    /// The order's line.
    pub line: LineId,
    /// What is sold.
    pub sku_id: SkuId,
    /// Its code.
    pub sku: String,
    /// Its title.
    pub title: String,
    /// Units assigned.
    pub quantity: i64,
    /// Taken away again.
    pub cancelled: i64,
    /// Picked, packed or shipped.
    pub picked: i64,
    /// Packed or shipped.
    pub packed: i64,
    /// Shipped.
    pub shipped: i64,
}

impl FulfilmentLine {
    /// Units that are still to be picked.
    pub fn open(&self) -> i64 {
        self.quantity - self.cancelled - self.picked
    }
    /// Units that are picked and in no parcel.
    pub fn loose(&self) -> i64 {
        self.picked - self.packed
    }
}

/// Units packed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Parcel {
    /// Id.
    pub id: ParcelId,
    /// The fulfilment order it is part of.
    pub fulfilment: FulfilmentId,
    /// The order.
    pub order: OrderId,
    /// Where it stands.
    pub location: LocationId,
    /// Weight in grams.
    pub weight_g: i64,
    /// Length, width and height in millimetres, when measured.
    pub dims: Option<(i64, i64, i64)>,
    /// When it was packed.
    pub packed_at: Timestamp,
    /// By whom.
    pub packed_by: String,
    /// When it was taken apart again.
    pub unpacked_at: Option<Timestamp>,
    /// What is in it.
    pub lines: Vec<ParcelLine>,
}

/// What is in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ParcelLine {
    /// The order's line.
    pub line: LineId,
    /// The line of the fulfilment order.
    pub fulfilment_line: FulfilmentLineId,
    /// What is sold.
    pub sku_id: SkuId,
    /// Where it came from.
    pub location: LocationId,
    /// Units.
    pub quantity: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_unknown_ones_are_named() {
        for word in ["open", "in_progress", "on_hold", "incomplete", "closed", "cancelled"] {
            assert_eq!(word.parse::<Status>().map(Status::as_str), Ok(word));
        }
        let unknown = "3PL".parse::<Executor>().unwrap_err();
        assert_eq!(unknown.to_string(), "“3PL” is no executor (own, 3pl, dropship)");
    }
}
