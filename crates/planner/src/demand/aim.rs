//! Whose service a service level is: each item's own, or that of all items together.
//!
//! An order that lifts stock to the quantile `p` of the demand lasts with probability `p`. But at most looks nothing is ordered: from weeks
//! that expected more, stock lies above today's quantile and lasts with more than `p`. A policy that aims at `p` item by item therefore
//! ends more than `p` of all periods without a stock-out, and holds stock for it. Together, what lies above is seen, and the others may
//! run so much more risk that the mean over all items is `p` (the aggregate service constraint of Silver, Pyke & Thomas 2017, ch. 5–6).
//! Every item's risk grows by the same factor, found by interpolation over a few; linear in items. Invariant: the factor is 1 to 3, and
//! no item's own level falls below ½; an item alone is ordered for as by itself.

use super::stock::Protection;
use serde::{Deserialize, Serialize};

/// Whose service is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// Every order of every item lasts with its probability.
    #[default]
    Each,
    /// The share of periods, over all items, that end with nothing owed.
    Together,
}

/// Factors on the risk that are tried.
const FACTORS: [f64; 6] = [1.0, 1.3, 1.65, 2.05, 2.5, 3.0];

/// An item as the aim sees it.
pub(crate) struct Item<'a> {
    pub(crate) demand: &'a Protection,
    /// On hand and on order.
    pub(crate) position: f64,
    pub(crate) service: f64,
}

impl Item<'_> {
    fn level(&self, factor: f64) -> f64 {
        self.demand.quantile((1.0 - factor * (1.0 - self.service)).max(self.service.min(0.5)))
    }

    /// Probability that it does not last, ordered for or not. Demand comes in whole units.
    fn risk(&self, factor: f64) -> f64 {
        1.0 - self.demand.below(self.level(factor).round().max(self.position) + 0.5)
    }
}

/// Whole units that each item's stock is to be lifted to.
pub(crate) fn levels(items: &[Item<'_>], aim: Aim) -> Vec<f64> {
    match aim {
        Aim::Each => items.iter().map(|i| i.demand.quantile(i.service).ceil()).collect(),
        Aim::Together => {
            let factor = factor(items);
            items.iter().map(|i| i.level(factor).round()).collect()
        }
    }
}

/// The factor at which all items together run the risk they may.
fn factor(items: &[Item<'_>]) -> f64 {
    let allowed: f64 = items.iter().map(|i| 1.0 - i.service).sum();
    let mut before: Option<(f64, f64)> = None;
    for factor in FACTORS {
        let risk: f64 = items.iter().map(|i| i.risk(factor)).sum();
        if risk >= allowed {
            return before.map_or(factor, |(last, less)| {
                last + (factor - last) * (allowed - less) / (risk - less).max(1e-12)
            });
        }
        before = Some((factor, risk));
    }
    before.map_or(1.0, |(last, _)| last)
}
