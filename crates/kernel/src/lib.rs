//! The words every part of Fulmar shares: ids, money, time, refusals and faults, callers, facts and calls to outside parties.
//! Pure: no async, no database, no clock, no randomness.

pub mod caller;
pub mod fact;
pub mod fault;
pub mod ids;
pub mod money;
pub mod outside;
pub mod refusal;
pub mod row;
pub mod secret;
pub mod time;

pub use caller::{Actor, Permission};
pub use fact::{Event, Fact};
pub use fault::Fault;
pub use ids::{Id, IdGen};
pub use money::{Currency, Money};
pub use refusal::{Kind, Refuse};
pub use secret::Secret;
pub use time::Timestamp;

#[doc(hidden)]
pub use serde as __serde;
#[cfg(feature = "api")]
#[doc(hidden)]
pub use utoipa as __utoipa;
