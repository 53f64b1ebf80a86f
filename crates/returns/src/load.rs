//! What commands load: returns with their units, locked in the order of ids, and the orders they belong to.
//!
//! Invariant: rows are locked before anything is decided about them — returns first, then orders, then what the slices above lock.

use crate::model::{Acceptance, Disposition, Reason, Reception, Resolution, ReturnId, ReturnUnitId};
use db::FromRow;
use db::{Rows, Sql, Tx};
use kernel::{Currency, Fault, Timestamp};
use orders::{LineId, OrderId};
use std::collections::HashMap;

/// A return as stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Stored {
    pub id: ReturnId,
    pub number: String,
    pub order_id: OrderId,
    pub customer_id: customers::CustomerId,
    pub resolution: Resolution,
    pub refund_shipping: bool,
    pub approved_at: Option<Timestamp>,
    pub declined_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    pub credited: i64,
}

/// A unit as stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Unit {
    pub id: ReturnUnitId,
    pub return_id: ReturnId,
    pub line_id: LineId,
    pub unit: i64,
    pub reason: Reason,
    pub reception: Reception,
    pub acceptance: Acceptance,
    pub disposition: Option<Disposition>,
    pub credit: i64,
}

/// A locked return with its units in order.
#[derive(Debug, Clone)]
pub(crate) struct Locked {
    pub row: Stored,
    pub units: Vec<Unit>,
}

/// Why nothing can be done to a return, whatever is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    NotApproved,
    Declined,
    Settled,
}

impl Locked {
    /// Whether units may be received and inspected.
    pub(crate) fn at_work(&self) -> Result<(), Closed> {
        match (self.row.declined_at, self.row.settled_at, self.row.approved_at) {
            (Some(_), _, _) => Err(Closed::Declined),
            (_, Some(_), _) => Err(Closed::Settled),
            (_, _, None) => Err(Closed::NotApproved),
            _ => Ok(()),
        }
    }
    /// Positions of the named units; of all that `open` says when none is named. The first one that is no unit of it otherwise.
    pub(crate) fn select(
        &self,
        named: &[ReturnUnitId],
        open: impl Fn(&Unit) -> bool,
    ) -> Result<Vec<usize>, ReturnUnitId> {
        if named.is_empty() {
            return Ok((0..self.units.len()).filter(|i| open(&self.units[*i])).collect());
        }
        let known: HashMap<ReturnUnitId, usize> =
            self.units.iter().enumerate().map(|(i, u)| (u.id, i)).collect();
        let mut found: Vec<usize> =
            named.iter().map(|id| known.get(id).copied().ok_or(*id)).collect::<Result<_, _>>()?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

fn ids<T: Into<db::Value>>(ids: impl IntoIterator<Item = T>) -> Rows {
    let mut rows = Rows::new("id BIGINT");
    for id in ids {
        rows.push([id.into()]);
    }
    rows
}

fn unique<T: Copy + Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Locks returns and reads them with their units.
pub(crate) async fn lock(
    tx: &Tx,
    returns: impl IntoIterator<Item = ReturnId>,
) -> Result<HashMap<ReturnId, Locked>, Fault> {
    let wanted = ids(unique(returns));
    let text = "SELECT r.id, r.number, r.order_id, r.customer_id, r.resolution, r.refund_shipping, r.approved_at, r.declined_at, r.settled_at, \
        r.credited FROM return_request r JOIN input ON input.id = r.id ORDER BY r.id /*pg FOR UPDATE OF r */";
    let rows: Vec<Stored> = tx.all_from(&wanted, text, []).await?;
    let text = "SELECT u.id, u.return_id, u.line_id, u.unit, u.reason, u.reception, u.acceptance, u.disposition, u.credit \
        FROM return_unit u JOIN input ON input.id = u.return_id ORDER BY u.return_id, u.id";
    let mut found: HashMap<ReturnId, Locked> =
        rows.into_iter().map(|row| (row.id, Locked { row, units: Vec::new() })).collect();
    for unit in tx.all_from::<Unit>(&wanted, text, []).await? {
        if let Some(locked) = found.get_mut(&unit.return_id) {
            locked.units.push(unit);
        }
    }
    Ok(found)
}

/// An order, as far as returns need it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OrderFacts {
    pub id: OrderId,
    pub number: String,
    pub customer_id: customers::CustomerId,
    pub currency: Currency,
    pub tax_inclusive: bool,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub ship_to: String,
    pub bill_to: String,
    pub total: i64,
    pub cancelled_total: i64,
    pub returned_total: i64,
}

/// Locks orders and reads them.
pub(crate) async fn lock_orders(
    tx: &Tx,
    orders: impl IntoIterator<Item = OrderId>,
) -> Result<HashMap<OrderId, OrderFacts>, Fault> {
    let text = "SELECT o.id, o.number, o.customer_id, o.currency, o.tax_inclusive, o.name, o.email, o.phone, o.ship_to, o.bill_to, o.total, \
        o.cancelled_total, o.returned_total FROM orders o JOIN input ON input.id = o.id ORDER BY o.id /*pg FOR UPDATE OF o */";
    let rows: Vec<OrderFacts> = tx.all_from(&ids(unique(orders)), text, []).await?;
    Ok(rows.into_iter().map(|o| (o.id, o)).collect())
}

/// Sums over the tenders of an order.
#[derive(Debug, Clone, Copy, Default, FromRow)]
pub(crate) struct Paid {
    pub order_id: i64,
    pub captured: i64,
    pub refunded: i64,
    pub refund_pending: i64,
    pub dispute_lost: i64,
    pub capture_pending: i64,
}

/// Locks the tenders of orders and sums them up.
pub(crate) async fn lock_paid(
    tx: &Tx,
    orders: impl IntoIterator<Item = OrderId>,
) -> Result<HashMap<OrderId, Paid>, Fault> {
    let text = "SELECT p.order_id, p.captured, p.refunded, p.refund_pending, p.dispute_lost, p.capture_pending \
        FROM payment p JOIN input ON input.id = p.order_id ORDER BY p.id /*pg FOR UPDATE OF p */";
    let mut sums: HashMap<OrderId, Paid> = HashMap::new();
    for p in tx.all_from::<Paid>(&ids(unique(orders)), text, []).await? {
        let sum = sums.entry(OrderId(p.order_id)).or_insert(Paid { order_id: p.order_id, ..Paid::default() });
        sum.captured += p.captured;
        sum.refunded += p.refunded;
        sum.refund_pending += p.refund_pending;
        sum.dispute_lost += p.dispute_lost;
        sum.capture_pending += p.capture_pending;
    }
    Ok(sums)
}

#[derive(FromRow)]
struct Taken {
    line_id: LineId,
    unit: i64,
}
#[derive(FromRow)]
struct Delivered {
    line_id: LineId,
    at: Option<Timestamp>,
}

/// The unit numbers of each line that are asked back already.
pub(crate) async fn taken_units(tx: &Sql, orders: &[OrderId]) -> Result<HashMap<LineId, Vec<i64>>, Fault> {
    let text = "SELECT u.line_id, u.unit FROM return_unit u JOIN input ON input.id = u.order_id WHERE NOT u.released ORDER BY u.line_id, u.unit";
    let mut taken: HashMap<LineId, Vec<i64>> = HashMap::new();
    for row in tx.all_from::<Taken>(&ids(orders.iter().copied()), text, []).await? {
        taken.entry(row.line_id).or_default().push(row.unit);
    }
    Ok(taken)
}

/// When units of each line last arrived.
pub(crate) async fn deliveries(tx: &Sql, orders: &[OrderId]) -> Result<HashMap<LineId, Timestamp>, Fault> {
    let text = "SELECT l.line_id, MAX(s.delivered_at) AS at FROM shipment s JOIN input ON input.id = s.order_id \
        JOIN parcel_line l ON l.parcel_id = s.parcel_id WHERE s.voided_at IS NULL GROUP BY l.line_id";
    let rows: Vec<Delivered> = tx.all_from(&ids(orders.iter().copied()), text, []).await?;
    Ok(rows.into_iter().filter_map(|d| d.at.map(|at| (d.line_id, at))).collect())
}

#[derive(FromRow)]
struct Place {
    id: ReturnUnitId,
    location_id: inventory::LocationId,
}

/// Where units of returns were received.
pub(crate) async fn places(
    tx: &Tx,
    returns: impl IntoIterator<Item = ReturnId>,
) -> Result<HashMap<ReturnUnitId, inventory::LocationId>, Fault> {
    let text = "SELECT u.id, u.location_id FROM return_unit u JOIN input ON input.id = u.return_id WHERE u.location_id IS NOT NULL";
    let rows: Vec<Place> = tx.all_from(&ids(unique(returns)), text, []).await?;
    Ok(rows.into_iter().map(|p| (p.id, p.location_id)).collect())
}
