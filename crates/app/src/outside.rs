//! The one executor of calls to outside parties. Invariants: every call ends in time; no host gets more than its share of concurrent
//! calls; nothing secret reaches a log; plain HTTP goes to this machine only; redirects are answers, never followed.

use kernel::Fault;
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(30);
/// Calls to one host at the same time.
const PER_HOST: usize = 8;
/// Bytes of an answer that are read; a longer answer is none.
const MAX_ANSWER: usize = 16 << 20;

/// Makes the calls that connectors describe.
pub struct Executor {
    client: Client,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Executor {
    /// An executor. Installs the process's TLS provider when none is.
    ///
    /// # Errors
    /// A fault when no HTTP client can be made.
    pub fn new() -> Result<Self, Fault> {
        install_tls();
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("fulmar/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, hosts: Mutex::new(HashMap::new()) })
    }

    fn turn(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        // Hosts nobody waits for are forgotten, so that endless new ones do not fill the memory.
        if hosts.len() > 1024 {
            hosts.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(PER_HOST))))
    }

    async fn make(&self, call: HttpCall) -> Result<HttpAnswer, NoAnswer> {
        let url = Url::parse(&call.url).map_err(|e| NoAnswer(format!("the address is not a URL: {e}")))?;
        let host = allowed(&url)?;
        let turn = self.turn(&host);
        let started = Instant::now();
        let result = match tokio::time::timeout(WHOLE, turn.acquire()).await {
            Ok(Ok(_turn)) => self.send(&call, url.clone()).await,
            _ => Err(NoAnswer(format!("{host} has too many calls waiting"))),
        };
        let elapsed = started.elapsed();
        let outcome = result.as_ref().map_or("none".to_owned(), |a| a.status.to_string());
        metrics::histogram!("fulmar_outside_seconds", "host" => host.clone(), "status" => outcome)
            .record(elapsed.as_secs_f64());
        let (method, path, ms) = (call.method, url.path(), elapsed.as_millis() as u64);
        match &result {
            Ok(answer) => {
                tracing::info!(target: "outside", method, host, path, status = answer.status, ms, "call answered")
            }
            Err(NoAnswer(why)) => {
                tracing::warn!(target: "outside", method, host, path, ms, why, "call had no answer")
            }
        }
        tracing::debug!(target: "outside", headers = ?redacted(&call.headers), bytes = call.body.len(), "call was");
        result
    }

    async fn send(&self, call: &HttpCall, url: Url) -> Result<HttpAnswer, NoAnswer> {
        let method = Method::from_bytes(call.method.as_bytes())
            .map_err(|_| NoAnswer(format!("“{}” is not an HTTP method", call.method)))?;
        let mut request = self.client.request(method, url).headers(header_map(&call.headers)?);
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        // A URL may hold a token: errors are shown without it.
        let unknown = |e: reqwest::Error| NoAnswer(with_causes(&e.without_url()));
        let mut answer = request.send().await.map_err(unknown)?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unknown)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(NoAnswer(format!("the answer is longer than {} MiB", MAX_ANSWER >> 20)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer { status, headers, body })
    }
}

impl Outside for Executor {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        Box::pin(self.make(call))
    }
}

/// Chooses the process's TLS provider; later calls change nothing.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Whether a URL may be called, and its host with port: everything over HTTPS, and this machine over HTTP.
fn allowed(url: &Url) -> Result<String, NoAnswer> {
    let host = url.host_str().ok_or_else(|| NoAnswer("the address names no host".into()))?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(NoAnswer(format!("{host} is only called over https"))),
        other => return Err(NoAnswer(format!("“{other}” is not http or https"))),
    }
    Ok(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, NoAnswer> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| NoAnswer(format!("“{name}” is no header name")))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| NoAnswer(format!("the value of header {name} cannot be sent")))?;
        value.set_sensitive(secret_name(name));
        map.append(key, value);
    }
    Ok(map)
}

/// Headers as logs may show them.
fn redacted(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), if secret_name(name) { "***" } else { value.as_str() }))
        .collect()
}
fn secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "cookie", "token", "secret", "key", "password", "signature"]
        .iter()
        .any(|part| name.contains(part))
        && name != "idempotency-key"
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for (url, ok) in [
            ("https://api.example.com/x", true),
            ("http://api.example.com/x", false),
            ("http://127.0.0.1:8081/x", true),
            ("http://localhost/x", true),
            ("http://[::1]:9/x", true),
            ("http://127.0.0.1.example.com/x", false),
            ("ftp://127.0.0.1/x", false),
        ] {
            assert_eq!(allowed(&Url::parse(url).unwrap()).is_ok(), ok, "{url}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let headers = [
            ("Authorization", "Bearer s3"),
            ("X-Api-Key", "s3"),
            ("webhook-signature", "s3"),
            ("Idempotency-Key", "pop_1"),
            ("Accept", "*/*"),
        ]
        .map(|(a, b)| (a.to_owned(), b.to_owned()));
        let shown = format!("{:?}", redacted(&headers));
        assert!(!shown.contains("s3") && shown.contains("pop_1") && shown.contains("*/*"), "{shown}");
    }

    #[tokio::test]
    async fn an_answer_is_what_came_and_a_redirect_is_not_followed() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/a"))
            .and(header("x-test", "1"))
            .respond_with(ResponseTemplate::new(422).set_body_string("no"))
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path("/b"))
            .respond_with(ResponseTemplate::new(302).insert_header("location", "/a"))
            .mount(&server)
            .await;
        let outside = Executor::new().unwrap();
        let call = |method, path: &str| HttpCall {
            method,
            url: format!("{}{path}", server.uri()),
            headers: vec![("x-test".into(), "1".into())],
            body: b"{}".to_vec(),
        };
        let answer = outside.call(call("POST", "/a")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (422, b"no".as_slice()));
        assert_eq!(outside.call(call("GET", "/b")).await.unwrap().status, 302);
    }

    #[tokio::test]
    async fn nobody_there_is_no_answer_and_hides_the_address() {
        let outside = Executor::new().unwrap();
        let call = HttpCall {
            method: "GET",
            url: "http://127.0.0.1:9/?token=s3cret".into(),
            headers: vec![],
            body: vec![],
        };
        let NoAnswer(why) = outside.call(call).await.unwrap_err();
        assert!(!why.contains("s3cret"), "{why}");
    }
}
