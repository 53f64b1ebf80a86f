//! Idempotent answers: the same key with the same input gets the same answer, the same key with another input is refused.

use crate::FromRow;
use crate::{Rows, Sql, Tx};
use kernel::Fault;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall {
    /// Never seen.
    New,
    /// Seen with the same input: the answer that was given.
    Same {
        /// HTTP status of the answer, or 0 where the caller is not HTTP.
        status: i64,
        /// The answer.
        body: String,
    },
    /// Seen with another input.
    Other,
}

/// An answer to keep.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The caller's key.
    pub key: String,
    /// [`input_hash`] of what was asked.
    pub hash: String,
    /// HTTP status, or 0.
    pub status: i64,
    /// The answer.
    pub body: String,
}

/// The hash by which two inputs are the same.
pub fn input_hash(input: &[u8]) -> String {
    Sha256::digest(input).iter().take(16).map(|b| format!("{b:02x}")).collect()
}

#[derive(FromRow)]
struct Row {
    key: String,
    hash: String,
    status: i64,
    body: String,
}

/// What is known of each `(key, hash)` of a scope (a command and a caller), in order.
///
/// # Errors
/// A fault of the database.
pub async fn recall(sql: &Sql, scope: &str, asked: &[(&str, &str)]) -> Result<Vec<Recall>, Fault> {
    let mut input = Rows::new("key TEXT");
    for (key, _) in asked {
        input.push([(*key).into()]);
    }
    let rows: Vec<Row> = sql
        .all_from(&input, "SELECT a.key, a.hash, a.status, a.body FROM answer a JOIN input ON input.key = a.key WHERE a.scope = $1", [scope.into()])
        .await?;
    let known: HashMap<String, Row> = rows.into_iter().map(|r| (r.key.clone(), r)).collect();
    Ok(asked
        .iter()
        .map(|(key, hash)| match known.get(*key) {
            None => Recall::New,
            Some(row) if row.hash == *hash => Recall::Same { status: row.status, body: row.body.clone() },
            Some(_) => Recall::Other,
        })
        .collect())
}

/// Keeps answers. Two transactions with one key collide on the primary key; the later one runs again and recalls.
///
/// # Errors
/// A fault of the database.
pub async fn remember(tx: &Tx, scope: &str, answers: &[Answer]) -> Result<(), Fault> {
    let mut rows = Rows::new("scope TEXT, key TEXT, hash TEXT, status BIGINT, body TEXT, at BIGINT");
    for a in answers {
        rows.push([
            scope.into(),
            a.key.as_str().into(),
            a.hash.as_str().into(),
            a.status.into(),
            a.body.as_str().into(),
            tx.now().into(),
        ]);
    }
    if !rows.is_empty() {
        tx.insert("answer", &rows).await?;
    }
    Ok(())
}
