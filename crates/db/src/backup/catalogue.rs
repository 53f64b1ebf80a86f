//! What a database says of itself: tables, columns, keys, migrations and number series. Invariant: what belongs into a backup comes from
//! the catalogue, so that a new table cannot be forgotten; a type or a key that a backup cannot carry is a fault, not a gap.

use super::{LEFT_OUT, Migration, Table, Ty};
use crate::Sql;
use crate::open::Backend;
use kernel::Fault;
use std::collections::BTreeMap;

/// Every table that belongs into a backup, parents before children.
pub(super) async fn tables(tx: &Sql) -> Result<Vec<Table>, Fault> {
    let columns = match tx.backend() {
        Backend::Sqlite => {
            "SELECT t.name, c.name, LOWER(c.type), c.pk FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid"
        }
        Backend::Postgres => {
            "SELECT CAST(t.relname AS TEXT), CAST(c.attname AS TEXT), format_type(c.atttypid, c.atttypmod), CAST(COALESCE(k.position, 0) AS BIGINT) \
             FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace \
             JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped AND c.attgenerated = '' \
             LEFT JOIN (SELECT i.indrelid, u.attnum, u.position FROM pg_index i \
               CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u(attnum, position) WHERE i.indisprimary) k \
               ON k.indrelid = t.oid AND k.attnum = c.attnum \
             WHERE t.relkind = 'r' AND n.nspname = current_schema() ORDER BY t.relname, c.attnum"
        }
    };
    let mut found: BTreeMap<String, (Vec<(String, Ty)>, Vec<(i64, usize)>)> = BTreeMap::new();
    for mut row in tx.rows(columns, vec![]).await? {
        let table: String = row.take_at(0)?;
        let name: String = row.take_at(1)?;
        let declared: String = row.take_at(2)?;
        let position: i64 = row.take_at(3)?;
        if LEFT_OUT.contains(&table.as_str()) {
            continue;
        }
        let ty = match declared.as_str() {
            "bigint" | "integer" => Ty::Bigint,
            "text" => Ty::Text,
            "boolean" => Ty::Boolean,
            "double precision" => Ty::Double,
            other => {
                return Err(Fault::broken(format!(
                    "a backup knows no columns of type “{other}” ({table}.{name})"
                )));
            }
        };
        let (columns, key) = found.entry(table).or_default();
        if position > 0 {
            key.push((position, columns.len()));
        }
        columns.push((name, ty));
    }
    let mut all = BTreeMap::new();
    for (name, (columns, mut key)) in found {
        if key.is_empty() {
            return Err(Fault::broken(format!(
                "table {name} has no primary key: a backup could not page through it"
            )));
        }
        key.sort_unstable();
        let key = key.into_iter().map(|(_, column)| column).collect();
        all.insert(name.clone(), Table { name, columns, key });
    }
    parents_first(all, foreign_keys(tx).await?)
}

/// Pairs of child and parent.
async fn foreign_keys(tx: &Sql) -> Result<Vec<(String, String)>, Fault> {
    let text = match tx.backend() {
        Backend::Sqlite => {
            "SELECT t.name, f.\"table\" FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'"
        }
        Backend::Postgres => {
            "SELECT CAST(c.relname AS TEXT), CAST(p.relname AS TEXT) FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid \
             JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE f.contype = 'f' AND n.nspname = current_schema()"
        }
    };
    let rows = tx.rows(text, vec![]).await?;
    rows.into_iter().map(|mut r| Ok((r.take_at(0)?, r.take_at(1)?))).collect()
}

fn parents_first(
    mut left: BTreeMap<String, Table>,
    keys: Vec<(String, String)>,
) -> Result<Vec<Table>, Fault> {
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |name: &str| {
            keys.iter().any(|(child, parent)| child == name && parent != name && left.contains_key(parent))
        };
        let free: Vec<String> = left.keys().filter(|name| !waits(name)).cloned().collect();
        if free.is_empty() {
            let names: Vec<&String> = left.keys().collect();
            return Err(Fault::broken(format!("tables refer to each other in a circle: {names:?}")));
        }
        ordered.extend(free.iter().filter_map(|name| left.remove(name)));
    }
    Ok(ordered)
}

pub(super) async fn migrations(tx: &Sql) -> Result<Vec<Migration>, Fault> {
    let rows =
        tx.rows("SELECT version, name, checksum FROM schema_migration ORDER BY version", vec![]).await?;
    rows.into_iter()
        .map(|mut r| Ok(Migration { version: r.take_at(0)?, name: r.take_at(1)?, checksum: r.take_at(2)? }))
        .collect()
}

/// The names of the sequences behind number series on PostgreSQL.
pub(super) async fn sequences(tx: &Sql) -> Result<Vec<String>, Fault> {
    let text =
        "SELECT CAST(sequencename AS TEXT) FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1";
    let rows = tx.rows(text, vec![]).await?;
    rows.into_iter().map(|mut r| Ok(r.take_at(0)?)).collect()
}

/// The last number given out, by series.
pub(super) async fn numbers(tx: &Sql) -> Result<BTreeMap<String, i64>, Fault> {
    let mut all = BTreeMap::new();
    if tx.backend() == Backend::Sqlite {
        for mut row in tx.rows("SELECT name, value FROM counter", vec![]).await? {
            all.insert(row.take_at(0)?, row.take_at(1)?);
        }
        return Ok(all);
    }
    for sequence in sequences(tx).await? {
        let text =
            format!("SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM \"{sequence}\"");
        let last = tx.rows(&text, vec![]).await?;
        let last = last
            .into_iter()
            .next()
            .ok_or_else(|| Fault::broken(format!("sequence {sequence} has no row")))?
            .take_at(0)?;
        all.insert(series(&sequence)?.to_owned(), last);
    }
    Ok(all)
}

pub(super) fn series(sequence: &str) -> Result<&str, Fault> {
    sequence
        .strip_suffix("_number")
        .ok_or_else(|| Fault::broken(format!("sequence {sequence} is no number series")))
}
