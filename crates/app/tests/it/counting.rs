//! Count sheets, as people walk along the shelves with them: blind, against goods that move meanwhile, with what differs shown before it is
//! corrected.

use crate::clerk::{count, location, send};
use crate::support::{TestApp, shop};
use serde_json::{Value, json};

async fn on_hand(app: &TestApp, sku: &str) -> i64 {
    let stock = app.get(&format!("/v1/stock?sku={sku}")).await.ok();
    stock["data"][0]["on_hand"].as_i64().unwrap()
}

async fn adjust(app: &TestApp, sku: &str, delta: i64) {
    let item = json!({"sku": sku, "location": "BER", "delta": delta, "reason": "moved"});
    let done = app.post("/v1/adjustments", &json!({"items": [item]})).await.ok();
    assert_eq!(done["results"][0]["done"], true, "{done}");
}

async fn enter(app: &TestApp, path: &str, counts: &[(&str, i64)]) -> Value {
    let items: Vec<Value> = counts.iter().map(|(sku, n)| json!({"sku": sku, "counted": n})).collect();
    app.post(&format!("{path}/counts"), &json!({"items": items})).await.ok()
}

#[tokio::test]
async fn what_moves_before_and_after_a_count_makes_no_difference() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let bins = json!({"items": [{"sku": "TEE", "location": "BER", "bin": "A-01"}, {"sku": "CAP", "location": "BER", "bin": "B-01"}]});
        app.post("/v1/bins", &bins).await.ok();
        let part = app.post("/v1/count-sheets", &json!({"location": "BER", "bins": "A"})).await.ok();
        assert_eq!((&part["total"], &part["status"]), (&json!(1), &json!("open")));
        let none = app.post("/v1/count-sheets", &json!({"location": "BER", "bins": "Z"})).await;
        assert_eq!(none.refused(409), "inventory.sheet_nothing_there");

        let sheet = app.post("/v1/count-sheets", &json!({"location": "BER"})).await.ok();
        let path = format!("/v1/count-sheets/{}", sheet["id"].as_str().unwrap());
        let refused = app.post(&format!("{path}/approve"), &json!({})).await;
        assert_eq!(refused.refused(409), "inventory.sheet_nothing_counted");
        // Four come before anybody counts and three after: one is missing, whatever moved.
        adjust(&app, "TEE", 4).await;
        let lines = app.get(&format!("{path}/lines")).await.ok();
        assert_eq!(lines["data"][0]["expected"], Value::Null, "one counts blind");
        enter(&app, &path, &[("TEE", 13), ("CAP", 10)]).await;
        adjust(&app, "TEE", 3).await;
        adjust(&app, "CAP", -2).await;
        let different = app.get(&format!("{path}/lines?show=different")).await.ok();
        let line = &different["data"][0];
        assert_eq!(different["data"].as_array().unwrap().len(), 1);
        assert_eq!((&line["expected"], &line["counted"]), (&json!(14), &json!(13)));
        assert_eq!(line["value"], -700, "a tee costs 7.00");
        assert_eq!(
            (on_hand(&app, "TEE").await, on_hand(&app, "CAP").await),
            (17, 8),
            "nothing is corrected yet"
        );

        let approved = app.post(&format!("{path}/approve"), &json!({})).await.ok();
        assert_eq!((&approved["status"], &approved["differing"]), (&json!("approved"), &json!(1)));
        assert_eq!((on_hand(&app, "TEE").await, on_hand(&app, "CAP").await), (16, 8), "{}", app.name);
        let moves = app.get("/v1/stock/TEE/movements?limit=1").await.ok();
        let made = &moves["data"][0];
        assert_eq!(
            (&made["kind"], &made["reason"], &made["on_hand"]),
            (&json!("adjust"), &json!("count"), &json!(-1))
        );
        let again = app.post(&format!("{path}/approve"), &json!({})).await;
        assert_eq!(again.refused(409), "inventory.sheet_not_open");
        let late = enter(&app, &path, &[("TEE", 1)]).await;
        assert_eq!(late["results"][0]["problem"]["code"], "inventory.sheet_not_open");
        app.drain_jobs().await;
        app.check().await;
    }
}

#[tokio::test]
async fn a_count_is_replaced_a_promise_is_kept_and_a_sheet_is_given_up() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        app.post("/v1/orders", &shop::order("ada", &[("TEE", 8)])).await.ok();
        app.drain_jobs().await;
        let sheet = app.post("/v1/count-sheets", &json!({"location": "BER"})).await.ok();
        let path = format!("/v1/count-sheets/{}", sheet["id"].as_str().unwrap());
        enter(&app, &path, &[("TEE", 9), ("CAP", 12), ("CAP", 11)]).await;
        let answer = enter(&app, &path, &[("TEE", 5), ("SET", 1), ("NOPE", 1), ("CAP", -1)]).await;
        let codes: Vec<&Value> =
            answer["results"].as_array().unwrap().iter().map(|r| &r["problem"]["code"]).collect();
        assert_eq!(
            codes,
            [
                &Value::Null,
                &json!("inventory.not_stocked"),
                &json!("request.not_found"),
                &json!("inventory.bad_count")
            ]
        );
        app.post(&format!("{path}/approve"), &json!({})).await.ok();
        assert_eq!((on_hand(&app, "TEE").await, on_hand(&app, "CAP").await), (10, 11));
        let lines = app.get(&format!("{path}/lines")).await.ok();
        let tee = lines["data"].as_array().unwrap().iter().find(|l| l["sku"] == "TEE").unwrap();
        assert_eq!(tee["outcome"], "refused");
        assert!(tee["reason"].as_str().unwrap().contains("not promised"), "{tee}");

        let other = app.post("/v1/count-sheets", &json!({"location": "BER"})).await.ok();
        let path = format!("/v1/count-sheets/{}", other["id"].as_str().unwrap());
        enter(&app, &path, &[("CAP", 3)]).await;
        let over = app.post(&format!("{path}/discard"), &json!({})).await.ok();
        assert_eq!(over["status"], "discarded");
        assert_eq!(on_hand(&app, "CAP").await, 11);
        let list = app.get("/v1/count-sheets?limit=1").await.ok();
        assert_eq!(list["data"][0]["id"], other["id"]);
        app.drain_jobs().await;
        app.check().await;
    }
}

#[tokio::test]
async fn a_sheet_is_counted_and_approved_on_its_page() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let lead = app.with_key(web::Role::WarehouseLead.grants()).await;
        let start = [("once", "c1"), ("location", "BER")];
        let page = location(&send(&lead, "/stock/counts", &start).await);
        assert_eq!(location(&send(&lead, "/stock/counts", &start).await), page, "a double click");
        let shown = lead.get(&page).await;
        assert!(
            shown.text.contains("Units found of TEE") && !shown.text.contains(">10<"),
            "blind: {}",
            shown.text
        );
        let tee = app.get("/v1/skus/TEE").await.ok()["id"].as_str().unwrap().to_owned();
        let back = format!("{page}?show=to_count");
        let counts = |units: &'static str, once: &'static str| {
            [("once", once), ("lines[0][counted]", units), ("sku", "4006381333948"), ("found", "10")]
        };
        let mut wrong = counts("nine", "c2").to_vec();
        wrong.extend([("lines[0][sku]", tee.as_str()), ("back", back.as_str())]);
        let refused = send(&lead, &page, &wrong).await;
        assert!(refused.status == 422 && refused.text.contains("“nine”"), "{}", refused.text);
        let mut right = counts("9", "c2").to_vec();
        right.extend([("lines[0][sku]", tee.as_str()), ("back", back.as_str())]);
        assert_eq!(location(&send(&lead, &page, &right).await), back);
        assert_eq!(count(&app, "SELECT counted FROM count_sheet").await, 2);
        let different = lead.get(&format!("{page}?show=different")).await;
        assert!(different.text.contains("−1") && different.text.contains("−7.00"), "{}", different.text);
        let reader = app.with_key(&["inventory:read"]).await;
        assert_eq!(send(&reader, &format!("{page}/approve"), &[]).await.status, 403);
        location(&send(&lead, &format!("{page}/approve"), &[]).await);
        location(&send(&lead, &format!("{page}/approve"), &[]).await);
        assert!(lead.get(&page).await.text.contains("Corrected"));
        assert_eq!(on_hand(&app, "TEE").await, 9);
        app.drain_jobs().await;
        app.check().await;
    }
}
