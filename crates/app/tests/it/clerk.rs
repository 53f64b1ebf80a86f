//! What clerks, reviewers and agents do on the pages of orders and customers: through the router, on both databases.

use crate::support::{Answer, TestApp, shop};
use axum::http::Method;

/// Sends a form.
pub(crate) async fn send(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
    let encode = |text: &str| -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    let body: Vec<String> = fields.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
    app.form(path, &body.join("&")).await
}

pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers["location"].to_str().unwrap().to_owned()
}

pub(crate) async fn count(app: &TestApp, sql: &str) -> i64 {
    app.ctx.db.read().scalar(sql, []).await.unwrap().unwrap()
}

pub(crate) const PHONE_ORDER: &[(&str, &str)] = &[
    ("once", "a1"),
    ("name", "Ada Lovelace"),
    ("email", "ada@example.com"),
    ("line1", "Torstraße 1"),
    ("postal_code", "10119"),
    ("city", "Berlin"),
    ("country", "DE"),
    ("currency", "EUR"),
    ("tax_inclusive", "yes"),
    ("sku-0", "4006381333931"),
    ("quantity-0", "2"),
    ("sku-1", "CAP"),
    ("discount", "10"),
    ("discount_in", "percent"),
    ("discount_reason", "loyal"),
    ("shipping", "4.90"),
    ("payment", "manual bank_transfer"),
];

#[tokio::test]
async fn a_clerk_enters_a_phone_order_once() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let shown = send(&app, "/orders/new/preview", PHONE_ORDER).await;
        // 2 × 20.00 + 15.00, less 10 %, and 4.90 of shipping.
        assert!(shown.text.contains("54.40") && shown.text.contains("10 at"), "{}: {}", app.name, shown.text);
        let placed = location(&send(&app, "/orders/new", PHONE_ORDER).await);
        assert!(placed.starts_with("/orders/ord_"), "{placed}");
        assert_eq!(location(&send(&app, "/orders/new", PHONE_ORDER).await), placed, "a double click");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM orders").await, 1);
        assert_eq!(count(&app, "SELECT total FROM orders").await, 5440);
        let page = app.get(&placed).await;
        assert!(page.text.contains("Discount: loyal") && page.text.contains("54.40"), "{}", page.text);

        let mut wrong = PHONE_ORDER.to_vec();
        wrong.extend([("once", "a2"), ("sku-1", "NOPE"), ("email", "not an address"), ("quantity-0", "99")]);
        let wrong: Vec<_> = wrong
            .into_iter()
            .rev()
            .scan(std::collections::HashSet::new(), |seen, f| Some(seen.insert(f.0).then_some(f)))
            .flatten()
            .collect();
        let again = send(&app, "/orders/new", &wrong).await;
        assert_eq!(again.status, 422, "{}", again.text);
        assert!(
            again.text.contains("Torstraße 1") && again.text.contains("not an address"),
            "what was typed survives"
        );
        // Stock is judged when the order is placed; beside other things that are wrong it is told at once.
        assert!(again.text.contains("Only 8 can be shipped now"), "{}", again.text);
        app.drain_jobs().await;
        app.check_laws().await;
    }
}

#[tokio::test]
async fn what_may_be_done_to_an_order_is_done_once_and_refused_by_the_field() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let order = app.post("/v1/orders", &shop::order("ada", &[("TEE", 3)])).await.ok();
        app.drain_jobs().await;
        let id = order["id"].as_str().unwrap().to_owned();
        let line = order["lines"][0].as_str().unwrap().to_owned();
        let (here, units) = (format!("/orders/{id}"), format!("units-{line}"));
        let at = |path: &str| format!("{here}/{path}");

        let held = [("once", "h1"), ("kind", "manual"), ("reason", "call first")];
        assert_eq!(location(&send(&app, &at("hold"), &held).await), here);
        assert_eq!(location(&send(&app, &at("hold"), &held).await), here, "a double click");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'order.held'").await, 1);
        let refused = send(&app, &at("hold"), &[("kind", "manual"), ("reason", "")]).await;
        assert!(refused.status == 422 && refused.text.contains("Say why"), "{}", refused.text);
        location(&send(&app, &at("release"), &[("kind", "manual")]).await);
        assert_eq!(count(&app, "SELECT holds FROM orders").await, 0);

        let shown = send(&app, &at("cancel/preview"), &[(&units, "1"), ("refund", "yes")]).await;
        assert!(shown.text.contains("20.00") || shown.text.contains("21.6"), "{}", shown.text);
        let refused = send(&app, &at("cancel"), &[(&units, "4"), ("reason", "x")]).await;
        assert!(refused.status == 422 && refused.text.contains("Between 0 and 3 units"), "{}", refused.text);
        location(
            &send(&app, &at("cancel"), &[(&units, "1"), ("refund", "yes"), ("reason", "too many")]).await,
        );
        app.drain_jobs().await;
        assert_eq!(count(&app, "SELECT units_cancelled FROM orders").await, 1);

        let address = [
            ("name", "Ada Lovelace"),
            ("line1", "Linienstraße 5"),
            ("postal_code", "10178"),
            ("city", "Berlin"),
            ("country", "DE"),
        ];
        location(&send(&app, &at("address"), &address).await);
        let mut abroad = address.to_vec();
        abroad[4] = ("country", "FR");
        let refused = send(&app, &at("address"), &abroad).await;
        assert!(
            refused.status.is_client_error() && refused.text.contains("Linienstraße 5"),
            "{}",
            refused.text
        );

        let refused =
            send(&app, &at("refund"), &[("amount", "1000"), ("reason", "goodwill"), ("once", "r0")]).await;
        assert!(refused.status == 409 && refused.text.contains("goodwill"), "{}", refused.text);
        let refund = [("amount", "5.00"), ("reason", "goodwill"), ("to", "tenders"), ("once", "r1")];
        location(&send(&app, &at("refund"), &refund).await);
        location(&send(&app, &at("refund"), &refund).await);
        app.drain_jobs().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM refund WHERE reason = 'goodwill'").await, 1);
        location(&send(&app, &at("note"), &[("text", "called, all is well")]).await);
        location(&send(&app, &at("tag"), &[("tag", "vip")]).await);
        location(&send(&app, &at("confirmation"), &[]).await);
        app.drain_jobs().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM mail WHERE template = 'order_placed'").await, 2);
        let page = app.get(&here).await;
        for text in ["called, all is well", "vip", "Linienstraße 5", "Refund granted"] {
            assert!(page.text.contains(text), "{}: {text} is missing", app.name);
        }
        app.check().await;
    }
}

#[tokio::test]
async fn a_reviewer_decides_and_comes_to_the_next() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 90).await;
        let mut ids = Vec::new();
        for who in ["one", "two"] {
            let mut order = shop::order(who, &[("TEE", 30)]);
            order["buyer"]["email"] = format!("{who}@mailinator.com").into();
            ids.push(app.post("/v1/orders", &order).await.ok()["id"].as_str().unwrap().to_owned());
            app.advance(1_000_000);
        }
        app.drain_jobs().await;
        let queue = app.get("/review").await;
        assert!(queue.text.contains(&ids[0]) && queue.text.contains(&ids[1]), "{}: {}", app.name, queue.text);
        let page = app.get(&format!("/review/{}", ids[0])).await;
        assert!(page.text.contains("throw-away"), "reasons in plain words: {}", page.text);
        let decide = format!("/review/{}/decide", ids[0]);
        let refused = send(&app, &decide, &[("do", "reject"), ("kind", "risk_review")]).await;
        assert!(refused.status == 422 && refused.text.contains("Say why"), "{}", refused.text);
        let next = location(
            &send(&app, &decide, &[("do", "reject"), ("kind", "risk_review"), ("reason", "fraud")]).await,
        );
        assert_eq!(next, format!("/review/{}", ids[1]));
        let end = location(
            &send(&app, &format!("/review/{}/decide", ids[1]), &[("do", "approve"), ("kind", "risk_review")])
                .await,
        );
        assert_eq!(end, "/review");
        app.drain_jobs().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM orders WHERE fulfilment_status = 'cancelled'").await, 1);
        app.check().await;
    }
}

#[tokio::test]
async fn many_orders_are_held_and_cancelled_in_the_background() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let mut ids = Vec::new();
        for n in 0..5 {
            let order = app.post("/v1/orders", &shop::order(&format!("c{n}"), &[("CAP", 1)])).await.ok();
            ids.push(order["id"].as_str().unwrap().to_owned());
        }
        app.drain_jobs().await;
        let ticked: Vec<(&str, &str)> = ids.iter().map(|id| ("ids[]", id.as_str())).collect();
        let with = |more: &[(&'static str, &'static str)]| [&ticked[..], more].concat();
        let asked = send(&app, "/orders/bulk", &with(&[("do", "cancel")])).await;
        assert!(asked.status == 200 && asked.text.contains("5 units are cancelled"), "{}", asked.text);
        location(&send(&app, &format!("/orders/{}/cancel", ids[0]), &cancel_all(&app, &ids[0]).await).await);
        let cancel = with(&[("do", "cancel"), ("about", "recall"), ("once", "b1")]);
        let progress = location(&send(&app, "/orders/bulk", &cancel).await);
        assert_eq!(location(&send(&app, "/orders/bulk", &cancel).await), progress, "a double click");
        app.drain_jobs().await;
        let page = app.get(&progress).await;
        assert!(
            page.text.contains("5 of 5") && page.text.contains("Orders that were refused"),
            "{}",
            page.text
        );
        assert_eq!(count(&app, "SELECT done FROM order_bulk").await, 4);
        let csv = send(&app, "/orders/bulk", &with(&[("do", "csv")])).await;
        assert_eq!(csv.text.lines().count(), 6, "{}", csv.text);
        let all = send(
            &app,
            "/orders/bulk",
            &[
                ("do", "tag"),
                ("every", "yes"),
                ("query", "/orders?fulfilment_status=cancelled"),
                ("about", "recalled"),
            ],
        )
        .await;
        location(&all);
        app.drain_jobs().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM orders WHERE tags LIKE '%recalled%'").await, 5);
        app.check().await;
    }
}

/// The fields that cancel all of an order of one line.
async fn cancel_all(app: &TestApp, id: &str) -> Vec<(&'static str, &'static str)> {
    let order = app.get(&format!("/v1/orders/{id}")).await.ok();
    let line = order["details"]["lines"][0]["id"].as_str().unwrap();
    let name: &'static str = Box::leak(format!("units-{line}").into_boxed_str());
    vec![(name, "1"), ("reason", "first"), ("refund", "yes")]
}

#[tokio::test]
async fn lists_home_and_customers_show_what_is_there() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 2).await;
        let mut short = shop::order("bob", &[("CAP", 5)]);
        short["if_out_of_stock"] = "backorder".into();
        let late = app.post("/v1/orders", &short).await.ok();
        app.post("/v1/orders", &shop::order("ada", &[("TEE", 1)])).await.ok();
        app.drain_jobs().await;
        let number = late["number"].as_str().unwrap();
        for (query, there) in [
            ("", true),
            ("?only=backordered", true),
            ("?only=ready", false),
            ("?search=bob%40example.com", true),
            ("?search=CAP&sort=placed", true),
            ("?hold=any", false),
            ("?location=BER", true),
            ("?from=2000-01-01&to=2000-01-02", false),
        ] {
            let list = app.get(&format!("/orders{query}")).await;
            assert_eq!(list.status, 200, "{query}: {}", list.text);
            assert_eq!(list.text.contains(number), there, "{}: {query}", app.name);
        }
        assert_eq!(app.get("/orders?from=yesterday").await.status, 422);
        let home = app.get("/").await;
        assert!(
            home.text.contains("Stock-outs") && home.text.contains("Orders of the last 30 days"),
            "{}",
            home.text
        );
        assert!(app.get("/reports/stock-outs").await.text.contains("CAP"));
        let list = app.get("/customers?q=ada").await;
        let id = list.text.split("/customers/cus_").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let here = format!("/customers/cus_{id}");
        location(&send(&app, &format!("{here}/note"), &[("text", "prefers the phone")]).await);
        let credit = [("amount", "5"), ("currency", "EUR"), ("reason", "sorry"), ("once", "c1")];
        location(&send(&app, &format!("{here}/credit"), &credit).await);
        location(&send(&app, &format!("{here}/credit"), &credit).await);
        let refused =
            send(&app, &format!("{here}/credit"), &[("amount", "x"), ("currency", "EUR"), ("reason", "y")])
                .await;
        assert_eq!(refused.status, 422);
        let page = app.get(&here).await;
        assert!(page.text.contains("prefers the phone") && page.text.contains("5.00"), "{}", page.text);
        assert_eq!(count(&app, "SELECT balance FROM store_credit").await, 500);
        let panel = app.call(Method::GET, &format!("/panels{here}/orders"), &[], None).await;
        assert_eq!(panel.status, 200, "{}", panel.text);
        app.check().await;
    }
}
