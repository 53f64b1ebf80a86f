//! The journal as plain text for hledger. Invariant: what hledger adds up from it is the trial balance, to the minor unit; it passes
//! `hledger check --strict`: every account and commodity is declared.

use crate::accounts::{ACCOUNTS, Account, AccountKind, by_code};
use crate::read::{EntryId, JournalEntry, JournalFilter, currencies, journal};
use db::Db;
use kernel::{Currency, Fault, Money, Timestamp};
use std::fmt::Write as _;

/// Entries of one piece of text.
const PAGE: i64 = 500;

/// An export under way: ask for piece after piece.
pub struct Export {
    db: Db,
    filter: JournalFilter,
    after: Option<(Timestamp, EntryId)>,
    stage: Stage,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Head,
    Entries,
    Done,
}

impl Export {
    /// The journal before a moment, or all of it.
    pub fn new(db: Db, until: Option<Timestamp>) -> Self {
        Self {
            db,
            filter: JournalFilter { until, ..JournalFilter::default() },
            after: None,
            stage: Stage::Head,
        }
    }
    /// The next piece of text, or none at the end.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn next(&mut self) -> Result<Option<String>, Fault> {
        match self.stage {
            Stage::Done => Ok(None),
            Stage::Head => {
                self.stage = Stage::Entries;
                Ok(Some(head(&currencies(self.db.read()).await?)))
            }
            Stage::Entries => {
                let entries = journal(self.db.read(), &self.filter, self.after, PAGE).await?;
                self.after = entries.last().map(|e| (e.at, e.id));
                if entries.len() < PAGE as usize {
                    self.stage = Stage::Done;
                }
                let mut text = String::new();
                for entry in &entries {
                    write_entry(&mut text, entry)?;
                }
                Ok(Some(text))
            }
        }
    }
}

/// Declarations: hledger's strict mode wants every account and commodity named before it is used.
fn head(currencies: &[Currency]) -> String {
    let mut text = "; Journal of Fulmar\n".to_owned();
    for currency in currencies {
        let digits = match currency.exponent() {
            0 => ".".to_owned(),
            n => format!(".{}", "0".repeat(n as usize)),
        };
        let _ = writeln!(text, "commodity 1000{digits} {currency}");
    }
    for account in ACCOUNTS {
        let kind = match account.kind {
            AccountKind::Asset => 'A',
            AccountKind::Liability => 'L',
            AccountKind::Equity => 'E',
            AccountKind::Income => 'R',
            AccountKind::Expense => 'X',
        };
        let _ = writeln!(text, "account {}  ; type: {kind}", full_name(account));
    }
    text.push('\n');
    text
}

fn full_name(account: &Account) -> String {
    let top = match account.kind {
        AccountKind::Asset => "assets",
        AccountKind::Liability => "liabilities",
        AccountKind::Equity => "equity",
        AccountKind::Income => "income",
        AccountKind::Expense => "expenses",
    };
    format!("{top}:{} {}", account.code, account.name)
}

fn name_of(code: &str) -> Result<String, Fault> {
    by_code(code).map(full_name).ok_or_else(|| Fault::broken(format!("the chart has no account {code}")))
}

fn write_entry(text: &mut String, entry: &JournalEntry) -> Result<(), Fault> {
    let _ = write!(text, "{} * ({}) {}", entry.at.day(), entry.id, plain(&entry.text));
    if let Some(order) = entry.order {
        let _ = write!(text, "  ; order:{}", orders::OrderId(order));
    }
    text.push('\n');
    for p in &entry.postings {
        let amount = |minor| match p.currency.exponent() {
            // A number without a decimal point is fine, and a point without digits is not needed: the commodity is declared.
            0 => format!("{minor} {}", p.currency),
            _ => Money::new(minor, p.currency).to_string(),
        };
        let _ = writeln!(text, "    {}  {}", name_of(&p.debit)?, amount(p.amount));
        let _ = writeln!(text, "    {}  {}", name_of(&p.credit)?, amount(-p.amount));
    }
    text.push('\n');
    Ok(())
}

/// A description in one line: no line breaks, no `;` that would begin a comment, no `|` that would split off a payee.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                ' '
            } else if matches!(c, ';' | '|') {
                ','
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::JournalPosting;

    #[test]
    fn an_entry_is_written_with_the_digits_of_its_currency() {
        let row = |currency: &str, amount| JournalPosting {
            debit: "1100".into(),
            credit: "4000".into(),
            currency: currency.parse().unwrap(),
            amount,
        };
        let entry = JournalEntry {
            id: EntryId(7),
            at: Timestamp(0),
            event: None,
            order: None,
            text: "Lost; found|\nagain".into(),
            postings: vec![row("EUR", 1234), row("JPY", 50), row("KWD", 1)],
        };
        let mut text = String::new();
        write_entry(&mut text, &entry).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "1970-01-01 * (jrn_0000000000007) Lost, found, again");
        assert_eq!(
            lines[1..5],
            [
                "    assets:1100 Customers  12.34 EUR",
                "    income:4000 Sales  -12.34 EUR",
                "    assets:1100 Customers  50 JPY",
                "    income:4000 Sales  -50 JPY"
            ]
        );
        assert!(lines[5].ends_with("0.001 KWD"));
    }
}
