//! The journal of an order, as a panel on the order's page.

use crate::api::ReadBooks;
use crate::read::{JournalFilter, account_name, journal};
use axum::extract::State;
use maud::{Markup, html};
use orders::OrderId;
use web::html::{self as h, Col, Row, Table};
use web::{App, May, Panel, Problem, Segment};

/// Entries shown.
const SHOWN: i64 = 100;

/// The panel on the order's page.
pub(crate) const PANEL: Panel = Panel {
    page: "order",
    title: "Books",
    path: |order| format!("/panels/orders/{order}/journal"),
    scope: "books:read",
    folded: true,
};

/// Its route.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/panels/orders/{id}/journal", axum::routing::get(panel))
}

async fn panel(
    State(app): State<App>,
    _: May<ReadBooks>,
    Segment(order): Segment<OrderId>,
) -> Result<Markup, Problem> {
    let filter = JournalFilter { order: Some(order.0), ..JournalFilter::default() };
    let entries = journal(app.db.read(), &filter, None, SHOWN).await?;
    if entries.is_empty() {
        return Ok(h::empty("No entries", "The books hear of an order when money or goods move."));
    }
    let cols = [Col::text("Entry"), Col::text("Debit"), Col::text("Credit"), Col::number("Amount")];
    let account = |code: &str| html! { (code) " " span.text-secondary { (account_name(code)) } };
    let rows = entries.iter().flat_map(|e| {
        e.postings.iter().enumerate().map(move |(i, p)| {
            let what = html! { @if i == 0 { (h::time(e.at)) br; bdi { (e.text) } } };
            Row::new([what, account(&p.debit), account(&p.credit), h::amount(p.amount, p.currency)])
        })
    });
    Ok(Table::new("Journal of the order", &cols, rows).show())
}
