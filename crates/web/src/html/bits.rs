//! Small parts: amounts, moments, people, cards, buttons, messages, empty states.

use crate::asset;
use kernel::{Currency, Money, Timestamp};
use maud::{Markup, html};

include!(concat!(env!("OUT_DIR"), "/icons.rs"));

/// A picture beside words; it says nothing to those who listen.
pub fn icon(icon: Icon) -> Markup {
    html! { svg.icon aria-hidden="true" focusable="false" { use href={ (asset("icons.svg")) "#" (icon.name()) } {} } }
}

/// Digits in groups of three, as `1 234.50`.
pub fn grouped(amount: &str) -> String {
    let (sign, digits) = match amount.strip_prefix('-') {
        Some(rest) => ("−", rest),
        None => ("", amount),
    };
    let whole = digits.split('.').next().unwrap_or(digits).len();
    let mut out = String::from(sign);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && i < whole && (whole - i) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// An amount with its currency; negative ones in red.
pub fn money(amount: Money) -> Markup {
    html! { span.money.negative[amount.minor < 0] { (grouped(&amount.amount().to_string())) " " span.currency { (amount.currency) } } }
}

/// An amount in minor units of a currency.
pub fn amount(minor: i64, currency: Currency) -> Markup {
    money(Money::new(minor, currency))
}

/// A moment, to the minute in UTC; the browser shows it in the reader's zone.
pub fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (at.minute()) } }
}

/// A moment to the second, where things follow one another closely.
pub fn time_exact(at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) data-shows="exact" { (at) } }
}

/// The day of a moment, where nobody asks for the hour; the browser shows it in the reader's zone.
pub fn date(at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) data-shows="date" { (at.day()) } }
}

/// A day as `2026-01-31`, the same wherever the reader is; the browser writes it as the reader does.
pub fn day(day: &str) -> Markup {
    html! { time datetime=(day) data-shows="day" { (day) } }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The name of the month of `2026-01` or `2026-01-31`, and what stands before and after it.
fn month_of(text: &str) -> Option<(&str, &'static str, &str)> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-').unwrap_or((rest, ""));
    let name = *MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some((year, name, day))
}

/// A month as people write it: `2026-11` is “Nov 2026”; other text stays as it is.
pub fn month(text: &str) -> String {
    month_of(text).map_or_else(|| text.to_owned(), |(year, name, _)| format!("{name} {year}"))
}

/// A day of the year for a chart: `2026-10-29` is “29 Oct”; other text stays as it is.
pub fn day_of_year(text: &str) -> String {
    let named = month_of(text).map(|(_, name, day)| format!("{} {name}", day.trim_start_matches('0')));
    named.unwrap_or_else(|| text.to_owned())
}

/// A code of the program as words: `payment.captured` is “Payment captured”.
pub fn words(code: &str) -> String {
    let text = code.replace(['.', '_'], " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The initials of a name in a colour of its own.
pub fn avatar(name: &str) -> Markup {
    let initials: String = name.split_whitespace().filter_map(|w| w.chars().next()).take(2).collect();
    let hue = name.bytes().fold(0_u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b))) % 8;
    html! { span class={ "face face-" (hue) } aria-hidden="true" { (initials.to_uppercase()) } }
}

/// A person: initials and name. `dir=auto` lets a right-to-left name stand as it is written.
pub fn person(name: &str) -> Markup {
    html! { span.person { (avatar(name)) bdi { (name) } } }
}

/// A text with a button that copies it.
pub fn copy(text: &str) -> Markup {
    html! {
        span.copy {
            code { (text) }
            button.btn-bare type="button" data-copy=(text) aria-label={ "Copy " (text) } { (icon(Icon::Copy)) }
        }
    }
}

/// Keys and what they do, as a hint at the foot of a page.
pub fn keys(keys: &[(&str, &str)]) -> Markup {
    html! {
        p.keys.text-secondary {
            @for (key, does) in keys { span { @for k in key.split(' ') { kbd { (k) } " " } (does) } " " }
        }
    }
}

/// How much of something is done, with words for it.
pub fn progress(done: u64, total: u64, label: &str) -> Markup {
    html! {
        div.progress-line {
            progress value=(done) max=(total.max(1)) aria-label=(label) {}
            span.text-secondary { (label) ": " (done) " of " (total) }
        }
    }
}

/// What a list shows when there is nothing in it, with the way on.
pub fn empty(title: &str, hint: &str) -> Markup {
    empty_with(Icon::Inbox, title, hint, html! {})
}

/// The same with its own icon and a button or link that does what the hint says.
pub fn empty_with(picture: Icon, title: &str, hint: &str, action: Markup) -> Markup {
    html! {
        div.empty {
            div.empty-picture { (icon(picture)) }
            p.empty-title { (title) }
            p.empty-subtitle.text-secondary { (hint) }
            div.empty-action { (action) }
        }
    }
}

/// Names and values of one thing.
pub fn facts(pairs: impl IntoIterator<Item = (&'static str, Markup)>) -> Markup {
    html! {
        dl.datagrid {
            @for (name, value) in pairs {
                div.datagrid-item { dt.datagrid-title { (name) } dd.datagrid-content { (value) } }
            }
        }
    }
}

/// A message: `success`, `info`, `warning` or `danger`.
pub fn alert(kind: &str, text: &str) -> Markup {
    note(kind, html! { (text) })
}

/// A message with markup, as one that has buttons.
pub fn note(kind: &str, body: Markup) -> Markup {
    let picture = match kind {
        "success" => Icon::CircleCheck,
        "danger" => Icon::CircleX,
        "warning" => Icon::AlertTriangle,
        _ => Icon::InfoCircle,
    };
    let role = if kind == "danger" { "alert" } else { "status" };
    html! { div class={ "note note-" (kind) } role=(role) { (icon(picture)) div.note-body { (body) } } }
}

/// A titled block of a page.
pub fn card(title: &str, body: Markup) -> Markup {
    card_with(title, html! {}, body)
}

/// A titled block with buttons in its head.
pub fn card_with(title: &str, actions: Markup, body: Markup) -> Markup {
    html! {
        section.card.mb-3 {
            @if !title.is_empty() { div.card-header { h2.card-title { (title) } div.card-actions { (actions) } } }
            div.card-body { (body) }
        }
    }
}

/// Two columns on a desk, one below the other on a phone: the thing, and what stands beside it.
pub fn split(main: Markup, side: Markup) -> Markup {
    html! { div.split { div.split-main { (main) } aside.split-side aria-label="Beside it" { (side) } } }
}

/// Two things of the same weight beside one another, one below the other where there is no room.
pub fn halves(left: Markup, right: Markup) -> Markup {
    html! { div.halves { div { (left) } div { (right) } } }
}

/// A button that sends a form of hidden fields to `action`.
pub fn button(action: &str, label: &str, kind: &str, hidden: &[(&str, &str)]) -> Markup {
    html! {
        form.d-inline method="post" action=(action) {
            @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
            button class={ "btn btn-" (kind) } type="submit" { (label) }
        }
    }
}

/// A link that looks like a button; `key` is pressed on the page to follow it, or empty.
pub fn link(href: &str, label: &str, kind: &str, key: &str) -> Markup {
    let key = (!key.is_empty()).then_some(key);
    html! { a class={ "btn btn-" (kind) } href=(href) data-key=[key] aria-keyshortcuts=[key] { (label) } }
}
