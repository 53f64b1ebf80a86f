//! What order entry looks up while one types: customers with their addresses, and SKUs by code, name or barcode.

use super::common::{Typed, some};
use crate::api::WriteOrders;
use crate::read;
use axum::extract::State;
use contact::address::{self, Address};
use customers::CustomerId;
use maud::{Markup, html};
use serde::Deserialize;
use web::html::{self as h, Field};
use web::{App, May, Params, Problem};

/// Choices of a list.
const SHOWN: i64 = 8;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Text {
    q: String,
}

/// Customers that the text may stand for.
pub(super) async fn customers(
    State(app): State<App>,
    _: May<WriteOrders>,
    Params(text): Params<Text>,
) -> Result<Markup, Problem> {
    let found = customers::read::suggested(app.db.read(), &text.q, SHOWN).await?;
    let shown: Vec<(String, String, String)> = found
        .into_iter()
        .map(|c| {
            (
                c.id.to_string(),
                c.name,
                [c.email, c.phone].into_iter().flatten().collect::<Vec<_>>().join(" · "),
            )
        })
        .collect();
    Ok(h::options(shown.iter().map(|(id, name, reach)| (id.as_str(), name.as_str(), reach.as_str()))))
}

/// SKUs that the text may stand for.
pub(super) async fn skus(
    State(app): State<App>,
    _: May<WriteOrders>,
    Params(text): Params<Text>,
) -> Result<Markup, Problem> {
    let found = catalog::read::offered(app.db.read(), &text.q, SHOWN).await?;
    let exact = found.iter().find(|s| s.exact).map(|s| s.code.as_str());
    Ok(h::options_with(found.iter().map(|s| (s.code.as_str(), s.code.as_str(), s.title.as_str())), exact))
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Chosen {
    customer: String,
    /// Which of the addresses of the history, from 0.
    address: usize,
}

/// The contact fields of a customer who was chosen, with the addresses of their orders.
pub(super) async fn customer(
    State(app): State<App>,
    _: May<WriteOrders>,
    Params(chosen): Params<Chosen>,
) -> Result<Markup, Problem> {
    let empty = Typed::default();
    let Some(id) = some(&chosen.customer).and_then(|t| t.parse::<CustomerId>().ok()) else {
        return Ok(contact_fields(&empty, &Address::default(), &[]));
    };
    let sql = app.db.read();
    let found = customers::read::by_id(sql, &[id]).await?.remove(&id);
    let customer = found.ok_or_else(|| Problem::not_found(format!("customer {id}")))?;
    let used = read::addresses(sql, customer.id).await?;
    let mut known: Vec<Address> = used.iter().filter_map(|a| serde_json::from_str(a).ok()).collect();
    known.extend(customer.address.clone().filter(|a| !known.contains(a)));
    let address = known
        .get(chosen.address)
        .cloned()
        .unwrap_or_else(|| Address { name: customer.name.clone(), ..Address::default() });
    let values = [
        ("customer", Some(customer.id.to_string())),
        ("email", customer.email.clone()),
        ("phone", customer.phone.clone()),
        ("address", Some(chosen.address.to_string())),
    ];
    let typed = Typed {
        form: "entry",
        values: values.into_iter().filter_map(|(n, v)| Some((n.to_owned(), v?))).collect(),
        problem: None,
    };
    Ok(contact_fields(&typed, &address, &known))
}

/// Who it is and where it goes; `known` are addresses to choose from.
pub(super) fn contact_fields(t: &Typed, address: &Address, known: &[Address]) -> Markup {
    let field = |label: &str, name: &str, kind: &str| {
        h::field(&Field {
            label,
            name,
            kind,
            value: t.get(name),
            error: t.error(name),
            autocomplete: "off",
            ..Field::default()
        })
    };
    html! {
        @if known.len() > 1 {
            @let shown: Vec<(String, String)> = known.iter().enumerate().map(|(i, a)| (i.to_string(), address::lines_and_country(a).join(", "))).collect();
            @let options: Vec<(&str, &str)> = shown.iter().map(|(v, l)| (v.as_str(), l.as_str())).collect();
            div hx-get="/orders/new/customer" hx-trigger="change" hx-target="#contact" hx-swap="innerHTML" hx-include="[name='customer'],[name='address']" {
                (h::select("Addresses of earlier orders", "address", &options, t.get("address")))
            }
        }
        (h::fields([field("E-mail", "email", "email"), field("Phone", "phone", "tel")]))
        (super::entry::ship_to(t, address))
    }
}
