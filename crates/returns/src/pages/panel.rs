//! The returns of an order, as a panel on the order's page. Handlers only show.

use crate::api::ReadReturns;
use crate::read::{self, Filter, ReturnRow, UnitRow};
use axum::extract::State;
use kernel::Permission;
use maud::{Markup, html};
use orders::OrderId;
use web::html::{amount, badge, empty, table, time};
use web::{App, May, Panel, Problem, Segment};

/// Returns shown in the panel.
const SHOWN: i64 = 50;

/// The panel on the order's page.
pub(crate) const PANEL: Panel = Panel {
    page: "order",
    title: "Returns",
    path: |order| format!("/orders/{order}/panels/returns"),
    scope: ReadReturns::SCOPE,
};

pub(super) async fn panel(
    State(app): State<App>,
    _: May<ReadReturns>,
    Segment(order): Segment<OrderId>,
) -> Result<Markup, Problem> {
    let filter = Filter { order: Some(order), ..Filter::default() };
    let returns = read::list(app.db.read(), &filter, None, SHOWN).await?;
    let ids: Vec<_> = returns.iter().map(|r| r.id).collect();
    let units = read::units_of(app.db.read(), &ids).await?;
    if returns.is_empty() {
        return Ok(empty("No returns", "Nothing of this order was asked back."));
    }
    Ok(html! { @for row in &returns { (one(row, &units)) } })
}

fn one(row: &ReturnRow, units: &[UnitRow]) -> Markup {
    let mine = units.iter().filter(|u| u.return_id == row.id).take(100);
    html! {
        div.mb-3 {
            p.mb-1 {
                strong { a href={ "/returns/" (row.id) } { (row.number) } } " " (badge(row.status.as_str())) " " (badge(row.resolution.as_str()))
                " · " (time(row.requested_at)) " · " (row.units) " units · credit " (amount(row.credited, row.currency))
                @if let Some(reason) = &row.decline_reason { " · " (reason) }
                @if let Some(new) = row.exchange_order_id { " · " a href={ "/orders/" (OrderId(new)) } { "exchange" } }
            }
            (table(&["SKU", "Unit", "Reason", "Received", "Decision", "Goes to", "Credit"], mine.map(|u| unit(u, row))))
        }
    }
}

fn unit(u: &UnitRow, row: &ReturnRow) -> Markup {
    html! {
        tr {
            td { (u.sku) " " span.text-secondary { (u.title) } }
            td { (u.unit + 1) }
            td { (u.reason.as_str().replace('_', " ")) @if let Some(comment) = &u.comment { " — " (comment) } }
            td { (badge(u.reception.as_str())) }
            td { (badge(u.acceptance.as_str())) }
            td { @if let Some(to) = u.disposition { (to.as_str().replace('_', " ")) } }
            td { (amount(u.credit, row.currency)) }
        }
    }
}
