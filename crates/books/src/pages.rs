//! The books for people: statements whose every figure leads to the account, its postings, the entry, and the order.
//!
//! Invariant: a page shows what the API's query gives; nothing is added up here but what stands in one table.

mod account;
mod change;
mod entry;
mod export;
mod journal;
mod span;
mod statements;

use crate::api::{ReadBooks, WriteBooks};
use axum::Router;
use axum::routing::get;
use db::Sql;
use kernel::{Currency, Fault, Permission};
use maud::{Markup, html};
use orders::OrderId;
use std::collections::HashMap;
use web::html as h;
use web::{App, Caller, Group, MenuItem};

const fn item(title: &'static str, path: &'static str, order: u8) -> MenuItem {
    MenuItem { title, path, scope: ReadBooks::SCOPE, group: Group::Books, order }
}

/// Where the books stand in the menu.
pub(crate) const MENU: &[MenuItem] = &[
    crate::home::MENU,
    item("Profit and loss", "/books/profit-and-loss", 10),
    item("Balance sheet", "/books/balance-sheet", 11),
    item("Trial balance", "/books/trial-balance", 12),
    item("Journal", "/books/journal", 13),
    item("Months", "/books/months", 14),
];

/// The pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/books", get(statements::begin))
        .route("/books/profit-and-loss", get(statements::profit_and_loss))
        .route("/books/balance-sheet", get(statements::balance_sheet))
        .route("/books/trial-balance", get(statements::trial_balance))
        .route("/books/accounts/{code}", get(account::postings))
        .route("/books/accounts/{code}/open-items", get(account::open_items))
        .route("/books/entries/{id}", get(entry::show))
        .route("/books/journal", get(journal::show))
        .route("/books/months", get(change::months).post(change::close))
        .route("/books/adjust", get(change::form).post(change::adjust))
        .route("/books/export/{file}", get(export::download))
}

/// The orders of rows: number by raw id.
async fn numbers(sql: &Sql, orders: impl Iterator<Item = i64>) -> Result<HashMap<i64, String>, Fault> {
    let mut ids: Vec<OrderId> = orders.map(OrderId).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = orders::read::orders_by_id(sql, &ids).await?;
    Ok(found.into_iter().map(|(id, order)| (id.0, order.number)).collect())
}

/// A link to an order.
fn order_link(numbers: &HashMap<i64, String>, order: Option<i64>) -> Markup {
    html! {
        @if let Some(raw) = order {
            @let id = OrderId(raw);
            a href={ "/orders/" (id) } { @match numbers.get(&raw) { Some(number) => (number), None => (id) } }
        }
    }
}

/// A code and the name of its account, as a link to what moved on it.
fn account_link(code: &str, query: &[(&str, &str)]) -> Markup {
    html! {
        a href=(h::query(&format!("/books/accounts/{code}"), query)) { (code) " " (crate::read::account_name(code)) }
    }
}

/// What can be downloaded from a page.
fn downloads(name: &str, query: &[(&str, &str)]) -> Markup {
    let file = |ending: &str| h::query(&format!("/books/export/{name}.{ending}"), query);
    let (csv, xlsx) = (file("csv"), file("xlsx"));
    h::menu(
        "Export",
        &[
            h::Item::Link("CSV", &csv),
            h::Item::Link("Excel (XLSX)", &xlsx),
            h::Item::Line,
            h::Item::Link("Whole journal for hledger", "/v1/books/export.hledger"),
        ],
    )
}

/// What somebody who may write the books finds on each page.
fn adjust_link(caller: &Caller) -> Markup {
    html! { @if caller.may::<WriteBooks>() { (h::link("/books/adjust", "Adjust", "secondary", "")) } }
}

/// A choice among the currencies of the journal; nothing where there is only one.
fn currency_select(known: &[Currency], chosen: Option<Currency>) -> Markup {
    let codes: Vec<String> = known.iter().map(ToString::to_string).collect();
    let mut options = vec![("", "All")];
    options.extend(codes.iter().map(|c| (c.as_str(), c.as_str())));
    let chosen = chosen.map(|c| c.to_string()).unwrap_or_default();
    html! { @if known.len() > 1 { (h::select("Currency", "currency", &options, &chosen)) } }
}
