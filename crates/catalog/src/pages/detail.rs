//! A SKU: what it is, costs, weighs and consists of, and what slices below know of it.

use super::list::state;
use super::{detail, sku_path};
use crate::api::{ReadCatalog, WriteCatalog};
use crate::read::{self, SkuDetail};
use crate::{SetActive, SkuKind};
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Row, Table};
use web::{App, Form, Key, May, OrProblem, Problem, Reply, Screen, Segment};

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadCatalog>,
    Segment(code): Segment<String>,
) -> Result<Markup, Problem> {
    let d = detail(&app, &code).await?;
    let id = d.sku.id.to_string();
    let bundles = read::bundles_with(app.db.read(), d.sku.id).await?;
    let suppliers = crate::suppliers(app.db.read()).await?;
    let supplier = suppliers.into_iter().find(|s| Some(s.id) == d.sku.supplier).map(|s| s.name);
    let may = caller.may::<WriteCatalog>();
    let body = h::split(
        html! {
            @if d.sku.kind == SkuKind::Bundle { (h::card("Consists of", components(&d))) }
            (web::panels(&caller, "sku", &id))
            @if !bundles.is_empty() { (h::card("Part of", part_of(&bundles))) }
        },
        html! {
            (h::card("SKU", facts(&d, supplier.as_deref())))
            (h::card("Prices", prices(&d)))
            (h::card("Barcodes", barcodes(&d)))
        },
    );
    let (next, label) = if d.sku.active { ("no", "Take off sale") } else { ("yes", "Put on sale") };
    Ok(Screen::new(&caller, d.sku.title.clone())
        .crumb("Catalogue", "/catalog")
        .beside(html! { (state(d.sku.active)) @if d.sku.kind != SkuKind::Simple { (h::badge(d.sku.kind.as_str())) } })
        .subtitle(html! { code { (d.sku.code) } })
        .actions(html! {
            @if may {
                form method="post" action={ (sku_path(&code)) "/active" } {
                    (web::once())
                    input type="hidden" name="active" value=(next);
                    button.btn type="submit" { (label) }
                }
                (h::link(&format!("{}/edit", sku_path(&code)), "Edit", "primary", "e"))
            }
        })
        .live(format!("sku:{id}"))
        .show(body))
}

fn size(mm: [Option<i64>; 3]) -> String {
    match mm {
        [Some(l), Some(w), Some(h)] => format!("{l} × {w} × {h} mm"),
        [None, None, None] => "–".to_owned(),
        some => {
            some.iter().map(|n| n.map_or("?".to_owned(), |n| n.to_string())).collect::<Vec<_>>().join(" × ")
                + " mm"
        }
    }
}

fn facts(d: &SkuDetail, supplier: Option<&str>) -> Markup {
    let s = &d.sku;
    h::facts([
        ("Kind", html! { (h::words(s.kind.as_str())) }),
        ("Tax class", html! { (s.tax_class) }),
        ("Weight", html! { @match s.weight_g { Some(g) => { (g) " g" }, None => "–" } }),
        ("Measures", html! { (size([s.length_mm, s.width_mm, s.height_mm])) }),
        ("Supplier", html! { bdi { (supplier.unwrap_or("–")) } }),
    ])
}

fn prices(d: &SkuDetail) -> Markup {
    html! {
        @if d.sku.prices.is_empty() { p.text-secondary { "No list price: orders must bring theirs." } }
        @for price in &d.sku.prices { p { (h::money(*price)) } }
    }
}

fn barcodes(d: &SkuDetail) -> Markup {
    html! {
        @if d.barcodes.is_empty() { p.text-secondary { "None. Scanners know it by its code." } }
        @for barcode in &d.barcodes { p { (h::copy(barcode)) } }
    }
}

fn components(d: &SkuDetail) -> Markup {
    let cols = [Col::text("SKU"), Col::number("Units in one")];
    let rows = d
        .sku
        .components
        .iter()
        .map(|c| Row::new([html! { bdi { (c.code) } }, html! { (c.quantity) }]).href(sku_path(&c.code)));
    Table::new("Components", &cols, rows).show()
}

fn part_of(bundles: &[(String, String, i64)]) -> Markup {
    let cols = [Col::text("Bundle"), Col::text("Title"), Col::number("Units in one")];
    let rows = bundles.iter().map(|(code, title, n)| {
        Row::new([html! { bdi { (code) } }, html! { bdi { (title) } }, html! { (n) }]).href(sku_path(code))
    });
    Table::new("Bundles", &cols, rows).show()
}

#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Activate {
    once: String,
    active: String,
}

/// Takes it into the offer or out of it.
pub(super) async fn activate(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    Segment(code): Segment<String>,
    Form(sent): Form<Activate>,
) -> Result<Response, Problem> {
    let active = sent.active == "yes";
    let path = sku_path(&code);
    let key = Key::once(&sent.once, &format!("{path}/active"));
    web::submit!(app, caller, key, "catalog.active_page", &sent, |tx| {
        let item = SetActive { at: tx.now(), code: code.clone(), active };
        crate::set_active(tx, &[item]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })?;
    let (said, back) = match active {
        true => (format!("{code} is for sale"), "no"),
        false => (format!("{code} is not for sale"), "yes"),
    };
    Ok(web::done(said).undo(&format!("{path}/active"), &[("active", back)]).to(&path))
}
