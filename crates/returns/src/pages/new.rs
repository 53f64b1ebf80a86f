//! A return that a colleague enters for a customer: the order by its number, units and why by line, what the customer wants.
//!
//! Invariant: it is the command of the API and of the tracking page; only who may enter returns can take one after its window.

use crate::api::{WriteReturns, single};
use crate::model::{Reason, Resolution};
use crate::policy::Policy;
use crate::returnable::{Returnable, of_order};
use crate::{RequestRefused, RequestReturn, ReturnWish};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use orders::{OrderId, OrderRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use web::html::{self as h, Field, Select};
use web::{App, Caller, Key, May, Params, Problem, Reply, Screen};

/// Whose return.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    /// The order's number or id.
    order: String,
}

/// What the form sends: units and reasons by line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Entered {
    once: String,
    order: String,
    quantity: BTreeMap<String, String>,
    reason: BTreeMap<String, String>,
    resolution: String,
    comment: String,
    note: String,
    refund_shipping: String,
    override_window: String,
}

/// An order, and what of it may come back.
struct Seen {
    order: OrderRow,
    free: Vec<Returnable>,
    policy: Policy,
}

impl Seen {
    /// None where no order has this number or id.
    async fn load(app: &App, text: &str) -> Result<Option<Self>, Problem> {
        let sql = app.db.read();
        let text = text.trim().trim_start_matches('#');
        let id: Option<OrderId> = match text.parse() {
            Ok(id) => Some(id),
            Err(_) => sql.scalar("SELECT id FROM orders WHERE number = $1", [text.into()]).await?,
        };
        let Some(id) = id else { return Ok(None) };
        let Some(order) = orders::read::orders_by_id(sql, &[id]).await?.remove(&id) else { return Ok(None) };
        let policy = Policy::read(sql).await?;
        let free = of_order(sql, id, &policy, app.db.now()).await?;
        Ok(Some(Self { order, free, policy }))
    }
    fn may_ask(&self) -> bool {
        self.free.iter().any(|r| !r.units.is_empty())
    }
}

/// The form of an order; without one, the field for its number.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<WriteReturns>,
    Params(query): Params<Query>,
) -> Result<Markup, Problem> {
    if query.order.trim().is_empty() {
        return Ok(which(&caller, "", None));
    }
    match Seen::load(&app, &query.order).await? {
        Some(seen) => Ok(form(&caller, &seen, &Entered::default(), None)),
        None => Ok(which(&caller, &query.order, Some("No order has this number."))),
    }
}

/// Enters the return.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<WriteReturns>,
    web::Form(entered): web::Form<Entered>,
) -> Result<Response, Problem> {
    let seen = Seen::load(&app, &entered.order).await?;
    let seen = seen.ok_or_else(|| Problem::not_found(format!("order {}", entered.order)))?;
    let done = match read(&seen, &entered) {
        Ok((units, resolution)) => enter(&app, &caller, &seen, &entered, units, resolution).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok(reply) => {
            let (id, number): (crate::ReturnId, String) =
                serde_json::from_str(reply.body()).map_err(kernel::Fault::from)?;
            Ok(web::done(format!("Return {number} is entered")).to(&format!("/returns/{id}")))
        }
        Err(problem) if problem.status().is_client_error() => {
            Ok((problem.status(), form(&caller, &seen, &entered, Some(&problem))).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn enter(
    app: &App,
    caller: &Caller,
    seen: &Seen,
    entered: &Entered,
    units: Vec<ReturnWish>,
    resolution: Resolution,
) -> Result<Reply, Problem> {
    let order = seen.order.id;
    let key = Key::once(&entered.once, &format!("/returns/new {order}"));
    web::submit!(app, caller, key, "returns.enter", entered, |tx| {
        let one = RequestReturn {
            at: tx.now(),
            order,
            units: units.clone(),
            resolution,
            refund_shipping: !entered.refund_shipping.is_empty(),
            override_window: !entered.override_window.is_empty(),
            note: some(&entered.note),
        };
        let requested = crate::request(tx, &[one]).await?;
        let late = matches!(requested.first(), Some(Err(RequestRefused::WindowOver { .. })));
        if late {
            let why = "Tick “Take it although the window is over” to enter it nevertheless.";
            return Err(Problem::invalid("override_window", why).into());
        }
        let requested = single(requested)?;
        web::reply(StatusCode::CREATED, &(requested.id, requested.number))
    })
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

/// What the form means, or what is wrong with it by the field.
fn read(seen: &Seen, entered: &Entered) -> Result<(Vec<ReturnWish>, Resolution), Problem> {
    let mut units = Vec::new();
    for r in &seen.free {
        let key = r.line.id.to_string();
        let typed = entered.quantity.get(&key).map_or("", |t| t.trim());
        if matches!(typed, "" | "0") {
            continue;
        }
        let most = r.units.len() as i64;
        let quantity = typed.parse().ok().filter(|q| (1..=most).contains(q)).ok_or_else(|| {
            Problem::invalid(format!("quantity[{key}]"), format!("Between 0 and {most} units."))
        })?;
        let reason = entered.reason.get(&key).and_then(|r| r.parse::<Reason>().ok());
        let reason = reason.ok_or_else(|| Problem::invalid(format!("reason[{key}]"), "Choose why."))?;
        units.push(ReturnWish { line: r.line.id, quantity, reason, comment: some(&entered.comment) });
    }
    if units.is_empty() {
        return Err(Problem::invalid("quantity", "Say of which line how many units come back."));
    }
    let resolution = entered.resolution.parse();
    Ok((units, resolution.map_err(|_| Problem::invalid("resolution", "Choose what the customer wants."))?))
}

fn screen(caller: &Caller) -> Screen<'_> {
    Screen::new(caller, "New return").crumb("Returns", "/returns").narrow()
}

fn which(caller: &Caller, typed: &str, error: Option<&str>) -> Markup {
    screen(caller).show(html! {
        form.card.card-body method="get" action="/returns/new" {
            (h::field(&Field { label: "Order number", name: "order", value: typed, error, required: true, focus: true, ..Field::default() }))
            (h::form_buttons("Find it", Some("/returns")))
        }
    })
}

fn form(caller: &Caller, seen: &Seen, entered: &Entered, problem: Option<&Problem>) -> Markup {
    let error = |name: &str| {
        let all = problem.map(Problem::errors).unwrap_or_default();
        all.iter().find(|e| e.pointer.trim_start_matches('/') == name).map(|e| e.detail.as_str())
    };
    let order = &seen.order;
    let wishes = [
        ("", "Choose"),
        (Resolution::Refund.as_str(), "Money back"),
        (Resolution::StoreCredit.as_str(), "Store credit"),
        (Resolution::Exchange.as_str(), "Something else instead"),
    ];
    let late = seen.free.iter().any(|r| !r.in_window && !r.units.is_empty());
    let here = format!("/orders/{}", order.id);
    let body = html! {
        @if let Some(problem) = problem { (h::alert("danger", problem.errors().first().map_or(problem.detail(), |e| e.detail.as_str()))) }
        @if !seen.may_ask() {
            (h::empty_with(h::Icon::Package, "Nothing can come back", "Nothing of this order has shipped, or all of it is asked back already.",
                h::link(&here, "Back to the order", "secondary", "")))
        } @else {
            form method="post" action="/returns/new" data-keep=(if problem.is_some() { "given" } else { "yes" }) {
                (web::once_again(&entered.once))
                input type="hidden" name="order" value=(order.id);
                @for r in seen.free.iter().filter(|r| !r.units.is_empty()) { (line(seen, entered, r, &error)) }
                div.card.card-body.mb-3 {
                    (h::select_field(&Select { label: "The customer wants", name: "resolution", options: &wishes, chosen: &entered.resolution, error: error("resolution"), ..Select::default() }))
                    (h::field(&Field { label: "What the customer says", name: "comment", kind: "textarea", value: &entered.comment, error: error("comment"), ..Field::default() }))
                    (h::field(&Field { label: "Note for colleagues", name: "note", kind: "textarea", value: &entered.note, ..Field::default() }))
                    (h::checkbox("Give shipping and fees back too", "refund_shipping", "yes", !entered.refund_shipping.is_empty(), "By the policy they follow from the reason."))
                    @if late { (h::checkbox("Take it although the window is over", "override_window", "yes", !entered.override_window.is_empty(), &format!("Returns are possible for {} days.", seen.policy.window_days))) }
                }
                (h::form_buttons("Enter the return", Some(&here)))
            }
        }
    };
    screen(caller)
        .subtitle(html! { "Of order " a href=(here) { (order.number) } " of " bdi { (order.name) } })
        .show(body)
}

/// One line: how many of it come back, and why.
fn line<'a>(
    seen: &Seen,
    entered: &Entered,
    r: &Returnable,
    error: &impl Fn(&str) -> Option<&'a str>,
) -> Markup {
    let key = r.line.id.to_string();
    let (quantity, reason) = (format!("quantity[{key}]"), format!("reason[{key}]"));
    let chosen = |of: &BTreeMap<String, String>| of.get(&key).cloned().unwrap_or_default();
    let (many, why) = (chosen(&entered.quantity), chosen(&entered.reason));
    let words: Vec<(&str, String)> =
        Reason::ALL.iter().map(|r| (r.as_str(), super::sentence(r.as_str()))).collect();
    let reasons: Vec<(&str, &str)> = std::iter::once(("", "Choose"))
        .chain(words.iter().map(|(value, label)| (*value, label.as_str())))
        .collect();
    let worth = h::amount(r.credit(&seen.policy, 1, Reason::ChangedMind), seen.order.currency);
    html! {
        fieldset.card.card-body.mb-3 {
            legend.form-label { strong { (r.line.sku) } " " bdi { (r.line.title) } }
            p.text-secondary {
                (worth) " each"
                @if let Some(at) = r.delivered { " · delivered " (h::time(at)) }
                @if !r.in_window { " " (h::tag("window over", h::Tone::Warn)) }
            }
            (h::fields([
                h::field(&Field { label: "Units", name: &quantity, kind: "number", value: &many, unit: &format!("of {}", r.units.len()), error: error(&quantity), ..Field::default() }),
                h::select_field(&Select { label: "Why", name: &reason, options: &reasons, chosen: &why, error: error(&reason), ..Select::default() }),
            ]))
        }
    }
}
