//! The whole program in the process of the test, on a throw-away database: its router, its worker, its laws. Time stands until a test
//! moves it, so that what a test sees does not depend on when it runs.

#![allow(dead_code, reason = "every test file uses its part")]

pub mod shop;
pub mod walkthrough;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use db::testing::TestDb;
use db::{Clock, Ctx};
use fulmar::config::Config;
use fulmar::outside::Executor;
use fulmar::{cmd, program, serve, slices, verify};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

/// The program on a database of its own.
#[derive(Clone)]
pub struct TestApp {
    /// `sqlite` or `postgres`, for messages.
    pub name: &'static str,
    /// The database and what work runs with.
    pub ctx: Ctx,
    router: Router,
    key: Option<String>,
    _database: Arc<TestDb>,
}

/// Whether tests run on PostgreSQL too.
pub fn has_postgres() -> bool {
    std::env::var_os("FULMAR_TEST_POSTGRES").is_some()
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.json()
    }
    /// The code of a problem of this status.
    #[track_caller]
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()["code"].as_str().unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }
}

impl TestApp {
    /// On SQLite, with a key for everything.
    pub async fn sqlite() -> Self {
        Self::on(db::testing::sqlite(program::options(8, Clock::manual(db::testing::BEGIN))).await).await
    }
    /// On PostgreSQL, with a key for everything.
    pub async fn postgres() -> Self {
        Self::on(db::testing::postgres(program::options(8, Clock::manual(db::testing::BEGIN))).await).await
    }
    /// One of each; SQLite alone where no PostgreSQL is set (`make test` always sets one).
    pub async fn both() -> Vec<Self> {
        let mut apps = vec![Self::sqlite().await];
        if has_postgres() {
            apps.push(Self::postgres().await);
        }
        apps
    }
    /// On SQLite, with nobody and nothing in it: to be restored into.
    pub async fn empty_sqlite() -> Self {
        Self::without_key(db::testing::sqlite(program::options(8, Clock::manual(db::testing::BEGIN))).await)
    }
    /// On PostgreSQL, with nobody and nothing in it.
    pub async fn empty_postgres() -> Self {
        Self::without_key(db::testing::postgres(program::options(8, Clock::manual(db::testing::BEGIN))).await)
    }
    async fn on(database: TestDb) -> Self {
        Self::without_key(database).with_key(&["*"]).await
    }
    fn without_key(database: TestDb) -> Self {
        let config = Config::default();
        let outside = Arc::new(Executor::new().unwrap());
        let ctx = program::assemble(database.db.clone(), outside, &config).unwrap();
        let router = serve::router(&ctx, &config).unwrap();
        let name = database.name;
        Self { name, ctx, router, key: None, _database: Arc::new(database) }
    }
    /// The same program, called with a new key.
    pub async fn with_key(&self, scopes: &[&str]) -> Self {
        let made = cmd::key::create(&self.ctx, "test", scopes.iter().map(|s| (*s).to_owned()).collect())
            .await
            .unwrap();
        Self { key: Some(made.key), ..self.clone() }
    }
    /// The same program, called with a key that may nothing.
    pub async fn with_powerless_key(&self) -> Self {
        let app = self.with_key(&["*"]).await;
        let text = "UPDATE api_key SET scopes = '' WHERE id = (SELECT MAX(id) FROM api_key)";
        db::write!(self.ctx.db, &cmd::operator(), |tx| tx.exec(text, []).await).unwrap();
        app
    }
    /// The same program, called by nobody.
    pub fn anonymous(&self) -> Self {
        Self { key: None, ..self.clone() }
    }
    /// Moves the clock.
    pub fn advance(&self, micros: i64) {
        self.ctx.db.clock().advance(micros);
    }

    /// One call; `headers` beside those that every call has.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], None).await
    }
    /// POST.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, &[], Some(body)).await
    }
    /// POST of a form.
    pub async fn form(&self, path: &str, body: &str) -> Answer {
        self.send(path, "application/x-www-form-urlencoded", body.to_owned()).await
    }
    /// POST of anything.
    pub async fn send(&self, path: &str, content_type: &str, body: String) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri(path);
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = request.header("content-type", content_type);
        let request = request.body(Body::from(body)).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }
    /// POST of bytes of a type.
    pub async fn post_bytes(&self, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri(path).header("content-type", kind);
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = request.body(Body::from(body)).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }
    /// POST of a form with files.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], files: &[Vec<u8>]) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .bytes(),
            );
        }
        for file in files {
            // The name and the type lie, as those of strangers may.
            let head = "--edge\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"../a.php\"\r\nContent-Type: text/html\r\n\r\n";
            body.extend(head.bytes());
            body.extend(file);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        self.post_bytes(path, "multipart/form-data; boundary=edge", body).await
    }
    /// POST with an idempotency key.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, &[("idempotency-key", key)], Some(body)).await
    }
    /// PUT.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path, &[], Some(body)).await
    }

    /// Runs background work until nothing is due.
    pub async fn drain_jobs(&self) {
        for _ in 0..1_000 {
            if db::work_once(&self.ctx, slices::jobs(), slices::timers()).await.unwrap() == 0 {
                return;
            }
        }
        panic!("{}: background work does not end", self.name);
    }
    /// Every law holds and no job is left.
    pub async fn check(&self) {
        self.check_laws().await;
        let text = "SELECT name || ' ' || payload || ' ' || COALESCE(error, '') FROM job ORDER BY id";
        let left: Vec<String> = self.ctx.db.read().column(text, []).await.unwrap();
        assert!(left.is_empty(), "{}: jobs are left: {left:#?}", self.name);
    }
    /// Every law holds.
    pub async fn check_laws(&self) {
        let verdicts = verify::verify(&self.ctx.db, &slices::laws()).await.unwrap();
        let broken: Vec<_> = verdicts.iter().filter(|v| !v.holds).collect();
        assert!(broken.is_empty(), "{}: broken laws: {broken:#?}", self.name);
    }
}
