//! Confirm: money arrived by hand (a bank transfer, cash on delivery). Invariants: the same reference is counted once; no more is
//! confirmed than the tender is to bring. A transfer may arrive in parts, and after it was given up.

use crate::PaymentId;
use crate::ledger::{Held, Ledger, NewFact};
use crate::model::{FactKind, Phase, internal};
use db::Tx;
use kernel::{Fault, Timestamp, refusals};

/// Money that arrived.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// When.
    pub at: Timestamp,
    /// For which payment.
    pub payment: PaymentId,
    /// Minor units, over zero; all that is open when absent.
    pub amount: Option<i64>,
    /// Of the bank statement or the cash book.
    pub reference: String,
}

refusals! {
    /// Why it is not counted.
    pub enum ConfirmRefused {
        Unknown { payment: PaymentId } => NotFound, "payments.unknown", "There is no payment {payment}.";
        NotManual { gateway: String } => Conflict, "payments.not_manual", "{gateway} says itself when money arrives; only manual payments are confirmed.";
        NotPositive { amount: i64 } => Invalid, "payments.confirm_not_positive", "What arrived is an amount over zero, not {amount}.";
        NoReference => Invalid, "payments.confirm_without_reference", "Name the line of the bank statement or cash book, so that it is counted once.";
        ReferenceUsed { reference: String, amount: i64 } => Conflict, "payments.confirm_reference_used", "{reference} was counted with {amount} already.";
        Beyond { asked: i64, left: i64 } => Conflict, "payments.confirm_beyond_amount", "Only {left} of this payment are open, not {asked} (minor units).";
    }
}

/// How much is new of it; none when it was counted before.
fn decide(held: Option<&Held>, want: &Confirm) -> Result<Option<i64>, ConfirmRefused> {
    let held = held.ok_or(ConfirmRefused::Unknown { payment: want.payment })?;
    if held.payment.gateway != internal::MANUAL {
        return Err(ConfirmRefused::NotManual { gateway: held.payment.gateway.clone() });
    }
    if let Some(amount) = want.amount.filter(|amount| *amount <= 0) {
        return Err(ConfirmRefused::NotPositive { amount });
    }
    if want.reference.trim().is_empty() {
        return Err(ConfirmRefused::NoReference);
    }
    let known = held.facts().iter().find(|f| f.kind == FactKind::Capture && f.reference == want.reference);
    if let Some(known) = known {
        return match want.amount.is_none_or(|amount| amount == known.amount) {
            true => Ok(None),
            false => {
                Err(ConfirmRefused::ReferenceUsed { reference: want.reference.clone(), amount: known.amount })
            }
        };
    }
    let a = held.amounts();
    let left = if a.authorised > 0 {
        a.authorised - a.voided - a.captured
    } else {
        held.payment.amount - a.captured
    };
    let amount = want.amount.unwrap_or(left.max(1));
    if amount > left {
        return Err(ConfirmRefused::Beyond { asked: amount, left: left.max(0) });
    }
    Ok(Some(amount))
}

/// Counts money that arrived: one outcome per item, in order.
///
/// # Errors
/// A fault of the database.
pub async fn confirm(tx: &Tx, batch: &[Confirm]) -> Result<Vec<Result<(), ConfirmRefused>>, Fault> {
    let mut ledger = Ledger::lock(tx, batch.iter().map(|c| c.payment)).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(ledger.get(want.payment), want);
        if let Ok(Some(amount)) = outcome {
            let fact = NewFact {
                at: want.at,
                kind: FactKind::Capture,
                phase: Phase::Succeeded,
                amount,
                reference: want.reference.clone(),
                operation: None,
                detail: None,
            };
            ledger.push(tx, want.payment, fact)?;
        }
        outcomes.push(outcome.map(|_| ()));
    }
    ledger.save(tx).await?;
    Ok(outcomes)
}
