//! The API, through the real router: rights, idempotent commands, webhooks, and what is shown.

use crate::shop::{Shop, actor, shops};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use payments::webhook::secret_setting;
use serde_json::{Value, json};
use tower::ServiceExt;
use web::auth::{CreateKey, create_api_key};
use web::{App, Setup, Slice};

const SLICES: &[Slice] = &[web::SLICE, payments::SLICE];

kernel::id!(OrderText, "ord", "An order, as callers name it.");

struct Api {
    router: Router,
    key: String,
}

impl Api {
    async fn of(shop: &Shop, scopes: &[&str]) -> Self {
        let new = CreateKey {
            name: scopes.join(" "),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            expires_at: None,
        };
        let made =
            db::write!(shop.db, &actor(), |tx| create_api_key(tx, SLICES, &new).await).unwrap().unwrap();
        let router = web::router(App::new(shop.ctx.clone(), SLICES, Setup::default()));
        Self { router, key: format!("Bearer {}", made.key) }
    }
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> (StatusCode, String) {
        let mut request = Request::builder().method(method).uri(path).header("authorization", &self.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }
    async fn get(&self, path: &str) -> (u16, Value) {
        let (status, text) = self.send("GET", path, &[], String::new()).await;
        (status.as_u16(), serde_json::from_str(&text).unwrap())
    }
    async fn post(&self, path: &str, key: &str, body: Value) -> (u16, Value) {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let (status, text) = self.send("POST", path, &headers, body.to_string()).await;
        (status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn capture_void_and_refund_over_the_api() {
    for shop in shops().await {
        let api = Api::of(&shop, &["payments:read", "payments:write", "refunds:write"]).await;
        let order = OrderText(77);
        let id = shop.open(shop.tender(order.0, "fine", 1_000)).await;
        shop.work().await;
        let (status, shown) = api.get(&format!("/v1/payments/{id}")).await;
        assert_eq!((status, &shown["status"], &shown["order"]), (200, &json!("authorised"), &json!(order)));
        assert_eq!(shown["operations"][0]["state"], "succeeded");
        for _ in 0..2 {
            let (status, captured) =
                api.post(&format!("/v1/payments/{id}/capture"), "k1", json!({ "amount": 600 })).await;
            assert_eq!(
                (status, &captured["capture_pending"]),
                (202, &json!(600)),
                "the same key captures once"
            );
        }
        let (status, problem) =
            api.post(&format!("/v1/payments/{id}/capture"), "k2", json!({ "amount": 500 })).await;
        assert_eq!((status, &problem["code"]), (409, &json!("payments.capture_beyond_authorised")));
        shop.work().await;
        let (status, voided) = api.post(&format!("/v1/payments/{id}/void"), "k3", json!({})).await;
        assert_eq!((status, &voided["captured"]), (202, &json!(600)));
        let (status, refund) = api
            .post(&format!("/v1/orders/{order}/refunds"), "k4", json!({ "amount": 250, "reason": "broken" }))
            .await;
        assert_eq!(
            (status, &refund["amount"], &refund["paid"], &refund["parts"][0]["amount"]),
            (201, &json!(250), &json!(0), &json!(250))
        );
        shop.work().await;
        let (_, refunds) = api.get(&format!("/v1/orders/{order}/refunds")).await;
        assert_eq!(refunds["data"][0]["paid"], 250);
        let (status, problem) = api
            .post(
                &format!("/v1/orders/{order}/refunds"),
                "k5",
                json!({ "amount": 351, "reason": "more", "to": "store_credit" }),
            )
            .await;
        assert_eq!((status, &problem["code"]), (409, &json!("refunds.beyond_captured")));
        let (status, _) = api
            .post(&format!("/v1/orders/{order}/refunds"), "k6", json!({ "amount": 1, "reason": " " }))
            .await;
        assert_eq!(status, 422);
        let (_, listed) = api.get(&format!("/v1/orders/{order}/payments")).await;
        assert_eq!(
            (&listed["data"][0]["voided"], &listed["data"][0]["refundable"]),
            (&json!(400), &json!(350))
        );
        let (status, panel) = api.send("GET", &format!("/orders/{order}/payments"), &[], String::new()).await;
        assert!(
            status == StatusCode::OK && panel.contains("Card · Wire") && panel.contains("broken"),
            "{panel}"
        );
        shop.check().await;
    }
}

#[tokio::test]
async fn confirming_completing_and_what_does_not_exist() {
    for shop in shops().await {
        let api = Api::of(&shop, &["payments:read", "payments:write"]).await;
        let mut transfer = shop.tender(1, "", 900);
        (transfer.gateway, transfer.method) = ("manual".into(), "bank_transfer".into());
        let id = shop.open(transfer).await;
        let (status, shown) = api
            .post(&format!("/v1/payments/{id}/confirm"), "a", json!({ "amount": 300, "reference": "l1" }))
            .await;
        assert_eq!((status, &shown["captured"]), (200, &json!(300)));
        let (status, shown) =
            api.post(&format!("/v1/payments/{id}/confirm"), "b", json!({ "reference": "l2" })).await;
        assert_eq!((status, &shown["captured"]), (200, &json!(900)));
        let (status, problem) =
            api.post(&format!("/v1/sandbox/payments/{id}/complete"), "c", json!({})).await;
        assert_eq!((status, &problem["code"]), (409, &json!("payments.nothing_to_complete")));
        let nobody = payments::PaymentId(5);
        let (status, problem) = api.post(&format!("/v1/payments/{nobody}/capture"), "d", json!({})).await;
        assert_eq!((status, &problem["code"]), (404, &json!("payments.unknown")));
        assert_eq!(api.get(&format!("/v1/payments/{nobody}")).await.0, 404);
        assert_eq!(api.get("/v1/payments/nonsense").await.0, 404);
        let (status, _) = api
            .post(&format!("/v1/orders/{}/refunds", OrderText(1)), "e", json!({ "amount": 1, "reason": "x" }))
            .await;
        assert_eq!(status, 403, "refunds need a permission of their own");
        shop.check().await;
    }
}

#[tokio::test]
async fn gateways_post_their_webhooks() {
    for shop in shops().await {
        let api = Api::of(&shop, &["payments:read"]).await;
        db::write!(shop.db, &actor(), |tx| db::settings::set(tx, &secret_setting("wire"), &"hush").await)
            .unwrap();
        let id = shop.open(shop.tender(1, "fine", 1_000)).await;
        shop.work().await;
        let reference = shop.payment(id).await.reference.unwrap();
        let body = |what: &str| format!("{reference} {what}");
        let path = "/v1/webhooks/gateways/wire";
        let signed = [("wire-id", "1"), ("wire-secret", "hush")];
        let (status, _) = api
            .send("POST", path, &[("wire-id", "1"), ("wire-secret", "x")], body("capture succeeded 1000 c"))
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        for _ in 0..2 {
            let (status, _) = api.send("POST", path, &signed, body("capture succeeded 1000 c")).await;
            assert_eq!(status, StatusCode::NO_CONTENT);
        }
        let signed = [("wire-id", "2"), ("wire-secret", "hush")];
        api.send("POST", path, &signed, body("chargeback requested 1000 d7")).await;
        shop.work().await;
        let (_, shown) = api.get(&format!("/v1/payments/{id}")).await;
        assert_eq!((&shown["captured"], &shown["disputed"]), (&json!(1_000), &json!(1_000)));
        assert_eq!(shown["disputes"][0], json!({ "reference": "d7", "status": "opened", "amount": 1_000 }));
        let (status, _) = api.send("POST", "/v1/webhooks/gateways/nobody", &signed, String::new()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        shop.check().await;
    }
}

#[tokio::test]
async fn a_gateway_is_tested_without_moving_money_and_its_secret_is_never_shown() {
    for shop in shops().await {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let reader = Api::of(&shop, &["payments:read", "payments:write"]).await;
        let refused = reader.send("POST", "/settings/gateways/wire/test", &form, String::new()).await;
        assert_eq!(refused.0.as_u16(), 403, "taking money is not setting it up");
        let api = Api::of(&shop, &["payments:read", "payments:setup"]).await;
        let before: Option<i64> = shop.db.read().scalar("SELECT COUNT(*) FROM event", []).await.unwrap();
        let (status, told) = api.send("POST", "/settings/gateways/wire/test", &form, String::new()).await;
        assert!(status == 200 && told.contains("It answered, and knows nothing"), "{told}");
        assert!(told.contains("secret of its webhooks is not set"), "{told}");
        let after: Option<i64> = shop.db.read().scalar("SELECT COUNT(*) FROM event", []).await.unwrap();
        assert_eq!(before, after, "nothing is written");
        let set = |secret: &str| format!("once=aa&secret={secret}");
        let (status, short) = api.send("POST", "/settings/gateways/wire", &form, set("short")).await;
        assert!(status == 422 && short.contains("field-secret-error"), "{short}");
        let (status, _) = api.send("POST", "/settings/gateways/wire", &form, set("0123456789abcdef")).await;
        assert_eq!(status, 303);
        for path in ["/settings/gateways", "/settings/gateways/wire"] {
            let (status, page) = api.send("GET", path, &[], String::new()).await;
            assert!(status == 200 && page.contains("secret is set"), "{page}");
            assert!(!page.contains("0123456789abcdef"));
        }
        let kept: Option<String> = db::settings::get(shop.db.read(), &secret_setting("wire")).await.unwrap();
        assert_eq!(kept.as_deref(), Some("0123456789abcdef"));
        let headers = [("content-type", "application/json"), ("idempotency-key", "s1")];
        let path = "/v1/gateways/none/webhook-secret";
        let body = json!({"secret": "0123456789abcdef"}).to_string();
        assert_eq!(api.send("PUT", path, &headers, body).await.0.as_u16(), 404);
    }
}
