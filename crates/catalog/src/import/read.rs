//! What is known of a file of SKUs: how far it is, and its rows. Invariant: rows are shown in the order of the file.

use super::{ImportId, RowChange, Wrong};
use db::{FromRow, Sql};
use kernel::{Fault, Timestamp};

/// A file, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Import {
    /// Our id.
    pub id: ImportId,
    /// What it is called.
    pub name: String,
    /// Who sent it.
    pub by_actor: String,
    /// When it was read.
    pub read_at: Timestamp,
    /// When somebody said that it shall be written.
    pub confirmed_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Rows to be written.
    pub total: i64,
    /// Of these, written.
    pub done: i64,
    /// Of these, refused.
    pub refused: i64,
    /// Rows that make a SKU.
    pub new: i64,
    /// Rows that change one.
    pub changed: i64,
    /// Rows that say what the catalogue said.
    pub same: i64,
    /// Rows that are left out.
    pub wrong: i64,
}

/// A file by its id.
///
/// # Errors
/// A fault of the database.
pub async fn import(sql: &Sql, id: ImportId) -> Result<Option<Import>, Fault> {
    let text = "SELECT i.id, i.name, i.by_actor, i.read_at, i.confirmed_at, i.ended_at, i.total, i.done, i.refused, r.new, r.changed, r.same, r.wrong \
         FROM sku_import i JOIN (SELECT import_id, CAST(SUM(CASE WHEN change = 'new' THEN 1 ELSE 0 END) AS BIGINT) AS new, \
         CAST(SUM(CASE WHEN change = 'changed' THEN 1 ELSE 0 END) AS BIGINT) AS changed, CAST(SUM(CASE WHEN change = 'same' THEN 1 ELSE 0 END) AS BIGINT) AS same, \
         CAST(SUM(CASE WHEN change = 'wrong' THEN 1 ELSE 0 END) AS BIGINT) AS wrong FROM sku_import_row WHERE import_id = $1 GROUP BY import_id) r \
         ON r.import_id = i.id WHERE i.id = $1";
    sql.one(text, [id.into()]).await
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ImportRow {
    /// Where in the file it begins.
    pub line: i64,
    /// The code it names.
    pub code: String,
    /// What it does.
    pub change: RowChange,
    about: String,
    /// `done` or `refused` once it was tried.
    pub outcome: Option<String>,
    /// Why it was refused.
    pub why: Option<String>,
}

impl ImportRow {
    /// The columns that change.
    ///
    /// # Errors
    /// A fault when what was kept does not read.
    pub fn columns(&self) -> Result<Vec<String>, Fault> {
        match self.change {
            RowChange::Wrong => Ok(Vec::new()),
            _ => Ok(serde_json::from_str(&self.about)?),
        }
    }
    /// What is wrong with it, also what showed only when it was to be written.
    ///
    /// # Errors
    /// A fault when what was kept does not read.
    pub fn problems(&self) -> Result<Vec<Wrong>, Fault> {
        match (self.change, &self.why) {
            (RowChange::Wrong, _) => Ok(serde_json::from_str(&self.about)?),
            (_, Some(why)) => Ok(vec![Wrong::new("", why.clone())]),
            _ => Ok(Vec::new()),
        }
    }
}

/// Which rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows {
    /// Only those that do this.
    pub change: Option<RowChange>,
    /// Only those that were refused when they were to be written.
    pub refused: bool,
}

/// Rows of a file in its order, after the line `after`, at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn rows(
    sql: &Sql,
    id: ImportId,
    which: Rows,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<ImportRow>, Fault> {
    let text = "SELECT line, code, change, about, outcome, why FROM sku_import_row WHERE import_id = $1 AND line > $2 \
         AND ($3 = '' OR change = $3) AND ($4 = '' OR outcome = $4) ORDER BY line LIMIT $5";
    let change = which.change.map_or("", RowChange::as_str);
    let outcome = if which.refused { "refused" } else { "" };
    sql.all(text, [id.into(), after.unwrap_or(0).into(), change.into(), outcome.into(), limit.into()]).await
}
