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
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Error, Row as Found};

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(20);

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
        .create_timeout(Some(PATIENCE))
        // The one that was used last: its plans are there, and fewer processes of the server are awake.
        .queue_mode(managed::QueueMode::Lifo)
        .runtime(deadpool::Runtime::Tokio1)
        .build()?;
    drop(taken(&pool).await?);
    Ok(pool)
}

/// A connection of a pool.
pub(crate) async fn taken(pool: &Pool) -> Result<Object<Manager>, Fault> {
    Ok(pool.get().await?)
}

fn configured(url: &str) -> Result<(Config, tls::Tls), Fault> {
    let (url, tls) = tls::of(url)?;
    let mut config: Config = url.parse()?;
    config.ssl_mode(tls.mode);
    if config.get_application_name().is_none() {
        config.application_name("fulmar");
    }
    Ok((config, tls))
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session, Error> {
        Session::begin(&self.config, &self.tls).await
    }
    async fn recycle(&self, session: &mut Session, metrics: &Metrics) -> RecycleResult<Error> {
        if !session.is_whole() {
            return Err(RecycleError::message("the connection is not whole"));
        }
        // A plan is made for tables as large as they are then: one that was made while they were empty reads them whole, also when they
        // have grown. So all are made anew as the connection ages, each time after twice as many transactions.
        if metrics.recycle_count.is_power_of_two() {
            session.later_script("DISCARD PLANS");
        }
        Ok(())
    }
}

/// A transaction. One that is dropped inside closes its connection, which rolls it back.
pub(crate) struct Transaction(Option<Object<Manager>>);
impl Transaction {
    pub(crate) async fn begin(pool: &Pool) -> Result<Self, Fault> {
        let mut session = taken(pool).await?;
        session.open();
        Ok(Self(Some(session)))
    }
    pub(crate) fn session(&mut self) -> Result<&mut Session, Fault> {
        self.0.as_deref_mut().ok_or_else(|| Fault::broken("a transaction without its connection"))
    }
}
impl Drop for Transaction {
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
