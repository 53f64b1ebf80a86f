//! One order: money to the cent, where each unit is, holds with their way out, the timeline, and the panels of other slices.

use crate::api::{ReadOrders, ReviewOrders, WriteOrders};
use crate::model::{HoldKind, LineRow, OrderId};
use crate::read::{self, HoldRow, OrderRow, TimelineRow};
use crate::{Cancel, Hold, Note, ReleaseHold, Review};
use axum::extract::State;
use axum::response::Redirect;
use contact::address::{self, Address};
use kernel::{Fault, Money};
use maud::{Markup, html};
use serde::Deserialize;
use web::{App, Caller, Form, May, OrProblem, Problem, Segment, html as h};

/// Events shown of a timeline.
const SHOWN: u64 = 200;

/// Shows an order.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Segment(id): Segment<OrderId>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let order = read::orders_by_id(sql, &[id])
        .await?
        .remove(&id)
        .ok_or_else(|| Problem::not_found(format!("order {id}")))?;
    let lines = read::lines_of(sql, &[id]).await?.remove(&id).unwrap_or_default();
    let holds = read::holds_of(sql, id).await?;
    let timeline = read::timeline(sql, id, None, SHOWN).await?;
    let risk = risk::of_order(sql, id.0).await?;
    let title = format!("Order {}", order.number);
    let page = web::Screen::new(&caller, title).crumb("Orders", "/orders").live(format!("order:{id}"));
    Ok(page.show(html! {
        (summary(&order)?)
        @for hold in &holds { (hold_alert(&caller, &order, hold)) }
        (h::card("Lines", lines_table(&order, &lines)))
        (h::card("Money", money(&order)))
        @if let Some(risk) = &risk { (h::card("Risk", risk_facts(risk)?)) }
        (web::panels(&caller, "order", &id.to_string()))
        @if caller.may::<WriteOrders>() { (h::card("Actions", actions(&order, &lines))) }
        (h::card("Timeline", h::timeline(timeline.iter().map(event))))
    }))
}

fn parsed(text: &str) -> Result<Address, Fault> {
    serde_json::from_str(text).map_err(Fault::from)
}

fn lines_of_address(address: &Address) -> Markup {
    html! { @for line in address::lines(address) { (line) br; } }
}

fn summary(o: &OrderRow) -> Result<Markup, Fault> {
    let (ship_to, bill_to) = (parsed(&o.ship_to)?, parsed(&o.bill_to)?);
    let dash = || html! { "–" };
    let text = |value: &Option<String>| value.as_ref().map_or_else(dash, |v| html! { (v) });
    Ok(h::card(
        "Order",
        h::facts([
            ("Fulfilment", h::badge(&o.fulfilment_status)),
            ("Payment", h::badge(&o.payment_status)),
            ("Placed", h::time(o.placed_at)),
            ("Promised", o.promised_at.map_or_else(dash, h::time)),
            ("Channel", html! { (o.channel) @if let Some(r) = &o.reference { " · " (r) } }),
            ("Customer", html! { (o.name) }),
            ("E-mail", text(&o.email)),
            ("Phone", text(&o.phone)),
            ("Ship to", lines_of_address(&ship_to)),
            (
                "Bill to",
                if bill_to == ship_to {
                    html! { "the same" }
                } else {
                    lines_of_address(&bill_to)
                },
            ),
            ("Note", text(&o.note)),
            ("Gift note", text(&o.gift_note)),
        ]),
    ))
}

fn hold_alert(caller: &Caller, o: &OrderRow, hold: &HoldRow) -> Markup {
    let here = format!("/orders/{}", o.id);
    html! {
        (h::alert("warning", &format!("On hold ({}): {}", hold.kind.replace('_', " "), hold.reason)))
        @if hold.kind == HoldKind::RiskReview.as_str() {
            @if caller.may::<ReviewOrders>() {
                (h::button(&here, "Approve", "success", &[("do", "approve")]))
                (h::button(&here, "Reject and cancel", "danger", &[("do", "reject")]))
            }
        } @else if caller.may::<WriteOrders>() {
            (h::button(&here, "Release this hold", "secondary", &[("do", "release"), ("kind", &hold.kind)]))
        }
    }
}

fn lines_table(o: &OrderRow, lines: &[LineRow]) -> Markup {
    let amount = |minor| h::money(Money::new(minor, o.currency));
    h::table(
        &["SKU", "Title", "Price", "Ordered", "Where they are", "Discount", "Tax", "Total"],
        lines.iter().map(|l| {
            html! {
                tr {
                    td { (l.sku) }
                    td { (l.title) }
                    td.text-end { (amount(l.unit_price)) }
                    td.text-end { (l.ordered) }
                    td { (buckets(l)) }
                    td.text-end { @if l.discount > 0 { (amount(-l.discount)) } }
                    td.text-end { (amount(l.tax)) }
                    td.text-end { (amount(l.net + l.tax)) }
                }
            }
        }),
    )
}

fn buckets(l: &LineRow) -> Markup {
    let in_transit = l.shipped - l.delivered - l.lost;
    let counts = [
        ("cancelled", l.cancelled),
        ("pending", l.pending),
        ("backordered", l.backordered),
        ("allocated", l.allocated),
        ("picked", l.picked),
        ("packed", l.packed),
        ("in transit", in_transit),
        ("delivered", l.delivered),
        ("lost", l.lost),
        ("returned", l.returned),
    ];
    html! { @for (name, count) in counts { @if count > 0 { span.badge.me-1 { (count) " " (name) } } } }
}

fn money(o: &OrderRow) -> Markup {
    let amount = |minor| h::money(Money::new(minor, o.currency));
    let owed = o.total - o.cancelled_total - o.returned_total - (o.captured - o.refunded);
    let rows: Vec<(&'static str, Markup)> = [
        ("Goods without tax", o.net),
        ("of that discounted", -o.discount),
        ("Tax", o.tax),
        ("Shipping", o.shipping),
        ("Tax on shipping", o.shipping_tax),
        ("Fees", o.fee),
        ("Total", o.total),
        ("Cancelled", -o.cancelled_total),
        ("Returned", -o.returned_total),
        ("Authorised", o.authorised),
        ("Captured", o.captured),
        ("Refunded", -o.refunded),
        (if owed < 0 { "To give back" } else { "Still owed" }, owed),
    ]
    .into_iter()
    .filter(|(name, minor)| *minor != 0 || matches!(*name, "Total" | "Captured" | "Still owed"))
    .map(|(name, minor)| (name, amount(minor)))
    .collect();
    h::facts(rows)
}

fn risk_facts(risk: &risk::AssessmentRow) -> Result<Markup, Fault> {
    let reasons: Vec<String> = serde_json::from_str(&risk.reasons)?;
    Ok(html! {
        p { "Score " strong { (risk.score) } " of 100" @if let Some(verdict) = &risk.verdict { " · " (verdict) @if let Some(why) = &risk.verdict_reason { ": " (why) } } }
        @if reasons.is_empty() { p.text-secondary { "Nothing conspicuous." } } @else { ul { @for reason in &reasons { li { (reason) } } } }
    })
}

fn actions(o: &OrderRow, lines: &[LineRow]) -> Markup {
    let here = format!("/orders/{}", o.id);
    let cancellable: i64 = lines.iter().map(|l| l.pending + l.backordered + l.allocated).sum();
    html! {
        @if o.units > o.units_cancelled + o.units_shipped { (h::button(&here, "Hold", "secondary", &[("do", "hold")])) }
        @if cancellable > 0 { (h::button(&here, &format!("Cancel {cancellable} open units"), "danger", &[("do", "cancel")])) }
        form method="post" action=(here) class="mt-3" {
            input type="hidden" name="do" value="note";
            (h::field(&h::Field { label: "Note for colleagues", name: "text", kind: "textarea", required: true, ..h::Field::default() }))
            button.btn.btn-secondary type="submit" { "Add note" }
        }
    }
}

fn event(row: &TimelineRow) -> Markup {
    let title = row.kind.replace(['.', '_'], " ");
    html! { (h::timeline_item(row.at, &title, &row.actor, detail(row))) }
}

/// The few words of a fact that people look for.
fn detail(row: &TimelineRow) -> Markup {
    let fact: serde_json::Value = serde_json::from_str(&row.payload).unwrap_or_default();
    let currency = fact.get("currency").and_then(|c| c.as_str()).and_then(|c| c.parse().ok());
    let amount = ["amount", "total", "cost"].iter().find_map(|k| fact.get(*k)?.as_i64()).zip(currency);
    let words = ["reason", "kind", "status", "text", "tracking_number", "method"]
        .iter()
        .filter_map(|k| fact.get(*k)?.as_str());
    html! {
        @if let Some((minor, currency)) = amount { (h::money(Money::new(minor, currency))) " " }
        @for word in words { span.text-secondary { (word.replace('_', " ")) " " } }
    }
}

/// An action of the page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    r#do: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    text: String,
}

/// Does what a button says, and shows the order again.
pub(super) async fn act(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Segment(id): Segment<OrderId>,
    Form(act): Form<Act>,
) -> Result<Redirect, Problem> {
    let review = matches!(act.r#do.as_str(), "approve" | "reject");
    if (review && !caller.may::<ReviewOrders>()) || (!review && !caller.may::<WriteOrders>()) {
        let scope = if review { "risk:write" } else { "orders:write" };
        return Err(Problem::new(
            axum::http::StatusCode::FORBIDDEN,
            "auth.missing_scope",
            format!("You need the permission {scope} for that."),
        ));
    }
    let by = caller.actor.clone();
    let done: Result<(), Fault> = db::write!(app.db, &by, |tx| {
        let (at, order, by) = (tx.now(), id, by.clone());
        let reason = format!("by {}", caller.name);
        match act.r#do.as_str() {
            "approve" | "reject" => {
                let item = Review { at, order, approve: act.r#do == "approve", reason, by };
                crate::review(tx, &[item]).await?.remove(0).or_problem()?;
            }
            "release" => {
                let kind = act
                    .kind
                    .as_deref()
                    .unwrap_or_default()
                    .parse()
                    .map_err(|e: String| Problem::invalid("kind", e))?;
                crate::release_hold(tx, &[ReleaseHold { at, order, kind, by }])
                    .await?
                    .remove(0)
                    .or_problem()?;
            }
            "hold" => {
                let item = Hold { at, order, kind: HoldKind::Manual, reason, by };
                crate::hold(tx, &[item]).await?.remove(0).or_problem()?;
            }
            "cancel" => {
                let item = Cancel { at, order, lines: vec![], reason, refund: true };
                crate::cancel(tx, &[item]).await?.remove(0).or_problem()?;
            }
            "note" => {
                let item = Note { at, order, text: act.text.clone(), by };
                crate::note(tx, &[item]).await?.remove(0).or_problem()?;
            }
            other => return Err(Problem::invalid("do", format!("There is no action “{other}”.")).into()),
        }
        Ok(())
    });
    done?;
    Ok(Redirect::to(&format!("/orders/{id}")))
}
