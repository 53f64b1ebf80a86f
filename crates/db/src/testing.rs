//! Throw-away databases for tests: SQLite in a temporary file, and a schema of its own on the PostgreSQL of `FULMAR_TEST_POSTGRES`.

use crate::{Clock, Db, Options, Session};
use kernel::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// When tests begin: 2026-01-05T09:00:00Z, a Monday.
pub const BEGIN: Timestamp = Timestamp(1_767_603_600_000_000);

/// A database that goes away with the value.
pub struct TestDb {
    /// The database.
    pub db: Db,
    /// Its name, for messages of failing tests.
    pub name: &'static str,
    file: Option<PathBuf>,
}

impl std::ops::Deref for TestDb {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.db
    }
}
impl Drop for TestDb {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
            }
        }
    }
}

/// One database of each kind, with a clock that stands at [`BEGIN`].
///
/// # Panics
/// When `FULMAR_TEST_POSTGRES` is missing or a database cannot be opened: a test on one database only proves half.
pub async fn both(options: impl Fn() -> Options) -> Vec<TestDb> {
    vec![sqlite(options()).await, postgres(options()).await]
}

fn with_clock(mut options: Options) -> Options {
    if matches!(options.clock, Clock::System) {
        options.clock = Clock::manual(BEGIN);
    }
    options
}

/// A SQLite database in a temporary file.
///
/// # Panics
/// When it cannot be opened.
pub async fn sqlite(options: Options) -> TestDb {
    let file = std::env::temp_dir().join(format!("fulmar-test-{:016x}.db", rand::random::<u64>()));
    let url = format!("sqlite:{}", file.display());
    let db = Db::open(&url, with_clock(options)).await.unwrap_or_else(|f| panic!("open {url}: {f}"));
    TestDb { db, name: "sqlite", file: Some(file) }
}

/// A PostgreSQL database schema of its own.
///
/// # Panics
/// When `FULMAR_TEST_POSTGRES` is missing or the server cannot be reached.
pub async fn postgres(options: Options) -> TestDb {
    let base = std::env::var("FULMAR_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!("FULMAR_TEST_POSTGRES is not set: run tests with `make test` or `cargo xtask test -p CRATE`")
    });
    let schema = format!("t{:016x}", rand::random::<u64>());
    let mut admin = Session::connect(&base).await.unwrap_or_else(|f| panic!("connect {base}: {f}"));
    let made = admin.script(&format!("CREATE SCHEMA {schema}")).await;
    made.unwrap_or_else(|f| panic!("create schema: {f}"));
    let joint = if base.contains('?') { '&' } else { '?' };
    let url = format!("{base}{joint}options=-c%20search_path%3D{schema}");
    let db = Db::open(&url, with_clock(options)).await.unwrap_or_else(|f| panic!("open {url}: {f}"));
    TestDb { db, name: "postgres", file: None }
}

thread_local! {
    static SCANS: RefCell<BTreeMap<String, i64>> = const { RefCell::new(BTreeMap::new()) };
}

/// Notes how many rows a statement of SQLite read without an index.
pub(crate) fn note_scan(text: &str, statement: &rusqlite::Statement<'_>) {
    let rows = statement.reset_status(rusqlite::StatementStatus::FullscanStep);
    // The list of rows that a statement begins with is of another length each time.
    let text = text.split_once(") LIMIT abs(?)) ").map_or(text, |(_, rest)| rest);
    SCANS.with_borrow_mut(|all| *all.entry(text.to_owned()).or_default() += i64::from(rows));
}

/// Rows that each statement of SQLite has read without an index on this thread since this was asked last.
pub fn scans() -> BTreeMap<String, i64> {
    SCANS.take()
}
