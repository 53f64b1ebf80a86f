//! A shop with something of everything, for tests that look at all of it. Invariant: made over the API, as people make it.

use crate::support::walkthrough::{OrderWalkthrough, Step};
use crate::support::{TestApp, shop};
use serde_json::json;

/// Orders at every stage, one of them held, one that waits for stock.
pub(crate) async fn furnish(app: &TestApp) {
    let goods = shop::open(&app.ctx.db, 1000).await;
    for (who, step) in [
        ("ada", Step::Refunded),
        ("bob", Step::Placed),
        ("cyd", Step::Picked),
        ("dan", Step::Packed),
        ("eve", Step::Shipped),
        ("fay", Step::Delivered),
    ] {
        OrderWalkthrough::up_to(app, &goods, who, step).await;
    }
    app.drain_jobs().await;
    let held = app.post("/v1/orders", &shop::order("gus", &[("TEE", 1)])).await.ok();
    let hold = json!({"kind": "manual", "reason": "look"});
    app.post(&format!("/v1/orders/{}/holds", held["id"].as_str().unwrap()), &hold).await.ok();
    merge_two(app).await;
    purchase(app).await;
    count_some(app).await;
    app.drain_jobs().await;
    app.check().await;
}

/// Two customers who are one person, one of them with store credit.
async fn merge_two(app: &TestApp) {
    let id_of = async |email: &str| {
        let found = app.get(&format!("/v1/customers?email={email}%40example.com")).await.ok();
        found["data"][0]["id"].as_str().unwrap().to_owned()
    };
    let (into, from) = (id_of("ada").await, id_of("gus").await);
    let credit = json!({"currency": "EUR", "amount": 500, "reason": "sorry"});
    app.post(&format!("/v1/customers/{from}/store-credit"), &credit).await.ok();
    app.post(&format!("/v1/customers/{into}/merge"), &json!({"from": from})).await.ok();
}

/// A purchase order of which more came than was ordered of one SKU and less of the other, and one of which nothing came.
async fn purchase(app: &TestApp) {
    app.put("/v1/suppliers", &json!({"items": [{"code": "ACME", "name": "Acme"}]})).await.ok();
    let lines = json!([{"sku": "TEE", "quantity": 5, "unit_cost": 700}, {"sku": "CAP", "quantity": 5, "unit_cost": 500}]);
    let body = json!({"supplier": "ACME", "location": "BER", "lines": lines});
    for came in [true, false] {
        let made = app.post("/v1/purchase-orders", &body).await.ok();
        let path = format!("/v1/purchase-orders/{}", made["id"].as_str().unwrap());
        app.post(&format!("{path}/order"), &json!({})).await.ok();
        if came {
            let lines = json!([{"sku": "TEE", "quantity": 7}, {"sku": "CAP", "quantity": 2}]);
            let came = json!({"lines": lines, "surplus_reason": "a gift"});
            app.post(&format!("{path}/receive"), &came).await.ok();
        }
    }
}

/// A count sheet on which one SKU differed and one did not.
async fn count_some(app: &TestApp) {
    let sheet = app.post("/v1/count-sheets", &json!({"location": "BER"})).await.ok();
    let path = format!("/v1/count-sheets/{}", sheet["id"].as_str().unwrap());
    let stock = app.get("/v1/stock").await.ok();
    let items: Vec<_> = (0..2)
        .map(|i| {
            let level = &stock["data"][i];
            json!({"sku": level["sku"], "counted": level["on_hand"].as_i64().unwrap() + i64::from(i == 0)})
        })
        .collect();
    app.post(&format!("{path}/counts"), &json!({"items": items})).await.ok();
    app.post(&format!("{path}/approve"), &json!({})).await.ok();
}
