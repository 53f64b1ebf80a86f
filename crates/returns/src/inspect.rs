//! Inspect returned units: accept, reject, or leave them to a person. Invariants: a unit is decided once; an accepted unit is credited
//! with exactly its own cents; the order, the stock and the books learn of it in the same transaction.

use crate::credit::{add, unit_cost, unit_credit, with_shipping};
use crate::events::ReturnInspected;
use crate::load::{self, Closed, Locked, OrderFacts};
use crate::model::{Acceptance, Disposition, Reception, ReturnId, ReturnUnitId};
use crate::policy::Policy;
use catalog::{Sku, SkuId};
use db::{Rows, Tx};
use inventory::{LocationId, Restock, RestockTo};
use kernel::money::prorate;
use kernel::{Fault, Timestamp, refusals};
use orders::{LineId, LineRow, OrderId, Parts, ReturnUnits};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What was found.
#[derive(Debug, Clone)]
pub struct Inspect {
    /// When.
    pub at: Timestamp,
    /// Of which return.
    pub return_id: ReturnId,
    /// Which units; none named: all that are received and undecided.
    pub units: Vec<ReturnUnitId>,
    /// Accepted, rejected, or left to a person.
    pub acceptance: Acceptance,
    /// Where accepted units go; needed for units that were received.
    pub disposition: Option<Disposition>,
    /// Where units that go back into stock lie from now on; absent: where they were received.
    pub location: Option<LocationId>,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// Units that were decided.
    pub units: i64,
    /// What the customer gets for them, minor units of the order's currency.
    pub credit: i64,
}

refusals! {
    /// Why units are not inspected.
    pub enum InspectRefused {
        Unknown { return_id: ReturnId }          => NotFound, "returns.unknown",          "There is no return {return_id}.";
        NotApproved { number: String }           => Conflict, "returns.not_approved",     "Return {number} is not approved yet.";
        Declined { number: String }              => Conflict, "returns.declined",         "Return {number} was declined.";
        Settled { number: String }               => Conflict, "returns.settled",          "Return {number} is settled already.";
        NoVerdict                                => Invalid,  "returns.no_verdict",       "Say whether the units are accepted, rejected or left to manual_review.";
        UnknownLocation { location: LocationId } => Invalid,  "returns.unknown_location", "There is no location {location}.";
        UnknownUnit { unit: ReturnUnitId }       => Invalid,  "returns.unknown_unit",     "The return has no unit {unit}.";
        AlreadyDecided { unit: ReturnUnitId, acceptance: Acceptance } => Conflict, "returns.unit_decided", "Unit {unit} is {acceptance} already.";
        NotHere { unit: ReturnUnitId, reception: Reception } => Conflict, "returns.unit_not_here", "Unit {unit} is {reception}: only what was received can go back into stock or on to a vendor.";
        NoDisposition                            => Invalid,  "returns.no_disposition",   "Say where the accepted units go: restock, quarantine, refurbish, scrap, to_vendor or customer_keeps.";
        NothingToInspect { number: String }      => Conflict, "returns.nothing_to_inspect", "Return {number} has no received unit that is undecided.";
    }
}

/// What the batch is decided and applied on.
struct World {
    locked: HashMap<ReturnId, Locked>,
    places: HashMap<ReturnUnitId, LocationId>,
    owned: HashMap<LocationId, bool>,
    orders: HashMap<OrderId, OrderFacts>,
    lines: HashMap<LineId, LineRow>,
    skus: HashMap<SkuId, Arc<Sku>>,
    policy: Policy,
}

fn decide(world: &World, want: &Inspect) -> Result<Vec<usize>, InspectRefused> {
    let found =
        world.locked.get(&want.return_id).ok_or(InspectRefused::Unknown { return_id: want.return_id })?;
    let number = || found.row.number.clone();
    found.at_work().map_err(|closed| match closed {
        Closed::NotApproved => InspectRefused::NotApproved { number: number() },
        Closed::Declined => InspectRefused::Declined { number: number() },
        Closed::Settled => InspectRefused::Settled { number: number() },
    })?;
    if want.acceptance == Acceptance::Pending {
        return Err(InspectRefused::NoVerdict);
    }
    if let Some(location) = want.location.filter(|l| !world.owned.contains_key(l)) {
        return Err(InspectRefused::UnknownLocation { location });
    }
    let chosen = found.select(&want.units, |u| !u.reception.open() && u.acceptance.open());
    let chosen = chosen.map_err(|unit| InspectRefused::UnknownUnit { unit })?;
    for i in &chosen {
        let unit = &found.units[*i];
        if !unit.acceptance.open() {
            return Err(InspectRefused::AlreadyDecided { unit: unit.id, acceptance: unit.acceptance });
        }
        if want.acceptance != Acceptance::Accepted {
            continue;
        }
        match want.disposition {
            None => return Err(InspectRefused::NoDisposition),
            Some(to) if to.needs_the_unit() && unit.reception != Reception::Received => {
                return Err(InspectRefused::NotHere { unit: unit.id, reception: unit.reception });
            }
            Some(_) => {}
        }
    }
    if chosen.is_empty() {
        return Err(InspectRefused::NothingToInspect { number: number() });
    }
    Ok(chosen)
}

/// What the batch changes.
#[derive(Default)]
struct Effects {
    units: BTreeMap<ReturnUnitId, (Acceptance, Option<Disposition>, Option<LocationId>, Timestamp, i64)>,
    credits: BTreeMap<ReturnId, i64>,
    returned: BTreeMap<(ReturnId, LineId), (Timestamp, i64, Parts, i64)>,
    restock: BTreeMap<(ReturnId, SkuId, LocationId, bool), (Timestamp, i64, i64)>,
}

/// Inspects units: one outcome per item, in order. Events: `return.inspected`, and by the order `order.units_returned`.
///
/// # Errors
/// A fault of the database.
pub async fn inspect(tx: &Tx, batch: &[Inspect]) -> Result<Vec<Result<Inspected, InspectRefused>>, Fault> {
    let mut world = load_world(tx, batch).await?;
    let mut effects = Effects::default();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(match decide(&world, want) {
            Err(refused) => Err(refused),
            Ok(chosen) => {
                let credit = apply(&mut world, &mut effects, want, &chosen)?;
                record(tx, &world, want, chosen.len() as i64, credit)?;
                Ok(Inspected { units: chosen.len() as i64, credit })
            }
        });
    }
    write(tx, &world, effects).await?;
    Ok(outcomes)
}

/// Applies one verdict to the world in memory; what the customer gets.
fn apply(world: &mut World, effects: &mut Effects, want: &Inspect, chosen: &[usize]) -> Result<i64, Fault> {
    let World { locked, places, owned, lines, skus, policy, .. } = world;
    let found = locked
        .get_mut(&want.return_id)
        .ok_or_else(|| Fault::broken("a return vanished while it was inspected"))?;
    let mut sum = 0;
    for i in chosen {
        let unit = &mut found.units[*i];
        unit.acceptance = want.acceptance;
        let place = want.location.or_else(|| places.get(&unit.id).copied());
        if want.acceptance != Acceptance::Accepted {
            effects.units.insert(unit.id, (want.acceptance, None, place, want.at, 0));
            continue;
        }
        let line =
            lines.get(&unit.line_id).ok_or_else(|| Fault::broken("a returned unit without its line"))?;
        let parts =
            unit_credit(line, unit.unit, with_shipping(policy, found.row.refund_shipping, unit.reason));
        unit.credit = parts.total();
        unit.disposition = want.disposition;
        sum += unit.credit;
        let to = want.disposition.filter(|d| d.back_in_stock());
        let mut cost = 0;
        if let (Some(to), Some(place)) = (to, place) {
            let sku =
                skus.get(&line.sku_id).ok_or_else(|| Fault::broken("a returned unit without its SKU"))?;
            cost = if owned.get(&place) == Some(&true) { unit_cost(line, unit.unit) } else { 0 };
            let takes = sku.takes();
            let weights: Vec<i64> = takes.iter().map(|(_, quantity)| *quantity).collect();
            if takes.is_empty() {
                cost = 0;
            }
            for ((part, quantity), value) in takes.iter().zip(prorate(cost, &weights)) {
                let key = (want.return_id, *part, place, to == Disposition::Restock);
                let entry = effects.restock.entry(key).or_insert((want.at, 0, 0));
                entry.1 += quantity;
                entry.2 += value;
            }
        }
        effects.units.insert(unit.id, (want.acceptance, want.disposition, place, want.at, unit.credit));
        let key = (want.return_id, unit.line_id);
        let entry = effects.returned.entry(key).or_insert((want.at, 0, Parts::default(), 0));
        *entry = (want.at, entry.1 + 1, add(&entry.2, &parts), entry.3 + cost);
    }
    *effects.credits.entry(want.return_id).or_default() += sum;
    Ok(sum)
}

fn record(tx: &Tx, world: &World, want: &Inspect, units: i64, credit: i64) -> Result<(), Fault> {
    let order = world.locked.get(&want.return_id).map(|l| l.row.order_id);
    let facts = order.and_then(|o| world.orders.get(&o));
    let facts = facts.ok_or_else(|| Fault::broken("a return without its order"))?;
    let count = |acceptance| if want.acceptance == acceptance { units } else { 0 };
    let fact = ReturnInspected {
        return_id: want.return_id,
        order: facts.id,
        currency: facts.currency,
        accepted: count(Acceptance::Accepted),
        rejected: count(Acceptance::Rejected),
        manual_review: count(Acceptance::ManualReview),
        disposition: want.disposition.filter(|_| want.acceptance == Acceptance::Accepted),
        credit,
    };
    tx.record(want.at, want.return_id, Some(facts.id.0), fact)
}

async fn load_world(tx: &Tx, batch: &[Inspect]) -> Result<World, Fault> {
    let locked = load::lock(tx, batch.iter().map(|i| i.return_id)).await?;
    let orders = load::lock_orders(tx, locked.values().map(|l| l.row.order_id)).await?;
    let ids: Vec<OrderId> = orders.keys().copied().collect();
    let lines: HashMap<LineId, LineRow> =
        orders::read::lines_of(tx, &ids).await?.into_values().flatten().map(|l| (l.id, l)).collect();
    let mut sku_ids: Vec<SkuId> = lines.values().map(|l| l.sku_id).collect();
    sku_ids.sort_unstable();
    sku_ids.dedup();
    let places = load::places(tx, locked.keys().copied()).await?;
    let named: Vec<LocationId> =
        places.values().copied().chain(batch.iter().filter_map(|i| i.location)).collect();
    let locations = inventory::locations_by_id(tx, &named).await?;
    Ok(World {
        owned: locations.into_iter().map(|(id, l)| (id, l.owned())).collect(),
        places,
        skus: catalog::skus_by_id(tx, &sku_ids).await?,
        policy: Policy::read(tx).await?,
        locked,
        orders,
        lines,
    })
}

async fn write(tx: &Tx, world: &World, effects: Effects) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, acceptance TEXT, disposition TEXT?, location_id BIGINT?, at BIGINT, credit BIGINT, released BOOLEAN",
    );
    for (id, (acceptance, disposition, location, at, credit)) in effects.units {
        let released = acceptance == Acceptance::Rejected;
        let disposition = disposition.map(|d| d.as_str().to_owned());
        rows.push([
            id.into(),
            acceptance.into(),
            disposition.into(),
            location.into(),
            at.into(),
            credit.into(),
            released.into(),
        ]);
    }
    let text = "UPDATE return_unit SET acceptance = input.acceptance, disposition = input.disposition, location_id = input.location_id, \
        inspected_at = input.at, credit = input.credit, released = input.released FROM input WHERE return_unit.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    let mut rows = Rows::new("id BIGINT, credit BIGINT");
    for (id, credit) in effects.credits {
        rows.push([id.into(), credit.into()]);
    }
    let text = "UPDATE return_request SET credited = credited + input.credit, version = version + 1 FROM input WHERE return_request.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    let returned: Vec<ReturnUnits> = effects.returned.into_iter().map(returned_units).collect();
    if !returned.is_empty() {
        orders::return_units(tx, &returned).await?;
    }
    let mut restock = Vec::with_capacity(effects.restock.len());
    for ((return_id, sku, location, on_hand), (at, quantity, value)) in effects.restock {
        let row = world.locked.get(&return_id).map(|l| &l.row);
        restock.push(Restock {
            at,
            sku,
            location,
            quantity,
            value,
            to: if on_hand { RestockTo::OnHand } else { RestockTo::Quarantined },
            order: row.map(|r| r.order_id.0),
            reference: return_id.to_string(),
        });
    }
    match restock.is_empty() {
        true => Ok(()),
        false => inventory::restock(tx, &restock).await,
    }
}

fn returned_units(one: ((ReturnId, LineId), (Timestamp, i64, Parts, i64))) -> ReturnUnits {
    let ((return_id, line), (at, quantity, parts, cost)) = one;
    ReturnUnits { at, line, quantity, parts, cost, return_id: return_id.0 }
}
