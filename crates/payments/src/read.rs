//! Queries: the payments, operations and refunds of orders.

use crate::fold::Entry;
use crate::model::{FactKind, Operation, Payment, Phase, Refund, RefundPart};
use crate::{OperationId, PaymentId};
use db::{FromRow, Rows, Sql};
use kernel::{Fault, Timestamp};
use std::collections::HashMap;

/// The payments of orders (raw ids), in the order they were opened.
///
/// # Errors
/// A fault of the database.
pub async fn payments_of(sql: &Sql, orders: &[i64]) -> Result<HashMap<i64, Vec<Payment>>, Fault> {
    let text = "SELECT p.* FROM payment p WHERE p.order_id IN (SELECT id FROM input) ORDER BY p.id";
    let payments: Vec<Payment> = sql.all_from(&ids(orders.iter().copied()), text, []).await?;
    Ok(grouped(payments, |p| p.order_id))
}

/// One payment.
///
/// # Errors
/// A fault of the database.
pub async fn payment(sql: &Sql, id: PaymentId) -> Result<Option<Payment>, Fault> {
    sql.one("SELECT p.* FROM payment p WHERE p.id = $1", [id.into()]).await
}

/// What a list of payments is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this status.
    pub status: Option<String>,
    /// At this gateway.
    pub gateway: Option<String>,
    /// Of the order with this number, or with this reference at the gateway.
    pub search: Option<String>,
    /// Older than this one: the last of the page before.
    pub before: Option<PaymentId>,
}

/// A page of payments, newest first.
///
/// # Errors
/// A fault of the database.
pub async fn list(sql: &Sql, filter: &Filter, limit: i64) -> Result<Vec<Payment>, Fault> {
    let mut values: Vec<db::Value> = vec![filter.before.map_or(i64::MAX, |id| id.0).into(), limit.into()];
    let mut text = "SELECT p.* FROM payment p WHERE p.id < $1".to_owned();
    if let Some(status) = &filter.status {
        values.push(status.as_str().into());
        text += &format!(" AND p.status = ${}", values.len());
    }
    if let Some(gateway) = &filter.gateway {
        values.push(gateway.as_str().into());
        text += &format!(" AND p.gateway = ${}", values.len());
    }
    if let Some(search) = &filter.search {
        values.push(search.trim().into());
        let n = values.len();
        text += &format!(
            " AND (p.order_id IN (SELECT o.id FROM orders o WHERE o.number = ${n}) OR p.reference = ${n})"
        );
    }
    text += " ORDER BY p.id DESC LIMIT $2";
    sql.all(&text, values).await
}

#[derive(FromRow)]
struct Head {
    id: i64,
    number: String,
    name: String,
}

/// What people know orders (raw ids) by: number and name of the customer.
///
/// # Errors
/// A fault of the database.
pub async fn order_heads(
    sql: &Sql,
    orders: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, (String, String)>, Fault> {
    let text = "SELECT o.id, o.number, o.name FROM orders o JOIN input ON input.id = o.id";
    let found: Vec<Head> = sql.all_from(&ids(orders), text, []).await?;
    Ok(found.into_iter().map(|o| (o.id, (o.number, o.name))).collect())
}

/// Payments by id; unknown ids are left out.
///
/// # Errors
/// A fault of the database.
pub async fn payments_by_id(
    sql: &Sql,
    payments: impl IntoIterator<Item = PaymentId>,
) -> Result<HashMap<PaymentId, Payment>, Fault> {
    let text = "SELECT p.* FROM payment p WHERE p.id IN (SELECT id FROM input)";
    let found: Vec<Payment> = sql.all_from(&ids(payments.into_iter().map(|p| p.0)), text, []).await?;
    Ok(found.into_iter().map(|p| (p.id, p)).collect())
}

/// What was asked of gateways for payments, in order.
///
/// # Errors
/// A fault of the database.
pub async fn operations_of(
    sql: &Sql,
    payments: &[PaymentId],
) -> Result<HashMap<PaymentId, Vec<Operation>>, Fault> {
    let text =
        "SELECT o.* FROM payment_operation o WHERE o.payment_id IN (SELECT id FROM input) ORDER BY o.id";
    let operations: Vec<Operation> = sql.all_from(&ids(payments.iter().map(|p| p.0)), text, []).await?;
    Ok(grouped(operations, |o| o.payment_id))
}

/// An operation and its payment.
///
/// # Errors
/// A fault of the database.
pub async fn operation(sql: &Sql, id: OperationId) -> Result<Option<(Operation, Payment)>, Fault> {
    let operation: Option<Operation> =
        sql.one("SELECT o.* FROM payment_operation o WHERE o.id = $1", [id.into()]).await?;
    let Some(operation) = operation else { return Ok(None) };
    Ok(payment(sql, operation.payment_id).await?.map(|p| (operation, p)))
}

/// Whether there is an order (raw id): the event log knows every order, also one that nobody pays for.
///
/// # Errors
/// A fault of the database.
pub(crate) async fn is_order(sql: &Sql, order: i64) -> Result<bool, Fault> {
    let one: Option<i64> =
        sql.scalar("SELECT id FROM event WHERE order_id = $1 LIMIT 1", [order.into()]).await?;
    Ok(one.is_some())
}

/// Whether an authorisation of a payment has no end yet.
pub(crate) async fn is_authorising(sql: &Sql, payment: PaymentId) -> Result<bool, Fault> {
    let text = "SELECT id FROM payment_operation WHERE payment_id = $1 AND kind = 'authorise' AND state NOT IN ('succeeded', 'failed') LIMIT 1";
    let one: Option<i64> = sql.scalar(text, [payment.into()]).await?;
    Ok(one.is_some())
}

#[derive(FromRow)]
struct FactRow {
    id: i64,
    payment_id: PaymentId,
    operation_id: Option<OperationId>,
    kind: FactKind,
    phase: Phase,
    amount: i64,
    gateway_reference: String,
    at: Timestamp,
    detail: Option<String>,
}

/// The facts of payments, by time.
///
/// # Errors
/// A fault of the database.
pub async fn facts_of(sql: &Sql, payments: &[PaymentId]) -> Result<HashMap<PaymentId, Vec<Entry>>, Fault> {
    let text = "SELECT id, payment_id, operation_id, kind, phase, amount, gateway_reference, at, detail FROM payment_event \
                WHERE payment_id IN (SELECT id FROM input) ORDER BY at, id";
    let rows: Vec<FactRow> = sql.all_from(&ids(payments.iter().map(|p| p.0)), text, []).await?;
    let mut facts: HashMap<PaymentId, Vec<Entry>> = HashMap::new();
    for r in rows {
        facts.entry(r.payment_id).or_default().push(Entry {
            id: r.id,
            at: r.at,
            kind: r.kind,
            phase: r.phase,
            amount: r.amount,
            reference: r.gateway_reference,
            operation: r.operation_id,
            detail: r.detail,
        });
    }
    Ok(facts)
}

/// The refunds of orders (raw ids) with their parts, in the order they were granted.
///
/// # Errors
/// A fault of the database.
pub async fn refunds_of(
    sql: &Sql,
    orders: &[i64],
) -> Result<HashMap<i64, Vec<(Refund, Vec<RefundPart>)>>, Fault> {
    let orders = ids(orders.iter().copied());
    let text = "SELECT r.* FROM refund r WHERE r.order_id IN (SELECT id FROM input) ORDER BY r.id";
    let refunds: Vec<Refund> = sql.all_from(&orders, text, []).await?;
    let text = "SELECT x.refund_id, x.payment_id, x.operation_id, x.amount, o.state, o.problem FROM refund_part x \
                JOIN payment_operation o ON o.id = x.operation_id WHERE x.refund_id IN (SELECT id FROM input) \
                ORDER BY x.refund_id, x.payment_id, x.operation_id";
    let parts: Vec<RefundPart> = sql.all_from(&ids(refunds.iter().map(|r| r.id.0)), text, []).await?;
    let mut parts = grouped(parts, |p| p.refund_id);
    let with_parts = refunds.into_iter().map(|r| {
        let parts = parts.remove(&r.id).unwrap_or_default();
        (r, parts)
    });
    Ok(grouped(with_parts, |(r, _)| r.order_id))
}

fn ids(raw: impl Iterator<Item = i64>) -> Rows {
    let raw: std::collections::BTreeSet<i64> = raw.collect();
    let mut rows = Rows::new("id BIGINT");
    for id in raw {
        rows.push([id.into()]);
    }
    rows
}

fn grouped<T, K: std::hash::Hash + Eq>(
    rows: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> HashMap<K, Vec<T>> {
    let mut map: HashMap<K, Vec<T>> = HashMap::new();
    for row in rows {
        map.entry(key(&row)).or_default().push(row);
    }
    map
}
