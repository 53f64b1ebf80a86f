//! One file per command of the command line; here they are told apart. Invariant: results go to stdout, everything else to stderr.

pub mod backup;
pub mod bench;
pub mod completions;
pub mod export;
pub mod import;
pub mod key;
pub mod migrate;
pub mod openapi;
pub mod plan;
pub mod report;
pub mod serve;
pub mod torture;
pub mod user;
pub mod verify;
pub mod work;

use crate::cli::{Cli, Command};
use crate::config::Config;
use crate::telemetry::Telemetry;
use crate::{Failure, program};
use db::Ctx;
use kernel::{Actor, Fault, Timestamp};
use serde::Serialize;
use std::io::Write;

/// Runs a command.
///
/// # Errors
/// What stopped it, with its exit code.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Completions { shell } => return completions::run(*shell),
        Command::Openapi => return openapi::run(),
        Command::Plan(args) => return plan::run(args),
        Command::Bench(args) => return bench::run(args, Out { json: cli.json }).await,
        Command::Torture(torture) => return torture::run(torture, Out { json: cli.json }).await,
        _ => {}
    }
    let config = Config::load(cli.config.as_deref())?;
    let serving = matches!(cli.command, Command::Serve(_) | Command::Work);
    let telemetry = Telemetry::start(&config, !serving)?;
    let out = Out { json: cli.json };
    let done = match cli.command {
        Command::Serve(args) => serve::run(&config, &args, out).await,
        Command::Work => work::run(&config).await,
        other => on_data(&config, other, out).await,
    };
    telemetry.stop().await;
    done
}

/// The commands that open the database, do one thing and close it.
async fn on_data(config: &Config, command: Command, out: Out) -> Result<(), Failure> {
    let ctx = program::open(config, db::Clock::System).await?;
    let done = match command {
        Command::Migrate => migrate::run(&ctx, config, out),
        Command::Verify => verify::run(&ctx, out).await,
        Command::Backup(args) => backup::backup(&ctx, &args, out).await,
        Command::Restore(args) => backup::restore(&ctx, &args, out).await,
        Command::Export(export) => export::run(&ctx, &export).await,
        Command::Import(what) => import::run(&ctx, what, out).await,
        Command::Report(report) => report::run(&ctx, &report, out).await,
        Command::User(user) => user::run(&ctx, user, out).await,
        Command::Key(key) => key::run(&ctx, key, out).await,
        // These were told apart before.
        Command::Serve(_)
        | Command::Work
        | Command::Completions { .. }
        | Command::Openapi
        | Command::Bench(_)
        | Command::Plan(_)
        | Command::Torture(_) => Ok(()),
    };
    close(ctx).await.and(done)
}

/// Gives the node number back and closes the database.
///
/// # Errors
/// A fault of the database.
pub async fn close(ctx: Ctx) -> Result<(), Failure> {
    let db = ctx.db.clone();
    drop(ctx);
    db.close().await.map_err(|f| Failure::Fault(f.while_doing("close the database")))
}

/// Who commands of the command line act as.
pub fn operator() -> Actor {
    Actor::system("cli").at("command line")
}

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    json: bool,
}

impl Out {
    /// Prints a result: as JSON, or as the text for people. A reader who went away (`| head`) is no error.
    ///
    /// # Errors
    /// A fault when the result does not serialise or cannot be written.
    pub fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let mut text = match self.json {
            true => serde_json::to_string_pretty(value).map_err(Fault::from)?,
            false => text(),
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        write_out(text.as_bytes())
    }
    /// Prints one result of several as a line of JSON.
    ///
    /// # Errors
    /// A fault when the result does not serialise or cannot be written.
    pub fn line(self, value: &impl Serialize) -> Result<(), Failure> {
        write_out(format!("{}\n", serde_json::to_string(value).map_err(Fault::from)?).as_bytes())
    }
}

/// Writes to stdout; a reader who went away is no error.
///
/// # Errors
/// A fault of the pipe or file.
pub fn write_out(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::from),
    }
}

/// Columns of text, padded; the columns in `right` are aligned to the right.
pub fn table(head: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
    let width = |i: usize| {
        rows.iter().map(|r| r[i].chars().count()).chain([head[i].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells
            .enumerate()
            .map(|(i, cell)| match right.contains(&i) {
                true => format!("{cell:>width$}", width = widths[i]),
                false => format!("{cell:<width$}", width = widths[i]),
            })
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let mut text = line(&mut head.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// A day (its start in UTC) or a moment, as an argument.
///
/// # Errors
/// A sentence for the command line.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).map_err(|_| {
        format!("“{text}” is neither a day such as 2026-11-01 nor a moment such as 2026-11-01T08:30:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align() {
        let rows = [vec!["a".into(), "1".into()], vec!["bcd".into(), "100".into()]];
        assert_eq!(table(&["who", "n"], &[1], &rows), "who    n\na      1\nbcd  100\n");
    }

    #[test]
    fn days_and_moments_read() {
        assert_eq!(moment("2026-11-01").unwrap().to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(moment("2026-11-01T08:30:00Z").unwrap().to_string(), "2026-11-01T08:30:00Z");
        assert!(moment("1.11.2026").is_err());
    }
}
