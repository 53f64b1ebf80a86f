//! The payments of an order, as a panel on its page.

use crate::api::ReadPayments;
use crate::read;
use crate::view::{self, OrderRef};
use axum::extract::State;
use maud::{Markup, html};
use web::html::{self as h, Col, Row, Table};
use web::{App, May, Problem, Segment};

/// The panel on the page of an order.
pub(crate) const PANEL: web::Panel = web::Panel {
    page: "order",
    title: "Payments",
    path: |id| format!("/orders/{id}/payments"),
    scope: "payments:read",
    folded: false,
};

pub(super) async fn of_order(
    State(app): State<App>,
    _: May<ReadPayments>,
    Segment(order): Segment<OrderRef>,
) -> Result<Markup, Problem> {
    let payments = read::payments_of(app.db.read(), &[order.0]).await?.remove(&order.0).unwrap_or_default();
    let refunds = view::refunds(app.db.read(), order).await?;
    if payments.is_empty() {
        return Ok(h::empty("No payments", "Nothing was paid or asked for yet."));
    }
    let tenders = payments.iter().map(|p| {
        Row::new([
            html! { a href={ "/payments/" (p.id) } { (super::tender(&p.gateway, &p.method)) } },
            html! { (h::badge(&p.status)) @if p.disputed > 0 { " " (h::badge("disputed")) } },
            h::amount(p.amount, p.currency),
            super::list::some_money(p.captured, p),
            super::list::some_money(p.refunded, p),
        ])
    });
    let granted = refunds.iter().map(|r| {
        Row::new([
            h::time(r.granted_at),
            html! { bdi { (r.reason) } },
            h::amount(r.amount, r.currency),
            h::amount(r.paid, r.currency),
        ])
    });
    Ok(html! {
        (Table::new("Tenders", &TENDERS, tenders).show())
        @if !refunds.is_empty() { (Table::new("Refunds", &REFUNDS, granted).show()) }
    })
}

const TENDERS: [Col<'static>; 5] = [
    Col::text("Tender"),
    Col::text("Status"),
    Col::number("Amount"),
    Col::number("Captured"),
    Col::number("Refunded"),
];
const REFUNDS: [Col<'static>; 4] =
    [Col::text("Refund"), Col::text("Reason"), Col::number("Granted"), Col::number("Paid out")];
