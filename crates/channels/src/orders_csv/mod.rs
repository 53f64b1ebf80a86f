//! Our own CSV of orders, one row per line (`docs/importing.md` describes the columns). Invariant: an order is
//! taken whole or not at all: when one of its rows is wrong, or two of its rows disagree about the order, all of
//! its rows are rejected, each with the reason.

mod read;

use std::collections::HashMap;

use csv::StringRecord;

use crate::sheet::{BadFile, Sheet, read_sheet};

/// Columns that must be in the header.
pub const NEEDED: [&str; 5] = ["reference", "currency", "sku", "quantity", "unit_price"];

/// Columns that may be.
pub const OPTIONAL: [&str; 22] = [
    "placed_at",
    "email",
    "phone",
    "name",
    "company",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "tax_inclusive",
    "line_discount",
    "shipping",
    "order_discount",
    "tax_rate",
    "paid_amount",
    "payment_method",
    "gift_note",
    "priority",
    "tags",
    "line_reference",
];

/// One order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOrder {
    /// Unique in the file and, within the channel, for ever.
    pub reference: String,
    /// Line of its first row in the file.
    pub first_line: u64,
    /// What is said of the order.
    pub head: Head,
    /// At least one, in file order.
    pub lines: Vec<CsvLine>,
}

impl CsvOrder {
    /// Σ of the lines after line discounts, minor units, before order discount, shipping and tax on top.
    pub fn goods(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity * line.unit_price - line.discount).sum()
    }
}

/// What the rows of an order say of the order; amounts in minor units of `currency`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// µs since the epoch; `None`: the time of the import.
    pub placed_at: Option<i64>,
    /// As written.
    pub email: Option<String>,
    /// As written.
    pub phone: Option<String>,
    /// As written.
    pub name: Option<String>,
    /// As written.
    pub company: Option<String>,
    /// Street.
    pub line1: Option<String>,
    /// Street, second line.
    pub line2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State, province.
    pub region: Option<String>,
    /// Postal code, with its leading zeros.
    pub postal_code: Option<String>,
    /// Two capital letters; whether such a country exists is checked when the order is placed.
    pub country: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Whether the prices have the tax in them; `false` unless said.
    pub tax_inclusive: bool,
    /// Shipping charged.
    pub shipping: i64,
    /// Off the whole order.
    pub order_discount: i64,
    /// Already paid; `None`: nothing is known of a payment.
    pub paid_amount: Option<i64>,
    /// How it was paid.
    pub payment_method: Option<String>,
    /// Note to print.
    pub gift_note: Option<String>,
    /// Standard unless said.
    pub priority: Priority,
    /// Sorted, each once.
    pub tags: Vec<String>,
}

/// How soon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// In turn.
    #[default]
    Standard,
    /// Before standard.
    Express,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvLine {
    /// Line in the file.
    pub line: u64,
    /// What is bought.
    pub sku: String,
    /// Units, 1 to 1,000,000.
    pub quantity: i64,
    /// Minor units.
    pub unit_price: i64,
    /// Minor units off the whole line, at most its amount.
    pub discount: i64,
    /// Parts per million (19 % = 190,000); `None`: by the tax rules.
    pub tax_ppm: Option<i64>,
    /// The source's own id of the line.
    pub reference: Option<String>,
}

/// The file as orders, and its rejected rows.
#[derive(Debug)]
pub struct CsvPlan {
    /// In the order of their first rows.
    pub orders: Vec<CsvOrder>,
    /// The file with its rejected rows.
    pub sheet: Sheet,
}

struct Kept {
    record: StringRecord,
    reference: String,
    head: read::PartialHead,
    line: CsvLine,
}

/// Turns the file into orders.
///
/// # Errors
/// [`BadFile`] when the header lacks a needed column, or it is not readable as CSV.
pub fn plan(file: &str, bytes: &[u8]) -> Result<CsvPlan, BadFile> {
    let mut refused: HashMap<String, String> = HashMap::new();
    let (mut sheet, rows) = read_sheet(file, bytes, &NEEDED, &OPTIONAL, |row| {
        let reference = row.need("reference")?.to_owned();
        match read::read_row(row) {
            Ok((head, line)) => Ok(Kept { record: row.record.clone(), reference, head, line }),
            Err(reason) => {
                let text = format!("line {} of the same order was rejected: {reason}", row.line);
                refused.entry(reference).or_insert(text);
                Err(reason)
            }
        }
    })?;
    // A row that is not even readable (wrong length, no text) still refuses its order, if it names one.
    for row in &sheet.rejected {
        let reference = reference_of(&sheet.header, &row.record);
        let text = format!("line {} of the same order was rejected: {}", row.line, row.reason);
        refused.entry(reference).or_insert(text);
    }
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<Kept>> = Vec::new();
    for row in rows {
        let next = groups.len();
        let at = *place.entry(row.reference.clone()).or_insert(next);
        if at == next {
            groups.push(Vec::new());
        }
        groups[at].push(row);
    }
    let mut orders = Vec::with_capacity(groups.len());
    for group in groups {
        let reason = group.first().and_then(|row| refused.get(&row.reference)).cloned();
        match reason.map_or_else(|| assemble(&group), Err) {
            Ok(order) => orders.push(order),
            Err(reason) => {
                for row in group {
                    sheet.reject(row.line.line, row.record, reason.clone());
                }
            }
        }
    }
    sheet.rejected.sort_by_key(|row| row.line);
    Ok(CsvPlan { orders, sheet })
}

fn reference_of(header: &StringRecord, record: &StringRecord) -> String {
    let column = header.iter().position(|name| name.trim() == "reference");
    column.and_then(|column| record.get(column)).unwrap_or_default().trim().to_owned()
}

fn assemble(rows: &[Kept]) -> Result<CsvOrder, String> {
    let heads: Vec<_> = rows.iter().map(|row| (row.line.line, &row.head)).collect();
    let head = read::merge(&heads)?;
    let first = rows.first().ok_or("an order without rows")?;
    let lines: Vec<CsvLine> = rows.iter().map(|row| row.line.clone()).collect();
    let order = CsvOrder { reference: first.reference.clone(), first_line: first.line.line, head, lines };
    let goods = order.goods();
    if order.head.order_discount > goods {
        return Err(format!("order_discount is more than the goods ({goods} minor units)"));
    }
    Ok(order)
}
