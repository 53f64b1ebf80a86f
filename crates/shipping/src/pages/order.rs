//! Shipping's panel on the page of an order: its shipments with labels, and the invoice.

use super::{Services, services, state};
use crate::model::Shipment;
use crate::{ReadShipping, read};
use axum::extract::State;
use kernel::Permission;
use maud::{Markup, html};
use orders::OrderId;
use web::html::{Col, Row, Table, amount, time};
use web::{App, May, Panel, Problem, Segment};

/// Its place on the page of an order.
pub const PANEL: Panel = Panel {
    page: "order",
    title: "Shipments",
    path: |order| format!("/panels/orders/{order}/shipments"),
    scope: ReadShipping::SCOPE,
    folded: false,
};

/// Shows it.
pub(super) async fn panel(
    State(app): State<App>,
    _: May<ReadShipping>,
    Segment(order): Segment<OrderId>,
) -> Result<Markup, Problem> {
    let shipments = read::shipments_of(app.db.read(), &[order]).await?.remove(&order).unwrap_or_default();
    Ok(show(order, &shipments, &services(&app).await?))
}

const COLS: [Col<'static>; 5] = [
    Col::text("Tracking number"),
    Col::text("Status"),
    Col::number("Cost"),
    Col::text("Label"),
    Col::text("Since"),
];

fn row(s: &Shipment, services: &Services) -> Row {
    Row::new([
        html! { a href={ "/shipments/" (s.id) } { (s.tracking_number) } div.text-secondary { bdi { (services.name(&s.carrier, &s.service)) } } },
        state(s.status),
        amount(s.cost, s.currency),
        html! {
            @if s.voided_at.is_none() {
                a href={ "/v1/shipments/" (s.id) "/label.pdf" } { "PDF" } " "
                a href={ "/v1/shipments/" (s.id) "/label.zpl" } { "ZPL" }
            }
        },
        time(s.delivered_at.or(s.lost_at).or(s.shipped_at).unwrap_or(s.label_at)),
    ])
    .quiet(s.voided_at.is_some())
}

fn show(order: OrderId, shipments: &[Shipment], services: &Services) -> Markup {
    html! {
        @if shipments.is_empty() { p.text-secondary { "Nothing has a label yet." } }
        @else {
            (Table::new("Shipments", &COLS, shipments.iter().map(|s| row(s, services))).show())
        }
        p.mt-2 { a href={ "/v1/orders/" (order) "/invoice.pdf" } { "Invoice (PDF)" } }
    }
}
