//! Gives allocated units to the location that will ship them: one fulfilment order per order and location, as long as it has not begun.
//!
//! Invariant: every allocated unit is on exactly one fulfilment line.

use crate::events::{FulfilmentCreated, FulfilmentExtended, Units};
use crate::model::{Executor, FulfilmentId, FulfilmentLineId};
use catalog::SkuId;
use db::{FromRow, Rows, Tx};
use inventory::LocationId;
use kernel::{Fault, Timestamp};
use orders::events::OrderAllocated;
use orders::{LineId, OrderId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What one location gets of one order.
struct Part {
    at: Timestamp,
    lines: BTreeMap<LineId, (SkuId, i64)>,
}
impl Part {
    fn quantity(&self) -> i64 {
        self.lines.values().map(|(_, quantity)| quantity).sum()
    }
    fn units(&self) -> Vec<Units> {
        self.lines.iter().map(|(line, (_, quantity))| Units { line: *line, quantity: *quantity }).collect()
    }
}

fn by_location(allocated: &[(Timestamp, Arc<OrderAllocated>)]) -> BTreeMap<(OrderId, LocationId), Part> {
    let mut parts: BTreeMap<(OrderId, LocationId), Part> = BTreeMap::new();
    for (at, fact) in allocated {
        for p in fact.parts.iter().filter(|p| p.quantity > 0) {
            let part = parts
                .entry((fact.order, p.location))
                .or_insert_with(|| Part { at: *at, lines: BTreeMap::new() });
            part.lines.entry(p.line).or_insert((p.sku_id, 0)).1 += p.quantity;
        }
    }
    parts
}

#[derive(FromRow)]
struct OpenOne {
    id: FulfilmentId,
    order_id: OrderId,
    location_id: LocationId,
}

/// Extends fulfilment orders that have not begun, creates the others.
pub(crate) async fn assign(tx: &Tx, allocated: &[(Timestamp, Arc<OrderAllocated>)]) -> Result<(), Fault> {
    let parts = by_location(allocated);
    if parts.is_empty() {
        return Ok(());
    }
    let mut wanted = Rows::new("order_id BIGINT, location_id BIGINT");
    for (order, location) in parts.keys() {
        wanted.push([(*order).into(), (*location).into()]);
    }
    // By order, and by nothing else: inside the CASE neither database sees a condition it has an index for (SQLite took the one by
    // location, PostgreSQL the one by status, and each read the queue of a whole warehouse), and PostgreSQL does not take the
    // conditions together for one row, which made it compare every row of the table with every row of the input. CROSS, because SQLite
    // keeps that order of tables: else it reads all of them and looks each up in the input.
    let text = "SELECT f.id, f.order_id, f.location_id FROM input CROSS JOIN fulfilment_order f WHERE f.order_id = input.order_id AND CASE WHEN \
         f.released_at IS NULL AND f.request = 'none' AND f.status IN ('open', 'on_hold') THEN f.location_id END = input.location_id \
         ORDER BY f.id /*pg FOR UPDATE OF f */";
    let open: Vec<OpenOne> = tx.all_from(&wanted, text, []).await?;
    let open: HashMap<(OrderId, LocationId), FulfilmentId> =
        open.into_iter().rev().map(|o| ((o.order_id, o.location_id), o.id)).collect();
    let new: Vec<_> = parts.iter().filter(|(key, _)| !open.contains_key(*key)).collect();
    let mut ids = open.clone();
    ids.extend(create(tx, &new).await?);
    extend(tx, &parts, &open).await?;
    let mut lines =
        Rows::new("id BIGINT, fulfilment_id BIGINT, line_id BIGINT, sku_id BIGINT, quantity BIGINT");
    for (key, part) in &parts {
        let fulfilment =
            *ids.get(key).ok_or_else(|| Fault::broken("a part of an order without fulfilment order"))?;
        for (line, (sku, quantity)) in &part.lines {
            let id: FulfilmentLineId = tx.id();
            lines.push([id.into(), fulfilment.into(), (*line).into(), (*sku).into(), (*quantity).into()]);
        }
    }
    let text = "INSERT INTO fulfilment_line (id, fulfilment_id, line_id, sku_id, quantity) SELECT id, fulfilment_id, line_id, sku_id, quantity \
         FROM input WHERE TRUE ON CONFLICT (fulfilment_id, line_id) DO UPDATE SET quantity = fulfilment_line.quantity + excluded.quantity";
    tx.exec_from(&lines, text, []).await?;
    Ok(())
}

#[derive(FromRow)]
struct Created {
    id: FulfilmentId,
    executor: Executor,
}

async fn create(
    tx: &Tx,
    new: &[(&(OrderId, LocationId), &Part)],
) -> Result<HashMap<(OrderId, LocationId), FulfilmentId>, Fault> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let numbers = tx.numbers("fulfilments", new.len() as u64).await?;
    let mut rows = Rows::new(
        "id BIGINT, number TEXT, order_id BIGINT, location_id BIGINT, created_at BIGINT, quantity BIGINT",
    );
    let mut facts = HashMap::new();
    let mut ids = HashMap::new();
    for ((key, part), n) in new.iter().zip(numbers) {
        let (order, location) = **key;
        let id: FulfilmentId = tx.id();
        let number = format!("F{n}");
        rows.push([
            id.into(),
            number.as_str().into(),
            order.into(),
            location.into(),
            part.at.into(),
            part.quantity().into(),
        ]);
        ids.insert(**key, id);
        facts.insert(id, (number, order, location, *part));
    }
    let text = "INSERT INTO fulfilment_order (id, number, order_id, location_id, executor, priority, created_at, on_hold, quantity) \
         SELECT i.id, i.number, i.order_id, i.location_id, CASE l.kind WHEN 'supplier' THEN 'dropship' WHEN '3pl' THEN '3pl' ELSE 'own' END, \
         o.priority, i.created_at, o.holds > 0, i.quantity FROM input i JOIN location l ON l.id = i.location_id \
         JOIN orders o ON o.id = i.order_id RETURNING id, executor";
    let mut created: Vec<Created> = tx.all_from(&rows, text, []).await?;
    if created.len() != new.len() {
        return Err(Fault::broken(
            "units were allocated at a location, or for an order, that does not exist",
        ));
    }
    created.sort_by_key(|c| c.id);
    for c in created {
        if let Some((number, order, location, part)) = facts.remove(&c.id) {
            let fact = FulfilmentCreated {
                fulfilment: c.id,
                number,
                order,
                location,
                executor: c.executor,
                lines: part.units(),
            };
            tx.record(part.at, c.id, Some(order.0), fact)?;
        }
    }
    Ok(ids)
}

async fn extend(
    tx: &Tx,
    parts: &BTreeMap<(OrderId, LocationId), Part>,
    open: &HashMap<(OrderId, LocationId), FulfilmentId>,
) -> Result<(), Fault> {
    let mut rows = Rows::new("id BIGINT, quantity BIGINT");
    for (key, part) in parts {
        if let Some(id) = open.get(key) {
            rows.push([(*id).into(), part.quantity().into()]);
            let fact = FulfilmentExtended { fulfilment: *id, order: key.0, lines: part.units() };
            tx.record(part.at, *id, Some(key.0.0), fact)?;
        }
    }
    let text = "UPDATE fulfilment_order AS f SET quantity = f.quantity + input.quantity, version = f.version + 1 FROM input WHERE f.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}
