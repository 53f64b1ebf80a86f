//! The words of returns: ids, reasons, how a unit was received, what was decided about it, where it goes. Pure.
//!
//! Invariant: an unknown word is an error that names it, never a silent default.

use serde::{Deserialize, Serialize};

kernel::id!(ReturnId, "rma", "A return: units of one order that the customer wants to give back.");
kernel::id!(ReturnUnitId, "rtu", "One unit of a return.");
kernel::id!(ReturnLabelId, "rlb", "The label that a return is sent back with.");
kernel::id!(ReturnPhotoId, "rph", "A photo of what comes back.");

/// Units of one return.
pub const MAX_UNITS: i64 = 1_000_000;

/// A word that is none of the ones expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// What was to be read, as `Reason`.
    pub what: &'static str,
    /// The word that came.
    pub word: String,
}
impl std::fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "“{}” is no {}", self.word, self.what)
    }
}
impl std::error::Error for UnknownWord {}

/// Declares an enum whose variants are words in the database, in JSON and in the log. (`tt`: a `literal` would be opaque to the derive
/// of the schema, which would then show the names of the variants.)
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:tt,)* }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        $(#[$meta])*
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $word)] $variant,)* }
        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The word.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),* } }
        }
        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word { $($word => Ok(Self::$variant),)* _ => Err(UnknownWord { what: stringify!($name), word: word.to_owned() }) }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl From<$name> for db::Value {
            fn from(word: $name) -> Self { word.as_str().into() }
        }
        impl kernel::row::FromCell for $name {
            fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
                kernel::row::parsed(cell)
            }
        }
    };
}

words! {
    /// Why a unit comes back.
    Reason {
        /// Does not fit: too small.
        TooSmall = "too_small",
        /// Does not fit: too big.
        TooBig = "too_big",
        /// Arrived broken.
        Damaged = "damaged",
        /// Another item than ordered.
        WrongItem = "wrong_item",
        /// Other than described.
        NotAsDescribed = "not_as_described",
        /// Broke or never worked.
        Defective = "defective",
        /// Arrived too late to be of use.
        TooLate = "too_late",
        /// Not wanted after all.
        ChangedMind = "changed_mind",
        /// Something else: see the comment.
        Other = "other",
    }
}
words! {
    /// What the customer gets for what comes back.
    Resolution {
        /// The money, the ways it was paid.
        Refund = "refund",
        /// Store credit.
        StoreCredit = "store_credit",
        /// Something else instead.
        Exchange = "exchange",
    }
}
words! {
    /// Where a unit is on its way back.
    Reception {
        /// With the customer.
        Awaiting = "awaiting",
        /// On its way.
        InTransit = "in_transit",
        /// Here.
        Received = "received",
        /// Lost on its way.
        LostInTransit = "lost_in_transit",
        /// Something else came.
        WrongItem = "wrong_item",
        /// It was not in the parcel.
        Short = "short",
    }
}
words! {
    /// What was decided about a unit.
    Acceptance {
        /// Nothing yet.
        Pending = "pending",
        /// It is credited.
        Accepted = "accepted",
        /// It is not.
        Rejected = "rejected",
        /// A person has to look.
        ManualReview = "manual_review",
    }
}
words! {
    /// Where an accepted unit goes.
    Disposition {
        /// Back on the shelf.
        Restock = "restock",
        /// Aside, until somebody has looked.
        Quarantine = "quarantine",
        /// Aside, to be made good.
        Refurbish = "refurbish",
        /// Thrown away.
        Scrap = "scrap",
        /// To whoever made it.
        ToVendor = "to_vendor",
        /// The customer keeps it.
        CustomerKeeps = "customer_keeps",
    }
}
words! {
    /// How far a return is; derived from its times and its units, never stored.
    #[schema(as = ReturnStatus)]
    Status {
        /// Asked for.
        Requested = "requested",
        /// The customer may send it.
        Approved = "approved",
        /// A unit is on its way and none is awaited any more at the customer's.
        InTransit = "in_transit",
        /// No unit is awaited any more.
        Received = "received",
        /// All units are accepted or rejected.
        Inspected = "inspected",
        /// The customer got what was due.
        Settled = "settled",
        /// Refused.
        Declined = "declined",
    }
}

impl Disposition {
    /// Whether the unit lies in our stock again.
    pub fn back_in_stock(self) -> bool {
        matches!(self, Self::Restock | Self::Quarantine | Self::Refurbish)
    }
    /// Whether the unit must be here to be treated so.
    pub fn needs_the_unit(self) -> bool {
        self != Self::CustomerKeeps && self != Self::Scrap
    }
}

impl Reception {
    /// Whether the unit may still arrive.
    pub fn open(self) -> bool {
        matches!(self, Self::Awaiting | Self::InTransit)
    }
}

impl Acceptance {
    /// Whether it may still be decided.
    pub fn open(self) -> bool {
        matches!(self, Self::Pending | Self::ManualReview)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_as_they_are_written() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(serde_json::to_string(status).unwrap(), format!("\"{status}\""));
        }
        assert_eq!("sold".parse::<Reason>(), Err(UnknownWord { what: "Reason", word: "sold".into() }));
    }
}
