//! Cartons on the real orders of `FULMAR_DATA`: fewer boxes than the other packer, each packing checked.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

#[test]
fn real_orders_need_fewer_boxes_than_the_other_packer_used() {
    let data = PathBuf::from(std::env::var_os("FULMAR_DATA").unwrap());
    let mut rows = Vec::new();
    planning::bench_cartons::rows(Some(&data), 0.05, &mut |row| rows.push(row)).unwrap();
    assert!(rows.iter().all(|r| r.feasible));
    let total = rows.iter().find(|r| r.instance == "total").unwrap();
    assert!(total.ours < total.reference, "{total:?}");
}
