//! A running shop to call: the router, and people and keys for it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use db::testing::TestDb;
use db::{Ctx, Options, Parts};
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use kernel::{Actor, Secret};
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;
use tower::ServiceExt;
use web::auth::{CreateKey, CreateUser, create_api_key, create_user};
use web::{App, Role, Setup, Slice};

pub const SLICES: &[Slice] = &[web::SLICE, super::birds::SLICE];
pub const PASSWORD: &str = "correct horse";

struct Nobody;
impl Outside for Nobody {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        Box::pin(async move { Err(NoAnswer(call.url)) })
    }
}

pub struct Shop {
    pub db: TestDb,
    pub app: App,
    pub router: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
    /// The status and code of a problem, which must be one.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["type"], format!("/problems/{}", body["code"].as_str().unwrap()));
        assert!(body["request_id"].as_str().is_some_and(|id| !id.is_empty()));
        (self.status.as_u16(), body["code"].as_str().unwrap().to_owned())
    }
}

impl Shop {
    pub async fn both() -> Vec<Self> {
        Self::both_with(Setup::default()).await
    }
    pub async fn both_with(setup: Setup) -> Vec<Self> {
        let open = |db: TestDb| {
            let ctx = Ctx { db: db.db.clone(), outside: Arc::new(Nobody), parts: Parts::default() };
            let app = App::new(ctx, SLICES, setup.clone());
            Self { db, router: web::router(app.clone()), app }
        };
        db::testing::both(Options::default).await.into_iter().map(open).collect()
    }
    pub async fn key(&self, scopes: &[&str]) -> String {
        let new = CreateKey {
            name: "test".into(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            expires_at: None,
        };
        let made =
            db::write!(self.db.db, &Actor::system("test"), |tx| create_api_key(tx, SLICES, &new).await);
        format!("Bearer {}", made.unwrap().unwrap().key)
    }
    pub async fn user(&self, email: &str, role: Role) -> web::auth::UserId {
        let new = CreateUser {
            email: email.into(),
            name: "Ada".into(),
            role,
            password: Secret::new(PASSWORD.into()),
        };
        create_user(&self.db.db, &Actor::system("test"), new).await.unwrap().unwrap()
    }
    /// Signs in; the value of the cookie header.
    pub async fn sign_in(&self, email: &str) -> String {
        let answer = self.try_sign_in(email, PASSWORD, "/birds").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    }
    pub async fn try_sign_in(&self, email: &str, password: &str, next: &str) -> Answer {
        let form = format!(
            "email={}&password={}&next={}",
            email.replace('@', "%40"),
            password.replace(' ', "+"),
            next.replace('/', "%2F")
        );
        self.send(
            "POST",
            "/sign-in",
            &[("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")],
            form,
        )
        .await
    }
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "").await
    }
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/json"));
        self.send("POST", path, &headers, body.to_string()).await
    }
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "shop.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
