//! Returns on both databases, through the real commands of all slices above, with every law checked at the end of each test.

mod exchanging;
mod returning;
mod shop;
