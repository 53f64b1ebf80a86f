//! Transactions: `write!` opens one, runs the body, records events, runs the reactions to them, commits, and tries again when another
//! writer was in the way.

use crate::dispatch::{Wanted, WantedAsked};
use crate::error::may_succeed_again;
use crate::open::{Backend, Shared, Writer};
use crate::turns::{Held, Standing};
use crate::{BoxFuture, Rows, Sql};
use kernel::{Actor, Event, Fact, Fault, Id, Timestamp};
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// How often a transaction is run when other writers are in its way.
const ATTEMPTS: u32 = 5;
/// How deep events may cause events inside one transaction.
const ROUNDS: u32 = 16;

/// What follows from events inside the transaction that records them. Set-based: gets every event of its kinds at once.
#[derive(Clone, Copy)]
pub struct Reaction {
    /// For faults.
    pub name: &'static str,
    /// The kinds it reads.
    pub kinds: &'static [&'static str],
    /// What it does.
    pub run: for<'a> fn(&'a Tx, &'a [Event]) -> BoxFuture<'a, Result<(), Fault>>,
}

/// The inside of a transaction: SQL, the time, ids and the event log. It reaches no network.
pub struct Tx {
    sql: Sql,
    now: Timestamp,
    actor: Actor,
    events: Mutex<Vec<Event>>,
    /// What listeners want; asked once, when the first events are written.
    wanted: OnceCell<Wanted>,
    /// They were asked already.
    wanted_asked: Mutex<Option<WantedAsked>>,
    /// Whether it leaves something to do.
    wakes: AtomicBool,
    /// Until when this transaction extends the lease of the node number.
    lease: Option<Timestamp>,
    /// How many commands it runs.
    pub(crate) commands: usize,
    /// One of the turns of lanes.
    turn: Option<Held>,
    shared: Arc<Shared>,
}

impl Deref for Tx {
    type Target = Sql;
    fn deref(&self) -> &Sql {
        &self.sql
    }
}

impl Tx {
    /// The time of this transaction by the clock of the database.
    pub fn now(&self) -> Timestamp {
        self.now
    }
    /// A new id.
    pub fn id<T: Id>(&self) -> T {
        self.shared.ids.next(self.now.millis())
    }
    /// Who runs this transaction.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
    /// Records that something happened at `at`, by this transaction's actor, to `subject`; `order` puts it on an order's timeline.
    pub fn record<F: Fact>(
        &self,
        at: Timestamp,
        subject: impl std::fmt::Display,
        order: Option<i64>,
        fact: F,
    ) -> Result<(), Fault> {
        self.record_by(at, self.actor.clone(), subject, order, fact)
    }
    /// Records a fact in the name of someone else: lanes run the commands of many callers in one transaction.
    ///
    /// # Errors
    /// A fault when the fact does not serialise.
    pub fn record_by<F: Fact>(
        &self,
        at: Timestamp,
        actor: Actor,
        subject: impl std::fmt::Display,
        order: Option<i64>,
        fact: F,
    ) -> Result<(), Fault> {
        let event = new_event(at, actor, subject, order, fact)?;
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        Ok(())
    }
    /// Records the fact that begins an order's timeline, before whatever was recorded of that order already.
    ///
    /// # Errors
    /// A fault when the fact does not serialise.
    pub fn record_first<F: Fact>(
        &self,
        at: Timestamp,
        actor: Actor,
        subject: impl std::fmt::Display,
        order: i64,
        fact: F,
    ) -> Result<(), Fault> {
        let event = new_event(at, actor, subject, Some(order), fact)?;
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let first = events.iter().position(|e| e.order == Some(order)).unwrap_or(events.len());
        events.insert(first, event);
        Ok(())
    }
    /// The next `n` numbers of a series that people read (orders, returns), as an inclusive range. Numbers rise; gaps may occur.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn numbers(
        &self,
        series: &'static str,
        n: u64,
    ) -> Result<std::ops::RangeInclusive<i64>, Fault> {
        let n = i64::try_from(n.max(1))?;
        // On PostgreSQL a counter row would make all placing transactions wait for each other until commit: sequences do not.
        let last: Option<i64> = match self.backend() {
            Backend::Postgres => {
                let text = format!("SELECT MAX(nextval('{series}_number')) FROM generate_series(1, $1)");
                self.scalar(&text, [n.into()]).await?
            }
            Backend::Sqlite => {
                self.scalar(
                    "UPDATE counter SET value = value + $1 WHERE name = $2 RETURNING value",
                    [n.into(), series.into()],
                )
                .await?
            }
        };
        let last = last.ok_or_else(|| Fault::broken(format!("no number series “{series}”")))?;
        Ok(last - n + 1..=last)
    }

    /// Has background work look for something to do once this is committed.
    pub(crate) fn wake_workers(&self) {
        self.wakes.store(true, Ordering::Relaxed);
    }
    fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
    /// Writes recorded events to the log and runs the reactions, until nothing new is recorded. Called before commit; a command that
    /// builds on what reactions do (an import that drives an order through its life in one transaction) calls it in between.
    ///
    /// # Errors
    /// Faults of the database and of reactions.
    pub async fn settle(&self) -> Result<(), Fault> {
        for _ in 0..ROUNDS {
            let mut events = self.take_events();
            if events.is_empty() {
                return Ok(());
            }
            // Ids follow the order of the log, which is known only now. On PostgreSQL no transaction may give one of a time before the
            // server knew of it: readers of the log wait for the oldest that the server knows (`automation::feed`).
            self.sql.begun().await?;
            let now = self.shared.clock.now().max(self.now);
            for event in &mut events {
                event.id = self.shared.ids.next(now.millis());
            }
            self.write_log(&events).await?;
            for reaction in &self.shared.reactions {
                let mine: Vec<Event> =
                    events.iter().filter(|e| reaction.kinds.contains(&e.kind.as_str())).cloned().collect();
                if !mine.is_empty() {
                    (reaction.run)(self, &mine)
                        .await
                        .map_err(|f| f.while_doing(format!("reaction {}", reaction.name)))?;
                }
            }
        }
        Err(Fault::broken(format!("events still cause events after {ROUNDS} rounds")))
    }
    async fn hear_what_is_wanted(&self) -> Result<Wanted, Fault> {
        let asked = self.wanted_asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        let asked = match asked {
            Some(asked) => asked,
            None => Wanted::ask(&self.sql, &self.shared.listeners).await?,
        };
        Wanted::hear(&self.sql, asked).await
    }
    async fn write_log(&self, events: &[Event]) -> Result<(), Fault> {
        let mut rows = Rows::new(
            "id BIGINT, at BIGINT, actor TEXT, kind TEXT, subject TEXT, order_id BIGINT?, payload TEXT, pending BOOLEAN, recorded_at BIGINT, origin TEXT?",
        );
        if events.iter().any(|e| !e.actor.is_import()) {
            self.wanted.get_or_try_init(|| self.hear_what_is_wanted()).await?;
        }
        for e in events {
            let wanted = self.wanted.get().is_some_and(|wanted| wanted.includes(&e.kind));
            let pending = wanted && !e.actor.is_import();
            if pending {
                self.wake_workers();
            }
            rows.push([
                e.id.0.into(),
                e.at.into(),
                e.actor.as_str().into(),
                e.kind.as_str().into(),
                e.subject.as_str().into(),
                e.order.into(),
                e.payload.as_str().into(),
                pending.into(),
                self.now.into(),
                e.actor.origin().map(str::to_owned).into(),
            ]);
        }
        self.insert("event", &rows).await?;
        Ok(())
    }
}

fn new_event<F: Fact>(
    at: Timestamp,
    actor: Actor,
    subject: impl std::fmt::Display,
    order: Option<i64>,
    fact: F,
) -> Result<Event, Fault> {
    let (subject, payload) = (subject.to_string(), serde_json::to_string(&fact)?);
    let (kind, fresh) = (F::KIND.to_owned(), Some(Arc::new(fact) as Arc<_>));
    Ok(Event { id: kernel::fact::EventId(0), at, actor, kind, subject, order, payload, fresh })
}

/// A transaction with its retries.
pub struct Attempt {
    shared: Arc<Shared>,
    actor: Actor,
    left: u32,
}

/// How one run of a transaction ended.
pub enum Settled<T> {
    /// Committed, or failed for good.
    Done(Result<T, Fault>),
    /// Rolled back; worth another run.
    Again,
}

impl Attempt {
    pub(crate) fn new(shared: Arc<Shared>, actor: Actor) -> Self {
        Self { shared, actor, left: ATTEMPTS }
    }
    /// Opens the transaction: IMMEDIATE on SQLite's one writer, READ COMMITTED on PostgreSQL.
    ///
    /// # Errors
    /// A fault when no connection is to be had, or the lease of the node number was lost.
    pub async fn begin(&self) -> Result<Tx, Fault> {
        self.shared.clock.alive().await;
        self.open(None, Standing::single()).await
    }
    /// The same for a lane with so many commands: which lane is next is decided by that.
    ///
    /// # Errors
    /// As of [`Attempt::begin`].
    pub(crate) async fn begin_with(
        &self,
        commands: impl Fn() -> usize + Send + 'static,
    ) -> Result<Tx, Fault> {
        self.shared.clock.alive().await;
        let standing = Standing::With(Box::new(commands));
        match &self.shared.writer {
            Writer::Sqlite(..) => self.open(None, standing).await,
            Writer::Postgres(_, turns) => {
                let turn = turns.ask(standing).await.map_err(|_| Fault::broken("the database is closed"))?;
                let tx = self.open(Some(turn), Standing::single()).await?;
                // Commands of lanes record events: the question travels with their first. (Who is made to listen while a transaction
                // runs hears of the next.)
                let asked = Wanted::ask(&tx.sql, &self.shared.listeners).await?;
                *tx.wanted_asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
                Ok(tx)
            }
        }
    }
    async fn open(&self, turn: Option<Held>, standing: Standing) -> Result<Tx, Fault> {
        let sql = self.shared.writer.begin(standing).await?;
        // So that on SQLite, where one writes at a time, the ids of events rise in the order of commits whoever writes, and whatever
        // the clocks say: readers keep a cursor on them.
        if let Some(newest) = sql.newest_of_others()? {
            self.shared.ids.follow(newest);
        }
        let lease = self.shared.lease.renew_if_due(&sql).await?;
        let now = self.shared.clock.now();
        Ok(Tx {
            sql,
            now,
            actor: self.actor.clone(),
            events: Mutex::new(Vec::new()),
            wanted: OnceCell::new(),
            wanted_asked: Mutex::default(),
            wakes: AtomicBool::new(false),
            lease,
            commands: 1,
            turn,
            shared: Arc::clone(&self.shared),
        })
    }
    /// Commits a good result after its events and reactions, rolls a bad one back, and says whether to run again.
    pub async fn settle<T>(&mut self, tx: Tx, result: Result<T, Fault>) -> Settled<T> {
        let (mut wakes, lease, commands) = (false, tx.lease, tx.commands);
        let settled = match result {
            Ok(value) => tx.settle().await.map(|()| value),
            Err(fault) => Err(fault),
        };
        let finished = match settled {
            Ok(value) => {
                wakes = tx.wakes.load(Ordering::Relaxed);
                tx.sql.commit(commands).await.map(|()| value)
            }
            Err(fault) => {
                tx.sql.roll_back(&fault).await;
                Err(fault)
            }
        };
        drop(tx.turn);
        match finished {
            Ok(value) => {
                if wakes {
                    self.shared.wake.notify_one();
                }
                if let Some(until) = lease {
                    self.shared.lease.renewed(until);
                }
                Settled::Done(Ok(value))
            }
            Err(fault) if self.left > 1 && may_succeed_again(&fault) => {
                self.left -= 1;
                metrics::counter!("fulmar_transaction_retries_total").increment(1);
                tracing::debug!(%fault, left = self.left, "transaction runs again");
                let pause = 2u64.pow(ATTEMPTS - self.left) * 2;
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                Settled::Again
            }
            Err(fault) => Settled::Done(Err(fault)),
        }
    }
}

/// Fixes the error type of a body, for [`write!`].
pub fn typed<T, F: Future<Output = Result<T, Fault>>>(body: F) -> F {
    body
}

/// Runs a body in a transaction and gives `Result<T, Fault>`: `db::write!(db, &actor, |tx| { orders::place(tx, &batch).await })`. The
/// body may run several times and must not keep anything outside of the database between runs. (A macro, because an async closure that
/// borrows cannot be proven `Send` today.)
#[macro_export]
macro_rules! write {
    ($db:expr, $actor:expr, |$tx:ident| $body:expr) => {{
        let mut attempt = $db.attempt($actor);
        loop {
            match attempt.begin().await {
                Err(fault) => break Err(fault),
                Ok(tx) => {
                    let result = {
                        let $tx = &tx;
                        $crate::typed(async { $body }).await
                    };
                    match attempt.settle(tx, result).await {
                        $crate::Settled::Done(result) => break result,
                        $crate::Settled::Again => {}
                    }
                }
            }
        }
    }};
}
