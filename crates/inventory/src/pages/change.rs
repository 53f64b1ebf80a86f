//! The forms that change stock. Each is a scan (a barcode or a code), where, how many, and why; what is refused comes back as it was filled
//! in, with the sentence by its field. After a delivery's line the form is empty for the next one, with location and reference kept.

use super::{named, places, stock_path};
use crate::api::WriteInventory;
use crate::{Adjust, Count, Location, LocationId, Receive, SetBin, SetSafety, Transfer};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use catalog::SkuId;
use db::Tx;
use kernel::{Currency, Fault, Refuse, money};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use web::html::{self as h, Combobox, Field, Select};
use web::{App, Caller, Form, Key, May, OrProblem, Params, Problem, Screen};

/// What every form may hold.
#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
pub(super) struct Sent {
    once: String,
    sku: String,
    sku_typed: String,
    location: String,
    to: String,
    quantity: String,
    cost: String,
    reference: String,
    reason: String,
    why: String,
    channel: String,
}

impl Sent {
    /// What was scanned, typed or chosen.
    fn scanned(&self) -> &str {
        let sku = self.sku.trim();
        if sku.is_empty() { self.sku_typed.trim() } else { sku }
    }
    fn some(text: &str) -> Option<String> {
        (!text.trim().is_empty()).then(|| text.trim().to_owned())
    }
}

/// Sentences by field.
type Errors = HashMap<&'static str, String>;

/// What a form is about, once its codes are known.
pub(super) struct Meant {
    sku: SkuId,
    code: String,
    from: LocationId,
    to: Option<LocationId>,
    numbers: [Option<i64>; 2],
    cost: i64,
}

/// A form.
pub(super) trait Change: Send + Sync + 'static {
    const NAME: &'static str;
    const TITLE: &'static str;
    const HINT: &'static str;
    const BUTTON: &'static str;
    /// Whether the next one is expected at once.
    const AGAIN: bool = false;
    /// The fields below SKU and location.
    fn fields(s: &Sent, e: &Errors, all: &[Location], base: Currency) -> Markup;
    /// The numbers of it: name, and whether it may be left empty.
    const NUMBERS: &'static [(&'static str, bool)];
    /// Does it; gives what was done, for people.
    fn act(tx: &Tx, s: &Sent, m: &Meant) -> impl Future<Output = Result<String, Fault>> + Send;
}

fn done<T, R: Refuse>(outcomes: Vec<Result<T, R>>) -> Result<T, Fault> {
    let outcome = outcomes.into_iter().next().ok_or_else(|| Fault::broken("a command without outcome"))?;
    Ok(outcome.or_problem()?)
}

fn field<'a>(
    label: &'a str,
    name: &'static str,
    value: &'a str,
    hint: &'a str,
    e: &'a Errors,
    required: bool,
) -> Markup {
    h::field(&Field {
        label,
        name,
        value,
        hint,
        required,
        error: e.get(name).map(String::as_str),
        ..Field::default()
    })
}

/// Goods that came in.
pub(super) struct Receiving;
impl Change for Receiving {
    const NAME: &'static str = "receive";
    const TITLE: &'static str = "Receive";
    const HINT: &'static str = "Scan each kind of goods in the delivery and say how many came. The reference names the delivery note or the purchase order.";
    const BUTTON: &'static str = "Receive";
    const AGAIN: bool = true;
    const NUMBERS: &'static [(&'static str, bool)] = &[("quantity", false)];
    fn fields(s: &Sent, e: &Errors, _: &[Location], base: Currency) -> Markup {
        h::fields([
            field("Units", "quantity", &s.quantity, "", e, true),
            h::money_field(
                &Field {
                    label: "Cost of a unit",
                    name: "cost",
                    value: &s.cost,
                    hint: "Leave it empty at a supplier’s location.",
                    error: e.get("cost").map(String::as_str),
                    ..Field::default()
                },
                base,
            ),
            field("Delivery note or purchase order", "reference", &s.reference, "", e, false),
        ])
    }
    async fn act(tx: &Tx, s: &Sent, m: &Meant) -> Result<String, Fault> {
        let quantity = m.numbers[0].unwrap_or(0);
        let reference = Sent::some(&s.reference);
        let item =
            Receive { at: tx.now(), sku: m.sku, location: m.from, quantity, unit_cost: m.cost, reference };
        done(crate::receive(tx, &[item]).await?)?;
        Ok(format!("{quantity} of {} received", m.code))
    }
}

/// A correction by hand.
pub(super) struct Adjusting;
/// A reason that only words tell.
const OTHER: &str = "other";

impl Change for Adjusting {
    const NAME: &'static str = "adjust";
    const TITLE: &'static str = "Adjust stock";
    const HINT: &'static str =
        "A correction that no delivery, order or count explains. The reason goes into the books.";
    const BUTTON: &'static str = "Adjust";
    const NUMBERS: &'static [(&'static str, bool)] = &[("quantity", false)];
    fn fields(s: &Sent, e: &Errors, _: &[Location], _: Currency) -> Markup {
        let reasons = [
            ("", "Choose"),
            ("damaged", "Damaged"),
            ("lost", "Lost"),
            ("found", "Found"),
            ("sample", "Used as a sample"),
            (OTHER, "Something else"),
        ];
        h::fields([
            field("Difference", "quantity", &s.quantity, "As −2 or 3.", e, true),
            h::select_required(&Select {
                label: "Reason",
                name: "reason",
                options: &reasons,
                chosen: &s.reason,
                error: e.get("reason").map(String::as_str),
                ..Select::default()
            }),
            field("In words", "why", &s.why, "Needed when it is something else.", e, false),
        ])
    }
    async fn act(tx: &Tx, s: &Sent, m: &Meant) -> Result<String, Fault> {
        let delta = m.numbers[0].unwrap_or(0);
        let reason = [s.reason.trim(), s.why.trim()]
            .iter()
            .filter(|t| !matches!(**t, "" | OTHER))
            .copied()
            .collect::<Vec<_>>()
            .join(": ");
        done(
            crate::adjust(tx, &[Adjust { at: tx.now(), sku: m.sku, location: m.from, delta, reason }])
                .await?,
        )?;
        Ok(format!("{} is adjusted by {delta}", m.code))
    }
}

/// What was found on the shelf.
pub(super) struct Counting;
impl Change for Counting {
    const NAME: &'static str = "count";
    const TITLE: &'static str = "Count";
    const HINT: &'static str = "Count what lies on the shelf, promised units too, without quarantine. The difference to the books is corrected and kept as a movement.";
    const BUTTON: &'static str = "Count";
    const AGAIN: bool = true;
    const NUMBERS: &'static [(&'static str, bool)] = &[("quantity", false)];
    fn fields(s: &Sent, e: &Errors, _: &[Location], _: Currency) -> Markup {
        h::fields([field("Units found", "quantity", &s.quantity, "", e, true)])
    }
    async fn act(tx: &Tx, _: &Sent, m: &Meant) -> Result<String, Fault> {
        let counted = m.numbers[0].unwrap_or(0);
        let delta =
            done(crate::count(tx, &[Count { at: tx.now(), sku: m.sku, location: m.from, counted }]).await?)?;
        Ok(match delta {
            0 => format!("{}: {counted} found, as the books say", m.code),
            delta => format!(
                "{}: {counted} found, {} {} than the books said",
                m.code,
                delta.abs(),
                if delta > 0 { "more" } else { "fewer" }
            ),
        })
    }
}

/// From one location to another.
pub(super) struct Moving;
impl Change for Moving {
    const NAME: &'static str = "transfer";
    const TITLE: &'static str = "Transfer";
    const HINT: &'static str = "Takes stock from one of our locations to another. What is promised stays.";
    const BUTTON: &'static str = "Transfer";
    const AGAIN: bool = true;
    const NUMBERS: &'static [(&'static str, bool)] = &[("quantity", false)];
    fn fields(s: &Sent, e: &Errors, all: &[Location], _: Currency) -> Markup {
        h::fields([
            choice("To", "to", &s.to, e, all),
            field("Units", "quantity", &s.quantity, "", e, true),
            field("Why", "why", &s.why, "", e, false),
        ])
    }
    async fn act(tx: &Tx, s: &Sent, m: &Meant) -> Result<String, Fault> {
        let quantity = m.numbers[0].unwrap_or(0);
        let to = m.to.ok_or_else(|| Problem::invalid("to", "Choose where it goes."))?;
        let reason = Sent::some(&s.why);
        done(
            crate::transfer(tx, &[Transfer { at: tx.now(), sku: m.sku, from: m.from, to, quantity, reason }])
                .await?,
        )?;
        Ok(format!("{quantity} of {} transferred", m.code))
    }
}

/// What is kept back.
pub(super) struct Keeping;
impl Change for Keeping {
    const NAME: &'static str = "safety";
    const TITLE: &'static str = "Safety stock";
    const HINT: &'static str = "Units that stay on the shelf: sourcing leaves them, or channels are not told of them. An empty field leaves it as it is.";
    const BUTTON: &'static str = "Set";
    const NUMBERS: &'static [(&'static str, bool)] = &[("quantity", true), ("channel", true)];
    fn fields(s: &Sent, e: &Errors, _: &[Location], _: Currency) -> Markup {
        h::fields([
            field("Kept from orders", "quantity", &s.quantity, "", e, false),
            field("Kept from channels", "channel", &s.channel, "", e, false),
        ])
    }
    async fn act(tx: &Tx, _: &Sent, m: &Meant) -> Result<String, Fault> {
        let [safety, channel_safety] = m.numbers;
        let item = SetSafety { at: tx.now(), sku: m.sku, location: m.from, safety, channel_safety };
        done(crate::set_safety(tx, &[item]).await?)?;
        Ok(format!("The safety stock of {} is set", m.code))
    }
}

/// Where it lies.
pub(super) struct Shelving;
impl Change for Shelving {
    const NAME: &'static str = "bin";
    const TITLE: &'static str = "Bin";
    const HINT: &'static str =
        "Where on the shelves it lies. Pick lists go through the bins in their order, and slips name them.";
    const BUTTON: &'static str = "Set";
    const AGAIN: bool = true;
    const NUMBERS: &'static [(&'static str, bool)] = &[];
    fn fields(s: &Sent, e: &Errors, _: &[Location], _: Currency) -> Markup {
        h::fields([field(
            "Bin",
            "reference",
            &s.reference,
            "As its label says it; empty for none.",
            e,
            false,
        )])
    }
    async fn act(tx: &Tx, s: &Sent, m: &Meant) -> Result<String, Fault> {
        let bin = Sent::some(&s.reference);
        let said = format!("{} lies in {}", m.code, bin.as_deref().unwrap_or("no bin"));
        done(crate::set_bins(tx, &[SetBin { at: tx.now(), sku: m.sku, location: m.from, bin }]).await?)?;
        Ok(said)
    }
}

fn choice(label: &str, name: &'static str, chosen: &str, e: &Errors, all: &[Location]) -> Markup {
    let names: Vec<String> = all.iter().map(named).collect();
    let mut options: Vec<(&str, &str)> =
        all.iter().zip(&names).map(|(l, n)| (l.code.as_str(), n.as_str())).collect();
    if chosen.is_empty() && name == "to" {
        options.insert(0, ("", "Choose"));
    }
    let error = e.get(name).map(String::as_str);
    h::select_field(&Select { label, name, options: &options, chosen, error, ..Select::default() })
}

async fn page<C: Change>(app: &App, caller: &Caller, s: &Sent, e: &Errors) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let (all, base) = (places(sql).await?, crate::base_currency(sql).await?);
    let where_label = if C::NAME == "transfer" { "From" } else { "Location" };
    let body = html! {
        @if let Some(sentence) = e.get("") { (h::alert("danger", sentence)) }
        form.card.card-body method="post" action={ "/stock/" (C::NAME) } autocomplete="off" {
            (web::once_again(&s.once))
            (h::fields([
                h::combobox(&Combobox { label: "SKU or barcode", name: "sku", value: s.scanned(), shown: s.scanned(), source: "/catalog/lookup",
                    error: e.get("sku").map(String::as_str), free: true, required: true, focus: s.scanned().is_empty(), ..Combobox::default() }),
                choice(where_label, "location", &s.location, e, &all),
            ]))
            (C::fields(s, e, &all, base))
            (h::form_buttons(C::BUTTON, Some("/stock")))
        }
    };
    Ok(Screen::new(caller, C::TITLE)
        .crumb("Stock", "/stock")
        .subtitle(html! { (C::HINT) })
        .narrow()
        .show(body))
}

/// The form, filled in as far as the address says.
pub(super) async fn form<C: Change>(
    State(app): State<App>,
    caller: May<WriteInventory>,
    Params(sent): Params<Sent>,
) -> Result<Markup, Problem> {
    page::<C>(&app, &caller, &Sent { once: String::new(), ..sent }, &Errors::new()).await
}

/// What the form means, or what is wrong with it by field.
async fn meant<C: Change>(app: &App, s: &Sent) -> Result<Result<Meant, Errors>, Problem> {
    let sql = app.db.read();
    let mut e = Errors::new();
    let text = s.scanned().to_owned();
    let sku = catalog::skus_by_scan(sql, &[&text]).await?.remove(&text);
    let named = match sku {
        Some(sku) => catalog::skus_by_id(sql, &[sku]).await?.remove(&sku),
        None => None,
    };
    if named.is_none() {
        e.insert("sku", format!("No SKU has the code or barcode “{text}”."));
    }
    let all = places(sql).await?;
    let find = |code: &str| all.iter().find(|l| l.code == code).map(|l| l.id);
    let (from, to) = (find(&s.location), find(&s.to));
    if from.is_none() {
        e.insert("location", "Choose a location.".into());
    }
    let mut numbers = [None; 2];
    for (slot, (name, optional)) in numbers.iter_mut().zip(C::NUMBERS) {
        let text = if *name == "channel" { s.channel.trim() } else { s.quantity.trim() };
        // A minus as people and phones type it.
        let parsed = text.replace(['−', '–'], "-").parse::<i64>();
        match (text.is_empty() && *optional, parsed) {
            (true, _) => {}
            (false, Ok(n)) => *slot = Some(n),
            (false, Err(_)) => {
                e.insert(name, "A whole number of units.".into());
            }
        }
    }
    let base = crate::base_currency(sql).await?;
    let cost = match s.cost.trim() {
        "" => 0,
        text => money::parse_typed(text, base.exponent()).unwrap_or_else(|problem| {
            e.insert("cost", format!("{problem}."));
            0
        }),
    };
    Ok(match (named, from) {
        (Some(sku), Some(from)) if e.is_empty() => {
            Ok(Meant { sku: sku.id, code: sku.code.clone(), from, to, numbers, cost })
        }
        _ => Err(e),
    })
}

/// The field that a refusal is about.
fn field_of(code: &str) -> &'static str {
    match code {
        "inventory.not_stocked" | "inventory.unknown_sku" => "sku",
        "inventory.unknown_location" | "inventory.not_ours" => "location",
        "inventory.same_place" | "request.invalid" => "to",
        "inventory.bad_cost" => "cost",
        "inventory.no_reason" => "reason",
        "inventory.bad_bin" => "reference",
        _ => "quantity",
    }
}

/// Does what the form says, or shows it again.
pub(super) async fn submit<C: Change>(
    State(app): State<App>,
    caller: May<WriteInventory>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let wrong = |page: Markup| (StatusCode::UNPROCESSABLE_ENTITY, page).into_response();
    let meant = match meant::<C>(&app, &sent).await? {
        Ok(meant) => meant,
        Err(errors) => return Ok(wrong(page::<C>(&app, &caller, &sent, &errors).await?)),
    };
    let path = format!("/stock/{}", C::NAME);
    let key = Key::once(&sent.once, &path);
    let done = web::submit!(app, caller, key, C::NAME, &sent, |tx| {
        web::reply(StatusCode::OK, &C::act(tx, &sent, &meant).await?)
    });
    match done {
        Ok(reply) => {
            let said: String = serde_json::from_str(reply.body()).map_err(Fault::from)?;
            // The delivery stays the same for its next line; a bin does not.
            let kept = if C::NAME == "receive" { sent.reference.as_str() } else { "" };
            let next = match C::AGAIN {
                true => {
                    h::query(&path, &[("location", &sent.location), ("to", &sent.to), ("reference", kept)])
                }
                false => stock_path(&meant.code),
            };
            Ok(web::done(said).to(&next))
        }
        Err(problem) if problem.status().is_client_error() => {
            let errors = Errors::from([(field_of(problem.code()), problem.detail().to_owned())]);
            Ok(wrong(page::<C>(&app, &caller, &sent, &errors).await?))
        }
        Err(problem) => Err(problem),
    }
}
