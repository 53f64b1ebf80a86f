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
    /// Memory of the server afterwards, in MB.
    pub rss_mb: Option<f64>,
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
    /// The columns of the table for people.
    pub const HEAD: [&str; 13] = [
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
        ]
    }
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
        assert_eq!(row.cells().len(), Row::HEAD.len());
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])), (2.0, 2.5));
    }
}
