//! Invoice lines as read. Invariant: the amount of a row is exact; texts that repeat (codes, customers,
//! descriptions) are held once, so that half a million rows stay small.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono_tz::Tz;

use super::Totals;
use super::codes::{Code, classify};
use super::countries::{Country, parse_country};
use crate::decimal::{parse_scaled, parse_whole};
use crate::local_time::parse_local;
use crate::sheet::{BadFile, Row, Sheet, read_sheet};

/// All times in the file are British local time.
pub const ZONE: Tz = chrono_tz::Europe::London;

/// Prices are held in millionths of a pound.
pub const MICROS_PER_PENNY: i64 = 10_000;

/// What the first character of an invoice number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InvoiceKind {
    /// A number.
    Sale,
    /// `C` and a number: cancellation or return.
    Credit,
    /// `A` and a number: adjustment of bad debt.
    Adjustment,
}

#[derive(Debug, Clone)]
pub(super) struct InvoiceRow {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) invoice: Arc<str>,
    pub(super) kind: InvoiceKind,
    /// In upper case: the same product is written `85123A` and `85123a`.
    pub(super) sku: Arc<str>,
    pub(super) code: Code,
    pub(super) description: Arc<str>,
    pub(super) quantity: i64,
    pub(super) price_micros: i64,
    pub(super) at: i64,
    /// Digits; `None` for sales over the counter and of partner sites.
    pub(super) customer: Option<Arc<str>>,
    pub(super) country: Country,
}

impl InvoiceRow {
    pub(super) fn amount_micros(&self) -> i128 {
        i128::from(self.quantity) * i128::from(self.price_micros)
    }
}

pub(super) struct ReadRows {
    pub(super) sheet: Sheet,
    pub(super) rows: Vec<InvoiceRow>,
    /// Invoices one of whose rows was rejected, and why.
    pub(super) refused: HashMap<Arc<str>, String>,
    /// Counts of invoices, and the sums over all rows and over the rejected ones.
    pub(super) totals: Totals,
}

#[derive(Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn hold(&mut self, text: &str) -> Arc<str> {
        if let Some(held) = self.0.get(text) {
            return Arc::clone(held);
        }
        let held: Arc<str> = text.into();
        self.0.insert(Arc::clone(&held));
        held
    }
}

pub(super) fn read_rows(file: &str, bytes: &[u8]) -> Result<ReadRows, BadFile> {
    let columns = [
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    ];
    let mut texts = Texts::default();
    let mut refused = HashMap::new();
    let mut totals = Totals::default();
    let mut invoices: HashSet<Arc<str>> = HashSet::new();
    let (sheet, rows) = read_sheet(file, bytes, &columns, &[], |row| {
        let invoice = texts.hold(row.need("InvoiceNo")?);
        if invoices.insert(Arc::clone(&invoice)) {
            totals.invoices += 1;
            totals.credit_invoices += u64::from(invoice.starts_with('C'));
        }
        let amount = read_amount(row);
        let exact = amount.as_ref().map_or(0, |(quantity, price)| i128::from(*quantity) * i128::from(*price));
        totals.exact_micros += exact;
        amount.and_then(|amount| read_row(row, &mut texts, &invoice, amount)).inspect_err(|reason| {
            totals.rejected_micros += exact;
            let text = format!("line {} of invoice {invoice} was rejected: {reason}", row.line);
            refused.entry(invoice).or_insert(text);
        })
    })?;
    Ok(ReadRows { sheet, rows, refused, totals })
}

fn read_amount(row: &Row<'_>) -> Result<(i64, i64), String> {
    let quantity = parse_whole(row.get("Quantity")).map_err(|reason| format!("Quantity {reason}"))?;
    let price = parse_scaled(row.get("UnitPrice"), 6).map_err(|reason| format!("UnitPrice {reason}"))?;
    if quantity == 0 || quantity.abs() > 10_000_000 {
        return Err(format!("Quantity {quantity} is out of range"));
    }
    if price.abs() > 1_000_000_000_000 {
        return Err(format!("UnitPrice {:?} is out of range", row.get("UnitPrice")));
    }
    Ok((quantity, price))
}

fn read_row(
    row: &Row<'_>,
    texts: &mut Texts,
    invoice: &Arc<str>,
    (quantity, price_micros): (i64, i64),
) -> Result<InvoiceRow, String> {
    let sku = row.need("StockCode")?.to_uppercase();
    let customer = match row.get("CustomerID") {
        "" => None,
        text => {
            let number = parse_whole(text).map_err(|reason| format!("CustomerID {reason}"))?;
            Some(texts.hold(&number.to_string()))
        }
    };
    Ok(InvoiceRow {
        line: row.line,
        offset: row.offset,
        invoice: Arc::clone(invoice),
        kind: invoice_kind(invoice)?,
        code: classify(&sku)?,
        sku: texts.hold(&sku),
        description: texts.hold(row.get("Description")),
        quantity,
        price_micros,
        at: parse_local(ZONE, row.get("InvoiceDate")).map_err(|reason| format!("InvoiceDate {reason}"))?,
        customer,
        country: parse_country(row.get("Country"))?,
    })
}

fn invoice_kind(invoice: &str) -> Result<InvoiceKind, String> {
    let (kind, number) = match invoice.as_bytes().first() {
        Some(b'C') => (InvoiceKind::Credit, &invoice[1..]),
        Some(b'A') => (InvoiceKind::Adjustment, &invoice[1..]),
        _ => (InvoiceKind::Sale, invoice),
    };
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if digits { Ok(kind) } else { Err(format!("{invoice:?} is no invoice number")) }
}
