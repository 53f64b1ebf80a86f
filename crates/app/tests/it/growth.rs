//! Large batches do not cost more in a shop that has many orders: SQLite plans a statement by the length of its list, and a plan that reads
//! a whole table is quick on a small one.

use crate::support::TestApp;
use crate::support::shop;
use kernel::{Actor, Currency};
use serde_json::{Value, json};
use shipping::ShipRecorded;
use warehouse::{FulfilRecorded, Pack, Pick, Release, What};

/// Orders of a batch.
const MANY: usize = 600;
/// Rows that a statement may read more than before, for each of these batches.
const SLACK: i64 = 200;

/// Takes many orders at once and brings half of them to the door by the steps of the floor, half as an import does.
async fn life(app: &TestApp, round: usize) {
    let orders: Vec<Value> =
        (0..MANY).map(|n| shop::order(&format!("r{round}n{n}"), &[("TEE", 1), ("SET", 1)])).collect();
    let told = app.post("/v1/orders", &json!(orders)).await;
    let results = told.json()["results"].as_array().cloned().unwrap_or_default();
    assert!(results.len() == MANY && results.iter().all(|r| r["status"] == 201), "{}", told.text);
    let ids: Vec<orders::OrderId> =
        results.iter().map(|r| r["order"]["id"].as_str().unwrap().parse().unwrap()).collect();
    app.drain_jobs().await;
    let db = &app.ctx.db;
    let (at, by) = (db.now(), Actor::import("test"));
    let eur: Currency = "EUR".parse().unwrap();
    let found = warehouse::fulfilments_of(db.read(), &ids).await.unwrap();
    let all: Vec<_> = found.into_values().flatten().collect();
    let (floor, recorded) = all.split_at(all.len() / 2);
    db::write!(db, &by, |tx| {
        let release: Vec<Release> = floor.iter().map(|f| Release { at, fulfilment: f.id }).collect();
        warehouse::release(tx, &release).await?.into_iter().for_each(|r| r.unwrap());
        let pick = |f: &warehouse::Fulfilment| -> Vec<Pick> {
            let one = |l: &warehouse::FulfilmentLine| Pick {
                at,
                fulfilment: f.id,
                what: What::Line(l.id),
                quantity: l.quantity,
            };
            f.lines.iter().map(one).collect()
        };
        let picks: Vec<Pick> = floor.iter().flat_map(pick).collect();
        warehouse::pick(tx, &picks).await?.into_iter().for_each(|p| assert!(p.is_ok()));
        let pack = |f: &warehouse::Fulfilment| Pack {
            at,
            fulfilment: f.id,
            lines: Vec::new(),
            weight_g: None,
            dims: None,
            by: Actor::import("test"),
        };
        let packs: Vec<Pack> = floor.iter().map(pack).collect();
        let packed = warehouse::pack(tx, &packs).await?;
        let whole: Vec<FulfilRecorded> =
            recorded.iter().map(|f| FulfilRecorded { at, fulfilment: f.id }).collect();
        let mut parcels = warehouse::fulfil_recorded(tx, &whole).await?;
        parcels.extend(packed.into_iter().map(|p| p.unwrap()));
        let ship = |parcel: warehouse::ParcelId| ShipRecorded {
            parcel,
            carrier: "post".into(),
            service: "parcel".into(),
            tracking_number: parcel.to_string(),
            label_at: at,
            shipped_at: at,
            delivered_at: Some(at),
            cost: 499,
            currency: eur,
        };
        shipping::ship_recorded(tx, &parcels.into_iter().map(ship).collect::<Vec<_>>()).await
    })
    .unwrap();
    app.drain_jobs().await;
}

#[tokio::test]
async fn a_large_batch_reads_no_more_when_the_shop_has_grown() {
    let app = TestApp::sqlite().await;
    shop::open(&app.ctx.db, 10_000).await;
    let mut seen = Vec::new();
    for round in 0..3 {
        db::testing::scans();
        life(&app, round).await;
        seen.push(db::testing::scans());
    }
    let (second, third) = (&seen[1], &seen[2]);
    let grown: Vec<String> = third
        .iter()
        .map(|(text, rows)| (text, second.get(text).copied().unwrap_or(0), *rows))
        .filter(|(_, before, now)| *now > before + SLACK)
        .map(|(text, before, now)| format!("{before} rows, then {now}: {text}"))
        .collect();
    assert!(grown.is_empty(), "these read whole tables:\n{}", grown.join("\n"));
    assert!(third.len() > 50, "the statements were counted: {third:?}");
    app.check().await;
}

#[tokio::test]
async fn a_last_name_costs_a_page_however_many_orders_its_people_have() {
    let app = TestApp::sqlite().await;
    shop::open(&app.ctx.db, 10_000).await;
    let mut seen = Vec::new();
    for round in 0..3 {
        // One customer with half of all orders, and as many with one each.
        let order = |n: usize| {
            let who = if n % 2 == 0 { "anna".to_owned() } else { format!("r{round}n{n}") };
            let mut order = shop::order(&who, &[("TEE", 1)]);
            order["buyer"]["name"] = json!("Anna Berger");
            order
        };
        let told = app.post("/v1/orders", &json!((0..MANY).map(order).collect::<Vec<_>>())).await;
        assert!(told.status.is_success(), "{}", told.text);
        db::testing::scans();
        for path in [
            "/v1/orders?search=berger",
            "/v1/orders?search=berger&fulfilment_status=unfulfilled",
            "/customers?q=berger",
            "/orders/new/customers?q=berger",
        ] {
            assert!(app.get(path).await.text.contains("Anna Berger"), "{path}");
        }
        seen.push(db::testing::scans());
    }
    let rows: Vec<i64> = seen.iter().map(|s| s.values().sum()).collect();
    assert!(rows[2] <= rows[1] + SLACK, "{rows:?}: {:?}", seen[2]);
}
