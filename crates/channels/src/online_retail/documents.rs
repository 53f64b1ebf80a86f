//! Groups rows into documents. Invariant: the total of a document is the sum of its rows, each at the nearest
//! penny; a document is taken whole, except that rows which move neither stock nor money are rejected alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::codes::{ChargeKind, Code};
use super::countries::Country;
use super::credits::{Credit, CreditLine};
use super::rows::{InvoiceKind, InvoiceRow, MICROS_PER_PENNY};
use super::stock::{StockChange, StockReason};
use super::{Item, SubPenny};
use crate::decimal::divide_half_even;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Document {
    /// An invoice with goods or vouchers: an order, paid and shipped at its time.
    Sale(Sale),
    /// A `C` invoice with goods: a return.
    Credit(Credit),
    /// An invoice, of any kind, with money only.
    Charges(ChargeOnly),
    /// A row without price or buyer: stock was found, lost or thrown away.
    Stock(StockChange),
}

impl Document {
    /// µs since the epoch, UTC.
    pub fn at(&self) -> i64 {
        match self {
            Document::Sale(sale) => sale.at,
            Document::Credit(credit) => credit.at,
            Document::Charges(only) => only.at,
            Document::Stock(change) => change.at,
        }
    }

    /// Line of the first row in the file: with [`Document::at`] the order of documents.
    pub fn first_line(&self) -> u64 {
        match self {
            Document::Sale(sale) => sale.first_line,
            Document::Credit(credit) => credit.first_line,
            Document::Charges(only) => only.first_line,
            Document::Stock(change) => change.line,
        }
    }

    /// Pence the document adds to the books; credits are negative.
    pub fn total(&self) -> i64 {
        match self {
            Document::Sale(sale) => sale.total(),
            Document::Credit(credit) => credit.total(),
            Document::Charges(only) => sum(&only.charges),
            Document::Stock(_) => 0,
        }
    }
}

/// An invoice with at least one line.
#[derive(Debug, Clone)]
pub struct Sale {
    /// Invoice number.
    pub invoice: Arc<str>,
    /// µs since the epoch, UTC.
    pub at: i64,
    /// Line of its first row in the file.
    pub first_line: u64,
    /// Customer number; `None` is a sale without an account.
    pub customer: Option<Arc<str>>,
    /// Destination.
    pub country: Country,
    /// In file order; the same SKU may occur more than once.
    pub lines: Vec<SaleLine>,
    /// Postage, fees, discounts.
    pub charges: Vec<Charge>,
}

impl Sale {
    /// Pence.
    pub fn total(&self) -> i64 {
        self.lines.iter().map(SaleLine::amount).sum::<i64>() + sum(&self.charges)
    }

    /// Σ of the shipping charges, pence.
    pub fn shipping(&self) -> i64 {
        self.charges.iter().filter(|c| c.kind == ChargeKind::Shipping).map(|c| c.amount).sum()
    }
}

/// One row of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleLine {
    /// Line in the file: its key for returns.
    pub line: u64,
    /// Stock code.
    pub sku: Arc<str>,
    /// Goods or voucher.
    pub kind: LineKind,
    /// Units, positive.
    pub quantity: i64,
    /// Pence per unit, rounded up to a whole penny; zero for what was given away.
    pub unit_price: i64,
    /// Pence off the line, so that the line's amount is exact where the price has sub-penny digits; else zero.
    pub discount: i64,
    /// Price as in the file, millionths of a pound.
    pub price_micros: i64,
}

impl SaleLine {
    /// Pence.
    pub fn amount(&self) -> i64 {
        self.quantity * self.unit_price - self.discount
    }
}

/// What a line sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineKind {
    /// A thing with stock.
    Goods,
    /// A gift voucher, without stock.
    GiftVoucher,
}

/// Money on an invoice that is not for goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Line in the file.
    pub line: u64,
    /// Why.
    pub kind: ChargeKind,
    /// Pence; positive is charged to the customer (or, on fees, given back to us), negative is given.
    pub amount: i64,
    /// As in the file.
    pub description: Arc<str>,
}

/// An invoice with money only.
#[derive(Debug, Clone)]
pub struct ChargeOnly {
    /// Invoice number.
    pub invoice: Arc<str>,
    /// µs since the epoch, UTC.
    pub at: i64,
    /// Line of its first row in the file.
    pub first_line: u64,
    /// Customer number.
    pub customer: Option<Arc<str>>,
    /// Destination.
    pub country: Country,
    /// At least one.
    pub charges: Vec<Charge>,
}

pub(super) fn sum(charges: &[Charge]) -> i64 {
    charges.iter().map(|charge| charge.amount).sum()
}

pub(super) struct Built {
    pub(super) documents: Vec<Document>,
    /// Index of the row, and why.
    pub(super) rejected: Vec<(usize, String)>,
    pub(super) sub_penny: Vec<SubPenny>,
    pub(super) several_times: u64,
}

pub(super) fn build(rows: &[InvoiceRow], refused: &HashMap<Arc<str>, String>) -> Built {
    let mut invoices: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        invoices.entry(&row.invoice).or_default().push(index);
    }
    let mut built = Built {
        documents: Vec::with_capacity(invoices.len()),
        rejected: Vec::new(),
        sub_penny: Vec::new(),
        several_times: 0,
    };
    for (invoice, indices) in invoices {
        let of_invoice: Vec<(usize, &InvoiceRow)> =
            indices.into_iter().map(|index| (index, &rows[index])).collect();
        let conflict = refused.get(invoice).cloned().or_else(|| conflict(&of_invoice));
        match conflict {
            Some(reason) => {
                built.rejected.extend(of_invoice.iter().map(|(index, _)| (*index, reason.clone())))
            }
            None => add_invoice(&of_invoice, &mut built),
        }
    }
    built.documents.sort_by_key(|document| (document.at(), document.first_line()));
    built.sub_penny.sort_by_key(|row| row.line);
    built
}

/// Why the rows cannot be one invoice, if so.
fn conflict(rows: &[(usize, &InvoiceRow)]) -> Option<String> {
    let (_, first) = rows.first()?;
    rows.iter().find_map(|(_, row)| {
        let quantity = row.quantity;
        if row.customer != first.customer {
            Some("the invoice has rows of different customers".to_owned())
        } else if row.country != first.country {
            Some("the invoice has rows of different countries".to_owned())
        } else if row.kind == InvoiceKind::Credit && quantity > 0 {
            Some(format!("line {}: a credit note cannot have a positive quantity", row.line))
        } else if matches!(row.code, Code::Charge(_)) {
            None
        } else if row.kind == InvoiceKind::Adjustment {
            Some(format!("line {}: an adjustment invoice cannot have goods", row.line))
        } else if row.price_micros < 0 {
            Some(format!("line {}: goods cannot have a negative price", row.line))
        } else if row.kind == InvoiceKind::Sale && quantity < 0 && row.price_micros != 0 {
            Some(format!("line {}: a negative quantity with a price needs a credit note", row.line))
        } else {
            None
        }
    })
}

fn add_invoice(rows: &[(usize, &InvoiceRow)], built: &mut Built) {
    let Some((_, first)) = rows.first() else { return };
    let at = rows.iter().map(|(_, row)| row.at).min().unwrap_or(first.at);
    built.several_times += u64::from(rows.iter().any(|(_, row)| row.at != first.at));
    let nothing_sold = first.customer.is_none() && rows.iter().all(|(_, row)| row.price_micros == 0);
    let (mut lines, mut credits, mut charges) = (Vec::new(), Vec::new(), Vec::new());
    for &(index, row) in rows {
        if row.price_micros == 0 && row.code != Code::Goods {
            let reason = format!("{} at no price moves neither stock nor money", row.sku);
            built.rejected.push((index, reason));
            continue;
        }
        let amount = booked(row, &mut built.sub_penny);
        match row.code {
            Code::Charge(kind) => {
                charges.push(Charge {
                    line: row.line,
                    kind,
                    amount,
                    description: Arc::clone(&row.description),
                });
            }
            Code::Goods | Code::GiftVoucher if row.kind == InvoiceKind::Credit => {
                credits.push(credit_line(row, amount));
            }
            Code::Goods if row.quantity < 0 || nothing_sold => {
                built.documents.push(Document::Stock(stock_change(row)));
            }
            Code::Goods | Code::GiftVoucher => lines.push(sale_line(row, amount)),
        }
    }
    let (invoice, customer) = (Arc::clone(&first.invoice), first.customer.clone());
    let (first_line, country) = (first.line, first.country);
    if !lines.is_empty() {
        let sale = Sale { invoice, at, first_line, customer, country, lines, charges };
        built.documents.push(Document::Sale(sale));
    } else if !credits.is_empty() {
        let credit = Credit { invoice, at, first_line, customer, country, lines: credits, charges };
        built.documents.push(Document::Credit(credit));
    } else if !charges.is_empty() {
        let only = ChargeOnly { invoice, at, first_line, customer, country, charges };
        built.documents.push(Document::Charges(only));
    }
}

/// The row's amount in pence; one that is no whole number of them is listed.
fn booked(row: &InvoiceRow, sub_penny: &mut Vec<SubPenny>) -> i64 {
    let exact_micros = row.amount_micros();
    let pence = divide_half_even(exact_micros, i128::from(MICROS_PER_PENNY));
    // Quantity and price are bounded when read: 10^7 units at 10^8 pence fit.
    let booked = i64::try_from(pence).unwrap_or_default();
    if exact_micros % i128::from(MICROS_PER_PENNY) != 0 {
        sub_penny.push(SubPenny { invoice: Arc::clone(&row.invoice), line: row.line, exact_micros, booked });
    }
    booked
}

/// A whole-penny price per unit that is not below the file's, and what to take off to reach `amount`.
fn unit_price(row: &InvoiceRow, quantity: i64, amount: i64) -> (i64, i64) {
    let unit = row.price_micros.div_euclid(MICROS_PER_PENNY)
        + i64::from(row.price_micros.rem_euclid(MICROS_PER_PENNY) != 0);
    (unit, unit * quantity - amount)
}

fn sale_line(row: &InvoiceRow, amount: i64) -> SaleLine {
    let (unit_price, discount) = unit_price(row, row.quantity, amount);
    SaleLine {
        line: row.line,
        sku: Arc::clone(&row.sku),
        kind: if row.code == Code::GiftVoucher { LineKind::GiftVoucher } else { LineKind::Goods },
        quantity: row.quantity,
        unit_price,
        discount,
        price_micros: row.price_micros,
    }
}

fn credit_line(row: &InvoiceRow, amount: i64) -> CreditLine {
    CreditLine {
        line: row.line,
        sku: Arc::clone(&row.sku),
        quantity: -row.quantity,
        amount: -amount,
        price_micros: row.price_micros,
        matches: Vec::new(),
    }
}

fn stock_change(row: &InvoiceRow) -> StockChange {
    StockChange {
        invoice: Arc::clone(&row.invoice),
        line: row.line,
        at: row.at,
        sku: Arc::clone(&row.sku),
        change: row.quantity,
        reason: StockReason::read(&row.description, row.quantity),
        text: Arc::clone(&row.description),
    }
}

/// Every SKU of the documents, with the description most of its priced rows have (the earliest of equals).
pub(super) fn items(rows: &[InvoiceRow], documents: &[Document]) -> Vec<Item> {
    let mut used: HashSet<&str> = HashSet::new();
    for document in documents {
        match document {
            Document::Sale(sale) => used.extend(sale.lines.iter().map(|line| &*line.sku)),
            Document::Credit(credit) => used.extend(credit.lines.iter().map(|line| &*line.sku)),
            Document::Stock(change) => {
                used.insert(&change.sku);
            }
            Document::Charges(_) => {}
        }
    }
    let mut counts: BTreeMap<&Arc<str>, (LineKind, HashMap<&Arc<str>, (u64, u64)>)> = BTreeMap::new();
    for row in rows.iter().filter(|row| used.contains(&*row.sku)) {
        let kind = if row.code == Code::GiftVoucher { LineKind::GiftVoucher } else { LineKind::Goods };
        let (_, titles) = counts.entry(&row.sku).or_insert_with(|| (kind, HashMap::new()));
        if row.price_micros > 0 && !row.description.is_empty() {
            titles.entry(&row.description).or_insert((0, row.line)).0 += 1;
        }
    }
    let item = |(sku, (kind, titles)): (&Arc<str>, (LineKind, HashMap<&Arc<str>, (u64, u64)>))| {
        let most = titles.into_iter().min_by_key(|(_, (count, line))| (std::cmp::Reverse(*count), *line));
        Item { sku: Arc::clone(sku), title: Arc::clone(most.map_or(sku, |(title, _)| title)), kind }
    };
    counts.into_iter().map(item).collect()
}
