//! Matches credited goods to the sales they came from. Invariant: a unit sold is given back at most once, only
//! by the customer who bought it, at the price it was sold for, and never before it was sold.

use std::collections::HashMap;
use std::sync::Arc;

use super::countries::Country;
use super::documents::{Charge, Document, sum};

/// A `C` invoice with goods.
#[derive(Debug, Clone)]
pub struct Credit {
    /// Invoice number.
    pub invoice: Arc<str>,
    /// µs since the epoch, UTC.
    pub at: i64,
    /// Line of its first row in the file.
    pub first_line: u64,
    /// Customer number; without one nothing can be matched.
    pub customer: Option<Arc<str>>,
    /// Destination of the credited goods.
    pub country: Country,
    /// At least one.
    pub lines: Vec<CreditLine>,
    /// Postage and the like on the same credit note.
    pub charges: Vec<Charge>,
}

impl Credit {
    /// Pence, negative as a rule.
    pub fn total(&self) -> i64 {
        sum(&self.charges) - self.lines.iter().map(|line| line.amount).sum::<i64>()
    }
}

/// One credited row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditLine {
    /// Line in the file.
    pub line: u64,
    /// Stock code.
    pub sku: Arc<str>,
    /// Units given back, positive.
    pub quantity: i64,
    /// Pence given back for all of them, positive.
    pub amount: i64,
    /// Price as in the file, millionths of a pound.
    pub price_micros: i64,
    /// Where the units were bought, latest purchase first.
    pub matches: Vec<Match>,
}

impl CreditLine {
    /// Units that came from no sale in the file: a credit without an order.
    pub fn unmatched(&self) -> i64 {
        self.quantity - self.matches.iter().map(|found| found.quantity).sum::<i64>()
    }

    /// Pence for the first `units` of the line (cumulative floor split, so that parts add up).
    pub fn amount_of(&self, units: i64) -> i64 {
        // 10^7 units × 10^15 pence is beyond 64 bits.
        let share = i128::from(self.amount) * i128::from(units) / i128::from(self.quantity.max(1));
        i64::try_from(share).unwrap_or_default()
    }

    /// Pence for the units that came from no sale.
    pub fn unmatched_amount(&self) -> i64 {
        self.amount - self.amount_of(self.quantity - self.unmatched())
    }
}

/// Units of an earlier sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Invoice number of the sale.
    pub invoice: Arc<str>,
    /// Index into the lines of the sale.
    pub sale_line: usize,
    /// Units, positive.
    pub quantity: i64,
}

type Bought = (Arc<str>, Arc<str>, i64);

struct Open {
    invoice: Arc<str>,
    sale_line: usize,
    left: i64,
}

/// Fills the matches. `documents` is in order of time; the most recent earlier purchase is given back first.
pub(super) fn match_credits(documents: &mut [Document]) {
    let mut open: HashMap<Bought, Vec<Open>> = HashMap::new();
    for document in documents {
        match document {
            Document::Sale(sale) => {
                let Some(customer) = &sale.customer else { continue };
                for (sale_line, line) in sale.lines.iter().enumerate() {
                    let bought = (Arc::clone(customer), Arc::clone(&line.sku), line.price_micros);
                    let entry = Open { invoice: Arc::clone(&sale.invoice), sale_line, left: line.quantity };
                    open.entry(bought).or_default().push(entry);
                }
            }
            Document::Credit(credit) => {
                let Some(customer) = &credit.customer else { continue };
                for line in &mut credit.lines {
                    let bought = (Arc::clone(customer), Arc::clone(&line.sku), line.price_micros);
                    if let Some(stack) = open.get_mut(&bought) {
                        line.matches = take_back(stack, line.quantity);
                    }
                }
            }
            Document::Charges(_) | Document::Stock(_) => {}
        }
    }
}

fn take_back(stack: &mut Vec<Open>, mut wanted: i64) -> Vec<Match> {
    let mut matches = Vec::new();
    while wanted > 0
        && let Some(last) = stack.last_mut()
    {
        let quantity = wanted.min(last.left);
        matches.push(Match { invoice: Arc::clone(&last.invoice), sale_line: last.sale_line, quantity });
        wanted -= quantity;
        last.left -= quantity;
        if last.left == 0 {
            stack.pop();
        }
    }
    matches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(invoice: &str, left: i64) -> Open {
        Open { invoice: invoice.into(), sale_line: 0, left }
    }

    #[test]
    fn the_latest_purchase_is_given_back_first_and_parts_are_kept() {
        let mut stack = vec![open("1", 10), open("2", 4)];
        let taken = |matches: Vec<Match>| -> Vec<(String, i64)> {
            matches.into_iter().map(|m| (m.invoice.to_string(), m.quantity)).collect()
        };
        assert_eq!(taken(take_back(&mut stack, 3)), [("2".into(), 3)]);
        assert_eq!(taken(take_back(&mut stack, 5)), [("2".into(), 1), ("1".into(), 4)]);
        assert_eq!(taken(take_back(&mut stack, 100)), [("1".into(), 6)]);
        assert!(take_back(&mut stack, 1).is_empty());
    }

    proptest! {
        #[test]
        fn no_unit_is_given_back_twice(
            sold in prop::collection::vec(1i64..50, 0..8),
            wanted in prop::collection::vec(1i64..60, 0..8),
        ) {
            let mut stack: Vec<Open> = sold.iter().map(|&left| open("1", left)).collect();
            let back: i64 = wanted.iter().flat_map(|&w| take_back(&mut stack, w)).map(|m| m.quantity).sum();
            prop_assert_eq!(back, sold.iter().sum::<i64>().min(wanted.iter().sum()));
        }

        #[test]
        fn parts_of_a_credit_add_up(quantity in 1i64..100, amount in 0i64..1_000_000, first in 0i64..100) {
            let first = first.min(quantity);
            let matched = Match { invoice: "1".into(), sale_line: 0, quantity: first };
            let line = CreditLine { line: 2, sku: "X".into(), quantity, amount, price_micros: 0, matches: vec![matched] };
            prop_assert_eq!(line.amount_of(first) + line.unmatched_amount(), amount);
        }
    }
}
