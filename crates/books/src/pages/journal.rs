//! The journal, newest first, by account, days, order, and kind of event.

use super::span::{Asked, Span};
use super::{account_link, adjust_link, currency_select, downloads, numbers, order_link};
use crate::accounts::ACCOUNTS;
use crate::api::{ReadBooks, known};
use crate::hear::KINDS;
use crate::read::{EntryId, JournalEntry, JournalFilter, currencies, journal, order_meant};
use axum::extract::State;
use axum::http::StatusCode;
use kernel::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use web::html::{self as h, Col, Row, Table, Toggle};
use web::{App, May, Paging, Params, Problem, Screen};

/// What the page's query says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    pub month: String,
    pub from: String,
    pub to: String,
    pub currency: String,
    pub account: String,
    pub order: String,
    pub kind: String,
    pub cursor: String,
}

impl Query {
    fn pairs(&self) -> [(&str, &str); 7] {
        [
            ("month", &self.month),
            ("from", &self.from),
            ("to", &self.to),
            ("currency", &self.currency),
            ("account", &self.account),
            ("order", &self.order),
            ("kind", &self.kind),
        ]
    }
    fn asked(&self) -> Asked {
        Asked {
            month: self.month.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            currency: self.currency.clone(),
        }
    }
    fn read(&self) -> fn(&Asked, Timestamp) -> Result<Span, Problem> {
        if self.month.is_empty() { Asked::days } else { Asked::month_or_days }
    }
    /// The filter.
    pub(super) async fn filter(&self, app: &App) -> Result<JournalFilter, Problem> {
        let span = self.read()(&self.asked(), app.db.now())?;
        self.within(app, &span).await
    }
    /// The filter within a span; the order that is named and does not exist finds nothing.
    async fn within(&self, app: &App, span: &Span) -> Result<JournalFilter, Problem> {
        if !self.account.is_empty() {
            known(&self.account)?;
        }
        let order = match self.order.trim() {
            "" => None,
            text => Some(order_meant(app.db.read(), text).await?.unwrap_or(-1)),
        };
        // Corrections may be dated ahead: without days, everything is shown.
        let open = self.month.is_empty() && self.to.is_empty() && span.wrong.is_none();
        Ok(JournalFilter {
            order,
            account: Some(self.account.clone()).filter(|a| !a.is_empty()),
            from: Some(span.from),
            until: (!open).then_some(span.until),
            kind: Some(self.kind.clone()).filter(|k| !k.is_empty()),
            currency: span.currency,
            newest_first: true,
        })
    }
    /// What is in force, with the list without it.
    fn toggles(&self) -> Vec<Toggle> {
        let all = self.pairs();
        all.iter()
            .filter(|(name, value)| !value.is_empty() && *name != "order")
            .map(|(name, value)| {
                let rest: Vec<(&str, &str)> = all.iter().copied().filter(|(n, _)| n != name).collect();
                let label = match *name {
                    "month" => format!("Month: {}", h::month(value)),
                    "account" => format!("Account: {value} {}", crate::read::account_name(value)),
                    "kind" => format!("Event: {}", h::words(value)),
                    other => format!("{}: {value}", h::words(other)),
                };
                Toggle { label, without: h::query("/books/journal", &rest) }
            })
            .collect()
    }
    fn inputs(&self, currencies: Markup, span: &Span) -> Markup {
        let names: Vec<(&str, String)> =
            ACCOUNTS.iter().map(|a| (a.code, format!("{} {}", a.code, a.name))).collect();
        let mut accounts = vec![("", "All accounts")];
        accounts.extend(names.iter().map(|(code, name)| (*code, name.as_str())));
        let mut kinds = vec![("", "All kinds")];
        let words: Vec<String> = KINDS.iter().map(|k| h::words(k)).collect();
        kinds.extend(KINDS.iter().copied().zip(words.iter().map(String::as_str)));
        let date = |label, name, value| {
            h::field(&h::Field {
                label,
                name,
                kind: "date",
                value,
                error: span.error(name),
                ..h::Field::default()
            })
        };
        html! {
            (h::select("Account", "account", &accounts, &self.account))
            (h::select("Event", "kind", &kinds, &self.kind))
            (date("From", "from", self.from.as_str()))
            (date("To", "to", self.to.as_str()))
            (currencies)
        }
    }
}

const COLS: [Col<'static>; 4] =
    [Col::text("Entry"), Col::text("When"), Col::text("Order"), Col::text("Debit, credit, amount")];

/// Shows a page of the journal.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadBooks>,
    Params(query): Params<Query>,
) -> Result<(StatusCode, Markup), Problem> {
    let sql = app.db.read();
    let span = query.asked().shown(app.db.now(), query.read())?;
    let filter = query.within(&app, &span).await?;
    let paging = Paging::<(Timestamp, EntryId)>::read(None, Some(&query.cursor))?;
    let page = paging.page(journal(sql, &filter, paging.after, paging.fetch()).await?, |e| (e.at, e.id));
    let orders = numbers(sql, page.data.iter().filter_map(|e| e.order)).await?;
    let known = currencies(sql).await?;
    let row = |e: &JournalEntry| {
        Row::new([
            html! { (e.text) },
            h::time(e.at),
            order_link(&orders, e.order),
            // One line each, in one cell: an amount stands beside its accounts whatever else is on the line.
            html! { @for p in &e.postings {
                div.posting { (account_link(&p.debit, &[])) (account_link(&p.credit, &[])) (h::amount(p.amount, p.currency)) }
            } },
        ])
        .href(format!("/books/entries/{}", e.id))
    };
    let body = html! {
        (h::filter_bar("/books/journal", ("order", &query.order, "Order number"), query.inputs(currency_select(&known, filter.currency), &span), &query.toggles()))
        @if page.data.is_empty() {
            (h::empty("No entries", "Nothing was posted that fits. Entries follow from what happens: captures, shipments, returns, receipts."))
        } @else { (Table::new("Journal", &COLS, page.data.iter().map(row)).show()) }
        (h::pages(&h::query("/books/journal", &query.pairs()), page.next_cursor.as_deref(), !query.cursor.is_empty(), page.data.len()))
    };
    let page = Screen::new(&caller, "Journal")
        .subtitle(html! { "Every entry follows from an event, newest first." })
        .actions(html! { (downloads("journal", &query.pairs())) (adjust_link(&caller)) })
        .show(body);
    Ok((span.status(), page))
}
