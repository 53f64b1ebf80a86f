//! The floor: the rows that orders left, written again by bare SQL into a twin of the database, without our code. One transaction an
//! order, and 64 orders a transaction; one INSERT a table and transaction, prepared and kept.
//!
//! Invariant: the floor writes as many rows as the orders made, table by table; [`Rows::of`] counts both and refuses a difference, so a
//! table that is added later cannot be forgotten here.

use crate::row::median;
use db::{Backend, Db, Session, Value};
use kernel::Fault;
use rusqlite::types::{Value as SqliteValue, ValueRef as SqliteRef};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Orders of a transaction of the grouped floor.
pub const GROUP: usize = 64;

/// The tables that an order writes, parents first, and how a row of each (alias `t`) leads to its order.
const TABLES: &[(&str, &str)] = &[
    (
        "customer",
        "JOIN orders o ON o.customer_id = t.id AND o.id = (SELECT MIN(f.id) FROM orders f WHERE f.customer_id = t.id)",
    ),
    ("orders", "JOIN orders o ON o.id = t.id"),
    ("order_line", "JOIN orders o ON o.id = t.order_id"),
    ("allocation", "JOIN orders o ON o.id = t.order_id"),
    ("order_hold", "JOIN orders o ON o.id = t.order_id"),
    ("risk_assessment", "JOIN orders o ON o.id = t.order_id"),
    ("stock_movement", "JOIN orders o ON o.id = t.order_id"),
    ("payment", "JOIN orders o ON o.id = t.order_id"),
    ("payment_operation", "JOIN payment p ON p.id = t.payment_id JOIN orders o ON o.id = p.order_id"),
    ("payment_event", "JOIN payment p ON p.id = t.payment_id JOIN orders o ON o.id = p.order_id"),
    ("event", "JOIN orders o ON o.id = t.order_id"),
    ("fulfilment_order", "JOIN orders o ON o.id = t.order_id"),
    (
        "fulfilment_line",
        "JOIN fulfilment_order f ON f.id = t.fulfilment_id JOIN orders o ON o.id = f.order_id",
    ),
    ("parcel", "JOIN orders o ON o.id = t.order_id"),
    ("parcel_line", "JOIN parcel p ON p.id = t.parcel_id JOIN orders o ON o.id = p.order_id"),
    ("shipment", "JOIN orders o ON o.id = t.order_id"),
    ("tracking_event", "JOIN shipment s ON s.id = t.shipment_id JOIN orders o ON o.id = s.order_id"),
    ("return_request", "JOIN orders o ON o.id = t.order_id"),
    ("return_unit", "JOIN orders o ON o.id = t.order_id"),
    ("refund", "JOIN orders o ON o.id = t.order_id"),
    ("refund_part", "JOIN refund r ON r.id = t.refund_id JOIN orders o ON o.id = r.order_id"),
    ("journal_entry", "JOIN orders o ON o.id = t.order_id"),
    ("posting", "JOIN journal_entry j ON j.id = t.entry_id JOIN orders o ON o.id = j.order_id"),
    // Keys of the load are the order's reference, and `reference:step` for what follows.
    (
        "answer",
        "JOIN orders o ON o.reference = CASE WHEN t.key LIKE '%:%' THEN SUBSTR(t.key, 1, LENGTH(t.key) - 3) ELSE t.key END",
    ),
];
/// Tables with one row a SKU, month or job: orders change their rows, or add rows that go again.
const SHARED: &[&str] = &[
    "stock",
    "sku_cost",
    "account",
    "account_month",
    "job",
    "counter",
    "node_lease",
    "timer",
    "setting",
    "mail",
    "webhook_delivery",
];

/// A table with the columns that are written.
struct Table {
    name: &'static str,
    columns: Vec<String>,
    types: Vec<String>,
}

/// Rows of orders, table by table, and what they change in shared rows.
pub struct Rows {
    tables: Vec<Table>,
    /// Per order, per table: its rows.
    orders: Vec<Vec<Vec<Vec<Value>>>>,
    /// Per order: what it takes from stock (SKU, location, units) .
    takes: Vec<Vec<(i64, i64, i64)>>,
    /// Per order: postings by account, currency and month.
    sums: Vec<Vec<(String, String, String, i64, i64)>>,
}

/// A bare connection.
enum Bare {
    Sqlite(Box<rusqlite::Connection>),
    Postgres(Box<Session>),
}

impl Bare {
    async fn open(url: &str) -> Result<Self, Fault> {
        let Some(file) = url.strip_prefix("sqlite:") else {
            return Ok(Self::Postgres(Box::new(Session::connect(url).await?)));
        };
        // As durable and as large a cache as ours: the floor differs in code, not in promises.
        let connection = rusqlite::Connection::open(file)?;
        connection.set_prepared_statement_cache_capacity(500);
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1; PRAGMA cache_size = -65536; \
             PRAGMA wal_autocheckpoint = 8000; PRAGMA temp_store = memory;",
        )?;
        Ok(Self::Sqlite(Box::new(connection)))
    }
    async fn run(&mut self, text: &str) -> Result<(), Fault> {
        match self {
            Self::Sqlite(c) => c.execute_batch(text)?,
            Self::Postgres(c) => c.script(text).await?,
        }
        Ok(())
    }
    async fn write(&mut self, text: &str, cells: Vec<Value>) -> Result<(), Fault> {
        match self {
            Self::Sqlite(c) => {
                c.prepare_cached(text)?
                    .execute(rusqlite::params_from_iter(cells.into_iter().map(for_sqlite)))?;
            }
            Self::Postgres(c) => {
                c.write(text, cells).await?;
            }
        }
        Ok(())
    }
    async fn read(&mut self, text: &str) -> Result<Vec<Vec<Value>>, Fault> {
        match self {
            Self::Sqlite(c) => from_sqlite(c, text),
            Self::Postgres(c) => c.read(text).await,
        }
    }
    async fn column_list(&mut self, table: &str) -> Result<Vec<(String, String)>, Fault> {
        let text = match self {
            Self::Sqlite(_) => {
                format!("SELECT name, type FROM pragma_table_xinfo('{table}') WHERE hidden = 0 ORDER BY cid")
            }
            Self::Postgres(_) => format!(
                "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = '{table}' AND is_generated = 'NEVER' ORDER BY ordinal_position"
            ),
        };
        let text_of = |value: &Value| match value {
            Value::String(Some(text)) => Ok(text.clone()),
            other => Err(Fault::broken(format!("{other:?} is no name"))),
        };
        self.read(&text).await?.iter().map(|row| Ok((text_of(&row[0])?, text_of(&row[1])?))).collect()
    }
}

fn for_sqlite(value: Value) -> SqliteValue {
    match value {
        Value::BigInt(n) => n.map_or(SqliteValue::Null, SqliteValue::Integer),
        Value::String(text) => text.map_or(SqliteValue::Null, SqliteValue::Text),
        Value::Double(x) => x.map_or(SqliteValue::Null, SqliteValue::Real),
        Value::Bool(yes) => yes.map_or(SqliteValue::Null, |yes| SqliteValue::Integer(yes.into())),
    }
}

fn from_sqlite(connection: &rusqlite::Connection, text: &str) -> Result<Vec<Vec<Value>>, Fault> {
    let mut statement = connection.prepare(text)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Vec::with_capacity(columns);
        for n in 0..columns {
            cells.push(match row.get_ref(n)? {
                SqliteRef::Null => Value::BigInt(None),
                SqliteRef::Integer(number) => number.into(),
                SqliteRef::Real(x) => x.into(),
                SqliteRef::Text(text) => std::str::from_utf8(text)?.into(),
                SqliteRef::Blob(_) => return Err(Fault::broken("a column of bytes")),
            });
        }
        all.push(cells);
    }
    Ok(all)
}

fn int(cell: &Value) -> Result<i64, Fault> {
    match cell {
        Value::BigInt(Some(n)) => Ok(*n),
        other => Err(Fault::broken(format!("{other:?} is no number"))),
    }
}

/// Rows of every table; for the difference that orders make.
pub async fn counts(db: &Db) -> Result<HashMap<String, i64>, Fault> {
    let mut bare = Bare::open(db.url()).await?;
    let text = match db.backend() {
        Backend::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        Backend::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        }
    };
    let mut counts = HashMap::new();
    for name in bare.read(text).await? {
        let Value::String(Some(name)) = &name[0] else { continue };
        let n = bare.read(&format!("SELECT COUNT(*) FROM {name}")).await?;
        counts.insert(name.clone(), int(&n[0][0])?);
    }
    Ok(counts)
}

impl Rows {
    /// The rows of the orders of a series, in order; `before` and `after` are the [`counts`] around them.
    ///
    /// # Errors
    /// A fault of the database, or when these are not all rows that the orders made.
    pub async fn of(
        db: &Db,
        series: &str,
        before: &HashMap<String, i64>,
        after: &HashMap<String, i64>,
    ) -> Result<Self, Fault> {
        let mut bare = Bare::open(db.url()).await?;
        let mine = format!("o.reference >= '{series}-' AND o.reference < '{series}.'");
        let ids = bare.read(&format!("SELECT o.id FROM orders o WHERE {mine} ORDER BY o.id")).await?;
        let index: HashMap<i64, usize> = ids
            .iter()
            .enumerate()
            .map(|(n, row)| Ok::<_, Fault>((int(&row[0])?, n)))
            .collect::<Result<_, _>>()?;
        let mut orders: Vec<Vec<Vec<Vec<Value>>>> =
            (0..ids.len()).map(|_| vec![Vec::new(); TABLES.len()]).collect();
        let mut tables = Vec::with_capacity(TABLES.len());
        for (t, (name, join)) in TABLES.iter().enumerate() {
            let (columns, types): (Vec<String>, Vec<String>) =
                bare.column_list(name).await?.into_iter().unzip();
            let list: Vec<String> = columns.iter().map(|c| format!("t.{c}")).collect();
            let text = format!("SELECT o.id, {} FROM {name} t {join} WHERE {mine}", list.join(", "));
            let mut found = 0;
            for mut row in bare.read(&text).await? {
                found += 1;
                let order = int(&row.remove(0))?;
                orders[index[&order]][t].push(row);
            }
            let made = after.get(*name).unwrap_or(&0) - before.get(*name).unwrap_or(&0);
            if *name == "event" {
                // What happened to others on the way (a customer was made), spread over the orders.
                let text = format!(
                    "SELECT {} FROM event t WHERE t.order_id IS NULL AND t.id > (SELECT MIN(o.id) FROM orders o WHERE {mine})",
                    list.join(", ")
                );
                for (n, row) in bare.read(&text).await?.into_iter().enumerate() {
                    found += 1;
                    orders[n % ids.len()][t].push(row);
                }
            }
            if found != made {
                return Err(Fault::broken(format!(
                    "{made} rows of {name} were made, {found} of them by these orders"
                )));
            }
            tables.push(Table { name, columns, types });
        }
        for (name, n) in after {
            let known = SHARED.contains(&name.as_str()) || TABLES.iter().any(|(t, _)| t == name);
            if !known && before.get(name) != Some(n) {
                return Err(Fault::broken(format!("orders write {name}, which the floor does not know")));
            }
        }
        let takes = Self::takes(&mut bare, &mine, &index).await?;
        let sums = Self::sums(&mut bare, &mine, &index).await?;
        Ok(Self { tables, orders, takes, sums })
    }
    async fn takes(
        bare: &mut Bare,
        mine: &str,
        index: &HashMap<i64, usize>,
    ) -> Result<Vec<Vec<(i64, i64, i64)>>, Fault> {
        let mut takes = vec![Vec::new(); index.len()];
        let text = format!(
            "SELECT m.order_id, m.sku_id, m.location_id, m.allocated FROM stock_movement m JOIN orders o ON o.id = m.order_id WHERE {mine}"
        );
        for row in bare.read(&text).await? {
            takes[index[&int(&row[0])?]].push((int(&row[1])?, int(&row[2])?, int(&row[3])?));
        }
        Ok(takes)
    }
    async fn sums(
        bare: &mut Bare,
        mine: &str,
        index: &HashMap<i64, usize>,
    ) -> Result<Vec<Vec<(String, String, String, i64, i64)>>, Fault> {
        let mut sums = vec![Vec::new(); index.len()];
        let text = format!(
            "SELECT j.order_id, p.debit, p.credit, p.currency, p.amount FROM posting p JOIN journal_entry j ON j.id = p.entry_id JOIN orders o ON o.id = j.order_id WHERE {mine}"
        );
        for row in bare.read(&text).await? {
            let (Value::String(Some(debit)), Value::String(Some(credit)), Value::String(Some(currency))) =
                (&row[1], &row[2], &row[3])
            else {
                continue;
            };
            let amount = int(&row[4])?;
            let sums = &mut sums[index[&int(&row[0])?]];
            // The month does not matter, as long as it is one row for all.
            sums.push((debit.clone(), currency.clone(), "2026-01".to_owned(), amount, 0));
            sums.push((credit.clone(), currency.clone(), "2026-01".to_owned(), 0, amount));
        }
        Ok(sums)
    }

    /// Writes the orders `from..to` in one transaction.
    async fn write(&self, bare: &mut Bare, from: usize, to: usize) -> Result<(), Fault> {
        bare.run(match bare {
            Bare::Sqlite(_) => "BEGIN IMMEDIATE",
            Bare::Postgres(_) => "BEGIN",
        })
        .await?;
        let mut takes: Vec<(i64, i64, i64)> = self.takes[from..to].iter().flatten().copied().collect();
        takes.sort_unstable();
        for (t, table) in self.tables.iter().enumerate() {
            let rows: Vec<&Vec<Value>> = self.orders[from..to].iter().flat_map(|order| &order[t]).collect();
            // SQLite takes 32,766 parameters.
            for rows in rows.chunks(30_000 / table.columns.len()) {
                let text = table.insert(rows.len(), bare);
                bare.write(&text, rows.iter().flat_map(|row| row.iter().cloned()).collect()).await?;
            }
        }
        self.change_stock(bare, &takes).await?;
        self.change_sums(bare, from, to).await?;
        bare.run("COMMIT").await
    }
    async fn change_stock(&self, bare: &mut Bare, takes: &[(i64, i64, i64)]) -> Result<(), Fault> {
        for chunk in takes.chunks(GROUP * 4).filter(|chunk| !chunk.is_empty()) {
            let mut by_row: Vec<(i64, i64, i64)> = Vec::with_capacity(chunk.len());
            for (sku, location, n) in chunk {
                match by_row.last_mut() {
                    Some(last) if (last.0, last.1) == (*sku, *location) => last.2 += n,
                    _ => by_row.push((*sku, *location, *n)),
                }
            }
            let text = format!(
                "WITH v(sku, place, n) AS (VALUES {}) UPDATE stock SET allocated = allocated + v.n FROM v WHERE sku_id = v.sku AND location_id = v.place",
                marks(bare, by_row.len(), &["BIGINT"; 3])
            );
            let cells = by_row
                .iter()
                .flat_map(|(sku, place, n)| [Value::from(*sku), (*place).into(), (*n).into()])
                .collect();
            bare.write(&text, cells).await?;
        }
        Ok(())
    }
    async fn change_sums(&self, bare: &mut Bare, from: usize, to: usize) -> Result<(), Fault> {
        let mut sums = std::collections::BTreeMap::new();
        for (account, currency, month, debit, credit) in self.sums[from..to].iter().flatten() {
            let sum: &mut (i64, i64) = sums.entry((account, currency, month)).or_default();
            *sum = (sum.0 + debit, sum.1 + credit);
        }
        if sums.is_empty() {
            return Ok(());
        }
        let text = format!(
            "INSERT INTO account_month (account, currency, month, debit, credit) VALUES {} ON CONFLICT (account, currency, month) \
             DO UPDATE SET debit = account_month.debit + excluded.debit, credit = account_month.credit + excluded.credit",
            marks(bare, sums.len(), &["TEXT", "TEXT", "TEXT", "BIGINT", "BIGINT"])
        );
        let text_of = |t: &String| Value::from(t.clone());
        let cells = sums
            .into_iter()
            .flat_map(|((a, c, m), (d, k))| [text_of(a), text_of(c), text_of(m), d.into(), k.into()])
            .collect();
        bare.write(&text, cells).await
    }
}

impl Table {
    fn insert(&self, rows: usize, bare: &Bare) -> String {
        let types: Vec<&str> = self.types.iter().map(String::as_str).collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.name, self.columns.join(","), marks(bare, rows, &types))
    }
}

/// Placeholders of so many rows; typed on PostgreSQL, which takes an unknown null for text.
fn marks(bare: &Bare, rows: usize, types: &[&str]) -> String {
    let mut text = String::new();
    for row in 0..rows {
        for (n, ty) in types.iter().enumerate() {
            text.push_str(match (row, n) {
                (0, 0) => "(",
                (_, 0) => ",(",
                _ => ",",
            });
            let _ = match bare {
                Bare::Sqlite(_) => write!(text, "?"),
                Bare::Postgres(_) => write!(text, "CAST(${} AS {ty})", row * types.len() + n + 1),
            };
        }
        text.push(')');
    }
    text
}

/// Copies every row of a database into its empty twin, as the database itself does it: `INSERT … SELECT`, table by table, one transaction.
/// No program can write the same rows faster with bare SQL; the seconds it took.
///
/// # Errors
/// A fault of the database.
pub async fn copied(db: &Db, twin: &str) -> Result<f64, Fault> {
    let (mut from, mut into) = (Bare::open(db.url()).await?, Bare::open(twin).await?);
    let source = match db.url().strip_prefix("sqlite:") {
        Some(file) => {
            into.run(&format!("ATTACH '{}' AS source", file.replace('\'', "''"))).await?;
            "source".to_owned()
        }
        None => match from.read("SELECT CAST(current_schema() AS TEXT)").await?.pop().as_deref() {
            Some([Value::String(Some(schema))]) => schema.clone(),
            other => return Err(Fault::broken(format!("{other:?} is no schema"))),
        },
    };
    let tables = db::backup::table_names(db).await?;
    let began = Instant::now();
    into.run("BEGIN").await?;
    for table in tables {
        let columns: Vec<String> =
            from.column_list(&table).await?.into_iter().map(|(name, _)| name).collect();
        let columns = columns.join(", ");
        // What a new database holds already is the same in both.
        into.run(&format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {source}.{table} WHERE TRUE ON CONFLICT DO NOTHING"
        ))
        .await?;
    }
    into.run("COMMIT").await?;
    Ok(began.elapsed().as_secs_f64())
}

/// What the floors of a round are.
#[derive(Debug, Clone, Default)]
pub struct Floors {
    single: Vec<f64>,
    grouped: Vec<f64>,
}

impl Floors {
    /// Writes the rows into the twin, a quarter of the orders one by one and the others in groups, over so many connections (SQLite: one, it has one
    /// writer), and keeps the rates.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn measure(&mut self, twin: &str, rows: Rows, connections: usize) -> Result<(), Fault> {
        let connections = if twin.starts_with("sqlite:") { 1 } else { connections };
        let rows = Arc::new(rows);
        let (all, singles) = (rows.orders.len(), (rows.orders.len() / 4).max(1));
        self.single.push(timed(twin, &rows, (0, singles), 1, connections).await?);
        self.grouped.push(timed(twin, &rows, (singles, all), GROUP, connections.min(4)).await?);
        Ok(())
    }
    /// The medians: one by one, and grouped.
    pub fn medians(&self) -> (f64, f64) {
        (median(self.single.clone()), median(self.grouped.clone()))
    }
}

/// Orders a second, of `from..to` in transactions of `size`.
async fn timed(
    twin: &str,
    rows: &Arc<Rows>,
    (from, to): (usize, usize),
    size: usize,
    connections: usize,
) -> Result<f64, Fault> {
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Bare::open(twin).await?);
    }
    let next = Arc::new(AtomicUsize::new(from));
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for mut bare in opened {
        let (rows, next) = (Arc::clone(rows), Arc::clone(&next));
        running.spawn(async move {
            loop {
                let at = next.fetch_add(size, Ordering::Relaxed);
                if at >= to {
                    return Ok::<_, Fault>(());
                }
                rows.write(&mut bare, at, (at + size).min(to)).await?;
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok((to - from) as f64 / began.elapsed().as_secs_f64())
}
