//! Order entry for phone and e-mail orders. What is refused comes back with the form as it was filled in, and the sentence by its field.

use crate::api::{PlaceLane, WriteOrders};
use crate::place::{Buyer, FieldProblem, IfOutOfStock, Place, PlaceRefused, Tender, Trust, WantedLine};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use contact::address::Address;
use kernel::{Currency, money};
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::HashMap;
use web::{App, Form, May, Problem, html as h};

/// Lines the form offers; empty ones are left out.
const LINES: usize = 6;

#[derive(Deserialize, Default, Clone)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    email: String,
    phone: String,
    company: String,
    line1: String,
    line2: String,
    city: String,
    region: String,
    postal_code: String,
    country: String,
    currency: String,
    tax_inclusive: String,
    lines: Vec<EntryLine>,
    shipping: String,
    discount: String,
    payment: String,
    token: String,
    backorder: String,
    express: String,
    note: String,
    gift_note: String,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default, deny_unknown_fields)]
struct EntryLine {
    sku: String,
    quantity: String,
    price: String,
}

/// Sentences by field.
type Errors = HashMap<String, String>;

/// The empty form.
pub(super) async fn show(State(app): State<App>, caller: May<WriteOrders>) -> Result<Markup, Problem> {
    let currency = inventory::base_currency(app.db.read()).await?.to_string();
    let entry = Entry {
        currency,
        payment: "manual bank_transfer".into(),
        tax_inclusive: "on".into(),
        ..Entry::default()
    };
    Ok(form(&caller, &entry, None, &Errors::new()))
}

/// Places the order, or shows the form again.
pub(super) async fn submit(
    State(app): State<App>,
    caller: May<WriteOrders>,
    Form(entry): Form<Entry>,
) -> Result<Response, Problem> {
    let again = |general: Option<&str>, errors: &Errors| {
        (StatusCode::UNPROCESSABLE_ENTITY, form(&caller, &entry, general, errors)).into_response()
    };
    let place = match entry.command(&caller, app.db.now()) {
        Ok(place) => place,
        Err(errors) => return Ok(again(None, &errors)),
    };
    match app.state::<PlaceLane>()?.send(place).await?? {
        Ok(placed) => Ok(Redirect::to(&format!("/orders/{}", placed.id)).into_response()),
        Err(PlaceRefused::BadFields { fields, .. }) => Ok(again(None, &by_field(&fields))),
        Err(refused) => Ok(again(Some(&refused.to_string()), &Errors::new())),
    }
}

fn by_field(fields: &[FieldProblem]) -> Errors {
    fields
        .iter()
        .map(|f| (f.field.rsplit('.').next().unwrap_or(&f.field).to_owned(), f.message.clone()))
        .collect()
}

fn some(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// An amount of a field; what is wrong with it goes by the field.
fn amount(field: &str, text: &str, digits: u32, errors: &mut Errors) -> Option<i64> {
    let text = some(text)?;
    money::parse_decimal(&text, digits).map_err(|e| errors.insert(field.to_owned(), format!("{e}."))).ok()
}

impl Entry {
    /// The command, or what is wrong by the field.
    fn command(&self, caller: &web::Caller, at: kernel::Timestamp) -> Result<Place, Errors> {
        let mut errors = Errors::new();
        let currency: Option<Currency> = self
            .currency
            .trim()
            .to_uppercase()
            .parse()
            .map_err(|e: money::UnknownCurrency| errors.insert("currency".into(), format!("{e}.")))
            .ok();
        let digits = currency.map_or(2, |c| c.exponent());
        let shipping = amount("shipping", &self.shipping, digits, &mut errors).unwrap_or(0);
        let discount = amount("discount", &self.discount, digits, &mut errors).unwrap_or(0);
        let lines = self.wanted(digits, &mut errors);
        let pay_later = self.payment == "later";
        let Some(currency) = currency.filter(|_| errors.is_empty()) else { return Err(errors) };
        Ok(Place {
            at,
            by: caller.actor.clone(),
            key: None,
            channel: "manual".into(),
            reference: None,
            buyer: Buyer {
                name: self.name.clone(),
                email: some(&self.email),
                phone: some(&self.phone),
                ip: None,
            },
            ship_to: self.address(),
            ship_to_geo: None,
            bill_to: None,
            currency,
            tax_inclusive: !self.tax_inclusive.is_empty(),
            lines,
            discount,
            shipping,
            shipping_tax_ppm: None,
            fee: 0,
            if_out_of_stock: if self.backorder.is_empty() {
                IfOutOfStock::Refuse
            } else {
                IfOutOfStock::Backorder
            },
            tenders: self.tenders(),
            pay_later,
            express: !self.express.is_empty(),
            gift_note: some(&self.gift_note),
            note: some(&self.note),
            tags: vec![],
            promised_at: None,
            reservation: None,
            exchange_of: None,
            trust: Trust::Check,
        })
    }

    /// The lines that have a SKU.
    fn wanted(&self, digits: u32, errors: &mut Errors) -> Vec<WantedLine> {
        let mut lines = Vec::new();
        for (i, line) in self.lines.iter().enumerate().filter(|(_, l)| !l.sku.trim().is_empty()) {
            let unit_price = amount(&format!("lines[{i}][price]"), &line.price, digits, errors);
            let Ok(quantity) = line.quantity.trim().parse() else {
                let sentence = "A whole number of units, such as 2.".to_owned();
                errors.insert(format!("lines[{i}][quantity]"), sentence);
                continue;
            };
            let sku = line.sku.trim().to_owned();
            lines.push(WantedLine {
                sku,
                quantity,
                unit_price,
                discount: 0,
                tax_rate_ppm: None,
                location: None,
            });
        }
        lines
    }

    /// How it is paid: `gateway method`, or later.
    fn tenders(&self) -> Vec<Tender> {
        let Some((gateway, method)) = self.payment.split_once(' ') else { return Vec::new() };
        vec![Tender {
            gateway: gateway.into(),
            method: method.into(),
            token: some(&self.token),
            amount: None,
            capture: false,
            paid_at: None,
            reference: None,
        }]
    }

    fn address(&self) -> Address {
        Address {
            name: self.name.clone(),
            company: some(&self.company),
            line1: self.line1.clone(),
            line2: some(&self.line2),
            city: self.city.clone(),
            region: some(&self.region),
            postal_code: some(&self.postal_code),
            country: self.country.clone(),
            ..Address::default()
        }
    }
}

const PAYMENTS: &[(&str, &str)] = &[
    ("manual bank_transfer", "Bank transfer (waits for the money)"),
    ("manual cod", "Cash on delivery"),
    ("sandbox card", "Card (sandbox token)"),
    ("store_credit store_credit", "Store credit"),
    ("later", "On account (ships before it is paid)"),
];

fn form(caller: &web::Caller, e: &Entry, general: Option<&str>, errors: &Errors) -> Markup {
    let field = |label: &str, name: &str, kind: &str, value: &str, required: bool| {
        let error = errors.get(name).map(String::as_str);
        html! { div.col-md-6 { (h::field(&h::Field { label, name, kind, value, error, required, ..h::Field::default() })) } }
    };
    let tick = |label: &str, name: &str, value: &str| {
        html! { label.form-check { input.form-check-input type="checkbox" name=(name) checked[!value.is_empty()]; " " span.form-check-label { (label) } } }
    };
    let customer = html! { div.row {
        (field("Name", "name", "text", &e.name, true))
        (field("E-mail", "email", "email", &e.email, false))
        (field("Phone", "phone", "tel", &e.phone, false))
        (field("Company", "company", "text", &e.company, false))
        (field("Street and number", "line1", "text", &e.line1, true))
        (field("Flat, floor, building", "line2", "text", &e.line2, false))
        (field("Postal code", "postal_code", "text", &e.postal_code, false))
        (field("City", "city", "text", &e.city, false))
        (field("State or province", "region", "text", &e.region, false))
        (field("Country (two letters)", "country", "text", &e.country, true))
    } };
    let payment = html! { div.row {
        (field("Currency", "currency", "text", &e.currency, true))
        (field("Shipping", "shipping", "text", &e.shipping, false))
        (field("Discount", "discount", "text", &e.discount, false))
        div.col-md-6 { (h::select("Payment", "payment", PAYMENTS, &e.payment)) }
        (field("Card token", "token", "text", &e.token, false))
        div.col-md-6 {
            (tick("Prices contain tax", "tax_inclusive", &e.tax_inclusive))
            (tick("Backorder what is not there", "backorder", &e.backorder))
            (tick("Express", "express", &e.express))
        }
        (field("Note for us", "note", "textarea", &e.note, false))
        (field("Gift note", "gift_note", "textarea", &e.gift_note, false))
    } };
    web::page(
        caller,
        "New order",
        html! {
            @if let Some(sentence) = general { (h::alert("danger", sentence)) }
            @if !errors.is_empty() { (h::alert("danger", "Some fields need another look.")) }
            form method="post" action="/orders/new" {
                (h::card("Customer", customer))
                (h::card("Lines", lines(e, errors)))
                (h::card("Payment and shipping", payment))
                button.btn.btn-primary type="submit" { "Place order" }
            }
        },
    )
}

fn lines(e: &Entry, errors: &Errors) -> Markup {
    let given = |i: usize| e.lines.get(i).cloned().unwrap_or_default();
    let cell = |i: usize, name: &str, label: &str, value: &str| {
        let name = format!("lines[{i}][{name}]");
        h::field(&h::Field {
            label,
            name: &name,
            value,
            error: errors.get(&name).map(String::as_str),
            ..h::Field::default()
        })
    };
    html! {
        p.text-secondary { "Leave the price empty for the catalogue's." }
        @for i in 0..LINES.max(e.lines.len()) {
            div.row {
                div.col-6 { (cell(i, "sku", "SKU", &given(i).sku)) }
                div.col-3 { (cell(i, "quantity", "Quantity", &given(i).quantity)) }
                div.col-3 { (cell(i, "price", "Price", &given(i).price)) }
            }
        }
    }
}
