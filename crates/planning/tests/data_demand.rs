//! Demand on the wholesaler's sales: the targets that were set for it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

#[test]
fn demand_beats_the_textbook_and_its_intervals_and_stock_keep_their_word() {
    let data = PathBuf::from(std::env::var_os("FULMAR_DATA").unwrap());
    let mut rows = Vec::new();
    planning::bench_demand::rows(Some(&data), 10.0, &mut |row| rows.push(row)).unwrap();
    let row = |name: &str| rows.iter().find(|r| r.instance.starts_with(name)).unwrap();
    assert!(rows.iter().all(|r| r.feasible));
    assert!(row("WAPE 4 weeks, best").ratio < 0.95, "{:?}", row("WAPE 4 weeks, best"));
    assert!(row("WAPE of the mean").ratio <= 1.02, "{:?}", row("WAPE of the mean"));
    let covered = row("coverage");
    assert!((0.85..=0.95).contains(&covered.ours), "{covered:?}");
    let services: Vec<_> = rows.iter().filter(|r| r.instance.starts_with("service")).collect();
    assert_eq!(services.len(), 2);
    for service in services {
        assert!((service.ours - service.reference).abs() <= 0.02, "{service:?}");
    }
}
