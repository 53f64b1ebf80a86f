//! The page of API keys: what there are, making one, ending one.

use super::keys::{CreateKey, KeyId, create_api_key, revoke_api_key};
use super::keys_api::{KeyRow, has_to_give, keys};
use super::{Caller, ManageKeys, May, forms};
use crate::toast;
use crate::{App, Form, OrProblem, Problem, Segment, html, shell};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kernel::{Fault, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

/// Keys shown at most.
const SHOWN: i64 = 500;
/// Days after which a new key stops by itself, as offered.
const DAYS: [(&str, &str); 5] =
    [("", "Never"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year")];

/// The pages of keys.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/keys", get(show).post(create)).route("/keys/{id}", post(revoke))
}

#[derive(Deserialize, Default)]
struct New {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    days: String,
}

async fn show(State(app): State<App>, caller: May<ManageKeys>) -> Result<Markup, Problem> {
    Ok(page(&app, &caller, html! {}, &New::default()).await?)
}

async fn create(
    State(app): State<App>,
    caller: May<ManageKeys>,
    Form(asked): Form<New>,
) -> Result<Response, Problem> {
    match make(&app, &caller, &asked).await {
        Ok(said) => Ok(page(&app, &caller, said, &New::default()).await?.into_response()),
        Err(problem) if problem.status().is_client_error() => {
            let said = forms::said("danger", Some(problem.detail()));
            Ok((problem.status(), page(&app, &caller, said, &asked).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn make(app: &App, caller: &Caller, asked: &New) -> Result<Markup, Problem> {
    let known = DAYS.iter().find(|(days, _)| *days == asked.days).map_or("", |(days, _)| *days);
    let expires_at = known.parse::<i64>().ok().map(|days| app.db.now().plus(days * Timestamp::DAY));
    let new = CreateKey { name: asked.name.clone(), scopes: asked.scopes.clone(), expires_at };
    has_to_give(caller, &new.scopes)?;
    let made: Result<_, Fault> = db::write!(app.db, &caller.actor, |tx| {
        Ok(create_api_key(tx, &app.slices, &new).await?.or_problem()?)
    });
    let made = made?;
    let hint =
        "Copy it now: it is shown this once, and kept only as a hash. Send it as “Authorization: Bearer …”.";
    Ok(forms::once(&format!("The key “{}”", made.name), &made.key, hint))
}

async fn revoke(
    State(app): State<App>,
    caller: May<ManageKeys>,
    Segment(id): Segment<KeyId>,
) -> Result<Response, Problem> {
    let done: Result<(), Fault> =
        db::write!(app.db, &caller.actor, |tx| Ok(revoke_api_key(tx, id).await?.or_problem()?));
    done?;
    Ok(toast::done("The key is revoked, and stopped at once").to("/keys"))
}

async fn page(app: &App, caller: &Caller, said: Markup, asked: &New) -> Result<Markup, Fault> {
    let mut all = keys(app.db.read(), None, SHOWN).await?;
    // What is over stands last.
    let now = app.db.now();
    let over = |key: &KeyRow| key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now);
    all.sort_by_key(|key| (over(key), -key.id.0));
    Ok(shell::page(
        caller,
        "API keys",
        html! {
            (said)
            @if all.is_empty() {
                (html::empty("No keys yet", "A key lets a program call the API. Make one below."))
            } @else {
                (html::card("Keys", html::Table::new("Keys", &COLS, all.iter().map(|key| row(key, over(key)))).show()))
            }
            (html::card("New key", form(app, caller, asked)))
        },
    ))
}

const COLS: [html::Col<'static>; 6] = [
    html::Col::text("Name"),
    html::Col::text("Permissions"),
    html::Col::text("Created"),
    html::Col::text("Last used"),
    html::Col::text("Expires"),
    html::Col::text(""),
];

fn row(key: &KeyRow, over: bool) -> html::Row {
    let never = || html! { span.text-secondary { "Never" } };
    let used = match key.last_used_at {
        Some(at) => format!("It was last used on {}.", at.minute()),
        None => "It was never used.".to_owned(),
    };
    html::Row::new([
        html! { strong { bdi { (key.name) } } div { code { (key.id) } } },
        html! { @for scope in key.scopes.split_whitespace() { @if scope == "*" { "Everything " } @else { code.me-1 { (scope) } " " } } },
        html::date(key.created_at),
        key.last_used_at.map_or_else(never, html::time),
        html! {
            @if let Some(at) = key.revoked_at { "Revoked " (html::time(at)) }
            @else { (key.expires_at.map_or_else(never, html::time)) }
        },
        html! { @if key.revoked_at.is_none() {
            (html::confirm(
                &format!("revoke-{}", key.id), &format!("/keys/{}", key.id), "Revoke", "sm btn-outline-danger",
                &format!("Programs with the key “{}” stop at once, and it cannot be taken back. {used}", key.name), &[],
            ))
        } },
    ])
    .quiet(over)
}

fn form(app: &App, caller: &Caller, asked: &New) -> Markup {
    html! {
        form method="post" action="/keys" {
            div.row {
                div."col-md-8" { (html::field(&html::Field { label: "What it is for", name: "name", value: &asked.name, required: true, hint: "As “web shop” or “accountant's spreadsheet”.", ..html::Field::default() })) }
                div."col-md-4" { (html::select("Expires", "days", &DAYS, &asked.days)) }
            }
            fieldset.mb-3 {
                legend.form-label.required { "Permissions" }
                div.scope-groups {
                    @for slice in app.slices.iter() {
                        @let own: Vec<_> = slice.permissions.iter().filter(|(scope, _)| caller.scopes.allow(scope)).collect();
                        @if !own.is_empty() {
                            div.scope-group data-ticks {
                                p.mb-1 { strong { (title(slice.name)) } " " button.btn-bare type="button" data-tick-near { "All of this group" } }
                                @for (scope, meaning) in own { (choice(scope, meaning, asked)) }
                            }
                        }
                    }
                }
                @if caller.scopes.grants().iter().any(|grant| grant == "*" || grant == "*:read") {
                    div.mt-3 { (choice("*:read", "Read only: see everything, change nothing", asked)) }
                }
                @if caller.may_everything() { (choice("*", "Everything, also what comes with later versions", asked)) }
            }
            button.btn.btn-primary type="submit" { "Create key" }
        }
    }
}

/// The groups by the names they have in the menu.
fn title(slice: &str) -> String {
    match slice {
        "web" => "Settings".to_owned(),
        "catalog" => "Catalogue".to_owned(),
        "inventory" => "Stock".to_owned(),
        "warehouse" => "Fulfilment".to_owned(),
        "automation" => "Developers".to_owned(),
        other => html::words(other),
    }
}

fn choice(scope: &str, meaning: &str, asked: &New) -> Markup {
    html! {
        label.form-check {
            input.form-check-input type="checkbox" name="scopes[]" value=(scope) checked[asked.scopes.iter().any(|s| s == scope)];
            span.form-check-label { (meaning) " " code.text-secondary { (scope) } }
        }
    }
}
