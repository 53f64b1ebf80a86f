//! What customers see of their order without signing in: where it is, giving units of it back, and paying
//! what is left of it.
//!
//! Invariants: an order is shown to who has a signed link to it or knows its number and e-mail together, and a wrong number reads as a
//! wrong e-mail; without a link from an e-mail no address is shown; every page is limited in how often one address may ask, is kept out of
//! search engines, and works without scripts.

mod ask;
mod gate;
mod label;
mod pass;
mod pay;
mod photo;
mod shell;
mod track;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
pub use gate::Gate;
pub use pass::{Pass, pay_path};
use web::App;

/// The slice, for the program's list.
pub const SLICE: web::Slice = web::Slice { name: "portal", pages: routes, ..web::Slice::EMPTY };

fn routes() -> Router<App> {
    Router::new()
        .route("/pay", get(pay::show).post(pay::submit))
        .route("/track", get(track::show).post(track::look_up))
        .route("/track/label", get(label::show))
        .route("/track/photos", post(photo::submit).layer(DefaultBodyLimit::max(returns::MOST_SENT)))
        .route("/track/return", get(ask::show).post(ask::submit))
        .route("/track/return/send", post(ask::send).layer(DefaultBodyLimit::max(returns::MOST_SENT)))
}
