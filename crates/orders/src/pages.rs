//! Pages of orders: the list with search and filters, the order with its money, units and timeline, and order entry.

mod detail;
mod entry;
mod list;

use axum::routing::get;
use web::App;

/// The pages of orders.
pub fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/orders", get(list::show))
        .route("/orders/new", get(entry::show).post(entry::submit))
        .route("/orders/{id}", get(detail::show).post(detail::act))
}
