//! What a large database costs as a whole: filling it, proving it, backing it up, starting on it. Invariant: the orders come in through the
//! real batch commands; verify and backup are the program's own commands, in processes of their own.

use crate::place::batch_at;
use crate::row::Row;
use crate::server::{self, Ran};
use crate::stage::Stage;
use kernel::{Fault, Timestamp};
use std::time::{Duration, Instant};

/// Orders of one transaction of the generator.
const CHUNK: usize = orders::MAX_ORDERS;
/// Orders lie this far apart: a million of them in about a year.
const APART: i64 = 30_000_000;

/// Fills the database up to so many orders; how many were made in a second. Half of them are delivered.
///
/// # Errors
/// Faults; an order that was refused.
pub async fn fill(stage: &mut Stage, orders: u64) -> Result<Option<Row>, Fault> {
    let there = stage.orders().await?;
    let missing = usize::try_from(orders.saturating_sub(there))?;
    if missing == 0 {
        return Ok(None);
    }
    let series = stage.series("fill");
    let began = Instant::now();
    // The last one is placed now.
    let first = stage.db.now().0 - i64::try_from(missing)? * APART;
    for from in (0..missing).step_by(CHUNK) {
        let to = missing.min(from + CHUNK);
        let at = |n: usize| Timestamp(first + n as i64 * APART);
        let placed = batch_at(&stage.db, &series, from..to, &at).await?;
        crate::life::deliver(&stage.db, &placed[..placed.len() / 2], at(to)).await?;
        if (from / CHUNK).is_multiple_of(50) {
            let rate = from as f64 / began.elapsed().as_secs_f64();
            stage.progress(&format!("{} of {orders} orders, {rate:.0}/s", there + from as u64));
        }
    }
    let rate = missing as f64 / began.elapsed().as_secs_f64();
    stage.settle().await?;
    let mut row = Row::new("generate", stage.name, None, stage.orders().await?, rate);
    row.rss_mb = Some(server::rss_mb("self")?);
    row.cost = Some((1e6 / rate, "µs an order"));
    Ok(Some(row))
}

/// Verify, backup, and the idle server on this database.
///
/// # Errors
/// Faults; a broken law.
pub async fn large(stage: &mut Stage, out: &mut (dyn FnMut(Row) + Send)) -> Result<(), Fault> {
    let orders = stage.orders().await?;
    let row = |name: &str, ran: &Ran| {
        let mut row = Row::new(name, stage.name, None, orders, orders as f64 / ran.took.as_secs_f64());
        row.cpu_ms_each = Some(ran.cpu_seconds * 1000.0 / orders as f64);
        row.rss_mb = Some(ran.peak_mb);
        row.cost = Some((ran.took.as_secs_f64() * 1e6 / orders as f64, "µs an order"));
        row
    };
    let ran = stage.command(&["verify"]).await?;
    stage.progress(&format!("verify: {:.1} s, {:.0} MB", ran.took.as_secs_f64(), ran.peak_mb));
    out(row("verify", &ran));
    let file = stage.dir().join(format!("fulmar_bench_{:08x}.backup", rand::random::<u32>()));
    let ran = stage.command(&["backup", &file.display().to_string()]).await;
    let removed = std::fs::remove_file(&file);
    let ran = ran?;
    removed?;
    stage.progress(&format!("backup: {:.1} s, {:.0} MB", ran.took.as_secs_f64(), ran.peak_mb));
    out(row("backup", &ran));
    stage.serve().await?;
    // What it does at the start is over then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let server = stage.server()?;
    let seconds = server.start_up.as_secs_f64();
    let mut row = Row::new("start-up", stage.name, None, orders, 1.0 / seconds);
    row.p50_ms = Some(seconds * 1000.0);
    row.rss_mb = Some(server.rss_mb()?);
    row.cost = row.p50_ms.map(|ms| (ms, "ms"));
    stage.progress(&format!("start-up: {:.0} ms, {:.0} MB idle", seconds * 1000.0, server.rss_mb()?));
    out(row);
    Ok(())
}
