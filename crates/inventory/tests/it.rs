//! Inventory on both databases: every command keeps the laws, in any order; races never promise what is not there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod it {
    pub mod api;
    pub mod commands;
    pub mod purchases;
    pub mod random;
    pub mod reservations;
    pub mod shop;
}
