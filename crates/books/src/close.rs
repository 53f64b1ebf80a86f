//! Close the books up to and including a month. Invariant: months are closed without gaps, so there is one first open month, and what
//! happened in a closed one counts there.

use crate::events::PeriodClosed;
use crate::month::Month;
use crate::post::shut_the_books;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp, refusals};

/// Close up to and including a month.
#[derive(Debug, Clone)]
pub struct ClosePeriod {
    /// When it is closed.
    pub at: Timestamp,
    /// As `2026-01`.
    pub month: String,
}

refusals! {
    /// Why a month is not closed.
    pub enum CloseRefused {
        NotAMonth { month: String }     => Invalid,  "books.not_a_month",     "“{month}” is not a month of the form 2026-01.";
        NotOver { month: String }       => Conflict, "books.month_not_over",  "{month} is not over yet (months end in UTC).";
        AlreadyClosed { month: String } => Conflict, "books.already_closed",  "The books are closed up to {month} already.";
    }
}

fn decide(close: &ClosePeriod, closed: Option<Month>, now: Timestamp) -> Result<Month, CloseRefused> {
    let month: Month =
        close.month.parse().map_err(|_| CloseRefused::NotAMonth { month: close.month.clone() })?;
    if month.next().start() > now {
        return Err(CloseRefused::NotOver { month: month.to_string() });
    }
    match closed {
        Some(closed) if closed >= month => Err(CloseRefused::AlreadyClosed { month: closed.to_string() }),
        _ => Ok(month),
    }
}

/// Closes periods: one outcome per item, in order.
///
/// # Errors
/// A fault of the database.
pub async fn close_periods(tx: &Tx, batch: &[ClosePeriod]) -> Result<Vec<Result<(), CloseRefused>>, Fault> {
    let mut closed = shut_the_books(tx).await?;
    let first: Option<Option<i64>> = tx.scalar("SELECT MIN(at) FROM journal_entry", []).await?;
    let begin = first.flatten().map(|at| Month::of(Timestamp(at))).transpose()?;
    let mut rows = Rows::new("month TEXT, closed_at BIGINT, closed_by TEXT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for close in batch {
        let outcome = decide(close, closed, tx.now());
        if let Ok(month) = outcome {
            let mut each = closed.map(Month::next).or(begin).map_or(month, |m| m.min(month));
            while each <= month {
                rows.push([each.to_string().into(), close.at.into(), tx.actor().as_str().into()]);
                each = each.next();
            }
            closed = Some(month);
            tx.record(close.at, "books", None, PeriodClosed { month: month.to_string() })?;
        }
        outcomes.push(outcome.map(|_| ()));
    }
    tx.insert("period", &rows).await?;
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_past_open_month_is_closed() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let ask = |month: &str, closed: Option<&str>| {
            let close = ClosePeriod { at: now, month: month.into() };
            decide(&close, closed.map(|c| c.parse().unwrap()), now).map(|m| m.to_string())
        };
        assert_eq!(ask("2026-02", None), Ok("2026-02".into()));
        assert_eq!(ask("2026-02", Some("2026-01")), Ok("2026-02".into()));
        assert_eq!(ask("2026-03", None), Err(CloseRefused::NotOver { month: "2026-03".into() }));
        assert_eq!(
            ask("2026-01", Some("2026-01")),
            Err(CloseRefused::AlreadyClosed { month: "2026-01".into() })
        );
        assert_eq!(ask("march", None), Err(CloseRefused::NotAMonth { month: "march".into() }));
    }
}
