//! Tables as files for people: CSV and XLSX of the same rows.
//!
//! Invariants: amounts are exact (in CSV as decimal text, in XLSX as numbers shown with the digits of their currency); a text that a
//! spreadsheet would run as a formula is quoted in CSV and a plain string in XLSX.

use kernel::{Currency, Fault, Money, Timestamp};
use rust_xlsxwriter::{Format, Workbook, Worksheet};

/// Rows of one sheet of XLSX, without its head.
pub const MOST_ROWS: usize = 1_048_575;
/// The largest whole number that a cell of XLSX, which is a double, holds exactly.
const EXACT: u64 = 1 << 53;

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A whole number.
    Number(i64),
    /// An amount.
    Amount(Money),
    /// A moment, in UTC.
    Time(Timestamp),
    /// Nothing.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<Currency> for Cell {
    fn from(currency: Currency) -> Self {
        Self::Text(currency.to_string())
    }
}

impl Cell {
    /// As CSV has it.
    fn plain(&self) -> String {
        match self {
            Self::Text(text) => inert(text),
            Self::Number(number) => number.to_string(),
            Self::Amount(money) => money.amount(),
            Self::Time(at) => at.to_string(),
            Self::Empty => String::new(),
        }
    }
}

/// A text that no spreadsheet runs: what begins like a formula gets an apostrophe, as spreadsheets themselves write it.
fn inert(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// Rows as CSV, with a head when there is one: for files that are written piece by piece.
///
/// # Errors
/// A fault of the writer.
pub fn csv(head: &[&str], rows: &[Vec<Cell>]) -> Result<String, Fault> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    if !head.is_empty() {
        writer.write_record(head)?;
    }
    for row in rows {
        writer.write_record(row.iter().map(Cell::plain))?;
    }
    let bytes = writer.into_inner().map_err(|e| Fault::broken(e.to_string()))?;
    Ok(String::from_utf8(bytes)?)
}

/// Rows as one sheet of an XLSX file.
///
/// # Errors
/// A fault when there are more than [`MOST_ROWS`], or of the writer.
pub fn xlsx(name: &str, head: &[&str], rows: &[Vec<Cell>]) -> Result<Vec<u8>, Fault> {
    if rows.len() > MOST_ROWS {
        return Err(Fault::broken(format!("{} rows do not fit on a sheet", rows.len())));
    }
    let mut book = Workbook::new();
    let bold = Format::new().set_bold();
    let looks = Looks::new();
    let sheet = book.add_worksheet();
    sheet.set_name(name)?;
    sheet.set_freeze_panes(1, 0)?;
    for (column, title) in (0_u16..).zip(head) {
        sheet.write_with_format(0, column, *title, &bold)?;
        sheet.set_column_width(column, 18)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(row) {
            write(sheet, line, column, cell, &looks)?;
        }
    }
    Ok(book.save_to_buffer()?)
}

/// How amounts look, by the digits after the point, and moments.
struct Looks {
    amounts: [Format; 5],
    time: Format,
}

impl Looks {
    fn new() -> Self {
        let amounts = ["0", "0.0", "0.00", "0.000", "0.0000"].map(|f| Format::new().set_num_format(f));
        Self { amounts, time: Format::new().set_num_format("yyyy-mm-dd hh:mm") }
    }
}

fn write(sheet: &mut Worksheet, line: u32, column: u16, cell: &Cell, looks: &Looks) -> Result<(), Fault> {
    match cell {
        Cell::Text(text) => sheet.write_string(line, column, text.as_str())?,
        Cell::Number(number) if number.unsigned_abs() <= EXACT => {
            sheet.write_number(line, column, *number as f64)?
        }
        Cell::Number(number) => sheet.write_string(line, column, number.to_string())?,
        Cell::Amount(money) => {
            let digits = money.currency.exponent();
            let look = usize::try_from(digits).ok().and_then(|d| looks.amounts.get(d));
            match look.filter(|_| money.minor.unsigned_abs() <= EXACT) {
                Some(look) => {
                    let value = money.minor as f64 / 10_f64.powi(i32::try_from(digits)?);
                    sheet.write_number_with_format(line, column, value, look)?
                }
                // A double would round it.
                None => sheet.write_string(line, column, money.amount())?,
            }
        }
        Cell::Time(at) => {
            // Days since the last of 1899, as spreadsheets count.
            let days = at.0 as f64 / Timestamp::DAY as f64 + 25_569.0;
            sheet.write_number_with_format(line, column, days, &looks.time)?
        }
        Cell::Empty => sheet,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_exact_and_runs_nothing() {
        let kwd = |minor| Cell::Amount(Money::new(minor, "KWD".parse().unwrap()));
        let rows = vec![
            vec![Cell::from("=1+1"), kwd(-12_345_678), Cell::Time(Timestamp(0)), Cell::Empty],
            vec![Cell::from("a, \"b\"\nc"), Cell::Number(7), kwd(i64::MAX), Cell::Empty],
        ];
        let text = csv(&["What", "A", "B", "C"], &rows).unwrap();
        assert_eq!(
            text,
            "What,A,B,C\n'=1+1,-12345.678,1970-01-01T00:00:00Z,\n\"a, \"\"b\"\"\nc\",7,9223372036854775.807,\n"
        );
        let file = xlsx("Journal", &["What", "A", "B", "C"], &rows).unwrap();
        assert!(file.starts_with(b"PK"));
    }
}
