//! Pages of returns: the inbox, one return with every step that is legal, and the panel on the page of an order.

mod act;
mod detail;
mod inbox;
mod new;
mod panel;
mod photos;
mod policy;

use crate::api::{ReadReturns, WriteReturns};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use kernel::Permission;
pub(crate) use panel::PANEL;
use web::{App, Group, MenuItem};

/// Where returns stand in the menu.
pub(crate) const MENU: &[MenuItem] = &[
    MenuItem {
        title: "Returns",
        path: "/returns",
        scope: ReadReturns::SCOPE,
        group: Group::Returns,
        order: 10,
    },
    MenuItem {
        title: "Return policy",
        path: "/settings/returns",
        scope: WriteReturns::SCOPE,
        group: Group::Settings,
        order: 37,
    },
];

/// Whether somebody sees money: who sees orders or payments does. Who picks and receives sees goods alone.
pub(crate) fn sees_money(caller: &web::Caller) -> bool {
    caller.scopes.allow("orders:read") || caller.scopes.allow("payments:read")
}

/// Bytes of a form with photos at most, here and on the page of customers.
pub(crate) const SENT: usize = 40 << 20;

/// The pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/orders/{id}/panels/returns", get(panel::panel))
        .route("/settings/returns", get(policy::show).post(policy::save))
        .route("/returns", get(inbox::show))
        .route("/returns/new", get(new::show).post(new::save))
        .route("/returns/{id}", get(detail::show))
        .route("/returns/{id}/decide", post(act::desk))
        .route("/returns/{id}/goods", post(act::goods))
        .route("/returns/{id}/photos", post(photos::add).layer(DefaultBodyLimit::max(SENT)))
        .route("/returns/{id}/photos/{photo}", get(photos::show))
}

/// The same at the beginning of a line.
fn sentence(word: &str) -> String {
    let spaced = words(word);
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A word of the domain as people read it.
fn words(word: &str) -> String {
    word.replace('_', " ")
}
