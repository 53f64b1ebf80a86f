//! The workloads that read, and what a large database costs: pages and API at 10 k, 100 k and 1 M orders, verify, backup, memory, start-up.
//! Invariant: the orders come in through the real batch commands.

use crate::client::{Client, Doing, drive};
use crate::place::batch_at;
use crate::row::Row;
use crate::stage::Stage;
use kernel::{Fault, Timestamp};
use std::sync::Arc;
use std::time::Instant;

/// Orders of one transaction of the generator.
const CHUNK: usize = 500;
/// Requests of each kind.
const REQUESTS: usize = 400;
/// Orders lie this far apart: a million of them in about a year.
const APART: i64 = 30_000_000;

/// Fills the database up to so many orders; how many were made in a second. Half of them are delivered.
///
/// # Errors
/// Faults; an order that was refused.
pub async fn fill(stage: &mut Stage, orders: u64) -> Result<Row, Fault> {
    let there = stage.orders().await?;
    let missing = usize::try_from(orders.saturating_sub(there))?;
    let series = stage.series("fill");
    let began = Instant::now();
    let first = stage.db.now().0 - i64::try_from(orders)? * APART;
    for from in (0..missing).step_by(CHUNK) {
        let to = missing.min(from + CHUNK);
        let at = |n: usize| Timestamp(first + (there as i64 + n as i64) * APART);
        let placed = batch_at(&stage.db, &series, from..to, &at).await?;
        crate::life::deliver(&stage.db, &placed[..placed.len() / 2], at(to)).await?;
        if (from / CHUNK).is_multiple_of(100) {
            stage.progress(&format!("{} of {orders} orders", there + from as u64));
        }
    }
    let rate = missing as f64 / began.elapsed().as_secs_f64();
    Ok(Row::new("generate", stage.name, None, stage.orders().await?, rate))
}

/// Requests of one kind, one after the other or at random.
struct Reading {
    paths: Vec<String>,
}

impl Doing for Reading {
    async fn once(&self, client: &mut Client, n: usize) -> Result<(), Fault> {
        client.get(&self.paths[n % self.paths.len()]).await.map(drop)
    }
}

/// Reads in every way, with one client: what it sees is the server's time.
///
/// # Errors
/// Faults; an answer that was not 200.
pub async fn read(stage: &mut Stage, out: &mut (dyn FnMut(Row) + Send)) -> Result<(), Fault> {
    let orders = stage.orders().await?;
    let mut kinds = vec![
        ("read list", vec!["/v1/orders?limit=50".to_owned()]),
        ("read page", vec!["/orders".to_owned()]),
    ];
    kinds.extend(with_samples(stage).await?);
    for (name, paths) in kinds {
        let server = stage.server()?;
        let before = server.cpu_seconds()?;
        let load = drive(server.address, &stage.key, 1, REQUESTS, Arc::new(Reading { paths })).await?;
        let mut row = Row::new(name, stage.name, Some(1), orders, load.rate());
        row.p50_ms = Some(load.quantile_ms(0.5));
        row.p99_ms = Some(load.quantile_ms(0.99));
        row.cpu_ms_each = Some((server.cpu_seconds()? - before) * 1000.0 / load.done as f64);
        row.rss_mb = Some(server.rss_mb()?);
        out(row);
    }
    Ok(())
}

#[derive(db::FromQueryResult)]
struct Sample {
    id: orders::OrderId,
    number: String,
    email: String,
    reference: String,
    placed_at: Timestamp,
}

/// Paths that name orders from all over the table.
async fn with_samples(stage: &Stage) -> Result<Vec<(&'static str, Vec<String>)>, Fault> {
    let span = "SELECT MIN(placed_at), MAX(placed_at) FROM orders";
    #[derive(db::FromQueryResult)]
    struct Span {
        first: i64,
        last: i64,
    }
    let text = span
        .replace("MIN(placed_at)", "MIN(placed_at) AS first")
        .replace("MAX(placed_at)", "MAX(placed_at) AS last");
    let span: Option<Span> = stage.db.read().one(&text, []).await?;
    let span = span.ok_or_else(|| Fault::broken("there are no orders to read"))?;
    let mut samples: Vec<Sample> = Vec::new();
    for n in 0..40 {
        let at = span.first + (span.last - span.first) / 41 * (n + 1);
        let text = "SELECT id, number, COALESCE(email, '') AS email, COALESCE(reference, '') AS reference, placed_at FROM orders \
                    WHERE placed_at >= $1 ORDER BY placed_at, id LIMIT 1";
        samples.extend(stage.db.read().one::<Sample>(text, [at.into()]).await?);
    }
    let of = |path: &dyn Fn(&Sample) -> String| samples.iter().map(path).collect::<Vec<_>>();
    Ok(vec![
        ("read detail", of(&|s| format!("/v1/orders/{}", s.id))),
        ("read detail page", of(&|s| format!("/orders/{}", s.id))),
        ("read deep", of(&|s| format!("/v1/orders?limit=50&placed_before={}", s.placed_at))),
        (
            "read filtered",
            of(&|s| {
                format!(
                    "/v1/orders?limit=50&fulfilment_status=delivered&channel=api&placed_before={}",
                    s.placed_at
                )
            }),
        ),
        ("read search number", of(&|s| format!("/v1/orders?search={}", s.number))),
        ("read search e-mail", of(&|s| format!("/v1/orders?search={}", s.email))),
        ("read search reference", of(&|s| format!("/v1/orders?search={}", s.reference))),
        (
            "read search SKU",
            vec!["/v1/orders?search=SKU-00042".to_owned(), "/v1/orders?search=SKU-09000".to_owned()],
        ),
        ("read search nothing", vec!["/v1/orders?search=nobody@nowhere.example".to_owned()]),
    ])
}

/// Verify, backup, and the idle server on this database.
///
/// # Errors
/// Faults; a broken law.
pub async fn large(stage: &mut Stage, out: &mut (dyn FnMut(Row) + Send)) -> Result<(), Fault> {
    let orders = stage.orders().await?;
    let began = Instant::now();
    stage.verify().await?;
    out(Row::new("verify", stage.name, None, orders, orders as f64 / began.elapsed().as_secs_f64()));
    let began = Instant::now();
    db::backup::backup(&stage.db, std::io::sink()).await?;
    out(Row::new("backup", stage.name, None, orders, orders as f64 / began.elapsed().as_secs_f64()));
    stage.serve().await?;
    let server = stage.server()?;
    let mut row = Row::new("start-up, idle", stage.name, None, orders, 1.0 / server.start_up.as_secs_f64());
    row.p50_ms = Some(server.start_up.as_secs_f64() * 1000.0);
    row.rss_mb = Some(server.rss_mb()?);
    out(row);
    Ok(())
}
