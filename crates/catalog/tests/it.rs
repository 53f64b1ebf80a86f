//! The catalogue on both databases: what is saved is read back, saving again changes nothing, races end in one SKU, laws hold.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use catalog::{SaveSku, SaveSupplier, SetActive, SetTaxRate, SkuKind};
use db::testing::{BEGIN, TestDb, both};
use db::{Db, Options};
use kernel::{Actor, Money, Refuse};

fn actor() -> Actor {
    Actor::system("test")
}

fn want(code: &str) -> SaveSku {
    SaveSku {
        at: BEGIN,
        code: code.into(),
        title: format!("Title of {code}"),
        kind: SkuKind::Simple,
        tax_class: "standard".into(),
        barcodes: vec![],
        prices: vec![Money::new(1999, "EUR".parse().unwrap()), Money::new(3000, "JPY".parse().unwrap())],
        weight_g: Some(250),
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: vec![],
    }
}

async fn save(db: &Db, batch: &[SaveSku]) -> Vec<Result<catalog::SkuId, &'static str>> {
    let outcomes = db::write!(db, &actor(), |tx| catalog::save_skus(tx, batch).await).unwrap();
    outcomes.into_iter().map(|o| o.map_err(|r| r.code())).collect()
}

async fn events(db: &Db) -> i64 {
    db.read().scalar("SELECT COUNT(*) FROM event", []).await.unwrap().unwrap()
}

async fn laws_hold(db: &TestDb) {
    for law in catalog::laws::LAWS {
        assert_eq!(db::laws::check(db.read(), law).await.unwrap(), vec![], "{} on {}", law.name, db.name);
    }
}

#[tokio::test]
async fn a_rate_is_set_and_removed_once() {
    use catalog::{RemoveTaxRate, remove_tax_rates, set_tax_rates, tax_rates};
    for db in both(Options::default).await {
        let set = |region: Option<&str>, rate_ppm| SetTaxRate {
            country: "ES".into(),
            region: region.map(str::to_owned),
            class: "standard".into(),
            rate_ppm,
        };
        db::write!(db, &actor(), |tx| set_tax_rates(tx, &[set(None, 210_000), set(Some("CN"), 70_000)])
            .await)
        .unwrap();
        let remove = |region: Option<&str>| RemoveTaxRate {
            country: "ES".into(),
            region: region.map(str::to_owned),
            class: "standard".into(),
        };
        let batch = [remove(Some("CN")), remove(Some("CN")), remove(Some("MD"))];
        let outcomes = db::write!(db, &actor(), |tx| remove_tax_rates(tx, &batch).await).unwrap();
        let codes: Vec<_> = outcomes.into_iter().map(|o| o.map_err(|r| r.code())).collect();
        assert_eq!(codes, [Ok(()), Err("catalog.tax_rate_not_set"), Err("catalog.tax_rate_not_set")]);
        let rates = tax_rates(db.read()).await.unwrap();
        assert_eq!(rates.rate("ES", Some("CN"), "standard"), Some(210_000), "the country's goes on");
        assert_eq!(events(&db).await, 3, "on {}", db.name);
        laws_hold(&db).await;
    }
}

#[tokio::test]
async fn what_is_saved_is_read_back_and_saving_again_changes_nothing() {
    for db in both(Options::default).await {
        let supplier = SaveSupplier { at: BEGIN, code: "ACME".into(), name: "Acme".into() };
        let twice = [supplier.clone(), SaveSupplier { name: "Acme Ltd".into(), ..supplier }];
        let ids = db::write!(db, &actor(), |tx| catalog::save_suppliers(tx, &twice).await).unwrap();
        assert_eq!(ids[0], ids[1]);
        let batch = [
            SaveSku {
                barcodes: vec!["4006381333931".into(), "B".into()],
                supplier: Some("ACME".into()),
                ..want("A")
            },
            SaveSku {
                kind: SkuKind::Bundle,
                components: vec![("C".into(), 1), ("A".into(), 2)],
                ..want("SET")
            },
            want("C"),
            SaveSku {
                kind: SkuKind::Bundle,
                components: vec![("C".into(), 1), ("A".into(), 2)],
                ..want("SET")
            },
            SaveSku { barcodes: vec!["B".into()], ..want("C") },
            SaveSku { kind: SkuKind::Service, ..want("WRAP") },
        ];
        let saved = save(&db, &batch).await;
        let a = saved[0].unwrap();
        assert_eq!(saved[1], Err("catalog.unknown_component"), "items are taken in order ({})", db.name);
        assert_eq!(saved[4], Err("catalog.barcode_taken"));
        let skus = catalog::skus_by_code(db.read(), &["A", "SET", "C", "WRAP", "NONE"]).await.unwrap();
        assert_eq!(skus.len(), 4);
        assert_eq!(skus["SET"].takes(), vec![(a, 2), (saved[2].unwrap(), 1)]);
        assert_eq!(skus["A"].price("JPY".parse().unwrap()), Some(3000));
        assert_eq!(
            (skus["A"].supplier, skus["A"].weight_g, skus["A"].active),
            (Some(ids[0]), Some(250), true)
        );
        let by_id = catalog::skus_by_id(db.read(), &[a, a, catalog::SkuId(1)]).await.unwrap();
        assert_eq!((by_id.len(), &by_id[&a]), (1, &skus["A"]));
        for (text, id) in [("4006381333931", Some(a)), ("B", Some(a)), ("A", Some(a)), ("nothing", None)] {
            let meant = catalog::skus_by_scan(db.read(), &[text, "no such code"]).await.unwrap();
            assert_eq!((meant.get(text).copied(), meant.len()), (id, usize::from(id.is_some())), "{text}");
        }
        let before = events(&db).await;
        assert_eq!(before, 1 + 4);
        assert_eq!(save(&db, &batch[2..4]).await, vec![saved[2], saved[3]]);
        assert_eq!(events(&db).await, before, "saving what is there leaves no event ({})", db.name);
        laws_hold(&db).await;
    }
}

#[tokio::test]
async fn a_change_replaces_the_sets_and_raises_the_version() {
    for db in both(Options::default).await {
        save(&db, &[SaveSku { barcodes: vec!["1".into(), "2".into()], ..want("A") }, want("B")]).await;
        let price = vec![Money::new(5, "USD".parse().unwrap())];
        let swapped = [
            SaveSku {
                barcodes: vec!["2".into(), "3".into()],
                prices: price.clone(),
                title: "New".into(),
                weight_g: None,
                ..want("A")
            },
            SaveSku { barcodes: vec!["1".into()], ..want("B") },
        ];
        assert!(
            save(&db, &swapped).await.iter().all(Result::is_ok),
            "a barcode may move within one batch ({})",
            db.name
        );
        let a = catalog::read::detail(db.read(), "A").await.unwrap().unwrap();
        assert_eq!((a.barcodes, a.version, a.sku.prices), (vec!["2".to_owned(), "3".into()], 2, price));
        assert_eq!((a.sku.title.as_str(), a.sku.weight_g), ("New", None));
        let off = [
            SetActive { at: BEGIN, code: "A".into(), active: false },
            SetActive { at: BEGIN, code: "Z".into(), active: false },
        ];
        let outcomes = db::write!(db, &actor(), |tx| catalog::set_active(tx, &off).await).unwrap();
        assert!(outcomes[0].is_ok() && outcomes[1].as_ref().unwrap_err().code() == "catalog.unknown_sku");
        let filter = catalog::read::Filter { active: Some(true), ..Default::default() };
        let shown = catalog::read::list(db.read(), &filter, None, 10).await.unwrap();
        assert_eq!(shown.iter().map(|d| d.sku.code.as_str()).collect::<Vec<_>>(), ["B"]);
        laws_hold(&db).await;
    }
}

#[tokio::test]
async fn lists_page_by_code_and_filter_by_its_beginning() {
    for db in both(Options::default).await {
        let batch: Vec<SaveSku> = ["A%", "A-1", "a-1", "A-2", "B", "Ä"].into_iter().map(want).collect();
        save(&db, &batch).await;
        let codes =
            |page: Vec<catalog::read::SkuDetail>| page.into_iter().map(|d| d.sku.code).collect::<Vec<_>>();
        let all = catalog::read::Filter::default();
        let first = codes(catalog::read::list(db.read(), &all, None, 4).await.unwrap());
        let rest =
            codes(catalog::read::list(db.read(), &all, first.last().map(String::as_str), 4).await.unwrap());
        assert_eq!([first, rest].concat(), ["A%", "A-1", "A-2", "B", "a-1", "Ä"], "{}", db.name);
        for (q, found) in [("A-", vec!["A-1", "A-2"]), ("A%", vec!["A%"]), ("Ä", vec!["Ä"]), ("x", vec![])]
        {
            let filter = catalog::read::Filter { q: Some(q.into()), ..Default::default() };
            assert_eq!(
                codes(catalog::read::list(db.read(), &filter, None, 9).await.unwrap()),
                found,
                "{q} on {}",
                db.name
            );
        }
    }
}

#[tokio::test]
async fn many_who_save_one_code_at_once_make_one_sku() {
    for db in both(Options::default).await {
        let tasks = (0..12).map(|n| {
            let db = db.db.clone();
            tokio::spawn(
                async move { save(&db, &[SaveSku { weight_g: Some(n), ..want("A") }, want("B")]).await },
            )
        });
        let mut ids = std::collections::BTreeSet::new();
        for task in tasks.collect::<Vec<_>>() {
            ids.extend(task.await.unwrap().into_iter().map(Result::unwrap));
        }
        assert_eq!(ids.len(), 2, "{}", db.name);
        let skus: Option<i64> = db.read().scalar("SELECT COUNT(*) FROM sku", []).await.unwrap();
        assert_eq!(skus, Some(2));
    }
}

#[tokio::test]
async fn tax_rates_are_set_and_found() {
    for db in both(Options::default).await {
        let set = |region: Option<&str>, rate_ppm| SetTaxRate {
            country: "ES".into(),
            region: region.map(str::to_owned),
            class: "standard".into(),
            rate_ppm,
        };
        db::write!(db, &actor(), |tx| catalog::set_tax_rates(
            tx,
            &[set(None, 180_000), set(Some("CN"), 70_000)]
        )
        .await)
        .unwrap();
        db::write!(db, &actor(), |tx| catalog::set_tax_rates(tx, &[set(None, 200_000), set(None, 210_000)])
            .await)
        .unwrap();
        let rates = catalog::tax_rates(db.read()).await.unwrap();
        assert_eq!(rates.rate("ES", Some("MD"), "standard"), Some(210_000), "{}", db.name);
        assert_eq!(rates.rate("ES", Some("CN"), "standard"), Some(70_000));
        let wrong = db::write!(db, &actor(), |tx| catalog::set_tax_rates(tx, &[set(None, 1_000_001)]).await);
        assert!(db::is_check_violation(&wrong.unwrap_err()));
    }
}
