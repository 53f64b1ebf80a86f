//! Backorders: units that wait, first come first served, and are allocated when stock arrives, under the same locks as new orders.

use crate::buckets::{self, Changes};
use crate::cancel::Freed;
use crate::events::{AllocatedPart, OrderAllocated};
use crate::model::{LineId, LineRow, OrderId};
use crate::routing::{Facts, RoutingRule, routing_rules};
use crate::source::{Destination, Wanted, grant};
use catalog::SkuId;
use db::{FromRow, Rows, Tx};
use inventory::{LocationId, Move, MoveKind};
use kernel::{Event, Fault, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// Lines looked at in one go; the rest follows in the next round.
const ROUND: i64 = 500;

#[derive(FromRow)]
struct PromisedRow {
    line_id: LineId,
    location_id: LocationId,
    open: i64,
}

/// Units promised and not yet picked, by line and location.
pub(crate) async fn promised(
    tx: &Tx,
    orders: &[OrderId],
) -> Result<BTreeMap<(LineId, LocationId), i64>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for order in orders {
        input.push([(*order).into()]);
    }
    let text = "SELECT a.line_id, a.location_id, a.quantity - a.picked AS open FROM allocation a WHERE a.order_id IN (SELECT id FROM input)";
    let rows: Vec<PromisedRow> = tx.all_from(&input, text, []).await?;
    Ok(rows.into_iter().map(|r| ((r.line_id, r.location_id), r.open)).collect())
}

/// Frees the stock of units that were promised; what can be promised to others now: `(sku, at)`.
pub(crate) async fn release_stock(
    tx: &Tx,
    lines: &HashMap<OrderId, Vec<LineRow>>,
    freed: &[Freed],
) -> Result<Vec<(SkuId, Timestamp)>, Fault> {
    if freed.is_empty() {
        return Ok(Vec::new());
    }
    let sku_of: HashMap<LineId, SkuId> = lines.values().flatten().map(|l| (l.id, l.sku_id)).collect();
    let ids: Vec<SkuId> = freed.iter().filter_map(|(_, _, line, _, _)| sku_of.get(line).copied()).collect();
    let skus = catalog::skus_by_id(tx, &ids).await?;
    let (mut moves, mut free) = (Vec::new(), Vec::new());
    for (at, order, line, location, quantity) in freed {
        let sku = sku_of
            .get(line)
            .and_then(|s| skus.get(s))
            .ok_or_else(|| Fault::broken(format!("no SKU of line {line}")))?;
        for (component, pieces) in sku.takes() {
            free.push((component, *at));
            moves.push(stock_move(*at, component, *location, MoveKind::Release, -pieces * quantity, *order));
        }
    }
    inventory::apply(tx, &moves).await?;
    Ok(free)
}

pub(crate) fn stock_move(
    at: Timestamp,
    sku: SkuId,
    location: LocationId,
    kind: MoveKind,
    allocated: i64,
    order: OrderId,
) -> Move {
    Move {
        at,
        sku,
        location,
        kind,
        on_hand: 0,
        allocated,
        incoming: 0,
        quarantined: 0,
        value: 0,
        order: Some(order.0),
        reference: None,
        reason: None,
    }
}

#[derive(FromRow)]
struct Waiting {
    line_id: LineId,
    order_id: OrderId,
    sku_id: SkuId,
    backordered: i64,
    country: String,
    postal_code: Option<String>,
    channel: String,
    tags: String,
    priority: i64,
    units: i64,
}

/// Gives stock that became free to the orders that have waited longest: `(sku, since when)`.
pub(crate) async fn fill(tx: &Tx, freed: &[(SkuId, Timestamp)]) -> Result<(), Fault> {
    let mut when: BTreeMap<SkuId, Timestamp> = BTreeMap::new();
    for (sku, at) in freed {
        let latest = when.entry(*sku).or_insert(*at);
        *latest = (*latest).max(*at);
    }
    let mut input = Rows::new("sku_id BIGINT");
    for sku in when.keys() {
        input.push([(*sku).into()]);
    }
    if input.is_empty() {
        return Ok(());
    }
    let text = "SELECT l.id AS line_id, l.order_id, l.sku_id, l.backordered, o.country, o.postal_code, o.channel, o.tags, o.priority, o.units FROM order_line l JOIN orders o ON o.id = l.order_id \
         WHERE l.backordered > 0 AND (l.sku_id IN (SELECT sku_id FROM input) OR l.sku_id IN (SELECT b.bundle_id FROM bundle_component b JOIN input ON input.sku_id = b.component_id)) \
         ORDER BY o.placed_at, o.id, l.position LIMIT $1 OFFSET $2";
    let at = when.values().max().copied().unwrap_or(tx.now());
    let rules = routing_rules(tx).await?;
    let mut unfilled = 0;
    loop {
        let waiting: Vec<Waiting> = tx.all_from(&input, text, [ROUND.into(), unfilled.into()]).await?;
        let count = i64::try_from(waiting.len())?;
        if count == 0 {
            return Ok(());
        }
        let filled = allocate(tx, at, &rules, waiting).await?;
        // Nothing for a whole round: the stock is gone. (A round is long enough that what is left could only be an odd bundle's parts.)
        // But where rules decide who may have it, others may.
        if count < ROUND || filled == 0 && rules.is_empty() {
            return Ok(());
        }
        unfilled += count - filled;
    }
}

/// Allocates what the shelf has to these lines, in order; how many lines wait no longer.
async fn allocate(
    tx: &Tx,
    at: Timestamp,
    rules: &[RoutingRule],
    waiting: Vec<Waiting>,
) -> Result<i64, Fault> {
    // The orders are locked and read again: another transaction may have cancelled or filled them meanwhile.
    let lines = buckets::lock_lines(tx, waiting.iter().map(|w| w.line_id)).await?;
    let ids: Vec<SkuId> = waiting.iter().map(|w| w.sku_id).collect();
    let skus = catalog::skus_by_id(tx, &ids).await?;
    let mut stocked: Vec<SkuId> = skus.values().flat_map(|s| s.takes()).map(|(id, _)| id).collect();
    stocked.sort_unstable();
    stocked.dedup();
    let mut shelf = inventory::lock(tx, &stocked).await?;
    let locations = inventory::locations_by_id(tx, &shelf.locations()).await?;
    let (mut changes, mut moves, mut filled) = (Changes::default(), Vec::new(), 0);
    let mut parts: BTreeMap<OrderId, Vec<AllocatedPart>> = BTreeMap::new();
    let mut met: BTreeMap<OrderId, String> = BTreeMap::new();
    for w in waiting {
        let (Some(line), Some(sku)) = (lines.get(&w.line_id), skus.get(&w.sku_id)) else { continue };
        let quantity = line.backordered.min(w.backordered);
        if quantity == 0 {
            filled += 1;
            continue;
        }
        let tags: Vec<String> = serde_json::from_str(&w.tags)?;
        let facts = Facts {
            country: &w.country,
            channel: &w.channel,
            tags: &tags,
            express: w.priority > 0,
            units: w.units,
        };
        let to = Destination { postal_code: w.postal_code.as_deref(), geo: None, facts };
        let wanted = Wanted { quantity, takes: sku.takes(), only: None, except: None };
        let granted = grant(&mut shelf, &locations, rules, &to, std::slice::from_ref(&wanted));
        filled += i64::from(granted.short == [0]);
        if let Some(rule) = granted.rule {
            met.insert(w.order_id, rule);
        }
        for part in granted.parts {
            let change = changes.line(w.order_id, w.line_id);
            change.backordered -= part.quantity;
            change.allocated += part.quantity;
            changes.allocation(w.order_id, w.line_id, part.location).quantity += part.quantity;
            for (component, pieces) in &wanted.takes {
                let n = pieces * part.quantity;
                moves.push(stock_move(at, *component, part.location, MoveKind::Allocate, n, w.order_id));
            }
            let (line, sku_id, location, quantity) = (w.line_id, w.sku_id, part.location, part.quantity);
            parts.entry(w.order_id).or_default().push(AllocatedPart { line, sku_id, location, quantity });
        }
    }
    inventory::apply(tx, &moves).await?;
    let headers = buckets::apply(tx, &changes).await?;
    for (order, parts) in parts {
        let (priority, holds) = headers.get(&order).map_or((0, 0), |h| (h.priority, h.holds));
        let rule = met.remove(&order);
        tx.record(at, order, Some(order.0), OrderAllocated { order, priority, holds, parts, rule })?;
    }
    Ok(filled)
}

/// The kinds of events that may set stock free.
pub(crate) const STOCK_KINDS: &[&str] = &[
    "stock.received",
    "stock.adjusted",
    "stock.restocked",
    "stock.transferred",
    "stock.quarantined",
    "stock.safety_set",
    "reservation.ended",
];

/// Reaction to stock that arrived, was found or is free again: waiting orders get it before anybody else can.
pub(crate) async fn on_stock(tx: &Tx, events: &[Event]) -> Result<(), Fault> {
    let mut freed = Vec::new();
    for event in events {
        if let Some(fact) = event.fact::<inventory::events::StockReceived>()? {
            freed.push((fact.sku, event.at));
        }
        if let Some(fact) = event.fact::<inventory::events::StockAdjusted>()?
            && fact.delta > 0
        {
            freed.push((fact.sku, event.at));
        }
        if let Some(fact) = event.fact::<inventory::events::StockRestocked>()? {
            freed.push((fact.sku, event.at));
        }
        if let Some(fact) = event.fact::<inventory::events::StockTransferred>()? {
            freed.push((fact.sku, event.at));
        }
        if let Some(fact) = event.fact::<inventory::events::StockQuarantined>()?
            && fact.quantity < 0
        {
            freed.push((fact.sku, event.at));
        }
        if let Some(fact) = event.fact::<inventory::events::SafetySet>()? {
            freed.push((fact.sku, event.at));
        }
        if let Some(fact) = event.fact::<inventory::events::ReservationEnded>()?
            && fact.outcome != "ordered"
        {
            freed.extend(fact.lines.iter().map(|l| (l.sku, event.at)));
        }
    }
    fill(tx, &freed).await
}
