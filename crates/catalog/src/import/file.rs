//! Read a CSV file of SKUs, pure. Invariant: every row of the file is handed back with its line, readable or with what is wrong by column;
//! a column that nobody knows stops the file, so that a misspelt head cannot pass for a change.

use crate::SkuKind;
use kernel::{Currency, money, refusals};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The largest file, in bytes.
pub const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Rows of a file at most.
pub const MOST_ROWS: usize = 5_000;

/// A column: its name, and what it holds.
pub type Column = (&'static str, &'static str);

/// The columns of a file. Beside them `price_` with a currency, as `price_usd`.
pub const COLUMNS: &[Column] = &[
    ("sku", "The code. It names the SKU for ever; the only column that is needed."),
    ("title", "What people read. A new SKU needs one."),
    ("kind", "simple, bundle or service; simple when it is empty. Never changes."),
    ("tax_class", "As standard or reduced; standard when it is empty."),
    ("barcodes", "What scanners read; several are separated by |."),
    ("price", "The list price, as 19.99, in the currency of the next column."),
    ("currency", "Three letters, as EUR."),
    ("weight_g", "Weight of a unit in grams."),
    ("length_mm", "Length of a unit in millimetres."),
    ("width_mm", "Width of a unit in millimetres."),
    ("height_mm", "Height of a unit in millimetres."),
    ("supplier", "The code of the supplier, who must be known."),
    ("components", "Of a bundle: codes with their quantity, as TEE*1|CAP*2."),
    ("for_sale", "yes or no."),
];
const PRICE_IN: &str = "price_";

/// A file to begin with: every column, a SKU and a bundle.
pub const TEMPLATE: &str = "sku,title,kind,tax_class,barcodes,price,currency,weight_g,length_mm,width_mm,height_mm,supplier,components,for_sale\r\n\
    TEE-M,T-shirt M,simple,standard,4006381333931,19.99,EUR,180,300,220,20,,,yes\r\n\
    CAP,Cap,simple,standard,4006381333948|0400638133394,14.50,EUR,90,250,200,120,,,yes\r\n\
    SET,T-shirt and cap,bundle,standard,,29.90,EUR,,,,,,TEE-M*1|CAP*1,yes\r\n";

refusals! {
    /// Why a file was not read, in order of precedence.
    pub enum ReadImportRefused {
        TooLarge => Invalid, "catalog.import_too_large", "A file has at most 2 MiB and 5,000 rows: cut it in parts.";
        NotText => Invalid, "catalog.import_not_text", "The file is not text in UTF-8: save it as “CSV UTF-8”.";
        NotCsv { says: String } => Invalid, "catalog.import_not_csv", "The file does not read as CSV: {says}.";
        NoSku => Invalid, "catalog.import_no_sku_column", "The first row must name the columns, and one of them must be sku.";
        UnknownColumn { column: String } => Invalid, "catalog.import_unknown_column", "There is no column “{column}”: correct its name in the first row, or take it out.";
        TwoColumns { column: String } => Invalid, "catalog.import_two_columns", "The column {column} is there twice: keep one.";
        NoRows => Invalid, "catalog.import_no_rows", "There is no row below the names of the columns.";
    }
}

/// What is wrong in a row: the column (empty for the whole row), and a sentence with the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Wrong {
    /// The column; empty for the row as a whole.
    pub column: String,
    /// In a sentence.
    pub says: String,
}

impl Wrong {
    /// Something wrong in a column.
    pub(super) fn new(column: &str, says: impl Into<String>) -> Self {
        Self { column: column.to_owned(), says: says.into() }
    }
}

/// The cells of a row by the names of their columns.
pub type Cells = BTreeMap<String, String>;

/// A row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where in the file it begins; the first line is 1.
    pub line: i64,
    /// What it says.
    pub cells: Cells,
    /// What is wrong with the row as such.
    pub wrong: Option<Wrong>,
}

/// Reads the rows of a file.
///
/// # Errors
/// What is wrong with the file as a whole.
pub fn read(bytes: &[u8]) -> Result<Vec<Line>, ReadImportRefused> {
    if bytes.len() > MOST_BYTES {
        return Err(ReadImportRefused::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ReadImportRefused::NotText)?;
    let text = text.trim_start_matches('\u{feff}');
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(ReadImportRefused::NotText);
    }
    let head = text.trim_start().lines().next().unwrap_or_default();
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(delimiter(head)).from_reader(text.as_bytes());
    let not_csv = |e: csv::Error| ReadImportRefused::NotCsv { says: e.to_string() };
    let columns = columns(reader.headers().map_err(not_csv)?)?;
    let mut lines = Vec::new();
    let (mut counted, mut line) = (0, 1);
    for record in reader.records() {
        let record = record.map_err(not_csv)?;
        // The reader stands before the line end of the row before, and before empty lines.
        let begins = record.position().and_then(|p| usize::try_from(p.byte()).ok()).unwrap_or(counted);
        let rest = text.as_bytes().get(begins..).unwrap_or_default();
        let begins = begins + rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        line += line_ends(text.as_bytes().get(counted..begins).unwrap_or_default());
        counted = begins;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if lines.len() == MOST_ROWS {
            return Err(ReadImportRefused::TooLarge);
        }
        let says = |found: usize| {
            format!(
                "The row has {found} cells and the first row names {}: a separator within a text needs quotes around the text.",
                columns.len()
            )
        };
        let wrong = (record.len() != columns.len()).then(|| Wrong::new("", says(record.len())));
        let cells = columns.iter().zip(&record).map(|(c, cell)| (c.clone(), cell.trim().to_owned()));
        lines.push(Line { line, cells: cells.collect(), wrong });
    }
    if lines.is_empty() { Err(ReadImportRefused::NoRows) } else { Ok(lines) }
}

/// How many lines end in a piece of the file, however its writer ends them.
fn line_ends(piece: &[u8]) -> i64 {
    let alone = |(i, b): (usize, &u8)| *b == b'\n' || (*b == b'\r' && piece.get(i + 1) != Some(&b'\n'));
    i64::try_from(piece.iter().enumerate().filter(|at| alone(*at)).count()).unwrap_or(0)
}

/// What separates the cells: what the first row has most of, a comma where it has none.
fn delimiter(head: &str) -> u8 {
    let many = |d: u8| head.bytes().filter(|b| *b == d).count();
    [b';', b'\t'].into_iter().fold(b',', |best, d| if many(d) > many(best) { d } else { best })
}

/// The names of the columns as we call them.
fn columns(head: &csv::StringRecord) -> Result<Vec<String>, ReadImportRefused> {
    let mut columns: Vec<String> = Vec::with_capacity(head.len());
    for title in head {
        let name = title.trim().to_lowercase().replace([' ', '-'], "_");
        let name = match name.as_str() {
            "code" => "sku".to_owned(),
            "name" => "title".to_owned(),
            "barcode" => "barcodes".to_owned(),
            _ => name,
        };
        let known = COLUMNS.iter().any(|(c, _)| *c == name) || currency_of(&name).is_some();
        if !known {
            return Err(ReadImportRefused::UnknownColumn { column: title.trim().to_owned() });
        }
        if columns.contains(&name) {
            return Err(ReadImportRefused::TwoColumns { column: name });
        }
        columns.push(name);
    }
    if columns.iter().any(|c| c == "sku") { Ok(columns) } else { Err(ReadImportRefused::NoSku) }
}

/// The currency of a column such as `price_usd`.
fn currency_of(column: &str) -> Option<Currency> {
    column.strip_prefix(PRICE_IN)?.to_uppercase().parse().ok()
}

/// What a row wants of a SKU. What is `None` was not said and stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub code: String,
    pub title: Option<String>,
    pub kind: Option<SkuKind>,
    pub tax_class: Option<String>,
    pub barcodes: Option<Vec<String>>,
    /// By currency; none takes the price away.
    pub prices: BTreeMap<Currency, Option<i64>>,
    /// Weight, length, width, height; an inner none takes it away.
    pub sizes: [Option<Option<i64>>; 4],
    pub supplier: Option<Option<String>>,
    pub components: Option<Vec<(String, i64)>>,
    pub for_sale: Option<bool>,
}

/// Reads the cells of a row.
pub(super) fn wanted(cells: &Cells) -> Result<Wanted, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let said = |column: &str| cells.get(column).map(String::as_str);
    let filled = |column: &str| said(column).filter(|text| !text.is_empty());
    let mut number = |column: &'static str| {
        said(column).map(|text| match (text, text.parse::<i64>()) {
            ("", _) => None,
            (_, Ok(n)) => Some(n),
            (_, Err(_)) => {
                wrong.push(Wrong::new(column, format!("“{text}” is not a whole number.")));
                None
            }
        })
    };
    let sizes = ["weight_g", "length_mm", "width_mm", "height_mm"].map(&mut number);
    let kind = filled("kind").and_then(|text| {
        text.to_lowercase().parse().map_err(|e| wrong.push(Wrong::new("kind", format!("{e}.")))).ok()
    });
    let for_sale = filled("for_sale").and_then(|text| match text.to_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => {
            wrong.push(Wrong::new("for_sale", format!("“{text}” is neither yes nor no.")));
            None
        }
    });
    let prices = prices(cells, &mut wrong);
    let components = said("components").map(|text| components(text, &mut wrong));
    let parts =
        |text: &str| text.split('|').map(str::trim).filter(|b| !b.is_empty()).map(str::to_owned).collect();
    let wanted = Wanted {
        code: said("sku").unwrap_or_default().to_owned(),
        title: filled("title").map(str::to_owned),
        kind,
        tax_class: filled("tax_class").map(str::to_owned),
        barcodes: said("barcodes").map(parts),
        prices,
        sizes,
        supplier: said("supplier").map(|text| (!text.is_empty()).then(|| text.to_owned())),
        components,
        for_sale,
    };
    if wrong.is_empty() { Ok(wanted) } else { Err(wrong) }
}

/// The prices a row names, each in one column only.
fn prices(cells: &Cells, wrong: &mut Vec<Wrong>) -> BTreeMap<Currency, Option<i64>> {
    let mut prices = BTreeMap::new();
    let mut twice = BTreeSet::new();
    let mut set = |column: &str, currency: Currency, text: &str, wrong: &mut Vec<Wrong>| {
        let price = match text {
            "" => None,
            text => match money::parse_decimal(text, currency.exponent()) {
                Ok(minor) => Some(minor),
                Err(e) => return wrong.push(Wrong::new(column, format!("{e}."))),
            },
        };
        if prices.insert(currency, price).is_some() {
            twice.insert(currency);
        }
    };
    for (column, text) in cells {
        if let Some(currency) = currency_of(column) {
            set(column, currency, text, wrong);
        }
    }
    let cell = |column: &str| cells.get(column).map_or("", String::as_str);
    match (cell("price"), cell("currency")) {
        (_, "") if cell("price").is_empty() => {}
        (_, "") => wrong.push(Wrong::new("currency", "A price needs its currency, as EUR.")),
        (price, currency) => match currency.to_uppercase().parse() {
            Ok(currency) if cells.contains_key("price") => set("price", currency, price, wrong),
            Ok(_) => {}
            Err(e) => wrong.push(Wrong::new("currency", format!("{e}."))),
        },
    }
    for currency in twice {
        wrong
            .push(Wrong::new("price", format!("Two columns give the price in {currency}: leave one empty.")));
    }
    prices
}

/// Codes and quantities, as `TEE*1|CAP*2`.
fn components(text: &str, wrong: &mut Vec<Wrong>) -> Vec<(String, i64)> {
    let mut parts = Vec::new();
    for part in text.split('|').map(str::trim).filter(|p| !p.is_empty()) {
        let (code, quantity) = part.rsplit_once('*').unwrap_or((part, "1"));
        match quantity.trim().parse() {
            Ok(quantity) => parts.push((code.trim().to_owned(), quantity)),
            Err(_) => wrong
                .push(Wrong::new("components", format!("“{part}” is not a code and a quantity, as TEE*2."))),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Refuse;

    #[test]
    fn rows_keep_their_lines_whatever_the_file_looks_like() {
        let file = "\u{feff}Code;Title;price EUR\r\n\r\nA;\"two\r\nlines\";1.50\r\n;;\r\nB;x\r\n";
        let lines = read(file.as_bytes()).unwrap();
        let at: Vec<i64> = lines.iter().map(|l| l.line).collect();
        assert_eq!(at, [3, 6], "empty rows are passed over: {lines:?}");
        assert_eq!(lines[0].cells["title"], "two\r\nlines");
        assert_eq!(lines[0].cells["price_eur"], "1.50");
        assert!(lines[1].wrong.as_ref().unwrap().says.starts_with("The row has 2 cells"));
        assert_eq!(read(b"sku\rA\rB").unwrap().iter().map(|l| l.line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(read(TEMPLATE.as_bytes()).unwrap().len(), 3);
    }

    #[test]
    fn a_file_that_cannot_be_meant_is_refused_as_a_whole() {
        let many = format!("sku\n{}", "A\n".repeat(MOST_ROWS + 1));
        let large = vec![b'a'; MOST_BYTES + 1];
        for (file, code) in [
            (large.as_slice(), "catalog.import_too_large"),
            (many.as_bytes(), "catalog.import_too_large"),
            (b"sku\n\xff", "catalog.import_not_text"),
            (b"sku\nA\0", "catalog.import_not_text"),
            (b"title\nA", "catalog.import_no_sku_column"),
            (b"", "catalog.import_no_sku_column"),
            (b"sku,colour\nA,red", "catalog.import_unknown_column"),
            (b"sku,Code\nA,A", "catalog.import_two_columns"),
            (b"sku,title\n,\n", "catalog.import_no_rows"),
        ] {
            assert_eq!(read(file).unwrap_err().code(), code, "{:.40}", String::from_utf8_lossy(file));
        }
    }

    #[test]
    fn cells_are_read_by_column() {
        let cells = |pairs: &[(&str, &str)]| -> Cells {
            pairs.iter().map(|(c, t)| ((*c).to_owned(), (*t).to_owned())).collect()
        };
        let eur: Currency = "EUR".parse().unwrap();
        let jpy: Currency = "JPY".parse().unwrap();
        let read = wanted(&cells(&[
            ("sku", "A"),
            ("price", "19.90"),
            ("currency", "eur"),
            ("price_jpy", ""),
            ("weight_g", ""),
            ("width_mm", "12"),
            ("barcodes", "1| 2 "),
            ("components", "TEE*2|CAP"),
            ("for_sale", "No"),
            ("kind", ""),
        ]));
        let read = read.unwrap();
        assert_eq!(read.prices, BTreeMap::from([(eur, Some(1990)), (jpy, None)]));
        assert_eq!(read.sizes, [Some(None), None, Some(Some(12)), None]);
        assert_eq!(read.barcodes, Some(vec!["1".to_owned(), "2".to_owned()]));
        assert_eq!(read.components, Some(vec![("TEE".to_owned(), 2), ("CAP".to_owned(), 1)]));
        assert_eq!((read.for_sale, read.kind, read.title), (Some(false), None, None));
        for (column, text, says) in [
            ("price", "19,90", "needs its currency"),
            ("price_eur", "19,90", "not an amount"),
            ("currency", "EURO", "EURO"),
            ("weight_g", "heavy", "whole number"),
            ("kind", "gadget", "gadget"),
            ("for_sale", "perhaps", "yes nor no"),
            ("components", "TEE*x", "TEE*2"),
        ] {
            let wrong = wanted(&cells(&[("sku", "A"), (column, text)])).unwrap_err();
            assert!(wrong.len() == 1 && wrong[0].says.contains(says), "{column}: {wrong:?}");
        }
    }
}
