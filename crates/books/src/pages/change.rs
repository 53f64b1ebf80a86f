//! Closing months and adjusting by hand, through the commands of the API.

use crate::accounts::ACCOUNTS;
use crate::adjust::{AdjustRefused, Adjustment};
use crate::api::{MAX_ADJUSTMENT, ReadBooks, WriteBooks};
use crate::close::ClosePeriod;
use crate::month::Month;
use crate::read::{currencies, order_meant, periods};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::{Currency, Refuse, Timestamp, money::parse_typed};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Field, Row, Table};
use web::{App, Caller, Form, Key, May, OrProblem, Problem, Reply, Screen};

const MONTHS: [Col<'static>; 4] =
    [Col::text("Month"), Col::text("Closed"), Col::text("By"), Col::text("Result")];

/// The month that may be closed next, where one is over.
async fn next_month(app: &App) -> Result<Option<Month>, Problem> {
    let sql = app.db.read();
    let last = periods(sql, 1).await?.pop();
    let next = match last {
        Some(period) => period.month.parse::<Month>().map_err(kernel::Fault::from)?.next(),
        None => {
            let first: Option<Option<i64>> = sql.scalar("SELECT MIN(at) FROM journal_entry", []).await?;
            match first.flatten() {
                Some(at) => Month::of(Timestamp(at))?,
                None => return Ok(None),
            }
        }
    };
    Ok((next.next().start() <= app.db.now()).then_some(next))
}

/// The closed months, and the one that may be closed.
pub(super) async fn months(State(app): State<App>, caller: May<ReadBooks>) -> Result<Markup, Problem> {
    months_page(&app, &caller, None).await
}

async fn months_page(app: &App, caller: &Caller, problem: Option<&Problem>) -> Result<Markup, Problem> {
    let closed = periods(app.db.read(), 120).await?;
    let next = next_month(app).await?;
    let actors: Vec<&str> = closed.iter().map(|p| p.closed_by.as_str()).collect();
    let names = web::auth::names(app.db.read(), &actors).await?;
    let running = Month::of(app.db.now())?;
    let rows = closed.iter().map(|p| {
        let link = |path: &str| format!("{path}?month={}", p.month);
        Row::new([
            html! { strong { (h::month(&p.month)) } },
            h::time(p.closed_at),
            html! { (web::auth::actor_name(&names, &p.closed_by)) },
            html! { a href=(link("/books/profit-and-loss")) { "Profit and loss" } " · " a href=(link("/books/balance-sheet")) { "Balance sheet" } },
        ])
    });
    let body = html! {
        @if let Some(problem) = problem { (h::alert("danger", problem.detail())) }
        (h::card("Close a month", html! {
            p { "A closed month never changes: what is learnt of it later counts in the first open month, with a note." }
            @match (&next, caller.may::<WriteBooks>()) {
                (None, _) => p.text-secondary { (h::month(&running.to_string())) " is still running; it can be closed from " (h::day(&running.next().start().day())) " on." },
                (Some(month), false) => p.text-secondary { (h::month(&month.to_string())) " is over and open; closing it needs the permission to write the books." },
                (Some(month), true) => {
                    @let text = month.to_string();
                    @let name = h::month(&text);
                    (h::opens("close-month", &format!("Close {name}"), "primary"))
                    (h::dialog("close-month", &format!("Close {name}?"), html! {
                        p { "This cannot be undone. Check the trial balance and the open items of the clearing accounts first." }
                    }, html! {
                        form method="dialog" { button.btn type="submit" { "Not yet" } }
                        form method="post" action="/books/months" {
                            (web::once())
                            input type="hidden" name="month" value=(text);
                            button.btn.btn-danger type="submit" { "Close " (name) }
                        }
                    }))
                }
            }
        }))
        @if closed.is_empty() { (h::empty("No month is closed", "Closing fixes the figures that you told others.")) }
        @else { (Table::new("Closed months", &MONTHS, rows).show()) }
    };
    Ok(Screen::new(caller, "Months").subtitle(html! { "The books count days and months in UTC, so that a closed month is the same for everybody." }).show(body))
}

/// Which month to close.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CloseForm {
    once: String,
    month: String,
}

/// Closes a month.
pub(super) async fn close(
    State(app): State<App>,
    caller: May<WriteBooks>,
    Form(form): Form<CloseForm>,
) -> Result<Response, Problem> {
    let key = Key::once(&form.once, "/books/months");
    let done = web::submit!(app, caller, key, "books.close", &form.month, |tx| {
        let one = ClosePeriod { at: tx.now(), month: form.month.clone() };
        for outcome in crate::close_periods(tx, &[one]).await? {
            outcome.or_problem()?;
        }
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => Ok(web::done(format!("{} is closed", h::month(&form.month))).to("/books/months")),
        Err(problem) if problem.status().is_client_error() => {
            Ok((problem.status(), months_page(&app, &caller, Some(&problem)).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// A correction as it is typed.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct AdjustForm {
    once: String,
    day: String,
    currency: String,
    amount: String,
    debit: String,
    credit: String,
    text: String,
    order: String,
}

/// The form of a correction.
pub(super) async fn form(State(app): State<App>, caller: May<WriteBooks>) -> Result<Markup, Problem> {
    adjust_page(&app, &caller, &AdjustForm::default(), None).await
}

async fn adjust_page(
    app: &App,
    caller: &Caller,
    form: &AdjustForm,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let base = inventory::base_currency(sql).await?;
    let mut known = currencies(sql).await?;
    if !known.contains(&base) {
        known.insert(0, base);
    }
    let names: Vec<String> = ACCOUNTS.iter().map(|a| format!("{} {}", a.code, a.name)).collect();
    let mut accounts = vec![("", "Choose an account")];
    accounts.extend(ACCOUNTS.iter().zip(&names).map(|(a, name)| (a.code, name.as_str())));
    let error = |field: &str| {
        problem
            .and_then(|p| p.errors().iter().find(|e| e.pointer.trim_start_matches('/') == field))
            .map(|e| e.detail.as_str())
    };
    let input = |label, name, value, kind, hint| {
        h::field(&Field {
            label,
            name,
            value,
            kind,
            hint,
            error: error(name),
            required: name == "text",
            ..Field::default()
        })
    };
    let account = |label, name, chosen| {
        let options = accounts.as_slice();
        h::select_required(&h::Select { label, name, options, chosen, hint: "", error: error(name) })
    };
    let body = html! {
        @if let Some(problem) = problem.filter(|p| p.errors().is_empty()) { (h::alert("danger", problem.detail())) }
        form.card.card-body method="post" action="/books/adjust" {
            (web::once_again(&form.once))
            (h::fields([
                account("Debit", "debit", form.debit.as_str()),
                account("Credit", "credit", form.credit.as_str()),
            ]))
            (money(form, base, &known, (error("amount"), error("currency"))))
            (input("Why", "text", form.text.as_str(), "text", "As it will read in the journal"))
            (h::fields([
                input("Day", "day", form.day.as_str(), "date", "Empty: now. In a closed month it counts in the first open one"),
                input("Order", "order", form.order.as_str(), "text", "Its number, where it is about one"),
            ]))
            (h::form_buttons("Post the adjustment", Some("/books/journal")))
        }
    };
    Ok(Screen::new(caller, "Adjust the books")
        .crumb("Journal", "/books/journal")
        .narrow()
        .subtitle(html! { "An entry by hand. It is an event like any other, with your name, and is undone only by its opposite." })
        .show(body))
}

/// The amount with its currency, which is chosen where there are several.
fn money(
    form: &AdjustForm,
    base: Currency,
    known: &[Currency],
    errors: (Option<&str>, Option<&str>),
) -> Markup {
    let amount = Field {
        label: "Amount",
        name: "amount",
        value: &form.amount,
        hint: "Moves from the credited account to the debited one, as 12.34",
        error: errors.0,
        required: true,
        ..Field::default()
    };
    let codes: Vec<String> = known.iter().map(ToString::to_string).collect();
    let options: Vec<(&str, &str)> = codes.iter().map(|c| (c.as_str(), c.as_str())).collect();
    let base_code = base.to_string();
    let chosen = if form.currency.is_empty() { &base_code } else { &form.currency };
    let select = h::Select {
        label: "Currency",
        name: "currency",
        options: &options,
        chosen,
        hint: "",
        error: errors.1,
    };
    html! {
        @if known.len() == 1 {
            input type="hidden" name="currency" value=(base);
            (h::money_field(&amount, base))
        } @else {
            (h::fields([h::amount_field(&amount), h::select_field(&select)]))
        }
    }
}

/// What a form means, or what is wrong with it by the field.
async fn read(app: &App, form: &AdjustForm) -> Result<Adjustment, Problem> {
    for (name, account) in [("debit", &form.debit), ("credit", &form.credit)] {
        if account.is_empty() {
            return Err(Problem::invalid(name, "Choose an account."));
        }
    }
    let currency: Currency =
        form.currency.parse().map_err(|_| Problem::invalid("currency", "Choose a currency."))?;
    let amount = parse_typed(&form.amount, currency.exponent())
        .map_err(|why| Problem::invalid("amount", format!("{why}.")))?;
    if amount.unsigned_abs() > MAX_ADJUSTMENT {
        return Err(Problem::invalid("amount", "The amount is too large to be real."));
    }
    let at = match form.day.as_str() {
        "" => app.db.now(),
        day => format!("{day}T12:00:00Z")
            .parse()
            .ok()
            .filter(|at| *at >= Timestamp(0))
            .ok_or_else(|| Problem::invalid("day", "This is not a day since 1970."))?,
    };
    let order = match form.order.trim() {
        "" => None,
        text => Some(
            order_meant(app.db.read(), text)
                .await?
                .ok_or_else(|| Problem::invalid("order", format!("There is no order {text}.")))?,
        ),
    };
    let (debit, credit, text) = (form.debit.clone(), form.credit.clone(), form.text.clone());
    Ok(Adjustment { at, currency, amount, debit, credit, text, order })
}

/// Which field a refusal is about.
fn by_field(refused: AdjustRefused) -> Problem {
    let field = match &refused {
        AdjustRefused::UnknownAccount { .. } => "debit",
        AdjustRefused::SameAccount { .. } => "credit",
        AdjustRefused::NoAmount => "amount",
        AdjustRefused::NoText => "text",
    };
    debug_assert!(refused.field().is_none());
    Problem::refused(&refused).at(field)
}

/// Posts a correction.
pub(super) async fn adjust(
    State(app): State<App>,
    caller: May<WriteBooks>,
    Form(form): Form<AdjustForm>,
) -> Result<Response, Problem> {
    let key = Key::once(&form.once, "/books/adjust");
    let done = match read(&app, &form).await {
        Err(problem) => Err(problem),
        Ok(one) => web::submit!(app, caller, key, "books.adjust", &form, |tx| {
            for outcome in crate::adjust(tx, std::slice::from_ref(&one)).await? {
                outcome.map_err(by_field)?;
            }
            Ok(Reply::empty())
        }),
    };
    match done {
        Ok(_) => Ok(web::done("The adjustment is posted").to("/books/journal")),
        Err(problem) if problem.status() == StatusCode::UNPROCESSABLE_ENTITY => {
            Ok((problem.status(), adjust_page(&app, &caller, &form, Some(&problem)).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}
