//! Tell what changed on a payment. Invariant: each key of the fold whose standing changed is told once, so that the events of a payment
//! sum to its amounts.

use crate::events::*;
use crate::fold::Standing;
use crate::ledger::Held;
use crate::model::{FactKind, Phase, RefundTo};
use crate::{OperationId, PaymentId, RefundId};
use db::Tx;
use kernel::{Fact, Fault, Timestamp};
use std::collections::HashMap;

/// Records the events of what changed on a payment.
pub(crate) fn tell(tx: &Tx, held: &Held, refunds: &HashMap<OperationId, RefundId>) -> Result<(), Fault> {
    let p = &held.payment;
    let (payment, order, currency) = (p.id, p.order_id, p.currency);
    if held.fresh {
        let (gateway, method, action_url) = (p.gateway.clone(), p.method.clone(), p.action_url.clone());
        let fact = PaymentOpened { payment, order, gateway, method, amount: p.amount, currency, action_url };
        tx.record(p.created_at, payment, Some(order), fact)?;
    }
    if p.action_url.is_some() && p.action_url != held.action_before {
        let url = p.action_url.clone().unwrap_or_default();
        tx.record(tx.now(), payment, Some(order), PaymentActionRequired { payment, order, url })?;
    }
    for ((kind, reference), (standing, amount)) in &held.now.standings {
        let before = held.before.standings.get(&(*kind, reference.clone())).map(|(s, _)| *s);
        if before != Some(*standing) {
            tell_one(tx, held, refunds, (*kind, reference), (before, *standing), *amount)?;
        }
    }
    if held.now.amounts.conflicted && !held.before.amounts.conflicted {
        tx.record(tx.now(), payment, Some(order), PaymentConflicted { payment, order, currency })?;
    }
    Ok(())
}

fn tell_one(
    tx: &Tx,
    held: &Held,
    refunds: &HashMap<OperationId, RefundId>,
    (kind, reference): (FactKind, &str),
    (before, now): (Option<Standing>, Standing),
    amount: i64,
) -> Result<(), Fault> {
    let p = &held.payment;
    let (payment, order, currency) = (p.id, p.order_id, p.currency);
    let (gateway, method) = (p.gateway.clone(), p.method.clone());
    let phase = match now {
        Standing::Succeeded => Phase::Succeeded,
        Standing::Failed => Phase::Failed,
        Standing::Pending | Standing::Closed => Phase::Requested,
    };
    let entry =
        held.facts.iter().rev().find(|f| f.kind == kind && f.reference == reference && f.phase == phase);
    let at = entry.map_or_else(|| tx.now(), |e| e.at);
    let operation = entry.and_then(|e| e.operation);
    let reason =
        entry.and_then(|e| e.detail.clone()).unwrap_or_else(|| "the gateway gave no reason".to_owned());
    let refund = operation.and_then(|o| refunds.get(&o).copied());
    let to = Telling { tx, at, payment, order };
    match (kind, now) {
        (FactKind::Authorise, Standing::Succeeded) => {
            to.tell(PaymentAuthorised { payment, order, amount, currency })
        }
        (FactKind::Capture, Standing::Succeeded) => {
            to.tell(PaymentCaptured { payment, order, gateway, method, amount, currency })
        }
        (FactKind::Void, Standing::Succeeded) => to.tell(PaymentVoided { payment, order, amount, currency }),
        (FactKind::Fee, Standing::Succeeded) => {
            to.tell(PaymentFeeCharged { payment, order, gateway, amount, currency })
        }
        (FactKind::Expire, Standing::Succeeded) => {
            to.tell(PaymentExpired { payment, order, amount, currency })
        }
        (FactKind::Authorise | FactKind::Capture | FactKind::Void, Standing::Failed) => {
            to.tell(PaymentFailed { payment, order, operation: kind.as_str().to_owned(), reason })
        }
        (FactKind::Refund, Standing::Succeeded) => {
            let to_where = destination(held, operation);
            to.tell(PaymentRefunded {
                payment,
                order,
                gateway,
                method,
                amount,
                currency,
                refund,
                to: to_where,
            })
        }
        (FactKind::Refund, Standing::Failed) => {
            to.tell(PaymentRefundFailed { payment, order, gateway, amount, currency, refund, reason })
        }
        (FactKind::Chargeback, Standing::Pending) => {
            to.tell(PaymentDisputed { payment, order, gateway, amount, currency })
        }
        (FactKind::Chargeback, Standing::Succeeded | Standing::Failed) => {
            if before.is_none() {
                to.tell(PaymentDisputed { payment, order, gateway: gateway.clone(), amount, currency })?;
            }
            let (won, after_loss) = (now == Standing::Failed, before == Some(Standing::Succeeded));
            to.tell(PaymentDisputeClosed { payment, order, gateway, amount, currency, won, after_loss })
        }
        _ => Ok(()),
    }
}

/// When and on what a fact is told.
struct Telling<'a> {
    tx: &'a Tx,
    at: Timestamp,
    payment: PaymentId,
    order: i64,
}

impl Telling<'_> {
    fn tell<F: Fact>(&self, fact: F) -> Result<(), Fault> {
        self.tx.record(self.at, self.payment, Some(self.order), fact)
    }
}

/// Where the refund of an operation goes: what was asked says it.
fn destination(held: &Held, operation: Option<OperationId>) -> String {
    let asked = held.facts.iter().find(|f| {
        f.kind == FactKind::Refund
            && f.phase == Phase::Requested
            && operation.is_some()
            && f.operation == operation
    });
    asked.and_then(|f| f.detail.clone()).unwrap_or_else(|| RefundTo::Tenders.as_str().to_owned())
}
