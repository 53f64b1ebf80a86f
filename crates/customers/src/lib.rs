//! Customers: who buys, how to reach them, and the store credit they have.
//!
//! Invariants: an e-mail address (by its key) and a phone number lead to one customer each; a balance of store credit is the sum of its
//! entries and never below zero; an entry's reference is posted once; who was merged owns nothing and leads to whom they were merged into.
//!
//! Commands: [`find_or_create`], [`post_credit`], [`note_customers`], [`set_consents`], [`merge`], [`edit_customer`].

mod api;
mod api_consents;
mod api_merge;
mod consent;
mod credit;
mod duplicates;
mod edit;
pub mod events;
mod find;
pub mod laws;
mod merge;
mod model;
mod names;
mod note;
mod pages;
mod pages_consent;
mod pages_merge;
pub mod read;
mod survivor;

pub use consent::{
    Channel as ConsentChannel, ConsentId, ConsentRefused, ConsentRow, SetConsent, consents_of, in_force,
    set_consents,
};
pub use credit::{CreditEntry, CreditRefused, balances_to_spend, credit_balance, post_credit};
pub use duplicates::{Likely, Likeness, SAME_PHONE, duplicates};
pub use edit::{EditCustomer, EditRefused, edit_customer};
pub use find::{Contact, People, find_or_create};
pub use merge::{Keep, Merge, MergeRefused, Plan, Side, Word, merge, preview as preview_merge};
pub use model::{Customer, CustomerId};
pub use names::surnames;
pub use note::{CustomerNote, CustomerNoteId, CustomerNoteRefused, note_customers};
pub use survivor::{Alias, aliases, survivor};

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
    codes: &[
        CreditRefused::CODES,
        CustomerNoteRefused::CODES,
        ConsentRefused::CODES,
        MergeRefused::CODES,
        EditRefused::CODES,
    ],
    laws: laws::LAWS,
    api: || api::routes().merge(api_consents::routes()).merge(api_merge::routes()),
    pages: || pages::routes().merge(pages_merge::routes()),
    ..web::Slice::EMPTY
};
