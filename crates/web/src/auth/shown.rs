//! How the event log reads to people: who acted by name, what it is about as a link. Invariant: what nobody knows stays as the log keeps it.

use crate::html::words;
use maud::{Markup, html};
use std::collections::HashMap;

/// By the beginning of an id: what it is, and where its page is; nothing where there is none.
const KINDS: &[(&str, &str, &str)] = &[
    ("ord", "Order", "/orders/"),
    ("cus", "Customer", "/customers/"),
    ("pay", "Payment", "/payments/"),
    ("rma", "Return", "/returns/"),
    ("shp", "Shipment", "/shipments/"),
    ("par", "Parcel", "/parcels/"),
    ("pur", "Purchase order", "/purchasing/"),
    ("cnt", "Count sheet", "/stock/counts/"),
    ("jrn", "Journal entry", "/books/entries/"),
    ("wep", "Webhook", "/developers/webhooks/"),
    ("ref", "Refund", ""),
    ("ful", "Fulfilment", ""),
    ("loc", "Location", ""),
    ("sku", "SKU", ""),
    ("sup", "Supplier", ""),
    ("usr", "Person", ""),
    ("key", "API key", ""),
    ("inv", "Invitation", ""),
];

/// Who acted, as colleagues know them; `names` are those of [`super::names`].
pub fn actor_name(names: &HashMap<String, String>, actor: &str) -> String {
    match (names.get(actor), actor.split_once(':')) {
        (Some(name), _) => name.clone(),
        (None, Some(("key", _))) => "An API key".to_owned(),
        (None, Some(("user", _))) => "Somebody unknown".to_owned(),
        (None, Some((kind, part))) => format!("{} ({part})", words(kind)),
        (None, None) => words(actor),
    }
}

/// What an event is about: a link to its page where it has one, by its name where that is known.
pub fn subject_link(subject: &str, name: Option<&str>) -> Markup {
    let kind = subject.split_once('_').and_then(|(prefix, _)| KINDS.iter().find(|(p, ..)| *p == prefix));
    let Some((_, what, path)) = kind else { return html! { code.text-break { (subject) } } };
    let shown = html! { (what) " " @match name { Some(name) => bdi { (name) }, None => code { (subject) } } };
    html! { @if path.is_empty() { (shown) } @else { a href={ (path) (subject) } { (shown) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_and_subjects_read_as_people_know_them() {
        let names = HashMap::from([("user:usr_1".to_owned(), "Ada".to_owned())]);
        for (actor, shown) in [
            ("user:usr_1", "Ada"),
            ("user:usr_2", "Somebody unknown"),
            ("key:key_1", "An API key"),
            ("system:cli", "System (cli)"),
            ("nobody", "Nobody"),
        ] {
            assert_eq!(actor_name(&names, actor), shown);
        }
        let shown = |subject: &str, name| subject_link(subject, name).into_string();
        assert_eq!(shown("ord_1", Some("1001")), r#"<a href="/orders/ord_1">Order <bdi>1001</bdi></a>"#);
        assert_eq!(shown("ord_1", None), r#"<a href="/orders/ord_1">Order <code>ord_1</code></a>"#);
        assert_eq!(shown("usr_1", Some("Ada")), "Person <bdi>Ada</bdi>");
        assert_eq!(shown("/audit", None), r#"<code class="text-break">/audit</code>"#);
    }
}
