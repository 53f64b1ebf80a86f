//! The page of the audit log.

use super::audit::{self, Ask, Row, is_refusal};
use super::users;
use super::{May, ViewAudit, actor_name, subject_link};
use crate::{App, Paging, Params, Problem, html, shell};
use axum::extract::State;
use axum::routing::get;
use kernel::fact::EventId;
use maud::{Markup, html};
use serde_json::Value as Json;
use std::collections::HashMap;

/// People offered as a filter at most.
const OFFERED: i64 = 500;
/// Kinds offered as a filter; any other can be typed into the address.
const KINDS: &[&str] = &[
    "user.signed_in",
    "user.sign_in_failed",
    "request.refused",
    "user.role_changed",
    "user.invited",
    "user.created",
    "user.deactivated",
    "user.activated",
    "user.password_changed",
    "user.second_factor_on",
    "user.second_factor_off",
    "api_key.created",
    "api_key.revoked",
    "order.placed",
    "order.cancelled",
    "order.hold_released",
    "payment.refunded",
];

/// The page of the audit log.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/audit", get(show))
}

async fn show(
    State(app): State<App>,
    caller: May<ViewAudit>,
    Params(ask): Params<Ask>,
) -> Result<Markup, Problem> {
    let paging = Paging::<EventId>::read(ask.limit, ask.cursor.as_deref())?;
    let rows = audit::rows(&app, &ask, &paging).await?;
    let page = paging.page(rows, |row| row.id);
    // People and keys are what is acted on as well.
    let subjects: Vec<String> = page.data.iter().filter_map(|row| as_actor(&row.subject)).collect();
    let actors: Vec<&str> =
        page.data.iter().map(|row| row.actor.as_str()).chain(subjects.iter().map(String::as_str)).collect();
    let names = users::names(app.db.read(), &actors).await?;
    let people = users::users(app.db.read(), None, OFFERED).await?;
    let people: Vec<(String, String)> =
        people.into_iter().map(|person| (format!("user:{}", person.id), person.name)).collect();
    Ok(shell::page(
        &caller,
        "Audit log",
        html! {
            (filters(&ask, &people))
            @if page.data.is_empty() {
                (html::empty("Nothing of that kind", "Take another span of time, or fewer filters. What programs did is shown when you ask for programs."))
            } @else {
                (html::Table::new("What was done", &COLS, page.data.iter().map(|row| entry(row, &names))).show())
            }
            (html::next_link(&here(&ask), page.next_cursor.as_deref()))
        },
    ))
}

/// The present address without its cursor.
fn here(ask: &Ask) -> String {
    let pairs = [
        ("actor", &ask.actor),
        ("kind", &ask.kind),
        ("subject", &ask.subject),
        ("from", &ask.from),
        ("until", &ask.until),
    ];
    let mut path = "/audit".to_owned();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
        let pair = super::may::with_query("", name, value.trim());
        path.push_str(&if path.contains('?') { pair.replacen('?', "&", 1) } else { pair });
    }
    path
}

fn filters(ask: &Ask, people: &[(String, String)]) -> Markup {
    let mut actors = vec![("", "All people"), ("key:*", "Programs (API keys)"), ("nobody", "Nobody we know")];
    actors.extend(people.iter().map(|(actor, name)| (actor.as_str(), name.as_str())));
    if !actors.iter().any(|(actor, _)| *actor == ask.actor) {
        actors.push((&ask.actor, &ask.actor));
    }
    let mut kinds = vec![("", "Everything")];
    let known: Vec<String> = KINDS.iter().map(|kind| html::words(kind)).collect();
    kinds.extend(KINDS.iter().copied().zip(known.iter().map(String::as_str)));
    if !kinds.iter().any(|(kind, _)| *kind == ask.kind) {
        kinds.push((&ask.kind, &ask.kind));
    }
    let field = |label, name, kind, value| {
        html::field(&html::Field { label, name, kind, value, ..html::Field::default() })
    };
    html::filters(
        "/audit",
        html! {
            (html::select("Who", "actor", &actors, &ask.actor))
            (html::select("What", "kind", &kinds, &ask.kind))
            (field("Object", "subject", "text", &ask.subject))
            (field("From", "from", "date", &ask.from))
            (field("To", "until", "date", &ask.until))
        },
    )
}

const COLS: [html::Col<'static>; 5] = [
    html::Col::text("When"),
    html::Col::text("Who"),
    html::Col::text("What"),
    html::Col::text("Object"),
    html::Col::text("From where"),
];

fn entry(row: &Row, names: &HashMap<String, String>) -> html::Row {
    let refused = is_refusal(&row.kind);
    html::Row::new([
        html::time(row.at),
        who(row, names),
        html! {
            span.text-danger[refused] { (html::words(&row.kind)) }
            @if let Some(words) = words(row) { div.text-secondary.small { bdi { (words) } } }
        },
        subject_link(&row.subject, as_actor(&row.subject).and_then(|a| names.get(&a)).map(String::as_str)),
        html! { @if let Some(origin) = &row.origin { span.text-secondary { (origin) } } },
    ])
}

fn who(row: &Row, names: &HashMap<String, String>) -> Markup {
    html! {
        a href=(super::may::with_query("/audit", "actor", &row.actor)) { (actor_name(names, &row.actor)) }
        @if row.actor.starts_with("key:") { div.text-secondary.small { "API key" } }
    }
}

/// A person or a key as actors are written, to find its name.
fn as_actor(subject: &str) -> Option<String> {
    let kind = match subject.split_once('_')?.0 {
        "usr" => "user",
        "key" => "key",
        _ => return None,
    };
    Some(format!("{kind}:{subject}"))
}

/// The few words of a fact or refusal that people look for, but for those that stand in other columns.
fn words(row: &Row) -> Option<String> {
    let fact: Json = serde_json::from_str(&row.payload).ok()?;
    let said: Vec<String> = [
        "method",
        "code",
        "email",
        "from",
        "to",
        "role",
        "name",
        "reason",
        "second_factor",
        "scopes",
        "roles",
    ]
    .iter()
    .filter_map(|name| match fact.get(*name)? {
        Json::String(text) => Some(text.clone()),
        Json::Array(items) => Some(items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ")),
        _ => None,
    })
    .filter(|text| !text.is_empty() && *text != row.subject)
    .filter(|text| row.origin.as_ref().is_none_or(|origin| !origin.starts_with(text.as_str())))
    .map(|text| if text == "*" { "everything".to_owned() } else { text })
    .collect();
    Some(said.join(" · ").chars().take(200).collect()).filter(|text: &String| !text.is_empty())
}
