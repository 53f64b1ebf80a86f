//! Seasonal indices, shrunk to what repeats. Invariant: an index is between 1/20 and 20, and 1 where fewer than two seasons are known.
//!
//! Classical multiplicative decomposition: a period over the season-long mean around it, averaged over the years, per group; an item's own
//! indices count as far as it has units to tell from (Dalhart 1974; Chen & Boylan 2007 on when the group knows better). How far indices
//! are believed is the correlation of one year's profile with the next one's: noise does not repeat. Linear in the history.

use super::Series;
use std::collections::BTreeMap;

/// The indices of a panel.
#[derive(Debug, Clone)]
pub(crate) struct Seasons {
    season: usize,
    /// Per item: indices by (period counted back from the fitted end) mod season, and how far they are believed.
    items: Vec<Option<(Vec<f64>, f64)>>,
    /// Length of each item's history when fitted.
    lengths: Vec<usize>,
}

/// Units of its own at which an item is believed as much as its group.
const OWN_UNITS: f64 = 2_000.0;

impl Seasons {
    /// Of a panel whose series end in the same period.
    pub(crate) fn of(panel: &[Series], season: usize) -> Self {
        let mut totals: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for series in panel.iter().filter(|s| s.units.len() >= 2 * season) {
            let total = totals.entry(series.group).or_default();
            if total.len() < series.units.len() {
                total.resize(series.units.len(), 0.0);
            }
            for (sum, x) in total.iter_mut().zip(series.units.iter().rev()) {
                *sum += x;
            }
        }
        let groups: BTreeMap<u32, (Vec<f64>, f64)> =
            totals.into_iter().filter_map(|(g, back)| Some((g, profile(&back, season)?))).collect();
        let item = |series: &Series| {
            let (shared, believed) = groups.get(&series.group)?;
            let back: Vec<f64> = series.units.iter().rev().copied().collect();
            let Some((own, own_believed)) = profile(&back, season) else {
                return Some((mix(shared, *believed, shared, 0.0), *believed));
            };
            let units: f64 = series.units.iter().sum();
            let weight = own_believed * units / (units + OWN_UNITS);
            let believed = believed.max(weight);
            Some((mix(shared, believed, &own, weight), believed))
        };
        Self {
            season,
            items: panel.iter().map(item).collect(),
            lengths: panel.iter().map(|s| s.units.len()).collect(),
        }
    }

    /// The history without its season.
    pub(crate) fn flatten(&self, item: usize, series: &Series) -> Series {
        let Some((indices, _)) = self.items.get(item).and_then(Option::as_ref) else { return series.clone() };
        let units = series.units.iter().enumerate().map(|(t, x)| x / indices[self.slot(item, t)]).collect();
        Series { units, ..series.clone() }
    }

    /// Mean index of the periods ahead: of the n-th alone, or of all up to it.
    pub(crate) fn ahead(&self, item: usize, series: &Series, span: usize, sum: bool) -> f64 {
        let Some((indices, _)) = self.items.get(item).and_then(Option::as_ref) else { return 1.0 };
        let at = |s: usize| indices[self.slot(item, series.units.len() + s - 1)];
        if sum { (1..=span).map(at).sum::<f64>() / span as f64 } else { at(span) }
    }

    /// How far the season of an item is believed.
    pub(crate) fn strength(&self, item: usize) -> f64 {
        self.items.get(item).and_then(Option::as_ref).map_or(0.0, |(_, strength)| *strength)
    }

    /// Place in the season of period `t` (from 0) of an item.
    fn slot(&self, item: usize, t: usize) -> usize {
        let back = self.lengths[item] as i64 - 1 - t as i64;
        back.rem_euclid(self.season as i64) as usize
    }
}

fn mix(shared: &[f64], believed: f64, own: &[f64], weight: f64) -> Vec<f64> {
    let index = |(s, o): (&f64, &f64)| {
        let ratio = (1.0 - weight) * s + weight * o;
        (1.0 + believed * (ratio - 1.0)).clamp(0.05, 20.0)
    };
    shared.iter().zip(own).map(index).collect()
}

/// Profile and belief from a history in reverse (latest first). Two whole seasons at least.
fn profile(back: &[f64], season: usize) -> Option<(Vec<f64>, f64)> {
    let years = back.len() / season;
    if years < 2 {
        return None;
    }
    let yearly: Vec<Vec<f64>> = (0..years)
        .map(|year| {
            let block = &back[year * season..(year + 1) * season];
            let mean = (block.iter().sum::<f64>() / season as f64).max(1e-9);
            // A trend within the block would look like a season: it is taken out with the line through neighbouring means.
            let older = back.get((year + 1) * season..(year + 2) * season);
            let newer = (year > 0).then(|| &back[(year - 1) * season..year * season]);
            let mean_of = |b: &[f64]| b.iter().sum::<f64>() / season as f64;
            let slope = match (older, newer) {
                (Some(o), Some(n)) => (mean_of(o) - mean_of(n)) / 2.0,
                (Some(o), None) => mean_of(o) - mean,
                (None, Some(n)) => mean - mean_of(n),
                (None, None) => 0.0,
            } / season as f64;
            let middle = (season as f64 - 1.0) / 2.0;
            let line = |k: usize| (mean + slope * (k as f64 - middle)).max(mean * 0.2);
            smooth(&block.iter().enumerate().map(|(k, x)| x / line(k)).collect::<Vec<f64>>())
        })
        .collect();
    let pairs = (years - 1) as f64;
    let belief = yearly.windows(2).map(|w| correlation(&w[0], &w[1])).sum::<f64>() / pairs;
    let mut mean: Vec<f64> =
        (0..season).map(|k| yearly.iter().map(|y| y[k]).sum::<f64>() / years as f64).collect();
    let level = (mean.iter().sum::<f64>() / season as f64).max(1e-9);
    mean.iter_mut().for_each(|x| *x /= level);
    Some((mean, belief.clamp(0.0, 1.0)))
}

/// Mean with the neighbours around the circle (1-2-1), for seasons long enough that a neighbour says something.
fn smooth(profile: &[f64]) -> Vec<f64> {
    let n = profile.len();
    if n < 24 {
        return profile.to_vec();
    }
    (0..n).map(|k| 0.25 * profile[(k + n - 1) % n] + 0.5 * profile[k] + 0.25 * profile[(k + 1) % n]).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| f(x - ma, y - mb)).sum::<f64>();
    let scale = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    if scale < 1e-12 { 0.0 } else { sum(&|x, y| x * y) / scale }
}
