//! `fulmar bench`: how fast it is, as anyone can measure it with one command. Every figure stands beside a floor measured in the same run
//! on the same machine and database: the same rows written by bare SQL. Invariant: a load that was not done right has no figure.

mod client;
mod floor;
mod import;
mod large;
mod life;
mod place;
mod read;
mod row;
mod server;
mod shop;
mod stage;

pub use row::{Row, growth};
pub use stage::Where;

use db::{BoxFuture, Clock, Db};
use kernel::Fault;
use stage::Stage;
use std::path::PathBuf;

/// What the program gives: how it is started, and how its database is opened with all that reacts and listens.
#[derive(Clone)]
pub struct Program {
    /// The binary.
    pub exe: PathBuf,
    /// Options of the database, by number of connections.
    pub options: fn(u32, Clock) -> db::Options,
    /// Makes an API key with a scope.
    pub api_key: fn(Db, &'static str) -> BoxFuture<'static, Result<Key, Fault>>,
    /// How many laws are broken.
    pub broken_laws: fn(Db) -> BoxFuture<'static, Result<usize, Fault>>,
}

/// An API key.
#[derive(Debug, Clone, Default)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// What is sent.
    pub secret: String,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Paid orders of two lines.
    Place,
    /// Orders that all want one SKU.
    PlaceHot,
    /// Whole lives.
    Lifecycle,
    /// Whole lives and the way back.
    Return,
    /// Both real data sets.
    Import,
    /// Reading, verifying and backing up at each of the sizes.
    Read,
}

/// How.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which.
    pub workloads: Vec<Workload>,
    /// On which databases.
    pub databases: Vec<Where>,
    /// With how many clients.
    pub clients: Vec<usize>,
    /// Orders of a round.
    pub orders: usize,
    /// Sizes of the database for reading.
    pub sizes: Vec<u64>,
    /// Where the real data sets are.
    pub data: Option<PathBuf>,
    /// A database that is there, to be read as it is; nothing else is measured then.
    pub there: Option<String>,
    /// Leave the databases that were read.
    pub keep: bool,
    /// Say nothing on the way.
    pub quiet: bool,
}

/// Measures, and gives each figure as soon as it is known.
///
/// # Errors
/// Faults, and whatever was not done right.
pub async fn run(
    program: &Program,
    options: &Options,
    out: &mut (dyn FnMut(Row) + Send),
) -> Result<(), Fault> {
    if let Some(url) = &options.there {
        let mut stage = Stage::there(program, url, options.quiet).await?;
        large::large(&mut stage, out).await?;
        read::read(&mut stage, out).await?;
        return stage.close().await;
    }
    for database in &options.databases {
        let writes = |w: &&Workload| !matches!(w, Workload::Import | Workload::Read);
        let writing: Vec<Workload> = options.workloads.iter().filter(writes).copied().collect();
        if !writing.is_empty() {
            let mut stage = Stage::open(program, database, options.quiet).await?;
            for workload in writing {
                write(&mut stage, workload, options, out).await?;
            }
            stage.verify().await?;
            stage.close().await?;
        }
        if options.workloads.contains(&Workload::Import) {
            let data = options.data.as_ref();
            let data =
                data.ok_or_else(|| Fault::broken("import needs the real data: name it with --data"))?;
            for which in ["olist", "online-retail"] {
                out(import::import(program, database, data, which, options.quiet).await?);
            }
        }
        if options.workloads.contains(&Workload::Read) {
            let mut stage = Stage::open(program, database, options.quiet).await?;
            for size in &options.sizes {
                if let Some(row) = large::fill(&mut stage, *size).await? {
                    out(row);
                }
                large::large(&mut stage, out).await?;
                read::read(&mut stage, out).await?;
                stage.rest()?;
            }
            if options.keep {
                stage.keep();
            }
            stage.close().await?;
        }
    }
    Ok(())
}

async fn write(
    stage: &mut Stage,
    workload: Workload,
    options: &Options,
    out: &mut (dyn FnMut(Row) + Send),
) -> Result<(), Fault> {
    match workload {
        Workload::Place => out(place::in_process(stage, options.orders).await?),
        Workload::Lifecycle => out(life::in_process(stage, options.orders / 4).await?),
        _ => {}
    }
    stage.serve().await?;
    for clients in &options.clients {
        // Fewer where each has to wait for the disk alone.
        let orders = options.orders.min(clients * options.orders / 8);
        match workload {
            Workload::Place => out(place::over_http(stage, *clients, orders).await?),
            Workload::PlaceHot => out(place::hot(stage, *clients, orders).await?),
            Workload::Lifecycle => out(life::over_http(stage, *clients, orders / 8, false).await?),
            Workload::Return => out(life::over_http(stage, *clients, orders / 8, true).await?),
            Workload::Import | Workload::Read => {}
        }
    }
    stage.rest()
}
