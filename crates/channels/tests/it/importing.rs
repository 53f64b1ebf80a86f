//! Imports of the fixtures into both databases.

use std::collections::BTreeMap;
use std::path::Path;

use catalog::{SaveSku, SkuKind};
use channels::import::{self, Outcome, Summary};
use db::Db;
use db::testing::{BEGIN, both};
use kernel::{Actor, Fault};

use crate::support::{
    Folder, check_laws, counts, fixture, number, olist, options, retail, stop, stopped, tables,
};

const STATES: &str = "SELECT reference || ' ' || fulfilment_status || ' ' || payment_status AS key, \
    units_backordered AS n FROM orders";

fn olist_states() -> BTreeMap<String, i64> {
    let states = [
        ("ord-delivered delivered paid", 0),
        ("ord-shipped fulfilled paid", 0),
        ("ord-canceled cancelled refunded", 0),
        ("ord-regret returned refunded", 0),
        ("ord-gone unfulfilled paid", 1),
        ("ord-invoiced unfulfilled paid", 0),
        ("ord-processing unfulfilled paid", 0),
        ("ord-approved unfulfilled paid", 0),
        ("ord-created unfulfilled unpaid", 0),
        ("ord-split delivered paid", 0),
    ];
    states.into_iter().map(|(key, n)| (key.to_owned(), n)).collect()
}

#[tokio::test]
async fn olist_orders_reach_their_states_and_a_second_import_changes_nothing() {
    for db in both(options).await {
        let first = olist(&db, &fixture("olist")).await;
        assert_eq!(first.outcome, Outcome::Imported);
        assert_eq!(first.counts.refused, []);
        assert_eq!(counts(&db, STATES).await, olist_states(), "{}", db.name);
        check_laws(&db).await;
        let c = &first.counts;
        assert_eq!((c.orders, c.cancelled, c.returns, c.orders_waiting, c.reviews), (10, 1, 1, 1, 2));
        assert_eq!((c.skus, c.suppliers, c.customers), (4, 3, 11));
        assert_eq!(number(&db, "SELECT COUNT(*) FROM customer").await, 11);
        let requests =
            counts(&db, "SELECT request AS key, COUNT(*) AS n FROM fulfilment_order GROUP BY request").await;
        let word = |w: &str| requests.get(w).copied().unwrap_or(0);
        assert_eq!((word("rejected"), word("none")), (1, 3), "{requests:?}");
        let control = &first.control[0];
        assert_eq!(control.charged, c.charged);
        assert_eq!(control.total_minor, control.charged - c.refunded);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM job").await, 0);

        let before = tables(&db).await;
        let again = olist(&db, &fixture("olist")).await;
        assert_eq!((again.outcome, &again.counts), (Outcome::Unchanged, &first.counts));
        assert_eq!(tables(&db).await, before);
    }
}

#[tokio::test]
async fn an_olist_import_that_stops_after_every_chunk_ends_the_same() {
    for (straight, broken) in both(options).await.into_iter().zip(both(options).await) {
        let whole = olist(&straight, &fixture("olist")).await;
        let out = Folder::new();
        let mut attempts = 0;
        let summary = loop {
            attempts += 1;
            let attempt = import::olist(&broken, &fixture("olist"), &out.options(), stop).await;
            if let Some(summary) = stopped(attempt) {
                break summary;
            }
        };
        assert_eq!((attempts, summary.outcome), (6, Outcome::Resumed));
        assert_eq!(summary.counts, whole.counts);
        assert_eq!(tables(&broken).await, tables(&straight).await);
        assert_eq!(counts(&broken, STATES).await, olist_states());
        check_laws(&broken).await;
    }
}

/// The Olist fixture with the first `orders` orders only.
fn part_of_olist(orders: usize) -> Folder {
    let folder = Folder::new();
    for entry in std::fs::read_dir(fixture("olist")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.0.join(path.file_name().unwrap())).unwrap();
    }
    first_lines(
        &fixture("olist/olist_orders_dataset.csv"),
        orders + 1,
        &folder.0.join("olist_orders_dataset.csv"),
    );
    folder
}

fn first_lines(from: &Path, lines: usize, to: &Path) {
    let text = std::fs::read_to_string(from).unwrap();
    let kept: Vec<&str> = text.lines().take(lines).collect();
    std::fs::write(to, kept.join("\n") + "\n").unwrap();
}

#[tokio::test]
async fn files_that_overlap_add_what_is_new() {
    for (straight, parts) in both(options).await.into_iter().zip(both(options).await) {
        let whole = olist(&straight, &fixture("olist")).await;
        let part = part_of_olist(5);
        let first = olist(&parts, &part.0).await;
        let second = olist(&parts, &fixture("olist")).await;
        assert_eq!((first.counts.orders, second.counts.orders, second.counts.orders_known), (5, 5, 5));
        assert_eq!(counts(&parts, STATES).await, olist_states());
        assert_eq!(second.control, whole.control);
        check_laws(&parts).await;
    }
}

const RETAIL: &str = "online_retail.csv";

fn check_retail(summary: &Summary) {
    assert_eq!(summary.counts.refused, []);
    let control = &summary.control[0];
    assert_eq!((control.total_minor, control.currency.as_str()), (-8468, "GBP"));
    assert_eq!((control.orders, summary.counts.orders), (3, 3));
}

#[tokio::test]
async fn online_retail_adds_up_to_the_control_total() {
    for db in both(options).await {
        let first = retail(&db, &fixture(RETAIL)).await;
        check_retail(&first);
        check_laws(&db).await;
        let c = &first.counts;
        assert_eq!((c.units_returned, c.stock_changes, c.orders_waiting), (12, 2, 0));
        // The latest purchase first: five tins of the second invoice, two of the first one's later row.
        let returned = "SELECT o.reference || ' ' || l.position AS key, l.returned AS n FROM order_line l \
            JOIN orders o ON o.id = l.order_id WHERE l.returned > 0";
        let expected = [("700001 2", 2), ("700001 3", 3), ("700002 1", 5), ("700002 4", 2)];
        assert_eq!(counts(&db, returned).await, expected.map(|(k, n)| (k.to_owned(), n)).into());
        let states =
            "SELECT fulfilment_status || ' ' || payment_status AS key, COUNT(*) AS n FROM orders GROUP BY 1";
        let expected =
            [("delivered paid", 1), ("fulfilled partially_refunded", 1), ("fulfilled refunded", 1)];
        assert_eq!(counts(&db, states).await, expected.map(|(k, n)| (k.to_owned(), n)).into());
        assert_eq!(number(&db, "SELECT COUNT(*) FROM customer").await, 2);

        let before = tables(&db).await;
        let again = retail(&db, &fixture(RETAIL)).await;
        assert_eq!((again.outcome, &again.counts), (Outcome::Unchanged, &first.counts));
        assert_eq!(tables(&db).await, before);
    }
}

#[tokio::test]
async fn an_online_retail_import_that_stops_after_every_chunk_ends_the_same() {
    for (straight, broken) in both(options).await.into_iter().zip(both(options).await) {
        let whole = retail(&straight, &fixture(RETAIL)).await;
        let out = Folder::new();
        let summary = loop {
            let attempt = import::online_retail(&broken, &fixture(RETAIL), &out.options(), stop).await;
            if let Some(summary) = stopped(attempt) {
                break summary;
            }
        };
        check_retail(&summary);
        assert_eq!(summary.counts, whole.counts);
        assert_eq!(tables(&broken).await, tables(&straight).await);
        check_laws(&broken).await;
    }
}

#[tokio::test]
async fn online_retail_files_that_overlap_add_what_is_new() {
    for db in both(options).await {
        for lines in [5, 8, 14] {
            let folder = Folder::new();
            let file = folder.0.join("part.csv");
            first_lines(&fixture(RETAIL), lines, &file);
            retail(&db, &file).await;
            check_laws(&db).await;
        }
        let all = retail(&db, &fixture(RETAIL)).await;
        // The last row of the fixture belongs to an invoice that an earlier file had without it: that order stays as it was (8.00 less),
        // and the two trays that its credit note gives back are a credit without an order.
        assert_eq!(all.control[0].total_minor, -8468 - 800);
        assert_eq!(all.counts.refused, []);
        check_laws(&db).await;
    }
}

#[tokio::test]
async fn costs_are_a_percentage_and_need_the_base_currency() {
    for db in both(options).await {
        let out = Folder::new();
        let options = import::Options { cost_percent: 40, ..out.options() };
        let summary =
            import::online_retail(&db, &fixture(RETAIL), &options, crate::support::go_on).await.unwrap();
        check_retail(&summary);
        check_laws(&db).await;
        assert!(number(&db, "SELECT CAST(SUM(cost) AS BIGINT) FROM order_line").await > 0);
    }
    for db in both(options).await {
        olist(&db, &fixture("olist")).await;
        let out = Folder::new();
        let options = import::Options { cost_percent: 40, ..out.options() };
        let refused =
            import::online_retail(&db, &fixture(RETAIL), &options, crate::support::go_on).await.unwrap_err();
        assert!(refused.to_string().starts_with("Costs are kept in BRL"), "{refused}");
        let summary = retail(&db, &fixture(RETAIL)).await;
        check_retail(&summary);
        assert!(summary.remarks.iter().any(|r| r.contains("kept in BRL")), "{:?}", summary.remarks);
        check_laws(&db).await;
    }
}

async fn save_sku(db: &Db, code: &str) {
    let sku = SaveSku {
        at: BEGIN,
        code: code.into(),
        title: code.into(),
        kind: SkuKind::Simple,
        tax_class: "standard".into(),
        barcodes: Vec::new(),
        prices: Vec::new(),
        weight_g: None,
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: Vec::new(),
    };
    let saved: Result<_, Fault> =
        db::write!(db, &Actor::system("test"), |tx| catalog::save_skus(tx, std::slice::from_ref(&sku)).await);
    saved.unwrap().remove(0).unwrap();
}

#[tokio::test]
async fn orders_of_our_own_csv() {
    for db in both(options).await {
        save_sku(&db, "TEA-1").await;
        let out = Folder::new();
        let file = fixture("orders.csv");
        let options = out.options();
        let go = || import::orders_csv(&db, &file, &options, crate::support::go_on);
        let first = go().await.unwrap();
        let unknown: Vec<_> = first.counts.refused.iter().map(|r| r.reference.as_str()).collect();
        assert_eq!((first.counts.orders, unknown), (2, vec!["W-1"]));
        let report = &first.files[0];
        let rejected = std::fs::read_to_string(report.rejected_to.as_ref().unwrap()).unwrap();
        assert!(rejected.contains("Line 2: we do not sell “CUP-1”."), "{rejected}");
        assert_eq!((report.read, report.taken, report.rejected), (12, 2, 10));
        check_laws(&db).await;

        // What was refused for want of a SKU is taken once there is one; the rest stays as it is.
        save_sku(&db, "CUP-1").await;
        let second = go().await.unwrap();
        assert_eq!(
            (second.counts.orders, &second.counts.refused[..], second.files[0].taken),
            (3, &[][..], 4)
        );
        let orders =
            "SELECT reference || ' ' || payment_status || ' ' || total AS key, captured AS n FROM orders";
        // 2 × 4.95 − 0.50 + 12.00 + 4.90 − 1.00, of which 13.30 are paid.
        let expected = [("W-1 partially_paid 2530", 1330), ("W-2 unpaid 500", 0), ("W-4 unpaid 1125", 0)];
        assert_eq!(counts(&db, orders).await, expected.map(|(k, n)| (k.to_owned(), n)).into());
        check_laws(&db).await;
        let before = tables(&db).await;
        assert_eq!(go().await.unwrap().outcome, Outcome::Unchanged);
        assert_eq!(tables(&db).await, before);
    }
}
