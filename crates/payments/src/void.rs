//! Void: let go what was set aside. Invariants: nothing that is being captured is voided; a void asked for while the authorisation has no
//! answer waits for it, and goes before a capture at once.

use crate::PaymentId;
use crate::ledger::{Held, Ledger, NewFact};
use crate::model::{Act, FactKind, Phase, internal};
use db::Tx;
use kernel::{Fault, Timestamp, refusals};

/// Asks for a void of all that is authorised and not captured.
#[derive(Debug, Clone)]
pub struct Void {
    /// When.
    pub at: Timestamp,
    /// Of which payment.
    pub payment: PaymentId,
}

refusals! {
    /// Why nothing is voided.
    pub enum VoidRefused {
        Unknown { payment: PaymentId } => NotFound, "payments.unknown", "There is no payment {payment}.";
        CapturePending => Conflict, "payments.capture_pending", "A capture of this payment has no answer yet: void what is left when it has.";
        Nothing => Conflict, "payments.nothing_to_void", "Nothing of this payment is authorised and uncaptured.";
    }
}

/// What a void means for a payment as it stands.
enum Way {
    /// Ask the gateway.
    Call(i64),
    /// Wait for the authorisation's answer.
    Later(i64),
    /// Nobody is waited for any more.
    StopWaiting(i64),
}

fn decide(held: Option<&Held>, payment: PaymentId) -> Result<Way, VoidRefused> {
    let held = held.ok_or(VoidRefused::Unknown { payment })?;
    let a = held.amounts();
    if a.capture_pending > 0 {
        return Err(VoidRefused::CapturePending);
    }
    if a.void_pending > 0 {
        return Err(VoidRefused::Nothing);
    }
    if a.authorise_pending {
        return Ok(Way::Later(held.payment.amount));
    }
    if held.payment.gateway == internal::MANUAL
        && a.authorised == 0
        && !a.expired
        && a.captured < held.payment.amount
    {
        return Ok(Way::StopWaiting(held.payment.amount - a.captured));
    }
    match a.capturable() {
        0 => Err(VoidRefused::Nothing),
        amount => Ok(Way::Call(amount)),
    }
}

fn apply(tx: &Tx, ledger: &mut Ledger, at: Timestamp, payment: PaymentId, way: &Way) -> Result<(), Fault> {
    match way {
        Way::Call(amount) => {
            let operation = ledger.request(tx, at, payment, Act::Void, *amount, None)?;
            ledger.call(operation);
            Ok(())
        }
        Way::Later(amount) => ledger.request(tx, at, payment, Act::Void, *amount, None).map(|_| ()),
        Way::StopWaiting(amount) => {
            let reference = format!("void:{payment}");
            let (kind, phase) = (FactKind::Expire, Phase::Succeeded);
            ledger.push(
                tx,
                payment,
                NewFact { at, kind, phase, amount: *amount, reference, operation: None, detail: None },
            )
        }
    }
}

/// Requests voids: one outcome per item, in order. The gateways are called after commit.
///
/// # Errors
/// A fault of the database.
pub async fn void(tx: &Tx, batch: &[Void]) -> Result<Vec<Result<(), VoidRefused>>, Fault> {
    let mut ledger = Ledger::lock(tx, batch.iter().map(|v| v.payment)).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(match decide(ledger.get(want.payment), want.payment) {
            Ok(way) => {
                apply(tx, &mut ledger, want.at, want.payment, &way)?;
                Ok(())
            }
            Err(refused) => Err(refused),
        });
    }
    ledger.save(tx).await?;
    Ok(outcomes)
}

/// Requests voids of every authorised, uncaptured tender of orders; what cannot be voided is left alone.
///
/// # Errors
/// A fault of the database.
pub async fn void_for_orders(tx: &Tx, at: Timestamp, orders: &[i64]) -> Result<(), Fault> {
    let mut ledger = Ledger::lock_orders(tx, orders.iter().copied()).await?;
    for order in orders {
        let ids: Vec<PaymentId> = ledger.of_order(*order).map(|h| h.payment.id).collect();
        for id in ids {
            if let Ok(way) = decide(ledger.get(id), id) {
                apply(tx, &mut ledger, at, id, &way)?;
            }
        }
    }
    ledger.save(tx).await
}
