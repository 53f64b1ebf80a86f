//! Adjust by hand: move an amount between two accounts with a reason. Invariant: the entry follows from the recorded fact, as every
//! other entry does; nothing else writes the journal by hand.

use crate::accounts;
use crate::events::BooksAdjusted;
use db::Tx;
use kernel::{Currency, Fault, Timestamp, refusals};

/// A correction.
#[derive(Debug, Clone)]
pub struct Adjustment {
    /// When it counts.
    pub at: Timestamp,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units; negative swaps the sides.
    pub amount: i64,
    /// Code of the account that is debited.
    pub debit: String,
    /// Code of the account that is credited.
    pub credit: String,
    /// Why.
    pub text: String,
    /// The order it is about (raw id).
    pub order: Option<i64>,
}

refusals! {
    /// Why an adjustment is not made.
    pub enum AdjustRefused {
        UnknownAccount { account: String } => Invalid, "books.unknown_account", "There is no account {account} in the chart.";
        SameAccount { account: String }    => Invalid, "books.same_account",    "An entry moves an amount from one account to another; both are {account}.";
        NoAmount                           => Invalid, "books.no_amount",       "An adjustment of nothing is no adjustment.";
        NoText                             => Invalid, "books.no_text",         "Say why the books are adjusted.";
    }
}

fn decide(a: &Adjustment) -> Result<(), AdjustRefused> {
    for code in [&a.debit, &a.credit] {
        if accounts::by_code(code).is_none() {
            return Err(AdjustRefused::UnknownAccount { account: code.clone() });
        }
    }
    if a.debit == a.credit {
        return Err(AdjustRefused::SameAccount { account: a.debit.clone() });
    }
    if a.amount == 0 {
        return Err(AdjustRefused::NoAmount);
    }
    if a.text.trim().is_empty() {
        return Err(AdjustRefused::NoText);
    }
    Ok(())
}

/// Adjusts the books: one outcome per adjustment, in order.
///
/// # Errors
/// A fault of the database.
pub async fn adjust(tx: &Tx, batch: &[Adjustment]) -> Result<Vec<Result<(), AdjustRefused>>, Fault> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for a in batch {
        let outcome = decide(a);
        if outcome.is_ok() {
            let fact = BooksAdjusted {
                currency: a.currency,
                amount: a.amount,
                debit: a.debit.clone(),
                credit: a.credit.clone(),
                text: a.text.trim().to_owned(),
            };
            tx.record(a.at, "books", a.order, fact)?;
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_come_in_their_order() {
        let good = Adjustment {
            at: Timestamp(0),
            currency: "EUR".parse().unwrap(),
            amount: 5,
            debit: "1000".into(),
            credit: "3000".into(),
            text: "Paid in".into(),
            order: None,
        };
        let with = |change: fn(&mut Adjustment)| {
            let mut one = good.clone();
            change(&mut one);
            decide(&one)
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(
            with(|a| a.debit = "1".into()),
            Err(AdjustRefused::UnknownAccount { account: "1".into() })
        );
        assert_eq!(
            with(|a| a.debit = "3000".into()),
            Err(AdjustRefused::SameAccount { account: "3000".into() })
        );
        assert_eq!(with(|a| (a.amount, a.text) = (0, String::new())), Err(AdjustRefused::NoAmount));
        assert_eq!(with(|a| a.text = " ".into()), Err(AdjustRefused::NoText));
    }
}
