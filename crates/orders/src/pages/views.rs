//! Views of the list: those that every shop needs, and those a person keeps under a name.

use super::list::Query;
use crate::api::ReadOrders;
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Tab};
use web::{App, Form, Key, May, Problem, Reply};

/// Characters of a name at most.
const LONGEST: usize = 40;

const EVERYBODYS: &[(&str, &str)] = &[
    ("All", "/orders"),
    ("Needs attention", "/orders?hold=any"),
    ("To release", "/orders?only=ready"),
    ("Backordered", "/orders?only=backordered"),
    ("Unpaid", "/orders?payment_status=unpaid"),
];

/// The views as tabs; the one whose query is shown is marked.
pub(super) fn tabs(q: &Query, kept: &[View]) -> Markup {
    let here = q.here();
    let known = EVERYBODYS.iter().any(|(_, href)| *href == here);
    let own: Vec<(String, &str, bool)> =
        kept.iter().map(|v| (format!("/orders{}", v.query), v.name.as_str(), !known)).collect();
    let everybodys =
        EVERYBODYS.iter().map(|(title, href)| Tab { title, href, here: *href == here, count: None });
    let theirs =
        own.iter().map(|(href, title, may)| Tab { title, href, here: *may && *href == here, count: None });
    let all: Vec<Tab<'_>> = everybodys.chain(theirs).collect();
    let mine = own.iter().find(|(href, _, may)| *may && *href == here);
    html! {
        div.views {
            (h::tabs("Views", &all))
            @if let Some((_, name, _)) = mine {
                (h::button("/orders/views/forget", "Forget this view", "link", &[("name", name)]))
            } @else if !known {
                (h::opens("save-view", "Keep this view …", "link"))
            }
        }
    }
}

/// Asks for the name.
pub(super) fn save_dialog(q: &Query) -> Markup {
    let here = q.here();
    let body = html! {
        form method="post" action="/orders/views" {
            (web::once())
            input type="hidden" name="query" value=(here.trim_start_matches("/orders"));
            (h::field(&h::Field { label: "Name", name: "name", required: true, hint: "Only you see it, above the list.", ..h::Field::default() }))
            (h::form_buttons("Keep view", None))
        }
    };
    h::dialog("save-view", "Keep this view", body, html! {})
}

/// A view to keep or to forget.
#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Named {
    name: String,
    query: String,
    once: String,
}

/// Keeps a view.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Form(view): Form<Named>,
) -> Result<Response, Problem> {
    let name = view.name.trim();
    if name.is_empty() || name.chars().nth(LONGEST).is_some() {
        return Err(Problem::invalid("name", format!("A view has a name of 1 to {LONGEST} characters.")));
    }
    // It is only ever put behind the path of the list.
    if !(view.query.is_empty() || view.query.starts_with('?')) || view.query.len() > 2000 {
        return Err(Problem::invalid("query", "This is no query of the list of orders."));
    }
    let key = Key::once(&view.once, "/orders/views");
    web::submit!(app, caller, key, "orders.keep_view", &view, |tx| {
        crate::view::keep(tx, &caller.actor, name, &view.query).await?;
        Ok(Reply::empty())
    })?;
    Ok(web::done(format!("“{name}” is above the list now")).to(&format!("/orders{}", view.query)))
}

/// Forgets a view.
pub(super) async fn forget(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Form(view): Form<Named>,
) -> Result<Response, Problem> {
    let key = Key::once("", "/orders/views/forget");
    web::submit!(app, caller, key, "orders.forget_view", &view, |tx| {
        crate::view::forget(tx, &caller.actor, &view.name).await?;
        Ok(Reply::empty())
    })?;
    Ok(web::done(format!("“{}” is forgotten", view.name)).to("/orders"))
}
