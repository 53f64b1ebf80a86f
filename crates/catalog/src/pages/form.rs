//! The form of a SKU, new or changed. What is refused comes back as it was filled in, with the sentence by its field.

use super::{detail, sku_path};
use crate::api::WriteCatalog;
use crate::read::{self, SkuDetail};
use crate::{SaveSku, SetActive, SkuKind};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::{Currency, Money, Timestamp, money};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use web::html::{self as h, Combobox, Field, Select};
use web::{App, Caller, Form, IfMatch, Key, May, OrProblem, Problem, Reply, Screen, Segment};

/// Empty rows for prices and components below those that are filled in.
const MORE_PRICES: usize = 2;
const MORE_COMPONENTS: usize = 3;

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
pub(super) struct Sent {
    once: String,
    version: Option<i64>,
    code: String,
    title: String,
    kind: String,
    tax_class: String,
    barcodes: String,
    prices: Vec<Price>,
    weight: String,
    length: String,
    width: String,
    height: String,
    supplier: String,
    components: Vec<Part>,
    active: String,
}

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
struct Price {
    currency: String,
    amount: String,
}

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
struct Part {
    sku: String,
    sku_typed: String,
    quantity: String,
}

/// Sentences by field.
type Errors = HashMap<String, String>;

impl From<&SkuDetail> for Sent {
    fn from(d: &SkuDetail) -> Self {
        let s = &d.sku;
        let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
        let price = |p: &Money| Price { currency: p.currency.to_string(), amount: p.amount().to_string() };
        let part = |c: &crate::Component| Part {
            sku: c.code.clone(),
            sku_typed: String::new(),
            quantity: c.quantity.to_string(),
        };
        Self {
            once: String::new(),
            version: Some(d.version),
            code: s.code.clone(),
            title: s.title.clone(),
            kind: s.kind.as_str().into(),
            tax_class: s.tax_class.clone(),
            barcodes: d.barcodes.join("\n"),
            prices: s.prices.iter().map(price).collect(),
            weight: number(s.weight_g),
            length: number(s.length_mm),
            width: number(s.width_mm),
            height: number(s.height_mm),
            supplier: d.supplier_code.clone().unwrap_or_default(),
            components: s.components.iter().map(part).collect(),
            active: if s.active { "yes".into() } else { String::new() },
        }
    }
}

impl Sent {
    /// The command, or what is wrong by the field.
    fn command(&self, at: Timestamp) -> Result<SaveSku, Errors> {
        let mut errors = Errors::new();
        let kind =
            self.kind.parse::<SkuKind>().map_err(|e| errors.insert("kind".into(), format!("{e}."))).ok();
        let prices = self.money(&mut errors);
        let components = self.parts(&mut errors);
        let [weight_g, length_mm, width_mm, height_mm] = [
            ("weight", &self.weight),
            ("length", &self.length),
            ("width", &self.width),
            ("height", &self.height),
        ]
        .map(|(name, text)| number(name, text, &mut errors));
        let Some(kind) = kind.filter(|_| errors.is_empty()) else { return Err(errors) };
        Ok(SaveSku {
            at,
            code: self.code.trim().to_owned(),
            title: self.title.clone(),
            kind,
            tax_class: self.tax_class.clone(),
            barcodes: self
                .barcodes
                .lines()
                .map(str::trim)
                .filter(|b| !b.is_empty())
                .map(str::to_owned)
                .collect(),
            prices,
            weight_g,
            length_mm,
            width_mm,
            height_mm,
            supplier: Some(self.supplier.clone()).filter(|s| !s.is_empty()),
            components: if kind == SkuKind::Bundle { components } else { Vec::new() },
        })
    }
    fn money(&self, errors: &mut Errors) -> Vec<Money> {
        let mut prices = Vec::new();
        for (i, p) in self.prices.iter().enumerate().filter(|(_, p)| !p.amount.trim().is_empty()) {
            let currency = match p.currency.trim().to_uppercase().parse::<Currency>() {
                Ok(currency) => currency,
                Err(e) => {
                    errors.insert(format!("prices[{i}][currency]"), format!("{e}."));
                    continue;
                }
            };
            match money::parse_typed(p.amount.trim(), currency.exponent()) {
                Ok(minor) => prices.push(Money::new(minor, currency)),
                Err(e) => {
                    errors.insert(format!("prices[{i}][amount]"), format!("{e}."));
                }
            }
        }
        prices
    }
    fn parts(&self, errors: &mut Errors) -> Vec<(String, i64)> {
        let mut parts = Vec::new();
        for (i, c) in self.components.iter().enumerate() {
            let code = if c.sku.trim().is_empty() { c.sku_typed.trim() } else { c.sku.trim() };
            if code.is_empty() {
                continue;
            }
            match c.quantity.trim().parse::<i64>() {
                Ok(n) => parts.push((code.to_owned(), n)),
                Err(_) => {
                    errors.insert(format!("components[{i}][quantity]"), "A whole number, such as 2.".into());
                }
            }
        }
        parts
    }
}

fn number(name: &str, text: &str, errors: &mut Errors) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    text.parse().map_err(|_| errors.insert(name.to_owned(), "A whole number, such as 250.".into())).ok()
}

/// The field that a refusal is about.
fn field_of(code: &str) -> &'static str {
    match code {
        "catalog.bad_code" | "catalog.code_taken" => "code",
        "catalog.no_title" => "title",
        "catalog.no_tax_class" => "tax_class",
        "catalog.negative_size" => "weight",
        "catalog.bad_barcode" | "catalog.barcode_taken" => "barcodes",
        "catalog.negative_price" | "catalog.two_prices" => "prices[0][amount]",
        "catalog.unknown_supplier" => "supplier",
        "catalog.kind_changed" => "kind",
        _ => "components",
    }
}

/// The empty form.
pub(super) async fn empty(State(app): State<App>, caller: May<WriteCatalog>) -> Result<Markup, Problem> {
    let sent =
        Sent { kind: "simple".into(), tax_class: "standard".into(), active: "yes".into(), ..Sent::default() };
    page(&app, &caller, &sent, None, &Errors::new()).await
}

/// The form of a SKU.
pub(super) async fn edit(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    Segment(code): Segment<String>,
) -> Result<Markup, Problem> {
    let sent = Sent::from(&detail(&app, &code).await?);
    page(&app, &caller, &sent, None, &Errors::new()).await
}

/// Makes a SKU.
pub(super) async fn create(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    // A form for a new SKU must not change one that is there.
    save(&app, caller, Sent { version: None, ..sent }, "/catalog/new", Some(0)).await
}

/// Changes a SKU.
pub(super) async fn change(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    Segment(code): Segment<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let (path, known) = (format!("{}/edit", sku_path(&code)), sent.version);
    save(&app, caller, Sent { code, ..sent }, &path, known).await
}

/// Saves it. `known` is the version it shall have now; 0 when it shall not be there.
async fn save(
    app: &App,
    caller: May<WriteCatalog>,
    sent: Sent,
    path: &str,
    known: Option<i64>,
) -> Result<Response, Problem> {
    let want = match sent.command(app.db.now()) {
        Ok(want) => want,
        Err(errors) => {
            let page = page(app, &caller, &sent, None, &errors).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let (code, active) = (want.code.clone(), sent.active == "yes");
    let key = Key::once(&sent.once, path);
    let done = web::submit!(app, caller, key, "catalog.sku_page", &sent, |tx| {
        let present = read::lock_version(tx, &code).await?.unwrap_or(0);
        if known == Some(0) && present > 0 {
            let detail = format!("There is a SKU {code} already: open it to change it.");
            return Err(Problem::new(StatusCode::CONFLICT, "catalog.code_taken", detail).into());
        }
        IfMatch(known).check(present)?;
        crate::save_skus(tx, std::slice::from_ref(&want)).await?.remove(0).or_problem()?;
        crate::set_active(tx, &[SetActive { at: tx.now(), code: code.clone(), active }])
            .await?
            .remove(0)
            .or_problem()?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => Ok(web::done(format!("{code} is saved")).to(&sku_path(&code))),
        Err(problem) if problem.status().is_client_error() => {
            let (mut errors, mut general) = (Errors::new(), None);
            match problem.code() {
                "request.stale" => {
                    general = Some(
                        "Somebody changed this SKU while you did. Open it again, and repeat what is yours.",
                    )
                }
                refused => {
                    errors.insert(field_of(refused).to_owned(), problem.detail().to_owned());
                }
            }
            let page = page(app, &caller, &sent, general, &errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn page(
    app: &App,
    caller: &Caller,
    e: &Sent,
    general: Option<&str>,
    errors: &Errors,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let suppliers = crate::suppliers(sql).await?;
    // The currency of most prices is that of the shop.
    let base = db::settings::get::<String>(sql, "base_currency").await?.unwrap_or_else(|| "EUR".to_owned());
    let mut classes = read::tax_classes(sql).await?;
    for class in ["standard", &e.tax_class] {
        if !class.is_empty() && !classes.iter().any(|c| c == class) {
            classes.push(class.to_owned());
        }
    }
    let new = e.version.is_none();
    let (title, action, back) = match new {
        true => ("New SKU".to_owned(), "/catalog/new".to_owned(), "/catalog".to_owned()),
        false => (format!("Edit {}", e.code), format!("{}/edit", sku_path(&e.code)), sku_path(&e.code)),
    };
    let body = html! {
        @if let Some(sentence) = general { (h::alert("danger", sentence)) }
        @if !errors.is_empty() { (h::alert("danger", "Some fields need another look.")) }
        form method="post" action=(action) data-long data-keep=(if errors.is_empty() && general.is_none() { "yes" } else { "given" }) {
            (web::once_again(&e.once))
            @if let Some(version) = e.version { input type="hidden" name="version" value=(version); }
            (h::card("SKU", what(e, errors, new, &suppliers, &classes)))
            (h::card("Prices", prices(e, errors, &base)))
            (h::card("Size and weight", sizes(e, errors)))
            (h::card("Barcodes", h::field(&Field { label: "One per line", name: "barcodes", kind: "textarea", value: &e.barcodes,
                error: errors.get("barcodes").map(String::as_str), ..Field::default() })))
            @if new || e.kind == "bundle" { div.only-bundle[!errors.contains_key("components")] { (h::card("Consists of", components(e, errors))) } }
            (h::form_buttons("Save", Some(&back)))
        }
    };
    let screen = Screen::new(caller, title).crumb("Catalogue", "/catalog").narrow();
    let screen = if new { screen } else { screen.crumb(e.code.clone(), back.clone()) };
    Ok(screen.show(body))
}

fn what(e: &Sent, errors: &Errors, new: bool, suppliers: &[crate::Supplier], classes: &[String]) -> Markup {
    let error = |name: &str| errors.get(name).map(String::as_str);
    let kinds = [
        ("simple", "Simple: stocked and sold"),
        ("bundle", "Bundle: sold as one, stocked as its parts"),
        ("service", "Service: never stocked nor shipped"),
    ];
    let by: Vec<(&str, &str)> = std::iter::once(("", "None"))
        .chain(suppliers.iter().map(|s| (s.code.as_str(), s.name.as_str())))
        .collect();
    let classes: Vec<(&str, &str)> = classes.iter().map(|c| (c.as_str(), c.as_str())).collect();
    html! {
        (h::fields([
            html! { @if new { (h::field(&Field { label: "Code", name: "code", value: &e.code, required: true, focus: true, error: error("code"),
                hint: "Names the SKU for ever, as on its shelf.", ..Field::default() })) }
                @else { input type="hidden" name="kind" value=(e.kind); } },
            h::field(&Field { label: "Title", name: "title", value: &e.title, required: true, error: error("title"), ..Field::default() }),
            html! { @if new { (h::select_field(&Select { label: "Kind", name: "kind", options: &kinds, chosen: &e.kind, error: error("kind"), hint: "Cannot be changed later." })) } },
            h::select_field(&Select { label: "Tax class", name: "tax_class", options: &classes, chosen: &e.tax_class, error: error("tax_class"), ..Select::default() }),
            h::select_field(&Select { label: "Supplier", name: "supplier", options: &by, chosen: &e.supplier, error: error("supplier"), ..Select::default() }),
        ]))
        (h::checkbox("For sale", "active", "yes", e.active == "yes", "What is not for sale stays in stock, open orders and history."))
    }
}

fn prices(e: &Sent, errors: &Errors, base: &str) -> Markup {
    let shown = e.prices.iter().rposition(|p| !p.amount.trim().is_empty()).map_or(1, |last| last + 1);
    let line = |i: usize| {
        let first = Price { currency: base.to_owned(), amount: String::new() };
        let given = e.prices.get(i).cloned().unwrap_or_else(|| if i == 0 { first } else { Price::default() });
        let (currency, amount) = (format!("prices[{i}][currency]"), format!("prices[{i}][amount]"));
        html! {
            div.price-line {
                (h::field(&Field { label: "Currency", name: &currency, value: &given.currency, error: errors.get(&currency).map(String::as_str), ..Field::default() }))
                (h::amount_field(&Field { label: "Price", name: &amount, value: &given.amount, error: errors.get(&amount).map(String::as_str), ..Field::default() }))
            }
        }
    };
    html! {
        p.text-secondary { "List prices as customers see them, one for each currency." }
        @for i in 0..shown { (line(i)) }
        details.fold {
            summary { "Add a price" }
            @for i in shown..shown + MORE_PRICES { (line(i)) }
        }
    }
}

fn sizes(e: &Sent, errors: &Errors) -> Markup {
    let fields = [
        ("Weight", "weight", "g", &e.weight),
        ("Length", "length", "mm", &e.length),
        ("Width", "width", "mm", &e.width),
        ("Height", "height", "mm", &e.height),
    ];
    h::fields(fields.map(|(label, name, unit, value)| {
        h::field(&Field {
            label,
            name,
            unit,
            value,
            error: errors.get(name).map(String::as_str),
            ..Field::default()
        })
    }))
}

fn components(e: &Sent, errors: &Errors) -> Markup {
    html! {
        p.text-secondary { "Only of a bundle: simple SKUs, each once." }
        @if let Some(sentence) = errors.get("components") { p.field-error { (sentence) } }
        @for i in 0..e.components.len() + MORE_COMPONENTS {
            @let given = e.components.get(i).cloned().unwrap_or_default();
            @let (sku, quantity) = (format!("components[{i}][sku]"), format!("components[{i}][quantity]"));
            (h::fields([
                h::combobox(&Combobox { label: "SKU", name: &sku, value: &given.sku, shown: &given.sku, source: "/catalog/lookup", ..Combobox::default() }),
                h::field(&Field { label: "Units in one", name: &quantity, value: &given.quantity, error: errors.get(&quantity).map(String::as_str), ..Field::default() }),
            ]))
        }
    }
}
