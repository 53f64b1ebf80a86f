//! What the books tell the world. Invariant: an adjustment by hand is a fact like any other, so the journal stays a function of the
//! event log.

use kernel::Currency;
use serde::{Deserialize, Serialize};

/// A correction was made by hand; the posting follows from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BooksAdjusted {
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units; negative swaps the sides.
    pub amount: i64,
    /// Account code.
    pub debit: String,
    /// Account code.
    pub credit: String,
    /// Why.
    pub text: String,
}
kernel::fact!(BooksAdjusted, "books.adjusted");

/// The books were closed up to and including a month.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PeriodClosed {
    /// As `2026-01`.
    pub month: String,
}
kernel::fact!(PeriodClosed, "books.period_closed");
