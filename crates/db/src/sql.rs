//! Set-based SQL that is one text for both databases.
//!
//! `$1…` are scalar parameters. A set of rows comes as [`Rows`] and is read in the text as the table `input`. What only PostgreSQL
//! understands (row locks) is written `/*pg FOR UPDATE */`: a comment to SQLite.

use crate::open::Backend;
use kernel::Fault;
use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, FromQueryResult, QueryResult, Statement,
    TryGetable, Value,
};
use std::borrow::Cow;
use std::fmt::Write as _;

/// SQLite takes 32,766 parameters; PostgreSQL takes arrays and needs no chunks of this kind.
const MAX_PARAMETERS: usize = 30_000;
/// Rows of one statement on PostgreSQL.
const MAX_ROWS: usize = 20_000;
/// Stands for NULL in PostgreSQL's arrays, whose binding knows no NULL elements.
const NULL_TEXT: &str = "\u{1}null";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ty {
    BigInt,
    Text,
    Double,
    Boolean,
}

struct Column {
    name: &'static str,
    ty: Ty,
    nullable: bool,
}

/// A set of rows to read in SQL as the table `input`.
pub struct Rows {
    columns: Vec<Column>,
    data: Vec<Vec<Value>>,
}

impl Rows {
    /// Rows of the columns described as `"sku_id BIGINT, code TEXT?"`; a question mark allows NULL. Types: BIGINT, TEXT, DOUBLE,
    /// BOOLEAN (never NULL).
    ///
    /// # Panics
    /// On a description that does not read: it is a constant of the program, and every test of the statement would fail.
    pub fn new(spec: &'static str) -> Self {
        let columns: Vec<Column> = spec
            .split(',')
            .map(|part| {
                let (name, ty) =
                    part.trim().split_once(' ').unwrap_or_else(|| panic!("rows: “{part}” lacks a type"));
                let nullable = ty.ends_with('?');
                let ty = match ty.trim_end_matches('?') {
                    "BIGINT" => Ty::BigInt,
                    "TEXT" => Ty::Text,
                    "DOUBLE" => Ty::Double,
                    "BOOLEAN" => Ty::Boolean,
                    other => panic!("rows: unknown type “{other}”"),
                };
                Column { name, ty, nullable }
            })
            .collect();
        let data = columns.iter().map(|_| Vec::new()).collect();
        Self { columns, data }
    }
    /// Adds a row: one value for each column, in order.
    pub fn push<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(N, self.columns.len(), "rows: a row needs a value for each column");
        for (column, value) in self.data.iter_mut().zip(row) {
            column.push(value);
        }
    }
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.data.first().map_or(0, Vec::len)
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn names(&self) -> String {
        self.columns.iter().map(|c| c.name).collect::<Vec<_>>().join(",")
    }

    /// A statement that reads the rows `from..to` as the table `input`, with its parameters.
    ///
    /// PostgreSQL: the scalars first, then one array per column, so that the text is constant. SQLite: the rows first and without names,
    /// because it finds the name of a parameter (`?7` is one too) by walking a list, and a long list of them is quadratic; then the scalars.
    fn statement(
        &self,
        backend: Backend,
        from: usize,
        to: usize,
        text: &str,
        scalars: &[Value],
    ) -> (String, Vec<Value>) {
        match backend {
            Backend::Postgres => {
                let mut values = scalars.to_vec();
                let with = self.arrays(from, to, scalars.len(), &mut values);
                (with + text, values)
            }
            Backend::Sqlite => {
                let mut values = Vec::with_capacity((to - from) * self.columns.len() + scalars.len());
                let with = self.values(from, to, &mut values);
                let text = renumbered(text, values.len());
                values.extend_from_slice(scalars);
                (with + &text, values)
            }
        }
    }

    fn arrays(&self, from: usize, to: usize, before: usize, values: &mut Vec<Value>) -> String {
        let names = self.names();
        let mut select = String::new();
        let mut arrays = String::new();
        for (i, (column, data)) in self.columns.iter().zip(&self.data).enumerate() {
            let (array, cast, null) = match column.ty {
                Ty::BigInt => (ArrayType::BigInt, "BIGINT[]", format!("{}", i64::MIN)),
                Ty::Text => (ArrayType::String, "TEXT[]", format!("E'\\x01{}'", &NULL_TEXT[1..])),
                Ty::Double => (ArrayType::Double, "DOUBLE PRECISION[]", "'-Infinity'".into()),
                Ty::Boolean => (ArrayType::Bool, "BOOLEAN[]", String::new()),
            };
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(arrays, "{comma}CAST(${} AS {cast})", before + i + 1);
            let _ = match column.nullable {
                true => write!(select, "{comma}NULLIF({}, {null}) AS {}", column.name, column.name),
                false => write!(select, "{comma}{}", column.name),
            };
            let part = data[from..to].iter().map(|v| without_null(v, column.ty)).collect();
            values.push(Value::Array(array, Some(Box::new(part))));
        }
        format!("WITH input AS (SELECT {select} FROM unnest({arrays}) AS raw_input({names})) ")
    }

    /// A text for each number of rows would push each other out of SQLite's cache of prepared statements, and to prepare one costs as
    /// much as to run it. So the list has one of a few lengths: the rows, then empty ones behind the limit, which are never read.
    fn values(&self, from: usize, to: usize, values: &mut Vec<Value>) -> String {
        let row_text = format!("({})", vec!["?"; self.columns.len()].join(","));
        let length = list_length(to - from).min(self.chunk(Backend::Sqlite, 0));
        let mut text = format!("WITH input({}) AS (SELECT * FROM (VALUES ", self.names());
        text.reserve(length * (row_text.len() + 1) + 16);
        for row in 0..length {
            if row > 0 {
                text.push(',');
            }
            text.push_str(&row_text);
        }
        for row in from..to {
            values.extend(self.data.iter().map(|data| data[row].clone()));
        }
        values.resize(length * self.columns.len(), Value::BigInt(None));
        values.push(Value::from(i64::try_from(to - from).unwrap_or(i64::MAX)));
        // Not the bare parameter: SQLite would look into it while planning, and plan anew whenever it changes.
        text.push_str(") LIMIT abs(?)) ");
        text
    }
    fn chunk(&self, backend: Backend, before: usize) -> usize {
        match backend {
            Backend::Postgres => MAX_ROWS,
            Backend::Sqlite => ((MAX_PARAMETERS - before - 1) / self.columns.len().max(1)).max(1),
        }
    }
}

/// The next of the lengths 1, 2, 3, 4, 6, 8, 12, 16, …: at most half of the list is empty.
fn list_length(rows: usize) -> usize {
    let power = rows.next_power_of_two();
    if rows <= power / 4 * 3 && power >= 4 { power / 4 * 3 } else { power }
}

/// The text with its scalars `$1…` as SQLite's `?{offset + 1}…`.
fn renumbered(text: &str, offset: usize) -> String {
    let mut parts = text.split('$');
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().unwrap_or(0);
        let _ = write!(done, "?{}{}", number + offset, &part[digits..]);
    }
    done
}

fn without_null(value: &Value, ty: Ty) -> Value {
    match (ty, value) {
        (Ty::BigInt, Value::BigInt(None)) => Value::BigInt(Some(i64::MIN)),
        (Ty::Text, Value::String(None)) => Value::String(Some(NULL_TEXT.to_owned())),
        (Ty::Double, Value::Double(None)) => Value::Double(Some(f64::NEG_INFINITY)),
        (Ty::BigInt, Value::Int(Some(n))) => Value::BigInt(Some(i64::from(*n))),
        _ => value.clone(),
    }
}

enum Conn {
    Pool(DatabaseConnection),
    Tx(DatabaseTransaction),
}

/// A connection that runs SQL: a pool for reads, or the inside of a transaction.
pub struct Sql {
    conn: Conn,
    backend: Backend,
}

impl Sql {
    pub(crate) fn pool(conn: DatabaseConnection, backend: Backend) -> Self {
        Self { conn: Conn::Pool(conn), backend }
    }
    pub(crate) fn tx(tx: DatabaseTransaction, backend: Backend) -> Self {
        Self { conn: Conn::Tx(tx), backend }
    }
    pub(crate) fn into_tx(self) -> Option<DatabaseTransaction> {
        match self.conn {
            Conn::Tx(tx) => Some(tx),
            Conn::Pool(_) => None,
        }
    }
    /// Closes the connections of a pool.
    pub(crate) async fn close(&self) -> Result<(), Fault> {
        match &self.conn {
            Conn::Pool(pool) => Ok(pool.close_by_ref().await?),
            Conn::Tx(_) => Ok(()),
        }
    }
    /// Which database it is, for the few texts that must differ.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    fn statement(&self, text: &str, values: Vec<Value>) -> Statement {
        let text: Cow<'_, str> = match self.backend {
            Backend::Postgres if text.contains("/*pg") => text.replace("/*pg", "").replace("*/", "").into(),
            // To SQLite `$1` is a name that could stand for any place; `?1` says which.
            Backend::Sqlite => text.replace('$', "?").into(),
            _ => text.into(),
        };
        Statement::from_sql_and_values(self.backend.sea(), text.into_owned(), values)
    }
    async fn query(&self, text: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, Fault> {
        let statement = self.statement(text, values);
        let rows = match &self.conn {
            Conn::Pool(conn) => conn.query_all_raw(statement).await,
            Conn::Tx(tx) => tx.query_all_raw(statement).await,
        };
        rows.map_err(|e| Fault::from(e).while_doing(first_words(text)))
    }
    async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, Fault> {
        let statement = self.statement(text, values);
        let done = match &self.conn {
            Conn::Pool(conn) => conn.execute_raw(statement).await,
            Conn::Tx(tx) => tx.execute_raw(statement).await,
        };
        done.map(|d| d.rows_affected()).map_err(|e| Fault::from(e).while_doing(first_words(text)))
    }

    /// All rows of a query.
    pub async fn all<T: FromQueryResult>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.query(text, params.into_iter().collect()).await?;
        rows.iter()
            .map(|r| T::from_query_result(r, "").map_err(|e| Fault::from(e).while_doing(first_words(text))))
            .collect()
    }
    /// The first row of a query.
    pub async fn one<T: FromQueryResult>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.all(text, params).await?.into_iter().next())
    }
    /// The first column of the first row.
    pub async fn scalar<T: TryGetable>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, Fault> {
        let rows = self.query(text, params.into_iter().collect()).await?;
        rows.first().map(|r| r.try_get_by_index::<T>(0).map_err(Fault::from)).transpose()
    }
    /// The first column of every row.
    pub async fn column<T: TryGetable>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.query(text, params.into_iter().collect()).await?;
        rows.iter().map(|r| r.try_get_by_index::<T>(0).map_err(Fault::from)).collect()
    }
    /// Runs a statement; how many rows it touched.
    pub async fn exec(&self, text: &str, params: impl IntoIterator<Item = Value>) -> Result<u64, Fault> {
        self.execute(text, params.into_iter().collect()).await
    }

    /// Runs a query that reads the rows as the table `input` (a statement without its own WITH). Sets over the database's limit run in
    /// chunks, in order.
    pub async fn all_from<T: FromQueryResult>(
        &self,
        input: &Rows,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Fault> {
        let params: Vec<Value> = params.into_iter().collect();
        let mut all = Vec::new();
        for (from, to) in self.chunks(input, params.len()) {
            let (statement, values) = input.statement(self.backend, from, to, text, &params);
            for row in self.query(&statement, values).await? {
                all.push(
                    T::from_query_result(&row, "")
                        .map_err(|e| Fault::from(e).while_doing(first_words(text)))?,
                );
            }
        }
        Ok(all)
    }
    /// Runs a statement that reads the rows as the table `input`; how many rows it touched.
    pub async fn exec_from(
        &self,
        input: &Rows,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<u64, Fault> {
        let params: Vec<Value> = params.into_iter().collect();
        let mut touched = 0;
        for (from, to) in self.chunks(input, params.len()) {
            let (statement, values) = input.statement(self.backend, from, to, text, &params);
            touched += self.execute(&statement, values).await?;
        }
        Ok(touched)
    }
    /// Inserts the rows; the columns of `input` are the table's.
    pub async fn insert(&self, table: &str, input: &Rows) -> Result<u64, Fault> {
        let names = input.names();
        self.exec_from(input, &format!("INSERT INTO {table} ({names}) SELECT {names} FROM input"), []).await
    }
    fn chunks(&self, input: &Rows, before: usize) -> Vec<(usize, usize)> {
        let size = input.chunk(self.backend, before);
        (0..input.len()).step_by(size).map(|from| (from, (from + size).min(input.len()))).collect()
    }
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(12).collect::<Vec<_>>().join(" ")
}
