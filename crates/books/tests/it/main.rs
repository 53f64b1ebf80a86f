//! The books on both databases: every step of orders' lives is posted, statements and hledger agree, and every law of every slice holds.

mod posting;
mod shop;
mod text;
