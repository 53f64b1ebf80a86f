//! What the API shows of payments and refunds. Amounts are minor units of `currency`.

use crate::fold::{Entry, Standing, fold};
use crate::model::{Act, FactKind, Operation, Payment, State};
use crate::{OperationId, PaymentId, RefundId, read};
use db::Sql;
use kernel::{Currency, Fault, Timestamp};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

kernel::id!(OrderRef, "ord", "An order, which a slice below keeps.");

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentView {
    /// Its id.
    pub id: PaymentId,
    /// The order it pays.
    pub order: OrderRef,
    /// Code of the gateway.
    pub gateway: String,
    /// The gateway's method.
    pub method: String,
    /// The gateway's own reference.
    pub reference: Option<String>,
    /// pending, requires_action, authorised, partially_captured, captured, voided, expired, failed or conflicted.
    pub status: String,
    /// ISO 4217.
    pub currency: Currency,
    /// What it is to bring.
    pub amount: i64,
    /// Set aside in all.
    pub authorised: i64,
    /// Taken in all.
    pub captured: i64,
    /// Asked to be taken, no answer yet.
    pub capture_pending: i64,
    /// Could still be captured.
    pub capturable: i64,
    /// Let go.
    pub voided: i64,
    /// Given back.
    pub refunded: i64,
    /// Asked to be given back, no answer yet.
    pub refund_pending: i64,
    /// Could still be refunded.
    pub refundable: i64,
    /// In open disputes.
    pub disputed: i64,
    /// In lost disputes.
    pub dispute_lost: i64,
    /// What the gateway charged us.
    pub fees: i64,
    /// Where the customer has to go.
    pub action_url: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
}

impl PaymentView {
    /// What is shown of a stored payment.
    pub(crate) fn of(p: &Payment) -> Self {
        Self {
            id: p.id,
            order: OrderRef(p.order_id),
            gateway: p.gateway.clone(),
            method: p.method.clone(),
            reference: p.reference.clone(),
            status: p.status.clone(),
            currency: p.currency,
            amount: p.amount,
            authorised: p.authorised,
            captured: p.captured,
            capture_pending: p.capture_pending,
            capturable: p.capturable(),
            voided: p.voided,
            refunded: p.refunded,
            refund_pending: p.refund_pending,
            refundable: p.refundable(),
            disputed: p.disputed,
            dispute_lost: p.dispute_lost,
            fees: p.fees,
            action_url: p.action_url.clone(),
            created_at: p.created_at,
        }
    }
}

/// Something that was asked of a gateway.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationView {
    id: OperationId,
    kind: Act,
    amount: i64,
    state: State,
    requested_at: Timestamp,
    answered_at: Option<Timestamp>,
    attempts: i64,
    /// Why it failed or is not known.
    problem: Option<String>,
}

impl OperationView {
    fn of(o: Operation) -> Self {
        Self {
            id: o.id,
            kind: o.kind,
            amount: o.amount,
            state: o.state,
            requested_at: o.requested_at,
            answered_at: o.answered_at,
            attempts: o.attempts,
            problem: o.problem,
        }
    }
}

/// A dispute.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DisputeView {
    /// The gateway's own reference.
    reference: String,
    /// opened, lost or won.
    status: &'static str,
    amount: i64,
}

/// A payment with what was asked of its gateway, and its disputes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentDetail {
    #[serde(flatten)]
    payment: PaymentView,
    operations: Vec<OperationView>,
    disputes: Vec<DisputeView>,
}

/// One payment with everything about it.
pub(crate) async fn detail(sql: &Sql, id: PaymentId) -> Result<Option<PaymentDetail>, Fault> {
    Ok(details(sql, &[id]).await?.remove(&id))
}

/// Payments with everything about them; unknown ids are left out.
pub(crate) async fn details(
    sql: &Sql,
    ids: &[PaymentId],
) -> Result<HashMap<PaymentId, PaymentDetail>, Fault> {
    let payments = read::payments_by_id(sql, ids.iter().copied()).await?;
    let mut operations = read::operations_of(sql, ids).await?;
    let mut facts = read::facts_of(sql, ids).await?;
    let each = payments.into_iter().map(|(id, payment)| {
        let facts = facts.remove(&id).unwrap_or_default();
        let operations = operations.remove(&id).unwrap_or_default();
        let detail = PaymentDetail {
            operations: operations.into_iter().map(OperationView::of).collect(),
            disputes: disputes(payment.amount, &facts),
            payment: PaymentView::of(&payment),
        };
        (id, detail)
    });
    Ok(each.collect())
}

fn disputes(amount: i64, facts: &[Entry]) -> Vec<DisputeView> {
    let standings = fold(amount, facts).standings;
    let disputes = standings.into_iter().filter(|((kind, _), _)| *kind == FactKind::Chargeback);
    disputes
        .map(|((_, reference), (standing, amount))| {
            let status = match standing {
                Standing::Succeeded => "lost",
                Standing::Failed => "won",
                Standing::Pending | Standing::Closed => "opened",
            };
            DisputeView { reference, status, amount }
        })
        .collect()
}

/// A granted refund.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefundView {
    /// Its id.
    pub id: RefundId,
    /// Of which order.
    pub order: OrderRef,
    /// ISO 4217.
    pub currency: Currency,
    /// Granted.
    pub amount: i64,
    /// Paid out so far.
    pub paid: i64,
    /// Why.
    pub reason: String,
    /// When.
    pub granted_at: Timestamp,
    /// By whom.
    pub granted_by: String,
    /// Over which tenders.
    pub parts: Vec<RefundPartView>,
}

/// The part of a refund that one tender pays out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefundPartView {
    pub payment: PaymentId,
    pub amount: i64,
    pub state: State,
    /// Why it failed or is not known.
    pub problem: Option<String>,
}

/// The refunds of an order.
pub(crate) async fn refunds(sql: &Sql, order: OrderRef) -> Result<Vec<RefundView>, Fault> {
    let refunds = read::refunds_of(sql, &[order.0]).await?.remove(&order.0).unwrap_or_default();
    Ok(refunds
        .into_iter()
        .map(|(r, parts)| RefundView {
            id: r.id,
            order: OrderRef(r.order_id),
            currency: r.currency,
            amount: r.amount,
            paid: parts.iter().filter(|p| p.state == State::Succeeded).map(|p| p.amount).sum(),
            reason: r.reason,
            granted_at: r.granted_at,
            granted_by: r.granted_by,
            parts: parts
                .into_iter()
                .map(|p| RefundPartView {
                    payment: p.payment_id,
                    amount: p.amount,
                    state: p.state,
                    problem: p.problem,
                })
                .collect(),
        })
        .collect())
}
