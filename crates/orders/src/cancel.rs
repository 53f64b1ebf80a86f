//! Cancel units that were not picked yet. Invariants: cancelled units are counted from the last of the line downwards, so their cents are
//! never those of a shipped unit; their stock is free again in the same transaction; what was paid for them goes back.

use crate::backorder;
use crate::buckets::{self, Changes, Header};
use crate::events::{CancelledLine, DeallocatedPart, OrderCancelled, OrderDeallocated};
use crate::model::{LineId, LineRow, OrderId, unit_parts};
use crate::read;
use db::Tx;
use inventory::LocationId;
use kernel::{Fault, Timestamp, refusals};
use payments::{GrantRefund, RefundTo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Units to cancel.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// Units by line; empty: every unit that can be.
    pub lines: Vec<(LineId, i64)>,
    /// Why.
    pub reason: String,
    /// Pay back what was captured beyond what is still owed.
    pub refund: bool,
}

/// What was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cancelled {
    /// The order.
    pub order: OrderId,
    /// Units.
    pub units: i64,
    /// Their share of the order's total, minor units.
    pub total: i64,
    /// What goes back to the customer, minor units.
    pub refund: i64,
    /// Nothing of the order is left.
    pub whole: bool,
}

refusals! {
    /// Why units were not cancelled, by precedence.
    pub enum CancelRefused {
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
        NoLine { line: LineId } => Invalid, "orders.no_such_line", "The order has no line {line}.";
        NothingLeft => Conflict, "orders.nothing_to_cancel", "Every unit was picked, shipped or cancelled already; take a return instead.";
        TooMany { sku: String, wanted: i64, can: i64 } => Conflict, "orders.too_many_to_cancel", "Of “{sku}” only {can} of {wanted} units can still be cancelled.";
    }
}

/// How one line's units leave its buckets.
struct Taken {
    line: LineId,
    quantity: i64,
    allocated: i64,
    total: i64,
}

/// Cancels units of many orders.
///
/// # Errors
/// A fault when the machine could not.
pub async fn cancel(tx: &Tx, batch: &[Cancel]) -> Result<Vec<Result<Cancelled, CancelRefused>>, Fault> {
    let ids: Vec<OrderId> = batch.iter().map(|c| c.order).collect();
    let headers = buckets::lock_orders(tx, &ids).await?;
    let mut lines = read::lines_of(tx, &ids).await?;
    let mut promised = backorder::promised(tx, &ids).await?;
    let (mut changes, mut freed, mut outcomes) =
        (Changes::default(), Vec::new(), Vec::with_capacity(batch.len()));
    let mut done: Vec<(usize, Vec<Taken>)> = Vec::new();
    for (i, want) in batch.iter().enumerate() {
        let order_lines = lines.entry(want.order).or_default();
        match decide(headers.get(&want.order), order_lines, want) {
            Err(refused) => outcomes.push(Err(refused)),
            Ok(taken) => {
                for t in &taken {
                    take(&mut changes, want, order_lines, &mut promised, t, &mut freed)?;
                }
                let (units, total) =
                    (taken.iter().map(|t| t.quantity).sum(), taken.iter().map(|t| t.total).sum());
                changes.money.entry(want.order).or_default().0 += total;
                outcomes.push(Ok(Cancelled { order: want.order, units, total, refund: 0, whole: false }));
                done.push((i, taken));
            }
        }
    }
    let after = buckets::apply(tx, &changes).await?;
    let returned_stock = backorder::release_stock(tx, &lines, &freed).await?;
    record(tx, batch, &after, &mut outcomes, done, &freed)?;
    settle_money(tx, batch, &after, &mut outcomes).await?;
    backorder::fill(tx, &returned_stock).await?;
    Ok(outcomes)
}

/// Pure: which units leave, or why not.
fn decide(header: Option<&Header>, lines: &[LineRow], want: &Cancel) -> Result<Vec<Taken>, CancelRefused> {
    if header.is_none() {
        return Err(CancelRefused::NoOrder { order: want.order });
    }
    let can = |line: &LineRow| line.pending + line.backordered + line.allocated;
    let asked: Vec<(LineId, i64)> = match want.lines.is_empty() {
        true => lines.iter().map(|l| (l.id, can(l))).filter(|(_, n)| *n > 0).collect(),
        false => want.lines.clone(),
    };
    if asked.is_empty() {
        return Err(CancelRefused::NothingLeft);
    }
    let mut sums: BTreeMap<LineId, i64> = BTreeMap::new();
    for (line, quantity) in asked {
        let sum = sums.entry(line).or_default();
        *sum = sum.saturating_add(quantity.max(0));
    }
    let mut taken = Vec::new();
    for (id, quantity) in sums.into_iter().filter(|(_, q)| *q > 0) {
        let line = lines.iter().find(|l| l.id == id).ok_or(CancelRefused::NoLine { line: id })?;
        if quantity > can(line) {
            return Err(CancelRefused::TooMany { sku: line.sku.clone(), wanted: quantity, can: can(line) });
        }
        // What nobody has promised goes first.
        let allocated = (quantity - line.pending - line.backordered).max(0);
        let top = line.ordered - line.cancelled;
        let total = unit_parts(line, top - quantity, top).total();
        taken.push(Taken { line: id, quantity, allocated, total });
    }
    if taken.is_empty() {
        return Err(CancelRefused::NothingLeft);
    }
    Ok(taken)
}

/// Units freed at a location by a cancellation: `(at, order, line, location, quantity)`.
pub(crate) type Freed = (Timestamp, OrderId, LineId, LocationId, i64);

fn take(
    changes: &mut Changes,
    want: &Cancel,
    lines: &mut [LineRow],
    promised: &mut BTreeMap<(LineId, LocationId), i64>,
    taken: &Taken,
    freed: &mut Vec<Freed>,
) -> Result<(), Fault> {
    let line =
        lines.iter_mut().find(|l| l.id == taken.line).ok_or_else(|| Fault::broken("a line vanished"))?;
    let unpromised = taken.quantity - taken.allocated;
    let backordered = unpromised.min(line.backordered);
    let pending = unpromised - backordered;
    let change = changes.line(want.order, line.id);
    change.cancelled += taken.quantity;
    change.backordered -= backordered;
    change.pending -= pending;
    change.allocated -= taken.allocated;
    line.cancelled += taken.quantity;
    line.backordered -= backordered;
    line.pending -= pending;
    line.allocated -= taken.allocated;
    let mut left = taken.allocated;
    for ((_, location), open) in
        promised.range_mut((line.id, LocationId(i64::MIN))..=(line.id, LocationId(i64::MAX)))
    {
        let n = left.min(*open);
        if n > 0 {
            *open -= n;
            left -= n;
            changes.allocation(want.order, line.id, *location).quantity -= n;
            freed.push((want.at, want.order, line.id, *location, n));
        }
    }
    match left {
        0 => Ok(()),
        _ => Err(Fault::broken(format!("{left} allocated units of {} are at no location", line.id))),
    }
}

fn record(
    tx: &Tx,
    batch: &[Cancel],
    after: &BTreeMap<OrderId, Header>,
    outcomes: &mut [Result<Cancelled, CancelRefused>],
    done: Vec<(usize, Vec<Taken>)>,
    freed: &[Freed],
) -> Result<(), Fault> {
    let mut parts: BTreeMap<OrderId, Vec<DeallocatedPart>> = BTreeMap::new();
    for (_, order, line, location, quantity) in freed {
        parts.entry(*order).or_default().push(DeallocatedPart {
            line: *line,
            location: *location,
            quantity: *quantity,
        });
    }
    for (i, taken) in done {
        let want = &batch[i];
        let Some(header) = after.get(&want.order) else { continue };
        let whole = header.units_cancelled >= header.units;
        if let Ok(outcome) = &mut outcomes[i] {
            outcome.whole = whole;
        }
        let raw = Some(want.order.0);
        if let Some(parts) = parts.remove(&want.order) {
            let reason = want.reason.clone();
            tx.record(want.at, want.order, raw, OrderDeallocated { order: want.order, parts, reason })?;
        }
        let total = taken.iter().map(|t| t.total).sum();
        let lines = taken
            .into_iter()
            .map(|t| CancelledLine { line: t.line, quantity: t.quantity, total: t.total })
            .collect();
        let (order, currency, reason) = (want.order, header.currency, want.reason.clone());
        tx.record(want.at, order, raw, OrderCancelled { order, currency, lines, total, reason, whole })?;
    }
    Ok(())
}

/// Voids what was only authorised for orders that are gone, and pays back what was captured beyond what is still owed.
async fn settle_money(
    tx: &Tx,
    batch: &[Cancel],
    after: &BTreeMap<OrderId, Header>,
    outcomes: &mut [Result<Cancelled, CancelRefused>],
) -> Result<(), Fault> {
    let (mut refunds, mut owners) = (Vec::new(), Vec::new());
    let (mut voids, mut latest) = (Vec::new(), Timestamp::default());
    for (i, want) in batch.iter().enumerate() {
        let (Ok(outcome), Some(header)) = (&outcomes[i], after.get(&want.order)) else { continue };
        if outcome.whole {
            voids.push(want.order.0);
            latest = latest.max(want.at);
        }
        let owed = header.total - header.cancelled_total;
        let over = header.captured - header.refunded - owed;
        if want.refund && over > 0 && !owners.iter().any(|o: &usize| batch[*o].order == want.order) {
            owners.push(i);
            refunds.push(GrantRefund {
                at: want.at,
                order: want.order.0,
                return_id: None,
                amount: over,
                reason: want.reason.clone(),
                to: RefundTo::Tenders,
                recorded: false,
            });
        }
    }
    payments::void_for_orders(tx, latest, &voids).await?;
    if refunds.is_empty() {
        return Ok(());
    }
    let amounts: Vec<i64> = refunds.iter().map(|r| r.amount).collect();
    for ((owner, amount), granted) in
        owners.into_iter().zip(amounts).zip(payments::grant_refunds(tx, &refunds).await?)
    {
        // A refund that is already on its way is why less may be left than the books show; the cancellation stands all the same.
        if let (Ok(outcome), Ok(_)) = (&mut outcomes[owner], granted) {
            outcome.refund = amount;
        }
    }
    Ok(())
}
