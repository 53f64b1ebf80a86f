//! Carriers among the settings: how each does, its services, a test that asks what a parcel costs, and the secret of its webhooks, which
//! is set and never shown.

use super::{carriers, single};
use crate::carrier::Carriers;
use crate::probe::{Health, Sample, health, probe};
use crate::rate::RateCard;
use crate::set_secret::{SetSecret, set_secrets};
use crate::{ReadShipping, SetUpShipping, rate_cards};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::Secret;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use web::html::{self as h, Check, Col, Field, Icon, Row, Table, Tone};
use web::{App, Caller, Form, Key, May, Problem, Reply, Screen, Segment};

pub(super) const HERE: &str = "/settings/carriers";

/// Shows all.
pub(super) async fn list(State(app): State<App>, caller: May<ReadShipping>) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let cards = rate_cards(sql).await?;
    let mut rows = Vec::new();
    for (code, name) in carriers(&app).await? {
        let now = health(sql, &code).await?;
        let offered = cards.iter().filter(|c| c.carrier == code && c.active).count();
        let newest = html! { @if let Some(at) = now.inbox.newest { (h::time(at)) } @else { span.text-secondary { "–" } } };
        let cells = [html! { bdi { (name) } }, html! { (offered) }, tracks(&now), newest];
        rows.push(Row::new(cells).href(format!("{HERE}/{code}")));
    }
    let may = caller.may::<SetUpShipping>();
    let add = || html! { @if may { (h::link("/settings/rates", "Add a service", "primary", "n")) } };
    let cols =
        [Col::text("Carrier"), Col::number("Services"), Col::text("Tracking"), Col::text("Last event")];
    let body = match rows.is_empty() {
        true => h::empty_with(
            Icon::TruckDelivery,
            "No carriers yet",
            "A carrier is there as soon as one of its services has a rate table: what a parcel costs by zone and weight.",
            add(),
        ),
        false => Table::new("Carriers", &cols, rows).show(),
    };
    let subtitle = html! { "Who carries parcels, what it costs, and whether tracking comes in." };
    Ok(Screen::new(&caller, "Carriers").subtitle(subtitle).actions(add()).show(body))
}

fn tracks(now: &Health) -> Markup {
    if now.secret { h::tag("secret is set", Tone::Good) } else { h::tag("by hand", Tone::Quiet) }
}

/// Shows one.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadShipping>,
    Segment(code): Segment<String>,
) -> Result<Markup, Problem> {
    page(&app, &caller, &code, &Typed::default(), None, None).await
}

/// A secret, or a parcel to ask with, as they are typed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    secret: String,
    country: String,
    postal_code: String,
    weight: String,
}

impl Typed {
    fn sample(&self) -> Result<Sample, Problem> {
        let country = contact::country::code(&self.country);
        let country =
            country.ok_or_else(|| Problem::invalid("country", "The code of a country, such as DE."))?;
        let weight = self.weight.trim().parse::<i64>().ok().filter(|w| (1..=1_000_000_000).contains(w));
        let weight_g =
            weight.ok_or_else(|| Problem::invalid("weight", "A whole number of grams, such as 1000."))?;
        let postal_code = Some(self.postal_code.trim().to_owned()).filter(|p| !p.is_empty());
        Ok(Sample { country: country.to_owned(), postal_code, weight_g })
    }
}

async fn page(
    app: &App,
    caller: &Caller,
    code: &str,
    typed: &Typed,
    found: Option<&[Check]>,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let cards: Vec<Arc<RateCard>> =
        rate_cards(sql).await?.into_iter().filter(|c| c.carrier == code).collect();
    let registry = app.ctx.parts.get::<Carriers>()?;
    let card = registry.find(code, !cards.is_empty()).map(|c| c.card());
    let card = card.ok_or_else(|| Problem::not_found(format!("carrier {code}")))?;
    let now = health(sql, code).await?;
    let may = caller.may::<SetUpShipping>();
    let new = h::query("/settings/rates", &[("carrier", code)]);
    let home = inventory::locations(sql).await?.into_iter().find(|l| l.active).map(|l| l.country);
    let main = html! {
        (h::card_with("Services", html! { @if may { (h::link(&new, "Add a service", "secondary", "n")) } }, services(&cards)))
        @if may { (h::card("Test", test_form(code, typed, home.as_deref(), found, problem))) }
        details.fold { summary { "How it works" } pre.doc { (card.documentation) } }
    };
    let side = h::card("Tracking", tracking(app, code, &now, may, typed, problem));
    let name = if card.by_rate_cards { code.to_owned() } else { card.name.to_owned() };
    Ok(Screen::new(caller, name).crumb("Carriers", HERE).beside(tracks(&now)).show(h::split(main, side)))
}

fn services(cards: &[Arc<RateCard>]) -> Markup {
    if cards.is_empty() {
        return html! { p.text-secondary { "No rate tables: the carrier's own answer says what its services cost." } };
    }
    let cols = [
        Col::text("Service"),
        Col::text("Name"),
        Col::text("From"),
        Col::number("Zones"),
        Col::number("Days"),
        Col::text("Status"),
    ];
    let rows = cards.iter().map(|c| {
        let mut zones: Vec<&str> = c.prices.iter().map(|p| p.zone.as_str()).collect();
        zones.dedup();
        let href = h::query(
            "/settings/rates",
            &[("carrier", &c.carrier), ("service", &c.service), ("origin", &c.origin_country)],
        );
        Row::new([
            html! { bdi { (c.service) } },
            html! { bdi { (c.name) } },
            html! { (c.origin_country) },
            html! { (zones.len()) },
            html! { (c.min_days) "–" (c.max_days) },
            if c.active { h::tag("offered", Tone::Good) } else { h::tag("not offered", Tone::Quiet) },
        ])
        .href(href)
        .quiet(!c.active)
    });
    Table::new("Services", &cols, rows).show()
}

fn test_form(
    code: &str,
    typed: &Typed,
    home: Option<&str>,
    found: Option<&[Check]>,
    problem: Option<&Problem>,
) -> Markup {
    let wrong = |name: &str| {
        problem.and_then(|p| p.errors().iter().find(|e| e.pointer == name)).map(|e| e.detail.as_str())
    };
    let or =
        |typed: &str, otherwise: &str| if typed.is_empty() { otherwise.to_owned() } else { typed.to_owned() };
    let (country, weight) = (or(&typed.country, home.unwrap_or("DE")), or(&typed.weight, "1000"));
    html! {
        form method="post" action={ (HERE) "/" (code) "/test" } {
            (h::fields([
                h::field(&Field { label: "To country", name: "country", value: &country, required: true, error: wrong("country"), ..Field::default() }),
                h::field(&Field { label: "Postal code", name: "postal_code", value: &typed.postal_code, ..Field::default() }),
                h::field(&Field { label: "Weight", name: "weight", kind: "number", unit: "g", value: &weight, required: true, error: wrong("weight"), ..Field::default() }),
            ]))
            (h::form_buttons("Ask what it costs", None))
        }
        @match found {
            Some(found) => (h::checks(found)),
            None => p.text-secondary { "Asks from each of your locations. Nothing is bought." },
        }
    }
}

fn tracking(
    app: &App,
    code: &str,
    now: &Health,
    may: bool,
    typed: &Typed,
    problem: Option<&Problem>,
) -> Markup {
    let public = app.setup.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
    let address = format!("{public}/v1/webhooks/carriers/{code}");
    let error = problem.filter(|p| p.code() == "shipping.short_secret").map(|p| p.detail());
    html! {
        p { "Have it send to" }
        p { (h::copy(&address)) }
        @if public.is_empty() { (h::alert("warning", "The address is not complete: set public_url in fulmar.toml.")) }
        @if may {
            form method="post" action={ (HERE) "/" (code) } {
                (web::once_again(&typed.once))
                (h::field(&Field { label: "Signing secret", name: "secret", kind: "password", autocomplete: "off", required: true, error,
                    hint: if now.secret { "One is set; it is not shown again. A new one takes its place at once." } else { "At least 16 characters. It is not shown again." },
                    ..Field::default() }))
                (h::form_buttons(if now.secret { "Replace the secret" } else { "Set the secret" }, None))
            }
        }
    }
}

/// Asks what a parcel costs.
pub(super) async fn test(
    State(app): State<App>,
    caller: May<SetUpShipping>,
    Segment(code): Segment<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let sample = match typed.sample() {
        Ok(sample) => sample,
        Err(problem) => {
            let page = page(&app, &caller, &code, &typed, None, Some(&problem)).await?;
            return Ok((problem.status(), page).into_response());
        }
    };
    let registry = app.ctx.parts.get::<Carriers>()?;
    let found = probe(app.db.read(), &registry, &*app.ctx.outside, &code, &sample).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("carrier {code}")))?;
    Ok(page(&app, &caller, &code, &typed, Some(&found), None).await?.into_response())
}

/// Sets the secret.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<SetUpShipping>,
    Segment(code): Segment<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let registry = app.ctx.parts.get::<Carriers>()?;
    let here = format!("{HERE}/{code}");
    let key = Key::once(&typed.once, &here);
    let secret = typed.secret.trim().to_owned();
    let done = web::submit!(app, caller, key, "shipping.set_secret_page", &typed, |tx| {
        let set = SetSecret { at: tx.now(), carrier: code.clone(), secret: Secret::new(secret.clone()) };
        single(set_secrets(tx, &registry, &[set]).await?)?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => Ok(web::done("The secret is set").to(&here)),
        Err(problem) if problem.code() == "shipping.short_secret" => {
            let page = page(&app, &caller, &code, &typed, None, Some(&problem)).await?;
            Ok((problem.status(), page).into_response())
        }
        Err(problem) => Err(problem),
    }
}
