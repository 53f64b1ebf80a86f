//! Reading through the API: every way to find an order finds it, pages of a search are whole, and the figures of a day count what
//! happened in it and what is open.

use crate::support::TestApp;
use crate::support::shop::{self, order};
use crate::support::walkthrough::{OrderWalkthrough, Step};
use kernel::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The numbers of the orders of all pages of a list.
async fn numbers(app: &TestApp, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut path = format!("/v1/orders?limit=2&{query}");
    for _ in 0..20 {
        let page = app.get(&path).await.ok();
        found.extend(
            page["data"].as_array().unwrap().iter().map(|o| o["number"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/orders?limit=2&{query}&cursor={cursor}"),
            None => return found,
        }
    }
    panic!("{}: the pages of {query} do not end", app.name);
}

async fn placed(app: &TestApp, name: &str, who: &str, reference: &str, lines: &[(&str, i64)]) -> String {
    let mut body = order(who, lines);
    body["buyer"]["name"] = json!(name);
    body["reference"] = json!(reference);
    let id = app.post("/v1/orders", &body).await.ok()["id"].as_str().unwrap().to_owned();
    app.advance(Timestamp::HOUR);
    app.get(&format!("/v1/orders/{id}")).await.ok()["number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_way_to_find_an_order_finds_it_on_whole_pages() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 1000).await;
        let zoe = placed(&app, "Zoë Ærø", "zoe", "R-1", &[("CAP", 1), ("CAP", 2)]).await;
        let mut adas = Vec::new();
        for n in 0..5 {
            adas.push(placed(&app, "Ada Lovelace", "ada", &format!("R-2{n}"), &[("TEE", 1)]).await);
        }
        let adam = placed(&app, "adam smith", "adam", "R-3", &[("TEE", 1)]).await;
        let walk = OrderWalkthrough::up_to(&app, &shop, "walker", Step::Shipped).await;
        let shipment = app.get(&format!("/v1/shipments/{}", walk.shipment)).await.ok();
        let tracking = shipment["tracking_number"].as_str().unwrap();
        let walked = walk.show(&app).await["number"].as_str().unwrap().to_owned();

        adas.reverse();
        let newest: Vec<String> = [walked.clone(), adam.clone()].into_iter().chain(adas.clone()).collect();
        let and = |first: &str, rest: &[String]| -> Vec<String> {
            std::iter::once(first.to_owned()).chain(rest.iter().cloned()).collect()
        };
        for (search, expected) in [
            (zoe.as_str(), vec![zoe.clone()]),
            (&format!("%23{zoe}"), vec![zoe.clone()]),
            ("R-1", vec![zoe.clone()]),
            ("ZOE@example.com", vec![zoe.clone()]),
            ("CAP", vec![zoe.clone()]),
            ("zo%C3%AB%20%C3%86r%C3%B8", vec![zoe.clone()]),
            ("ZO%C3%AB", vec![zoe.clone()]),
            (tracking, vec![walked.clone()]),
            ("SET", vec![walked.clone()]),
            ("TEE", newest.clone()),
            ("ada@example.com", adas.clone()),
            ("ADAM", vec![adam.clone()]),
            ("ada", and(&walked, &and(&adam, &adas))),
            ("Ada%20Lovelace", and(&walked, &adas)),
            ("nobody", Vec::new()),
        ] {
            assert_eq!(numbers(&app, &format!("search={search}")).await, expected, "{}: {search}", app.name);
        }
        let filtered = numbers(&app, "search=TEE&fulfilment_status=unfulfilled").await;
        assert_eq!(filtered, and(&adam, &adas), "{}", app.name);
        let everything: BTreeSet<String> = numbers(&app, "").await.into_iter().collect();
        assert_eq!(everything.len(), 8, "{}", app.name);
    }
}

#[tokio::test]
async fn the_figures_of_a_day_are_of_that_day() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 1000).await;
        let nothing = app.get("/v1/reports/today").await.ok();
        assert_eq!((nothing["orders"].as_i64(), &nothing["revenue"]), (Some(0), &json!([])), "{}", app.name);

        // Yesterday: one that ships today and comes back, and one that is late.
        let shipped = OrderWalkthrough::up_to(&app, &shop, "late", Step::Shipped).await;
        app.advance(Timestamp::DAY);
        let back = OrderWalkthrough::up_to(&app, &shop, "back", Step::Returned).await;
        let held = order("held", &[("TEE", 1)]);
        let held = app.post("/v1/orders", &held).await.ok()["id"].as_str().unwrap().to_owned();
        let hold = json!({"kind": "manual", "reason": "look"});
        app.post(&format!("/v1/orders/{held}/holds"), &hold).await.ok();
        let mut waits = order("waits", &[("TEE", 5000)]);
        waits["if_out_of_stock"] = json!("backorder");
        let waits = app.post("/v1/orders", &waits).await.ok();

        let today = app.get("/v1/reports/today").await.ok();
        let total = |v: &Value| v["total"]["minor"].as_i64().unwrap();
        let held = app.get(&format!("/v1/orders/{held}")).await.ok()["totals"]["total"].as_i64().unwrap();
        let sum = back.total + held + total(&waits);
        assert_eq!(today["orders"], 3, "{}: {today}", app.name);
        assert_eq!(
            today["revenue"],
            json!([{"currency": "EUR", "orders": 3, "amount": sum}]),
            "{}",
            app.name
        );
        let manual = today["holds"].as_array().unwrap().iter().find(|h| h["kind"] == "manual").unwrap();
        assert_eq!(manual["orders"], 1, "{}: {today}", app.name);
        assert_eq!(today["stock_outs"], 1, "{}: {today}", app.name);
        assert_eq!(today["returns"], 1, "{}: {today}", app.name);
        assert_eq!(today["late_shipments"], 0, "{}: {today}", app.name);

        // What is cancelled whole was placed, and comes to nothing.
        let cancel = format!("/v1/orders/{}/cancel", waits["id"].as_str().unwrap());
        app.post(&cancel, &json!({"reason": "too late"})).await.ok();
        let less = app.get("/v1/reports/today").await.ok();
        let expected = json!([{"currency": "EUR", "orders": 3, "amount": sum - total(&waits)}]);
        assert_eq!(less["revenue"], expected, "{}", app.name);

        app.advance(9 * Timestamp::DAY);
        let later = app.get("/v1/reports/today").await.ok();
        let figures = |t: &Value| (t["orders"].as_i64(), t["returns"].as_i64(), t["late_shipments"].as_i64());
        assert_eq!(figures(&later), (Some(0), Some(0), Some(1)), "{}: {shipped:?} {later}", app.name);
        let then = app.get("/v1/reports/today?from=2026-01-06T00:00:00Z").await.ok();
        assert_eq!(figures(&then), (Some(3), Some(1), Some(1)), "{}: {then}", app.name);
    }
}
