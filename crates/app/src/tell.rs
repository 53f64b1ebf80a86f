//! The job that tells a listener of events after commit. The dispatcher of `db` writes it; the program, which knows all listeners, runs
//! it. Invariant: a listener gets exactly the events that were dispatched to it, in the order of their ids, at least once.

use crate::slices;
use db::{Ctx, FromQueryResult, Job, Rows};
use kernel::fact::EventId;
use kernel::{Actor, Event, Fault, Timestamp};
use serde::{Deserialize, Serialize};

/// As the dispatcher writes it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tell {
    listener: String,
    events: Vec<i64>,
}

#[derive(FromQueryResult)]
struct Row {
    id: EventId,
    at: Timestamp,
    actor: String,
    kind: String,
    subject: String,
    order_id: Option<i64>,
    payload: String,
}

impl From<Row> for Event {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: Actor::stored(row.actor),
            kind: row.kind,
            subject: row.subject,
            order: row.order_id,
            payload: row.payload,
            fresh: None,
        }
    }
}

impl Job for Tell {
    const NAME: &'static str = "events.tell";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let listeners = web::all(&slices::slices(), |s| s.listeners);
        let listener = listeners
            .iter()
            .find(|l| l.name == self.listener)
            .ok_or_else(|| Fault::broken(format!("this program has no listener “{}”", self.listener)))?;
        let mut wanted = Rows::new("id BIGINT");
        for id in &self.events {
            wanted.push([(*id).into()]);
        }
        let text = "SELECT e.id, e.at, e.actor, e.kind, e.subject, e.order_id, e.payload FROM event e JOIN input ON input.id = e.id ORDER BY e.id";
        let rows: Vec<Row> = ctx.db.read().all_from(&wanted, text, []).await?;
        (listener.run)(ctx, rows.into_iter().map(Event::from).collect()).await
    }
}
