//! Capture: take money that was set aside. Invariant: what is captured and asked to be captured never exceeds what is authorised.

use crate::ledger::{Held, Ledger};
use crate::model::{Act, internal};
use crate::{OperationId, PaymentId};
use db::Tx;
use kernel::{Fault, Timestamp, refusals};

/// Asks for a capture.
#[derive(Debug, Clone)]
pub struct Capture {
    /// When.
    pub at: Timestamp,
    /// Of which payment.
    pub payment: PaymentId,
    /// Minor units, over zero; all that can be captured when absent.
    pub amount: Option<i64>,
}

/// Asks for captures over the tenders of an order.
#[derive(Debug, Clone)]
pub struct CaptureFor {
    /// When.
    pub at: Timestamp,
    /// The order (raw id).
    pub order: i64,
    /// Minor units at most; less is captured when less is authorised.
    pub amount: i64,
}

refusals! {
    /// Why nothing is captured.
    pub enum CaptureRefused {
        Unknown { payment: PaymentId } => NotFound, "payments.unknown", "There is no payment {payment}.";
        NotPositive { amount: i64 } => Invalid, "payments.capture_not_positive", "A capture needs an amount over zero, not {amount}.";
        ByConfirm => Conflict, "payments.captured_by_confirm", "Money that arrives by hand is captured by confirming it.";
        Beyond { asked: i64, left: i64 } => Conflict, "payments.capture_beyond_authorised", "Only {left} are authorised and not captured yet, not {asked} (minor units).";
    }
}

/// How much is captured.
fn decide(held: Option<&Held>, want: &Capture) -> Result<i64, CaptureRefused> {
    let held = held.ok_or(CaptureRefused::Unknown { payment: want.payment })?;
    let left = held.amounts().capturable();
    let amount = want.amount.unwrap_or(left.max(1));
    if amount <= 0 {
        return Err(CaptureRefused::NotPositive { amount });
    }
    if held.payment.gateway == internal::MANUAL {
        return Err(CaptureRefused::ByConfirm);
    }
    if amount > left {
        return Err(CaptureRefused::Beyond { asked: amount, left });
    }
    Ok(amount)
}

/// Requests captures: one outcome per item, in order. The gateways are called after commit.
///
/// # Errors
/// A fault of the database.
pub async fn capture(tx: &Tx, batch: &[Capture]) -> Result<Vec<Result<OperationId, CaptureRefused>>, Fault> {
    let mut ledger = Ledger::lock(tx, batch.iter().map(|c| c.payment)).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(match decide(ledger.get(want.payment), want) {
            Ok(amount) => Ok(request(tx, &mut ledger, (want.at, want.payment, amount))?),
            Err(refused) => Err(refused),
        });
    }
    ledger.save(tx).await?;
    Ok(outcomes)
}

fn request(
    tx: &Tx,
    ledger: &mut Ledger,
    (at, payment, amount): (Timestamp, PaymentId, i64),
) -> Result<OperationId, Fault> {
    let operation = ledger.request(tx, at, payment, Act::Capture, amount, None)?;
    ledger.call(operation);
    Ok(operation)
}

/// Requests captures on the authorised, uncaptured tenders of orders, oldest tender first, up to an amount each. What is confirmed by
/// hand is left alone.
///
/// # Errors
/// A fault of the database.
pub async fn capture_for_orders(tx: &Tx, batch: &[CaptureFor]) -> Result<(), Fault> {
    let mut ledger = Ledger::lock_orders(tx, batch.iter().map(|c| c.order)).await?;
    for want in batch {
        let mut left = want.amount;
        let tenders: Vec<(PaymentId, i64)> = ledger
            .of_order(want.order)
            .filter(|h| h.payment.gateway != internal::MANUAL)
            .map(|h| (h.payment.id, h.amounts().capturable()))
            .collect();
        for (payment, capturable) in tenders {
            let amount = capturable.min(left);
            if amount > 0 {
                left -= amount;
                request(tx, &mut ledger, (want.at, payment, amount))?;
            }
        }
    }
    ledger.save(tx).await
}
