//! Amounts and moments at and beyond what is real. Invariant: what cannot be is refused by name, never a fault, on both databases.

use crate::support::{TestApp, shop};
use serde_json::{Value, json};

fn correction(amount: Value) -> Value {
    json!({"currency": "EUR", "amount": amount, "debit": "1000", "credit": "4000", "text": "a correction"})
}

#[tokio::test]
async fn corrections_of_the_books_have_bounds() {
    let most = 100_000_000_000_000i64;
    for app in TestApp::both().await {
        for amount in [most + 1, -most - 1, i64::MAX, i64::MIN] {
            let answer = app.post("/v1/books/adjustments", &correction(json!(amount))).await;
            assert_eq!(answer.refused(422), "request.invalid", "{} {amount}", app.name);
            assert_eq!(answer.json()["errors"][0]["pointer"], "/amount");
        }
        for amount in [json!(9_223_372_036_854_775_808u64), json!(1e300), json!(0.5), json!("1"), json!(null)]
        {
            let answer = app.post("/v1/books/adjustments", &correction(amount.clone())).await;
            assert_eq!(answer.refused(422), "request.invalid", "{} {amount}", app.name);
        }
        for at in ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"] {
            let mut body = correction(json!(100));
            body["at"] = json!(at);
            let answer = app.post("/v1/books/adjustments", &body).await;
            assert_eq!(
                (answer.refused(422), &answer.json()["errors"][0]["pointer"]),
                ("request.invalid".into(), &json!("/at"))
            );
        }
        // As much as may be, many times over: the sums still hold.
        for amount in [most, most, most, -most] {
            let answer = app.post("/v1/books/adjustments", &correction(json!(amount))).await;
            assert_eq!(answer.status, 204, "{} {}", app.name, answer.text);
        }
        let accounts = app.get("/v1/books/trial-balance").await.ok()["accounts"].clone();
        let bank = accounts.as_array().unwrap().iter().find(|a| a["account"] == "1000").unwrap().clone();
        assert_eq!(bank["balance"], 2 * most, "{}", app.name);
        for (query, status) in [
            ("until=0001-01-01T00:00:00Z", 200),
            ("until=9999-12-31T23:59:59Z", 200),
            ("until=292278-01-01T00:00:00Z", 422),
            ("until=yesterday", 422),
        ] {
            for statement in ["trial-balance", "balance-sheet", "profit-and-loss"] {
                let answer = app.get(&format!("/v1/books/{statement}?{query}")).await;
                assert_eq!(answer.status, status, "{} {statement} {query}: {}", app.name, answer.text);
            }
        }
        app.check_laws().await;
    }
}

#[tokio::test]
async fn an_order_is_placed_between_1970_and_now() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let now = app.ctx.db.now();
        for (at, taken) in [
            ("0001-01-01T00:00:00Z".to_owned(), false),
            ("1969-12-31T23:59:59.999999Z".to_owned(), false),
            ("1970-01-01T00:00:00Z".to_owned(), true),
            (now.to_string(), true),
            (now.plus(1).to_string(), false),
            ("9999-12-31T23:59:59Z".to_owned(), false),
        ] {
            let mut order = shop::order("ada", &[("TEE", 1)]);
            order["placed_at"] = json!(at);
            let answer = app.post("/v1/orders", &order).await;
            match taken {
                true => assert_eq!(answer.status, 201, "{} {at}: {}", app.name, answer.text),
                false => {
                    assert_eq!(answer.refused(422), "request.invalid", "{} {at}", app.name);
                    assert_eq!(answer.json()["errors"][0]["pointer"], "/placed_at");
                }
            }
        }
        app.check_laws().await;
    }
}

#[tokio::test]
async fn quantities_and_prices_have_bounds() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        for quantity in [0, -1, 1_000_001, i64::MAX, i64::MIN] {
            let answer = app.post("/v1/orders", &shop::order("ada", &[("TEE", quantity)])).await;
            assert_eq!(answer.refused(422), "orders.bad_quantity", "{} {quantity}", app.name);
        }
        for (field, value) in
            [("shipping", i64::MAX), ("shipping", -1), ("fee", i64::MAX), ("discount", i64::MIN)]
        {
            let mut order = shop::order("ada", &[("TEE", 1)]);
            order[field] = json!(value);
            let answer = app.post("/v1/orders", &order).await;
            assert_eq!(answer.status, 422, "{} {field} {value}: {}", app.name, answer.text);
        }
        let mut order = shop::order("ada", &[("TEE", 1_000_000)]);
        order["lines"][0]["unit_price"] = json!(i64::MAX);
        assert_eq!(app.post("/v1/orders", &order).await.status, 422, "{}", app.name);
    }
}

/// Whoever signs a webhook may still send what no text of ours holds, and PostgreSQL refuses: that is no fault of ours.
#[tokio::test]
async fn a_webhook_with_control_characters_is_unreadable() {
    for app in TestApp::both().await {
        let secret = "a secret of enough letters";
        let setting = payments::webhook::secret_setting("sandbox");
        db::write!(app.ctx.db, &fulmar::cmd::operator(), |tx| db::settings::set(tx, &setting, &secret).await)
            .unwrap();
        let body = json!({"id": "evt\u{0}1", "facts": []});
        let signature = connectors::gateways::sandbox::sign(secret, body.to_string().as_bytes()).unwrap();
        let headers = [(connectors::gateways::sandbox::SIGNATURE, signature.as_str())];
        let answer =
            app.call(axum::http::Method::POST, "/v1/webhooks/gateways/sandbox", &headers, Some(&body)).await;
        assert_eq!(answer.refused(422), "payments.unreadable_webhook", "{}", app.name);
    }
}
