//! Finding things by the names people read.

use fantoccini::Client;
use fantoccini::elements::{Element, ElementRef};
use serde_json::Value;

/// Gives the first visible thing to click, or field to fill in, whose name is the text, else begins with it. An open dialog hides the rest.
pub(super) const SCRIPT: &str = r"
const [what, name] = arguments;
const scope = document.querySelector('dialog[open]') ?? document;
const visible = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
const clean = (t) => (t ?? '').replace(/\s+/g, ' ').trim();
const labelled = (e) => (e.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.innerText).join(' ');
const nameOf = (e) => clean(e.getAttribute('aria-label')) || clean(labelled(e)) || clean([...(e.labels ?? [])].map((l) => l.innerText).join(' '))
  || clean(e.innerText) || clean(e.placeholder) || clean(e.value) || clean(e.title);
const sort = what === 'field' ? 'input:not([type=hidden]), textarea, select' : 'button, a[href], summary, input[type=submit], input[type=checkbox], input[type=radio], [role=option], label';
const all = [...scope.querySelectorAll(sort)].filter(visible);
return all.find((e) => nameOf(e) === name) ?? all.find((e) => nameOf(e).startsWith(name)) ?? all.find((e) => nameOf(e).includes(name)) ?? null;
";

/// The element that a script gave.
pub(super) fn element(client: &Client, value: Value) -> Option<Element> {
    let id = value.as_object()?.values().next()?.as_str()?.to_owned();
    Some(Element::from_element_id(client.clone(), ElementRef::from(id)))
}
