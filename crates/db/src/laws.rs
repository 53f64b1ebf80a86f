//! Laws: what must hold at every commit. `fulmar verify` runs them all, and each names the first offenders.

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
    /// How it is proven.
    pub proof: Proof,
}

/// How a law is proven.
#[derive(Clone, Copy, Debug)]
pub enum Proof {
    /// A query of offenders: columns `subject TEXT` (what) and `detail TEXT` (how it disagrees); nothing when the law holds.
    Offenders(&'static str),
    /// Two sides of a sum that agree.
    Sums(Sums),
}

/// Both sides of a sum as one query, the second with its sign turned: by key, every number adds up to zero. A row that is missing on either
/// side is found too.
#[derive(Clone, Copy, Debug)]
pub struct Sums {
    /// What the key columns are, for people: `["order"]`. They come first in the query, and are never NULL.
    pub of: &'static [&'static str],
    /// What the numbers are, for people. They are BIGINT, follow the keys, and are never NULL.
    pub numbers: &'static [&'static str],
    /// The rows: SELECTs divided by UNION ALL.
    pub parts: &'static str,
}

/// A row that breaks a law.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Offence {
    /// What breaks it.
    pub subject: String,
    /// How.
    pub detail: String,
}

/// Offenders that are named; more say nothing new.
pub(crate) const FIRST: usize = 5;

/// The first offenders of a law, five at most.
///
/// # Errors
/// A fault of the database.
pub async fn check(sql: &Sql, law: &Law) -> Result<Vec<Offence>, Fault> {
    let found = match law.proof {
        Proof::Offenders(query) => sql.all(&first(query), []).await,
        Proof::Sums(sums) => sql.sums(sums).await,
    };
    found.map_err(|f| f.while_doing(format!("law {}", law.name)))
}

/// Behind MATERIALIZED, PostgreSQL does not plan for the first five of many rows: there are none, and to know that all has to be read.
pub(crate) fn first(query: &str) -> String {
    format!("WITH offenders AS /*pg MATERIALIZED */ ({query}) SELECT * FROM offenders LIMIT {FIRST}")
}
