//! The books: double entry, posted in the transaction of the event that causes it.
//!
//! Invariants: the journal is a pure function of the event log ([`entry::entry`]); an entry balances because each of its rows moves one
//! amount from one account to another; an event is posted once; a closed month never changes; the running sums by month equal the
//! postings. Nothing but the reaction [`POST`] writes the journal.
//!
//! Commands: [`adjust`], [`close_periods`]. Queries: [`statements`], [`read::journal`], [`hledger::Export`],
//! [`today`].

pub mod accounts;
mod adjust;
mod api;
mod close;
pub mod entry;
pub mod events;
mod hear;
pub mod hledger;
mod home;
mod laws;
mod month;
mod of_order;
mod pages;
mod post;
pub mod read;
pub mod statements;
pub mod today;

pub use adjust::{AdjustRefused, Adjustment, adjust};
pub use api::{ReadBooks, WriteBooks};
pub use close::{ClosePeriod, CloseRefused, close_periods};
pub use laws::LAWS;
pub use month::{Month, NotAMonth};
pub use post::POST;

/// The slice, for the program's list.
pub const SLICE: web::Slice = web::Slice {
    name: "books",
    permissions: &[web::grant::<ReadBooks>(), web::grant::<WriteBooks>()],
    reactions: &[POST],
    laws: LAWS,
    codes: &[AdjustRefused::CODES, CloseRefused::CODES],
    api: api::routes,
    pages: || pages::routes().merge(home::routes()).merge(of_order::routes()),
    menu: pages::MENU,
    panels: &[of_order::PANEL],
    ..web::Slice::EMPTY
};
