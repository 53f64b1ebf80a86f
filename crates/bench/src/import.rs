//! The workload `import`: both real data sets, through the whole life cycle, in process. Its floor is the database copying what came of it
//! in one piece.

use crate::row::Row;
use crate::stage::{Stage, Where};
use crate::{Program, server};
use channels::import::{self, ImportFailed, Options, Progress};
use db::{Clock, Db};
use kernel::Fault;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// Imports a data set into a database of its own.
///
/// # Errors
/// Faults; a file that cannot be read; a broken law.
pub async fn import(
    program: &Program,
    place: &Where,
    data: &Path,
    which: &str,
    quiet: bool,
) -> Result<Row, Fault> {
    let stage = Stage::empty(program, place, quiet).await?;
    let rejected = std::env::temp_dir().join(format!("fulmar-bench-{:08x}", rand::random::<u32>()));
    std::fs::create_dir_all(&rejected)?;
    let options = Options { rejected: Some(rejected.clone()), cost_percent: 0 };
    let watch = |_: &Progress| ControlFlow::Continue(());
    let began = Instant::now();
    let done = match which {
        "olist" => import::olist(&stage.db, &data.join("olist"), &options, watch).await,
        _ => {
            let file = data.join("online_retail/online_retail_to_2011-08.csv.gz");
            import::online_retail(&stage.db, &file, &options, watch).await
        }
    };
    let took = began.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&rejected)?;
    let summary = done.map_err(|failed| match failed {
        ImportFailed::Fault(fault) => fault,
        other => Fault::broken(other.to_string()),
    })?;
    stage.verify().await?;
    let orders = summary.counts.orders;
    let twin = Db::open(&stage.twin, (program.options)(2, Clock::System)).await?;
    twin.close().await?;
    let copied = crate::floor::copied(&stage.db, &stage.twin).await?;
    let mut row = Row::new(&format!("import {which}"), stage.name, None, orders, orders as f64 / took)
        .over_copied(orders as f64 / copied);
    row.rss_mb = Some(server::rss_mb("self")?);
    stage.close().await?;
    Ok(row)
}
