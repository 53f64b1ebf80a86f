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

async fn merge(db: &Db, pairs: &[(CustomerId, CustomerId)]) -> Vec<Result<CustomerId, &'static str>> {
    let batch: Vec<customers::Merge> = pairs
        .iter()
        .map(|(into, from)| customers::Merge {
            at: db.now(),
            into: *into,
            from: *from,
            keep: customers::Keep::default(),
            by: actor(),
        })
        .collect();
    let told = db::write!(db, &actor(), |tx| customers::merge(tx, &batch).await).unwrap();
    told.into_iter().map(|outcome| outcome.map_err(|refused| refused.code())).collect()
}

#[tokio::test]
async fn merges_of_a_batch_build_on_each_other() {
    for db in both(Options::default).await {
        let people: Vec<Contact> =
            ["a@x.de", "b@x.de", "c@x.de", "d@x.de"].map(|email| who(Some(email), None)).to_vec();
        let ids = find(&db, &people).await.unwrap();
        let [a, b, c, d] = ids[..] else { panic!("four") };
        for (n, id) in ids.iter().enumerate() {
            let entry = CreditEntry {
                at: BEGIN,
                customer: *id,
                currency: if n == 3 { "JPY" } else { "EUR" }.parse().unwrap(),
                amount: 10 + n as i64,
                reason: "sorry".into(),
                order: None,
                reference: format!("grant:{n}"),
            };
            db::write!(db, &actor(), |tx| customers::post_credit(tx, std::slice::from_ref(&entry)).await)
                .unwrap()
                .remove(0)
                .unwrap();
        }
        let told = merge(&db, &[(b, a), (c, b), (a, d), (c, a), (d, c)]).await;
        let same = Err("customers.merge_with_itself");
        assert_eq!(told, [Ok(b), Ok(c), Ok(c), same, same], "{}", db.name);
        let read = customers::read::by_id(db.read(), &ids).await.unwrap();
        assert!(ids.iter().all(|id| read[id].id == c), "{}", db.name);
        let held: Vec<(String, i64)> = customers::read::balances(db.read(), c)
            .await
            .unwrap()
            .into_iter()
            .map(|b| (b.currency.to_string(), b.balance))
            .collect();
        assert_eq!(held, [("EUR".to_owned(), 33), ("JPY".to_owned(), 13)], "{}", db.name);
        let entries = customers::read::entries(db.read(), c, 100).await.unwrap();
        // Four were granted; 10, then 21, then 13 went out of one and into another.
        assert_eq!(entries.len(), 4 + 2 * 3, "{}: the whole history", db.name);
        assert_eq!(find(&db, &people).await.unwrap(), [c; 4], "{}: by every address", db.name);
        assert_eq!(customers::aliases(db.read(), &[c]).await.unwrap().len(), 3);
        let listed = customers::read::list(db.read(), &Default::default(), None, 10).await.unwrap();
        assert_eq!(listed.iter().map(|c| c.id).collect::<Vec<_>>(), [c], "{}", db.name);
        laws_hold(&db).await;
    }
}

#[tokio::test]
async fn what_was_not_kept_still_leads_to_the_survivor() {
    for db in both(Options::default).await {
        let ids = find(&db, &[who(Some("a@x.de"), None), who(Some("b@x.de"), Some("+1"))]).await.unwrap();
        let keep = customers::Keep { email: customers::Side::Merged, ..Default::default() };
        let want = customers::Merge { at: BEGIN, into: ids[0], from: ids[1], keep, by: actor() };
        let said = db::write!(db, &actor(), |tx| {
            let mut said = Vec::new();
            for customer in [ids[0], ids[1]] {
                let (channel, source) = (customers::ConsentChannel::Sms, "call".to_owned());
                let yes =
                    customers::SetConsent { at: BEGIN, customer, channel, given: true, source, by: actor() };
                said.extend(customers::set_consents(tx, &[yes]).await?);
            }
            customers::merge(tx, std::slice::from_ref(&want)).await?.remove(0).unwrap();
            Ok(said)
        })
        .unwrap();
        assert!(said.iter().all(Result::is_ok));
        let read = customers::read::by_id(db.read(), &ids).await.unwrap().remove(&ids[1]).unwrap();
        assert_eq!(
            (read.id, read.email.as_deref(), read.phone.as_deref()),
            (ids[0], Some("B@X.DE"), Some("+1"))
        );
        let by = [who(Some("a@x.de"), None), who(Some("b@x.de"), None), who(None, Some("+1"))];
        assert_eq!(find(&db, &by).await.unwrap(), [ids[0]; 3], "{}", db.name);
        // The phone is the other one's, whose yes counts; nothing holds of the other any more.
        for (customer, given) in [(ids[0], true), (ids[1], false)] {
            let words = customers::consents_of(db.read(), &[customer]).await.unwrap();
            let now = customers::in_force(&words);
            assert_eq!(now[&customers::ConsentChannel::Sms].given, given, "{}", db.name);
        }
        laws_hold(&db).await;
    }
}

#[tokio::test]
async fn whoever_is_searched_by_either_name_is_the_survivor() {
    for db in both(Options::default).await {
        let named = |name: &str, email: &str| Contact { name: name.into(), ..who(Some(email), None) };
        let people = [named("Anna Berger", "a@x.de"), named("A. van der Smit", "b@x.de")];
        // The name of the other one is taken, so that what it is found by changes hands.
        let keep = customers::Keep { name: customers::Side::Merged, ..Default::default() };
        let ids = find(&db, &people).await.unwrap();
        let want = customers::Merge { at: BEGIN, into: ids[0], from: ids[1], keep, by: actor() };
        db::write!(db, &actor(), |tx| customers::merge(tx, std::slice::from_ref(&want)).await)
            .unwrap()
            .remove(0)
            .unwrap();
        for text in ["berger", "Anna B", "smit", "a. van"] {
            let filter = customers::read::Filter { name: Some(text.into()), ..Default::default() };
            let listed = customers::read::list(db.read(), &filter, None, 10).await.unwrap();
            assert_eq!(listed.iter().map(|c| c.id).collect::<Vec<_>>(), [ids[0]], "{}: {text}", db.name);
            let suggested = customers::read::suggested(db.read(), text, 10).await.unwrap();
            assert_eq!(suggested.iter().map(|c| c.id).collect::<Vec<_>>(), [ids[0]], "{}: {text}", db.name);
        }
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
