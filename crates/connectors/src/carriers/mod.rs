//! Carriers, a file or folder each.

pub mod rate_table;
