//! Opening a database: `sqlite:PATH` (one writer connection and a read-only pool beside it) or `postgres://…` (one pool).

use crate::group::Group;
use crate::lease::Lease;
use crate::tx::Reaction;
use crate::{Clock, Listener, Sql};
use kernel::{Actor, Fault, IdGen, Timestamp};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// A server of version 15 or later.
    Postgres,
}
impl Backend {
    pub(crate) fn sea(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }
}

/// How a database is opened.
#[derive(Clone)]
pub struct Options {
    /// The clock commands see.
    pub clock: Clock,
    /// What reacts to events inside the transaction that records them, in this order.
    pub reactions: Vec<Reaction>,
    /// What is told of events afterwards.
    pub listeners: Vec<Listener>,
    /// Connections of the pool (readers on SQLite).
    pub connections: u32,
}
impl Default for Options {
    fn default() -> Self {
        Self { clock: Clock::System, reactions: Vec::new(), listeners: Vec::new(), connections: 8 }
    }
}

pub(crate) struct Shared {
    pub backend: Backend,
    pub writer: DatabaseConnection,
    pub reader: Sql,
    pub clock: Clock,
    pub ids: IdGen,
    pub lease: Lease,
    pub group: Group,
    pub reactions: Vec<Reaction>,
    pub listeners: Vec<Listener>,
    pub wake: Notify,
    pub url: String,
}

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pub(crate) shared: Arc<Shared>,
}

impl Db {
    /// Opens the database, brings its schema up to date and leases a node number for ids.
    ///
    /// # Errors
    /// A fault when the URL is of neither database, it cannot be reached, or a migration fails.
    pub async fn open(url: &str, options: Options) -> Result<Self, Fault> {
        let (backend, writer, reader) = if url.starts_with("sqlite:") {
            let writer = Database::connect(sqlite(url, 1, Use::Write)).await?;
            let reader = match is_memory(url) {
                true => writer.clone(),
                false => Database::connect(sqlite(url, options.connections, Use::Read)).await?,
            };
            (Backend::Sqlite, writer, reader)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let mut connect = ConnectOptions::new(url.to_owned());
            connect
                .max_connections(options.connections.max(2))
                .min_connections(1)
                .sqlx_logging(false)
                .test_before_acquire(false)
                .acquire_timeout(Duration::from_secs(20))
                .map_sqlx_postgres_opts(|o| o.statement_cache_capacity(500));
            let pool = Database::connect(connect).await?;
            (Backend::Postgres, pool.clone(), pool)
        } else {
            // Not the URL itself: it may hold a password.
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(Fault::broken(format!(
                "DATABASE_URL must start with sqlite: or postgres://, not “{scheme}:”"
            )));
        };
        crate::migrate::migrate(&writer, backend).await?;
        Self::begin(url, backend, (writer, reader), options).await
    }
    /// The same database as a process sees it that starts after this one died: with a new node number, new ids, and nothing of what was
    /// in memory. Reads go through the writer. For simulations, whose databases live in memory and end with their connection.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn begin_again(&self, options: Options) -> Result<Self, Fault> {
        let Shared { backend, writer, url, .. } = &*self.shared;
        Self::begin(url, *backend, (writer.clone(), writer.clone()), options).await
    }
    async fn begin(
        url: &str,
        backend: Backend,
        (writer, reader): (DatabaseConnection, DatabaseConnection),
        options: Options,
    ) -> Result<Self, Fault> {
        let lease = Lease::take(&Sql::pool(writer.clone(), backend), options.clock.repeats()).await?;
        let shared = Shared {
            backend,
            reader: Sql::pool(reader, backend),
            writer,
            clock: options.clock,
            ids: IdGen::new(lease.node()),
            lease,
            group: Group::default(),
            reactions: options.reactions,
            listeners: options.listeners,
            wake: Notify::new(),
            url: url.to_owned(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
    /// Which database it is.
    pub fn backend(&self) -> Backend {
        self.shared.backend
    }
    /// Reads outside of a transaction.
    pub fn read(&self) -> &Sql {
        &self.shared.reader
    }
    /// Connections of their own for queries over the whole database (laws, reports): they may take memory that those who serve may not.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn scanners(&self, connections: u32) -> Result<Sql, Fault> {
        let Shared { backend, url, writer, .. } = &*self.shared;
        let connect = match backend {
            Backend::Sqlite if is_memory(url) => return Ok(Sql::pool(writer.clone(), *backend)),
            Backend::Sqlite => sqlite(url, connections, Use::Scan),
            Backend::Postgres => {
                let mut connect = ConnectOptions::new(url.clone());
                connect.max_connections(connections).min_connections(1).sqlx_logging(false);
                // Sorts and hash tables stay in memory; parallel laws instead of parallel workers; compiling costs more than it brings.
                connect.map_sqlx_postgres_opts(|o| {
                    o.options([
                        ("work_mem", "256MB"),
                        ("hash_mem_multiplier", "2"),
                        ("max_parallel_workers_per_gather", "0"),
                        ("jit", "off"),
                    ])
                });
                connect
            }
        };
        Ok(Sql::pool(Database::connect(connect).await?, *backend))
    }
    /// The clock commands see.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }
    /// Now, by that clock.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
    /// A new id, at the time of that clock.
    pub fn id<T: kernel::Id>(&self) -> T {
        self.shared.ids.next(self.now().millis())
    }
    /// A transaction to come, with its retries; use [`crate::write!`].
    pub fn attempt(&self, actor: &Actor) -> crate::tx::Attempt {
        crate::tx::Attempt::new(Arc::clone(&self.shared), actor.clone())
    }
    /// The URL it was opened with (it may hold a password: not for logs).
    pub fn url(&self) -> &str {
        &self.shared.url
    }
    /// Gives the node number back and closes the connections.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn close(self) -> Result<(), Fault> {
        self.shared.lease.give_back(&Sql::pool(self.shared.writer.clone(), self.shared.backend)).await?;
        // The readers first: SQLite folds its log into the file when the last connection, which may write, is closed. Other clones of
        // this handle can do nothing any more.
        self.shared.reader.close().await?;
        self.shared.writer.close_by_ref().await?;
        Ok(())
    }
}

fn is_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

/// What a connection of SQLite is for.
#[derive(Clone, Copy)]
enum Use {
    Write,
    Read,
    Scan,
}

fn sqlite(url: &str, connections: u32, what: Use) -> ConnectOptions {
    let mut connect = ConnectOptions::new(url.to_owned());
    connect
        .max_connections(connections)
        .min_connections(1)
        .sqlx_logging(false)
        .test_before_acquire(false)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(Duration::from_secs(60))
        .map_sqlx_sqlite_opts(move |options| {
            let options = options
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
                .statement_cache_capacity(500)
                .pragma("temp_store", "memory");
            match what {
                // Not mapped: what each of many readers has touched of the file would count as memory of the process, many times over. The
                // system has the pages anyway.
                Use::Read => options.pragma("query_only", "1").pragma("cache_size", "-4096"),
                Use::Scan => options
                    .pragma("query_only", "1")
                    .pragma("cache_size", "-65536")
                    .pragma("mmap_size", "1099511627776"),
                // The file grows while it is written: mapped, it would be mapped anew each time. A page that changes in every transaction
                // is written back once for many of them when the log is folded in less often.
                Use::Write => options.pragma("cache_size", "-65536").pragma("wal_autocheckpoint", "8000"),
            }
        });
    connect
}
