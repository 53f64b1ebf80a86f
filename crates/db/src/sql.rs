//! Set-based SQL that is one text for both databases.
//!
//! `$1…` are scalar parameters. A set of rows comes as [`Rows`] and is read in the text as the table `input`. What only PostgreSQL
//! understands (row locks) is written `/*pg FOR UPDATE */`: a comment to SQLite.

use crate::group::{Group, Member};
use crate::laws::{Offence, Sums};
use crate::open::Backend;
use crate::postgres::{Array, Later, Parameters, Pool, Taken};
use crate::sqlite::Readers;
use crate::{BoxFuture, sums};
use kernel::Fault;
use kernel::row::{FromCell, FromRow, Row, Unreadable, Value};
use std::fmt::Write as _;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

/// SQLite takes 32,766 parameters; PostgreSQL takes arrays and needs no chunks of this kind.
const MAX_PARAMETERS: usize = 30_000;
/// Rows of one statement on PostgreSQL.
const MAX_ROWS: usize = 20_000;

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
                let ty = match ty.trim_end_matches('?') {
                    "BIGINT" => Ty::BigInt,
                    "TEXT" => Ty::Text,
                    "DOUBLE" => Ty::Double,
                    "BOOLEAN" => Ty::Boolean,
                    other => panic!("rows: unknown type “{other}”"),
                };
                Column { name, ty }
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
    ) -> Result<(String, Parameters), Fault> {
        Ok(match backend {
            Backend::Postgres => {
                let (with, arrays) = self.arrays(from, to, scalars.len())?;
                (with + text, Parameters { values: scalars.to_vec(), arrays })
            }
            Backend::Sqlite => {
                let mut values = Vec::with_capacity((to - from) * self.columns.len() + scalars.len());
                let with = self.values(from, to, &mut values);
                let text = renumbered(text, values.len());
                values.extend_from_slice(scalars);
                (with + &text, values.into())
            }
        })
    }

    fn arrays(&self, from: usize, to: usize, before: usize) -> Result<(String, Vec<Array>), Fault> {
        let mut casts = String::new();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (i, (column, data)) in self.columns.iter().zip(&self.data).enumerate() {
            let cast = match column.ty {
                Ty::BigInt => "BIGINT[]",
                Ty::Text => "TEXT[]",
                Ty::Double => "DOUBLE PRECISION[]",
                Ty::Boolean => "BOOLEAN[]",
            };
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(casts, "{comma}CAST(${} AS {cast})", before + i + 1);
            arrays.push(array(column, &data[from..to])?);
        }
        Ok((format!("WITH input({}) AS (SELECT * FROM unnest({casts})) ", self.names()), arrays))
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

/// A column of parameters.
fn array(column: &Column, data: &[Value]) -> Result<Array, Fault> {
    macro_rules! all {
        ($variant:ident) => {
            data.iter()
                .map(|value| match value {
                    Value::$variant(value) => Ok(value.clone()),
                    other => Err(Fault::broken(format!("rows: {other:?} is no value of {}", column.name))),
                })
                .collect::<Result<_, _>>()?
        };
    }
    Ok(match column.ty {
        Ty::BigInt => Array::BigInt(all!(BigInt)),
        Ty::Text => Array::Text(all!(String)),
        Ty::Double => Array::Double(all!(Double)),
        Ty::Boolean => Array::Boolean(all!(Bool)),
    })
}

enum Conn {
    /// SQLite's readers.
    Readers(Readers),
    /// The same, on the thread that asks.
    Here(Readers),
    /// SQLite's writer, each statement a transaction of its own.
    Writer(Group),
    /// The inside of a transaction on SQLite.
    Member(Mutex<Member>),
    Pool(Pool),
    Tx(tokio::sync::Mutex<Taken>),
}

/// Rows that were asked for and are needed later.
pub struct Asked<T> {
    rows: Vec<Answer>,
    name: String,
    of: PhantomData<T>,
}
enum Answer {
    Here(Vec<Row>),
    Later(Later),
}

/// A connection that runs SQL: a pool for reads, or the inside of a transaction.
pub struct Sql {
    conn: Conn,
}

impl Sql {
    pub(crate) fn readers(readers: Readers) -> Self {
        Self { conn: Conn::Readers(readers) }
    }
    /// For what is shorter than the way to another thread: a few rows by their key.
    pub(crate) fn here(&self) -> Option<Self> {
        match &self.conn {
            Conn::Readers(readers) => Some(Self { conn: Conn::Here(readers.clone()) }),
            _ => None,
        }
    }
    pub(crate) fn writer(group: Group) -> Self {
        Self { conn: Conn::Writer(group) }
    }
    pub(crate) fn member(member: Member) -> Self {
        Self { conn: Conn::Member(Mutex::new(member)) }
    }
    pub(crate) fn pool(pool: Pool) -> Self {
        Self { conn: Conn::Pool(pool) }
    }
    pub(crate) fn tx(tx: Taken) -> Self {
        Self { conn: Conn::Tx(tokio::sync::Mutex::new(tx)) }
    }
    /// Commits a transaction of so many commands; it is durable when this returns.
    pub(crate) async fn commit(self, commands: usize) -> Result<(), Fault> {
        match self.conn {
            Conn::Member(member) => {
                member.into_inner().unwrap_or_else(PoisonError::into_inner).commit(commands).await
            }
            Conn::Tx(tx) => Box::pin(tx.into_inner().session()?.commit()).await,
            Conn::Readers(_) | Conn::Here(_) | Conn::Writer(_) | Conn::Pool(_) => {
                Err(Fault::broken("commit without a transaction"))
            }
        }
    }
    /// Rolls a transaction back because of a fault.
    pub(crate) async fn roll_back(self, fault: &Fault) {
        match self.conn {
            Conn::Member(member) => {
                member.into_inner().unwrap_or_else(PoisonError::into_inner).roll_back(fault)
            }
            Conn::Tx(tx) => {
                let mut tx = tx.into_inner();
                let Ok(session) = tx.session() else { return };
                if let Err(fault) = Box::pin(session.roll_back()).await {
                    tracing::warn!(%fault, "rollback failed; the connection is dropped");
                }
            }
            Conn::Readers(_) | Conn::Here(_) | Conn::Writer(_) | Conn::Pool(_) => {}
        }
    }
    /// The newest event, on SQLite, when another process may have written since the last transaction.
    pub(crate) fn newest_of_others(&self) -> Result<Option<i64>, Fault> {
        match &self.conn {
            Conn::Member(member) => inside(member).newest_of_others(),
            _ => Ok(None),
        }
    }
    /// Makes sure that the server knows of the transaction.
    pub(crate) async fn begun(&self) -> Result<(), Fault> {
        match &self.conn {
            Conn::Tx(tx) => Box::pin(tx.lock().await.session()?.begun()).await,
            _ => Ok(()),
        }
    }
    /// Closes the connections of a pool.
    pub(crate) async fn close(&self) {
        match &self.conn {
            Conn::Readers(readers) | Conn::Here(readers) => readers.close().await,
            Conn::Writer(group) => group.close().await,
            Conn::Pool(pool) => pool.close(),
            Conn::Member(_) | Conn::Tx(_) => {}
        }
    }
    /// Which database it is, for the few texts that must differ.
    pub fn backend(&self) -> Backend {
        match self.conn {
            Conn::Readers(_) | Conn::Here(_) | Conn::Writer(_) | Conn::Member(_) => Backend::Sqlite,
            Conn::Pool(_) | Conn::Tx(_) => Backend::Postgres,
        }
    }

    /// Boxed, as all that waits for a database is: its states are large, and every command would carry those of its statements.
    fn query<'a>(
        &'a self,
        text: &'a str,
        parameters: impl Into<Parameters>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>> {
        let parameters = parameters.into();
        Box::pin(async move {
            let found = match &self.conn {
                Conn::Readers(readers) => {
                    let text = for_sqlite(text);
                    readers.run(move |c| c.query(&text, &parameters.values)).await
                }
                Conn::Here(readers) => {
                    readers.run_here(|c| c.query(&for_sqlite(text), &parameters.values)).await
                }
                Conn::Writer(group) => group.alone(|c| c.query(&for_sqlite(text), &parameters.values)).await,
                Conn::Member(member) => inside(member).query(&for_sqlite(text), &parameters.values),
                Conn::Pool(pool) => {
                    Taken::from(pool).await?.session()?.rows(&for_postgres(text), parameters).await
                }
                Conn::Tx(tx) => tx.lock().await.session()?.rows(&for_postgres(text), parameters).await,
            };
            found.map_err(|f| f.while_doing(first_words(text)))
        })
    }
    fn execute<'a>(&'a self, text: &'a str, parameters: Parameters) -> BoxFuture<'a, Result<u64, Fault>> {
        Box::pin(async move {
            let done = match &self.conn {
                Conn::Readers(readers) | Conn::Here(readers) => {
                    let text = for_sqlite(text);
                    readers.run(move |c| c.execute(&text, &parameters.values)).await
                }
                Conn::Writer(group) => {
                    group.alone(|c| c.execute(&for_sqlite(text), &parameters.values)).await
                }
                Conn::Member(member) => inside(member).execute(&for_sqlite(text), &parameters.values),
                Conn::Pool(pool) => {
                    Taken::from(pool).await?.session()?.touched(&for_postgres(text), parameters).await
                }
                Conn::Tx(tx) => tx.lock().await.session()?.touched(&for_postgres(text), parameters).await,
            };
            done.map_err(|f| f.while_doing(first_words(text)))
        })
    }
    /// The same for who does not ask how many rows it touched: inside of a transaction on PostgreSQL it travels with what is waited for
    /// next.
    fn later<'a>(&'a self, text: &'a str, parameters: Parameters) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            match &self.conn {
                Conn::Tx(tx) => {
                    let sent = tx.lock().await.session()?.later(&for_postgres(text), parameters).await;
                    sent.map_err(|f| f.while_doing(first_words(text)))
                }
                _ => self.execute(text, parameters).await.map(|_| ()),
            }
        })
    }
    /// Where the sums of a law are not zero.
    pub(crate) async fn sums(&self, sums: Sums) -> Result<Vec<Offence>, Fault> {
        match &self.conn {
            Conn::Readers(readers) => readers.run(move |c| sums::offences(c, sums)).await,
            Conn::Here(readers) => readers.run_here(|c| sums::offences(c, sums)).await,
            Conn::Writer(group) => group.alone(|c| sums::offences(c, sums)).await,
            Conn::Member(member) => inside(member).read(|c| sums::offences(c, sums)),
            Conn::Pool(_) | Conn::Tx(_) => self.all(&sums::query(sums), []).await,
        }
    }
    /// Runs statements without parameters.
    pub(crate) async fn script(&self, text: &str) -> Result<(), Fault> {
        match &self.conn {
            Conn::Readers(readers) | Conn::Here(readers) => {
                let text = text.to_owned();
                readers.run(move |c| c.script(&text)).await
            }
            Conn::Writer(group) => group.alone(|c| c.script(text)).await,
            Conn::Member(member) => inside(member).script(text),
            Conn::Pool(pool) => Taken::from(pool).await?.session()?.script(text).await,
            Conn::Tx(tx) => tx.lock().await.session()?.script(text).await,
        }
    }
    /// All rows of a query, as they are.
    pub(crate) async fn rows(&self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.query(text, values).await
    }

    /// All rows of a query.
    pub async fn all<T: FromRow>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.query(text, Vec::from_iter(params)).await?;
        read(rows, T::from_row, text)
    }
    /// The first row of a query.
    pub async fn one<T: FromRow>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.all(text, params).await?.into_iter().next())
    }
    /// The first column of the first row.
    pub async fn scalar<T: FromCell>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.column(text, params).await?.into_iter().next())
    }
    /// The first column of every row.
    pub async fn column<T: FromCell>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.query(text, Vec::from_iter(params)).await?;
        read(rows, |row| row.take_at(0), text)
    }
    /// Runs a statement. Its error may be that of a later statement, or of the transaction.
    pub async fn exec(&self, text: &str, params: impl IntoIterator<Item = Value>) -> Result<(), Fault> {
        self.later(text, Vec::from_iter(params).into()).await
    }
    /// Runs a statement; how many rows it touched.
    pub async fn touched(&self, text: &str, params: impl IntoIterator<Item = Value>) -> Result<u64, Fault> {
        self.execute(text, Vec::from_iter(params).into()).await
    }

    /// Runs a query that reads the rows as the table `input` (a statement without its own WITH). Sets over the database's limit run in
    /// chunks, in order.
    pub async fn all_from<T: FromRow>(
        &self,
        input: &Rows,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Fault> {
        let params: Vec<Value> = params.into_iter().collect();
        let mut all = Vec::new();
        for (from, to) in self.chunks(input, params.len()) {
            let (statement, values) = input.statement(self.backend(), from, to, text, &params)?;
            all.extend(read(self.query(&statement, values).await?, T::from_row, text)?);
        }
        Ok(all)
    }
    /// Asks for the rows of a query that are needed later: inside of a transaction on PostgreSQL the question travels with what is waited
    /// for next, and so several are one message. It is answered as of here: after what was written before it.
    pub async fn ask_from<T: FromRow>(
        &self,
        input: &Rows,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Asked<T>, Fault> {
        let params: Vec<Value> = params.into_iter().collect();
        let mut rows = Vec::new();
        for (from, to) in self.chunks(input, params.len()) {
            let (statement, values) = input.statement(self.backend(), from, to, text, &params)?;
            rows.push(self.asked(&statement, values).await?);
        }
        Ok(Asked { rows, name: first_words(text), of: PhantomData })
    }
    /// The same for a query without a table `input`.
    pub async fn ask<T: FromRow>(
        &self,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<Asked<T>, Fault> {
        let answer = self.asked(text, Vec::from_iter(params).into()).await?;
        Ok(Asked { rows: vec![answer], name: first_words(text), of: PhantomData })
    }
    fn asked<'a>(&'a self, text: &'a str, parameters: Parameters) -> BoxFuture<'a, Result<Answer, Fault>> {
        Box::pin(async move {
            Ok(match &self.conn {
                Conn::Tx(tx) => {
                    let asked = tx.lock().await.session()?.ask(&for_postgres(text), parameters).await;
                    Answer::Later(asked.map_err(|f| f.while_doing(first_words(text)))?)
                }
                _ => Answer::Here(self.query(text, parameters).await?),
            })
        })
    }
    /// The rows that were asked for.
    pub async fn answer<T: FromRow>(&self, asked: Asked<T>) -> Result<Vec<T>, Fault> {
        let mut all = Vec::new();
        for answer in asked.rows {
            let rows = match (answer, &self.conn) {
                (Answer::Here(rows), _) => rows,
                (Answer::Later(later), Conn::Tx(tx)) => {
                    Box::pin(tx.lock().await.session()?.answer(&later)).await?
                }
                (Answer::Later(_), _) => return Err(Fault::broken("an answer of another connection")),
            };
            all.extend(read(rows, T::from_row, &asked.name)?);
        }
        Ok(all)
    }

    /// Runs a statement that reads the rows as the table `input`. Its error may be that of a later statement, or of the transaction.
    pub async fn exec_from(
        &self,
        input: &Rows,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<(), Fault> {
        let params: Vec<Value> = params.into_iter().collect();
        for (from, to) in self.chunks(input, params.len()) {
            let (statement, values) = input.statement(self.backend(), from, to, text, &params)?;
            self.later(&statement, values).await?;
        }
        Ok(())
    }
    /// Runs a statement that reads the rows as the table `input`; how many rows it touched.
    pub async fn touched_from(
        &self,
        input: &Rows,
        text: &str,
        params: impl IntoIterator<Item = Value>,
    ) -> Result<u64, Fault> {
        let params: Vec<Value> = params.into_iter().collect();
        let mut touched = 0;
        for (from, to) in self.chunks(input, params.len()) {
            let (statement, values) = input.statement(self.backend(), from, to, text, &params)?;
            touched += self.execute(&statement, values).await?;
        }
        Ok(touched)
    }
    /// Locks the rows that a query of PostgreSQL finds, as `SELECT … ORDER BY id FOR UPDATE`, until the transaction ends. What is read
    /// after it, in a statement of its own, is as those who held them before left it. SQLite has one writer and nothing to lock.
    pub async fn lock_from(&self, input: &Rows, text: &str) -> Result<(), Fault> {
        match self.backend() {
            Backend::Postgres => self.exec_from(input, text, []).await,
            Backend::Sqlite => Ok(()),
        }
    }
    /// Inserts the rows; the columns of `input` are the table's.
    pub async fn insert(&self, table: &str, input: &Rows) -> Result<(), Fault> {
        let names = input.names();
        self.exec_from(input, &format!("INSERT INTO {table} ({names}) SELECT {names} FROM input"), []).await
    }
    fn chunks(&self, input: &Rows, before: usize) -> Vec<(usize, usize)> {
        let size = input.chunk(self.backend(), before);
        (0..input.len()).step_by(size).map(|from| (from, (from + size).min(input.len()))).collect()
    }
}

fn inside(member: &Mutex<Member>) -> std::sync::MutexGuard<'_, Member> {
    member.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(
    rows: Vec<Row>,
    one: impl Fn(&mut Row) -> Result<T, Unreadable>,
    text: &str,
) -> Result<Vec<T>, Fault> {
    let all = rows.into_iter().map(|mut row| one(&mut row)).collect::<Result<_, _>>();
    all.map_err(|e| Fault::from(e).while_doing(first_words(text)))
}

/// To SQLite `$1` is a name that could stand for any place; `?1` says which.
fn for_sqlite(text: &str) -> String {
    text.replace('$', "?")
}
fn for_postgres(text: &str) -> String {
    text.replace("/*pg", "").replace("*/", "")
}

pub(crate) fn first_words(text: &str) -> String {
    text.split_whitespace().take(12).collect::<Vec<_>>().join(" ")
}
