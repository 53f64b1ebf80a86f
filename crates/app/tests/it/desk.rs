//! What the pages of the back office and of customers say and ask before they act: through the router, on both databases.

use crate::clerk::{count, location, send};
use crate::support::walkthrough::{OrderWalkthrough, Step};
use crate::support::{TestApp, shop};
use serde_json::json;

/// The part of a page between two texts.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}")).1;
    rest.split(to).next().unwrap()
}

#[tokio::test]
async fn a_refund_names_its_parts_and_shipping_can_be_left_out() {
    for app in TestApp::both().await {
        let own = shop::open(&app.ctx.db, 40).await;
        let walk = OrderWalkthrough::up_to(&app, &own, "ada", Step::Delivered).await;
        let (here, units) = (format!("/orders/{}", walk.order), format!("units-{}", walk.lines[0]));
        let preview = format!("{here}/refund/preview");
        let whole = send(&app, &preview, &[(&units, "1")]).await.text;
        for part in ["1 unit<", "Their tax", "Shipping, with its tax", "This refund"] {
            assert!(whole.contains(part), "{}: {part}: {whole}", app.name);
        }
        let without = send(&app, &preview, &[(&units, "1"), ("shipping", "0")]).await.text;
        assert!(!without.contains("Shipping, with its tax") && without.contains("20.00"), "{without}");
        let set = send(&app, &preview, &[(&units, "1"), ("shipping", "1.50")]).await.text;
        assert!(set.contains("21.50"), "{set}");
        let much = send(&app, &preview, &[("shipping", "400")]).await.text;
        assert!(much.contains("of shipping"), "{much}");
        let refund = [(units.as_str(), "1"), ("shipping", "0"), ("reason", "broken"), ("once", "r1")];
        location(&send(&app, &format!("{here}/refund"), &refund).await);
        assert_eq!(count(&app, "SELECT amount FROM refund").await, 2_000, "{}", app.name);
        app.drain_jobs().await;
        app.check().await;
    }
}

#[tokio::test]
async fn what_cannot_be_undone_is_asked_first() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 40).await;
        let mut later = shop::order("ada", &[("TEE", 1)]);
        later["tenders"][0]["capture"] = false.into();
        app.post("/v1/orders", &later).await.ok();
        app.drain_jobs().await;
        let payments = app.get("/payments").await.text;
        let payment = between(&payments, "/payments/pay_", "\"").to_owned();
        let page = app.get(&format!("/payments/pay_{payment}")).await.text;
        let asks = between(&page, "<dialog class=\"dialog\" id=\"void\"", "</dialog>");
        assert!(asks.contains("Keep it as it is") && asks.contains("value=\"void\""), "{asks}");
        assert!(asks.contains("24.90"), "what is let go is told: {asks}");
        assert!(page.contains("data-opens=\"void\""), "{page}");
        let page = app.get("/warehouse").await.text;
        let asks = between(&page, "<dialog class=\"dialog\" id=\"release-all\"", "</dialog>");
        assert!(asks.contains("value=\"all\"") && asks.contains("pick lists"), "{asks}");
    }
}

#[tokio::test]
async fn an_endpoint_is_tried_and_its_deliveries_are_shown() {
    for app in TestApp::both().await {
        let here = "/developers/webhooks";
        let typed = [("url", "https://example.com/hook"), ("kinds", "order.placed order.nonsense")];
        let refused = send(&app, here, &typed).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains("Close to it: order."), "{}", refused.text);
        let api = app
            .post("/v1/webhooks", &json!({"url": "https://example.com/h", "kinds": ["order.plcaed"]}))
            .await;
        assert_eq!(api.refused(422), "automation.unknown_event_kind");
        let made = send(&app, here, &[("url", "http://127.0.0.1:9/hook"), ("kinds", "order.placed")]).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let list = app.get(here).await.text;
        let endpoint = format!("{here}/wep_{}", between(&list, "/developers/webhooks/wep_", "\""));
        assert!(app.get(&endpoint).await.text.contains("Send a test event"));
        location(&send(&app, &endpoint, &[("do", "test"), ("once", "t1")]).await);
        location(&send(&app, &endpoint, &[("do", "test"), ("once", "t1")]).await);
        app.drain_jobs().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM webhook_delivery").await, 1, "{}: once", app.name);
        let page = app.get(&endpoint).await.text;
        let delivery = format!("/developers/deliveries/{}", between(&page, "/developers/deliveries/", "\""));
        let shown = app.get(&delivery).await.text;
        for text in ["webhook.tested", "What is sent", "This is a test", "What was answered", "Send again"] {
            assert!(shown.contains(text), "{}: {text}: {shown}", app.name);
        }
        let id = delivery.rsplit('/').next().unwrap().to_owned();
        let again = send(&app, &endpoint, &[("do", "replay"), ("deliveries[]", &id)]).await;
        let said = again.headers["set-cookie"].to_str().unwrap_or_default().to_owned();
        assert!(!said.contains("1+deliveries") && !said.contains("1%20deliveries"), "{said}");
        location(&send(&app, &endpoint, &[("do", "pause")]).await);
        assert_eq!(
            send(&app, &endpoint, &[("do", "test")]).await.status,
            409,
            "nothing is sent to a paused one"
        );
        app.check_laws().await;
    }
}

#[tokio::test]
async fn who_sees_no_money_sees_none_and_who_reads_types_nothing() {
    for app in TestApp::both().await {
        let own = shop::open(&app.ctx.db, 40).await;
        let walk = OrderWalkthrough::up_to(&app, &own, "ada", Step::Delivered).await;
        let units = json!({"units": [{"line": walk.lines[0], "quantity": 1, "reason": "damaged"}], "resolution": "refund"});
        let made = app.post(&format!("/v1/orders/{}/returns", walk.order), &units).await.ok();
        let id = made["id"].as_str().unwrap();
        let picker = app.with_key(web::Role::Picker.grants()).await;
        // Nothing of it is decided: the list has a column for its credit, and a dash in it.
        let credit = "data-label=\"Credit\"";
        for (path, money) in [(format!("/returns/{id}"), "class=\"money"), ("/returns".to_owned(), credit)] {
            let page = picker.get(&path).await.text;
            assert!(!page.contains("class=\"money") && !page.contains("EUR"), "{}: {page}", app.name);
            assert!(!page.contains(credit), "{}: {page}", app.name);
            assert!(app.get(&path).await.text.contains(money), "{path} for who sees money");
        }
        let reader = app.with_key(web::Role::ReadOnly.grants()).await;
        let place = reader.get("/settings/locations/BER").await.text;
        assert!(place.contains("<fieldset disabled>") && !place.contains("Save"), "{place}");
        assert!(!app.get("/settings/locations/BER").await.text.contains("<fieldset disabled>"));
        for role in [web::Role::ReadOnly, web::Role::Accountant] {
            let reads = app.with_key(role.grants()).await;
            assert!(reads.get("/orders").await.text.contains("/orders/list.csv"));
            assert_eq!(reads.get("/orders/list.csv").await.text.lines().count(), 2);
        }
    }
}

#[tokio::test]
async fn days_that_make_no_span_are_told_by_the_field() {
    for app in TestApp::both().await {
        for path in ["/books/profit-and-loss", "/books/journal", "/books/accounts/1100"] {
            let page = app.get(&format!("{path}?from=2026-02-02&to=2026-02-01")).await;
            assert_eq!(page.status, 422, "{path}");
            for text in [
                "The last day is before the first.",
                "value=\"2026-02-02\"",
                "value=\"2026-02-01\"",
                "is-invalid",
            ] {
                assert!(page.text.contains(text), "{}: {path}: {text}: {}", app.name, page.text);
            }
            assert_eq!(app.get(&format!("{path}?from=2026-02-01&to=2026-02-02")).await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn home_leads_an_empty_shop_and_leaves_no_currency_out() {
    for app in TestApp::both().await {
        let empty = app.get("/").await.text;
        assert!(empty.contains("Set the shop up") && empty.contains("A place where stock lies"), "{empty}");
        shop::open(&app.ctx.db, 400).await;
        assert!(between(&app.get("/").await.text, "A place where stock lies", "</li>").contains("there"));
        for (n, currency) in ["EUR", "JPY", "KWD", "USD", "GBP", "CHF"].into_iter().enumerate() {
            for k in 0..(6 - n) {
                let mut order = shop::order(&format!("c{n}-{k}"), &[]);
                order["currency"] = currency.into();
                order["shipping"] = 0.into();
                order["lines"] = json!([{"sku": "CAP", "quantity": 1, "unit_price": 1_234_567}]);
                app.post("/v1/orders", &order).await.ok();
            }
        }
        let page = app.get("/").await.text;
        assert!(!page.contains("Set the shop up"), "{page}");
        assert!(page.contains("3 more currencies"), "{page}");
        for sum in [
            "74\u{202f}074.02 EUR",
            "6\u{202f}172\u{202f}835 JPY",
            "4\u{202f}938.268 KWD",
            "37\u{202f}037.01 USD",
            "24\u{202f}691.34 GBP",
            "12\u{202f}345.67 CHF",
        ] {
            assert!(page.contains(sum), "{}: {sum}: {page}", app.name);
        }
    }
}

#[tokio::test]
async fn today_is_the_day_of_the_shops_time_zone() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 40).await;
        app.post("/v1/orders", &shop::order("ada", &[("TEE", 1)])).await.ok();
        let now = app.ctx.db.now();
        for (zone, hours) in [("UTC", 0), ("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)] {
            let workdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
            let set = json!({"time_zone": zone, "cut_off": "10:00", "workdays": workdays, "holidays": []});
            app.put("/v1/dispatch", &set).await.ok();
            let day = now.plus(hours * kernel::Timestamp::HOUR).day();
            let page = app.get("/").await.text;
            assert!(page.contains(&format!("datetime=\"{day}\"")), "{}: {zone}: {day}: {page}", app.name);
            assert!(
                between(&page, "Orders today", "yesterday").contains(">1</div>"),
                "{}: {zone}: {page}",
                app.name
            );
        }
    }
}

#[tokio::test]
async fn tags_are_taken_off_and_customers_are_changed() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 40).await;
        let order = app.post("/v1/orders", &shop::order("ada", &[("TEE", 1)])).await.ok();
        app.post("/v1/orders", &shop::order("eve", &[("TEE", 1)])).await.ok();
        let here = format!("/orders/{}", order["id"].as_str().unwrap());
        for tag in ["vip", "late"] {
            location(&send(&app, &format!("{here}/tag"), &[("tag", tag)]).await);
        }
        assert!(app.get(&here).await.text.contains("Take “vip” off"));
        for _ in 0..2 {
            location(&send(&app, &format!("{here}/untag"), &[("tag", "vip")]).await);
        }
        assert_eq!(
            count(&app, "SELECT COUNT(*) FROM orders WHERE tags = '[\"late\"]'").await,
            1,
            "{}",
            app.name
        );
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'order.untagged'").await, 1, "once");
        assert!(app.get(&here).await.text.contains("Tag taken off"));

        let found = app.get("/customers?q=ada%40example.com").await.text;
        let customer = format!("/customers/cus_{}", between(&found, "/customers/cus_", "\""));
        let edit = format!("{customer}/edit");
        let other = [("name", "Ada King"), ("email", "EVE@example.com"), ("phone", "")];
        let refused = send(&app, &edit, &other).await;
        assert_eq!(refused.status, 409);
        assert!(
            refused.text.contains("one leads to one customer") && refused.text.contains("value=\"Ada King\""),
            "{}",
            refused.text
        );
        for (field, fields) in [
            ("name", [("name", " "), ("email", ""), ("phone", "")]),
            ("email", [("name", "Ada"), ("email", "nobody"), ("phone", "")]),
            ("phone", [("name", "Ada"), ("email", ""), ("phone", "12")]),
        ] {
            let refused = send(&app, &edit, &fields).await;
            assert!(
                refused.status == 422 && refused.text.contains("is-invalid"),
                "{field}: {}",
                refused.text
            );
        }
        let good =
            [("name", "Ada  King"), ("email", "King@Example.com"), ("phone", "030 901820"), ("once", "e1")];
        location(&send(&app, &edit, &good).await);
        location(&send(&app, &edit, &good).await);
        let kept = "SELECT COUNT(*) FROM customer WHERE name = 'Ada King' AND email = 'King@example.com' AND phone = '+4930901820'";
        assert_eq!(count(&app, kept).await, 1, "{}", app.name);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'customer.edited'").await, 1, "once");
        assert!(app.get("/customers?q=king").await.text.contains("Ada King"), "found by the new last name");
        assert!(
            app.get(&here).await.text.contains("ada@example.com"),
            "an order keeps what it was placed with"
        );
        app.drain_jobs().await;
        app.check().await;
    }
}

#[tokio::test]
async fn who_asks_a_return_is_thanked_and_told_what_is_next() {
    for app in TestApp::both().await {
        let own = shop::open(&app.ctx.db, 40).await;
        let walk = OrderWalkthrough::up_to(&app, &own, "ada", Step::Delivered).await;
        let number = walk.show(&app).await["number"].as_str().unwrap().to_owned();
        let anyone = app.anonymous();
        let found = anyone.form("/track", &format!("number={number}&email=ada%40example.com")).await;
        let at = location(&found);
        let pass = at.split("t=").nth(1).unwrap().to_owned();
        let (many, why) = (format!("quantity[{}]", walk.lines[0]), format!("reason[{}]", walk.lines[0]));
        let asked =
            [("t", pass.as_str()), ("once", "a1"), (&many, "1"), (&why, "damaged"), ("resolution", "refund")];
        let review = send(&anyone, "/track/return", &asked).await.text;
        assert!(
            review.contains("Show us what is wrong") && review.contains("/track/return/send"),
            "{review}"
        );

        let wrong = anyone.upload("/track/return/send", &asked, &[b"no photo".to_vec()]).await;
        assert!(
            wrong.status == 422 && wrong.text.contains("Is this right?"),
            "{} {}",
            wrong.status,
            wrong.text
        );
        let stolen =
            [("t", "nothing"), ("once", "a1"), (&many, "1"), (&why, "damaged"), ("resolution", "refund")];
        assert_eq!(anyone.upload("/track/return/send", &stolen, &[]).await.status, 410);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM return_request").await, 0);
        for _ in 0..2 {
            let sent = anyone.upload("/track/return/send", &asked, &[crate::photos::jpeg(1)]).await;
            assert!(location(&sent).ends_with("thanks=yes"), "{}", sent.text);
        }
        assert_eq!(count(&app, "SELECT COUNT(*) FROM return_request").await, 1, "{}: sent twice", app.name);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM return_photo").await, 1, "{}", app.name);
        let page = anyone.get(&format!("{at}&thanks=yes")).await.text;
        let thanks = page.find("Thank you, your return").unwrap_or_else(|| panic!("no thanks in {page}"));
        let (asked, state) = (page.find("Return R").unwrap(), page.find("Everything has arrived").unwrap());
        assert!(thanks < asked && asked < state, "{page}");
        let id = app.get("/v1/returns").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
        location(&send(&app, &format!("/returns/{id}/decide"), &[("do", "approve")]).await);
        let page = anyone.get(&at).await.text;
        let to = between(&page, "Send it to:", "</address>");
        assert!(
            to.contains("Torstraße 1") && to.contains("Berlin"),
            "{}: the place, not only a name: {to}",
            app.name
        );
        app.drain_jobs().await;
        app.check().await;
    }
}
