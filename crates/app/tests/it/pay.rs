//! A clerk takes an order by phone and sends a payment request; the customer pays by the link of the e-mail, once, whatever is clicked.

use crate::clerk::{PHONE_ORDER, count, location, send};
use crate::support::{Answer, TestApp, shop};
use serde_json::json;

/// The link of the newest e-mail.
async fn mailed(app: &TestApp) -> String {
    app.drain_jobs().await;
    let text =
        "SELECT body_text FROM mail WHERE template = 'order_payment_requested' ORDER BY id DESC LIMIT 1";
    let mail: String = app.ctx.db.read().scalar(text, []).await.unwrap().unwrap();
    assert!(mail.contains("54.40 EUR") && mail.contains("2 x "), "{mail}");
    let token = mail.split("/pay?t=").nth(1).unwrap_or_else(|| panic!("no link in {mail}"));
    format!("/pay?t={}", token.split_whitespace().next().unwrap())
}

async fn pay(customer: &TestApp, link: &str, token: &str) -> Answer {
    let pass = link.split("t=").nth(1).unwrap();
    customer.form("/pay", &format!("t={pass}&way=sandbox-card-{token}&amount=1")).await
}

fn entered(payment: &'static str, email: &'static str) -> Vec<(&'static str, &'static str)> {
    let rest = PHONE_ORDER.iter().copied().filter(|(n, _)| *n != "payment" && *n != "email");
    rest.chain([("payment", payment), ("email", email)]).collect()
}

#[tokio::test]
async fn a_payment_request_is_paid_by_its_link_once() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let nowhere = send(&app, "/orders/new", &entered("request", "")).await;
        assert!(nowhere.status == 422 && nowhere.text.contains("field-email-error"), "{}", nowhere.text);
        let order = location(&send(&app, "/orders/new", &entered("request", "ada@example.com")).await);
        let twice = location(&send(&app, "/orders/new", &entered("request", "ada@example.com")).await);
        assert_eq!(order, twice, "a double click");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'order.payment_requested'").await, 1);
        assert!(app.get(&order).await.text.contains("Payment request sent"));

        let customer = app.anonymous();
        let link = mailed(&app).await;
        let shown = customer.get(&link).await;
        assert!(shown.status == 200 && shown.text.contains("54.40"), "{}", shown.text);
        assert!(!shown.text.contains("Torstra") && !shown.text.contains("ada@"), "no address is shown");
        assert!(shown.headers.contains_key("x-robots-tag"));
        // A link that was changed is none; a way that is not offered is none either.
        let last = link.chars().last().unwrap();
        let other = format!("{}{}", &link[..link.len() - 1], if last == 'A' { 'B' } else { 'A' });
        let other = other.replacen("ord_", "ord_1", 1);
        assert_eq!(customer.get(&other).await.status, 410);
        assert_eq!(pay(&customer, &other, "tok_ok").await.status, 410);
        assert_eq!(pay(&customer, &link, "tok_timeout").await.status, 422);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM payment").await, 0);

        // Declined: it says so, and may be tried again.
        assert_eq!(pay(&customer, &link, "tok_declined").await.status, 303);
        assert!(customer.get(&link).await.text.contains("waiting for your bank"));
        app.drain_jobs().await;
        assert!(customer.get(&link).await.text.contains("was declined"));
        assert_eq!(count(&app, "SELECT holds FROM orders").await, 1);

        // Paid from two windows at the same moment, and once more afterwards: money is taken once.
        let (a, b) = tokio::join!(pay(&customer, &link, "tok_ok"), pay(&customer, &link, "tok_ok"));
        assert_eq!((a.status.as_u16(), b.status.as_u16()), (303, 303), "{} {}", a.text, b.text);
        app.drain_jobs().await;
        assert!(customer.get(&link).await.text.contains("It is paid"));
        assert_eq!(pay(&customer, &link, "tok_ok").await.status, 303);
        app.drain_jobs().await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM payment WHERE NOT failed").await, 1, "{}", app.name);
        assert_eq!(count(&app, "SELECT authorised FROM orders").await, 5440);
        assert_eq!(count(&app, "SELECT holds FROM orders").await, 0, "it goes on by itself");
        app.check_laws().await;
    }
}

#[tokio::test]
async fn a_request_is_sent_from_the_order_and_over_the_api_as_long_as_something_is_owed() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let order =
            location(&send(&app, "/orders/new", &entered("manual bank_transfer", "ada@example.com")).await);
        assert!(app.get(&order).await.text.contains("Send a payment request"));
        assert_eq!(app.form(&format!("{order}/payment-request"), "once=p1").await.status, 303);
        let reader = app.with_key(&["orders:read"]).await;
        let api = format!("/v1{order}/payment-requests");
        assert_eq!(reader.post(&api, &json!({})).await.status, 403);
        assert_eq!(app.post(&api, &json!({})).await.status, 204);
        let link = mailed(&app).await;
        assert_eq!(
            count(&app, "SELECT COUNT(*) FROM mail WHERE template = 'order_payment_requested'").await,
            2
        );
        // The awaited transfer does not stand in the way of paying on the page.
        assert_eq!(pay(&app.anonymous(), &link, "tok_ok").await.status, 303);
        app.drain_jobs().await;
        let told = app.post(&api, &json!({})).await;
        assert_eq!(told.refused(409), "orders.nothing_owed");
        assert!(!app.get(&order).await.text.contains("Send a payment request"));
        app.check_laws().await;
    }
}

#[tokio::test]
async fn a_channel_is_made_and_says_what_it_lacks() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let mut order = shop::order("ada", &[("TEE", 1)]);
        order["channel"] = json!("webshop");
        order["reference"] = json!("W-1");
        assert_eq!(app.post("/v1/orders", &order).await.refused(422), "orders.unknown_channel");
        let clerk = app.with_key(&["orders:read"]).await;
        assert_eq!(
            send(&clerk, "/settings/channels", &[("code", "webshop"), ("name", "X")]).await.status,
            403
        );
        for (code, name, field) in
            [("Web shop", "X", "field-code-error"), ("webshop", " ", "field-name-error")]
        {
            let wrong = send(&app, "/settings/channels", &[("code", code), ("name", name)]).await;
            assert!(wrong.status == 422 && wrong.text.contains(field), "{}", wrong.text);
        }
        let made = send(&app, "/settings/channels", &[("code", "webshop"), ("name", "Web shop")]).await;
        let page = location(&made);
        let told = app.get(&page).await;
        assert!(told.text.contains("No order has come from it yet"), "{}", told.text);
        assert_eq!(app.post("/v1/orders", &order).await.status, 201);
        let told = app.get(&page).await;
        assert!(told.text.contains("Its newest order was placed:"), "{}", told.text);
        let renamed = app.put("/v1/channels/webshop", &json!({"name": "The shop"})).await.ok();
        assert!(renamed["data"].as_array().unwrap().iter().any(|c| c["name"] == "The shop"), "{renamed}");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'channel.saved'").await, 2);
        app.check_laws().await;
    }
}

#[tokio::test]
async fn routing_rules_are_made_moved_and_removed_by_page_and_api() {
    const HERE: &str = "/settings/routing";
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let clerk = app.with_key(&["orders:read"]).await;
        assert_eq!(send(&clerk, HERE, &[("name", "X")]).await.status, 403);
        let good = [("name", "Express"), ("express", "yes"), ("how", "only"), ("locations", "BER")];
        for (field, value) in [
            ("name", " "),
            ("countries", "DE, XX"),
            ("units_from", "many"),
            ("locations", "PAR"),
            ("how", ""),
        ] {
            let mut wrong = good.to_vec();
            wrong.retain(|(name, _)| *name != field);
            wrong.push((field, value));
            let told = send(&app, HERE, &wrong).await;
            // A choice shows its first one again, and says nothing of itself.
            let said =
                field == "how" || told.text.contains(&format!("field-{}-error", field.replace('_', "-")));
            assert!(told.status == 422 && said, "{} {field}: {}", app.name, told.text);
        }
        location(&send(&app, HERE, &good).await);
        location(
            &send(
                &app,
                HERE,
                &[("name", "Austria"), ("countries", "at"), ("how", "never"), ("locations", "BER")],
            )
            .await,
        );
        location(&send(&app, HERE, &[("act", "up"), ("rule", "Austria")]).await);
        let rules = app.get("/v1/routing-rules").await.ok();
        assert_eq!(rules["rules"][0]["name"], "Austria", "{}: {rules}", app.name);
        assert_eq!(rules["rules"][0]["countries"], json!(["AT"]), "{}: {rules}", app.name);
        let page = app.get("/settings/routing?rule=Austria").await;
        assert!(page.text.contains("Orders to AT") && page.text.contains("never BER"), "{}", page.text);
        location(&send(&app, HERE, &[("act", "remove"), ("rule", "Austria")]).await);
        assert_eq!(send(&app, HERE, &[("act", "remove"), ("rule", "Austria")]).await.status, 409);
        let mut rules = app.get("/v1/routing-rules").await.ok();
        assert_eq!(rules["rules"].as_array().unwrap().len(), 1, "{}: {rules}", app.name);
        assert_eq!(app.put("/v1/routing-rules", &rules).await.ok(), rules, "{}", app.name);
        rules["rules"][0]["locations"] = json!(["PAR"]);
        let wrong = app.put("/v1/routing-rules", &rules).await;
        assert_eq!(wrong.refused(422), "orders.rule_unknown_location", "{}", app.name);
        assert_eq!(
            wrong.json()["errors"][0]["pointer"],
            "/rules/0/locations",
            "{}: {}",
            app.name,
            wrong.text
        );
        app.check_laws().await;
    }
}
