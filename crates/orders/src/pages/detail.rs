//! One order: where each unit is, the money to the cent, what keeps it from going on, what other slices know of it, the customer, and what
//! happened. It shows every action that is legal for the reader, and only those.

use super::common::{Typed, name, plain};
use super::forms::{self, Form};
use super::money::due;
use super::timeline;
use crate::api::{ReadOrders, WriteOrders};
use crate::model::{LineRow, OrderId};
use crate::read::{self, HistoryRow, HoldRow, OrderRow, PromisedRow, TimelineRow};
use axum::extract::State;
use contact::address::{self, Address};
use kernel::{Fault, Money};
use maud::{Markup, html};
use payments::Payment;
use std::collections::HashMap;
use web::html::{self as h, Col, Item, Row, Sum, Table};
use web::{App, Caller, May, Problem, Screen, Segment};

/// Events shown of a timeline.
const SHOWN: u64 = 200;

/// What is known of an order for its page.
pub(super) struct Shown {
    pub order: OrderRow,
    pub lines: Vec<LineRow>,
    pub holds: Vec<HoldRow>,
    pub payments: Vec<Payment>,
    pub ship_to: Address,
    bill_to: Address,
    promised: Vec<PromisedRow>,
    history: Vec<HistoryRow>,
    credit: Vec<customers::read::Balance>,
    risk: Option<risk::AssessmentRow>,
    timeline: Vec<TimelineRow>,
    names: HashMap<String, String>,
    /// What people call where it came from.
    channel: String,
}

impl Shown {
    /// What can still be refunded.
    pub fn refundable(&self) -> i64 {
        self.payments.iter().map(Payment::refundable).sum()
    }
    fn amount(&self, minor: i64) -> Money {
        Money::new(minor, self.order.currency)
    }
}

async fn load(app: &App, id: OrderId) -> Result<Shown, Problem> {
    let sql = app.db.read();
    let (order, lines) = super::money::order(app, id).await?;
    let timeline = read::timeline(sql, id, None, SHOWN).await?;
    let actors: Vec<&str> = timeline.iter().map(|t| t.actor.as_str()).collect();
    let names = web::auth::names(sql, &actors).await?;
    let channels = super::list::channels(sql).await?;
    let channel = channels.into_iter().find(|(code, _)| *code == order.channel);
    let parsed = |text: &str| serde_json::from_str::<Address>(text).map_err(Fault::from);
    Ok(Shown {
        ship_to: parsed(&order.ship_to)?,
        bill_to: parsed(&order.bill_to)?,
        holds: read::holds_of(sql, id).await?,
        payments: payments::payments_of(sql, &[id.0]).await?.remove(&id.0).unwrap_or_default(),
        promised: read::promised(sql, id).await?,
        history: read::history(sql, order.customer_id).await?,
        credit: customers::read::balances(sql, order.customer_id).await?,
        risk: risk::of_order(sql, id.0).await?,
        channel: channel.map_or_else(|| order.channel.clone(), |(_, name)| name),
        order,
        lines,
        timeline,
        names,
    })
}

/// Shows an order.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Segment(id): Segment<OrderId>,
) -> Result<Markup, Problem> {
    page(&app, &caller, id, &Typed::default()).await
}

/// The page, with a form that was refused where there is one.
pub(super) async fn page(app: &App, caller: &Caller, id: OrderId, typed: &Typed) -> Result<Markup, Problem> {
    let s = load(app, id).await?;
    let legal = forms::legal(&s, caller);
    let o = &s.order;
    let screen = Screen::new(caller, format!("Order {}", o.number))
        .crumb("Orders", "/orders")
        .beside(beside(o))
        .subtitle(html! {
            "Placed " (h::time(o.placed_at)) " · " bdi { (s.channel) } @if let Some(r) = &o.reference { " " bdi { (r) } }
            @if let Some(at) = o.promised_at { " · promised by " (h::time(at)) }
            (in_short(&s))
        })
        .actions(actions(&s, caller, &legal))
        .live(format!("order:{id}"));
    let main = html! {
        (refused(&s, typed, &legal))
        @for hold in &s.holds { (forms::hold_note(&s, &hold.kind, &hold.reason, caller)) }
        (h::card("Lines", lines(&s)))
        // What there is to do with the order comes before what became of it, which is long.
        (web::panels(caller, "order", &id.to_string()))
        (h::card("Timeline", html! {
            @if caller.may::<WriteOrders>() { (forms::note(&s, if typed.form == "note" { typed } else { &NONE })) }
            (timeline::show(&s.timeline, &s.names))
        }))
    };
    let side = html! {
        (h::card("Money", money(&s)))
        (h::card_with("Customer", customer_link(&s, caller), customer(&s)))
        (h::card("Delivery", delivery(&s)))
        @if let Some(risk) = &s.risk { (h::card("Risk", risk_facts(risk)?)) }
    };
    Ok(screen.show(html! {
        (h::split(main, side))
        @for form in &legal { (h::side_panel(&format!("do-{}", form.name), form.title, forms::apart(form.name, (form.body)(&s, &NONE)))) }
    }))
}

static NONE: Typed = Typed { form: "", values: std::collections::BTreeMap::new(), problem: None };

/// Who, where to and what is owed, where what stands beside the order comes below it.
fn in_short(s: &Shown) -> Markup {
    let country = contact::country::name(&s.ship_to.country).unwrap_or(&s.ship_to.country);
    let (label, owed) = balance(s);
    html! {
        span.in-short {
            bdi { (s.order.name) } " · "
            @if !s.ship_to.city.is_empty() { bdi { (s.ship_to.city) } ", " } (country) " · "
            (label) @if owed != 0 { " " (h::money(s.amount(owed))) }
        }
    }
}

fn beside(o: &OrderRow) -> Markup {
    let tags: Vec<String> = serde_json::from_str(&o.tags).unwrap_or_default();
    html! {
        (h::badge(&o.fulfilment_status)) (h::badge(&o.payment_status))
        @if o.holds > 0 { (h::badge("on_hold")) }
        @if o.priority > 0 { (h::badge("express")) }
        @for tag in &tags { (h::tag(tag, h::Tone::Quiet)) }
    }
}

/// The form that was refused, as it was filled in; a note is shown where notes are written.
fn refused(s: &Shown, typed: &Typed, legal: &[Form]) -> Markup {
    let Some(problem) = typed.problem.as_ref().filter(|_| typed.form != "note") else { return html! {} };
    let form = legal.iter().find(|f| f.name == typed.form);
    html! {
        @match form {
            Some(form) => (h::card(form.title, html! {
                @if !problem.errors().is_empty() { (h::alert("danger", "Nothing was done yet: a field needs another look.")) }
                (forms::apart("again", (form.body)(s, typed)))
            })),
            None => (h::alert("danger", problem.detail())),
        }
    }
}

fn actions(s: &Shown, caller: &Caller, legal: &[Form]) -> Markup {
    let id = format!("do-{}", "");
    let first = ["refund", "cancel", "hold"];
    let opens: Vec<(String, &str, bool)> = legal
        .iter()
        .map(|f| (format!("{id}{}", f.name), f.label.as_str(), first.contains(&f.name)))
        .collect();
    let again = format!("/orders/{}/confirmation", s.order.id);
    let request = format!("/orders/{}/payment-request", s.order.id);
    let open = s.order.total - s.order.cancelled_total - s.order.returned_total - s.order.authorised;
    let returns = format!("/returns/new?order={}", s.order.id);
    let mut items: Vec<Item<'_>> =
        opens.iter().filter(|(_, _, first)| !first).map(|(id, label, _)| Item::Opens(label, id)).collect();
    if caller.may::<WriteOrders>() && s.order.email.is_some() {
        items.push(Item::Post("Send the confirmation again", &again, &[]));
        if open > 0 {
            items.push(Item::Post("Send a payment request", &request, &[]));
        }
    }
    if caller.scopes.allow("returns:write") && s.order.units_shipped > s.order.units_returned {
        items.push(Item::Link("Start a return", &returns));
    }
    html! {
        @for (id, label, _) in opens.iter().filter(|(_, _, first)| *first) { (h::opens(id, label, "secondary")) }
        @if !items.is_empty() { (h::menu("More", &items)) }
    }
}

/// The buckets of units, as the table of lines heads them.
const BUCKETS: &[(&str, fn(&LineRow) -> i64)] = &[
    ("Promised", |l| l.allocated + l.picked + l.packed),
    ("Waiting", |l| l.backordered + l.pending),
    ("Shipped", |l| l.shipped),
    ("Returned", |l| l.returned),
    ("Cancelled", |l| l.cancelled),
];

/// The lines; a bucket that holds nothing of any line takes no room.
fn lines(s: &Shown) -> Markup {
    let used: Vec<_> = BUCKETS.iter().filter(|(_, of)| s.lines.iter().any(|l| of(l) > 0)).collect();
    let mut cols = vec![Col::text("Item"), Col::number("Price"), Col::number("Ordered")];
    cols.extend(used.iter().map(|(title, _)| Col::number(title)));
    cols.push(Col::number("Total"));
    let rows = s.lines.iter().map(|l| {
        let mut cells = vec![
            html! { strong { (l.sku) } div { bdi { (l.title) } } (whereabouts(s, l)) },
            h::money(s.amount(l.unit_price)),
            html! { (l.ordered) },
        ];
        let count = |n: i64| html! { @if n > 0 { (n) } @else { span.text-secondary { "–" } } };
        cells.extend(used.iter().map(|(_, of)| count(of(l))));
        cells.push(html! {
            (h::money(s.amount(l.net + l.tax)))
            @if l.discount > 0 { div.text-secondary { (h::money(s.amount(-l.discount))) " off" } }
        });
        Row::new(cells).quiet(l.cancelled == l.ordered)
    });
    Table::new("Lines", &cols, rows).show()
}

/// Where the units of a line are on their way, in words.
fn whereabouts(s: &Shown, l: &LineRow) -> Markup {
    let places =
        s.promised.iter().filter(|p| p.line_id == l.id).map(|p| format!("{} at {}", p.quantity, p.location));
    let on_way = l.shipped - l.delivered - l.lost;
    let steps = [
        (l.picked, "picked"),
        (l.packed, "packed"),
        (on_way, "on the way"),
        (l.delivered, "delivered"),
        (l.lost, "lost"),
    ];
    let steps = steps.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    let words: Vec<String> = places.chain(steps).collect();
    html! { @if !words.is_empty() { div.text-secondary { bdi { (words.join(" · ")) } } } }
}

fn refunds_on_their_way(s: &Shown) -> i64 {
    s.payments.iter().map(|p| p.refund_pending).sum()
}

/// What is still owed to whom, in words and minor units.
fn balance(s: &Shown) -> (&'static str, i64) {
    match due(&s.order) + refunds_on_their_way(s) {
        0 => ("Settled", 0),
        owed if owed < 0 => ("To give back", -owed),
        owed => ("Still due", owed),
    }
}

/// What it comes to, what was paid, and what is left; a part that is nothing takes no room.
fn money(s: &Shown) -> Markup {
    let o = &s.order;
    let a = |minor| s.amount(minor);
    let part = |name, minor: i64| (minor != 0).then(|| Sum::Part(name, a(minor)));
    let tax = o.tax + o.shipping_tax;
    let mut sums = vec![Sum::Part("Items", a(o.goods))];
    sums.extend(part("Discount", -o.discount));
    if o.tax_inclusive {
        sums.extend(part("Shipping", o.shipping + o.shipping_tax));
    } else {
        sums.extend(part("Tax", o.tax));
        sums.extend(part("Shipping", o.shipping));
        sums.extend(part("Tax on shipping", o.shipping_tax));
    }
    sums.extend(part("Fees", o.fee));
    sums.push(Sum::Total("Total", a(o.total)));
    let less = [part("Cancelled", -o.cancelled_total), part("Returned", -o.returned_total)];
    if less.iter().any(Option::is_some) {
        sums.extend(less.into_iter().flatten());
        sums.push(Sum::Total("Net total", a(o.total - o.cancelled_total - o.returned_total)));
    }
    let pending: i64 = s.payments.iter().map(|p| p.capture_pending).sum();
    sums.extend(part("Authorised", if o.authorised > o.captured { o.authorised } else { 0 }));
    sums.extend(part("Capture on its way", pending));
    sums.push(Sum::Part("Captured", a(o.captured)));
    sums.extend(part("Refunded", -o.refunded));
    sums.extend(part("Refund on its way", -refunds_on_their_way(s)));
    sums.extend(part("Disputed", -o.disputed));
    if o.refunded != 0 {
        sums.push(Sum::Total("Net paid", a(o.captured - o.refunded)));
    }
    let (label, owed) = balance(s);
    sums.push(Sum::Due(label, a(owed)));
    html! {
        (h::breakdown(&sums))
        @if o.tax_inclusive && tax > 0 { p.text-secondary { "Of the total " (h::money(a(tax))) " are tax." } }
    }
}

fn customer_link(s: &Shown, caller: &Caller) -> Markup {
    html! { @if caller.scopes.allow("customers:read") { a href={ "/customers/" (s.order.customer_id) } { "View customer" } } }
}

fn customer(s: &Shown) -> Markup {
    let o = &s.order;
    html! {
        p { (h::person(&o.name)) }
        @if let Some(email) = &o.email { p { (h::copy(email)) } }
        @if let Some(phone) = &o.phone { p { a href={ "tel:" (phone) } { (phone) } } }
        (history(&s.history))
        @for balance in s.credit.iter().filter(|b| b.balance > 0) {
            p { "Store credit " (h::amount(balance.balance, balance.currency)) }
        }
    }
}

/// What a customer did so far, in a few words.
pub(super) fn history(rows: &[HistoryRow]) -> Markup {
    let orders: i64 = rows.iter().map(|r| r.orders).sum();
    let sum = |of: fn(&HistoryRow) -> i64| rows.iter().map(of).sum::<i64>();
    let (cancelled, disputed, returned) =
        (sum(|r| r.cancelled), sum(|r| r.disputed), sum(|r| r.units_returned));
    html! {
        @if orders <= 1 { p { "This is the first order." } } @else {
            p {
                strong { (orders) " orders" }
                @if let Some(first) = rows.iter().map(|r| r.first_at).min() { " since " (h::date(first)) }
                @if cancelled > 0 { " · " (cancelled) " cancelled" }
                @if returned > 0 { " · " (returned) " of " (sum(|r| r.units_shipped)) " units came back" }
            }
            @if disputed > 0 { p { (h::tag(&format!("{disputed} disputed"), h::Tone::Bad)) } }
            @for row in rows.iter().filter(|r| r.captured > 0) {
                p { "Paid " (h::amount(row.captured, row.currency)) @if row.refunded > 0 { ", " (h::amount(row.refunded, row.currency)) " refunded" } }
            }
        }
    }
}

/// An address, line by line.
pub(super) fn lines_of_address(address: &Address) -> Markup {
    html! { @for line in address::lines_and_country(address) { bdi { (line) } br; } }
}

fn delivery(s: &Shown) -> Markup {
    let o = &s.order;
    let text = |value: &Option<String>| value.as_ref().map(|v| name(v));
    let mut facts = vec![("Ship to", lines_of_address(&s.ship_to))];
    let bill = match s.bill_to == s.ship_to {
        true => html! { span.text-secondary { "The same" } },
        false => lines_of_address(&s.bill_to),
    };
    facts.push(("Bill to", bill));
    facts.extend(text(&o.note).map(|m| ("Note", m)));
    facts.extend(text(&o.gift_note).map(|m| ("Gift note", m)));
    h::facts(facts)
}

fn risk_facts(risk: &risk::AssessmentRow) -> Result<Markup, Fault> {
    let reasons: Vec<String> = serde_json::from_str(&risk.reasons)?;
    Ok(html! {
        p {
            "Score " strong { (risk.score) } " of 100"
            @if let Some(verdict) = &risk.verdict { " · " (h::badge(verdict)) @if let Some(why) = &risk.verdict_reason { " " bdi { (plain(why)) } } }
        }
        @if reasons.is_empty() { p.text-secondary { "Nothing conspicuous." } } @else { ul { @for reason in &reasons { li { (reason) } } } }
    })
}
