//! Receive returned units, or learn that they are on their way, lost, something else or missing. Invariant: where a unit is goes
//! forwards only: what was received is not awaited again.

use crate::events::ReturnReceived;
use crate::load::{self, Closed, Locked};
use crate::model::{Reception, ReturnId, ReturnUnitId};
use db::{Rows, Tx};
use inventory::LocationId;
use kernel::{Fault, Timestamp, refusals};
use std::collections::{HashMap, HashSet};

/// What became known of units on their way back.
#[derive(Debug, Clone)]
pub struct Receive {
    /// When.
    pub at: Timestamp,
    /// Of which return.
    pub return_id: ReturnId,
    /// Which units; none named: all that are still awaited or on their way.
    pub units: Vec<ReturnUnitId>,
    /// Where they arrived.
    pub location: LocationId,
    /// What became known.
    pub reception: Reception,
}

refusals! {
    /// Why units are not received.
    pub enum ReceiveRefused {
        Unknown { return_id: ReturnId }             => NotFound, "returns.unknown",             "There is no return {return_id}.";
        NotApproved { number: String }              => Conflict, "returns.not_approved",        "Return {number} is not approved yet.";
        Declined { number: String }                 => Conflict, "returns.declined",            "Return {number} was declined.";
        Settled { number: String }                  => Conflict, "returns.settled",             "Return {number} is settled already.";
        UnknownLocation { location: LocationId }    => Invalid,  "returns.unknown_location",    "There is no location {location}.";
        NoReception                                 => Invalid,  "returns.no_reception",        "Say what became of the units: in_transit, received, lost_in_transit, wrong_item or short.";
        UnknownUnit { unit: ReturnUnitId }          => Invalid,  "returns.unknown_unit",        "The return has no unit {unit}.";
        AlreadyReceived { unit: ReturnUnitId, reception: Reception } => Conflict, "returns.already_received", "Unit {unit} is recorded as {reception} already.";
        NothingAwaited { number: String }           => Conflict, "returns.nothing_awaited",     "No unit of return {number} is awaited any more.";
    }
}

fn decide(
    locked: &HashMap<ReturnId, Locked>,
    locations: &HashSet<LocationId>,
    want: &Receive,
) -> Result<Vec<usize>, ReceiveRefused> {
    let found = locked.get(&want.return_id).ok_or(ReceiveRefused::Unknown { return_id: want.return_id })?;
    let number = || found.row.number.clone();
    found.at_work().map_err(|closed| match closed {
        Closed::NotApproved => ReceiveRefused::NotApproved { number: number() },
        Closed::Declined => ReceiveRefused::Declined { number: number() },
        Closed::Settled => ReceiveRefused::Settled { number: number() },
    })?;
    if !locations.contains(&want.location) {
        return Err(ReceiveRefused::UnknownLocation { location: want.location });
    }
    if want.reception == Reception::Awaiting {
        return Err(ReceiveRefused::NoReception);
    }
    let chosen = found.select(&want.units, |u| u.reception.open() && u.acceptance.open());
    let chosen = chosen.map_err(|unit| ReceiveRefused::UnknownUnit { unit })?;
    for i in &chosen {
        let unit = &found.units[*i];
        if !unit.reception.open() || !unit.acceptance.open() {
            return Err(ReceiveRefused::AlreadyReceived { unit: unit.id, reception: unit.reception });
        }
    }
    if chosen.is_empty() {
        return Err(ReceiveRefused::NothingAwaited { number: number() });
    }
    Ok(chosen)
}

/// Receives units: the number of units per item, in order. Event: `return.received`.
///
/// # Errors
/// A fault of the database.
pub async fn receive(tx: &Tx, batch: &[Receive]) -> Result<Vec<Result<i64, ReceiveRefused>>, Fault> {
    let mut locked = load::lock(tx, batch.iter().map(|r| r.return_id)).await?;
    let named: Vec<LocationId> = batch.iter().map(|r| r.location).collect();
    let locations: HashSet<LocationId> = inventory::locations_by_id(tx, &named).await?.into_keys().collect();
    let mut changed: HashMap<ReturnUnitId, (Reception, LocationId, Timestamp)> = HashMap::new();
    let mut touched = Rows::new("id BIGINT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&locked, &locations, want);
        if let (Ok(chosen), Some(found)) = (&outcome, locked.get_mut(&want.return_id)) {
            for i in chosen {
                found.units[*i].reception = want.reception;
                changed.insert(found.units[*i].id, (want.reception, want.location, want.at));
            }
            touched.push([want.return_id.into()]);
            let fact = ReturnReceived {
                return_id: want.return_id,
                order: found.row.order_id,
                reception: want.reception,
                quantity: chosen.len() as i64,
            };
            tx.record(want.at, want.return_id, Some(found.row.order_id.0), fact)?;
        }
        outcomes.push(outcome.map(|chosen| chosen.len() as i64));
    }
    let mut rows = Rows::new("id BIGINT, reception TEXT, location_id BIGINT, at BIGINT?");
    for (id, (reception, location, at)) in changed {
        rows.push([id.into(), reception.into(), location.into(), (!reception.open()).then_some(at).into()]);
    }
    let text = "UPDATE return_unit SET reception = input.reception, location_id = input.location_id, received_at = input.at \
        FROM input WHERE return_unit.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    let text = "UPDATE return_request SET version = version + 1 WHERE id IN (SELECT id FROM input)";
    tx.exec_from(&touched, text, []).await?;
    Ok(outcomes)
}
