//! Reading orders: by id, their lines and holds, the timeline; lists are in [`list`].

mod history;
mod list;

pub use history::{
    After, HistoryRow, PromisedRow, WaitingRow, addresses, history, promised, waiting, waiting_counts,
};
pub use list::{Cursor, Filter, all_of, count, list};

use crate::model::{LineId, LineRow, OrderId};
use customers::CustomerId;
use db::{FromRow, Rows, Sql};
use kernel::{Currency, Fault, Timestamp};
use std::collections::HashMap;

/// The columns of [`LineRow`], of `order_line l`.
pub(crate) const LINE_COLUMNS: &str = "l.id, l.order_id, l.position, l.sku_id, l.sku, l.title, l.unit_price, l.tax_rate_ppm, l.tax_class, l.gross, l.discount, \
     l.discount_net, l.net, l.tax, l.shipping, l.shipping_tax, l.fee, l.total, l.cost, l.backorder_ok, l.ordered, l.cancelled, l.pending, l.backordered, \
     l.allocated, l.picked, l.packed, l.shipped, l.delivered, l.lost, l.returned";

const ORDER_COLUMNS: &str = "o.id, o.number, o.channel, o.reference, o.customer_id, o.name, o.email, o.phone, o.ip, o.ship_to, o.bill_to, o.country, o.currency, \
     o.tax_inclusive, o.priority, o.gift_note, o.note, o.tags, o.exchange_of, o.pay_later, o.placed_at, o.promised_at, o.goods, o.discount, o.net, o.tax, \
     o.shipping, o.shipping_tax, o.fee, o.total, o.cancelled_total, o.returned_total, o.authorised, o.captured, o.refunded, o.disputed, o.units, \
     o.units_cancelled, o.units_backordered, o.units_shipped, o.units_delivered, o.units_returned, o.holds, o.version, o.fulfilment_status, o.payment_status";

/// An order as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct OrderRow {
    /// Id.
    pub id: OrderId,
    /// For people.
    pub number: String,
    /// Where it came from.
    pub channel: String,
    /// The channel's reference.
    pub reference: Option<String>,
    /// Whose.
    pub customer_id: CustomerId,
    /// The buyer's name.
    pub name: String,
    /// Lower-case e-mail.
    pub email: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    /// Where it was ordered from.
    pub ip: Option<String>,
    /// JSON of the address.
    pub ship_to: String,
    /// JSON of the address.
    pub bill_to: String,
    /// Destination.
    pub country: String,
    /// Of all amounts.
    pub currency: Currency,
    /// Prices contain tax.
    pub tax_inclusive: bool,
    /// 1 is express.
    pub priority: i64,
    /// For the packing slip.
    pub gift_note: Option<String>,
    /// For us.
    pub note: Option<String>,
    /// JSON list.
    pub tags: String,
    /// The return it replaces.
    pub exchange_of: Option<i64>,
    /// May ship unpaid.
    pub pay_later: bool,
    /// When.
    pub placed_at: Timestamp,
    /// Until when we said.
    pub promised_at: Option<Timestamp>,
    /// Goods as priced.
    pub goods: i64,
    /// Off that.
    pub discount: i64,
    /// Goods without tax, after discount.
    pub net: i64,
    /// Tax on them.
    pub tax: i64,
    /// Shipping without tax.
    pub shipping: i64,
    /// Tax on that.
    pub shipping_tax: i64,
    /// Other charges.
    pub fee: i64,
    /// All of it.
    pub total: i64,
    /// Share of cancelled units.
    pub cancelled_total: i64,
    /// Credit for returned units.
    pub returned_total: i64,
    /// Good for.
    pub authorised: i64,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// Disputed by the customer's bank, open or lost.
    pub disputed: i64,
    /// Units.
    pub units: i64,
    /// Of them cancelled.
    pub units_cancelled: i64,
    /// Of them waiting for stock.
    pub units_backordered: i64,
    /// Of them gone out.
    pub units_shipped: i64,
    /// Of them arrived.
    pub units_delivered: i64,
    /// Of them come back.
    pub units_returned: i64,
    /// Reasons not to go on.
    pub holds: i64,
    /// For If-Match.
    pub version: i64,
    /// Derived.
    pub fulfilment_status: String,
    /// Derived.
    pub payment_status: String,
}

/// Orders by id.
///
/// # Errors
/// A fault of the database.
pub async fn orders_by_id(sql: &Sql, ids: &[OrderId]) -> Result<HashMap<OrderId, OrderRow>, Fault> {
    let text = format!("SELECT {ORDER_COLUMNS} FROM orders o JOIN input ON input.id = o.id");
    Ok(sql.all_from::<OrderRow>(&ids_input(ids), &text, []).await?.into_iter().map(|o| (o.id, o)).collect())
}

/// The lines of orders, by position.
///
/// # Errors
/// A fault of the database.
pub async fn lines_of(sql: &Sql, orders: &[OrderId]) -> Result<HashMap<OrderId, Vec<LineRow>>, Fault> {
    let text = format!(
        "SELECT {LINE_COLUMNS} FROM order_line l JOIN input ON input.id = l.order_id ORDER BY l.order_id, l.position"
    );
    let mut by_order: HashMap<OrderId, Vec<LineRow>> = HashMap::new();
    for line in sql.all_from::<LineRow>(&ids_input(orders), &text, []).await? {
        by_order.entry(line.order_id).or_default().push(line);
    }
    Ok(by_order)
}

/// Lines by id.
///
/// # Errors
/// A fault of the database.
pub async fn lines_by_id(sql: &Sql, lines: &[LineId]) -> Result<HashMap<LineId, LineRow>, Fault> {
    let mut input = Rows::new("id BIGINT");
    let mut ids = lines.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        input.push([id.into()]);
    }
    let text = format!("SELECT {LINE_COLUMNS} FROM order_line l JOIN input ON input.id = l.id");
    Ok(sql.all_from::<LineRow>(&input, &text, []).await?.into_iter().map(|l| (l.id, l)).collect())
}

fn ids_input(ids: &[OrderId]) -> Rows {
    let mut input = Rows::new("id BIGINT");
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        input.push([id.into()]);
    }
    input
}

/// A hold as it is shown.
#[derive(Debug, Clone, FromRow)]
pub struct HoldRow {
    /// Name of the kind.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// The holds of an order, oldest first.
///
/// # Errors
/// A fault of the database.
pub async fn holds_of(sql: &Sql, order: OrderId) -> Result<Vec<HoldRow>, Fault> {
    sql.all("SELECT kind, reason, at FROM order_hold WHERE order_id = $1 ORDER BY at, kind", [order.into()])
        .await
}

#[derive(FromRow)]
struct KindRow {
    order_id: OrderId,
    kind: String,
}

/// The kinds of the holds of orders, by order; orders without any are missing.
///
/// # Errors
/// A fault of the database.
pub async fn holds_of_many(sql: &Sql, orders: &[OrderId]) -> Result<HashMap<OrderId, Vec<String>>, Fault> {
    let mut holds: HashMap<OrderId, Vec<String>> = HashMap::new();
    if orders.is_empty() {
        return Ok(holds);
    }
    let text = "SELECT h.order_id, h.kind FROM order_hold h JOIN input ON input.id = h.order_id ORDER BY h.order_id, h.kind";
    for row in sql.all_from::<KindRow>(&ids_input(orders), text, []).await? {
        holds.entry(row.order_id).or_default().push(row.kind);
    }
    Ok(holds)
}

/// An event as it is shown.
#[derive(Debug, Clone, FromRow)]
pub struct TimelineRow {
    /// Id.
    pub id: kernel::fact::EventId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub kind: String,
    /// To what.
    pub subject: String,
    /// JSON.
    pub payload: String,
}

/// The events of an order after a given one, in the order they happened.
///
/// # Errors
/// A fault of the database.
pub async fn timeline(
    sql: &Sql,
    order: OrderId,
    after: Option<(Timestamp, i64)>,
    limit: u64,
) -> Result<Vec<TimelineRow>, Fault> {
    let (at, id) = after.map_or((i64::MIN, i64::MIN), |(at, id)| (at.0, id));
    sql.all(
        "SELECT id, at, actor, kind, subject, payload FROM event WHERE order_id = $1 AND (at > $2 OR (at = $2 AND id > $3)) ORDER BY at, id LIMIT $4",
        [order.into(), at.into(), id.into(), i64::try_from(limit)?.into()],
    )
    .await
}
