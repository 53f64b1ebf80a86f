//! Backup and restore: one file that either database can be restored from, taken while the database is being written to.
//!
//! The file is gzip over lines of JSON: a header (format, migrations), then for each table a line with its columns, its rows as arrays
//! and a line with their count, then the number series, and a footer with totals and the SHA-256 of everything before it. Doubles are
//! written as text, because only the decimal text of a double reads back to the same bits everywhere.
//!
//! Invariants: a backup is one snapshot; a file that is cut off, damaged or of another schema changes nothing; memory is bounded by a
//! chunk of rows. Tables and columns come from the catalogue of the database, so that a new table cannot be forgotten.

mod catalogue;

use crate::Sql;
use crate::open::{Backend, Db, Writer};
use crate::sqlite::{Place, Readers, Use};
use crate::turns::Standing;
use catalogue::{migrations, numbers, sequences, series, tables};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kernel::Fault;
use kernel::row::{Row, Value};
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
pub async fn backup(db: &Db, out: impl Write + Send) -> Result<Summary, Fault> {
    let snapshot = snapshot(db).await?;
    let mut sink = Sink { gz: GzEncoder::new(out, Compression::new(4)), sum: Sha256::new() };
    let summary = dump(&snapshot, &mut sink).await;
    snapshot.close().await;
    let summary = summary?;
    sink.gz
        .finish()
        .and_then(|mut out| out.flush())
        .map_err(|e| Fault::from(e).while_doing("write the backup"))?;
    Ok(summary)
}

/// The tables that a backup holds, parents before children.
///
/// # Errors
/// Faults of the database.
pub async fn table_names(db: &Db) -> Result<Vec<String>, Fault> {
    let snapshot = snapshot(db).await?;
    let found = tables(&snapshot).await;
    snapshot.close().await;
    Ok(found?.into_iter().map(|table| table.name).collect())
}

/// A transaction that reads. On SQLite a connection of its own: its snapshot lasts, and must not keep one of the pool's readers from
/// others; but a database in memory has one connection only.
async fn snapshot(db: &Db) -> Result<Sql, Fault> {
    let begin = match &db.shared.writer {
        Writer::Sqlite(_, place @ Place::File(_)) => {
            let alone = Sql::readers(Readers::open(place.clone(), Use::Read, 1)?);
            alone.script("BEGIN").await?;
            return Ok(alone);
        }
        Writer::Sqlite(..) => "",
        Writer::Postgres(..) => "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    };
    let tx = db.shared.writer.begin(Standing::single()).await?;
    tx.script(begin).await?;
    if db.backend() == Backend::Postgres {
        tx.script(&format!("SET LOCAL application_name = '{APPLICATION_NAME}'")).await?;
    }
    Ok(tx)
}

async fn dump<W: Write + Send>(tx: &Sql, sink: &mut Sink<W>) -> Result<Summary, Fault> {
    sink.line(&Line::FulmarBackup { format: FORMAT, schema: migrations(tx).await? })?;
    let tables = tables(tx).await?;
    let mut total = 0;
    for table in &tables {
        sink.line(&Line::Table { name: table.name.clone(), columns: table.columns.clone() })?;
        let rows = dump_rows(tx, table, sink).await?;
        sink.line(&Line::End { table: table.name.clone(), rows })?;
        total += rows;
    }
    sink.line(&Line::Numbers(numbers(tx).await?))?;
    let footer = Line::Footer { tables: tables.len(), rows: total, sha256: hex(&sink.sum) };
    sink.line(&footer)?;
    Ok(Summary { tables: tables.len(), rows: total })
}

async fn dump_rows<W: Write + Send>(tx: &Sql, table: &Table, sink: &mut Sink<W>) -> Result<u64, Fault> {
    let mut count = 0;
    let mut after: Vec<Value> = Vec::new();
    loop {
        let rows = tx.rows(&table.select(!after.is_empty()), std::mem::take(&mut after)).await?;
        let found = rows.len();
        for (i, mut row) in rows.into_iter().enumerate() {
            let cells = table
                .columns
                .iter()
                .enumerate()
                .map(|(n, (_, ty))| cell(&mut row, n, *ty))
                .collect::<Result<Vec<_>, Fault>>()?;
            sink.line(&cells.iter().map(to_json).collect::<Vec<_>>())?;
            if i + 1 == found {
                after = table.key.iter().map(|k| cells[*k].clone()).collect();
            }
        }
        count += found as u64;
        if found < table.chunk() {
            return Ok(count);
        }
    }
}

fn cell(row: &mut Row, n: usize, ty: Ty) -> Result<Value, Fault> {
    Ok(match ty {
        Ty::Bigint => row.take_at::<Option<i64>>(n)?.into(),
        Ty::Text => row.take_at::<Option<String>>(n)?.into(),
        Ty::Boolean => row.take_at::<Option<bool>>(n)?.into(),
        Ty::Double => row.take_at::<Option<f64>>(n)?.into(),
    })
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::BigInt(Some(n)) => (*n).into(),
        Value::String(Some(text)) => text.as_str().into(),
        Value::Bool(Some(yes)) => (*yes).into(),
        Value::Double(Some(x)) => format!("{x:?}").into(),
        Value::BigInt(None) | Value::String(None) | Value::Bool(None) | Value::Double(None) => {
            serde_json::Value::Null
        }
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
pub async fn restore(db: &Db, input: impl Read + Send) -> Result<Summary, Fault> {
    // No events, no reactions, no second run: what is restored is history already.
    let tx = db.shared.writer.begin(Standing::single()).await?;
    let mut source = Source { lines: BufReader::new(GzDecoder::new(input)), sum: Sha256::new() };
    match load(&tx, &mut source).await {
        Ok(summary) => {
            tx.commit(1).await?;
            if db.backend() == Backend::Postgres {
                // Until its autovacuum comes by it would plan as for empty tables: the first `fulmar verify` would take hours.
                db.shared.writer.alone().script("ANALYZE").await?;
            }
            Ok(summary)
        }
        Err(fault) => {
            tx.roll_back(&fault).await;
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
    async fn flush(&mut self, tx: &Sql) -> Result<(), Fault> {
        let values = std::mem::take(&mut self.waiting);
        if values.is_empty() {
            return Ok(());
        }
        let text = self.table.insert(&self.columns, values.len() / self.columns.len(), tx.backend());
        let done = tx.touched(&text, values).await;
        done.map(|_| ()).map_err(|f| f.while_doing(format!("restore table {}", self.table.name)))
    }
    async fn row(&mut self, line: &[u8], tx: &Sql) -> Result<(), Fault> {
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
            self.flush(tx).await?;
        }
        Ok(())
    }
}

fn damaged(e: serde_json::Error) -> Fault {
    Fault::from(e).while_doing("the backup is damaged")
}

async fn load<R: Read + Send>(tx: &Sql, source: &mut Source<R>) -> Result<Summary, Fault> {
    check_header(tx, source).await?;
    let tables = tables(tx).await?;
    refuse_unless_empty(tx).await?;
    // What migrations and a first start put in comes again with the file.
    for table in tables.iter().rev() {
        tx.script(&format!("DELETE FROM \"{}\"", table.name)).await?;
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
            table.row(&text, tx).await?;
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
                done.flush(tx).await?;
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
                set_numbers(tx, last).await?;
                return Ok(Summary { tables: count, rows });
            }
            _ => return Err(Fault::broken("the backup is damaged: its lines are not in order")),
        }
        source.sum.update(&text);
    }
    Err(Fault::broken("the backup is cut off: its footer is missing"))
}

async fn check_header<R: Read + Send>(tx: &Sql, source: &mut Source<R>) -> Result<(), Fault> {
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
    let ours = migrations(tx).await?;
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

async fn refuse_unless_empty(tx: &Sql) -> Result<(), Fault> {
    if tx.backend() == Backend::Postgres {
        // The lock that migrations take: no second restore and no upgrade at the same time.
        tx.script("SELECT pg_advisory_xact_lock(4610)").await?;
    }
    for table in MUST_BE_EMPTY {
        if !tx.rows(&format!("SELECT 1 FROM \"{table}\" LIMIT 1"), vec![]).await?.is_empty() {
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
async fn set_numbers(tx: &Sql, mut last: BTreeMap<String, i64>) -> Result<(), Fault> {
    let ours: Vec<String> = match tx.backend() {
        Backend::Sqlite => numbers(tx).await?.into_keys().collect(),
        Backend::Postgres => {
            sequences(tx).await?.iter().map(|s| series(s).map(str::to_owned)).collect::<Result<_, _>>()?
        }
    };
    if last.keys().collect::<BTreeSet<_>>() != ours.iter().collect() {
        return Err(Fault::broken("the backup has other number series than this database"));
    }
    for name in ours {
        let value = last.remove(&name).unwrap_or_default();
        let text = match tx.backend() {
            Backend::Sqlite => "UPDATE counter SET value = $1 WHERE name = $2",
            Backend::Postgres => "SELECT setval(CAST(quote_ident($2 || '_number') AS regclass), $1)",
        };
        tx.rows(text, vec![value.into(), name.into()]).await?;
    }
    Ok(())
}
