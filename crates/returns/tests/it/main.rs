//! Returns on both databases, through the real commands of all slices above, with every law checked at the end of each test.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod calling;
mod exchanging;
mod returning;
mod serve;
mod shop;
