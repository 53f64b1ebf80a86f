//! The form of order entry. Invariant: it shows what was typed, and what is wrong with it by its field.

use super::{LOOKED_UP, MOST, PANELS, SENT, count, sku};
use crate::pages::common::Typed;
use crate::pages::forms::address_fields;
use crate::pages::lookup::contact_fields;
use contact::address::Address;
use maud::{Markup, html};
use web::html::{self as h, Combobox, Field};
use web::{Caller, Screen};

const PAYMENTS: &[(&str, &str)] = &[
    ("request", "Payment request by e-mail: the customer pays on a page"),
    ("manual bank_transfer", "Bank transfer"),
    ("sandbox card", "Card (the gateway's token)"),
    ("manual cod", "Cash on delivery"),
    ("store_credit store_credit", "Store credit"),
    ("none", "Decide later: held until it is paid"),
    ("later", "On account: ships before it is paid"),
];

pub(super) fn page(caller: &Caller, t: &Typed) -> Markup {
    let left = html! {
        (h::card("Customer", html! {
            div hx-get="/orders/new/customer" hx-trigger="chosen" hx-target="#contact" hx-swap="innerHTML" hx-include="[name='customer']" {
                (h::combobox(&Combobox { label: "Look up", name: "customer", value: t.get("customer"), shown: t.get(LOOKED_UP), source: "/orders/new/customers",
                    hint: "Name, e-mail or phone of somebody who ordered before; or fill in below.", ..Combobox::default() }))
            }
            div #contact { (contact_fields(t, &Address::default(), &[])) }
            (billing(t))
        }))
        (h::card("Items", items(t)))
        (h::card("Shipping and payment", terms(t)))
    };
    let right = html! {
        div.entry-side {
            div #preview aria-live="polite" hx-post="/orders/new/preview" hx-include="closest form" hx-swap="innerHTML"
                hx-trigger="load, input from:'closest form' delay:300ms, change from:'closest form' delay:300ms" {
                (h::card("What it comes to", html! { p.text-secondary { "Fill in an item to see prices, stock and tax." } }))
            }
            (web::form_panels(caller, PANELS))
            button.btn.btn-primary type="submit" name="do" value="place" data-sends aria-keyshortcuts="Control+Enter" { "Place order" }
        }
    };
    let keeps = if t.form == SENT { "given" } else { "yes" };
    Screen::new(caller, "New order").crumb("Orders", "/orders").subtitle(html! { "For orders by phone and e-mail." }).show(html! {
        (t.general())
        @if t.problem.as_ref().is_some_and(|p| !p.errors().is_empty()) { (h::alert("danger", "Nothing was placed yet: some fields need another look.")) }
        // What is wrong is told by the server, all of it at once.
        form method="post" action="/orders/new" autocomplete="off" novalidate data-long data-keep=(keeps) data-keep-not="token" {
            (t.once())
            // Where no script runs, enter places nothing by accident either: it presses the first button of the form.
            button.visually-hidden type="submit" name="do" value="more" tabindex="-1" aria-hidden="true" { "Add lines" }
            (h::split(left, right))
        }
    })
}

fn billing(t: &Typed) -> Markup {
    let own = Typed {
        form: t.form,
        values: t
            .values
            .iter()
            .filter_map(|(n, v)| Some((n.strip_prefix("bill_")?.to_owned(), v.clone())))
            .collect(),
        problem: None,
    };
    let elsewhere = !t.get("bill_elsewhere").is_empty();
    html! {
        details.fold open[elsewhere] {
            summary { "Bill to another address" }
            (h::checkbox("Use this address for the bill", "bill_elsewhere", "yes", elsewhere, ""))
            div { (prefixed(&own, t)) }
        }
    }
}

/// The fields of the billing address; what is wrong with them stands in the whole form.
fn prefixed(t: &Typed, whole: &Typed) -> Markup {
    let field = |label: &str, name: &str| {
        let full = format!("bill_{name}");
        h::field(&Field {
            label,
            name: &full,
            value: t.get(name),
            error: whole.error(&full),
            autocomplete: "off",
            ..Field::default()
        })
    };
    html! {
        (h::fields([field("Name", "name"), field("Company", "company")]))
        (h::fields([field("Street and number", "line1"), field("Flat, floor, building", "line2")]))
        (h::fields([field("Postal code", "postal_code"), field("City", "city")]))
        (h::fields([field("State or province", "region"), field("Country, by name or code", "country")]))
    }
}

fn items(t: &Typed) -> Markup {
    let lines = count(&t.values);
    let line = |i: &str, _: &str| {
        let (sku_name, quantity, price) = (format!("sku-{i}"), format!("quantity-{i}"), format!("price-{i}"));
        let sku = i.parse().map_or("", |i| sku(&t.values, i));
        html! {
            (h::combobox(&Combobox { label: "SKU, name or barcode", name: &sku_name, value: sku, shown: sku, source: "/orders/new/skus",
                error: t.error(&sku_name), free: true, ..Combobox::default() }))
            (h::field(&Field { label: "Units", name: &quantity, value: t.get(&quantity), error: t.error(&quantity), ..Field::default() }))
            (h::amount_field(&Field { label: "Price", name: &price, value: t.get(&price), error: t.error(&price), ..Field::default() }))
        }
    };
    html! {
        input type="hidden" name="count" value=(lines);
        (h::entry_lines("items", "entry-line", (lines, MOST), line))
        p.text-secondary { "Empty price: catalogue price. Empty units: 1. Enter goes on to the next item, Ctrl+Enter places the order." }
        (h::more_lines("items", "More lines"))
    }
}

fn terms(t: &Typed) -> Markup {
    let field = |label: &str, name: &str, kind: &str, hint: &str| {
        h::field(&Field {
            label,
            name,
            kind,
            value: t.get(name),
            error: t.error(name),
            hint,
            ..Field::default()
        })
    };
    let sum = |label: &str, name: &str, hint: &str| {
        h::amount_field(&Field {
            label,
            name,
            value: t.get(name),
            error: t.error(name),
            hint,
            ..Field::default()
        })
    };
    // What is wrong with it is seen whatever pays.
    let token_is_wrong = t.error("token").is_some();
    let on = |name: &str| !t.get(name).is_empty();
    html! {
        (h::fields([
            field("Currency", "currency", "text", "Three letters, as EUR."),
            sum("Shipping", "shipping", "What the customer pays for it."),
        ]))
        (h::fields([
            sum("Discount", "discount", ""),
            h::select("In", "discount_in", &[("amount", "Amount"), ("percent", "Percent of the items")], t.get("discount_in")),
            field("Reason of the discount", "discount_reason", "text", "Kept with the order's note."),
        ]))
        (h::fields([
            h::select("Payment", "payment", PAYMENTS, t.get("payment")),
            html! { div.only-card[!token_is_wrong] { (field("Card token", "token", "text", "From the gateway's own form; never a card number.")) } },
            field("Promised by", "promised", "date", "The day you name to the customer."),
        ]))
        (h::checkbox("Prices contain tax", "tax_inclusive", "yes", on("tax_inclusive"), ""))
        (h::checkbox("Allow backorder", "backorder", "yes", on("backorder"), "Without it the order is refused when units are missing."))
        (h::checkbox("Express", "express", "yes", on("express"), "Goes before all others in the warehouse."))
        (field("Note for us", "note", "textarea", ""))
        (field("Gift note", "gift_note", "textarea", "Printed on the packing slip."))
    }
}

/// The fields of the address, for the customer who was looked up.
pub(in crate::pages) fn ship_to(t: &Typed, address: &Address) -> Markup {
    address_fields(address, t)
}
