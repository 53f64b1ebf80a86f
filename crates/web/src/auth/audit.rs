//! The audit log: who did what, when, from where, to what. It is the event log with what was refused beside it.
//!
//! Invariants: an event stands in the transaction of what it tells, so nothing was done that is not here; where a person acted from stands
//! in the event. Calls of programs are known by their key, and are asked for by it. A page costs what a page holds: what people did has
//! indexes of its own, and what is asked for of a key is looked for in a span of time.

use super::{May, ViewAudit, names};
use crate::{App, Page, Paging, Params, Problem};
use axum::Json;
use axum::extract::State;
use db::{FromRow, Value};
use kernel::Timestamp;
use kernel::fact::EventId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The span that is looked at when the caller names none.
const SPAN: i64 = 30 * Timestamp::DAY;
/// In place of an actor: programs, too.
const PROGRAMS: &str = "key:*";

/// The first id that can be made at a moment: milliseconds, then node and sequence at zero.
pub(super) fn first_id_at(at: Timestamp) -> i64 {
    at.millis().max(0) << 21
}

/// What is asked of the audit log.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ask {
    /// Who: `user:usr_…`, `key:key_…`, or `key:*` for all programs. Without it, all people and refusals.
    #[serde(default)]
    pub actor: String,
    /// What, as `user.role_changed` or `request.refused`.
    #[serde(default)]
    pub kind: String,
    /// To what, as `ord_…` or `usr_…`; the path for what was refused.
    #[serde(default)]
    pub subject: String,
    /// Not before this moment (RFC 3339) or day; without it, 30 days before `until`.
    #[serde(default)]
    pub from: String,
    /// Not after this moment or day; without it, now.
    #[serde(default)]
    pub until: String,
    /// Rows of a page, 1 to 200.
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// What somebody did, or was refused.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Row {
    pub id: EventId,
    pub at: Timestamp,
    pub actor: String,
    pub origin: Option<String>,
    pub kind: String,
    pub subject: String,
    pub payload: String,
}

/// An entry of the audit log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Entry {
    /// Its id.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// Who, as the event log names them.
    pub actor: String,
    /// Who, as people know them.
    pub actor_name: Option<String>,
    /// From where: address and program of a person.
    pub origin: Option<String>,
    /// What, as `order.placed`.
    pub kind: String,
    /// To what.
    pub subject: String,
    /// Whether it was refused.
    pub refused: bool,
    /// The fact, or why it was refused.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

/// A moment, or a day: its first moment, or with `end` the first of the next day.
fn moment(name: &str, text: &str, end: bool) -> Result<Option<Timestamp>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let day = || {
        let first: Timestamp = format!("{text}T00:00:00Z").parse().ok()?;
        Some(if end { first.plus(Timestamp::DAY) } else { first })
    };
    let read = text.parse().ok().or_else(day);
    read.map(Some).ok_or_else(|| {
        Problem::invalid(name, "Give a day as 2026-11-21, or a moment as 2026-11-21T08:30:00Z.")
    })
}

/// Which kinds the two tables of the log hold are told apart by nothing else.
pub(super) fn is_refusal(kind: &str) -> bool {
    matches!(kind, "request.refused" | "user.sign_in_failed")
}

/// Rows of the log, newest first.
pub(super) async fn rows(app: &App, ask: &Ask, paging: &Paging<EventId>) -> Result<Vec<Row>, Problem> {
    let until = moment("until", &ask.until, true)?.unwrap_or_else(|| app.db.now().plus(Timestamp::SECOND));
    let from = moment("from", &ask.from, false)?.unwrap_or_else(|| until.plus(-SPAN));
    let before = paging.after.map_or(i64::MAX, |id| id.0).min(first_id_at(until));
    let mut params: Vec<Value> = vec![before.into(), first_id_at(from).into()];
    let mut conditions = "id < $1 AND id >= $2".to_owned();
    for (column, value) in [("actor", &ask.actor), ("kind", &ask.kind), ("subject", &ask.subject)] {
        let value = value.trim();
        if !value.is_empty() && value != PROGRAMS {
            params.push(value.into());
            conditions.push_str(&format!(" AND {column} = ${}", params.len()));
        }
    }
    // People's rows have their place in them, and indexes of their own.
    let of_events = match ask.actor.trim() {
        PROGRAMS => " AND actor LIKE 'key:%'",
        actor if actor.starts_with("key:") || actor.starts_with("system:") => "",
        _ => " AND origin IS NOT NULL",
    };
    let of_attempts = if ask.actor.trim() == PROGRAMS { of_events } else { "" };
    params.push(paging.fetch().into());
    let limit = params.len();
    let text = format!(
        "SELECT id, at, actor, origin, kind, subject, payload FROM \
         (SELECT id, recorded_at AS at, actor, origin, kind, subject, payload FROM event WHERE {conditions}{of_events} ORDER BY id DESC LIMIT ${limit}) e \
         UNION ALL SELECT id, at, actor, origin, kind, subject, payload FROM \
         (SELECT id, at, actor, origin, kind, subject, detail AS payload FROM attempt WHERE {conditions}{of_attempts} ORDER BY id DESC LIMIT ${limit}) a \
         ORDER BY id DESC LIMIT ${limit}"
    );
    Ok(app.db.read().all(&text, params).await?)
}

/// Read the audit log, newest first
///
/// What people did and what was refused to anybody. What programs did is asked for by their key: `actor=key:…`.
#[utoipa::path(get, path = "/audit", tag = "people", operation_id = "readAudit", params(Ask), responses((status = 200, body = Page<Entry>)))]
pub(super) async fn read(
    State(app): State<App>,
    _: May<ViewAudit>,
    Params(ask): Params<Ask>,
) -> Result<Json<Page<Entry>>, Problem> {
    let paging = Paging::<EventId>::read(ask.limit, ask.cursor.as_deref())?;
    let rows = rows(&app, &ask, &paging).await?;
    let actors: Vec<&str> = rows.iter().map(|row| row.actor.as_str()).collect();
    let names = names(app.db.read(), &actors).await?;
    let entry = |row: Row| Entry {
        id: row.id,
        at: row.at,
        actor_name: names.get(&row.actor).cloned(),
        refused: is_refusal(&row.kind),
        detail: serde_json::from_str(&row.payload).unwrap_or_default(),
        actor: row.actor,
        origin: row.origin,
        kind: row.kind,
        subject: row.subject,
    };
    Ok(Json(paging.page(rows, |row| row.id).map(entry)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_read() {
        let day: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        assert_eq!(moment("from", "2026-11-21", false).unwrap(), Some(day));
        assert_eq!(moment("until", "2026-11-21", true).unwrap(), Some(day.plus(Timestamp::DAY)));
        assert_eq!(moment("from", "2026-11-21T00:00:01Z", false).unwrap(), Some(day.plus(Timestamp::SECOND)));
        assert_eq!(moment("from", " ", false).unwrap(), None);
        assert!(moment("from", "yesterday", false).is_err());
    }
}
