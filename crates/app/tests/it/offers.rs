//! What an order may be shipped by while it is entered: services, prices, and the day that is named to the customer.

use crate::clerk::{PHONE_ORDER, count, location, send};
use crate::support::{Answer, TestApp, shop};
use serde_json::{Value, json};

/// The offers for two shirts and a set, 1 kg in all, with what else the query says.
async fn ask(app: &TestApp, more: &str) -> Answer {
    app.get(&format!(
        "/v1/shipping-offers?country=DE&postal_code=10119&currency=EUR&line=4006381333931:2&line=SET:1{more}"
    ))
    .await
}

/// Carrier, price and day of each offer.
fn told(answer: &Answer) -> Vec<(String, i64, Option<String>)> {
    let offers = answer.ok()["offers"].as_array().unwrap().clone();
    let text = |v: &Value| v.as_str().map(str::to_owned);
    offers
        .iter()
        .map(|o| {
            (text(&o["service"]).unwrap(), o["price"]["minor"].as_i64().unwrap(), text(&o["promised_on"]))
        })
        .collect()
}

fn card(service: &str, price: i64, days: i64, currency: &str) -> Value {
    json!({"carrier": "post", "service": service, "name": service.to_uppercase(), "origin_country": "DE", "currency": currency, "dim_divisor": 5000,
        "min_days": 1, "max_days": days, "zones": [{"country": "DE", "zone": "all"}], "prices": [{"zone": "all", "up_to_g": 1000, "price": price}]})
}

#[tokio::test]
async fn services_are_offered_with_price_and_day() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let offer = |service: &str, price: i64, day: &str| (service.to_owned(), price, Some(day.to_owned()));
        // It is Monday, nine in the morning.
        assert_eq!(told(&ask(&app, "").await), [offer("parcel", 499, "2026-01-08")], "{}", app.name);
        let cards = [card("express", 1200, 1, "EUR"), card("dollars", 1, 1, "USD")];
        app.put("/v1/rate-cards", &json!(cards)).await.ok();
        let both = [offer("parcel", 499, "2026-01-08"), offer("express", 1200, "2026-01-06")];
        assert_eq!(told(&ask(&app, "").await), both, "{}", app.name);
        let all = ask(&app, "").await.ok();
        assert_eq!(all["parcels"], json!([{"location": "Berlin", "units": 3, "weight_g": 750}]), "{all}");
        assert_eq!(
            (&all["leaves_on"], &all["offers"][0]["basis"]),
            (&json!("2026-01-05"), &json!("rate_table"))
        );
        assert_eq!(all["offers"][0]["promised_at"], "2026-01-08T23:59:59.999999Z", "{}", app.name);
        // Too heavy for the express.
        assert_eq!(told(&ask(&app, "&line=CAP:2").await), [offer("parcel", 499, "2026-01-08")]);
        // More than there is: a price, and no day.
        let short = ask(&app, "&line=CAP:50").await;
        assert_eq!(told(&short), [("parcel".to_owned(), 499, None)], "{}", app.name);
        assert_eq!(short.ok()["missing"], 41, "{}", short.text);
        assert_eq!(ask(&app, "&line=NOPE:1").await.ok()["unknown"], json!(["NOPE"]));
        for bad in ["&line=CAP:0", "&line=CAP", "&line=:1"] {
            assert_eq!(ask(&app, bad).await.refused(422), "request.invalid", "{bad}");
        }
        app.check().await;
    }
}

#[tokio::test]
async fn the_cut_off_and_holidays_move_the_day() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let day = async || told(&ask(&app, "").await)[0].2.clone().unwrap();
        let set = json!({"time_zone": "Europe/Berlin", "cut_off": "10:00", "workdays": ["monday", "tuesday", "wednesday", "thursday", "friday"], "holidays": ["2026-01-06"]});
        app.put("/v1/dispatch", &set).await.ok();
        assert_eq!(app.get("/v1/dispatch").await.ok(), set);
        // Ten in Berlin is over, Tuesday is a holiday: it leaves on Wednesday and is there on Monday.
        assert_eq!(day().await, "2026-01-12", "{}", app.name);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'dispatch.changed'").await, 1);
        let mut bad = set.clone();
        bad["time_zone"] = "Berlin".into();
        assert_eq!(app.put("/v1/dispatch", &bad).await.refused(422), "shipping.bad_time_zone");
        let form = [
            ("cut_off", "12:30"),
            ("time_zone", "UTC"),
            ("workdays[]", "monday"),
            ("workdays[]", "sunday"),
            ("holidays", ""),
        ];
        location(&send(&app, "/settings/dispatch", &form).await);
        assert_eq!(app.get("/v1/dispatch").await.ok()["workdays"], json!(["monday", "sunday"]));
        // Monday, then Sunday, Monday, Sunday.
        assert_eq!(day().await, "2026-01-18", "{}", app.name);
        let wrong = [("cut_off", "25:00"), ("time_zone", "UTC"), ("workdays[]", "monday"), ("holidays", "")];
        let again = send(&app, "/settings/dispatch", &wrong).await;
        assert!(again.status == 422 && again.text.contains("25:00"), "{}", again.text);
    }
}

#[tokio::test]
async fn two_locations_are_two_parcels() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 1).await;
        let place = json!({"code": "HAM", "name": "Hamburg", "kind": "warehouse", "priority": 20,
            "address": {"name": "Two", "line1": "Hafen 1", "postal_code": "20457", "city": "Hamburg", "country": "DE"}});
        app.post("/v1/locations", &json!({"items": [place]})).await.ok();
        app.post(
            "/v1/receipts",
            &json!({"items": [{"sku": "CAP", "location": "HAM", "quantity": 5, "unit_cost": 500}]}),
        )
        .await
        .ok();
        let two = app.get("/v1/shipping-offers?country=DE&currency=EUR&line=TEE:1&line=CAP:6").await;
        assert_eq!(
            told(&two),
            [("parcel".to_owned(), 998, Some("2026-01-08".to_owned()))],
            "{}: {}",
            app.name,
            two.text
        );
        assert_eq!(two.ok()["parcels"].as_array().unwrap().len(), 2, "{}", two.text);
    }
}

#[tokio::test]
async fn a_clerk_chooses_a_service_and_its_price_and_day_are_the_orders() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let panel = "/panels/order-entry/shipping";
        let shown = send(&app, panel, PHONE_ORDER).await;
        for text in
            ["Parcel (post parcel)", "4.99", "There by 2026-01-08", "shipping=4.99&amp;promised=2026-01-08"]
        {
            assert!(shown.text.contains(text), "{}: {text} in {}", app.name, shown.text);
        }
        assert!(!shown.text.contains("checked"), "{}", shown.text);
        let with = |changes: &[(&'static str, &'static str)]| {
            let kept = PHONE_ORDER.iter().filter(|(n, _)| !changes.iter().any(|(c, _)| c == n));
            kept.copied().chain(changes.iter().copied()).collect::<Vec<_>>()
        };
        let chosen =
            with(&[("service", "Parcel (post parcel)"), ("shipping", "4.99"), ("promised", "2026-01-08")]);
        let again = send(&app, panel, &chosen).await;
        assert!(again.text.contains("checked") && !again.text.contains("choose again"), "{}", again.text);
        let stale =
            with(&[("service", "Parcel (post parcel)"), ("shipping", "3.99"), ("promised", "2026-01-08")]);
        assert!(send(&app, panel, &stale).await.text.contains("choose again"));
        assert!(send(&app, panel, &with(&[("country", "")])).await.text.contains("Fill in the country"));

        let order = location(&send(&app, "/orders/new", &chosen).await);
        let page = app.get(&order).await.text;
        assert!(page.contains("Ship by: Parcel (post parcel)"), "{page}");
        let row = app.get(&format!("/v1{order}")).await.ok();
        assert_eq!(row["promised_at"], "2026-01-08T23:59:59Z", "{row}");
        assert_eq!(count(&app, "SELECT shipping + shipping_tax FROM orders").await, 499);
        assert!(app.get("/orders/new").await.text.contains("hx-post=\"/panels/order-entry/shipping\""));
        app.drain_jobs().await;
        app.check_laws().await;
    }
}
