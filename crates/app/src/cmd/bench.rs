//! `fulmar bench`, and `fulmar bench plan` for the planner's decisions.

use super::{Out, key, table};
use crate::{Failure, program, slices, verify};
use bench::{Key, Options, Program, Row, Where, Workload};
use clap::ValueEnum;
use db::Db;
use kernel::Fault;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true)]
pub struct Args {
    /// What else than loads
    #[command(subcommand)]
    other: Option<Other>,
    /// What to measure; everything when left out
    #[arg(value_enum, value_name = "WORKLOAD")]
    workloads: Vec<Which>,
    /// A PostgreSQL server to measure on as well; each run has schemas of its own there
    #[arg(long, env = "FULMAR_BENCH_POSTGRES", value_name = "URL")]
    postgres: Option<String>,
    /// Leave the embedded SQLite out
    #[arg(long)]
    no_sqlite: bool,
    /// Folder for the files of SQLite
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Concurrent clients over HTTP
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,128", value_parser = at_least(1))]
    clients: Vec<usize>,
    /// Orders of a round; a single client does fewer, and fewer whole lives
    #[arg(long, default_value_t = 10_000, value_parser = at_least(256))]
    orders: usize,
    /// Sizes of the database for reading, in orders
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    sizes: Vec<u64>,
    /// Measure reading, verify and backup on this database as it is, with an API key that is revoked afterwards
    #[arg(long, value_name = "URL", conflicts_with_all = ["workloads", "postgres", "no_sqlite", "sizes"])]
    on: Option<String>,
    /// Leave the databases that were filled for reading, and say where they are
    #[arg(long)]
    keep: bool,
    /// Folder with the real data sets; without it they are left out
    #[arg(long, env = "FULMAR_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A number that leaves something to measure.
fn at_least(least: u64) -> clap::builder::RangedU64ValueParser<usize> {
    clap::builder::RangedU64ValueParser::new().range(least..)
}

#[derive(Debug, clap::Subcommand)]
enum Other {
    /// Compare the planner's decisions with best known values and with peer rules
    Plan(PlanArgs),
}

/// Arguments of `fulmar bench plan`.
#[derive(Debug, clap::Args)]
struct PlanArgs {
    /// sourcing, waves, batching, pick_tours, cartons, container_fill, parcel_plan, routes, demand, promise or risk; all when left out
    decision: Option<String>,
    /// Folder with the instances
    #[arg(long, env = "FULMAR_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Seconds for each instance, instead of each decision's own
    #[arg(long)]
    seconds: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// Paid orders of two lines over 10,000 SKUs
    Place,
    /// Orders that all want one SKU of which there is too little
    PlaceHot,
    /// Place, capture, release, pick, pack, label, ship, deliver
    Lifecycle,
    /// The same, and then return, receive, inspect, refund
    Return,
    /// Both real data sets, through the whole life cycle
    Import,
    /// Lists, searches, details, verify, backup, memory and start-up on databases of growing size
    Read,
}

impl Which {
    fn workload(self) -> Workload {
        match self {
            Self::Place => Workload::Place,
            Self::PlaceHot => Workload::PlaceHot,
            Self::Lifecycle => Workload::Lifecycle,
            Self::Return => Workload::Return,
            Self::Import => Workload::Import,
            Self::Read => Workload::Read,
        }
    }
}

/// Measures.
///
/// # Errors
/// Whatever was not done right.
pub async fn run(args: &Args, out: Out) -> Result<(), Failure> {
    match &args.other {
        Some(Other::Plan(plan)) => plan_figures(plan, out),
        None => loads(args, out).await,
    }
}

fn plan_figures(args: &PlanArgs, out: Out) -> Result<(), Failure> {
    let (mut to, mut notes) = (std::io::stdout().lock(), std::io::stderr().lock());
    let data = args.data.as_deref();
    planning::cli::bench(args.decision.as_deref(), data, out.json, args.seconds, &mut to, &mut notes)
        .map_err(|error| Failure::Usage(error.to_string()))
}

async fn loads(args: &Args, out: Out) -> Result<(), Failure> {
    let mut databases = Vec::new();
    if !args.no_sqlite {
        databases.push(Where::Sqlite(args.dir.clone().unwrap_or_else(std::env::temp_dir)));
    }
    databases.extend(args.postgres.clone().map(Where::Postgres));
    let all = || Which::value_variants().iter().filter(|w| **w != Which::Import || args.data.is_some());
    let workloads = match args.workloads.is_empty() {
        true => all().map(|w| w.workload()).collect(),
        false => args.workloads.iter().map(|w| w.workload()).collect(),
    };
    let options = Options {
        workloads,
        databases,
        clients: args.clients.clone(),
        orders: args.orders,
        sizes: args.sizes.clone(),
        data: args.data.clone(),
        there: args.on.clone(),
        keep: args.keep,
        quiet: out.json,
    };
    let program = Program {
        exe: std::env::current_exe()?,
        options: program::options,
        api_key: |db, scope| Box::pin(api_key(db, scope)),
        broken_laws: |db| Box::pin(broken_laws(db)),
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut printed = Ok(());
    let mut take = |row: Row| {
        if out.json && printed.is_ok() {
            printed = out.line(&row);
        }
        rows.push(row);
    };
    bench::run(&program, &options, &mut take).await?;
    printed?;
    if !out.json {
        let cells: Vec<Vec<String>> = rows.iter().map(Row::cells).collect();
        let mut text = table(&Row::HEAD, &(2..Row::HEAD.len() - 1).collect::<Vec<_>>(), &cells);
        let growth = bench::growth(&rows);
        if !growth.is_empty() {
            text.push_str(&format!(
                "\nHow cost grows with the orders in the database:\n{}\n",
                growth.join("\n")
            ));
        }
        super::write_out(text.as_bytes())?;
    }
    Ok(())
}

async fn api_key(db: Db, scope: &str) -> Result<Key, Fault> {
    let made = key::on(&db, "bench", vec![scope.to_owned()]).await;
    made.map(|made| Key { id: made.id.to_string(), secret: made.key })
        .map_err(|failure| Fault::broken(failure.to_string()))
}

async fn broken_laws(db: Db) -> Result<usize, Fault> {
    Ok(verify::verify(&db, &slices::laws()).await?.iter().filter(|verdict| !verdict.holds).count())
}
