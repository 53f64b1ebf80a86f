//! The frame of the public pages: the merchant's name, one column, nothing of the back office.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use web::{App, asset};

const KEPT_BY_NOBODY: &str = "noindex, nofollow";

/// A page about a customer's order; no search engine keeps it.
pub(crate) fn page(app: &App, status: StatusCode, title: &str, body: Markup) -> Response {
    let elsewhere = html! { p.text-secondary.small { a href="/track" { "Look up another order" } } };
    let robots = [(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static(KEPT_BY_NOBODY))];
    let meta = html! { meta name="robots" content=(KEPT_BY_NOBODY); };
    (robots, whole(app, status, title, &meta, &html! { (body) (elsewhere) })).into_response()
}

/// The page where an order is looked up: it leads to no other, says nothing of anybody, and may be found by who looks for it.
pub(crate) fn first_page(app: &App, status: StatusCode, title: &str, body: &Markup) -> Response {
    whole(app, status, title, &html! {}, body)
}

fn whole(app: &App, status: StatusCode, title: &str, meta: &Markup, body: &Markup) -> Response {
    let merchant = app.setup.merchant.as_str();
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                (meta)
                meta name="color-scheme" content="light dark";
                meta name="description" content={ (title) " – " (merchant) };
                title { (title) " · " (merchant) }
                link rel="icon" href=(asset("favicon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(asset("tabler.css"));
                link rel="stylesheet" href=(asset("app.css"));
                script src=(asset("theme.js")) {}
                script src=(asset("app.js")) defer {}
            }
            body.bare {
                a.skip href="#content" { "Skip to content" }
                main #content.bare-main tabindex="-1" {
                    p.bare-brand { bdi { (merchant) } }
                    h1.bare-title { (title) }
                    (body)
                }
            }
        }
    };
    (status, whole).into_response()
}
