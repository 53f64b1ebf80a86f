//! Payment gateways among the settings: how each does, a test of its connection, and the secret of its webhooks, which is set and never
//! shown.

use super::single;
use crate::api::{ReadPayments, SetUpPayments};
use crate::gateway::{Card, Gateways};
use crate::probe::{Health, health, probe};
use crate::set_secret::{SetSecret, set_secrets};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::Secret;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Check, Col, Field, Row, Table, Tone};
use web::{App, Caller, Form, Key, May, Problem, Reply, Screen, Segment};

const HERE: &str = "/settings/gateways";

/// Shows all.
pub(super) async fn list(State(app): State<App>, caller: May<ReadPayments>) -> Result<Markup, Problem> {
    let gateways = app.ctx.parts.get::<Gateways>()?;
    let mut rows = Vec::new();
    for card in gateways.0.iter().map(|g| g.card()) {
        let now = health(app.db.read(), card.code).await?;
        let newest = html! { @if let Some(at) = now.inbox.newest { (h::time(at)) } @else { (h::none()) } };
        let open = h::or_none(now.open);
        rows.push(
            Row::new([html! { (card.name) }, webhooks(&card, &now), newest, open])
                .href(format!("{HERE}/{}", card.code)),
        );
    }
    let cols = [
        Col::text("Gateway"),
        Col::text("Webhooks"),
        Col::text("Last event"),
        Col::number("Unanswered requests"),
    ];
    Ok(Screen::new(&caller, "Payment gateways")
        .subtitle(html! { "Who takes the money. Each can be tested without moving any." })
        .show(Table::new("Payment gateways", &cols, rows).show()))
}

fn webhooks(card: &Card, now: &Health) -> Markup {
    match (card.webhooks, now.secret) {
        (false, _) => html! { span.text-secondary { "sends none" } },
        (true, true) => h::tag("secret is set", Tone::Good),
        (true, false) => h::tag("secret is missing", Tone::Warn),
    }
}

/// Shows one.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadPayments>,
    Segment(code): Segment<String>,
) -> Result<Markup, Problem> {
    page(&app, &caller, &code, None, None).await
}

fn card_of(app: &App, code: &str) -> Result<Card, Problem> {
    let gateways = app.ctx.parts.get::<Gateways>()?;
    let found = gateways.find(code).map(|g| g.card());
    found.ok_or_else(|| Problem::not_found(format!("gateway {code}")))
}

async fn page(
    app: &App,
    caller: &Caller,
    code: &str,
    found: Option<&[Check]>,
    refused: Option<(&Typed, &Problem)>,
) -> Result<Markup, Problem> {
    let card = card_of(app, code)?;
    let now = health(app.db.read(), code).await?;
    let may = caller.may::<SetUpPayments>();
    let test = html! {
        @if may { form method="post" action={ (HERE) "/" (code) "/test" } { button.btn.btn-primary type="submit" { "Test the connection" } } }
    };
    let main = html! {
        (h::card_with("Connection", test, html! {
            @match found {
                Some(found) => (h::checks(found)),
                None => p.text-secondary { "The test asks the gateway about an operation that was never made: no money moves." },
            }
        }))
        details.fold { summary { "What it does and how to set it up" } pre.doc { (card.documentation) } }
    };
    let side = html! { @if card.webhooks { (h::card("Webhooks", secret(app, code, &now, may, refused))) } };
    let body = if card.webhooks { h::split(main, side) } else { main };
    Ok(Screen::new(caller, card.name)
        .crumb("Payment gateways", HERE)
        .beside(webhooks(&card, &now))
        .show(body))
}

fn secret(app: &App, code: &str, now: &Health, may: bool, refused: Option<(&Typed, &Problem)>) -> Markup {
    let public = app.setup.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
    let address = format!("{public}/v1/webhooks/gateways/{code}");
    let error = refused.map(|(_, problem)| problem.detail());
    html! {
        p { "Have it send to" }
        p { (h::copy(&address)) }
        @if public.is_empty() { (h::alert("warning", "The address is not complete: set public_url in fulmar.toml.")) }
        @if may {
            form method="post" action={ (HERE) "/" (code) } {
                (web::once_again(refused.map_or("", |(typed, _)| typed.once.as_str())))
                (h::field(&Field { label: "Signing secret", name: "secret", kind: "password", autocomplete: "off", required: true, error,
                    hint: if now.secret { "One is set; it is not shown again. A new one takes its place at once." } else { "As the gateway's pages show it. It is not shown again." },
                    ..Field::default() }))
                (h::form_buttons(if now.secret { "Replace the secret" } else { "Set the secret" }, None))
            }
        }
    }
}

/// Tests the connection.
pub(super) async fn test(
    State(app): State<App>,
    caller: May<SetUpPayments>,
    Segment(code): Segment<String>,
) -> Result<Markup, Problem> {
    let gateways = app.ctx.parts.get::<Gateways>()?;
    let found = probe(app.db.read(), &gateways, &*app.ctx.outside, &code).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("gateway {code}")))?;
    page(&app, &caller, &code, Some(&found), None).await
}

/// A secret as it is typed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    secret: String,
}

/// Sets the secret.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<SetUpPayments>,
    Segment(code): Segment<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let gateways = app.ctx.parts.get::<Gateways>()?;
    let here = format!("{HERE}/{code}");
    let key = Key::once(&typed.once, &here);
    let secret = typed.secret.trim().to_owned();
    let done = web::submit!(app, caller, key, "payments.set_secret_page", &typed, |tx| {
        let set = SetSecret { at: tx.now(), gateway: code.clone(), secret: Secret::new(secret.clone()) };
        single(set_secrets(tx, &gateways, &[set]).await?)?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => Ok(web::done("The secret is set").to(&here)),
        Err(problem) if problem.code() == "payments.short_secret" => {
            let page = page(&app, &caller, &code, None, Some((&typed, &problem))).await?;
            Ok((problem.status(), page).into_response())
        }
        Err(problem) => Err(problem),
    }
}
