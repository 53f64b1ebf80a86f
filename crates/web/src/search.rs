//! The search box of every page: what each slice finds for a text, on a page of its own and in the list below the box.
//!
//! What is found in one place only is where the reader wanted to go: a scanned order number leads straight to the order.

use crate::html::{Icon, empty_with, query};
use crate::{App, Caller, Hit, May, Params, Problem, Screen, Search, SignedIn};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;

/// Characters of a text that is searched for, at most.
const LONGEST: usize = 200;

/// The page and the list.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/search", get(show))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Query {
    q: String,
    /// `list`: what stands below the box while one types.
    part: String,
}

async fn show(
    State(app): State<App>,
    caller: May<SignedIn>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let text: String = query.q.trim().chars().take(LONGEST).collect();
    let found = find(&app, &caller, &text).await?;
    if query.part == "list" {
        return Ok(below(&text, &found).into_response());
    }
    if let [(_, hits)] = &found[..]
        && let [hit] = &hits[..]
    {
        return Ok(Redirect::to(&hit.href).into_response());
    }
    Ok(page(&caller, &text, &found).into_response())
}

async fn find(app: &App, caller: &Caller, text: &str) -> Result<Vec<(Search, Vec<Hit>)>, Problem> {
    let mut found = Vec::new();
    if text.is_empty() {
        return Ok(found);
    }
    for search in crate::all(&app.slices, |s| s.search).iter().filter(|s| caller.scopes.allow(s.scope)) {
        let hits = (search.find)(app, text).await?;
        if !hits.is_empty() {
            found.push((*search, hits));
        }
    }
    Ok(found)
}

fn page(caller: &Caller, text: &str, found: &[(Search, Vec<Hit>)]) -> Markup {
    let title = if text.is_empty() { "Search".to_owned() } else { format!("“{text}”") };
    Screen::new(caller, title).searched(text).narrow().show(html! {
        @if found.is_empty() {
            @let (title, hint) = match text {
                "" => ("Search everything", "Type a number, a name, an e-mail address, a SKU or a tracking number. The key / leads here from every page."),
                _ => ("Nothing found", "Look for a whole number, the beginning of a first or last name, an e-mail address, a SKU or a tracking number."),
            };
            (empty_with(Icon::Search, title, hint, html! {}))
        }
        @for (search, hits) in found {
            section.card.mb-3 {
                div.card-header {
                    h2.card-title { (search.title) }
                    @if !search.all.0.is_empty() { div.card-actions { a href=(query(search.all.0, &[(search.all.1, text)])) { "Show all" } } }
                }
                ul.hits { @for hit in hits { li { a href=(hit.href) { strong { bdi { (hit.title) } } " " span.text-secondary { bdi { (hit.detail) } } } } } }
            }
        }
    })
}

fn below(text: &str, found: &[(Search, Vec<Hit>)]) -> Markup {
    html! {
        @for (search, hits) in found {
            li.hit-head role="presentation" { (search.title) }
            @for hit in hits {
                li role="option" data-href=(hit.href) aria-selected="false" { bdi { (hit.title) } " " span.text-secondary { bdi { (hit.detail) } } }
            }
        }
        @if found.is_empty() && !text.is_empty() { li.combobox-none role="option" aria-disabled="true" aria-selected="false" { "Nothing found" } }
    }
}
