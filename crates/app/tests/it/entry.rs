//! Typing orders in: what is wrong is told at once and by its field, amounts and countries are taken as people write them, and people are
//! found by their last name in every box.

use crate::clerk::{PHONE_ORDER, count, location, send};
use crate::support::{Answer, TestApp, shop};
use serde_json::json;

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// The order by phone, with other fields.
fn with<'a>(other: &[(&'a str, &'a str)]) -> Fields<'a> {
    let mut fields = PHONE_ORDER.to_vec();
    fields.retain(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    [other, &fields[..]].concat()
}

/// The fields that a form says are wrong, in the order they stand in it.
fn wrong(answer: &Answer) -> Vec<String> {
    let ids = answer.text.split("id=\"field-").skip(1).filter_map(|rest| rest.split('"').next());
    ids.filter_map(|id| id.strip_suffix("-error")).map(str::to_owned).collect()
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_by_its_field() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let sent = with(&[
            ("quantity-0", "-3"),
            ("sku-1", ""),
            ("sku-2", "NOPE"),
            ("sku-4", "CAP"),
            ("price-4", "1,250"),
            ("country", "Atlantis"),
            ("email", "nix@"),
            ("promised", "soon"),
            ("bill_elsewhere", "yes"),
            ("bill_name", "Ada Lovelace"),
            ("bill_line1", "Torstraße 1"),
            ("bill_postal_code", "ABC"),
            ("bill_city", "Berlin"),
            ("bill_country", "Germany"),
        ]);
        let again = send(&app, "/orders/new", &sent).await;
        assert_eq!(again.status, 422, "{}", again.text);
        let told = wrong(&again);
        for field in ["email", "country", "bill-postal-code", "quantity-0", "sku-2", "price-4", "promised"] {
            assert!(told.iter().any(|t| t == field), "{}: {field} is not among {told:?}", app.name);
        }
        assert_eq!(told.len(), 7, "{}: {told:?}", app.name);
        assert!(again.text.contains("may mean thousands") && again.text.contains("value=\"Atlantis\""));
        assert!(again.text.contains("data-keep=\"given\""), "what came back is what is kept");

        let domestic =
            with(&[("postal_code", "ABC"), ("email", "nix@"), ("quantity-0", "-3"), ("line1", "")]);
        let told = wrong(&send(&app, "/orders/new", &domestic).await);
        assert_eq!(told, ["email", "line1", "postal-code", "quantity-0"], "{}", app.name);
        let nothing = wrong(&send(&app, "/orders/new", &with(&[("sku-0", ""), ("sku-1", "")])).await);
        assert_eq!(nothing, ["sku-0"], "{}", app.name);
        let no_money = wrong(&send(&app, "/orders/new", &with(&[("currency", "EURO"), ("name", "")])).await);
        assert_eq!(no_money, ["name", "currency"], "{}", app.name);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM orders").await, 0);
    }
}

#[tokio::test]
async fn amounts_with_a_comma_and_countries_by_name_are_taken() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let typed = with(&[
            ("price-0", "12,50"),
            ("price-1", "0,5"),
            ("discount", "7,5"),
            ("shipping", "4,90"),
            ("country", "germany"),
        ]);
        // 2 × 12.50 + 0.50, less 7.5 %, and 4.90 of shipping.
        let shown = send(&app, "/orders/new/preview", &typed).await;
        assert!(shown.text.contains("28.49"), "{}: {}", app.name, shown.text);
        let placed = location(&send(&app, "/orders/new", &typed).await);
        assert_eq!(count(&app, "SELECT total FROM orders").await, 2849, "{}", app.name);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM orders WHERE country = 'DE'").await, 1);

        let refused = send(&app, &format!("{placed}/refund"), &[("amount", "1,000"), ("reason", "x")]).await;
        assert!(refused.status == 422 && refused.text.contains("may mean thousands"), "{}", refused.text);
        // Programs write points.
        let customer = format!("/v1/orders/{}/refunds", placed.trim_start_matches("/orders/"));
        let strict = app.post(&customer, &json!({"amount": "1,50", "reason": "x"})).await;
        assert!(strict.status.is_client_error(), "{}", strict.text);
        app.check_laws().await;
    }
}

#[tokio::test]
async fn a_look_up_says_which_is_the_very_one() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        for path in ["/orders/new/skus", "/catalog/lookup"] {
            for scanned in ["4006381333931", "TEE", "tee"] {
                let found = app.get(&format!("{path}?q={scanned}")).await;
                let exact = "data-value=\"TEE\" data-shown=\"TEE\" data-exact";
                assert!(found.text.contains(exact), "{}: {path} {scanned}: {}", app.name, found.text);
            }
            let begun = app.get(&format!("{path}?q=t")).await;
            assert!(!begun.text.contains("data-exact") && begun.text.contains("TEE"), "{}", begun.text);
        }
    }
}

async fn named(app: &TestApp, name: &str, who: &str) -> String {
    let mut order = shop::order(who, &[("TEE", 1)]);
    order["buyer"]["name"] = json!(name);
    app.post("/v1/orders", &order).await.ok()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn people_are_found_by_their_last_name_in_every_box() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let first = named(&app, "Anna Berger", "anna").await;
        let second = named(&app, "Bo Maria BERGERSON", "bo").await;
        let umlaut = named(&app, "Élise Östergård", "elise").await;
        named(&app, "Bernd Huber", "bernd").await;
        for path in ["/orders?search=", "/customers?q=", "/search?q=", "/orders/new/customers?q="] {
            for (text, anna, bo, elise) in [
                ("berger", true, true, false),
                ("Berg", true, true, false),
                ("berger%20anna", true, false, false),
                ("Berger,%20Anna", true, false, false),
                ("Anna", true, false, false),
                ("%C3%B6stergard", false, false, false),
                ("%C3%96STERG%C3%85RD", false, false, true),
            ] {
                let found = app.get(&format!("{path}{text}")).await;
                // The one thing that is found is where it leads to.
                let page = match found.headers.get("location") {
                    Some(to) => app.get(to.to_str().unwrap()).await,
                    None => found,
                };
                for (name, expected) in [("Anna Berger", anna), ("BERGERSON", bo), ("Östergård", elise)] {
                    let shown = page.text.contains(name);
                    assert_eq!(shown, expected, "{}: {name} by {path}{text}: {}", app.name, page.text);
                }
                assert!(!page.text.contains("Huber"), "{}: {path}{text}", app.name);
            }
        }
        // By their orders as well, newest first and page by page, whatever is filtered.
        let ids = |page: serde_json::Value| -> Vec<String> {
            page["data"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect()
        };
        let list = async |query: &str| app.get(&format!("/v1/orders?search=berger{query}")).await.ok();
        let page = list("&limit=1").await;
        let cursor = page["next_cursor"].as_str().unwrap().to_owned();
        let rest = list(&format!("&limit=1&cursor={cursor}")).await;
        assert_eq!([ids(page), ids(rest)].concat(), [second.clone(), first.clone()], "{}", app.name);
        assert_eq!(ids(list("&fulfilment_status=unfulfilled").await), [second, first], "{}", app.name);
        assert_eq!(ids(list("&fulfilment_status=delivered").await), Vec::<String>::new(), "{}", app.name);
        assert_eq!(ids(app.get("/v1/orders?search=%C3%B6ster").await.ok()), [umlaut], "{}", app.name);
    }
}

#[tokio::test]
async fn more_lines_come_without_a_script_and_forms_have_no_page_of_their_own() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        app.put("/v1/suppliers", &json!({"items": [{"code": "ACME", "name": "Acme"}]})).await.ok();
        let line =
            [("supplier", "ACME"), ("lines[0][sku]", "TEE"), ("lines[0][quantity]", "3"), ("do", "more")];
        let more = send(&app, "/purchasing/new", &line).await;
        assert!(more.status == 200 && more.text.contains("name=\"lines[4][sku]\""), "{}", more.text);
        assert!(!more.text.contains("name=\"lines[5][sku]\"") && more.text.contains("value=\"TEE\""));
        assert_eq!(count(&app, "SELECT COUNT(*) FROM purchase").await, 0);
        let saved = [
            ("supplier", "ACME"),
            ("location", "BER"),
            ("lines[0][sku]", "4006381333931"),
            ("lines[0][quantity]", "3"),
            ("lines[0][cost]", "6,50"),
        ];
        location(&send(&app, "/purchasing/new", &saved).await);
        assert_eq!(count(&app, "SELECT unit_cost FROM purchase_line").await, 650, "{}", app.name);

        let id = named(&app, "Anna Berger", "anna").await;
        let away = app.get(&format!("/orders/{id}/hold")).await;
        assert_eq!(location(&away), format!("/orders/{id}"), "{}", app.name);
    }
}
