//! Backup and restore between the two databases: nothing lost, nothing half done, one moment.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use db::testing::{TestDb, both, postgres, sqlite};
use db::{Db, Options, Rows, Sql, Value, backup};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kernel::Actor;
use std::collections::BTreeMap;
use std::io::{Read, Write};

fn actor() -> Actor {
    Actor::system("test")
}

/// Rows of every type with the values that break naive formats, and more of them than a chunk.
async fn fill(db: &Db) {
    db::write!(db, &actor(), |tx| {
        tx.exec("INSERT INTO supplier (id, code, name, created_at) VALUES ($1, 'S', 'Søster & Sohn', $2)", [i64::MAX.into(), i64::MIN.into()])
            .await?;
        let mut sku = Rows::new("id BIGINT, code TEXT, title TEXT, kind TEXT, tax_class TEXT, weight_g BIGINT?, supplier_id BIGINT?, active BOOLEAN, created_at BIGINT");
        for n in 0..4_321i64 {
            sku.push([
                n.into(),
                format!("SKU-{n}").into(),
                format!("日本 é e\u{301} 👩‍👩‍👧 \u{2028} \"q\" 'a' \\ \n\t\u{1}null [{n}]").into(),
                "simple".into(),
                "standard".into(),
                (n % 2 == 0).then_some(n).into(),
                (n % 3 == 0).then_some(i64::MAX).into(),
                (n % 5 != 0).into(),
                0i64.into(),
            ]);
        }
        tx.insert("sku", &sku).await?;
        let place = "INSERT INTO location (id, code, name, kind, priority, country, address, lat, lon, created_at) VALUES ($1, $2, 'L', 'shop', 1, 'DE', '{}', $3, $4, 0)";
        for (id, lat, lon) in [(1i64, Some(0.1 + 0.2), Some(f64::MIN_POSITIVE)), (2, Some(52.520_006_599_999_996), Some(1e300)), (3, None, Some(-1.0 / 3.0))] {
            tx.exec(place, [id.into(), format!("L{id}").into(), lat.into(), lon.into()]).await?;
        }
        let stock = "INSERT INTO stock (sku_id, location_id, on_hand, allocated) SELECT id, 1, 10, 3 FROM sku WHERE id < 2500";
        tx.exec(stock, []).await?;
        db::settings::set(tx, "greeting", &"¡hola! – ∞").await?;
        tx.numbers("orders", 7).await?;
        Ok(())
    })
    .unwrap();
}

async fn taken(db: &Db) -> Vec<u8> {
    let mut file = Vec::new();
    let summary = backup::backup(db, &mut file).await.unwrap();
    assert!(summary.tables > 40, "{summary:?}");
    file
}

fn text(file: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}
fn packed(text: &str) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

/// The rows by table, in one order whatever the database sorts by.
fn contents(file: &[u8]) -> BTreeMap<String, Vec<String>> {
    let text = text(file);
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines() {
        if line.starts_with("{\"footer\"") {
            continue;
        }
        if !line.starts_with('[') {
            table = line.to_owned();
        }
        all.entry(table.clone()).or_default().push(line.to_owned());
    }
    all.values_mut().for_each(|rows| rows.sort());
    all
}

async fn count(sql: &Sql, table: &str) -> i64 {
    sql.scalar(&format!("SELECT COUNT(*) FROM {table}"), []).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_goes_through_both_databases_comes_back_identical() {
    let first = sqlite(Options::default()).await;
    fill(&first).await;
    let original = taken(&first).await;
    let second = postgres(Options::default()).await;
    let moved = backup::restore(&second, original.as_slice()).await.unwrap();
    assert_eq!((count(second.read(), "sku").await, moved.rows > 6_800), (4_321, true), "{moved:?}");
    let from_postgres = taken(&second).await;
    assert_eq!(contents(&original), contents(&from_postgres));
    let third = sqlite(Options::default()).await;
    backup::restore(&third, from_postgres.as_slice()).await.unwrap();
    assert_eq!(contents(&original), contents(&taken(&third).await));

    for db in [&first, &second, &third] {
        let exact: Option<f64> = db.read().scalar("SELECT lat FROM location WHERE id = 2", []).await.unwrap();
        assert_eq!(exact.map(f64::to_bits), Some(52.520_006_599_999_996f64.to_bits()), "{}", db.name);
        let free: Option<i64> =
            db.read().scalar("SELECT available FROM stock WHERE sku_id = 7", []).await.unwrap();
        assert_eq!(free, Some(7), "a generated column is computed again ({})", db.name);
        let next = db::write!(db, &actor(), |tx| tx.numbers("orders", 1).await).unwrap();
        assert_eq!(next, 1008..=1008, "{}", db.name);
        let next = db::write!(db, &actor(), |tx| tx.numbers("returns", 1).await).unwrap();
        assert_eq!(next, 1001..=1001, "{}", db.name);
    }
}

/// Restores what must be refused, and checks that the database is as it was.
async fn refused(db: &TestDb, file: &[u8], because: &str) {
    let before = contents(&taken(db).await);
    let fault = backup::restore(db, file).await.expect_err(because).to_string();
    assert!(fault.contains(because), "{}: “{fault}” should say “{because}”", db.name);
    assert_eq!(
        before,
        contents(&taken(db).await),
        "{}: a refused restore changed something ({because})",
        db.name
    );
}

#[tokio::test]
async fn a_damaged_or_foreign_file_changes_nothing() {
    let source = sqlite(Options::default()).await;
    fill(&source).await;
    let good = taken(&source).await;
    let lines = text(&good);
    let without_footer: String =
        lines.lines().filter(|l| !l.starts_with("{\"footer\"")).map(|l| format!("{l}\n")).collect();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    for db in both(Options::default).await {
        for share in [3, 10, 50, 90, 99] {
            refused(&db, &good[..good.len() * share / 100], "cut off").await;
        }
        refused(&db, &good[..good.len() - 1], "cut off").await;
        refused(&db, &packed(&without_footer), "footer is missing").await;
        refused(&db, &packed(&lines.replacen("SKU-17\"", "SKU-xx\"", 1)), "footer says").await;
        refused(&db, &packed(&format!("{lines}[1]\n")), "footer says").await;
        let removed: String =
            lines.lines().filter(|l| !l.contains("\"SKU-17\"")).map(|l| format!("{l}\n")).collect();
        refused(&db, &packed(&removed), "should have 4321 rows").await;
        refused(&db, &packed(&lines.replacen("0001_spine", "0000_other", 1)), "another schema").await;
        refused(&db, &packed(&lines.replacen("\"format\":1", "\"format\":2", 1)), "format 2").await;
        refused(&db, &packed(&lines.replacen("\"tax_class\"", "\"tax_clasp\"", 1)), "columns of table").await;
        refused(&db, &flipped, "").await;
        refused(&db, b"order,total\n1,2\n", "no backup").await;
        refused(&db, &packed("{}\n"), "not a backup").await;
        backup::restore(&db, good.as_slice()).await.unwrap();
        refused(&db, &good, "not empty").await;
    }
}

async fn pair(db: Db, task: i64) {
    for n in 0..40i64 {
        let id = task * 1_000 + n;
        db::write!(db, &actor(), |tx| {
            tx.exec(
                "INSERT INTO supplier (id, code, name, created_at) VALUES ($1, $2, '', 0)",
                [id.into(), format!("C{id}").into()],
            )
            .await?;
            tx.exec("UPDATE timer SET next_at = next_at - 1 WHERE name = 'a'", []).await?;
            tokio::task::yield_now().await;
            tx.exec("UPDATE timer SET next_at = next_at + 1 WHERE name = 'b'", []).await?;
            tx.exec("INSERT INTO setting (key, value) VALUES ($1, '1')", [format!("C{id}").into()]).await
        })
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_under_writes_is_one_moment() {
    for db in both(Options::default).await {
        db::write!(db, &actor(), |tx| tx
            .exec("INSERT INTO timer (name, next_at) VALUES ('a', 1000), ('b', 1000)", [])
            .await)
        .unwrap();
        let tasks: Vec<_> = (0..8).map(|task| tokio::spawn(pair(db.db.clone(), task))).collect();
        let mut files = Vec::new();
        while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
            files.push(taken(&db).await);
        }
        for task in tasks {
            task.await.unwrap();
        }
        let mut seen = Vec::new();
        for file in files.iter().take(6).chain(files.last()) {
            let target = sqlite(Options::default()).await;
            backup::restore(&target, file.as_slice()).await.unwrap();
            let pairs = count(target.read(), "supplier").await;
            assert_eq!(pairs, count(target.read(), "setting").await, "{}: half a transaction", db.name);
            let params: [Value; 0] = [];
            let timers: Vec<i64> =
                target.read().column("SELECT next_at FROM timer ORDER BY name", params).await.unwrap();
            assert_eq!(timers, [1000 - pairs, 1000 + pairs], "{}: half a transaction", db.name);
            seen.push(pairs);
        }
        assert!(
            seen.iter().any(|n| *n < 320),
            "{}: no backup was taken while tasks wrote ({seen:?})",
            db.name
        );
        assert_eq!(count(db.read(), "supplier").await, 320, "{}", db.name);
    }
}
