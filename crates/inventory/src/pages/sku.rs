//! The stock of one SKU: by location, and every movement with its cause and who did it.

use super::list::levels;
use super::{action, places, stock_path};
use crate::api::{ReadInventory, WriteInventory};
use crate::model::MovementId;
use crate::purchase::{self, OnOrder};
use crate::read::{self, Filter, Level, Movement};
use crate::{Location, MoveKind};
use axum::extract::State;
use catalog::SkuId;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::HashMap;
use web::html::{self as h, Col, Icon, Row, Table, Toggle, Tone};
use web::{App, Caller, May, Paging, Params, Problem, Screen, Segment};

kernel::id!(OrderRef, "ord", "An order, which only slices below know.");

/// Locations a SKU lies at, at most.
const MOST: i64 = 200;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    cursor: Option<String>,
    location: String,
    kind: String,
}

const KINDS: [MoveKind; 11] = [
    MoveKind::Receipt,
    MoveKind::Allocate,
    MoveKind::Release,
    MoveKind::Ship,
    MoveKind::Return,
    MoveKind::Adjust,
    MoveKind::Count,
    MoveKind::Transfer,
    MoveKind::Expect,
    MoveKind::Quarantine,
    MoveKind::Reserve,
];

/// What a kind of movement is called, and how it looks.
fn words(kind: &str) -> (&'static str, Tone) {
    match kind {
        "receipt" => ("Received", Tone::Good),
        "allocate" => ("Allocated", Tone::Info),
        "release" => ("Allocation taken back", Tone::Quiet),
        "ship" => ("Shipped", Tone::Info),
        "return" => ("Came back", Tone::Good),
        "adjust" => ("Adjusted", Tone::Warn),
        "count" => ("Counted", Tone::Warn),
        "transfer" => ("Transferred", Tone::Accent),
        "expect" => ("Expected", Tone::Quiet),
        "quarantine" => ("Quarantine", Tone::Warn),
        "reserve" => ("Kept for a cart", Tone::Quiet),
        _ => ("Moved", Tone::Quiet),
    }
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadInventory>,
    Segment(code): Segment<String>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let sku = catalog::skus_by_code(sql, &[&code]).await?.remove(&code);
    let sku = sku.ok_or_else(|| Problem::not_found(format!("SKU {code}")))?;
    let (all, carts, places) = at_places(&app, &code).await?;
    let paging = Paging::<MovementId>::read(None, q.cursor.as_deref())?;
    let moves = read::movements_of(sql, sku.id, (&q.location, &q.kind), paging.after, paging.fetch()).await?;
    let page = paging.page(moves, |m| m.id);
    let actors: Vec<&str> = page.data.iter().filter_map(|m| m.by_actor.as_deref()).collect();
    let names = web::auth::names(sql, &actors).await?;
    let orders = read::order_numbers(sql, page.data.iter().filter_map(|m| m.order_id)).await?;
    let coming = purchase::on_order(sql, sku.id).await?;
    let path = stock_path(&code);
    let here = h::query(&path, &[("location", &q.location), ("kind", &q.kind)]);
    let body = html! {
        (totals(&all))
        (h::card("By location", html! {
            @if all.is_empty() { p.text-secondary { "It has never been in stock." } } @else { (levels(&all, &carts, &places, false)) }
        }))
        @if !coming.is_empty() { (h::card("On order", on_order(&caller, &coming))) }
        h2.mt-4 { "Movements" }
        (filters(&path, &q, &places))
        @if page.data.is_empty() {
            (h::empty_with(Icon::History, "No movements", "What is received, promised, shipped or corrected appears here.", html! {}))
        } @else {
            (movements(&caller, &page.data, &Known { names, orders, places: &places }))
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    let first = all.first().map(|l| l.location.clone()).unwrap_or_default();
    Ok(Screen::new(&caller, sku.title.clone())
        .crumb("Stock", "/stock")
        .subtitle(html! {
            code { (code) }
            @if caller.scopes.allow("catalog:read") { " · " a href=(catalog::sku_path(&code)) { "In the catalogue" } }
        })
        .actions(html! { @if caller.may::<WriteInventory>() {
            (h::link(&action("receive", &code, &first), "Receive", "primary", "n"))
            (h::link(&action("count", &code, &first), "Count", "secondary", ""))
            (h::link(&action("adjust", &code, &first), "Adjust", "secondary", ""))
            (h::link(&action("transfer", &code, &first), "Transfer", "secondary", ""))
            (h::menu("More", &[
                h::Item::Link("Safety stock", &action("safety", &code, &first)),
                h::Item::Link("Bin", &action("bin", &code, &first)),
            ]))
        } })
        .live(format!("stock:{}", sku.id))
        .show(body))
}

type Places = (Vec<Level>, HashMap<(SkuId, crate::LocationId), i64>, Vec<Location>);

async fn at_places(app: &App, code: &str) -> Result<Places, Problem> {
    let sql = app.db.read();
    let filter = Filter { sku: Some(code.to_owned()), ..Filter::default() };
    let all = read::levels(sql, &filter, None, MOST).await?;
    let keys: Vec<_> = all.iter().map(|l| (l.sku_id, l.location_id)).collect();
    Ok((all, read::in_carts(sql, &keys).await?, places(sql).await?))
}

fn totals(all: &[Level]) -> Markup {
    let sum = |of: fn(&Level) -> i64| all.iter().map(of).sum::<i64>().to_string();
    let (on_hand, allocated, incoming) = (sum(|l| l.on_hand), sum(|l| l.allocated), sum(|l| l.incoming));
    let available = all.iter().map(|l| l.available.max(0)).sum::<i64>();
    let tone = if available == 0 { Tone::Bad } else { Tone::Quiet };
    let available = available.to_string();
    let tile = |label, value, tone| h::Stat { label, value, tone, ..h::Stat::default() };
    h::stats(&[
        tile("On hand", &on_hand, Tone::Quiet),
        tile("Allocated and in carts", &allocated, Tone::Quiet),
        tile("Available", &available, tone),
        tile("Incoming", &incoming, Tone::Quiet),
    ])
}

fn filters(path: &str, q: &Query, places: &[Location]) -> Markup {
    let by: Vec<(&str, &str)> = std::iter::once(("", "All locations"))
        .chain(places.iter().map(|l| (l.code.as_str(), l.name.as_str())))
        .collect();
    let kinds: Vec<(&str, &str)> = std::iter::once(("", "All causes"))
        .chain(KINDS.iter().map(|k| (k.as_str(), words(k.as_str()).0)))
        .collect();
    let mut active = Vec::new();
    if !q.location.is_empty() {
        active.push(Toggle {
            label: format!("Location: {}", q.location),
            without: h::query(path, &[("kind", &q.kind)]),
        });
    }
    if !q.kind.is_empty() {
        active.push(Toggle {
            label: words(&q.kind).0.to_owned(),
            without: h::query(path, &[("location", &q.location)]),
        });
    }
    html! {
        form.filters.card.card-body.mb-3 method="get" action=(path) role="search" aria-label="Movements" {
            (h::select("Location", "location", &by, &q.location))
            (h::select("Cause", "kind", &kinds, &q.kind))
            div.mb-3.filter-buttons { button.btn type="submit" { "Show" } }
        }
        @if !active.is_empty() { ul.chips.mb-3 aria-label="Filters in force" { @for t in &active { li { a.chip href=(t.without) { (t.label) " " (h::icon(Icon::X)) } } } } }
    }
}

/// What purchase orders are still to bring.
fn on_order(caller: &Caller, coming: &[OnOrder]) -> Markup {
    let cols = [
        Col::text("Purchase order"),
        Col::text("Supplier"),
        Col::text("For"),
        Col::text("Expected"),
        Col::number("Still to come"),
    ];
    let may = caller.scopes.allow("purchasing:read");
    let rows = coming.iter().map(|o| {
        let row = Row::new([
            html! { (o.number) },
            html! { bdi { (o.supplier) } },
            html! { bdi { (o.location) } },
            html! { @match o.expected_at { Some(at) => (h::day(&at.day())), None => (h::none()) } },
            html! { (o.open) },
        ]);
        if may { row.href(format!("/purchasing/{}", o.id)) } else { row }
    });
    Table::new("On order", &cols, rows).show()
}

/// A difference as people read it; where nothing changed stands nothing.
fn signed(n: i64) -> Markup {
    html! { @if n > 0 { "+" (n) } @else if n < 0 { "−" (n.unsigned_abs()) } }
}

/// What the words of movements stand for.
struct Known<'a> {
    /// Who did it.
    names: HashMap<String, String>,
    /// Numbers of orders.
    orders: HashMap<i64, String>,
    places: &'a [Location],
}

/// The figures a movement may change.
const FIGURES: &[(&str, fn(&Movement) -> i64)] = &[
    ("On hand", |m| m.on_hand),
    ("Allocated", |m| m.allocated),
    ("Incoming", |m| m.incoming),
    ("Quarantine", |m| m.quarantined),
];

fn movements(caller: &Caller, rows: &[Movement], known: &Known<'_>) -> Markup {
    // What none of them changed takes no room.
    let used: Vec<_> = FIGURES.iter().filter(|(_, of)| rows.iter().any(|m| of(m) != 0)).collect();
    let mut cols = vec![Col::text("When"), Col::text("Cause"), Col::text("For"), Col::text("Location")];
    cols.extend(used.iter().map(|(title, _)| Col::number(title)));
    cols.push(Col::text("By"));
    let orders = caller.scopes.allow("orders:read");
    let rows = rows.iter().map(|m| {
        let (word, tone) = words(&m.kind);
        let by = m.by_actor.as_deref().unwrap_or_default();
        let cause = html! {
            @if let Some(order) = m.order_id {
                @let number = known.orders.get(&order).map_or("An order", String::as_str);
                @if orders { a href={ "/orders/" (OrderRef(order)) } { (number) } } @else { (number) } " "
            }
            @if let Some(reference) = m.reference.as_deref().filter(|_| m.order_id.is_none()) { bdi { (reference) } " " }
            @if let Some(reason) = m.reason.as_deref() { span.text-secondary { bdi { (reason) } } }
        };
        let place = known.places.iter().find(|l| l.code == m.location).map_or(&m.location, |l| &l.name);
        let mut cells = vec![h::time(m.at), h::tag(word, tone), cause, html! { bdi { (place) } }];
        cells.extend(used.iter().map(|(_, of)| signed(of(m))));
        cells.push(html! { @if !by.is_empty() { bdi { (web::auth::actor_name(&known.names, by)) } } });
        Row::new(cells)
    });
    Table::new("Movements", &cols, rows).show()
}

/// Stock on the page of a SKU.
pub(super) async fn panel(
    State(app): State<App>,
    _: May<ReadInventory>,
    Segment(id): Segment<SkuId>,
) -> Result<Markup, Problem> {
    let sku = catalog::skus_by_id(app.db.read(), &[id]).await?.remove(&id);
    let sku = sku.ok_or_else(|| Problem::not_found(format!("SKU {id}")))?;
    if sku.takes().iter().all(|(part, _)| *part != id) {
        return Ok(html! { p.text-secondary { "It has no stock of its own." } });
    }
    let (all, carts, places) = at_places(&app, &sku.code).await?;
    Ok(html! {
        @if all.is_empty() { p.text-secondary { "Nothing has been received yet." } } @else { (levels(&all, &carts, &places, false)) }
        p.mt-2 { a href=(stock_path(&sku.code)) { "Movements and corrections" } }
    })
}
