//! Opening a database: `sqlite:PATH` (one connection that writes and a pool that reads) or `postgres://…` (a pool for each).

use crate::group::Group;
use crate::lease::Lease;
use crate::postgres::{self, Pool};
use crate::sqlite::{Connection, Place, Readers, Use};
use crate::turns::{Standing, Turns};
use crate::tx::Reaction;
use crate::{Clock, Listener, Sql};
use kernel::{Actor, Fault, IdGen, Timestamp};
use std::sync::Arc;
use tokio::sync::Notify;

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// A server of version 15 or later.
    Postgres,
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

/// How many lanes may have a transaction on PostgreSQL at the same time: as many as there are processors to decide in, and two, so that
/// one decides while another waits for the disk. More makes smaller batches, and each costs about as much (with two processors and 32
/// clients 130 lives a second with two, 116 with four, 87 with sixteen).
fn lanes_at_once() -> usize {
    std::thread::available_parallelism().map_or(2, |processors| processors.get().max(2))
}

/// What transactions begin on.
#[derive(Clone)]
pub(crate) enum Writer {
    Sqlite(Group, Place),
    /// Lanes take turns, as many at a time as keep it busy: who waits is in a larger batch then.
    Postgres(Pool, Turns),
}
impl Writer {
    /// Begins a transaction: IMMEDIATE on SQLite's one writer, READ COMMITTED on PostgreSQL.
    pub(crate) async fn begin(&self, standing: Standing) -> Result<Sql, Fault> {
        Ok(match self {
            Self::Sqlite(group, _) => Sql::member(group.join(standing).await?),
            Self::Postgres(pool, _) => Sql::tx(Box::pin(postgres::Taken::begin(pool)).await?),
        })
    }
    /// Statements that are each a transaction of their own.
    pub(crate) fn alone(&self) -> Sql {
        match self {
            Self::Sqlite(group, _) => Sql::writer(group.clone()),
            Self::Postgres(pool, _) => Sql::pool(pool.clone()),
        }
    }
    pub(crate) fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(..) => Backend::Sqlite,
            Self::Postgres(..) => Backend::Postgres,
        }
    }
}

pub(crate) struct Shared {
    pub writer: Writer,
    pub reader: Sql,
    pub clock: Clock,
    pub ids: IdGen,
    pub lease: Lease,
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
        let writer = if let Some(place) = Place::of(url)? {
            let connection = Connection::open(&place, Use::Write)?;
            Writer::Sqlite(Group::new(connection, matches!(place, Place::Memory))?, place)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = postgres::pool(url, options.connections.max(2), postgres::WRITES).await?;
            Writer::Postgres(pool, Turns::new(lanes_at_once()))
        } else {
            // Not the URL itself: it may hold a password.
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(Fault::broken(format!(
                "DATABASE_URL must start with sqlite: or postgres://, not “{scheme}:”"
            )));
        };
        crate::migrate::migrate(&writer).await?;
        let reader = match &writer {
            Writer::Sqlite(_, place @ Place::File(_)) => {
                Sql::readers(Readers::open(place.clone(), Use::Read, options.connections)?)
            }
            Writer::Sqlite(..) => writer.alone(),
            Writer::Postgres(..) => Sql::pool(postgres::pool(url, options.connections.max(2), &[]).await?),
        };
        Self::begin(url, writer, reader, options).await
    }
    /// The same database as a process sees it that starts after this one died: with a new node number, new ids, and nothing of what was
    /// in memory. Reads go through the writer. For simulations, whose databases live in memory and end with their connection.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn begin_again(&self, options: Options) -> Result<Self, Fault> {
        let Shared { writer, url, .. } = &*self.shared;
        if let Writer::Sqlite(group, _) = writer {
            group.forget().await;
        }
        Self::begin(url, writer.clone(), writer.alone(), options).await
    }
    async fn begin(url: &str, writer: Writer, reader: Sql, options: Options) -> Result<Self, Fault> {
        let lease = Lease::take(&writer.alone(), options.clock.repeats()).await?;
        let shared = Shared {
            reader,
            writer,
            clock: options.clock,
            ids: IdGen::new(lease.node()),
            lease,
            reactions: options.reactions,
            listeners: options.listeners,
            wake: Notify::new(),
            url: url.to_owned(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
    /// Which database it is.
    pub fn backend(&self) -> Backend {
        self.shared.writer.backend()
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
        let Shared { url, writer, .. } = &*self.shared;
        Ok(match writer {
            Writer::Sqlite(_, place @ Place::File(_)) => {
                Sql::readers(Readers::open(place.clone(), Use::Scan, connections)?)
            }
            Writer::Sqlite(..) => writer.alone(),
            // Sorts and hash tables stay in memory; parallel laws instead of parallel workers; compiling costs more than it brings.
            Writer::Postgres(..) => {
                let settings = [
                    ("work_mem", "256MB"),
                    ("hash_mem_multiplier", "2"),
                    ("max_parallel_workers_per_gather", "0"),
                    ("jit", "off"),
                ];
                Sql::pool(postgres::pool(url, connections, &settings).await?)
            }
        })
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
        let writer = self.shared.writer.alone();
        self.shared.lease.give_back(&writer).await?;
        // The readers first: SQLite folds its log into the file when the last connection, which may write, is closed. Other clones of
        // this handle can do nothing any more.
        self.shared.reader.close().await;
        writer.close().await;
        Ok(())
    }
}
