//! Review an order that was held for its risk: approve it and it goes on, reject it and it is cancelled, its stock free, its money back.

use crate::cancel::{Cancel, CancelRefused, cancel};
use crate::hold::{HoldRefused, ReleaseHold, release_hold};
use crate::model::{HoldKind, OrderId};
use db::Tx;
use kernel::{Actor, Fault, Timestamp, refusals};

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
/// # Errors
/// A fault when the machine could not.
pub async fn review(tx: &Tx, batch: &[Review]) -> Result<Vec<Result<(), ReviewRefused>>, Fault> {
    let releases: Vec<ReleaseHold> = batch
        .iter()
        .map(|r| ReleaseHold { at: r.at, order: r.order, kind: HoldKind::RiskReview, by: r.by.clone() })
        .collect();
    let mut outcomes: Vec<Result<(), ReviewRefused>> = release_hold(tx, &releases)
        .await?
        .into_iter()
        .zip(batch)
        .map(|(released, want)| {
            released.map_err(|why| match why {
                HoldRefused::NoOrder { .. } => ReviewRefused::NoOrder { order: want.order },
                HoldRefused::Done | HoldRefused::NotHeld { .. } => ReviewRefused::NotInReview,
            })
        })
        .collect();
    let taken = |outcomes: &[Result<(), ReviewRefused>]| -> Vec<usize> {
        (0..batch.len()).filter(|i| outcomes[*i].is_ok()).collect()
    };
    let rejected: Vec<usize> = taken(&outcomes).into_iter().filter(|i| !batch[*i].approve).collect();
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
    let verdicts: Vec<risk::Verdict> = taken(&outcomes)
        .into_iter()
        .map(|i| &batch[i])
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
