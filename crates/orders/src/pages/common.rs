//! What the pages of orders share: the fields of a form as they were typed, and words for the words of the domain.

use maud::{Markup, html};
use std::collections::BTreeMap;
use web::{Problem, html as h};

/// The fields of a form.
pub(super) type Fields = BTreeMap<String, String>;

/// A field, trimmed; empty where it was not sent.
pub(super) fn given<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", |v| v.trim())
}

/// A text that says something.
pub(super) fn some(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// A form that was refused: which, as it was filled in, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub form: &'static str,
    pub values: Fields,
    pub problem: Option<Problem>,
}

impl Typed {
    pub fn get(&self, name: &str) -> &str {
        given(&self.values, name)
    }
    /// The value of a field, or what it shows at first.
    pub fn or<'a>(&'a self, name: &str, first: &'a str) -> &'a str {
        self.values.get(name).map_or(first, String::as_str)
    }
    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<&str> {
        let errors = self.problem.as_ref()?.errors();
        errors.iter().find(|e| e.pointer.trim_start_matches('/') == name).map(|e| e.detail.as_str())
    }
    /// What is wrong with all of it, where no field says so.
    pub fn general(&self) -> Markup {
        let general = self.problem.as_ref().filter(|p| p.errors().is_empty());
        html! { @if let Some(problem) = general { (h::alert("danger", problem.detail())) } }
    }
    /// The hidden key: the same for a form that is shown again.
    pub fn once(&self) -> Markup {
        web::once_again(self.get("once"))
    }
}

/// A hold in plain words.
pub(super) fn hold_words(kind: &str) -> &'static str {
    match kind {
        "risk_review" => "Fraud check",
        "payment_due" => "Waits for payment",
        "address_invalid" => "Address",
        "out_of_stock" => "Waits for stock",
        "customer_request" => "Customer asked to wait",
        "manual" => "Held by us",
        "probable_duplicate" => "Probably a duplicate",
        _ => "Held",
    }
}

/// A word of the domain as people read it: `partially_paid` as `Partially paid`.
pub(super) fn plain(word: &str) -> String {
    let spaced = word.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A name that may be long or read from the right.
pub(super) fn name(text: &str) -> Markup {
    html! { bdi { (text) } }
}
