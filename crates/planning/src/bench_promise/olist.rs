//! Delivered orders from the marketplace's CSV files. Invariant: an order is complete (sender, receiver, times) or left out by a rule
//! stated here; a field that does not read is named.
//!
//! Left out: orders that were not delivered or have no delivery time, that have no lines (no sender), and those delivered before they were
//! ordered. An order of several senders is promised for its first line.

use crate::{PlanningError, dates};
use planner::promise::{Past, Trip};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// A delivered order and what its customer was told.
pub(super) struct Order {
    pub(super) past: Past,
    /// Minutes since 1970-01-01.
    pub(super) estimate: i64,
}

/// All delivered orders, by time.
pub(super) fn orders(data: &Path) -> Result<Vec<Order>, PlanningError> {
    let folder = if data.join("olist").is_dir() { data.join("olist") } else { data.to_owned() };
    let place = |name: &str| folder.join(format!("olist_{name}_dataset.csv"));
    let places = places(&place("geolocation"))?;
    let customers =
        Table::read(&place("customers"), &["customer_id", "customer_zip_code_prefix", "customer_state"])?;
    let sellers = Table::read(&place("sellers"), &["seller_id", "seller_zip_code_prefix", "seller_state"])?;
    let lines = Table::read(&place("order_items"), &["order_id", "seller_id", "order_item_id"])?;
    let mut sender: HashMap<&str, &str> = HashMap::new();
    for line in &lines.rows {
        sender.entry(&line[0]).or_insert(&line[1]);
    }
    let (customers, sellers) = (customers.by_first(), sellers.by_first());
    let columns = [
        "order_id",
        "customer_id",
        "order_status",
        "order_purchase_timestamp",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ];
    let file = place("orders");
    let mut orders = Vec::new();
    let table = Table::read(&file, &columns)?;
    for (number, row) in table.rows.iter().enumerate() {
        let known = (customers.get(row[1].as_str()), sender.get(row[0].as_str()));
        let (Some(customer), Some(seller_id)) = known else { continue };
        let Some(seller) = sellers.get(seller_id) else { continue };
        if row[2] != "delivered" || row[4].is_empty() {
            continue;
        }
        let time = |i: usize| {
            let bad =
                || PlanningError::input(&file, format!("row {}, {}", number + 2, columns[i]), "not a time");
            dates::minute(&row[i]).ok_or_else(bad)
        };
        let (ordered_at, delivered_at) = (time(3)?, time(4)?);
        if delivered_at < ordered_at {
            continue;
        }
        let km = places.get(&seller[1]).zip(places.get(&customer[1])).map(|(a, b)| distance(*a, *b));
        let trip = Trip {
            from: seller[2].clone(),
            to: customer[2].clone(),
            area: customer[1].chars().take(2).collect(),
            sender: (*seller_id).to_owned(),
            carrier: String::new(),
            km,
            ordered_at,
        };
        orders.push(Order { past: Past { trip, delivered_at: Some(delivered_at) }, estimate: time(5)? });
    }
    orders.sort_by_key(|o| o.past.trip.ordered_at);
    Ok(orders)
}

/// Brazil's national holidays and carnival of the years of the orders.
pub(super) fn holidays(orders: &[Order]) -> BTreeSet<i64> {
    let year =
        |o: Option<&Order>| o.map_or(1970, |o| dates::civil(o.past.trip.ordered_at.div_euclid(1_440)).0);
    let mut days = BTreeSet::new();
    for y in year(orders.first())..=year(orders.last()) + 1 {
        const FIXED: [(i64, i64); 8] =
            [(1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (12, 25)];
        days.extend(FIXED.map(|(m, d)| dates::from_civil(y, m, d)));
        // Carnival Monday and Tuesday, Good Friday, Corpus Christi.
        days.extend([-48, -47, -2, 60].map(|after| easter(y) + after));
    }
    days
}

/// Easter Sunday (anonymous Gregorian computus, 1876).
fn easter(y: i64) -> i64 {
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let g = (b - (b + 8) / 25 + 1) / 3;
    let h = (19 * a + b - b / 4 - g + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    dates::from_civil(y, n / 31, n % 31 + 1)
}

/// Mean latitude and longitude (radians) of each postal code.
fn places(file: &Path) -> Result<HashMap<String, (f64, f64)>, PlanningError> {
    let columns = ["geolocation_zip_code_prefix", "geolocation_lat", "geolocation_lng"];
    let mut sums: HashMap<String, (f64, f64, f64)> = HashMap::new();
    for (number, mut row) in Table::read(file, &columns)?.rows.into_iter().enumerate() {
        let degrees = |i: usize| {
            let bad =
                || PlanningError::input(file, format!("row {}, {}", number + 2, columns[i]), "not a number");
            row[i].parse::<f64>().map_err(|_| bad())
        };
        let (lat, lng) = (degrees(1)?, degrees(2)?);
        let sum = sums.entry(std::mem::take(&mut row[0])).or_default();
        *sum = (sum.0 + lat, sum.1 + lng, sum.2 + 1.0);
    }
    Ok(sums.into_iter().map(|(k, (a, b, n))| (k, ((a / n).to_radians(), (b / n).to_radians()))).collect())
}

/// Great-circle kilometres (haversine).
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let h = ((a.0 - b.0) / 2.0).sin().powi(2) + a.0.cos() * b.0.cos() * ((a.1 - b.1) / 2.0).sin().powi(2);
    12_742.0 * h.sqrt().min(1.0).asin()
}

/// Wanted columns of a file, as text.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(file: &Path, columns: &[&str]) -> Result<Self, PlanningError> {
        let fail = |e: csv::Error| PlanningError::input(file, "CSV", e.to_string());
        let open = std::fs::File::open(file).map_err(|e| PlanningError::file(file, e))?;
        let mut reader = csv::Reader::from_reader(std::io::BufReader::new(open));
        let headers = reader.headers().map_err(fail)?.clone();
        let place = |name: &&str| {
            let found = headers.iter().position(|h| h.trim_start_matches('\u{feff}') == *name);
            found.ok_or_else(|| PlanningError::input(file, "header", format!("there is no column {name}")))
        };
        let places = columns.iter().map(place).collect::<Result<Vec<usize>, _>>()?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(fail)?;
            rows.push(places.iter().map(|i| record.get(*i).unwrap_or_default().to_owned()).collect());
        }
        Ok(Self { rows })
    }

    fn by_first(&self) -> HashMap<&str, &Vec<String>> {
        self.rows.iter().map(|r| (r[0].as_str(), r)).collect()
    }
}
