//! REST of the books: statements, journal, open items, adjustments, closing, export. Handlers only translate.

use crate::adjust::{Adjustment, adjust};
use crate::close::{ClosePeriod, close_periods};
use crate::hledger::Export;
use crate::read::{EntryId, JournalEntry, JournalFilter, account_name, journal};
use crate::statements::{
    BalanceSheet, EVER, ProfitAndLoss, TrialBalance, balance_sheet, open_items, profit_and_loss,
    trial_balance,
};
use crate::today::{Today, today};
use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Currency, Timestamp};
use orders::OrderId;
use orders::api::ReadOrders;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Key, May, OrProblem, Page, Paging, Params, Problem, Reply, Segment};

kernel::permission!(ReadBooks, "books:read", "See the journal and the statements");
kernel::permission!(WriteBooks, "books:write", "Adjust the books and close months");

/// Minor units that one correction may move.
pub(crate) const MAX_ADJUSTMENT: u64 = 100_000_000_000_000;

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_trial_balance))
        .routes(routes!(get_profit_and_loss))
        .routes(routes!(get_balance_sheet))
        .routes(routes!(list_open_items))
        .routes(routes!(list_journal))
        .routes(routes!(post_adjustment))
        .routes(routes!(post_close))
        .routes(routes!(export_hledger))
        .routes(routes!(get_today))
}

/// A moment to look from or until.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Until {
    /// What happened before this moment counts; now when absent.
    until: Option<Timestamp>,
}

/// A span of time.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Between {
    /// From this moment on; the beginning when absent.
    from: Option<Timestamp>,
    /// Before this moment; now when absent.
    until: Option<Timestamp>,
}

/// Which day.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Day {
    /// Where the day begins; midnight UTC when absent. It ends 24 hours later, or now.
    from: Option<Timestamp>,
}

/// The figures of a day
///
/// What came in, and what waits for people: orders, revenue, holds, late shipments, stock-outs, returns.
#[utoipa::path(get, path = "/reports/today", tag = "books", operation_id = "getToday", params(Day), responses((status = 200, body = Today)))]
async fn get_today(
    State(app): State<App>,
    _: May<ReadOrders>,
    Params(ask): Params<Day>,
) -> Result<Json<Today>, Problem> {
    let now = app.db.now();
    let from = ask.from.unwrap_or(Timestamp(now.0 - now.0.rem_euclid(Timestamp::DAY)));
    let end = from.plus(Timestamp::DAY).min(now.plus(1));
    Ok(Json(today(app.db.read(), from, end, now).await?))
}

/// The sums of all accounts.
#[utoipa::path(get, path = "/books/trial-balance", tag = "books", params(Until), responses((status = 200, body = TrialBalance)))]
async fn get_trial_balance(
    State(app): State<App>,
    _: May<ReadBooks>,
    Params(ask): Params<Until>,
) -> Result<Json<TrialBalance>, Problem> {
    Ok(Json(trial_balance(app.db.read(), until(&app, ask.until)).await?))
}

/// Income and expenses.
#[utoipa::path(get, path = "/books/profit-and-loss", tag = "books", params(Between), responses((status = 200, body = ProfitAndLoss)))]
async fn get_profit_and_loss(
    State(app): State<App>,
    _: May<ReadBooks>,
    Params(ask): Params<Between>,
) -> Result<Json<ProfitAndLoss>, Problem> {
    let (from, until) = (ask.from.unwrap_or(EVER), until(&app, ask.until));
    Ok(Json(profit_and_loss(app.db.read(), from, until).await?))
}

/// What the merchant owns and owes.
#[utoipa::path(get, path = "/books/balance-sheet", tag = "books", params(Until), responses((status = 200, body = BalanceSheet)))]
async fn get_balance_sheet(
    State(app): State<App>,
    _: May<ReadBooks>,
    Params(ask): Params<Until>,
) -> Result<Json<BalanceSheet>, Problem> {
    Ok(Json(balance_sheet(app.db.read(), until(&app, ask.until)).await?))
}

/// Which account.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct OfAccount {
    /// Account code, as `1050`.
    account: String,
    /// What happened before this moment counts; now when absent.
    until: Option<Timestamp>,
}

/// What is left open on an account for one order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OpenItemView {
    /// The order; absent for what belongs to none.
    order: Option<OrderId>,
    /// Of the amount.
    currency: Currency,
    /// Debits less credits, minor units.
    amount: i64,
}

/// The orders that keep an account from being at zero: for clearing accounts.
#[utoipa::path(get, path = "/books/open-items", tag = "books", params(OfAccount), responses((status = 200, body = [OpenItemView])))]
async fn list_open_items(
    State(app): State<App>,
    _: May<ReadBooks>,
    Params(ask): Params<OfAccount>,
) -> Result<Json<Vec<OpenItemView>>, Problem> {
    known(&ask.account)?;
    let items = open_items(app.db.read(), &ask.account, until(&app, ask.until)).await?;
    let view = |i: crate::statements::OpenItem| OpenItemView {
        order: i.order_id.map(OrderId),
        currency: i.currency,
        amount: i.amount,
    };
    Ok(Json(items.into_iter().map(view).collect()))
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct JournalParams {
    /// Of this order.
    order: Option<OrderId>,
    /// That touch this account.
    account: Option<String>,
    /// From this moment on.
    from: Option<Timestamp>,
    /// Before this moment.
    until: Option<Timestamp>,
    /// Entries of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An entry of the journal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EntryView {
    /// Id.
    id: EntryId,
    /// When it counts.
    at: Timestamp,
    /// The order it belongs to.
    order: Option<OrderId>,
    /// The event it follows from.
    event: Option<kernel::fact::EventId>,
    /// What it is.
    text: String,
    /// Its rows.
    postings: Vec<PostingView>,
}

/// A row: `amount` from `credit` to `debit`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PostingView {
    /// Account code.
    debit: String,
    /// Its name.
    debit_name: String,
    /// Account code.
    credit: String,
    /// Its name.
    credit_name: String,
    /// Of the amount.
    currency: Currency,
    /// Minor units.
    amount: i64,
}

fn view(entry: JournalEntry) -> EntryView {
    let posting = |p: crate::read::JournalPosting| PostingView {
        debit_name: account_name(&p.debit).to_owned(),
        credit_name: account_name(&p.credit).to_owned(),
        debit: p.debit,
        credit: p.credit,
        currency: p.currency,
        amount: p.amount,
    };
    EntryView {
        id: entry.id,
        at: entry.at,
        order: entry.order.map(OrderId),
        event: entry.event.map(kernel::fact::EventId),
        text: entry.text,
        postings: entry.postings.into_iter().map(posting).collect(),
    }
}

/// The journal, oldest first.
#[utoipa::path(get, path = "/books/journal", tag = "books", params(JournalParams), responses((status = 200, body = Page<EntryView>)))]
async fn list_journal(
    State(app): State<App>,
    _: May<ReadBooks>,
    Params(ask): Params<JournalParams>,
) -> Result<Json<Page<EntryView>>, Problem> {
    if let Some(account) = &ask.account {
        known(account)?;
    }
    let paging = Paging::<(Timestamp, EntryId)>::read(ask.limit, ask.cursor.as_deref())?;
    let filter = JournalFilter {
        order: ask.order.map(|o| o.0),
        account: ask.account,
        from: ask.from,
        until: ask.until,
        ..JournalFilter::default()
    };
    let rows = journal(app.db.read(), &filter, paging.after, paging.fetch()).await?;
    Ok(Json(paging.page(rows, |e| (e.at, e.id)).map(view)))
}

/// A correction by hand.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAdjustment {
    /// When it counts; now when absent. In a closed month it counts in the first open one.
    #[serde(default)]
    at: Option<Timestamp>,
    /// Of the amount.
    currency: Currency,
    /// Minor units; negative swaps the sides.
    amount: i64,
    /// Code of the account that is debited.
    debit: String,
    /// Code of the account that is credited.
    credit: String,
    /// Why.
    text: String,
    /// The order it is about.
    #[serde(default)]
    order: Option<OrderId>,
}

/// Moves an amount between two accounts.
#[utoipa::path(post, path = "/books/adjustments", tag = "books", request_body = NewAdjustment, responses((status = 204)))]
async fn post_adjustment(
    State(app): State<App>,
    caller: May<WriteBooks>,
    key: Key,
    Body(body): Body<NewAdjustment>,
) -> Result<Reply, Problem> {
    // Far below what the sums of all years can hold.
    if body.amount.unsigned_abs() > MAX_ADJUSTMENT {
        return Err(Problem::invalid(
            "/amount",
            "The amount is too large to be real; check the minor units.",
        ));
    }
    if body.at.is_some_and(|at| at < Timestamp(0)) {
        return Err(Problem::invalid("/at", "The books begin in 1970."));
    }
    web::command!(app, caller, key, "books.adjust", &body, |tx| {
        let one = Adjustment {
            at: body.at.unwrap_or(tx.now()),
            currency: body.currency,
            amount: body.amount,
            debit: body.debit.clone(),
            credit: body.credit.clone(),
            text: body.text.clone(),
            order: body.order.map(|o| o.0),
        };
        for outcome in adjust(tx, &[one]).await? {
            outcome.or_problem()?;
        }
        Ok(Reply::empty())
    })
}

/// Closes the books up to and including a month, as `2026-01`.
#[utoipa::path(post, path = "/books/periods/{month}/close", tag = "books", params(("month" = String, Path)), responses((status = 204)))]
async fn post_close(
    State(app): State<App>,
    caller: May<WriteBooks>,
    key: Key,
    Segment(month): Segment<String>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "books.close", &month, |tx| {
        let one = ClosePeriod { at: tx.now(), month: month.clone() };
        for outcome in close_periods(tx, &[one]).await? {
            outcome.or_problem()?;
        }
        Ok(Reply::empty())
    })
}

/// The whole journal as text for hledger, streamed.
#[utoipa::path(get, path = "/books/export.hledger", tag = "books", params(Until), responses((status = 200, body = String, content_type = "text/plain")))]
async fn export_hledger(
    State(app): State<App>,
    _: May<ReadBooks>,
    Params(ask): Params<Until>,
) -> Result<Response, Problem> {
    let export = Export::new(app.db.clone(), ask.until);
    let pieces = futures_util::stream::try_unfold(export, |mut export| async move {
        let piece = export.next().await.map_err(|fault| {
            tracing::error!(%fault, "an export broke off");
            std::io::Error::other("the export broke off")
        })?;
        Ok::<_, std::io::Error>(piece.map(|text| (text, export)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"fulmar.journal\""),
    ];
    Ok((StatusCode::OK, headers, HttpBody::from_stream(pieces)).into_response())
}

fn until(app: &App, asked: Option<Timestamp>) -> Timestamp {
    // What happened at this very moment counts too.
    asked.unwrap_or_else(|| app.db.now().plus(1))
}

pub(crate) fn known(account: &str) -> Result<(), Problem> {
    match crate::accounts::by_code(account) {
        Some(_) => Ok(()),
        None => Err(Problem::invalid("account", format!("There is no account {account} in the chart."))),
    }
}
