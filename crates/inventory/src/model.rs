//! Locations and kinds of movements. Invariant: whether we own what lies at a location follows from its kind alone.

use catalog::SupplierId;
use contact::address::Address;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

kernel::id!(LocationId, "loc", "A place that holds stock.");
kernel::id!(ReservationId, "rsv", "Stock that is kept for a cart until a moment.");
kernel::id!(MovementId, "mov", "A change of stock.");

/// What a location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum LocationKind {
    /// Our own warehouse.
    #[serde(rename = "warehouse")]
    Warehouse,
    /// Our own shop.
    #[serde(rename = "shop")]
    Shop,
    /// A logistics provider who holds and ships our stock.
    #[serde(rename = "3pl")]
    ThirdParty,
    /// A supplier who ships his own stock to our customers.
    #[serde(rename = "supplier")]
    Supplier,
}

/// A kind of location nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a kind of location: warehouse, shop, 3pl or supplier")]
pub struct UnknownLocationKind(pub String);

impl LocationKind {
    /// As the database and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warehouse => "warehouse",
            Self::Shop => "shop",
            Self::ThirdParty => "3pl",
            Self::Supplier => "supplier",
        }
    }
    /// Whether what lies there is on our balance sheet.
    pub fn owned(self) -> bool {
        self != Self::Supplier
    }
}
impl FromStr for LocationKind {
    type Err = UnknownLocationKind;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "warehouse" => Ok(Self::Warehouse),
            "shop" => Ok(Self::Shop),
            "3pl" => Ok(Self::ThirdParty),
            "supplier" => Ok(Self::Supplier),
            other => Err(UnknownLocationKind(other.to_owned())),
        }
    }
}
impl std::fmt::Display for LocationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl kernel::row::FromCell for LocationKind {
    fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
        kernel::row::parsed(cell)
    }
}

/// A place that holds stock.
#[derive(Debug, Clone, PartialEq)]
pub struct Location {
    /// Our id.
    pub id: LocationId,
    /// The merchant's code of it.
    pub code: String,
    /// What people read.
    pub name: String,
    /// What it is.
    pub kind: LocationKind,
    /// Whose it is, for a supplier's location.
    pub supplier: Option<SupplierId>,
    /// Lower ships first.
    pub priority: i64,
    /// ISO 3166 code, as in the address.
    pub country: String,
    /// As in the address.
    pub postal_code: Option<String>,
    /// Where parcels leave.
    pub address: Address,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// Whether orders are sourced from here.
    pub active: bool,
}

impl Location {
    /// Whether what lies there is on our balance sheet: everywhere but at a supplier's.
    pub fn owned(&self) -> bool {
        self.kind.owned()
    }
    /// Who does the work of fulfilment there: `own`, `3pl` or `dropship`.
    pub fn executor(&self) -> &'static str {
        match self.kind {
            LocationKind::Warehouse | LocationKind::Shop => "own",
            LocationKind::ThirdParty => "3pl",
            LocationKind::Supplier => "dropship",
        }
    }
}

/// Why stock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// Goods came in.
    Receipt,
    /// Promised to an order.
    Allocate,
    /// The promise was taken back.
    Release,
    /// Left with a parcel.
    Ship,
    /// Came back from a customer.
    Return,
    /// Corrected by hand.
    Adjust,
    /// Corrected by counting.
    Count,
    /// Went to or came from another location.
    Transfer,
    /// Is expected, or no longer.
    Expect,
    /// Went into quarantine or left it.
    Quarantine,
    /// Kept for a cart, or no longer.
    Reserve,
}

impl MoveKind {
    /// As the database and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Allocate => "allocate",
            Self::Release => "release",
            Self::Ship => "ship",
            Self::Return => "return",
            Self::Adjust => "adjust",
            Self::Count => "count",
            Self::Transfer => "transfer",
            Self::Expect => "expect",
            Self::Quarantine => "quarantine",
            Self::Reserve => "reserve",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_written_one_way() {
        for (kind, text, owned) in [
            (LocationKind::Warehouse, "warehouse", true),
            (LocationKind::Shop, "shop", true),
            (LocationKind::ThirdParty, "3pl", true),
            (LocationKind::Supplier, "supplier", false),
        ] {
            assert_eq!((kind.as_str(), text.parse(), kind.owned()), (text, Ok(kind), owned));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{text}\""));
        }
        for kind in [MoveKind::Receipt, MoveKind::Expect, MoveKind::Quarantine] {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.as_str()));
        }
        assert!("attic".parse::<LocationKind>().is_err());
    }
}
