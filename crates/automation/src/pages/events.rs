//! The event log, newest first, and one event with its payload.

use crate::api::{ReadEvents, order_of};
use crate::feed::{Fed, Recent, by_id, recent};
use axum::extract::State;
use db::Sql;
use kernel::Timestamp;
use kernel::fact::EventId;
use maud::{Markup, html};
use orders::OrderId;
use serde::Deserialize;
use std::collections::HashMap;
use web::auth::{actor_name, subject_link};
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
            h::Toggle {
                label: format!(
                    "{}: {value}",
                    if *name == "subject" { "About".to_owned() } else { h::words(name) }
                ),
                without: h::query("/developers/events", &rest),
            }
        })
        .collect();
    let about = About::of(app.db.read(), &page.data).await?;
    let row = |e: &Fed| {
        Row::new([
            html! { (e.kind) },
            about.subject(&e.subject),
            h::time_exact(e.recorded_at),
            html! { (actor_name(&about.names, &e.actor)) },
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
    let about = About::of(app.db.read(), std::slice::from_ref(&event)).await?;
    let body = html! {
        (h::card("Event", h::facts([
            ("About", html! { (about.subject(&event.subject)) " · " a href=(h::query("/developers/events", &[("subject", &event.subject)])) { "all its events" } }),
            ("Order", html! { @match event.order_id { Some(order) => (about.subject(&OrderId(order).to_string())), None => "–" } }),
            ("Happened", h::time_exact(event.at)),
            ("Recorded", h::time_exact(event.recorded_at)),
            ("By", html! { (actor_name(&about.names, &event.actor)) }),
            ("Id", h::copy(&event.id.to_string())),
        ])))
        (h::card("Payload", html! { pre tabindex="0" { (pretty) } }))
    };
    Ok(Screen::new(&caller, event.kind.clone()).crumb("Events", "/developers/events").show(body))
}

/// What people call those who acted, and the orders it was about.
struct About {
    names: HashMap<String, String>,
    /// Numbers by id.
    orders: HashMap<String, String>,
}

impl About {
    async fn of(sql: &Sql, events: &[Fed]) -> Result<Self, kernel::Fault> {
        let actors: Vec<&str> = events.iter().map(|e| e.actor.as_str()).collect();
        let names = web::auth::names(sql, &actors).await?;
        let mut orders: Vec<OrderId> = events.iter().filter_map(|e| e.order_id.map(OrderId)).collect();
        orders.extend(events.iter().filter_map(|e| e.subject.parse::<OrderId>().ok()));
        orders.sort_unstable();
        orders.dedup();
        let orders = orders::read::orders_by_id(sql, &orders).await?;
        let orders = orders.into_iter().map(|(id, order)| (id.to_string(), order.number)).collect();
        Ok(Self { names, orders })
    }
    fn subject(&self, subject: &str) -> Markup {
        subject_link(subject, self.orders.get(subject).map(String::as_str))
    }
}
