//! Orders and their money: the order's amounts follow its payments, the hold `payment_due` follows the amounts, and what ships is
//! captured.

use crate::hold::{Hold, ReleaseHold, hold, release_hold};
use crate::model::{HoldKind, OrderId, unit_parts};
use crate::read;
use db::{FromRow, Rows, Tx};
use kernel::{Event, Fault, Timestamp};
use std::collections::BTreeMap;

/// The kinds of payment events after which an order's amounts are added up again.
pub(crate) const PAYMENT_KINDS: &[&str] = &[
    "payment.authorised",
    "payment.captured",
    "payment.voided",
    "payment.failed",
    "payment.expired",
    "payment.refunded",
    "payment.disputed",
    "payment.dispute_closed",
];

#[derive(FromRow)]
struct Money {
    id: OrderId,
    holds_payment: i64,
    open: i64,
    pay_later: bool,
    covered: i64,
    owed: i64,
}

/// Reaction: adds up the payments of the orders concerned, and puts or takes away `payment_due`.
pub(crate) async fn on_payment(tx: &Tx, events: &[Event]) -> Result<(), Fault> {
    let mut orders: BTreeMap<i64, Timestamp> = BTreeMap::new();
    for event in events {
        if let Some(order) = event.order {
            let at = orders.entry(order).or_insert(event.at);
            *at = (*at).max(event.at);
        }
    }
    let mut input = Rows::new("id BIGINT");
    for order in orders.keys() {
        input.push([(*order).into()]);
    }
    let text = "UPDATE orders SET authorised = p.authorised, captured = p.captured, refunded = p.refunded, disputed = p.disputed, version = version + 1, updated_at = $1 \
         FROM (SELECT order_id, CAST(SUM(CASE WHEN authorised - voided > captured THEN authorised - voided ELSE captured END) AS BIGINT) AS authorised, \
               CAST(SUM(captured) AS BIGINT) AS captured, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(disputed + dispute_lost) AS BIGINT) AS disputed \
               FROM payment WHERE order_id IN (SELECT id FROM input) GROUP BY order_id) AS p \
         WHERE orders.id = p.order_id AND (orders.authorised <> p.authorised OR orders.captured <> p.captured \
               OR orders.refunded <> p.refunded OR orders.disputed <> p.disputed)";
    tx.exec_from(&input, text, [tx.now().into()]).await?;
    let text = "SELECT o.id, (SELECT COUNT(*) FROM order_hold h WHERE h.order_id = o.id AND h.kind = 'payment_due') AS holds_payment, \
         o.units - o.units_cancelled - o.units_shipped AS open, o.pay_later, o.authorised AS covered, o.total - o.cancelled_total AS owed \
         FROM orders o JOIN input ON input.id = o.id ORDER BY o.id";
    let states: Vec<Money> = tx.all_from(&input, text, []).await?;
    let at = |order: OrderId| orders.get(&order.0).copied().unwrap_or(tx.now());
    let by = tx.actor();
    let release: Vec<ReleaseHold> = states
        .iter()
        .filter(|s| s.holds_payment > 0 && s.covered >= s.owed)
        .map(|s| ReleaseHold { at: at(s.id), order: s.id, kind: HoldKind::PaymentDue, by: by.clone() })
        .collect();
    let again: Vec<Hold> = states
        .iter()
        .filter(|s| s.holds_payment == 0 && s.covered < s.owed && s.open > 0 && !s.pay_later)
        .map(|s| Hold {
            at: at(s.id),
            order: s.id,
            kind: HoldKind::PaymentDue,
            reason: "Waits for payment.".into(),
            by: by.clone(),
        })
        .collect();
    release_hold(tx, &release).await?;
    hold(tx, &again).await?;
    Ok(())
}

#[derive(FromRow)]
struct Due {
    order_id: OrderId,
    taken: i64,
}

/// Reaction: captures what has shipped from tenders that were only authorised.
pub(crate) async fn on_shipped(tx: &Tx, events: &[Event]) -> Result<(), Fault> {
    let mut orders: BTreeMap<OrderId, Timestamp> = BTreeMap::new();
    for event in events {
        if let Some(order) = event.order {
            orders.insert(OrderId(order), event.at);
        }
    }
    let mut input = Rows::new("id BIGINT");
    for order in orders.keys() {
        input.push([(*order).into()]);
    }
    let text = "SELECT p.order_id, CAST(SUM(p.captured + p.capture_pending) AS BIGINT) AS taken FROM payment p \
         WHERE p.order_id IN (SELECT id FROM input) GROUP BY p.order_id \
         HAVING SUM(CASE WHEN p.authorised - p.voided - p.captured - p.capture_pending > 0 AND NOT p.expired THEN 1 ELSE 0 END) > 0 ORDER BY p.order_id";
    let due: Vec<Due> = tx.all_from(&input, text, []).await?;
    if due.is_empty() {
        return Ok(());
    }
    let ids: Vec<OrderId> = due.iter().map(|d| d.order_id).collect();
    let lines = read::lines_of(tx, &ids).await?;
    let captures: Vec<payments::CaptureFor> = due
        .iter()
        .map(|d| {
            let of_order = lines.get(&d.order_id).map_or(&[][..], Vec::as_slice);
            let shipped: i64 = of_order.iter().map(|l| unit_parts(l, 0, l.shipped).total()).sum();
            let at = orders.get(&d.order_id).copied().unwrap_or(tx.now());
            payments::CaptureFor { at, order: d.order_id.0, amount: shipped - d.taken }
        })
        .filter(|c| c.amount > 0)
        .collect();
    payments::capture_for_orders(tx, &captures).await
}
