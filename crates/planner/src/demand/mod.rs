//! Demand: how much of each item will be asked for, how sure that is, and what stock follows from it.
//!
//! **Problem.** Per SKU and location a history of equal periods (weeks, days, months), most of it zeros and a few very large orders. Wanted: a
//! number per future period, an interval that holds it, and the total over a lead time at a service level.
//!
//! **Method.** One model of all items instead of one per item (`pooled`): histories are divided by their level and, with two seasons or
//! more, by seasonal indices (`season`); a quantile regression forest (Meinshausen 2006) gives the distribution, and boosted trees on the
//! absolute error (Friedman 2001) share the median with it. Two numbers come out, for two uses: the *median*, which has the least
//! absolute error and is far below the mean for skewed counts, and the *mean*, which adds up and is what stock is bought for. Items
//! without a past of their own get their group's level; panels too small to learn from lean on a geometric distribution.
//! Intervals are the shorter of the two-sided and the one that begins at zero. `peers` has the textbook methods to compare with,
//! `stock` what to order (`aim`: whose service is meant), `classes` ABC/XYZ and counting, `policy` a simulation of the whole.
//!
//! **Complexity.** Fitting: rows (≤ 120,000) × trees (120) × depth; forecasting: trees × depth an item. About 3 s for 3,500 items.
//!
//! **Limits.** No prices, promotions or substitution; a season is seen only after two of them; demand that stock-outs hid is not put back.
//!
//! **Invariant**: what comes out is finite and ≥ 0, `low ≤ median ≤ high`, and depends on input and seed alone; a bad history is refused
//! by its reason and leaves the others as they are.

pub mod aim;
pub mod classes;
mod features;
pub mod peers;
pub mod policy;
mod pooled;
mod season;
pub mod stock;
pub(crate) mod trees;

use pooled::{Distribution, Fit, Pooled, Target};
use season::Seasons;
use serde::{Deserialize, Serialize};

/// The history of one SKU at one location.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Items of one group (category, supplier) share seasons and the level of what is new; 0 if nothing is known.
    #[serde(default)]
    pub group: u32,
    /// Units asked for per period, oldest first, from the first period on sale to the last complete one.
    pub units: Vec<f64>,
    /// Orders that asked for it per period; empty if not known. Tells one order of 500 from fifty of 10.
    #[serde(default)]
    pub orders: Vec<f64>,
}

/// What to forecast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Periods ahead, 1 to 52.
    pub horizon: usize,
    /// Share of outcomes the interval should hold, 0.5 to 0.99.
    pub coverage: f64,
    /// Periods of a season: 52 for weeks, 12 for months.
    pub season: usize,
    /// Seed of the trees.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { horizon: 4, coverage: 0.9, season: 52, seed: 1 }
    }
}

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unfit {
    /// No period at all.
    #[error("there is no history: give at least one period")]
    NoHistory,
    /// A number that is negative, infinite or above 10¹².
    #[error("period {period} has {value}: units are between 0 and 1e12 (book returns separately)")]
    NotAQuantity {
        /// Counted from 0.
        period: usize,
        /// What was there.
        value: String,
    },
    /// Orders are known for some periods only.
    #[error("{orders} periods of orders beside {units} of units: give as many, or none")]
    OrdersDoNotMatch {
        /// Periods of units.
        units: usize,
        /// Periods of orders.
        orders: usize,
    },
    /// An option is outside of what can be done.
    #[error("{option} is {value}: {allowed}")]
    Option {
        /// Which.
        option: String,
        /// What was there.
        value: String,
        /// What would be right.
        allowed: String,
    },
}

/// How an item sells (Syntetos & Boylan 2005: mean interval 1.32, squared coefficient of variation 0.49).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Fewer than eight periods of history.
    New,
    /// Nothing sold in the last 26 periods.
    Dormant,
    /// Often and evenly.
    Smooth,
    /// Often, in changing sizes.
    Erratic,
    /// Seldom, in even sizes.
    Intermittent,
    /// Seldom and in changing sizes.
    Lumpy,
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::New => "new: forecast from its group and its first periods",
            Self::Dormant => "dormant: nothing sold in the last 26 periods",
            Self::Smooth => "smooth: sells often and evenly",
            Self::Erratic => "erratic: sells often, in very different quantities",
            Self::Intermittent => "intermittent: sells seldom, in even quantities",
            Self::Lumpy => "lumpy: sells seldom, in very different quantities",
        })
    }
}

/// One future period, in units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// As likely above as below: the least absolute error.
    pub median: f64,
    /// Expected units: adds up over items and periods.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The forecast of one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// How it sells.
    pub pattern: Pattern,
    /// How much the season moves it, 0 (not, or not known) to 1.
    pub seasonal: f64,
    /// Next period first.
    pub periods: Vec<Period>,
}

/// Forecasts a panel: items that end in the same period. One outcome each, in order.
pub fn forecast(panel: &[Series], options: Options) -> Vec<Result<Forecast, Unfit>> {
    if let Err(unfit) = check_options(options) {
        return panel.iter().map(|_| Err(unfit.clone())).collect();
    }
    let outcomes: Vec<Result<(), Unfit>> = panel.iter().map(check).collect();
    let good: Vec<Series> =
        panel.iter().zip(&outcomes).filter(|(_, o)| o.is_ok()).map(|(s, _)| s.clone()).collect();
    let model = Model::fit(&good, Target::Period, options);
    let mut number = 0;
    outcomes
        .into_iter()
        .map(|outcome| {
            outcome.map(|()| {
                number += 1;
                model.item(&good[number - 1], number - 1)
            })
        })
        .collect()
}

/// A panel that was learned from, without its seasons.
pub(crate) struct Model {
    seasons: Seasons,
    pooled: Pooled,
    options: Options,
}

impl Model {
    /// Fits; every series must have passed `check`.
    pub(crate) fn fit(panel: &[Series], target: Target, options: Options) -> Self {
        let seasons = Seasons::of(panel, options.season);
        let flat: Vec<Series> = panel.iter().enumerate().map(|(i, s)| seasons.flatten(i, s)).collect();
        let fit = Fit {
            target,
            horizon: options.horizon,
            origins: 20,
            rows: 120_000,
            forest: 40,
            boosts: if target == Target::Period { 80 } else { 0 },
            seed: options.seed,
        };
        Self { seasons, pooled: Pooled::fit(&flat, fit), options }
    }

    /// The distribution of period `span`, or of the sum of the next `span`, of the item with this number in the fitted panel; its history
    /// may have grown since.
    pub(crate) fn distribution(&self, item: usize, series: &Series, span: usize) -> Distribution {
        let flat = self.seasons.flatten(item, series);
        let index = self.seasons.ahead(item, series, span, self.pooled.target() == Target::Sum);
        self.pooled.forecast(&flat, span).times(index)
    }

    fn item(&self, series: &Series, item: usize) -> Forecast {
        let periods = (1..=self.options.horizon)
            .map(|span| {
                let d = self.distribution(item, series, span);
                let (low, high) = interval(&d, self.options.coverage);
                Period { median: d.median().clamp(low, high), mean: d.mean(), low, high }
            })
            .collect();
        Forecast { pattern: pattern(&series.units), seasonal: self.seasons.strength(item), periods }
    }
}

/// Whole units: from zero where nothing is likely enough, else with equal tails.
fn interval(d: &Distribution, coverage: f64) -> (f64, f64) {
    let tail = (1.0 - coverage) / 2.0;
    if d.none() >= tail {
        return (0.0, d.quantile(coverage).round());
    }
    (d.quantile(tail).floor(), d.quantile(1.0 - tail).round())
}

/// How an item sells.
pub fn pattern(units: &[f64]) -> Pattern {
    let tail = &units[units.len() - units.len().min(26)..];
    let sold: Vec<f64> = tail.iter().copied().filter(|x| *x > 0.0).collect();
    if units.len() < 8 {
        return Pattern::New;
    }
    if sold.is_empty() {
        return Pattern::Dormant;
    }
    let interval = tail.len() as f64 / sold.len() as f64;
    let mean = sold.iter().sum::<f64>() / sold.len() as f64;
    let variance = sold.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / sold.len() as f64;
    match (interval < 1.32, variance / (mean * mean) < 0.49) {
        (true, true) => Pattern::Smooth,
        (true, false) => Pattern::Erratic,
        (false, true) => Pattern::Intermittent,
        (false, false) => Pattern::Lumpy,
    }
}

/// Whether a history can be learned from.
pub(crate) fn check(series: &Series) -> Result<(), Unfit> {
    if series.units.is_empty() {
        return Err(Unfit::NoHistory);
    }
    if !series.orders.is_empty() && series.orders.len() != series.units.len() {
        return Err(Unfit::OrdersDoNotMatch { units: series.units.len(), orders: series.orders.len() });
    }
    for numbers in [&series.units, &series.orders] {
        if let Some(period) = numbers.iter().position(|x| !(0.0..=1e12).contains(x)) {
            return Err(Unfit::NotAQuantity { period, value: numbers[period].to_string() });
        }
    }
    Ok(())
}

pub(crate) fn check_options(options: Options) -> Result<(), Unfit> {
    let wrong = |option: &str, value: String, allowed: &str| {
        Err(Unfit::Option { option: option.into(), value, allowed: allowed.into() })
    };
    if !(1..=52).contains(&options.horizon) {
        return wrong("horizon", options.horizon.to_string(), "1 to 52 periods");
    }
    if !(0.5..=0.99).contains(&options.coverage) {
        return wrong("coverage", options.coverage.to_string(), "0.5 to 0.99");
    }
    if !(2..=366).contains(&options.season) {
        return wrong("season", options.season.to_string(), "2 to 366 periods");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
