//! The books on both databases: every step of orders' lives is posted, statements and hledger agree, and every law of every slice holds.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod calling;
mod posting;
mod serve;
mod shop;
mod text;
