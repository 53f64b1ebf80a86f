//! Takes units that are no longer allocated out of fulfilment orders.
//!
//! Invariants: only units that nobody has picked are taken; a short pick or a rejection takes them from the fulfilment order it is
//! about, a cancellation first from those that have not begun.

use crate::events::{FulfilmentCancelled, Units};
use crate::floor::{Delta, write_counters};
use crate::model::{FulfilmentId, FulfilmentLineId};
use crate::progress;
use db::{FromRow, Rows, Tx};
use inventory::LocationId;
use kernel::{Fault, Timestamp};
use orders::events::OrderDeallocated;
use orders::{LineId, OrderId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A fulfilment order that has just given units back, and which.
pub(crate) struct Hint {
    pub fulfilment: FulfilmentId,
    pub line: LineId,
    pub quantity: i64,
}

/// A fulfilment line that units could be taken from.
#[derive(Debug, Clone, FromRow)]
struct Candidate {
    id: FulfilmentLineId,
    fulfilment_id: FulfilmentId,
    order_id: OrderId,
    location_id: LocationId,
    line_id: LineId,
    /// Units not picked.
    open: i64,
    /// Units of the whole fulfilment order that are not cancelled.
    alive: i64,
    begun: bool,
}

/// Units to be taken from a fulfilment line.
struct Taken {
    at: Timestamp,
    from: Candidate,
    quantity: i64,
    reason: String,
}

/// Units that a line lost at a location.
struct Loss {
    at: Timestamp,
    line: LineId,
    location: LocationId,
    quantity: i64,
    reason: String,
}

/// Where the units are taken from, or what was asked beyond what is open.
fn decide_withdrawal(
    candidates: &mut [Candidate],
    hints: &[Hint],
    losses: Vec<Loss>,
) -> Result<Vec<Taken>, String> {
    let mut hinted: BTreeMap<(LineId, FulfilmentId), i64> = BTreeMap::new();
    for hint in hints {
        *hinted.entry((hint.line, hint.fulfilment)).or_default() += hint.quantity;
    }
    candidates.sort_by_key(|c| (c.begun, std::cmp::Reverse(c.id)));
    let mut taken = Vec::new();
    for loss in losses {
        let mut left = loss.quantity;
        let mine = |c: &Candidate| c.line_id == loss.line && c.location_id == loss.location;
        for by_hint in [true, false] {
            for c in candidates.iter_mut().filter(|c| mine(c)) {
                let hint = hinted.entry((c.line_id, c.fulfilment_id)).or_default();
                let quantity = if by_hint { left.min(c.open).min(*hint) } else { left.min(c.open) };
                if quantity > 0 {
                    (left, c.open) = (left - quantity, c.open - quantity);
                    *hint -= quantity.min(*hint);
                    taken.push(Taken { at: loss.at, from: c.clone(), quantity, reason: loss.reason.clone() });
                }
            }
        }
        if left > 0 {
            return Err(format!(
                "{left} units of {} at {} are picked and cannot be taken back",
                loss.line, loss.location
            ));
        }
    }
    Ok(taken)
}

/// Takes the units out and says so, one fact per fulfilment order and reason.
pub(crate) async fn withdraw(
    tx: &Tx,
    deallocated: &[(Timestamp, Arc<OrderDeallocated>)],
    hints: &[Hint],
) -> Result<(), Fault> {
    let losses: Vec<Loss> = deallocated
        .iter()
        .flat_map(|(at, fact)| {
            fact.parts.iter().filter(|p| p.quantity > 0).map(|p| Loss {
                at: *at,
                line: p.line,
                location: p.location,
                quantity: p.quantity,
                reason: fact.reason.clone(),
            })
        })
        .collect();
    if losses.is_empty() {
        return Ok(());
    }
    let mut candidates = candidates(tx, &losses).await?;
    let alive: BTreeMap<FulfilmentId, i64> = candidates.iter().map(|c| (c.fulfilment_id, c.alive)).collect();
    let taken = decide_withdrawal(&mut candidates, hints, losses).map_err(Fault::broken)?;
    let mut changes: BTreeMap<FulfilmentLineId, (FulfilmentId, Delta)> = BTreeMap::new();
    for t in &taken {
        changes.entry(t.from.id).or_insert((t.from.fulfilment_id, Delta::default())).1.cancelled +=
            t.quantity;
    }
    write_counters(tx, &changes).await?;
    progress::trim(tx, changes.keys().copied()).await?;
    tell(tx, &taken, alive)
}

async fn candidates(tx: &Tx, losses: &[Loss]) -> Result<Vec<Candidate>, Fault> {
    let keys: std::collections::BTreeSet<(LineId, LocationId)> =
        losses.iter().map(|l| (l.line, l.location)).collect();
    let mut wanted = Rows::new("line_id BIGINT, location_id BIGINT");
    for (line, location) in keys {
        wanted.push([line.into(), location.into()]);
    }
    let text = "SELECT l.id, l.fulfilment_id, f.order_id, f.location_id, l.line_id, l.quantity - l.cancelled - l.picked AS open, \
         f.quantity - f.cancelled AS alive, (f.released_at IS NOT NULL OR f.request = 'accepted') AS begun FROM fulfilment_line l \
         JOIN fulfilment_order f ON f.id = l.fulfilment_id JOIN input ON input.line_id = l.line_id AND input.location_id = f.location_id \
         WHERE l.quantity - l.cancelled - l.picked > 0 ORDER BY f.id, l.id /*pg FOR UPDATE OF f, l */";
    tx.all_from(&wanted, text, []).await
}

fn tell(tx: &Tx, taken: &[Taken], mut alive: BTreeMap<FulfilmentId, i64>) -> Result<(), Fault> {
    let mut facts: BTreeMap<(FulfilmentId, &str), (Timestamp, OrderId, BTreeMap<LineId, i64>)> =
        BTreeMap::new();
    for t in taken {
        let fact = facts
            .entry((t.from.fulfilment_id, t.reason.as_str()))
            .or_insert_with(|| (t.at, t.from.order_id, BTreeMap::new()));
        *fact.2.entry(t.from.line_id).or_default() += t.quantity;
    }
    for ((fulfilment, reason), (at, order, lines)) in facts {
        let left = alive.entry(fulfilment).or_default();
        *left -= lines.values().sum::<i64>();
        let fact = FulfilmentCancelled {
            fulfilment,
            order,
            lines: lines.into_iter().map(|(line, quantity)| Units { line, quantity }).collect(),
            reason: reason.to_owned(),
            whole: *left <= 0,
        };
        tx.record(at, fulfilment, Some(order.0), fact)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: i64, open: i64, begun: bool) -> Candidate {
        Candidate {
            id: FulfilmentLineId(id),
            fulfilment_id: FulfilmentId(id),
            order_id: OrderId(1),
            location_id: LocationId(1),
            line_id: LineId(1),
            open,
            alive: open,
            begun,
        }
    }
    fn loss(quantity: i64) -> Loss {
        Loss { at: Timestamp(0), line: LineId(1), location: LocationId(1), quantity, reason: "x".into() }
    }
    fn hint(fulfilment: i64, quantity: i64) -> Hint {
        Hint { fulfilment: FulfilmentId(fulfilment), line: LineId(1), quantity }
    }
    fn decided(
        candidates: &[Candidate],
        hints: &[Hint],
        losses: Vec<Loss>,
    ) -> Result<Vec<(i64, i64)>, String> {
        let taken = decide_withdrawal(&mut candidates.to_vec(), hints, losses)?;
        Ok(taken.into_iter().map(|t| (t.from.id.0, t.quantity)).collect())
    }

    #[test]
    fn what_has_not_begun_goes_first_and_newest_first() {
        let all = [candidate(1, 3, true), candidate(2, 2, false), candidate(3, 2, false)];
        assert_eq!(decided(&all, &[], vec![loss(1)]), Ok(vec![(3, 1)]));
        assert_eq!(decided(&all, &[], vec![loss(5)]), Ok(vec![(3, 2), (2, 2), (1, 1)]));
        assert!(decided(&all, &[], vec![loss(8)]).is_err());
    }

    #[test]
    fn a_short_pick_takes_from_its_own_fulfilment_order() {
        let all = [candidate(1, 3, true), candidate(2, 2, false)];
        assert_eq!(decided(&all, &[hint(1, 2)], vec![loss(2)]), Ok(vec![(1, 2)]));
        assert_eq!(decided(&all, &[hint(1, 2)], vec![loss(3)]), Ok(vec![(1, 2), (2, 1)]));
        assert_eq!(decided(&all, &[hint(1, 1)], vec![loss(1), loss(1)]), Ok(vec![(1, 1), (2, 1)]));
    }
}
