//! The warehouse's panel on the page of an order: its fulfilment orders and their parcels.

use crate::model::{Executor, Fulfilment, Parcel};
use crate::{PickWarehouse, ReadWarehouse, read};
use axum::extract::State;
use kernel::Permission;
use maud::{Markup, html};
use orders::OrderId;
use std::collections::HashMap;
use web::html::{Col, Row, Table, badge, empty, time, weight};
use web::{App, Caller, May, Panel, Problem, Segment};

/// Its place on the page of an order.
pub const PANEL: Panel = Panel {
    page: "order",
    title: "Fulfilment",
    path: |order| format!("/panels/orders/{order}/fulfilments"),
    scope: ReadWarehouse::SCOPE,
    folded: false,
};

/// Shows it.
pub(super) async fn panel(
    State(app): State<App>,
    caller: May<ReadWarehouse>,
    Segment(order): Segment<OrderId>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let fulfilments = read::fulfilments_of(sql, &[order]).await?.remove(&order).unwrap_or_default();
    let parcels = read::parcels_of(sql, &[order]).await?.remove(&order).unwrap_or_default();
    let locations = inventory::locations(sql).await?.into_iter().map(|l| (l.id, l.name)).collect();
    Ok(show(&caller, &fulfilments, &parcels, &locations))
}

const COLS: [Col<'static>; 5] = [
    Col::text("Item"),
    Col::number("Units"),
    Col::number("Picked"),
    Col::number("Packed"),
    Col::number("Shipped"),
];

fn show(
    caller: &Caller,
    fulfilments: &[Fulfilment],
    parcels: &[Parcel],
    locations: &HashMap<inventory::LocationId, String>,
) -> Markup {
    if fulfilments.is_empty() {
        return empty("Nothing to fulfil yet", "Fulfilment orders appear when stock is allocated.");
    }
    html! {
        @for f in fulfilments {
            @let place = locations.get(&f.location).map(String::as_str).unwrap_or_default();
            h3.h4 { (f.number) " · " (place) " " (badge(f.status.as_str())) }
            @if caller.may::<PickWarehouse>() && f.begun() && f.executor == Executor::Own {
                p.button-row {
                    @if f.open() > 0 { a.btn.btn-sm href={ "/pick/" (f.id) } { "Pick" } }
                    @if f.packed < f.picked { a.btn.btn-sm href={ "/pack/" (f.id) } { "Pack" } }
                }
            }
            @if let Some(reason) = &f.request_reason { p.text-secondary { "Rejected: " (reason) } }
            (Table::new(&format!("Units of {}", f.number), &COLS, f.lines.iter().map(|l| Row::new([
                html! { strong { (l.sku) } " " bdi { (l.title) } },
                html! { (l.quantity - l.cancelled) },
                html! { (l.picked) },
                html! { (l.packed) },
                html! { (l.shipped) },
            ]))).show())
            @for (i, p) in parcels.iter().filter(|p| p.fulfilment == f.id && p.unpacked_at.is_none()).enumerate() {
                p {
                    a href={ "/parcels/" (p.id) } { "Parcel " (i + 1) } ", " (weight(p.weight_g)) ", packed " (time(p.packed_at)) " · "
                    a href={ "/v1/parcels/" (p.id) "/packing-slip" } { "Packing slip" }
                }
            }
        }
    }
}
