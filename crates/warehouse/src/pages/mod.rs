//! Pages of the warehouse: what may be released, picking by scan, the pack station, parcels, and the panel on the page of an order.
//!
//! Invariant: a page does what the API does, through the same commands, and a form that is sent twice acts once.

mod boxes;
mod lists;
mod pack;
mod panel;
mod parcel;
mod pick;
mod queue;
mod scan;
mod send;

use crate::model::{Fulfilment, FulfilmentId};
use crate::queue::by_number;
use crate::{PickWarehouse, ReadWarehouse, WriteWarehouse, read};
use axum::routing::{get, post};
use db::Sql;
use inventory::LocationId;
use kernel::{Fault, Permission, Refuse};
use maud::{Markup, html};
use web::html::{self as h, Tab};
use web::{App, Caller, Group, Hit, MenuItem, OrProblem, Problem, Search};

pub(crate) use panel::PANEL;

/// Its entries of the menu.
pub(crate) const MENU: &[MenuItem] = &[
    MenuItem {
        title: "Release",
        path: "/warehouse",
        scope: WriteWarehouse::SCOPE,
        group: Group::Fulfilment,
        order: 10,
    },
    MenuItem {
        title: "Pick",
        path: "/pick",
        scope: PickWarehouse::SCOPE,
        group: Group::Fulfilment,
        order: 20,
    },
    MenuItem {
        title: "Pack",
        path: "/pack",
        scope: PickWarehouse::SCOPE,
        group: Group::Fulfilment,
        order: 30,
    },
    MenuItem {
        title: "Boxes",
        path: "/warehouse/boxes",
        scope: WriteWarehouse::SCOPE,
        group: Group::Fulfilment,
        order: 60,
    },
];

/// Fulfilment orders by their number or that of their order.
pub(crate) const SEARCH: Search = Search {
    title: "Fulfilment",
    scope: ReadWarehouse::SCOPE,
    all: ("", ""),
    find: |app, text| {
        Box::pin(async move {
            let found = by_number(app.db.read(), text).await?;
            let hit = |f: crate::queue::Found| Hit {
                href: format!("/{}/{}", if f.loose > 0 { "pack" } else { "pick" }, f.id),
                title: f.number,
                detail: format!("Order {}, {}", f.order_number, f.status.as_str().replace('_', " ")),
            };
            Ok(found.into_iter().take(5).map(hit).collect())
        })
    },
};

/// Its pages.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/panels/orders/{id}/fulfilments", get(panel::panel))
        .route("/warehouse", get(queue::show))
        .route("/warehouse/release", post(queue::release))
        .route("/warehouse/release/orders", post(send::send))
        .route("/warehouse/others", post(queue::others))
        .route("/warehouse/boxes", get(boxes::show).post(boxes::save))
        .route("/pick", get(lists::pick))
        .route("/pick/{id}", get(pick::show))
        .route("/pick/{id}/scan", post(pick::scan))
        .route("/pick/{id}/undo", post(pick::undo))
        .route("/pick/{id}/short", post(pick::short))
        .route("/pack", get(lists::pack))
        .route("/pack/{id}", get(pack::show))
        .route("/pack/{id}/scan", post(pack::scan))
        .route("/pack/{id}/undo", post(pack::undo))
        .route("/pack/{id}/close", post(pack::close))
        .route("/parcels/{id}", get(parcel::show))
}

/// The fulfilment order, or that there is none.
async fn fulfilment(sql: &Sql, id: FulfilmentId) -> Result<Fulfilment, Problem> {
    let found = read::fulfilments_by_id(sql, &[id]).await?.remove(&id);
    found.ok_or_else(|| Problem::not_found(format!("fulfilment order {id}")))
}

/// The outcome of the one command that was given.
fn single<T, R: Refuse>(outcomes: Vec<Result<T, R>>) -> Result<T, Fault> {
    let outcome = outcomes.into_iter().next().ok_or_else(|| Fault::broken("a command without outcome"))?;
    Ok(outcome.or_problem()?)
}

/// Whether a problem is the caller's to mend; all others are told as everywhere.
fn refused<T>(outcome: Result<T, Problem>) -> Result<Result<T, Problem>, Problem> {
    match outcome {
        Err(problem) if !problem.status().is_client_error() => Err(problem),
        other => Ok(other),
    }
}

/// Our own locations: id and name.
async fn places(sql: &Sql) -> Result<Vec<(LocationId, String)>, Fault> {
    let all = inventory::locations(sql).await?.into_iter();
    Ok(all.filter(|l| l.executor() == "own" && l.active).map(|l| (l.id, l.name)).collect())
}

/// Which location a list shows, as tabs; nothing where there is only one.
fn place_tabs(path: &str, places: &[(LocationId, String)], chosen: Option<LocationId>) -> Markup {
    let links: Vec<String> =
        places.iter().map(|(id, _)| h::query(path, &[("location", &id.to_string())])).collect();
    let all = Tab { title: "All locations", href: path, here: chosen.is_none(), count: None };
    let each = places.iter().zip(&links).map(|((id, name), href)| Tab {
        title: name,
        href,
        here: chosen == Some(*id),
        count: None,
    });
    let tabs: Vec<Tab<'_>> = std::iter::once(all).chain(each).collect();
    html! { @if places.len() > 1 { (h::tabs("Location", &tabs)) } }
}

/// The number of an order, as a link for those who may see it.
fn order_link(caller: &Caller, id: orders::OrderId, number: &str) -> Markup {
    html! {
        @if caller.scopes.allow("orders:read") { a href={ "/orders/" (id) } { (number) } } @else { (number) }
    }
}
