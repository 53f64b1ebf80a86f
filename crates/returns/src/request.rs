//! Request a return. Invariants: a unit is asked back once at a time, and only after it was shipped; units are named by their number,
//! lowest free first, so that their cents follow from it.

use crate::events::{RequestedLine, ReturnApproved, ReturnRequested};
use crate::label::LabelApproved;
use crate::load;
use crate::model::{MAX_UNITS, Reason, Resolution, ReturnId, ReturnUnitId};
use crate::policy::Policy;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp, refusals};
use orders::{LineId, LineRow, OrderId};
use std::collections::HashMap;

/// Units of a line to give back.
#[derive(Debug, Clone)]
pub struct ReturnWish {
    /// The line.
    pub line: LineId,
    /// Units.
    pub quantity: i64,
    /// Why.
    pub reason: Reason,
    /// More about it.
    pub comment: Option<String>,
}

/// A return to request.
#[derive(Debug, Clone)]
pub struct RequestReturn {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// What.
    pub units: Vec<ReturnWish>,
    /// What for.
    pub resolution: Resolution,
    /// Give the share of shipping and fees back too, whatever the reason.
    pub refund_shipping: bool,
    /// Take it although the window is over.
    pub override_window: bool,
    /// For us.
    pub note: Option<String>,
}

/// A requested return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Its id.
    pub id: ReturnId,
    /// Its number for people.
    pub number: String,
    /// Its units, in the order they were asked.
    pub units: Vec<ReturnUnitId>,
    /// The policy approved it.
    pub approved: bool,
}

refusals! {
    /// Why a return is not taken, by precedence.
    pub enum RequestRefused {
        NoUnits                                     => Invalid,  "returns.no_units",        "A return needs at least one unit.";
        BadQuantity { quantity: i64, max: i64 }     => Invalid,  "returns.bad_quantity",    "The quantity {quantity} is not between 1 and {max}.";
        UnknownOrder { order: OrderId }             => NotFound, "returns.unknown_order",   "There is no order {order}.";
        UnknownLine { line: LineId }                => Invalid,  "returns.unknown_line",    "The order has no line {line}.";
        NotShipped { sku: String, wanted: i64, free: i64 } => Conflict, "returns.not_returnable", "Only {free} units of “{sku}” can come back, not {wanted}: the others have not been shipped, were lost, or are asked back already.";
        WindowOver { sku: String, days: i64 }       => Conflict, "returns.window_over",     "“{sku}” was delivered more than {days} days ago; somebody who may override the window has to enter this return.";
    }
}

/// What a request is decided on; units that one request takes are gone for the next.
#[derive(Debug, Default)]
struct World {
    orders: HashMap<OrderId, load::OrderFacts>,
    lines: HashMap<LineId, LineRow>,
    taken: HashMap<LineId, Vec<i64>>,
    delivered: HashMap<LineId, Timestamp>,
}

/// The lowest `quantity` numbers under `shipped` that are not in `taken` (which is sorted).
pub(crate) fn free_units(taken: &[i64], shipped: i64, quantity: i64) -> Vec<i64> {
    let mut next_taken = taken.iter().copied().peekable();
    let free = (0..shipped).filter(|unit| match next_taken.peek() {
        Some(first) if first == unit => {
            next_taken.next();
            false
        }
        _ => true,
    });
    free.take(usize::try_from(quantity).unwrap_or(0)).collect()
}

/// The unit numbers of each wish.
fn decide(world: &mut World, policy: &Policy, want: &RequestReturn) -> Result<Vec<Vec<i64>>, RequestRefused> {
    if want.units.is_empty() {
        return Err(RequestRefused::NoUnits);
    }
    if let Some(bad) = want.units.iter().find(|w| !(1..=MAX_UNITS).contains(&w.quantity)) {
        return Err(RequestRefused::BadQuantity { quantity: bad.quantity, max: MAX_UNITS });
    }
    if !world.orders.contains_key(&want.order) {
        return Err(RequestRefused::UnknownOrder { order: want.order });
    }
    let mut asked: HashMap<LineId, i64> = HashMap::new();
    for wish in &want.units {
        let line = world.lines.get(&wish.line).filter(|l| l.order_id == want.order);
        let line = line.ok_or(RequestRefused::UnknownLine { line: wish.line })?;
        let wanted = asked.entry(wish.line).or_default();
        *wanted += wish.quantity;
        let taken = world.taken.get(&wish.line).map_or(0, |t| t.len() as i64);
        let free = (line.shipped - line.lost - taken).max(0);
        if *wanted > free {
            return Err(RequestRefused::NotShipped { sku: line.sku.clone(), wanted: *wanted, free });
        }
        if !want.override_window && !policy.in_window(world.delivered.get(&wish.line).copied(), want.at) {
            return Err(RequestRefused::WindowOver { sku: line.sku.clone(), days: policy.window_days });
        }
    }
    let mut numbers = Vec::with_capacity(want.units.len());
    for wish in &want.units {
        let shipped = world.lines.get(&wish.line).map_or(0, |l| l.shipped);
        let taken = world.taken.entry(wish.line).or_default();
        let mine = free_units(taken, shipped, wish.quantity);
        taken.extend(&mine);
        taken.sort_unstable();
        numbers.push(mine);
    }
    Ok(numbers)
}

/// Requests returns: one outcome per item, in order. Events: `return.requested`, and `return.approved` where the policy approves.
///
/// # Errors
/// A fault of the database.
pub async fn request(
    tx: &Tx,
    batch: &[RequestReturn],
) -> Result<Vec<Result<Requested, RequestRefused>>, Fault> {
    let policy = Policy::read(tx).await?;
    let mut world = load_world(tx, batch).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(decide(&mut world, &policy, want));
    }
    let count = outcomes.iter().filter(|o| o.is_ok()).count() as u64;
    let mut numbers = match count {
        0 => std::ops::RangeInclusive::new(1, 0),
        count => tx.numbers("returns", count).await?,
    };
    let mut heads = Rows::new(
        "id BIGINT, number TEXT, order_id BIGINT, customer_id BIGINT, resolution TEXT, refund_shipping BOOLEAN, note TEXT?, requested_at BIGINT, approved_at BIGINT?",
    );
    let mut units = Rows::new(
        "id BIGINT, return_id BIGINT, order_id BIGINT, line_id BIGINT, unit BIGINT, reason TEXT, comment TEXT?",
    );
    let mut answers = Vec::with_capacity(batch.len());
    for (want, outcome) in batch.iter().zip(outcomes) {
        answers.push(match outcome {
            Err(refused) => Err(refused),
            Ok(chosen) => {
                let number = numbers.next().ok_or_else(|| Fault::broken("numbers of returns ran out"))?;
                let customer = world.orders.get(&want.order).map(|o| o.customer_id);
                let customer = customer.ok_or_else(|| Fault::broken("a return without its order"))?;
                let requested = write_one(tx, &policy, want, &chosen, number, &mut units)?;
                heads.push([
                    requested.id.into(),
                    requested.number.as_str().into(),
                    want.order.into(),
                    customer.into(),
                    want.resolution.into(),
                    want.refund_shipping.into(),
                    want.note.clone().into(),
                    want.at.into(),
                    requested.approved.then_some(want.at).into(),
                ]);
                Ok(requested)
            }
        });
    }
    tx.insert("return_request", &heads).await?;
    tx.insert("return_unit", &units).await?;
    if policy.gives_label {
        let approved = answers.iter().flatten().filter(|r: &&Requested| r.approved);
        let labels: Vec<_> = approved.map(|r| (LabelApproved { return_id: r.id }, None)).collect();
        tx.enqueue(tx.now(), &labels).await?;
    }
    Ok(answers)
}

fn write_one(
    tx: &Tx,
    policy: &Policy,
    want: &RequestReturn,
    chosen: &[Vec<i64>],
    number: i64,
    units: &mut Rows,
) -> Result<Requested, Fault> {
    let mut requested = Requested {
        id: tx.id(),
        number: format!("R{number}"),
        units: Vec::new(),
        approved: policy.auto_approve,
    };
    for (wish, numbers) in want.units.iter().zip(chosen) {
        for unit in numbers {
            let id: ReturnUnitId = tx.id();
            requested.units.push(id);
            units.push([
                id.into(),
                requested.id.into(),
                want.order.into(),
                wish.line.into(),
                (*unit).into(),
                wish.reason.into(),
                wish.comment.clone().into(),
            ]);
        }
    }
    let line = |w: &ReturnWish| RequestedLine { line: w.line, quantity: w.quantity, reason: w.reason };
    let fact = ReturnRequested {
        return_id: requested.id,
        number: requested.number.clone(),
        order: want.order,
        resolution: want.resolution,
        lines: want.units.iter().map(line).collect(),
    };
    tx.record(want.at, requested.id, Some(want.order.0), fact)?;
    if requested.approved {
        let fact = ReturnApproved { return_id: requested.id, order: want.order };
        tx.record(want.at, requested.id, Some(want.order.0), fact)?;
    }
    Ok(requested)
}

async fn load_world(tx: &Tx, batch: &[RequestReturn]) -> Result<World, Fault> {
    let orders = load::lock_orders(tx, batch.iter().map(|w| w.order)).await?;
    let ids: Vec<OrderId> = orders.keys().copied().collect();
    let lines = orders::read::lines_of(tx, &ids).await?;
    Ok(World {
        lines: lines.into_values().flatten().map(|l| (l.id, l)).collect(),
        taken: load::taken_units(tx, &ids).await?,
        delivered: load::deliveries(tx, &ids).await?,
        orders,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_lowest_free_numbers_are_given(shipped in 0i64..40, mut taken in proptest::collection::btree_set(0i64..40, 0..20), quantity in 0i64..40) {
            taken.retain(|t| *t < shipped);
            let taken: Vec<i64> = taken.into_iter().collect();
            let free = free_units(&taken, shipped, quantity);
            prop_assert_eq!(free.len() as i64, quantity.min(shipped - taken.len() as i64));
            prop_assert!(free.iter().all(|u| *u < shipped && !taken.contains(u)));
            let all_below = (0..free.last().copied().unwrap_or(0)).filter(|u| !taken.contains(u)).count();
            prop_assert_eq!(all_below, free.len().saturating_sub(1));
        }
    }
}
