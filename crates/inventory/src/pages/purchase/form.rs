//! The form of a purchase order, new or a draft. What is refused comes back as it was filled in, with the sentence by its field.

use super::{PATH, path_of, whole};
use crate::api::WritePurchasing;
use crate::pages::{named, places};
use crate::purchase::{PurchaseId, PurchaseStatus, SavePurchase, Wanted, save_purchases};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::{Fault, Money, Timestamp, money};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use web::html::{self as h, Combobox, Field, Select};
use web::{App, Caller, Form, Key, May, OrProblem, Params, Problem, Screen, Segment};

/// Empty lines below those that are filled in.
const MORE: usize = 4;
/// Lines of a form at most.
const MOST: usize = 200;

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
pub(in crate::pages) struct Sent {
    once: String,
    supplier: String,
    location: String,
    reference: String,
    expected: String,
    lines: Vec<Line>,
    /// `more`: the form is wanted back with more lines, where no script adds them.
    #[serde(rename = "do")]
    what: String,
}

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
struct Line {
    sku: String,
    sku_typed: String,
    quantity: String,
    cost: String,
}

/// Sentences by field.
type Errors = HashMap<String, String>;

impl Line {
    /// What was chosen, typed or scanned.
    fn scanned(&self) -> &str {
        let sku = self.sku.trim();
        if sku.is_empty() { self.sku_typed.trim() } else { sku }
    }
}

impl Sent {
    fn more(&self) -> bool {
        self.what == "more"
    }
    /// Lines up to the last that says something.
    fn filled(&self) -> usize {
        self.lines.iter().rposition(|l| !l.scanned().is_empty()).map_or(0, |last| last + 1)
    }
    /// The command, or what is wrong by the field.
    async fn command(
        &self,
        app: &App,
        purchase: Option<PurchaseId>,
    ) -> Result<Result<SavePurchase, Errors>, Problem> {
        let sql = app.db.read();
        let mut errors = Errors::new();
        let suppliers = catalog::suppliers(sql).await?;
        let supplier = suppliers.iter().find(|s| s.code == self.supplier).map(|s| s.id);
        let location = places(sql).await?.iter().find(|l| l.code == self.location).map(|l| l.id);
        let expected_at = match self.expected.trim() {
            "" => None,
            day => match format!("{day}T00:00:00Z").parse::<Timestamp>() {
                Ok(at) => Some(at),
                Err(_) => {
                    errors.insert("expected".into(), "A day, as 2026-12-24.".into());
                    None
                }
            },
        };
        let lines = self.lines(app, &mut errors).await?;
        if supplier.is_none() {
            errors.insert("supplier".into(), "Choose a supplier.".into());
        }
        if location.is_none() {
            errors.insert("location".into(), "Choose a location.".into());
        }
        Ok(match (supplier, location) {
            (Some(supplier), Some(location)) if errors.is_empty() => Ok(SavePurchase {
                at: app.db.now(),
                purchase,
                supplier,
                location,
                reference: Some(self.reference.clone()),
                expected_at,
                lines,
            }),
            _ => Err(errors),
        })
    }
    async fn lines(&self, app: &App, errors: &mut Errors) -> Result<Vec<Wanted>, Problem> {
        let sql = app.db.read();
        let exponent = crate::base_currency(sql).await?.exponent();
        let texts: Vec<&str> = self.lines.iter().map(Line::scanned).filter(|t| !t.is_empty()).collect();
        let known = catalog::skus_by_scan(sql, &texts).await?;
        let mut lines = Vec::new();
        for (i, line) in self.lines.iter().enumerate().filter(|(_, l)| !l.scanned().is_empty()) {
            let mut wrong = |name: &str, says: String| errors.insert(format!("lines[{i}][{name}]"), says);
            let sku = known.get(line.scanned()).copied();
            if sku.is_none() {
                wrong("sku", format!("No SKU has the code or barcode “{}”.", line.scanned()));
            }
            let quantity = line.quantity.trim().parse::<i64>().ok();
            if quantity.is_none() {
                wrong("quantity", "A whole number of units.".into());
            }
            let cost = money::parse_typed(line.cost.trim(), exponent);
            let cost = cost.map_err(|e| wrong("cost", format!("{e}."))).ok();
            if let (Some(sku), Some(quantity), Some(unit_cost)) = (sku, quantity, cost) {
                lines.push(Wanted { sku, quantity, unit_cost });
            }
        }
        Ok(lines)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::pages) struct Ask {
    supplier: String,
    location: String,
    sku: String,
}

/// An empty form, filled in as far as the address says.
pub(in crate::pages) async fn empty(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    Params(ask): Params<Ask>,
) -> Result<Markup, Problem> {
    let first = Line { sku: ask.sku, ..Line::default() };
    let lines = if first.sku.is_empty() { Vec::new() } else { vec![first] };
    let sent = Sent { supplier: ask.supplier, location: ask.location, lines, ..Sent::default() };
    page(&app, &caller, None, &sent, &Errors::new()).await
}

/// The form of a draft.
pub(in crate::pages) async fn edit(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    Segment(id): Segment<PurchaseId>,
) -> Result<Markup, Problem> {
    let w = whole(&app, id).await?;
    let amount = |minor: i64| Money::new(minor, w.base).amount();
    let line = |l: &crate::purchase::PurchaseLine| Line {
        sku: l.sku.clone(),
        sku_typed: String::new(),
        quantity: l.ordered.to_string(),
        cost: amount(l.unit_cost),
    };
    let sent = Sent {
        once: String::new(),
        supplier: w.head.supplier.clone(),
        location: w.head.location.clone(),
        reference: w.head.reference.clone().unwrap_or_default(),
        expected: w.head.expected_at.map(Timestamp::day).unwrap_or_default(),
        lines: w.lines.iter().map(line).collect(),
        what: String::new(),
    };
    let mut errors = Errors::new();
    if w.head.status != PurchaseStatus::Draft {
        let says =
            "It is ordered or cancelled and stays as it is: cancel what shall not come, and make another.";
        errors.insert(String::new(), says.to_owned());
    }
    page(&app, &caller, Some((id, &w.head.number)), &sent, &errors).await
}

/// Makes one.
pub(in crate::pages) async fn create(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    save(&app, caller, None, sent).await
}

/// Changes a draft.
pub(in crate::pages) async fn change(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    Segment(id): Segment<PurchaseId>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let w = whole(&app, id).await?;
    save(&app, caller, Some((id, w.head.number)), sent).await
}

async fn save(
    app: &App,
    caller: May<WritePurchasing>,
    draft: Option<(PurchaseId, String)>,
    sent: Sent,
) -> Result<Response, Problem> {
    let id = draft.as_ref().map(|(id, _)| *id);
    if sent.more() {
        let draft = draft.as_ref().map(|(id, number)| (*id, number.as_str()));
        return Ok(page(app, &caller, draft, &sent, &Errors::new()).await?.into_response());
    }
    let errors = match sent.command(app, id).await? {
        Err(errors) => errors,
        Ok(want) => {
            let path = id.map_or_else(|| "/purchasing/new".to_owned(), |id| format!("{}/edit", path_of(id)));
            let key = Key::once(&sent.once, &path);
            let done = web::submit!(app, caller, key, "inventory.purchase_page", &sent, |tx| {
                let saved = save_purchases(tx, std::slice::from_ref(&want)).await?.remove(0).or_problem()?;
                web::reply(StatusCode::OK, &saved)
            });
            match done {
                Ok(reply) => {
                    let saved: PurchaseId = serde_json::from_str(reply.body()).map_err(Fault::from)?;
                    return Ok(web::done("The purchase order is saved").to(&path_of(saved)));
                }
                Err(problem) if problem.status().is_client_error() => {
                    let field = match problem.code() {
                        "inventory.purchase_not_ours" => "location",
                        _ => "",
                    };
                    Errors::from([(field.to_owned(), problem.detail().to_owned())])
                }
                Err(problem) => return Err(problem),
            }
        }
    };
    let draft = draft.as_ref().map(|(id, number)| (*id, number.as_str()));
    let page = page(app, &caller, draft, &sent, &errors).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn page(
    app: &App,
    caller: &Caller,
    draft: Option<(PurchaseId, &str)>,
    s: &Sent,
    e: &Errors,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let (suppliers, all, base) =
        (catalog::suppliers(sql).await?, places(sql).await?, crate::base_currency(sql).await?);
    let names: Vec<String> = all.iter().map(named).collect();
    let ours: Vec<(&str, &str)> = all
        .iter()
        .zip(&names)
        .filter(|(l, _)| l.owned())
        .map(|(l, n)| (l.code.as_str(), n.as_str()))
        .collect();
    let from: Vec<(&str, &str)> = std::iter::once(("", "Choose"))
        .chain(suppliers.iter().map(|s| (s.code.as_str(), s.name.as_str())))
        .collect();
    let error = |name: &str| e.get(name).map(String::as_str);
    let (title, action, back) = match draft {
        None => ("New purchase order".to_owned(), "/purchasing/new".to_owned(), PATH.to_owned()),
        Some((id, number)) => (format!("Edit {number}"), format!("{}/edit", path_of(id)), path_of(id)),
    };
    let body = html! {
        @if let Some(sentence) = error("") { (h::alert("danger", sentence)) }
        @else if !e.is_empty() { (h::alert("danger", "Some fields need another look.")) }
        form method="post" action=(action) autocomplete="off" data-long data-keep=(if e.is_empty() && !s.more() { "yes" } else { "given" }) {
            (web::once_again(&s.once))
            (h::card("Purchase order", h::fields([
                h::select_field(&Select { label: "Supplier", name: "supplier", options: &from, chosen: &s.supplier, error: error("supplier"), ..Select::default() }),
                h::select_field(&Select { label: "Goods go to", name: "location", options: &ours, chosen: &s.location, error: error("location"), ..Select::default() }),
                h::field(&Field { label: "Supplier’s number", name: "reference", value: &s.reference, ..Field::default() }),
                h::field(&Field { label: "Expected", name: "expected", kind: "date", value: &s.expected, error: error("expected"), ..Field::default() }),
            ])))
            (h::card("Lines", lines(s, e, base)))
            (h::form_buttons("Save", Some(&back)))
        }
    };
    Ok(Screen::new(caller, title).crumb("Purchase orders", PATH).narrow().show(body))
}

fn lines(s: &Sent, e: &Errors, base: kernel::Currency) -> Markup {
    let error = |name: &str| e.get(name).map(String::as_str);
    let line = |i: &str, _: &str| {
        let given = i.parse().ok().and_then(|i: usize| s.lines.get(i)).cloned().unwrap_or_default();
        let name = |field: &str| format!("lines[{i}][{field}]");
        let (sku, quantity, cost) = (name("sku"), name("quantity"), name("cost"));
        html! {
            (h::combobox(&Combobox { label: "SKU or barcode", name: &sku, value: given.scanned(), shown: given.scanned(), source: "/catalog/lookup", error: error(&sku), free: true, ..Combobox::default() }))
            (h::field(&Field { label: "Units", name: &quantity, value: &given.quantity, error: error(&quantity), ..Field::default() }))
            (h::money_field(&Field { label: "Cost of a unit", name: &cost, value: &given.cost, error: error(&cost), ..Field::default() }, base))
        }
    };
    html! {
        p.text-secondary { "Each SKU once. Enter goes on, in a SKU to the next line; Ctrl+Enter saves." }
        (h::entry_lines("lines", "entry-line entry-line-cost", ((s.filled() + MORE).min(MOST), MOST), line))
        (h::more_lines("lines", "More lines"))
    }
}
