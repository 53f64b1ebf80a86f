//! The catalogue: SKUs with barcodes, prices, sizes and tax class, bundles of them, suppliers, tax rates.
//!
//! Invariants: a code names one SKU for ever and its kind never changes; a barcode leads to one SKU; a bundle consists of simple SKUs
//! only, at least one, so what a unit takes from stock is found in one step.
//!
//! Commands: [`save_skus`], [`set_active`], [`save_suppliers`], [`set_tax_rates`], and of files
//! [`import::read_import`], [`import::confirm_import`].

mod activate;
mod api;
mod api_import;
pub mod events;
pub mod import;
pub mod laws;
mod model;
mod pages;
pub mod read;
mod save;
mod supplier;
mod tax;

pub use activate::{SetActive, SetActiveRefused, set_active};
pub use model::{Component, Sku, SkuId, SkuKind, SupplierId};
pub use pages::sku_path;
pub use read::{skus_by_code, skus_by_id, skus_by_scan};
pub use save::{SaveSku, SaveSkuRefused, save_skus};
pub use supplier::{SaveSupplier, Supplier, save_suppliers, suppliers};
pub use tax::{
    RemoveTaxRate, RemoveTaxRateRefused, SetTaxRate, TaxRate, TaxRates, remove_tax_rates, set_tax_rates,
    tax_rates,
};

/// The catalogue, as the program sees it.
pub const SLICE: web::Slice = web::Slice {
    name: "catalog",
    permissions: &[web::grant::<api::ReadCatalog>(), web::grant::<api::WriteCatalog>()],
    menu: pages::MENU,
    search: &[pages::SEARCH],
    codes: &[
        SaveSkuRefused::CODES,
        SetActiveRefused::CODES,
        RemoveTaxRateRefused::CODES,
        import::ReadImportRefused::CODES,
        import::ConfirmImportRefused::CODES,
    ],
    jobs: &[db::JobKind::of::<import::RunImport>()],
    laws: laws::LAWS,
    api: api::routes,
    pages: pages::routes,
    ..web::Slice::EMPTY
};
