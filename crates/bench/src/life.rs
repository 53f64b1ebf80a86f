//! The workloads over a whole life: place → capture → release → pick → pack → label → ship → deliver, and from there … → return → refund.
//! Over HTTP each client takes one order through its life at a time, as a person or an integration does.

use crate::client::{Client, Doing, drive};
use crate::floor::{Floors, Rows, counts};
use crate::row::{Row, median};
use crate::shop::{Lines, Wish};
use crate::stage::Stage;
use bytes::Bytes;
use db::Db;
use kernel::{Actor, Fault, Timestamp};
use orders::{OrderId, Placed, Trust};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// An order's whole life, by HTTP.
struct Living {
    series: String,
    now: Timestamp,
    warehouse: String,
    back: bool,
}

fn text(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or_else(|| Fault::broken(format!("an answer lacks a text where {value} stands")))
}

/// One order on its way: each step posts with a key of its own.
struct Steps<'a> {
    client: &'a mut Client,
    key: String,
    steps: usize,
}

impl Steps<'_> {
    async fn post(&mut self, path: &str, body: Value) -> Result<Value, Fault> {
        // The order's own key is its reference, as with `place`; see the floor's table of answers.
        let key = match self.steps {
            0 => self.key.clone(),
            step => format!("{}:{step:02}", self.key),
        };
        self.steps += 1;
        self.client.post(path, &key, Bytes::from(body.to_string())).await?.json()
    }
    async fn get(&mut self, path: &str) -> Result<Value, Fault> {
        self.client.get(path).await?.json()
    }
}

impl Doing for Living {
    async fn once(&self, client: &mut Client, n: usize) -> Result<(), Fault> {
        let wish = Wish::of(&self.series, n, Lines::Two);
        let mut steps = Steps { client, key: wish.reference.clone(), steps: 0 };
        let placed = steps.post("/v1/orders", wish.json(self.now, false)).await?;
        let order = text(&placed["id"])?.to_owned();
        let payments = steps.get(&format!("/v1/orders/{order}/payments")).await?;
        let payment = text(&payments["data"][0]["id"])?.to_owned();
        steps.post(&format!("/v1/payments/{payment}/confirm"), json!({"reference": wish.reference})).await?;
        let fulfilments = steps.get(&format!("/v1/fulfilments?order={order}")).await?;
        let fulfilment = &fulfilments["data"][0];
        let path =
            |verb: &str| Ok::<_, Fault>(format!("/v1/fulfilments/{}/{verb}", text(&fulfilment["id"])?));
        steps.post(&path("release")?, json!({})).await?;
        for line in fulfilment["lines"].as_array().into_iter().flatten() {
            steps.post(&path("pick")?, json!({"line": line["id"], "quantity": line["quantity"]})).await?;
        }
        let parcel = steps.post(&path("pack")?, json!({})).await?;
        let label = format!("/v1/parcels/{}/label", text(&parcel["id"])?);
        let shipment = steps.post(&label, json!({"cheapest": true})).await?;
        let path = |verb: &str| Ok::<_, Fault>(format!("/v1/shipments/{}/{verb}", text(&shipment["id"])?));
        steps.post(&path("ship")?, json!({})).await?;
        let source = format!("{}-delivered", wish.reference);
        steps.post(&path("track")?, json!({"source_id": source, "status": "delivered"})).await?;
        match self.back {
            true => self.give_back(&mut steps, &order, &placed["lines"][0]).await,
            false => Ok(()),
        }
    }
}

impl Living {
    async fn give_back(&self, steps: &mut Steps<'_>, order: &str, line: &Value) -> Result<(), Fault> {
        let wish =
            json!({"units": [{"line": line, "quantity": 1, "reason": "too_small"}], "resolution": "refund"});
        let asked = steps.post(&format!("/v1/orders/{order}/returns"), wish).await?;
        let path = |verb: &str| Ok::<_, Fault>(format!("/v1/returns/{}/{verb}", text(&asked["id"])?));
        steps.post(&path("approve")?, json!({})).await?;
        steps.post(&path("receive")?, json!({"location": self.warehouse})).await?;
        steps.post(&path("inspect")?, json!({"acceptance": "accepted", "disposition": "restock"})).await?;
        steps.post(&path("settle")?, json!({})).await.map(drop)
    }
}

/// `lifecycle`, or `return` with the way back, over HTTP.
///
/// # Errors
/// Faults; a step that was refused.
pub async fn over_http(stage: &mut Stage, clients: usize, orders: usize, back: bool) -> Result<Row, Fault> {
    let name = if back { "return" } else { "lifecycle" };
    let (mut loads, mut cpu, mut floors) = (Vec::new(), Vec::new(), Floors::default());
    for round in 0..crate::place::ROUNDS {
        let series = stage.series(name);
        let warehouse = stage.shop.warehouse.to_string();
        let living = Arc::new(Living { series: series.clone(), now: stage.db.now(), warehouse, back });
        let before = counts(&stage.db).await?;
        let server = stage.server()?;
        let spent = server.cpu_seconds()?;
        let load = drive(server.address, &stage.key.secret, clients, orders, living).await?;
        cpu.push((server.cpu_seconds()? - spent) * 1000.0 / load.done as f64);
        let after = counts(&stage.db).await?;
        floors.measure(&stage.twin, Rows::of(&stage.db, &series, &before, &after).await?, clients).await?;
        stage.progress(&format!("{name}, {clients} clients, round {}: {:.0}/s", round + 1, load.rate()));
        loads.push(load);
    }
    let of = |f: &dyn Fn(&crate::client::Load) -> f64| median(loads.iter().map(f).collect());
    let mut row = Row::new(name, stage.name, Some(clients), stage.orders().await?, of(&|l| l.rate()));
    let (single, grouped) = floors.medians();
    row = row.over(single, grouped);
    row.p50_ms = Some(of(&|l| l.quantile_ms(0.5)));
    row.p99_ms = Some(of(&|l| l.quantile_ms(0.99)));
    row.cpu_ms_each = Some(median(cpu));
    row.rss_mb = Some(stage.server()?.rss_mb()?);
    Ok(row)
}

/// A life in process, in batches: placed and paid, packed, shipped and delivered.
///
/// # Errors
/// Faults; an order that was refused.
pub async fn in_process(stage: &mut Stage, orders: usize) -> Result<Row, Fault> {
    let mut rates = Vec::new();
    for _ in 0..crate::place::ROUNDS {
        let series = stage.series("life");
        let began = Instant::now();
        for from in (0..orders).step_by(crate::floor::GROUP) {
            let to = orders.min(from + crate::floor::GROUP);
            let placed = crate::place::batch(&stage.db, &series, from..to, Trust::Check).await?;
            deliver(&stage.db, &placed, stage.db.now()).await?;
        }
        rates.push(orders as f64 / began.elapsed().as_secs_f64());
    }
    let rate = median(rates);
    stage.progress(&format!("lifecycle in process: {rate:.0}/s"));
    Ok(Row::new("lifecycle", stage.name, None, stage.orders().await?, rate))
}

/// Packs, ships and delivers orders in one transaction, at a time.
///
/// # Errors
/// Faults of the database.
pub async fn deliver(db: &Db, placed: &[Placed], at: Timestamp) -> Result<(), Fault> {
    let ids: Vec<OrderId> = placed.iter().map(|p| p.id).collect();
    let currency = "EUR".parse()?;
    db::write!(db, &Actor::import("bench"), |tx| {
        let found = warehouse::fulfilments_of(tx, &ids).await?;
        let packs: Vec<warehouse::FulfilRecorded> = found
            .into_values()
            .flatten()
            .map(|f| warehouse::FulfilRecorded { at, fulfilment: f.id })
            .collect();
        let parcels = warehouse::fulfil_recorded(tx, &packs).await?;
        let ship = |parcel: warehouse::ParcelId| shipping::ShipRecorded {
            parcel,
            carrier: "post".into(),
            service: "parcel".into(),
            tracking_number: parcel.to_string(),
            label_at: at,
            shipped_at: at,
            delivered_at: Some(at),
            cost: 499,
            currency,
        };
        shipping::ship_recorded(tx, &parcels.into_iter().map(ship).collect::<Vec<_>>()).await
    })
    .map(drop)
}
