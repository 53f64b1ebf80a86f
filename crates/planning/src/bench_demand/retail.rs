//! Invoice lines to weekly demand. Invariant: a line that does not read is named; what is not demand is left out by a rule stated here.
//!
//! Not demand: cancellations (`C…`) and adjustments (`A…`), quantities of 0 or less (damages, stock corrections), lines without a price, and
//! codes that do not begin with a digit (postage, fees, vouchers, manual entries). A sale that the same customer cancels with the same
//! code and quantity within the same week was an error of entry, and counts as neither. Codes are the same in upper and lower case.

use crate::{PlanningError, dates};
use flate2::read::MultiGzDecoder;
use planner::demand::Series;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

struct Line {
    invoice: u8,
    code: String,
    customer: String,
    quantity: i64,
    day: i64,
    priced: bool,
}

/// One series per code, all over the same weeks; weeks end with the last day of the files, and the first one is whole.
pub(super) fn weekly(files: &[PathBuf]) -> Result<Vec<Series>, PlanningError> {
    let mut lines = Vec::new();
    for file in files {
        read(file, &mut lines)?;
    }
    let (Some(first), Some(last)) = (lines.iter().map(|l| l.day).min(), lines.iter().map(|l| l.day).max())
    else {
        return Ok(Vec::new());
    };
    let weeks = ((last - first + 1) / 7) as usize;
    let begin = last + 1 - 7 * weeks as i64;
    let week = |day: i64| usize::try_from((day - begin).div_euclid(7)).ok();
    let mut cancelled: HashMap<(&str, &str, i64, Option<usize>), u32> = HashMap::new();
    for line in lines.iter().filter(|l| l.invoice == b'C') {
        let key = (line.customer.as_str(), line.code.as_str(), -line.quantity, week(line.day));
        *cancelled.entry(key).or_default() += 1;
    }
    let mut panel: BTreeMap<&str, Series> = BTreeMap::new();
    for line in lines.iter().filter(|l| l.priced && l.quantity > 0 && l.invoice.is_ascii_digit()) {
        let Some(at) = week(line.day).filter(|_| line.code.starts_with(|c: char| c.is_ascii_digit())) else {
            continue;
        };
        let key = (line.customer.as_str(), line.code.as_str(), line.quantity, Some(at));
        if let Some(left) = cancelled.get_mut(&key).filter(|left| **left > 0) {
            *left -= 1;
            continue;
        }
        let series = panel.entry(&line.code).or_insert_with(|| Series {
            group: 0,
            units: vec![0.0; weeks],
            orders: vec![0.0; weeks],
        });
        series.units[at] += line.quantity as f64;
        series.orders[at] += 1.0;
    }
    Ok(panel.into_values().collect())
}

fn read(file: &Path, lines: &mut Vec<Line>) -> Result<(), PlanningError> {
    let fail = |e: std::io::Error| PlanningError::file(file, e);
    let mut bytes = Vec::new();
    let mut open = std::fs::File::open(file).map_err(fail)?;
    if file.extension().is_some_and(|e| e == "gz") {
        MultiGzDecoder::new(open).read_to_end(&mut bytes).map_err(fail)?;
    } else {
        open.read_to_end(&mut bytes).map_err(fail)?;
    }
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let headers = reader.headers().map_err(|e| PlanningError::input(file, "header", e.to_string()))?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|h| h.trim_start_matches('\u{feff}') == name)
            .ok_or_else(|| PlanningError::input(file, "header", format!("there is no column {name}")))
    };
    let columns = [
        column("InvoiceNo")?,
        column("StockCode")?,
        column("Quantity")?,
        column("InvoiceDate")?,
        column("UnitPrice")?,
        column("CustomerID")?,
    ];
    // Descriptions are not always UTF-8; the columns wanted are ASCII.
    for record in reader.byte_records() {
        let record = record.map_err(|e| PlanningError::input(file, "CSV", e.to_string()))?;
        let row = record.position().map_or(0, csv::Position::line);
        let text =
            |i: usize| std::str::from_utf8(record.get(columns[i]).unwrap_or_default()).unwrap_or_default();
        let bad = |name: &str, i: usize| {
            PlanningError::input(file, format!("line {row}, {name}"), format!("“{}” does not read", text(i)))
        };
        lines.push(Line {
            invoice: text(0).bytes().next().unwrap_or_default(),
            code: text(1).trim().to_uppercase(),
            quantity: text(2).parse().map_err(|_| bad("Quantity", 2))?,
            day: dates::day(text(3)).ok_or_else(|| bad("InvoiceDate", 3))?,
            priced: text(4).parse::<f64>().map_err(|_| bad("UnitPrice", 4))? > 0.0,
            customer: text(5).to_owned(),
        });
    }
    Ok(())
}
