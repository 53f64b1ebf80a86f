//! What a SKU is. Invariant: [`Sku::takes`] names simple SKUs only, each once.

use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

kernel::id!(SkuId, "sku", "Something that is stocked and sold, or only sold.");
kernel::id!(SupplierId, "sup", "Somebody we buy from, or who ships for us.");

/// What a SKU is to stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkuKind {
    /// Stocked and sold.
    Simple,
    /// Sold as one, stocked as its components.
    Bundle,
    /// Sold, never stocked nor shipped.
    Service,
}

/// A kind nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a kind of SKU: simple, bundle or service")]
pub struct UnknownSkuKind(pub String);

impl SkuKind {
    /// As the database and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Bundle => "bundle",
            Self::Service => "service",
        }
    }
}
impl FromStr for SkuKind {
    type Err = UnknownSkuKind;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "simple" => Ok(Self::Simple),
            "bundle" => Ok(Self::Bundle),
            "service" => Ok(Self::Service),
            other => Err(UnknownSkuKind(other.to_owned())),
        }
    }
}
impl std::fmt::Display for SkuKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl kernel::row::FromCell for SkuKind {
    fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
        kernel::row::parsed(cell)
    }
}

/// A SKU with its prices and, for a bundle, its components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sku {
    /// Our id.
    pub id: SkuId,
    /// The merchant's code: unique, never changes.
    pub code: String,
    /// What people read.
    pub title: String,
    /// What it is to stock; never changes.
    pub kind: SkuKind,
    /// Which tax rate applies, as `standard` or `reduced`.
    pub tax_class: String,
    /// Weight of a unit in grams.
    pub weight_g: Option<i64>,
    /// Length of a unit in millimetres.
    pub length_mm: Option<i64>,
    /// Width of a unit in millimetres.
    pub width_mm: Option<i64>,
    /// Height of a unit in millimetres.
    pub height_mm: Option<i64>,
    /// Who delivers it to us.
    pub supplier: Option<SupplierId>,
    /// Whether it is for sale.
    pub active: bool,
    /// List prices, one per currency.
    pub prices: Vec<Money>,
    /// What a bundle consists of, in order of the components' codes; empty for other kinds.
    pub components: Vec<Component>,
}

/// A part of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The simple SKU.
    pub sku: SkuId,
    /// Its code.
    pub code: String,
    /// Units of it in one unit of the bundle, at least one.
    pub quantity: i64,
}

impl Sku {
    /// What one unit takes from stock: itself, its components, or nothing (service).
    pub fn takes(&self) -> Vec<(SkuId, i64)> {
        match self.kind {
            SkuKind::Simple => vec![(self.id, 1)],
            SkuKind::Bundle => self.components.iter().map(|c| (c.sku, c.quantity)).collect(),
            SkuKind::Service => Vec::new(),
        }
    }
    /// The list price of a unit in minor units, when there is one in that currency.
    pub fn price(&self, currency: Currency) -> Option<i64> {
        self.prices.iter().find(|p| p.currency == currency).map(|p| p.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_takes_itself_its_components_or_nothing() {
        let part = |n: i64, quantity| Component { sku: SkuId(n), code: format!("P{n}"), quantity };
        let sku = |kind, components| Sku {
            id: SkuId(1),
            code: "A".into(),
            title: "A".into(),
            kind,
            tax_class: "standard".into(),
            weight_g: None,
            length_mm: None,
            width_mm: None,
            height_mm: None,
            supplier: None,
            active: true,
            prices: vec![Money::new(500, "EUR".parse().unwrap())],
            components,
        };
        for (kind, components, takes) in [
            (SkuKind::Simple, vec![], vec![(SkuId(1), 1)]),
            (SkuKind::Bundle, vec![part(2, 1), part(3, 4)], vec![(SkuId(2), 1), (SkuId(3), 4)]),
            (SkuKind::Service, vec![], vec![]),
        ] {
            assert_eq!(sku(kind, components).takes(), takes);
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        let priced = sku(SkuKind::Simple, vec![]);
        assert_eq!(
            (priced.price("EUR".parse().unwrap()), priced.price("JPY".parse().unwrap())),
            (Some(500), None)
        );
        assert_eq!("gadget".parse::<SkuKind>(), Err(UnknownSkuKind("gadget".into())));
    }
}
