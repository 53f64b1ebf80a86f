//! The crash driver: concurrent clients take orders through their lives over HTTP while the server, PostgreSQL or the disk fails, round
//! after round. Invariant: what was acknowledged is kept here, apart from the program under test, and every round compares the two; a
//! failure that cannot be caused on this machine is an error with the way out, never a round that passes.

mod client;
mod disk;
mod http;
mod journey;
mod judge;
mod outage;
mod postgres;
mod round;
mod server;
mod shop;
mod site;

use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use judge::{Sort, Violation};

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The server process is killed with SIGKILL.
    Server,
    /// Every process of PostgreSQL is killed with SIGKILL.
    Postgres,
    /// The disk under the database is full.
    DiskFull,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Postgres => "postgres",
            Self::DiskFull => "disk-full",
        })
    }
}

/// Where the orders go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file in a temporary folder.
    Sqlite,
    /// A throw-away cluster, made and started here.
    Postgres,
    /// A database that is there: it must be one to throw away, for it keeps every order of the run.
    Url(String),
}

impl Database {
    /// For the table: a URL may hold a password.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Url(url) if url.starts_with("sqlite:") => "sqlite",
            Self::Url(_) => "postgres",
        }
    }
}

/// A run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The binary under test.
    pub program: PathBuf,
    /// Where the orders go.
    pub database: Database,
    /// What fails, and in how many rounds.
    pub kinds: Vec<(Kind, u32)>,
    /// Decides what clients do and when things fail (the machine decides the rest).
    pub seed: u64,
    /// Concurrent clients.
    pub clients: u32,
    /// How long background work may take at the end to charge every card; zero does not wait.
    pub patience: Duration,
}

/// What a round came to.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// From 1, over all kinds.
    pub round: u32,
    /// What failed.
    pub kind: Kind,
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// Commands answered with success.
    pub acknowledged: u64,
    /// Of these, orders placed.
    pub orders: u64,
    /// Requests sent again under their key, because no answer came or to compare with the first.
    pub retried: u64,
    /// Requests answered with a problem of the server's (5xx).
    pub problems: u64,
    /// Acknowledged facts that are gone.
    pub lost: u64,
    /// Things that are there more than once.
    pub duplicated: u64,
    /// Keys that gave another answer than the first time.
    pub changed: u64,
    /// Things that are there in part, or that nobody asked for.
    pub partial: u64,
    /// Answers that cannot be: a refusal without a reason, a failure that is no problem document.
    pub absurd: u64,
    /// Laws that `fulmar verify` found broken.
    pub broken: u64,
    /// From the start of what failed (or the end of what was in its way) until it was ready; of the server alone.
    pub ready_ms: Option<u64>,
    /// The same until the first order was acknowledged; none when that did not happen in time.
    pub recovery_ms: Option<u64>,
    /// How the failure was caused, where there is more than one way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// What was wrong, as sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
}

impl Row {
    /// Whether nothing was wrong.
    pub fn holds(&self) -> bool {
        self.violations.is_empty() && self.broken == 0 && self.recovery_ms.is_some()
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Rounds.
    pub rounds: u32,
    /// Rounds in which something was wrong.
    pub failed: u32,
    /// Orders that were there at the end and were each compared once more.
    pub compared: u64,
    /// What only the end showed: a card that was never charged, an order that went missing later.
    pub violations: Vec<Violation>,
    /// How long background work took at the end to charge the cards that were open; none when nobody waited.
    pub settled_ms: Option<u64>,
    /// Where the logs are, kept because something was wrong.
    pub kept: Vec<PathBuf>,
}

impl Summary {
    /// Whether nothing was wrong.
    pub fn holds(&self) -> bool {
        self.failed == 0 && self.violations.is_empty()
    }
}

/// Why a run ended without a result.
#[derive(Debug)]
pub enum Stopped {
    /// This machine cannot cause that failure; the sentence names the way out.
    Cannot(String),
    /// The driver itself could not go on.
    Failed(String),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cannot(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}
impl std::error::Error for Stopped {}

impl From<std::io::Error> for Stopped {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs a plan; `tell` gets every round as it ends. A process-wide TLS provider must be installed (no connection uses it).
///
/// # Errors
/// When a failure cannot be caused on this machine, or the driver cannot go on. What is wrong with the program under test is no error
/// but in the rows.
pub async fn run(plan: &Plan, tell: &mut (dyn FnMut(&Row) + Send)) -> Result<Summary, Stopped> {
    for (kind, _) in &plan.kinds {
        site::possible(&plan.database, *kind)?;
    }
    let mut summary = Summary::default();
    for (kind, rounds) in &plan.kinds {
        round::series(plan, *kind, *rounds, &mut summary, tell).await?;
    }
    Ok(summary)
}
