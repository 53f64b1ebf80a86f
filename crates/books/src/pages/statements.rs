//! Profit and loss, balance sheet, trial balance. Each figure is a link to the account over the same span.

use super::span::{self, Asked, Span};
use super::{adjust_link, currency_select, downloads};
use crate::api::ReadBooks;
use crate::read::currencies;
use crate::statements::{self as st, AccountSum, CurrencyTotal, SheetLine};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;
use kernel::{Currency, Money};
use maud::{Markup, html};
use web::html::{self as h, Col, Row, Table};
use web::{App, May, Params, Problem, Screen};

/// The books begin with what was earned.
pub(super) async fn begin(_: May<ReadBooks>) -> Redirect {
    Redirect::to("/books/profit-and-loss")
}

/// A figure that leads to its account.
fn figure(amount: i64, currency: Currency, account: &str, query: &[(&'static str, String)]) -> Markup {
    let code = currency.to_string();
    let mut pairs = span::pairs(query);
    pairs.retain(|(name, _)| *name != "currency");
    pairs.push(("currency", &code));
    html! { a href=(h::query(&format!("/books/accounts/{account}"), &pairs)) { (h::money(Money::new(amount, currency))) } }
}

fn totals(all: &[CurrencyTotal], span: &Span) -> Markup {
    html! {
        @for t in all.iter().filter(|t| span.shows(t.currency)) {
            div { strong { (h::amount(t.amount, t.currency)) } }
        }
    }
}

const SUMS: [Col<'static>; 3] = [Col::text("Account"), Col::text("Code").minor(), Col::number("Amount")];

fn sums(title: &str, accounts: &[AccountSum], sign: i64, span: &Span) -> Markup {
    let query = span.query();
    let shown: Vec<&AccountSum> =
        accounts.iter().filter(|a| span.shows(a.currency) && (a.debit != 0 || a.credit != 0)).collect();
    let rows = shown.iter().map(|a| {
        Row::new([
            html! { (a.name) },
            html! { (a.account) },
            figure(sign * a.balance, a.currency, &a.account, &query),
        ])
    });
    h::card(
        title,
        html! {
            @if shown.is_empty() { (h::empty("Nothing in this time", "Choose another month or other days above.")) }
            @else { (Table::new(title, &SUMS, rows).show()) }
        },
    )
}

/// Income and expenses of a month or of days.
pub(super) async fn profit_and_loss(
    State(app): State<App>,
    caller: May<ReadBooks>,
    Params(asked): Params<Asked>,
) -> Result<(StatusCode, Markup), Problem> {
    let (sql, now) = (app.db.read(), app.db.now());
    let span = asked.shown(now, Asked::month_or_days)?;
    let known = currencies(sql).await?;
    let result = st::profit_and_loss(sql, span.from, span.until).await?;
    let query = span.query();
    let path = "/books/profit-and-loss";
    let body = html! {
        (h::filters(path, html! { (span::inputs(&span)) (currency_select(&known, span.currency)) }))
        (h::card("Result", html! {
            @if result.profit.iter().any(|p| span.shows(p.currency)) { (totals(&result.profit, &span)) }
            @else { p.text-secondary { "Nothing was earned or spent in this time." } }
        }))
        (sums("Income", &result.income, 1, &span))
        (sums("Expenses", &result.expenses, 1, &span))
    };
    let page = Screen::new(&caller, "Profit and loss")
        .subtitle(html! { (span.label()) ". Days and months are those of UTC." })
        .actions(html! { (downloads("profit-and-loss", &span::pairs(&query))) (adjust_link(&caller)) })
        .above(span::months(path, now, &span)?)
        .show(body);
    Ok((span.status(), page))
}

const LINES: [Col<'static>; 3] = [Col::text("What"), Col::text("Code").minor(), Col::number("Amount")];

fn sheet(title: &str, lines: &[SheetLine], span: &Span) -> Markup {
    let query = span.query();
    let shown: Vec<&SheetLine> = lines.iter().filter(|l| span.shows(l.currency)).collect();
    let rows = shown.iter().map(|l| {
        let open = l.account.as_deref() == Some(crate::accounts::CUSTOMERS);
        let amount = match &l.account {
            // Receivables and deposits are made of orders.
            Some(_) if open => {
                let code = l.currency.to_string();
                let side = if l.name.starts_with("Deposits") { "owing" } else { "owed" };
                let pairs = [("to", span.days.1.as_str()), ("currency", &code), ("side", side)];
                let path = format!("/books/accounts/{}/open-items", crate::accounts::CUSTOMERS);
                html! { a href=(h::query(&path, &pairs)) { (h::amount(l.amount, l.currency)) } }
            }
            Some(account) => figure(l.amount, l.currency, account, &query),
            None => {
                let code = l.currency.to_string();
                let pairs = [("from", "1970-01-01"), ("to", span.days.1.as_str()), ("currency", &code)];
                html! { a href=(h::query("/books/profit-and-loss", &pairs)) { (h::amount(l.amount, l.currency)) } }
            }
        };
        Row::new([html! { (l.name) }, html! { @if let Some(code) = &l.account { (code) } }, amount])
    });
    h::card(
        title,
        html! {
            @if shown.is_empty() { p.text-secondary { "Nothing." } }
            @else { (Table::new(title, &LINES, rows).show()) }
        },
    )
}

/// What the merchant owns and owes at the end of a day.
pub(super) async fn balance_sheet(
    State(app): State<App>,
    caller: May<ReadBooks>,
    Params(mut asked): Params<Asked>,
) -> Result<(StatusCode, Markup), Problem> {
    let (sql, now) = (app.db.read(), app.db.now());
    if !asked.month.is_empty() {
        asked.to = asked.month_or_days(now)?.days.1;
    }
    asked.from.clear();
    let span = asked.shown(now, Asked::days)?;
    let known = currencies(sql).await?;
    let all = st::balance_sheet(sql, span.until).await?;
    let query = span.query();
    let body = html! {
        (h::filters("/books/balance-sheet", html! {
            (h::field(&h::Field { label: "At the end of", name: "to", kind: "date", value: &span.days.1, error: span.error("to"), ..h::Field::default() }))
            (currency_select(&known, span.currency))
        }))
        (h::split(
            html! { (sheet("Assets", &all.assets, &span)) (h::card("Total assets", totals(&all.total_assets, &span))) },
            html! {
                (sheet("Liabilities", &all.liabilities, &span))
                (sheet("Equity", &all.equity, &span))
                (h::card("Total liabilities and equity", totals(&all.total_liabilities_and_equity, &span)))
            },
        ))
    };
    let page = Screen::new(&caller, "Balance sheet")
        .subtitle(html! { "At the end of " (span.days.1) " (UTC). Each figure leads to what it is made of." })
        .actions(html! { (downloads("balance-sheet", &span::pairs(&query))) (adjust_link(&caller)) })
        .show(body);
    Ok((span.status(), page))
}

const TRIAL: [Col<'static>; 5] = [
    Col::text("Account"),
    Col::text("Kind").minor(),
    Col::number("Debit"),
    Col::number("Credit"),
    Col::number("Balance"),
];

/// The sums of all accounts at the end of a day.
pub(super) async fn trial_balance(
    State(app): State<App>,
    caller: May<ReadBooks>,
    Params(mut asked): Params<Asked>,
) -> Result<(StatusCode, Markup), Problem> {
    let (sql, now) = (app.db.read(), app.db.now());
    asked.from.clear();
    let span = asked.shown(now, Asked::days)?;
    let known = currencies(sql).await?;
    let all = st::trial_balance(sql, span.until).await?;
    let query = span.query();
    let shown: Vec<&AccountSum> = all.accounts.iter().filter(|a| span.shows(a.currency)).collect();
    let rows = shown.iter().map(|a| {
        let kind = a.kind.as_str();
        Row::new([
            html! { (a.account) " " (a.name) },
            html! { (kind) },
            html! { (h::amount(a.debit, a.currency)) },
            html! { (h::amount(a.credit, a.currency)) },
            figure(a.balance, a.currency, &a.account, &query),
        ])
    });
    let side = |pick: fn(&st::SideTotal) -> i64| {
        html! { @for t in all.totals.iter().filter(|t| span.shows(t.currency)) { div { (h::amount(pick(t), t.currency)) } } }
    };
    let foot = [html! { "Both sides" }, html! {}, side(|t| t.debit), side(|t| t.credit), html! {}];
    let body = html! {
        (h::filters("/books/trial-balance", html! {
            (h::field(&h::Field { label: "At the end of", name: "to", kind: "date", value: &span.days.1, error: span.error("to"), ..h::Field::default() }))
            (currency_select(&known, span.currency))
        }))
        @if shown.is_empty() { (h::empty("The books are empty", "The first order that is paid or shipped writes them.")) }
        @else { (Table::new("Accounts with their sums", &TRIAL, rows).foot(foot).show()) }
    };
    let page = Screen::new(&caller, "Trial balance")
        .subtitle(html! { "At the end of " (span.days.1) " (UTC)." })
        .actions(html! { (downloads("trial-balance", &span::pairs(&query))) (adjust_link(&caller)) })
        .show(body);
    Ok((span.status(), page))
}
