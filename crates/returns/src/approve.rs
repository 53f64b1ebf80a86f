//! Approve or decline a requested return. Invariant: it is decided once; a declined return frees its units to be asked for again.

use crate::events::{ReturnApproved, ReturnDeclined};
use crate::label::LabelApproved;
use crate::load::{self, Locked};
use crate::model::ReturnId;
use crate::policy::Policy;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp, refusals};
use std::collections::HashMap;

/// The customer may send the units.
#[derive(Debug, Clone)]
pub struct Approve {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub return_id: ReturnId,
}

/// The units shall not come back.
#[derive(Debug, Clone)]
pub struct Decline {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub return_id: ReturnId,
    /// Why, for the customer.
    pub reason: String,
}

refusals! {
    /// Why a return is neither approved nor declined.
    pub enum DecideRefused {
        Unknown { return_id: ReturnId }         => NotFound, "returns.unknown",         "There is no return {return_id}.";
        NoReason                                => Invalid,  "returns.no_reason",       "Tell the customer why the return is declined.";
        Decided { number: String, how: String } => Conflict, "returns.already_decided", "Return {number} was {how} already.";
    }
}

fn decide(locked: &mut HashMap<ReturnId, Locked>, return_id: ReturnId) -> Result<&mut Locked, DecideRefused> {
    let found = locked.get_mut(&return_id).ok_or(DecideRefused::Unknown { return_id })?;
    let how = match (found.row.declined_at, found.row.approved_at) {
        (Some(_), _) => "declined",
        (_, Some(_)) => "approved",
        _ => return Ok(found),
    };
    Err(DecideRefused::Decided { number: found.row.number.clone(), how: how.to_owned() })
}

/// Approves returns: one outcome per item, in order.
///
/// # Errors
/// A fault of the database.
pub async fn approve(tx: &Tx, batch: &[Approve]) -> Result<Vec<Result<(), DecideRefused>>, Fault> {
    let mut locked = load::lock(tx, batch.iter().map(|a| a.return_id)).await?;
    let mut rows = Rows::new("id BIGINT, at BIGINT");
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut labels = Vec::new();
    for a in batch {
        let outcome = decide(&mut locked, a.return_id);
        if let Ok(found) = outcome {
            found.row.approved_at = Some(a.at);
            rows.push([a.return_id.into(), a.at.into()]);
            labels.push((LabelApproved { return_id: a.return_id }, None));
            let order = found.row.order_id;
            tx.record(a.at, a.return_id, Some(order.0), ReturnApproved { return_id: a.return_id, order })?;
            outcomes.push(Ok(()));
        } else {
            outcomes.push(outcome.map(|_| ()));
        }
    }
    let text = "UPDATE return_request SET approved_at = input.at, version = version + 1 FROM input WHERE return_request.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    if Policy::read(tx).await?.gives_label {
        tx.enqueue(tx.now(), &labels).await?;
    }
    Ok(outcomes)
}

/// Declines returns: one outcome per item, in order.
///
/// # Errors
/// A fault of the database.
pub async fn decline(tx: &Tx, batch: &[Decline]) -> Result<Vec<Result<(), DecideRefused>>, Fault> {
    let mut locked = load::lock(tx, batch.iter().map(|d| d.return_id)).await?;
    let mut rows = Rows::new("id BIGINT, at BIGINT, reason TEXT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for d in batch {
        if d.reason.trim().is_empty() && locked.contains_key(&d.return_id) {
            outcomes.push(Err(DecideRefused::NoReason));
            continue;
        }
        match decide(&mut locked, d.return_id) {
            Ok(found) => {
                found.row.declined_at = Some(d.at);
                rows.push([d.return_id.into(), d.at.into(), d.reason.trim().into()]);
                let order = found.row.order_id;
                let fact =
                    ReturnDeclined { return_id: d.return_id, order, reason: d.reason.trim().to_owned() };
                tx.record(d.at, d.return_id, Some(order.0), fact)?;
                outcomes.push(Ok(()));
            }
            Err(refused) => outcomes.push(Err(refused)),
        }
    }
    let text = "UPDATE return_request SET declined_at = input.at, decline_reason = input.reason, version = version + 1 \
        FROM input WHERE return_request.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    let text = "UPDATE return_unit SET released = TRUE WHERE return_id IN (SELECT id FROM input)";
    tx.exec_from(&rows, text, []).await?;
    Ok(outcomes)
}
