//! What tests of the imports share: databases with all reactions, the laws of all slices, and pictures of a database to compare.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use channels::import::{self, ImportFailed, Progress, Summary};
use db::{Backend, Db, FromRow, Law, Options};

macro_rules! slices {
    () => {
        [
            catalog::SLICE,
            customers::SLICE,
            inventory::SLICE,
            payments::SLICE,
            orders::SLICE,
            warehouse::SLICE,
            shipping::SLICE,
            returns::SLICE,
            books::SLICE,
        ]
    };
}

/// A database as the program opens it.
pub fn options() -> Options {
    let reactions = slices!().iter().flat_map(|slice| slice.reactions.to_vec()).collect();
    Options { reactions, ..Options::default() }
}

fn laws() -> Vec<Law> {
    slices!().iter().flat_map(|slice| slice.laws.to_vec()).collect()
}

/// Every law of every slice holds.
pub async fn check_laws(db: &Db) {
    let mut broken = Vec::new();
    for law in laws() {
        let offenders = db::laws::check(db.read(), &law).await.unwrap();
        if !offenders.is_empty() {
            broken.push(format!("{}: {offenders:?}", law.name));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[derive(FromRow)]
struct Row {
    key: String,
    n: i64,
}

/// Counts by key.
pub async fn counts(db: &Db, text: &str) -> BTreeMap<String, i64> {
    let rows: Vec<Row> = db.read().all(text, []).await.unwrap();
    rows.into_iter().map(|row| (row.key, row.n)).collect()
}

pub async fn number(db: &Db, text: &str) -> i64 {
    db.read().scalar(text, []).await.unwrap().unwrap_or(0)
}

/// How many rows every table has.
pub async fn tables(db: &Db) -> BTreeMap<String, i64> {
    let text = match db.backend() {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        Backend::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1"
        }
    };
    let names: Vec<String> = db.read().column(text, []).await.unwrap();
    let each: Vec<String> =
        names.iter().map(|name| format!("SELECT '{name}' AS key, COUNT(*) AS n FROM {name}")).collect();
    counts(db, &each.join(" UNION ALL ")).await
}

/// A folder of its own that goes away.
pub struct Folder(pub PathBuf);
impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("fulmar-import-{:016x}", rand()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    pub fn options(&self) -> import::Options {
        import::Options { rejected: Some(self.0.clone()), cost_percent: 0 }
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn rand() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

pub fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub async fn olist(db: &Db, folder: &Path) -> Summary {
    let out = Folder::new();
    import::olist(db, folder, &out.options(), go_on).await.unwrap_or_else(|e| panic!("{e}"))
}

pub async fn retail(db: &Db, file: &Path) -> Summary {
    let out = Folder::new();
    import::online_retail(db, file, &out.options(), go_on).await.unwrap_or_else(|e| panic!("{e}"))
}

/// A watch that stops after every chunk: each attempt books one.
pub fn stop(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Break(())
}

/// Whether an attempt stopped; its summary otherwise.
pub fn stopped(attempt: Result<Summary, ImportFailed>) -> Option<Summary> {
    match attempt {
        Ok(summary) => Some(summary),
        Err(ImportFailed::Stopped) => None,
        Err(other) => panic!("{other}"),
    }
}
