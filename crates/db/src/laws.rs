//! Laws: what must hold at every commit, each as one set-based query that returns the first offenders. `fulmar verify` runs them all.

use crate::FromRow;
use crate::Sql;
use kernel::Fault;

/// A law of the domain.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Stable name, as `inventory.counters_equal_movements`.
    pub name: &'static str,
    /// What holds, as a sentence.
    pub says: &'static str,
    /// A query of offenders: columns `subject TEXT` (what) and `detail TEXT` (how it disagrees); nothing when the law holds.
    pub offenders: &'static str,
}

/// A row that breaks a law.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Offence {
    /// What breaks it.
    pub subject: String,
    /// How.
    pub detail: String,
}

/// The first offenders of a law, five at most.
///
/// # Errors
/// A fault of the database.
pub async fn check(sql: &Sql, law: &Law) -> Result<Vec<Offence>, Fault> {
    // Behind MATERIALIZED, PostgreSQL does not plan for the first five of many rows: there are none, and to know that all has to be read.
    let text = format!(
        "WITH offenders AS /*pg MATERIALIZED */ ({}) SELECT subject, detail FROM offenders LIMIT 5",
        law.offenders
    );
    sql.all(&text, []).await.map_err(|f| f.while_doing(format!("law {}", law.name)))
}
