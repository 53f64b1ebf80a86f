//! Customers on both databases: races end in one customer, what we know is completed, store credit is posted once and never below zero.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use contact::address::Address;
use customers::{Contact, CreditEntry, CustomerId};
use db::testing::{BEGIN, TestDb, both};
use db::{Db, Options};
use kernel::{Actor, Fault, Refuse};

fn actor() -> Actor {
    Actor::system("test")
}

fn who(email: Option<&str>, phone: Option<&str>) -> Contact {
    Contact {
        at: BEGIN,
        name: "Ada Lovelace".into(),
        email: email.map(str::to_uppercase),
        email_key: email.map(str::to_owned),
        phone: phone.map(str::to_owned),
        address: None,
    }
}

async fn find(db: &Db, batch: &[Contact]) -> Result<Vec<CustomerId>, Fault> {
    db::write!(db, &actor(), |tx| customers::find_or_create(tx, batch).await)
}

async fn number(db: &Db, query: &str) -> i64 {
    db.read().scalar(query, []).await.unwrap().unwrap()
}

async fn laws_hold(db: &TestDb) {
    for law in customers::laws::LAWS {
        assert_eq!(db::laws::check(db.read(), law).await.unwrap(), vec![], "{} on {}", law.name, db.name);
    }
}

#[tokio::test]
async fn a_batch_finds_itself_and_completes_what_is_known() {
    for db in both(Options::default).await {
        let ids = find(
            &db,
            &[
                who(Some("a@x.de"), None),
                who(None, Some("+49301")),
                who(Some("a@x.de"), None),
                who(None, None),
            ],
        )
        .await
        .unwrap();
        assert_eq!((ids[0], number(&db, "SELECT COUNT(*) FROM customer").await), (ids[2], 3), "{}", db.name);
        let address =
            Address { name: "Ada".into(), city: "Berlin".into(), country: "DE".into(), ..Address::default() };
        let known = Contact { address: Some(address.clone()), ..who(Some("a@x.de"), Some("+49302")) };
        let again = find(&db, &[known, who(None, Some("+49302")), who(Some("b@x.de"), Some("+49301"))])
            .await
            .unwrap();
        assert_eq!(again, [ids[0], ids[0], ids[1]], "{}", db.name);
        let read = customers::read::by_id(db.read(), &ids).await.unwrap();
        assert_eq!((&read[&ids[0]].phone, &read[&ids[0]].address), (&Some("+49302".into()), &Some(address)));
        assert_eq!(
            (read[&ids[1]].email.as_deref(), read[&ids[1]].version),
            (Some("B@X.DE"), 2),
            "the missing e-mail was learnt"
        );
        let events = number(&db, "SELECT COUNT(*) FROM event").await;
        assert_eq!(
            find(&db, &[who(Some("a@x.de"), Some("+49301"))]).await.unwrap(),
            [ids[0]],
            "e-mail goes before phone"
        );
        assert_eq!(
            number(&db, "SELECT COUNT(*) FROM event").await,
            events,
            "nothing new, no event ({})",
            db.name
        );
    }
}

#[tokio::test]
async fn many_who_come_at_once_are_one_customer_each() {
    for db in both(Options::default).await {
        let tasks = (0..24).map(|n| {
            let db = db.db.clone();
            // Half of them in the other order, so that batches meet crosswise; half by phone only.
            let mut batch =
                vec![who(Some("a@x.de"), Some("+1")), who(Some("b@x.de"), Some("+2")), who(None, Some("+3"))];
            if n % 2 == 0 {
                batch.reverse();
            }
            tokio::spawn(async move { (n % 2 == 0, find(&db, &batch).await.unwrap()) })
        });
        let mut seen = std::collections::BTreeSet::new();
        for task in tasks.collect::<Vec<_>>() {
            let (reversed, mut ids) = task.await.unwrap();
            if reversed {
                ids.reverse();
            }
            seen.insert(ids);
        }
        assert_eq!((seen.len(), number(&db, "SELECT COUNT(*) FROM customer").await), (1, 3), "{}", db.name);
        let created = number(&db, "SELECT COUNT(*) FROM event WHERE kind = 'customer.created'").await;
        assert_eq!(created, 3, "each was created once ({})", db.name);
    }
}

#[tokio::test]
async fn lists_filter_by_exact_keys_and_the_beginning_of_the_name() {
    for db in both(Options::default).await {
        let named = |name: &str, email: &str| Contact { name: name.into(), ..who(Some(email), None) };
        find(&db, &[named("Ada", "a@x.de"), named("adam", "b@x.de"), named("Bea%", "c@x.de")]).await.unwrap();
        let names = |filter: customers::read::Filter| {
            let db = &db;
            async move {
                let found = customers::read::list(db.read(), &filter, None, 10).await.unwrap();
                found.into_iter().map(|c| c.name).collect::<Vec<_>>()
            }
        };
        let filter = customers::read::Filter::default;
        assert_eq!(
            names(customers::read::Filter { name: Some("AD".into()), ..filter() }).await,
            ["adam", "Ada"],
            "{}",
            db.name
        );
        assert!(names(customers::read::Filter { name: Some("%".into()), ..filter() }).await.is_empty());
        assert_eq!(
            names(customers::read::Filter { email_key: Some("c@x.de".into()), ..filter() }).await,
            ["Bea%"]
        );
        let newest = customers::read::list(db.read(), &filter(), None, 1).await.unwrap();
        let rest = customers::read::list(db.read(), &filter(), Some(newest[0].id), 9).await.unwrap();
        assert_eq!((newest[0].name.as_str(), rest.len()), ("Bea%", 2));
    }
}

fn credit(customer: CustomerId, amount: i64, reference: &str) -> CreditEntry {
    CreditEntry {
        at: BEGIN,
        customer,
        currency: "EUR".parse().unwrap(),
        amount,
        reason: "goodwill".into(),
        order: None,
        reference: reference.into(),
    }
}

async fn post(db: &Db, batch: &[CreditEntry]) -> Vec<Result<i64, &'static str>> {
    let outcomes = db::write!(db, &actor(), |tx| customers::post_credit(tx, batch).await).unwrap();
    outcomes.into_iter().map(|o| o.map_err(|r| r.code())).collect()
}

#[tokio::test]
async fn credit_is_posted_once_and_never_below_zero() {
    for db in both(Options::default).await {
        let ada = find(&db, &[who(Some("a@x.de"), None)]).await.unwrap()[0];
        let batch = [
            credit(ada, -1, "too early"),
            credit(ada, 500, "grant"),
            credit(ada, 500, "grant"),
            credit(ada, -200, "spend"),
            credit(ada, -301, "too much"),
            credit(ada, 0, "zero"),
            credit(ada, 5, " "),
            credit(CustomerId(5), 5, "nobody"),
            credit(ada, i64::MAX, "huge"),
        ];
        let posted = post(&db, &batch).await;
        let (no, little) = (Err("customers.not_enough_credit"), Err("customers.credit_of_nothing"));
        let (bare, nobody) = (Err("customers.credit_without_reference"), Err("customers.unknown_customer"));
        let huge = Err("customers.credit_too_large");
        assert_eq!(posted, [no, Ok(500), Ok(500), Ok(300), no, little, bare, nobody, huge], "{}", db.name);
        assert_eq!(
            post(&db, &batch[1..4]).await,
            [Ok(300), Ok(300), Ok(300)],
            "retried: the present balance"
        );
        assert_eq!(customers::credit_balance(db.read(), ada, "EUR".parse().unwrap()).await.unwrap(), 300);
        assert_eq!(customers::credit_balance(db.read(), ada, "JPY".parse().unwrap()).await.unwrap(), 0);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM event WHERE kind = 'store_credit.changed'").await, 2);
        laws_hold(&db).await;
        db::write!(db, &actor(), |tx| tx.exec("UPDATE store_credit SET balance = 299", []).await).unwrap();
        let broken = db::laws::check(db.read(), &customers::laws::LAWS[0]).await.unwrap();
        assert_eq!(broken[0].detail, "differs: balance by -1");
    }
}

#[tokio::test]
async fn many_who_spend_at_once_spend_what_is_there() {
    for db in both(Options::default).await {
        let ada = find(&db, &[who(Some("a@x.de"), None)]).await.unwrap()[0];
        post(&db, &[credit(ada, 1000, "grant")]).await;
        let tasks = (0..24).map(|n| {
            let db = db.db.clone();
            // Every reference is sent twice, by two tasks.
            tokio::spawn(async move { post(&db, &[credit(ada, -100, &format!("spend {}", n / 2))]).await[0] })
        });
        let mut refused = 0;
        for task in tasks.collect::<Vec<_>>() {
            refused += i64::from(task.await.unwrap().is_err());
        }
        assert_eq!(
            customers::credit_balance(db.read(), ada, "EUR".parse().unwrap()).await.unwrap(),
            0,
            "{}",
            db.name
        );
        assert_eq!(
            number(&db, "SELECT COUNT(*) FROM store_credit_entry").await,
            11,
            "the grant and ten payments"
        );
        assert_eq!(refused, 4, "two references, twice each ({})", db.name);
        laws_hold(&db).await;
    }
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_any_end_of_their_name() {
    for db in both(Options::default).await {
        let named = |name: &str, key: &str| Contact { name: name.into(), ..who(Some(key), None) };
        let batch = [
            named("Anna Berger", "a@x.de"),
            named("Berger Moden GmbH", "b@x.de"),
            named("Zoë  Östergård", "z@x.de"),
            named("Cher", "c@x.de"),
        ];
        find(&db, &batch).await.unwrap();
        for (text, expected) in [
            ("berg", vec!["Anna Berger", "Berger Moden GmbH"]),
            ("Berger, Anna", vec!["Anna Berger"]),
            ("anna b", vec!["Anna Berger"]),
            ("gmbh", vec!["Berger Moden GmbH"]),
            ("moden", vec![]),
            ("ÖSTER", vec!["Zoë  Östergård"]),
            ("cher", vec!["Cher"]),
            (" , ", vec![]),
        ] {
            let name = |c: &customers::Customer| c.name.clone();
            let suggested = customers::read::suggested(db.read(), text, 8).await.unwrap();
            let mut suggested: Vec<String> = suggested.iter().map(name).collect();
            suggested.sort();
            assert_eq!(suggested, expected, "{text} on {}", db.name);
            let filter = customers::read::Filter { name: Some(text.into()), ..Default::default() };
            let listed = customers::read::list(db.read(), &filter, None, 8).await.unwrap();
            let mut listed: Vec<String> = listed.iter().map(name).collect();
            listed.sort();
            assert_eq!(listed, expected, "{text} on {}", db.name);
        }
    }
}
