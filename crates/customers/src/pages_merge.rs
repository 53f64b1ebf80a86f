//! Merging customers by page: find the other one, look at both side by side with what will happen, choose whose contact is kept, and confirm.
//! Invariant: the page says all that moves before anything does, and shows it anew when a choice changes it.

use crate::api::WriteCustomers;
use crate::api_merge::likely_of;
use crate::duplicates::Likely;
use crate::merge::{Keep, Merge, Plan, Side, Word, merge, preview};
use crate::pages_consent::name as channel_name;
use crate::{Customer, CustomerId, consents_of, in_force, read, survivor};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use contact::address;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Icon, Row, Table, Tone};
use web::{App, Caller, Form, Key, May, OrProblem, Params, Problem, Reply, Screen, Segment};

/// Customers that a search shows.
const FOUND: i64 = 20;

/// The pages.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/customers/{id}/merge", get(show).post(submit))
}

/// What is searched or chosen, and what is sent in the end.
#[derive(Debug, Clone, Deserialize, Serialize, Default)]
#[serde(default)]
struct Chosen {
    q: String,
    with: String,
    name: String,
    email: String,
    phone: String,
    address: String,
    sure: String,
    once: String,
}

impl Chosen {
    fn keep(&self) -> Keep {
        let side = |text: &str| if text == Side::Merged.as_str() { Side::Merged } else { Side::Survivor };
        Keep {
            name: side(&self.name),
            email: side(&self.email),
            phone: side(&self.phone),
            address: side(&self.address),
        }
    }
}

fn path(id: CustomerId) -> String {
    format!("/customers/{id}/merge")
}

async fn show(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    Segment(id): Segment<CustomerId>,
    Params(chosen): Params<Chosen>,
) -> Result<Response, Problem> {
    let customer = known(&app, id).await?;
    if customer.id != id {
        return Ok(Redirect::to(&path(customer.id)).into_response());
    }
    Ok(page(&app, &caller, &customer, &chosen, None).await?.into_response())
}

async fn known(app: &App, id: CustomerId) -> Result<Customer, Problem> {
    let found = read::by_id(app.db.read(), &[id]).await?.remove(&id);
    found.ok_or_else(|| Problem::not_found(format!("customer {id}")))
}

/// The page; `problem` is of a form that was refused.
async fn page(
    app: &App,
    caller: &Caller,
    customer: &Customer,
    chosen: &Chosen,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let body = match chosen.with.parse::<CustomerId>() {
        Ok(with) => compared(app, customer, with, chosen, problem).await?,
        Err(_) => search(app, customer, chosen).await?,
    };
    Ok(Screen::new(caller, "Merge customers")
        .crumb("Customers", "/customers")
        .crumb(customer.name.clone(), format!("/customers/{}", customer.id))
        .subtitle(html! { "Everything of the other one comes to " bdi { (customer.name) } "." })
        .show(body))
}

/// Who else it may be: those who are probably the same, or what was searched.
async fn search(app: &App, customer: &Customer, chosen: &Chosen) -> Result<Markup, Problem> {
    let here = path(customer.id);
    let text = chosen.q.trim();
    let mut found = read::suggested(app.db.read(), text, FOUND).await?;
    found.retain(|c| c.id != customer.id);
    let likely = likely_of(app, customer).await?;
    Ok(html! {
        (h::filter_bar(&here, ("q", text, "Name, e-mail address or phone number of the other one"), html! {}, &[]))
        @if !text.is_empty() {
            @if found.is_empty() {
                (h::empty_with(Icon::Users, "Nobody else found", "Look for the beginning of the name, of the e-mail address, or of the phone number with its country code.", html! {}))
            } @else {
                (people("Found", &here, found.iter().map(|c| (c, String::new()))))
            }
        }
        @if likely.is_empty() {
            @if text.is_empty() { (h::empty_with(Icon::Users, "Nobody looks the same", "No other customer has the mailbox, the phone number, or the name and postal code of this one. Search for somebody else above.", html! {})) }
        } @else {
            (h::card("Probably the same person", people("Probably the same person", &here, likely.iter().map(|l| (&l.customer, reasons(l))))))
        }
    })
}

const COLS: &[Col<'static>] = &[
    Col::text("Name"),
    Col::text("E-mail"),
    Col::text("Phone"),
    Col::text("Place").minor(),
    Col::text("Why"),
];

fn people<'a>(caption: &str, here: &str, found: impl Iterator<Item = (&'a Customer, String)>) -> Markup {
    let dash = || "–".to_owned();
    let rows = found.map(|(c, why)| {
        let place = c.address.as_ref().map_or_else(dash, |a| format!("{} {}", a.city, a.country));
        Row::new([
            h::person(&c.name),
            html! { bdi { (c.email.clone().unwrap_or_else(dash)) } },
            html! { (c.phone.clone().unwrap_or_else(dash)) },
            html! { bdi { (place) } },
            html! { (why) },
        ])
        .href(h::query(here, &[("with", &c.id.to_string())]))
    });
    Table::new(caption, COLS, rows).show()
}

pub(crate) fn reasons(likely: &Likely) -> String {
    likely.because.iter().map(|l| l.says()).collect::<Vec<_>>().join(", ")
}

/// Both side by side, or why they cannot be merged.
async fn compared(
    app: &App,
    customer: &Customer,
    with: CustomerId,
    chosen: &Chosen,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let here = path(customer.id);
    let plan = match preview(app.db.read(), customer.id, with, chosen.keep()).await?.or_problem() {
        Ok(plan) => plan,
        Err(refused) => {
            return Ok(html! {
                (h::alert("danger", refused.detail()))
                (h::link(&here, "Choose another one", "secondary", ""))
            });
        }
    };
    let other = known(app, with).await?;
    let follows = app.follows(with.0).await?;
    let own = app.follows(customer.id.0).await?;
    let lost = unwritten(app, &plan).await?;
    Ok(html! {
        @if let Some(problem) = problem { (h::alert("danger", problem.detail())) }
        form method="post" action=(here) {
            (web::once_again(&chosen.once))
            input type="hidden" name="with" value=(with);
            (h::card_with("Whose contact is kept", html! { (h::link(&h::query(&path(with), &[("with", &customer.id.to_string())]), "Keep the other one instead", "secondary", "")) }, html! {
                (choices(customer, &other, &plan.kept))
                @if own.iter().zip(&follows).any(|((_, mine), (_, theirs))| mine + theirs > 0) {
                    p.text-secondary { "Until now the one who stays has " (counted(&own)) ", and the one who is merged " (counted(&follows)) "." }
                }
            }))
            div #merge-effects hx-get=(here) hx-trigger="change from:'closest form'" hx-include="closest form" hx-select="#merge-effects" hx-target="this" hx-swap="outerHTML" {
                (h::card("What will happen", effects(&other, &plan, &follows, &lost)))
            }
            (h::note("warning", html! { "This cannot be undone." }))
            (h::checkbox("They are the same person", "sure", "yes", chosen.sure == "yes", ""))
            div.form-buttons {
                button.btn.btn-danger type="submit" { "Merge" }
                " " (h::link(&format!("/customers/{}", customer.id), "Keep both", "secondary", ""))
            }
        }
    })
}

fn counted(follows: &[(web::Follows, i64)]) -> String {
    let some: Vec<String> = follows.iter().filter(|(_, n)| *n > 0).map(|(f, n)| many(f, *n)).collect();
    if some.is_empty() { "nothing".to_owned() } else { some.join(", ") }
}

fn many(follows: &web::Follows, count: i64) -> String {
    let (one, many) = follows.title;
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Consents of the one who is merged that end, because the contact they were given for is not kept or somebody said no.
async fn unwritten(app: &App, plan: &Plan) -> Result<Vec<&'static str>, Problem> {
    let words = consents_of(app.db.read(), &[plan.survivor]).await?;
    let now = in_force(&words);
    let after = |word: &Word| {
        let said = plan.words.iter().find(|w| w.of == Side::Survivor && w.channel == word.channel);
        said.map_or_else(|| now.get(&word.channel).is_some_and(|row| row.given), |w| w.given)
    };
    let ended = plan.words.iter().filter(|w| w.of == Side::Merged && !after(w));
    Ok(ended.map(|w| channel_name(w.channel)).collect())
}

/// A row for each part of the contact; the one that is kept is chosen.
fn choices(customer: &Customer, other: &Customer, kept: &Keep) -> Markup {
    let place = |c: &Customer| c.address.as_ref().map(|a| address::lines_and_country(a).join(", "));
    let parts = [
        ("Name", "name", Some(customer.name.clone()), Some(other.name.clone()), kept.name),
        ("E-mail", "email", customer.email.clone(), other.email.clone(), kept.email),
        ("Phone", "phone", customer.phone.clone(), other.phone.clone(), kept.phone),
        ("Address", "address", place(customer), place(other), kept.address),
    ];
    let (mine, theirs) = (format!("{} (stays)", customer.name), format!("{} (is merged)", other.name));
    let cols = [Col::text("Keep"), Col::text(&mine), Col::text(&theirs)];
    let rows = parts.into_iter().map(|(label, name, mine, theirs, side)| {
        let both = mine.is_some() && theirs.is_some() && mine != theirs;
        let cell = |value: Option<String>, of: Side| match value {
            None => html! { span.text-secondary { "–" } },
            Some(value) if both => html! {
                label.form-check { input.form-check-input type="radio" name=(name) value=(of.as_str()) checked[side == of]; " " bdi { (value) } }
            },
            Some(value) => html! { bdi { (value) } },
        };
        Row::new([html! { strong { (label) } }, cell(mine, Side::Survivor), cell(theirs, Side::Merged)])
    });
    Table::new("Whose contact is kept", &cols, rows).show()
}

/// Sentences: what moves, what is said, what leads where.
fn effects(other: &Customer, plan: &Plan, follows: &[(web::Follows, i64)], lost: &[&str]) -> Markup {
    let said: Vec<_> = plan.words.iter().filter(|w| w.of == Side::Survivor).collect();
    let kept = |side: Side| side == Side::Merged;
    html! {
        ul.ledger {
            @for (what, count) in follows.iter().filter(|(_, n)| *n > 0) { li { strong { (many(what, *count)) } @if *count == 1 { " moves over." } @else { " move over." } } }
            @for money in &plan.credit { li { strong { (h::money(*money)) } " of store credit moves over, with its history." } }
            li { "Notes, returns, e-mails, payments, requests to pay, holds and verdicts of risk go with them." }
            @for word in &said {
                li { (channel_name(word.channel)) ": " @if word.given { (h::tag("consent moves over", Tone::Good)) } @else { (h::tag("consent is withdrawn", Tone::Bad)) } }
            }
            @for channel in lost {
                li { (channel) ": the consent of " bdi { (other.name) } " does not move, since that contact is not kept or the other said no. Ask again." }
            }
            li { "Whoever orders with " (leads(other, kept(plan.kept.email), kept(plan.kept.phone))) " is this customer from now on." }
            li { "Orders keep the names and addresses they were placed with." }
            li { code { (plan.merged) } " leads here, on pages and for programs." }
        }
    }
}

/// By what somebody was found before, and is found again.
fn leads(other: &Customer, email: bool, phone: bool) -> Markup {
    let reach: Vec<&str> = [other.email.as_deref(), other.phone.as_deref()].into_iter().flatten().collect();
    html! {
        @if reach.is_empty() { "what is known of either" } @else { bdi { (reach.join(" or ")) } }
        @if email || phone { ", or with what was this customer's before," }
    }
}

/// The page again, with why.
async fn refused(
    app: &App,
    caller: &Caller,
    customer: &Customer,
    chosen: &Chosen,
    problem: &Problem,
) -> Result<Response, Problem> {
    let page = page(app, caller, customer, chosen, Some(problem)).await?;
    Ok((problem.status(), page).into_response())
}

async fn submit(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    Segment(id): Segment<CustomerId>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Problem> {
    let customer = known(&app, id).await?;
    let Ok(from) = chosen.with.parse::<CustomerId>() else {
        return Ok(Redirect::to(&path(customer.id)).into_response());
    };
    if chosen.sure != "yes" {
        let why = "Say that they are the same person: a merge cannot be undone.";
        return refused(&app, &caller, &customer, &chosen, &Problem::invalid("sure", why)).await;
    }
    let key = Key::once(&chosen.once, &path(id));
    let done = web::submit!(app, caller, key, "customers.merge", &chosen, |tx| {
        let one = Merge { at: tx.now(), into: id, from, keep: chosen.keep(), by: caller.actor.clone() };
        merge(tx, &[one]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => {
            let survivor = survivor(app.db.read(), id).await?;
            Ok(web::done("They are one customer now").to(&format!("/customers/{survivor}")))
        }
        Err(problem) if problem.status().is_client_error() => {
            refused(&app, &caller, &customer, &chosen, &problem).await
        }
        Err(problem) => Err(problem),
    }
}

/// On the page of a customer: who they may be too, and who was merged into them.
pub(crate) async fn card(app: &App, caller: &Caller, customer: &Customer) -> Result<Markup, Problem> {
    let aliases = survivor_aliases(app, customer).await?;
    let likely = match caller.may::<WriteCustomers>() {
        true => likely_of(app, customer).await?,
        false => Vec::new(),
    };
    if aliases.is_empty() && likely.is_empty() {
        return Ok(html! {});
    }
    Ok(h::card(
        "Same person",
        html! {
            @if !likely.is_empty() {
                ul.ledger { @for one in &likely {
                    li { a href=(h::query(&path(customer.id), &[("with", &one.customer.id.to_string())])) { bdi { (one.customer.name) } } " " span.text-secondary { (reasons(one)) } }
                } }
            }
            @if !aliases.is_empty() {
                p.text-secondary { "Merged into this customer:" }
                ul.ledger { @for one in &aliases {
                    li { bdi { (one.name) } @for reach in [&one.email, &one.phone].into_iter().flatten() { ", " bdi { (reach) } } " " span.text-secondary { (h::time(one.merged_at)) } }
                } }
            }
        },
    ))
}

async fn survivor_aliases(app: &App, customer: &Customer) -> Result<Vec<crate::Alias>, Problem> {
    Ok(crate::aliases(app.db.read(), &[customer.id]).await?)
}
