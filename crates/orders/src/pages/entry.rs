//! Order entry for phone and e-mail orders. What is refused comes back with the form as it was filled in, and the sentence by its field; what
//! it comes to is shown beside it while one types.

use super::common::{Fields, Typed, given, some};
use super::forms::{address_fields, address_of, country_of};
use super::lookup::contact_fields;
use crate::api::{PlaceLane, WriteOrders};
use crate::model::MAX_QUANTITY;
use crate::place::{
    Buyer, CommandKey, FieldProblem, IfOutOfStock, Place, PlaceRefused, Tender, Trust, WantedLine, check,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contact::address::Address;
use kernel::{Currency, Fault, Timestamp, money};
use maud::{Markup, html};
use web::html::{self as h, Combobox, Field};
use web::{App, Caller, FieldError, Form, May, Problem, Screen};

/// Lines the form offers at first, and how many more each time.
const LINES: usize = 5;
/// Lines of a form at most.
const MOST: usize = 200;

/// The page of [`web::Panel`]s beside order entry. Each is sent the form as it is typed, by POST, and reads it with [`EntryDraft::of`].
pub const PANELS: &str = "order_entry";

/// What a slice below may know of an order while it is typed.
#[derive(Debug, Clone)]
pub struct EntryDraft {
    /// Where it goes and what is wanted.
    pub draft: crate::Draft,
    /// Of the amounts.
    pub currency: Currency,
    /// What the customer pays for shipping, minor units.
    pub shipping: i64,
    /// The service that was chosen, as its panel names it, or nothing.
    pub service: String,
    /// The day that is named to the customer.
    pub promised: String,
}

impl EntryDraft {
    /// What the fields of the form say; none while they do not read or nothing is wanted yet.
    pub fn of(fields: &Fields) -> Option<Self> {
        let read = amounts(fields).ok().filter(|read| !read.lines.is_empty())?;
        let draft = crate::Draft {
            country: country_of(fields),
            postal_code: some(given(fields, "postal_code")),
            lines: read.lines.into_iter().map(|l| (l.sku, l.quantity)).collect(),
        };
        let (service, promised) = (given(fields, "service").to_owned(), given(fields, "promised").to_owned());
        Some(Self { draft, currency: read.currency, shipping: read.shipping, service, promised })
    }
}

/// The empty form.
pub(super) async fn show(State(app): State<App>, caller: May<WriteOrders>) -> Result<Markup, Problem> {
    let currency = inventory::base_currency(app.db.read()).await?.to_string();
    let first =
        [("currency", currency.as_str()), ("payment", "manual bank_transfer"), ("tax_inclusive", "yes")];
    let values = first.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Ok(page(&caller, &Typed { form: "entry", values, problem: None }))
}

/// Places the order, or shows the form again.
pub(super) async fn submit(
    State(app): State<App>,
    caller: May<WriteOrders>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let fields = looked_up(&app, fields).await?;
    let again = |mut fields: Fields, problem: Option<Problem>| {
        // The refusal is kept under the key of the form: what is sent next is another order.
        fields.remove("once");
        let status = problem.as_ref().map_or(StatusCode::OK, Problem::status);
        (status, page(&caller, &Typed { form: SENT, values: fields, problem })).into_response()
    };
    if given(&fields, "do") == "more" {
        return Ok(again(fields, None));
    }
    let fields = resolved(&app, fields).await?;
    let (place, at) = match placed(&app, &fields, &caller).await? {
        Ok(placed) => placed,
        Err(problem) => return Ok(again(fields, Some(problem))),
    };
    match app.state::<PlaceLane>()?.send(place).await?? {
        Ok(placed) => {
            let asks = given(&fields, "payment") == "request";
            if asks {
                match super::act::requested(&app, &caller, placed.id, &fields).await {
                    // Free of charge: there is nothing to ask for.
                    Err(problem) if problem.code() == "orders.nothing_owed" => {}
                    other => other?,
                }
            }
            let said = match placed.holds.is_empty() {
                false if asks => {
                    format!("Order {} is placed; the payment request is on its way", placed.number)
                }
                true => format!("Order {} is placed", placed.number),
                false => format!("Order {} is placed, and waits", placed.number),
            };
            Ok(web::done(said).to(&format!("/orders/{}", placed.id)))
        }
        Err(refused) => Ok(again(fields, Some(problem(&refused, &at)))),
    }
}

/// The form as somebody sent it; else it is new.
const SENT: &str = "entry sent";

/// What the box of the customer who was chosen shows.
const LOOKED_UP: &str = "customer_shown";

/// The name of the customer who was looked up, for the form that is shown again.
async fn looked_up(app: &App, mut fields: Fields) -> Result<Fields, Fault> {
    fields.remove(LOOKED_UP);
    if let Ok(id) = given(&fields, "customer").parse::<customers::CustomerId>()
        && let Some(found) = customers::read::by_id(app.db.read(), &[id]).await?.remove(&id)
    {
        fields.insert(LOOKED_UP.to_owned(), found.name);
    }
    Ok(fields)
}

/// Barcodes become the codes they stand for.
async fn resolved(app: &App, mut fields: Fields) -> Result<Fields, Fault> {
    let typed: Vec<(usize, String)> =
        (0..count(&fields)).filter_map(|i| Some((i, some(sku(&fields, i))?))).collect();
    let texts: Vec<&str> = typed.iter().map(|(_, t)| t.as_str()).collect();
    let sql = app.db.read();
    let meant = catalog::skus_by_scan(sql, &texts).await?;
    let ids: Vec<_> = meant.values().copied().collect();
    let skus = catalog::skus_by_id(sql, &ids).await?;
    for (i, text) in &typed {
        let code = meant.get(text).and_then(|id| skus.get(id)).map(|s| s.code.clone());
        fields.insert(format!("sku-{i}"), code.unwrap_or_else(|| text.clone()));
    }
    Ok(fields)
}

/// The SKU of a line: what was chosen, or what was typed.
pub(super) fn sku(fields: &Fields, i: usize) -> &str {
    match given(fields, &format!("sku-{i}")) {
        "" => given(fields, &format!("sku-{i}_typed")),
        chosen => chosen,
    }
}

/// Lines of the form.
pub(super) fn count(fields: &Fields) -> usize {
    let last = (0..MOST).rev().find(|i| !sku(fields, *i).is_empty()).map_or(0, |i| i + 1);
    let more = if given(fields, "do") == "more" { LINES } else { 0 };
    let shown = given(fields, "count").parse().unwrap_or(LINES);
    (shown + more).max(last).min(MOST)
}

/// What is wrong, by the field of this form.
type Errors = Vec<FieldError>;

fn wrong(errors: &mut Errors, pointer: impl Into<String>, detail: impl Into<String>) {
    errors.push(FieldError {
        pointer: pointer.into(),
        code: "request.invalid".into(),
        detail: detail.into(),
    });
}

fn unread(errors: Errors) -> Problem {
    let says = "Some fields need another look.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "request.invalid", says).with_errors(errors)
}

/// What is wrong with who buys and where it goes, by the field of this form.
fn by_field(fields: &[FieldProblem]) -> impl Iterator<Item = FieldError> {
    fields.iter().map(|f| FieldError {
        pointer: match f.field.rsplit_once('.') {
            Some(("bill_to", field)) => format!("bill_{field}"),
            Some((_, field)) => field.to_owned(),
            None if f.field == "tenders" => "token".to_owned(),
            None => f.field.clone(),
        },
        code: f.code.clone(),
        detail: f.message.clone(),
    })
}

/// A refusal as a problem, with what is wrong by the field of this form; `at` is where the lines of the order stand in it.
fn problem(refused: &PlaceRefused, at: &[usize]) -> Problem {
    let problem = Problem::refused(refused);
    let of = |field: &str, line: &usize| format!("{field}-{}", at.get(line - 1).unwrap_or(&0));
    match refused {
        PlaceRefused::BadFields { fields, .. } => problem.with_errors(by_field(fields)),
        PlaceRefused::UnknownSku { line, .. }
        | PlaceRefused::InactiveSku { line, .. }
        | PlaceRefused::NoTaxRate { line, .. } => problem.at(of("sku", line)),
        PlaceRefused::NoPrice { line, .. } => problem.at(of("price", line)),
        PlaceRefused::BadQuantity { line, .. } => problem.at(of("quantity", line)),
        PlaceRefused::DiscountTooLarge => problem.at("discount"),
        PlaceRefused::NoLines => problem.at("sku-0"),
        _ => problem,
    }
}

/// The amounts and the lines of the form.
pub(super) struct Amounts {
    pub currency: Currency,
    pub shipping: i64,
    pub discount: i64,
    pub lines: Vec<WantedLine>,
    /// Where each line stands in the form.
    at: Vec<usize>,
}

/// Reads the amounts; what is wrong goes by the field.
pub(super) fn amounts(fields: &Fields) -> Result<Amounts, Problem> {
    let mut errors = Errors::new();
    match read(fields, &mut errors) {
        Some(amounts) if errors.is_empty() => Ok(amounts),
        _ => Err(unread(errors)),
    }
}

/// Reads the amounts as far as they read, so that all that is wrong can be told at once; none without a currency.
fn read(fields: &Fields, errors: &mut Errors) -> Option<Amounts> {
    let currency: Option<Currency> = match given(fields, "currency").to_uppercase().parse() {
        Ok(currency) => Some(currency),
        Err(e) => {
            wrong(errors, "currency", format!("{e}."));
            None
        }
    };
    let digits = currency.map_or(2, |c| c.exponent());
    let amount = |field: &str, errors: &mut Errors| -> Option<i64> {
        let text = some(given(fields, field))?;
        match money::parse_typed(&text, digits) {
            Ok(minor) if minor >= 0 => return Some(minor),
            Ok(_) => wrong(errors, field, "An amount of zero or more."),
            Err(e) => wrong(errors, field, format!("{e}.")),
        }
        None
    };
    let (mut lines, mut at) = (Vec::new(), Vec::new());
    for i in (0..count(fields)).filter(|i| !sku(fields, *i).is_empty()) {
        let unit_price = amount(&format!("price-{i}"), errors);
        let quantity = match given(fields, &format!("quantity-{i}")) {
            "" => Some(1),
            text => text.parse::<i64>().ok().filter(|q| (1..=MAX_QUANTITY).contains(q)),
        };
        if quantity.is_none() {
            wrong(errors, format!("quantity-{i}"), "A whole number of units, such as 2.");
        }
        let (sku, quantity, discount) = (sku(fields, i).to_owned(), quantity.unwrap_or(1), 0);
        lines.push(WantedLine { sku, quantity, unit_price, discount, tax_rate_ppm: None, location: None });
        at.push(i);
    }
    let shipping = amount("shipping", errors).unwrap_or(0);
    let percent = given(fields, "discount_in") == "percent";
    let discount = if percent { 0 } else { amount("discount", errors).unwrap_or(0) };
    if percent && percent_of(fields).is_none() {
        wrong(errors, "discount", "A percentage between 0 and 100, such as 10 or 7.5.");
    }
    Some(Amounts { currency: currency?, shipping, discount, lines, at })
}

/// The percentage of the discount in hundredths: 750 is 7.5 %.
fn percent_of(fields: &Fields) -> Option<i64> {
    match given(fields, "discount") {
        "" => Some(0),
        text => money::parse_typed(text, 2).ok().filter(|p| (0..=10_000).contains(p)),
    }
}

/// The discount in minor units of goods that come to `goods`; a half goes up.
pub(super) fn discount(fields: &Fields, typed: i64, goods: i64) -> i64 {
    if given(fields, "discount_in") != "percent" {
        return typed;
    }
    let share = i128::from(goods) * i128::from(percent_of(fields).unwrap_or(0));
    i64::try_from((share + 5_000) / 10_000).unwrap_or(goods)
}

/// The command of the form and where its lines stand in it, or all that is wrong. A discount in percent is one of what the items come to now.
async fn placed(
    app: &App,
    fields: &Fields,
    caller: &Caller,
) -> Result<Result<(Place, Vec<usize>), Problem>, Problem> {
    let mut errors = Errors::new();
    let read = read(fields, &mut errors);
    if given(fields, "payment") == "request" && some(given(fields, "email")).is_none() {
        wrong(&mut errors, "email", "The payment request goes by e-mail: to which address?");
    }
    let promised: Option<Timestamp> = match given(fields, "promised") {
        "" => None,
        day => match format!("{day}T23:59:59Z").parse() {
            Ok(at) => Some(at),
            Err(_) => {
                wrong(&mut errors, "promised", "A day reads as 2026-11-27.");
                None
            }
        },
    };
    // Without a currency there is nothing to price, but there is a buyer.
    let mut read = match read {
        Some(read) => priced(app, fields, read, &mut errors).await?,
        None => Amounts {
            currency: inventory::base_currency(app.db.read()).await?,
            shipping: 0,
            discount: 0,
            lines: Vec::new(),
            at: Vec::new(),
        },
    };
    let at = std::mem::take(&mut read.at);
    let place = command(fields, read, promised, caller, app.db.now());
    if let Err(PlaceRefused::BadFields { fields, .. }) = check::contact(&place) {
        errors.extend(by_field(&fields));
    }
    Ok(if errors.is_empty() { Ok((place, at)) } else { Err(unread(errors)) })
}

/// Prices what is wanted, and says of every line whether it can be sold at all.
async fn priced(
    app: &App,
    fields: &Fields,
    mut read: Amounts,
    errors: &mut Errors,
) -> Result<Amounts, Problem> {
    if read.lines.is_empty() {
        wrong(errors, "sku-0", "What is ordered? A SKU, a name or a barcode.");
        return Ok(read);
    }
    let (found, discount) = super::preview::estimated(app, fields, &read).await?;
    for (line, i) in found.lines.iter().zip(&read.at) {
        // Taxes follow from the address as it will be kept: placing says what is wrong with them.
        let field = match (&line.sku, line.unit_price) {
            (Some(sku), Some(_)) if sku.active => continue,
            (Some(sku), None) if sku.active => format!("price-{i}"),
            _ => format!("sku-{i}"),
        };
        if let Some(trouble) = line.trouble.as_ref().filter(|_| errors.iter().all(|e| e.pointer != field)) {
            wrong(errors, field, trouble.as_str());
        }
    }
    if let Some(trouble) = &found.trouble {
        let field = if discount > 0 { "discount".to_owned() } else { format!("price-{}", read.at[0]) };
        wrong(errors, field, trouble.as_str());
    }
    if given(fields, "discount_in") == "percent" {
        read.discount = discount;
    }
    Ok(read)
}

/// The command.
fn command(
    fields: &Fields,
    read: Amounts,
    promised_at: Option<Timestamp>,
    caller: &Caller,
    at: Timestamp,
) -> Place {
    let Amounts { currency, shipping, discount, lines, .. } = read;
    let key = some(given(fields, "once")).map(|once| CommandKey {
        caller: caller.actor.as_str().to_owned(),
        key: format!("form {once}"),
        hash: db::answers::input_hash(format!("{fields:?}").as_bytes()),
    });
    let billing = given(fields, "bill_elsewhere").is_empty();
    let reason = some(given(fields, "discount_reason"));
    let note: Vec<String> = [
        some(given(fields, "note")),
        some(given(fields, "service")).map(|s| format!("Ship by: {s}")),
        reason.filter(|_| !given(fields, "discount").is_empty()).map(|r| format!("Discount: {r}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    Place {
        at,
        by: caller.actor.clone(),
        key,
        channel: "manual".into(),
        reference: None,
        buyer: Buyer {
            name: given(fields, "name").to_owned(),
            email: some(given(fields, "email")),
            phone: some(given(fields, "phone")),
            ip: None,
        },
        ship_to: address_of(fields),
        ship_to_geo: None,
        bill_to: if billing { None } else { Some(billing_of(fields)) },
        currency,
        tax_inclusive: !given(fields, "tax_inclusive").is_empty(),
        discount,
        lines,
        shipping,
        shipping_tax_ppm: None,
        fee: 0,
        if_out_of_stock: match given(fields, "backorder") {
            "" => IfOutOfStock::Refuse,
            _ => IfOutOfStock::Backorder,
        },
        tenders: tenders(fields),
        pay_later: given(fields, "payment") == "later",
        express: !given(fields, "express").is_empty(),
        gift_note: some(given(fields, "gift_note")),
        note: some(&note.join("\n")),
        tags: vec![],
        promised_at,
        reservation: None,
        exchange_of: None,
        trust: Trust::Check,
    }
}

/// The billing address, whose fields begin with `bill_`.
fn billing_of(fields: &Fields) -> Address {
    let own: Fields =
        fields.iter().filter_map(|(n, v)| Some((n.strip_prefix("bill_")?.to_owned(), v.clone()))).collect();
    address_of(&own)
}

/// How it is paid: `gateway method`; without any it waits for its money.
fn tenders(fields: &Fields) -> Vec<Tender> {
    let Some((gateway, method)) = given(fields, "payment").split_once(' ') else { return Vec::new() };
    vec![Tender {
        gateway: gateway.into(),
        method: method.into(),
        token: some(given(fields, "token")),
        amount: None,
        capture: false,
        paid_at: None,
        reference: None,
    }]
}

const PAYMENTS: &[(&str, &str)] = &[
    ("request", "Payment request by e-mail: the customer pays on a page"),
    ("manual bank_transfer", "Bank transfer"),
    ("sandbox card", "Card (the gateway's token)"),
    ("manual cod", "Cash on delivery"),
    ("store_credit store_credit", "Store credit"),
    ("none", "Decide later: held until it is paid"),
    ("later", "On account: ships before it is paid"),
];

fn page(caller: &Caller, t: &Typed) -> Markup {
    let left = html! {
        (h::card("Customer", html! {
            div hx-get="/orders/new/customer" hx-trigger="chosen" hx-target="#contact" hx-swap="innerHTML" hx-include="[name='customer']" {
                (h::combobox(&Combobox { label: "Look up", name: "customer", value: t.get("customer"), shown: t.get(LOOKED_UP), source: "/orders/new/customers",
                    hint: "Name, e-mail or phone of somebody who ordered before; or fill in below.", ..Combobox::default() }))
            }
            div #contact { (contact_fields(t, &Address::default(), &[])) }
            (billing(t))
        }))
        (h::card("Items", items(t)))
        (h::card("Shipping and payment", terms(t)))
    };
    let right = html! {
        div.entry-side {
            div #preview aria-live="polite" hx-post="/orders/new/preview" hx-include="closest form" hx-swap="innerHTML"
                hx-trigger="load, input from:'closest form' delay:300ms, change from:'closest form' delay:300ms" {
                (h::card("What it comes to", html! { p.text-secondary { "Fill in an item to see prices, stock and tax." } }))
            }
            (web::form_panels(caller, PANELS))
            button.btn.btn-primary type="submit" name="do" value="place" data-sends aria-keyshortcuts="Control+Enter" { "Place order" }
        }
    };
    let keeps = if t.form == SENT { "given" } else { "yes" };
    Screen::new(caller, "New order").crumb("Orders", "/orders").subtitle(html! { "For orders by phone and e-mail." }).show(html! {
        (t.general())
        @if t.problem.as_ref().is_some_and(|p| !p.errors().is_empty()) { (h::alert("danger", "Nothing was placed yet: some fields need another look.")) }
        // What is wrong is told by the server, all of it at once.
        form method="post" action="/orders/new" autocomplete="off" novalidate data-long data-keep=(keeps) data-keep-not="token" {
            (t.once())
            // Where no script runs, enter places nothing by accident either: it presses the first button of the form.
            button.visually-hidden type="submit" name="do" value="more" tabindex="-1" aria-hidden="true" { "Add lines" }
            (h::split(left, right))
        }
    })
}

fn billing(t: &Typed) -> Markup {
    let own = Typed {
        form: t.form,
        values: t
            .values
            .iter()
            .filter_map(|(n, v)| Some((n.strip_prefix("bill_")?.to_owned(), v.clone())))
            .collect(),
        problem: None,
    };
    let elsewhere = !t.get("bill_elsewhere").is_empty();
    html! {
        details.fold open[elsewhere] {
            summary { "Bill to another address" }
            (h::checkbox("Use this address for the bill", "bill_elsewhere", "yes", elsewhere, ""))
            div { (prefixed(&own, t)) }
        }
    }
}

/// The fields of the billing address; what is wrong with them stands in the whole form.
fn prefixed(t: &Typed, whole: &Typed) -> Markup {
    let field = |label: &str, name: &str| {
        let full = format!("bill_{name}");
        h::field(&Field {
            label,
            name: &full,
            value: t.get(name),
            error: whole.error(&full),
            autocomplete: "off",
            ..Field::default()
        })
    };
    html! {
        (h::fields([field("Name", "name"), field("Company", "company")]))
        (h::fields([field("Street and number", "line1"), field("Flat, floor, building", "line2")]))
        (h::fields([field("Postal code", "postal_code"), field("City", "city")]))
        (h::fields([field("State or province", "region"), field("Country, by name or code", "country")]))
    }
}

fn items(t: &Typed) -> Markup {
    let lines = count(&t.values);
    let line = |i: &str, _: &str| {
        let (sku_name, quantity, price) = (format!("sku-{i}"), format!("quantity-{i}"), format!("price-{i}"));
        let sku = i.parse().map_or("", |i| sku(&t.values, i));
        html! {
            (h::combobox(&Combobox { label: "SKU, name or barcode", name: &sku_name, value: sku, shown: sku, source: "/orders/new/skus",
                error: t.error(&sku_name), free: true, ..Combobox::default() }))
            (h::field(&Field { label: "Units", name: &quantity, value: t.get(&quantity), error: t.error(&quantity), ..Field::default() }))
            (h::field(&Field { label: "Price", name: &price, value: t.get(&price), error: t.error(&price), ..Field::default() }))
        }
    };
    html! {
        input type="hidden" name="count" value=(lines);
        (h::entry_lines("items", "entry-line", (lines, MOST), line))
        p.text-secondary { "Without a price the catalogue's holds; without units it is one. Enter goes on to the next item, Ctrl+Enter places the order." }
        (h::more_lines("items", "More lines"))
    }
}

fn terms(t: &Typed) -> Markup {
    let field = |label: &str, name: &str, kind: &str, hint: &str| {
        h::field(&Field {
            label,
            name,
            kind,
            value: t.get(name),
            error: t.error(name),
            hint,
            ..Field::default()
        })
    };
    let on = |name: &str| !t.get(name).is_empty();
    html! {
        (h::fields([
            field("Currency", "currency", "text", "Three letters, as EUR."),
            field("Shipping", "shipping", "text", "What the customer pays for it."),
        ]))
        (h::fields([
            field("Discount", "discount", "text", ""),
            h::select("In", "discount_in", &[("amount", "Amount"), ("percent", "Percent of the items")], t.get("discount_in")),
            field("Reason of the discount", "discount_reason", "text", "Kept with the order's note."),
        ]))
        (h::fields([
            h::select("Payment", "payment", PAYMENTS, t.get("payment")),
            field("Card token", "token", "text", "From the gateway's own form; never a card number."),
            field("Promised by", "promised", "date", "The day you name to the customer."),
        ]))
        (h::checkbox("Prices contain tax", "tax_inclusive", "yes", on("tax_inclusive"), ""))
        (h::checkbox("Let wait what is not there", "backorder", "yes", on("backorder"), "Without it the order is refused when units are missing."))
        (h::checkbox("Express", "express", "yes", on("express"), "Goes before all others in the warehouse."))
        (field("Note for us", "note", "textarea", ""))
        (field("Gift note", "gift_note", "textarea", "Printed on the packing slip."))
    }
}

/// The fields of the address, for the customer who was looked up.
pub(super) fn ship_to(t: &Typed, address: &Address) -> Markup {
    address_fields(address, t)
}
