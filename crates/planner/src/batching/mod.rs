//! Batching: which orders to pick on one tour. Invariant: every order that can be picked is in exactly one batch, no batch exceeds a
//! limit, and the tours together are never longer than first come, first served makes them, nor than savings does.
//!
//! **Problem.** Partition orders into tours of limited orders, lines, weight and totes so that the metres walked are fewest; a tour's
//! metres are those of [`crate::pick_tours`], the shortest there are.
//!
//! **Method.** Start with the better of first come, first served (a batch is closed when the next order does not fit) and savings
//! (Clarke and Wright 1964 in the variant that measures merged batches anew, C&W(ii) of De Koster et al. 1999); then simulated annealing:
//! an order moves to another batch or changes places with one, tours measured exactly. Rounds begin at the best and grow longer.
//!
//! **Complexity.** Savings: quadratic in orders, one tour each; a move: two tours. **Limits.** No proof of optimality; pickers are not
//! in each other's way; one start and finish for all tours. When the budget ends during savings, what is merged so far counts.

mod savings;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Budget;
use crate::pick_tours::{Corner, Layout, NoTour, Router, Spot};
use crate::waves::{Caps, Measure};

/// An order to be picked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Where its lines are.
    pub picks: Vec<Spot>,
    /// Grams.
    #[serde(default)]
    pub weight: i64,
    /// Totes it fills.
    #[serde(default)]
    pub totes: i64,
}

/// What is decided on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The warehouse.
    pub layout: Layout,
    /// Where tours begin.
    #[serde(default)]
    pub start: Corner,
    /// Where they end.
    #[serde(default)]
    pub finish: Corner,
    /// In the order in which they came.
    pub orders: Vec<Order>,
    /// Limits of one tour.
    #[serde(default)]
    pub caps: Caps,
}

/// Why an order is in no batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LeftOut {
    /// Nothing to pick.
    #[error("nothing to pick")]
    Empty,
    /// One of its picks is outside of the layout.
    #[error("pick {pick} is outside of the layout")]
    Pick {
        /// Index among the order's picks.
        pick: usize,
    },
    /// One-way aisles leave no way.
    #[error("one-way aisles leave no way to it and back")]
    Unreachable,
    /// Negative or absurd.
    #[error("{value} {measure} cannot be")]
    BadMeasure {
        /// Weight or totes.
        measure: Measure,
        /// As it stood in the order.
        value: i64,
    },
    /// Alone over a limit.
    #[error("takes {takes} {measure}, a tour has at most {cap}")]
    TooLarge {
        /// Which limit.
        measure: Measure,
        /// What the order takes.
        takes: i64,
        /// The limit.
        cap: i64,
    },
}

/// Orders picked on one tour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Indices of the orders, ascending.
    pub orders: Vec<usize>,
    /// Metres of its tour.
    pub length: f64,
}

/// Batches, and what simpler rules would have walked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchPlan {
    /// Batches, by their first order.
    pub batches: Vec<Batch>,
    /// Metres of all tours.
    pub length: f64,
    /// Metres when orders are taken as they came.
    pub first_come: f64,
    /// Metres after savings.
    pub savings: f64,
    /// Orders in no batch, and why.
    pub left_out: Vec<(usize, LeftOut)>,
}

impl fmt::Display for BatchPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tours, {:.0} m; first come, first served: {:.0} m; savings: {:.0} m",
            self.batches.len(),
            self.length,
            self.first_come,
            self.savings
        )
    }
}

/// Lines, weight and totes of an order or of a batch, after the number of orders.
type Load = [i64; 4];
const MEASURE: [Measure; 4] = [Measure::Orders, Measure::Lines, Measure::Weight, Measure::Totes];
/// Largest weight or number of totes that is believed.
const BELIEVED: i64 = 1_000_000_000;

/// What is searched: batches with their loads and lengths.
#[derive(Debug, Clone, Default)]
struct Draft {
    batches: Vec<(Vec<usize>, Load, f64)>,
}

impl Draft {
    fn length(&self) -> f64 {
        0.0 + self.batches.iter().map(|b| b.2).sum::<f64>()
    }
}

/// The orders as the search sees them.
struct Floor<'a> {
    router: Router,
    orders: &'a [Order],
    loads: Vec<Load>,
    caps: Load,
    picks: Vec<Spot>,
}

impl Floor<'_> {
    /// Metres of a tour past all picks of these orders. One that cannot be walked is endless.
    fn length(&mut self, orders: impl Iterator<Item = usize>) -> f64 {
        self.picks.clear();
        for order in orders {
            self.picks.extend_from_slice(&self.orders[order].picks);
        }
        if self.picks.is_empty() { 0.0 } else { self.router.length(&mut self.picks).unwrap_or(f64::INFINITY) }
    }

    fn fits(&self, load: &Load) -> bool {
        load.iter().zip(&self.caps).all(|(load, cap)| load <= cap)
    }

    fn left_out(&mut self, index: usize) -> Option<LeftOut> {
        let order = &self.orders[index];
        if order.picks.is_empty() {
            return Some(LeftOut::Empty);
        }
        if let Err(NoTour::Pick { pick }) = self.router.check(&order.picks) {
            return Some(LeftOut::Pick { pick });
        }
        for ((measure, takes), cap) in MEASURE.iter().zip(self.loads[index]).zip(self.caps) {
            if !(0..=BELIEVED).contains(&takes) {
                return Some(LeftOut::BadMeasure { measure: *measure, value: takes });
            }
            if takes > cap {
                return Some(LeftOut::TooLarge { measure: *measure, takes, cap });
            }
        }
        (!self.length(std::iter::once(index)).is_finite()).then_some(LeftOut::Unreachable)
    }
}

fn plus(a: &Load, b: &Load, sign: i64) -> Load {
    std::array::from_fn(|i| a[i] + sign * b[i])
}

/// Plans the tours. Errors: a layout that cannot be ([`NoTour`]); what is wrong with an order is said in the plan.
pub fn plan(job: &Job, budget: &Budget, seed: u64) -> Result<BatchPlan, NoTour> {
    let router = Router::new(job.layout.clone(), job.start, job.finish)?;
    let cap = |cap: Option<i64>| cap.unwrap_or(i64::MAX / 2);
    let caps = [cap(job.caps.orders), cap(job.caps.lines), cap(job.caps.weight), cap(job.caps.totes)];
    let loads = job.orders.iter().map(|o| [1, o.picks.len() as i64, o.weight, o.totes]).collect();
    let mut floor = Floor { router, orders: &job.orders, loads, caps, picks: Vec::new() };
    let mut left_out = Vec::new();
    let mut fit = Vec::new();
    for order in 0..job.orders.len() {
        match floor.left_out(order) {
            Some(reason) => left_out.push((order, reason)),
            None => fit.push(order),
        }
    }
    let first_come = first_come(&mut floor, &fit);
    let saved = savings::savings(&mut floor, &fit, budget);
    let (first, savings) = (first_come.length(), saved.length());
    let start = if savings <= first { saved } else { first_come };
    let best = improve(&mut floor, start, budget, seed);
    let mut batches: Vec<Batch> = best
        .batches
        .into_iter()
        .map(|(mut orders, _, length)| {
            orders.sort_unstable();
            Batch { orders, length }
        })
        .collect();
    batches.sort_by(|a, b| a.orders.cmp(&b.orders));
    // Nothing is 0, not the −0 that an empty sum is.
    let length = 0.0 + batches.iter().map(|b| b.length).sum::<f64>();
    Ok(BatchPlan { batches, length, first_come: first, savings, left_out })
}

/// Orders as they came: a batch is closed when the next one does not fit.
fn first_come(floor: &mut Floor, fit: &[usize]) -> Draft {
    let mut draft = Draft::default();
    for order in fit {
        let own = floor.loads[*order];
        match draft.batches.last_mut() {
            Some((orders, load, _)) if floor.fits(&plus(load, &own, 1)) => {
                orders.push(*order);
                *load = plus(load, &own, 1);
            }
            _ => draft.batches.push((vec![*order], own, 0.0)),
        }
    }
    for (orders, _, length) in &mut draft.batches {
        *length = floor.length(orders.iter().copied());
    }
    draft
}

/// Moves of the first round; each round is half as long again.
const FIRST_ROUND: f64 = 3_000.0;
/// Longest round.
const LAST_ROUND: f64 = 400_000.0;

/// Annealing from `start` until the budget ends.
fn improve(floor: &mut Floor, start: Draft, budget: &Budget, seed: u64) -> Draft {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut best = start;
    if best.batches.len() < 2 {
        return best;
    }
    let mut round = FIRST_ROUND;
    let mut least = best.length();
    while !budget.spent() {
        let mut draft = best.clone();
        let mut length = draft.length();
        let hot = 0.06 * length / draft.batches.len().max(1) as f64;
        let moves = round as u64;
        for step in 0..moves {
            if budget.spent() {
                break;
            }
            let temperature = hot * 0.02f64.powf(step as f64 / moves as f64);
            let dearest = -temperature * rng.f64().max(1e-12).ln();
            length += try_move(floor, &mut draft, dearest, &mut rng);
            if length < least - 1e-9 {
                least = length;
                best = draft.clone();
            }
        }
        round = (round * 1.5).min(LAST_ROUND);
    }
    best
}

/// One move, made if it adds at most `dearest` metres. Metres added.
fn try_move(floor: &mut Floor, draft: &mut Draft, dearest: f64, rng: &mut fastrand::Rng) -> f64 {
    let batches = draft.batches.len();
    let from = rng.usize(0..batches);
    let to = rng.usize(0..batches);
    if from == to {
        return 0.0;
    }
    let (a, b) = (&draft.batches[from], &draft.batches[to]);
    let out = rng.usize(0..a.0.len());
    let order = a.0[out];
    // Half of the moves change two orders; the others move one, which ends a batch of one.
    let back = rng.bool().then(|| rng.usize(0..b.0.len()));
    let other = back.map(|at| b.0[at]);
    let gives = floor.loads[order];
    let takes = other.map_or([0; 4], |o| floor.loads[o]);
    let change = plus(&gives, &takes, -1);
    let (load_a, load_b) = (plus(&a.1, &change, -1), plus(&b.1, &change, 1));
    if !floor.fits(&load_a) || !floor.fits(&load_b) {
        return 0.0;
    }
    let orders_a: Vec<usize> = a.0.iter().copied().filter(|o| *o != order).chain(other).collect();
    let before = a.2 + b.2;
    let length_a = floor.length(orders_a.iter().copied());
    // Half of the tours are enough to see that many moves do not pay.
    if length_a - before > dearest {
        return 0.0;
    }
    let b = &draft.batches[to];
    let orders_b: Vec<usize> = b.0.iter().copied().filter(|o| Some(*o) != other).chain([order]).collect();
    let length_b = floor.length(orders_b.iter().copied());
    let added = length_a + length_b - before;
    if added > dearest {
        return 0.0;
    }
    draft.batches[to] = (orders_b, load_b, length_b);
    if orders_a.is_empty() {
        draft.batches.swap_remove(from);
    } else {
        draft.batches[from] = (orders_a, load_a, length_a);
    }
    added
}

#[cfg(test)]
mod tests;
