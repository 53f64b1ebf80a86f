//! Pages for those who connect other programs: events, webhooks with their deliveries, jobs; and the texts of e-mails.
//!
//! Invariant: a secret is shown in the answer to the form that made it and nowhere else.

mod events;
mod jobs;
mod texts;
mod webhooks;

use crate::api::{ReadEvents, ReadJobs, ReadMails, ReadWebhooks};
use axum::Router;
use axum::routing::{get, post};
use kernel::Permission;
use web::{App, Group, MenuItem};

const fn item(title: &'static str, path: &'static str, scope: &'static str, order: u8) -> MenuItem {
    MenuItem { title, path, scope, group: Group::Developers, order }
}

/// Where they stand in the menu.
pub(crate) const MENU: &[MenuItem] = &[
    item("Events", "/developers/events", ReadEvents::SCOPE, 10),
    item("Webhooks", "/developers/webhooks", ReadWebhooks::SCOPE, 11),
    item("Jobs", "/developers/jobs", ReadJobs::SCOPE, 12),
    item("API documentation", "/docs", ReadEvents::SCOPE, 90),
    MenuItem {
        title: "E-mail texts",
        path: "/settings/mail",
        scope: ReadMails::SCOPE,
        group: Group::Settings,
        order: 38,
    },
];

/// The pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/developers/events", get(events::list))
        .route("/developers/events/{id}", get(events::show))
        .route("/developers/webhooks", get(webhooks::list).post(webhooks::make))
        .route("/developers/webhooks/{id}", get(webhooks::show).post(webhooks::act))
        .route("/developers/deliveries/{id}", get(webhooks::one))
        .route("/developers/jobs", get(jobs::list).post(jobs::act))
        .route("/settings/mail", get(texts::list))
        .route("/settings/mail/{name}", get(texts::show).post(texts::save))
        .route("/settings/mail/{name}/preview", post(texts::preview))
}
