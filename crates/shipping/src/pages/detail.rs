//! A shipment: where it is and was, its papers, and what may be done with it.

use super::{carriers, hand_over, refused, services, single, state, words};
use crate::carrier::Carriers;
use crate::model::{Shipment, ShipmentId, Status};
use crate::read::{self, TrackingEvent};
use crate::status::{is_tracking, rank};
use crate::{ReadShipping, Track, VoidLabel, WriteShipping};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use orders::read::orders_by_id;
use serde::{Deserialize, Serialize};
use web::html::{self as h, Field, Icon, Moment, Select, Tone};
use web::{App, Caller, Form, Key, May, Problem, Reply, Screen, Segment};

/// What is wrong with what was sent.
#[derive(Default)]
struct Told {
    problem: Option<Problem>,
    form: Event,
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadShipping>,
    Segment(id): Segment<ShipmentId>,
) -> Result<Markup, Problem> {
    page(&app, &caller, id, &Told::default()).await
}

async fn page(app: &App, caller: &Caller, id: ShipmentId, told: &Told) -> Result<Markup, Problem> {
    let (sql, now) = (app.db.read(), app.db.now());
    let s = read::shipments_by_id(sql, &[id]).await?.remove(&id);
    let s = s.ok_or_else(|| Problem::not_found(format!("shipment {id}")))?;
    let events = read::tracking(sql, id).await?;
    let order = orders_by_id(sql, &[s.order_id]).await?.remove(&s.order_id);
    let number = order.as_ref().map(|o| o.number.clone()).unwrap_or_default();
    let to: contact::address::Address =
        order.as_ref().and_then(|o| serde_json::from_str(&o.ship_to).ok()).unwrap_or_default();
    let names = carriers(app).await?;
    let carrier = names.get(&s.carrier).cloned().unwrap_or_else(|| s.carrier.clone());
    let service = services(app).await?.name(&s.carrier, &s.service);
    let may = caller.may::<WriteShipping>();
    let moving = s.voided_at.is_none() && s.status != Status::Draft;
    let body = html! {
        @if let Some(problem) = &told.problem { (h::alert("danger", problem.detail())) }
        (h::split(
            html! {
                (h::card("Tracking", timeline(&s, &events)))
                @if may && moving { (h::card("Record what happened", event_form(&s, &told.form))) }
            },
            h::card("Shipment", facts(caller, &s, (&carrier, &service), &number, &to)),
        ))
    };
    let late = s.promised_at.is_some_and(|at| at < now) && s.delivered_at.is_none() && moving;
    let title =
        if s.status == Status::Draft { "Label being bought".to_owned() } else { s.tracking_number.clone() };
    Ok(Screen::new(caller, title)
        .crumb("Shipments", "/shipments")
        .beside(html! { (state(s.status)) @if late { (h::tag("Late", Tone::Bad)) } })
        .actions(actions(&s, may))
        .live(format!("shipment:{id}"))
        .show(body))
}

fn actions(s: &Shipment, may: bool) -> Markup {
    let labelled = s.voided_at.is_none() && s.status != Status::Draft;
    let leaves = labelled && s.shipped_at.is_none();
    html! {
        @if labelled {
            a.btn href={ "/v1/shipments/" (s.id) "/label.pdf" } target="_blank" rel="noopener" data-key="l" { (h::icon(Icon::Printer)) " Label" }
            a.btn href={ "/v1/shipments/" (s.id) "/label.zpl" } { "ZPL" }
        }
        @if leaves && may {
            (h::confirm("void", &format!("/shipments/{}/void", s.id), "Void the label", "secondary",
                "The carrier takes the label back. The parcel may get another one then, or be taken apart.", &[]))
            (hand_over(s.id, "primary"))
        }
    }
}

fn facts(
    caller: &Caller,
    s: &Shipment,
    (carrier, service): (&str, &str),
    order: &str,
    to: &contact::address::Address,
) -> Markup {
    let order_link = html! {
        @if caller.scopes.allow("orders:read") { a href={ "/orders/" (s.order_id) } { (order) } } @else { (order) }
    };
    let parcel = html! {
        @if caller.scopes.allow("warehouse:read") { a href={ "/parcels/" (s.parcel_id) } { "Contents and papers" } } @else { (h::none()) }
    };
    html! {
        (h::facts([
            ("Carrier", html! { bdi { (carrier) } }),
            ("Service", html! { bdi { (service) } }),
            ("Tracking number", html! {
                @if s.status == Status::Draft { (h::none()) } @else { (h::copy(&s.tracking_number)) (super::at_the_carrier(&s.carrier, &s.tracking_number)) }
            }),
            ("Order", order_link),
            ("Parcel", parcel),
            ("Label", html! { (h::time(s.label_at)) }),
            ("Costs", h::amount(s.cost, s.currency)),
            ("Promised", html! { @match s.promised_at { Some(at) => (h::day(&at.day())), None => (h::none()) } }),
            ("To", html! { @for line in contact::address::lines_and_country(to) { bdi { (line) } br; } }),
        ]))
    }
}

fn look(status: Status) -> (Icon, Tone) {
    let icon = match status {
        Status::Draft | Status::LabelPurchased => Icon::Tag,
        Status::Shipped | Status::InTransit => Icon::PackageExport,
        Status::OutForDelivery => Icon::TruckDelivery,
        Status::AvailableForPickup => Icon::MapPin,
        Status::AttemptFailed | Status::Exception => Icon::AlertTriangle,
        Status::Delivered => Icon::CircleCheck,
        Status::ReturnedToSender => Icon::TruckReturn,
        Status::Lost | Status::Voided => Icon::CircleX,
    };
    (icon, h::status_tone(status.as_str()))
}

/// Our own moments and the carrier's, the newest first.
fn timeline(s: &Shipment, events: &[TrackingEvent]) -> Markup {
    let told = events.iter().map(|e| {
        let place = e.place.as_deref().unwrap_or_default();
        let said = e.description.as_deref().unwrap_or_default();
        (
            e.at,
            e.status,
            [place, said].iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join(" · "),
        )
    });
    let bought = if s.status == Status::Draft { Status::Draft } else { Status::LabelPurchased };
    let own = [(Some(s.label_at), bought), (s.shipped_at, Status::Shipped), (s.voided_at, Status::Voided)];
    let own = own.into_iter().filter_map(|(at, status)| Some((at?, status, String::new())));
    let mut all: Vec<_> = told.chain(own).collect();
    // What happened in the same minute happened in the order of a parcel's life.
    all.sort_by_key(|(at, status, _)| std::cmp::Reverse((*at, rank(*status))));
    h::moments(all.iter().map(|(at, status, said)| {
        let (icon, tone) = look(*status);
        Moment { at: *at, title: words(*status), by: "", detail: html! { bdi { (said) } }, icon, tone }
    }))
}

/// Something that happened, as a form tells it.
#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
pub(super) struct Event {
    once: String,
    status: String,
    place: String,
    description: String,
}

fn event_form(s: &Shipment, form: &Event) -> Markup {
    let choices: Vec<(&str, &str)> =
        Status::ALL.into_iter().filter(|s| is_tracking(*s)).map(|s| (s.as_str(), words(s))).collect();
    let chosen = if form.status.is_empty() { "in_transit" } else { &form.status };
    html! {
        p.text-secondary { "For a carrier that says nothing by itself, or for what it said on the phone." }
        form method="post" action={ "/shipments/" (s.id) "/track" } {
            (web::once_again(&form.once))
            (h::fields([
                h::select_field(&Select { label: "What", name: "status", options: &choices, chosen, ..Select::default() }),
                h::field(&Field { label: "Where", name: "place", value: &form.place, ..Field::default() }),
                h::field(&Field { label: "In words", name: "description", value: &form.description, ..Field::default() }),
            ]))
            (h::form_buttons("Record", None))
        }
    }
}

async fn again(
    app: &App,
    caller: &Caller,
    id: ShipmentId,
    problem: Problem,
    form: Event,
) -> Result<Response, Problem> {
    let told = Told { problem: Some(problem), form };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(app, caller, id, &told).await?).into_response())
}

/// Gives the label back.
pub(super) async fn void(
    State(app): State<App>,
    caller: May<WriteShipping>,
    Segment(id): Segment<ShipmentId>,
) -> Result<Response, Problem> {
    let carriers = app.ctx.parts.get::<Carriers>()?;
    // A label is voided once whatever is sent: the second time says that it is void.
    let key = Key::once("", "");
    let done = web::submit!(app, caller, key, "shipping.void_page", &id, |tx| {
        single(crate::void_label(tx, &carriers, &[VoidLabel { at: tx.now(), shipment: id }]).await?)?;
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => Ok(web::done("The label is given back").to(&format!("/shipments/{id}"))),
        Err(problem) => again(&app, &caller, id, problem, Event::default()).await,
    }
}

/// Records something that happened to it.
pub(super) async fn track(
    State(app): State<App>,
    caller: May<WriteShipping>,
    Segment(id): Segment<ShipmentId>,
    Form(sent): Form<Event>,
) -> Result<Response, Problem> {
    let Ok(status) = sent.status.parse::<Status>() else {
        let problem = Problem::invalid("status", "Choose what happened.");
        return again(&app, &caller, id, problem, sent).await;
    };
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let key = Key::once(&sent.once, &format!("/shipments/{id}/track"));
    let source_id = format!("form:{}", sent.once);
    let done = web::submit!(app, caller, key, "shipping.track_page", &sent, |tx| {
        let (place, description) = (some(&sent.place), some(&sent.description));
        let item =
            Track { at: tx.now(), shipment: id, source_id: source_id.clone(), status, place, description };
        single(crate::track(tx, &[item]).await?)?;
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => {
            Ok(web::done(format!("Recorded: {}", words(status).to_lowercase()))
                .to(&format!("/shipments/{id}")))
        }
        Err(problem) => again(&app, &caller, id, problem, sent).await,
    }
}
