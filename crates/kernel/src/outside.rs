//! Outside parties are described, not called: a connector turns a request into an [`HttpCall`] and an [`HttpAnswer`] into facts; one
//! executor does the I/O, never inside a transaction.

use std::future::Future;
use std::pin::Pin;

/// An HTTP request to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCall {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Absolute URL.
    pub url: String,
    /// Names and values; values of `authorization` are redacted in the call log.
    pub headers: Vec<(String, String)>,
    /// The body, empty for none.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Nothing came back: what happened on the other side is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer(pub String);

/// The one executor of calls.
pub trait Outside: Send + Sync {
    /// Makes the call, with time-out and rate limit. Never inside a transaction.
    fn call(&self, call: HttpCall)
    -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>>;
}
