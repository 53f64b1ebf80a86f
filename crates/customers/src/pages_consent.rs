//! Consents on the page of a customer: what holds on each channel, the form that changes it, and the history.

use crate::CustomerId;
use crate::consent::{Channel, ConsentRow, in_force};
use maud::{Markup, html};
use std::collections::{BTreeMap, HashMap};
use web::html::{self as h, Field, Select, Tone};

/// As people name a channel.
pub(crate) fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "E-mail",
        Channel::Sms => "Text messages",
        Channel::Phone => "Calls",
        Channel::Post => "Letters",
    }
}

/// What a form that was refused held, and what is wrong with it by field.
pub(crate) struct Typed<'a> {
    pub once: &'a str,
    pub channel: &'a str,
    pub given: &'a str,
    pub source: &'a str,
    pub error: &'a dyn Fn(&str) -> Option<&'a str>,
}

/// The card; what holds is of the customer's own words, the history also of those who were merged into them.
pub(crate) fn card(
    id: CustomerId,
    own: &[ConsentRow],
    history: &[ConsentRow],
    names: &HashMap<String, String>,
    writes: bool,
    typed: &Typed<'_>,
) -> Markup {
    let now: BTreeMap<Channel, &ConsentRow> = in_force(own);
    let by = |row: &ConsentRow| names.get(&row.by_actor).cloned().unwrap_or_default();
    html! {
        (h::card("Marketing", html! {
            ul.ledger { @for channel in Channel::ALL {
                li { (name(channel)) " "
                    @match now.get(&channel) {
                        Some(row) if row.given => { (h::tag("given", Tone::Good)) " " span.text-secondary { (h::date(row.at)) } }
                        Some(row) => { (h::tag("withdrawn", Tone::Bad)) " " span.text-secondary { (h::date(row.at)) } }
                        None => (h::tag("No consent", Tone::Quiet)),
                    }
                }
            } }
            @if !history.is_empty() {
                details.fold {
                    summary { "History" }
                    ul.ledger { @for row in history {
                        li { (name(row.channel)) @if row.given { " given" } @else { " withdrawn" } ": " bdi { (row.source) } " "
                            span.text-secondary { (h::time(row.at)) " " bdi { (by(row)) } } }
                    } }
                }
            }
            @if writes { (form(id, typed)) }
        }))
    }
}

fn form(id: CustomerId, typed: &Typed<'_>) -> Markup {
    let channels = Channel::ALL.map(|c| (c.as_str(), name(c)));
    let words = [("yes", "Gives consent"), ("no", "Withdraws it")];
    let error = typed.error;
    let refused = ["channel", "source"].iter().any(|n| error(n).is_some());
    html! {
        details.fold open[refused] {
            summary { "Give or withdraw" }
            form method="post" action={ "/customers/" (id) "/consent" } {
                (web::once_again(typed.once))
                (h::fields([
                    h::select_field(&Select { label: "Channel", name: "channel", options: &channels, chosen: typed.channel, error: error("channel"), ..Select::default() }),
                    h::select("The customer", "given", &words, typed.given),
                ]))
                (h::field(&Field { label: "How do we know?", name: "source", value: typed.source, error: error("source"), required: true, hint: "As “phone call”: it has to be proven when somebody asks.", ..Field::default() }))
                button.btn.btn-primary type="submit" { "Keep" }
            }
        }
    }
}
