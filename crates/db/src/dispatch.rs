//! Telling listeners of events after commit, at least once. Pending events are claimed by their flag, because the order of ids is not the
//! order of commits on PostgreSQL and a cursor would skip late ones.

use crate::FromRow;
use crate::jobs::JobId;
use crate::{Asked, BoxFuture, Ctx, Db, Job, Rows, Sql};
use kernel::{Actor, Event, Fault, Timestamp};
use serde::{Deserialize, Serialize};

/// What is told of events after commit. Idempotent by event id: it may be told twice.
#[derive(Clone, Copy)]
pub struct Listener {
    /// Stable name: it is stored with undelivered work.
    pub name: &'static str,
    /// The kinds it reads; `["*"]` for all.
    pub kinds: &'static [&'static str],
    /// A query for what it wants of them at the moment, one JSON list `kinds` (or `["*"]`) a row; none: always all. Events that nobody
    /// wants are not marked as pending, which spares them a second write.
    pub wanted: Option<&'static str>,
    /// What it does.
    pub run: fn(Ctx, Vec<Event>) -> BoxFuture<'static, Result<(), Fault>>,
}

const BATCH: i64 = 500;

/// The kinds that listeners want at the moment.
pub(crate) struct Wanted(Vec<String>);

/// What listeners were asked.
pub(crate) struct WantedAsked {
    always: Vec<String>,
    asked: Vec<Asked<Kinds>>,
}

#[derive(FromRow)]
struct Kinds {
    kinds: String,
}

impl Wanted {
    /// Asks the listeners.
    pub(crate) async fn ask(sql: &Sql, listeners: &[Listener]) -> Result<WantedAsked, Fault> {
        let (mut always, mut asked) = (Vec::new(), Vec::new());
        for listener in listeners {
            match listener.wanted {
                Some(query) => asked.push(sql.ask(query, []).await?),
                None => always.extend(listener.kinds.iter().map(|kind| (*kind).to_owned())),
            }
        }
        Ok(WantedAsked { always, asked })
    }
    /// Hears their answers.
    pub(crate) async fn hear(sql: &Sql, WantedAsked { always, asked }: WantedAsked) -> Result<Self, Fault> {
        let mut kinds = always;
        for asked in asked {
            for list in sql.answer(asked).await? {
                kinds.extend(serde_json::from_str::<Vec<String>>(&list.kinds)?);
            }
        }
        Ok(Self(kinds))
    }
    /// Whether anybody wants events of a kind.
    pub(crate) fn includes(&self, kind: &str) -> bool {
        self.0.iter().any(|k| k == kind || k == "*")
    }
}

// `pending` and not `pending = TRUE`: SQLite takes the partial index only for the very words of its condition, and would read the whole
// log instead.
const ANY_PENDING: &str = "SELECT id FROM event WHERE pending LIMIT 1";
const PENDING: &str =
    "SELECT id, kind FROM event WHERE pending ORDER BY id LIMIT $1 /*pg FOR UPDATE SKIP LOCKED */";

#[derive(FromRow)]
struct Pending {
    id: i64,
    kind: String,
}

/// Turns pending events into jobs of their listeners. Loops until none is pending.
///
/// # Errors
/// A fault of the database.
pub async fn dispatch_pending(db: &Db) -> Result<(), Fault> {
    loop {
        let some: Option<i64> = db.read().scalar(ANY_PENDING, []).await?;
        if some.is_none() {
            return Ok(());
        }
        let listeners = &db.shared.listeners;
        let count = crate::write!(db, &Actor::system("dispatch"), |tx| {
            let events: Vec<Pending> = tx.all(PENDING, [BATCH.into()]).await?;
            let mut jobs = Rows::new("id BIGINT, name TEXT, payload TEXT, run_at BIGINT, created_at BIGINT");
            for listener in listeners {
                let ids: Vec<i64> = events
                    .iter()
                    .filter(|e| listener.kinds.contains(&e.kind.as_str()) || listener.kinds == ["*"])
                    .map(|e| e.id)
                    .collect();
                if !ids.is_empty() {
                    let payload =
                        serde_json::to_string(&Tell { listener: listener.name.to_owned(), events: ids })?;
                    let now = tx.now();
                    jobs.push([
                        tx.id::<JobId>().into(),
                        Tell::NAME.into(),
                        payload.into(),
                        now.into(),
                        now.into(),
                    ]);
                }
            }
            tx.insert("job", &jobs).await?;
            let mut done = Rows::new("id BIGINT");
            for event in &events {
                done.push([event.id.into()]);
            }
            tx.exec_from(&done, "UPDATE event SET pending = FALSE WHERE id IN (SELECT id FROM input)", [])
                .await?;
            Ok(events.len())
        })?;
        if count == 0 {
            return Ok(());
        }
    }
}

/// The job that tells one listener of some events.
#[derive(Serialize, Deserialize)]
pub(crate) struct Tell {
    listener: String,
    events: Vec<i64>,
}

#[derive(FromRow)]
struct EventRow {
    id: kernel::fact::EventId,
    at: Timestamp,
    actor: String,
    kind: String,
    subject: String,
    order_id: Option<i64>,
    payload: String,
}

impl Job for Tell {
    const NAME: &'static str = "events.tell";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let listener = ctx
            .db
            .shared
            .listeners
            .iter()
            .find(|l| l.name == self.listener)
            .copied()
            .ok_or_else(|| Fault::broken(format!("this program has no listener “{}”", self.listener)))?;
        let mut wanted = Rows::new("id BIGINT");
        for id in &self.events {
            wanted.push([(*id).into()]);
        }
        let text = "SELECT e.id, e.at, e.actor, e.kind, e.subject, e.order_id, e.payload FROM event e JOIN input ON input.id = e.id ORDER BY e.id";
        let rows: Vec<EventRow> = ctx.db.read().all_from(&wanted, text, []).await?;
        let events = rows.into_iter().map(EventRow::into_event).collect();
        (listener.run)(ctx, events).await
    }
}

impl EventRow {
    fn into_event(self) -> Event {
        Event {
            id: self.id,
            at: self.at,
            actor: Actor::stored(self.actor),
            kind: self.kind,
            subject: self.subject,
            order: self.order_id,
            payload: self.payload,
            fresh: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, testing};

    #[tokio::test]
    async fn what_is_pending_is_found_by_its_index() {
        let db = testing::sqlite(Options::default()).await;
        for text in [ANY_PENDING, PENDING] {
            let plan = format!("EXPLAIN QUERY PLAN {}", text.replace("$1", "10"));
            let steps: Vec<String> =
                db.read().all::<Step>(&plan, []).await.unwrap().into_iter().map(|s| s.detail).collect();
            assert!(steps.iter().all(|s| s.contains("event_pending")), "{text}: {steps:?}");
        }
    }

    #[derive(FromRow)]
    struct Step {
        detail: String,
    }
}
