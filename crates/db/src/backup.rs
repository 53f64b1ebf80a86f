//! Backup and restore: one file that either database can be restored from, taken while the database is being written to.
//!
//! The file is gzip over lines of JSON: a header (format, migrations), then for each table a line with its columns, its rows as arrays
//! and a line with their count, then the number series, and a footer with totals and the SHA-256 of everything before it. Doubles are
//! written as text, because only the decimal text of a double reads back to the same bits everywhere.
//!
//! Invariants: a backup is one snapshot; a file that is cut off, damaged or of another schema changes nothing; memory is bounded by a
//! chunk of rows. Tables and columns come from the catalogue of the database, so that a new table cannot be forgotten.

mod catalogue;

use crate::open::{Backend, Db};
use catalogue::{migrations, numbers, sequences, series, tables};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kernel::Fault;
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    IsolationLevel, QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    Value,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};

/// Rises when older programs can no longer read the file.
const FORMAT: i64 = 1;
/// Of this database and not of its contents: the schema's own record, leases of running processes, and SQLite's number series, which
/// are sequences on PostgreSQL and travel on a line of their own.
const LEFT_OUT: [&str; 3] = ["schema_migration", "node_lease", "counter"];
/// A database with rows in any of these has something to lose.
const MUST_BE_EMPTY: [&str; 4] = ["orders", "sku", "customer", "user_account"];
const CHUNK_ROWS: usize = 2_000;
/// Parameters of one insert: SQLite takes 32,766.
const CHUNK_CELLS: usize = 30_000;
/// No line of ours is longer; a damaged file must not fill the memory.
const MAX_LINE: u64 = 256 << 20;
/// What a backup's connection calls itself on PostgreSQL, so that readers of the event log need not wait for its snapshot to end.
pub const APPLICATION_NAME: &str = "fulmar backup";

/// What a backup or restore moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Tables, empty ones included.
    pub tables: usize,
    /// Rows of all tables.
    pub rows: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ty {
    Bigint,
    Text,
    Boolean,
    Double,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Migration {
    version: i64,
    name: String,
    checksum: String,
}

/// A line that is no row.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    FulmarBackup { format: i64, schema: Vec<Migration> },
    Table { name: String, columns: Vec<(String, Ty)> },
    End { table: String, rows: u64 },
    Numbers(BTreeMap<String, i64>),
    Footer { tables: usize, rows: u64, sha256: String },
}

/// A table as the catalogue describes it.
struct Table {
    name: String,
    /// Without generated columns.
    columns: Vec<(String, Ty)>,
    /// Positions of the primary key in `columns`.
    key: Vec<usize>,
}

impl Table {
    fn chunk(&self) -> usize {
        (CHUNK_CELLS / self.columns.len().max(1)).clamp(1, CHUNK_ROWS)
    }
    /// The next rows in the order of the key; with `after`, those behind a key given as parameters.
    fn select(&self, after: bool) -> String {
        let names = quoted(self.columns.iter().map(|c| &c.0));
        let key = quoted(self.key.iter().map(|k| &self.columns[*k].0));
        let behind = match after {
            true => {
                let marks: Vec<String> = (1..=self.key.len()).map(|n| format!("${n}")).collect();
                format!("WHERE ({key}) > ({})", marks.join(","))
            }
            false => String::new(),
        };
        format!("SELECT {names} FROM \"{}\" {behind} ORDER BY {key} LIMIT {}", self.name, self.chunk())
    }
    fn insert(&self, columns: &[(String, Ty)], rows: usize, backend: Backend) -> String {
        let mut text =
            format!("INSERT INTO \"{}\" ({}) VALUES ", self.name, quoted(columns.iter().map(|c| &c.0)));
        let mut n = 0;
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ",(" });
            for column in 0..columns.len() {
                n += 1;
                text.push_str(if column == 0 { "" } else { "," });
                // SQLite keeps parameters with a name or number in a list that is walked for each of them: quadratic. A bare `?` is not.
                let _ = match backend {
                    Backend::Sqlite => write!(text, "?"),
                    Backend::Postgres => write!(text, "${n}"),
                };
            }
            text.push(')');
        }
        text
    }
}

fn quoted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",")
}

async fn query(
    tx: &DatabaseTransaction,
    backend: Backend,
    text: &str,
    values: Vec<Value>,
) -> Result<Vec<QueryResult>, Fault> {
    let rows = tx.query_all_raw(Statement::from_sql_and_values(backend.sea(), text.to_owned(), values)).await;
    rows.map_err(|e| Fault::from(e).while_doing(text.chars().take(80).collect::<String>()))
}

// ── backup ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Writes lines, compresses them and sums them up.
struct Sink<W: Write> {
    gz: GzEncoder<W>,
    sum: Sha256,
}
impl<W: Write> Sink<W> {
    fn line<T: Serialize>(&mut self, line: &T) -> Result<(), Fault> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.sum.update(&text);
        self.gz.write_all(&text).map_err(|e| Fault::from(e).while_doing("write the backup"))
    }
}

/// Writes everything in the database to `out`, as of one moment, while others go on writing. What is written to `out` is only complete
/// when this succeeds.
///
/// # Errors
/// Faults of the database and of `out`.
#[allow(clippy::disallowed_methods, reason = "a snapshot for reading: write! opens transactions that write")]
pub async fn backup(db: &Db, out: impl Write + Send) -> Result<Summary, Fault> {
    let backend = db.backend();
    let own = snapshot_connection(db).await?;
    let options = match backend {
        Backend::Postgres => TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        },
        Backend::Sqlite => TransactionOptions::default(),
    };
    let tx = own.as_ref().unwrap_or(&db.shared.writer).begin_with_options(options).await?;
    if backend == Backend::Postgres {
        tx.execute_unprepared(&format!("SET LOCAL application_name = '{APPLICATION_NAME}'")).await?;
    }
    let mut sink = Sink { gz: GzEncoder::new(out, Compression::new(4)), sum: Sha256::new() };
    let summary = dump(&tx, backend, &mut sink).await;
    tx.rollback().await?;
    if let Some(own) = own {
        own.close().await?;
    }
    let summary = summary?;
    sink.gz
        .finish()
        .and_then(|mut out| out.flush())
        .map_err(|e| Fault::from(e).while_doing("write the backup"))?;
    Ok(summary)
}

/// A reader of its own for SQLite: its snapshot lasts, and must not keep one of the pool's readers from others. A database in memory
/// has one connection only, and on PostgreSQL the pool serves.
async fn snapshot_connection(db: &Db) -> Result<Option<DatabaseConnection>, Fault> {
    if db.backend() == Backend::Postgres || db.url().contains(":memory:") || db.url().contains("mode=memory")
    {
        return Ok(None);
    }
    let mut connect = ConnectOptions::new(db.url().to_owned());
    connect.max_connections(1).sqlx_logging(false).map_sqlx_sqlite_opts(|o| o.pragma("query_only", "1"));
    Ok(Some(Database::connect(connect).await?))
}

async fn dump<W: Write + Send>(
    tx: &DatabaseTransaction,
    backend: Backend,
    sink: &mut Sink<W>,
) -> Result<Summary, Fault> {
    sink.line(&Line::FulmarBackup { format: FORMAT, schema: migrations(tx, backend).await? })?;
    let tables = tables(tx, backend).await?;
    let mut total = 0;
    for table in &tables {
        sink.line(&Line::Table { name: table.name.clone(), columns: table.columns.clone() })?;
        let rows = dump_rows(tx, backend, table, sink).await?;
        sink.line(&Line::End { table: table.name.clone(), rows })?;
        total += rows;
    }
    sink.line(&Line::Numbers(numbers(tx, backend).await?))?;
    let footer = Line::Footer { tables: tables.len(), rows: total, sha256: hex(&sink.sum) };
    sink.line(&footer)?;
    Ok(Summary { tables: tables.len(), rows: total })
}

async fn dump_rows<W: Write + Send>(
    tx: &DatabaseTransaction,
    backend: Backend,
    table: &Table,
    sink: &mut Sink<W>,
) -> Result<u64, Fault> {
    let mut count = 0;
    let mut after: Vec<Value> = Vec::new();
    loop {
        let rows = query(tx, backend, &table.select(!after.is_empty()), std::mem::take(&mut after)).await?;
        for (i, row) in rows.iter().enumerate() {
            let cells = table
                .columns
                .iter()
                .enumerate()
                .map(|(n, (_, ty))| cell(row, n, *ty))
                .collect::<Result<Vec<_>, Fault>>()?;
            sink.line(&cells.iter().map(to_json).collect::<Vec<_>>())?;
            if i + 1 == rows.len() {
                after = table.key.iter().map(|k| cells[*k].clone()).collect();
            }
        }
        count += rows.len() as u64;
        if rows.len() < table.chunk() {
            return Ok(count);
        }
    }
}

fn cell(row: &QueryResult, n: usize, ty: Ty) -> Result<Value, Fault> {
    Ok(match ty {
        Ty::Bigint => row.try_get_by_index::<Option<i64>>(n)?.into(),
        Ty::Text => row.try_get_by_index::<Option<String>>(n)?.into(),
        Ty::Boolean => row.try_get_by_index::<Option<bool>>(n)?.into(),
        Ty::Double => row.try_get_by_index::<Option<f64>>(n)?.into(),
    })
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::BigInt(Some(n)) => (*n).into(),
        Value::String(Some(text)) => text.as_str().into(),
        Value::Bool(Some(yes)) => (*yes).into(),
        Value::Double(Some(x)) => format!("{x:?}").into(),
        _ => serde_json::Value::Null,
    }
}

fn from_json(ty: Ty, json: serde_json::Value) -> Option<Value> {
    use serde_json::Value as Json;
    Some(match (ty, json) {
        (Ty::Bigint, Json::Null) => None::<i64>.into(),
        (Ty::Text, Json::Null) => None::<String>.into(),
        (Ty::Boolean, Json::Null) => None::<bool>.into(),
        (Ty::Double, Json::Null) => None::<f64>.into(),
        (Ty::Bigint, Json::Number(n)) => n.as_i64()?.into(),
        (Ty::Text, Json::String(text)) => text.into(),
        (Ty::Boolean, Json::Bool(yes)) => yes.into(),
        (Ty::Double, Json::String(text)) => text.parse::<f64>().ok()?.into(),
        _ => return None,
    })
}

fn hex(sum: &Sha256) -> String {
    sum.clone().finalize().iter().map(|b| format!("{b:02x}")).collect()
}

// ── restore ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Reads lines and sums them up.
struct Source<R: Read> {
    lines: BufReader<GzDecoder<R>>,
    sum: Sha256,
}
impl<R: Read> Source<R> {
    /// The next line with its line end, or `None` at the end of the file.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut line = Vec::new();
        let read = (&mut self.lines).take(MAX_LINE).read_until(b'\n', &mut line);
        let n = read.map_err(|e| {
            Fault::from(e).while_doing("read the backup: the file is cut off, damaged, or no backup")
        })?;
        if n > 0 && line.last() != Some(&b'\n') {
            return Err(Fault::broken("the backup is cut off in the middle of a line"));
        }
        Ok((n > 0).then_some(line))
    }
}

/// Fills an empty database from a backup of either kind of database, in one transaction.
///
/// # Errors
/// A fault that says so when the database has orders, products, customers or users, when the file is cut off or damaged, or was made
/// with another schema; then nothing is changed. Faults of the database.
#[allow(
    clippy::disallowed_methods,
    reason = "no events, no reactions, no second run: what is restored is history already"
)]
pub async fn restore(db: &Db, input: impl Read + Send) -> Result<Summary, Fault> {
    let backend = db.backend();
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = db.shared.writer.begin_with_options(options).await?;
    let mut source = Source { lines: BufReader::new(GzDecoder::new(input)), sum: Sha256::new() };
    match load(&tx, backend, &mut source).await {
        Ok(summary) => {
            tx.commit().await?;
            if backend == Backend::Postgres {
                // Until its autovacuum comes by it would plan as for empty tables: the first `fulmar verify` would take hours.
                db.shared.writer.execute_unprepared("ANALYZE").await?;
            }
            Ok(summary)
        }
        Err(fault) => {
            tx.rollback().await?;
            Err(fault.while_doing("restore (nothing was changed)"))
        }
    }
}

/// A table whose rows are being read.
struct Filling {
    table: Table,
    columns: Vec<(String, Ty)>,
    waiting: Vec<Value>,
    rows: u64,
}
impl Filling {
    async fn flush(&mut self, tx: &DatabaseTransaction, backend: Backend) -> Result<(), Fault> {
        let values = std::mem::take(&mut self.waiting);
        if values.is_empty() {
            return Ok(());
        }
        let text = self.table.insert(&self.columns, values.len() / self.columns.len(), backend);
        let done = tx.execute_raw(Statement::from_sql_and_values(backend.sea(), text, values)).await;
        done.map(|_| ()).map_err(|e| Fault::from(e).while_doing(format!("restore table {}", self.table.name)))
    }
    async fn row(&mut self, line: &[u8], tx: &DatabaseTransaction, backend: Backend) -> Result<(), Fault> {
        let cells: Vec<serde_json::Value> = serde_json::from_slice(line).map_err(damaged)?;
        if cells.len() != self.columns.len() {
            return Err(Fault::broken(format!(
                "a row of table {} has {} values",
                self.table.name,
                cells.len()
            )));
        }
        for ((name, ty), json) in self.columns.iter().zip(cells) {
            let value = from_json(*ty, json);
            self.waiting.push(value.ok_or_else(|| {
                Fault::broken(format!("a value of {}.{name} is of another type", self.table.name))
            })?);
        }
        self.rows += 1;
        if self.waiting.len() >= self.table.chunk() * self.columns.len() {
            self.flush(tx, backend).await?;
        }
        Ok(())
    }
}

fn damaged(e: serde_json::Error) -> Fault {
    Fault::from(e).while_doing("the backup is damaged")
}

async fn load<R: Read + Send>(
    tx: &DatabaseTransaction,
    backend: Backend,
    source: &mut Source<R>,
) -> Result<Summary, Fault> {
    check_header(tx, backend, source).await?;
    let tables = tables(tx, backend).await?;
    refuse_unless_empty(tx, backend).await?;
    // What migrations and a first start put in comes again with the file.
    for table in tables.iter().rev() {
        tx.execute_unprepared(&format!("DELETE FROM \"{}\"", table.name)).await?;
    }
    let count = tables.len();
    let mut left: BTreeMap<String, Table> = tables.into_iter().map(|t| (t.name.clone(), t)).collect();
    let mut filling: Option<Filling> = None;
    let mut last_numbers = None;
    let mut rows = 0;
    while let Some(text) = source.next()? {
        if text.first() == Some(&b'[') {
            let table = filling
                .as_mut()
                .ok_or_else(|| Fault::broken("the backup is damaged: a row outside of a table"))?;
            table.row(&text, tx, backend).await?;
            source.sum.update(&text);
            continue;
        }
        match serde_json::from_slice(&text).map_err(damaged)? {
            Line::Table { name, columns } if filling.is_none() => {
                filling = Some(begin_table(&mut left, name, columns)?)
            }
            Line::End { table, rows: told } => {
                let mut done = filling
                    .take()
                    .ok_or_else(|| Fault::broken("the backup is damaged: an end without a table"))?;
                done.flush(tx, backend).await?;
                if done.table.name != table || done.rows != told {
                    return Err(Fault::broken(format!(
                        "table {table} should have {told} rows, the file has {}",
                        done.rows
                    )));
                }
                rows += told;
            }
            Line::Numbers(last) => last_numbers = Some(last),
            Line::Footer { tables, rows: told, sha256 } => {
                let whole = tables == count
                    && left.is_empty()
                    && told == rows
                    && sha256 == hex(&source.sum)
                    && filling.is_none();
                if !whole || source.next()?.is_some() {
                    return Err(Fault::broken(
                        "the backup is damaged: its contents are not what its footer says",
                    ));
                }
                let last = last_numbers
                    .ok_or_else(|| Fault::broken("the backup is damaged: it lacks the number series"))?;
                set_numbers(tx, backend, last).await?;
                return Ok(Summary { tables: count, rows });
            }
            _ => return Err(Fault::broken("the backup is damaged: its lines are not in order")),
        }
        source.sum.update(&text);
    }
    Err(Fault::broken("the backup is cut off: its footer is missing"))
}

async fn check_header<R: Read + Send>(
    tx: &DatabaseTransaction,
    backend: Backend,
    source: &mut Source<R>,
) -> Result<(), Fault> {
    let text = source.next()?.ok_or_else(|| Fault::broken("the backup is empty"))?;
    let Ok(Line::FulmarBackup { format, schema }) = serde_json::from_slice(&text) else {
        return Err(Fault::broken("the file is not a backup of Fulmar"));
    };
    source.sum.update(&text);
    if format != FORMAT {
        return Err(Fault::broken(format!(
            "the backup has format {format}, this program reads format {FORMAT}"
        )));
    }
    let ours = migrations(tx, backend).await?;
    if schema != ours {
        let last = |m: &[Migration]| m.last().map_or_else(|| "none".to_owned(), |m| m.name.clone());
        return Err(Fault::broken(format!(
            "the backup was made with another schema (its last migration is {}, ours {}): restore it with the program that made it, then upgrade",
            last(&schema),
            last(&ours)
        )));
    }
    Ok(())
}

async fn refuse_unless_empty(tx: &DatabaseTransaction, backend: Backend) -> Result<(), Fault> {
    if backend == Backend::Postgres {
        // The lock that migrations take: no second restore and no upgrade at the same time.
        tx.execute_unprepared("SELECT pg_advisory_xact_lock(4610)").await?;
    }
    for table in MUST_BE_EMPTY {
        if !query(tx, backend, &format!("SELECT 1 FROM \"{table}\" LIMIT 1"), vec![]).await?.is_empty() {
            return Err(Fault::broken(format!(
                "the database is not empty (table {table} has rows): restore into a new file or schema, nothing is ever overwritten"
            )));
        }
    }
    Ok(())
}

fn begin_table(
    left: &mut BTreeMap<String, Table>,
    name: String,
    columns: Vec<(String, Ty)>,
) -> Result<Filling, Fault> {
    let table =
        left.remove(&name).ok_or_else(|| Fault::broken(format!("the backup has a table {name} too many")))?;
    let (theirs, ours): (BTreeSet<_>, BTreeSet<_>) =
        (columns.iter().map(|c| &c.0).collect(), table.columns.iter().map(|c| &c.0).collect());
    if theirs != ours || columns.len() != table.columns.len() {
        return Err(Fault::broken(format!("the columns of table {name} differ between backup and database")));
    }
    Ok(Filling { table, columns, waiting: Vec::new(), rows: 0 })
}

/// Last of all, because PostgreSQL does not roll sequences back.
async fn set_numbers(
    tx: &DatabaseTransaction,
    backend: Backend,
    mut last: BTreeMap<String, i64>,
) -> Result<(), Fault> {
    let ours: Vec<String> = match backend {
        Backend::Sqlite => numbers(tx, backend).await?.into_keys().collect(),
        Backend::Postgres => {
            sequences(tx).await?.iter().map(|s| series(s).map(str::to_owned)).collect::<Result<_, _>>()?
        }
    };
    if last.keys().collect::<BTreeSet<_>>() != ours.iter().collect() {
        return Err(Fault::broken("the backup has other number series than this database"));
    }
    for name in ours {
        let value = last.remove(&name).unwrap_or_default();
        let text = match backend {
            Backend::Sqlite => "UPDATE counter SET value = $1 WHERE name = $2",
            Backend::Postgres => "SELECT setval(CAST(quote_ident($2 || '_number') AS regclass), $1)",
        };
        query(tx, backend, text, vec![value.into(), name.into()]).await?;
    }
    Ok(())
}
