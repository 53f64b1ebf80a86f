//! Pages of payments: the list, one payment with what was asked and said, and what may be done with it; and the panel of an order.

mod act;
mod detail;
mod list;
mod panel;

use crate::api::ReadPayments;
use axum::routing::get;
use kernel::Permission;
pub(crate) use panel::PANEL;
use web::{App, Group, MenuItem};

/// Where payments stand in the menu.
pub(crate) const MENU: &[MenuItem] = &[MenuItem {
    title: "Payments",
    path: "/payments",
    scope: ReadPayments::SCOPE,
    group: Group::Books,
    order: 30,
}];

/// The pages.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/orders/{id}/payments", get(panel::of_order))
        .route("/payments", get(list::show))
        .route("/payments/{id}", get(detail::show).post(act::tender))
        .route("/payments/{id}/refund", axum::routing::post(act::refund))
}
