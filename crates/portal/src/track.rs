//! Where an order is: looked up by number and e-mail, or by a link from an e-mail.

use crate::gate::{From, Gate, Kind};
use crate::pass::Pass;
use crate::shell::{first_page, page};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use contact::address::Address;
use kernel::Fault;
use maud::{Markup, html};
use orders::{LineRow, OrderId, OrderRow};
use returns::read::ReturnRow;
use returns::{Policy, ReturnId, Status};
use serde::Deserialize;
use shipping::read::TrackingEvent;
use shipping::{Shipment, paper};
use web::html as h;
use web::{App, Form, Params, Problem, Public};

/// What the query says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    /// The pass.
    pub t: String,
    /// A return was asked for just now.
    pub thanks: String,
}

/// An order that somebody has a pass for.
pub(crate) struct Known {
    pub pass: Pass,
    pub order: OrderRow,
}

/// The order of a pass; none when the pass is not good.
pub(crate) async fn known(app: &App, text: &str) -> Result<Option<Known>, Problem> {
    let Some(pass) = Pass::read(&app.db, text).await? else { return Ok(None) };
    let order = orders::read::orders_by_id(app.db.read(), &[pass.order]).await?.remove(&pass.order);
    Ok(order.map(|order| Known { pass, order }))
}

/// The form, or the order of the pass.
pub(crate) async fn show(
    State(app): State<App>,
    _: Public,
    from: From,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::View, &from.0, app.db.now())?;
    if query.t.is_empty() {
        return Ok(form(&app, StatusCode::OK, &LookUp::default(), None));
    }
    match known(&app, &query.t).await? {
        Some(known) => {
            let view = Said { thanks: !query.thanks.is_empty(), wrong: None };
            tracking(&app, StatusCode::OK, &known, &query.t, view).await
        }
        None => Ok(over(&app)),
    }
}

/// What is said of a link that is over or was never ours: the same.
pub(crate) fn over(app: &App) -> Response {
    form(
        app,
        StatusCode::GONE,
        &LookUp::default(),
        Some("This link is no longer good. Look the order up instead."),
    )
}

/// What somebody knows of an order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LookUp {
    number: String,
    email: String,
}

fn form(app: &App, status: StatusCode, typed: &LookUp, wrong: Option<&str>) -> Response {
    let body = html! {
        @if let Some(wrong) = wrong { (h::alert("danger", wrong)) }
        form.card.card-body.mb-3 method="post" action="/track" {
            (h::field(&h::Field { label: "Order number", name: "number", value: &typed.number, hint: "It stands in every e-mail about the order", required: true, autocomplete: "off", ..h::Field::default() }))
            (h::field(&h::Field { label: "E-mail", name: "email", kind: "email", value: &typed.email, hint: "The one you ordered with", required: true, autocomplete: "email", ..h::Field::default() }))
            button.btn.btn-primary.w-100 type="submit" { "Find my order" }
        }
    };
    first_page(app, status, "Where is my order?", &body)
}

/// Finds an order by number and e-mail together.
pub(crate) async fn look_up(
    State(app): State<App>,
    _: Public,
    from: From,
    Form(typed): Form<LookUp>,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::LookUp, &from.0, app.db.now())?;
    let number = typed.number.trim().trim_start_matches('#');
    let text = "SELECT id FROM orders WHERE number = $1 AND LOWER(email) = LOWER($2)";
    let found: Option<i64> = app.db.read().scalar(text, [number.into(), typed.email.trim().into()]).await?;
    match found {
        Some(id) => {
            let pass = Pass { order: OrderId(id), mailed: false };
            let signer = web::signed::Signer::of(&app.db).await?;
            Ok(Redirect::to(&pass.path(&signer, app.db.now())?).into_response())
        }
        None => {
            let wrong = "There is no order with this number and this e-mail. Check both: they stand in the e-mail that confirmed the order.";
            Ok(form(&app, StatusCode::NOT_FOUND, &typed, Some(wrong)))
        }
    }
}

/// What stands on the page of the order beside the order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    /// A return was asked for just now.
    pub thanks: bool,
    /// What was wrong with photos of a return.
    pub wrong: Option<(ReturnId, &'a str)>,
}

/// The page of the order.
pub(crate) async fn tracking(
    app: &App,
    status: StatusCode,
    known: &Known,
    pass: &str,
    said: Said<'_>,
) -> Result<Response, Problem> {
    let sql = app.db.read();
    let (order, id) = (&known.order, known.order.id);
    let lines = orders::read::lines_of(sql, &[id]).await?.remove(&id).unwrap_or_default();
    let mut parcels = Vec::new();
    let shipments = shipping::read::shipments_of(sql, &[id]).await?.remove(&id).unwrap_or_default();
    let shown: Vec<Shipment> =
        shipments.into_iter().filter(|s| s.voided_at.is_none() && s.shipped_at.is_some()).collect();
    let ids: Vec<_> = shown.iter().map(|s| s.id).collect();
    let mut events = shipping::read::tracking_of(sql, &ids).await?;
    for shipment in shown {
        parcels.push((events.remove(&shipment.id).unwrap_or_default(), shipment));
    }
    let filter = returns::read::Filter { order: Some(id), ..returns::read::Filter::default() };
    let asked = returns::read::list(sql, &filter, None, 50).await?;
    let asked_ids: Vec<ReturnId> = asked.iter().map(|r| r.id).collect();
    let labels = returns::labels_of(sql, &asked_ids).await?;
    let policy = Policy::read(sql).await?;
    let free = returns::returnable::of_order(sql, id, &policy, app.db.now()).await?;
    let may_ask = free.iter().any(|r| r.in_window && !r.units.is_empty());
    let addresses = returns::send_back_to(sql, &asked_ids).await?;
    let back: paper::Merchant = db::settings::get(sql, paper::MERCHANT_SETTING).await?.unwrap_or_default();
    let address = match known.pass.mailed {
        true => Some(serde_json::from_str::<Address>(&order.ship_to).map_err(Fault::from)?),
        false => None,
    };
    let shown = |row: &ReturnRow| {
        let lines = send_to(&back.lines, addresses.get(&row.id));
        let wrong = said.wrong.filter(|w| w.0 == row.id).map(|w| w.1);
        returned(row, &lines, &Beside { pass, mailed: known.pass.mailed, label: labels.get(&row.id), wrong })
    };
    // What is still to be done about a return is what one comes for: it stands before the order.
    let (open, closed): (Vec<&ReturnRow>, Vec<&ReturnRow>) =
        asked.iter().partition(|r| r.settled_at.is_none() && r.declined_at.is_none());
    let body = html! {
        @if let Some(newest) = asked.iter().max_by_key(|r| r.id).filter(|_| said.thanks) { (thanks(newest)) }
        @for row in open { (shown(row)) }
        (h::card("", html! {
            p { strong { (state(order)) } }
            @if let Some(promised) = order.promised_at.filter(|_| order.units_delivered < order.units) {
                p { "Expected by " (h::time(promised)) "." }
            }
            p.text-secondary { "Ordered " (h::time(order.placed_at)) "." }
            @if let Some(address) = &address {
                p { strong { "Goes to" } br; @for line in contact::address::lines_and_country(address) { bdi { (line) } br; } }
            }
        }))
        @for (events, shipment) in &parcels { (parcel(shipment, events)) }
        (h::card("What you ordered", items(&lines)))
        @for row in closed { (shown(row)) }
        @if may_ask { p { a.btn.btn-primary.w-100 href=(h::query("/track/return", &[("t", pass)])) { "Return something" } } }
        @else if order.units_shipped > 0 && asked.is_empty() {
            p.text-secondary { "Nothing of this order can be returned here any more. Write to us if something is wrong with it." }
        }
    };
    Ok(page(app, status, &format!("Order {}", order.number), body))
}

/// Where the whole order is, in a sentence.
fn state(o: &OrderRow) -> &'static str {
    match o.fulfilment_status.as_str() {
        "cancelled" => "The order is cancelled.",
        "returned" => "Everything came back to us.",
        _ if o.units_delivered > 0 && o.units_delivered + o.units_cancelled >= o.units => {
            "Everything has arrived."
        }
        _ if o.units_shipped > 0 && o.units_shipped + o.units_cancelled >= o.units => {
            "Everything is on its way."
        }
        _ if o.units_shipped > 0 => "A part is on its way, the rest follows.",
        _ if o.units_backordered > 0 => "We wait for goods, then we ship.",
        _ if o.holds > 0 => "We look at the order before we ship it.",
        _ => "We are getting it ready.",
    }
}

fn words(word: &str) -> String {
    let text = word.replace('_', " ");
    text[..1].to_uppercase() + &text[1..]
}

fn parcel(s: &Shipment, events: &[TrackingEvent]) -> Markup {
    let moment = |e: &TrackingEvent| {
        h::timeline_item(
            e.at,
            &words(e.status.as_str()),
            "",
            html! {
                @if let Some(text) = &e.description { bdi { (text) } " " }
                @if let Some(place) = &e.place { bdi.text-secondary { (place) } }
            },
        )
    };
    h::card_with(
        "Parcel",
        h::badge(s.status.as_str()),
        html! {
            p {
                (s.carrier) ", tracking number " (h::copy(&s.tracking_number))
                @if let Some(page) = shipping::tracking_page(&s.carrier, &s.tracking_number) {
                    " " a href=(page) target="_blank" rel="noopener noreferrer" { "See it at the carrier" }
                }
            }
            @if let Some(promised) = s.promised_at.filter(|_| s.delivered_at.is_none()) { p { "Expected by " (h::time(promised)) "." } }
            @if let Some(delivered) = s.delivered_at { p { "Delivered " (h::time(delivered)) "." } }
            @if events.is_empty() { p.text-secondary { "The carrier has said nothing about it yet." } }
            @else { (h::timeline(events.iter().rev().map(moment))) }
        },
    )
}

fn items(lines: &[LineRow]) -> Markup {
    html! {
        ul {
            @for l in lines.iter().filter(|l| l.ordered > l.cancelled) {
                li { (l.ordered - l.cancelled) " × " bdi { (l.title) } " "
                    @if l.returned > 0 { (h::tag(&format!("{} returned", l.returned), h::Tone::Quiet)) " " }
                    @if l.backordered > 0 { (h::tag(&format!("{} awaited", l.backordered), h::Tone::Warn)) }
                }
            }
        }
    }
}

/// Said once, after a return was asked for: that it arrived, and what happens next.
fn thanks(r: &ReturnRow) -> Markup {
    let next = match r.status {
        Status::Requested => {
            "We look at it and say here whether you may send it: come back to this page in a day or two."
        }
        _ => "You may send it: how is said right below.",
    };
    h::note("success", html! { strong { "Thank you, your return " (r.number) " is noted." } " " (next) })
}

/// Where a return is sent: who we are, and the place it goes to.
fn send_to(merchant: &[String], place: Option<&Address>) -> Vec<String> {
    let place = place.map(contact::address::lines).unwrap_or_default();
    match place.is_empty() {
        // The first line is the name; without the rest of an address it leads nowhere.
        true => merchant.iter().filter(|_| merchant.len() > 1).cloned().collect(),
        false => {
            let name = merchant.first().filter(|name| place.first() != Some(*name));
            name.cloned().into_iter().chain(place).collect()
        }
    }
}

/// What a return needs beside itself.
struct Beside<'a> {
    pass: &'a str,
    /// The pass came by e-mail.
    mailed: bool,
    label: Option<&'a returns::label::LabelRow>,
    /// What was wrong with photos that were sent.
    wrong: Option<&'a str>,
}

/// A return that was asked for, with what to do next.
fn returned(r: &ReturnRow, back: &[String], beside: &Beside<'_>) -> Markup {
    h::card_with(
        &format!("Return {}", r.number),
        h::badge(r.status.as_str()),
        html! {
            @match r.status {
                Status::Requested => p { "We look at it and tell you here whether you may send it." },
                Status::Approved => {
                    ol {
                        li { "Pack the goods so that they arrive whole." }
                        li { "Put a note with the number " strong { (r.number) } " into the parcel." }
                        @if let Some(label) = beside.label { li { (crate::label::step(label, beside.pass, beside.mailed)) } }
                        @else { li { "Send it to:" @if back.is_empty() { " the address that your parcel came from." }
                            @else { address { @for line in back { bdi { (line) } br; } } } } }
                    }
                    p.text-secondary { "Keep the receipt until the return is settled." }
                }
                Status::InTransit => p { "Your parcel is on its way to us." },
                Status::Received | Status::Inspected => p { "It arrived. We look at it, then you get what is due." },
                Status::Settled => p { "It is settled: " (h::amount(r.credited, r.currency)) " by " (r.resolution.as_str().replace('_', " ")) "." },
                Status::Declined => p { "We cannot take it back" @if let Some(reason) = &r.decline_reason { ": " bdi { (reason) } } "." },
            }
            (crate::photo::form(r, beside.pass, beside.wrong))
        },
    )
}
