//! What was refused: sign-ins that failed and requests of known callers that were turned away, for the audit log. Commands that were done
//! are events; what was refused changes nothing and leaves no event, so it is kept here.
//!
//! Invariants: a refusal is never held up or changed by being kept; nobody fills the table, because only so many of one caller are kept in
//! a minute; what was typed into the field of the address is kept only where it looks like one (people type passwords there).

use super::origin::Origin;
use super::users::UserId;
use crate::App;
use crate::request::Asked;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use kernel::{Actor, Fault, Timestamp};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Refusals that are kept of one caller in a minute.
const PER_MINUTE: u32 = 60;

/// The code by which a request was refused, beside the answer.
#[derive(Debug, Clone)]
pub(crate) struct RefusedAs(pub String);

/// Counts what is kept of each caller in this minute.
#[derive(Default)]
pub(crate) struct Meter(Mutex<(i64, HashMap<String, u32>)>);

impl Meter {
    fn allows(&self, actor: &str, now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.0 / Timestamp::MINUTE;
        if seen.0 != minute {
            *seen = (minute, HashMap::new());
        }
        let count = seen.1.entry(actor.to_owned()).or_default();
        *count += 1;
        *count <= PER_MINUTE
    }
}

/// How a request was answered.
pub(crate) struct Refused {
    status: StatusCode,
    code: Option<String>,
}

impl Refused {
    /// What an answer says.
    pub(crate) fn of(response: &Response) -> Self {
        let code = response.extensions().get::<RefusedAs>().map(|refused| refused.0.clone());
        Self { status: response.status(), code }
    }
}

/// Keeps that a request of a known caller was refused: what would have changed something, and what they may not see.
pub(crate) async fn note(app: &App, asked: &Asked, method: &Method, path: &str, refused: Refused) {
    let status = refused.status;
    let changes = *method != Method::GET && *method != Method::HEAD;
    let counts = status.is_client_error() && (changes || status == StatusCode::FORBIDDEN);
    let Some(who) = asked.who.get().filter(|_| counts) else { return };
    let detail = json!({"method": method.as_str(), "status": status.as_u16(), "code": refused.code, "request": asked.id});
    keep(app, who.actor.as_str(), &who.origin, "request.refused", path, &detail).await;
}

/// Keeps that somebody was not let in.
pub(super) async fn sign_in_failed(app: &App, user: Option<UserId>, login: &str, from: &Origin, code: &str) {
    let actor = user.map_or_else(|| "nobody".to_owned(), |user| Actor::of("user", user).as_str().to_owned());
    let login: String = login.chars().filter(|c| !c.is_control()).take(200).collect();
    let shown = if login.contains('@') || user.is_some() { login.as_str() } else { "not an address" };
    keep(app, &actor, from, "user.sign_in_failed", shown, &json!({"code": code})).await;
}

async fn keep(app: &App, actor: &str, from: &Origin, kind: &str, subject: &str, detail: &Json) {
    // Who is nobody is counted by the address.
    let counted = if actor == "nobody" { &from.address } else { actor };
    if !app.meter.allows(counted, app.db.now()) {
        return;
    }
    let (origin, detail) = (from.short(), detail.to_string());
    let subject: String = subject.chars().take(500).collect();
    let kept: Result<(), Fault> = db::write!(app.db, &Actor::system("web.attempts"), |tx| {
        let text = "INSERT INTO attempt (id, at, actor, origin, kind, subject, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [
            tx.id::<kernel::fact::EventId>().into(),
            tx.now().into(),
            actor.into(),
            origin.as_str().into(),
            kind.into(),
            subject.as_str().into(),
            detail.as_str().into(),
        ];
        tx.exec(text, values).await
    });
    if let Err(fault) = kept {
        tracing::warn!(%fault, kind, "what was refused was not kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_one_caller_are_kept_in_a_minute() {
        let meter = Meter::default();
        let kept = (0..100).filter(|_| meter.allows("user:usr_1", Timestamp(0))).count();
        assert_eq!(kept, PER_MINUTE as usize);
        assert!(
            meter.allows("user:usr_2", Timestamp(0))
                && meter.allows("user:usr_1", Timestamp(Timestamp::MINUTE))
        );
    }
}
