//! What the back office does by page, done over the API on both databases: the pack station, boxes, bins, tags, addresses, and the same to
//! many orders.

use crate::support::TestApp;
use crate::support::shop;
use crate::support::walkthrough::{OrderWalkthrough, Step};
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_box_is_packed_by_scanning_every_piece() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 40).await;
        let walk = OrderWalkthrough::up_to(&app, &shop, "ada", Step::Picked).await;
        let here = format!("/v1/fulfilments/{}/box", walk.fulfilment);
        let (scan, close) = (format!("{here}/scan"), format!("{here}/close"));
        let wrong = app.post(&scan, &json!({"scan": "NOTHING"})).await;
        assert_eq!(wrong.refused(409), "warehouse.wrong_unit", "{}", app.name);
        assert_eq!(app.post(&close, &json!({})).await.refused(409), "warehouse.not_scanned", "{}", app.name);
        // Asked again with its key, a scan counts once.
        for _ in 0..2 {
            let open = app.post_once(&scan, "first", &json!({"scan": "4006381333931"})).await.ok();
            assert_eq!(open["pieces"], app.get(&here).await.ok()["pieces"], "{}", app.name);
            assert_eq!(open["pieces"].as_array().unwrap().len(), 1, "{}: {open}", app.name);
            assert_eq!(open["pieces"][0]["scanned"], 1, "{}: {open}", app.name);
        }
        app.post(&scan, &json!({"scan": "CAP"})).await.ok();
        app.post(&scan, &json!({"scan": "CAP", "back": true})).await.ok();
        let none = app.post(&scan, &json!({"scan": "CAP", "back": true})).await;
        assert_eq!(none.refused(409), "warehouse.not_in_box", "{}", app.name);
        // The box is full with one TEE: the rest goes into another.
        assert_eq!(app.post(&close, &json!({})).await.refused(409), "warehouse.not_scanned", "{}", app.name);
        let first = app.post(&close, &json!({"split": true, "weight_g": 300})).await.ok();
        assert_eq!((&first["weight_g"], units(&first)), (&json!(300), 1), "{}: {first}", app.name);
        assert_eq!(app.get(&here).await.ok()["pieces"], json!([]), "{}", app.name);
        app.post(&scan, &json!({"scan": "TEE"})).await.ok();
        app.post(&scan, &json!({"scan": "SET"})).await.ok();
        let much = app.post(&scan, &json!({"scan": "TEE"})).await;
        assert_eq!(much.refused(409), "warehouse.all_scanned", "{}", app.name);
        let second = app.post(&close, &json!({"dims": [300, 200, 100]})).await.ok();
        assert_eq!(units(&second), 2, "{}: {second}", app.name);
        let nothing = app.get("/v1/fulfilments/ful_0000000000001/box").await;
        assert_eq!(nothing.status, 404, "{}", nothing.text);
        app.check().await;
    }
}

/// Units of a parcel.
fn units(parcel: &Value) -> i64 {
    parcel["lines"].as_array().unwrap().iter().map(|l| l["quantity"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn boxes_and_bins_are_set() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        assert_eq!(app.get("/v1/cartons").await.ok()["cartons"], json!([]), "{}", app.name);
        let carton = json!({"name": "S", "outer_mm": [210, 110, 110], "inner_mm": [200, 100, 100], "empty_g": 90, "max_g": 5000, "cost": 30});
        let put = |cartons: Value| {
            let (app, body) = (app.clone(), json!({ "cartons": cartons }));
            async move { app.call(Method::PUT, "/v1/cartons", &[], Some(&body)).await }
        };
        assert_eq!(put(json!([carton])).await.ok()["cartons"], json!([carton]), "{}", app.name);
        let twice = put(json!([carton, carton])).await;
        assert_eq!(twice.refused(422), "warehouse.carton_twice", "{}", app.name);
        assert_eq!(app.get("/v1/cartons").await.ok()["cartons"], json!([carton]), "{}", app.name);
        let bin = |sku: &str, bin: Value| json!({"sku": sku, "location": "BER", "bin": bin});
        let items = json!({"items": [bin("TEE", json!("A-1")), bin("SET", json!("A-2")), bin("GONE", json!("A-3")), bin("CAP", json!("B-1")), bin("CAP", json!(null))]});
        let told = app.post("/v1/bins", &items).await.ok();
        let done: Vec<bool> =
            told["results"].as_array().unwrap().iter().map(|r| r["done"].as_bool().unwrap()).collect();
        assert_eq!(done, [true, false, false, true, true], "{}: {told}", app.name);
        let stock = app.get("/v1/stock").await.ok();
        let of = |sku: &str| {
            stock["data"].as_array().unwrap().iter().find(|s| s["sku"] == sku).map(|s| s["bin"].clone())
        };
        assert_eq!((of("TEE"), of("CAP")), (Some(json!("A-1")), Some(json!(null))), "{}: {stock}", app.name);
        app.check().await;
    }
}

#[tokio::test]
async fn an_order_is_tagged_and_sent_elsewhere() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let placed = app.post("/v1/orders", &shop::order("ada", &[("TEE", 1)])).await.ok();
        let here = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
        for _ in 0..2 {
            let tagged = app.post(&format!("{here}/tags"), &json!({"tag": " gift "})).await.ok();
            assert_eq!(tagged["details"]["tags"], json!(["gift"]), "{}: {tagged}", app.name);
        }
        let empty = app.post(&format!("{here}/tags"), &json!({"tag": " "})).await;
        assert_eq!(empty.refused(422), "orders.bad_tag", "{}", app.name);
        let send = |headers: &'static [(&'static str, &'static str)], country: &str, line1: &str| {
            let to = json!({"name": "Ada", "line1": line1, "postal_code": "10119", "city": "Berlin", "country": country});
            let (app, path) = (app.clone(), format!("{here}/ship-to"));
            async move { app.call(Method::PUT, &path, headers, Some(&to)).await }
        };
        let stale = send(&[("if-match", "\"99\"")], "DE", "Neue Straße 2").await;
        assert_eq!(stale.refused(412), "request.stale", "{}", app.name);
        let moved = send(&[], "DE", "Neue Straße 2").await.ok();
        assert_eq!(moved["details"]["ship_to"]["line1"], "Neue Straße 2", "{}: {moved}", app.name);
        let abroad = send(&[], "GB", "1 High Street").await;
        assert!(abroad.status == 409 || abroad.status == 422, "{}: {}", app.name, abroad.text);
        let nowhere = send(&[], "DE", " ").await;
        assert_eq!(nowhere.refused(422), "orders.bad_address", "{}", app.name);
        assert!(!nowhere.json()["errors"].as_array().unwrap().is_empty(), "{}: {}", app.name, nowhere.text);
        app.drain_jobs().await;
        app.check().await;
    }
}

#[tokio::test]
async fn the_same_is_done_to_many_orders_and_says_how_far_it_is() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let mut ids = Vec::new();
        for n in 0..3 {
            let placed = app.post("/v1/orders", &shop::order(&format!("c{n}"), &[("CAP", 1)])).await.ok();
            ids.push(placed["id"].as_str().unwrap().to_owned());
        }
        app.drain_jobs().await;
        app.post(&format!("/v1/orders/{}/cancel", ids[0]), &json!({"reason": "changed mind"})).await.ok();
        let cancel = json!({"action": "cancel", "about": "recall", "orders": ids});
        let begun = app.post_once("/v1/bulk-actions", "b1", &cancel).await;
        assert_eq!(begun.status, 202, "{}", begun.text);
        let begun = begun.json();
        assert_eq!(
            (&begun["total"], &begun["done"], &begun["ended_at"]),
            (&json!(3), &json!(0), &json!(null))
        );
        assert_eq!(app.post_once("/v1/bulk-actions", "b1", &cancel).await.json()["id"], begun["id"]);
        app.drain_jobs().await;
        let over = app.get(&format!("/v1/bulk-actions/{}", begun["id"].as_str().unwrap())).await.ok();
        assert_eq!((&over["done"], &over["refused"]), (&json!(2), &json!(1)), "{}: {over}", app.name);
        assert_eq!(over["refusals"][0]["order"], json!(ids[0]), "{}: {over}", app.name);
        assert!(over["ended_at"].is_string(), "{}: {over}", app.name);
        let mute =
            app.post("/v1/bulk-actions", &json!({"action": "hold", "about": " ", "orders": ids})).await;
        assert_eq!(mute.refused(422), "orders.bulk_without_reason", "{}", app.name);
        let none = app.post("/v1/bulk-actions", &json!({"action": "release", "orders": []})).await;
        assert_eq!(none.refused(422), "orders.bulk_without_orders", "{}", app.name);
        app.check().await;
    }
}
