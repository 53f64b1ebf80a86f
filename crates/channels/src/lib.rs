//! Where orders come from outside: the file importers.
//!
//! Each importer has a pure half that turns bytes into a typed *plan* of what happened, without a database,
//! a clock or randomness: the same bytes always give the same plan. Invariant of every plan: a row of the file
//! is either taken or rejected with a reason, never dropped, so `read = taken + rejected` for every file, and
//! money is exact integer arithmetic from the text of the file to the plan. The other half, [`import`], drives
//! the plans through the real commands; [`control`] proves from the database alone what came of it.

mod control;
pub mod decimal;
pub mod import;
pub mod local_time;
pub mod olist;
pub mod online_retail;
pub mod orders_csv;
pub mod rejected;
pub mod sheet;

pub use control::{Control, control};
