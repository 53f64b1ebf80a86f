//! Inputs that choose: selects, check boxes, radio cards, and a box that looks up while one types.

use super::form::{Frame, framed, id_of};
use super::{Icon, icon};
use maud::{Markup, html};

/// A select with label, hint and error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Select<'a> {
    /// As people read it.
    pub label: &'a str,
    /// As the form sends it.
    pub name: &'a str,
    /// Value and label of each choice.
    pub options: &'a [(&'a str, &'a str)],
    /// The value that is chosen.
    pub chosen: &'a str,
    /// What helps to choose.
    pub hint: &'a str,
    /// What is wrong with it.
    pub error: Option<&'a str>,
}

/// A choice of `(value, label)`s.
pub fn select(label: &str, name: &str, options: &[(&str, &str)], chosen: &str) -> Markup {
    select_field(&Select { label, name, options, chosen, ..Select::default() })
}

/// A choice with hint and error.
pub fn select_field(s: &Select<'_>) -> Markup {
    select_with(s, false)
}

/// A choice that has to be made: its first option has no value and says what to choose.
pub fn select_required(s: &Select<'_>) -> Markup {
    select_with(s, true)
}

fn select_with(s: &Select<'_>, required: bool) -> Markup {
    let id = id_of(s.name);
    framed(&Frame { id: &id, label: s.label, hint: s.hint, error: s.error, required }, |about| {
        html! {
            select.form-select.is-invalid[s.error.is_some()] id=(id) name=(s.name) required[required] aria-describedby=[about] aria-invalid=[s.error.map(|_| "true")] {
                @for (value, label) in s.options { option value=(value) selected[*value == s.chosen] { (label) } }
            }
        }
    })
}

/// A box to tick: sends `value` when it is ticked and nothing when not.
pub fn checkbox(label: &str, name: &str, value: &str, checked: bool, hint: &str) -> Markup {
    tick(label, name, value, checked, hint, "form-check")
}

/// The same as a switch, for what is on or off rather than chosen.
pub fn switch(label: &str, name: &str, value: &str, checked: bool, hint: &str) -> Markup {
    tick(label, name, value, checked, hint, "form-check form-switch")
}

fn tick(label: &str, name: &str, value: &str, checked: bool, hint: &str, class: &str) -> Markup {
    let about = (!hint.is_empty()).then(|| format!("{}-{}-hint", id_of(name), id_of(value)));
    html! {
        label class=(class) {
            input.form-check-input type="checkbox" name=(name) value=(value) checked[checked] aria-describedby=[&about];
            span.form-check-label { (label) }
            @if about.is_some() { span.form-check-description id=[&about] { (hint) } }
        }
    }
}

/// One of the [`radio_cards`].
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    /// As the form sends it.
    pub value: &'a str,
    /// What one chooses.
    pub title: &'a str,
    /// What it means.
    pub hint: &'a str,
    /// Its picture.
    pub icon: Icon,
}

/// A choice of one among few that need a sentence each.
pub fn radio_cards(legend: &str, name: &str, cards: &[Card<'_>], chosen: &str) -> Markup {
    html! {
        fieldset.radio-cards.mb-3 {
            legend.form-label { (legend) }
            @for card in cards {
                label.radio-card {
                    input.form-check-input type="radio" name=(name) value=(card.value) checked[card.value == chosen];
                    (icon(card.icon))
                    span { strong { (card.title) } span.form-hint { (card.hint) } }
                }
            }
        }
    }
}

/// A box that looks up while one types. `source` answers `GET ?q=…` with [`options`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Combobox<'a> {
    /// As people read it.
    pub label: &'a str,
    /// The hidden field that is sent: the value of what was chosen.
    pub name: &'a str,
    /// What it holds now.
    pub value: &'a str,
    /// What the box shows for that.
    pub shown: &'a str,
    /// Where choices come from.
    pub source: &'a str,
    /// What helps to fill it in.
    pub hint: &'a str,
    /// What is wrong with it.
    pub error: Option<&'a str>,
    /// Whether what was typed is sent when nothing was chosen, as a scanned code.
    pub free: bool,
    /// Whether it must be filled in.
    pub required: bool,
    /// Whether the page opens with the cursor in it.
    pub focus: bool,
}

/// Text box, hidden value and list; arrows and escape work as everywhere. Enter takes what was marked, the option that is exactly what was
/// typed or scanned, or the only one there is, and goes on to the next line or field; it sends nothing while several are meant.
pub fn combobox(c: &Combobox<'_>) -> Markup {
    let id = id_of(c.name);
    let list = format!("{id}-list");
    let frame = Frame { id: &id, label: c.label, hint: c.hint, error: c.error, required: c.required };
    framed(&frame, |about| {
        html! {
            div.combobox data-combobox data-free[c.free] {
                input.form-control.is-invalid[c.error.is_some()] id=(id) type="text" role="combobox" autocomplete="off" dir="auto"
                    value=(c.shown) required[c.required] name=[c.free.then(|| typed(c.name))]
                    aria-expanded="false" aria-autocomplete="list" aria-controls=(list) aria-describedby=[about]
                    aria-invalid=[c.error.map(|_| "true")] autofocus[c.focus] data-source=(c.source);
                input type="hidden" name=(c.name) value=(c.value);
                ul.combobox-list id=(list) role="listbox" aria-label=(c.label) hidden {}
            }
        }
    })
}

/// The name of the box itself, beside that of the hidden field: `sku_typed`, `lines[0][sku_typed]`.
fn typed(name: &str) -> String {
    match name.strip_suffix(']') {
        Some(inner) => format!("{inner}_typed]"),
        None => format!("{name}_typed"),
    }
}

/// What a [`combobox`] offers: value, title and a second line. Choosing fires `change` and `chosen` on the hidden field.
pub fn options<'a>(found: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Markup {
    options_with(found, None)
}

/// The same, where the option with the value `exact` is the very thing that was typed or scanned: enter takes it, whatever else begins so.
pub fn options_with<'a>(
    found: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    exact: Option<&str>,
) -> Markup {
    let items: Vec<Markup> = found
        .into_iter()
        .map(|(value, title, detail)| {
            html! {
                li role="option" data-value=(value) data-shown=(title) data-exact[exact == Some(value)] aria-selected="false" {
                    bdi { (title) } " " span.text-secondary { (detail) }
                }
            }
        })
        .collect();
    html! {
        @for item in &items { (item) }
        @if items.is_empty() { li.combobox-none role="option" aria-disabled="true" aria-selected="false" { (icon(Icon::Search)) " Nothing found" } }
    }
}
