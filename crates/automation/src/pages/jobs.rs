//! Jobs: what waits and runs, what is parked with its error, and timed work.

use crate::api::{ReadJobs, WriteJobs};
use crate::jobs::{self, JobRef, JobRow, Move, TimerRow};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Bulk, Col, Row, Table};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Reply, Screen};

/// What the query says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    parked: bool,
    cursor: String,
}

const COLS: [Col<'static>; 5] = [
    Col::text("Job"),
    Col::text("State"),
    Col::number("Attempts"),
    Col::text("Runs at"),
    Col::text("Last error"),
];
const TIMERS: [Col<'static>; 3] = [Col::text("Timed work"), Col::text("Runs every"), Col::text("Due")];

/// A span of time, roughly: `12 min`.
fn span(micros: i64) -> String {
    match micros.max(0) / Timestamp::SECOND {
        s if s < 120 => format!("{s} s"),
        s if s < 2 * 3600 => format!("{} min", s / 60),
        s if s < 2 * 86_400 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

/// Shows a page of jobs.
pub(super) async fn list(
    State(app): State<App>,
    caller: May<ReadJobs>,
    Params(query): Params<Query>,
) -> Result<Markup, Problem> {
    page(&app, &caller, &query, None).await
}

async fn page(
    app: &App,
    caller: &Caller,
    query: &Query,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let (sql, now) = (app.db.read(), app.db.now());
    let paging = Paging::<(Timestamp, JobRef)>::read(None, Some(&query.cursor))?;
    let rows = jobs::list(sql, query.parked, paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |j| (j.run_at, j.id));
    let (waiting, parked) = jobs::counts(sql).await?;
    let count = |n: i64| u64::try_from(n).ok();
    let tabs = [
        h::Tab {
            title: "Waiting and running",
            href: "/developers/jobs",
            here: !query.parked,
            count: count(waiting),
        },
        h::Tab {
            title: "Parked",
            href: "/developers/jobs?parked=true",
            here: query.parked,
            count: count(parked),
        },
    ];
    let row = |j: &JobRow| {
        Row::new([
            html! { strong { (j.name) } br; code { (j.payload.chars().take(120).collect::<String>()) } },
            h::badge(j.state(now)),
            html! { (j.attempts) },
            h::time(j.run_at),
            html! { @if let Some(error) = &j.error { bdi { (error) } } },
        ])
        .value(j.id.to_string(), format!("job {}", j.name))
    };
    let table = Table::new("Jobs", &COLS, page.data.iter().map(row));
    let table = match caller.may::<WriteJobs>() {
        true => table.bulk(Bulk {
            action: "/developers/jobs",
            name: "ids",
            buttons: html! {
                (web::once())
                button.btn.btn-primary type="submit" name="do" value="retry" { "Try again now" }
                @if !query.parked { button.btn type="submit" name="do" value="park" { "Park" } }
            },
        }),
        false => table,
    };
    let timers = jobs::timers(sql).await?;
    let here = if query.parked { "/developers/jobs?parked=true" } else { "/developers/jobs" };
    let body = html! {
        @if let Some(problem) = problem { (h::alert("danger", problem.detail())) }
        @if page.data.is_empty() {
            @if query.parked { (h::empty("Nothing is parked", "Jobs that fail too often come here with their error.")) }
            @else { (h::empty("Nothing waits", "Jobs call gateways and carriers, deliver webhooks and send e-mails.")) }
        } @else { (table.show()) }
        (h::pages(here, page.next_cursor.as_deref(), !query.cursor.is_empty(), page.data.len()))
        (h::card("Timed work", timed(app, &timers, now)))
    };
    Ok(Screen::new(caller, "Jobs").above(h::tabs("Jobs", &tabs)).show(body))
}

/// Timed work: how often, and when next.
fn timed(app: &App, timers: &[TimerRow], now: Timestamp) -> Markup {
    let every =
        |name: &str| app.slices.iter().flat_map(|s| s.timers).find(|t| t.name == name).map(|t| t.every_s);
    let rows = timers.iter().map(|t| {
        let due =
            if t.next_at > now { format!("in {}", span(t.next_at.0 - now.0)) } else { "now".to_owned() };
        Row::new([
            html! { (h::words(&t.name)) },
            html! { @match every(&t.name) { Some(s) => (span(s * Timestamp::SECOND)), None => "–" } },
            html! { span title=(t.next_at) { (due) } },
        ])
    });
    Table::new("Timed work", &TIMERS, rows).show()
}

/// Ticked jobs, and what to do with them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Act {
    #[serde(default)]
    once: String,
    #[serde(rename = "do")]
    to: Move,
    #[serde(default)]
    ids: Vec<JobRef>,
}

/// Tries jobs again, or parks them.
pub(super) async fn act(
    State(app): State<App>,
    caller: May<WriteJobs>,
    Form(form): Form<Act>,
) -> Result<Response, Problem> {
    let to = form.to;
    let key = Key::once(&form.once, "/developers/jobs");
    let done = web::submit!(app, caller, key, "jobs.move", &form, |tx| {
        for outcome in jobs::move_jobs(tx, &form.ids, to).await? {
            outcome.or_problem()?;
        }
        Ok(Reply::empty())
    });
    let many = form.ids.len();
    match done {
        Ok(_) => {
            let text = if to == Move::Retry {
                format!("{many} jobs run again")
            } else {
                format!("{many} jobs are parked")
            };
            Ok(web::done(text).to("/developers/jobs"))
        }
        Err(problem) if problem.status().is_client_error() => {
            Ok((problem.status(), page(&app, &caller, &Query::default(), Some(&problem)).await?)
                .into_response())
        }
        Err(problem) => Err(problem),
    }
}
