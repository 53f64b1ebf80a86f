//! Fields of forms: label, hint and error belong to the field also for those who cannot see it.

use kernel::Currency;
use maud::{Markup, html};

/// A field of a form.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// As people read it.
    pub label: &'a str,
    /// As the form sends it.
    pub name: &'a str,
    /// The type of the input: `text`, `email`, `number`, `password`, `date`, `search`, `tel`, or `textarea`.
    pub kind: &'a str,
    /// What it holds.
    pub value: &'a str,
    /// What helps to fill it in.
    pub hint: &'a str,
    /// What is wrong with it.
    pub error: Option<&'a str>,
    /// Whether it must be filled in.
    pub required: bool,
    /// What browsers may fill in by themselves, as `street-address` or `one-time-code`; empty: the browser decides.
    pub autocomplete: &'a str,
    /// What stands behind the value, as a unit or a currency.
    pub unit: &'a str,
    /// Whether the page opens with the cursor in it.
    pub focus: bool,
    /// The id of the input; empty: made of the name. Set it where a page has the name twice.
    pub id: &'a str,
    /// Lines of a `textarea` at first.
    pub rows: u8,
    /// Whether it is code: every letter as wide as the others, and no word is corrected.
    pub code: bool,
}
impl Default for Field<'_> {
    fn default() -> Self {
        Self {
            label: "",
            name: "",
            kind: "text",
            value: "",
            hint: "",
            error: None,
            required: false,
            autocomplete: "",
            unit: "",
            focus: false,
            id: "",
            rows: 3,
            code: false,
        }
    }
}

/// A field with its label, hint and error.
pub fn field(f: &Field<'_>) -> Markup {
    let id = if f.id.is_empty() { id_of(f.name) } else { f.id.to_owned() };
    framed(&Frame { id: &id, label: f.label, hint: f.hint, error: f.error, required: f.required }, |about| {
        html! {
            @if f.unit.is_empty() { (input(f, &id, about)) } @else {
                div.input-group { (input(f, &id, about)) span.input-group-text { (f.unit) } }
            }
        }
    })
}

fn input(f: &Field<'_>, id: &str, about: Option<&str>) -> Markup {
    let wrong = f.error.map(|_| "true");
    let remembered = match (f.autocomplete, f.kind) {
        ("", "password") => Some("current-password"),
        ("", "search") => Some("off"),
        ("", _) => None,
        (given, _) => Some(given),
    };
    html! {
        @if f.kind == "textarea" {
            textarea.form-control.is-invalid[wrong.is_some()].code-input[f.code] id=(id) name=(f.name) rows=(f.rows) dir="auto" required[f.required] spellcheck=[f.code.then_some("false")]
                autofocus[f.focus] aria-describedby=[about] aria-invalid=[wrong] { (f.value) }
        } @else {
            input.form-control.is-invalid[wrong.is_some()] id=(id) name=(f.name) type=(f.kind) value=(f.value) required[f.required]
                dir=[(f.kind == "text").then_some("auto")] step=[(f.kind == "number").then_some("any")]
                autocomplete=[remembered] autofocus[f.focus] aria-describedby=[about] aria-invalid=[wrong];
        }
    }
}

/// What every kind of input has around it.
pub(super) struct Frame<'a> {
    pub id: &'a str,
    pub label: &'a str,
    pub hint: &'a str,
    pub error: Option<&'a str>,
    pub required: bool,
}

/// Label, input, error and hint; the input is told the ids of what describes it.
pub(super) fn framed(f: &Frame<'_>, input: impl FnOnce(Option<&str>) -> Markup) -> Markup {
    let ids: Vec<String> = [("error", f.error.is_some()), ("hint", !f.hint.is_empty())]
        .iter()
        .filter(|(_, there)| *there)
        .map(|(what, _)| format!("{}-{what}", f.id))
        .collect();
    let about = ids.join(" ");
    html! {
        div.field.mb-3 {
            label.form-label.required[f.required] for=(f.id) { (f.label) }
            (input((!about.is_empty()).then_some(about.as_str())))
            @if let Some(error) = f.error { p.field-error id={ (f.id) "-error" } { (error) } }
            @if !f.hint.is_empty() { p.form-hint id={ (f.id) "-hint" } { (f.hint) } }
        }
    }
}

/// An amount in a currency, typed as `12.34` or `12,34` (`kernel::money::parse_typed` reads it); the digits are in line with those above and below.
pub fn money_field(f: &Field<'_>, currency: Currency) -> Markup {
    let code = currency.to_string();
    amount_field(&Field { unit: &code, ..*f })
}

/// The same in a currency that stands elsewhere in the form.
pub fn amount_field(f: &Field<'_>) -> Markup {
    html! { div.money-field { (field(f)) } }
}

/// A file to choose, or many; `accept` are the types that browsers offer first, as `.csv,text/csv`, which prove nothing. Its form needs `enctype="multipart/form-data"`.
pub fn file_field(f: &Field<'_>, accept: &str, many: bool) -> Markup {
    let id = if f.id.is_empty() { id_of(f.name) } else { f.id.to_owned() };
    framed(&Frame { id: &id, label: f.label, hint: f.hint, error: f.error, required: f.required }, |about| {
        html! {
            input.form-control.is-invalid[f.error.is_some()] id=(id) name=(f.name) type="file" accept=(accept) multiple[many] required[f.required]
                aria-describedby=[about] aria-invalid=[f.error.map(|_| "true")];
        }
    })
}

/// Fields side by side where there is room.
pub fn fields(fields: impl IntoIterator<Item = Markup>) -> Markup {
    html! { div.fields { @for field in fields { (field) } } }
}

/// The end of a form: what sends it, and the way back.
pub fn form_buttons(label: &str, cancel: Option<&str>) -> Markup {
    html! {
        div.form-buttons {
            button.btn.btn-primary type="submit" { (label) }
            @if let Some(href) = cancel { a.btn.btn-link href=(href) { "Cancel" } }
        }
    }
}

pub(super) fn id_of(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("field-{plain}")
}
