//! PostgreSQL: pools of connections, parameters and rows.

mod session;
mod tls;

pub(crate) use session::Later;
pub use session::Session;

use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};
use kernel::Fault;
use kernel::row::{Cell, Row, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Error, Row as Found};

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// A connection is closed when it is so old, or nobody wanted it for so long.
const OLDEST: Duration = Duration::from_secs(30 * 60);
const IDLE: Duration = Duration::from_secs(10 * 60);

/// Parameters: scalars, and behind them an array for each column of a set of rows.
#[derive(Default)]
pub(crate) struct Parameters {
    pub values: Vec<Value>,
    pub arrays: Vec<Array>,
}
impl From<Vec<Value>> for Parameters {
    fn from(values: Vec<Value>) -> Self {
        Self { values, arrays: Vec::new() }
    }
}
impl Parameters {
    fn types(&self) -> Vec<Type> {
        let scalar = |value: &Value| match value {
            Value::BigInt(_) => Type::INT8,
            Value::String(_) => Type::TEXT,
            Value::Double(_) => Type::FLOAT8,
            Value::Bool(_) => Type::BOOL,
        };
        let array = |array: &Array| match array {
            Array::BigInt(_) => Type::INT8_ARRAY,
            Array::Text(_) => Type::TEXT_ARRAY,
            Array::Double(_) => Type::FLOAT8_ARRAY,
            Array::Boolean(_) => Type::BOOL_ARRAY,
        };
        self.values.iter().map(scalar).chain(self.arrays.iter().map(array)).collect()
    }
    fn all(&self) -> Vec<&(dyn ToSql + Sync)> {
        let scalars = self.values.iter().map(|value| match value {
            Value::BigInt(n) => n as &(dyn ToSql + Sync),
            Value::String(text) => text,
            Value::Double(x) => x,
            Value::Bool(yes) => yes,
        });
        let arrays = self.arrays.iter().map(|array| match array {
            Array::BigInt(all) => all as &(dyn ToSql + Sync),
            Array::Text(all) => all,
            Array::Double(all) => all,
            Array::Boolean(all) => all,
        });
        scalars.chain(arrays).collect()
    }
}

/// A column of a set of rows.
pub(crate) enum Array {
    BigInt(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Double(Vec<Option<f64>>),
    Boolean(Vec<Option<bool>>),
}

/// What holds where transactions run. Commands reach every row by an index, so there is one plan for a statement, whatever its rows
/// (to plan it for them costs as much as to run it); compiling costs more than it brings.
pub(crate) const WRITES: &[(&str, &str)] =
    &[("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off")];

/// Connections to one database, with the same settings.
pub(crate) struct Manager {
    config: Config,
    tls: tls::Tls,
}
pub(crate) type Pool = managed::Pool<Manager>;

/// A pool; `settings` hold for each of its connections. The first connection is made at once.
pub(crate) async fn pool(url: &str, connections: u32, settings: &[(&str, &str)]) -> Result<Pool, Fault> {
    let (mut config, tls) = configured(url)?;
    if !settings.is_empty() {
        let mut options = config.get_options().unwrap_or_default().to_owned();
        for (name, value) in settings {
            options += &format!(" -c {name}={value}");
        }
        config.options(options);
    }
    let pool = Pool::builder(Manager { config, tls })
        .max_size(usize::try_from(connections)?)
        .wait_timeout(Some(PATIENCE))
        // The one that was used last: its plans are there, and fewer processes of the server are awake.
        .queue_mode(managed::QueueMode::Lifo)
        .runtime(deadpool::Runtime::Tokio1)
        .build()?;
    drop(Taken::from(&pool).await?);
    Ok(pool)
}

fn configured(url: &str) -> Result<(Config, tls::Tls), Fault> {
    let (url, tls) = tls::of(url)?;
    let mut config: Config = url.parse().map_err(failed)?;
    // A server that went without a word is noticed.
    config.ssl_mode(tls.mode).keepalives_idle(Duration::from_secs(60));
    config.keepalives_interval(Duration::from_secs(10)).keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(30));
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    if config.get_application_name().is_none() {
        config.application_name("fulmar");
    }
    Ok((config, tls))
}

impl managed::Manager for Manager {
    /// Boxed: it is large, and goes from hand to hand.
    type Type = Box<Session>;
    type Error = Error;

    /// A server that starts, or has no room for a moment, is asked again.
    async fn create(&self) -> Result<Box<Session>, Error> {
        let mut pause = Duration::from_millis(10);
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            // Boxed: seldom needed, and large in the state of whoever wants a connection.
            match Box::pin(Session::begin(&self.config, &self.tls)).await {
                Err(e) if is_passing(&e) && tokio::time::Instant::now() + pause < until => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                done => return done.map(Box::new),
            }
        }
    }
    async fn recycle(&self, session: &mut Box<Session>, metrics: &Metrics) -> RecycleResult<Error> {
        if !session.is_whole() || metrics.age() > OLDEST || metrics.last_used() > IDLE {
            return Err(RecycleError::message("the connection is not whole, or is old"));
        }
        // A plan is made for tables as large as they are then: one that was made while they were empty reads them whole, also when they
        // have grown. So all are made anew as the connection ages, each time after twice as many transactions.
        if metrics.recycle_count.is_power_of_two() {
            session.later_script("DISCARD PLANS");
        }
        Ok(())
    }
    /// PostgreSQL does not see that nobody waits for a statement any more: it is told.
    fn detach(&self, session: &mut Box<Session>) {
        if let (true, Ok(runtime)) = (session.is_left(), tokio::runtime::Handle::try_current()) {
            let (cancel, connector) = (session.cancel(), self.tls.connector.clone());
            runtime.spawn(async move {
                let _ = tokio::time::timeout(PATIENCE, cancel.cancel_query(connector)).await;
            });
        }
    }
}

/// Whether a connection may be had a moment later: nobody listens yet, the server starts, or it has no room.
fn is_passing(e: &Error) -> bool {
    let refused = std::error::Error::source(e).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    let code = e.code();
    refused.is_some_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused)
        || code == Some(&SqlState::CANNOT_CONNECT_NOW)
        || code == Some(&SqlState::TOO_MANY_CONNECTIONS)
}

/// Whether a prepared statement is of a schema that was changed since.
pub(crate) fn is_outdated(e: &Error) -> bool {
    let code = e.code();
    code == Some(&SqlState::FEATURE_NOT_SUPPORTED) || code == Some(&SqlState::INVALID_SQL_STATEMENT_NAME)
}

/// An error as it may be shown and kept: PostgreSQL's details hold rows of the shop.
#[derive(Debug)]
pub(crate) struct Failed(pub Error);
impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_db_error() {
            Some(e) => write!(f, "{}: {} ({})", e.severity(), e.message(), e.code().code()),
            None => {
                write!(f, "{}", self.0)?;
                let mut cause = std::error::Error::source(&self.0);
                while let Some(inner) = cause {
                    write!(f, ": {inner}")?;
                    cause = inner.source();
                }
                Ok(())
            }
        }
    }
}
impl std::error::Error for Failed {}

#[track_caller]
pub(crate) fn failed(e: Error) -> Fault {
    Fault::from(Failed(e))
}

/// A connection of a pool. One that is dropped inside of a transaction, or before its answer has come, is closed; that rolls the
/// transaction back.
pub(crate) struct Taken(Option<Object<Manager>>);
impl Taken {
    pub(crate) async fn from(pool: &Pool) -> Result<Self, Fault> {
        let session = pool.get().await.map_err(|e| match e {
            managed::PoolError::Backend(e) => failed(e).while_doing("connect to PostgreSQL"),
            other => Fault::from(other),
        })?;
        Ok(Self(Some(session)))
    }
    /// The same, inside of a transaction.
    pub(crate) async fn begin(pool: &Pool) -> Result<Self, Fault> {
        let mut taken = Self::from(pool).await?;
        taken.session()?.open();
        Ok(taken)
    }
    pub(crate) fn session(&mut self) -> Result<&mut Session, Fault> {
        match &mut self.0 {
            Some(session) => Ok(session),
            None => Err(Fault::broken("a connection that was given back")),
        }
    }
}
impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(session) = self.0.take().filter(|session| session.is_left()) {
            drop(Object::take(session));
        }
    }
}

fn as_both_give_them(found: &[Found]) -> Result<Vec<Row>, Fault> {
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let names: Arc<[String]> = first.columns().iter().map(|c| c.name().to_owned()).collect();
    let read = |row: &Found| {
        let cells = (0..names.len()).map(|n| value(row, n).map(cell)).collect::<Result<_, _>>()?;
        Ok(Row::new(Arc::clone(&names), cells))
    };
    found.iter().map(read).collect()
}

fn value(row: &Found, n: usize) -> Result<Value, Fault> {
    let column = &row.columns()[n];
    Ok(match *column.type_() {
        Type::INT8 => Value::BigInt(row.try_get(n)?),
        Type::INT4 => Value::BigInt(row.try_get::<_, Option<i32>>(n)?.map(i64::from)),
        Type::INT2 => Value::BigInt(row.try_get::<_, Option<i16>>(n)?.map(i64::from)),
        Type::TEXT | Type::VARCHAR | Type::NAME => Value::String(row.try_get(n)?),
        Type::BOOL => Value::Bool(row.try_get(n)?),
        Type::FLOAT8 => Value::Double(row.try_get(n)?),
        Type::VOID => Value::BigInt(None),
        ref other => {
            return Err(Fault::broken(format!(
                "column {} has type {other}: cast it to BIGINT, TEXT, BOOLEAN or DOUBLE PRECISION",
                column.name()
            )));
        }
    })
}

fn cell(value: Value) -> Cell {
    let cell = match value {
        Value::BigInt(n) => n.map(Cell::Int),
        Value::String(text) => text.map(Cell::Text),
        Value::Bool(yes) => yes.map(Cell::Bool),
        Value::Double(x) => x.map(Cell::Real),
    };
    cell.unwrap_or(Cell::Null)
}
