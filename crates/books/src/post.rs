//! Posting: the reaction that writes the journal in the transaction of the events themselves. Invariants: one entry per event, never
//! two; the running sums move with the postings; a closed month never changes.

use crate::accounts;
use crate::entry::{Entry, entry};
use crate::hear::{KINDS, happened};
use crate::month::Month;
use crate::read::{EntryId, PostingId};
use db::{FromRow, Reaction, Rows, Tx};
use kernel::{Currency, Event, Fault, Timestamp};
use std::collections::BTreeMap;

/// Names the lock under which postings and the closing of months exclude each other on PostgreSQL.
const PERIODS_LOCK: i64 = 7_022_001;

/// Writes the journal.
pub const POST: Reaction =
    Reaction { name: "books.post", kinds: KINDS, run: |tx, events| Box::pin(post(tx, events)) };

async fn post(tx: &Tx, events: &[Event]) -> Result<(), Fault> {
    // Stock has no currency of its own: it is valued in the base currency.
    let base = match events.iter().any(|e| e.kind.starts_with("stock.")) {
        true => Some(inventory::base_currency(tx).await?),
        false => None,
    };
    let mut entries = Vec::with_capacity(events.len());
    for event in events {
        if let Some(happened) = happened(event, base)?
            && let Some(entry) = entry(&happened)
        {
            entries.push((event, entry));
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    let closed = open_the_books(tx).await?;
    write(tx, closed, &entries).await
}

/// Makes sure of the chart, keeps months from closing until this transaction ends, and gives the last closed month.
async fn open_the_books(tx: &Tx) -> Result<Option<Month>, Fault> {
    #[derive(FromRow)]
    struct Books {
        accounts: i64,
        closed: Option<String>,
    }
    if tx.backend() == db::Backend::Postgres {
        tx.exec("SELECT pg_advisory_xact_lock_shared($1)", [PERIODS_LOCK.into()]).await?;
    }
    // After the lock, in a statement of its own: it sees what the holders before us closed.
    let text = "SELECT (SELECT COUNT(*) FROM account) AS accounts, (SELECT MAX(month) FROM period) AS closed";
    let books: Books = tx.one(text, []).await?.ok_or_else(|| Fault::broken("a query without its row"))?;
    if books.accounts < accounts::ACCOUNTS.len() as i64 {
        accounts::install(tx).await?;
    }
    month(books.closed)
}

/// Waits for postings under way and keeps new ones out until this transaction ends; gives the last closed month.
pub(crate) async fn shut_the_books(tx: &Tx) -> Result<Option<Month>, Fault> {
    if tx.backend() == db::Backend::Postgres {
        tx.exec("SELECT pg_advisory_xact_lock($1)", [PERIODS_LOCK.into()]).await?;
    }
    month(tx.scalar::<Option<String>>("SELECT MAX(month) FROM period", []).await?.flatten())
}

fn month(text: Option<String>) -> Result<Option<Month>, Fault> {
    text.map(|m| m.parse().map_err(Fault::from)).transpose()
}

/// When an entry counts: at its own time, or at the start of the first open month when its own is closed.
fn decide_time(at: Timestamp, closed: Option<Month>) -> Result<(Timestamp, bool), Fault> {
    Ok(match closed {
        Some(closed) if Month::of(at)? <= closed => (closed.next().start(), true),
        _ => (at, false),
    })
}

async fn write(tx: &Tx, closed: Option<Month>, entries: &[(&Event, Entry)]) -> Result<(), Fault> {
    let mut heads = Rows::new("id BIGINT, at BIGINT, event_id BIGINT, order_id BIGINT?, text TEXT");
    let mut rows =
        Rows::new("id BIGINT, entry_id BIGINT, debit TEXT, credit TEXT, currency TEXT, amount BIGINT");
    let mut sums: BTreeMap<(&str, Currency, String), (i64, i64)> = BTreeMap::new();
    for (event, entry) in entries {
        let id: EntryId = tx.id();
        let (at, moved) = decide_time(event.at, closed)?;
        let month = Month::of(at)?.to_string();
        let text = match moved {
            true => format!("{} (of {}, whose month is closed)", entry.text, event.at.day()),
            false => entry.text.clone(),
        };
        heads.push([id.into(), at.into(), event.id.into(), event.order.into(), text.into()]);
        for p in &entry.postings {
            rows.push([
                tx.id::<PostingId>().into(),
                id.into(),
                p.debit.into(),
                p.credit.into(),
                p.currency.into(),
                p.amount.into(),
            ]);
            sums.entry((p.debit, p.currency, month.clone())).or_default().0 += p.amount;
            sums.entry((p.credit, p.currency, month.clone())).or_default().1 += p.amount;
        }
    }
    tx.insert("journal_entry", &heads).await?;
    tx.insert("posting", &rows).await?;
    let mut months = Rows::new("account TEXT, currency TEXT, month TEXT, debit BIGINT, credit BIGINT");
    for ((account, currency, month), (debit, credit)) in sums {
        months.push([account.into(), currency.into(), month.into(), debit.into(), credit.into()]);
    }
    // In key order, so that two transactions never wait for each other in a circle.
    let text = "INSERT INTO account_month (account, currency, month, debit, credit) \
        SELECT account, currency, month, debit, credit FROM input WHERE TRUE ORDER BY account, currency, month \
        ON CONFLICT (account, currency, month) DO UPDATE SET debit = account_month.debit + excluded.debit, credit = account_month.credit + excluded.credit";
    tx.exec_from(&months, text, []).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_closed_month_counts_in_the_first_open_one() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let closed = Some("2026-01".parse().unwrap());
        let cases = [
            ("2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", true),
            ("2025-07-01T00:00:00Z", "2026-02-01T00:00:00Z", true),
            ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", false),
        ];
        for (event, counts, moved) in cases {
            assert_eq!(decide_time(at(event), closed).unwrap(), (at(counts), moved));
        }
        assert_eq!(
            decide_time(at("2025-07-01T00:00:00Z"), None).unwrap(),
            (at("2025-07-01T00:00:00Z"), false)
        );
    }
}
