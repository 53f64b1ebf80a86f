//! Ask somebody else to fulfil: request → accept | reject.
//!
//! Invariants: an answer follows a request; a rejected fulfilment order gives back everything that was not picked, and those units are
//! sourced at other locations.

use crate::events::{FulfilmentAccepted, FulfilmentRejected, FulfilmentRequested, Units};
use crate::floor::Floor;
use crate::model::{Executor, Fulfilment, FulfilmentId, Request, Status};
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use orders::Resource;

/// Asks for fulfilment.
#[derive(Debug, Clone)]
pub struct Ask {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub fulfilment: FulfilmentId,
}

/// They do it.
#[derive(Debug, Clone)]
pub struct Accept {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub fulfilment: FulfilmentId,
}

/// They do not.
#[derive(Debug, Clone)]
pub struct Reject {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub fulfilment: FulfilmentId,
    /// Why, in their words.
    pub reason: String,
}

kernel::refusals! {
    /// Why asking, accepting or rejecting is not possible.
    pub enum AskRefused {
        UnknownFulfilment { fulfilment: FulfilmentId } => NotFound, "warehouse.unknown_fulfilment", "There is no fulfilment order {fulfilment}.";
        Ours { number: String } => Conflict, "warehouse.ours", "{number} is ours to fulfil: release it instead.";
        NoReason => Invalid, "warehouse.no_reason", "Say why, in a few words.";
        Over { number: String } => Conflict, "warehouse.over", "{number} is cancelled or has been shipped: nothing of it is left to do.";
        OnHold { number: String } => Conflict, "warehouse.on_hold", "The order of {number} is on hold: release its holds first.";
        NotRequested { number: String } => Conflict, "warehouse.not_requested", "{number} was not requested from anyone.";
        Answered { number: String, answer: String } => Conflict, "warehouse.answered", "{number} was {answer} already.";
        Begun { number: String } => Conflict, "warehouse.begun", "Units of {number} are picked: it cannot be rejected any more.";
    }
}

/// What is to become of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Ask,
    Accept,
    Reject,
}

/// The request's next state, or `None` when it is there already.
fn decide_turn(f: &Fulfilment, turn: Turn) -> Result<Option<Request>, AskRefused> {
    let number = || f.number.clone();
    let answered = || AskRefused::Answered { number: number(), answer: f.request.to_string() };
    if f.executor == Executor::Own {
        return Err(AskRefused::Ours { number: number() });
    }
    match (turn, f.request) {
        (Turn::Ask, Request::Requested)
        | (Turn::Accept, Request::Accepted)
        | (Turn::Reject, Request::Rejected) => {
            return Ok(None);
        }
        (_, Request::Rejected) | (Turn::Ask, Request::Accepted) => return Err(answered()),
        _ => {}
    }
    if matches!(f.status, Status::Closed | Status::Cancelled) {
        return Err(AskRefused::Over { number: number() });
    }
    // A hold stops what we start. What they decide is a fact, whatever holds there are.
    if turn == Turn::Ask && f.on_hold {
        return Err(AskRefused::OnHold { number: number() });
    }
    if turn != Turn::Ask && f.request == Request::None {
        return Err(AskRefused::NotRequested { number: number() });
    }
    if turn == Turn::Reject && f.picked > 0 {
        return Err(AskRefused::Begun { number: number() });
    }
    Ok(Some(match turn {
        Turn::Ask => Request::Requested,
        Turn::Accept => Request::Accepted,
        Turn::Reject => Request::Rejected,
    }))
}

/// A turn of one fulfilment order.
struct Item<'a> {
    at: Timestamp,
    fulfilment: FulfilmentId,
    reason: Option<&'a str>,
}

/// Takes the turn for each; gives the outcomes and what changed.
async fn turn(
    tx: &Tx,
    turn: Turn,
    batch: &[Item<'_>],
) -> Result<(Vec<Result<(), AskRefused>>, Vec<(Timestamp, Fulfilment)>), Fault> {
    let mut floor = Floor::lock(tx, batch.iter().map(|i| i.fulfilment)).await?;
    let (mut outcomes, mut changed) = (Vec::with_capacity(batch.len()), Vec::new());
    let mut rows = Rows::new("id BIGINT, request TEXT, reason TEXT?");
    for item in batch {
        let Some(f) = floor.fulfilments.get_mut(&item.fulfilment) else {
            outcomes.push(Err(AskRefused::UnknownFulfilment { fulfilment: item.fulfilment }));
            continue;
        };
        if item.reason.is_some_and(|r| r.trim().is_empty()) {
            outcomes.push(Err(AskRefused::NoReason));
            continue;
        }
        outcomes.push(decide_turn(f, turn).map(|next| {
            if let Some(next) = next {
                f.request = next;
                f.request_reason = item.reason.map(str::to_owned);
                rows.push([f.id.into(), next.as_str().into(), f.request_reason.clone().into()]);
                changed.push((item.at, f.clone()));
            }
        }));
    }
    let text = "UPDATE fulfilment_order AS f SET request = input.request, request_reason = input.reason, version = f.version + 1 FROM input WHERE f.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok((outcomes, changed))
}

/// Asks those who fulfil; one outcome each, in order. Asking again changes nothing.
///
/// # Errors
/// A fault of the database.
pub async fn request(tx: &Tx, batch: &[Ask]) -> Result<Vec<Result<(), AskRefused>>, Fault> {
    let items: Vec<Item> =
        batch.iter().map(|a| Item { at: a.at, fulfilment: a.fulfilment, reason: None }).collect();
    let (outcomes, changed) = turn(tx, Turn::Ask, &items).await?;
    for (at, f) in changed {
        let fact = FulfilmentRequested {
            fulfilment: f.id,
            order: f.order,
            location: f.location,
            executor: f.executor,
        };
        tx.record(at, f.id, Some(f.order.0), fact)?;
    }
    Ok(outcomes)
}

/// Notes that they do it; one outcome each, in order. From then on it may be packed: that they pick is implied.
///
/// # Errors
/// A fault of the database.
pub async fn accept(tx: &Tx, batch: &[Accept]) -> Result<Vec<Result<(), AskRefused>>, Fault> {
    let items: Vec<Item> =
        batch.iter().map(|a| Item { at: a.at, fulfilment: a.fulfilment, reason: None }).collect();
    let (outcomes, changed) = turn(tx, Turn::Accept, &items).await?;
    for (at, f) in changed {
        let fact = FulfilmentAccepted { fulfilment: f.id, order: f.order, location: f.location };
        tx.record(at, f.id, Some(f.order.0), fact)?;
    }
    Ok(outcomes)
}

/// Notes that they do not, and sources the units elsewhere; one outcome each, in order.
///
/// A supplier who rejects says that the units are not there: they leave the stock we believed him to have, so that neither these nor
/// other units are promised from it. Stock at a logistics company is ours and stays.
///
/// # Errors
/// A fault of the database.
pub async fn reject(tx: &Tx, batch: &[Reject]) -> Result<Vec<Result<(), AskRefused>>, Fault> {
    let items: Vec<Item> =
        batch.iter().map(|r| Item { at: r.at, fulfilment: r.fulfilment, reason: Some(&r.reason) }).collect();
    let (outcomes, changed) = turn(tx, Turn::Reject, &items).await?;
    let mut elsewhere = Vec::new();
    for (at, f) in changed {
        let reason = f.request_reason.clone().unwrap_or_default();
        let open = || f.lines.iter().filter(|l| l.open() > 0);
        elsewhere.extend(open().map(|l| Resource {
            at,
            line: l.line,
            location: f.location,
            quantity: l.open(),
            write_off: f.executor == Executor::Dropship,
            reason: format!("{} rejected: {reason}", f.number),
        }));
        let lines = open().map(|l| Units { line: l.line, quantity: l.open() }).collect();
        let fact =
            FulfilmentRejected { fulfilment: f.id, order: f.order, location: f.location, reason, lines };
        tx.record(at, f.id, Some(f.order.0), fact)?;
    }
    if !elsewhere.is_empty() {
        orders::resource(tx, &elsewhere).await?;
    }
    Ok(outcomes)
}
