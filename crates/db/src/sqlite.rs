//! SQLite, called on the thread that asks: a command of some forty statements spends its time in them, not in handing each to another
//! thread and waiting for the answer.
//!
//! Invariants: what may wait for the disk or read for long (COMMIT, everything that readers run) is on a thread that may block; a
//! connection that writes is used by one at a time (see `group`).

use crate::sums::Space;
use kernel::Fault;
use kernel::row::{Cell, Row, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OpenFlags, ToSql};
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a connection is for.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    Write,
    Read,
    Scan,
}

/// Where a database is.
#[derive(Clone)]
pub(crate) enum Place {
    Memory,
    File(PathBuf),
}
impl Place {
    /// Reads what follows `sqlite:`; nothing when it is no URL of SQLite.
    ///
    /// # Errors
    /// A fault that names an option it does not know.
    pub(crate) fn of(url: &str) -> Result<Option<Self>, Fault> {
        let Some(rest) = url.strip_prefix("sqlite:") else { return Ok(None) };
        let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
        for option in options.split('&').filter(|o| !o.is_empty()) {
            match option {
                "mode=rwc" => {}
                "mode=memory" => return Ok(Some(Self::Memory)),
                other => {
                    return Err(Fault::broken(format!(
                        "DATABASE_URL: sqlite takes mode=rwc or mode=memory, not “{other}”"
                    )));
                }
            }
        }
        let path = path.strip_prefix("//").unwrap_or(path);
        match path {
            ":memory:" => Ok(Some(Self::Memory)),
            "" => {
                Err(Fault::broken("DATABASE_URL: sqlite: wants the path of a file, as in sqlite:fulmar.db"))
            }
            path => Ok(Some(Self::File(PathBuf::from(path)))),
        }
    }
}

/// An open connection.
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    pub(crate) space: RefCell<Space>,
}

impl Connection {
    pub(crate) fn open(place: &Place, what: Use) -> Result<Self, Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match place {
            Place::Memory => rusqlite::Connection::open_in_memory()?,
            Place::File(path) => rusqlite::Connection::open_with_flags(path, flags)
                .map_err(|e| Fault::from(e).while_doing(format!("open {}", path.display())))?,
        };
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(500);
        let own = match what {
            // Not mapped: what each of many readers has touched of the file would count as memory of the process, many times over. The
            // system has the pages anyway.
            Use::Read => "PRAGMA query_only = 1; PRAGMA cache_size = -4096;",
            Use::Scan => {
                "PRAGMA query_only = 1; PRAGMA cache_size = -65536; PRAGMA mmap_size = 1099511627776;"
            }
            // The file grows while it is written: mapped, it would be mapped anew each time. A page that changes in every transaction
            // is written back once for many of them when the log is folded in less often.
            Use::Write => "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000;",
        };
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1; PRAGMA temp_store = memory;",
        )?;
        connection.execute_batch(own)?;
        Ok(Self { raw: connection, space: RefCell::default() })
    }
    /// Has statements fail at once when another process writes, for those who wait in their own way.
    pub(crate) fn never_waits(&self) -> Result<(), rusqlite::Error> {
        self.raw.busy_timeout(Duration::ZERO)
    }
    /// Whether a transaction is open, by SQLite's own account: it may end one itself when the disk is full.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.raw.is_autocommit()
    }
    /// Runs statements without parameters.
    pub(crate) fn script(&self, text: &str) -> Result<(), rusqlite::Error> {
        self.raw.execute_batch(text)
    }
    /// Runs one of the few statements that transactions consist of.
    pub(crate) fn control(&self, text: &'static str) -> Result<(), rusqlite::Error> {
        self.raw.prepare_cached(text)?.raw_query().next()?;
        Ok(())
    }
    /// All rows of a statement.
    pub(crate) fn query(&self, text: &str, values: &[Value]) -> Result<Vec<Row>, rusqlite::Error> {
        let mut statement = self.raw.prepare_cached(text)?;
        bind(&mut statement, values)?;
        let columns = statement.column_count();
        let mut names: Option<Arc<[String]>> = None;
        let mut all = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let names = names.get_or_insert_with(|| {
                let statement: &rusqlite::Statement<'_> = row.as_ref();
                statement.column_names().into_iter().map(str::to_owned).collect()
            });
            let cells = (0..columns).map(|n| cell(row, n)).collect::<Result<_, _>>()?;
            all.push(Row::new(Arc::clone(names), cells));
        }
        drop(rows);
        #[cfg(feature = "testing")]
        crate::testing::note_scan(text, &statement);
        Ok(all)
    }
    /// Reads a query row by row, keeping none.
    pub(crate) fn each(
        &self,
        text: &str,
        mut take: impl FnMut(&rusqlite::Row<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        let mut statement = self.raw.prepare_cached(text)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            take(row)?;
        }
        Ok(())
    }
    /// Runs a statement to its end; how many rows it touched.
    pub(crate) fn execute(&self, text: &str, values: &[Value]) -> Result<u64, rusqlite::Error> {
        let mut statement = self.raw.prepare_cached(text)?;
        bind(&mut statement, values)?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        drop(rows);
        #[cfg(feature = "testing")]
        crate::testing::note_scan(text, &statement);
        Ok(self.raw.changes())
    }
}

/// A parameter as SQLite takes it, without a copy.
struct Bound<'a>(&'a Value);
impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::BigInt(Some(n)) => ValueRef::Integer(*n),
            Value::String(Some(text)) => ValueRef::Text(text.as_bytes()),
            Value::Double(Some(x)) => ValueRef::Real(*x),
            Value::Bool(Some(yes)) => ValueRef::Integer(i64::from(*yes)),
            Value::BigInt(None) | Value::String(None) | Value::Double(None) | Value::Bool(None) => {
                ValueRef::Null
            }
        }))
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> Result<(), rusqlite::Error> {
    for (n, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(n + 1, Bound(value))?;
    }
    Ok(())
}

fn cell(row: &rusqlite::Row<'_>, n: usize) -> Result<Cell, rusqlite::Error> {
    Ok(match row.get_ref(n)? {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Real(x) => Cell::Real(x),
        ValueRef::Text(bytes) => {
            Cell::Text(std::str::from_utf8(bytes).map_err(|e| rusqlite::Error::Utf8Error(n, e))?.to_owned())
        }
        blob @ ValueRef::Blob(_) => {
            return Err(rusqlite::Error::InvalidColumnType(n, String::new(), blob.data_type()));
        }
    })
}

/// Connections that read, each on a thread that may block.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Inner>);

struct Inner {
    place: Place,
    what: Use,
    size: u32,
    idle: Mutex<Vec<Connection>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn open(place: Place, what: Use, size: u32) -> Result<Self, Fault> {
        let first = Connection::open(&place, what)?;
        let free = Arc::new(Semaphore::new(usize::try_from(size)?));
        Ok(Self(Arc::new(Inner { place, what, size, idle: Mutex::new(vec![first]), free })))
    }
    /// Runs something with a connection when one is free.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = Arc::clone(&self.0.free).acquire_owned().await.map_err(|_| closed())?;
        let readers = self.clone();
        let run = move || {
            let done = readers.with_one(work);
            drop(permit);
            done
        };
        tokio::task::spawn_blocking(run).await.map_err(Fault::from)?
    }
    /// The same on the thread that asks, for what is shorter than the way to another thread: a few rows by their key.
    pub(crate) async fn run_here<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, Fault> {
        let _permit = self.0.free.acquire().await.map_err(|_| closed())?;
        self.with_one(work)
    }
    fn with_one<T>(&self, work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, Fault> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| Connection::open(&self.0.place, self.0.what), Ok)?;
        let done = work(&connection);
        self.idle().push(connection);
        Ok(done?)
    }
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Waits for those who read and closes all.
    pub(crate) async fn close(&self) {
        let all = self.0.free.acquire_many(self.0.size).await;
        self.idle().clear();
        self.0.free.close();
        drop(all);
    }
}

pub(crate) fn closed() -> Fault {
    Fault::broken("the database is closed")
}
