//! Promises on the marketplace's deliveries: the targets that were set for them.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

#[test]
fn promises_beat_the_estimate_and_are_late_as_often_as_they_say() {
    let data = PathBuf::from(std::env::var_os("FULMAR_DATA").unwrap());
    let mut rows = Vec::new();
    planning::bench_promise::rows(Some(&data), 10.0, &mut |row| rows.push(row)).unwrap();
    assert!(rows.iter().all(|r| r.feasible));
    let row = |name: &str| rows.iter().find(|r| r.instance.starts_with(name)).unwrap();
    assert!(row("mean absolute error").ratio < 0.5, "{:?}", row("mean absolute error"));
    assert!(row("median absolute error").ratio < 0.4, "{:?}", row("median absolute error"));
    for row in rows.iter().filter(|r| r.instance.starts_with("late at")) {
        let allowed = if row.reference > 0.25 { 0.07 } else { 0.03 };
        assert!((row.ours - row.reference).abs() < allowed, "{row:?}");
    }
}
