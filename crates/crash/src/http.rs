//! The API as a client sees it. Invariant: an answer counts only when it was read whole; anything else is no answer.

use crate::judge::Seen;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than the server lets any request take.
const PATIENCE: Duration = Duration::from_secs(45);

/// The server of this moment.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: String,
    key: String,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub enum Sent {
    /// It was answered. `problem`: with a problem document.
    Answered { status: u16, problem: bool, body: Value },
    /// There was no answer, or not all of it.
    Silence(String),
}

impl Api {
    pub fn new(base: String, key: String) -> Result<Self, String> {
        let client = Client::builder()
            .timeout(PATIENCE)
            .pool_max_idle_per_host(64)
            .build()
            .map_err(|e| format!("no HTTP client: {e}"))?;
        Ok(Self { client, base, key })
    }

    pub async fn send(&self, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Sent {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(e) => return Sent::Silence(words(&e)),
        };
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let problem = kind.starts_with("application/problem+json");
        match answer.text().await {
            Ok(text) => {
                let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
                Sent::Answered { status, problem, body }
            }
            Err(e) => Sent::Silence(words(&e)),
        }
    }

    /// Something to look at; what cannot be seen now is an error in words.
    pub async fn get(&self, path: &str) -> Result<Option<Value>, String> {
        match self.send(Method::GET, path, None, None).await {
            Sent::Answered { status: 200, body, .. } => Ok(Some(body)),
            Sent::Answered { status, .. } if status == StatusCode::NOT_FOUND.as_u16() => Ok(None),
            Sent::Answered { status, body, .. } => Err(format!("GET {path}: {status} {body}")),
            Sent::Silence(why) => Err(format!("GET {path}: {why}")),
        }
    }

    /// A command that must be taken, for setting up.
    pub async fn must(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        match self.send(method.clone(), path, None, Some(body)).await {
            Sent::Answered { status, body, .. } if status < 300 => Ok(body),
            Sent::Answered { status, body, .. } => Err(format!("{method} {path}: {status} {body}")),
            Sent::Silence(why) => Err(format!("{method} {path}: {why}")),
        }
    }

    /// An order as it is now; none when it is not there.
    pub async fn order(&self, id: &str) -> Result<Option<Seen>, String> {
        let Some(order) = self.get(&format!("/v1/orders/{id}")).await? else { return Ok(None) };
        let number = |pointer: &str| order.pointer(pointer).and_then(Value::as_i64).unwrap_or(-1);
        let shipments = self.list(&format!("/v1/shipments?order={id}")).await?;
        let returns = self.list(&format!("/v1/returns?order={id}")).await?;
        let refunds = self.list(&format!("/v1/orders/{id}/refunds")).await?;
        Ok(Some(Seen {
            lines: order.pointer("/details/lines").and_then(Value::as_array).map_or(0, Vec::len),
            total: number("/totals/total"),
            ordered: number("/units/ordered"),
            cancelled: number("/units/cancelled"),
            shipped: number("/units/shipped"),
            delivered: number("/units/delivered"),
            returned: number("/units/returned"),
            captured: number("/totals/captured"),
            refunded: number("/totals/refunded"),
            shipments: shipments.len(),
            returns: returns.len(),
            refunds: refunds.iter().map(|r| r["amount"].as_i64().unwrap_or(-1)).collect(),
        }))
    }

    pub async fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        match self.get(path).await? {
            Some(mut page) => match page["data"].take() {
                Value::Array(rows) => Ok(rows),
                other => Err(format!("GET {path}: a page of {other}")),
            },
            None => Err(format!("GET {path}: not found")),
        }
    }

    /// Id and customer's address of orders, newest first, until `enough` says so of a page.
    pub async fn orders(
        &self,
        mut enough: impl FnMut(&[(String, String)]) -> bool,
    ) -> Result<Vec<(String, String)>, String> {
        let mut all = Vec::new();
        let mut path = "/v1/orders?limit=200".to_owned();
        loop {
            let page = self.get(&path).await?.unwrap_or(json!({}));
            let rows: Vec<(String, String)> = page["data"]
                .as_array()
                .ok_or_else(|| format!("GET {path}: no page"))?
                .iter()
                .map(|o| (text(&o["id"]), text(&o["email"])))
                .collect();
            let last = enough(&rows);
            all.extend(rows);
            match page["next_cursor"].as_str() {
                Some(cursor) if !last => path = format!("/v1/orders?limit=200&cursor={cursor}"),
                _ => return Ok(all),
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The whole chain of causes: the outermost says only that sending failed.
fn words(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        said.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    said
}
