//! The lists of the floor: what may be picked, and what is picked and in no parcel. One page of large targets; a scanned number opens its
//! fulfilment order.

use super::{place_tabs, places};
use crate::PickWarehouse;
use crate::queue::{self, After, Found, Queued, Waits};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use inventory::LocationId;
use kernel::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use web::html::{self as h, Icon, Tone};
use web::{App, Caller, May, Paging, Params, Problem, Screen};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    location: Option<LocationId>,
    cursor: Option<String>,
    /// A number that was scanned.
    scan: String,
}

/// Which of the two.
struct List {
    title: &'static str,
    subtitle: &'static str,
    path: &'static str,
    waits: Waits,
    /// Units of an order that are done here.
    done: fn(&Queued) -> i64,
    /// Of several fulfilment orders with a scanned number, whether this one is meant first.
    prefers: fn(&Found) -> bool,
    /// Picture and words when there is nothing, and where to look instead.
    empty: (Icon, &'static str, &'static str),
    instead: (&'static str, &'static str),
}

const PICK: List = List {
    title: "Pick",
    subtitle: "Express first, then the oldest.",
    path: "/pick",
    waits: Waits::Pick,
    done: |r| r.picked,
    prefers: |_| true,
    empty: (Icon::ClipboardCheck, "Nothing to pick", "What the lead releases appears here by itself."),
    instead: ("/pack", "To the pack station"),
};
const PACK: List = List {
    title: "Pack",
    subtitle: "Scan the number on the tote, then every unit.",
    path: "/pack",
    waits: Waits::Pack,
    done: |r| r.packed,
    prefers: |f| f.loose > 0,
    empty: (Icon::Package, "Nothing to pack", "What is picked appears here by itself."),
    instead: ("/pick", "To the pick lists"),
};

/// What may be picked.
pub(super) async fn pick(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    show(&app, &caller, &query, &PICK).await
}

/// What is picked and in no parcel.
pub(super) async fn pack(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    show(&app, &caller, &query, &PACK).await
}

async fn show(app: &App, caller: &Caller, q: &Query, list: &List) -> Result<Response, Problem> {
    let sql = app.db.read();
    let scanned = q.scan.trim();
    if !scanned.is_empty() {
        let found = queue::by_number(sql, scanned).await?;
        if let Some(one) = found.iter().find(|f| (list.prefers)(f)).or(found.first()) {
            return Ok(Redirect::to(&format!("{}/{}", list.path, one.id)).into_response());
        }
    }
    let paging = Paging::<After>::read(Some(60), q.cursor.as_deref())?;
    let rows = queue::waiting(sql, list.waits, q.location, paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |r| After { priority: r.priority, created_at: r.created_at, id: r.id });
    let places = places(sql).await?;
    let now = app.db.now();
    let location = q.location.map(|l| l.to_string()).unwrap_or_default();
    let here = h::query(list.path, &[("location", &location)]);
    let body = html! {
        link rel="stylesheet" href=(web::asset("scan.css"));
        @if !scanned.is_empty() { (h::alert("danger", &format!("There is no fulfilment order or order “{scanned}”."))) }
        (place_tabs(list.path, &places, q.location))
        @if page.data.is_empty() {
            @let (picture, title, hint) = list.empty;
            (h::empty_with(picture, title, hint, h::link(list.instead.0, list.instead.1, "primary", "")))
        } @else {
            ul.scan-cards { @for r in &page.data { (card(r, now, list)) } }
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    let first = page.data.first().map(|r| format!("{}/{}", list.path, r.id));
    let screen = Screen::new(caller, list.title)
        .subtitle(html! { (list.subtitle) })
        .actions(html! {
            (open_form(list.path))
            @if let Some(first) = &first { (h::link(first, "Start with the first", "primary", "n")) }
        })
        .live("queue:fulfilment");
    Ok(screen.show(body).into_response())
}

/// A field for the number on a tote or a slip.
fn open_form(action: &str) -> Markup {
    html! {
        form.scan-open method="get" action=(action) role="search" aria-label="Open by number" {
            label.search-box {
                (h::icon(Icon::Barcode))
                span.visually-hidden { "Scan the number of a fulfilment order or an order" }
                input.form-control name="scan" placeholder="Scan a number" autocomplete="off" autofocus data-filter;
            }
        }
    }
}

/// A fulfilment order as a large target.
fn card(r: &Queued, now: Timestamp, list: &List) -> Markup {
    let share = |n: i64| u64::try_from(n).unwrap_or(0);
    let (done, all) = ((list.done)(r), r.units);
    html! {
        li.scan-card id={ "card-" (r.id) } {
            a.scan-card-link href={ (list.path) "/" (r.id) } {
                span.scan-card-number { (r.number) }
                @if r.priority > 0 { " " (h::badge("express")) }
            }
            p.text-secondary { bdi { (r.name) } ", " bdi { (r.destination()) } }
            p { (h::count(r.lines, "line")) ", " (h::count(r.units, "unit")) " · " (r.location) }
            progress value=(share(done)) max=(share(all).max(1)) aria-label={ (done) " of " (all) " units" } {}
            p.text-secondary { (done) " of " (all) " · waits " (h::age(r.created_at, now))
                @if r.promised_at.is_some_and(|at| at < now) { " " (h::tag("Late", Tone::Bad)) } }
        }
    }
}
