//! Customers: who buys, how to reach them, and the store credit they have.
//!
//! Invariants: an e-mail address (by its key) and a phone number lead to one customer each; a balance of store credit is the sum of its
//! entries and never below zero; an entry's reference is posted once.
//!
//! Commands: [`find_or_create`], [`post_credit`].

mod api;
mod credit;
pub mod events;
mod find;
pub mod laws;
mod model;
pub mod read;

pub use credit::{CreditEntry, CreditRefused, credit_balance, post_credit};
pub use find::{Contact, find_or_create};
pub use model::{Customer, CustomerId};

/// Customers, as the program sees them.
pub const SLICE: web::Slice = web::Slice {
    name: "customers",
    permissions: &[web::grant::<api::ReadCustomers>(), web::grant::<api::WriteCustomers>()],
    codes: &[CreditRefused::CODES],
    laws: laws::LAWS,
    api: api::routes,
    ..web::Slice::EMPTY
};
