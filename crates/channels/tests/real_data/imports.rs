//! The whole data sets into both databases, with the time it takes.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

use channels::import::{self, Outcome, Progress, Summary};
use db::testing::{TestDb, postgres, sqlite};

use crate::data;
use crate::support::{Folder, check_laws, counts, number, olist, options, retail, tables};

/// Prints how long each stage took, and how fast the orders went.
fn stopwatch() -> impl FnMut(&Progress) -> ControlFlow<()> {
    let (mut since, mut now, mut orders) = (Instant::now(), None, 0);
    move |progress: &Progress| {
        if progress.chunk == progress.chunks || now.is_some_and(|stage| stage != progress.stage) {
            let seconds = since.elapsed().as_secs_f64();
            let (stage, booked) = (now.unwrap_or(progress.stage), progress.orders - orders);
            println!("  {stage}: {seconds:.1} s, {:.0} orders/s", booked as f64 / seconds);
            (since, orders) = (Instant::now(), progress.orders);
        }
        now = Some(progress.stage);
        ControlFlow::Continue(())
    }
}

fn report(what: &str, db: &TestDb, start: Instant, summary: &Summary) {
    let (orders, seconds) = (summary.counts.orders, start.elapsed().as_secs_f64());
    println!("{what} into {}: {orders} orders in {seconds:.1} s, {:.0}/s", db.name, orders as f64 / seconds);
}

async fn olist_on(db: TestDb) {
    let start = Instant::now();
    let out = Folder::new();
    let first = import::olist(&db, &data().join("olist"), &out.options(), stopwatch()).await.unwrap();
    report("olist", &db, start, &first);
    assert_eq!(first.counts.refused, []);
    let states = "SELECT fulfilment_status AS key, COUNT(*) AS n FROM orders GROUP BY fulfilment_status";
    // approved 2, processing 301, invoiced 312 and unavailable 6 are not handed over; 461 were cancelled, 75 of them after that.
    let expected = [
        ("cancelled", 386),
        ("delivered", 5172),
        ("fulfilled", 1106),
        ("returned", 75),
        ("unfulfilled", 2 + 301 + 312 + 6),
    ];
    assert_eq!(counts(&db, states).await, expected.map(|(k, n)| (k.to_owned(), n)).into());
    let requests = "SELECT f.request AS key, COUNT(DISTINCT o.id) AS n FROM orders o JOIN fulfilment_order f ON f.order_id = o.id \
        WHERE o.fulfilment_status = 'unfulfilled' GROUP BY f.request";
    let expected = [("accepted", 301 + 312), ("none", 2), ("rejected", 6)];
    assert_eq!(counts(&db, requests).await, expected.map(|(k, n)| (k.to_owned(), n)).into());
    let waiting = "SELECT COUNT(*) FROM orders WHERE units_backordered > 0";
    assert_eq!(number(&db, waiting).await, 6);
    let control = &first.control[0];
    assert_eq!(control.charged, 142_860_281 - 16_259_195);
    assert_eq!(number(&db, "SELECT CAST(SUM(captured) AS BIGINT) FROM orders").await, first.counts.captured);
    assert_eq!(number(&db, "SELECT COUNT(*) FROM customer").await, 8016);
    assert_eq!(first.counts.reviews, 7447);
    finish(&db, first.counts.orders).await;
    let before = tables(&db).await;
    let again = olist(&db, &data().join("olist")).await;
    assert_eq!((again.outcome, again.counts == first.counts), (Outcome::Unchanged, true));
    assert_eq!(tables(&db).await, before);
}

async fn finish(db: &TestDb, orders: u64) {
    let start = Instant::now();
    check_laws(db).await;
    println!(
        "{orders} orders on {}: all laws hold, checked in {:.1} s",
        db.name,
        start.elapsed().as_secs_f64()
    );
    assert_eq!(number(db, "SELECT COUNT(*) FROM job").await, 0);
}

async fn retail_on(db: TestDb) {
    let file = data().join("online_retail/online_retail_to_2011-08.csv.gz");
    let start = Instant::now();
    let out = Folder::new();
    let first = import::online_retail(&db, &file, &out.options(), stopwatch()).await.unwrap();
    report("online retail", &db, start, &first);
    assert_eq!(first.counts.refused, []);
    assert_eq!((first.control[0].total_minor, first.counts.orders_waiting), (576_193_138, 0));
    assert_eq!(first.counts.units_returned, 125_179);
    let states: BTreeMap<String, i64> =
        counts(&db, "SELECT fulfilment_status AS key, COUNT(*) AS n FROM orders GROUP BY fulfilment_status")
            .await;
    assert!(!states.contains_key("unfulfilled") && !states.contains_key("partial"), "{states:?}");
    finish(&db, first.counts.orders).await;
    let before = tables(&db).await;
    let again = retail(&db, &file).await;
    assert_eq!((again.outcome, again.counts == first.counts), (Outcome::Unchanged, true));
    assert_eq!(tables(&db).await, before);
}

#[tokio::test]
async fn olist_into_sqlite() {
    olist_on(sqlite(options()).await).await;
}

#[tokio::test]
async fn olist_into_postgres() {
    olist_on(postgres(options()).await).await;
}

#[tokio::test]
async fn online_retail_into_sqlite() {
    retail_on(sqlite(options()).await).await;
}

#[tokio::test]
async fn online_retail_into_postgres() {
    retail_on(postgres(options()).await).await;
}
