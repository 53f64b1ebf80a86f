//! Trial balance, profit and loss, balance sheet and open items. Invariant: each is a sum of postings up to a moment, to the minor unit;
//! whole months come from the running sums, what is left of a month from its postings.

use crate::accounts::{self, AccountKind};
use crate::month::Month;
use db::FromRow;
use db::{Sql, Value};
use kernel::{Currency, Fault, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// An account's sums in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountSum {
    /// Account code.
    pub account: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: AccountKind,
    /// Currency of the amounts.
    pub currency: Currency,
    /// Sum of the debits, minor units.
    pub debit: i64,
    /// Sum of the credits, minor units.
    pub credit: i64,
    /// On the side that makes the account grow: debit − credit for assets and expenses, credit − debit for the rest.
    pub balance: i64,
}

/// All accounts with their sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TrialBalance {
    /// Postings before this moment count.
    pub until: Timestamp,
    /// By account and currency.
    pub accounts: Vec<AccountSum>,
    /// Per currency: both sides, equal.
    pub totals: Vec<SideTotal>,
}

/// Both sides of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SideTotal {
    /// Currency of the amounts.
    pub currency: Currency,
    /// Sum of the debits.
    pub debit: i64,
    /// Sum of the credits.
    pub credit: i64,
}

/// What was earned and what it cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProfitAndLoss {
    /// From this moment on.
    pub from: Timestamp,
    /// Before this one.
    pub until: Timestamp,
    /// Income by account and currency; discounts and returns are negative.
    pub income: Vec<AccountSum>,
    /// Expenses by account and currency.
    pub expenses: Vec<AccountSum>,
    /// Income less expenses per currency.
    pub profit: Vec<CurrencyTotal>,
}

/// An amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CurrencyTotal {
    /// Currency of the amount.
    pub currency: Currency,
    /// Minor units.
    pub amount: i64,
}

/// A line of the balance sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SheetLine {
    /// Account code; none for what is computed (the result of the period so far).
    pub account: Option<String>,
    /// For people.
    pub name: String,
    /// Currency of the amount.
    pub currency: Currency,
    /// Minor units.
    pub amount: i64,
}

/// What we own and owe at a moment. Per currency: assets = liabilities + equity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BalanceSheet {
    /// Postings before this moment count.
    pub until: Timestamp,
    /// Among them receivables: orders whose customers owe us.
    pub assets: Vec<SheetLine>,
    /// Among them deposits: orders paid for and not yet shipped.
    pub liabilities: Vec<SheetLine>,
    /// Among them the result so far.
    pub equity: Vec<SheetLine>,
    /// Per currency.
    pub total_assets: Vec<CurrencyTotal>,
    /// Per currency.
    pub total_liabilities_and_equity: Vec<CurrencyTotal>,
}

/// What is left open on an account for one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct OpenItem {
    /// Raw order id; none for what belongs to no order.
    pub order_id: Option<i64>,
    /// Currency of the amount.
    pub currency: Currency,
    /// Debits less credits, minor units, never zero.
    pub amount: i64,
}

#[derive(FromRow)]
struct SumRow {
    account: String,
    currency: Currency,
    debit: i64,
    credit: i64,
}

/// The whole months of `[from, until)` and the rest of it before and after them.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    months: Option<(Month, Month)>,
    before: (Timestamp, Timestamp),
    after: (Timestamp, Timestamp),
}

fn decide_span(from: Timestamp, until: Timestamp) -> Result<Span, Fault> {
    let first = match Month::of(from)? {
        month if month.start() == from => month,
        month => month.next(),
    };
    let end = Month::of(until)?;
    if first >= end {
        return Ok(Span { months: None, before: (from, until), after: (until, until) });
    }
    Ok(Span { months: Some((first, end)), before: (from, first.start()), after: (end.start(), until) })
}

/// The start of all books: the year 1970.
pub const EVER: Timestamp = Timestamp(0);
/// After the end of all books: the year 9999.
const END: Timestamp = Timestamp(253_370_764_800_000_000);

async fn sums(sql: &Sql, from: Timestamp, until: Timestamp) -> Result<Vec<AccountSum>, Fault> {
    let span = decide_span(from.max(EVER), until.clamp(EVER, END))?;
    let (first, end) =
        span.months.map_or((String::new(), String::new()), |(a, b)| (a.to_string(), b.to_string()));
    let part = "FROM journal_entry e JOIN posting p ON p.entry_id = e.id WHERE (e.at >= $3 AND e.at < $4) OR (e.at >= $5 AND e.at < $6)";
    let text = format!(
        "SELECT account, currency, CAST(SUM(debit) AS BIGINT) AS debit, CAST(SUM(credit) AS BIGINT) AS credit FROM (\
         SELECT account, currency, debit, credit FROM account_month WHERE month >= $1 AND month < $2 \
         UNION ALL SELECT p.debit, p.currency, p.amount, 0 {part} UNION ALL SELECT p.credit, p.currency, 0, p.amount {part}\
         ) AS moved GROUP BY account, currency ORDER BY account, currency"
    );
    let (before, after) = (span.before, span.after);
    let values: [Value; 6] =
        [first.into(), end.into(), before.0.into(), before.1.into(), after.0.into(), after.1.into()];
    let rows: Vec<SumRow> = sql.all(&text, values).await?;
    rows.into_iter().map(named).collect()
}

fn named(row: SumRow) -> Result<AccountSum, Fault> {
    let account = accounts::by_code(&row.account)
        .ok_or_else(|| Fault::broken(format!("the chart has no account {}", row.account)))?;
    let balance = match account.kind.grows_by_debit() {
        true => row.debit - row.credit,
        false => row.credit - row.debit,
    };
    let (debit, credit) = (row.debit, row.credit);
    Ok(AccountSum {
        account: row.account,
        name: account.name.into(),
        kind: account.kind,
        currency: row.currency,
        debit,
        credit,
        balance,
    })
}

/// Sums by currency.
pub(crate) fn by_currency(amounts: impl Iterator<Item = (Currency, i64)>) -> Vec<CurrencyTotal> {
    let mut totals: BTreeMap<Currency, i64> = BTreeMap::new();
    for (currency, amount) in amounts {
        *totals.entry(currency).or_default() += amount;
    }
    totals.into_iter().map(|(currency, amount)| CurrencyTotal { currency, amount }).collect()
}

/// The sums of all accounts before a moment.
///
/// # Errors
/// A fault of the database.
pub async fn trial_balance(sql: &Sql, until: Timestamp) -> Result<TrialBalance, Fault> {
    let accounts = sums(sql, EVER, until).await?;
    let debits = by_currency(accounts.iter().map(|a| (a.currency, a.debit)));
    let credits = by_currency(accounts.iter().map(|a| (a.currency, a.credit)));
    let both = |(d, c): (CurrencyTotal, CurrencyTotal)| SideTotal {
        currency: d.currency,
        debit: d.amount,
        credit: c.amount,
    };
    Ok(TrialBalance { until, totals: debits.into_iter().zip(credits).map(both).collect(), accounts })
}

/// Income and expenses from a moment until before another.
///
/// # Errors
/// A fault of the database.
pub async fn profit_and_loss(sql: &Sql, from: Timestamp, until: Timestamp) -> Result<ProfitAndLoss, Fault> {
    let all = sums(sql, from, until).await?;
    let profit = by_currency(result_of(&all));
    let of = |kind| all.iter().filter(|a| a.kind == kind).cloned().collect();
    Ok(ProfitAndLoss {
        from,
        until,
        income: of(AccountKind::Income),
        expenses: of(AccountKind::Expense),
        profit,
    })
}

fn result_of(all: &[AccountSum]) -> impl Iterator<Item = (Currency, i64)> {
    all.iter().filter_map(|a| match a.kind {
        AccountKind::Income => Some((a.currency, a.balance)),
        AccountKind::Expense => Some((a.currency, -a.balance)),
        _ => None,
    })
}

/// What we own and owe before a moment, with *Customers* split by order into receivables and deposits.
///
/// # Errors
/// A fault of the database.
pub async fn balance_sheet(sql: &Sql, until: Timestamp) -> Result<BalanceSheet, Fault> {
    let all = sums(sql, EVER, until).await?;
    let customers = open_items(sql, accounts::CUSTOMERS, until).await?;
    let line = |account: Option<&str>, name: &str, total: CurrencyTotal| SheetLine {
        account: account.map(str::to_owned),
        name: name.to_owned(),
        currency: total.currency,
        amount: total.amount,
    };
    let of = |kind: AccountKind| -> Vec<SheetLine> {
        let mine =
            all.iter().filter(|a| a.kind == kind && a.account != accounts::CUSTOMERS && a.balance != 0);
        mine.map(|a| {
            line(Some(&a.account), &a.name, CurrencyTotal { currency: a.currency, amount: a.balance })
        })
        .collect()
    };
    let (mut assets, mut liabilities, mut equity) =
        (of(AccountKind::Asset), of(AccountKind::Liability), of(AccountKind::Equity));
    let owed = by_currency(customers.iter().filter(|i| i.amount > 0).map(|i| (i.currency, i.amount)));
    let held = by_currency(customers.iter().filter(|i| i.amount < 0).map(|i| (i.currency, -i.amount)));
    assets.extend(owed.into_iter().map(|t| line(Some(accounts::CUSTOMERS), "Receivables from customers", t)));
    liabilities.extend(held.into_iter().map(|t| line(Some(accounts::CUSTOMERS), "Deposits of customers", t)));
    let result = by_currency(result_of(&all)).into_iter().filter(|t| t.amount != 0);
    equity.extend(result.map(|t| line(None, "Result so far", t)));
    assets.sort_by(|a, b| (&a.account, a.currency).cmp(&(&b.account, b.currency)));
    liabilities.sort_by(|a, b| (&a.account, a.currency).cmp(&(&b.account, b.currency)));
    let total =
        |lines: &mut dyn Iterator<Item = &SheetLine>| by_currency(lines.map(|l| (l.currency, l.amount)));
    let total_assets = total(&mut assets.iter());
    let total_liabilities_and_equity = total(&mut liabilities.iter().chain(&equity));
    Ok(BalanceSheet { until, assets, liabilities, equity, total_assets, total_liabilities_and_equity })
}

/// What is left on an account before a moment, by order: the exact orders behind a clearing account that is not at zero.
///
/// # Errors
/// A fault of the database.
pub async fn open_items(sql: &Sql, account: &str, until: Timestamp) -> Result<Vec<OpenItem>, Fault> {
    let text = "SELECT order_id, currency, CAST(SUM(amount) AS BIGINT) AS amount FROM (\
        SELECT e.order_id, p.currency, p.amount FROM posting p JOIN journal_entry e ON e.id = p.entry_id WHERE p.debit = $1 AND e.at < $2 \
        UNION ALL SELECT e.order_id, p.currency, -p.amount FROM posting p JOIN journal_entry e ON e.id = p.entry_id WHERE p.credit = $1 AND e.at < $2\
        ) AS moved GROUP BY order_id, currency HAVING SUM(amount) <> 0 ORDER BY order_id, currency";
    sql.all(text, [account.into(), until.into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_span_is_cut_without_gap_or_overlap(from in 0i64..2_000_000_000_000_000, length in 0i64..200_000_000_000_000) {
            let (from, until) = (Timestamp(from), Timestamp(from + length));
            let span = decide_span(from, until).unwrap();
            prop_assert!(span.before.0 == from && span.before.0 <= span.before.1 && span.after.0 <= span.after.1 && span.after.1 == until);
            match span.months {
                None => prop_assert_eq!(span.before.1, span.after.0),
                Some((first, end)) => prop_assert!(first < end && span.before.1 == first.start() && end.start() == span.after.0),
            }
        }
    }
}
