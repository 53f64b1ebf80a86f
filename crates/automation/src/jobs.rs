//! Background jobs as people see them: what waits, runs, failed or is parked; trying again and parking by hand.
//!
//! Invariant: a job that a worker holds is left alone; a parked one keeps its error until it is tried again.

use db::{FromRow, Rows, Sql, Tx, Value};
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

kernel::id!(JobRef, "job", "A background job.");

/// A job.
#[derive(Debug, Clone, FromRow)]
pub struct JobRow {
    /// Its id.
    pub id: JobRef,
    /// As `payments.call_gateway`.
    pub name: String,
    /// Its data, JSON.
    pub payload: String,
    /// When it runs next.
    pub run_at: Timestamp,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// How often it was begun.
    pub attempts: i64,
    /// Until when a worker holds it.
    pub locked_until: Option<Timestamp>,
    /// Too many failures, or a person: it waits to be tried again.
    pub parked: bool,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl JobRow {
    /// How far it is, in a word.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match (self.parked, self.locked_until.is_some_and(|at| at > now), &self.error) {
            (true, ..) => "dead",
            (_, true, _) => "running",
            (.., Some(_)) => "retrying",
            _ => "waiting",
        }
    }
}

/// Timed work that runs again.
#[derive(Debug, Clone, FromRow)]
pub struct TimerRow {
    /// As `payments.ask_unknown`.
    pub name: String,
    /// When it is due.
    pub next_at: Timestamp,
}

/// A job was tried again or parked by hand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobMoved {
    /// Its name.
    pub name: String,
    /// `retry` or `park`.
    pub to: String,
}
kernel::fact!(JobMoved, "job.moved");

kernel::refusals! {
    /// Why a job is left as it is.
    pub enum MoveRefused {
        Unknown { job: JobRef } => NotFound, "automation.unknown_job", "There is no job {job}; it may be done by now.";
        Running { job: JobRef } => Conflict, "automation.job_running", "Job {job} is running. Wait until it ends.";
    }
}

/// What is to be done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// Runs it at once, with all its attempts.
    Retry,
    /// Keeps it from running.
    Park,
}

const COLUMNS: &str =
    "j.id, j.name, j.payload, j.run_at, j.created_at, j.attempts, j.locked_until, j.parked, j.error";

/// Jobs, parked ones or those that wait, by when they run; after the one last seen.
///
/// # Errors
/// A fault of the database.
pub async fn list(
    sql: &Sql,
    parked: bool,
    after: Option<(Timestamp, JobRef)>,
    limit: i64,
) -> Result<Vec<JobRow>, Fault> {
    let which = if parked { "j.parked" } else { "NOT j.parked" };
    let mut values: Vec<Value> = vec![limit.into()];
    let mut text = format!("SELECT {COLUMNS} FROM job j WHERE {which}");
    if let Some((at, id)) = after {
        values.extend([at.into(), id.into()]);
        text += " AND (j.run_at, j.id) > ($2, $3)";
    }
    text += " ORDER BY j.run_at, j.id LIMIT $1";
    sql.all(&text, values).await
}

/// How many jobs wait, and how many are parked.
///
/// # Errors
/// A fault of the database.
pub async fn counts(sql: &Sql) -> Result<(i64, i64), Fault> {
    let count = |text: &'static str| sql.scalar::<i64>(text, []);
    let waiting = count("SELECT COUNT(*) FROM job WHERE NOT parked").await?;
    let parked = count("SELECT COUNT(*) FROM job WHERE parked").await?;
    Ok((waiting.unwrap_or(0), parked.unwrap_or(0)))
}

/// Timed work, the next first.
///
/// # Errors
/// A fault of the database.
pub async fn timers(sql: &Sql) -> Result<Vec<TimerRow>, Fault> {
    sql.all("SELECT name, next_at FROM timer ORDER BY next_at, name LIMIT 200", []).await
}

/// Moves jobs: one outcome per job, in order.
///
/// # Errors
/// A fault of the database.
pub async fn move_jobs(tx: &Tx, batch: &[JobRef], to: Move) -> Result<Vec<Result<(), MoveRefused>>, Fault> {
    let mut wanted = Rows::new("id BIGINT");
    for id in batch.iter().collect::<std::collections::BTreeSet<_>>() {
        wanted.push([(*id).into()]);
    }
    let text = format!(
        "SELECT {COLUMNS} FROM job j JOIN input ON input.id = j.id ORDER BY j.id /*pg FOR UPDATE OF j */"
    );
    let found: Vec<JobRow> = tx.all_from(&wanted, &text, []).await?;
    let found: HashMap<JobRef, JobRow> = found.into_iter().map(|j| (j.id, j)).collect();
    let mut free = Rows::new("id BIGINT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for job in batch {
        outcomes.push(match found.get(job) {
            None => Err(MoveRefused::Unknown { job: *job }),
            Some(row) if row.locked_until.is_some_and(|at| at > tx.now()) => {
                Err(MoveRefused::Running { job: *job })
            }
            Some(row) => {
                free.push([(*job).into()]);
                let word = if to == Move::Retry { "retry" } else { "park" };
                tx.record(tx.now(), *job, None, JobMoved { name: row.name.clone(), to: word.to_owned() })?;
                Ok(())
            }
        });
    }
    match to {
        Move::Retry => {
            let text = "UPDATE job SET parked = FALSE, attempts = 0, locked_until = NULL, run_at = $1 WHERE id IN (SELECT id FROM input)";
            tx.exec_from(&free, text, [tx.now().into()]).await?;
        }
        Move::Park => {
            tx.exec_from(&free, "UPDATE job SET parked = TRUE WHERE id IN (SELECT id FROM input)", [])
                .await?;
        }
    }
    Ok(outcomes)
}
