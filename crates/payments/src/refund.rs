//! Grant refunds. Invariants: the refunds of an order never exceed captured − refunded − pending − lost disputes, checked under the lock
//! of its payments; the parts over the tenders sum to the refund, to the cent. Granting and paying out are two facts.
//!
//! A part goes out through the gateway of its tender, or to store credit, or into the replacing order; in the latter two the captured
//! money stays with the merchant. What was paid with store credit, or with the credit of a return, goes back to store credit.

use crate::ledger::Ledger;
use crate::model::{Act, FactKind, Phase, RefundTo, internal};
use crate::{OperationId, PaymentId, RefundId, events::RefundGranted};
use customers::CreditEntry;
use db::{Rows, Tx};
use kernel::{Currency, Fault, Refuse, Timestamp, money::prorate, refusals};

/// A refund to grant.
#[derive(Debug, Clone)]
pub struct GrantRefund {
    /// When.
    pub at: Timestamp,
    /// Of which order (raw id).
    pub order: i64,
    /// For which return (raw id), where one causes it.
    pub return_id: Option<i64>,
    /// Minor units, over zero.
    pub amount: i64,
    /// Why.
    pub reason: String,
    /// Where it goes.
    pub to: RefundTo,
    /// History: the parts were paid out already, no gateway is called.
    pub recorded: bool,
}

refusals! {
    /// Why nothing is granted.
    pub enum RefundRefused {
        NotPositive { amount: i64 } => Invalid, "refunds.amount_not_positive", "A refund needs an amount over zero, not {amount}.";
        Beyond { asked: i64, left: i64 } => Conflict, "refunds.beyond_captured", "Only {left} of what this order paid can still be refunded, not {asked} (minor units).";
    }
}

/// One granted refund, before it is written.
struct Granted<'a> {
    id: RefundId,
    want: &'a GrantRefund,
    currency: Currency,
    parts: Vec<(PaymentId, OperationId, i64)>,
}

/// How much of the refund each tender pays: by what each can still give.
fn decide(ledger: &Ledger, want: &GrantRefund) -> Result<Vec<(PaymentId, i64)>, RefundRefused> {
    if want.amount <= 0 {
        return Err(RefundRefused::NotPositive { amount: want.amount });
    }
    let tenders: Vec<(PaymentId, i64)> =
        ledger.of_order(want.order).map(|h| (h.payment.id, h.amounts().refundable())).collect();
    let weights: Vec<i64> = tenders.iter().map(|(_, refundable)| *refundable).collect();
    let left = weights.iter().sum();
    if want.amount > left {
        return Err(RefundRefused::Beyond { asked: want.amount, left });
    }
    let parts = tenders.iter().map(|(id, _)| *id).zip(prorate(want.amount, &weights));
    Ok(parts.filter(|(_, part)| *part > 0).collect())
}

/// Where the part of a tender goes.
fn destination(asked: RefundTo, gateway: &str) -> RefundTo {
    match (asked, gateway) {
        (RefundTo::Tenders, internal::STORE_CREDIT | internal::EXCHANGE) => RefundTo::StoreCredit,
        (asked, _) => asked,
    }
}

/// Grants refunds: one outcome per item, in order. Gateways are called after commit.
///
/// # Errors
/// A fault of the database.
pub async fn grant_refunds(
    tx: &Tx,
    batch: &[GrantRefund],
) -> Result<Vec<Result<RefundId, RefundRefused>>, Fault> {
    let mut ledger = Ledger::lock_orders(tx, batch.iter().map(|g| g.order)).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut granted = Vec::new();
    let mut credits = Vec::new();
    for want in batch {
        outcomes.push(match decide(&ledger, want) {
            Ok(parts) => {
                let grant = pay_out(tx, &mut ledger, want, &parts, &mut credits)?;
                let id = grant.id;
                granted.push(grant);
                Ok(id)
            }
            Err(refused) => Err(refused),
        });
    }
    for grant in &granted {
        tx.record(grant.want.at, grant.id, Some(grant.want.order), event(grant))?;
    }
    save_refunds(tx, &granted).await?;
    ledger.save(tx).await?;
    save_parts(tx, &granted).await?;
    if !credits.is_empty() {
        for posted in customers::post_credit(tx, &credits).await? {
            posted.map_err(|refused| {
                Fault::broken(format!("a refund to store credit was refused: {} ({refused})", refused.code()))
            })?;
        }
    }
    Ok(outcomes)
}

fn pay_out<'a>(
    tx: &Tx,
    ledger: &mut Ledger,
    want: &'a GrantRefund,
    parts: &[(PaymentId, i64)],
    credits: &mut Vec<CreditEntry>,
) -> Result<Granted<'a>, Fault> {
    let id: RefundId = tx.id();
    let mut grant = None;
    for (payment, amount) in parts {
        let held = ledger.get_mut(*payment)?;
        let (currency, customer) = (held.payment.currency, held.payment.customer_id);
        let to = destination(want.to, &held.payment.gateway);
        let operation = ledger.request(tx, want.at, *payment, Act::Refund, *amount, Some(to.as_str()))?;
        ledger.pays_out(operation, id);
        if to != RefundTo::Tenders || want.recorded {
            ledger.end(
                tx,
                want.at,
                *payment,
                (operation, FactKind::Refund),
                Phase::Succeeded,
                *amount,
                None,
            )?;
        } else {
            ledger.call(operation);
        }
        if to == RefundTo::StoreCredit {
            credits.push(CreditEntry {
                at: want.at,
                customer,
                currency,
                amount: *amount,
                reason: if want.reason.is_empty() { "refund".to_owned() } else { want.reason.clone() },
                order: Some(want.order),
                reference: format!("refund:{}", operation.0),
            });
        }
        let grant: &mut Granted<'a> =
            grant.get_or_insert_with(|| Granted { id, want, currency, parts: Vec::new() });
        grant.parts.push((*payment, operation, *amount));
    }
    grant.ok_or_else(|| Fault::broken("a refund without parts"))
}

fn event(grant: &Granted<'_>) -> RefundGranted {
    let want = grant.want;
    RefundGranted {
        refund: grant.id,
        order: want.order,
        return_id: want.return_id,
        amount: want.amount,
        currency: grant.currency,
        reason: want.reason.clone(),
        to: want.to.as_str().to_owned(),
    }
}

async fn save_refunds(tx: &Tx, granted: &[Granted<'_>]) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, order_id BIGINT, return_id BIGINT?, currency TEXT, amount BIGINT, reason TEXT, granted_at BIGINT, granted_by TEXT",
    );
    for grant in granted {
        let want = grant.want;
        rows.push([
            grant.id.into(),
            want.order.into(),
            want.return_id.into(),
            grant.currency.into(),
            want.amount.into(),
            want.reason.as_str().into(),
            want.at.into(),
            tx.actor().as_str().into(),
        ]);
    }
    tx.insert("refund", &rows).await.map(|_| ())
}

async fn save_parts(tx: &Tx, granted: &[Granted<'_>]) -> Result<(), Fault> {
    let mut rows = Rows::new("refund_id BIGINT, payment_id BIGINT, operation_id BIGINT, amount BIGINT");
    for grant in granted {
        for (payment, operation, amount) in &grant.parts {
            rows.push([grant.id.into(), (*payment).into(), (*operation).into(), (*amount).into()]);
        }
    }
    tx.insert("refund_part", &rows).await.map(|_| ())
}
