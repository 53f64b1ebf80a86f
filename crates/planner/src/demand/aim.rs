//! Whose service a service level is: each item's own, or that of all items together.
//!
//! An order that lifts stock to the quantile `p` of the demand lasts with probability `p`. But at most looks nothing is ordered: from weeks
//! that expected more, stock lies above today's quantile and lasts with more than `p`. A policy that aims at `p` item by item therefore
//! ends more than `p` of all periods without a stock-out, and holds stock for it. Together, what lies above is seen, and the others may
//! run so much more risk that the mean over all items is `p` (the aggregate service constraint of Silver, Pyke & Thomas 2017, ch. 5–6).
//! Every item's risk grows by the same factor, found by interpolation over a few; linear in items.
//!
//! Where demand outgrows its forecast, more goes wrong than was expected. How much more did lately is taken for what will (a level that
//! corrects itself by what it missed, as in I. Gibbs & E. Candès, *Adaptive Conformal Inference Under Distribution Shift*, 2021).
//! Invariant: the factor is ¼ to 3, and no item's own level falls below ½.

use super::stock::Protection;
use serde::{Deserialize, Serialize};

/// Whose service is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// Every order of every item lasts with its probability.
    #[default]
    Each,
    /// The share of periods, over all items, that end with nothing owed.
    Together {
        /// Item-periods of late that were expected to end with something owed: the sum of 1 − `service` of the orders planned for
        /// them; 0 if nothing is known.
        #[serde(default)]
        expected: f64,
        /// How many did.
        #[serde(default)]
        missed: f64,
    },
}

/// Factors on the risk that are tried.
const FACTORS: [f64; 10] = [0.25, 0.4, 0.6, 0.8, 1.0, 1.3, 1.65, 2.05, 2.5, 3.0];
/// Least and most that what went wrong lately may be of what was expected.
const CORRECTION: (f64, f64) = (0.4, 2.5);

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

    /// Probability that it does not last when lifted to a level, or left where it is if that is more. Demand comes in whole units.
    fn risk_at(&self, level: f64) -> f64 {
        let stock = level.max(self.position);
        if stock < 0.0 { 1.0 } else { 1.0 - self.demand.below(stock + 0.5) }
    }
}

/// Whole units that each item's stock is to be lifted to.
pub(crate) fn levels(items: &[Item<'_>], aim: Aim) -> Vec<f64> {
    match aim {
        Aim::Each => items.iter().map(|i| i.demand.quantile(i.service).ceil()).collect(),
        Aim::Together { expected, missed } => {
            let allowed: f64 = items.iter().map(|i| 1.0 - i.service).sum();
            // One period as promised is believed before anything was seen.
            let correction = (missed.max(0.0) + allowed) / (expected.max(0.0) + allowed).max(1e-9);
            let factor = factor(items, allowed / correction.clamp(CORRECTION.0, CORRECTION.1));
            items.iter().map(|i| i.level(factor).round()).collect()
        }
    }
}

/// What all items together run the risk of, in items, when lifted to these levels.
pub(crate) fn risk(items: &[Item<'_>], levels: &[f64]) -> f64 {
    items.iter().zip(levels).map(|(i, level)| i.risk_at(*level)).sum()
}

/// The factor at which all items together run the risk they may.
fn factor(items: &[Item<'_>], allowed: f64) -> f64 {
    let risk = |factor: f64| items.iter().map(|i| i.risk_at(i.level(factor).round())).sum::<f64>();
    // More factor, more risk: the first that is too much is found by halving.
    let (mut below, mut above) = (None, None);
    let (mut from, mut to) = (0, FACTORS.len());
    while from < to {
        let middle = usize::midpoint(from, to);
        let found = (FACTORS[middle], risk(FACTORS[middle]));
        if found.1 < allowed {
            (below, from) = (Some(found), middle + 1);
        } else {
            (above, to) = (Some(found), middle);
        }
    }
    match (below, above) {
        (Some((low, less)), Some((high, more))) => {
            low + (high - low) * (allowed - less) / (more - less).max(1e-12)
        }
        (Some((only, _)), None) | (None, Some((only, _))) => only,
        (None, None) => 1.0,
    }
}
