//! Pages of the catalogue: the list with its search, a SKU, its form, suppliers, tax rates, and what boxes that look SKUs up offer.
//!
//! Invariant: a page does what the API does, through the same commands, and a form that is sent twice acts once.

mod detail;
mod form;
mod import;
mod list;
mod suppliers;
mod tax;

use crate::api::{ReadCatalog, WriteCatalog};
use crate::read::{self, Filter, SkuDetail};
use axum::Router;
use axum::routing::{get, post};
use kernel::Permission;
use web::html as h;
use web::{App, Group, Hit, MenuItem, Problem, Search};

/// Its entries of the menu.
pub(crate) const MENU: &[MenuItem] = &[
    MenuItem {
        title: "SKUs",
        path: "/catalog",
        scope: ReadCatalog::SCOPE,
        group: Group::Catalogue,
        order: 10,
    },
    MenuItem {
        title: "Suppliers",
        path: "/catalog/suppliers",
        scope: ReadCatalog::SCOPE,
        group: Group::Catalogue,
        order: 20,
    },
    MenuItem {
        title: "Tax rates",
        path: "/settings/tax",
        scope: WriteCatalog::SCOPE,
        group: Group::Settings,
        order: 36,
    },
];

/// SKUs by code, title or barcode.
pub(crate) const SEARCH: Search = Search {
    title: "SKUs",
    scope: ReadCatalog::SCOPE,
    all: ("/catalog", "search"),
    find: |app, text| {
        Box::pin(async move {
            let filter = Filter { search: Some(text.to_owned()), ..Filter::default() };
            let found = read::list(app.db.read(), &filter, None, 5).await?;
            let hit =
                |d: SkuDetail| Hit { href: sku_path(&d.sku.code), title: d.sku.code, detail: d.sku.title };
            Ok(found.into_iter().map(hit).collect())
        })
    },
};

/// The pages of this slice.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/catalog", get(list::show))
        .route("/catalog/lookup", get(list::lookup))
        .route("/catalog/new", get(form::empty).post(form::create))
        .route("/catalog/import", get(import::form).post(import::read))
        .route("/catalog/import/template.csv", get(import::template))
        .route("/catalog/import/{id}", get(import::show).post(import::confirm))
        .route("/catalog/suppliers", get(suppliers::show).post(suppliers::save))
        .route("/catalog/skus/{code}", get(detail::show))
        .route("/catalog/skus/{code}/edit", get(form::edit).post(form::change))
        .route("/catalog/skus/{code}/active", post(detail::activate))
        .route("/settings/tax", get(tax::show).post(tax::save))
        .route("/settings/tax/remove", post(tax::remove))
}

/// The page of a SKU.
pub fn sku_path(code: &str) -> String {
    // As a value of a query it is encoded whole, slashes too.
    let encoded = h::query("", &[("c", code)]);
    format!("/catalog/skus/{}", encoded.trim_start_matches("?c="))
}

/// The SKU, or that there is none.
async fn detail(app: &App, code: &str) -> Result<SkuDetail, Problem> {
    read::detail(app.db.read(), code).await?.ok_or_else(|| Problem::not_found(format!("SKU {code}")))
}
