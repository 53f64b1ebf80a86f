//! The list of SKUs.

use super::sku_path;
use crate::api::{ReadCatalog, WriteCatalog};
use crate::read::{self, Filter, SkuDetail};
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;
use web::html::{self as h, Col, Icon, Row, Tab, Table, Toggle};
use web::{App, May, Paging, Params, Problem, Screen};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    cursor: Option<String>,
    search: String,
    show: String,
    kind: String,
    supplier: String,
}

impl Query {
    fn address(&self, without: &str) -> String {
        let keep = |name: &str, value: &str| if name == without { String::new() } else { value.to_owned() };
        let of = |name, value: &str| (name, keep(name, value));
        let pairs = [
            of("search", &self.search),
            of("show", &self.show),
            of("kind", &self.kind),
            of("supplier", &self.supplier),
        ];
        h::query("/catalog", &pairs.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>())
    }
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadCatalog>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let paging = Paging::<String>::read(None, q.cursor.as_deref())?;
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let active = match q.show.as_str() {
        "for_sale" => Some(true),
        "not_for_sale" => Some(false),
        _ => None,
    };
    let filter = Filter {
        q: None,
        active,
        search: some(&q.search),
        kind: q.kind.parse().ok(),
        supplier: some(&q.supplier),
    };
    let rows = read::list(sql, &filter, paging.after.as_deref(), paging.fetch()).await?;
    let page = paging.page(rows, |d| d.sku.code.clone());
    let may = caller.may::<WriteCatalog>();
    let suppliers = crate::suppliers(sql).await?;
    let here = q.address("");
    let tabs = [("", "All"), ("for_sale", "For sale"), ("not_for_sale", "Not for sale")];
    let hrefs = tabs.map(|(show, _)| {
        Query { show: show.into(), search: q.search.clone(), ..Query::default() }.address("")
    });
    let tabs: Vec<Tab<'_>> = tabs
        .iter()
        .zip(&hrefs)
        .map(|((show, title), href)| Tab { title, href, here: *show == q.show, count: None })
        .collect();
    let body = html! {
        (filters(&q, &suppliers))
        @if page.data.is_empty() { (nothing(&q, may)) } @else {
            (table(&page.data, &suppliers))
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    Ok(Screen::new(&caller, "Catalogue")
        .actions(html! { @if may {
            (h::link("/catalog/new", "New SKU", "primary", "n"))
            (h::link("/catalog/import", "Import", "secondary", ""))
        } })
        .above(h::tabs("Views", &tabs))
        .live("queue:catalogue")
        .show(body))
}

fn filters(q: &Query, suppliers: &[crate::Supplier]) -> Markup {
    let kinds = [("", "Any"), ("simple", "Simple"), ("bundle", "Bundle"), ("service", "Service")];
    let by: Vec<(&str, &str)> = std::iter::once(("", "Any"))
        .chain(suppliers.iter().map(|s| (s.code.as_str(), s.name.as_str())))
        .collect();
    let mut active = Vec::new();
    for (name, label, value) in [("kind", "Kind", &q.kind), ("supplier", "Supplier", &q.supplier)] {
        if !value.is_empty() {
            let shown = match suppliers.iter().find(|s| name == "supplier" && s.code == *value) {
                Some(supplier) => supplier.name.clone(),
                None => h::words(value),
            };
            active.push(Toggle { label: format!("{label}: {shown}"), without: q.address(name) });
        }
    }
    let more = html! {
        input type="hidden" name="show" value=(q.show);
        (h::select("Kind", "kind", &kinds, &q.kind))
        (h::select("Supplier", "supplier", &by, &q.supplier))
    };
    h::filter_bar("/catalog", ("search", &q.search, "Code, title or barcode"), more, &active)
}

fn nothing(q: &Query, may: bool) -> Markup {
    let filtered = [&q.search, &q.show, &q.kind, &q.supplier].iter().any(|t| !t.is_empty());
    match filtered {
        true => h::empty_with(
            Icon::Search,
            "No SKU matches",
            "Look for a part of the code or the title, or for a whole barcode.",
            h::link("/catalog", "Show all", "secondary", ""),
        ),
        false => h::empty_with(
            Icon::Tag,
            "No SKUs yet",
            "A SKU is what you stock and sell. Enter the first one, or save many over the API.",
            html! { @if may { (h::link("/catalog/new", "New SKU", "primary", "")) } },
        ),
    }
}

fn table(rows: &[SkuDetail], suppliers: &[crate::Supplier]) -> Markup {
    let supplier =
        |code: &str| suppliers.iter().find(|s| s.code == code).map_or(code.to_owned(), |s| s.name.clone());
    let cols = [
        Col::text("Code"),
        Col::text("Title"),
        Col::text("Kind").minor(),
        Col::number("Price"),
        Col::text("Barcode").minor(),
        Col::text("Tax class").minor(),
        Col::text("Supplier").minor(),
        Col::text("State").at_end(),
    ];
    let rows = rows.iter().map(|d| {
        let more = d.barcodes.len().saturating_sub(1);
        let cells = [
            html! { bdi { (d.sku.code) } },
            html! { bdi { (d.sku.title) } },
            html! { (h::words(d.sku.kind.as_str())) },
            html! { @for price in &d.sku.prices { div { (h::money(*price)) } } },
            html! { @if let Some(first) = d.barcodes.first() { (first) } @if more > 0 { span.text-secondary { " +" (more) } } },
            html! { (d.sku.tax_class) },
            html! { @if let Some(code) = &d.supplier_code { bdi { (supplier(code)) } } },
            state(d.sku.active),
        ];
        Row::new(cells).href(sku_path(&d.sku.code)).quiet(!d.sku.active).id(d.sku.id.to_string())
    });
    Table::new("SKUs", &cols, rows).brief().show()
}

/// Whether it is for sale.
pub(super) fn state(active: bool) -> Markup {
    if active { h::tag("for sale", h::Tone::Good) } else { h::badge("not_for_sale") }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Lookup {
    q: String,
}

/// What a box that looks SKUs up offers; its value is the code.
pub(super) async fn lookup(
    State(app): State<App>,
    _: May<ReadCatalog>,
    Params(ask): Params<Lookup>,
) -> Result<Markup, Problem> {
    let found = read::offered(app.db.read(), &ask.q, 8).await?;
    let exact = found.iter().find(|s| s.exact).map(|s| s.code.as_str());
    Ok(h::options_with(found.iter().map(|s| (s.code.as_str(), s.code.as_str(), s.title.as_str())), exact))
}
