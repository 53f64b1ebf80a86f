//! One entry of the journal: its rows, the event it follows from, and the order.

use super::{account_link, numbers, order_link};
use crate::api::ReadBooks;
use crate::read::{EntryId, entry_by_id};
use axum::extract::State;
use db::FromRow;
use kernel::fact::EventId;
use maud::{Markup, html};
use web::html::{self as h, Col, Row, Table};
use web::{App, May, Problem, Screen, Segment};

#[derive(FromRow)]
struct Cause {
    kind: String,
    actor: String,
    subject: String,
}

const ROWS: [Col<'static>; 3] = [Col::text("Debit"), Col::text("Credit"), Col::number("Amount")];

/// Shows an entry.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadBooks>,
    Segment(id): Segment<EntryId>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let entry = entry_by_id(sql, id).await?;
    let entry = entry.ok_or_else(|| Problem::not_found(format!("entry {id} of the journal")))?;
    let cause: Option<Cause> = match entry.event {
        Some(event) => {
            sql.one("SELECT kind, actor, subject FROM event WHERE id = $1", [event.into()]).await?
        }
        None => None,
    };
    let orders = numbers(sql, entry.order.into_iter()).await?;
    let rows = entry.postings.iter().map(|p| {
        Row::new([account_link(&p.debit, &[]), account_link(&p.credit, &[]), h::amount(p.amount, p.currency)])
    });
    let event = entry.event.map(EventId);
    let body = html! {
        (h::card("Entry", h::facts([
            ("When it counts", h::time(entry.at)),
            ("Order", html! { @if entry.order.is_some() { (order_link(&orders, entry.order)) } @else { "None" } }),
            ("Follows from", html! {
                @match (&cause, event) {
                    (Some(cause), Some(event)) => {
                        @if caller.scopes.allow("events:read") { a href={ "/developers/events/" (event) } { (cause.kind) } }
                        @else { (cause.kind) }
                        " of " code { (cause.subject) }
                    }
                    _ => "Nothing that is known",
                }
            }),
            ("By", html! { @match &cause { Some(cause) => (cause.actor), None => "–" } }),
            ("Id", h::copy(&entry.id.to_string())),
        ])))
        (h::card("Rows", html! {
            p.text-secondary { "Each row moves its amount from the account that is credited to the one that is debited." }
            (Table::new("Rows of the entry", &ROWS, rows).show())
        }))
    };
    Ok(Screen::new(&caller, entry.text.clone()).crumb("Journal", "/books/journal").show(body))
}
