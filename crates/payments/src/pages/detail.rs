//! One payment: its amounts, what was asked of its gateway, what is known, and the actions that are legal now.

use crate::PaymentId;
use crate::api::{ReadPayments, WritePayments, WriteRefunds};
use crate::model::{Payment, internal};
use crate::read;
use crate::view::OrderRef;
use axum::extract::State;
use kernel::{Money, money::decimal};
use maud::{Markup, html};
use web::html::{self as h, Col, Field, Row, Sum, Table};
use web::{App, Caller, May, Problem, Screen, Segment};

/// What a form said that was refused.
pub(super) struct Refused<'a> {
    pub action: &'a str,
    pub amount: &'a str,
    pub text: &'a str,
    pub problem: &'a Problem,
}

/// Shows a payment.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadPayments>,
    Segment(id): Segment<PaymentId>,
) -> Result<Markup, Problem> {
    page(&app, &caller, id, None).await
}

const ASKED: [Col<'static>; 6] = [
    Col::text("When"),
    Col::text("Request"),
    Col::text("Status"),
    Col::number("Amount"),
    Col::number("Attempts").minor(),
    Col::text("Problem"),
];
const FACTS: [Col<'static>; 5] = [
    Col::text("When"),
    Col::text("Event"),
    Col::text("Status"),
    Col::number("Amount"),
    Col::text("Reference"),
];

/// The page, with what was refused where something was.
pub(super) async fn page(
    app: &App,
    caller: &Caller,
    id: PaymentId,
    refused: Option<Refused<'_>>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let p = read::payment(sql, id).await?.ok_or_else(|| Problem::not_found(format!("payment {id}")))?;
    let operations = read::operations_of(sql, &[id]).await?.remove(&id).unwrap_or_default();
    let facts = read::facts_of(sql, &[id]).await?.remove(&id).unwrap_or_default();
    let head = read::order_heads(sql, [p.order_id].into_iter()).await?.remove(&p.order_id);
    let order = OrderRef(p.order_id);
    let asked = operations.iter().map(|o| {
        Row::new([
            h::time(o.answered_at.unwrap_or(o.requested_at)),
            html! { (h::words(o.kind.as_str())) },
            h::badge(o.state.as_str()),
            h::amount(o.amount, p.currency),
            html! { (o.attempts) },
            html! { @match &o.problem { Some(problem) => bdi { (problem) }, None => (h::none()) } },
        ])
    });
    let said = facts.iter().map(|f| {
        Row::new([
            h::time(f.at),
            html! { (h::words(f.kind.as_str())) },
            h::badge(f.phase.as_str()),
            h::amount(f.amount, p.currency),
            html! { (reference(&f.reference)) @if let Some(detail) = &f.detail { div.text-secondary { bdi { (detail) } } } },
        ])
    });
    let body = html! {
        @if let Some(r) = &refused { (h::alert("danger", r.problem.detail())) }
        @if p.conflicted { (h::alert("danger", "What the gateway said contradicts itself. Look the payment up there before you act.")) }
        (h::split(
            html! {
                (h::card("Gateway requests", html! { @if operations.is_empty() { p.text-secondary { "Nothing." } } @else { (Table::new("Operations", &ASKED, asked).show()) } }))
                (h::card("Events", html! { @if facts.is_empty() { p.text-secondary { "Nothing yet." } } @else { (Table::new("Facts", &FACTS, said).show()) } }))
            },
            html! { (h::card("Amounts", amounts(&p))) (actions(caller, &p, refused.as_ref())) },
        ))
    };
    Ok(Screen::new(caller, super::tender(&p.gateway, &p.method))
        .crumb("Payments", "/payments")
        .beside(h::badge(&p.status))
        .subtitle(html! {
            "Of order " a href={ "/orders/" (order) } { @match &head { Some((number, _)) => (number), None => (order) } }
            @if let Some((_, name)) = &head { " · " bdi { (name) } }
            @if let Some(reference) = &p.reference { " · at the gateway " (h::copy(reference)) }
        })
        .live(format!("order:{order}"))
        .show(body))
}

fn amounts(p: &Payment) -> Markup {
    let of = |minor| Money::new(minor, p.currency);
    let mut lines = vec![
        Sum::Part("Amount due", of(p.amount)),
        Sum::Part("Authorised", of(p.authorised)),
        Sum::Total("Captured", of(p.captured)),
    ];
    let more = [
        ("Being captured", p.capture_pending),
        ("Let go", p.voided),
        ("Refunded", p.refunded),
        ("Being refunded", p.refund_pending),
        ("In open disputes", p.disputed),
        ("Lost in disputes", p.dispute_lost),
        ("Fees", p.fees),
    ];
    lines.extend(
        more.into_iter().filter(|(_, minor)| *minor != 0).map(|(name, minor)| Sum::Part(name, of(minor))),
    );
    lines.push(Sum::Due("Can still be captured", of(p.capturable())));
    lines.push(Sum::Due("Can still be refunded", of(p.refundable())));
    h::breakdown(&lines)
}

/// What the gateway calls it: long ones begin only, and are copied whole.
fn reference(text: &str) -> Markup {
    const SHOWN: usize = 14;
    let short: String = text.chars().take(SHOWN).collect();
    html! {
        @if short.len() == text.len() { code.text-nowrap { (text) } } @else {
            span.copy {
                code.text-nowrap title=(text) { (short) "…" }
                button.btn-bare type="button" data-copy=(text) aria-label={ "Copy " (text) } { (h::icon(h::Icon::Copy)) }
            }
        }
    }
}

/// The form that lets a payment go: asked first, because it cannot be taken back.
fn let_go(p: &Payment, label: &str, question: &str) -> Markup {
    let fields = html! { (web::once()) input type="hidden" name="do" value="void"; };
    let ask = h::confirm_with("void", &format!("/payments/{}", p.id), label, "danger", question, fields);
    h::card(label, html! { p { (question) } (ask) })
}

fn actions(caller: &Caller, p: &Payment, refused: Option<&Refused<'_>>) -> Markup {
    let manual = p.gateway == internal::MANUAL;
    let write = caller.may::<WritePayments>();
    let open = p.amount - p.captured;
    let of = |action: &str| refused.filter(|r| r.action == action);
    let amount = |action: &str, minor: i64| {
        let shown = of(action).map_or_else(|| decimal(minor, p.currency.exponent()), |r| r.amount.to_owned());
        let error = of(action)
            .and_then(|r| r.problem.errors().iter().find(|e| e.pointer.ends_with("amount")))
            .map(|e| e.detail.as_str());
        h::money_field(
            &Field {
                label: "Amount",
                name: "amount",
                value: &shown,
                error,
                required: true,
                id: &format!("{action}-amount"),
                ..Field::default()
            },
            p.currency,
        )
    };
    let text = |action: &str, label, name| {
        let error = of(action)
            .and_then(|r| r.problem.errors().iter().find(|e| e.pointer.ends_with(name)))
            .map(|e| e.detail.as_str());
        h::field(&Field {
            label,
            name,
            value: of(action).map_or("", |r| r.text),
            error,
            required: true,
            ..Field::default()
        })
    };
    let form = |action: &str, path: String, label: &str, kind: &str, fields: Markup| {
        h::card(
            label,
            html! {
                form method="post" action=(path) {
                    (web::once())
                    input type="hidden" name="do" value=(action);
                    (fields)
                    button class={ "btn btn-" (kind) } type="submit" { (label) }
                }
            },
        )
    };
    let here = || format!("/payments/{}", p.id);
    html! {
        @if write && !manual && p.capturable() > 0 {
            (form("capture", here(), "Capture", "primary", amount("capture", p.capturable())))
            (let_go(p, "Void", &format!("Lets go {}: all that is authorised and not captured. The customer would have to pay anew.", Money::new(p.capturable(), p.currency))))
        }
        @if write && manual && open > 0 && p.voided == 0 {
            (form("confirm", here(), "Confirm that money arrived", "primary", html! { (amount("confirm", open)) (text("confirm", "Line of the bank statement or cash book", "reference")) }))
            (let_go(p, "Stop waiting", &format!("{} are not expected any more. Money that arrives later finds no payment.", Money::new(open, p.currency))))
        }
        @if caller.may::<WriteRefunds>() && p.refundable() > 0 {
            (form("refund", format!("/payments/{}/refund", p.id), "Refund the order", "secondary", html! {
                p.text-secondary { "It goes back over the tenders of the order, never more than they brought." }
                (amount("refund", p.refundable())) (text("refund", "Why", "reason"))
            }))
        }
    }
}
