//! Finds the nine files. Invariant: of products, sellers and translations the full catalogue is taken when the
//! folder has one, because it is a superset of the sample beside it.

use std::path::Path;

use chrono_tz::Tz;

use crate::sheet::BadFile;

/// All times in the files are Brazilian local time.
pub const ZONE: Tz = chrono_tz::America::Sao_Paulo;

/// The bytes of the files.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// `olist_customers_dataset.csv`
    pub customers: Vec<u8>,
    /// `olist_geolocation_dataset.csv`
    pub geolocation: Vec<u8>,
    /// `olist_order_items_dataset.csv`
    pub items: Vec<u8>,
    /// `olist_order_payments_dataset.csv`
    pub payments: Vec<u8>,
    /// `olist_order_reviews_dataset.csv`
    pub reviews: Vec<u8>,
    /// `olist_orders_dataset.csv`
    pub orders: Vec<u8>,
    /// `olist_products_dataset.csv`
    pub products: Vec<u8>,
    /// `olist_sellers_dataset.csv`
    pub sellers: Vec<u8>,
    /// `product_category_name_translation.csv`
    pub translation: Vec<u8>,
}

pub(super) const CUSTOMERS: &str = "olist_customers_dataset.csv";
pub(super) const GEOLOCATION: &str = "olist_geolocation_dataset.csv";
pub(super) const ITEMS: &str = "olist_order_items_dataset.csv";
pub(super) const PAYMENTS: &str = "olist_order_payments_dataset.csv";
pub(super) const REVIEWS: &str = "olist_order_reviews_dataset.csv";
pub(super) const ORDERS: &str = "olist_orders_dataset.csv";
pub(super) const PRODUCTS: &str = "olist_products_dataset.csv";
pub(super) const SELLERS: &str = "olist_sellers_dataset.csv";
pub(super) const TRANSLATION: &str = "product_category_name_translation.csv";

impl Files {
    /// Reads the files of a folder; `full_catalogue/` inside it wins for products, sellers and translations.
    ///
    /// # Errors
    /// [`BadFile::Io`] naming the file that cannot be read.
    pub fn open(folder: &Path) -> Result<Files, BadFile> {
        let read = |name: &str| read_file(&folder.join(name));
        let fullest = |name: &str| {
            let full = folder.join("full_catalogue").join(name);
            if full.is_file() { read_file(&full) } else { read(name) }
        };
        Ok(Files {
            customers: read(CUSTOMERS)?,
            geolocation: read(GEOLOCATION)?,
            items: read(ITEMS)?,
            payments: read(PAYMENTS)?,
            reviews: read(REVIEWS)?,
            orders: read(ORDERS)?,
            products: fullest(PRODUCTS)?,
            sellers: fullest(SELLERS)?,
            translation: fullest(TRANSLATION)?,
        })
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, BadFile> {
    std::fs::read(path).map_err(|source| BadFile::Io { file: path.display().to_string(), source })
}
