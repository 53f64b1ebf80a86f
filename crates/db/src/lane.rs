//! Lanes: concurrent single requests become one transaction by natural batching. Whatever queued while the last transaction ran is the
//! next batch, up to a cap; there is no timer. One bad command never fails its neighbours: a batch that faults is halved until the
//! culprit stands alone; a panic is such a fault and never ends the lane.

use crate::{BoxFuture, Db, Tx};
use kernel::{Actor, Fault};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait; more are turned away with [`Busy`].
const QUEUE: usize = 4096;
/// Commands of one transaction.
const CAP: usize = 64;

/// The lane is full: come back a little later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// A set-based command: one outcome per command, in order.
pub type Run<C, T> = for<'a> fn(&'a Tx, &'a [C]) -> BoxFuture<'a, Result<Vec<T>, Fault>>;

type Waiting<C, T> = (C, oneshot::Sender<Result<T, Fault>>);

/// The door to one hot command. Cheap to clone.
pub struct Lane<C, T> {
    queue: mpsc::Sender<Waiting<C, T>>,
}
impl<C, T> Clone for Lane<C, T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<C: Send + Sync + 'static, T: Send + 'static> Lane<C, T> {
    /// Opens a lane; it ends when its last clone is dropped, after what is queued was done.
    pub fn new(name: &'static str, db: Db, run: Run<C, T>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(work(name, db, run, waiting));
        Self { queue }
    }
    /// Sends one command and waits for its outcome, which is durable when it comes.
    ///
    /// # Errors
    /// `Ok(Err(Busy))` when the queue is full; a fault when the machine could not.
    pub async fn send(&self, command: C) -> Result<Result<T, Busy>, Fault> {
        let (reply, answer) = oneshot::channel();
        if self.queue.try_send((command, reply)).is_err() {
            return Ok(Err(Busy));
        }
        match answer.await {
            Ok(outcome) => outcome.map(Ok),
            Err(_) => Err(Fault::broken("the lane ended before it answered")),
        }
    }
}

async fn work<C: Send + Sync + 'static, T: Send + 'static>(
    name: &'static str,
    db: Db,
    run: Run<C, T>,
    mut waiting: mpsc::Receiver<Waiting<C, T>>,
) {
    let actor = Actor::system(name);
    let mut jobs: Vec<Waiting<C, T>> = Vec::with_capacity(CAP);
    while waiting.recv_many(&mut jobs, CAP).await > 0 {
        // Callers that have gone are dropped before the transaction, never after it.
        let (commands, replies): (Vec<C>, Vec<_>) =
            jobs.drain(..).filter(|(_, reply)| !reply.is_closed()).unzip();
        metrics::histogram!("fulmar_lane_batch_size", "lane" => name).record(commands.len() as f64);
        let outcomes = run_all(&db, &actor, run, &commands).await;
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            let _ = reply.send(outcome);
        }
    }
}

/// Runs a batch; on a fault halves it, so that each command gets its own outcome.
async fn run_all<C: Send + Sync, T: Send>(
    db: &Db,
    actor: &Actor,
    run: Run<C, T>,
    commands: &[C],
) -> Vec<Result<T, Fault>> {
    let mut outcomes: Vec<Option<Result<T, Fault>>> = commands.iter().map(|_| None).collect();
    let mut parts = vec![(0, commands.len())];
    while let Some((from, to)) = parts.pop() {
        if from == to {
            continue;
        }
        let batch = &commands[from..to];
        let running = async { crate::write!(db, actor, |tx| run(tx, batch).await) };
        match crate::unwind::caught(running).await {
            Ok(done) if done.len() == batch.len() => {
                for (slot, outcome) in outcomes[from..to].iter_mut().zip(done) {
                    *slot = Some(Ok(outcome));
                }
            }
            Ok(done) => {
                let wrong = Arc::new(format!("{} outcomes for {} commands", done.len(), batch.len()));
                for slot in &mut outcomes[from..to] {
                    *slot = Some(Err(Fault::broken(wrong.as_str())));
                }
            }
            Err(fault) if batch.len() == 1 => outcomes[from] = Some(Err(fault)),
            Err(fault) => {
                tracing::warn!(%fault, size = batch.len(), "a batch failed and is halved");
                let middle = from + (to - from) / 2;
                parts.push((from, middle));
                parts.push((middle, to));
            }
        }
    }
    outcomes
        .into_iter()
        .map(|o| o.unwrap_or_else(|| Err(Fault::broken("a command without outcome"))))
        .collect()
}
