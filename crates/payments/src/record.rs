//! Record facts about payments, wherever they come from. Invariants: a fact that is known changes nothing; events are told only of what
//! changed; the order of arrival does not matter.

use crate::ledger::{Ledger, NewFact};
use crate::{FactKind, OperationId, PaymentId, Phase};
use db::Tx;
use kernel::{Fault, Timestamp};

/// A fact about a payment.
#[derive(Debug, Clone)]
pub struct Record {
    /// When it happened.
    pub at: Timestamp,
    /// To which payment.
    pub payment: PaymentId,
    /// Our operation that it answers, if it does.
    pub operation: Option<OperationId>,
    /// What.
    pub kind: FactKind,
    /// How far.
    pub phase: Phase,
    /// Minor units of the payment's currency.
    pub amount: i64,
    /// The gateway's own reference: the same fact told twice has the same one.
    pub gateway_reference: String,
    /// Why, where it failed.
    pub detail: Option<String>,
}

/// Appends facts, drops those that are known, and folds.
///
/// # Errors
/// A fault of the database, or when a payment does not exist.
pub async fn record(tx: &Tx, facts: &[Record]) -> Result<(), Fault> {
    let mut ledger = Ledger::lock(tx, facts.iter().map(|f| f.payment)).await?;
    for f in facts {
        let fact = NewFact {
            at: f.at,
            kind: f.kind,
            phase: f.phase,
            amount: f.amount,
            reference: f.gateway_reference.clone(),
            operation: f.operation,
            detail: f.detail.clone(),
        };
        ledger.push(tx, f.payment, fact)?;
    }
    ledger.save(tx).await
}
