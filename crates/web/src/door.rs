//! Doors: operations over HTTP whose calls share transactions. Calls of one operation and one caller that wait while a transaction runs
//! are the next one, through a [`db::Lane`]; each is idempotent by its key, as with [`command!`](crate::command!).
//!
//! Invariants: the answers are kept in the transaction of the changes; a refused call leaves no trace but its answer, and never fails
//! those beside it. An answer shows its subject as it is after the whole batch, which is when it becomes visible.

use crate::command::{self, Call, Reply};
use crate::{App, Caller, Key, Problem};
use db::answers::{Answer, Recall};
use db::{BoxFuture, Lane, Tx};
use kernel::{Actor, Fault, Refuse};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What came of one call: its answer, or why it is refused.
pub type Outcome = Result<Reply, Problem>;

/// One call of an operation.
pub trait Operation: Sized + Send + Sync + 'static {
    /// As `warehouse.pick`.
    const NAME: &'static str;
    /// Runs calls, set-based: one outcome per call, in order. What is refused must leave no trace.
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>>;
}

/// A call with what makes it idempotent.
struct Asked<O> {
    call: Call,
    actor: Actor,
    operation: O,
}

impl<O: Operation> db::Command for Asked<O> {
    type Outcome = Outcome;
    fn actor(&self) -> Actor {
        self.actor.clone()
    }
    fn run<'a>(tx: &'a Tx, batch: &'a [Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(answer(tx, batch))
    }
}

/// The lanes of operations, opened when they are first called.
#[derive(Default)]
pub(crate) struct Doors(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Doors {
    fn lane<O: Operation>(&self, app: &App) -> Result<Lane<Asked<O>>, Fault> {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || Arc::new(Lane::<Asked<O>>::new(O::NAME, &app.db)) as Arc<dyn Any + Send + Sync>;
        let lane = doors.entry(TypeId::of::<O>()).or_insert_with(open);
        let lane = lane.downcast_ref::<Lane<Asked<O>>>();
        lane.cloned().ok_or_else(|| Fault::broken(format!("the door of {} is another's", O::NAME)))
    }
}

impl App {
    /// Sends a call through the door of its operation and waits for its outcome, which is durable when it comes. `input` is what decides,
    /// beside the path, whether two calls with one key are the same.
    ///
    /// # Errors
    /// The refusal; `503` when too many wait; faults.
    pub async fn send<O: Operation>(
        &self,
        caller: &Caller,
        key: &Key,
        input: &impl serde::Serialize,
        operation: O,
    ) -> Outcome {
        let call = Call::new(caller, key, O::NAME, input)?;
        let lane = self.doors.lane::<O>(self)?;
        lane.send(Asked { call, actor: caller.actor.clone(), operation }).await??
    }
}

/// The outcomes of a batch: earlier answers where there are, one run for all others.
async fn answer<O: Operation>(tx: &Tx, batch: &[Asked<O>]) -> Result<Vec<Outcome>, Fault> {
    let mut outcomes: Vec<Option<Outcome>> = recalled(tx, batch).await?;
    // Calls that repeat an earlier one of the same batch follow it.
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut followers: Vec<(usize, usize)> = Vec::new();
    for (n, asked) in batch.iter().enumerate().filter(|(n, _)| outcomes[*n].is_none()).collect::<Vec<_>>() {
        let Some((key, hash)) = asked.call.asked() else { continue };
        let leader = *first.entry(key).or_insert(n);
        if leader != n {
            match batch[leader].call.asked().is_some_and(|(_, other)| other == hash) {
                true => followers.push((n, leader)),
                false => outcomes[n] = Some(Err(command::key_reused())),
            }
        }
    }
    let waits = |n: &usize| outcomes[*n].is_none() && !followers.iter().any(|(f, _)| f == n);
    let fresh: Vec<usize> = (0..batch.len()).filter(waits).collect();
    let calls: Vec<&O> = fresh.iter().map(|n| &batch[*n].operation).collect();
    let done = if calls.is_empty() { Vec::new() } else { O::run(tx, &calls).await? };
    if done.len() != fresh.len() {
        return Err(Fault::broken(format!("{}: {} outcomes for {} calls", O::NAME, done.len(), fresh.len())));
    }
    let mut answers = Vec::new();
    for (n, outcome) in fresh.into_iter().zip(done) {
        // What is kept is what is sent, word for word.
        outcomes[n] = Some(match (batch[n].call.asked(), outcome) {
            (Some((key, hash)), Ok(reply)) => {
                answers.push(reply.clone().kept(key, hash));
                Ok(reply)
            }
            (Some((key, hash)), Err(problem)) if problem.status().is_client_error() => {
                let refusal = Reply::refusal(&problem)?;
                answers.push(refusal.clone().kept(key, hash));
                Ok(refusal)
            }
            (_, outcome) => outcome,
        });
    }
    if let Some(scope) = batch.first().map(|asked| asked.call.scope()) {
        db::answers::remember(tx, scope, &answers).await?;
    }
    for (n, leader) in followers {
        outcomes[n] = outcomes[leader].clone().map(|o| o.map(Reply::again));
    }
    outcomes.into_iter().map(|o| o.ok_or_else(|| Fault::broken("a call without outcome"))).collect()
}

/// What is known of the keys of a batch, which is of one operation and one caller.
async fn recalled<O: Operation>(tx: &Tx, batch: &[Asked<O>]) -> Result<Vec<Option<Outcome>>, Fault> {
    let mut outcomes: Vec<Option<Outcome>> = batch.iter().map(|_| None).collect();
    let keyed: Vec<usize> = (0..batch.len()).filter(|n| batch[*n].call.asked().is_some()).collect();
    let asked: Vec<(&str, &str)> = keyed.iter().filter_map(|n| batch[*n].call.asked()).collect();
    let Some(scope) = batch.first().map(|asked| asked.call.scope()).filter(|_| !asked.is_empty()) else {
        return Ok(outcomes);
    };
    for (n, recall) in keyed.into_iter().zip(db::answers::recall(tx, scope, &asked).await?) {
        outcomes[n] = match recall {
            Recall::New => None,
            Recall::Other => Some(Err(command::key_reused())),
            Recall::Same { status, body } => Some(Ok(Reply::replayed(status, body)?)),
        };
    }
    Ok(outcomes)
}

impl Reply {
    /// This answer as it is kept under a key.
    pub(crate) fn kept(self, key: &str, hash: &str) -> Answer {
        let (status, body) = self.into_parts();
        Answer { key: key.to_owned(), hash: hash.to_owned(), status, body }
    }
}

/// The outcomes of a command as those of its calls: `answer` says what is sent for the `n`th, which went well.
///
/// # Errors
/// Faults of `answer`.
pub fn outcomes<T, R: Refuse>(
    done: Vec<Result<T, R>>,
    mut answer: impl FnMut(usize, T) -> Result<Reply, Fault>,
) -> Result<Vec<Outcome>, Fault> {
    let each = done.into_iter().enumerate().map(|(n, outcome)| match outcome {
        Ok(value) => Ok(Ok(answer(n, value)?)),
        Err(refused) => Ok(Err(Problem::refused(&refused))),
    });
    each.collect()
}
