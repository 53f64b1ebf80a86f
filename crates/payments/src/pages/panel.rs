//! The payments of an order, as a panel on its page.

use crate::api::ReadPayments;
use crate::read;
use crate::view::{self, OrderRef};
use axum::extract::State;
use maud::{Markup, html};
use web::html as h;
use web::{App, May, Problem, Segment};

/// The panel on the page of an order.
pub(crate) const PANEL: web::Panel = web::Panel {
    page: "order",
    title: "Payments",
    path: |id| format!("/orders/{id}/payments"),
    scope: "payments:read",
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
        html! {
            tr {
                td { a href={ "/payments/" (p.id) } { (p.gateway) " · " (p.method) } }
                td { (h::badge(&p.status)) @if p.disputed > 0 { " " (h::badge("disputed")) } }
                td.text-end { (h::amount(p.amount, p.currency)) }
                td.text-end { (h::amount(p.captured, p.currency)) }
                td.text-end { (h::amount(p.refunded, p.currency)) }
            }
        }
    });
    let granted = refunds.iter().map(|r| {
        html! {
            tr {
                td { (h::time(r.granted_at)) }
                td { (r.reason) }
                td.text-end { (h::amount(r.amount, r.currency)) }
                td.text-end { (h::amount(r.paid, r.currency)) }
            }
        }
    });
    Ok(html! {
        (h::table(&["Tender", "Status", "Amount", "Captured", "Refunded"], tenders))
        @if !refunds.is_empty() { (h::table(&["Refund", "Reason", "Granted", "Paid out"], granted)) }
    })
}
