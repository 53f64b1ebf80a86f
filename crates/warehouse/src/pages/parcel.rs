//! A parcel: what is in it, its papers, and what slices below bring (label, tracking).

use super::order_link;
use crate::model::{Parcel, ParcelId};
use crate::queue::{self, Waits};
use crate::{ReadWarehouse, read};
use axum::extract::State;
use maud::{Markup, html};
use orders::read::orders_by_id;
use web::html::{self as h, Col, Icon, Row, Table};
use web::{App, Caller, May, Problem, Screen, Segment};

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadWarehouse>,
    Segment(id): Segment<ParcelId>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let parcel = read::parcels_by_id(sql, &[id]).await?.remove(&id);
    let parcel = parcel.ok_or_else(|| Problem::not_found(format!("parcel {id}")))?;
    let order = orders_by_id(sql, &[parcel.order]).await?.remove(&parcel.order);
    let order = order.ok_or_else(|| Problem::not_found(format!("order {}", parcel.order)))?;
    let fulfilment = read::fulfilments_by_id(sql, &[parcel.fulfilment]).await?.remove(&parcel.fulfilment);
    let number = fulfilment.as_ref().map(|f| f.number.clone()).unwrap_or_default();
    let loose = fulfilment.as_ref().map_or(0, |f| f.picked - f.packed);
    let place = inventory::locations_by_id(sql, &[parcel.location]).await?.remove(&parcel.location);
    let next = queue::waiting(sql, Waits::Pack, Some(parcel.location), None, 1).await?.into_iter().next();
    let skus = catalog::skus_by_id(sql, &parcel.lines.iter().map(|l| l.sku_id).collect::<Vec<_>>()).await?;
    let rows = parcel.lines.iter().map(|l| {
        let sku = skus.get(&l.sku_id);
        Row::new([
            html! { bdi { (sku.map_or("", |s| s.code.as_str())) } },
            html! { bdi { (sku.map_or("", |s| s.title.as_str())) } },
            html! { (l.quantity) },
        ])
    });
    let cols = [Col::text("SKU"), Col::text("Title"), Col::number("Units")];
    let place = place.map(|l| l.name).unwrap_or_default();
    let to: contact::address::Address = serde_json::from_str(&order.ship_to).unwrap_or_default();
    let body = html! {
        @if let Some(at) = parcel.unpacked_at { (h::note("warning", html! { "Taken apart " (h::time(at)) ". Its units are picked again." })) }
        (h::split(
            html! {
                (web::panels(&caller, "parcel", &id.to_string()))
                (h::card("Contents", Table::new("Units", &cols, rows).show()))
            },
            h::card("Parcel", facts(&caller, &parcel, &order.number, &number, &place, &to)),
        ))
    };
    let slip = format!("/v1/parcels/{id}/packing-slip");
    Ok(Screen::new(&caller, format!("Parcel of {number}"))
        .crumb("Pack", "/pack")
        .actions(html! {
            @if parcel.unpacked_at.is_none() {
                a.btn href=(slip) target="_blank" rel="noopener" data-key="p" { (h::icon(Icon::Printer)) " Packing slip" }
            }
            @if loose > 0 { a.btn.btn-primary href={ "/pack/" (parcel.fulfilment) } data-key="n" { "Next box of " (number) } }
            @else if let Some(next) = &next { a.btn href={ "/pack/" (next.id) } data-key="n" { "Next: " (next.number) } }
            @else { a.btn href="/pack" data-key="n" { "Next" } }
        })
        .live(format!("parcel:{id}"))
        .show(body))
}

fn facts(
    caller: &Caller,
    p: &Parcel,
    order: &str,
    number: &str,
    place: &str,
    to: &contact::address::Address,
) -> Markup {
    let measures = match p.dims {
        Some((l, w, h)) => format!("{l} × {w} × {h} mm"),
        None => "Not measured".to_owned(),
    };
    h::facts([
        ("Order", order_link(caller, p.order, order)),
        ("Fulfilment", html! { (number) " · " bdi { (place) } }),
        ("To", html! { @for line in contact::address::lines_and_country(to) { bdi { (line) } br; } }),
        ("Weight", html! { (h::weight(p.weight_g)) }),
        ("Dimensions", html! { (measures) }),
        ("Packed", html! { (h::time(p.packed_at)) }),
    ])
}
