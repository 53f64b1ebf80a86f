//! Order entry for phone and e-mail orders. What is refused comes back with the form as it was filled in, and the sentence by its field; what
//! it comes to is shown beside it while one types.

mod form;

use super::common::{Fields, Typed, given, some};
use super::forms::{address_of, country_of};
use crate::api::{PlaceLane, WriteOrders};
use crate::model::MAX_QUANTITY;
use crate::place::estimate::EstimatedLine;
use crate::place::{
    Buyer, CommandKey, FieldProblem, IfOutOfStock, Place, PlaceRefused, Tender, Trust, WantedLine, check,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contact::address::Address;
use form::page;
pub(super) use form::ship_to;
use kernel::{Currency, Fault, Timestamp, money};
use maud::Markup;
use web::{App, Caller, FieldError, Form, May, Problem};

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
    let (mut read, besides) = match read {
        Some(read) => priced(app, fields, read, &mut errors).await?,
        None => {
            let currency = inventory::base_currency(app.db.read()).await?;
            let nothing = Amounts { currency, shipping: 0, discount: 0, lines: Vec::new(), at: Vec::new() };
            (nothing, Errors::new())
        }
    };
    let at = std::mem::take(&mut read.at);
    let place = command(fields, read, promised, caller, app.db.now());
    if let Err(PlaceRefused::BadFields { fields, .. }) = check::contact(&place) {
        errors.extend(by_field(&fields));
    }
    // Taxes and stock are judged when the order is placed; what is wrong with them is told at once with all that is wrong anyway.
    if !errors.is_empty() {
        let told: Vec<String> = errors.iter().map(|e| e.pointer.clone()).collect();
        errors.extend(besides.into_iter().filter(|e| !told.contains(&e.pointer)));
    }
    Ok(if errors.is_empty() { Ok((place, at)) } else { Err(unread(errors)) })
}

/// Prices what is wanted, and says of every line whether it can be sold at all; apart from that, what taxes and stock look like now.
async fn priced(
    app: &App,
    fields: &Fields,
    mut read: Amounts,
    errors: &mut Errors,
) -> Result<(Amounts, Errors), Problem> {
    let mut besides = Errors::new();
    if read.lines.is_empty() {
        wrong(errors, "sku-0", "What is ordered? A SKU, a name or a barcode.");
        return Ok((read, besides));
    }
    let (found, discount) = super::preview::estimated(app, fields, &read).await?;
    for (line, i) in found.lines.iter().zip(&read.at) {
        let field = match (&line.sku, line.unit_price) {
            (Some(sku), Some(_)) if sku.active => {
                let wanted = read.lines.iter().zip(&read.at).find(|(_, at)| *at == i);
                let wanted = wanted.map_or(0, |(l, _)| l.quantity);
                besides.extend(foreseen(fields, line, wanted, *i));
                continue;
            }
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
    Ok((read, besides))
}

/// What placing would say of a line that can be sold, as things are now.
fn foreseen(fields: &Fields, line: &EstimatedLine, wanted: i64, i: usize) -> Option<FieldError> {
    let mut found = Errors::new();
    let free: i64 = line.free.iter().map(|(_, n)| n).sum();
    let stocked = line.sku.as_ref().is_some_and(|s| !s.takes().is_empty());
    // Without a country that is one, there is no word on its taxes.
    if let Some(trouble) =
        line.trouble.as_ref().filter(|_| contact::country::name(&country_of(fields)).is_some())
    {
        wrong(&mut found, format!("sku-{i}"), trouble.as_str());
    } else if stocked && free < wanted && given(fields, "backorder").is_empty() {
        let says = format!("Only {free} can be shipped now: order fewer, or allow a backorder.");
        wrong(&mut found, format!("quantity-{i}"), says);
    }
    found.pop()
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
