//! Components of pages, as functions that give markup. Everything is escaped by maud; nothing here reads the database.

use kernel::{Currency, Money, Timestamp};
use maud::{Markup, html};

/// A table with its heads; `rows` are `tr` elements.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Markup>) -> Markup {
    html! {
        div.table-responsive {
            table.table.table-vcenter.card-table {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

/// A status in its colour; underscores read as spaces.
pub fn badge(status: &str) -> Markup {
    let colour = match status {
        "delivered" | "paid" | "captured" | "fulfilled" | "closed" | "settled" | "won" | "accepted"
        | "succeeded" | "active" => "green",
        "shipped" | "in_transit" | "authorised" | "allocated" | "in_progress" | "label_purchased"
        | "approved" | "received" | "partial" => "blue",
        "on_hold" | "hold" | "backordered" | "requires_action" | "partially_paid" | "partially_refunded"
        | "awaiting" | "pending" | "waiting" | "exception" | "manual_review" | "risk_review"
        | "payment_due" | "partially_captured" => "orange",
        "cancelled" | "failed" | "lost" | "expired" | "disputed" | "rejected" | "declined" | "dead"
        | "conflicted" | "voided" | "out_of_stock" => "red",
        _ => "secondary",
    };
    html! { span class={ "badge bg-" (colour) "-lt" } { (status.replace('_', " ")) } }
}

/// An amount with its currency; negative ones in red.
pub fn money(amount: Money) -> Markup {
    html! { span.money.text-danger[amount.minor < 0] { (amount.amount()) " " (amount.currency) } }
}

/// An amount in minor units of a currency.
pub fn amount(minor: i64, currency: Currency) -> Markup {
    money(Money::new(minor, currency))
}

/// A moment, to the minute in UTC; the browser shows it in the reader's zone.
pub fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (at.minute()) } }
}

/// One thing that happened, for the list of a [`timeline`].
pub fn timeline_item(at: Timestamp, title: &str, by: &str, detail: Markup) -> Markup {
    html! {
        li.timeline-event {
            div.timeline-event-icon aria-hidden="true" {}
            div.card.timeline-event-card {
                div.card-body {
                    div.text-secondary.float-end { (time(at)) }
                    h3.h4.mb-1 { (title) }
                    div { (detail) }
                    @if !by.is_empty() { div.text-secondary.small { (by) } }
                }
            }
        }
    }
}

/// What happened, as a list of [`timeline_item`]s.
pub fn timeline(items: impl IntoIterator<Item = Markup>) -> Markup {
    html! { ul.timeline.timeline-simple { @for item in items { (item) } } }
}

/// A field of a form.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// As people read it.
    pub label: &'a str,
    /// As the form sends it.
    pub name: &'a str,
    /// The type of the input: `text`, `email`, `number`, `password`, `date`, or `textarea`.
    pub kind: &'a str,
    /// What it holds.
    pub value: &'a str,
    /// What helps to fill it in.
    pub hint: &'a str,
    /// What is wrong with it.
    pub error: Option<&'a str>,
    /// Whether it must be filled in.
    pub required: bool,
}
impl Default for Field<'_> {
    fn default() -> Self {
        Self { label: "", name: "", kind: "text", value: "", hint: "", error: None, required: false }
    }
}

/// A field with its label, hint and error.
pub fn field(f: &Field<'_>) -> Markup {
    let id = id_of(f.name);
    let error_id = f.error.map(|_| format!("{id}-error"));
    let remembered = (f.kind == "password").then_some("current-password");
    html! {
        div.mb-3 {
            label.form-label.required[f.required] for=(id) { (f.label) }
            @if f.kind == "textarea" {
                textarea.form-control.is-invalid[f.error.is_some()] id=(id) name=(f.name) rows="3" required[f.required] aria-describedby=[&error_id] { (f.value) }
            } @else {
                input.form-control.is-invalid[f.error.is_some()] id=(id) name=(f.name) type=(f.kind) value=(f.value) required[f.required]
                    step=[(f.kind == "number").then_some("any")] autocomplete=[remembered] aria-describedby=[&error_id];
            }
            @if let Some(error) = f.error { div.invalid-feedback id=[&error_id] { (error) } }
            @if !f.hint.is_empty() { small.form-hint { (f.hint) } }
        }
    }
}

/// A choice of `(value, label)`s.
pub fn select(label: &str, name: &str, options: &[(&str, &str)], chosen: &str) -> Markup {
    let id = id_of(name);
    html! {
        div.mb-3 {
            label.form-label for=(id) { (label) }
            select.form-select id=(id) name=(name) {
                @for (value, label) in options { option value=(value) selected[*value == chosen] { (label) } }
            }
        }
    }
}

fn id_of(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("field-{plain}")
}

/// The filters above a list: `fields` are inputs and selects; sent as the query of `action`.
pub fn filters(action: &str, fields: Markup) -> Markup {
    html! {
        form.filters.card.card-body.mb-3 method="get" action=(action) role="search" {
            (fields)
            div.mb-3.filter-buttons {
                button.btn.btn-primary type="submit" { "Filter" }
                a.btn.btn-link href=(action) { "Clear" }
            }
        }
    }
}

/// The link to the next page of a list; nothing on the last. `here` is the present address without `cursor`.
pub fn next_link(here: &str, cursor: Option<&str>) -> Markup {
    let joint = if here.contains('?') { '&' } else { '?' };
    html! {
        @if let Some(cursor) = cursor {
            nav.mt-3.text-center aria-label="Pages" { a.btn rel="next" href={ (here) (joint) "cursor=" (cursor) } { "Next page" } }
        }
    }
}

/// What a list shows when there is nothing in it, with the way on.
pub fn empty(title: &str, hint: &str) -> Markup {
    html! { div.empty { p.empty-title { (title) } p.empty-subtitle.text-secondary { (hint) } } }
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
    html! { div class={ "alert alert-" (kind) } role="alert" { (text) } }
}

/// A titled block of a page.
pub fn card(title: &str, body: Markup) -> Markup {
    html! {
        section.card.mb-3 {
            @if !title.is_empty() { div.card-header { h2.card-title { (title) } } }
            div.card-body { (body) }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let shown = field(&Field {
            label: "<b>",
            name: "lines[0][sku]",
            value: "\"><script>",
            error: Some("<i>"),
            ..Default::default()
        })
        .into_string();
        assert!(!shown.contains("<script>") && !shown.contains("<b>") && !shown.contains("<i>"), "{shown}");
        assert!(
            shown.contains(r#"for="field-lines-0--sku-""#)
                && shown.contains(r#"aria-describedby="field-lines-0--sku--error""#),
            "{shown}"
        );
    }

    #[test]
    fn amounts_and_moments_read_as_people_write_them() {
        let eur: Currency = "EUR".parse().unwrap();
        assert_eq!(amount(-1234, eur).into_string(), r#"<span class="money text-danger">-12.34 EUR</span>"#);
        assert!(time(Timestamp(0)).into_string().contains(r#"datetime="1970-01-01T00:00:00Z""#));
        assert!(next_link("/orders?q=a", Some("xyz")).into_string().contains("/orders?q=a&amp;cursor=xyz"));
        assert_eq!(next_link("/orders", None).into_string(), "");
    }
}
