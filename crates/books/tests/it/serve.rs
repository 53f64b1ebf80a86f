//! The slice behind the real router, called with API keys.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use db::{Ctx, Db, Parts};
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;
use tower::ServiceExt;
use web::auth::{CreateKey, create_api_key};
use web::{App, Setup, Slice};

struct Nobody;
impl Outside for Nobody {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        Box::pin(async move { Err(NoAnswer(call.url)) })
    }
}

pub struct Served {
    router: axum::Router,
    db: Db,
    slices: &'static [Slice],
}

impl Served {
    pub fn new(db: &Db, slices: &'static [Slice]) -> Self {
        let ctx = Ctx { db: db.clone(), outside: Arc::new(Nobody), parts: Parts::default() };
        Self { router: web::router(App::new(ctx, slices, Setup::default())), db: db.clone(), slices }
    }
    pub async fn key(&self, scopes: &[&str]) -> String {
        let new = CreateKey {
            name: "test".into(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            expires_at: None,
        };
        let made =
            db::write!(self.db, &crate::shop::actor(), |tx| create_api_key(tx, self.slices, &new).await);
        format!("Bearer {}", made.unwrap().unwrap().key)
    }
    /// Status, headers as they print, and body.
    pub async fn call(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, String, String) {
        let mut request = Request::builder().method(method).uri(path).header("authorization", key);
        if body.is_some() {
            request = request.header("content-type", "application/json").header("idempotency-key", path);
        }
        let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.unwrap();
        (head.status.as_u16(), format!("{:?}", head.headers), String::from_utf8(bytes.to_vec()).unwrap())
    }
    /// The body of a success.
    pub async fn ok(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, _, text) = self.call(key, method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}
