//! Two customers who are one person: what a merge moves, what it says before, what it refuses, and where whoever comes with the old id, the
//! old e-mail address or the old phone number is led. By API and by page, on both databases.

use crate::clerk::{count, location, send};
use crate::support::walkthrough::{OrderWalkthrough, Step};
use crate::support::{TestApp, shop};
use serde_json::{Value, json};

const DAY: i64 = 86_400_000_000;

async fn customer(app: &TestApp, who: &str) -> String {
    let found = app.get(&format!("/v1/customers?email={who}%40example.com")).await.ok();
    found["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{who}: {found}")).to_owned()
}

async fn orders_of(app: &TestApp, customer: &str) -> Vec<String> {
    let listed = app.get(&format!("/v1/orders?customer={customer}&limit=200")).await.ok();
    let mut ids: Vec<String> =
        listed["data"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

async fn grant(app: &TestApp, customer: &str, amount: i64) {
    let credit = json!({"currency": "EUR", "amount": amount, "reason": "sorry"});
    app.post(&format!("/v1/customers/{customer}/store-credit"), &credit).await.ok();
}

async fn balance(app: &TestApp, customer: &str) -> Value {
    app.get(&format!("/v1/customers/{customer}/store-credit")).await.ok()["balances"].clone()
}

fn eur(minor: i64) -> Value {
    json!([{"minor": minor, "currency": "EUR"}])
}

/// Two customers who are one, with orders in every state.
struct Two {
    ada: String,
    other: String,
    /// All of their orders.
    all: Vec<String>,
    /// An order of the other one that is not paid.
    unpaid: String,
    /// A return of the other one that is inspected and not settled.
    returned: String,
}

async fn two(app: &TestApp) -> Two {
    let goods = shop::open(&app.ctx.db, 500).await;
    let (mut all, mut returned) = (Vec::new(), String::new());
    for step in [
        Step::Placed,
        Step::Paid,
        Step::Picked,
        Step::Packed,
        Step::Labelled,
        Step::Shipped,
        Step::Delivered,
        Step::Returned,
        Step::Refunded,
    ] {
        for who in ["ada", "lovelace"] {
            let walk = OrderWalkthrough::up_to(app, &goods, who, step).await;
            if (who, step) == ("lovelace", Step::Returned) {
                returned = walk.return_id;
            }
            all.push(walk.order);
            // Days later, or it would be taken for the same order sent twice.
            app.advance(2 * DAY);
        }
    }
    let mut order = shop::order("lovelace", &[("CAP", 3)]);
    order["tenders"] = json!([]);
    let unpaid = app.post("/v1/orders", &order).await.ok()["id"].as_str().unwrap().to_owned();
    app.post(&format!("/v1/orders/{unpaid}/payment-requests"), &json!({})).await.ok();
    all.push(unpaid.clone());
    all.sort_unstable();
    app.drain_jobs().await;
    let (ada, other) = (customer(app, "ada").await, customer(app, "lovelace").await);
    grant(app, &ada, 700).await;
    grant(app, &other, 500).await;
    send(app, &format!("/customers/{other}/note"), &[("text", "Likes blue")]).await;
    for who in [&ada, &other] {
        let yes = json!({"channel": "email", "given": true, "source": "form on the site"});
        app.post(&format!("/v1/customers/{who}/consents"), &yes).await.ok();
    }
    Two { ada, other, all, unpaid, returned }
}

#[tokio::test]
async fn everything_follows_in_whatever_state_it_is() {
    for app in TestApp::both().await {
        let Two { ada, other, all, unpaid, returned } = two(&app).await;
        let before = (orders_of(&app, &ada).await, orders_of(&app, &other).await);
        assert_eq!((before.0.len(), before.1.len()), (9, 10), "{}", app.name);
        let path = format!("/v1/customers/{ada}/merge");
        foreseen(&app, &path, &other).await;
        let body = json!({"from": other, "keep": {}});
        let merged = app.post_once(&path, "once", &body).await;
        assert_eq!((&merged.ok()["id"], &merged.ok()["merged"][0]["id"]), (&json!(ada), &json!(other)));
        let again = app.post_once(&path, "once", &body).await;
        assert_eq!((again.text, again.headers.get("idempotent-replayed").is_some()), (merged.text, true));
        for who in [&ada, &other] {
            assert_eq!(orders_of(&app, who).await, all, "{}: by either id", app.name);
            assert_eq!(balance(&app, who).await, eur(1200));
        }
        moved(&app, &ada, &other).await;

        // Life goes on: what came back is settled to the credit of the survivor, and what is unpaid can be cancelled.
        let settle = json!({"resolution": "store_credit"});
        let settled = app.post(&format!("/v1/returns/{returned}/settle"), &settle).await.ok();
        assert_eq!(balance(&app, &ada).await, eur(1200 + settled["credited"].as_i64().unwrap()));
        for order in &all {
            let shown = app.get(&format!("/v1/orders/{order}")).await.ok();
            assert_eq!(shown["customer"], json!(ada), "{}", app.name);
        }
        app.post(&format!("/v1/orders/{unpaid}/cancel"), &json!({"reason": "no money"})).await.ok();
        app.drain_jobs().await;
        app.check().await;
    }
}

/// What the preview counts, without moving anything.
async fn foreseen(app: &TestApp, path: &str, other: &str) {
    let preview = app.get(&format!("{path}/{other}")).await.ok();
    let counted = |what: &str| {
        let all = preview["follows"].as_array().unwrap();
        all.iter().find(|f| f["what"] == what).unwrap_or_else(|| panic!("{preview}"))["count"].clone()
    };
    assert_eq!((counted("orders"), counted("returns")), (json!(10), json!(2)), "{preview}");
    assert_eq!((counted("open_orders"), counted("unpaid_orders")), (json!(6), json!(1)), "{preview}");
    assert_eq!(preview["store_credit"], eur(500));
    assert_eq!(balance(app, other).await, eur(500), "a preview moves nothing");
}

/// Nothing is left of who was merged, and nothing is lost.
async fn moved(app: &TestApp, ada: &str, other: &str) {
    let old = "SELECT id FROM customer WHERE merged_into IS NOT NULL";
    for table in ["orders", "return_request", "customer_note"] {
        let left = count(app, &format!("SELECT COUNT(*) FROM {table} WHERE customer_id IN ({old})")).await;
        assert_eq!(left, 0, "{}: {table}", app.name);
    }
    let credit = app.get(&format!("/v1/customers/{ada}/store-credit")).await.ok();
    assert_eq!(credit["entries"].as_array().unwrap().len(), 4, "both grants, out and in: {credit}");
    let consents = app.get(&format!("/v1/customers/{other}/consents")).await.ok();
    let lengths = ["in_force", "history"].map(|part| consents[part].as_array().unwrap().len());
    assert_eq!(lengths, [1, 3], "{consents}");
    app.drain_jobs().await;
    app.check().await;
}

#[tokio::test]
async fn who_comes_with_what_was_known_before_is_the_survivor() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        let mut by_phone = shop::order("ada", &[("TEE", 1)]);
        by_phone["buyer"]["phone"] = json!("+4930901820");
        app.post("/v1/orders", &by_phone).await.ok();
        app.post("/v1/orders", &shop::order("guest", &[("CAP", 1)])).await.ok();
        app.post("/v1/orders", &shop::order("third", &[("CAP", 2)])).await.ok();
        app.drain_jobs().await;
        let (ada, guest, third) =
            (customer(&app, "ada").await, customer(&app, "guest").await, customer(&app, "third").await);
        grant(&app, &ada, 3000).await;

        // Into the guest, whose address is kept, but not whose e-mail: that of the one who is merged is.
        let keep = json!({"email": "merged"});
        let merge =
            app.post(&format!("/v1/customers/{guest}/merge"), &json!({"from": ada, "keep": keep})).await.ok();
        assert_eq!(
            (&merge["email"], &merge["phone"], &merge["merged"][0]["email"]),
            (&json!("ada@example.com"), &json!("+4930901820"), &json!("guest@example.com"))
        );
        for email in ["ada", "guest"] {
            assert_eq!(customer(&app, email).await, guest, "{}: {email}", app.name);
        }
        let found = app.get("/v1/customers?phone=%2B4930901820").await.ok();
        assert_eq!(found["data"][0]["id"], json!(guest));
        let all = app.get("/v1/customers").await.ok();
        assert_eq!(all["data"].as_array().unwrap().len(), 2, "who was merged is in no list: {all}");

        // The old id answers with the survivor and says where it is; its page leads there.
        let old = app.get(&format!("/v1/customers/{ada}")).await;
        assert_eq!(old.ok()["id"], json!(guest));
        assert_eq!(old.headers["content-location"], format!("/v1/customers/{guest}").as_str());
        assert_eq!(location(&app.get(&format!("/customers/{ada}")).await), format!("/customers/{guest}"));
        assert_eq!(app.get(&format!("/customers?q={}", "guest%40example.com")).await.status, 200);

        // An order with the address that was not kept is of the survivor, and spends what came from the other.
        app.advance(2 * DAY);
        let mut order = shop::order("guest", &[("TEE", 1)]);
        order["tenders"] = json!([{"gateway": "store_credit", "method": "store_credit"}]);
        let placed = app.post("/v1/orders", &order).await.ok();
        let placed = app.get(&format!("/v1/orders/{}", placed["id"].as_str().unwrap())).await.ok();
        assert_eq!(placed["customer"], json!(guest));
        assert_eq!(balance(&app, &ada).await, eur(3000 - 2490));
        // What is given to the old id goes to the survivor, and so do notes and consents.
        grant(&app, &ada, 10).await;
        assert_eq!(balance(&app, &guest).await, eur(3000 - 2490 + 10));
        let note = send(&app, &format!("/customers/{ada}/note"), &[("text", "Called twice")]).await;
        assert_eq!(note.status, 303, "{}", note.text);
        assert!(app.get(&format!("/customers/{guest}")).await.text.contains("Called twice"));
        let yes = json!({"channel": "sms", "given": true, "source": "call"});
        assert_eq!(
            app.post(&format!("/v1/customers/{ada}/consents"), &yes).await.ok()["customer"],
            json!(guest)
        );

        chained(&app, &third, &ada, &guest).await;
    }
}

/// A chain: who was led to the one who goes is led to the survivor.
async fn chained(app: &TestApp, third: &str, ada: &str, guest: &str) {
    app.post(&format!("/v1/customers/{third}/merge"), &json!({"from": guest})).await.ok();
    for id in [ada, guest] {
        assert_eq!(app.get(&format!("/v1/customers/{id}")).await.ok()["id"], json!(third), "{}", app.name);
    }
    assert_eq!(count(app, "SELECT COUNT(*) FROM event WHERE kind = 'customer.merged'").await, 2);
    app.drain_jobs().await;
    app.check().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_way_out() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        for who in ["ada", "bob", "cyd"] {
            app.post("/v1/orders", &shop::order(who, &[("TEE", 1)])).await.ok();
        }
        app.drain_jobs().await;
        let (ada, bob, cyd) =
            (customer(&app, "ada").await, customer(&app, "bob").await, customer(&app, "cyd").await);
        let merge = async |into: &str, from: &str| {
            app.post(&format!("/v1/customers/{into}/merge"), &json!({"from": from})).await
        };
        let nobody = "cus_0000000000001";
        assert_eq!(merge(&ada, &ada).await.refused(409), "customers.merge_with_itself");
        assert_eq!(merge(&ada, nobody).await.refused(404), "customers.unknown_customer");
        assert_eq!(merge(nobody, &ada).await.refused(404), "customers.unknown_customer");
        grant(&app, &ada, 100_000_000_000_000).await;
        grant(&app, &bob, 1).await;
        assert_eq!(merge(&ada, &bob).await.refused(409), "customers.merged_credit_too_large");
        assert_eq!(merge(&bob, &ada).await.refused(409), "customers.merged_credit_too_large");
        grant(&app, &ada, -100_000_000_000_000).await;
        merge(&ada, &bob).await.ok();
        assert_eq!(merge(&ada, &bob).await.refused(409), "customers.merge_with_itself", "it was done before");
        assert_eq!(
            merge(&bob, &ada).await.refused(409),
            "customers.merge_with_itself",
            "the other way round"
        );
        let gone = merge(&cyd, &bob).await;
        assert_eq!(gone.refused(409), "customers.merged_already");
        assert!(gone.text.contains(&ada), "it says who to look at: {}", gone.text);
        let preview = app.get(&format!("/v1/customers/{cyd}/merge/{bob}")).await;
        assert_eq!(preview.refused(409), "customers.merged_already", "the preview says what the merge would");
        // Into an id that leads on is into whom it leads to.
        assert_eq!(merge(&bob, &cyd).await.ok()["id"], json!(ada));
        let powerless = app.with_key(&["customers:read"]).await;
        let refused = powerless.post(&format!("/v1/customers/{ada}/merge"), &json!({"from": cyd})).await;
        assert_eq!(refused.status, 403);
        app.drain_jobs().await;
        app.check().await;
    }
}

#[tokio::test]
async fn by_page_it_is_suggested_shown_and_confirmed() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 100).await;
        for who in ["ada", "ada%2Bgifts", "bob"] {
            let who = who.replace("%2B", "+");
            let mut order = shop::order(&who, &[("TEE", 1)]);
            if who == "bob" {
                order["buyer"]["name"] = json!("Bob");
                order["ship_to"]["postal_code"] = json!("10115");
            }
            app.post("/v1/orders", &order).await.ok();
        }
        app.drain_jobs().await;
        let (ada, gifts, bob) =
            (customer(&app, "ada").await, customer(&app, "ada%2Bgifts").await, customer(&app, "bob").await);
        let likely = app.get(&format!("/v1/customers/{ada}/duplicates")).await.ok();
        assert_eq!(likely["likely"].as_array().unwrap().len(), 1, "{likely}");
        assert_eq!(
            (&likely["likely"][0]["customer"]["id"], &likely["likely"][0]["because"]),
            (&json!(gifts), &json!(["mailbox", "name_and_place"]))
        );
        let page = app.get(&format!("/customers/{ada}")).await.text;
        assert!(page.contains("same mailbox, same name and postal code"), "{page}");
        assert!(!app.get(&format!("/customers/{bob}")).await.text.contains("Same person"));

        let here = format!("/customers/{ada}/merge");
        let search = app.get(&format!("{here}?q=bob")).await.text;
        assert!(search.contains("Bob") && search.contains("Probably the same person"), "{search}");
        let shown = app.get(&format!("{here}?with={gifts}")).await.text;
        assert!(shown.contains("1 order") && shown.contains("This cannot be undone"), "{shown}");
        let unsure = send(&app, &here, &[("with", &gifts), ("once", "k1")]).await;
        assert!(
            unsure.status == 422 && unsure.text.contains("Say that they are the same person"),
            "{}",
            unsure.text
        );
        let form = [("with", gifts.as_str()), ("once", "k2"), ("sure", "yes"), ("email", "merged")];
        assert_eq!(location(&send(&app, &here, &form).await), format!("/customers/{ada}"));
        assert_eq!(location(&send(&app, &here, &form).await), format!("/customers/{ada}"), "a double click");
        let page = app.get(&format!("/customers/{ada}")).await.text;
        assert!(
            page.contains("Merged into this customer") && page.contains("ada+gifts@example.com"),
            "{page}"
        );
        assert_eq!(location(&app.get(&format!("/customers/{gifts}/merge")).await), here);
        let again = app.get(&format!("{here}?with={gifts}")).await.text;
        assert!(again.contains("the same customer already"), "{again}");
        // The audit log knows who did it; with a key it is the key.
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'customer.merged'").await, 1);
        app.check().await;
    }
}

/// Orders that come with the old address while it is merged are of the survivor, whoever is first.
#[tokio::test]
async fn whoever_orders_meanwhile_is_the_survivor() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 500).await;
        for round in 0..4 {
            let (old, new) = (format!("old{round}"), format!("new{round}"));
            for who in [&old, &new] {
                app.post("/v1/orders", &shop::order(who, &[("TEE", 1)])).await.ok();
            }
            let (into, from) = (customer(&app, &new).await, customer(&app, &old).await);
            let mut tasks = Vec::new();
            for n in 0..8 {
                let (app, who) = (app.clone(), if n % 2 == 0 { old.clone() } else { new.clone() });
                tasks.push(tokio::spawn(async move {
                    app.post("/v1/orders", &shop::order(&who, &[("CAP", 1)])).await.ok();
                }));
            }
            let (merging, into2) = (app.clone(), into.clone());
            tasks.push(tokio::spawn(async move {
                merging.post(&format!("/v1/customers/{into2}/merge"), &json!({"from": from})).await.ok();
            }));
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(orders_of(&app, &into).await.len(), 10, "{}", app.name);
        }
        app.drain_jobs().await;
        app.check_laws().await;
    }
}
