//! `fulmar report …`: statements of the books and the control totals of a source. Invariant: figures are printed as they were read;
//! nothing is computed here.

use super::{Out, table};
use crate::Failure;
use books::statements::{self, AccountSum, CurrencyTotal, SheetLine};
use clap::{Args, Subcommand};
use db::Ctx;
use kernel::{Currency, Money, Timestamp};

/// The reports.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// What came from a source: orders, cancellations, returns, adjustments and their sum
    Control {
        /// The channel or import, as online-retail; without it all
        #[arg(long)]
        source: Option<String>,
    },
    /// All accounts with debits, credits and balances
    TrialBalance(Until),
    /// Income and expenses
    ProfitAndLoss {
        /// From this day or moment on
        #[arg(long, value_parser = super::moment, value_name = "DAY")]
        from: Option<Timestamp>,
        /// Up to when.
        #[command(flatten)]
        until: Until,
    },
    /// What is owned and owed
    BalanceSheet(Until),
}

/// Up to when.
#[derive(Debug, Args)]
pub struct Until {
    /// Before this day or moment; without it everything so far
    #[arg(long, value_parser = super::moment, value_name = "DAY")]
    until: Option<Timestamp>,
}

/// Prints a report.
///
/// # Errors
/// A fault of the database.
pub async fn run(ctx: &Ctx, report: &Report, out: Out) -> Result<(), Failure> {
    let sql = ctx.db.read();
    let end = |until: &Until| until.until.unwrap_or_else(|| ctx.db.now().plus(1));
    match report {
        Report::Control { source } => {
            let totals = channels::control(sql, source.as_deref()).await?;
            out.result(&totals, || control_table(&totals))
        }
        Report::TrialBalance(until) => {
            let balance = statements::trial_balance(sql, end(until)).await?;
            out.result(&balance, || {
                let mut rows: Vec<Vec<String>> = balance.accounts.iter().map(account).collect();
                rows.extend(balance.totals.iter().map(|t| {
                    vec![
                        String::new(),
                        "Total".into(),
                        amount(t.debit, t.currency),
                        amount(t.credit, t.currency),
                        String::new(),
                    ]
                }));
                table(&["account", "name", "debit", "credit", "balance"], &[2, 3, 4], &rows)
            })
        }
        Report::ProfitAndLoss { from, until } => {
            let result =
                statements::profit_and_loss(sql, from.unwrap_or(statements::EVER), end(until)).await?;
            out.result(&result, || {
                let mut rows = section("Income", result.income.iter().map(sum_line));
                rows.extend(section("Expenses", result.expenses.iter().map(sum_line)));
                rows.extend(result.profit.iter().map(|t| total("Profit", t)));
                table(&["account", "name", "amount"], &[2], &rows)
            })
        }
        Report::BalanceSheet(until) => {
            let sheet = statements::balance_sheet(sql, end(until)).await?;
            out.result(&sheet, || {
                let mut rows = section("Assets", sheet.assets.iter().map(sheet_line));
                rows.extend(sheet.total_assets.iter().map(|t| total("Total assets", t)));
                rows.extend(section("Liabilities", sheet.liabilities.iter().map(sheet_line)));
                rows.extend(section("Equity", sheet.equity.iter().map(sheet_line)));
                rows.extend(
                    sheet
                        .total_liabilities_and_equity
                        .iter()
                        .map(|t| total("Total liabilities and equity", t)),
                );
                table(&["account", "name", "amount"], &[2], &rows)
            })
        }
    }
}

fn amount(minor: i64, currency: Currency) -> String {
    Money::new(minor, currency).to_string()
}
fn account(a: &AccountSum) -> Vec<String> {
    vec![
        a.account.clone(),
        a.name.clone(),
        amount(a.debit, a.currency),
        amount(a.credit, a.currency),
        amount(a.balance, a.currency),
    ]
}
fn sum_line(a: &AccountSum) -> Vec<String> {
    vec![a.account.clone(), a.name.clone(), amount(a.balance, a.currency)]
}
fn sheet_line(l: &SheetLine) -> Vec<String> {
    vec![l.account.clone().unwrap_or_default(), l.name.clone(), amount(l.amount, l.currency)]
}
fn total(name: &str, t: &CurrencyTotal) -> Vec<String> {
    vec![String::new(), name.to_owned(), amount(t.amount, t.currency)]
}
fn section(name: &str, lines: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    std::iter::once(vec![name.to_owned(), String::new(), String::new()]).chain(lines).collect()
}

fn control_table(totals: &[channels::Control]) -> String {
    let row = |t: &channels::Control| {
        let money = |minor| amount(minor, t.currency);
        vec![
            t.source.clone(),
            t.orders.to_string(),
            money(t.charged),
            money(-t.cancelled),
            money(-t.returned),
            money(t.adjusted),
            money(t.total_minor),
        ]
    };
    let rows: Vec<Vec<String>> = totals.iter().map(row).collect();
    table(
        &["source", "orders", "charged", "cancelled", "returned", "adjustments", "total"],
        &[1, 2, 3, 4, 5, 6],
        &rows,
    )
}
