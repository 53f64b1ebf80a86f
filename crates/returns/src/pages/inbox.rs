//! The inbox: returns by how far they are. A scanned return label opens its return.

use super::sentence;
use crate::api::{ReadReturns, WriteReturns};
use crate::model::{ReturnId, Status};
use crate::read::{self, Filter, ReturnRow};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::Timestamp;
use maud::html;
use serde::Deserialize;
use web::html::{self as h, Col, Row, Table};
use web::{App, May, Paging, Params, Problem, Screen};

/// What the query says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    status: String,
    q: String,
    cursor: String,
}

const COLS: [Col<'static>; 8] = [
    Col::text("Return"),
    Col::text("Order"),
    Col::text("Customer"),
    Col::text("Status"),
    Col::text("Wants"),
    Col::number("Units"),
    Col::number("Credit"),
    Col::text("Asked"),
];

/// Where the money stands among them: only for who may see it.
const CREDIT: usize = 6;

/// Shows a page of returns; a number that names one return opens it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadReturns>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let status = match query.status.as_str() {
        "" => None,
        text => Some(text.parse::<Status>().map_err(|e| Problem::invalid("status", format!("{e}.")))?),
    };
    let number = Some(query.q.trim().to_owned()).filter(|q| !q.is_empty());
    let filter = Filter { status, number, ..Filter::default() };
    let paging = Paging::<(Timestamp, ReturnId)>::read(None, Some(&query.cursor))?;
    let rows = read::list(app.db.read(), &filter, paging.after, paging.fetch()).await?;
    if let ([one], Some(_)) = (rows.as_slice(), &filter.number) {
        return Ok(Redirect::to(&format!("/returns/{}", one.id)).into_response());
    }
    let page = paging.page(rows, |r| (r.requested_at, r.id));
    let mut tabs = vec![("All".to_owned(), "/returns".to_owned(), status.is_none())];
    tabs.extend(Status::ALL.iter().map(|s| {
        (sentence(s.as_str()), h::query("/returns", &[("status", s.as_str())]), status == Some(*s))
    }));
    let tabs: Vec<h::Tab<'_>> =
        tabs.iter().map(|(title, href, here)| h::Tab { title, href, here: *here, count: None }).collect();
    let money = super::sees_money(&caller);
    let cols: Vec<Col<'_>> =
        COLS.into_iter().enumerate().filter(|(i, _)| money || *i != CREDIT).map(|(_, c)| c).collect();
    let body = html! {
        (h::filter_bar("/returns", ("q", &query.q, "Return, order"), html! {}, &[]))
        @if page.data.is_empty() {
            (h::empty("No returns here", "Customers ask for returns on the tracking page; support enters them on the page of an order."))
        } @else { (Table::new("Returns", &cols, page.data.iter().map(|r| row(r, money))).show()) }
        (h::pages(&h::query("/returns", &[("status", &query.status), ("q", &query.q)]), page.next_cursor.as_deref(), !query.cursor.is_empty(), page.data.len()))
    };
    Ok(Screen::new(&caller, "Returns")
        .actions(html! { @if caller.may::<WriteReturns>() { (h::link("/returns/new", "New return", "primary", "")) } })
        .above(h::tabs("Status", &tabs))
        .live("queue:returns")
        .show(body)
        .into_response())
}

fn row(r: &ReturnRow, money: bool) -> Row {
    let cells = [
        html! { (r.number) },
        html! { a href={ "/orders/" (r.order_id) } { (r.order_number) } },
        html! { bdi { (r.name) } },
        h::badge(r.status.as_str()),
        html! { (sentence(r.resolution.as_str())) },
        html! { (r.units) @if r.photos > 0 { " " span title={ (r.photos) " photos" } { (h::icon(h::Icon::Camera)) span.visually-hidden { (r.photos) " photos" } } } },
        if r.credited == 0 { h::none() } else { h::amount(r.credited, r.currency) },
        h::time(r.requested_at),
    ];
    Row::new(cells.into_iter().enumerate().filter(|(i, _)| money || *i != CREDIT).map(|(_, cell)| cell))
        .href(format!("/returns/{}", r.id))
        .id(r.id.to_string())
        .quiet(matches!(r.status, Status::Settled | Status::Declined))
}
