//! Lanes: concurrent single requests become one transaction by natural batching. Whatever queued while the last transaction ran is the
//! next batch, up to a cap; there is no timer. One bad command never fails its neighbours: a batch that faults is halved until the
//! culprit stands alone; a panic is such a fault and never ends the lane.
//!
//! Two workers take turns, so that one batch is decided while the other waits for the disk. Each takes its batch only when its turn to
//! write has come, so that none waits with a few commands while others queue behind it. Among lanes the longest goes first (see `turns`).

use crate::{BoxFuture, Db, Settled, Tx};
use kernel::{Actor, Fault};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// Commands that may wait; more are turned away with [`Busy`].
const QUEUE: usize = 4096;
/// Commands of one transaction.
const CAP: usize = 64;
/// Batches under way at the same time.
const WORKERS: usize = 2;

/// How often others are let run first when more commands are to be expected than have come. Not a pause: it ends as soon as half as many
/// wait as the last batch had, and a lane where one calls at a time never does it.
const YIELDS: usize = 32;

/// The lane is full: come back a little later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// A command of a lane: set-based, one outcome per command, in order.
pub trait Command: Sized + Send + Sync + 'static {
    /// What comes of one.
    type Outcome: Send + 'static;
    /// In whose name its transaction runs: a batch is of one actor.
    fn actor(&self) -> Actor;
    /// Runs a batch.
    fn run<'a>(tx: &'a Tx, batch: &'a [Self]) -> BoxFuture<'a, Result<Vec<Self::Outcome>, Fault>>;
}

type Waiting<C> = (C, oneshot::Sender<Result<<C as Command>::Outcome, Fault>>);

/// The door to one hot command. Cheap to clone.
pub struct Lane<C: Command>(Arc<Door<C>>);

/// Closes the queue when the last clone of the lane is gone.
struct Door<C: Command>(Arc<Queue<C>>);

impl<C: Command> Clone for Lane<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
impl<C: Command> Drop for Door<C> {
    fn drop(&mut self) {
        self.0.line().closed = true;
        self.0.bell.notify_waiters();
    }
}

impl<C: Command> Lane<C> {
    /// Opens a lane; it ends when its last clone is dropped, after what is queued was done.
    pub fn new(name: &'static str, db: &Db) -> Self {
        let line = Line { waiting: VecDeque::new(), closed: false, last: 0 };
        let queue = Arc::new(Queue { line: Mutex::new(line), bell: Notify::new() });
        for _ in 0..WORKERS {
            tokio::spawn(work(name, db.clone(), Arc::clone(&queue)));
        }
        Self(Arc::new(Door(queue)))
    }
    /// Sends one command and waits for its outcome, which is durable when it comes.
    ///
    /// # Errors
    /// `Ok(Err(Busy))` when the queue is full; a fault when the machine could not.
    pub async fn send(&self, command: C) -> Result<Result<C::Outcome, Busy>, Fault> {
        let (reply, answer) = oneshot::channel();
        if !self.0.0.push((command, reply)) {
            return Ok(Err(Busy));
        }
        match answer.await {
            Ok(outcome) => outcome.map(Ok),
            Err(_) => Err(Fault::broken("the lane ended before it answered")),
        }
    }
}

/// What waits, first come first served.
struct Queue<C: Command> {
    line: Mutex<Line<C>>,
    bell: Notify,
}
struct Line<C: Command> {
    waiting: VecDeque<Waiting<C>>,
    closed: bool,
    /// Commands of the last batch.
    last: usize,
}

impl<C: Command> Queue<C> {
    fn line(&self) -> MutexGuard<'_, Line<C>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Whether there was room.
    fn push(&self, waiting: Waiting<C>) -> bool {
        let mut line = self.line();
        let room = line.waiting.len() < QUEUE;
        if room {
            line.waiting.push_back(waiting);
            self.bell.notify_one();
        }
        room
    }
    /// The next command, once there is one; none when the lane has ended. Callers that have gone are dropped before a transaction,
    /// never after it.
    async fn first(&self) -> Option<Waiting<C>> {
        loop {
            // Before looking, so that what comes in between rings too.
            let rung = self.bell.notified();
            {
                let mut line = self.line();
                while let Some(first) = line.waiting.pop_front() {
                    if !first.1.is_closed() {
                        return Some(first);
                    }
                }
                if line.closed {
                    return None;
                }
            }
            rung.await;
        }
    }
    /// Lets callers who were just answered come back: a batch of one costs nearly as much as one of many.
    async fn gather(&self) {
        for _ in 0..YIELDS {
            {
                let line = self.line();
                if line.waiting.len() + 1 >= line.last / 2 {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    }
    /// The first, and what queued behind it and runs in the same name.
    fn batch(&self, first: Waiting<C>, actor: &Actor) -> Vec<Waiting<C>> {
        let mut batch = vec![first];
        let mut line = self.line();
        while batch.len() < CAP && line.waiting.front().is_some_and(|next| next.0.actor() == *actor) {
            batch.extend(line.waiting.pop_front().filter(|next| !next.1.is_closed()));
        }
        line.last = batch.len();
        if !line.waiting.is_empty() {
            self.bell.notify_one();
        }
        batch
    }
}

async fn work<C: Command>(name: &'static str, db: Db, queue: Arc<Queue<C>>) {
    loop {
        let Some(first) = queue.first().await else { return };
        queue.gather().await;
        let actor = first.0.actor();
        let mut attempt = db.attempt(&actor);
        let behind = Arc::clone(&queue);
        let mut tx = match attempt.begin_with(move || 1 + behind.line().waiting.len()).await {
            Ok(tx) => tx,
            Err(fault) => {
                let _ = first.1.send(Err(fault));
                continue;
            }
        };
        let (commands, replies): (Vec<C>, Vec<_>) = queue.batch(first, &actor).into_iter().unzip();
        tx.commands = commands.len();
        metrics::histogram!("fulmar_lane_batch_size", "lane" => name).record(commands.len() as f64);
        let once = async {
            let result = C::run(&tx, &commands).await.and_then(|done| complete(done, commands.len()));
            match attempt.settle(tx, result).await {
                Settled::Done(result) => result.map(Some),
                Settled::Again => Ok(None),
            }
        };
        let outcomes: Vec<Result<C::Outcome, Fault>> = match crate::unwind::caught(once).await {
            Ok(Some(done)) => done.into_iter().map(Ok).collect(),
            Ok(None) => again(&db, &actor, &commands, vec![(0, commands.len())]).await,
            Err(fault) if commands.len() == 1 => vec![Err(fault)],
            Err(fault) => again(&db, &actor, &commands, halves(0, commands.len(), &fault)).await,
        };
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            let _ = reply.send(outcome);
        }
    }
}

fn complete<T>(done: Vec<T>, asked: usize) -> Result<Vec<T>, Fault> {
    match done.len() == asked {
        true => Ok(done),
        false => Err(Fault::broken(format!("{} outcomes for {asked} commands", done.len()))),
    }
}

fn halves(from: usize, to: usize, fault: &Fault) -> Vec<(usize, usize)> {
    tracing::warn!(%fault, size = to - from, "a batch failed and is halved");
    let middle = from + (to - from) / 2;
    // Parts are taken from the end: what came first goes first.
    vec![(middle, to), (from, middle)]
}

/// Runs parts of a batch that has failed; one that fails again is halved, so that each command gets its own outcome.
async fn again<C: Command>(
    db: &Db,
    actor: &Actor,
    commands: &[C],
    mut parts: Vec<(usize, usize)>,
) -> Vec<Result<C::Outcome, Fault>> {
    let mut outcomes: Vec<Option<Result<C::Outcome, Fault>>> = commands.iter().map(|_| None).collect();
    while let Some((from, to)) = parts.pop() {
        let batch = &commands[from..to];
        let running = async {
            let done = crate::write!(db, actor, |tx| C::run(tx, batch).await)?;
            complete(done, batch.len())
        };
        match crate::unwind::caught(running).await {
            Ok(done) => {
                for (slot, outcome) in outcomes[from..to].iter_mut().zip(done) {
                    *slot = Some(Ok(outcome));
                }
            }
            Err(fault) if batch.len() == 1 => outcomes[from] = Some(Err(fault)),
            Err(fault) => parts.extend(halves(from, to, &fault)),
        }
    }
    outcomes
        .into_iter()
        .map(|o| o.unwrap_or_else(|| Err(Fault::broken("a command without outcome"))))
        .collect()
}
