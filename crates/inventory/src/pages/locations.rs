//! Locations among the settings, in the order in which orders are routed to them, and the form that makes or changes one.

use crate::api::{ReadInventory, WriteInventory};
use crate::{LocationKind, SaveLocation, SaveLocationRefused, save_locations};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use catalog::Supplier;
use contact::address::Address;
use kernel::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use web::html::{self as h, Col, Field, Icon, Row, Select, Table, Tone};
use web::{App, Caller, Form, Key, May, Problem, Reply, Screen, Segment};

const HERE: &str = "/settings/locations";
const KINDS: &[(&str, &str)] = &[
    ("warehouse", "Warehouse"),
    ("shop", "Shop"),
    ("3pl", "Third party (3PL)"),
    ("supplier", "Supplier (drop-shipping)"),
];

/// A location as it is typed.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    once: String,
    known: String,
    code: String,
    name: String,
    kind: String,
    supplier: String,
    priority: String,
    active: String,
    company: String,
    line1: String,
    line2: String,
    postal_code: String,
    city: String,
    region: String,
    country: String,
    lat: String,
    lon: String,
}

/// What is wrong, by field.
type Errors = BTreeMap<String, String>;

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

impl Sent {
    /// The command, or what is wrong by the field.
    fn command(&self, at: Timestamp, suppliers: &[Supplier]) -> Result<SaveLocation, Errors> {
        let mut errors = Errors::new();
        let priority = self.priority.trim().parse::<i64>().unwrap_or_else(|_| {
            errors.insert("priority".into(), "A whole number, such as 100.".into());
            0
        });
        let kind = self.kind.parse::<LocationKind>().ok();
        if kind.is_none() {
            errors.insert("kind".into(), "Choose what it is.".into());
        }
        let mut degrees = |field: &str, text: &str| {
            let text = some(text)?;
            let read = text.parse::<f64>().ok().filter(|d| d.is_finite());
            if read.is_none() {
                errors.insert(field.into(), "Degrees with a point, such as 52.52, or nothing.".into());
            }
            read
        };
        let (lat, lon) = (degrees("lat", &self.lat), degrees("lon", &self.lon));
        let supplier =
            some(&self.supplier).map(|code| suppliers.iter().find(|s| s.code == code).map(|s| s.id));
        if supplier == Some(None) {
            errors.insert("supplier".into(), "There is no such supplier.".into());
        }
        let Some(kind) = kind.filter(|_| errors.is_empty()) else { return Err(errors) };
        let address = Address {
            name: self.name.trim().to_owned(),
            company: some(&self.company),
            line1: self.line1.trim().to_owned(),
            line2: some(&self.line2),
            city: self.city.trim().to_owned(),
            region: some(&self.region),
            postal_code: some(&self.postal_code),
            country: contact::country::code(&self.country)
                .map_or_else(|| self.country.trim().to_uppercase(), str::to_owned),
            ..Address::default()
        };
        Ok(SaveLocation {
            at,
            code: self.code.trim().to_owned(),
            name: self.name.trim().to_owned(),
            kind,
            supplier: supplier.flatten(),
            priority,
            address,
            lat,
            lon,
            active: !self.active.is_empty(),
        })
    }
}

fn field_of(refused: &SaveLocationRefused) -> &'static str {
    match refused {
        SaveLocationRefused::BadCode { .. } => "code",
        SaveLocationRefused::NoName { .. } => "name",
        SaveLocationRefused::BadCountry { .. } => "country",
        SaveLocationRefused::BadPosition { .. } => "lat",
        SaveLocationRefused::SupplierMismatch { .. } | SaveLocationRefused::UnknownSupplier { .. } => {
            "supplier"
        }
        SaveLocationRefused::SideChanged { .. } => "kind",
    }
}

/// Shows them, first those that ship first.
pub(super) async fn list(State(app): State<App>, caller: May<ReadInventory>) -> Result<Markup, Problem> {
    let all = crate::locations(app.db.read()).await?;
    let may = caller.may::<WriteInventory>();
    let new = || html! { @if may { (h::link("/settings/locations/new", "New location", "primary", "n")) } };
    let cols = [
        Col::text("Location"),
        Col::text("Kind"),
        Col::text("Address"),
        Col::number("Priority"),
        Col::text("Status"),
    ];
    let rows = all.iter().map(|l| {
        let city = [l.postal_code.as_deref().unwrap_or_default(), &l.address.city];
        let city = city.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(" ");
        let country = contact::country::name(&l.country).unwrap_or(&l.country);
        let place = [city.as_str(), country];
        let place = place.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(", ");
        let state =
            if l.active { h::tag("Takes orders", Tone::Good) } else { h::tag("Takes none", Tone::Quiet) };
        let kind = l.kind.to_string();
        Row::new([
            html! { bdi { (l.name) } " " span.text-secondary { (l.code) } },
            html! { (KINDS.iter().find(|(code, _)| *code == kind).map_or(kind.as_str(), |(_, word)| *word)) },
            html! { bdi { (place) } },
            html! { (l.priority) },
            state,
        ])
        .href(path(&l.code))
        .quiet(!l.active)
    });
    let body = html! {
        (h::card("How an order finds its location", html! {
            ol {
                li { "One location that can ship all of it goes before several." }
                li { "Among these the one with the lowest priority, and of the same priority the nearest." }
                li { "If none has everything: fewest parcels, again by priority and distance." }
            }
            p.text-secondary { "Only what is free counts: on hand, less what is allocated and the safety stock of each SKU." }
        }))
        @if all.is_empty() {
            (h::empty_with(Icon::Packages, "No locations yet", "Make the place where your stock lies; without one nothing can be received or shipped.", new()))
        } @else { (Table::new("Locations", &cols, rows).show()) }
    };
    Ok(Screen::new(&caller, "Locations and routing")
        .subtitle(html! { "Where stock lies, and which place ships an order." })
        .actions(new())
        .show(body))
}

fn path(code: &str) -> String {
    let encoded = h::query("", &[("c", code)]);
    format!("{HERE}/{}", encoded.trim_start_matches("?c="))
}

/// The empty form.
pub(super) async fn empty(State(app): State<App>, caller: May<WriteInventory>) -> Result<Markup, Problem> {
    let sent =
        Sent { kind: "warehouse".into(), priority: "100".into(), active: "yes".into(), ..Sent::default() };
    let suppliers = catalog::suppliers(app.db.read()).await?;
    Ok(page(&caller, &sent, &suppliers, &Errors::new()))
}

/// The form of one.
pub(super) async fn edit(
    State(app): State<App>,
    caller: May<ReadInventory>,
    Segment(code): Segment<String>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let found = crate::read::location_by_code(sql, &code).await?;
    let l = found.ok_or_else(|| Problem::not_found(format!("location {code}")))?;
    let suppliers = catalog::suppliers(sql).await?;
    let supplier = suppliers.iter().find(|s| Some(s.id) == l.supplier).map(|s| s.code.clone());
    let text = |o: Option<String>| o.unwrap_or_default();
    let degrees = |d: Option<f64>| d.map_or_else(String::new, |d| d.to_string());
    let sent = Sent {
        once: String::new(),
        known: "yes".into(),
        code: l.code,
        name: l.name,
        kind: l.kind.to_string(),
        supplier: text(supplier),
        priority: l.priority.to_string(),
        active: if l.active { "yes".into() } else { String::new() },
        company: text(l.address.company),
        line1: l.address.line1,
        line2: text(l.address.line2),
        postal_code: text(l.address.postal_code),
        city: l.address.city,
        region: text(l.address.region),
        country: l.country,
        lat: degrees(l.lat),
        lon: degrees(l.lon),
    };
    Ok(page(&caller, &sent, &suppliers, &Errors::new()))
}

fn page(caller: &Caller, sent: &Sent, suppliers: &[Supplier], errors: &Errors) -> Markup {
    let new = sent.known.is_empty();
    let error = |name: &str| errors.get(name).map(String::as_str);
    let field = |label, name, value, hint, required| {
        h::field(&Field {
            label,
            name,
            value,
            hint,
            required,
            error: error(name),
            autocomplete: "off",
            ..Field::default()
        })
    };
    let by: Vec<(&str, &str)> = std::iter::once(("", "Nobody else's"))
        .chain(suppliers.iter().map(|s| (s.code.as_str(), s.name.as_str())))
        .collect();
    let may = caller.may::<WriteInventory>();
    let body = html! {
        @if !errors.is_empty() { (h::alert("danger", "Nothing was saved yet: some fields need another look.")) }
        form method="post" action=(HERE) {
            (web::once_again(&sent.once))
            input type="hidden" name="known" value=(sent.known);
            @if !new { input type="hidden" name="code" value=(sent.code); }
            // Who may only look types nothing that could not be saved.
            fieldset disabled[!may] {
            (h::card("Location", html! {
                (h::fields([
                    html! { @if new { (field("Code", "code", &sent.code, "Names it for ever, as on its shelves.", true)) } },
                    field("Name", "name", &sent.name, "As colleagues and labels call it.", true),
                    h::select_field(&Select { label: "Kind", name: "kind", options: KINDS, chosen: &sent.kind, error: error("kind"),
                        hint: if new { "Third parties pick and pack your stock; suppliers ship theirs." } else { "" } }),
                    h::select_field(&Select { label: "Whose stock", name: "supplier", options: &by, chosen: &sent.supplier, error: error("supplier"), hint: if new { "Only of a supplier's location." } else { "Cannot change." } }),
                ]))
            }))
            (h::card("Routing", html! {
                (h::fields([
                    field("Priority", "priority", &sent.priority, "The lowest ships first; 100 is usual.", true),
                    field("Latitude", "lat", &sent.lat, "Degrees north, such as 52.52.", false),
                    field("Longitude", "lon", &sent.lon, "Degrees east. Without both, distance is guessed by postal codes.", false),
                ]))
                (h::switch("Takes orders", "active", "yes", !sent.active.is_empty(), "Without it, no new order is routed here; what was allocated goes on."))
            }))
            (h::card("Address", html! {
                (h::fields([field("Company", "company", &sent.company, "", false), field("Street and number", "line1", &sent.line1, "", false)]))
                (h::fields([field("Flat, floor, building", "line2", &sent.line2, "", false), field("Postal code", "postal_code", &sent.postal_code, "", false)]))
                (h::fields([field("City", "city", &sent.city, "", false), field("State or province", "region", &sent.region, "", false)]))
                (field("Country, by name or code", "country", &sent.country, "Rates are those of services that start there.", true))
            }))
            }
            @if may { (h::form_buttons("Save", Some(HERE))) }
        }
    };
    let title = if new { "New location".to_owned() } else { sent.name.clone() };
    Screen::new(caller, title).crumb("Locations and routing", HERE).narrow().show(body)
}

/// Saves it.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<WriteInventory>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let suppliers = catalog::suppliers(app.db.read()).await?;
    let again = |errors: Errors| {
        (StatusCode::UNPROCESSABLE_ENTITY, page(&caller, &sent, &suppliers, &errors)).into_response()
    };
    let want = match sent.command(app.db.now(), &suppliers) {
        Ok(want) => want,
        Err(errors) => return Ok(again(errors)),
    };
    let taken = "There is a location with this code already: open it to change it.";
    if sent.known.is_empty() && crate::read::location_by_code(app.db.read(), &want.code).await?.is_some() {
        return Ok(again(Errors::from([("code".to_owned(), taken.to_owned())])));
    }
    let key = Key::once(&sent.once, HERE);
    let done = web::submit!(app, caller, key, "inventory.location_page", &sent, |tx| {
        let outcome = save_locations(tx, std::slice::from_ref(&want)).await?.remove(0);
        outcome.map_err(|refused| Problem::refused(&refused).at(field_of(&refused)))?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => Ok(web::done(format!("{} is saved", want.name)).to(HERE)),
        Err(problem) if problem.status().is_client_error() && !problem.errors().is_empty() => {
            let errors = problem.errors().iter().map(|e| (e.pointer.clone(), e.detail.clone()));
            Ok(again(errors.collect()))
        }
        Err(problem) => Err(problem),
    }
}
