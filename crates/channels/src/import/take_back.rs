//! Returns of history: asked for, approved, received, accepted, back on the shelf and refunded, all at one time. Invariant: it is the
//! life of every return, command by command, so whatever holds for returns holds for these.

use std::collections::HashMap;

use db::Tx;
use inventory::LocationId;
use kernel::{Actor, Fault, Timestamp};
use orders::{LineId, OrderId};
use returns::{
    Acceptance, Approve, Disposition, Inspect, Reason, Receive, Reception, RequestReturn, Requested,
    Resolution, ReturnUnitId, ReturnWish, Settle,
};

use super::drive::broken;
use super::summary::Counts;

/// Units of one order that came back.
#[derive(Debug, Clone)]
pub(super) struct TakeBack {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// Line, units, and where they lie again.
    pub lines: Vec<(LineId, i64, LocationId)>,
    /// Whether shipping and fees go back too.
    pub shipping: bool,
    /// For people.
    pub note: String,
}

/// Takes units back and refunds them; per item what was credited, in minor units, or why it could not be.
pub(super) async fn take_back(
    tx: &Tx,
    by: &Actor,
    batch: &[TakeBack],
    counts: &mut Counts,
) -> Result<Vec<Result<i64, String>>, Fault> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<RequestReturn> = batch.iter().map(ask).collect();
    let requested = returns::request(tx, &asked).await?;
    let taken = |i: usize| requested[i].as_ref().ok().map(|r| (&batch[i], r));
    let live: Vec<(&TakeBack, &Requested)> = (0..batch.len()).filter_map(taken).collect();
    let waiting: Vec<Approve> = live
        .iter()
        .filter(|(_, r)| !r.approved)
        .map(|(b, r)| Approve { at: b.at, return_id: r.id })
        .collect();
    for outcome in returns::approve(tx, &waiting).await? {
        outcome.map_err(|refused| broken("approve a return of history", &refused))?;
    }
    let arrived: Vec<Receive> = live.iter().flat_map(|(back, requested)| arrivals(back, requested)).collect();
    for (want, outcome) in arrived.iter().zip(returns::receive(tx, &arrived).await?) {
        outcome.map_err(|refused| broken("receive a return of history", &refused))?;
        counts.units_returned += i64::try_from(want.units.len())?;
    }
    let inspections: Vec<Inspect> = live.iter().map(|(back, requested)| accept(back, requested)).collect();
    let mut credits = HashMap::with_capacity(live.len());
    for ((_, requested), outcome) in live.iter().zip(returns::inspect(tx, &inspections).await?) {
        let inspected = outcome.map_err(|refused| broken("accept a return of history", &refused))?;
        credits.insert(requested.id, inspected.credit);
    }
    let settlements: Vec<Settle> = live.iter().map(|(back, requested)| settle(by, back, requested)).collect();
    for outcome in returns::settle(tx, &settlements).await? {
        let settled = outcome.map_err(|refused| broken("settle a return of history", &refused))?;
        counts.returns += 1;
        counts.refunded += settled.refunded;
    }
    let credit = |outcome: Result<Requested, returns::RequestRefused>| match outcome {
        Ok(requested) => Ok(credits.get(&requested.id).copied().unwrap_or_default()),
        Err(refused) => Err(refused.to_string()),
    };
    Ok(requested.into_iter().map(credit).collect())
}

fn ask(back: &TakeBack) -> RequestReturn {
    let wish = |(line, quantity, _): &(LineId, i64, LocationId)| ReturnWish {
        line: *line,
        quantity: *quantity,
        reason: Reason::Other,
        comment: None,
    };
    RequestReturn {
        at: back.at,
        order: back.order,
        units: back.lines.iter().map(wish).collect(),
        resolution: Resolution::Refund,
        refund_shipping: back.shipping,
        override_window: true,
        note: Some(back.note.clone()),
    }
}

/// The units by where they arrive; they were named in the order of the lines.
fn arrivals(back: &TakeBack, requested: &Requested) -> Vec<Receive> {
    let mut places: Vec<(LocationId, Vec<ReturnUnitId>)> = Vec::new();
    let mut units = requested.units.iter().copied();
    for (_, quantity, location) in &back.lines {
        let mine = units.by_ref().take(usize::try_from(*quantity).unwrap_or_default());
        match places.iter_mut().find(|(place, _)| place == location) {
            Some((_, there)) => there.extend(mine),
            None => places.push((*location, mine.collect())),
        }
    }
    let (at, return_id) = (back.at, requested.id);
    let receive =
        |(location, units)| Receive { at, return_id, units, location, reception: Reception::Received };
    places.into_iter().map(receive).collect()
}

fn accept(back: &TakeBack, requested: &Requested) -> Inspect {
    Inspect {
        at: back.at,
        return_id: requested.id,
        units: Vec::new(),
        acceptance: Acceptance::Accepted,
        disposition: Some(Disposition::Restock),
        location: None,
    }
}

fn settle(by: &Actor, back: &TakeBack, requested: &Requested) -> Settle {
    Settle {
        at: back.at,
        by: by.clone(),
        return_id: requested.id,
        resolution: None,
        exchange: None,
        recorded: true,
    }
}
