//! The load: keep-alive HTTP/1.1 connections that send as fast as they are answered. Invariant: an answer that is not the one expected
//! ends the run; nothing is measured that did not work.

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use kernel::Fault;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One connection with its credentials.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    authorization: String,
}

/// What was answered.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// A fault when it is none.
    pub fn json(&self) -> Result<Value, Fault> {
        Ok(serde_json::from_slice(&self.body)?)
    }
    /// The answer when its status is among those expected.
    ///
    /// # Errors
    /// A fault with the body otherwise.
    pub fn expect(self, statuses: &[u16], asked: &str) -> Result<Self, Fault> {
        match statuses.contains(&self.status) {
            true => Ok(self),
            false => Err(Fault::broken(format!(
                "{asked} was answered {}: {}",
                self.status,
                String::from_utf8_lossy(&self.body).chars().take(400).collect::<String>()
            ))),
        }
    }
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// A fault when nobody listens.
    pub async fn connect(address: SocketAddr, key: &str) -> Result<Self, Fault> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, authorization: format!("Bearer {key}") })
    }
    /// Sends a request; an idempotency key goes with it when there is one.
    ///
    /// # Errors
    /// A fault of the connection.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Bytes,
    ) -> Result<Answer, Fault> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body))?).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: response.into_body().collect().await?.to_bytes() })
    }
    /// Reads something.
    ///
    /// # Errors
    /// A fault of the connection, or when it is not answered with 200.
    pub async fn get(&mut self, path: &str) -> Result<Answer, Fault> {
        self.send(Method::GET, path, None, Bytes::new()).await?.expect(&[200], path)
    }
    /// Posts a command.
    ///
    /// # Errors
    /// A fault of the connection, or when it is refused.
    pub async fn post(&mut self, path: &str, key: &str, body: Bytes) -> Result<Answer, Fault> {
        self.send(Method::POST, path, Some(key), body).await?.expect(&[200, 201, 202, 204], path)
    }
}

/// How a load went.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// Things done.
    pub done: usize,
    /// How long all of it took.
    pub took: Duration,
    /// How long each took, in microseconds, sorted.
    pub micros: Vec<u64>,
}

impl Load {
    /// Things done in a second.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64()
    }
    /// A quantile in milliseconds.
    pub fn quantile_ms(&self, q: f64) -> f64 {
        let at = ((self.micros.len() as f64 - 1.0) * q).round() as usize;
        self.micros.get(at).map_or(f64::NAN, |us| *us as f64 / 1000.0)
    }
}

/// One thing a client does, given its number.
pub trait Doing: Send + Sync + 'static {
    /// Does it.
    fn once(&self, client: &mut Client, n: usize) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Does `total` things over so many connections; each takes the next number as soon as its last answer came.
///
/// # Errors
/// The first fault of any of them.
pub async fn drive<D: Doing>(
    address: SocketAddr,
    key: &str,
    clients: usize,
    total: usize,
    doing: Arc<D>,
) -> Result<Load, Fault> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut connected = Vec::with_capacity(clients);
    for _ in 0..clients {
        connected.push(Client::connect(address, key).await?);
    }
    let began = Instant::now();
    let mut running = JoinSet::new();
    for mut client in connected {
        let (next, doing) = (Arc::clone(&next), Arc::clone(&doing));
        running.spawn(async move {
            let mut micros = Vec::with_capacity(total / clients + 1);
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= total {
                    return Ok::<_, Fault>(micros);
                }
                let start = Instant::now();
                doing.once(&mut client, n).await?;
                micros.push(u64::try_from(start.elapsed().as_micros())?);
            }
        });
    }
    let mut load = Load::default();
    while let Some(ended) = running.join_next().await {
        load.micros.extend(ended??);
    }
    load.took = began.elapsed();
    load.done = load.micros.len();
    load.micros.sort_unstable();
    Ok(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_read_off_the_sorted_times() {
        let load =
            Load { done: 100, took: Duration::from_secs(2), micros: (1..=100).map(|n| n * 1000).collect() };
        assert_eq!((load.rate(), load.quantile_ms(0.5), load.quantile_ms(0.99)), (50.0, 51.0, 99.0));
    }
}
