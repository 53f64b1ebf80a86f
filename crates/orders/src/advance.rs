//! Move units along: picked, packed, shipped, delivered, lost, and back where that is possible. Invariants: stock follows its units;
//! what ships is sold at the exact money of its units; nothing moves that is not where it is said to be.

use crate::buckets::{self, Changes, Header, LineChange};
use crate::events::{LineUnits, ShippedLine, UnitsDelivered, UnitsLost, UnitsShipped};
use crate::model::{LineId, LineRow, OrderId, Parts, unit_parts};
use db::{FromRow, Rows, Tx};
use inventory::{LocationId, ShipStock};
use kernel::{Currency, Fault, Timestamp};
use std::collections::BTreeMap;

/// A step of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// allocated → picked
    Pick,
    /// picked → allocated
    Unpick,
    /// picked → packed
    Pack,
    /// packed → picked
    Unpack,
    /// packed → shipped (in transit)
    Ship,
    /// in transit → delivered
    Deliver,
    /// in transit → lost
    Lose,
}

/// Units to move.
#[derive(Debug, Clone)]
pub struct Advance {
    /// When.
    pub at: Timestamp,
    /// Units of which line.
    pub line: LineId,
    /// From which location they are fulfilled.
    pub location: LocationId,
    /// Where to.
    pub step: Step,
    /// How many.
    pub quantity: i64,
}

/// Units that ship, with their numbers in the line.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    at: Timestamp,
    line: LineId,
    location: Option<LocationId>,
    from: i64,
    to: i64,
}

/// Moves units of many lines, in the order given.
///
/// # Errors
/// A fault when a bucket has not enough: callers look at their own counters first, under lock.
pub async fn advance(tx: &Tx, items: &[Advance]) -> Result<(), Fault> {
    if items.is_empty() {
        return Ok(());
    }
    let mut lines = buckets::lock_lines(tx, items.iter().map(|i| i.line)).await?;
    let (mut changes, leaving) = decide(&mut lines, items)?;
    let costs = ship_stock(tx, &lines, &leaving, &mut changes).await?;
    let headers = buckets::apply(tx, &changes).await?;
    record_shipped(tx, &lines, &headers, &leaving, &costs).await?;
    record_arrivals(tx, &lines, &headers, items)
}

/// Pure: moves the units in memory and says what changes.
fn decide(
    lines: &mut BTreeMap<LineId, LineRow>,
    items: &[Advance],
) -> Result<(Changes, Vec<Leaving>), Fault> {
    let mut changes = Changes::default();
    let mut leaving = Vec::new();
    for item in items {
        let line =
            lines.get_mut(&item.line).ok_or_else(|| Fault::broken(format!("no order line {}", item.line)))?;
        let (order, n) = (line.order_id, item.quantity);
        if n <= 0 {
            return Err(Fault::broken(format!("{} units of {} to move", n, item.line)));
        }
        let change = changes.line(order, item.line);
        let (from, allocation) = shift(line, change, item.step, n);
        if item.step == Step::Ship {
            let (location, at) = (Some(item.location), item.at);
            leaving.push(Leaving { at, line: line.id, location, from: line.shipped - n, to: line.shipped });
        }
        if from < 0 {
            return Err(Fault::broken(format!(
                "{:?} of {n} units of {}: {} too many",
                item.step, item.line, -from
            )));
        }
        if allocation != (0, 0) {
            let change = changes.allocation(order, item.line, item.location);
            change.quantity += allocation.0;
            change.picked += allocation.1;
        }
    }
    Ok((changes, leaving))
}

/// Moves `n` units of a line one step: what is left in the bucket they came from (negative: it had too few), and what changes in the
/// units promised and picked at their location.
fn shift(line: &mut LineRow, change: &mut LineChange, step: Step, n: i64) -> (i64, (i64, i64)) {
    match step {
        Step::Pick => {
            (line.allocated, line.picked) = (line.allocated - n, line.picked + n);
            (change.allocated, change.picked) = (change.allocated - n, change.picked + n);
            (line.allocated, (0, n))
        }
        Step::Unpick => {
            (line.allocated, line.picked) = (line.allocated + n, line.picked - n);
            (change.allocated, change.picked) = (change.allocated + n, change.picked - n);
            (line.picked, (0, -n))
        }
        Step::Pack => {
            (line.picked, line.packed) = (line.picked - n, line.packed + n);
            (change.picked, change.packed) = (change.picked - n, change.packed + n);
            (line.picked, (0, 0))
        }
        Step::Unpack => {
            (line.picked, line.packed) = (line.picked + n, line.packed - n);
            (change.picked, change.packed) = (change.picked + n, change.packed - n);
            (line.packed, (0, 0))
        }
        Step::Ship => {
            (line.packed, line.shipped) = (line.packed - n, line.shipped + n);
            (change.packed, change.shipped) = (change.packed - n, change.shipped + n);
            (line.packed, (-n, -n))
        }
        Step::Deliver => {
            line.delivered += n;
            change.delivered += n;
            (line.shipped - line.delivered - line.lost, (0, 0))
        }
        Step::Lose => {
            line.lost += n;
            change.lost += n;
            (line.shipped - line.delivered - line.lost, (0, 0))
        }
    }
}

/// Takes what leaves out of stock and adds its cost to its line; the cost of each leaving part, in order.
async fn ship_stock(
    tx: &Tx,
    lines: &BTreeMap<LineId, LineRow>,
    leaving: &[Leaving],
    changes: &mut Changes,
) -> Result<Vec<i64>, Fault> {
    let mut costs = vec![0; leaving.len()];
    if leaving.is_empty() {
        return Ok(costs);
    }
    let skus: Vec<catalog::SkuId> =
        leaving.iter().filter_map(|l| lines.get(&l.line)).map(|l| l.sku_id).collect();
    let skus = catalog::skus_by_id(tx, &skus).await?;
    let (mut shipped, mut owners) = (Vec::new(), Vec::new());
    for (i, part) in leaving.iter().enumerate() {
        let (Some(line), Some(location)) = (lines.get(&part.line), part.location) else { continue };
        let sku = skus.get(&line.sku_id).ok_or_else(|| Fault::broken(format!("no SKU {}", line.sku_id)))?;
        for (component, pieces) in sku.takes() {
            owners.push(i);
            shipped.push(ShipStock {
                at: part.at,
                sku: component,
                location,
                quantity: pieces * (part.to - part.from),
                order: line.order_id.0,
                reference: part.line.to_string(),
            });
        }
    }
    for (owner, cost) in owners.into_iter().zip(inventory::ship_stock(tx, &shipped).await?) {
        costs[owner] += cost;
        let part = &leaving[owner];
        if let Some(line) = lines.get(&part.line) {
            changes.line(line.order_id, line.id).cost += cost;
        }
    }
    Ok(costs)
}

async fn record_shipped(
    tx: &Tx,
    lines: &BTreeMap<LineId, LineRow>,
    headers: &BTreeMap<OrderId, Header>,
    leaving: &[Leaving],
    costs: &[i64],
) -> Result<(), Fault> {
    if leaving.is_empty() {
        return Ok(());
    }
    let base: Currency = inventory::base_currency(tx).await?;
    let mut sold: BTreeMap<(OrderId, Timestamp), (Vec<ShippedLine>, i64)> = BTreeMap::new();
    for (part, cost) in leaving.iter().zip(costs) {
        let Some(line) = lines.get(&part.line) else { continue };
        let parts: Parts = unit_parts(line, part.from, part.to);
        let entry = sold.entry((line.order_id, part.at)).or_default();
        entry.1 += parts.total();
        entry.0.push(ShippedLine {
            line: line.id,
            sku_id: line.sku_id,
            location: part.location.unwrap_or(LocationId(0)),
            quantity: part.to - part.from,
            discount_net: parts.discount_net,
            net: parts.net,
            tax: parts.tax,
            shipping: parts.shipping,
            shipping_tax: parts.shipping_tax,
            fee: parts.fee,
            cost: *cost,
        });
    }
    for ((order, at), (lines, total)) in sold {
        let currency = headers.get(&order).map_or(base, |h| h.currency);
        tx.record(
            at,
            order,
            Some(order.0),
            UnitsShipped { order, currency, base_currency: base, lines, total },
        )?;
    }
    Ok(())
}

fn record_arrivals(
    tx: &Tx,
    lines: &BTreeMap<LineId, LineRow>,
    headers: &BTreeMap<OrderId, Header>,
    items: &[Advance],
) -> Result<(), Fault> {
    for step in [Step::Deliver, Step::Lose] {
        let mut arrived: BTreeMap<(OrderId, Timestamp), Vec<LineUnits>> = BTreeMap::new();
        for item in items.iter().filter(|i| i.step == step) {
            let Some(line) = lines.get(&item.line) else { continue };
            let units = LineUnits { line: line.id, sku_id: line.sku_id, quantity: item.quantity };
            arrived.entry((line.order_id, item.at)).or_default().push(units);
        }
        // Keys rise with time: the latest of an order is the last one, and only it can say that now everything is there.
        let last: BTreeMap<OrderId, Timestamp> = arrived.keys().copied().collect();
        for ((order, at), lines) in arrived {
            let complete = |h: &Header| h.units_delivered >= h.units - h.units_cancelled;
            let all = last.get(&order) == Some(&at) && headers.get(&order).is_some_and(complete);
            match step {
                Step::Lose => tx.record(at, order, Some(order.0), UnitsLost { order, lines })?,
                _ => tx.record(at, order, Some(order.0), UnitsDelivered { order, lines, all })?,
            }
        }
    }
    Ok(())
}

#[derive(FromRow)]
struct ServiceLine {
    id: LineId,
}

/// Delivers what is sold without stock (gift wrap, express handling) as soon as the order may go on: such units ship and arrive at once.
pub(crate) async fn deliver_services(tx: &Tx, orders: &[(OrderId, Timestamp)]) -> Result<(), Fault> {
    let mut input = Rows::new("id BIGINT");
    for (order, _) in orders {
        input.push([(*order).into()]);
    }
    if input.is_empty() {
        return Ok(());
    }
    let text =
        "SELECT l.id FROM order_line l JOIN input ON input.id = l.order_id WHERE l.pending > 0 ORDER BY l.id";
    let ids: Vec<ServiceLine> = tx.all_from(&input, text, []).await?;
    let lines = buckets::lock_lines(tx, ids.iter().map(|s| s.id)).await?;
    let when: BTreeMap<OrderId, Timestamp> = orders.iter().copied().collect();
    let mut changes = Changes::default();
    let (mut leaving, mut arrived) = (Vec::new(), Vec::new());
    for line in lines.values().filter(|l| l.pending > 0) {
        let Some(at) = when.get(&line.order_id).copied() else { continue };
        let n = line.pending;
        let change = changes.line(line.order_id, line.id);
        (change.pending, change.shipped, change.delivered) = (-n, n, n);
        leaving.push(Leaving { at, line: line.id, location: None, from: line.shipped, to: line.shipped + n });
        arrived.push(Advance {
            at,
            line: line.id,
            location: LocationId(0),
            step: Step::Deliver,
            quantity: n,
        });
    }
    let headers = buckets::apply(tx, &changes).await?;
    record_shipped(tx, &lines, &headers, &leaving, &vec![0; leaving.len()]).await?;
    record_arrivals(tx, &lines, &headers, &arrived)
}
