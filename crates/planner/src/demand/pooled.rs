//! One model of all items: a forest that gives the whole distribution, and boosted trees that give the median. Invariant: what is
//! forecast is finite and ≥ 0, and depends on the histories and the seed alone.
//!
//! Quantile regression forest (Meinshausen 2006) on targets over level, leaves kept as histograms of ratios; gradient boosting on the
//! absolute error (Friedman 2001, LAD) weighted by level, which is the error that WAPE counts. Linear in rows × trees × depth.

use super::Series;
use super::features::{Pool, level, row};
use super::trees::{Draw, Shape, Table, Tree};

/// What is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The demand of the n-th period from now.
    Period,
    /// The mean demand per period of the next n.
    Sum,
}

/// Knobs of the fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fit {
    pub(crate) target: Target,
    /// Horizons 1 … this.
    pub(crate) horizon: usize,
    /// Origins looked back to.
    pub(crate) origins: usize,
    /// Rows at most.
    pub(crate) rows: usize,
    pub(crate) forest: usize,
    pub(crate) boosts: usize,
    pub(crate) seed: u64,
}

/// Rows that the prior counts for.
const PRIOR_ROWS: f64 = 30.0;

/// Rows from which boosting has enough to learn from.
const BOOSTED_FROM: usize = 3_000;

/// Bins of the ratio target / level: bin 0 is zero, the others are logarithmic from 1/64 to 64.
const RATIOS: usize = 73;

fn ratio_bin(ratio: f64) -> usize {
    if ratio <= 0.0 {
        return 0;
    }
    let at = (ratio.log2() + 6.0) * 6.0;
    1 + (at.max(0.0) as usize).min(RATIOS - 2)
}

fn ratio_of(bin: f64) -> f64 {
    ((bin - 1.0) / 6.0 - 6.0).exp2()
}

struct Rows {
    features: Vec<Vec<f64>>,
    levels: Vec<f64>,
    targets: Vec<f64>,
    series: Vec<u32>,
}

impl Rows {
    /// About this share of the rows. Whole items are in or out where there are many: rows of one item are too alike to judge each other.
    fn sample(&self, share: f64, draw: &mut Draw) -> Vec<u32> {
        let salt = draw.bits();
        let many = self.series.iter().max().is_some_and(|last| *last >= 50);
        let key = |r: u32| u64::from(if many { self.series[r as usize] } else { r });
        let all = 0..self.targets.len() as u32;
        all.filter(|r| Draw::new(salt ^ key(*r)).unit() < share).collect()
    }
}

/// A fitted model.
pub(crate) struct Pooled {
    table: Table,
    forest: Vec<(Tree, Vec<Vec<f32>>)>,
    boosts: Vec<(Tree, Vec<f64>)>,
    start: f64,
    learned: usize,
    fit: Fit,
    pool: Pool,
}

/// A forecast of one period or sum.
#[derive(Debug, Clone)]
pub(crate) struct Distribution {
    level: f64,
    weights: Vec<f32>,
    /// Median by boosting.
    boosted: Option<f64>,
}

impl Pooled {
    /// Learns from every item's past. Without any, the prior is all there is.
    pub(crate) fn fit(panel: &[Series], fit: Fit) -> Self {
        let rows = gather(panel, fit);
        let pool = Pool::at(panel, 0);
        let learned = rows.targets.len();
        if learned < 20 {
            return Self {
                table: Table::default(),
                forest: vec![],
                boosts: vec![],
                start: 0.0,
                learned: 0,
                fit,
                pool,
            };
        }
        let table = Table::new(&rows.features);
        let mut draw = Draw::new(fit.seed);
        let forest = (0..fit.forest).map(|_| grow_distribution(&table, &rows, &mut draw)).collect();
        let rounds = if learned < BOOSTED_FROM { 0 } else { fit.boosts };
        let (start, boosts) = boost(&table, &rows, rounds, &mut draw);
        Self { table: table.without_rows(), forest, boosts, start, learned, fit, pool }
    }

    /// What it was fitted for.
    pub(crate) fn target(&self) -> Target {
        self.fit.target
    }

    /// The distribution for one item, `span` as the fit's target says.
    pub(crate) fn forecast(&self, series: &Series, span: usize) -> Distribution {
        let rate = self.pool.rates.get(&series.group).copied().unwrap_or(0.0);
        let level = level(&series.units, rate);
        let times = if self.fit.target == Target::Sum { span as f64 } else { 1.0 };
        let prior = PRIOR_ROWS / (PRIOR_ROWS + self.learned as f64);
        let mut weights = geometric(level * times);
        if self.learned == 0 {
            return Distribution { level: level * times, weights, boosted: None };
        }
        let bins = self.table.bins(&row(&series.units, &series.orders, level, &self.pool, span));
        weights.iter_mut().for_each(|w| *w *= prior as f32);
        let each = ((1.0 - prior) / self.forest.len() as f64) as f32;
        for (tree, leaves) in &self.forest {
            for (sum, part) in weights.iter_mut().zip(&leaves[tree.leaf(&bins)]) {
                *sum += part * each;
            }
        }
        let ratio = self.start + self.boosts.iter().map(|(tree, v)| v[tree.leaf(&bins)]).sum::<f64>();
        let boosted = (!self.boosts.is_empty()).then(|| (ratio * level * times).max(0.0));
        Distribution { level: level * times, weights, boosted }
    }
}

/// Geometric with this mean: as spread out as demand commonly is, for when nothing was learned.
fn geometric(mean: f64) -> Vec<f32> {
    let mut weights = vec![0.0f32; RATIOS];
    let stop = 1.0 / (1.0 + mean);
    weights[0] = stop as f32;
    let above = |x: f64| (1.0 - stop).powf(x);
    let mut left = 1.0 - stop;
    for (bin, weight) in weights.iter_mut().enumerate().skip(1) {
        let beyond = if bin == RATIOS - 1 {
            0.0
        } else {
            above((mean * ratio_of(bin as f64 + 1.0)).max(1.0)).min(left)
        };
        *weight = (left - beyond) as f32;
        left = beyond;
    }
    weights
}

impl Distribution {
    /// The same, in a season so many times as strong.
    pub(crate) fn times(self, index: f64) -> Self {
        Self { level: self.level * index, boosted: self.boosted.map(|b| b * index), ..self }
    }

    /// Half forest, half boosting: each errs where the other does not.
    pub(crate) fn median(&self) -> f64 {
        let forest = self.quantile(0.5);
        self.boosted.map_or(forest, |b| f64::midpoint(b, forest))
    }

    /// Probability that no more than this is asked for.
    pub(crate) fn below(&self, demand: f64) -> f64 {
        let mut sum = 0.0;
        for (bin, weight) in self.weights.iter().enumerate() {
            let (from, to) =
                if bin == 0 { (0.0, 0.0) } else { (ratio_of(bin as f64), ratio_of(bin as f64 + 1.0)) };
            let (from, to) = (from * self.level, to * self.level);
            let within = if demand >= to { 1.0 } else { ((demand - from) / (to - from)).clamp(0.0, 1.0) };
            sum += f64::from(*weight) * within;
        }
        sum
    }

    /// The smallest demand that is not exceeded with this probability; between bins by interpolation.
    pub(crate) fn quantile(&self, p: f64) -> f64 {
        let mut below = 0.0f64;
        for (bin, weight) in self.weights.iter().enumerate() {
            let weight = f64::from(*weight);
            if below + weight >= p && weight > 0.0 {
                let within = ((p - below) / weight).clamp(0.0, 1.0);
                return if bin == 0 { 0.0 } else { self.level * ratio_of(bin as f64 + within) };
            }
            below += weight;
        }
        self.level * ratio_of(RATIOS as f64)
    }

    /// Mean.
    pub(crate) fn mean(&self) -> f64 {
        let of =
            |(bin, w): (usize, &f32)| if bin == 0 { 0.0 } else { ratio_of(bin as f64 + 0.5) * f64::from(*w) };
        self.weights.iter().enumerate().map(of).sum::<f64>() * self.level
    }

    /// Probability of no demand.
    pub(crate) fn none(&self) -> f64 {
        f64::from(self.weights[0])
    }
}

fn gather(panel: &[Series], fit: Fit) -> Rows {
    let mut rows = Rows { features: vec![], levels: vec![], targets: vec![], series: vec![] };
    let possible: usize = (1..=fit.origins)
        .map(|back| panel.iter().filter(|s| s.units.len() > back).count() * back.min(fit.horizon))
        .sum();
    let keep = fit.rows as f64 / possible.max(1) as f64;
    let mut draw = Draw::new(fit.seed ^ 0x5eed);
    for back in 1..=fit.origins {
        let pool = Pool::at(panel, back);
        for (number, series) in panel.iter().enumerate().filter(|(_, s)| s.units.len() > back) {
            let now = series.units.len() - back;
            let history = &series.units[..now];
            let orders = series.orders.get(..now).unwrap_or_default();
            let rate = pool.rates.get(&series.group).copied().unwrap_or(0.0);
            let level = level(history, rate);
            for span in 1..=back.min(fit.horizon) {
                if draw.unit() >= keep {
                    continue;
                }
                let ahead = &series.units[now..now + span];
                rows.targets.push(match fit.target {
                    Target::Period => ahead[span - 1],
                    Target::Sum => ahead.iter().sum::<f64>() / span as f64,
                });
                rows.features.push(row(history, orders, level, &pool, span));
                rows.levels.push(level);
                rows.series.push(number as u32);
            }
        }
    }
    rows
}

fn grow_distribution(table: &Table, rows: &Rows, draw: &mut Draw) -> (Tree, Vec<Vec<f32>>) {
    let sample = rows.sample(0.6, draw);
    let ratio = |r: usize| rows.targets[r] / rows.levels[r];
    let goal: Vec<f64> = (0..table.rows()).map(|r| ratio(r).min(64.0).ln_1p()).collect();
    let weight = vec![1.0; table.rows()];
    let mean = goal.iter().sum::<f64>() / goal.len() as f64;
    let gradient: Vec<f64> = goal.iter().map(|g| g - mean).collect();
    let shape = Shape { depth: 12, leaf: 40.min(rows.targets.len() / 20).max(1), tried: 0.4 };
    let (tree, leaves) = Tree::grow(table, sample, &gradient, &weight, shape, draw);
    let histogram = |leaf: &Vec<u32>| {
        let mut h = vec![0.0f32; RATIOS];
        let one = 1.0 / leaf.len().max(1) as f32;
        leaf.iter().for_each(|r| h[ratio_bin(ratio(*r as usize))] += one);
        h
    };
    let leaves = leaves.iter().map(histogram).collect();
    (tree, leaves)
}

fn boost(table: &Table, rows: &Rows, rounds: usize, draw: &mut Draw) -> (f64, Vec<(Tree, Vec<f64>)>) {
    const RATE: f64 = 0.1;
    let n = table.rows();
    let ratio: Vec<f64> = (0..n).map(|r| rows.targets[r] / rows.levels[r]).collect();
    let weight: Vec<f64> = rows.levels.iter().map(|l| l.powf(0.7)).collect();
    let all: Vec<u32> = (0..n as u32).collect();
    let start = weighted_median(&all, &ratio, &weight);
    let mut left: Vec<f64> = ratio.iter().map(|r| r - start).collect();
    let shape = Shape { depth: 5, leaf: 200.min(n / 20).max(1), tried: 0.5 };
    let mut trees = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let gradient: Vec<f64> = left.iter().zip(&weight).map(|(l, w)| w * l.signum()).collect();
        let sample = rows.sample(0.5, draw);
        let (tree, leaves) = Tree::grow(table, sample, &gradient, &weight, shape, draw);
        let values: Vec<f64> =
            leaves.iter().map(|leaf| RATE * weighted_median(leaf, &left, &weight)).collect();
        for r in 0..n {
            left[r] -= values[tree.leaf_of(table, r)];
        }
        trees.push((tree, values));
    }
    (start, trees)
}

fn weighted_median(rows: &[u32], value: &[f64], weight: &[f64]) -> f64 {
    let mut pairs: Vec<(f64, f64)> = rows.iter().map(|r| (value[*r as usize], weight[*r as usize])).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = pairs.iter().map(|p| p.1).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    for (v, w) in &pairs {
        sum += w;
        if sum >= half {
            return *v;
        }
    }
    0.0
}
