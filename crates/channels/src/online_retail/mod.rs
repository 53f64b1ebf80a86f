//! A wholesaler's invoice lines (the UCI "Online Retail" CSV, plain or gzip) to a [`Plan`] of documents: sales,
//! credits matched to earlier sales, charges, and changes of stock. Pure: the same bytes give the same plan.
//!
//! Invariants: `read = taken + rejected` rows; Σ quantity × price over all rows is computed exactly (millionths
//! of a pound, no floats) and equals taken + rejected; what is booked differs from it only by the sub-penny
//! digits listed in [`Plan::sub_penny`]; no document of the plan takes stock that is not there.

mod codes;
mod countries;
mod credits;
mod documents;
mod rows;
mod stock;

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

pub use codes::{ChargeKind, Code, classify};
pub use countries::{Country, Special, parse_country};
pub use credits::{Credit, CreditLine, Match};
pub use documents::{Charge, ChargeOnly, Document, LineKind, Sale, SaleLine};
pub use rows::{MICROS_PER_PENNY, ZONE};
pub use stock::{OpeningStock, StockChange, StockReason};

use crate::sheet::{BadFile, Sheet, record_at};

/// All that the file says.
#[derive(Debug)]
pub struct Plan {
    /// SKUs with the title most of their priced lines have, by code.
    pub items: Vec<Item>,
    /// What must have been on the shelves before the first document.
    pub stock: Vec<OpeningStock>,
    /// By time, then by line in the file.
    pub documents: Vec<Document>,
    /// Rows whose amount is no whole number of pennies.
    pub sub_penny: Vec<SubPenny>,
    /// Invoices whose rows have different times; the earliest is taken.
    pub invoices_with_several_times: u64,
    /// The file with its rejected rows.
    pub sheet: Sheet,
    /// Sums that prove the import.
    pub totals: Totals,
}

/// A SKU of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Stock code in upper case.
    pub sku: Arc<str>,
    /// Description, or the code where no line has one.
    pub title: Arc<str>,
    /// Whether it is a thing with stock or a gift voucher.
    pub kind: LineKind,
}

/// A row booked at the nearest penny (half to even).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubPenny {
    /// Invoice number.
    pub invoice: Arc<str>,
    /// Line in the file.
    pub line: u64,
    /// Exact amount in millionths of a pound.
    pub exact_micros: i128,
    /// Amount booked, pence.
    pub booked: i64,
}

/// Control totals. Micros are millionths of a pound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Different invoice numbers in the file, credits included.
    pub invoices: u64,
    /// Of which start with `C`.
    pub credit_invoices: u64,
    /// Σ quantity × price over every row in which both can be read: the control total.
    pub exact_micros: i128,
    /// Of which is in rejected rows.
    pub rejected_micros: i128,
    /// Σ over the documents, pence: what the import books.
    pub booked: i64,
    /// Rows that became lines of sales.
    pub sale_rows: u64,
    /// Rows that became lines of credits.
    pub credit_rows: u64,
    /// Rows that became shipping, fees, discounts and other charges.
    pub charge_rows: u64,
    /// Rows that became changes of stock.
    pub stock_rows: u64,
}

impl Totals {
    /// The control total rounded to pence, as published.
    pub fn control(&self) -> i128 {
        crate::decimal::divide_half_even(self.exact_micros, i128::from(MICROS_PER_PENNY))
    }
}

/// Turns the file into a plan; gzip is recognised by its first bytes.
///
/// # Errors
/// [`BadFile`] when it cannot be unpacked, the header lacks a column, or it is not readable as CSV.
pub fn plan(file: &str, bytes: &[u8]) -> Result<Plan, BadFile> {
    plan_plain(file, &unpacked(file, bytes)?)
}

/// The bytes of the CSV, unpacked where they are gzip.
pub(crate) fn unpacked<'a>(file: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, BadFile> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut plain = Vec::new();
    let unpacked = MultiGzDecoder::new(bytes).read_to_end(&mut plain);
    unpacked.map_err(|source| BadFile::Io { file: file.to_owned(), source })?;
    Ok(Cow::Owned(plain))
}

fn plan_plain(file: &str, bytes: &[u8]) -> Result<Plan, BadFile> {
    let mut read = rows::read_rows(file, bytes)?;
    let built = documents::build(&read.rows, &read.refused);
    for (index, reason) in &built.rejected {
        let row = &read.rows[*index];
        let record = record_at(file, bytes, row.offset)?;
        read.sheet.reject(row.line, record, reason.clone());
        read.totals.rejected_micros += row.amount_micros();
    }
    read.sheet.rejected.sort_by_key(|row| row.line);
    let mut documents = built.documents;
    credits::match_credits(&mut documents);
    let mut totals = read.totals;
    for document in &documents {
        totals.booked += document.total();
        match document {
            Document::Sale(sale) => {
                totals.sale_rows += sale.lines.len() as u64;
                totals.charge_rows += sale.charges.len() as u64;
            }
            Document::Credit(credit) => {
                totals.credit_rows += credit.lines.len() as u64;
                totals.charge_rows += credit.charges.len() as u64;
            }
            Document::Charges(only) => totals.charge_rows += only.charges.len() as u64,
            Document::Stock(_) => totals.stock_rows += 1,
        }
    }
    Ok(Plan {
        items: documents::items(&read.rows, &documents),
        stock: stock::opening_stock(&documents),
        documents,
        sub_penny: built.sub_penny,
        invoices_with_several_times: built.several_times,
        sheet: read.sheet,
        totals,
    })
}
