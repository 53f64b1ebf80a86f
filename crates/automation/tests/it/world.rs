//! What the tests share: a program with this slice, facts of slices above it, HTTP that goes out.

use automation::send::SendMail;
use automation::{JOBS, LISTENERS, Mailer, TIMERS};
use db::testing::{TestDb, both};
use db::{Clock, Ctx, Db, Job, Listener, Options, Parts};
use kernel::fact::EventId;
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use kernel::{Actor, Event, Fault, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;

macro_rules! told {
    ($($name:ident $kind:literal),*) => { $(
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Value);
        kernel::fact!($name, $kind);
    )* };
}
told!(Placed "order.placed", Cancelled "order.cancelled", Shipped "shipment.shipped", Delivered "shipment.delivered", Refunded "payment.refunded");

/// Makes the calls it is asked to.
pub struct Http(reqwest::Client);
impl Outside for Http {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        Box::pin(async move {
            let mut request = self.0.request(call.method.parse().unwrap(), &call.url).body(call.body);
            for (name, value) in &call.headers {
                request = request.header(name, value);
            }
            let response = request.send().await.map_err(|e| NoAnswer(e.to_string()))?;
            let status = response.status().as_u16();
            let body = response.bytes().await.map_err(|e| NoAnswer(e.to_string()))?.to_vec();
            Ok(HttpAnswer { status, headers: Vec::new(), body })
        })
    }
}

pub fn actor() -> Actor {
    Actor::system("test")
}

/// Both databases with the listeners of this slice. The clock stands at the real time: receivers refuse signatures that are old.
pub async fn worlds() -> Vec<TestDb> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    both(|| Options {
        clock: Clock::manual(Clock::System.now()),
        listeners: LISTENERS.to_vec(),
        ..Options::default()
    })
    .await
}

pub fn ctx(db: &Db, mailer: Mailer) -> Ctx {
    Ctx {
        db: db.clone(),
        outside: Arc::new(Http(reqwest::Client::new())),
        parts: Parts::default().with(mailer),
    }
}

/// Works until nothing is due. Only an e-mail may fail and wait.
pub async fn work(ctx: &Ctx) {
    while db::work_once(ctx, JOBS, TIMERS).await.unwrap() > 0 {}
    let text = "SELECT error FROM job WHERE error IS NOT NULL AND name <> $1";
    let wrong: Vec<String> = ctx.db.read().column(text, [SendMail::NAME.into()]).await.unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
}

pub async fn record<F: kernel::Fact + Clone>(db: &Db, order: Option<i64>, fact: F) -> EventId {
    db::write!(db, &actor(), |tx| tx.record(tx.now(), "ord_0000000000001", order, fact.clone())).unwrap();
    db.read().scalar("SELECT MAX(id) FROM event", []).await.unwrap().unwrap()
}

#[derive(db::FromRow)]
struct Row {
    id: EventId,
    at: Timestamp,
    actor: String,
    kind: String,
    order_id: Option<i64>,
    payload: String,
}

async fn tell(ctx: &Ctx, listener: &Listener, wanted: impl Fn(EventId) -> bool) -> Result<(), Fault> {
    let rows: Vec<Row> =
        ctx.db.read().all("SELECT id, at, actor, kind, order_id, payload FROM event ORDER BY id", []).await?;
    let event = |r: Row| Event {
        id: r.id,
        at: r.at,
        actor: Actor::stored(r.actor),
        kind: r.kind,
        subject: String::new(),
        order: r.order_id,
        payload: r.payload,
        fresh: None,
    };
    let all = listener.kinds == ["*"];
    let events = rows
        .into_iter()
        .filter(|r| wanted(r.id))
        .map(event)
        .filter(|e| all || listener.kinds.contains(&e.kind.as_str()));
    (listener.run)(ctx.clone(), events.collect()).await
}

/// Tells a listener of all events a second time.
pub async fn tell_again(ctx: &Ctx, listener: usize) {
    tell(ctx, &LISTENERS[listener], |_| true).await.unwrap();
}

/// Every law of this slice holds.
pub async fn lawful(db: &TestDb) {
    for law in automation::laws::LAWS {
        let offenders = db::laws::check(db.read(), law).await.unwrap();
        assert!(offenders.is_empty(), "{} {}: {offenders:?}", db.name, law.name);
    }
}

pub async fn count(db: &Db, what: &str) -> i64 {
    db.read().scalar(&format!("SELECT COUNT(*) FROM {what}"), []).await.unwrap().unwrap()
}
