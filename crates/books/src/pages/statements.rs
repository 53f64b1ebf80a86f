//! Profit and loss, balance sheet, trial balance. Each figure is a link to the account over the same span.

use super::span::{self, Asked, Span};
use super::{adjust_link, currency_select, downloads};
use crate::accounts::COST_OF_GOODS;
use crate::api::ReadBooks;
use crate::read::currencies;
use crate::statements::{self as st, AccountSum, CurrencyTotal, SheetLine, by_currency};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;
use kernel::{Currency, Money};
use maud::{Markup, html};
use web::html::{self as h, Col, Row, Sum, Table};
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

/// A line of a statement: the code in a column of its own width, so that names begin below one another.
fn line(code: &str, name: &str) -> Markup {
    html! { span.account-code { (code) } (name) }
}

const SUMS: [Col<'static>; 2] = [Col::text("Account"), Col::number("Amount")];

fn sums(title: &str, accounts: &[AccountSum], span: &Span) -> Markup {
    let query = span.query();
    let shown: Vec<&AccountSum> =
        accounts.iter().filter(|a| span.shows(a.currency) && (a.debit != 0 || a.credit != 0)).collect();
    let rows = shown
        .iter()
        .map(|a| Row::new([line(&a.account, &a.name), figure(a.balance, a.currency, &a.account, &query)]));
    let total = totals(&by_currency(shown.iter().map(|a| (a.currency, a.balance))), span);
    let foot = [line("", &format!("Total {}", title.to_lowercase())), total];
    h::card(
        title,
        html! {
            @if shown.is_empty() { (h::empty("Nothing in this time", "Choose another month or other days above.")) }
            @else { (Table::new(title, &SUMS, rows).brief().foot(foot).show()) }
        },
    )
}

/// What is left of the income, step by step, in each currency.
fn result(all: &st::ProfitAndLoss, span: &Span) -> Markup {
    let of = |accounts: &[AccountSum], currency, goods: Option<bool>| -> i64 {
        let is = |a: &&AccountSum| goods.is_none_or(|goods| goods == (a.account == COST_OF_GOODS));
        accounts.iter().filter(|a| a.currency == currency).filter(is).map(|a| a.balance).sum()
    };
    let money = |amount, currency| Money::new(amount, currency);
    html! {
        @for p in all.profit.iter().filter(|p| span.shows(p.currency)) {
            @let income = of(&all.income, p.currency, None);
            @let goods = of(&all.expenses, p.currency, Some(true));
            @let other = of(&all.expenses, p.currency, Some(false));
            (h::breakdown(&[
                Sum::Part("Income", money(income, p.currency)),
                Sum::Part("Cost of goods sold", money(-goods, p.currency)),
                Sum::Total("Gross profit", money(income - goods, p.currency)),
                Sum::Part("Other expenses", money(-other, p.currency)),
                Sum::Total("Result", money(p.amount, p.currency)),
            ]))
        }
    }
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
    let all = st::profit_and_loss(sql, span.from, span.until).await?;
    let query = span.query();
    let path = "/books/profit-and-loss";
    let body = html! {
        (h::filters(path, html! { (span::inputs(&span)) (currency_select(&known, span.currency)) }))
        (h::card("Result", html! {
            @if all.profit.iter().any(|p| span.shows(p.currency)) { (result(&all, &span)) }
            @else { p.text-secondary { "Nothing was earned or spent in this time." } }
        }))
        (sums("Income", &all.income, &span))
        (sums("Expenses", &all.expenses, &span))
    };
    let page = Screen::new(&caller, "Profit and loss")
        .subtitle(html! { (span.label()) ". The books count days in UTC, so that they are the same for everybody." })
        .actions(html! { (downloads("profit-and-loss", &span::pairs(&query))) (adjust_link(&caller)) })
        .above(span::months(path, now, &span)?)
        .show(body);
    Ok((span.status(), page))
}

/// A part of the balance sheet; `sum` is what stands below it: a name and an amount for each currency.
fn sheet(title: &str, lines: &[SheetLine], sum: (&str, Markup), span: &Span) -> Markup {
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
        Row::new([line(l.account.as_deref().unwrap_or_default(), &l.name), amount])
    });
    let foot = [line("", sum.0), sum.1];
    h::card(
        title,
        html! {
            @if shown.is_empty() { p.text-secondary { "Nothing." } }
            @else { (Table::new(title, &SUMS, rows).brief().foot(foot).show()) }
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
    let sum_of =
        |lines: &[SheetLine]| totals(&by_currency(lines.iter().map(|l| (l.currency, l.amount))), &span);
    let body = html! {
        (h::filters("/books/balance-sheet", html! {
            (h::field(&h::Field { label: "At the end of", name: "to", kind: "date", value: &span.days.1, error: span.error("to"), ..h::Field::default() }))
            (currency_select(&known, span.currency))
        }))
        (h::halves(
            sheet("Assets", &all.assets, ("Total assets", totals(&all.total_assets, &span)), &span),
            html! {
                (sheet("Liabilities", &all.liabilities, ("Total liabilities", sum_of(&all.liabilities)), &span))
                (sheet("Equity", &all.equity, ("Total equity", sum_of(&all.equity)), &span))
                @let both = totals(&all.total_liabilities_and_equity, &span);
                (h::card("", html! {
                    dl.breakdown { div.sum-due { dt { "Total liabilities and equity" } dd { (both) } } }
                    @if all.total_assets == all.total_liabilities_and_equity { p.text-secondary { "In balance ✓" } }
                }))
            },
        ))
    };
    let page = Screen::new(&caller, "Balance sheet")
        .subtitle(html! { "At the end of " (h::day(&span.days.1)) " (UTC, as the books count days). Each figure leads to what it is made of." })
        .actions(html! { (downloads("balance-sheet", &span::pairs(&query))) (adjust_link(&caller)) })
        .show(body);
    Ok((span.status(), page))
}

const TRIAL: [Col<'static>; 5] = [
    Col::text("Account"),
    Col::text("Kind").minor(),
    Col::number("Debit").below(),
    Col::number("Credit").below(),
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
            line(&a.account, &a.name),
            html! { (h::words(kind)) },
            html! { (h::amount(a.debit, a.currency)) },
            html! { (h::amount(a.credit, a.currency)) },
            figure(a.balance, a.currency, &a.account, &query),
        ])
    });
    let side = |pick: fn(&st::SideTotal) -> i64| {
        html! { @for t in all.totals.iter().filter(|t| span.shows(t.currency)) { div { (h::amount(pick(t), t.currency)) } } }
    };
    let foot = [line("", "Both sides"), html! {}, side(|t| t.debit), side(|t| t.credit), html! {}];
    let body = html! {
        (h::filters("/books/trial-balance", html! {
            (h::field(&h::Field { label: "At the end of", name: "to", kind: "date", value: &span.days.1, error: span.error("to"), ..h::Field::default() }))
            (currency_select(&known, span.currency))
        }))
        @if shown.is_empty() { (h::empty("The books are empty", "The first order that is paid or shipped writes them.")) }
        @else { (Table::new("Accounts with their sums", &TRIAL, rows).brief().foot(foot).show()) }
    };
    let page = Screen::new(&caller, "Trial balance")
        .subtitle(html! { "At the end of " (h::day(&span.days.1)) " (UTC, as the books count days)." })
        .actions(html! { (downloads("trial-balance", &span::pairs(&query))) (adjust_link(&caller)) })
        .show(body);
    Ok((span.status(), page))
}
