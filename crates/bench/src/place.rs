//! The workloads that place: paid orders of two lines, and orders that all want one SKU of which there is too little.

use crate::client::{Client, Doing, Load, drive};
use crate::floor::{Floors, Rows, counts};
use crate::row::{Row, median};
use crate::shop::{HOT, Lines, Wish};
use crate::stage::Stage;
use bytes::Bytes;
use db::Db;
use http::Method;
use kernel::{Actor, Fault, Timestamp};
use orders::Trust;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Rounds in which workload and floors alternate.
pub const ROUNDS: usize = 3;

/// Bodies ready to send.
struct Placing {
    series: String,
    bodies: Vec<Bytes>,
    refused: AtomicUsize,
    /// Whether there may be too little.
    hot: bool,
}

impl Placing {
    fn new(series: &str, n: usize, lines: Lines, now: Timestamp) -> Self {
        let body = |n| Bytes::from(Wish::of(series, n, lines).json(now, true).to_string());
        Self {
            series: series.to_owned(),
            bodies: (0..n).map(body).collect(),
            refused: AtomicUsize::new(0),
            hot: lines == Lines::Hot,
        }
    }
}

impl Doing for Placing {
    async fn once(&self, client: &mut Client, n: usize) -> Result<(), Fault> {
        let key = format!("{}-{n}", self.series);
        let answer = client.send(Method::POST, "/v1/orders", Some(&key), self.bodies[n].clone()).await?;
        match answer.status {
            409 if self.hot => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            _ => answer.expect(&[201], "POST /v1/orders").map(drop),
        }
    }
}

/// `place` over HTTP with so many clients, against its floors.
///
/// # Errors
/// Faults; an order that was not placed.
pub async fn over_http(stage: &mut Stage, clients: usize, orders: usize) -> Result<Row, Fault> {
    let (mut loads, mut cpu, mut floors, mut rss) = (Vec::new(), Vec::new(), Floors::default(), 0.0);
    for round in 0..ROUNDS {
        let series = stage.series("place");
        let before = counts(&stage.db).await?;
        let (load, cpu_ms) = http_round(stage, &series, clients, orders, Lines::Two).await?;
        rss = stage.server()?.rss_mb()?;
        let after = counts(&stage.db).await?;
        let rows = Rows::of(&stage.db, &series, &before, &after).await?;
        floors.measure(&stage.twin, rows, clients).await?;
        stage.progress(&format!("place, {clients} clients, round {}: {:.0}/s", round + 1, load.rate()));
        loads.push(load);
        cpu.push(cpu_ms);
    }
    let mut row = summary("place", stage, Some(clients), &loads, Some(&floors)).await?;
    row.cpu_ms_each = Some(median(cpu));
    row.rss_mb = Some(rss);
    Ok(row)
}

async fn http_round(
    stage: &Stage,
    series: &str,
    clients: usize,
    orders: usize,
    lines: Lines,
) -> Result<(Load, f64), Fault> {
    let doing = Arc::new(Placing::new(series, orders, lines, stage.db.now()));
    let server = stage.server()?;
    let cpu = server.cpu_seconds()?;
    let load = drive(server.address, &stage.key.secret, clients, orders, doing).await?;
    let cpu_ms = (server.cpu_seconds()? - cpu) * 1000.0 / load.done as f64;
    Ok((load, cpu_ms))
}

/// `place-hot` over HTTP: twice as many orders as there are units of the one SKU. Its ratio to `place` of the same clients, run in
/// turns, is printed beside it.
///
/// # Errors
/// Faults; one unit sold too many or too few.
pub async fn hot(stage: &mut Stage, clients: usize, orders: usize) -> Result<Row, Fault> {
    let (mut loads, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let there = stage.stock_hot(i64::try_from(orders / 2)?).await?;
        let series = stage.series("hot");
        let doing = Arc::new(Placing::new(&series, orders, Lines::Hot, stage.db.now()));
        let server = stage.server()?;
        let load = drive(server.address, &stage.key.secret, clients, orders, Arc::clone(&doing)).await?;
        let refused = doing.refused.load(Ordering::Relaxed);
        let sold = i64::try_from(load.done - refused)?;
        if sold != there {
            return Err(Fault::broken(format!("{there} units of {HOT} were there and {sold} were sold")));
        }
        let peer = stage.series("beside-hot");
        peers.push(http_round(stage, &peer, clients, orders, Lines::Two).await?.0.rate());
        stage.progress(&format!(
            "place-hot, {clients} clients: {:.0}/s, {sold} sold, {refused} refused",
            load.rate()
        ));
        loads.push(load);
    }
    let mut row = summary("place-hot", stage, Some(clients), &loads, None).await?;
    row.note = format!("{:.2} of place beside it", row.rate / median(peers));
    row.rss_mb = Some(stage.server()?.rss_mb()?);
    Ok(row)
}

/// `place` in process, in batches of the lane's size.
///
/// # Errors
/// Faults; an order that was not placed.
pub async fn in_process(stage: &mut Stage, orders: usize) -> Result<Row, Fault> {
    let (mut loads, mut floors) = (Vec::new(), Floors::default());
    for _ in 0..ROUNDS {
        let series = stage.series("inside");
        let before = counts(&stage.db).await?;
        let began = Instant::now();
        for from in (0..orders).step_by(crate::floor::GROUP) {
            batch(&stage.db, &series, from..orders.min(from + crate::floor::GROUP), Trust::Check).await?;
        }
        let load = Load { done: orders, took: began.elapsed(), micros: Vec::new() };
        let after = counts(&stage.db).await?;
        floors.measure(&stage.twin, Rows::of(&stage.db, &series, &before, &after).await?, 4).await?;
        stage.progress(&format!("place in process: {:.0}/s", load.rate()));
        loads.push(load);
    }
    summary("place", stage, None, &loads, Some(&floors)).await
}

/// Places some orders of a series in one transaction.
///
/// # Errors
/// Faults; an order that was not placed.
pub async fn batch(
    db: &Db,
    series: &str,
    range: std::ops::Range<usize>,
    trust: Trust,
) -> Result<Vec<orders::Placed>, Fault> {
    let now = db.now();
    let wishes: Vec<_> =
        range.map(|n| Wish::of(series, n, Lines::Two).place(now, trust)).collect::<Result<_, _>>()?;
    db::write!(db, &Actor::system("bench"), |tx| {
        orders::place(tx, &wishes)
            .await?
            .into_iter()
            .map(|outcome| outcome.map_err(crate::shop::refused))
            .collect()
    })
}

/// Places paid orders of history in one transaction, each at its time.
///
/// # Errors
/// Faults; an order that was not placed.
pub async fn batch_at(
    db: &Db,
    series: &str,
    range: std::ops::Range<usize>,
    at: &dyn Fn(usize) -> Timestamp,
) -> Result<Vec<orders::Placed>, Fault> {
    // As an import: history is announced to nobody.
    let by = Actor::import("bench");
    let wish = |n| {
        let place = Wish::of(series, n, Lines::Two).place(at(n), Trust::History)?;
        Ok(orders::Place { by: by.clone(), ..place })
    };
    let wishes = range.map(wish).collect::<Result<Vec<_>, Fault>>()?;
    db::write!(db, &by, |tx| {
        orders::place(tx, &wishes)
            .await?
            .into_iter()
            .map(|outcome| outcome.map_err(crate::shop::refused))
            .collect()
    })
}

async fn summary(
    name: &str,
    stage: &Stage,
    clients: Option<usize>,
    loads: &[Load],
    floors: Option<&Floors>,
) -> Result<Row, Fault> {
    let of = |f: &dyn Fn(&Load) -> f64| median(loads.iter().map(f).collect());
    let mut row = Row::new(name, stage.name, clients, stage.orders().await?, of(&Load::rate));
    if clients.is_some() {
        row.p50_ms = Some(of(&|l| l.quantile_ms(0.5)));
        row.p99_ms = Some(of(&|l| l.quantile_ms(0.99)));
    }
    Ok(match floors.map(Floors::medians) {
        Some((single, grouped)) => row.over(single, grouped),
        None => row,
    })
}
