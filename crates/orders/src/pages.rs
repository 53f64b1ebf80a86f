//! Pages of orders: the list with its views, filters and bulk actions; the order with everything that may be done to it; order entry; the
//! review queue; and the customer's orders on the customer's page.
//!
//! Invariant: a page acts through the same commands as the API, under the permission of its own route, once for each form.

mod act;
mod bulk;
pub(crate) mod channels;
mod common;
mod csv;
mod customer;
mod detail;
mod entry;
mod forms;
mod list;
mod lookup;
mod money;
mod preview;
mod review;
mod routing;
mod timeline;
mod views;

/// The filter of a list of orders by its address, as `/orders?only=ready`: for other slices that act on what a list shows.
///
/// # Errors
/// A problem with the address, or a fault.
pub async fn listed(app: &App, address: &str) -> Result<Filter, web::Problem> {
    bulk::listed(app, address).await
}

pub(crate) use customer::PANEL as CUSTOMER_PANEL;
pub use entry::{EntryDraft, PANELS as ENTRY_PANELS};

/// What the search box of every page finds: whatever finds an order in the list.
pub(crate) const SEARCH: web::Search = web::Search {
    title: "Orders",
    scope: "orders:read",
    all: ("/orders", "search"),
    find: |app, text| {
        Box::pin(async move {
            let known_by = crate::api::known_by(app, Some(text)).await?;
            let filter = Filter { search: Some(text.to_owned()), known_by, ..Filter::default() };
            let found = crate::read::list(app.db.read(), &filter, None, 6).await?;
            let hit = |o: crate::OrderRow| web::Hit {
                href: format!("/orders/{}", o.id),
                title: o.number,
                detail: format!("{} · {}", o.name, kernel::Money::new(o.total, o.currency)),
            };
            Ok(found.into_iter().map(hit).collect())
        })
    },
};

use crate::read::Filter;
use axum::routing::{get, post};
use web::App;

/// The pages of orders.
pub fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/orders", get(list::show))
        .route("/orders/views", post(views::save))
        .route("/orders/views/forget", post(views::forget))
        .route("/orders/bulk", post(bulk::ask))
        .route("/orders/bulk/meant", get(bulk::every))
        .route("/orders/bulk/{id}", get(bulk::show))
        .route("/orders/list.csv", get(csv::download))
        .route("/orders/new", get(entry::show).post(entry::submit))
        .route("/orders/new/preview", post(preview::show))
        .route("/orders/new/customers", get(lookup::customers))
        .route("/orders/new/customer", get(lookup::customer))
        .route("/orders/new/skus", get(lookup::skus))
        .route("/orders/{id}", get(detail::show))
        .route("/orders/{id}/hold", post(act::hold))
        .route("/orders/{id}/release", post(act::release))
        .route("/orders/{id}/cancel", post(act::cancel))
        .route("/orders/{id}/cancel/preview", post(money::of_cancel))
        .route("/orders/{id}/address", post(act::address))
        .route("/orders/{id}/contact", post(act::contact))
        .route("/orders/{id}/note", post(act::note))
        .route("/orders/{id}/tag", post(act::tag))
        .route("/orders/{id}/untag", post(act::untag))
        .route("/orders/{id}/confirmation", post(act::confirmation))
        .route("/orders/{id}/payment-request", post(act::payment_request))
        .route("/orders/{id}/capture", post(act::capture))
        .route("/orders/{id}/received", post(act::received))
        .route("/orders/{id}/refund", post(act::refund))
        .route("/orders/{id}/refund/preview", post(money::of_refund))
        .route("/review", get(review::queue))
        .route("/review/{id}", get(review::show))
        .route("/review/{id}/decide", post(review::judge))
        .route("/review/{id}/release", post(review::release))
        .route("/settings/routing", get(routing::show).post(routing::save))
        .route("/settings/channels", get(channels::show).post(channels::save))
        .route("/panels/customers/{id}/orders", get(customer::panel))
}
