//! What happened to an order, with who did it, in plain words.

use crate::read::TimelineRow;
use kernel::Money;
use maud::{Markup, html};
use std::collections::HashMap;
use web::html::{self as h, Icon, Moment, Tone};

/// The words, picture and tone of a kind of event. What is not listed reads as its own name.
const KINDS: &[(&str, &str, Icon, Tone)] = &[
    ("order.placed", "Order placed", Icon::ShoppingCart, Tone::Info),
    ("order.allocated", "Stock promised", Icon::Packages, Tone::Info),
    ("order.deallocated", "Promised stock let go", Icon::Packages, Tone::Quiet),
    ("order.backordered", "Units wait for stock", Icon::Clock, Tone::Warn),
    ("order.held", "Held", Icon::HandStop, Tone::Warn),
    ("order.hold_released", "Hold released", Icon::PlayerPlay, Tone::Good),
    ("order.cancelled", "Units cancelled", Icon::Ban, Tone::Bad),
    ("order.address_changed", "Address changed", Icon::MapPin, Tone::Info),
    ("order.contact_changed", "Contact changed", Icon::Mail, Tone::Info),
    ("order.tagged", "Tagged", Icon::Tag, Tone::Quiet),
    ("order.untagged", "Tag taken off", Icon::Tag, Tone::Quiet),
    ("order.payment_requested", "Payment request sent", Icon::Mail, Tone::Info),
    ("order.confirmation_asked", "Confirmation sent again", Icon::Mail, Tone::Quiet),
    ("order.units_shipped", "Shipped", Icon::TruckDelivery, Tone::Info),
    ("order.units_delivered", "Delivered", Icon::CircleCheck, Tone::Good),
    ("order.units_lost", "Lost on the way", Icon::AlertTriangle, Tone::Bad),
    ("order.units_returned", "Units came back", Icon::TruckReturn, Tone::Quiet),
    ("order.noted", "Note", Icon::Note, Tone::Accent),
    ("payment.authorised", "Payment authorised", Icon::CreditCard, Tone::Info),
    ("payment.captured", "Payment captured", Icon::Cash, Tone::Good),
    ("payment.voided", "Payment let go", Icon::CreditCard, Tone::Quiet),
    ("payment.failed", "Payment failed", Icon::CreditCard, Tone::Bad),
    ("payment.expired", "Payment ran out", Icon::CreditCard, Tone::Bad),
    ("payment.refunded", "Refund paid out", Icon::ArrowBackUp, Tone::Quiet),
    ("refund.granted", "Refund granted", Icon::ArrowBackUp, Tone::Quiet),
    ("payment.disputed", "Payment disputed", Icon::AlertTriangle, Tone::Bad),
    ("shipment.shipped", "Parcel handed over", Icon::TruckDelivery, Tone::Info),
    ("shipment.delivered", "Parcel delivered", Icon::CircleCheck, Tone::Good),
    ("return.requested", "Return asked for", Icon::TruckReturn, Tone::Warn),
];

/// The events, the newest first.
pub(super) fn show(rows: &[TimelineRow], names: &HashMap<String, String>) -> Markup {
    let texts: Vec<(String, String)> =
        rows.iter().map(|r| (title(r), web::auth::actor_name(names, &r.actor))).collect();
    let moments = rows.iter().zip(&texts).rev().map(|(row, (title, by))| {
        let (_, _, icon, tone) = looks(&row.kind);
        Moment { at: row.at, title, by, detail: detail(row), icon, tone }
    });
    h::moments(moments)
}

fn looks(kind: &str) -> (&'static str, &'static str, Icon, Tone) {
    let known = KINDS.iter().find(|(name, ..)| *name == kind);
    known.copied().unwrap_or(("", "", Icon::Point, Tone::Quiet))
}

fn title(row: &TimelineRow) -> String {
    match looks(&row.kind).1 {
        "" => super::common::plain(&row.kind.replace('.', " ")),
        title => title.to_owned(),
    }
}

/// The few words of a fact that people look for.
fn detail(row: &TimelineRow) -> Markup {
    let fact: serde_json::Value = serde_json::from_str(&row.payload).unwrap_or_default();
    let currency = fact.get("currency").and_then(|c| c.as_str()).and_then(|c| c.parse().ok());
    let amount = ["amount", "total", "cost"].iter().find_map(|k| fact.get(*k)?.as_i64()).zip(currency);
    let hold = matches!(row.kind.as_str(), "order.held" | "order.hold_released");
    let word = |k: &&str| -> Option<String> {
        let text = fact.get(*k)?.as_str()?;
        Some(match *k {
            "kind" if hold => super::common::hold_words(text).to_owned(),
            "text" | "reason" | "tracking_number" | "tag" => text.to_owned(),
            "rule" => format!("by the rule {text}"),
            _ => text.replace('_', " "),
        })
    };
    let words: Vec<String> = ["kind", "tag", "status", "method", "tracking_number", "reason", "text", "rule"]
        .iter()
        .filter_map(word)
        .filter(|w| !w.is_empty())
        .collect();
    let units: i64 = ["lines", "parts"]
        .iter()
        .filter_map(|k| fact.get(*k)?.as_array())
        .flatten()
        .filter_map(|l| l.get("quantity")?.as_i64())
        .sum();
    html! {
        @if units > 0 { (units) @if units == 1 { " unit" } @else { " units" } " " }
        @if let Some((minor, currency)) = amount { (h::money(Money::new(minor, currency))) " " }
        @if !words.is_empty() { span.text-secondary { bdi { (words.join(" · ")) } } }
    }
}
