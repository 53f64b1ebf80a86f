//! Release: what waits for the floor, the oldest first and express before it; all or some go, by location.

use super::{order_link, place_tabs, places, refused, single};
use crate::model::{Executor, FulfilmentId, Request};
use crate::queue::{self, After, Queued, Waits};
use crate::{Accept, Ask, ReadWarehouse, Reject, Release, WriteWarehouse};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use inventory::LocationId;
use kernel::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Icon, Row, Tab, Table, Tone};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Reply, Screen};

/// Released by one click at most.
const MOST: i64 = 1000;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    show: String,
    location: Option<LocationId>,
    cursor: Option<String>,
}

/// The views: what the address calls them, their title, what they wait for.
const VIEWS: [(&str, &str, Waits); 5] = [
    ("", "To release", Waits::Release),
    ("floor", "To pick", Waits::Pick),
    ("pack", "To pack", Waits::Pack),
    ("hold", "On hold", Waits::Hold),
    ("others", "With others", Waits::Others),
];

/// Shows what waits.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadWarehouse>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    list(&app, &caller, &q, None).await
}

async fn list(app: &App, caller: &Caller, q: &Query, told: Option<&Problem>) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let (view, _, waits) = VIEWS.into_iter().find(|(name, ..)| *name == q.show).unwrap_or(VIEWS[0]);
    let paging = Paging::<After>::read(Some(100), q.cursor.as_deref())?;
    let rows = queue::waiting(sql, waits, q.location, paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |r| After { priority: r.priority, created_at: r.created_at, id: r.id });
    let counts = queue::counts(sql, q.location).await?;
    let places = places(sql).await?;
    let now = app.db.now();
    let here = address(view, q.location);
    let may = caller.may::<WriteWarehouse>();
    let body = html! {
        @if let Some(problem) = told { (h::alert("danger", problem.detail())) }
        @if waits != Waits::Others { (place_tabs("/warehouse", &places, q.location)) }
        @if page.data.is_empty() { (nothing(waits)) } @else {
            (table(caller, waits, &page.data, now, may, &here))
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    let tabs: Vec<(String, &str, bool, u64)> = VIEWS
        .iter()
        .map(|(name, title, waits)| {
            let at = Waits::ALL.iter().position(|w| w == waits).unwrap_or(0);
            (address(name, q.location), *title, *name == view, counts[at])
        })
        .collect();
    let tabs: Vec<Tab<'_>> =
        tabs.iter().map(|(href, title, here, n)| Tab { title, href, here: *here, count: Some(*n) }).collect();
    let everything = may && waits == Waits::Release && !page.data.is_empty();
    Ok(Screen::new(caller, "Release")
        .subtitle(html! { "What is released appears on the pick lists. Holds keep an order here until they are lifted." })
        .actions(html! {
            @if everything {
                (h::confirm_with("release-all", "/warehouse/release", &format!("Release all {}", counts[0].min(MOST.unsigned_abs())), "primary",
                    "They appear on the pick lists at once. What is released is taken back only by holding its order.", html! {
                        (web::once())
                        input type="hidden" name="do" value="all";
                        @if let Some(l) = q.location { input type="hidden" name="location" value=(l); }
                    }))
            }
        })
        .above(h::tabs("Views", &tabs))
        .live("queue:fulfilment")
        .show(body))
}

fn address(view: &str, location: Option<LocationId>) -> String {
    let location = location.map(|l| l.to_string()).unwrap_or_default();
    h::query("/warehouse", &[("show", view), ("location", &location)])
}

fn nothing(waits: Waits) -> Markup {
    match waits {
        Waits::Release => h::empty_with(
            Icon::CircleCheck,
            "Nothing waits to be released",
            "Orders appear here when stock is allocated to them and nothing holds them.",
            h::link("/pick", "To the pick lists", "primary", ""),
        ),
        Waits::Pick => h::empty_with(
            Icon::Package,
            "Nothing waits to be picked",
            "Release something, and it can be picked.",
            h::link("/warehouse", "To release", "primary", ""),
        ),
        Waits::Pack => h::empty_with(
            Icon::Package,
            "Nothing waits to be packed",
            "What is picked appears here and at the pack station.",
            h::link("/pick", "To the pick lists", "primary", ""),
        ),
        Waits::Hold => h::empty_with(
            Icon::CircleCheck,
            "Nothing is on hold",
            "No order waits for a payment, an address or a decision.",
            html! {},
        ),
        Waits::Others => h::empty_with(
            Icon::TruckDelivery,
            "Nothing is with others",
            "What a logistics company or a supplier ships for you appears here.",
            html! {},
        ),
    }
}

fn table(caller: &Caller, waits: Waits, rows: &[Queued], now: Timestamp, may: bool, here: &str) -> Markup {
    let cols = [
        Col::text("Fulfilment"),
        Col::text("Order"),
        Col::text("For"),
        Col::text("To"),
        Col::text("Location").minor(),
        Col::number("Lines"),
        Col::number("Units"),
        Col::text("Waits"),
        Col::text("Status"),
    ];
    let rows = rows.iter().map(|r| row(caller, r, now));
    let buttons = match waits {
        Waits::Release if may => Some((
            "/warehouse/release",
            html! { button.btn.btn-primary type="submit" name="do" value="ticked" { "Release" } },
        )),
        Waits::Others if may => Some((
            "/warehouse/others",
            html! {
                button.btn.btn-primary type="submit" name="do" value="request" { "Request" }
                button.btn type="submit" name="do" value="accept" { "They accepted" }
                label.visually-hidden for="others-reason" { "Reason of a rejection" }
                input #others-reason.form-control name="reason" placeholder="Reason of a rejection" autocomplete="off";
                button.btn type="submit" name="do" value="reject" { "They rejected" }
            },
        )),
        _ => None,
    };
    let table = Table::new("Fulfilment orders", &cols, rows);
    match buttons {
        None => table.show(),
        Some((action, buttons)) => {
            let buttons = html! { (web::once()) input type="hidden" name="back" value=(here); (buttons) };
            table.bulk(h::Bulk { action, name: "ids", buttons }).show()
        }
    }
}

fn row(caller: &Caller, r: &Queued, now: Timestamp) -> Row {
    let hours = (now.0 - r.created_at.0) / Timestamp::HOUR;
    let late = r.promised_at.is_some_and(|at| at < now);
    let state = html! {
        @match (r.executor, r.request) {
            (Executor::Own, _) => (h::badge(r.status.as_str())),
            (_, Request::None) => (h::tag("Not asked", Tone::Warn)),
            (_, request) => (h::badge(request.as_str())),
        }
        @if r.picked > r.packed { " " (h::tag(&format!("{} to pack", r.picked - r.packed), Tone::Info)) }
    };
    let waits = html! {
        span title=(r.created_at.minute()) {
            @if hours >= 48 { (h::tag(&h::age(r.created_at, now), Tone::Bad)) }
            @else if hours >= 24 { (h::tag(&h::age(r.created_at, now), Tone::Warn)) }
            @else { (h::age(r.created_at, now)) }
        }
        @if late { " " (h::tag("Late", Tone::Bad)) }
    };
    let cells = [
        html! { span.text-nowrap { (r.number) } @if r.priority > 0 { " " (h::badge("express")) } },
        order_link(caller, r.order_id, &r.order_number),
        html! { bdi { (r.name) } },
        html! { bdi { (r.destination()) } },
        html! { (r.location) },
        html! { (r.lines) },
        html! { (r.units) },
        waits,
        state,
    ];
    let href = match r.executor {
        Executor::Own if r.packed < r.picked && r.picked == r.units => format!("/pack/{}", r.id),
        Executor::Own => format!("/pick/{}", r.id),
        _ => format!("/orders/{}", r.order_id),
    };
    Row::new(cells).href(href).value(r.id.to_string(), r.number.clone()).id(r.id.to_string())
}

/// Which of the list is released.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Which {
    Ticked,
    All,
}

/// What somebody else who fulfils is asked, or said.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    Request,
    Accept,
    Reject,
}

/// What was ticked, or everything of a location, and what is done with it.
#[derive(Deserialize, Serialize)]
pub(super) struct Sent<D> {
    r#do: D,
    #[serde(default)]
    once: String,
    #[serde(default)]
    ids: Vec<FulfilmentId>,
    #[serde(default)]
    location: Option<LocationId>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    back: String,
}

impl<D> Sent<D> {
    /// The list it came from.
    fn list(&self) -> String {
        match self.back.starts_with("/warehouse") {
            true => self.back.clone(),
            false => address("", self.location),
        }
    }
    /// The list as it was asked for, for a page that says why not.
    fn query(&self) -> Query {
        let part = |name: &str| {
            let (_, rest) = self.back.split_once(&format!("{name}="))?;
            rest.split('&').next().map(str::to_owned)
        };
        Query {
            show: part("show").unwrap_or_default(),
            location: part("location").and_then(|l| l.parse().ok()),
            cursor: None,
        }
    }
}

fn units(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what} order"),
        n => format!("{n} {what} orders"),
    }
}

/// Releases what was ticked, or all of it.
pub(super) async fn release(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    Form(sent): Form<Sent<Which>>,
) -> Result<Response, Problem> {
    let ids: Vec<FulfilmentId> = match sent.r#do {
        Which::All => {
            let rows = queue::waiting(app.db.read(), Waits::Release, sent.location, None, MOST).await?;
            rows.into_iter().map(|r| r.id).collect()
        }
        Which::Ticked => sent.ids.clone(),
    };
    let key = Key::once(&sent.once, "/warehouse/release");
    let done = web::submit!(app, caller, key, "warehouse.release_page", &sent, |tx| {
        let items: Vec<Release> = ids.iter().map(|id| Release { at: tx.now(), fulfilment: *id }).collect();
        // All or none: a list that is stale is shown anew, with what stands against it.
        for outcome in crate::release(tx, &items).await? {
            outcome.or_problem()?;
        }
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => Ok(web::done(format!("{} released", units(ids.len(), "fulfilment"))).to(&sent.list())),
        Err(problem) => {
            let page = list(&app, &caller, &sent.query(), Some(&problem)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Asks those who fulfil for us, or notes what they said.
pub(super) async fn others(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    Form(sent): Form<Sent<Word>>,
) -> Result<Response, Problem> {
    let key = Key::once(&sent.once, "/warehouse/others");
    let done = web::submit!(app, caller, key, "warehouse.others_page", &sent, |tx| {
        for id in &sent.ids {
            let (at, fulfilment) = (tx.now(), *id);
            match sent.r#do {
                Word::Request => single(crate::request(tx, &[Ask { at, fulfilment }]).await?)?,
                Word::Accept => single(crate::accept(tx, &[Accept { at, fulfilment }]).await?)?,
                Word::Reject => single(
                    crate::reject(tx, &[Reject { at, fulfilment, reason: sent.reason.clone() }]).await?,
                )?,
            }
        }
        Ok(Reply::empty())
    });
    let said = match sent.r#do {
        Word::Request => "asked for",
        Word::Accept => "noted as accepted",
        Word::Reject => "noted as rejected: the units are sourced elsewhere",
    };
    match refused(done)? {
        Ok(_) => Ok(web::done(format!("{} {said}", units(sent.ids.len(), "fulfilment"))).to(&sent.list())),
        Err(problem) => {
            let page = list(&app, &caller, &sent.query(), Some(&problem)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}
