//! The Olist marketplace data set (nine CSV files) to a [`Plan`]: catalogue, sellers, customers, orders with a
//! script of steps that ends in the state each order had, and reviews. Pure: the same files give the same plan.
//!
//! Invariants: for every file `read = taken + rejected`; for every order goods + freight + adjustment = the sum
//! of its payments, to the cent (an order the file has no payment for stays unpaid); the steps of a script never go back in time; every time or amount that was
//! changed to reach that is kept in a [`Note`].

mod catalogue;
mod files;
mod map;
mod orders;
mod people;
mod rows;
mod script;

pub use catalogue::{Dimensions, Item, OpeningStock, opening_stock};
pub use files::{Files, ZONE};
pub use map::{Map, Place, Precision};
pub use orders::{Adjustment, AdjustmentKind, Line, Method, Order, Parcel, Payment, Review, Status};
pub use people::{Customer, Seller, ShipTo, contact_email};
pub use script::{Ending, Milestone, Note, Step, ending};

use crate::sheet::{BadFile, Sheet};

/// All that the files say, in the order in which it should be booked: orders by time and reference, everything
/// else by its id.
#[derive(Debug)]
pub struct Plan {
    /// Products as SKUs.
    pub items: Vec<Item>,
    /// Sellers, each a drop-ship supplier with a location.
    pub sellers: Vec<Seller>,
    /// Persons (not the per-order customer ids of the file).
    pub customers: Vec<Customer>,
    /// What each seller must have had to ship what it shipped.
    pub stock: Vec<OpeningStock>,
    /// Orders with lines.
    pub orders: Vec<Order>,
    /// Reviews of the orders above.
    pub reviews: Vec<Review>,
    /// One entry per file, with its rejected rows.
    pub sheets: Vec<Sheet>,
    /// Sums that prove the import.
    pub totals: Totals,
}

/// Control totals in centavos. `payments_read = payments_taken + payments_rejected`, and
/// `payments_taken + unpaid = goods + freight + adjustments`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Σ value of all payment rows that could be read.
    pub payments_read: i64,
    /// Σ value of the payments of the orders taken.
    pub payments_taken: i64,
    /// Σ value of the payment rows rejected.
    pub payments_rejected: i64,
    /// Σ price of the items of the orders taken.
    pub goods: i64,
    /// Σ freight of the items of the orders taken.
    pub freight: i64,
    /// Σ adjustments of the orders taken (fees positive, discounts negative).
    pub adjustments: i64,
    /// Σ total of the orders taken that have no payment in the file.
    pub unpaid: i64,
}

/// Turns the files into a plan.
///
/// # Errors
/// [`BadFile`] when a header lacks a column or a file is not readable as CSV; bad rows are in `sheets`.
pub fn plan(files: &Files) -> Result<Plan, BadFile> {
    let (geolocation, map) = map::read_map(&files.geolocation)?;
    let (translation, english) = catalogue::read_translation(&files.translation)?;
    let (products, items) = catalogue::read_items(&files.products, &english)?;
    let (sellers_sheet, sellers) = people::read_sellers(&files.sellers, &map)?;
    let (customers_sheet, buyers) = people::read_customers(&files.customers)?;
    let known = orders::Known::new(&items, &sellers, &buyers);
    let mut joined = orders::read_orders(files, &known)?;
    joined.orders.sort_by(|a, b| (a.placed_at, &a.reference).cmp(&(b.placed_at, &b.reference)));
    let customers = people::customers(&buyers, &joined.orders);
    let stock = opening_stock(&joined.orders);
    let mut sheets = vec![geolocation, translation, products, sellers_sheet, customers_sheet];
    sheets.append(&mut joined.sheets);
    for sheet in &mut sheets {
        sheet.rejected.sort_by_key(|row| row.line);
    }
    let orders::Joined { orders, reviews, totals, .. } = joined;
    Ok(Plan { items, sellers, customers, stock, orders, reviews, sheets, totals })
}
