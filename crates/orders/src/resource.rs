//! Source units again that could not be had where they were promised (a short pick, a supplier who refuses): elsewhere, or they wait.

use crate::backorder::stock_move;
use crate::buckets::{self, Changes, Header};
use crate::events::{
    AllocatedPart, DeallocatedPart, LineUnits, OrderAllocated, OrderBackordered, OrderDeallocated,
};
use crate::model::{LineId, LineRow, OrderId};
use crate::routing::{Facts, routing_rules};
use crate::source::{Destination, Granted, Wanted, grant};
use db::{FromRow, Rows, Tx};
use inventory::{Adjust, LocationId, MoveKind};
use kernel::{Fault, Timestamp};
use std::collections::BTreeMap;

/// Units to source again.
#[derive(Debug, Clone)]
pub struct Resource {
    /// When.
    pub at: Timestamp,
    /// Of which line; allocated, not picked.
    pub line: LineId,
    /// Where they cannot be had.
    pub location: LocationId,
    /// How many.
    pub quantity: i64,
    /// The stock was not there: take it off the books as well. (Not for bundles: which component is missing is for a count to say.)
    pub write_off: bool,
    /// Why.
    pub reason: String,
}

#[derive(FromRow)]
struct Goes {
    id: OrderId,
    country: String,
    postal_code: Option<String>,
    channel: String,
    tags: String,
    priority: i64,
    units: i64,
}

/// Sources units again.
///
/// # Errors
/// A fault when the units are not allocated there: callers look at their own counters first, under lock.
pub async fn resource(tx: &Tx, batch: &[Resource]) -> Result<(), Fault> {
    if batch.is_empty() {
        return Ok(());
    }
    let lines = buckets::lock_lines(tx, batch.iter().map(|r| r.line)).await?;
    let ids: Vec<catalog::SkuId> = lines.values().map(|l| l.sku_id).collect();
    let skus = catalog::skus_by_id(tx, &ids).await?;
    let mut input = Rows::new("id BIGINT");
    let mut orders: Vec<OrderId> = lines.values().map(|l| l.order_id).collect();
    orders.sort_unstable();
    orders.dedup();
    for order in &orders {
        input.push([(*order).into()]);
    }
    let text = "SELECT o.id, o.country, o.postal_code, o.channel, o.tags, o.priority, o.units FROM orders o JOIN input ON input.id = o.id";
    let goes: BTreeMap<OrderId, Goes> =
        tx.all_from::<Goes>(&input, text, []).await?.into_iter().map(|g| (g.id, g)).collect();

    let (mut releases, mut write_offs) = (Vec::new(), Vec::new());
    for want in batch {
        let line =
            lines.get(&want.line).ok_or_else(|| Fault::broken(format!("no order line {}", want.line)))?;
        let takes = skus.get(&line.sku_id).map(|s| s.takes()).unwrap_or_default();
        for (sku, pieces) in &takes {
            releases.push(stock_move(
                want.at,
                *sku,
                want.location,
                MoveKind::Release,
                -pieces * want.quantity,
                line.order_id,
            ));
            if want.write_off && takes.len() == 1 {
                let (delta, reason) = (-pieces * want.quantity, want.reason.clone());
                write_offs.push(Adjust { at: want.at, sku: *sku, location: want.location, delta, reason });
            }
        }
    }
    inventory::apply(tx, &releases).await?;
    for adjusted in inventory::adjust(tx, &write_offs).await? {
        adjusted.map_err(|refused| Fault::broken(format!("write off what was not there: {refused}")))?;
    }
    reallocate(tx, batch, &lines, &skus, &goes).await
}

async fn reallocate(
    tx: &Tx,
    batch: &[Resource],
    lines: &BTreeMap<LineId, LineRow>,
    skus: &std::collections::HashMap<catalog::SkuId, std::sync::Arc<catalog::Sku>>,
    goes: &BTreeMap<OrderId, Goes>,
) -> Result<(), Fault> {
    let mut stocked: Vec<catalog::SkuId> = skus.values().flat_map(|s| s.takes()).map(|(id, _)| id).collect();
    stocked.sort_unstable();
    stocked.dedup();
    let mut shelf = inventory::lock(tx, &stocked).await?;
    let locations = inventory::locations_by_id(tx, &shelf.locations()).await?;
    let rules = routing_rules(tx).await?;
    let (mut changes, mut moves) = (Changes::default(), Vec::new());
    let mut told: BTreeMap<(OrderId, Timestamp), Told> = BTreeMap::new();
    for want in batch {
        let (Some(line), Some(to)) =
            (lines.get(&want.line), lines.get(&want.line).and_then(|l| goes.get(&l.order_id)))
        else {
            continue;
        };
        let takes = skus.get(&line.sku_id).map(|s| s.takes()).unwrap_or_default();
        let tags: Vec<String> = serde_json::from_str(&to.tags)?;
        let facts = Facts {
            country: &to.country,
            channel: &to.channel,
            tags: &tags,
            express: to.priority > 0,
            units: to.units,
        };
        let destination = Destination { postal_code: to.postal_code.as_deref(), geo: None, facts };
        let wanted = Wanted { quantity: want.quantity, takes, only: None, except: Some(want.location) };
        let Granted { parts, short, rule } =
            grant(&mut shelf, &locations, &rules, &destination, std::slice::from_ref(&wanted));
        let short = short.first().copied().unwrap_or(0);
        let order = line.order_id;
        let change = changes.line(order, line.id);
        change.allocated -= short;
        change.backordered += short;
        changes.allocation(order, line.id, want.location).quantity -= want.quantity;
        let told = told.entry((order, want.at)).or_default();
        told.reason.clone_from(&want.reason);
        told.rule = rule;
        told.left.push(DeallocatedPart { line: line.id, location: want.location, quantity: want.quantity });
        for part in parts {
            changes.allocation(order, line.id, part.location).quantity += part.quantity;
            for (sku, pieces) in &wanted.takes {
                moves.push(stock_move(
                    want.at,
                    *sku,
                    part.location,
                    MoveKind::Allocate,
                    pieces * part.quantity,
                    order,
                ));
            }
            let (line, sku_id, location, quantity) = (line.id, line.sku_id, part.location, part.quantity);
            told.found.push(AllocatedPart { line, sku_id, location, quantity });
        }
        if short > 0 {
            told.waiting.push(LineUnits { line: line.id, sku_id: line.sku_id, quantity: short });
        }
    }
    inventory::apply(tx, &moves).await?;
    let headers = buckets::apply(tx, &changes).await?;
    record(tx, &headers, told)
}

/// What left a location, where it was found, and what waits.
fn record(
    tx: &Tx,
    headers: &BTreeMap<OrderId, Header>,
    told: BTreeMap<(OrderId, Timestamp), Told>,
) -> Result<(), Fault> {
    for ((order, at), told) in told {
        let raw = Some(order.0);
        tx.record(at, order, raw, OrderDeallocated { order, parts: told.left, reason: told.reason })?;
        if !told.found.is_empty() {
            let (priority, holds) = headers.get(&order).map_or((0, 0), |h| (h.priority, h.holds));
            tx.record(
                at,
                order,
                raw,
                OrderAllocated { order, priority, holds, parts: told.found, rule: told.rule },
            )?;
        }
        if !told.waiting.is_empty() {
            tx.record(at, order, raw, OrderBackordered { order, lines: told.waiting })?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Told {
    reason: String,
    left: Vec<DeallocatedPart>,
    found: Vec<AllocatedPart>,
    rule: Option<String>,
    waiting: Vec<LineUnits>,
}
