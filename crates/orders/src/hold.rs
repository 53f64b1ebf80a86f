//! Holds: reasons not to go on, put and taken away. Invariants: `orders.holds` counts the order's holds; a hold is there once.

use crate::events::{OrderHeld, OrderHoldReleased};
use crate::model::{HoldKind, OrderId};
use db::{FromRow, Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::BTreeMap;

/// A hold to put.
#[derive(Debug, Clone)]
pub struct Hold {
    /// When.
    pub at: Timestamp,
    /// On which order.
    pub order: OrderId,
    /// Which.
    pub kind: HoldKind,
    /// Why, for people.
    pub reason: String,
    /// By whom.
    pub by: Actor,
}

/// A hold to take away.
#[derive(Debug, Clone)]
pub struct ReleaseHold {
    /// When.
    pub at: Timestamp,
    /// From which order.
    pub order: OrderId,
    /// Which.
    pub kind: HoldKind,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why a hold was not put or taken away.
    pub enum HoldRefused {
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
        Done => Conflict, "orders.nothing_to_hold", "Everything of this order was shipped or cancelled: there is nothing left to hold.";
        NotHeld { kind: HoldKind } => Conflict, "orders.not_held", "The order has no hold “{kind}”.";
    }
}

#[derive(FromRow)]
struct State {
    id: OrderId,
    holds: i64,
    open: i64,
}

async fn lock(tx: &Tx, orders: impl Iterator<Item = OrderId>) -> Result<BTreeMap<OrderId, State>, Fault> {
    let mut ids: Vec<OrderId> = orders.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut input = Rows::new("id BIGINT");
    for id in ids {
        input.push([id.into()]);
    }
    let text = "SELECT o.id, o.holds, o.units - o.units_cancelled - o.units_shipped AS open FROM orders o JOIN input ON input.id = o.id ORDER BY o.id /*pg FOR UPDATE OF o */";
    Ok(tx.all_from::<State>(&input, text, []).await?.into_iter().map(|s| (s.id, s)).collect())
}

async fn change_counts(tx: &Tx, changed: &BTreeMap<OrderId, i64>) -> Result<(), Fault> {
    let mut rows = Rows::new("id BIGINT, change BIGINT");
    for (order, change) in changed.iter().filter(|(_, c)| **c != 0) {
        rows.push([(*order).into(), (*change).into()]);
    }
    if !rows.is_empty() {
        let text = "UPDATE orders SET holds = orders.holds + input.change, version = version + 1, updated_at = $1 FROM input WHERE orders.id = input.id";
        tx.exec_from(&rows, text, [tx.now().into()]).await?;
    }
    Ok(())
}

#[derive(FromRow, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    order_id: OrderId,
    kind: String,
}

/// Puts holds; one that is there already stays as it is.
///
/// # Errors
/// A fault when the machine could not.
pub async fn hold(tx: &Tx, batch: &[Hold]) -> Result<Vec<Result<(), HoldRefused>>, Fault> {
    let mut states = lock(tx, batch.iter().map(|h| h.order)).await?;
    let mut rows = Rows::new("order_id BIGINT, kind TEXT, reason TEXT, at BIGINT, by_actor TEXT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(match states.get(&want.order) {
            None => Err(HoldRefused::NoOrder { order: want.order }),
            Some(state) if state.open <= 0 => Err(HoldRefused::Done),
            Some(_) => {
                let by = want.by.as_str();
                rows.push([
                    want.order.into(),
                    want.kind.as_str().into(),
                    want.reason.as_str().into(),
                    want.at.into(),
                    by.into(),
                ]);
                Ok(())
            }
        });
    }
    if rows.is_empty() {
        return Ok(outcomes);
    }
    let text = "INSERT INTO order_hold (order_id, kind, reason, at, by_actor) SELECT order_id, kind, reason, at, by_actor FROM input WHERE TRUE \
         ON CONFLICT (order_id, kind) DO NOTHING RETURNING order_id, kind";
    let new: Vec<Key> = tx.all_from(&rows, text, []).await?;
    let mut changed: BTreeMap<OrderId, i64> = BTreeMap::new();
    for key in &new {
        *changed.entry(key.order_id).or_default() += 1;
    }
    change_counts(tx, &changed).await?;
    for want in batch {
        if !new.iter().any(|k| k.order_id == want.order && k.kind == want.kind.as_str()) {
            continue;
        }
        let Some(state) = states.get_mut(&want.order) else { continue };
        state.holds += 1;
        let fact =
            OrderHeld { order: want.order, kind: want.kind, reason: want.reason.clone(), holds: state.holds };
        tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
    }
    Ok(outcomes)
}

/// Takes holds away; an order without any goes on.
///
/// # Errors
/// A fault when the machine could not.
pub async fn release_hold(tx: &Tx, batch: &[ReleaseHold]) -> Result<Vec<Result<(), HoldRefused>>, Fault> {
    let mut states = lock(tx, batch.iter().map(|h| h.order)).await?;
    let mut rows = Rows::new("order_id BIGINT, kind TEXT");
    for want in batch {
        rows.push([want.order.into(), want.kind.as_str().into()]);
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let text = "DELETE FROM order_hold WHERE EXISTS (SELECT 1 FROM input WHERE input.order_id = order_hold.order_id AND input.kind = order_hold.kind) RETURNING order_id, kind";
    let mut gone: Vec<Key> = tx.all_from(&rows, text, []).await?;
    let mut changed: BTreeMap<OrderId, i64> = BTreeMap::new();
    for key in &gone {
        *changed.entry(key.order_id).or_default() -= 1;
    }
    change_counts(tx, &changed).await?;
    let (mut outcomes, mut free) = (Vec::with_capacity(batch.len()), Vec::new());
    for want in batch {
        let Some(state) = states.get_mut(&want.order) else {
            outcomes.push(Err(HoldRefused::NoOrder { order: want.order }));
            continue;
        };
        let Some(found) = gone.iter().position(|k| k.order_id == want.order && k.kind == want.kind.as_str())
        else {
            outcomes.push(Err(HoldRefused::NotHeld { kind: want.kind }));
            continue;
        };
        gone.swap_remove(found);
        state.holds -= 1;
        if state.holds == 0 {
            free.push((want.order, want.at));
        }
        let fact = OrderHoldReleased { order: want.order, kind: want.kind, holds: state.holds };
        tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
        outcomes.push(Ok(()));
    }
    crate::advance::deliver_services(tx, &free).await?;
    Ok(outcomes)
}
