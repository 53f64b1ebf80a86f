//! Background jobs: rows written in the transaction that wants them, claimed by any worker, retried with back-off, parked after too many
//! failures, and visible all the while. A worker that dies leaves a claim that expires.

use crate::FromRow;
use crate::open::Backend;
use crate::{BoxFuture, Db, Rows, Timer, Tx};
use kernel::outside::Outside;
use kernel::{Actor, Fault, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

kernel::id!(JobId, "job", "A background job.");

/// How long a claim holds before another worker may take the job.
const CLAIM: i64 = 2 * Timestamp::MINUTE;
/// Jobs of one claim: few enough that slow ones (15 s of an outside party that does not answer) end within it.
const CLAIM_SIZE: i64 = 6;
/// The least time between two looks for work: with a look after each commit, two thirds of all transactions under load were claims of
/// single jobs.
const PACE: Duration = Duration::from_millis(100);

/// Things that listeners and jobs need beside the database (registries of gateways and carriers, the mail transport), by type.
#[derive(Clone, Default)]
pub struct Parts(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);
impl Parts {
    /// Adds a part.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, part: T) -> Self {
        self.0.insert(TypeId::of::<T>(), Arc::new(part));
        self
    }
    /// The part of a type.
    ///
    /// # Errors
    /// A fault when the program was put together without it.
    pub fn get<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, Fault> {
        self.0
            .get(&TypeId::of::<T>())
            .and_then(|p| Arc::clone(p).downcast::<T>().ok())
            .ok_or_else(|| Fault::broken(format!("the program has no {}", std::any::type_name::<T>())))
    }
}

/// What background work runs with.
#[derive(Clone)]
pub struct Ctx {
    /// The database.
    pub db: Db,
    /// The executor of outside calls.
    pub outside: Arc<dyn Outside>,
    /// The registries.
    pub parts: Parts,
}

/// A job: its data, and how it is run.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// As `payments.call_gateway`.
    const NAME: &'static str;
    /// Failures after which it is parked.
    const ATTEMPTS: i64 = 8;
    /// Does the work; may run more than once.
    fn run(&self, ctx: Ctx) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A kind of job in the list of the program: `JobKind::of::<CallGateway>()`.
#[derive(Clone, Copy)]
pub struct JobKind {
    /// The job's name.
    pub name: &'static str,
    attempts: i64,
    run: fn(Ctx, String) -> BoxFuture<'static, Result<(), Fault>>,
}
impl JobKind {
    /// The kind of a job type.
    pub const fn of<J: Job>() -> Self {
        Self {
            name: J::NAME,
            attempts: J::ATTEMPTS,
            run: |ctx, payload| {
                Box::pin(async move {
                    let job: J = serde_json::from_str(&payload)?;
                    job.run(ctx).await
                })
            },
        }
    }
}

impl Tx {
    /// Enqueues jobs in this transaction, to run at `at` or later. A job with a `dedup` key that is already waiting is not enqueued again.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn enqueue<J: Job>(&self, at: Timestamp, jobs: &[(J, Option<String>)]) -> Result<(), Fault> {
        let mut rows =
            Rows::new("id BIGINT, name TEXT, payload TEXT, dedup TEXT?, run_at BIGINT, created_at BIGINT");
        for (job, dedup) in jobs {
            rows.push([
                self.id::<JobId>().into(),
                J::NAME.into(),
                serde_json::to_string(job)?.into(),
                dedup.clone().into(),
                at.into(),
                self.now().into(),
            ]);
        }
        if !rows.is_empty() {
            self.wake_workers();
            self.exec_from(
                &rows,
                "INSERT INTO job (id, name, payload, dedup, run_at, created_at) \
                 SELECT id, name, payload, dedup, run_at, created_at FROM input WHERE TRUE ON CONFLICT (dedup) DO NOTHING",
                [],
            )
            .await?;
        }
        Ok(())
    }
}

#[derive(FromRow)]
struct Claimed {
    id: JobId,
    name: String,
    payload: String,
    attempts: i64,
    dedup: Option<String>,
}

/// Runs what is due, once: timers, the dispatch of events, jobs. How many jobs ran. Tests drain with it; the worker loops over it.
///
/// # Errors
/// A fault of the database; the faults of jobs are kept with the jobs.
pub async fn work_once(ctx: &Ctx, kinds: &[JobKind], timers: &[Timer]) -> Result<usize, Fault> {
    crate::timers::run_due(ctx, timers).await?;
    crate::dispatch_pending(&ctx.db).await?;
    let actor = Actor::system("jobs");
    let now = ctx.db.now();
    let lock = match ctx.db.backend() {
        Backend::Postgres => "FOR UPDATE SKIP LOCKED",
        Backend::Sqlite => "",
    };
    let text = format!(
        "UPDATE job SET locked_until = $1, attempts = attempts + 1 WHERE id IN (SELECT id FROM job WHERE run_at <= $2 \
         AND NOT parked AND (locked_until IS NULL OR locked_until < $2) ORDER BY run_at, id LIMIT $3 {lock}) \
         RETURNING id, name, payload, attempts, dedup"
    );
    let due: Option<i64> = ctx
        .db
        .read()
        .scalar("SELECT id FROM job WHERE run_at <= $1 AND NOT parked LIMIT 1", [now.into()])
        .await?;
    if due.is_none() {
        return Ok(0);
    }
    let mut claimed: Vec<Claimed> = crate::write!(ctx.db, &actor, |tx| tx
        .all(&text, [now.plus(CLAIM).into(), now.into(), CLAIM_SIZE.into()])
        .await)?;
    claimed.sort_by_key(|c| c.id);
    let count = claimed.len();
    let mut done = Rows::new("id BIGINT");
    for job in claimed {
        // While a job with a key is there, no other with it is taken: it goes at once. The others go together; should the program end
        // before, they run again, as any job may.
        let (id, alone) = (job.id, job.dedup.is_some());
        if run_one(ctx, kinds, job).await? {
            done.push([id.into()]);
        }
        if alone {
            remove(ctx, std::mem::replace(&mut done, Rows::new("id BIGINT"))).await?;
        }
    }
    remove(ctx, done).await?;
    Ok(count)
}

/// Removes jobs that are done.
async fn remove(ctx: &Ctx, done: Rows) -> Result<(), Fault> {
    if !done.is_empty() {
        let text = "DELETE FROM job WHERE id IN (SELECT id FROM input)";
        crate::write!(ctx.db, &Actor::system("jobs"), |tx| tx.exec_from(&done, text, []).await)?;
    }
    Ok(())
}

/// Runs a job; whether it is done. One that failed is put back.
async fn run_one(ctx: &Ctx, kinds: &[JobKind], job: Claimed) -> Result<bool, Fault> {
    let tell = JobKind::of::<crate::dispatch::Tell>();
    let kind = kinds.iter().chain([&tell]).find(|k| k.name == job.name);
    let outcome = match kind {
        Some(kind) => crate::unwind::caught((kind.run)(ctx.clone(), job.payload.clone())).await,
        None => Err(Fault::broken(format!("this program knows no job “{}”", job.name))),
    };
    let actor = Actor::system("jobs");
    let now = ctx.db.now();
    match outcome {
        Ok(()) => {
            metrics::counter!("fulmar_jobs_done_total", "job" => job.name).increment(1);
            return Ok(true);
        }
        Err(fault) => {
            let parked = job.attempts >= kind.map_or(8, |k| k.attempts);
            metrics::counter!("fulmar_jobs_failed_total", "job" => job.name.clone()).increment(1);
            tracing::warn!(job = %job.id, name = job.name, attempt = job.attempts, parked, %fault, "job failed");
            let again = now.plus(Timestamp::SECOND * (1 << job.attempts.clamp(0, 12)));
            let text =
                "UPDATE job SET locked_until = NULL, run_at = $1, parked = $2, error = $3 WHERE id = $4";
            crate::write!(ctx.db, &actor, |tx| {
                tx.exec(text, [again.into(), parked.into(), fault.to_string().into(), job.id.into()]).await
            })?;
        }
    }
    Ok(false)
}

/// Works until told to stop: woken by commits of this process, and by the clock for those of others.
pub async fn work_until(
    ctx: Ctx,
    kinds: &'static [JobKind],
    timers: &'static [Timer],
    mut stop: tokio::sync::watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        let worked = crate::unwind::caught(work_once(&ctx, kinds, timers)).await;
        let pause = match worked {
            // There is more than one claim.
            Ok(n) if i64::try_from(n).is_ok_and(|n| n >= CLAIM_SIZE) => continue,
            Ok(0) => Duration::from_millis(1000),
            Ok(_) => Duration::ZERO,
            Err(fault) => {
                tracing::error!(%fault, "background work failed");
                Duration::from_secs(2)
            }
        };
        // What is left to do by one command is done with that of those beside it.
        tokio::time::sleep(PACE).await;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = ctx.db.shared.wake.notified() => {}
            _ = stop.changed() => {}
        }
    }
}
