//! Waves on the real backlogs of `FULMAR_DATA`: feasible, and near the best known already after a second.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

#[test]
fn waves_are_feasible_and_near_the_best_known() {
    let data = PathBuf::from(std::env::var_os("FULMAR_DATA").unwrap());
    let mut rows = Vec::new();
    planning::bench_waves::rows(Some(&data), 1.0, &mut |row| rows.push(row)).unwrap();
    assert!(rows.len() >= 20, "{} backlogs", rows.len());
    assert!(rows.iter().all(|row| row.feasible), "{rows:?}");
    let mean = rows.iter().map(|row| row.ratio).sum::<f64>() / rows.len() as f64;
    // The target is 0.99 after thirty seconds; this is one second.
    assert!(mean > 0.9, "{mean}: {rows:?}");
}
