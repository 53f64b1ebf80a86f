//! Cut-off, working days and holidays among the settings: what holds, and the form that changes it.

use super::{refused, single};
use crate::dispatch::{Dispatch, DispatchRefused, SetDispatch, WEEKDAYS, set_dispatch};
use crate::{ReadShipping, SetUpShipping};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Field, Select};
use web::{App, Caller, Form, Key, May, Problem, Reply, Screen};

const HERE: &str = "/settings/dispatch";

/// A dispatch as it is typed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    time_zone: String,
    cut_off: String,
    workdays: Vec<String>,
    holidays: String,
}

impl Typed {
    fn of(dispatch: Dispatch) -> Self {
        Self {
            once: String::new(),
            time_zone: dispatch.time_zone,
            cut_off: dispatch.cut_off,
            workdays: dispatch.workdays,
            holidays: dispatch.holidays.join("\n"),
        }
    }
    fn dispatch(&self) -> Dispatch {
        Dispatch {
            time_zone: self.time_zone.trim().to_owned(),
            cut_off: self.cut_off.trim().to_owned(),
            workdays: self.workdays.clone(),
            holidays: self.holidays.split_whitespace().map(str::to_owned).collect(),
        }
    }
}

/// Shows it.
pub(super) async fn show(State(app): State<App>, caller: May<ReadShipping>) -> Result<Markup, Problem> {
    Ok(page(&caller, &Typed::of(Dispatch::read(app.db.read()).await?), None))
}

/// The time zones there are, by their places, and the one that is set whatever it is.
fn zones(set: &str) -> Vec<&str> {
    let all = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let mut zones: Vec<&str> = all.filter(|name| name.contains('/') && !name.starts_with("Etc/")).collect();
    zones.push("UTC");
    if !zones.contains(&set) {
        zones.push(set);
    }
    zones.sort_unstable();
    zones
}

fn page(caller: &Caller, typed: &Typed, problem: Option<&Problem>) -> Markup {
    let error = |name: &str| {
        let all = problem.map(Problem::errors).unwrap_or_default();
        all.iter().find(|e| e.pointer == name).map(|e| e.detail.as_str())
    };
    let general = problem.filter(|p| p.errors().is_empty());
    let days = WEEKDAYS.map(|day| (day, day[..1].to_uppercase() + &day[1..]));
    let zones = zones(&typed.time_zone);
    let zones: Vec<(&str, &str)> = zones.iter().map(|z| (*z, *z)).collect();
    let body = html! {
        @if typed.time_zone == "UTC" { (h::note("warning", html! { "Days begin and end on the clock of UTC. Choose the time zone of your warehouse." })) }
        @if let Some(problem) = general { (h::alert("danger", problem.detail())) }
        form.card.card-body method="post" action=(HERE) {
            (web::once_again(&typed.once))
            (h::fields([
                h::field(&Field { label: "Orders leave on the same day until", name: "cut_off", kind: "time", value: &typed.cut_off, error: error("cut_off"), required: true, ..Field::default() }),
                h::select_field(&Select { label: "Time zone of the shop", name: "time_zone", options: &zones, chosen: &typed.time_zone, error: error("time_zone"), hint: "Days on the home page are its days as well." }),
            ]))
            fieldset.mb-3 {
                legend.form-label { "Working days" }
                @for (value, label) in &days { (h::checkbox(label, "workdays[]", value, typed.workdays.iter().any(|d| d == value), "")) }
                @if let Some(error) = error("workdays") { p.field-error { (error) } }
            }
            (h::field(&Field { label: "Holidays", name: "holidays", kind: "textarea", value: &typed.holidays, error: error("holidays"), hint: "A date a line, as 2026-12-25.", ..Field::default() }))
            @if caller.may::<SetUpShipping>() { (h::form_buttons("Save", None)) }
        }
    };
    Screen::new(caller, "Cut-off and working days")
        .narrow()
        .subtitle(html! { "What order entry names to customers as the day of delivery follows from these." })
        .show(body)
}

/// Sets it.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<SetUpShipping>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let key = Key::once(&typed.once, HERE);
    let done = web::submit!(app, caller, key, "shipping.dispatch", &typed, |tx| {
        let outcome = set_dispatch(tx, &[SetDispatch { at: tx.now(), dispatch: typed.dispatch() }]).await?;
        if let Some(Err(refused)) = outcome.first() {
            return Err(Problem::refused(refused).at(field(refused)).into());
        }
        single(outcome)?;
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => Ok(web::done("These hold from now on").to(HERE)),
        Err(problem) => Ok((problem.status(), page(&caller, &typed, Some(&problem))).into_response()),
    }
}

/// The field that a refusal is about.
fn field(refused: &DispatchRefused) -> &'static str {
    match refused {
        DispatchRefused::BadTimeZone { .. } => "time_zone",
        DispatchRefused::BadCutOff { .. } => "cut_off",
        DispatchRefused::BadWorkday { .. } | DispatchRefused::NoWorkday => "workdays",
        DispatchRefused::BadHoliday { .. } | DispatchRefused::TooManyHolidays { .. } => "holidays",
    }
}
