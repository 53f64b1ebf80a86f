//! Review an order that was held for its risk: approve it and it goes on, reject it and it is cancelled, its stock free, its money back.

use crate::buckets::lock_orders;
use crate::cancel::{Cancel, CancelRefused, cancel};
use crate::hold::{ReleaseHold, release_hold};
use crate::model::{HoldKind, OrderId};
use db::{FromRow, Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::BTreeSet;

/// A reviewer's decision.
#[derive(Debug, Clone)]
pub struct Review {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// Good, or not.
    pub approve: bool,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why a review was not taken.
    pub enum ReviewRefused {
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
        NotInReview => Conflict, "orders.not_in_review", "This order does not wait for a review.";
        TooLate => Conflict, "orders.review_too_late", "Nothing of this order can be cancelled any more.";
    }
}

/// Takes decisions on orders held for review.
///
/// What is rejected is cancelled while it is still held: taking the hold away lets an order go on, and would deliver its services. What
/// cannot be cancelled any more stays held.
///
/// # Errors
/// A fault when the machine could not.
pub async fn review(tx: &Tx, batch: &[Review]) -> Result<Vec<Result<(), ReviewRefused>>, Fault> {
    let ids: Vec<OrderId> = batch.iter().map(|r| r.order).collect();
    let headers = lock_orders(tx, &ids).await?;
    let mut waiting = in_review(tx, &ids).await?;
    let mut outcomes: Vec<Result<(), ReviewRefused>> = batch
        .iter()
        .map(|want| match (headers.contains_key(&want.order), waiting.remove(&want.order)) {
            (false, _) => Err(ReviewRefused::NoOrder { order: want.order }),
            (true, false) => Err(ReviewRefused::NotInReview),
            (true, true) => Ok(()),
        })
        .collect();
    let rejected: Vec<usize> =
        (0..batch.len()).filter(|i| outcomes[*i].is_ok() && !batch[*i].approve).collect();
    let cancels: Vec<Cancel> = rejected
        .iter()
        .map(|i| &batch[*i])
        .map(|r| Cancel {
            at: r.at,
            order: r.order,
            lines: Vec::new(),
            reason: r.reason.clone(),
            refund: true,
        })
        .collect();
    for (i, cancelled) in rejected.iter().zip(cancel(tx, &cancels).await?) {
        match cancelled {
            Ok(_) => {}
            Err(CancelRefused::NoOrder { order }) => outcomes[*i] = Err(ReviewRefused::NoOrder { order }),
            Err(_) => outcomes[*i] = Err(ReviewRefused::TooLate),
        }
    }
    let taken: Vec<&Review> =
        batch.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(r, _)| r).collect();
    let releases: Vec<ReleaseHold> = taken
        .iter()
        .map(|r| ReleaseHold { at: r.at, order: r.order, kind: HoldKind::RiskReview, by: r.by.clone() })
        .collect();
    for released in release_hold(tx, &releases).await? {
        released.map_err(|why| Fault::broken(format!("a hold that was there is gone: {why}")))?;
    }
    let verdicts: Vec<risk::Verdict> = taken
        .iter()
        .map(|r| risk::Verdict {
            order: r.order.0,
            at: r.at,
            approved: r.approve,
            by: r.by.clone(),
            reason: r.reason.clone(),
        })
        .collect();
    risk::judge(tx, &verdicts).await?;
    Ok(outcomes)
}

/// Those of these orders, whose rows are locked, that wait for a review.
async fn in_review(tx: &Tx, orders: &[OrderId]) -> Result<BTreeSet<OrderId>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for order in orders.iter().copied().collect::<BTreeSet<_>>() {
        input.push([order.into()]);
    }
    let text = "SELECT h.order_id AS id FROM order_hold h JOIN input ON input.id = h.order_id WHERE h.kind = 'risk_review'";
    let held: Vec<Held> = tx.all_from(&input, text, []).await?;
    Ok(held.into_iter().map(|h| h.id).collect())
}

#[derive(FromRow)]
struct Held {
    id: OrderId,
}
