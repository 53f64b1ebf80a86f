//! The workload that reads: pages and API on databases of growing size, in every way people and programs look orders up. Invariant: one
//! client, so that what it waits is the server's time; what is asked for is drawn from all over the database, and exists.

use crate::client::{Client, Doing, drive};
use crate::row::Row;
use crate::stage::Stage;
use kernel::{Fault, Timestamp};
use std::sync::Arc;

/// Requests of each kind.
const REQUESTS: usize = 400;
/// Requests before them, which are not counted: the first of a kind prepare its statements.
const WARM: usize = 10;
/// Orders that are looked up.
const SAMPLES: i64 = 40;

/// Requests of one kind, in turns.
struct Reading {
    paths: Vec<String>,
}

impl Doing for Reading {
    async fn once(&self, client: &mut Client, n: usize) -> Result<(), Fault> {
        client.get(&self.paths[n % self.paths.len()]).await.map(drop)
    }
}

/// Reads in every way.
///
/// # Errors
/// Faults; an answer that was not 200.
pub async fn read(stage: &mut Stage, out: &mut (dyn FnMut(Row) + Send)) -> Result<(), Fault> {
    let orders = stage.orders().await?;
    for (name, paths) in kinds(stage).await? {
        let server = stage.server()?;
        let reading = Arc::new(Reading { paths });
        drive(server.address, &stage.key.secret, 1, WARM, Arc::clone(&reading)).await?;
        let before = server.cpu_seconds()?;
        let load = drive(server.address, &stage.key.secret, 1, REQUESTS, reading).await?;
        let mut row = Row::new(name, stage.name, Some(1), orders, load.rate());
        row.p50_ms = Some(load.quantile_ms(0.5));
        row.p99_ms = Some(load.quantile_ms(0.99));
        row.cpu_ms_each = Some((server.cpu_seconds()? - before) * 1000.0 / load.done as f64);
        row.rss_mb = Some(server.rss_mb()?);
        row.cost = row.p50_ms.map(|ms| (ms, "ms"));
        stage.progress(&format!("{name}: {:.2} ms", load.quantile_ms(0.5)));
        out(row);
    }
    Ok(())
}

#[derive(db::FromRow)]
struct Sample {
    id: orders::OrderId,
    number: String,
    name: String,
    email: String,
    reference: String,
    placed_at: Timestamp,
    sku: String,
    tracking: String,
}

#[derive(db::FromRow)]
struct Span {
    first: i64,
    last: i64,
}

/// Orders at even distances in time.
async fn samples(stage: &Stage) -> Result<Vec<Sample>, Fault> {
    let sql = stage.db.read();
    let span = "SELECT (SELECT placed_at FROM orders ORDER BY placed_at LIMIT 1) AS first, \
                (SELECT placed_at FROM orders ORDER BY placed_at DESC LIMIT 1) AS last";
    let span: Option<Span> = sql.one(span, []).await?;
    let span = span.ok_or_else(|| Fault::broken("there are no orders to read"))?;
    let text = "SELECT o.id, o.number, o.name, COALESCE(o.email, '') AS email, COALESCE(o.reference, '') AS reference, o.placed_at, \
                (SELECT l.sku FROM order_line l WHERE l.order_id = o.id AND l.position = 1) AS sku, \
                COALESCE((SELECT MAX(s.tracking_number) FROM shipment s WHERE s.order_id = o.id), '') AS tracking \
                FROM orders o WHERE o.placed_at >= $1 ORDER BY o.placed_at, o.id LIMIT 1";
    let mut samples = Vec::new();
    for n in 1..=SAMPLES {
        let at = span.first + (span.last - span.first) / (SAMPLES + 1) * n;
        samples.extend(sql.one::<Sample>(text, [at.into()]).await?);
    }
    Ok(samples)
}

/// What is asked for, by the name of the workload.
async fn kinds(stage: &Stage) -> Result<Vec<(&'static str, Vec<String>)>, Fault> {
    let samples = samples(stage).await?;
    let of = |path: &dyn Fn(&Sample) -> String| samples.iter().map(path).collect::<Vec<_>>();
    let search = |what: &dyn Fn(&Sample) -> &str| {
        samples.iter().map(what).filter(|text| !text.is_empty()).map(searched).collect::<Vec<_>>()
    };
    let mut kinds = vec![
        ("read list", vec!["/v1/orders?limit=50".to_owned()]),
        ("read list deep", of(&|s| format!("/v1/orders?limit=50&placed_before={}", s.placed_at))),
        (
            "read list filtered",
            of(&|s| {
                format!(
                    "/v1/orders?limit=50&fulfilment_status=delivered&channel=api&placed_before={}",
                    s.placed_at
                )
            }),
        ),
        ("read list held", vec!["/v1/orders?limit=50&held=true".to_owned()]),
        ("read list page", vec!["/orders".to_owned()]),
        ("read detail", of(&|s| format!("/v1/orders/{}", s.id))),
        ("read detail page", of(&|s| format!("/orders/{}", s.id))),
        ("read today", vec!["/v1/reports/today".to_owned()]),
        ("read search number", search(&|s| &s.number)),
        ("read search e-mail", search(&|s| &s.email)),
        ("read search name", search(&|s| &s.name)),
        ("read search name begun", vec![searched("Buyer"), searched("buyer 7"), searched("B")]),
        ("read search reference", search(&|s| &s.reference)),
        ("read search SKU", search(&|s| &s.sku)),
        ("read search tracking", search(&|s| &s.tracking)),
        ("read search nothing", vec![searched("nobody@nowhere.example")]),
    ];
    kinds.retain(|(_, paths)| !paths.is_empty());
    Ok(kinds)
}

fn searched(text: &str) -> String {
    let encoded: String = text
        .bytes()
        .map(|b| match b {
            b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("/v1/orders?limit=50&search={encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_encoded() {
        assert_eq!(searched("Zoë & Co"), "/v1/orders?limit=50&search=Zo%C3%AB%20%26%20Co");
    }
}
