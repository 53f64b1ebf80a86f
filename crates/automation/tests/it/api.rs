//! The API through the whole router.

use super::world::{Placed, actor, ctx, record, worlds};
use automation::Mailer;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use db::testing::TestDb;
use kernel::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;
use web::auth::{CreateKey, create_api_key};
use web::{App, Setup, Slice};

const SLICES: &[Slice] = &[web::SLICE, automation::SLICE];

struct Shop {
    router: Router,
    key: String,
}

impl Shop {
    async fn open(db: &TestDb, scopes: &[&str]) -> Self {
        let app = App::new(ctx(db, Mailer::none()), SLICES, Setup::default());
        let new = CreateKey {
            name: "test".into(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            expires_at: None,
        };
        let key =
            db::write!(db.db, &actor(), |tx| create_api_key(tx, SLICES, &new).await).unwrap().unwrap().key;
        Self { router: web::router(app), key }
    }
    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key));
        let request = match body {
            Some(body) => {
                request.header("content-type", "application/json").body(Body::from(body.to_string()))
            }
            None => request.body(Body::empty()),
        };
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn endpoints_are_made_changed_and_removed() {
    for db in worlds().await {
        let shop = Shop::open(&db, &["webhooks:read", "webhooks:write"]).await;
        let (status, made) = shop
            .call("POST", "/v1/webhooks", Some(json!({ "url": "https://example.com/h", "kinds": ["*"] })))
            .await;
        assert_eq!((status, made["kinds"].clone()), (201, json!(["*"])), "{made}");
        assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
        let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
        let (status, bad) = shop
            .call("POST", "/v1/webhooks", Some(json!({ "url": "http://example.com/h", "kinds": ["*"] })))
            .await;
        assert_eq!((status, bad["code"].clone()), (422, json!("automation.bad_webhook_url")));
        let (status, shown) = shop.call("GET", &path, None).await;
        assert_eq!((status, shown.get("secret")), (200, None), "a secret is shown once");
        let (status, changed) =
            shop.call("PATCH", &path, Some(json!({ "kinds": ["order.placed"], "active": false }))).await;
        assert_eq!(
            (status, changed["kinds"].clone(), changed["active"].clone(), changed.get("secret")),
            (200, json!(["order.placed"]), json!(false), None)
        );
        let (status, problem) = shop.call("POST", &format!("{path}/replay-dead"), None).await;
        assert_eq!((status, problem["code"].clone()), (409, json!("automation.webhook_off")));
        let (status, list) = shop.call("GET", "/v1/webhooks?limit=5", None).await;
        assert_eq!((status, list["data"].as_array().unwrap().len()), (200, 1));
        assert_eq!(
            shop.call("GET", &format!("{path}/deliveries?state=dead"), None).await,
            (200, json!({ "data": [], "next_cursor": null }))
        );
        assert_eq!(shop.call("GET", &format!("{path}/deliveries?state=lost"), None).await.0, 422);
        assert_eq!(shop.call("DELETE", &path, None).await.0, 204);
        assert_eq!(shop.call("GET", &path, None).await.0, 404);
        assert_eq!(shop.call("GET", "/v1/events", None).await.0, 403, "{}", db.name);
    }
}

#[tokio::test]
async fn events_and_mails_are_read_and_templates_changed() {
    for db in worlds().await {
        let shop = Shop::open(&db, &["events:read", "mails:read", "mails:write"]).await;
        let event = record(&db, Some(1), Placed(json!({ "number": "1001" }))).await;
        db.clock().advance(10 * Timestamp::MINUTE);
        let order = "ord_0000000000001";
        let (status, page) =
            shop.call("GET", &format!("/v1/events?kind=order.placed&order={order}"), None).await;
        assert_eq!((status, page["last"].clone()), (200, json!(event.to_string())), "{page}");
        let told = &page["data"][0];
        assert_eq!(
            (told["type"].clone(), told["order"].clone(), told["data"].clone()),
            (json!("order.placed"), json!(order), json!({ "number": "1001" }))
        );
        let (_, rest) = shop.call("GET", &format!("/v1/events?after={event}&kind=order.placed"), None).await;
        assert_eq!(rest, json!({ "data": [], "last": event.to_string() }));
        assert_eq!(shop.call("GET", "/v1/events?order=sku_1", None).await.0, 422);
        assert_eq!(
            shop.call("GET", "/v1/mails?unsent=true", None).await,
            (200, json!({ "data": [], "next_cursor": null }))
        );
        assert_eq!(shop.call("POST", "/v1/mails/mai_0000000000001/send", None).await.0, 404);
        let path = "/v1/mail-templates/order_placed";
        let (status, own) = shop.call("GET", path, None).await;
        assert_eq!((status, own["custom"].clone()), (200, json!(false)));
        let (status, bad) =
            shop.call("PUT", path, Some(json!({ "subject": "{{ x", "text": "", "html": "" }))).await;
        assert_eq!((status, bad["code"].clone()), (422, json!("automation.bad_template")));
        let (status, mine) = shop
            .call("PUT", path, Some(json!({ "subject": "Hej", "text": "{{ order.total }}", "html": "" })))
            .await;
        assert_eq!(
            (status, mine["custom"].clone(), mine["subject"].clone()),
            (200, json!(true), json!("Hej"))
        );
        assert_eq!(shop.call("DELETE", path, None).await.0, 204);
        assert_eq!(shop.call("GET", path, None).await.1["custom"], json!(false));
        assert_eq!(shop.call("GET", "/v1/mail-templates/nothing", None).await.0, 404);
        let (status, document) = shop.call("GET", "/v1/openapi.json", None).await;
        assert!(
            status == 200 && document["paths"]["/v1/webhooks/{id}/deliveries"].is_object(),
            "{}",
            db.name
        );
    }
}
