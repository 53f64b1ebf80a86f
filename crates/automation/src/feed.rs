//! The event feed: committed events in the order of their ids, for readers who keep a cursor.
//!
//! Invariant: a reader who always continues after the last id it got sees every event exactly once. Ids are given out when a transaction
//! begins, so on PostgreSQL, where transactions overlap, an event can become visible after one with a higher id; a plain cursor would
//! skip it. Therefore the feed ends at a *settled horizon*: no transaction that is still running, and none that begins from now on, can
//! bring an event with an id before it. The horizon is our clock minus the age of the oldest running transaction (by the clock of the
//! database) minus [`SKEW`], which covers clocks of several processes that differ by less than that. A long transaction makes the feed
//! late, never wrong. On SQLite, transactions run one after the other, each with ids above those of all before it (`db` sees to that,
//! whoever writes and whatever the clocks say): everything committed is settled.
//!
//! Readers who cannot keep a cursor safely (two of them, a crash between work and cursor) get an event more than once: work by event id.

use db::{Db, FromRow, Value};
use kernel::fact::EventId;
use kernel::{Fault, Timestamp};

/// By how much the clocks of processes on one PostgreSQL may differ.
pub const SKEW: i64 = 5 * Timestamp::SECOND;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Events after this one.
    pub after: Option<EventId>,
    /// Of this kind only.
    pub kind: Option<String>,
    /// Of this order only (raw id).
    pub order: Option<i64>,
    /// So many at most.
    pub limit: i64,
}

/// An event as the log keeps it.
#[derive(Debug, Clone, FromRow)]
pub struct Fed {
    /// The cursor.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// When we learnt of it.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// As `order.placed`.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// The order it belongs to.
    pub order_id: Option<i64>,
    /// The fact as JSON.
    pub payload: String,
}

/// Settled events after a cursor, oldest first.
///
/// # Errors
/// A fault of the database.
pub async fn feed(db: &Db, ask: &Ask) -> Result<Vec<Fed>, Fault> {
    // First the horizon, then the events: what commits in between is later than the horizon or was running when we looked.
    let horizon = horizon(db).await?;
    let mut text = "SELECT id, at, recorded_at, actor, kind, subject, order_id, payload FROM event WHERE id > $1 AND id < $2".to_owned();
    let mut params: Vec<Value> = vec![ask.after.map_or(-1, |id| id.0).into(), horizon.into()];
    if let Some(kind) = &ask.kind {
        params.push(kind.as_str().into());
        text.push_str(&format!(" AND kind = ${}", params.len()));
    }
    if let Some(order) = ask.order {
        params.push(order.into());
        text.push_str(&format!(" AND order_id = ${}", params.len()));
    }
    params.push(ask.limit.into());
    text.push_str(&format!(" ORDER BY id LIMIT ${}", params.len()));
    db.read().all(&text, params).await
}

/// Which of the newest events.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    /// Before this one: the last of the page before.
    pub before: Option<EventId>,
    /// Of this kind only.
    pub kind: Option<String>,
    /// About this only.
    pub subject: Option<String>,
    /// Of this order only (raw id).
    pub order: Option<i64>,
    /// Recorded from this moment on.
    pub from: Option<Timestamp>,
    /// Recorded before this moment.
    pub until: Option<Timestamp>,
    /// So many at most.
    pub limit: i64,
}

const FED: &str = "SELECT id, at, recorded_at, actor, kind, subject, order_id, payload FROM event";

/// Events as people read them, the newest first; what commits late may appear between those seen.
///
/// # Errors
/// A fault of the database.
pub async fn recent(sql: &db::Sql, ask: &Recent) -> Result<Vec<Fed>, Fault> {
    // An id begins with the moment it was made: the span of time is a span of ids, which has an index.
    let until = ask.until.map_or(i64::MAX, first_id_of).min(ask.before.map_or(i64::MAX, |id| id.0));
    let mut params: Vec<Value> = vec![until.into(), ask.from.map_or(0, first_id_of).into()];
    let mut text = format!("{FED} WHERE id < $1 AND id >= $2");
    let mut and = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            params.push(value);
            text.push_str(&format!(" AND {column} = ${}", params.len()));
        }
    };
    and("kind", ask.kind.as_deref().map(Value::from));
    and("subject", ask.subject.as_deref().map(Value::from));
    and("order_id", ask.order.map(Value::from));
    params.push(ask.limit.into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", params.len()));
    sql.all(&text, params).await
}

/// One event.
///
/// # Errors
/// A fault of the database.
pub async fn by_id(sql: &db::Sql, id: EventId) -> Result<Option<Fed>, Fault> {
    sql.one(&format!("{FED} WHERE id = $1"), [id.into()]).await
}

/// The first id that is not settled.
async fn horizon(db: &Db) -> Result<i64, Fault> {
    if db.backend() == db::Backend::Sqlite {
        return Ok(i64::MAX);
    }
    let now = db.now();
    // A backup only reads, for as long as it takes: nothing of it can arrive late. Its transaction says so by its name.
    let text = "SELECT CAST(COALESCE(MAX(EXTRACT(EPOCH FROM clock_timestamp() - xact_start)), 0) * 1000000 AS BIGINT) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL \
                AND backend_type = 'client backend' AND application_name <> $1";
    let age: Option<i64> = db.read().scalar(text, [db::backup::APPLICATION_NAME.into()]).await?;
    Ok(first_id_of(now.plus(-age.unwrap_or(0).max(0)).plus(-SKEW)))
}

/// The least id that can be made at a moment: milliseconds, then node and sequence at zero.
fn first_id_of(at: Timestamp) -> i64 {
    at.millis().max(0) << 21
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::IdGen;

    #[test]
    fn ids_of_a_moment_lie_behind_its_first_id_and_before_the_next_one() {
        for node in [0, 1, 1023] {
            for at in [Timestamp(0), Timestamp(1_767_603_600_000_000)] {
                let ids = IdGen::new(node);
                let id: EventId = ids.next(at.millis());
                assert!(id.0 >= first_id_of(at) && id.0 < first_id_of(at.plus(1_000)), "{node} {at}");
            }
        }
    }
}
