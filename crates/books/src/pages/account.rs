//! One account: its postings over a span, and the orders that keep it from being at zero.

use super::span::{self, Asked, Span};
use super::{account_link, downloads, numbers, order_link};
use crate::accounts::{Account, by_code};
use crate::api::ReadBooks;
use crate::read::{JournalFilter, Moved, PostingId, currencies, moved};
use crate::statements;
use axum::extract::State;
use axum::http::StatusCode;
use kernel::{Currency, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;
use web::html::{self as h, Col, Row, Table};
use web::{App, Caller, May, Paging, Params, Problem, Screen, Segment};

fn account(code: &str) -> Result<&'static Account, Problem> {
    by_code(code).ok_or_else(|| Problem::not_found(format!("account {code}")))
}

/// Accounts that every order brings back to zero: what is left on them by order is to be settled.
fn by_order(account: &Account) -> bool {
    use crate::accounts::{CUSTOMERS, EXCHANGES, GATEWAY_CLEARING};
    matches!(account.code, CUSTOMERS | EXCHANGES | GATEWAY_CLEARING)
}

fn screen<'a>(caller: &'a Caller, account: &Account, span: &Span, open: bool) -> Screen<'a> {
    let query = span.query();
    let here = format!("/books/accounts/{}", account.code);
    let items = format!("{here}/open-items");
    let (postings, open_items) =
        (h::query(&here, &span::pairs(&query)), h::query(&items, &span::pairs(&query)));
    let mut tabs = vec![h::Tab { title: "Postings", href: &postings, here: !open, count: None }];
    if open || by_order(account) {
        tabs.push(h::Tab { title: "Open by order", href: &open_items, here: open, count: None });
    }
    Screen::new(caller, format!("{} {}", account.code, account.name))
        .crumb("Trial balance", "/books/trial-balance")
        .subtitle(html! { (h::words(account.kind.as_str())) ", grows by " @if account.kind.grows_by_debit() { "debit" } @else { "credit" } })
        .above(h::tabs("Account", &tabs))
}

/// A page of the postings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    month: String,
    from: String,
    to: String,
    currency: String,
    cursor: String,
}

const POSTINGS: [Col<'static>; 6] = [
    Col::text("When"),
    Col::text("Entry"),
    Col::text("Against"),
    Col::text("Order"),
    Col::number("Debit"),
    Col::number("Credit"),
];

/// What moved on an account.
pub(super) async fn postings(
    State(app): State<App>,
    caller: May<ReadBooks>,
    Segment(code): Segment<String>,
    Params(page): Params<Page>,
) -> Result<(StatusCode, Markup), Problem> {
    let account = account(&code)?;
    let sql = app.db.read();
    let asked = Asked { month: page.month, from: page.from, to: page.to, currency: page.currency };
    let read = if asked.month.is_empty() { Asked::days } else { Asked::month_or_days };
    let span = asked.shown(app.db.now(), read)?;
    let paging = Paging::<(Timestamp, PostingId)>::read(None, Some(&page.cursor))?;
    let filter = JournalFilter {
        from: Some(span.from),
        until: Some(span.until),
        currency: span.currency,
        ..JournalFilter::default()
    };
    let rows = moved(sql, account.code, &filter, paging.after, paging.fetch()).await?;
    let rows = paging.page(rows, |m| (m.at, m.id));
    let orders = numbers(sql, rows.data.iter().filter_map(|m| m.order_id)).await?;
    let query = span.query();
    let pairs = span::pairs(&query);
    let row = |m: &Moved| {
        let debit = m.debit == account.code;
        let other = if debit { &m.credit } else { &m.debit };
        let amount = h::amount(m.amount, m.currency);
        Row::new([
            h::time(m.at),
            html! { a href={ "/books/entries/" (m.entry_id) } { (m.text) } },
            account_link(other, &pairs),
            order_link(&orders, m.order_id),
            if debit {
                amount.clone()
            } else {
                html! {}
            },
            if debit {
                html! {}
            } else {
                amount
            },
        ])
    };
    let here = h::query(&format!("/books/accounts/{code}"), &pairs);
    let known = currencies(sql).await?;
    let sums = statements::trial_balance(sql, span.until).await?.accounts;
    let sums = sums.iter().filter(|a| a.account == account.code && span.shows(a.currency));
    let body = html! {
        (h::filters(&format!("/books/accounts/{code}"), html! { (span::inputs(&span)) (super::currency_select(&known, span.currency)) }))
        p.account-balance { "Balance " @for sum in sums { strong { (h::amount(sum.balance, sum.currency)) } " " } "at the end of " (h::day(&span.days.1)) }
        @if rows.data.is_empty() { (h::empty("Nothing moved", "No entry touches this account in this time.")) }
        @else { (Table::new("Postings", &POSTINGS, rows.data.iter().map(row)).show()) }
        (h::pages(&here, rows.next_cursor.as_deref(), !page.cursor.is_empty(), rows.data.len()))
    };
    let mut export = pairs.clone();
    export.push(("account", account.code));
    let page = screen(&caller, account, &span, false).actions(downloads("journal", &export)).show(body);
    Ok((span.status(), page))
}

/// Which open items.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Items {
    to: String,
    currency: String,
    side: String,
}

/// Open items shown; the sums are of all.
const SHOWN: usize = 500;
const ITEMS: [Col<'static>; 3] = [Col::text("Order"), Col::text("Meaning"), Col::number("Open")];

/// What is left on an account, by order.
pub(super) async fn open_items(
    State(app): State<App>,
    caller: May<ReadBooks>,
    Segment(code): Segment<String>,
    Params(asked): Params<Items>,
) -> Result<Markup, Problem> {
    let account = account(&code)?;
    let sql = app.db.read();
    let ask = Asked { to: asked.to, currency: asked.currency, ..Asked::default() };
    let span = ask.days(app.db.now())?;
    let mut items = statements::open_items(sql, account.code, span.until).await?;
    items.retain(|i| span.shows(i.currency));
    match asked.side.as_str() {
        "owed" => items.retain(|i| i.amount > 0),
        "owing" => items.retain(|i| i.amount < 0),
        _ => {}
    }
    items.sort_by_key(|i| std::cmp::Reverse((i.amount.unsigned_abs(), i.order_id)));
    let many = items.len();
    let mut totals: BTreeMap<Currency, i64> = BTreeMap::new();
    for item in &items {
        *totals.entry(item.currency).or_default() += item.amount;
    }
    let foot = html! { @for (currency, amount) in &totals { div { (h::amount(*amount, *currency)) } } };
    items.truncate(SHOWN);
    let orders = numbers(sql, items.iter().filter_map(|i| i.order_id)).await?;
    let customers = account.code == crate::accounts::CUSTOMERS;
    let rows = items.iter().map(|i| {
        let meaning = match (customers, i.amount > 0) {
            (true, true) => "The customer owes this",
            (true, false) => "Paid for what has not shipped, or to be given back",
            _ if by_order(account) => "Not settled yet",
            _ => "–",
        };
        let journal = i.order_id.map(|raw| format!("/books/journal?order={}", orders::OrderId(raw)));
        let amount = h::amount(i.amount, i.currency);
        Row::new([
            html! { @if i.order_id.is_some() { (order_link(&orders, i.order_id)) } @else { "Of no order" } },
            html! { (meaning) },
            html! { @if let Some(href) = &journal { a href=(href) { (amount) } } @else { (amount) } },
        ])
    });
    let body = html! {
        @if many > SHOWN { (h::alert("info", &format!("The {SHOWN} largest of {many} open items."))) }
        @if items.is_empty() { (h::empty("At zero", "No order leaves anything open on this account at the end of that day.")) }
        @else { (Table::new("Open items by order", &ITEMS, rows).foot([html! { "Total" }, html! {}, foot]).show()) }
    };
    Ok(screen(&caller, account, &span, true).show(body))
}
