//! Shipping's part of the page of a parcel: offers, the label with its papers, and taking the parcel apart.
//!
//! Invariant: an offer is asked for when the page is shown and bought as it was shown, by carrier and service.

use super::{hand_over, refused, services, single, state};
use crate::carrier::Carriers;
use crate::model::{Shipment, Status};
use crate::rate::Quote;
use crate::{BuyLabel, ReadShipping, WriteShipping, read};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::Permission;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use warehouse::{ParcelId, Unpack};
use web::html::{self as h, Icon};
use web::{App, Caller, Form, Key, May, OrProblem, Panel, Problem, Reply, Segment};

/// Its place on the page of a parcel.
pub(super) const PANEL: Panel = Panel {
    page: "parcel",
    title: "Label",
    path: |parcel| format!("/panels/parcels/{parcel}/label"),
    scope: ReadShipping::SCOPE,
    folded: false,
};

/// Shows it.
pub(super) async fn panel(
    State(app): State<App>,
    caller: May<ReadShipping>,
    Segment(id): Segment<ParcelId>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let parcel = warehouse::parcels_by_id(sql, &[id]).await?.remove(&id);
    let parcel = parcel.ok_or_else(|| Problem::not_found(format!("parcel {id}")))?;
    let all = read::shipments_of(sql, &[parcel.order]).await?.remove(&parcel.order).unwrap_or_default();
    let live = all.iter().find(|s| s.parcel_id == id && s.voided_at.is_none());
    let may = caller.may::<WriteShipping>();
    Ok(match live {
        Some(shipment) => {
            labelled(shipment, &services(&app).await?.name(&shipment.carrier, &shipment.service), may)
        }
        None if parcel.unpacked_at.is_some() => html! { p.text-secondary { "It has no label." } },
        None if !may => html! { p.text-secondary { "It has no label yet." } },
        None => {
            let carriers = app.ctx.parts.get::<Carriers>()?;
            let offers =
                crate::quote_everywhere(sql, &carriers, &*app.ctx.outside, id).await?.or_problem()?;
            offered(id, &offers)
        }
    })
}

fn labelled(s: &Shipment, service: &str, may: bool) -> Markup {
    let left = s.shipped_at.is_some();
    html! {
        p { (state(s.status)) " " bdi { (service) } " · "
            a href={ "/shipments/" (s.id) } { @if s.status == Status::Draft { "Being bought" } @else { (s.tracking_number) } }
            @if s.status != Status::Draft { (super::at_the_carrier(&s.carrier, &s.tracking_number)) } }
        @if s.status == Status::Draft {
            p.text-secondary { "The carrier is being asked; this shows the label by itself." }
        } @else {
            div.button-row {
                a.btn.btn-primary[!left] href={ "/v1/shipments/" (s.id) "/label.pdf" } target="_blank" rel="noopener" data-key="l" { (h::icon(Icon::Printer)) " Print the label" }
                a.btn href={ "/v1/shipments/" (s.id) "/label.zpl" } { "ZPL for a label printer" }
                @if may && !left { (hand_over(s.id, "secondary")) }
            }
        }
    }
}

/// What carriers ask, the cheapest first and as the large button.
fn offered(id: ParcelId, offers: &[Quote]) -> Markup {
    html! {
        @if offers.is_empty() {
            (h::note("warning", html! { "No carrier carries this parcel there. Add a rate card for its country and weight, or take it apart." }))
        }
        @for (i, offer) in offers.iter().enumerate() {
            form.button-row.mb-2 method="post" action={ "/parcels/" (id) "/label" } {
                (web::once())
                input type="hidden" name="carrier" value=(offer.carrier);
                input type="hidden" name="service" value=(offer.service);
                button.btn.btn-primary[i == 0] type="submit" data-key=[(i == 0).then_some("b")] { "Buy " (offer.name) }
                span { (h::money(offer.cost)) " · " (days(offer)) }
            }
        }
        div.button-row.mt-3 {
            form method="post" action={ "/parcels/" (id) "/unpack" } {
                (web::once())
                button.btn type="submit" { "Take the parcel apart" }
            }
        }
    }
}

fn days(offer: &Quote) -> String {
    match (offer.min_days, offer.max_days) {
        (1, 1) => "1 day".to_owned(),
        (min, max) if min == max => format!("{min} days"),
        (min, max) => format!("{min} to {max} days"),
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct Buy {
    #[serde(default)]
    once: String,
    carrier: String,
    service: String,
}

/// What is said when something of a parcel is refused.
fn said(caller: &Caller, id: ParcelId, problem: &Problem) -> Response {
    let page =
        web::Screen::new(caller, "Not possible now").crumb("Parcel", format!("/parcels/{id}")).show(html! {
            (h::alert("danger", problem.detail()))
            (h::link(&format!("/parcels/{id}"), "Back to the parcel", "primary", ""))
        });
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

/// Buys a label.
pub(super) async fn buy(
    State(app): State<App>,
    caller: May<WriteShipping>,
    Segment(id): Segment<ParcelId>,
    Form(sent): Form<Buy>,
) -> Result<Response, Problem> {
    let carriers = app.ctx.parts.get::<Carriers>()?;
    let key = Key::once(&sent.once, &format!("/parcels/{id}/label"));
    let done = web::submit!(app, caller, key, "shipping.label_page", &sent, |tx| {
        let (carrier, service) = (sent.carrier.clone(), sent.service.clone());
        single(
            crate::buy_label(tx, &carriers, &[BuyLabel { at: tx.now(), parcel: id, carrier, service }])
                .await?,
        )?;
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => Ok(web::done("The label is bought").to(&format!("/parcels/{id}"))),
        Err(problem) => Ok(said(&caller, id, &problem)),
    }
}

#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Apart {
    once: String,
}

/// Takes a parcel without label apart.
pub(super) async fn take_apart(
    State(app): State<App>,
    caller: May<WriteShipping>,
    Segment(id): Segment<ParcelId>,
    Form(sent): Form<Apart>,
) -> Result<Response, Problem> {
    let key = Key::once(&sent.once, &format!("/parcels/{id}/unpack"));
    let done = web::submit!(app, caller, key, "shipping.unpack_page", &sent, |tx| {
        single(crate::unpack(tx, &[Unpack { at: tx.now(), parcel: id }]).await?)?;
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => Ok(web::done("Taken apart: its units are picked again").to("/pack")),
        Err(problem) => Ok(said(&caller, id, &problem)),
    }
}
