//! The catalogue, customers and inventory over HTTP, as a small program would serve them.

use super::reservations::Nobody;
use super::shop::{actor, laws_hold};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use db::testing::{TestDb, both};
use db::{Ctx, Options, Parts};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;
use web::auth::{CreateKey, create_api_key};
use web::{App, Setup, Slice};

const SLICES: &[Slice] = &[web::SLICE, catalog::SLICE, customers::SLICE, inventory::SLICE];

struct Client<'a> {
    db: &'a TestDb,
    router: Router,
    key: String,
}

impl<'a> Client<'a> {
    async fn open(db: &'a TestDb) -> Self {
        let ctx = Ctx { db: db.db.clone(), outside: Arc::new(Nobody), parts: Parts::default() };
        let scopes = [
            "catalog:read",
            "catalog:write",
            "customers:read",
            "customers:write",
            "inventory:read",
            "inventory:write",
        ];
        let new =
            CreateKey { name: "test".into(), scopes: scopes.map(str::to_owned).to_vec(), expires_at: None };
        let made = db::write!(db, &actor(), |tx| create_api_key(tx, SLICES, &new).await).unwrap().unwrap();
        let router = web::router(App::new(ctx, SLICES, Setup::default()));
        Self { db, router, key: format!("Bearer {}", made.key) }
    }
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> (u16, String) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "shop.test")
            .header(header::AUTHORIZATION, &self.key)
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 16 << 20).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }
    /// Calls and expects a status; the JSON that came.
    async fn ask(&self, method: &str, path: &str, body: Value, expected: u16) -> Value {
        let (status, text) = self.send(method, path, &[], body).await;
        assert_eq!(status, expected, "{method} {path} on {}: {text}", self.db.name);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

#[tokio::test]
async fn skus_are_saved_read_listed_and_guarded_by_version() {
    for db in both(Options::default).await {
        let http = Client::open(&db).await;
        http.ask("PUT", "/v1/suppliers", json!({"items": [{"code": "ACME", "name": "Acme"}]}), 200).await;
        let many = json!({"items": [
            {"code": "A", "title": "A thing", "kind": "simple", "supplier": "ACME", "barcodes": ["1"],
             "prices": [{"minor": 1999, "currency": "EUR"}]},
            {"code": "B", "title": "Another", "kind": "simple", "barcodes": ["1"]},
            {"title": "Nameless", "kind": "simple"},
            {"code": "SET", "title": "Two", "kind": "bundle", "components": [{"sku": "A", "quantity": 2}], "active": false},
        ]});
        let results = http.ask("POST", "/v1/skus", many, 200).await["results"].clone();
        assert!(results[0]["id"].as_str().unwrap().starts_with("sku_"));
        assert_eq!(results[1]["problem"]["code"], "catalog.barcode_taken");
        assert_eq!(results[2]["problem"]["code"], "catalog.bad_code");
        let shown = http.ask("GET", "/v1/skus/SET", Value::Null, 200).await;
        assert_eq!((&shown["active"], &shown["components"][0]["sku"]), (&json!(false), &json!("A")));
        let list = http.ask("GET", "/v1/skus?active=true&limit=1", Value::Null, 200).await;
        assert_eq!((&list["data"][0]["code"], &list["next_cursor"]), (&json!("A"), &Value::Null));
        let body = json!({"title": "Better", "kind": "simple"});
        let (status, text) = http.send("PUT", "/v1/skus/A", &[("if-match", "\"7\"")], body.clone()).await;
        assert_eq!(status, 412, "{text}");
        let (status, text) = http.send("PUT", "/v1/skus/A", &[("if-match", "\"1\"")], body.clone()).await;
        assert!(status == 200 && text.contains("\"version\":2"), "{text}");
        http.ask("PUT", "/v1/skus/A", json!({"title": "x", "kind": "simple", "wieght_g": 1}), 422).await;
        http.ask("PUT", "/v1/skus/A", json!({"code": "Z", "title": "x", "kind": "simple"}), 422).await;
        http.ask("GET", "/v1/skus/NONE", Value::Null, 404).await;
        let rate = json!({"items": [{"country": "DE", "rate_ppm": 190_000}]});
        let rates = http.ask("PUT", "/v1/tax-rates", rate, 200).await;
        assert_eq!(rates["data"][0]["tax_class"], "standard");
        http.ask("PUT", "/v1/tax-rates", json!({"items": [{"country": "QQ", "rate_ppm": 1}]}), 422).await;
        http.ask("GET", "/v1/suppliers", Value::Null, 200).await;
    }
}

#[tokio::test]
async fn stock_is_received_corrected_reserved_and_shown() {
    for db in both(Options::default).await {
        let http = Client::open(&db).await;
        let skus = json!({"items": [{"code": "A", "title": "A thing", "kind": "simple"}]});
        http.ask("POST", "/v1/skus", skus, 200).await;
        let place = json!({"code": "HOME", "name": "Home", "kind": "warehouse", "address": {"country": "DE", "name": "", "line1": "", "city": ""}});
        let other = json!({"code": "3PL", "name": "Elsewhere", "kind": "3pl", "address": {"country": "DE"}});
        let drop = json!({"code": "DROP", "name": "x", "kind": "supplier", "supplier": "NONE", "address": {"country": "DE"}});
        let saved = http.ask("POST", "/v1/locations", json!({"items": [place, drop, other]}), 200).await;
        assert_eq!(saved["results"][1]["problem"]["status"], 404);
        assert!(saved["results"][2]["id"].as_str().unwrap().starts_with("loc_"));
        let at = |more: Value| {
            let mut item = json!({"sku": "A", "location": "HOME"});
            item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            item
        };
        let receipt = json!({"items": [at(json!({"quantity": 10, "unit_cost": 250})), {"sku": "NONE", "location": "HOME", "quantity": 1}]});
        for _ in 0..2 {
            let (status, text) = http
                .send("POST", "/v1/receipts", &[("idempotency-key", "delivery 1")], receipt.clone())
                .await;
            assert!(status == 200 && text.contains("There is no SKU NONE."), "{status} {text}");
        }
        for (path, item) in [
            ("adjustments", at(json!({"delta": -1, "reason": "broken"}))),
            ("counts", at(json!({"counted": 8}))),
            ("transfers", json!({"sku": "A", "from": "HOME", "to": "3PL", "quantity": 1})),
            ("quarantines", at(json!({"quantity": 2, "step": "enter", "reason": "wet"}))),
            ("safety-stocks", at(json!({"safety": 1}))),
        ] {
            let done = http.ask("POST", &format!("/v1/{path}"), json!({"items": [item]}), 200).await;
            assert_eq!(done["results"], json!([{"done": true, "problem": null}]), "{path}");
        }
        let until = db.now().plus(kernel::Timestamp::HOUR);
        let cart = json!({"expires_at": until, "lines": [{"sku": "A", "quantity": 3}]});
        let kept = http.ask("POST", "/v1/reservations", cart.clone(), 201).await;
        let stock =
            http.ask("GET", "/v1/stock?sku=A&location=HOME", Value::Null, 200).await["data"][0].clone();
        let numbers =
            ["on_hand", "allocated", "quarantined", "available"].map(|n| stock[n].as_i64().unwrap());
        assert_eq!(numbers, [5, 3, 2, 1], "received once, whoever retries ({})", db.name);
        http.ask("POST", "/v1/reservations", cart, 409).await;
        let path = format!("/v1/reservations/{}", kept["id"].as_str().unwrap());
        http.ask("DELETE", &path, Value::Null, 204).await;
        http.ask("DELETE", &path, Value::Null, 404).await;
        let moves = http.ask("GET", "/v1/stock/A/movements?limit=3", Value::Null, 200).await;
        assert_eq!((&moves["data"][0]["kind"], moves["next_cursor"].is_string()), (&json!("reserve"), true));
        http.ask("GET", "/v1/locations/HOME", Value::Null, 200).await;
        http.ask("POST", "/v1/receipts", json!({"items": []}), 422).await;
        laws_hold(&db, "after the calls").await;
    }
}

#[tokio::test]
async fn customers_are_found_and_get_credit() {
    for db in both(Options::default).await {
        let http = Client::open(&db).await;
        let ada = customers::Contact {
            at: db.now(),
            name: "Ada".into(),
            email: Some("ada@example.com".into()),
            email_key: Some(contact::email::email("ada@example.com").unwrap().key),
            phone: None,
            address: None,
        };
        let id = db::write!(db, &actor(), |tx| customers::find_or_create(tx, std::slice::from_ref(&ada))
            .await)
        .unwrap()[0];
        let found = http.ask("GET", "/v1/customers?email=ADA%40example.com", Value::Null, 200).await;
        assert_eq!(found["data"][0]["id"], id.to_string(), "{}", db.name);
        http.ask("GET", "/v1/customers?email=nonsense", Value::Null, 422).await;
        http.ask("GET", &format!("/v1/customers/{id}"), Value::Null, 200).await;
        let path = format!("/v1/customers/{id}/store-credit");
        let grant = json!({"currency": "EUR", "amount": 500, "reason": "sorry", "reference": "case 1"});
        http.ask("POST", &path, grant.clone(), 200).await;
        http.ask("POST", &path, grant, 200).await;
        http.ask("POST", &path, json!({"currency": "EUR", "amount": -501, "reason": "no"}), 409).await;
        let credit = http.ask("GET", &path, Value::Null, 200).await;
        assert_eq!(credit["balances"], json!([{"minor": 500, "currency": "EUR"}]));
        assert_eq!(credit["entries"].as_array().unwrap().len(), 1);
    }
}
