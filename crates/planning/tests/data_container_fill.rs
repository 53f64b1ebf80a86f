//! Container fill on the first file of the OR-Library in `FULMAR_DATA`: above the target in a fraction of its time.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

#[test]
fn containers_are_filled_above_the_target() {
    let data = PathBuf::from(std::env::var_os("FULMAR_DATA").unwrap());
    let file = data.join("container_fill").join("thpack3.txt");
    let mut rows = Vec::new();
    planning::bench_container_fill::rows(Some(&file), 0.4, &mut |row| rows.push(row)).unwrap();
    assert!(rows.iter().all(|r| r.feasible));
    let mean = rows.iter().find(|r| r.instance == "thpack3 mean").unwrap();
    assert!(mean.ours >= 88.0, "{mean:?}");
}
