//! One entry of the journal: its rows, the event it follows from, and the order.

use super::{account_link, numbers, order_link};
use crate::api::ReadBooks;
use crate::read::{EntryId, entry_by_id};
use axum::extract::State;
use db::{FromRow, Sql};
use kernel::Fault;
use kernel::fact::EventId;
use maud::{Markup, html};
use web::html::{self as h, Col, Row, Table};
use web::{App, May, Problem, Screen, Segment};

kernel::id!(SkuRef, "sku", "A SKU, which the catalogue keeps.");

#[derive(FromRow)]
struct Cause {
    kind: String,
    actor: String,
    subject: String,
}

/// What the event is about, by the name that people know.
async fn about(sql: &Sql, cause: &Cause, number: Option<&String>) -> Result<Markup, Fault> {
    let subject = cause.subject.as_str();
    if let Ok(id) = subject.parse::<SkuRef>() {
        let code: Option<String> = sql.scalar("SELECT code FROM sku WHERE id = $1", [id.0.into()]).await?;
        if let Some(code) = code {
            // As a value of a query it is encoded whole, slashes too.
            let encoded = h::query("", &[("c", &code)]);
            return Ok(
                html! { a href={ "/stock/skus/" (encoded.trim_start_matches("?c=")) } { bdi { (code) } } },
            );
        }
    }
    let number = number.filter(|_| subject.starts_with("ord_")).map(String::as_str);
    Ok(web::auth::subject_link(subject, number))
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
    let actor: Vec<&str> = cause.iter().map(|c| c.actor.as_str()).collect();
    let names = web::auth::names(sql, &actor).await?;
    let about = match &cause {
        Some(cause) => about(sql, cause, entry.order.and_then(|raw| orders.get(&raw))).await?,
        None => html! {},
    };
    let rows = entry.postings.iter().map(|p| {
        Row::new([account_link(&p.debit, &[]), account_link(&p.credit, &[]), h::amount(p.amount, p.currency)])
    });
    let event = entry.event.map(EventId);
    let body = html! {
        (h::card("Entry", h::facts([
            ("When it counts", h::time(entry.at)),
            ("Order", html! { @if entry.order.is_some() { (order_link(&orders, entry.order)) } @else { "–" } }),
            ("Follows from", html! {
                @match (&cause, event) {
                    (Some(cause), Some(event)) => {
                        @let what = h::words(&cause.kind);
                        @if caller.scopes.allow("events:read") { a href={ "/developers/events/" (event) } { (what) } }
                        @else { (what) }
                        ": " (about)
                    }
                    _ => "Nothing that is known",
                }
            }),
            ("By", html! { @match &cause { Some(cause) => (web::auth::actor_name(&names, &cause.actor)), None => "–" } }),
            ("Id", h::copy(&entry.id.to_string())),
        ])))
        (h::card("Rows", html! {
            p.text-secondary { "Each row moves its amount from the account that is credited to the one that is debited." }
            (Table::new("Rows of the entry", &ROWS, rows).show())
        }))
    };
    Ok(Screen::new(&caller, entry.text.clone()).crumb("Journal", "/books/journal").show(body))
}
