//! Commands over HTTP, idempotent by key: the same key with the same request gets the same answer (marked `Idempotent-Replayed: true`),
//! the same key with another request is refused.
//!
//! Invariants: the answer is kept in the transaction of the change, so there is never one without the other. A refusal rolls back, so it
//! leaves no trace but its answer, which is kept too.

use crate::auth::RefusedAs;
use crate::{Caller, Key, Problem};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use db::answers::{self, Recall};
use db::{Db, Tx};
use kernel::{Actor, Fault};
use serde::{Deserialize, Serialize};
use std::future::Future;

/// The answer to a command. Where the body has a `version`, it is the `ETag` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    status: StatusCode,
    body: String,
    replayed: bool,
}

/// An answer with a JSON body.
///
/// # Errors
/// A fault when the body does not serialise.
pub fn reply(status: StatusCode, body: &impl Serialize) -> Result<Reply, Fault> {
    Ok(Reply { status, body: serde_json::to_string(body)?, replayed: false })
}

impl Reply {
    /// 204, without a body.
    pub fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: String::new(), replayed: false }
    }
    /// The JSON that is sent: what was done, for a page that says it.
    pub fn body(&self) -> &str {
        &self.body
    }
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
    /// A refusal as it is kept and sent again.
    pub(crate) fn refusal(problem: &Problem) -> Result<Self, Fault> {
        Ok(Self { status: problem.status(), body: serde_json::to_string(&problem.body())?, replayed: false })
    }
    /// A kept answer.
    pub(crate) fn replayed(status: i64, body: String) -> Result<Self, Fault> {
        let known = u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok());
        let status = known.ok_or_else(|| Fault::broken(format!("a kept answer has the status {status}")))?;
        Ok(Self { status, body, replayed: true })
    }
    /// The same answer, given once more.
    pub(crate) fn again(self) -> Self {
        Self { replayed: true, ..self }
    }
    /// HTTP status and body.
    pub(crate) fn into_parts(self) -> (i64, String) {
        (i64::from(self.status.as_u16()), self.body)
    }
}

#[derive(Deserialize)]
struct Known {
    version: Option<i64>,
    code: Option<String>,
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let known = serde_json::from_str::<Known>(&self.body).ok();
        let (version, code) = known.map_or((None, None), |known| (known.version, known.code));
        let refused = code.filter(|_| self.status.is_client_error());
        let kind = if self.status.is_success() { "application/json" } else { "application/problem+json" };
        let has_body = !self.body.is_empty();
        let mut response = (self.status, self.body).into_response();
        if let Some(code) = refused {
            response.extensions_mut().insert(RefusedAs(code));
        }
        let headers = response.headers_mut();
        match has_body {
            true => headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            false => headers.remove(header::CONTENT_TYPE),
        };
        if let Some(version) = version.and_then(|v| HeaderValue::from_str(&crate::etag(v)).ok()) {
            headers.insert(header::ETAG, version);
        }
        if self.replayed {
            headers.insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
        }
        response
    }
}

/// One call of a command, as [`command!`](crate::command!) handles it.
#[derive(Debug)]
pub struct Call {
    scope: String,
    asked: Option<(String, String)>,
}

impl Call {
    /// A call of an operation by a caller, with what was sent.
    ///
    /// # Errors
    /// A fault when the input does not serialise.
    pub fn new(caller: &Caller, key: &Key, operation: &str, input: &impl Serialize) -> Result<Self, Fault> {
        let asked = key.text().map(|text| Ok::<_, Fault>((text.to_owned(), key.hash(input)?))).transpose()?;
        Ok(Self { scope: scope(operation, caller), asked })
    }
    /// The caller's key, and the hash of what was sent; none without a key.
    pub(crate) fn asked(&self) -> Option<(&str, &str)> {
        self.asked.as_ref().map(|(key, hash)| (key.as_str(), hash.as_str()))
    }
    /// Under what the answers of the operation to the caller are kept.
    pub(crate) fn scope(&self) -> &str {
        &self.scope
    }
    /// The answer that was given to this call before.
    ///
    /// # Errors
    /// A fault of the database; the problem `idempotency.key_reused`.
    pub async fn recall(&self, tx: &Tx) -> Result<Option<Reply>, Fault> {
        let Some((key, hash)) = &self.asked else { return Ok(None) };
        match answers::recall(tx, &self.scope, &[(key, hash)]).await?.pop() {
            Some(Recall::Same { status, body }) => Ok(Some(Reply::replayed(status, body)?)),
            Some(Recall::Other) => Err(key_reused().into()),
            Some(Recall::New) | None => Ok(None),
        }
    }
    /// Keeps the answer to this call.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn remember(&self, tx: &Tx, reply: &Reply) -> Result<(), Fault> {
        let Some((key, hash)) = &self.asked else { return Ok(()) };
        answers::remember(tx, &self.scope, &[reply.clone().kept(key, hash)]).await
    }
    /// The outcome of the transaction; a refusal, which rolled it back, is kept as the answer.
    ///
    /// # Errors
    /// Problems: the refusal of a call without a key, faults.
    pub async fn finish(&self, db: &Db, actor: &Actor, done: Result<Reply, Fault>) -> Result<Reply, Problem> {
        let problem = match done {
            Ok(reply) => return Ok(reply),
            Err(fault) => Problem::from(fault),
        };
        if self.asked.is_none() || !problem.status().is_client_error() {
            return Err(problem);
        }
        let refusal = Reply::refusal(&problem)?;
        let kept: Result<Reply, Fault> = db::write!(db, actor, |tx| {
            // Another call with this key may have been quicker: then its answer stands.
            if let Some(earlier) = self.recall(tx).await? {
                return Ok(earlier);
            }
            self.remember(tx, &refusal).await?;
            Ok(refusal.clone())
        });
        Ok(kept?)
    }
}

/// Under what answers of an operation to a caller are kept.
pub fn scope(operation: &str, caller: &Caller) -> String {
    format!("{operation} {}", caller.actor)
}

/// The same key came with another request.
pub fn key_reused() -> Problem {
    let detail = "This Idempotency-Key was used for another request. Send a new key with a new request.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency.key_reused", detail)
}

/// Fixes the type of a body, for [`command!`](crate::command!).
pub fn typed<F: Future<Output = Result<Reply, Fault>>>(body: F) -> F {
    body
}

/// Runs a command in a transaction, idempotently, and gives `Result<Reply, Problem>`:
/// `web::command!(app, caller, key, "orders.cancel", &body, |tx| { …; web::reply(StatusCode::OK, &done) })`.
/// In the body `?` takes faults and problems (`outcome.or_problem()?`); both roll back. The body may run several times.
#[macro_export]
macro_rules! command {
    ($app:expr, $caller:expr, $key:expr, $operation:expr, $input:expr, |$tx:ident| $body:expr) => {
        match $crate::command::Call::new(&$caller, &$key, $operation, $input) {
            Err(fault) => Err($crate::Problem::from(fault)),
            Ok(call) => {
                let done = $crate::__db::write!($app.db, &$caller.actor, |$tx| {
                    match call.recall($tx).await? {
                        Some(reply) => Ok(reply),
                        None => {
                            let reply = $crate::command::typed(async { $body }).await?;
                            call.remember($tx, &reply).await?;
                            Ok(reply)
                        }
                    }
                });
                call.finish(&$app.db, &$caller.actor, done).await
            }
        }
    };
}
