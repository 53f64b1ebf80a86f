//! Pages of payments: the list, one payment with what was asked and said, and what may be done with it; the panel of an order;
//! and the gateways among the settings.

mod act;
mod detail;
mod gateways;
mod list;
mod panel;

use crate::api::{ReadPayments, SetUpPayments};
use crate::model::internal;
use axum::routing::get;
use kernel::{Fault, Permission, Refuse};
pub(crate) use panel::PANEL;
use web::html as h;
use web::{App, Group, MenuItem, OrProblem};

/// Where payments stand in the menu.
pub(crate) const MENU: &[MenuItem] = &[
    MenuItem {
        title: "Payments",
        path: "/payments",
        scope: ReadPayments::SCOPE,
        group: Group::Books,
        order: 30,
    },
    MenuItem {
        title: "Payment gateways",
        path: "/settings/gateways",
        scope: SetUpPayments::SCOPE,
        group: Group::Settings,
        order: 31,
    },
];

/// The pages.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/orders/{id}/payments", get(panel::of_order))
        .route("/payments", get(list::show))
        .route("/payments/{id}", get(detail::show).post(act::tender))
        .route("/payments/{id}/refund", axum::routing::post(act::refund))
        .route("/settings/gateways", get(gateways::list))
        .route("/settings/gateways/{code}", get(gateways::show).post(gateways::save))
        .route("/settings/gateways/{code}/test", axum::routing::post(gateways::test))
}

/// A tender as people read it: how it is paid and, where it is not by hand, through whom.
fn tender(gateway: &str, method: &str) -> String {
    match (gateway, method) {
        (internal::MANUAL, internal::BANK_TRANSFER) => "Bank transfer".to_owned(),
        (internal::MANUAL, internal::COD) => "Cash on delivery".to_owned(),
        (internal::MANUAL, method) => h::words(method),
        (internal::STORE_CREDIT, _) => "Store credit".to_owned(),
        (internal::EXCHANGE, _) => "Exchange".to_owned(),
        (gateway, method) => format!("{} · {}", h::words(method), h::words(gateway)),
    }
}

/// The outcome of the one command that was given.
fn single<T, R: Refuse>(outcomes: Vec<Result<T, R>>) -> Result<T, Fault> {
    let outcome = outcomes.into_iter().next().ok_or_else(|| Fault::broken("a command without outcome"))?;
    Ok(outcome.or_problem()?)
}
