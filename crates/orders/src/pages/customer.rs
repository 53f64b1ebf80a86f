//! The orders of a customer, as a panel on the customer's page.

use super::detail::history;
use crate::api::ReadOrders;
use crate::read::{self, Filter};
use axum::extract::State;
use contact::address::Address;
use customers::CustomerId;
use maud::{Markup, html};
use web::html::{self as h, Col, Row, Table};
use web::{App, May, Problem, Segment};

/// Orders shown in the panel.
const SHOWN: u64 = 25;

/// The panel on the customer's page.
pub(crate) const PANEL: web::Panel = web::Panel {
    page: "customer",
    title: "Orders",
    path: |id| format!("/panels/customers/{id}/orders"),
    scope: "orders:read",
    folded: false,
};

const COLS: &[Col<'static>] = &[
    Col::text("Order"),
    Col::text("Placed"),
    Col::text("Fulfilment").at_end(),
    Col::text("Payment").at_end(),
    Col::number("Units").below(),
    Col::number("Total"),
];

/// The panel.
pub(super) async fn panel(
    State(app): State<App>,
    _: May<ReadOrders>,
    Segment(id): Segment<CustomerId>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let id = customers::survivor(sql, id).await?;
    let filter = Filter { customer: Some(id), ..Filter::default() };
    let orders = read::list(sql, &filter, None, SHOWN).await?;
    if orders.is_empty() {
        return Ok(h::empty("No orders", "Nothing was ordered yet."));
    }
    let past = read::history(sql, id).await?;
    let addresses = read::addresses(sql, id).await?;
    let rows = orders.iter().map(|o| {
        Row::new([
            html! { (o.number) @if o.holds > 0 { " " (h::badge("on_hold")) } },
            h::time(o.placed_at),
            h::badge(&o.fulfilment_status),
            h::badge(&o.payment_status),
            html! { span.text-nowrap { (o.units) @if o.units_returned > 0 { span.text-secondary { " · " (o.units_returned) " back" } } } },
            html! {
                (h::amount(o.total, o.currency))
                @if o.refunded > 0 { div.text-secondary.text-nowrap { "−" (h::amount(o.refunded, o.currency)) " back" } }
            },
        ])
        .href(format!("/orders/{}", o.id))
        .quiet(o.fulfilment_status == "cancelled")
    });
    let parsed = addresses.iter().filter_map(|a| serde_json::from_str(a).ok()).collect::<Vec<Address>>();
    // Where they are reached stands on the page already.
    let customer = customers::read::by_id(sql, &[id]).await?.remove(&id);
    let own = customer.and_then(|c| c.address);
    let parsed: Vec<&Address> = parsed.iter().filter(|a| own.as_ref() != Some(*a)).collect();
    Ok(html! {
        (history(&past))
        (Table::new("Orders of the customer", COLS, rows).brief().show())
        @if !parsed.is_empty() {
            h3.card-title { "Other addresses used" }
            div.address-list { @for address in &parsed { p { (super::detail::lines_of_address(address)) } } }
        }
    })
}
