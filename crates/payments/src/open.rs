//! Open payments: put tenders on orders. Invariants: a tender from store credit takes the credit in the same transaction or is refused;
//! everything else is only asked for here, and the gateway is called after commit.

use crate::ledger::{CAPTURE_AT_ONCE, Ledger, NewFact};
use crate::model::{Act, FactKind, Payment, Phase, internal};
use crate::{OperationId, PaymentId};
use customers::{CreditEntry, CustomerId};
use db::Tx;
use kernel::{Currency, Fault, Timestamp, refusals};

/// A tender to put on an order.
#[derive(Debug, Clone)]
pub struct Open {
    /// When.
    pub at: Timestamp,
    /// The order (raw id).
    pub order: i64,
    /// Who pays.
    pub customer: CustomerId,
    /// Code of a gateway, or `store_credit`, `exchange`, `manual`.
    pub gateway: String,
    /// The gateway's method; for `manual`: `cod` or `bank_transfer`.
    pub method: String,
    /// What the shop got from the gateway's form.
    pub token: Option<String>,
    /// The gateway's own reference of the payment, when it exists there already.
    pub reference: Option<String>,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units, over zero.
    pub amount: i64,
    /// Capture as soon as it is authorised.
    pub capture: bool,
    /// The whole amount was taken then, before it came to us.
    pub paid_at: Option<Timestamp>,
}

/// A tender of history: facts without a gateway.
#[derive(Debug, Clone)]
pub struct OpenRecorded {
    /// When it was opened.
    pub at: Timestamp,
    /// The order (raw id).
    pub order: i64,
    /// Who paid.
    pub customer: CustomerId,
    /// Code of the gateway it went through.
    pub gateway: String,
    /// The gateway's method.
    pub method: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units, zero or more.
    pub amount: i64,
    /// The source's own reference.
    pub reference: Option<String>,
    /// When the whole amount was captured, if it was.
    pub captured_at: Option<Timestamp>,
    /// When the whole amount was authorised, if it was.
    pub authorised_at: Option<Timestamp>,
}

refusals! {
    /// Why a tender is not taken.
    pub enum OpenRefused {
        NoGateway => Invalid, "payments.no_gateway", "A payment names its gateway and its method.";
        UnknownManualMethod { method: String } => Invalid, "payments.unknown_manual_method", "A manual payment is cod or bank_transfer, not “{method}”.";
        PaidByCredit => Invalid, "payments.paid_by_credit", "Store credit is taken here and cannot have been paid elsewhere; leave out paid_at.";
        NotPositive { amount: i64 } => Invalid, "payments.amount_not_positive", "A payment needs an amount over zero, not {amount}.";
        NoCredit { why: String } => Conflict, "payments.no_store_credit", "The store credit does not pay this: {why}";
    }
}

/// Whether a tender can be taken at all; whether its credit suffices is only known when it is taken. Pure.
pub fn acceptable(
    gateway: &str,
    method: &str,
    amount: i64,
    paid_at: Option<Timestamp>,
) -> Result<(), OpenRefused> {
    if gateway.is_empty() || method.is_empty() {
        return Err(OpenRefused::NoGateway);
    }
    if gateway == internal::MANUAL && method != internal::COD && method != internal::BANK_TRANSFER {
        return Err(OpenRefused::UnknownManualMethod { method: method.to_owned() });
    }
    if paid_at.is_some() && gateway == internal::STORE_CREDIT {
        return Err(OpenRefused::PaidByCredit);
    }
    if amount <= 0 {
        return Err(OpenRefused::NotPositive { amount });
    }
    Ok(())
}

/// Puts tenders on orders: one outcome per item, in order.
///
/// # Errors
/// A fault of the database.
pub async fn open(tx: &Tx, batch: &[Open]) -> Result<Vec<Result<PaymentId, OpenRefused>>, Fault> {
    let mut outcomes: Vec<Result<PaymentId, OpenRefused>> = batch
        .iter()
        .map(|w| acceptable(&w.gateway, &w.method, w.amount, w.paid_at).map(|()| tx.id()))
        .collect();
    debit(tx, batch, &mut outcomes).await?;
    let mut ledger = Ledger::default();
    for (want, outcome) in batch.iter().zip(&outcomes) {
        if let Ok(id) = outcome {
            ledger.create(payment(*id, want));
            ask(tx, &mut ledger, *id, want)?;
        }
    }
    ledger.save(tx).await?;
    Ok(outcomes)
}

/// Takes store credit for the tenders that are paid with it; those it does not suffice for become refusals.
async fn debit(
    tx: &Tx,
    batch: &[Open],
    outcomes: &mut [Result<PaymentId, OpenRefused>],
) -> Result<(), Fault> {
    let (mut entries, mut places) = (Vec::new(), Vec::new());
    for (n, (want, outcome)) in batch.iter().zip(outcomes.iter()).enumerate() {
        if let Ok(id) = outcome
            && want.gateway == internal::STORE_CREDIT
        {
            places.push(n);
            entries.push(CreditEntry {
                at: want.at,
                customer: want.customer,
                currency: want.currency,
                amount: -want.amount,
                reason: "paid an order".to_owned(),
                order: Some(want.order),
                reference: format!("payment:{}", id.0),
            });
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    for (n, posted) in places.into_iter().zip(customers::post_credit(tx, &entries).await?) {
        if let Err(refused) = posted {
            outcomes[n] = Err(OpenRefused::NoCredit { why: refused.to_string() });
        }
    }
    Ok(())
}

fn ask(tx: &Tx, ledger: &mut Ledger, id: PaymentId, want: &Open) -> Result<(), Fault> {
    let at_once = |ledger: &mut Ledger, act: Act| -> Result<(), Fault> {
        let operation: OperationId = ledger.request(tx, want.at, id, act, want.amount, None)?;
        ledger.end(tx, want.at, id, (operation, act.fact()), Phase::Succeeded, want.amount, None)
    };
    if let Some(at) = want.paid_at {
        let taken = NewFact {
            at,
            kind: FactKind::Capture,
            phase: Phase::Succeeded,
            amount: want.amount,
            reference: reference_of(id, want),
            operation: None,
            detail: None,
        };
        return ledger.push(tx, id, taken);
    }
    match want.gateway.as_str() {
        internal::STORE_CREDIT | internal::EXCHANGE => at_once(ledger, Act::Capture),
        internal::MANUAL if want.method == internal::COD => at_once(ledger, Act::Authorise),
        // Nobody is asked for a bank transfer: it is confirmed when it arrives.
        internal::MANUAL => Ok(()),
        _ => {
            let detail = want.capture.then_some(CAPTURE_AT_ONCE);
            let operation = ledger.request(tx, want.at, id, Act::Authorise, want.amount, detail)?;
            ledger.call(operation);
            Ok(())
        }
    }
}

/// What a fact that came without an operation of ours is known by.
fn reference_of(id: PaymentId, want: &Open) -> String {
    want.reference.clone().unwrap_or_else(|| id.to_string())
}

fn payment(id: PaymentId, want: &Open) -> Payment {
    Payment {
        id,
        order_id: want.order,
        customer_id: want.customer,
        gateway: want.gateway.clone(),
        method: want.method.clone(),
        token: want.token.clone(),
        reference: want.reference.clone(),
        currency: want.currency,
        amount: want.amount,
        authorised: 0,
        captured: 0,
        voided: 0,
        refunded: 0,
        capture_pending: 0,
        refund_pending: 0,
        disputed: 0,
        dispute_lost: 0,
        fees: 0,
        action_url: None,
        failed: false,
        expired: false,
        conflicted: false,
        created_at: want.at,
        expires_at: None,
        status: String::new(),
    }
}

/// Records tenders of history, without asking a gateway: what was authorised and captured is a fact already.
///
/// # Errors
/// A fault of the database, or of a negative amount: history is checked before it comes here.
pub async fn open_recorded(tx: &Tx, batch: &[OpenRecorded]) -> Result<Vec<PaymentId>, Fault> {
    let mut ledger = Ledger::default();
    let mut ids = Vec::with_capacity(batch.len());
    for past in batch {
        let id: PaymentId = tx.id();
        ids.push(id);
        let want = Open {
            at: past.at,
            order: past.order,
            customer: past.customer,
            gateway: past.gateway.clone(),
            method: past.method.clone(),
            token: None,
            reference: past.reference.clone(),
            currency: past.currency,
            amount: past.amount,
            capture: false,
            paid_at: None,
        };
        ledger.create(payment(id, &want));
        let reference = reference_of(id, &want);
        for (kind, at) in [(FactKind::Authorise, past.authorised_at), (FactKind::Capture, past.captured_at)] {
            let Some(at) = at else { continue };
            let reference = reference.clone();
            let fact = NewFact {
                at,
                kind,
                phase: Phase::Succeeded,
                amount: past.amount,
                reference,
                operation: None,
                detail: None,
            };
            ledger.push(tx, id, fact)?;
        }
    }
    ledger.save(tx).await?;
    Ok(ids)
}
