//! The warehouse on both databases: allocation to parcel, bundles, short picks, third parties and suppliers, history in bulk.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod floor;
mod others;
mod shop;
