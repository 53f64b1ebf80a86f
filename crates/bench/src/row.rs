//! The figures: one line a workload. Invariant: what does not apply is null, never zero.

use serde::Serialize;

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was done.
    pub workload: String,
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// Concurrent clients; null in process.
    pub clients: Option<usize>,
    /// Orders in the database afterwards.
    pub orders: u64,
    /// Things done in a second.
    pub rate: f64,
    /// The same rows by bare SQL, one transaction an order, in a second.
    pub floor_single: Option<f64>,
    /// The same rows by bare SQL, 64 orders a transaction, in a second.
    pub floor_grouped: Option<f64>,
    /// rate / floor_single.
    pub ratio_single: Option<f64>,
    /// rate / floor_grouped.
    pub ratio_grouped: Option<f64>,
    /// Median time of one, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 99 of 100 took less, in milliseconds.
    pub p99_ms: Option<f64>,
    /// Processor time of the server for each, in milliseconds.
    pub cpu_ms_each: Option<f64>,
    /// Memory of the process that did it, afterwards, in MB.
    pub rss_mb: Option<f64>,
    /// What one order costs, for the lines on growth: a time and its unit. For people only.
    #[serde(skip)]
    pub cost: Option<(f64, &'static str)>,
    /// A word on it, for people only.
    #[serde(skip)]
    pub note: String,
}

impl Row {
    /// A row without floors and times.
    pub fn new(
        workload: &str,
        database: &'static str,
        clients: Option<usize>,
        orders: u64,
        rate: f64,
    ) -> Self {
        Self {
            workload: workload.to_owned(),
            database,
            clients,
            orders,
            rate,
            floor_single: None,
            floor_grouped: None,
            ratio_single: None,
            ratio_grouped: None,
            p50_ms: None,
            p99_ms: None,
            cpu_ms_each: None,
            rss_mb: None,
            cost: None,
            note: String::new(),
        }
    }
    /// With floors; the ratios follow.
    #[must_use]
    pub fn over(self, single: f64, grouped: f64) -> Self {
        Self {
            ratio_single: Some(self.rate / single),
            ratio_grouped: Some(self.rate / grouped),
            floor_single: Some(single),
            floor_grouped: Some(grouped),
            ..self
        }
    }
    /// With a floor in one piece, which stands where the grouped one does.
    #[must_use]
    pub fn over_copied(self, rate: f64) -> Self {
        Self { ratio_grouped: Some(self.rate / rate), floor_grouped: Some(rate), ..self }
    }
    /// The columns of the table for people.
    pub const HEAD: [&str; 14] = [
        "workload",
        "database",
        "clients",
        "orders",
        "rate/s",
        "single/s",
        "grouped/s",
        "÷single",
        "÷grouped",
        "p50 ms",
        "p99 ms",
        "cpu ms",
        "rss MB",
        "note",
    ];
    /// The cells of that table.
    pub fn cells(&self) -> Vec<String> {
        let number = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"))
        };
        vec![
            self.workload.clone(),
            self.database.to_owned(),
            self.clients.map_or_else(|| "–".to_owned(), |n| n.to_string()),
            self.orders.to_string(),
            number(Some(self.rate), if self.rate < 100.0 { 2 } else { 0 }),
            number(self.floor_single, 0),
            number(self.floor_grouped, 0),
            number(self.ratio_single, 2),
            number(self.ratio_grouped, 2),
            number(self.p50_ms, 2),
            number(self.p99_ms, 2),
            number(self.cpu_ms_each, 3),
            number(self.rss_mb, 0),
            self.note.clone(),
        ]
    }
}

/// How the cost of the same thing grows with the database: a line for each workload and database that was measured at several sizes.
pub fn growth(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        let this = (row.workload.as_str(), row.database);
        if row.cost.is_none() || seen.contains(&this) {
            continue;
        }
        seen.push(this);
        let same = rows.iter().filter(|r| (r.workload.as_str(), r.database) == this);
        let points: Vec<(u64, f64, &str)> =
            same.filter_map(|r| r.cost.map(|(cost, unit)| (r.orders, cost, unit))).collect();
        let (Some((_, first, _)), Some((_, last, _))) = (points.first(), points.last()) else { continue };
        if points.len() > 1 {
            let at: Vec<String> =
                points.iter().map(|(orders, cost, unit)| format!("{cost:.2} {unit} at {orders}")).collect();
            lines.push(format!("{}, {}: {} (×{:.2})", this.0, this.1, at.join(", "), last / first));
        }
    }
    lines
}

/// The middle of some figures.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_follow_from_the_floors_and_what_does_not_apply_is_null() {
        let row = Row::new("place", "sqlite", Some(32), 1000, 300.0).over(100.0, 600.0);
        assert_eq!((row.ratio_single, row.ratio_grouped), (Some(3.0), Some(0.5)));
        let json = serde_json::to_value(&row).unwrap();
        assert!(json["p50_ms"].is_null() && json["rss_mb"].is_null(), "{json}");
        let names: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 13, "what people are told is not in the JSON: {names:?}");
        assert_eq!(row.cells().len(), Row::HEAD.len());
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])), (2.0, 2.5));
    }

    #[test]
    fn growth_compares_the_same_thing_at_several_sizes() {
        let at = |name: &str, orders: u64, ms: f64| {
            let mut row = Row::new(name, "sqlite", Some(1), orders, 1000.0 / ms);
            row.cost = Some((ms, "ms"));
            row
        };
        let rows =
            [at("a", 10, 2.0), at("b", 10, 1.0), Row::new("a", "sqlite", None, 1, 1.0), at("a", 100, 3.0)];
        assert_eq!(growth(&rows), ["a, sqlite: 2.00 ms at 10, 3.00 ms at 100 (×1.50)"]);
    }
}
