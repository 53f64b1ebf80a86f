//! Webhook endpoints: make, pause, change, and what became of their deliveries, with replay.

use crate::api::{ReadWebhooks, WriteWebhooks};
use crate::kinds::ALL;
use crate::read::{self, DeliveryRow, EndpointRow};
use crate::replay::{Replay, ReplayDead, Test, replay, replay_dead, test};
use crate::subscribe::{Change, EndpointRefused, Subscribe, Unsubscribe, change, subscribe, unsubscribe};
use crate::{DeliveryId, EndpointId};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::Fault;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Bulk, Col, Field, Row, Table};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Reply, Screen, Segment};

fn kinds(row: &EndpointRow) -> String {
    serde_json::from_str::<Vec<String>>(&row.kinds).map(|k| k.join(" ")).unwrap_or_default()
}

fn state(active: bool) -> Markup {
    if active { h::badge("active") } else { h::tag("paused", h::Tone::Warn) }
}

/// A new endpoint as it is typed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct New {
    url: String,
    /// Kinds as a text, as programs of before send them.
    kinds: String,
    /// Kinds that were ticked.
    kind: Vec<String>,
}

impl New {
    fn all(&self) -> Vec<String> {
        words(&self.kinds).into_iter().chain(self.kind.iter().cloned()).collect()
    }
}

fn fields(typed: &New, problem: Option<&Problem>) -> Markup {
    let error = |name: &str| {
        let all = problem.map(Problem::errors).unwrap_or_default();
        all.iter().find(|e| e.pointer == name).map(|e| e.detail.as_str())
    };
    html! {
        (h::field(&Field { label: "Address", name: "url", value: &typed.url, hint: "https://… that answers 2xx within 15 seconds", error: error("url"), required: true, ..Field::default() }))
        (events(&typed.all(), error("kinds")))
    }
}

/// What a kind is about: `order` of `order.placed`.
fn about(kind: &str) -> &str {
    kind.split('.').next().unwrap_or(kind)
}

/// The kinds of events to tick, by what they are about.
fn events(chosen: &[String], error: Option<&str>) -> Markup {
    let is = |kind: &str| chosen.iter().any(|c| c == kind);
    html! {
        fieldset.mb-3 {
            legend.form-label.required { "Events" }
            (h::checkbox("Everything, also what comes with later versions", "kind[]", "*", is("*"), ""))
            label.search-box.mb-3 {
                (h::icon(h::Icon::Search))
                span.visually-hidden { "Search among the events" }
                input.form-control type="search" placeholder="Search among the events" autocomplete="off" data-narrow="event-kinds";
            }
            div.scope-groups id="event-kinds" {
                @for group in ALL.chunk_by(|a, b| about(a) == about(b)) {
                    div.scope-group data-ticks {
                        p.mb-1 {
                            @if group.len() > 1 { button.btn-bare type="button" data-tick-near { "All of " (h::words(about(group[0]))) } }
                            @else { strong { (h::words(about(group[0]))) } }
                        }
                        @for kind in group { (h::checkbox(kind, "kind[]", kind, is(kind), "")) }
                    }
                }
            }
            @if let Some(error) = error { p.field-error { (error) } }
        }
    }
}

/// Which field a refusal is about.
fn by_field(refused: EndpointRefused) -> Problem {
    match &refused {
        EndpointRefused::BadUrl { .. } => Problem::refused(&refused).at("url"),
        EndpointRefused::NoKinds {}
        | EndpointRefused::BadKind { .. }
        | EndpointRefused::UnknownKind { .. } => Problem::refused(&refused).at("kinds"),
        EndpointRefused::Unknown { .. } => Problem::refused(&refused),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split([' ', ',', '\n']).map(str::trim).filter(|k| !k.is_empty()).map(str::to_owned).collect()
}

const COLS: [Col<'static>; 4] =
    [Col::text("Address"), Col::text("Events"), Col::text("State"), Col::text("Since")];

/// Shows the endpoints.
pub(super) async fn list(State(app): State<App>, caller: May<ReadWebhooks>) -> Result<Markup, Problem> {
    endpoints(&app, &caller, &New::default(), None).await
}

async fn endpoints(
    app: &App,
    caller: &Caller,
    typed: &New,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let all = read::endpoints(app.db.read(), None, 200).await?;
    let row = |e: &EndpointRow| {
        Row::new([html! { bdi { (e.url) } }, html! { (kinds(e)) }, state(e.active), h::time(e.created_at)])
            .href(format!("/developers/webhooks/{}", e.id))
    };
    let body = html! {
        @if all.is_empty() { (h::empty("No endpoints", "An endpoint is told of events as they happen, signed as Standard Webhooks has it.")) }
        @else { (Table::new("Endpoints", &COLS, all.iter().map(row)).show()) }
        @if caller.may::<WriteWebhooks>() {
            div.mt-3.content-narrow { (h::card("New endpoint", html! {
                form method="post" action="/developers/webhooks" { (fields(typed, problem)) (h::form_buttons("Add endpoint", None)) }
            })) }
        }
    };
    Ok(Screen::new(caller, "Webhooks").live("queue:webhooks").show(body))
}

/// The page that shows a secret, once.
fn secret(caller: &Caller, id: EndpointId, secret: &str) -> Markup {
    let body = html! {
        (h::note("warning", html! { "This is the only time the secret is shown. Keep it where the receiver checks signatures." }))
        (h::card("Secret", h::copy(secret)))
        (h::link(&format!("/developers/webhooks/{id}"), "I have it", "primary", ""))
    };
    Screen::new(caller, "The endpoint’s secret").crumb("Webhooks", "/developers/webhooks").narrow().show(body)
}

/// Makes an endpoint and shows its secret.
pub(super) async fn make(
    State(app): State<App>,
    caller: May<WriteWebhooks>,
    Form(form): Form<New>,
) -> Result<Response, Problem> {
    let made: Result<_, Fault> = db::write!(app.db, &caller.actor, |tx| {
        let item = Subscribe { at: tx.now(), url: form.url.clone(), kinds: form.all() };
        Ok(subscribe(tx, &[item]).await?.remove(0).map_err(by_field)?)
    });
    match made.map_err(Problem::from) {
        Ok(made) => Ok(secret(&caller, made.id, &made.secret).into_response()),
        Err(problem) if problem.status().is_client_error() => {
            Ok((problem.status(), endpoints(&app, &caller, &form, Some(&problem)).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// Which deliveries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    state: String,
    cursor: String,
}

const DELIVERIES: [Col<'static>; 5] = [
    Col::text("Event"),
    Col::text("State"),
    Col::number("Attempts"),
    Col::text("Last answer"),
    Col::text("When"),
];

/// Shows an endpoint with its deliveries.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadWebhooks>,
    Segment(id): Segment<EndpointId>,
    Params(query): Params<Query>,
) -> Result<Markup, Problem> {
    endpoint(&app, &caller, id, &query, None).await
}

async fn endpoint(
    app: &App,
    caller: &Caller,
    id: EndpointId,
    query: &Query,
    refused: Option<(&New, &Problem)>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let row =
        read::endpoint(sql, id).await?.ok_or_else(|| Problem::not_found(format!("webhook endpoint {id}")))?;
    let wanted = Some(query.state.as_str()).filter(|s| !s.is_empty());
    let paging = Paging::<DeliveryId>::read(None, Some(&query.cursor))?;
    let page = paging.page(read::deliveries(sql, id, wanted, paging.after, paging.fetch()).await?, |d| d.id);
    let here = format!("/developers/webhooks/{id}");
    let tabs: Vec<(&str, String)> =
        [("All", ""), ("Waiting", "waiting"), ("Delivered", "delivered"), ("Failed", "dead")]
            .map(|(title, state)| (title, h::query(&here, &[("state", state)])))
            .to_vec();
    let states = ["", "waiting", "delivered", "dead"];
    let tabs: Vec<h::Tab<'_>> = tabs
        .iter()
        .zip(states)
        .map(|((title, href), state)| h::Tab { title, href, here: query.state == state, count: None })
        .collect();
    let write = caller.may::<WriteWebhooks>();
    let table = Table::new("Deliveries", &DELIVERIES, page.data.iter().map(delivery));
    let table = match write {
        true => table.bulk(Bulk {
            action: &here,
            name: "deliveries",
            buttons: html! {
                (web::once())
                button.btn.btn-primary type="submit" name="do" value="replay" { "Send again" }
            },
        }),
        false => table,
    };
    let typed = New { url: row.url.clone(), kinds: kinds(&row), kind: Vec::new() };
    let body = html! {
        @if let Some((_, problem)) = refused { (h::alert("danger", problem.detail())) }
        @if !row.active { (h::alert("warning", "Paused: nothing is sent. What waits goes out when it is switched on; what happens meanwhile does not.")) }
        (h::tabs("Deliveries", &tabs))
        @if page.data.is_empty() { (h::empty("No deliveries", "Events that this endpoint hears of appear here.")) }
        @else { (table.show()) }
        (h::pages(&h::query(&here, &[("state", &query.state)]), page.next_cursor.as_deref(), !query.cursor.is_empty(), page.data.len()))
        @if write {
            div.mt-3.content-narrow { (h::card("Change", html! {
                form method="post" action=(here) {
                    (web::once())
                    input type="hidden" name="do" value="change";
                    (fields(refused.map_or(&typed, |(form, _)| form), refused.map(|(_, p)| p)))
                    (h::form_buttons("Save", None))
                }
            })) }
        }
    };
    Ok(Screen::new(caller, row.url.clone())
        .crumb("Webhooks", "/developers/webhooks")
        .beside(state(row.active))
        .subtitle(html! { (kinds(&row)) })
        .actions(html! { @if write { (actions(&here, row.active)) } })
        .live("queue:webhooks")
        .show(body))
}

fn actions(here: &str, active: bool) -> Markup {
    let (label, to) = if active { ("Pause", "pause") } else { ("Switch on", "resume") };
    html! {
        (h::button(here, "Send a test event", "secondary", &[("do", "test")]))
        (h::button(here, "Send all failed again", "secondary", &[("do", "replay_dead")]))
        (h::button(here, label, "secondary", &[("do", to)]))
        (h::confirm("new-secret", here, "New secret", "secondary", "The old secret stops at once: the receiver refuses deliveries until it has the new one.", &[("do", "new_secret")]))
        (h::confirm("remove-endpoint", here, "Remove", "danger", "The endpoint goes with all its deliveries. This cannot be undone.", &[("do", "remove")]))
    }
}

fn delivery(d: &DeliveryRow) -> Row {
    let when = match d.state.as_str() {
        "waiting" => html! { "next " (h::time(d.next_at)) },
        _ => html! { @if let Some(at) = d.delivered_at { (h::time_exact(at)) } },
    };
    Row::new([
        html! { (d.kind) },
        h::badge(&d.state),
        html! { (d.attempts) },
        html! { @if let Some(status) = d.last_status { (status) " " } @if let Some(error) = &d.last_error { bdi { (error) } } },
        when,
    ])
    .href(format!("/developers/deliveries/{}", d.id))
    .value(d.id.to_string(), format!("delivery of {}", d.kind))
}

/// Shows a delivery: what is sent, and what was answered last.
pub(super) async fn one(
    State(app): State<App>,
    caller: May<ReadWebhooks>,
    Segment(id): Segment<DeliveryId>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let d =
        read::delivery(sql, id).await?.ok_or_else(|| Problem::not_found(format!("webhook delivery {id}")))?;
    let sent: serde_json::Value = serde_json::from_str(&d.body()?).map_err(Fault::from)?;
    let sent = serde_json::to_string_pretty(&sent).map_err(Fault::from)?;
    let row = &d.row;
    let endpoint = format!("/developers/webhooks/{}", row.endpoint_id);
    let facts = h::facts([
        ("State", h::badge(&row.state)),
        ("Attempts", html! { (row.attempts) }),
        ("Last status", html! { @match row.last_status { Some(status) => (status), None => "–" } }),
        ("Problem", html! { @match &row.last_error { Some(error) => bdi { (error) }, None => "–" } }),
        ("Next attempt", html! { @if row.state == "waiting" { (h::time(row.next_at)) } @else { "–" } }),
        ("Delivered", html! { @match row.delivered_at { Some(at) => (h::time(at)), None => "–" } }),
    ]);
    let body = h::split(
        html! {
            (h::card("What is sent", html! {
                p.text-secondary { "The body, here with line breaks; the signature is of the body without them." }
                pre.doc tabindex="0" { code { (sent) } }
            }))
            (h::card("What was answered", html! { @match d.answer.as_deref() {
                Some("") => p.text-secondary { "Nothing but the status." },
                Some(answer) => pre.doc tabindex="0" { code { (answer) } },
                None => p.text-secondary { "Nothing yet." },
            } }))
        },
        html! {
            (h::card("Delivery", facts))
            @if caller.may::<WriteWebhooks>() { (h::button(&endpoint, "Send again", "primary", &[("do", "replay"), ("deliveries[]", &id.to_string())])) }
        },
    );
    Ok(Screen::new(&caller, row.kind.clone())
        .crumb("Webhooks", "/developers/webhooks")
        .crumb(&d.url, endpoint)
        .subtitle(
            html! { "Of the event " a href={ "/developers/events/" (row.event_id) } { (row.event_id) } },
        )
        .live("queue:webhooks")
        .show(body))
}

/// What is done with an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Deed {
    Change,
    NewSecret,
    Pause,
    Resume,
    Remove,
    Replay,
    ReplayDead,
    Test,
}

/// What a form of an endpoint sends.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Act {
    #[serde(rename = "do")]
    deed: Deed,
    #[serde(default)]
    once: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    kinds: String,
    #[serde(default)]
    kind: Vec<String>,
    #[serde(default)]
    deliveries: Vec<DeliveryId>,
}

/// Changes an endpoint, or sends deliveries again.
pub(super) async fn act(
    State(app): State<App>,
    caller: May<WriteWebhooks>,
    Segment(id): Segment<EndpointId>,
    Form(form): Form<Act>,
) -> Result<Response, Problem> {
    let here = format!("/developers/webhooks/{id}");
    if form.deed == Deed::NewSecret {
        let changed: Result<_, Fault> = db::write!(app.db, &caller.actor, |tx| {
            let item =
                Change { at: tx.now(), endpoint: id, url: None, kinds: None, active: None, new_secret: true };
            Ok(change(tx, &[item]).await?.remove(0).or_problem()?)
        });
        return Ok(secret(&caller, id, &changed?.secret).into_response());
    }
    let key = Key::once(&form.once, &here);
    let done = web::submit!(app, caller, key, "webhooks.act", &form, |tx| acted(tx, id, &form).await);
    match done {
        Ok(_) => Ok(web::done(said(&form)).to(if form.deed == Deed::Remove {
            "/developers/webhooks"
        } else {
            &here
        })),
        Err(problem) if problem.status().is_client_error() => {
            let typed = form.typed();
            let refused = Some((&typed, &problem)).filter(|_| form.deed == Deed::Change);
            if refused.is_none() {
                return Err(problem);
            }
            let again = endpoint(&app, &caller, id, &Query::default(), refused).await?;
            Ok((problem.status(), again).into_response())
        }
        Err(problem) => Err(problem),
    }
}

impl Act {
    fn typed(&self) -> New {
        New { url: self.url.clone(), kinds: self.kinds.clone(), kind: self.kind.clone() }
    }
}

fn said(form: &Act) -> String {
    match form.deed {
        Deed::Replay => match form.deliveries.len() {
            1 => "1 delivery is sent again".to_owned(),
            many => format!("{many} deliveries are sent again"),
        },
        Deed::Test => "A test event is on its way: it is among the deliveries".to_owned(),
        Deed::ReplayDead => "What failed is sent again".to_owned(),
        Deed::Pause => "The endpoint is paused".to_owned(),
        Deed::Resume => "The endpoint is switched on".to_owned(),
        Deed::Remove => "The endpoint is removed".to_owned(),
        Deed::Change | Deed::NewSecret => "Saved".to_owned(),
    }
}

async fn acted(tx: &db::Tx, id: EndpointId, form: &Act) -> Result<Reply, Fault> {
    let at = tx.now();
    let none = || Change { at, endpoint: id, url: None, kinds: None, active: None, new_secret: false };
    let item = match form.deed {
        Deed::Replay => {
            let all: Vec<Replay> = form.deliveries.iter().map(|d| Replay { at, delivery: *d }).collect();
            for outcome in replay(tx, &all).await? {
                outcome.or_problem()?;
            }
            return Ok(Reply::empty());
        }
        Deed::ReplayDead => {
            replay_dead(tx, &[ReplayDead { at, endpoint: id }]).await?.remove(0).or_problem()?;
            return Ok(Reply::empty());
        }
        Deed::Test => {
            test(tx, &[Test { at, endpoint: id }]).await?.remove(0).or_problem()?;
            return Ok(Reply::empty());
        }
        Deed::Remove => {
            unsubscribe(tx, &[Unsubscribe { at, endpoint: id }]).await?.remove(0).or_problem()?;
            return Ok(Reply::empty());
        }
        Deed::Pause => Change { active: Some(false), ..none() },
        Deed::Resume => Change { active: Some(true), ..none() },
        Deed::Change => Change { url: Some(form.url.clone()), kinds: Some(form.typed().all()), ..none() },
        Deed::NewSecret => Change { new_secret: true, ..none() },
    };
    change(tx, &[item]).await?.remove(0).map_err(by_field)?;
    Ok(Reply::empty())
}
