//! `fulmar import …`: history and orders of other systems. Invariant: whatever the outcome, it is said what was taken, what was not, and
//! where the rest was written.

use super::{Out, table};
use crate::Failure;
use channels::import::{self, Counts, ImportFailed, Options, Outcome, Progress, Summary};
use channels::sheet::BadFile;
use clap::{Args, Subcommand};
use db::Ctx;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kernel::{Currency, Money};
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

/// What can be imported.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// The Olist marketplace data set: a folder with its nine CSV files
    Olist {
        /// The folder
        folder: PathBuf,
        /// Where rejected rows go
        #[command(flatten)]
        to: To,
    },
    /// The UCI "Online Retail" invoice lines, CSV or gzip
    OnlineRetail {
        /// The file
        file: PathBuf,
        /// What goods cost, in percent of their average price: the file does not say
        #[arg(long, value_name = "N", default_value_t = 0)]
        cost_percent: u32,
        /// Where rejected rows go
        #[command(flatten)]
        to: To,
    },
    /// Your own orders, in the CSV format that docs/importing.md describes
    Orders {
        /// The file
        file: PathBuf,
        /// Where rejected rows go
        #[command(flatten)]
        to: To,
    },
}

/// Where what cannot be taken goes.
#[derive(Debug, Args)]
pub struct To {
    /// Folder for the rejected rows; without it beside the file, or here where that cannot be written
    #[arg(long, value_name = "DIR")]
    rejected: Option<PathBuf>,
}

/// A summary with the time it took.
#[derive(Serialize)]
struct Timed<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    seconds: f64,
    orders_per_second: f64,
}

/// Runs an import.
///
/// # Errors
/// A file that cannot be read, an import that may not be done, faults of the database.
pub async fn run(ctx: &Ctx, what: Import, out: Out) -> Result<(), Failure> {
    // Hidden by itself where standard error is no terminal.
    let target = if out.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    if let Ok(style) = ProgressStyle::with_template("{msg:>14} [{bar:40}] {percent:>3} %  {prefix}  {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let watch = |progress: &Progress| {
        bar.set_length(progress.chunks as u64);
        bar.set_position(progress.chunk as u64);
        bar.set_message(progress.stage);
        bar.set_prefix(format!("{} of {} orders", progress.orders, progress.orders_of));
        ControlFlow::Continue(())
    };
    let start = Instant::now();
    let done = match what {
        Import::Olist { folder, to } => {
            import::olist(&ctx.db, &folder, &Options { rejected: to.rejected, cost_percent: 0 }, watch).await
        }
        Import::OnlineRetail { file, cost_percent, to } => {
            import::online_retail(&ctx.db, &file, &Options { rejected: to.rejected, cost_percent }, watch)
                .await
        }
        Import::Orders { file, to } => {
            import::orders_csv(&ctx.db, &file, &Options { rejected: to.rejected, cost_percent: 0 }, watch)
                .await
        }
    };
    bar.finish_and_clear();
    let summary = done.map_err(failure)?;
    let seconds = start.elapsed().as_secs_f64();
    let orders_per_second = if seconds > 0.0 { summary.counts.orders as f64 / seconds } else { 0.0 };
    let timed = Timed { summary: &summary, seconds, orders_per_second };
    out.result(&timed, || text(&timed))
}

fn failure(failed: ImportFailed) -> Failure {
    match failed {
        ImportFailed::File(BadFile::Io { .. }) => Failure::Usage(failed.to_string()),
        ImportFailed::File(_) | ImportFailed::Stopped => Failure::Refused(failed.to_string()),
        ImportFailed::Refused(refused) => Failure::refused(&refused),
        ImportFailed::Fault(fault) => Failure::Fault(fault),
    }
}

fn text(timed: &Timed<'_>) -> String {
    let summary = timed.summary;
    let mut text = match summary.outcome {
        Outcome::Imported => {
            format!("Imported in {:.1} s ({:.0} orders/s).\n", timed.seconds, timed.orders_per_second)
        }
        Outcome::Resumed => format!("Went on where an earlier import had stopped, {:.1} s.\n", timed.seconds),
        Outcome::Unchanged => "These files were imported before; nothing was changed.\n".to_owned(),
    };
    text.push('\n');
    text.push_str(&booked(&summary.counts, summary.currency));
    text.push('\n');
    text.push_str(&files(summary));
    for c in &summary.control {
        let money = |minor| Money::new(minor, c.currency).to_string();
        text.push_str(&format!(
            "\nControl total {}: {} = {} charged − {} cancelled − {} returned + {} outside of orders\n",
            c.source,
            money(c.total_minor),
            money(c.charged),
            money(c.cancelled),
            money(c.returned),
            money(c.adjusted)
        ));
    }
    for refused in summary.counts.refused.iter().take(20) {
        text.push_str(&format!("\nRefused {}: {}\n", refused.reference, refused.reason));
    }
    for remark in &summary.remarks {
        text.push_str(&format!("\n{remark}\n"));
    }
    text
}

fn booked(counts: &Counts, currency: Option<Currency>) -> String {
    let money = |minor| currency.map_or_else(String::new, |c| Money::new(minor, c).to_string());
    let lines = [
        ("SKUs", counts.skus as i64, String::new()),
        ("suppliers", counts.suppliers as i64, String::new()),
        ("customers", counts.customers as i64, String::new()),
        ("units of opening stock", counts.units_received, String::new()),
        ("orders", counts.orders as i64, money(counts.charged)),
        ("orders that were there", counts.orders_known as i64, String::new()),
        ("orders waiting for stock", counts.orders_waiting as i64, String::new()),
        ("payments", counts.payments as i64, money(counts.captured)),
        ("parcels shipped", counts.parcels as i64, String::new()),
        ("orders cancelled", counts.cancelled as i64, String::new()),
        ("returns", counts.returns as i64, money(counts.refunded)),
        ("units returned", counts.units_returned, String::new()),
        ("changes of stock", counts.stock_changes as i64, String::new()),
        ("outside of orders", counts.adjustments as i64, money(counts.adjusted)),
        ("reviews", counts.reviews as i64, String::new()),
        ("notes", counts.notes as i64, String::new()),
        ("refused", counts.refused.len() as i64, String::new()),
    ];
    let rows = lines.into_iter().filter(|(name, n, _)| *n != 0 || *name == "orders");
    let rows: Vec<Vec<String>> =
        rows.map(|(name, n, money)| vec![name.to_owned(), n.to_string(), money]).collect();
    table(&["booked", "number", "amount"], &[1, 2], &rows)
}

fn files(summary: &Summary) -> String {
    let row = |file: &import::FileReport| {
        let to = file.rejected_to.as_ref().map_or_else(String::new, |path| path.display().to_string());
        vec![file.file.clone(), file.read.to_string(), file.taken.to_string(), file.rejected.to_string(), to]
    };
    let rows: Vec<Vec<String>> = summary.files.iter().map(row).collect();
    table(&["file", "read", "taken", "rejected", "written to"], &[1, 2, 3], &rows)
}
