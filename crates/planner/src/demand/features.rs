//! What a history says about the next periods, free of its size. Invariant: a row is made of the periods before its origin alone.
//!
//! Every quantity is divided by the item's level, so that what is learned from one item holds for another (global models: Montero-Manso
//! & Hyndman 2021). A new item's level is shrunk towards its group's.

use super::Series;
use super::peers::{mean_of_last, ses};

/// What all items together say at one origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool {
    /// Total of the last 4 periods over that of the last 13, per period.
    pub(crate) trend: f64,
    /// Last period over the last 4.
    pub(crate) jump: f64,
    /// Mean rate of an item, per group.
    pub(crate) rates: std::collections::BTreeMap<u32, f64>,
}

impl Pool {
    /// The pool `back` periods before the end of every series.
    pub(crate) fn at(panel: &[Series], back: usize) -> Self {
        let (mut sums, mut pool) = ([0.0f64; 3], Self::default());
        let mut groups: std::collections::BTreeMap<u32, (f64, f64)> = std::collections::BTreeMap::new();
        for series in panel.iter().filter(|s| s.units.len() > back) {
            let history = &series.units[..series.units.len() - back];
            for (sum, n) in sums.iter_mut().zip([1usize, 4, 13]) {
                *sum += mean_of_last(history, n);
            }
            let group = groups.entry(series.group).or_default();
            group.0 += mean_of_last(history, 8);
            group.1 += 1.0;
        }
        let over = |a: f64, b: f64| if b > 0.0 { a / b } else { 1.0 };
        (pool.trend, pool.jump) = (over(sums[1], sums[2]), over(sums[0], sums[1]));
        pool.rates = groups.into_iter().map(|(group, (sum, n))| (group, sum / n)).collect();
        pool
    }
}

/// Level of an item: what its quantities are divided by. Half recent, half longer, with half a period of its group's rate. Above zero.
pub(crate) fn level(history: &[f64], group_rate: f64) -> f64 {
    let part = |n: usize| {
        let n = n.min(history.len());
        (mean_of_last(history, n) * n as f64 + 0.5 * group_rate) / (n as f64 + 0.5)
    };
    (0.5 * part(4) + 0.5 * part(13)).max(1e-3)
}

/// The features of an origin and what is to be forecast: `span` is the horizon of one period or the length of a sum.
pub(crate) fn row(history: &[f64], orders: &[f64], level: f64, pool: &Pool, span: usize) -> Vec<f64> {
    let n = history.len();
    let share = |k: usize| {
        let tail = &history[n - k.min(n)..];
        tail.iter().filter(|x| **x > 0.0).count() as f64 / tail.len().max(1) as f64
    };
    let since = history.iter().rev().position(|x| *x > 0.0).unwrap_or(n) as f64;
    let tail = &history[n - n.min(13)..];
    let top = tail.iter().copied().fold(0.0, f64::max);
    let mut row = vec![
        level.ln(),
        history[n - 1] / level,
        if n > 1 { history[n - 2] / level } else { -1.0 },
        mean_of_last(history, 2) / level,
        mean_of_last(history, 4) / level,
        mean_of_last(history, 8) / level,
        mean_of_last(history, 26) / level,
        ses(history, 0.1) / level,
        median_of_last(history, 5) / level,
        median_of_last(history, 13) / level,
        share(4),
        share(13),
        since.min(26.0),
        (n as f64).min(52.0),
        top / level,
        span as f64,
        pool.trend,
        pool.jump,
    ];
    let rate = |k: usize| if orders.is_empty() { -1.0 } else { mean_of_last(orders, k) };
    row.extend([rate(1), rate(4), rate(13)]);
    let a_year_ago =
        |k: usize| n.checked_sub(52 + k).map(|from| mean_of_last(&history[..(from + span).min(n)], span));
    let year = a_year_ago(0).zip(a_year_ago(4).or(a_year_ago(0)));
    row.push(year.map_or(-1.0, |(now, before)| (now + 0.1 * level) / (before + 0.1 * level)));
    row
}

/// Median of the last `n` periods.
pub(crate) fn median_of_last(history: &[f64], n: usize) -> f64 {
    let mut tail = history[history.len() - n.min(history.len())..].to_vec();
    tail.sort_by(f64::total_cmp);
    if tail.is_empty() { 0.0 } else { f64::midpoint(tail[(tail.len() - 1) / 2], tail[tail.len() / 2]) }
}
