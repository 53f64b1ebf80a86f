//! Payments, newest first, by status, gateway, and order.

use crate::PaymentId;
use crate::api::ReadPayments;
use crate::model::Payment;
use crate::read::{self, Filter};
use crate::view::OrderRef;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;
use web::html::{self as h, Col, Row, Table, Toggle};
use web::{App, May, Paging, Params, Problem, Screen};

/// What the query says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    q: String,
    status: String,
    gateway: String,
    cursor: String,
}

/// The statuses that a payment may have, as the database derives them.
const STATUSES: [&str; 9] = [
    "pending",
    "requires_action",
    "authorised",
    "partially_captured",
    "captured",
    "voided",
    "expired",
    "failed",
    "conflicted",
];

const COLS: [Col<'static>; 8] = [
    Col::text("Payment"),
    Col::text("Order"),
    Col::text("Customer"),
    Col::text("Status").at_end(),
    Col::number("Amount"),
    Col::number("Captured").below(),
    Col::number("Refunded").below(),
    Col::text("Opened"),
];

/// An amount of a payment, or that there is none.
pub(super) fn some_money(minor: i64, p: &Payment) -> Markup {
    if minor == 0 { h::none() } else { h::amount(minor, p.currency) }
}

/// Shows a page of payments.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadPayments>,
    Params(query): Params<Query>,
) -> Result<Markup, Problem> {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    let paging = Paging::<PaymentId>::read(None, Some(&query.cursor))?;
    let filter = Filter {
        status: some(&query.status),
        gateway: some(&query.gateway),
        search: some(&query.q),
        before: paging.after,
    };
    let page = paging.page(read::list(app.db.read(), &filter, paging.fetch()).await?, |p| p.id);
    let orders = read::order_heads(app.db.read(), page.data.iter().map(|p| p.order_id)).await?;
    let row = |p: &Payment| {
        let order = OrderRef(p.order_id);
        Row::new([
            html! { (super::tender(&p.gateway, &p.method)) },
            html! { a href={ "/orders/" (order) } { @match orders.get(&p.order_id) { Some((number, _)) => (number), None => (order) } } },
            html! { @match orders.get(&p.order_id) { Some((_, name)) => bdi { (name) }, None => (h::none()) } },
            html! { (h::badge(&p.status)) @if p.disputed > 0 { " " (h::badge("disputed")) } },
            h::amount(p.amount, p.currency),
            some_money(p.captured, p),
            some_money(p.refunded, p),
            h::time(p.created_at),
        ])
        .href(format!("/payments/{}", p.id))
        .id(p.id.to_string())
    };
    let pairs = [("q", query.q.as_str()), ("status", &query.status), ("gateway", &query.gateway)];
    let active: Vec<Toggle> = pairs[1..]
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let rest: Vec<(&str, &str)> = pairs.iter().copied().filter(|(n, _)| n != name).collect();
            Toggle {
                label: format!("{}: {}", h::words(name), h::plain(value)),
                without: h::query("/payments", &rest),
            }
        })
        .collect();
    let words: Vec<(&str, String)> = STATUSES.iter().map(|s| (*s, h::words(s))).collect();
    let mut statuses = vec![("", "Any")];
    statuses.extend(words.iter().map(|(value, label)| (*value, label.as_str())));
    let more = html! {
        (h::select("Status", "status", &statuses, &query.status))
        (h::field(&h::Field { label: "Gateway", name: "gateway", value: &query.gateway, hint: "Its code, as sandbox", ..h::Field::default() }))
    };
    let body = html! {
        (h::filter_bar("/payments", ("q", &query.q, "Order, reference"), more, &active))
        @if page.data.is_empty() { (h::empty("No payments", "Each tender of an order is a payment; it appears when the order is placed.")) }
        @else { (Table::new("Payments", &COLS, page.data.iter().map(row)).brief().show()) }
        (h::pages(&h::query("/payments", &pairs), page.next_cursor.as_deref(), !query.cursor.is_empty(), page.data.len()))
    };
    Ok(Screen::new(&caller, "Payments").live("queue:payments").show(body))
}
