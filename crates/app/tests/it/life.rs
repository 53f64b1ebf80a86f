//! The whole life of an order over the API, on both databases: every step shows, the money comes out to the cent, every law holds.

use crate::support::TestApp;
use crate::support::shop;
use crate::support::walkthrough::{OrderWalkthrough, Step};
use serde_json::json;

#[tokio::test]
async fn an_order_lives_from_cart_to_refund() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 100).await;
        let walk = OrderWalkthrough::up_to(&app, &shop, "ada", Step::Refunded).await;
        // 2 × 20.00 + 30.00 + 4.90, tax included.
        assert_eq!(walk.total, 7490, "{}", app.name);
        let order = walk.show(&app).await;
        assert_eq!(order["fulfilment_status"], "delivered", "{}: {order}", app.name);
        assert_eq!(order["payment_status"], "partially_refunded");
        assert_eq!(order["totals"]["captured"], 7490);
        assert_eq!(order["totals"]["refunded"], walk.credited);
        assert_eq!(order["totals"]["returned"], walk.credited);
        assert_eq!(
            walk.credited, 2000,
            "a unit that was not wanted is worth its own cents, without its shipping"
        );

        let timeline = app.get(&format!("/v1/orders/{}/events?limit=200", walk.order)).await.ok();
        let kinds: Vec<&str> =
            timeline["data"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
        for kind in [
            "order.placed",
            "order.allocated",
            "payment.captured",
            "fulfilment.released",
            "parcel.packed",
            "shipment.shipped",
            "order.units_shipped",
            "order.units_delivered",
            "return.requested",
            "order.units_returned",
            "payment.refunded",
        ] {
            assert!(kinds.contains(&kind), "{}: {kind} is missing in {kinds:?}", app.name);
        }
        app.check().await;
        books_balance(&app).await;
    }
}

async fn books_balance(app: &TestApp) {
    let balance =
        books::statements::trial_balance(app.ctx.db.read(), app.ctx.db.now().plus(1)).await.unwrap();
    assert!(!balance.totals.is_empty());
    for total in &balance.totals {
        assert_eq!(total.debit, total.credit, "{}: {total:?}", app.name);
    }
    let sheet = books::statements::balance_sheet(app.ctx.db.read(), app.ctx.db.now().plus(1)).await.unwrap();
    assert_eq!(sheet.total_assets, sheet.total_liabilities_and_equity, "{}", app.name);
}

#[tokio::test]
async fn every_step_leaves_a_database_that_verifies() {
    use Step::*;
    let app = TestApp::sqlite().await;
    let shop = shop::open(&app.ctx.db, 1000).await;
    for (n, step) in
        [Placed, Paid, Released, Picked, Packed, Labelled, Shipped, Delivered, Returned, Refunded]
            .into_iter()
            .enumerate()
    {
        OrderWalkthrough::up_to(&app, &shop, &format!("customer{n}"), step).await;
        app.check_laws().await;
    }
    app.drain_jobs().await;
    app.check().await;
}

#[tokio::test]
async fn a_cancelled_order_gives_money_and_stock_back() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 10).await;
        let walk = OrderWalkthrough::up_to(&app, &shop, "ada", Step::Paid).await;
        app.post(&format!("/v1/orders/{}/cancel", walk.order), &json!({"reason": "changed my mind"}))
            .await
            .ok();
        app.drain_jobs().await;
        let order = walk.show(&app).await;
        assert_eq!(order["fulfilment_status"], "cancelled", "{}", app.name);
        assert_eq!(order["payment_status"], "refunded", "{}: {order}", app.name);
        let free: Option<i64> =
            app.ctx.db.read().scalar("SELECT CAST(SUM(available) AS BIGINT) FROM stock", []).await.unwrap();
        assert_eq!(free, Some(20));
        app.check().await;
    }
}
