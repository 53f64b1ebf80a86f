//! The review queue: what waits for a person, the longest first; one at a time with everything beside one another that decides it. A decision
//! leads to the next one.

use super::act::try_release;
use super::common::{Fields, given, hold_words, some};
use super::detail::history;
use super::money;
use crate::api::{ReadOrders, ReviewOrders, WriteOrders};
use crate::model::{HoldKind, LineRow, OrderId};
use crate::read::{self, Filter, OrderRow, WaitingRow};
use crate::{Cancel, ReleaseHold, Review};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contact::address::Address;
use kernel::{Fault, Timestamp};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Row, Tab, Table};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Reply, Screen, Segment};

/// The kinds of holds that people decide on, the most urgent first; what waits for money ends by itself.
const KINDS: &[&str] = &[
    "risk_review",
    "address_invalid",
    "probable_duplicate",
    "out_of_stock",
    "customer_request",
    "manual",
    "payment_due",
];

#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Query {
    kind: String,
    cursor: Option<String>,
}

impl Query {
    fn kinds(&self) -> Vec<&'static str> {
        match KINDS.iter().find(|k| **k == self.kind) {
            Some(kind) => vec![kind],
            None => KINDS.iter().copied().filter(|k| *k != "payment_due").collect(),
        }
    }
}

/// Shows what waits.
pub(super) async fn queue(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let paging = Paging::<(Timestamp, OrderId)>::read(None, q.cursor.as_deref())?;
    let rows = read::waiting(sql, &q.kinds(), paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |w| (w.at, w.order_id));
    let ids: Vec<OrderId> = page.data.iter().map(|w| w.order_id).collect();
    let orders = read::orders_by_id(sql, &ids).await?;
    let counts = read::waiting_counts(sql).await?;
    let here = h::query("/review", &[("kind", &q.kind)]);
    let first = page.data.first().map(|w| address_of(w.order_id, &q.kind));
    let screen = Screen::new(&caller, "Review")
        .subtitle(html! { "Orders that wait for a person, the longest first." })
        .actions(html! { @if let Some(first) = &first { (h::link(first, "Begin with the oldest", "primary", "b")) } })
        .above(tabs(&q, &counts))
        .live("queue:orders");
    let now = app.db.now();
    let rows = page.data.iter().filter_map(|w| Some(row(w, orders.get(&w.order_id)?, &q.kind, now)));
    Ok(screen.show(html! {
        @if page.data.is_empty() {
            (h::empty_with(h::Icon::ShieldCheck, "Nothing waits", "Orders come here when their risk, address or payment needs a look, or when somebody holds them.", html! { (h::link("/orders", "To the orders", "secondary", "")) }))
        } @else {
            (Table::new("Orders that wait", COLS, rows).show())
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
            (h::keys(&[("b", "begin with the oldest"), ("j", "next"), ("k", "before"), ("Enter", "open")]))
        }
    }))
}

const COLS: &[Col<'static>] = &[
    Col::text("Order"),
    Col::text("Waits"),
    Col::text("Customer"),
    Col::text("Why"),
    Col::text("To").minor(),
    Col::number("Total"),
];

fn address_of(id: OrderId, kind: &str) -> String {
    h::query(&format!("/review/{id}"), &[("kind", kind)])
}

fn row(w: &WaitingRow, o: &OrderRow, kind: &str, now: Timestamp) -> Row {
    Row::new([
        html! { (o.number) @if o.priority > 0 { " " (h::badge("express")) } },
        html! { span title=(w.at.minute()) { (h::age(w.at, now)) } },
        h::person(&o.name),
        html! { (h::tag(hold_words(&w.kind), h::Tone::Warn)) @if !w.reason.is_empty() { " " span.text-secondary { bdi { (w.reason) } } } },
        html! { (o.country) },
        h::amount(o.total, o.currency),
    ])
    .href(address_of(w.order_id, kind))
}

fn tabs(q: &Query, counts: &[(String, i64)]) -> Markup {
    let count = |kind: &str| counts.iter().find(|(k, _)| k == kind).map_or(0, |(_, n)| *n);
    let all: i64 = counts.iter().filter(|(k, _)| k != "payment_due").map(|(_, n)| *n).sum();
    let kinds: Vec<&str> = KINDS.iter().copied().filter(|k| count(k) > 0 || *k == q.kind).collect();
    let hrefs: Vec<String> = kinds.iter().map(|k| format!("/review?kind={k}")).collect();
    let number = |n: i64| u64::try_from(n).ok();
    let first = Tab { title: "To decide", href: "/review", here: q.kind.is_empty(), count: number(all) };
    let rest = kinds.iter().zip(&hrefs).map(|(kind, href)| Tab {
        title: hold_words(kind),
        href,
        here: *kind == q.kind,
        count: number(count(kind)),
    });
    h::tabs("Kinds", &std::iter::once(first).chain(rest).collect::<Vec<_>>())
}

/// Shows one order to decide on.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Segment(id): Segment<OrderId>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    page(&app, &caller, id, &q.kind, &Fields::new(), None).await
}

/// The next one in the queue after an order's hold; the first when there is none later.
async fn next(
    app: &App,
    kinds: &[&str],
    after: Option<(Timestamp, OrderId)>,
    not: OrderId,
) -> Result<Option<OrderId>, Fault> {
    let sql = app.db.read();
    let later = read::waiting(sql, kinds, after, 2).await?;
    let found = later.iter().map(|w| w.order_id).find(|id| *id != not);
    match found {
        Some(id) => Ok(Some(id)),
        None => {
            Ok(read::waiting(sql, kinds, None, 2).await?.iter().map(|w| w.order_id).find(|id| *id != not))
        }
    }
}

async fn page(
    app: &App,
    caller: &Caller,
    id: OrderId,
    kind: &str,
    typed: &Fields,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let (order, lines) = money::order(app, id).await?;
    let holds = read::holds_of(sql, id).await?;
    let q = Query { kind: kind.to_owned(), cursor: None };
    let kinds = q.kinds();
    let mine = holds.iter().find(|h| kinds.contains(&h.kind.as_str())).or(holds.first());
    let after = mine.map(|h| (h.at, id));
    let next = next(app, &kinds, after, id).await?;
    let past = read::history(sql, order.customer_id).await?;
    let earlier =
        read::list(sql, &Filter { customer: Some(order.customer_id), ..Filter::default() }, None, 6).await?;
    let risk = risk::of_order(sql, id.0).await?;
    let reasons: Vec<String> = match &risk {
        Some(risk) => serde_json::from_str(&risk.reasons).map_err(Fault::from)?,
        None => Vec::new(),
    };
    let queue = h::query("/review", &[("kind", kind)]);
    let screen = Screen::new(caller, format!("Review {}", order.number))
        .crumb("Review", &queue)
        .beside(html! { (h::badge(&order.payment_status)) @for hold in &holds { (h::tag(hold_words(&hold.kind), h::Tone::Warn)) } })
        .live(format!("order:{id}"))
        .subtitle(html! { "Placed " (h::time(order.placed_at)) " · " (h::amount(order.total, order.currency)) " · " (h::count(order.units, "unit")) })
        .actions(html! {
            (h::link(&format!("/orders/{id}"), "The whole order", "secondary", ""))
            @if let Some(next) = next { (h::link(&address_of(next, kind), "Next", "secondary", "n")) }
        });
    let main = html! {
        @if let Some(problem) = problem.filter(|p| p.errors().is_empty()) { (h::alert("danger", problem.detail())) }
        @if mine.is_none() { (h::alert("success", "Nothing keeps this order any more.")) }
        (why(&order, &holds, risk.as_ref().map(|r| r.score), &reasons))
        (h::card("Beside one another", compare(&order)?))
        (h::card("Lines", goods(&order, &lines)))
    };
    let side = html! {
        @if let Some(hold) = mine { (decision(caller, &order, &hold.kind, kind, typed, problem)) }
        (h::card("What they did before", html! {
            (history(&past))
            @for o in earlier.iter().filter(|o| o.id != id).take(5) {
                p { a href={ "/orders/" (o.id) } { (o.number) } " " (h::badge(&o.fulfilment_status)) " " (h::badge(&o.payment_status)) " " (h::amount(o.total, o.currency)) }
            }
        }))
    };
    Ok(screen.show(html! {
        (h::split(main, side))
        (h::keys(&[("a", "approve"), ("r", "reject"), ("n", "next")]))
    }))
}

fn why(o: &OrderRow, holds: &[read::HoldRow], score: Option<i64>, reasons: &[String]) -> Markup {
    h::card(
        "Why it waits",
        html! {
            ul.reasons {
                @for hold in holds {
                // The reasons of a fraud check follow one by one.
                @let told = hold.kind == HoldKind::RiskReview.as_str() && !reasons.is_empty();
                li {
                    strong { (hold_words(&hold.kind)) } @if !hold.reason.is_empty() && !told { ": " bdi { (hold.reason) } }
                    " " span.text-secondary { "since " (h::time(hold.at)) }
                }
            }
            @for reason in reasons { li { (reason) } }
            }
            @if let Some(score) = score { p { "Risk " strong { (score) } " of 100." } }
            @if o.payment_status == "unpaid" { p.text-secondary { "No money is authorised yet." } }
        },
    )
}

/// Billing, shipping and where it was ordered from, beside one another; what differs is marked.
fn compare(o: &OrderRow) -> Result<Markup, Fault> {
    let (ship, bill): (Address, Address) =
        (serde_json::from_str(&o.ship_to)?, serde_json::from_str(&o.bill_to)?);
    let mark = |same: bool, text: &str| {
        html! {
            @if same { bdi { (text) } } @else { mark { bdi { (text) } } span.visually-hidden { " (differs)" } }
        }
    };
    let of = |o: &Option<String>| o.clone().unwrap_or_default();
    let rows = [
        ("Name", bill.name.clone(), ship.name.clone()),
        ("Country", bill.country.clone(), ship.country.clone()),
        ("Postal code", of(&bill.postal_code), of(&ship.postal_code)),
        ("City", bill.city.clone(), ship.city.clone()),
        ("Street", bill.line1.clone(), ship.line1.clone()),
    ];
    let cols = [Col::text("Part"), Col::text("Billing"), Col::text("Shipping")];
    let rows = rows.iter().map(|(label, bill, ship)| {
        let same = bill == ship;
        Row::new([html! { (label) }, mark(same, bill), mark(same, ship)])
    });
    let phone_abroad = o.phone.as_deref().is_some_and(|p| contact::phone::phone(p, &ship.country).is_err());
    Ok(html! {
        (Table::new("Billing and shipping", &cols, rows).show())
        (h::facts([
            ("E-mail", html! { bdi { (o.email.as_deref().unwrap_or("none")) } }),
            ("Phone", html! { (o.phone.as_deref().unwrap_or("none")) @if phone_abroad { " " (h::tag("does not read", h::Tone::Warn)) } }),
            ("IP address", html! { (o.ip.as_deref().unwrap_or("not known")) }),
            ("Channel", html! { (o.channel) }),
        ]))
    })
}

fn goods(o: &OrderRow, lines: &[LineRow]) -> Markup {
    let cols = [Col::text("Item"), Col::number("Units"), Col::number("Total")];
    let rows = lines.iter().map(|l| {
        Row::new([
            html! { strong { (l.sku) } " " bdi { (l.title) } },
            html! { (l.ordered) },
            h::amount(l.net + l.tax, o.currency),
        ])
    });
    Table::new("Lines", &cols, rows).show()
}

/// What can be decided: a fraud check is approved or rejected by a reviewer; any other hold is released, or the order cancelled, by a clerk.
fn decision(
    caller: &Caller,
    o: &OrderRow,
    hold: &str,
    kind: &str,
    typed: &Fields,
    problem: Option<&Problem>,
) -> Markup {
    let risk = hold == HoldKind::RiskReview.as_str();
    let may = if risk { caller.may::<ReviewOrders>() } else { caller.may::<WriteOrders>() };
    if !may {
        return h::card(
            "Decision",
            html! { p.text-secondary { "Your role may look at it, but not decide." } },
        );
    }
    let path = format!("/review/{}/{}", o.id, if risk { "decide" } else { "release" });
    let back = (o.captured - o.refunded).max(0);
    h::card(
        "Decision",
        html! {
            form #decide method="post" action=(path) {
                // Enter in the reason would press the first button, and decide.
                button type="submit" disabled hidden {}
                (web::once_again(given(typed, "once")))
                input type="hidden" name="queue" value=(kind);
                input type="hidden" name="kind" value=(hold);
                (h::field(&h::Field {
                    label: "Reason",
                    name: "reason",
                    value: given(typed, "reason"),
                    hint: "Kept with the decision. To reject, it is needed.",
                    error: problem.and_then(|p| p.error_at("reason")),
                    ..h::Field::default()
                }))
                p.text-secondary {
                    "Rejected, its open units are cancelled, their stock is free"
                    @if back > 0 { " and up to " (h::amount(back, o.currency)) " go back." } @else { ". No money was taken." }
                }
                div.button-row {
                    button.btn.btn-success type="submit" name="do" value="approve" data-key="a" aria-keyshortcuts="a" { @if risk { "Approve" } @else { "Release" } " " kbd { "a" } }
                    button.btn.btn-danger type="button" data-opens="reject" aria-haspopup="dialog" data-key="r" aria-keyshortcuts="r" { "Reject " kbd { "r" } }
                }
            }
            (h::ask_first("reject", "decide", "reject", "Reject", "danger", "Its open units are cancelled and what was paid for them goes back. It cannot be undone."))
        },
    )
}

/// Where an order stands in the queue of a form, asked before it is decided: who skipped older ones is not led back to them.
async fn stands(app: &App, fields: &Fields, id: OrderId) -> Result<Option<(Timestamp, OrderId)>, Problem> {
    let kinds = Query { kind: given(fields, "queue").to_owned(), cursor: None }.kinds();
    let holds = read::holds_of(app.db.read(), id).await?;
    Ok(holds.iter().find(|h| kinds.contains(&h.kind.as_str())).map(|h| (h.at, id)))
}

/// Where a decision leads: to the next order, or back to the empty queue.
async fn on(
    app: &App,
    fields: &Fields,
    id: OrderId,
    stood: Option<(Timestamp, OrderId)>,
    said: &str,
) -> Result<Response, Problem> {
    let kind = given(fields, "queue");
    let kinds = Query { kind: kind.to_owned(), cursor: None }.kinds();
    let done = web::done(said);
    Ok(match next(app, &kinds, stood, id).await? {
        Some(next) => done.to(&address_of(next, kind)),
        None => done.to(&h::query("/review", &[("kind", kind)])),
    })
}

async fn again(
    app: &App,
    caller: &Caller,
    id: OrderId,
    fields: &Fields,
    why: Problem,
) -> Result<Response, Problem> {
    if !why.status().is_client_error() || why.status() == StatusCode::NOT_FOUND {
        return Err(why);
    }
    let page = page(app, caller, id, given(fields, "queue"), fields, Some(&why)).await?;
    Ok((why.status(), page).into_response())
}

/// Which button was pressed.
fn approves(fields: &Fields) -> Result<bool, Problem> {
    match given(fields, "do") {
        "approve" => Ok(true),
        "reject" => Ok(false),
        _ => Err(Problem::invalid("do", "Choose: approve or reject.")),
    }
}

/// The reason of a decision; to reject, one must be given.
fn reason_of(fields: &Fields, approve: bool) -> Result<String, Problem> {
    match (some(given(fields, "reason")), approve) {
        (Some(reason), _) => Ok(reason),
        (None, true) => Ok("Looks right".to_owned()),
        (None, false) => Err(Problem::invalid("reason", "Say why it is rejected: colleagues will ask.")),
    }
}

/// Approves or rejects an order held for its risk.
pub(super) async fn judge(
    State(app): State<App>,
    caller: May<ReviewOrders>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let approve = approves(&fields)?;
    let stood = stands(&app, &fields, id).await?;
    let reason = match reason_of(&fields, approve) {
        Ok(reason) => reason,
        Err(problem) => return again(&app, &caller, id, &fields, problem).await,
    };
    let key = Key::once(given(&fields, "once"), &format!("/review/{id}"));
    let done = web::submit!(app, caller, key, "orders.review", &fields, |tx| {
        let (reason, by) = (reason.clone(), caller.actor.clone());
        let item = Review { at: tx.now(), order: id, approve, reason, by };
        crate::review(tx, &[item]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => {
            on(&app, &fields, id, stood, if approve { "Approved" } else { "Rejected and cancelled" }).await
        }
        Err(problem) => again(&app, &caller, id, &fields, problem).await,
    }
}

/// Releases any other hold, or cancels the order.
pub(super) async fn release(
    State(app): State<App>,
    caller: May<WriteOrders>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let approve = approves(&fields)?;
    let stood = stands(&app, &fields, id).await?;
    let reason = match reason_of(&fields, approve) {
        Ok(reason) => reason,
        Err(problem) => return again(&app, &caller, id, &fields, problem).await,
    };
    if approve {
        return match try_release(&app, &caller, id, &fields).await {
            Ok(_) => on(&app, &fields, id, stood, "Released").await,
            Err(problem) => again(&app, &caller, id, &fields, problem).await,
        };
    }
    let kind: HoldKind = given(&fields, "kind").parse().map_err(|e: String| Problem::invalid("kind", e))?;
    if kind == HoldKind::RiskReview {
        return Err(Problem::invalid("kind", "A fraud check ends with a decision: approve or reject it."));
    }
    let key = Key::once(given(&fields, "once"), &format!("/review/{id}"));
    let done = web::submit!(app, caller, key, "orders.cancel", &fields, |tx| {
        let item = Cancel { at: tx.now(), order: id, lines: vec![], reason: reason.clone(), refund: true };
        crate::cancel(tx, &[item]).await?.remove(0).or_problem()?;
        let released = ReleaseHold { at: tx.now(), order: id, kind, by: caller.actor.clone() };
        // Somebody else may have taken it away meanwhile.
        let _ = crate::release_hold(tx, &[released]).await?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => on(&app, &fields, id, stood, "Cancelled").await,
        Err(problem) => again(&app, &caller, id, &fields, problem).await,
    }
}
