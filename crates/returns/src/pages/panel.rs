//! The returns of an order, as a panel on the order's page. Handlers only show.

use super::words;
use crate::api::ReadReturns;
use crate::read::{self, Filter, ReturnRow, UnitRow};
use axum::extract::State;
use kernel::Permission;
use maud::{Markup, html};
use orders::OrderId;
use web::html::{Col, Row, Table, amount, badge, empty, time};
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
            (Table::new(&format!("Units of {}", row.number), &COLS, mine.map(|u| unit(u, row))).show())
        }
    }
}

const COLS: [Col<'static>; 5] = [
    Col::text("Item"),
    Col::text("Reason"),
    Col::text("Received"),
    Col::text("Decision"),
    Col::number("Credit"),
];

fn unit(u: &UnitRow, row: &ReturnRow) -> Row {
    Row::new([
        html! { strong { (u.sku) } " " bdi { (u.title) } },
        html! { (words(u.reason.as_str())) @if let Some(comment) = &u.comment { div.text-secondary { bdi { (comment) } } } },
        badge(u.reception.as_str()),
        html! { (badge(u.acceptance.as_str())) @if let Some(to) = u.disposition { " " (badge(to.as_str())) } },
        amount(u.credit, row.currency),
    ])
}
