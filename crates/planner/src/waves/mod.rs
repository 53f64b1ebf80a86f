//! Waves: which orders to release together, and which aisles to open for them. Invariant: a wave takes no more than the open aisles
//! hold, stays between its least and most units and under every cap, and has every order that must go and can.
//!
//! **Problem.** Choose orders `O` and aisles `A` so that `units(O) / |A|` is largest, `least ≤ units(O) ≤ most`, and for each item the
//! aisles chosen hold what the orders chosen need (the wave problem of the SBPO 2025 challenge). Beside it: caps on orders, lines,
//! weight and totes; orders that miss their cut-off unless they go now, and orders of high priority, come first.
//!
//! **Method.** For a fixed number of aisles the objective is the most units: simulated annealing (Kirkpatrick, Gelatt and Vecchi
//! 1983) exchanges aisles and repairs the choice of orders step by step. Numbers of aisles share the budget as the arms of a bandit.
//! First waves come from closing the least useful aisle again and again (lazy greedy, Minoux 1978).
//!
//! Lists of each item keep apart the orders that are in, those whose items are all in open aisles, and those that wait for aisles.
//!
//! **Complexity.** A move touches the items of two aisles and the orders near them: microseconds at 12,000 orders × 400 aisles. Memory is
//! linear in the lines. **Limits.** No proof of optimality; least units that only a clever choice of orders could reach may be called out of
//! reach (the reason then says how far the search came).

mod check;
mod problem;
mod ranks;
mod search;
mod state;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Budget;
pub use check::{Breach, check};
use problem::{MEASURES, Problem};
pub use tasks::{Mode, Pick, Task};

/// Units of an item: wanted by an order, or held in an aisle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Any number that means the item.
    pub item: u64,
    /// Units.
    pub quantity: i64,
}

/// An order of the backlog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What it wants. The same item twice counts as one line.
    pub lines: Vec<Line>,
    /// Grams.
    #[serde(default)]
    pub weight: i64,
    /// Totes it fills.
    #[serde(default)]
    pub totes: i64,
    /// Smaller comes first.
    #[serde(default)]
    pub priority: i64,
    /// When it has to be ready at the latest, on the clock of [`Backlog::ready_at`].
    #[serde(default)]
    pub cut_off: Option<i64>,
}

/// An aisle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aisle {
    /// Zone it belongs to.
    #[serde(default)]
    pub zone: u32,
    /// What it holds.
    pub stock: Vec<Line>,
}

/// Most of each measure; none where there is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caps {
    /// Orders.
    pub orders: Option<i64>,
    /// Lines.
    pub lines: Option<i64>,
    /// Grams.
    pub weight: Option<i64>,
    /// Totes.
    pub totes: Option<i64>,
}

/// What is decided on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Orders that wait.
    pub orders: Vec<Order>,
    /// Aisles with their stock.
    pub aisles: Vec<Aisle>,
    /// Fewest units of a wave.
    #[serde(default)]
    pub least: i64,
    /// Most units of a wave.
    pub most: i64,
    /// Other limits of the wave.
    #[serde(default)]
    pub caps: Caps,
    /// When the wave after this one will be ready: an order with an earlier cut-off must go now. None: no order is due.
    #[serde(default)]
    pub next_ready_at: Option<i64>,
    /// When this wave will be ready: an order with an earlier cut-off is late already, and goes first.
    #[serde(default)]
    pub ready_at: Option<i64>,
    /// Orders with this priority or a smaller one must go now.
    #[serde(default)]
    pub first_up_to: Option<i64>,
    /// How the wave is picked.
    #[serde(default)]
    pub mode: Mode,
    /// Limits of one picker's list.
    #[serde(default)]
    pub list: Caps,
}

/// A measure with a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Units.
    Units,
    /// Orders.
    Orders,
    /// Lines.
    Lines,
    /// Grams.
    Weight,
    /// Totes.
    Totes,
}

const MEASURE: [Measure; MEASURES] =
    [Measure::Units, Measure::Orders, Measure::Lines, Measure::Weight, Measure::Totes];

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Units => "units",
            Self::Orders => "orders",
            Self::Lines => "lines",
            Self::Weight => "grams",
            Self::Totes => "totes",
        })
    }
}

/// Why an order is in the wave, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Why {
    /// In: most units for the aisles.
    #[error("in: its items are in aisles that are opened")]
    Fits,
    /// In: late already.
    #[error("in: it missed its cut-off")]
    Late,
    /// In: the next wave would be too late.
    #[error("in: the next wave would miss its cut-off")]
    Due,
    /// In: priority.
    #[error("in: priority {priority}")]
    First {
        /// Its priority.
        priority: i64,
    },
    /// Out: the objective.
    #[error("out: other orders make more units per aisle")]
    Waits,
    /// Out: nothing goes, the plan says why.
    #[error("out: there is no wave")]
    NoWave,
    /// Out, though it should go now: what comes before it takes the stock or the room.
    #[error("out: should go now, but what comes before it takes the stock or the room")]
    Crowded,
    /// Out: empty.
    #[error("out: no lines")]
    Empty,
    /// Out: a quantity that cannot be picked.
    #[error("out: {quantity} of item {item} cannot be picked")]
    BadQuantity {
        /// Item.
        item: u64,
        /// As it stood in the order.
        quantity: i64,
    },
    /// Out: a negative or absurd weight or number of totes.
    #[error("out: {value} {measure} cannot be")]
    BadMeasure {
        /// Which.
        measure: Measure,
        /// As it stood in the order.
        value: i64,
    },
    /// Out: not enough stock in all aisles together.
    #[error("out: wants {wanted} of item {item}, all aisles hold {held}")]
    Short {
        /// Item.
        item: u64,
        /// Wanted.
        wanted: i64,
        /// Held.
        held: i64,
    },
    /// Out: larger than a whole wave may be.
    #[error("out: takes {takes} {measure}, a wave has at most {cap}")]
    TooLarge {
        /// Which limit.
        measure: Measure,
        /// What the order takes.
        takes: i64,
        /// The limit.
        cap: i64,
    },
}

/// Why there is no wave at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoWave {
    /// The limits contradict each other.
    #[error("least {least} units, most {most}: no wave is between them")]
    Limits {
        /// Least units.
        least: i64,
        /// Most units.
        most: i64,
    },
    /// A negative cap.
    #[error("at most {cap} {measure} cannot be")]
    BadCap {
        /// Which.
        measure: Measure,
        /// As it stood in the backlog.
        cap: i64,
    },
    /// Not enough can be picked.
    #[error("no wave of {least} units was found: the fullest has {reached}")]
    LeastOutOfReach {
        /// Least units.
        least: i64,
        /// Units of the fullest wave found.
        reached: i64,
    },
}

/// A wave, and a reason for each order of the backlog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WavePlan {
    /// Orders that go, ascending.
    pub orders: Vec<usize>,
    /// Aisles that are opened, ascending.
    pub aisles: Vec<usize>,
    /// Units picked.
    pub units: i64,
    /// Units / aisles; 0 without a wave.
    pub units_per_aisle: f64,
    /// Which aisle gives what to whom.
    pub picks: Vec<Pick>,
    /// Pickers' lists.
    pub tasks: Vec<Task>,
    /// One for each order of the backlog.
    pub why: Vec<Why>,
    /// Why there is no wave, if there is none.
    pub no_wave: Option<NoWave>,
}

/// Largest quantity, weight or number of totes that is believed.
const BELIEVED: i64 = 1_000_000_000;

/// Plans one wave. Deterministic for a seed when the budget counts steps.
pub fn plan(backlog: &Backlog, budget: &Budget, seed: u64) -> WavePlan {
    let caps = limits(&backlog.caps, backlog.most);
    let mut why: Vec<Why> = vec![Why::Waits; backlog.orders.len()];
    if backlog.least > backlog.most || backlog.most < 0 {
        let no_wave = NoWave::Limits { least: backlog.least, most: backlog.most };
        return none(no_wave, why);
    }
    if let Some((measure, cap)) = MEASURE.iter().zip(caps).find(|(_, cap)| *cap < 0) {
        let no_wave = NoWave::BadCap { measure: *measure, cap };
        return none(no_wave, why);
    }
    let held = all_stock(backlog);
    let merged: Vec<BTreeMap<u64, i64>> = backlog.orders.iter().map(|o| merge(&o.lines)).collect();
    let takes: Vec<[i64; MEASURES]> = backlog.orders.iter().zip(&merged).map(|(o, m)| takes(o, m)).collect();
    let mut fit = Vec::new();
    for (index, order) in backlog.orders.iter().enumerate() {
        match refusal(order, &merged[index], &takes[index], &held, &caps) {
            Some(reason) => why[index] = reason,
            None => fit.push(index),
        }
    }
    let must = musts(backlog, &fit, &merged, &takes, held, &caps, &mut why);
    let problem = problem(backlog, &fit, &merged, &takes, &must, caps);
    if fit.is_empty() {
        let reached = 0;
        let no_wave =
            (backlog.least > 0).then_some(NoWave::LeastOutOfReach { least: backlog.least, reached });
        return WavePlan { no_wave, why, ..WavePlan::default() };
    }
    let found = match search::search(&problem, budget, seed) {
        Ok(found) => found,
        Err(found) => {
            let no_wave = NoWave::LeastOutOfReach { least: backlog.least, reached: found.units };
            return none(no_wave, why);
        }
    };
    let orders: Vec<usize> = found.orders.iter().map(|o| fit[*o as usize]).collect();
    let mut aisles: Vec<usize> = found.aisles.iter().map(|a| *a as usize).collect();
    aisles.sort_unstable();
    for order in &orders {
        if why[*order] == Why::Waits {
            why[*order] = Why::Fits;
        }
    }
    let picks = tasks::picks(backlog, &orders, &aisles, &merged);
    let tasks = tasks::tasks(backlog, &picks);
    let units_per_aisle = if aisles.is_empty() { 0.0 } else { found.units as f64 / aisles.len() as f64 };
    WavePlan { orders, aisles, units: found.units, units_per_aisle, picks, tasks, why, no_wave: None }
}

/// No wave: what might have gone does not.
fn none(no_wave: NoWave, mut why: Vec<Why>) -> WavePlan {
    let would_go = |why: &Why| matches!(why, Why::Waits | Why::Late | Why::Due | Why::First { .. });
    why.iter_mut().filter(|why| would_go(why)).for_each(|why| *why = Why::NoWave);
    WavePlan { no_wave: Some(no_wave), why, ..WavePlan::default() }
}

fn limits(caps: &Caps, most: i64) -> [i64; MEASURES] {
    let cap = |cap: Option<i64>| cap.unwrap_or(i64::MAX / 4);
    [most.min(problem::MUST / 2), cap(caps.orders), cap(caps.lines), cap(caps.weight), cap(caps.totes)]
}

/// Item → units in all aisles; what is not positive counts as nothing.
fn all_stock(backlog: &Backlog) -> BTreeMap<u64, i64> {
    let mut held = BTreeMap::new();
    for line in backlog.aisles.iter().flat_map(|a| &a.stock) {
        let units: &mut i64 = held.entry(line.item).or_default();
        *units = units.saturating_add(line.quantity.max(0));
    }
    held
}

fn merge(lines: &[Line]) -> BTreeMap<u64, i64> {
    let mut merged = BTreeMap::new();
    for line in lines {
        let units: &mut i64 = merged.entry(line.item).or_default();
        *units = units.saturating_add(line.quantity);
    }
    merged
}

fn takes(order: &Order, lines: &BTreeMap<u64, i64>) -> [i64; MEASURES] {
    let units = lines.values().fold(0i64, |sum, q| sum.saturating_add(*q));
    [units, 1, lines.len() as i64, order.weight, order.totes]
}

/// Why the order can be in no wave.
fn refusal(
    order: &Order,
    lines: &BTreeMap<u64, i64>,
    takes: &[i64; MEASURES],
    held: &BTreeMap<u64, i64>,
    caps: &[i64; MEASURES],
) -> Option<Why> {
    if lines.is_empty() {
        return Some(Why::Empty);
    }
    if let Some(line) = order.lines.iter().find(|l| l.quantity <= 0 || lines[&l.item] > BELIEVED) {
        return Some(Why::BadQuantity { item: line.item, quantity: line.quantity });
    }
    for (measure, value) in MEASURE.iter().zip(takes) {
        if !(0..=BELIEVED).contains(value) {
            return Some(Why::BadMeasure { measure: *measure, value: *value });
        }
    }
    for ((measure, takes), cap) in MEASURE.iter().zip(takes).zip(caps) {
        if takes > cap {
            return Some(Why::TooLarge { measure: *measure, takes: *takes, cap: *cap });
        }
    }
    lines.iter().find_map(|(item, wanted)| {
        let held = held.get(item).copied().unwrap_or(0);
        (held < *wanted).then_some(Why::Short { item: *item, wanted: *wanted, held })
    })
}

/// Which of the `fit` orders must go: late, due or first in priority, in that order, as long as stock and caps last.
fn musts(
    backlog: &Backlog,
    fit: &[usize],
    merged: &[BTreeMap<u64, i64>],
    takes: &[[i64; MEASURES]],
    mut held: BTreeMap<u64, i64>,
    caps: &[i64; MEASURES],
    why: &mut [Why],
) -> BTreeSet<usize> {
    let mut wanted: Vec<(usize, Why, (u8, i64, i64))> = Vec::new();
    for index in fit {
        let order = &backlog.orders[*index];
        let before = |at: Option<i64>| order.cut_off.zip(at).is_some_and(|(cut_off, at)| cut_off < at);
        let cut_off = order.cut_off.unwrap_or(i64::MAX);
        if before(backlog.ready_at) {
            wanted.push((*index, Why::Late, (0, cut_off, order.priority)));
        } else if before(backlog.next_ready_at) {
            wanted.push((*index, Why::Due, (1, cut_off, order.priority)));
        } else if backlog.first_up_to.is_some_and(|p| order.priority <= p) {
            wanted.push((*index, Why::First { priority: order.priority }, (2, order.priority, cut_off)));
        }
    }
    wanted.sort_by_key(|(index, _, rank)| (*rank, *index));
    let mut taken = [0i64; MEASURES];
    let mut must = BTreeSet::new();
    for (index, reason, _) in wanted {
        let room =
            taken.iter().zip(&takes[index]).zip(caps).all(|((taken, takes), cap)| taken + takes <= *cap);
        let stock = merged[index].iter().all(|(item, wanted)| held.get(item).is_some_and(|h| h >= wanted));
        if !room || !stock {
            why[index] = Why::Crowded;
            continue;
        }
        why[index] = reason;
        must.insert(index);
        for (taken, takes) in taken.iter_mut().zip(&takes[index]) {
            *taken += takes;
        }
        for (item, wanted) in &merged[index] {
            if let Some(held) = held.get_mut(item) {
                *held -= wanted;
            }
        }
    }
    must
}

/// The search's view: items that some order wants get small numbers.
fn problem(
    backlog: &Backlog,
    fit: &[usize],
    merged: &[BTreeMap<u64, i64>],
    takes: &[[i64; MEASURES]],
    must: &BTreeSet<usize>,
    caps: [i64; MEASURES],
) -> Problem {
    let mut number: BTreeMap<u64, u32> = BTreeMap::new();
    let mut lines = Vec::with_capacity(fit.len());
    for index in fit {
        let mut own = Vec::with_capacity(merged[*index].len());
        for (item, quantity) in &merged[*index] {
            let next = number.len() as u32;
            own.push((*number.entry(*item).or_insert(next), *quantity as i32));
        }
        lines.push(own);
    }
    let mut stock = Vec::with_capacity(backlog.aisles.len());
    for aisle in &backlog.aisles {
        let mut own: BTreeMap<u32, i64> = BTreeMap::new();
        for line in &aisle.stock {
            if let Some(item) = number.get(&line.item) {
                let units = own.entry(*item).or_default();
                *units = units.saturating_add(line.quantity.max(0)).min(i64::from(i32::MAX));
            }
        }
        stock.push(own.into_iter().map(|(item, units)| (item, units as i32)).collect());
    }
    let takes = fit.iter().map(|index| takes[*index]).collect();
    let must: Vec<bool> = fit.iter().map(|index| must.contains(index)).collect();
    Problem::new(number.len(), lines, &stock, takes, &must, caps, backlog.least)
}

#[cfg(test)]
mod tests;
