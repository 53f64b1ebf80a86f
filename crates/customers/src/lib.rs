//! Customers: who buys, how to reach them, and the store credit they have.
//!
//! Invariants: an e-mail address (by its key) and a phone number lead to one customer each; a balance of store credit is the sum of its
//! entries and never below zero; an entry's reference is posted once.
//!
//! Commands: [`find_or_create`], [`post_credit`], [`note_customers`], [`set_consents`].

mod api;
mod api_consents;
mod consent;
mod credit;
pub mod events;
mod find;
pub mod laws;
mod model;
mod names;
mod note;
mod pages;
mod pages_consent;
pub mod read;

pub use consent::{
    Channel as ConsentChannel, ConsentId, ConsentRefused, ConsentRow, SetConsent, consents_of, in_force,
    set_consents,
};
pub use credit::{CreditEntry, CreditRefused, balances_to_spend, credit_balance, post_credit};
pub use find::{Contact, People, find_or_create};
pub use model::{Customer, CustomerId};
pub use names::surnames;
pub use note::{CustomerNote, CustomerNoteId, CustomerNoteRefused, note_customers};

/// Customers, as the program sees them.
pub const SLICE: web::Slice = web::Slice {
    name: "customers",
    permissions: &[web::grant::<api::ReadCustomers>(), web::grant::<api::WriteCustomers>()],
    menu: &[web::MenuItem {
        title: "Customers",
        path: "/customers",
        scope: "customers:read",
        group: web::Group::Customers,
        order: 10,
    }],
    search: &[pages::SEARCH],
    codes: &[CreditRefused::CODES, CustomerNoteRefused::CODES, ConsentRefused::CODES],
    laws: laws::LAWS,
    api: || api::routes().merge(api_consents::routes()),
    pages: pages::routes,
    ..web::Slice::EMPTY
};
