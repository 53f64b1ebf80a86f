//! Pages that show by themselves what happens. **A part of a page becomes live by one attribute**, `data-live="order:ord_…"`, on an element
//! with an id; a whole body by [`Screen::live`](crate::Screen::live). When something happens to one of its topics (separated by spaces),
//! `assets/live.js` asks for the page again and morphs that part: not while the reader types in it or has a dialog or menu open, and with
//! focus, ticks and scroll kept. An element with `hx-get` asks for its own address instead (panels do).
//!
//! | topic | changes with |
//! |---|---|
//! | `order:ord_…` | whatever is recorded of an order: payments, parcels, returns too |
//! | `return:ret_…`, `sku:sku_…`, … | events whose kind begins with the word and whose subject is the id |
//! | `queue:orders` | events of any order |
//! | `queue:fulfilment`, `queue:returns`, … | events of an area: [`AREAS`] |
//! | `dashboard` | every event |
//!
//! `GET /live?topics=…` is the stream. One loop per process reads the event log while anybody listens, so it does not matter who wrote, and
//! a thousand listeners cost as many reads as one. A reading goes back [`WINDOW`] ids before the newest, because transactions commit out of
//! order; a program whose clock is further behind is seen when the page is next loaded.
//!
//! Invariant: a stream says that something happened, never what; who may not read an area hears nothing of it. A stream ends after
//! [`LIFE`], so that a session that ended ends its streams too, and when the program stops ([`App::close_streams`]).

use crate::auth::Scopes;
use crate::{App, May, Params, Problem, SignedIn};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use db::{Db, FromRow};
use futures_util::stream;
use kernel::Fault;
use serde::Deserialize;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

/// How often the log is read while somebody listens.
const EVERY: Duration = Duration::from_millis(400);
/// Ten seconds of ids: the milliseconds stand above 21 bits of node and sequence.
const WINDOW: i64 = 10_000 << 21;
/// Events of a reading at most; when there are more, every listener is told.
const MOST: i64 = 2000;
/// What happened between the drawing of a page and its stream is told when the stream begins: page and stream are so far apart at most.
const BEFORE: Duration = Duration::from_secs(3);
/// The same in ids.
const BEFORE_IDS: i64 = 3_000 << 21;
/// How long a stream lives.
const LIFE: Duration = Duration::from_secs(600);
/// A comment that keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Topics of one stream.
const TOPICS: usize = 50;

/// The area of a kind's first word, and the permission to hear of it.
const AREAS: &[(&str, &str, &str)] = &[
    ("order", "orders", "orders:read"),
    ("payment", "payments", "payments:read"),
    ("refund", "payments", "payments:read"),
    ("fulfilment", "fulfilment", "warehouse:read"),
    ("parcel", "fulfilment", "warehouse:read"),
    ("shipment", "shipments", "shipping:read"),
    ("rate_card", "shipments", "shipping:read"),
    ("return", "returns", "returns:read"),
    ("stock", "stock", "inventory:read"),
    ("location", "stock", "inventory:read"),
    ("purchase", "purchasing", "purchasing:read"),
    ("count_sheet", "counts", "inventory:read"),
    ("reservation", "stock", "inventory:read"),
    ("sku", "catalogue", "catalog:read"),
    ("supplier", "catalogue", "catalog:read"),
    ("tax_rate", "catalogue", "catalog:read"),
    ("customer", "customers", "customers:read"),
    ("store_credit", "customers", "customers:read"),
    ("books", "books", "books:read"),
    ("webhook", "webhooks", "webhooks:read"),
    ("mail", "mails", "mails:read"),
];

/// What happened, as topics; none: so much that everybody should look.
type Happened = Option<Arc<BTreeSet<String>>>;

/// Who listens, and the loop that reads for them.
pub(crate) struct Streams {
    happened: broadcast::Sender<Happened>,
    lately: Mutex<VecDeque<(Instant, Happened)>>,
    reading: Mutex<bool>,
    closed: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            happened: broadcast::channel(64).0,
            lately: Mutex::default(),
            reading: Mutex::new(false),
            closed: watch::channel(false).0,
        }
    }
}

impl Streams {
    /// What happened within [`BEFORE`].
    fn lately(&self) -> MutexGuard<'_, VecDeque<(Instant, Happened)>> {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        while lately.front().is_some_and(|(at, _)| at.elapsed() > BEFORE) {
            lately.pop_front();
        }
        lately
    }
    /// Tells who listens and who will soon. Nobody to tell is seen at the next turn.
    fn tell(&self, happened: Happened) {
        self.lately().push_back((Instant::now(), happened.clone()));
        drop(self.happened.send(happened));
    }
}

impl App {
    /// Ends every stream, for a program that stops: it would wait for them.
    pub fn close_streams(&self) {
        self.streams.closed.send_replace(true);
    }
    fn listen(&self) -> broadcast::Receiver<Happened> {
        let receiver = self.streams.happened.subscribe();
        let mut reading = self.streams.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if !*reading {
            *reading = true;
            tokio::spawn(read_on(self.clone()));
        }
        receiver
    }
    /// Whether nobody listens; then the loop has ended and the next listener starts another.
    fn deserted(&self) -> bool {
        let mut reading = self.streams.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let deserted = self.streams.happened.receiver_count() == 0 || *self.streams.closed.borrow();
        *reading = !deserted;
        deserted
    }
}

/// The route of the stream.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/live", get(stream_of))
}

#[derive(Deserialize)]
struct Query {
    topics: String,
}

async fn stream_of(
    State(app): State<App>,
    caller: May<SignedIn>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let topics = heard(&query.topics, &caller.scopes)?;
    // Listens first: what happens in between is heard twice rather than never.
    let receiver = app.listen();
    let before = app.streams.lately().iter().map(|(_, happened)| happened.clone()).collect();
    let state = Listening {
        receiver,
        before,
        closed: app.streams.closed.subscribe(),
        topics,
        until: Instant::now() + LIFE,
        greeted: false,
    };
    let events = stream::unfold(state, |mut state| async move {
        let event = state.next().await?;
        Some((Ok::<_, Infallible>(event), state))
    });
    let keep = KeepAlive::new().interval(HEARTBEAT).text("still here");
    let mut response = Sse::new(events).keep_alive(keep).into_response();
    // nginx would collect the answer before it passes it on.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// The topics that a caller may hear of; one that nothing is ever said of is a mistake of the page.
fn heard(text: &str, scopes: &Scopes) -> Result<BTreeSet<String>, Problem> {
    let mut topics = BTreeSet::new();
    for topic in text.split_whitespace().take(TOPICS) {
        let area = AREAS.iter().find(|(word, area, _)| match topic.split_once(':') {
            Some(("queue", name)) => name == *area,
            Some((name, _)) => name == *word,
            None => false,
        });
        match area {
            Some((_, _, scope)) if scopes.allow(scope) => topics.insert(topic.to_owned()),
            Some(_) => false,
            None if topic == "dashboard" => topics.insert(topic.to_owned()),
            None => return Err(Problem::invalid("topics", format!("“{topic}” is no topic."))),
        };
    }
    Ok(topics)
}

struct Listening {
    receiver: broadcast::Receiver<Happened>,
    before: VecDeque<Happened>,
    closed: watch::Receiver<bool>,
    topics: BTreeSet<String>,
    until: Instant,
    greeted: bool,
}

impl Listening {
    /// The next thing to say; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        if !self.greeted {
            self.greeted = true;
            // So that the browser knows that it is heard, and asks again soon when the stream breaks off.
            return Some(Event::default().event("hello").retry(Duration::from_secs(2)).data("ok"));
        }
        loop {
            let happened = match self.before.pop_front() {
                Some(happened) => Ok(happened),
                None => tokio::select! {
                    _ = self.closed.wait_for(|closed| *closed) => return None,
                    () = tokio::time::sleep_until(self.until) => return None,
                    happened = self.receiver.recv() => happened,
                },
            };
            let topics: Vec<&str> = match &happened {
                Ok(Some(some)) => self.topics.intersection(some).map(String::as_str).collect(),
                // Too much, or more than this listener kept up with.
                Ok(None) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.topics.iter().map(String::as_str).collect()
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            if !topics.is_empty() {
                return Some(Event::default().event("changed").data(topics.join(" ")));
            }
        }
    }
}

#[derive(FromRow)]
struct EventRow {
    id: i64,
    kind: String,
    subject: String,
    order_id: Option<i64>,
}

const NEWEST: &str = "SELECT id FROM event ORDER BY id DESC LIMIT 1";
const AFTER: &str = "SELECT id, kind, subject, order_id FROM event WHERE id > $1 ORDER BY id DESC LIMIT $2";

/// Reads the log and tells who listens, until nobody does.
async fn read_on(app: App) {
    let mut log = Log::default();
    while !app.deserted() {
        match log.read(&app.db).await {
            Ok(Some(topics)) if topics.is_empty() => {}
            Ok(happened) => app.streams.tell(happened.map(Arc::new)),
            Err(fault) => tracing::warn!(%fault, "the log cannot be read for live pages"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Where the reading of the log stands.
#[derive(Default)]
struct Log {
    newest: Option<i64>,
    seen: HashSet<i64>,
}

impl Log {
    /// The topics of what is new since the last reading; none when it is more than one reading holds.
    async fn read(&mut self, db: &Db) -> Result<Option<BTreeSet<String>>, Fault> {
        let sql = db.read();
        let first = self.newest.is_none();
        let newest = match self.newest {
            Some(newest) => newest,
            None => sql.scalar::<i64>(NEWEST, []).await?.unwrap_or(0),
        };
        let rows: Vec<EventRow> = sql.all(AFTER, [(newest - WINDOW).into(), MOST.into()]).await?;
        let full = i64::try_from(rows.len()).is_ok_and(|many| many == MOST);
        // What happened long before anybody listened is on the page already.
        let since = if first { newest - BEFORE_IDS } else { i64::MIN };
        let fresh: Vec<&EventRow> =
            rows.iter().filter(|r| r.id > since && !self.seen.contains(&r.id)).collect();
        let some_new = !fresh.is_empty();
        let topics: BTreeSet<String> = fresh.into_iter().flat_map(topics_of).collect();
        let newest = rows.first().map_or(newest, |r| r.id.max(newest));
        self.newest = Some(newest);
        self.seen = rows.into_iter().map(|r| r.id).filter(|id| *id > newest - WINDOW).collect();
        Ok(if full && some_new && !first { None } else { Some(topics) })
    }
}

fn topics_of(row: &EventRow) -> Vec<String> {
    let word = row.kind.split('.').next().unwrap_or_default();
    let mut topics = vec!["dashboard".to_owned(), format!("{word}:{}", row.subject)];
    topics.extend(AREAS.iter().filter(|(w, _, _)| *w == word).map(|(_, area, _)| format!("queue:{area}")));
    if let Some(id) = row.order_id {
        // Money and parcels of an order show in lists of orders.
        topics.extend([format!("order:{}", Order(id)), "queue:orders".to_owned()]);
    }
    topics
}

/// An order's id as pages write it; the slice that owns orders lies below.
struct Order(i64);
impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        kernel::ids::write_id("ord", self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hears_what_one_may_and_a_word_nobody_says_is_a_mistake() {
        let topics = |text: &str, grants: &str| heard(text, &Scopes::parse(grants)).ok();
        let set = |words: &[&str]| Some(words.iter().map(|w| (*w).to_owned()).collect::<BTreeSet<_>>());
        assert_eq!(
            topics("order:ord_1 queue:books dashboard", "orders:read"),
            set(&["order:ord_1", "dashboard"])
        );
        assert_eq!(topics("queue:books", "*"), set(&["queue:books"]));
        assert_eq!(topics("weather", "*"), None);
        assert_eq!(topics("", "*"), set(&[]));
    }

    #[test]
    fn an_event_of_a_payment_is_news_of_its_order() {
        let row =
            EventRow { id: 1, kind: "payment.captured".into(), subject: "pay_1".into(), order_id: Some(7) };
        let topics = topics_of(&row);
        assert!(topics.contains(&format!("order:{}", Order(7))), "{topics:?}");
        assert!(topics.contains(&"queue:payments".into()) && topics.contains(&"payment:pay_1".into()));
    }
}
