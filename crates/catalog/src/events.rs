//! What the catalogue tells the world.

use crate::{SkuId, SkuKind, SupplierId};
use kernel::fact;
use serde::{Deserialize, Serialize};

/// A SKU was made or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkuSaved {
    /// The SKU.
    pub sku: SkuId,
    /// Its code.
    pub code: String,
    /// Its title after the change.
    pub title: String,
    /// Its kind.
    pub kind: SkuKind,
    /// Whether it did not exist before.
    pub new: bool,
}
fact!(SkuSaved, "sku.saved");

/// A SKU was taken into or out of the offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkuActivated {
    /// The SKU.
    pub sku: SkuId,
    /// Its code.
    pub code: String,
    /// Whether it is for sale now.
    pub active: bool,
}
fact!(SkuActivated, "sku.activated");

/// A supplier was made or renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupplierSaved {
    /// The supplier.
    pub supplier: SupplierId,
    /// The merchant's code of them.
    pub code: String,
    /// Their name after the change.
    pub name: String,
}
fact!(SupplierSaved, "supplier.saved");

/// A tax rate was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaxRateSet {
    /// ISO 3166 code.
    pub country: String,
    /// Region of the country; `None` for all of it.
    pub region: Option<String>,
    /// The tax class of SKUs.
    pub class: String,
    /// Parts per million: 190,000 is 19 %.
    pub rate_ppm: i64,
}
fact!(TaxRateSet, "tax_rate.set");

/// A tax rate was taken away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaxRateRemoved {
    /// ISO 3166 code.
    pub country: String,
    /// Region of the country; `None` for the rate of all of it.
    pub region: Option<String>,
    /// The tax class of SKUs.
    pub class: String,
}
fact!(TaxRateRemoved, "tax_rate.removed");
