//! PostgreSQL: pools, parameters and rows.

use kernel::Fault;
use kernel::row::{Cell, Row, Value};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Postgres, Row as _, TypeInfo as _};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

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

/// A column of a set of rows.
pub(crate) enum Array {
    BigInt(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Double(Vec<Option<f64>>),
    Boolean(Vec<Option<bool>>),
}

/// What holds where transactions run. PostgreSQL keeps the plan of a prepared statement, and of each foreign key's check, until its
/// table is analysed: one that was made while the table was empty reads it whole, also when it has grown. Commands reach every row by an
/// index; compiling costs more than it brings.
pub(crate) const WRITES: &[(&str, &str)] = &[("enable_seqscan", "off"), ("jit", "off")];

/// A pool; `settings` hold for each of its connections.
pub(crate) async fn pool(url: &str, connections: u32, settings: &[(&str, &str)]) -> Result<PgPool, Fault> {
    let mut options =
        PgConnectOptions::from_str(url)?.statement_cache_capacity(500).disable_statement_logging();
    if !settings.is_empty() {
        options = options.options(settings.iter().copied());
    }
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(20))
        .connect_with(options)
        .await?)
}

/// A statement with its parameters.
pub(crate) fn statement(text: String, parameters: Parameters) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(AssertSqlSafe(text));
    for value in parameters.values {
        query = match value {
            Value::BigInt(n) => query.bind(n),
            Value::String(text) => query.bind(text),
            Value::Double(x) => query.bind(x),
            Value::Bool(yes) => query.bind(yes),
        };
    }
    for array in parameters.arrays {
        query = match array {
            Array::BigInt(all) => query.bind(all),
            Array::Text(all) => query.bind(all),
            Array::Double(all) => query.bind(all),
            Array::Boolean(all) => query.bind(all),
        };
    }
    query
}

/// Rows as both databases give them.
pub(crate) fn rows(found: &[PgRow]) -> Result<Vec<Row>, Fault> {
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let names: Arc<[String]> = first.columns().iter().map(|c| c.name().to_owned()).collect();
    let read = |row: &PgRow| {
        let cells = (0..names.len()).map(|n| cell(row, n)).collect::<Result<_, _>>()?;
        Ok(Row::new(Arc::clone(&names), cells))
    };
    found.iter().map(read).collect()
}

fn cell(row: &PgRow, n: usize) -> Result<Cell, Fault> {
    let column = row.column(n);
    let cell = match column.type_info().name() {
        "INT8" => row.try_get::<Option<i64>, _>(n)?.map(Cell::Int),
        "INT4" => row.try_get::<Option<i32>, _>(n)?.map(|n| Cell::Int(n.into())),
        "INT2" => row.try_get::<Option<i16>, _>(n)?.map(|n| Cell::Int(n.into())),
        "TEXT" | "VARCHAR" | "NAME" => row.try_get::<Option<String>, _>(n)?.map(Cell::Text),
        "BOOL" => row.try_get::<Option<bool>, _>(n)?.map(Cell::Bool),
        "FLOAT8" => row.try_get::<Option<f64>, _>(n)?.map(Cell::Real),
        "VOID" => None,
        other => {
            return Err(Fault::broken(format!(
                "column {} has type {other}: cast it to BIGINT, TEXT, BOOLEAN or DOUBLE PRECISION",
                column.name()
            )));
        }
    };
    Ok(cell.unwrap_or(Cell::Null))
}
