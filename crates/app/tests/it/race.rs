//! Many at once: stock is never sold twice, a key places one order, and nobody's neighbour is harmed.

use crate::support::shop;
use crate::support::{Answer, TestApp};
use serde_json::json;
use tokio::task::JoinSet;

/// 64 customers at once for 10 units; two of them want the bundle that contains the SKU.
async fn rush(app: &TestApp, if_out_of_stock: &str) -> Vec<Answer> {
    let mut running = JoinSet::new();
    for n in 0..64 {
        let sku = if n % 32 == 7 { "SET" } else { "TEE" };
        let mut body = shop::order(&format!("racer{n}"), &[(sku, 1)]);
        body["if_out_of_stock"] = json!(if_out_of_stock);
        let app = app.clone();
        running.spawn(async move { app.post("/v1/orders", &body).await });
    }
    running.join_all().await
}

async fn tees(app: &TestApp, shop: &shop::Shop) -> (i64, i64) {
    let text = "SELECT on_hand * 1000 + allocated FROM stock WHERE sku_id = $1";
    let both: i64 = app.ctx.db.read().scalar(text, [shop.skus["TEE"].into()]).await.unwrap().unwrap();
    (both / 1000, both % 1000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_the_stock_is_sold() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 10).await;
        let answers = rush(&app, "refuse").await;
        let (sold, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 201);
        assert_eq!(sold.len(), 10, "{}", app.name);
        for answer in refused {
            assert_eq!(answer.refused(409), "orders.out_of_stock", "{}", app.name);
        }
        assert_eq!(tees(&app, &shop).await, (10, 10), "{}", app.name);
        app.drain_jobs().await;
        app.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_rest_waits_where_it_may() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 10).await;
        let answers = rush(&app, "backorder").await;
        let waiting: i64 = answers.iter().map(|a| a.ok()["backordered"].as_i64().unwrap()).sum();
        assert_eq!(waiting, 54, "{}", app.name);
        assert_eq!(tees(&app, &shop).await, (10, 10), "{}", app.name);
        app.drain_jobs().await;
        app.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_places_one_order_whoever_retries() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let body = shop::order("ada", &[("TEE", 1)]);
        let mut running = JoinSet::new();
        for _ in 0..16 {
            let (app, body) = (app.clone(), body.clone());
            running.spawn(async move { app.post_once("/v1/orders", "cart-17", &body).await });
        }
        let answers = running.join_all().await;
        let ids: std::collections::HashSet<String> =
            answers.iter().map(|a| a.ok()["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{}", app.name);
        let count: Option<i64> = app.ctx.db.read().scalar("SELECT COUNT(*) FROM orders", []).await.unwrap();
        assert_eq!(count, Some(1), "{}", app.name);

        let other = app.post_once("/v1/orders", "cart-17", &shop::order("ada", &[("CAP", 1)])).await;
        assert_eq!(other.refused(422), "idempotency.key_reused", "{}", app.name);

        let path = format!("/v1/orders/{}/holds", ids.iter().next().unwrap().trim_matches('"'));
        let hold = json!({"kind": "manual", "reason": "count the stock first"});
        let first = app.post_once(&path, "hold-1", &hold).await;
        let again = app.post_once(&path, "hold-1", &hold).await;
        assert_eq!(first.ok(), again.ok(), "{}", app.name);
        assert!(
            first.headers.get("idempotent-replayed").is_none()
                && again.headers.contains_key("idempotent-replayed")
        );
        app.drain_jobs().await;
        app.check().await;
    }
}

/// A batch answers each order by itself.
#[tokio::test]
async fn a_bad_order_never_fails_its_neighbours() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let batch = json!([
            shop::order("one", &[("TEE", 1)]),
            shop::order("two", &[("NOPE", 1)]),
            shop::order("three", &[("TEE", 1_000)]),
            shop::order("four", &[("SET", 1)]),
        ]);
        let done = app.post("/v1/orders", &batch).await.ok();
        let statuses: Vec<i64> =
            done["results"].as_array().unwrap().iter().map(|r| r["status"].as_i64().unwrap()).collect();
        assert_eq!(statuses, [201, 422, 409, 201], "{}: {done}", app.name);
        app.drain_jobs().await;
        app.check().await;
    }
}
