//! What forms of this folder have in common: fields for passwords and codes, which password managers and phones know by their names,
//! and what is shown once.

use super::Role;
use super::password::SHORTEST;
use crate::html;
use maud::{Markup, html};

/// The password that somebody has.
pub(super) fn password(error: Option<&str>) -> Markup {
    input("Password", "password", "current-password", error, "")
}

/// A password that somebody chooses.
pub(super) fn new_password(error: Option<&str>) -> Markup {
    let hint = format!(
        "At least {SHORTEST} characters. A few words that do not belong together are easy to remember."
    );
    input("New password", "new", "new-password", error, &hint)
}

fn input(label: &str, name: &str, kind: &str, error: Option<&str>, hint: &str) -> Markup {
    let (id, said) = (format!("field-{name}"), format!("field-{name}-said"));
    let described = (error.is_some() || !hint.is_empty()).then_some(&said);
    html! {
        div.mb-3 {
            label.form-label.required for=(id) { (label) }
            input.form-control.is-invalid[error.is_some()] id=(id) name=(name) type="password" required autocomplete=(kind)
                aria-describedby=[described] aria-invalid=[error.map(|_| "true")];
            @if let Some(error) = error { div.invalid-feedback id=(said) { (error) } }
            @else if !hint.is_empty() { small.form-hint id=(said) { (hint) } }
        }
    }
}

/// A code of the second factor.
pub(super) fn code(label: &str, error: Option<&str>, hint: &str) -> Markup {
    html! {
        div.mb-3 {
            label.form-label.required for="field-code" { (label) }
            input #field-code.form-control.is-invalid[error.is_some()] name="code" type="text" required autocomplete="one-time-code"
                inputmode="text" autocapitalize="none" spellcheck="false" autofocus aria-describedby="field-code-said" aria-invalid=[error.map(|_| "true")];
            @if let Some(error) = error { div #field-code-said.invalid-feedback { (error) } }
            @else { small #field-code-said.form-hint { (hint) } }
        }
    }
}

/// A choice of role; who may not make owners is not offered it.
pub(super) fn roles(id: &str, chosen: Role, owner_too: bool) -> Markup {
    html! {
        select.form-select name="role" aria-label="Role" id=(id) {
            @for role in Role::ALL.into_iter().filter(|role| owner_too || *role != Role::Owner) {
                option value=(role.as_str()) selected[role == chosen] { (role.title()) }
            }
        }
    }
}

/// Something that is shown this once: a link, a key.
pub(super) fn once(title: &str, value: &str, hint: &str) -> Markup {
    html::note("success", html! { p { strong { (title) } } p { (hint) } p.mb-0 { (html::copy(value)) } })
}

/// A message of what was done or refused, where there is one.
pub(super) fn said(kind: &str, text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { (html::alert(kind, text)) } }
}
