//! What stands above and below a list: views as tabs, filters, pages.

use super::{Icon, icon};
use maud::{Markup, html};

/// A tab: a saved view of a list, or a part of a thing.
#[derive(Debug, Clone, Default)]
pub struct Tab<'a> {
    /// As people read it.
    pub title: &'a str,
    /// Where it leads.
    pub href: &'a str,
    /// Whether it is shown now.
    pub here: bool,
    /// How many there are in it, where that is worth knowing.
    pub count: Option<u64>,
}

/// Tabs as links, in a line that scrolls on a phone.
pub fn tabs(label: &str, tabs: &[Tab<'_>]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            @for tab in tabs {
                a.tab href=(tab.href) aria-current=[tab.here.then_some("page")] {
                    (tab.title)
                    @if let Some(count) = tab.count { " " span.tab-count { (count) } }
                }
            }
        }
    }
}

/// A filter that is in force, with the address of the list without it.
#[derive(Debug, Clone)]
pub struct Toggle {
    /// What it says, as “Payment: paid”.
    pub label: String,
    /// The list without it.
    pub without: String,
}

/// The bar above a list: a search box that is always there, more filters behind a button, and what is in force as chips.
pub fn filter_bar(action: &str, search: (&str, &str, &str), more: Markup, active: &[Toggle]) -> Markup {
    let (name, value, hint) = search;
    let folded = more.0.is_empty();
    html! {
        form.filter-bar method="get" action=(action) role="search" aria-label="This list" {
            div.filter-line {
                label.search-box {
                    (icon(Icon::Search))
                    span.visually-hidden { (hint) }
                    input.form-control type="search" name=(name) value=(value) placeholder=(hint) autocomplete="off" data-filter;
                }
                button.btn type="submit" { "Search" }
                @if !folded {
                    details.filter-more {
                        summary.btn { (icon(Icon::Filter)) " Filters" @if !active.is_empty() { " " span.tab-count { (active.len()) } } }
                        div.filter-fields { (more) button.btn.btn-primary type="submit" { "Show" } }
                    }
                }
            }
            @if !active.is_empty() {
                ul.chips aria-label="Filters in force" {
                    @for t in active {
                        li { a.chip href=(t.without) { (t.label) " " (icon(Icon::X)) span.visually-hidden { " – remove" } } }
                    }
                    li { a.btn-bare href=(action) { "Clear all" } }
                }
            }
        }
    }
}

/// The filters above a list: `fields` are inputs and selects; sent as the query of `action`.
pub fn filters(action: &str, fields: Markup) -> Markup {
    html! {
        form.filters.card.card-body.mb-3 method="get" action=(action) role="search" aria-label="This list" {
            (fields)
            div.mb-3.filter-buttons {
                button.btn.btn-primary type="submit" { "Show" }
                a.btn.btn-link href=(action) { "Clear" }
            }
        }
    }
}

/// The link to the next page of a list; nothing on the last. `here` is the present address without `cursor`.
pub fn next_link(here: &str, cursor: Option<&str>) -> Markup {
    pages(here, cursor, false, 0)
}

/// The ways on from a page of a list: to its next page, and to its beginning when this is not it. `shown` is how many rows there are.
pub fn pages(here: &str, cursor: Option<&str>, later: bool, shown: usize) -> Markup {
    let joint = if here.contains('?') { '&' } else { '?' };
    html! {
        @if cursor.is_some() || later {
            nav.pages aria-label="Pages" {
                @if later { a.btn href=(here) rel="first" { (icon(Icon::ArrowLeft)) " To the beginning" } }
                @if shown > 0 { span.text-secondary { (shown) " shown" } }
                @if let Some(cursor) = cursor {
                    a.btn rel="next" data-key="]" href={ (here) (joint) "cursor=" (cursor) } { "Next page " (icon(Icon::ArrowRight)) }
                }
            }
        }
    }
}

/// An address with a query of the pairs that have a value, encoded.
pub fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (name, value) in pairs.iter().filter(|(_, v)| !v.is_empty()) {
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(name);
        out.push('=');
        for b in value.bytes() {
            match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(b))
                }
                other => out.push_str(&format!("%{other:02X}")),
            }
        }
    }
    out
}
