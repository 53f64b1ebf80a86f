//! Purchase orders, as purchasers and those at the dock use them: what is ordered is incoming, what comes is received as everything else
//! is, more than was ordered only with a reason, and the books and every law agree all the way.

use crate::clerk::{count, location, send};
use crate::support::{TestApp, shop};
use serde_json::{Value, json};

async fn supplied(app: &TestApp) {
    shop::open(&app.ctx.db, 10).await;
    app.put("/v1/suppliers", &json!({"items": [{"code": "ACME", "name": "Acme"}]})).await.ok();
}

fn of(lines: &[(&str, i64, i64)]) -> Value {
    let lines: Vec<Value> =
        lines.iter().map(|(sku, n, cost)| json!({"sku": sku, "quantity": n, "unit_cost": cost})).collect();
    json!({"supplier": "ACME", "location": "BER", "expected_at": "2026-12-24T00:00:00Z", "lines": lines})
}

async fn incoming(app: &TestApp, sku: &str) -> (i64, i64) {
    let stock = app.get(&format!("/v1/stock?sku={sku}")).await.ok();
    let level = &stock["data"][0];
    (level["on_hand"].as_i64().unwrap(), level["incoming"].as_i64().unwrap())
}

#[tokio::test]
async fn what_is_ordered_is_incoming_and_comes_by_receipts() {
    for app in TestApp::both().await {
        supplied(&app).await;
        let draft = app.post("/v1/purchase-orders", &of(&[("TEE", 20, 650), ("CAP", 5, 480)])).await;
        assert_eq!(draft.status, 201, "{}", draft.text);
        let draft = draft.json();
        assert_eq!((&draft["status"], &draft["value"]), (&json!("draft"), &json!(15_400)));
        assert_eq!(incoming(&app, "TEE").await, (10, 0), "nothing is expected of a draft");
        let path = format!("/v1/purchase-orders/{}", draft["id"].as_str().unwrap());
        let came = |lines: Value| json!({"lines": lines, "reference": "DN 7"});
        let all = json!([{"sku": "TEE", "quantity": 20}]);
        let refused = app.post(&format!("{path}/receive"), &came(all.clone())).await;
        assert_eq!(refused.refused(409), "inventory.purchase_not_ordered");
        app.put(&path, &of(&[("TEE", 20, 700), ("CAP", 5, 480)])).await.ok();

        app.post(&format!("{path}/order"), &json!({})).await.ok();
        app.check().await;
        assert_eq!((incoming(&app, "TEE").await, incoming(&app, "CAP").await), ((10, 20), (10, 5)));
        assert_eq!(app.put(&path, &of(&[("TEE", 1, 1)])).await.refused(409), "inventory.purchase_not_draft");
        let again = app.post(&format!("{path}/order"), &json!({})).await;
        assert_eq!(again.refused(409), "inventory.purchase_not_draft");

        let some = json!([{"sku": "TEE", "quantity": 12}]);
        let once = app.post_once(&format!("{path}/receive"), "k1", &came(some.clone())).await.ok();
        app.post_once(&format!("{path}/receive"), "k1", &came(some)).await.ok();
        assert_eq!((&once["status"], &once["open"]), (&json!("partly_received"), &json!(13)));
        assert_eq!(incoming(&app, "TEE").await, (22, 8));
        let moves = app.get("/v1/stock/TEE/movements").await.ok();
        let receipt = moves["data"].as_array().unwrap().iter().find(|m| m["on_hand"] == 12).unwrap();
        assert_eq!((&receipt["kind"], &receipt["value"]), (&json!("receipt"), &json!(12 * 700)));
        let number = draft["number"].as_str().unwrap();
        assert_eq!(receipt["reference"], format!("{number}, DN 7"));

        let refused = app.post(&format!("{path}/receive"), &came(all)).await;
        assert_eq!(refused.refused(409), "inventory.purchase_too_many");
        assert_eq!(incoming(&app, "TEE").await, (22, 8), "a refusal leaves nothing");
        let more = json!({"lines": [{"sku": "TEE", "quantity": 10}], "surplus_reason": "they gave two"});
        let more = app.post(&format!("{path}/receive"), &more).await.ok();
        assert_eq!((&more["lines"][0]["surplus"], &more["open"]), (&json!(2), &json!(5)));
        assert_eq!(incoming(&app, "TEE").await, (32, 0));

        let refused = app.post(&format!("{path}/cancel"), &json!({})).await;
        assert_eq!(refused.refused(422), "inventory.purchase_no_reason");
        let over = app.post(&format!("{path}/cancel"), &json!({"reason": "sold out"})).await.ok();
        assert_eq!((&over["status"], &over["cancelled"]), (&json!("received"), &json!(5)));
        assert_eq!(incoming(&app, "CAP").await, (10, 0));
        let refused = app.post(&format!("{path}/cancel"), &json!({"reason": "x"})).await;
        assert_eq!(refused.refused(409), "inventory.purchase_nothing_open");
        app.drain_jobs().await;
        app.check().await;
        // The goods are owed for in the books, at what they were ordered for.
        let owed = count(&app, "SELECT CAST(SUM(amount) AS BIGINT) FROM posting WHERE credit = '2050'").await;
        assert_eq!(owed, 10 * 700 + 10 * 500 + 22 * 700, "{}", app.name);
    }
}

#[tokio::test]
async fn a_purchase_order_says_what_is_wrong_with_it() {
    for app in TestApp::both().await {
        supplied(&app).await;
        let with = |name: &str, value: Value| {
            let mut body = of(&[("TEE", 1, 1)]);
            body[name] = value;
            body
        };
        for (body, status, code) in [
            (of(&[]), 422, "inventory.purchase_without_lines"),
            (of(&[("TEE", 0, 1)]), 422, "inventory.bad_quantity"),
            (of(&[("TEE", 1, -1)]), 422, "inventory.bad_cost"),
            (of(&[("TEE", 1, 1), ("TEE", 2, 1)]), 422, "inventory.purchase_two_lines"),
            (of(&[("SET", 1, 1)]), 409, "inventory.not_stocked"),
            (of(&[("NONE", 1, 1)]), 404, "request.not_found"),
            (with("supplier", json!("NONE")), 404, "request.not_found"),
            (with("location", json!("NONE")), 404, "request.not_found"),
        ] {
            assert_eq!(app.post("/v1/purchase-orders", &body).await.refused(status), code, "{body}");
        }
        assert_eq!(count(&app, "SELECT COUNT(*) FROM purchase").await, 0);
        let draft = app.post("/v1/purchase-orders", &of(&[("TEE", 3, 1)])).await.ok();
        let path = format!("/v1/purchase-orders/{}", draft["id"].as_str().unwrap());
        let over = app.post(&format!("{path}/cancel"), &json!({})).await.ok();
        assert_eq!(over["status"], "cancelled");
        for status in ["draft", "cancelled"] {
            let list = app.get(&format!("/v1/purchase-orders?status={status}&supplier=ACME")).await.ok();
            assert_eq!(list["data"].as_array().unwrap().len(), usize::from(status == "cancelled"));
        }
        app.check().await;
    }
}

#[tokio::test]
async fn a_purchaser_orders_and_the_dock_receives_on_pages() {
    for app in TestApp::both().await {
        supplied(&app).await;
        let purchaser = app.with_key(web::Role::Purchaser.grants()).await;
        let dock = app.with_key(web::Role::WarehouseLead.grants()).await;
        let fields = [
            ("once", "p1"),
            ("supplier", "ACME"),
            ("location", "BER"),
            ("expected", "2020-01-02"),
            ("lines[0][sku]", "4006381333931"),
            ("lines[0][quantity]", "6"),
            ("lines[0][cost]", "7.25"),
            ("lines[1][sku]", ""),
        ];
        assert_eq!(send(&dock, "/purchasing/new", &fields).await.status, 403);
        let page = location(&send(&purchaser, "/purchasing/new", &fields).await);
        assert_eq!(location(&send(&purchaser, "/purchasing/new", &fields).await), page, "a double click");
        let mut wrong = fields.to_vec();
        wrong.extend([("once", "p2"), ("lines[1][sku]", "NOPE"), ("lines[1][quantity]", "x")]);
        wrong.remove(7);
        wrong.remove(0);
        let again = send(&purchaser, "/purchasing/new", &wrong).await;
        assert!(
            again.status == 422 && again.text.contains("“NOPE”") && again.text.contains("7.25"),
            "{}",
            again.text
        );

        location(&send(&purchaser, &format!("{page}/order"), &[("once", "p3")]).await);
        let list = dock.get("/purchasing?show=ordered").await;
        assert!(
            list.text.contains(">2020-01-02</time>")
                && list.text.contains("Late")
                && list.text.contains("43.50"),
            "{}",
            list.text
        );
        let stock = app.get("/stock/skus/TEE").await;
        assert!(stock.text.contains("On order") && stock.text.contains(&page), "{}", stock.text);

        let tee = app.get("/v1/skus/TEE").await.ok()["id"].as_str().unwrap().to_owned();
        let came = |units: &'static str, reason: &'static str, once: &'static str| {
            [("once", once), ("lines[0][units]", units), ("reason", reason)]
        };
        let receive = format!("{page}/receive");
        let mut many = came("8", "", "r1").to_vec();
        many.push(("lines[0][sku]", &tee));
        let refused = send(&dock, &receive, &many).await;
        assert!(
            refused.status == 422 && refused.text.contains("Only 6 of TEE are still to come"),
            "{}",
            refused.text
        );
        let mut many = came("8", "two more in the box", "r1").to_vec();
        many.push(("lines[0][sku]", &tee));
        location(&send(&dock, &receive, &many).await);
        let shown = purchaser.get(&page).await;
        assert!(
            shown.text.contains("two more in the box") && shown.text.contains("Received"),
            "{}",
            shown.text
        );
        assert_eq!(incoming(&app, "TEE").await, (18, 0));
        app.drain_jobs().await;
        app.check().await;
    }
}
