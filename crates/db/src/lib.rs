//! The database: opening it (SQLite or PostgreSQL, one code path), transactions, set-based SQL, the event log, jobs, idempotent
//! answers, settings, laws and lanes.
//!
//! Invariants: only [`write!`] opens transactions; a transaction reaches nothing but the database; every event is in the log in the
//! transaction that caused it, and the reactions to it ran there too.

pub mod answers;
pub mod backup;
mod clock;
mod dispatch;
mod error;
mod group;
mod jobs;
mod lane;
pub mod laws;
mod lease;
mod lookup;
mod migrate;
mod open;
mod postgres;
pub mod settings;
mod sql;
mod sqlite;
mod sums;
#[cfg(feature = "testing")]
pub mod testing;
mod timers;
mod turns;
mod tx;
mod unwind;

pub use clock::{Clock, Life};
pub use dispatch::{Listener, dispatch_pending};
pub use error::{is_check_violation, is_unique_violation};
pub use jobs::{Ctx, Job, JobKind, Parts, work_once, work_until};
pub use kernel::row::{FromRow, Value};
pub use lane::{Busy, Command, Lane};
pub use laws::{Law, Offence, Proof, Sums};
pub use lookup::{Lookup, Question};
pub use open::{Backend, Db, Options};
pub use postgres::Session;
pub use row_derive::FromRow;
pub use sql::{Asked, Rows, Sql};
pub use timers::Timer;
pub use tx::{Reaction, Settled, Tx, typed};

use std::future::Future;
use std::pin::Pin;

/// A boxed future, for the few places where functions are values.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
