//! The sheet of keyboard shortcuts that `?` opens.

use super::nav;
use crate::Caller;
use crate::html::dialog;
use maud::{Markup, html};

const ANYWHERE: &[(&str, &str)] = &[
    ("/", "Search everything"),
    ("?", "This sheet"),
    ("Esc", "Close what is open, leave a field"),
    ("n", "New, where a page offers it"),
];
const IN_LISTS: &[(&str, &str)] = &[
    ("j", "Next row"),
    ("k", "Row before"),
    ("x", "Tick the row"),
    ("Enter", "Open the row"),
    ("o", "Open the row"),
    ("]", "Next page"),
    ("f", "Search in this list"),
];

pub(super) fn keys(caller: &Caller) -> Markup {
    let group = |title: &str, keys: &[(String, String)]| {
        html! {
            section {
                h3 { (title) }
                dl.key-list { @for (key, does) in keys { div { dt { @for k in key.split(' ') { kbd { (k) } " " } } dd { (does) } } } }
            }
        }
    };
    let fixed = |keys: &[(&str, &str)]| -> Vec<(String, String)> {
        keys.iter().map(|(k, d)| ((*k).to_owned(), (*d).to_owned())).collect()
    };
    let go: Vec<(String, String)> = nav::entries(caller)
        .iter()
        .map(|e| e.group.looks())
        .map(|(title, _, key)| (format!("g {key}"), format!("Go to {title}")))
        .collect();
    let body = html! {
        div.key-groups { (group("Everywhere", &fixed(ANYWHERE))) (group("In lists", &fixed(IN_LISTS))) (group("Go to", &go)) }
    };
    dialog("keys", "Keyboard shortcuts", body, html! {})
}
