//! Statements and the journal as files: CSV, streamed for the journal, and XLSX. What hledger reads is the API's.
//!
//! Invariant: a file has the rows of the page it was asked from, all of them and not only the first page.

use super::journal::Query;
use super::span::{Asked, Span};
use crate::api::ReadBooks;
use crate::read::{EntryId, JournalEntry, JournalFilter, account_name, journal};
use crate::statements as st;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Fault, Money, Timestamp};
use sheets::Cell;
use web::{App, May, Params, Problem, Segment};

/// Entries of one piece.
const PIECE: i64 = 1000;
const JOURNAL: [&str; 10] = [
    "Entry",
    "When",
    "Order",
    "Text",
    "Debit",
    "Debit account",
    "Credit",
    "Credit account",
    "Currency",
    "Amount",
];

/// A table with its head.
type Sheet = (&'static [&'static str], Vec<Vec<Cell>>);

/// Sends a file, as `journal.csv`.
pub(super) async fn download(
    State(app): State<App>,
    _: May<ReadBooks>,
    Segment(file): Segment<String>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found(format!("export {file}"));
    let (name, ending) = file.split_once('.').ok_or_else(unknown)?;
    if !matches!(ending, "csv" | "xlsx") {
        return Err(unknown());
    }
    if name == "journal" {
        let filter = JournalFilter { newest_first: false, ..query.filter(&app).await? };
        return match ending {
            "csv" => Ok(attached(&file, CSV, Body::from_stream(stream(app, filter)))),
            _ => Ok(attached(
                &file,
                XLSX,
                Body::from(press("Journal", journal_rows(&app, filter).await?).await?),
            )),
        };
    }
    let (title, sheet) = statement(&app, name, &query).await?.ok_or_else(unknown)?;
    match ending {
        "csv" => Ok(attached(&file, CSV, Body::from(sheets::csv(sheet.0, &sheet.1)?))),
        _ => Ok(attached(&file, XLSX, Body::from(press(title, sheet).await?))),
    }
}

const CSV: &str = "text/csv; charset=utf-8";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn attached(file: &str, kind: &'static str, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{file}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (StatusCode::OK, headers, body).into_response()
}

/// Writes a file beside the other requests.
async fn press(title: &'static str, sheet: Sheet) -> Result<Vec<u8>, Fault> {
    tokio::task::spawn_blocking(move || sheets::xlsx(title, sheet.0, &sheet.1)).await?
}

async fn statement(app: &App, name: &str, query: &Query) -> Result<Option<(&'static str, Sheet)>, Problem> {
    let (sql, now) = (app.db.read(), app.db.now());
    let asked = Asked {
        month: query.month.clone(),
        from: query.from.clone(),
        to: query.to.clone(),
        currency: query.currency.clone(),
    };
    if name == "profit-and-loss" {
        let span = asked.month_or_days(now)?;
        let all = st::profit_and_loss(sql, span.from, span.until).await?;
        return Ok(Some(("Profit and loss", (PARTS, result_rows(&all, &span)))));
    }
    let span = Asked { from: String::new(), ..asked }.days(now)?;
    Ok(match name {
        "balance-sheet" => {
            let all = st::balance_sheet(sql, span.until).await?;
            Some(("Balance sheet", (PARTS, sheet_rows(&all, &span))))
        }
        "trial-balance" => {
            let all = st::trial_balance(sql, span.until).await?;
            Some(("Trial balance", (SUMS, sum_rows(&all, &span))))
        }
        _ => None,
    })
}

const PARTS: &[&str] = &["Part", "Account", "Name", "Currency", "Amount"];
const SUMS: &[&str] = &["Account", "Name", "Kind", "Currency", "Debit", "Credit", "Balance"];

fn result_rows(all: &st::ProfitAndLoss, span: &Span) -> Vec<Vec<Cell>> {
    let parts = [("Income", &all.income), ("Expenses", &all.expenses)];
    let accounts = parts.iter().flat_map(|(part, sums)| sums.iter().map(move |a| (*part, a)));
    let accounts = accounts.filter(|(_, a)| span.shows(a.currency)).map(|(part, a)| {
        let (code, name) = (a.account.as_str().into(), a.name.as_str().into());
        vec![part.into(), code, name, a.currency.into(), money(a.balance, a.currency)]
    });
    let results = all.profit.iter().filter(|p| span.shows(p.currency)).map(|p| {
        vec!["Result".into(), Cell::Empty, Cell::Empty, p.currency.into(), money(p.amount, p.currency)]
    });
    accounts.chain(results).collect()
}

fn sheet_rows(all: &st::BalanceSheet, span: &Span) -> Vec<Vec<Cell>> {
    let parts = [("Assets", &all.assets), ("Liabilities", &all.liabilities), ("Equity", &all.equity)];
    let rows = parts.iter().flat_map(|(part, lines)| lines.iter().map(move |l| (*part, l)));
    let rows = rows.filter(|(_, l)| span.shows(l.currency)).map(|(part, l)| {
        let code = l.account.as_deref().map_or(Cell::Empty, Cell::from);
        vec![part.into(), code, l.name.as_str().into(), l.currency.into(), money(l.amount, l.currency)]
    });
    rows.collect()
}

fn sum_rows(all: &st::TrialBalance, span: &Span) -> Vec<Vec<Cell>> {
    let rows = all.accounts.iter().filter(|a| span.shows(a.currency)).map(|a| {
        let of = |minor| money(minor, a.currency);
        let (code, name) = (a.account.as_str().into(), a.name.as_str().into());
        let (kind, currency) = (a.kind.as_str().into(), a.currency.into());
        vec![code, name, kind, currency, of(a.debit), of(a.credit), of(a.balance)]
    });
    rows.collect()
}

fn money(minor: i64, currency: kernel::Currency) -> Cell {
    Cell::Amount(Money::new(minor, currency))
}

fn rows_of(entry: &JournalEntry) -> impl Iterator<Item = Vec<Cell>> + '_ {
    entry.postings.iter().map(|p| {
        vec![
            entry.id.to_string().into(),
            Cell::Time(entry.at),
            entry.order.map_or(Cell::Empty, |o| orders::OrderId(o).to_string().into()),
            entry.text.as_str().into(),
            p.debit.as_str().into(),
            account_name(&p.debit).into(),
            p.credit.as_str().into(),
            account_name(&p.credit).into(),
            p.currency.into(),
            money(p.amount, p.currency),
        ]
    })
}

/// How far a file is.
struct Writing {
    app: App,
    filter: JournalFilter,
    after: Option<(Timestamp, EntryId)>,
    begun: bool,
    ended: bool,
}

impl Writing {
    async fn next(&mut self) -> Result<Option<String>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let entries = journal(self.app.db.read(), &self.filter, self.after, PIECE).await?;
        self.after = entries.last().map(|e| (e.at, e.id));
        self.ended = entries.len() < PIECE as usize;
        let rows: Vec<Vec<Cell>> = entries.iter().flat_map(rows_of).collect();
        let head: &[&str] = if self.begun { &[] } else { &JOURNAL };
        self.begun = true;
        Ok(Some(sheets::csv(head, &rows)?))
    }
}

fn stream(
    app: App,
    filter: JournalFilter,
) -> impl futures_util::Stream<Item = Result<String, std::io::Error>> {
    let writing = Writing { app, filter, after: None, begun: false, ended: false };
    futures_util::stream::try_unfold(writing, |mut writing| async move {
        let piece = writing.next().await.map_err(|fault| {
            tracing::error!(%fault, "an export broke off");
            std::io::Error::other("the export broke off")
        })?;
        Ok(piece.map(|text| (text, writing)))
    })
}

/// The whole journal as one sheet, where it fits.
async fn journal_rows(app: &App, filter: JournalFilter) -> Result<Sheet, Problem> {
    let (mut after, mut rows) = (None, Vec::new());
    loop {
        let entries = journal(app.db.read(), &filter, after, PIECE).await?;
        after = entries.last().map(|e| (e.at, e.id));
        rows.extend(entries.iter().flat_map(rows_of));
        if rows.len() > MOST {
            let detail = format!(
                "An Excel file takes {MOST} rows here. Choose fewer days, or take CSV, which has no end."
            );
            return Err(Problem::invalid("from", detail));
        }
        if entries.len() < PIECE as usize {
            return Ok((&JOURNAL, rows));
        }
    }
}

/// Rows of a file that is put together in memory.
const MOST: usize = 200_000;
