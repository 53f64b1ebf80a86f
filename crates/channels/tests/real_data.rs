//! The importers on the real data sets: control totals to the cent. Needs `FULMAR_DATA`, the folder that holds
//! `olist/` and `online_retail/`; fails, not skips, when something is missing.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "real_data/imports.rs"]
mod imports;
mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

use channels::olist::{self, AdjustmentKind, Ending, Milestone, Note, Status, Step};
use channels::online_retail::{self, Document};

fn data() -> PathBuf {
    PathBuf::from(
        std::env::var("FULMAR_DATA").expect("FULMAR_DATA must name the folder of the real data sets"),
    )
}

fn olist_plan() -> olist::Plan {
    let files = olist::Files::open(&data().join("olist")).expect("the Olist files are in FULMAR_DATA/olist");
    olist::plan(&files).unwrap()
}

fn retail_plan() -> online_retail::Plan {
    let path = data().join("online_retail/online_retail_to_2011-08.csv.gz");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    online_retail::plan("online_retail_to_2011-08.csv.gz", &bytes).unwrap()
}

fn count<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

#[test]
fn olist_rows_are_taken_or_rejected() {
    let plan = olist_plan();
    let sheets: BTreeMap<_, _> =
        plan.sheets.iter().map(|s| (s.file.as_str(), (s.read, s.taken(), s.rejected.len()))).collect();
    let expected = BTreeMap::from([
        ("olist_customers_dataset.csv", (8135, 8135, 0)),
        ("olist_geolocation_dataset.csv", (45928, 45926, 2)),
        ("olist_order_items_dataset.csv", (8365, 8365, 0)),
        ("olist_order_payments_dataset.csv", (8924, 8094, 830)),
        ("olist_order_reviews_dataset.csv", (8225, 7447, 778)),
        ("olist_orders_dataset.csv", (8135, 7360, 775)),
        ("olist_products_dataset.csv", (32951, 32951, 0)),
        ("olist_sellers_dataset.csv", (3095, 3095, 0)),
        ("product_category_name_translation.csv", (71, 71, 0)),
    ]);
    assert_eq!(sheets, expected);
    let orders = plan.sheets.iter().find(|s| s.file == "olist_orders_dataset.csv").unwrap();
    let reasons = count(orders.rejected.iter().map(|row| row.reason.as_str()));
    let expected = BTreeMap::from([
        ("no item lines (status canceled)", 164),
        ("no item lines (status created)", 5),
        ("no item lines (status invoiced)", 2),
        ("no item lines (status shipped)", 1),
        ("no item lines (status unavailable)", 603),
    ]);
    assert_eq!(reasons, expected);
    assert_eq!(plan.items.len(), 32951);
    assert_eq!(plan.customers.len(), 8016);
    assert_eq!(plan.items.iter().filter(|item| item.weight_g.is_none()).count(), 6);
    assert_eq!(plan.sellers.iter().filter(|seller| seller.place.is_none()).count(), 0);
}

#[test]
fn olist_money_reconciles_to_the_cent() {
    let plan = olist_plan();
    let totals = plan.totals;
    assert_eq!(totals.payments_read, 142_860_281);
    assert_eq!(totals.payments_rejected, 16_259_195);
    assert_eq!(totals.payments_taken, 142_860_281 - 16_259_195);
    assert_eq!((totals.goods, totals.freight, totals.unpaid), (109_326_435, 17_228_839, 0));
    assert_eq!(totals.payments_taken, totals.goods + totals.freight + totals.adjustments);
    for order in &plan.orders {
        assert_eq!(order.total(), order.paid(), "{}", order.reference);
    }
    let kinds = count(plan.orders.iter().filter_map(|order| order.adjustment).map(|a| a.kind));
    let expected = BTreeMap::from([(AdjustmentKind::Rounding, 20), (AdjustmentKind::InstalmentInterest, 22)]);
    assert_eq!(kinds, expected);
    let methods = count(plan.orders.iter().flat_map(|order| &order.payments).map(|p| p.method));
    assert_eq!(methods.values().sum::<usize>(), 8094 - 2);
}

#[test]
fn olist_orders_end_in_the_state_they_had() {
    let plan = olist_plan();
    let endings = count(plan.orders.iter().map(|order| (order.status, olist::ending(&order.steps))));
    let expected = BTreeMap::from([
        ((Status::Approved, Ending::Paid), 2),
        ((Status::Processing, Ending::Accepted), 301),
        ((Status::Invoiced, Ending::Packed), 312),
        ((Status::Shipped, Ending::Shipped), 1106),
        ((Status::Delivered, Ending::Delivered), 5172),
        ((Status::Canceled, Ending::Cancelled), 386),
        ((Status::Canceled, Ending::Returned), 75),
        ((Status::Unavailable, Ending::Declined), 6),
    ]);
    assert_eq!(endings, expected);
    assert!(plan.orders.iter().all(|order| order.steps.is_sorted_by_key(Step::at)));
    let kind = |note: &Note| match note {
        Note::Moved { what, .. } => ("moved", Some(*what)),
        Note::Missing { what, .. } => ("missing", Some(*what)),
        Note::Ignored { what, .. } => ("ignored", Some(*what)),
        Note::CancelledAfterHandOver => ("cancelled after hand-over", None),
        Note::ZeroPayment { .. } => ("zero payment", None),
        Note::Unpaid => ("unpaid", None),
    };
    let notes = count(plan.orders.iter().flat_map(|order| &order.notes).map(kind));
    assert_eq!(notes[&("missing", Some(Milestone::Delivered))], 8);
    assert_eq!(notes[&("missing", Some(Milestone::HandedOver))], 1);
    assert_eq!(notes[&("cancelled after hand-over", None)], 75);
    // Three handed over before the purchase, three delivered before the hand-over.
    assert_eq!(notes[&("moved", Some(Milestone::HandedOver))], 6);
    assert_eq!(notes[&("moved", Some(Milestone::Approved))], 77);
    assert_eq!(notes[&("zero payment", None)], 2);
    assert!(!notes.contains_key(&("unpaid", None)));
}

#[test]
fn olist_promises_are_kept_as_measured() {
    let plan = olist_plan();
    // Measured by day on the 5,170 orders that have a delivery date: 6.63 % were late.
    let mut late = 0;
    let mut dated = 0;
    for order in &plan.orders {
        let guessed =
            order.notes.iter().any(|n| matches!(n, Note::Missing { what: Milestone::Delivered, .. }));
        let delivered = order.steps.iter().find(|step| matches!(step, Step::Deliver { .. }));
        if let (false, Some(step)) = (guessed, delivered) {
            dated += 1;
            late += i32::from(step.at() > order.promised_by);
        }
    }
    assert_eq!(dated, 5170);
    assert!((f64::from(late) / f64::from(dated) - 0.0663).abs() < 0.00005, "{late} of {dated}");
}

#[test]
fn online_retail_control_total() {
    let plan = retail_plan();
    let totals = plan.totals;
    assert_eq!(totals.exact_micros, 5_761_931_382_000);
    assert_eq!(totals.control(), 576_193_138);
    assert_eq!(totals.booked, 576_193_138);
    assert_eq!(totals.rejected_micros, 0);
    assert_eq!((totals.invoices, totals.credit_invoices), (16_459, 2_554));
    assert_eq!(plan.sheet.read, 320_705);
    let taken = totals.sale_rows + totals.credit_rows + totals.charge_rows + totals.stock_rows;
    assert_eq!(plan.sheet.taken(), taken);
    assert_eq!(
        (totals.sale_rows, totals.credit_rows, totals.charge_rows, totals.stock_rows),
        (311_922, 5_454, 1_913, 1_408)
    );
    assert_eq!(plan.sub_penny.len(), 2);
    assert_eq!(plan.invoices_with_several_times, 38);
    let reasons = count(plan.sheet.rejected.iter().map(|row| row.reason.as_str()));
    assert_eq!(reasons.values().sum::<usize>(), 8, "{reasons:?}");
}

#[test]
fn online_retail_credits_find_their_sales() {
    let plan = retail_plan();
    let (mut matched, mut unmatched, mut matched_pence, mut unmatched_pence) = (0, 0, 0, 0);
    let sales: BTreeMap<&str, &online_retail::Sale> = plan
        .documents
        .iter()
        .filter_map(|document| match document {
            Document::Sale(sale) => Some((&*sale.invoice, sale)),
            _ => None,
        })
        .collect();
    let mut given_back: BTreeMap<(&str, usize), i64> = BTreeMap::new();
    for document in &plan.documents {
        let Document::Credit(credit) = document else { continue };
        for line in &credit.lines {
            unmatched += line.unmatched();
            matched += line.quantity - line.unmatched();
            unmatched_pence += line.unmatched_amount();
            matched_pence += line.amount - line.unmatched_amount();
            for found in &line.matches {
                let sale = sales[&*found.invoice];
                assert_eq!(sale.customer, credit.customer);
                assert_eq!(sale.lines[found.sale_line].sku, line.sku);
                assert!(sale.at <= credit.at);
                *given_back.entry((&found.invoice, found.sale_line)).or_default() += found.quantity;
            }
        }
    }
    assert!(given_back.iter().all(|((invoice, line), back)| *back <= sales[invoice].lines[*line].quantity));
    assert_eq!((matched, unmatched), (125_179, 20_038));
    assert_eq!((matched_pence, unmatched_pence), (19_265_640, 2_589_364));
}

#[test]
fn online_retail_stock_is_never_below_zero() {
    let plan = retail_plan();
    let mut stock: BTreeMap<&str, i64> = plan.stock.iter().map(|s| (&*s.sku, s.quantity)).collect();
    for document in &plan.documents {
        let changes: Vec<(&str, i64)> = match document {
            Document::Sale(sale) => sale
                .lines
                .iter()
                .filter(|line| line.kind == online_retail::LineKind::Goods)
                .map(|line| (&*line.sku, -line.quantity))
                .collect(),
            Document::Credit(credit) => {
                credit.lines.iter().map(|line| (&*line.sku, line.quantity - line.unmatched())).collect()
            }
            Document::Stock(change) => vec![(&*change.sku, change.change)],
            Document::Charges(_) => Vec::new(),
        };
        for (sku, change) in changes {
            let left = stock.entry(sku).or_default();
            *left += change;
            assert!(*left >= 0, "{sku} at line {}", document.first_line());
        }
    }
}
