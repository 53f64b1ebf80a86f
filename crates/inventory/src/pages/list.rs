//! Stock by SKU and location.

use super::{named, places, stock_path};
use crate::api::{ReadInventory, WriteInventory};
use crate::read::{self, Filter, Level, View};
use crate::{Location, LocationId};
use axum::extract::State;
use catalog::SkuId;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::HashMap;
use web::html::{self as h, Col, Icon, Row, Tab, Table, Toggle, Tone};
use web::{App, May, Paging, Params, Problem, Screen};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    cursor: Option<String>,
    search: String,
    location: String,
    show: String,
}

fn title(view: View) -> &'static str {
    match view {
        View::All => "All",
        View::Out => "Stock-outs",
        View::Low => "Below safety stock",
        View::Incoming => "Incoming",
        View::Quarantine => "In quarantine",
    }
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadInventory>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let view = View::ALL.into_iter().find(|v| v.as_str() == q.show).unwrap_or_default();
    let paging = Paging::<(SkuId, LocationId)>::read(None, q.cursor.as_deref())?;
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let filter = Filter { sku: None, location: some(&q.location), search: some(&q.search), view };
    let rows = read::levels(sql, &filter, paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |l| (l.sku_id, l.location_id));
    let places = places(sql).await?;
    let keys: Vec<(SkuId, LocationId)> = page.data.iter().map(|l| (l.sku_id, l.location_id)).collect();
    let carts = read::in_carts(sql, &keys).await?;
    let pairs = [("search", q.search.as_str()), ("location", q.location.as_str()), ("show", q.show.as_str())];
    let here = h::query("/stock", &pairs);
    let hrefs = View::ALL.map(|v| h::query("/stock", &[("show", v.as_str()), ("location", &q.location)]));
    let tabs: Vec<Tab<'_>> = View::ALL
        .into_iter()
        .zip(&hrefs)
        .map(|(v, href)| Tab { title: title(v), href, here: v == view, count: None })
        .collect();
    let may = caller.may::<WriteInventory>();
    let body = html! {
        (filters(&q, &places))
        @if page.data.is_empty() { (nothing(&q, view, may)) } @else {
            (levels(&page.data, &carts, &places, true))
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    Ok(Screen::new(&caller, "Stock")
        .actions(html! { @if may { (h::link("/stock/receive", "Receive", "primary", "n")) (h::link("/stock/count", "Count", "secondary", "")) } })
        .above(h::tabs("Views", &tabs))
        .live("queue:stock")
        .show(body))
}

fn filters(q: &Query, places: &[Location]) -> Markup {
    let names: Vec<String> = places.iter().map(named).collect();
    let choices: Vec<(&str, &str)> = std::iter::once(("", "All locations"))
        .chain(places.iter().zip(&names).map(|(l, name)| (l.code.as_str(), name.as_str())))
        .collect();
    let mut active = Vec::new();
    if !q.location.is_empty() {
        let without = h::query("/stock", &[("search", &q.search), ("show", &q.show)]);
        active.push(Toggle { label: format!("Location: {}", q.location), without });
    }
    let more = html! {
        input type="hidden" name="show" value=(q.show);
        (h::select("Location", "location", &choices, &q.location))
    };
    h::filter_bar("/stock", ("search", &q.search, "SKU, title or barcode"), more, &active)
}

fn nothing(q: &Query, view: View, may: bool) -> Markup {
    match view {
        View::All if q.search.is_empty() && q.location.is_empty() => h::empty_with(
            Icon::Packages,
            "No stock yet",
            "Receive a delivery, by scanning what is in it.",
            html! { @if may { (h::link("/stock/receive", "Receive", "primary", "")) } },
        ),
        View::Out | View::Low => h::empty_with(
            Icon::CircleCheck,
            "Nothing is short",
            "Every SKU here has what it should have.",
            html! {},
        ),
        _ => h::empty_with(
            Icon::Search,
            "Nothing here",
            "Change the search, or look at all locations.",
            h::link("/stock", "Show all", "secondary", ""),
        ),
    }
}

/// Levels as a table, with or without the SKU.
pub(super) fn levels(
    rows: &[Level],
    carts: &HashMap<(SkuId, LocationId), i64>,
    places: &[Location],
    with_sku: bool,
) -> Markup {
    let in_carts = |l: &Level| carts.get(&(l.sku_id, l.location_id)).copied().unwrap_or(0);
    // What is zero of every row takes no room.
    let shown = |of: &dyn Fn(&Level) -> i64| rows.iter().any(|l| of(l) != 0);
    let (carts_too, safety, quarantine) = (shown(&in_carts), shown(&|l| l.safety), shown(&|l| l.quarantined));
    let (incoming, bins) = (shown(&|l| l.incoming), rows.iter().any(|l| l.bin.is_some()));
    let numbers = [
        (Col::number("On hand").below(), true),
        (Col::number("In carts").minor(), carts_too),
        (Col::number("Allocated").below(), true),
        (Col::number("Safety").minor(), safety),
        (Col::number("Available"), true),
        (Col::number("Incoming").below(), incoming),
        (Col::number("Quarantine").minor(), quarantine),
    ];
    let mut cols = if with_sku { vec![Col::text("SKU"), Col::text("Title")] } else { Vec::new() };
    cols.push(Col::text("Location"));
    cols.extend(bins.then(|| Col::text("Bin").below()));
    cols.extend(numbers.iter().filter(|(_, shown)| *shown).map(|(col, _)| *col));
    let names: HashMap<LocationId, String> = places.iter().map(|l| (l.id, l.name.clone())).collect();
    let rows = rows.iter().map(|l| {
        let place = html! { bdi.text-nowrap[with_sku] { (names.get(&l.location_id).map_or(l.location.as_str(), String::as_str)) } };
        let mut cells = match with_sku {
            true => vec![html! { bdi.text-nowrap { (l.sku) } }, html! { bdi { (l.title) } }, place],
            false => vec![place],
        };
        let figures = [
            html! { (l.on_hand) },
            h::or_none(in_carts(l)),
            h::or_none(l.allocated - in_carts(l)),
            h::or_none(l.safety),
            available(l),
            h::or_none(l.incoming),
            h::or_none(l.quarantined),
        ];
        if bins {
            cells.push(html! { @match &l.bin { Some(bin) => span.text-nowrap { (bin) }, None => (h::none()) } });
        }
        cells
            .extend(figures.into_iter().zip(&numbers).filter(|(_, (_, shown))| *shown).map(|(cell, _)| cell));
        let href = if with_sku { stock_path(&l.sku) } else { String::new() };
        Row::new(cells).href(href).id(format!("{}-{}", l.sku_id, l.location_id))
    });
    Table::new("Stock", &cols, rows).brief().show()
}

/// What can be promised, and whether that is too little.
fn available(l: &Level) -> Markup {
    html! {
        @if l.available <= 0 { (h::tag(&l.available.to_string(), Tone::Bad)) } @else { (l.available) }
    }
}
