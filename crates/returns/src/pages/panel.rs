//! The returns of an order, as a panel on the order's page. Handlers only show.

use super::words;
use crate::api::ReadReturns;
use crate::read::{self, Filter, ReturnRow, UnitRow};
use axum::extract::State;
use kernel::Permission;
use maud::{Markup, html};
use orders::OrderId;
use web::html::{Col, Row, Table, amount, badge, count, empty, none, time};
use web::{App, May, Panel, Problem, Segment};

/// Returns shown in the panel.
const SHOWN: i64 = 50;

/// The panel on the order's page.
pub(crate) const PANEL: Panel = Panel {
    page: "order",
    title: "Returns",
    path: |order| format!("/orders/{order}/panels/returns"),
    scope: ReadReturns::SCOPE,
    folded: false,
};

pub(super) async fn panel(
    State(app): State<App>,
    caller: May<ReadReturns>,
    Segment(order): Segment<OrderId>,
) -> Result<Markup, Problem> {
    let filter = Filter { order: Some(order), ..Filter::default() };
    let returns = read::list(app.db.read(), &filter, None, SHOWN).await?;
    let ids: Vec<_> = returns.iter().map(|r| r.id).collect();
    let units = read::units_of(app.db.read(), &ids).await?;
    if returns.is_empty() {
        return Ok(empty("No returns", "Nothing of this order was asked back."));
    }
    let money = super::sees_money(&caller);
    Ok(html! { @for row in &returns { (one(row, &units, money)) } })
}

/// One with its units; what it gives only for who may see money.
fn one(row: &ReturnRow, units: &[UnitRow], money: bool) -> Markup {
    let cols = if money { &COLS[..] } else { &COLS[..COLS.len() - 1] };
    let mine = units.iter().filter(|u| u.return_id == row.id).take(100);
    html! {
        div.mb-3 {
            p.mb-1 {
                strong { a href={ "/returns/" (row.id) } { (row.number) } } " " (badge(row.status.as_str())) " " (badge(row.resolution.as_str()))
                " · " (time(row.requested_at)) " · " (count(row.units, "unit"))
                @if money && row.credited != 0 { " · credit " (amount(row.credited, row.currency)) }
                @if let Some(reason) = &row.decline_reason { " · " (reason) }
                @if let Some(new) = row.exchange_order_id { " · " a href={ "/orders/" (OrderId(new)) } { "Exchange order" } }
            }
            (Table::new(&format!("Units of {}", row.number), cols, mine.map(|u| unit(u, row, money))).show())
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

fn unit(u: &UnitRow, row: &ReturnRow, money: bool) -> Row {
    let cells = [
        html! { strong { (u.sku) } " " bdi { (u.title) } },
        html! { (words(u.reason.as_str())) @if let Some(comment) = &u.comment { div.text-secondary { bdi { (comment) } } } },
        badge(u.reception.as_str()),
        html! { (badge(u.acceptance.as_str())) @if let Some(to) = u.disposition { " " (badge(to.as_str())) } },
    ];
    let credit = || if u.credit == 0 { none() } else { amount(u.credit, row.currency) };
    Row::new(cells.into_iter().chain(money.then(credit)))
}
