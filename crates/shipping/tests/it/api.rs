//! Warehouse and shipping over HTTP: from the fulfilment order to the label, and who may not.

use crate::carriers::{Script, carriers, rate_cards};
use crate::shop::{Shop, shops};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use db::{Ctx, Parts};
use kernel::Actor;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;
use web::auth::{CreateKey, create_api_key};
use web::{App, Setup, Slice};

const SLICES: &[Slice] = &[web::SLICE, warehouse::SLICE, shipping::SLICE];

struct Door {
    router: Router,
    key: String,
}

impl Door {
    async fn open(shop: &Shop, scopes: &[&str]) -> Self {
        let ctx = Ctx {
            db: shop.db.db.clone(),
            outside: Arc::new(Script::default()),
            parts: Parts::default().with(carriers()),
        };
        let app = App::new(ctx, SLICES, Setup::default());
        let new = CreateKey {
            name: "test".into(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            expires_at: None,
        };
        let made =
            db::write!(shop.db.db, &Actor::system("test"), |tx| create_api_key(tx, SLICES, &new).await);
        Self { router: web::router(app), key: format!("Bearer {}", made.unwrap().unwrap().key) }
    }
    async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> (StatusCode, Vec<u8>) {
        let mut request = Request::builder().method(method).uri(path).header("authorization", &self.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        (answer.status(), to_bytes(answer.into_body(), 1 << 24).await.unwrap().to_vec())
    }
    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let headers = [("content-type", "application/json")];
        let (status, bytes) = self.raw(method, path, &headers, body.to_string()).await;
        (status.as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
    async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, json!({})).await
    }
    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call("POST", path, body).await
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}")).to_owned()
}

/// Slip, labels and invoice of what was sent.
async fn the_papers(door: &Door, parcel: &str, shipment: &str, order: orders::OrderId, number: &str) {
    for (path, begins) in [
        (format!("{parcel}/packing-slip"), "%PDF"),
        (format!("{shipment}/label.pdf"), "%PDF"),
        (format!("/v1/orders/{}/invoice.pdf", order), "%PDF"),
        (format!("{shipment}/label.zpl"), "^XA"),
    ] {
        let (status, body) = door.raw("GET", &path, &[], String::new()).await;
        assert!(
            status == StatusCode::OK && body.starts_with(begins.as_bytes()),
            "{path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
    }
    let (_, zpl) = door.raw("GET", &format!("{shipment}/label.zpl"), &[], String::new()).await;
    assert!(String::from_utf8(zpl).unwrap().contains(number), "the label carries the number");
}

#[tokio::test]
async fn a_parcel_goes_out_over_http() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 3).await;
        let order = shop.order(&[("A", 2)]).await;
        let door = Door::open(&shop, &["warehouse:*", "shipping:*"]).await;
        let (status, saved) = door.call("PUT", "/v1/rate-cards", json!(rate_cards())).await;
        assert_eq!((status, saved.as_array().map(Vec::len)), (200, Some(3)), "{saved}");
        let mut bad = rate_cards();
        bad[1].prices.clear();
        let (status, problem) = door.call("PUT", "/v1/rate-cards", json!(bad)).await;
        assert_eq!((status, problem["code"].as_str()), (422, Some("shipping.rate_card_no_price")));

        let (status, page) =
            door.get(&format!("/v1/fulfilments?status=open&executor=own&location={}", shop.berlin)).await;
        assert_eq!((status, page["data"].as_array().map(Vec::len)), (200, Some(1)), "{page}");
        let f = id(&page["data"][0]);
        let at = |verb: &str| format!("/v1/fulfilments/{f}/{verb}");
        let (status, problem) = door.post(&at("pick"), json!({"scan": "A"})).await;
        assert_eq!((status, problem["code"].as_str()), (409, Some("warehouse.not_released")));
        assert_eq!(door.post(&at("release"), json!({})).await.1["status"], "in_progress");
        let (status, problem) = door.post(&at("pick"), json!({"scan": "B"})).await;
        assert_eq!(
            (status, problem["detail"].as_str()),
            (409, Some("“B” is not to be picked here. Expected: 2 × A."))
        );
        assert_eq!(
            door.post(&at("pick"), json!({"scan": "A", "line": null, "quantity": 2})).await.1["picked"],
            2
        );
        let (status, parcel) = door.post(&at("pack"), json!({"dims": [300, 200, 100]})).await;
        assert_eq!((status, parcel["weight_g"].as_i64()), (201, Some(200)));
        let parcel = format!("/v1/parcels/{}", id(&parcel));

        let (status, rates) = door.get(&format!("{parcel}/rates")).await;
        assert_eq!(
            (status, rates[0]["carrier"].as_str(), rates[0]["billable_g"].as_i64()),
            (200, Some("courier"), Some(1200))
        );
        assert_eq!(door.post(&format!("{parcel}/label"), json!({"carrier": "post"})).await.0, 422);
        let (status, label) = door.post(&format!("{parcel}/label"), json!({"cheapest": true})).await;
        assert_eq!(
            (status, label["service"].as_str(), label["status"].as_str()),
            (201, Some("next_day"), Some("label_purchased"))
        );
        assert_eq!(door.post(&format!("{parcel}/unpack"), json!({})).await.1["code"], "shipping.has_label");
        let shipment = format!("/v1/shipments/{}", id(&label));
        assert_eq!(door.post(&format!("{shipment}/ship"), json!({})).await.1["status"], "shipped");
        assert_eq!(door.post(&format!("{shipment}/void"), json!({})).await.1["code"], "shipping.shipped");
        let fact = json!({"source_id": "1", "status": "out_for_delivery", "place": "Oldenburg"});
        assert_eq!(
            door.post(&format!("{shipment}/track"), fact.clone()).await.1,
            json!({"status": "out_for_delivery", "new": true})
        );
        assert_eq!(door.post(&format!("{shipment}/track"), fact).await.1["new"], false);
        let number = label["tracking_number"].as_str().unwrap();
        let (_, found) = door.get(&format!("/v1/shipments?tracking={number}&status=out_for_delivery")).await;
        assert_eq!(id(&found["data"][0]), id(&label));
        assert_eq!(door.get(&shipment).await.1["tracking"][0]["place"], "Oldenburg");

        the_papers(&door, &parcel, &shipment, order.id, number).await;
        shop.check(shipping::laws::LAWS).await;
    }
}

#[tokio::test]
async fn a_suppliers_own_label_is_recorded_and_rights_are_kept() {
    for shop in shops().await {
        shop.receive("D", shop.sam, 1).await;
        let order = shop.order(&[("D", 1)]).await;
        let door = Door::open(&shop, &["warehouse:*", "shipping:*"]).await;
        let f = id(&door.get(&format!("/v1/fulfilments?order={}", order.id)).await.1["data"][0]);
        assert_eq!(
            door.post(&format!("/v1/fulfilments/{f}/reject"), json!({"reason": "no"})).await.1["code"],
            "warehouse.not_requested"
        );
        assert_eq!(
            door.post(&format!("/v1/fulfilments/{f}/request"), json!({})).await.1["request"],
            "requested"
        );
        assert_eq!(
            door.post(&format!("/v1/fulfilments/{f}/accept"), json!({})).await.1["request"],
            "accepted"
        );
        let parcel = id(&door.post(&format!("/v1/fulfilments/{f}/pack"), json!({})).await.1);
        let theirs = json!({"carrier": "dhl", "tracking_number": "00340434", "cost": {"minor": 450, "currency": "EUR"}});
        let (status, shipment) = door.post(&format!("/v1/parcels/{parcel}/shipment"), theirs.clone()).await;
        assert_eq!(
            (status, shipment["status"].as_str(), shipment["cost"].as_i64()),
            (201, Some("shipped"), Some(450)),
            "{shipment}"
        );
        assert_eq!(
            door.post(&format!("/v1/parcels/{parcel}/shipment"), theirs).await.1["code"],
            "shipping.has_label"
        );
        assert_eq!(door.get(&format!("/v1/fulfilments/{f}")).await.1["status"], "closed");

        let reader = Door::open(&shop, &["warehouse:read"]).await;
        assert_eq!(reader.get(&format!("/v1/fulfilments/{f}")).await.0, 200);
        assert_eq!(reader.post(&format!("/v1/fulfilments/{f}/release"), json!({})).await.0, 403);
        assert_eq!(reader.get("/v1/shipments").await.0, 403);
        let secret = "/v1/carriers/post/webhook-secret";
        assert_eq!(door.call("PUT", "/v1/rate-cards", json!(rate_cards())).await.0, 200);
        assert_eq!(door.call("PUT", secret, json!({"secret": "short"})).await.0, 422);
        assert_eq!(door.call("PUT", secret, json!({"secret": "0123456789abcdef"})).await.0, 204);
        let hook = "/v1/webhooks/carriers/post";
        assert_eq!(door.raw("POST", hook, &[], "x".into()).await.0, StatusCode::FORBIDDEN);
        let signed = [("secret", "0123456789abcdef")];
        assert_eq!(door.raw("POST", hook, &signed, "x".into()).await.0, StatusCode::ACCEPTED);
        for path in ["fulfilments", "shipments"] {
            let (status, body) =
                door.raw("GET", &format!("/panels/orders/{}/{path}", order.id), &[], String::new()).await;
            assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        }
        shop.check(shipping::laws::LAWS).await;
    }
}
