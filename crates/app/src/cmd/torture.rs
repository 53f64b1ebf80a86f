//! `fulmar torture`: makes the world fail around the real program, and compares. Invariant: nothing that was asked for is skipped silently,
//! and anything wrong ends with exit code 1.

use super::{Out, table, write_out};
use crate::{Failure, program, slices};
use crash::{Database, Kind, Plan, Row, Stopped, Summary};
use kernel::Fault;
use std::time::{Duration, Instant};

/// What is to fail.
#[derive(Debug, clap::Subcommand)]
pub enum Torture {
    /// Kill the server or PostgreSQL or fill the disk while clients order, and compare what was acknowledged with what is there
    Crash(Crash),
    /// Simulate shops whose outside world fails, from a seed, and compare after every step with a model of what should be
    Sim(Sim),
}

/// Arguments of `fulmar torture sim`.
#[derive(Debug, clap::Args)]
pub struct Sim {
    /// Decides everything: the same seed and orders end the same way
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Orders that somebody wants
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    orders: u64,
    /// Orders of one world; each world has its own database and the next seed
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    per_world: u64,
    /// Worlds at the same time; as many as there are processors
    #[arg(long)]
    at_once: Option<usize>,
}

/// Arguments of `fulmar torture crash`.
#[derive(Debug, clap::Args)]
pub struct Crash {
    /// Rounds; of `all`, one in ten kills PostgreSQL and one in twenty fills the disk
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// sqlite, postgres (a throw-away cluster), or the URL of a database that may be thrown away
    #[arg(long, default_value = "sqlite", value_parser = database)]
    database: Database,
    /// Decides what clients do and when things fail; the machine decides the rest
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What fails
    #[arg(long, value_enum, default_value_t = What::All)]
    kind: What,
    /// Concurrent clients
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    clients: u32,
    /// Seconds that background work gets at the end to charge every card; 0 does not wait
    #[arg(long, default_value_t = 240)]
    patience: u64,
}

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// The server process
    Server,
    /// Every process of PostgreSQL
    Postgres,
    /// The disk under the database
    DiskFull,
    /// All that can fail with this database
    All,
}

fn database(text: &str) -> Result<Database, String> {
    match text {
        "sqlite" => Ok(Database::Sqlite),
        "postgres" => Ok(Database::Postgres),
        url if ["sqlite:", "postgres:", "postgresql:"].iter().any(|s| url.starts_with(s)) => {
            Ok(Database::Url(url.to_owned()))
        }
        other => Err(format!("“{other}” is neither sqlite nor postgres nor the URL of one")),
    }
}

/// Which kinds, and in how many rounds.
fn kinds(what: What, database: &Database, rounds: u32) -> Vec<(Kind, u32)> {
    let (some, few) = (rounds.div_ceil(10), rounds.div_ceil(20));
    match (what, database) {
        (What::Server, _) | (What::All, Database::Url(_)) => vec![(Kind::Server, rounds)],
        (What::Postgres, _) => vec![(Kind::Postgres, rounds)],
        (What::DiskFull, _) => vec![(Kind::DiskFull, rounds)],
        (What::All, Database::Sqlite) => {
            vec![(Kind::Server, rounds.saturating_sub(few).max(1)), (Kind::DiskFull, few)]
        }
        (What::All, Database::Postgres) => vec![
            (Kind::Server, rounds.saturating_sub(some + few).max(1)),
            (Kind::Postgres, some),
            (Kind::DiskFull, few),
        ],
    }
}

/// Runs it.
///
/// # Errors
/// A refusal when something was wrong, a usage failure when this machine cannot do what is asked, faults of the driver.
pub async fn run(torture: &Torture, out: Out) -> Result<(), Failure> {
    match torture {
        Torture::Crash(args) => crash(args, out).await,
        Torture::Sim(args) => simulate(args, out).await,
    }
}

async fn simulate(args: &Sim, out: Out) -> Result<(), Failure> {
    let program = sim::Program {
        options: program::options,
        jobs: slices::jobs,
        timers: slices::timers,
        laws: slices::laws,
    };
    let at_once = args.at_once.or_else(|| std::thread::available_parallelism().ok().map(usize::from));
    let plan = sim::Plan {
        seed: args.seed,
        orders: usize::try_from(args.orders).map_err(Fault::from)?,
        per_world: usize::try_from(args.per_world).map_err(Fault::from)?,
        at_once: at_once.unwrap_or(1),
    };
    // The worlds have runtimes of their own, on threads of their own.
    let running = tokio::task::spawn_blocking(move || {
        let started = Instant::now();
        let mut told = Duration::ZERO;
        sim::run(program, &plan, &mut |done| {
            if started.elapsed() >= told {
                told = started.elapsed() + Duration::from_secs(10);
                let rate = done.orders as f64 / started.elapsed().as_secs_f64().max(0.001);
                eprintln!(
                    "{} of {} orders in {} worlds, {} steps, {rate:.0} orders/s",
                    done.orders, plan.orders, done.worlds, done.steps
                );
            }
        })
    });
    let summary = running.await.map_err(Fault::from)?;
    if out.json {
        out.line(&summary)?;
    } else {
        let done = &summary.done;
        let rows = [
            vec!["worlds that held".to_owned(), done.worlds.to_string()],
            vec!["orders".to_owned(), done.orders.to_string()],
            vec!["taken".to_owned(), done.placed.to_string()],
            vec!["refused".to_owned(), done.refused.to_string()],
            vec!["steps".to_owned(), done.steps.to_string()],
            vec!["trace".to_owned(), summary.trace.clone()],
        ];
        write_out(table(&["in all", ""], &[1], &rows).as_bytes())?;
    }
    match summary.failure {
        None => Ok(()),
        Some(failure) => Err(Failure::Refused(format!(
            "the world of --seed {0} --orders {1} --per-world {1} breaks {2}: {3}\nThe shortest trace found:\n{4}",
            failure.seed,
            failure.orders,
            failure.law,
            failure.says,
            failure.trace.join("\n")
        ))),
    }
}

async fn crash(args: &Crash, out: Out) -> Result<(), Failure> {
    let plan = Plan {
        program: std::env::current_exe()?,
        database: args.database.clone(),
        kinds: kinds(args.kind, &args.database, args.rounds),
        seed: args.seed,
        clients: args.clients,
        patience: Duration::from_secs(args.patience),
    };
    if !out.json {
        write_out(head().as_bytes())?;
    }
    // A reader who went away does not end the run: the exit code still says what came of it.
    let mut unwritten = None;
    let mut tell = |row: &Row| unwritten = print(row, out).err().or(unwritten.take());
    let running = crash::run(&plan, &mut tell);
    // Interrupted, the run is dropped, and with it everything it started.
    let ended = tokio::select! {
        ended = running => ended,
        _ = tokio::signal::ctrl_c() => Err(Stopped::Failed("interrupted".to_owned())),
    };
    let summary = ended.map_err(|stopped| match stopped {
        Stopped::Cannot(why) => Failure::Usage(why),
        Stopped::Failed(why) => Failure::Fault(Fault::broken(why).while_doing("torture")),
    })?;
    if let Some(failure) = unwritten {
        return Err(failure);
    }
    report(&summary, out)
}

const HEAD: [&str; 15] = [
    "round",
    "kind",
    "database",
    "acknowledged",
    "orders",
    "retried",
    "problems",
    "lost",
    "duplicated",
    "changed",
    "partial",
    "absurd",
    "broken",
    "ready ms",
    "recovery ms",
];

fn head() -> String {
    format!("{}\n", HEAD.join("  "))
}

/// A row as it ends, under its column.
fn line(row: &Row) -> String {
    let ms = |took: Option<u64>| took.map_or("-".to_owned(), |ms| ms.to_string());
    let cells = [
        row.round.to_string(),
        row.kind.to_string(),
        row.database.to_owned(),
        row.acknowledged.to_string(),
        row.orders.to_string(),
        row.retried.to_string(),
        row.problems.to_string(),
        row.lost.to_string(),
        row.duplicated.to_string(),
        row.changed.to_string(),
        row.partial.to_string(),
        row.absurd.to_string(),
        row.broken.to_string(),
        ms(row.ready_ms),
        ms(row.recovery_ms),
    ];
    let padded = cells.iter().zip(HEAD).map(|(cell, head)| format!("{cell:>width$}", width = head.len()));
    let mut text = padded.collect::<Vec<_>>().join("  ");
    if let Some(how) = &row.how {
        text.push_str(&format!("  ({how})"));
    }
    for violation in &row.violations {
        text.push_str(&format!("\n  {:?} {}: {}", violation.sort, violation.tag, violation.says));
    }
    text.push('\n');
    text
}

fn print(row: &Row, out: Out) -> Result<(), Failure> {
    let text = match out.json {
        true => format!("{}\n", serde_json::to_string(row).map_err(Fault::from)?),
        false => line(row),
    };
    write_out(text.as_bytes())
}

fn report(summary: &Summary, out: Out) -> Result<(), Failure> {
    if !out.json {
        let settled = summary.settled_ms.map_or("not waited for".to_owned(), |ms| format!("{ms} ms"));
        let rows = [
            vec!["rounds".to_owned(), summary.rounds.to_string()],
            vec!["rounds with something wrong".to_owned(), summary.failed.to_string()],
            vec!["orders compared at the end".to_owned(), summary.compared.to_string()],
            vec!["open cards charged within".to_owned(), settled],
        ];
        let mut text = format!("\n{}", table(&["in all", ""], &[1], &rows));
        for violation in &summary.violations {
            text.push_str(&format!("{:?} {}: {}\n", violation.sort, violation.tag, violation.says));
        }
        write_out(text.as_bytes())?;
    }
    match summary.holds() {
        true => Ok(()),
        false => Err(Failure::Refused(format!(
            "something was wrong in {} of {} rounds, and {} things at the end",
            summary.failed,
            summary.rounds,
            summary.violations.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_what_can_fail_with_the_database() {
        assert_eq!(kinds(What::All, &Database::Sqlite, 100), [(Kind::Server, 95), (Kind::DiskFull, 5)]);
        assert_eq!(
            kinds(What::All, &Database::Postgres, 100),
            [(Kind::Server, 85), (Kind::Postgres, 10), (Kind::DiskFull, 5)]
        );
        assert_eq!(kinds(What::All, &Database::Url("sqlite:x".into()), 7), [(Kind::Server, 7)]);
        assert_eq!(kinds(What::All, &Database::Postgres, 1).len(), 3, "each kind at least once");
    }

    #[test]
    fn databases_are_told_apart() {
        assert_eq!(database("sqlite"), Ok(Database::Sqlite));
        assert_eq!(database("postgres://h/d"), Ok(Database::Url("postgres://h/d".into())));
        assert!(database("mysql://h").is_err());
    }
}
