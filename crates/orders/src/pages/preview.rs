//! What an order that is being typed comes to: prices, stock by location, tax and total, computed here and never in the browser.

use super::common::{Fields, given, some};
use super::entry::{self, Amounts};
use super::forms::country_of;
use crate::api::WriteOrders;
use crate::place::WantedLine;
use crate::place::estimate::{Draft, Estimate, EstimatedLine, Wish, estimate};
use axum::extract::State;
use kernel::{Currency, Money};
use maud::{Markup, html};
use web::html::{self as h, Sum};
use web::{App, Form, May, Problem};

/// The preview.
pub(super) async fn show(
    State(app): State<App>,
    _: May<WriteOrders>,
    Form(fields): Form<Fields>,
) -> Result<Markup, Problem> {
    let read = match entry::amounts(&fields) {
        Ok(read) => read,
        Err(problem) => return Ok(h::card("What it comes to", trouble(&problem))),
    };
    if read.lines.is_empty() {
        let hint = "Fill in an item to see prices, stock and tax.";
        return Ok(h::card("What it comes to", html! { p.text-secondary { (hint) } }));
    }
    let (found, discount) = estimated(&app, &fields, &read).await?;
    Ok(html! {
        (h::card("What it comes to", sums(&found, &read, discount, !given(&fields, "tax_inclusive").is_empty())))
        (h::card("Stock", html! { @for (line, wish) in found.lines.iter().zip(&read.lines) { (stock(line, wish, read.currency)) } }))
    })
}

/// Prices it; a percentage needs the goods first, so these are priced before.
pub(super) async fn estimated(
    app: &App,
    fields: &Fields,
    read: &Amounts,
) -> Result<(Estimate, i64), Problem> {
    let (country, region) = (country_of(fields), some(given(fields, "region")));
    let wishes: Vec<Wish> = read
        .lines
        .iter()
        .map(|l| Wish { sku: l.sku.clone(), quantity: l.quantity, unit_price: l.unit_price })
        .collect();
    let draft = |discount| Draft {
        lines: &wishes,
        currency: read.currency,
        inclusive: !given(fields, "tax_inclusive").is_empty(),
        country: &country,
        region: region.as_deref(),
        discount,
        shipping: read.shipping,
    };
    let sql = app.db.read();
    let plain = estimate(sql, &draft(0)).await?;
    let discount = entry::discount(fields, read.discount, plain.sum(|m| m.gross));
    let found = if discount == 0 { plain } else { estimate(sql, &draft(discount)).await? };
    Ok((found, discount))
}

fn trouble(problem: &Problem) -> Markup {
    html! { @for error in problem.errors() { (h::alert("warning", &error.detail)) } }
}

fn sums(found: &Estimate, read: &Amounts, discount: i64, inclusive: bool) -> Markup {
    let a = |minor| Money::new(minor, read.currency);
    let total = found.sum(crate::place::estimate::total);
    let tax = found.sum(|m| m.tax + m.shipping_tax);
    let mut sums = vec![Sum::Part("Items", a(found.sum(|m| m.gross)))];
    if discount > 0 {
        sums.push(Sum::Part("Discount", a(-discount)));
    }
    if read.shipping > 0 {
        sums.push(Sum::Part("Shipping", a(read.shipping)));
    }
    if !inclusive {
        sums.push(Sum::Part("Tax", a(tax)));
    }
    sums.push(Sum::Due("Total", a(total)));
    html! {
        @if let Some(trouble) = &found.trouble { (h::alert("danger", trouble)) }
        (h::breakdown(&sums))
        @if inclusive && tax > 0 { p.text-secondary { "Of it " (h::money(a(tax))) " are tax." } }
        @if !found.complete { p.text-secondary { "Not complete yet: see the items below." } }
    }
}

fn stock(line: &EstimatedLine, wish: &WantedLine, currency: Currency) -> Markup {
    let free: i64 = line.free.iter().map(|(_, n)| n).sum();
    let stocked = line.sku.as_ref().is_some_and(|s| !s.takes().is_empty());
    html! {
        div.stock-line {
            p { strong { (wish.quantity) " × " (wish.sku) } @if let Some(sku) = &line.sku { " " bdi { (sku.title) } } @if let Some(price) = line.unit_price { " · " (h::amount(price, currency)) } }
            @if let Some(trouble) = &line.trouble { (h::alert("danger", trouble)) }
            @if line.sku.is_some() && !stocked { p.text-secondary { "A service: nothing is shipped." } }
            @else if line.sku.is_some() {
                p {
                    @if free >= wish.quantity { (h::tag("In stock", h::Tone::Good)) " leaves as soon as it is paid: " }
                    @else if free > 0 { (h::tag(&format!("Only {free} there"), h::Tone::Warn)) " " }
                    @else { (h::tag("Not there", h::Tone::Bad)) " " }
                    @for (i, (place, n)) in line.free.iter().enumerate() { @if i > 0 { ", " } (n) " at " bdi { (place) } }
                    @if line.incoming > 0 { " · " (line.incoming) " expected" }
                }
            }
        }
    }
}
