//! Reading the journal. Invariant: entries come in the order of (time, id), whole, whatever page they are on.

use crate::accounts;
use db::FromRow;
use kernel::{Currency, Fault, Timestamp};
use serde::Serialize;
use std::collections::HashMap;

kernel::id!(EntryId, "jrn", "An entry of the journal.");
kernel::id!(PostingId, "pst", "A row of a journal entry.");

/// An entry of the journal with its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalEntry {
    /// Id.
    pub id: EntryId,
    /// When it counts.
    pub at: Timestamp,
    /// The event it follows from (raw id).
    pub event: Option<i64>,
    /// The order it belongs to (raw id).
    pub order: Option<i64>,
    /// What it is.
    pub text: String,
    /// Its rows.
    pub postings: Vec<JournalPosting>,
}

/// A row of an entry: `amount` from `credit` to `debit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalPosting {
    /// Account code.
    pub debit: String,
    /// Account code.
    pub credit: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units, over zero.
    pub amount: i64,
}

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct JournalFilter {
    /// Of this order (raw id).
    pub order: Option<i64>,
    /// That touch this account.
    pub account: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// That follow from events of this kind, as `payment.captured`.
    pub kind: Option<String>,
    /// With a posting in this currency.
    pub currency: Option<Currency>,
    /// The newest first; `after` is then the oldest seen.
    pub newest_first: bool,
}

#[derive(FromRow)]
struct EntryRow {
    id: EntryId,
    at: Timestamp,
    event_id: Option<i64>,
    order_id: Option<i64>,
    text: String,
}
#[derive(FromRow)]
struct PostingRow {
    entry_id: EntryId,
    debit: String,
    credit: String,
    currency: Currency,
    amount: i64,
}

/// A page of the journal: entries after `after` (time and id of the last one seen), `limit` at most.
///
/// # Errors
/// A fault of the database.
pub async fn journal(
    sql: &db::Sql,
    filter: &JournalFilter,
    after: Option<(Timestamp, EntryId)>,
    limit: i64,
) -> Result<Vec<JournalEntry>, Fault> {
    let mut values: Vec<db::Value> = vec![
        filter.from.unwrap_or(Timestamp(i64::MIN)).into(),
        filter.until.unwrap_or(Timestamp(i64::MAX)).into(),
        limit.into(),
    ];
    let mut text = "SELECT e.id, e.at, e.event_id, e.order_id, e.text FROM journal_entry e WHERE e.at >= $1 AND e.at < $2".to_owned();
    if let Some((at, id)) = after {
        values.extend([at.into(), id.into()]);
        let beyond = if filter.newest_first { "<" } else { ">" };
        text += &format!(" AND (e.at, e.id) {beyond} (${}, ${})", values.len() - 1, values.len());
    }
    if let Some(order) = filter.order {
        values.push(order.into());
        text += &format!(" AND e.order_id = ${}", values.len());
    }
    if let Some(account) = &filter.account {
        values.push(account.as_str().into());
        let n = values.len();
        text += &format!(
            " AND EXISTS (SELECT 1 FROM posting p WHERE p.entry_id = e.id AND (p.debit = ${n} OR p.credit = ${n}))"
        );
    }
    if let Some(kind) = &filter.kind {
        values.push(kind.as_str().into());
        let n = values.len();
        text += &format!(" AND EXISTS (SELECT 1 FROM event v WHERE v.id = e.event_id AND v.kind = ${n})");
    }
    if let Some(currency) = filter.currency {
        values.push(currency.into());
        let n = values.len();
        text +=
            &format!(" AND EXISTS (SELECT 1 FROM posting p WHERE p.entry_id = e.id AND p.currency = ${n})");
    }
    text += match filter.newest_first {
        true => " ORDER BY e.at DESC, e.id DESC LIMIT $3",
        false => " ORDER BY e.at, e.id LIMIT $3",
    };
    let entries: Vec<EntryRow> = sql.all(&text, values).await?;
    whole(sql, entries).await
}

/// An entry of the journal.
///
/// # Errors
/// A fault of the database.
pub async fn entry_by_id(sql: &db::Sql, id: EntryId) -> Result<Option<JournalEntry>, Fault> {
    let text = "SELECT e.id, e.at, e.event_id, e.order_id, e.text FROM journal_entry e WHERE e.id = $1";
    let entry: Vec<EntryRow> = sql.all(text, [id.into()]).await?;
    Ok(whole(sql, entry).await?.pop())
}

/// Entries with their rows.
async fn whole(sql: &db::Sql, entries: Vec<EntryRow>) -> Result<Vec<JournalEntry>, Fault> {
    let mut ids = db::Rows::new("id BIGINT");
    for e in &entries {
        ids.push([e.id.into()]);
    }
    let text = "SELECT p.entry_id, p.debit, p.credit, p.currency, p.amount FROM posting p JOIN input ON input.id = p.entry_id ORDER BY p.id";
    let mut of: HashMap<EntryId, Vec<JournalPosting>> = HashMap::new();
    for p in sql.all_from::<PostingRow>(&ids, text, []).await? {
        let row = JournalPosting { debit: p.debit, credit: p.credit, currency: p.currency, amount: p.amount };
        of.entry(p.entry_id).or_default().push(row);
    }
    let whole = |e: EntryRow| JournalEntry {
        id: e.id,
        at: e.at,
        event: e.event_id,
        order: e.order_id,
        text: e.text,
        postings: of.remove(&e.id).unwrap_or_default(),
    };
    Ok(entries.into_iter().map(whole).collect())
}

/// A row of an account: what one posting did to it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Moved {
    /// The posting.
    pub id: PostingId,
    /// The entry it belongs to.
    pub entry_id: EntryId,
    /// When it counts.
    pub at: Timestamp,
    /// The order it belongs to (raw id).
    pub order_id: Option<i64>,
    /// What the entry is.
    pub text: String,
    /// Account code.
    pub debit: String,
    /// Account code.
    pub credit: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units, over zero.
    pub amount: i64,
}

/// What moved on an account, newest first: postings before `after` (time and id of the last one seen), `limit` at most. Of the filter,
/// `order` and `kind` are not asked.
///
/// # Errors
/// A fault of the database.
pub async fn moved(
    sql: &db::Sql,
    account: &str,
    filter: &JournalFilter,
    after: Option<(Timestamp, PostingId)>,
    limit: i64,
) -> Result<Vec<Moved>, Fault> {
    let mut values: Vec<db::Value> = vec![
        account.into(),
        filter.from.unwrap_or(Timestamp(i64::MIN)).into(),
        filter.until.unwrap_or(Timestamp(i64::MAX)).into(),
        limit.into(),
    ];
    let mut text =
        "SELECT p.id, p.entry_id, e.at, e.order_id, e.text, p.debit, p.credit, p.currency, p.amount \
        FROM journal_entry e JOIN posting p ON p.entry_id = e.id \
        WHERE (p.debit = $1 OR p.credit = $1) AND e.at >= $2 AND e.at < $3"
            .to_owned();
    if let Some((at, id)) = after {
        values.extend([at.into(), id.into()]);
        text += &format!(" AND (e.at, p.id) < (${}, ${})", values.len() - 1, values.len());
    }
    if let Some(currency) = filter.currency {
        values.push(currency.into());
        text += &format!(" AND p.currency = ${}", values.len());
    }
    text += " ORDER BY e.at DESC, p.id DESC LIMIT $4";
    sql.all(&text, values).await
}

/// A closed month.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Period {
    /// As `2026-01`.
    pub month: String,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// By whom.
    pub closed_by: String,
}

/// The closed months, newest first.
///
/// # Errors
/// A fault of the database.
pub async fn periods(sql: &db::Sql, limit: i64) -> Result<Vec<Period>, Fault> {
    let text = "SELECT month, closed_at, closed_by FROM period ORDER BY month DESC LIMIT $1";
    sql.all(text, [limit.into()]).await
}

/// The order (raw id) that a person means by its number or its id.
///
/// # Errors
/// A fault of the database.
pub async fn order_meant(sql: &db::Sql, text: &str) -> Result<Option<i64>, Fault> {
    if let Ok(id) = text.trim().parse::<orders::OrderId>() {
        return Ok(Some(id.0));
    }
    sql.scalar("SELECT id FROM orders WHERE number = $1", [text.trim().into()]).await
}

/// The currencies that occur in the journal, by code.
///
/// # Errors
/// A fault of the database.
pub async fn currencies(sql: &db::Sql) -> Result<Vec<Currency>, Fault> {
    sql.column("SELECT DISTINCT currency FROM account_month ORDER BY currency", []).await
}

/// The name of an account, for people; its code where the chart lacks it.
pub fn account_name(code: &str) -> &str {
    accounts::by_code(code).map_or(code, |a| a.name)
}
