//! The event log, newest first, and one event with its payload.

use crate::api::{ReadEvents, order_of};
use crate::feed::{Fed, Recent, by_id, recent};
use axum::extract::State;
use kernel::fact::EventId;
use kernel::{Timestamp, ids};
use maud::{Markup, html};
use serde::Deserialize;
use web::html::{self as h, Col, Field, Row, Table};
use web::{App, May, Paging, Params, Problem, Screen, Segment};

/// What the query says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    kind: String,
    subject: String,
    from: String,
    to: String,
    cursor: String,
}

const COLS: [Col<'static>; 4] = [Col::text("Event"), Col::text("About"), Col::text("When"), Col::text("By")];

fn day(name: &str, text: &str, plus: i64) -> Result<Option<Timestamp>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let at: Result<Timestamp, _> = format!("{text}T00:00:00Z").parse();
    at.map(|at| Some(at.plus(plus)))
        .map_err(|_| Problem::invalid(name, format!("“{text}” is not a day such as 2026-01-31.")))
}

/// Shows a page of events.
pub(super) async fn list(
    State(app): State<App>,
    caller: May<ReadEvents>,
    Params(query): Params<Query>,
) -> Result<Markup, Problem> {
    let paging = Paging::<EventId>::read(None, Some(&query.cursor))?;
    let some = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    // Everything of an order is asked by its index, whatever the events are about.
    let order = order_of(some(&query.subject).as_deref().filter(|s| s.starts_with("ord_")))?;
    let ask = Recent {
        before: paging.after,
        kind: some(&query.kind),
        subject: if order.is_some() { None } else { some(&query.subject) },
        order,
        from: day("from", &query.from, 0)?,
        until: day("to", &query.to, Timestamp::DAY)?,
        limit: paging.fetch(),
    };
    let page = paging.page(recent(app.db.read(), &ask).await?, |e| e.id);
    let pairs = [
        ("kind", query.kind.as_str()),
        ("subject", &query.subject),
        ("from", &query.from),
        ("to", &query.to),
    ];
    let more = html! {
        (h::field(&Field { label: "About (its id)", name: "subject", value: &query.subject, hint: "As ord_…: then everything of the order", ..Field::default() }))
        (h::field(&Field { label: "From", name: "from", kind: "date", value: &query.from, ..Field::default() }))
        (h::field(&Field { label: "To", name: "to", kind: "date", value: &query.to, ..Field::default() }))
    };
    let active: Vec<h::Toggle> = pairs[1..]
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let rest: Vec<(&str, &str)> = pairs.iter().copied().filter(|(n, _)| n != name).collect();
            h::Toggle { label: format!("{name}: {value}"), without: h::query("/developers/events", &rest) }
        })
        .collect();
    let row = |e: &Fed| {
        Row::new([
            html! { (e.kind) },
            html! { code { (e.subject) } },
            h::time(e.recorded_at),
            html! { (e.actor) },
        ])
        .href(format!("/developers/events/{}", e.id))
    };
    let body = html! {
        (h::filter_bar("/developers/events", ("kind", &query.kind, "Kind, as order.placed"), more, &active))
        @if page.data.is_empty() { (h::empty("No events", "Nothing was recorded that fits. Kinds look like order.placed.")) }
        @else { (Table::new("Events", &COLS, page.data.iter().map(row)).show()) }
        (h::pages(&h::query("/developers/events", &pairs), page.next_cursor.as_deref(), !query.cursor.is_empty(), page.data.len()))
    };
    Ok(Screen::new(&caller, "Events")
        .subtitle(
            html! { "What happened, newest first. Programs read the same by " code { "GET /v1/events" } "." },
        )
        .actions(html! { (h::link("/docs", "API documentation", "secondary", "")) })
        .show(body))
}

/// Shows an event.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadEvents>,
    Segment(id): Segment<EventId>,
) -> Result<Markup, Problem> {
    let event = by_id(app.db.read(), id).await?.ok_or_else(|| Problem::not_found(format!("event {id}")))?;
    let payload: serde_json::Value = serde_json::from_str(&event.payload).map_err(kernel::Fault::from)?;
    let pretty = serde_json::to_string_pretty(&payload).map_err(kernel::Fault::from)?;
    let order = event.order_id.map(Order);
    let body = html! {
        (h::card("Event", h::facts([
            ("About", html! { a href=(h::query("/developers/events", &[("subject", &event.subject)])) { code { (event.subject) } } }),
            ("Order", html! { @if let Some(order) = &order { a href={ "/orders/" (order) } { (order) } } @else { "None" } }),
            ("Happened", h::time(event.at)),
            ("Recorded", h::time(event.recorded_at)),
            ("By", html! { (event.actor) }),
            ("Id", h::copy(&event.id.to_string())),
        ])))
        (h::card("Payload", html! { pre tabindex="0" { (pretty) } }))
    };
    Ok(Screen::new(&caller, event.kind.clone()).crumb("Events", "/developers/events").show(body))
}

/// A raw order id as text.
struct Order(i64);
impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        ids::write_id("ord", self.0, f)
    }
}
