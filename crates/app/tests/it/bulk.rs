//! The same to all of a long list: none is left out without a word, and each view offers what it is about.

use crate::clerk::{count, location, send};
use crate::support::{TestApp, shop};
use serde_json::Value;

/// More orders than one call of the API takes.
const MANY: usize = 1_003;

#[tokio::test]
async fn all_of_a_list_is_all_of_it_however_long() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 5_000).await;
        let unpaid = |n: usize| {
            let mut order = shop::order(&format!("c{n}"), &[("CAP", 1)]);
            order["tenders"] = Value::Array(Vec::new());
            order
        };
        for batch in (0..MANY).collect::<Vec<_>>().chunks(1_000) {
            let orders: Vec<Value> = batch.iter().map(|n| unpaid(*n)).collect();
            app.post("/v1/orders", &Value::Array(orders)).await.ok();
        }
        assert_eq!(count(&app, "SELECT COUNT(*) FROM orders").await, 1_003, "{}", app.name);
        let list = "/orders?payment_status=unpaid";
        let page = app.get(list).await.text;
        assert!(page.contains("/orders/bulk/meant?query=%2Forders%3Fpayment_status%3Dunpaid"), "{page}");
        let said =
            app.get("/orders/bulk/meant?query=%2Forders%3Fpayment_status%3Dunpaid&every=yes").await.text;
        assert!(said.contains("1\u{202f}003 orders"), "{said}");
        assert_eq!(app.get("/orders/bulk/meant?query=%2Forders").await.text, "", "unticked");

        let every = [("every", "yes"), ("query", list)];
        let with = |more: &[(&'static str, &'static str)]| [&every[..], more].concat();
        let asked = send(&app, "/orders/bulk", &with(&[("do", "tag")])).await.text;
        assert!(asked.contains("Tag 1\u{202f}003 orders") && !asked.contains("ids[]"), "{asked}");
        let cancel = send(&app, "/orders/bulk", &with(&[("do", "cancel")])).await.text;
        assert!(cancel.contains("1003 units are cancelled"), "{cancel}");
        let tag = with(&[("do", "tag"), ("about", "recall"), ("told", "1003"), ("once", "b1")]);
        let progress = location(&send(&app, "/orders/bulk", &tag).await);

        app.post("/v1/orders", &unpaid(MANY)).await.ok();
        assert_eq!(
            location(&send(&app, "/orders/bulk", &tag).await),
            progress,
            "a double click, and a list that grew"
        );
        let stale = with(&[("do", "tag"), ("about", "recall"), ("told", "1003"), ("once", "b2")]);
        let grown = send(&app, "/orders/bulk", &stale).await;
        assert_eq!(grown.status, 409);
        assert!(
            grown.text.contains("has 1004 now") && grown.text.contains("Tag 1\u{202f}004 orders"),
            "{}",
            grown.text
        );

        app.drain_jobs().await;
        let page = app.get(&progress).await.text;
        assert!(page.contains("1003 of 1003"), "{page}");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM orders WHERE tags LIKE '%recall%'").await, 1_003);
        for csv in [
            send(&app, "/orders/bulk", &with(&[("do", "csv")])).await.text,
            app.with_key(&["orders:read"]).await.get("/orders/list.csv?payment_status=unpaid").await.text,
        ] {
            let mut numbers: Vec<&str> = csv.lines().map(|l| l.split(',').next().unwrap()).collect();
            assert_eq!((numbers.len(), numbers[0]), (1_005, "number"), "a head and each order");
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), 1_005, "none twice");
        }
        app.check().await;
    }
}

#[tokio::test]
async fn what_is_ready_is_sent_to_the_warehouse_and_holds_are_called_holds() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let mut ids = Vec::new();
        for n in 0..4 {
            let order = app.post("/v1/orders", &shop::order(&format!("c{n}"), &[("CAP", 1)])).await.ok();
            ids.push(order["id"].as_str().unwrap().to_owned());
        }
        app.drain_jobs().await;
        let ready = app.get("/orders?only=ready").await.text;
        assert!(ready.contains("Send to warehouse") && !ready.contains("Release holds"), "{ready}");
        let all = app.get("/orders").await.text;
        assert!(all.contains("Release holds") && !all.contains("Send to warehouse"), "{all}");
        let clerk = app.with_key(&["orders:read", "orders:write"]).await.get("/orders?only=ready").await.text;
        assert!(!clerk.contains("Send to warehouse"), "{clerk}");

        let ticked = [("ids[]", ids[0].as_str()), ("query", "/orders?only=ready")];
        let one = send(&app, "/warehouse/release/orders", &ticked).await;
        assert_eq!(location(&one), "/orders?only=ready");
        let released = "SELECT COUNT(*) FROM fulfilment_order WHERE released_at IS NOT NULL";
        assert_eq!(count(&app, released).await, 1, "{}", app.name);
        let every = [("every", "yes"), ("query", "/orders?only=ready")];
        location(&send(&app, "/warehouse/release/orders", &every).await);
        assert_eq!(count(&app, released).await, 4);
        location(&send(&app, "/warehouse/release/orders", &every).await);
        assert_eq!(
            count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'fulfilment.released'").await,
            4,
            "once each"
        );
        app.check().await;
    }
}

#[tokio::test]
async fn the_screen_for_fraud_knows_what_a_yen_is_worth() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let order = |who: &str, currency: &str, price: i64| {
            let mut order = shop::order(who, &[]);
            order["currency"] = currency.into();
            order["shipping"] = 0.into();
            order["lines"] = serde_json::json!([{"sku": "CAP", "quantity": 1, "unit_price": price}]);
            order
        };
        for (who, currency, price, held) in [
            ("small-yen", "JPY", 2_160, false),
            ("large-yen", "JPY", 900_000, true),
            ("small-dinar", "KWD", 4_500, false),
            ("large-dinar", "KWD", 2_000_000, true),
            ("small-euro", "EUR", 1_500, false),
            ("large-euro", "EUR", 250_000, true),
        ] {
            let placed = app.post("/v1/orders", &order(who, currency, price)).await.ok();
            let holds = placed["holds"].to_string();
            assert_eq!(holds.contains("risk_review"), held, "{}: {who}: {placed}", app.name);
        }
    }
}
