//! Pages of stock: what lies where, how it came to be, and the forms that receive, adjust, count and move it;
//! purchase orders and count sheets; and the locations among the settings.
//!
//! Invariant: a page does what the API does, through the same commands, and a form that is sent twice acts once.

mod change;
mod list;
mod locations;
mod purchase;
mod sheets;
mod sku;

use crate::api::{ReadInventory, ReadPurchasing, WriteInventory};
use crate::{Location, LocationKind};
use axum::Router;
use axum::routing::{get, post};
use db::Sql;
use kernel::{Fault, Permission};
use web::html as h;
use web::{App, Group, MenuItem, Panel};

/// Its entries of the menu.
pub(crate) const MENU: &[MenuItem] = &[
    MenuItem { title: "Levels", path: "/stock", scope: ReadInventory::SCOPE, group: Group::Stock, order: 10 },
    MenuItem {
        title: "Receive",
        path: "/stock/receive",
        scope: WriteInventory::SCOPE,
        group: Group::Stock,
        order: 20,
    },
    MenuItem {
        title: "Purchase orders",
        path: "/purchasing",
        scope: ReadPurchasing::SCOPE,
        group: Group::Stock,
        order: 15,
    },
    MenuItem {
        title: "Count",
        path: "/stock/count",
        scope: WriteInventory::SCOPE,
        group: Group::Stock,
        order: 30,
    },
    MenuItem {
        title: "Count sheets",
        path: "/stock/counts",
        scope: ReadInventory::SCOPE,
        group: Group::Stock,
        order: 35,
    },
    MenuItem {
        title: "Transfer",
        path: "/stock/transfer",
        scope: WriteInventory::SCOPE,
        group: Group::Stock,
        order: 40,
    },
    MenuItem {
        title: "Adjust",
        path: "/stock/adjust",
        scope: WriteInventory::SCOPE,
        group: Group::Stock,
        order: 50,
    },
    MenuItem {
        title: "Locations",
        path: "/settings/locations",
        scope: WriteInventory::SCOPE,
        group: Group::Settings,
        order: 33,
    },
];

/// Its place on the page of a SKU.
pub(crate) const PANEL: Panel = Panel {
    page: "sku",
    title: "Stock",
    path: |sku| format!("/panels/skus/{sku}/stock"),
    scope: ReadInventory::SCOPE,
    folded: false,
};

/// The pages of this slice.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/stock", get(list::show))
        .route("/stock/skus/{code}", get(sku::show))
        .route(
            "/stock/receive",
            get(change::form::<change::Receiving>).post(change::submit::<change::Receiving>),
        )
        .route(
            "/stock/adjust",
            get(change::form::<change::Adjusting>).post(change::submit::<change::Adjusting>),
        )
        .route("/stock/count", get(change::form::<change::Counting>).post(change::submit::<change::Counting>))
        .route("/stock/transfer", get(change::form::<change::Moving>).post(change::submit::<change::Moving>))
        .route("/stock/bin", get(change::form::<change::Shelving>).post(change::submit::<change::Shelving>))
        .route("/stock/safety", get(change::form::<change::Keeping>).post(change::submit::<change::Keeping>))
        .route("/stock/counts", get(sheets::list).post(sheets::start))
        .route("/stock/counts/{id}", get(sheets::show).post(sheets::enter))
        .route("/stock/counts/{id}/approve", post(sheets::approve))
        .route("/stock/counts/{id}/discard", post(sheets::discard))
        .route("/purchasing", get(purchase::list))
        .route("/purchasing/new", get(purchase::empty).post(purchase::create))
        .route("/purchasing/{id}", get(purchase::show))
        .route("/purchasing/{id}/edit", get(purchase::edit).post(purchase::change))
        .route("/purchasing/{id}/order", post(purchase::order))
        .route("/purchasing/{id}/cancel", post(purchase::cancel))
        .route("/purchasing/{id}/receive", post(purchase::receive))
        .route("/panels/skus/{id}/stock", get(sku::panel))
        .route("/settings/locations", get(locations::list).post(locations::save))
        .route("/settings/locations/new", get(locations::empty))
        .route("/settings/locations/{code}", get(locations::edit))
}

/// The page of a SKU's stock.
fn stock_path(code: &str) -> String {
    catalog::sku_path(code).replacen("/catalog/", "/stock/", 1)
}

/// All locations, with their codes and names for a choice.
async fn places(sql: &Sql) -> Result<Vec<Location>, Fault> {
    crate::locations(sql).await
}

/// What a choice of locations calls one.
fn named(l: &Location) -> String {
    match l.kind {
        LocationKind::Warehouse => l.name.clone(),
        kind => format!("{} ({kind})", l.name),
    }
}

/// The address of a form, for a SKU at a location.
fn action(form: &str, sku: &str, location: &str) -> String {
    h::query(&format!("/stock/{form}"), &[("sku", sku), ("location", location)])
}
