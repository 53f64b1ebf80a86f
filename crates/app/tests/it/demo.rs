//! The demo shop: made by the real commands, in every state an order can be in, and lawful.

use crate::support::has_postgres;
use fulmar::config::Config;
use fulmar::{cmd, demo, program, serve, slices, verify};

async fn build(url: &str) {
    let config = Config { database_url: url.to_owned(), ..Config::default() };
    let ctx = program::open(&config, db::Clock::System).await.unwrap();
    let welcome = serve::welcome(&ctx, &config, ([127, 0, 0, 1], 8080).into(), true).await.unwrap();
    let lines = welcome.lines();
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert!(
        lines.contains(demo::EMAIL) && lines.contains(demo::PASSWORD) && lines.contains("fk_"),
        "{lines}"
    );

    let count = async |text: &str| ctx.db.read().scalar::<i64>(text, []).await.unwrap().unwrap_or_default();
    assert!(count("SELECT COUNT(*) FROM sku").await >= 25);
    assert!(count("SELECT COUNT(*) FROM orders").await >= 40);
    for status in ["unfulfilled", "partial", "fulfilled", "delivered", "cancelled", "returned"] {
        assert!(
            count(&format!("SELECT COUNT(*) FROM orders WHERE fulfilment_status = '{status}'")).await > 0,
            "no order is {status}"
        );
    }
    for status in ["unpaid", "authorised", "paid", "partially_refunded"] {
        assert!(
            count(&format!("SELECT COUNT(*) FROM orders WHERE payment_status = '{status}'")).await > 0,
            "no order is {status}"
        );
    }
    for (what, text) in [
        ("risk review", "SELECT COUNT(*) FROM order_hold WHERE kind = 'risk_review'"),
        ("payment due", "SELECT COUNT(*) FROM order_hold WHERE kind = 'payment_due'"),
        ("customer's wish", "SELECT COUNT(*) FROM order_hold WHERE kind = 'customer_request'"),
        ("backorder", "SELECT COUNT(*) FROM orders WHERE units_backordered > 0"),
        (
            "two tenders",
            "SELECT COUNT(*) FROM (SELECT order_id FROM payment GROUP BY order_id HAVING COUNT(*) > 1) AS twice",
        ),
        ("exchange", "SELECT COUNT(*) FROM orders WHERE exchange_of IS NOT NULL"),
        ("store credit", "SELECT COUNT(*) FROM store_credit WHERE balance > 0"),
        ("lost parcel", "SELECT COUNT(*) FROM shipment WHERE status = 'lost'"),
        (
            "drop-ship",
            "SELECT COUNT(*) FROM fulfilment_order WHERE executor = 'dropship' AND status = 'closed'",
        ),
        ("purchase order that is late", "SELECT COUNT(*) FROM purchase WHERE status = 'partly_received'"),
        ("draft of a purchase order", "SELECT COUNT(*) FROM purchase WHERE status = 'draft'"),
        ("file of SKUs", "SELECT COUNT(*) FROM sku_import WHERE confirmed_at IS NULL"),
        ("count sheet", "SELECT COUNT(*) FROM count_sheet WHERE status = 'open' AND counted = 3"),
        ("open return", "SELECT COUNT(*) FROM return_request WHERE settled_at IS NULL"),
    ] {
        assert!(count(text).await > 0, "the demo shows no {what}");
    }
    assert_eq!(count("SELECT COUNT(*) FROM job WHERE parked").await, 0);
    let verdicts = verify::verify(&ctx.db, &slices::laws()).await.unwrap();
    let broken: Vec<_> = verdicts.iter().filter(|v| !v.holds).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    // A second start finds somebody there and changes nothing.
    let again = serve::welcome(&ctx, &config, ([127, 0, 0, 1], 8080).into(), true).await.unwrap();
    assert!(again.lines().contains("your account"));
    cmd::close(ctx).await.unwrap();
}

#[tokio::test]
async fn the_demo_shows_everything_on_both_databases() {
    let sqlite = db::testing::sqlite(program::options(2, db::Clock::System)).await;
    build(sqlite.url()).await;
    if has_postgres() {
        let postgres = db::testing::postgres(program::options(2, db::Clock::System)).await;
        build(postgres.url()).await;
    }
}
