//! Moving units between the buckets of lines: the one place that writes them, with the sums on the order beside them.
//!
//! Invariant: `ordered = cancelled + pending + backordered + allocated + picked + packed + shipped` per line (a CHECK), and the order's
//! counters are the sums of its lines'.

use crate::model::{LineId, LineRow, OrderId};
use db::{FromRow, Rows, Sql, Tx};
use inventory::LocationId;
use kernel::{Currency, Fault};
use std::collections::BTreeMap;

/// What changes in a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LineChange {
    pub cancelled: i64,
    pub pending: i64,
    pub backordered: i64,
    pub allocated: i64,
    pub picked: i64,
    pub packed: i64,
    pub shipped: i64,
    pub delivered: i64,
    pub lost: i64,
    pub returned: i64,
    pub cost: i64,
}

/// What changes in the units promised at a location.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AllocationChange {
    pub quantity: i64,
    pub picked: i64,
}

/// Changes to be written together.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub lines: BTreeMap<LineId, (OrderId, LineChange)>,
    pub allocations: BTreeMap<(LineId, LocationId), (OrderId, AllocationChange)>,
    /// Money of cancelled and of returned units.
    pub money: BTreeMap<OrderId, (i64, i64)>,
}

impl Changes {
    pub(crate) fn line(&mut self, order: OrderId, line: LineId) -> &mut LineChange {
        &mut self.lines.entry(line).or_insert((order, LineChange::default())).1
    }
    pub(crate) fn allocation(
        &mut self,
        order: OrderId,
        line: LineId,
        location: LocationId,
    ) -> &mut AllocationChange {
        &mut self.allocations.entry((line, location)).or_insert((order, AllocationChange::default())).1
    }
}

/// An order's header after the change.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Header {
    pub id: OrderId,
    pub currency: Currency,
    pub priority: i64,
    pub holds: i64,
    pub units: i64,
    pub units_cancelled: i64,
    pub units_delivered: i64,
    pub total: i64,
    pub cancelled_total: i64,
    pub captured: i64,
    pub refunded: i64,
}

const HEADER: &str = "o.id, o.currency, o.priority, o.holds, o.units, o.units_cancelled, o.units_delivered, o.total, o.cancelled_total, o.captured, o.refunded";

/// Locks the orders of lines, in key order, and gives the lines.
pub(crate) async fn lock_lines(
    tx: &Tx,
    lines: impl Iterator<Item = LineId>,
) -> Result<BTreeMap<LineId, LineRow>, Fault> {
    let mut ids: Vec<LineId> = lines.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut input = Rows::new("id BIGINT");
    for id in &ids {
        input.push([(*id).into()]);
    }
    let orders = "SELECT o.id FROM orders o WHERE o.id IN (SELECT l.order_id FROM order_line l JOIN input ON input.id = l.id) ORDER BY o.id FOR UPDATE OF o";
    tx.lock_from(&input, orders).await?;
    lines_by_id(tx, &input).await
}

/// Locks orders in key order and gives their headers.
pub(crate) async fn lock_orders(tx: &Tx, orders: &[OrderId]) -> Result<BTreeMap<OrderId, Header>, Fault> {
    let mut input = Rows::new("id BIGINT");
    let mut ids = orders.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        input.push([id.into()]);
    }
    let text = format!(
        "SELECT {HEADER} FROM orders o JOIN input ON input.id = o.id ORDER BY o.id /*pg FOR UPDATE OF o */"
    );
    Ok(tx.all_from::<Header>(&input, &text, []).await?.into_iter().map(|h| (h.id, h)).collect())
}

async fn lines_by_id(sql: &Sql, input: &Rows) -> Result<BTreeMap<LineId, LineRow>, Fault> {
    let text =
        format!("SELECT {} FROM order_line l JOIN input ON input.id = l.id", crate::read::LINE_COLUMNS);
    Ok(sql.all_from::<LineRow>(input, &text, []).await?.into_iter().map(|l| (l.id, l)).collect())
}

/// Writes the changes and gives the headers of the orders touched.
pub(crate) async fn apply(tx: &Tx, changes: &Changes) -> Result<BTreeMap<OrderId, Header>, Fault> {
    write_lines(tx, changes).await?;
    write_allocations(tx, changes).await?;
    write_headers(tx, changes).await
}

async fn write_lines(tx: &Tx, changes: &Changes) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, cancelled BIGINT, pending BIGINT, backordered BIGINT, allocated BIGINT, picked BIGINT, packed BIGINT, shipped BIGINT, \
         delivered BIGINT, lost BIGINT, returned BIGINT, cost BIGINT",
    );
    for (id, (_, c)) in changes.lines.iter().filter(|(_, (_, c))| *c != LineChange::default()) {
        rows.push([
            (*id).into(),
            c.cancelled.into(),
            c.pending.into(),
            c.backordered.into(),
            c.allocated.into(),
            c.picked.into(),
            c.packed.into(),
            c.shipped.into(),
            c.delivered.into(),
            c.lost.into(),
            c.returned.into(),
            c.cost.into(),
        ]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    tx.exec_from(
        &rows,
        "UPDATE order_line SET cancelled = order_line.cancelled + input.cancelled, pending = order_line.pending + input.pending, \
         backordered = order_line.backordered + input.backordered, allocated = order_line.allocated + input.allocated, \
         picked = order_line.picked + input.picked, packed = order_line.packed + input.packed, shipped = order_line.shipped + input.shipped, \
         delivered = order_line.delivered + input.delivered, lost = order_line.lost + input.lost, returned = order_line.returned + input.returned, \
         cost = order_line.cost + input.cost FROM input WHERE order_line.id = input.id",
        [],
    )
    .await?;
    Ok(())
}

async fn write_allocations(tx: &Tx, changes: &Changes) -> Result<(), Fault> {
    let mut rows =
        Rows::new("line_id BIGINT, location_id BIGINT, order_id BIGINT, quantity BIGINT, picked BIGINT");
    let mut new = Rows::new("line_id BIGINT, location_id BIGINT, order_id BIGINT");
    for ((line, location), (order, c)) in
        changes.allocations.iter().filter(|(_, (_, c))| *c != AllocationChange::default())
    {
        rows.push([(*line).into(), (*location).into(), (*order).into(), c.quantity.into(), c.picked.into()]);
        if c.quantity > 0 {
            new.push([(*line).into(), (*location).into(), (*order).into()]);
        }
    }
    if !new.is_empty() {
        tx.exec_from(
            &new,
            "INSERT INTO allocation (line_id, location_id, order_id, quantity) SELECT line_id, location_id, order_id, 0 FROM input WHERE TRUE \
             ON CONFLICT (line_id, location_id) DO NOTHING",
            [],
        )
        .await?;
    }
    if !rows.is_empty() {
        tx.exec_from(
            &rows,
            "UPDATE allocation SET quantity = allocation.quantity + input.quantity, picked = allocation.picked + input.picked FROM input \
             WHERE allocation.line_id = input.line_id AND allocation.location_id = input.location_id",
            [],
        )
        .await?;
    }
    Ok(())
}

async fn write_headers(tx: &Tx, changes: &Changes) -> Result<BTreeMap<OrderId, Header>, Fault> {
    let mut sums: BTreeMap<OrderId, LineChange> = BTreeMap::new();
    for (order, change) in changes.lines.values() {
        let sum = sums.entry(*order).or_default();
        sum.cancelled += change.cancelled;
        sum.backordered += change.backordered;
        sum.shipped += change.shipped;
        sum.delivered += change.delivered;
        sum.returned += change.returned;
    }
    let mut rows = Rows::new(
        "id BIGINT, cancelled BIGINT, backordered BIGINT, shipped BIGINT, delivered BIGINT, returned BIGINT, cancelled_total BIGINT, returned_total BIGINT",
    );
    for order in changes.money.keys() {
        sums.entry(*order).or_default();
    }
    for (id, sum) in &sums {
        let (cancelled_total, returned_total) = changes.money.get(id).copied().unwrap_or_default();
        rows.push([
            (*id).into(),
            sum.cancelled.into(),
            sum.backordered.into(),
            sum.shipped.into(),
            sum.delivered.into(),
            sum.returned.into(),
            cancelled_total.into(),
            returned_total.into(),
        ]);
    }
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    // SQLite knows no alias in RETURNING of an UPDATE … FROM: the columns stand alone.
    let columns = HEADER.replace("o.", "");
    let text = format!(
        "UPDATE orders SET units_cancelled = units_cancelled + input.cancelled, units_backordered = units_backordered + input.backordered, \
         units_shipped = units_shipped + input.shipped, units_delivered = units_delivered + input.delivered, units_returned = units_returned + input.returned, \
         cancelled_total = orders.cancelled_total + input.cancelled_total, returned_total = orders.returned_total + input.returned_total, \
         version = version + 1, updated_at = $1 FROM input WHERE orders.id = input.id RETURNING orders.{}",
        columns.replace(", ", ", orders.")
    );
    Ok(tx.all_from::<Header>(&rows, &text, [tx.now().into()]).await?.into_iter().map(|h| (h.id, h)).collect())
}
