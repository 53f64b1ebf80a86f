//! Learning the weights from labels. Invariant: weights stay ≥ 0 and the calibration's slope > 0, whatever the labels.
//!
//! Least penalised log loss by projected gradient with momentum (FISTA, Beck & Teboulle 2009, with restarts by O'Donoghue & Candès 2015). The
//! step length is a bound on the curvature, so it needs no search.

use super::{Model, STEPS, Signals, reached, sigmoid};
use serde::{Deserialize, Serialize};

/// An order whose end is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    /// What was known of it.
    pub signals: Signals,
    /// It ended in a chargeback or a reject.
    pub bad: bool,
}

/// Why nothing was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotLearned {
    /// All good or all bad, or too few to tell.
    #[error(
        "{good} good and {bad} bad orders: at least 10 of each are needed; until then experience decides"
    )]
    TooFew {
        /// Good ones.
        good: usize,
        /// Bad ones.
        bad: usize,
    },
}

/// Labels that the weights of experience count for.
const PRIOR: f64 = 20.0;
const ROUNDS: usize = 300;
const FOLDS: usize = 5;

/// Learns weights and calibration from labels.
pub fn learn(labels: &[Labelled]) -> Result<Model, NotLearned> {
    let bad = labels.iter().filter(|l| l.bad).count();
    let good = labels.len() - bad;
    if bad < 10 || good < 10 {
        return Err(NotLearned::TooFew { good, bad });
    }
    // Many orders have the same signals: each combination once, with how many were good and bad.
    let cases = |keep: &dyn Fn(usize) -> bool| {
        let mut cases = std::collections::BTreeMap::<[bool; STEPS.len()], (f64, f64)>::new();
        for (_, label) in labels.iter().enumerate().filter(|(i, _)| keep(*i)) {
            let case = cases.entry(reached(&label.signals)).or_default();
            case.0 += 1.0;
            case.1 += f64::from(u8::from(label.bad));
        }
        let reached = |steps: [bool; STEPS.len()]| (0..STEPS.len()).filter(|i| steps[*i]).collect();
        cases
            .into_iter()
            .map(|(steps, (n, bad))| Case { steps: reached(steps), n, bad })
            .collect::<Vec<Case>>()
    };
    let mut model = fit(&cases(&|_| true));
    let mut unseen = Vec::new();
    for fold in 0..FOLDS {
        let other = fit(&cases(&|i| i % FOLDS != fold));
        for case in cases(&|i| i % FOLDS == fold) {
            unseen.push((case.log_odds(&other), case.n, case.bad));
        }
    }
    model.calibration = platt(&unseen);
    model.labels = labels.len();
    Ok(model)
}

struct Case {
    steps: Vec<usize>,
    n: f64,
    bad: f64,
}

impl Case {
    fn log_odds(&self, model: &Model) -> f64 {
        model.base + self.steps.iter().map(|i| model.weights[*i]).sum::<f64>()
    }
}

fn fit(cases: &[Case]) -> Model {
    let n: f64 = cases.iter().map(|c| c.n).sum();
    let bad: f64 = cases.iter().map(|c| c.bad).sum();
    let mut model = Model { base: ((bad + 0.5) / (n - bad + 0.5)).ln() - 1.0, ..Model::default() };
    // Curvature of the mean loss is at most a quarter of the largest squared length of a row, and the prior's.
    let longest = cases.iter().map(|c| c.steps.len() + 1).max().unwrap_or(1);
    let rate = 1.0 / (0.25 * longest as f64 + PRIOR / n);
    let (mut ahead, mut momentum) = (model.clone(), 1.0f64);
    for _ in 0..ROUNDS {
        let (base, weights) = gradient(cases, &ahead, n);
        let next_base = ahead.base - rate * base;
        let next: Vec<f64> =
            ahead.weights.iter().zip(&weights).map(|(w, g)| (w - rate * g).max(0.0)).collect();
        let uphill: f64 = (base * (next_base - model.base))
            + weights.iter().zip(next.iter().zip(&model.weights)).map(|(g, (a, b))| g * (a - b)).sum::<f64>();
        let grown =
            if uphill > 0.0 { 1.0 } else { f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt()) };
        let carry = if uphill > 0.0 { 0.0 } else { (momentum - 1.0) / grown };
        ahead.base = next_base + carry * (next_base - model.base);
        ahead.weights =
            next.iter().zip(&model.weights).map(|(a, b)| (a + carry * (a - b)).max(0.0)).collect();
        (model.base, model.weights, momentum) = (next_base, next, grown);
    }
    model
}

fn gradient(cases: &[Case], at: &Model, n: f64) -> (f64, Vec<f64>) {
    let mut weights: Vec<f64> =
        at.weights.iter().zip(&STEPS).map(|(w, s)| PRIOR / n * (w - s.prior)).collect();
    let mut base = 0.0;
    for case in cases {
        let off = (case.n * sigmoid(case.log_odds(at)) - case.bad) / n;
        base += off;
        case.steps.iter().for_each(|i| weights[*i] += off);
    }
    (base, weights)
}

/// Slope and shift by Newton's method on (log-odds, orders, bad ones), held near (1, 0) by a little.
fn platt(cases: &[(f64, f64, f64)]) -> (f64, f64) {
    let (mut slope, mut shift) = (1.0f64, 0.0f64);
    for _ in 0..50 {
        let (mut ga, mut gb) = (slope - 1.0, shift);
        let (mut haa, mut hab, mut hbb) = (1.0, 0.0, 1.0);
        for (x, n, bad) in cases {
            let p = sigmoid(slope * x + shift);
            let (off, curve) = (n * p - bad, n * p * (1.0 - p));
            (ga, gb) = (ga + off * x, gb + off);
            (haa, hab, hbb) = (haa + curve * x * x, hab + curve * x, hbb + curve);
        }
        let det = (haa * hbb - hab * hab).max(1e-12);
        let (da, db) = ((hbb * ga - hab * gb) / det, (haa * gb - hab * ga) / det);
        slope = (slope - da.clamp(-0.5, 0.5)).clamp(0.1, 5.0);
        shift = (shift - db.clamp(-2.0, 2.0)).clamp(-20.0, 20.0);
        if da.abs() + db.abs() < 1e-9 {
            break;
        }
    }
    (slope, shift)
}

/// How good probabilities are, against what happened: (probability, bad).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Probability that a bad order scores above a good one.
    pub auc: f64,
    /// Mean log loss.
    pub log_loss: f64,
    /// Mean log loss of the mean probability.
    pub base_loss: f64,
    /// Mean distance of probability and share of bad orders, over tenths of the orders by probability.
    pub calibration_error: f64,
    /// Expected and found bad orders in each tenth.
    pub table: Vec<(f64, f64)>,
}

/// Measures probabilities. Nothing in: all zero.
pub fn quality(mut outcomes: Vec<(f64, bool)>) -> Quality {
    outcomes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = outcomes.len().max(1) as f64;
    let bad = outcomes.iter().filter(|o| o.1).count() as f64;
    let (mut above, mut good_below, mut at) = (0.0, 0.0, 0);
    while at < outcomes.len() {
        let same = outcomes[at..].iter().take_while(|o| o.0.to_bits() == outcomes[at].0.to_bits());
        let (mut b, mut g) = (0.0, 0.0);
        same.for_each(|o| if o.1 { b += 1.0 } else { g += 1.0 });
        above += b * (good_below + g / 2.0);
        good_below += g;
        at += (b + g) as usize;
    }
    let loss = |p: f64, bad: bool| -(if bad { p } else { 1.0 - p }).max(1e-12).ln();
    let table: Vec<(f64, f64)> = outcomes
        .chunks((outcomes.len() / 10).max(1))
        .map(|c| (c.iter().map(|o| o.0).sum(), c.iter().filter(|o| o.1).count() as f64))
        .collect();
    Quality {
        auc: above / (bad * (n - bad)).max(1.0),
        log_loss: outcomes.iter().map(|o| loss(o.0, o.1)).sum::<f64>() / n,
        base_loss: outcomes.iter().map(|o| loss(bad / n, o.1)).sum::<f64>() / n,
        calibration_error: table.iter().map(|(e, f)| (e - f).abs()).sum::<f64>() / n,
        table,
    }
}
