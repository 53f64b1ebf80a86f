//! What an import did, as it is kept with the run and shown at its end.

use std::path::PathBuf;

use kernel::Currency;
use serde::{Deserialize, Serialize};

use crate::Control;

/// Something of the files that the commands refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The order or invoice of the file.
    pub reference: String,
    /// Why.
    pub reason: String,
}

/// What was booked, over all attempts of a run. Amounts in minor units of the source's currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// SKUs made (those that were there stay as they are).
    pub skus: u64,
    /// Suppliers made, each with its location.
    pub suppliers: u64,
    /// Customers read.
    pub customers: u64,
    /// Units received as opening stock.
    pub units_received: i64,
    /// Orders placed.
    pub orders: u64,
    /// Orders that were there already.
    pub orders_known: u64,
    /// Σ of the orders placed.
    pub charged: i64,
    /// Orders with units that wait for stock.
    pub orders_waiting: u64,
    /// Orders cancelled.
    pub cancelled: u64,
    /// Payments recorded.
    pub payments: u64,
    /// Of which captured.
    pub captured: i64,
    /// Refunded.
    pub refunded: i64,
    /// Parcels shipped.
    pub parcels: u64,
    /// Returns.
    pub returns: u64,
    /// Units they brought back.
    pub units_returned: i64,
    /// Changes of stock.
    pub stock_changes: u64,
    /// Charges, credits and differences booked outside of orders.
    pub adjustments: u64,
    /// Σ of them.
    pub adjusted: i64,
    /// Reviews kept.
    pub reviews: u64,
    /// Notes written on orders.
    pub notes: u64,
    /// What the commands refused.
    pub refused: Vec<Refused>,
}

impl Counts {
    /// Notes that something was refused.
    pub(crate) fn refuse(&mut self, reference: &str, reason: impl std::fmt::Display) {
        self.refused.push(Refused { reference: reference.to_owned(), reason: reason.to_string() });
    }
}

/// What became of the rows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// File name.
    pub file: String,
    /// Rows read.
    pub read: u64,
    /// Rows taken.
    pub taken: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Where they were written, when there are any.
    pub rejected_to: Option<PathBuf>,
}

/// How an import ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// From the beginning to the end.
    Imported,
    /// From where an earlier attempt had stopped.
    Resumed,
    /// These files were imported before: nothing was done.
    Unchanged,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The source, which is also the channel of its orders.
    pub source: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Of the amounts; none where the source has several.
    pub currency: Option<Currency>,
    /// What was booked, over all attempts.
    pub counts: Counts,
    /// The files.
    pub files: Vec<FileReport>,
    /// The control totals of the source as the database has them now.
    pub control: Vec<Control>,
    /// What should be known besides.
    pub remarks: Vec<String>,
}
