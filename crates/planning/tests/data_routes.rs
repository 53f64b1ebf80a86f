//! Delivery routes on the VRPLIB files: a few instances with a part of their time, so that a broken search is seen in a minute. The
//! figures with full time come from `fulmar bench plan routes`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

use planning::Row;
use std::path::PathBuf;

fn rows(file: &str, seconds: f64) -> Vec<Row> {
    let data = PathBuf::from(std::env::var_os("FULMAR_DATA").unwrap());
    let path = data.join("vrp").join(file);
    let mut rows = Vec::new();
    planning::bench_routes::rows(Some(&path), seconds, &mut |row| rows.push(row)).unwrap();
    assert!(rows.iter().all(|r| r.feasible), "{rows:?}");
    rows
}

#[test]
fn capacities_alone_come_near_the_best_known() {
    for file in ["CVRP/X-n101-k25.vrp", "CVRP/X-n143-k7.vrp", "CVRP/X-n200-k36.vrp"] {
        let rows = rows(file, 3.0);
        assert!(rows[0].ratio < 1.02, "{rows:?}");
        assert!(rows[0].ratio > 0.999_999, "better than the best known is a wrong distance: {rows:?}");
    }
}

#[test]
fn a_thousand_stops_with_windows_and_a_breakdown() {
    let rows = rows("VRPTW/C1_10_1.vrp", 2.0);
    assert!(rows[0].ratio < 1.05, "{rows:?}");
    assert!(rows[1].instance.ends_with("breakdown") && rows[1].ratio <= 1.0, "{rows:?}");
}
