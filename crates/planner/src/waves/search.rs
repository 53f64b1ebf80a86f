//! Which aisles and orders: simulated annealing over sets of a fixed number of aisles, and a choice of the number. Invariant: only
//! complete waves (enough units, all orders that must go) are ever reported.
//!
//! For each number of aisles the most units are sought by exchanging aisles, with orders leaving and coming as stock allows, and by
//! forcing orders in. Numbers of aisles share the budget like arms of a bandit: most goes where units per aisle may yet rise above
//! the best. Where to begin comes from closing the least useful aisle again and again.

use super::problem::{Problem, UNITS};
use super::state::State;
use crate::Budget;

/// A wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub aisles: Vec<u32>,
    pub orders: Vec<u32>,
    pub worth: i64,
    pub units: i64,
    pub complete: bool,
}

impl Found {
    fn of(state: &State) -> Self {
        Self {
            aisles: state.opened().to_vec(),
            orders: state.orders(),
            worth: state.worth(),
            units: state.units(),
            complete: state.complete(),
        }
    }

    fn ratio(&self) -> f64 {
        self.units as f64 / self.aisles.len().max(1) as f64
    }
}

/// What is known of one number of aisles.
struct Arm {
    best: Found,
    rounds: u32,
}

/// The best complete wave found, or the fullest incomplete one.
pub(super) fn search(problem: &Problem, budget: &Budget, seed: u64) -> Result<Found, Found> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut arms = begin(problem, budget, &mut rng);
    let mut state = State::new(problem);
    while let Some(k) = promising(problem, &arms) {
        if budget.spent() {
            break;
        }
        let length = round_length(arms[k].rounds);
        let start = start(&arms, k, &mut rng);
        let heat = if arms[k].rounds % 3 == 2 { 0.08 } else { 0.25 };
        if let Some(found) =
            anneal(&mut state, start, k + 1, length, heat, arms[k].best.worth, budget, &mut rng)
        {
            arms[k].best = found;
        }
        arms[k].rounds += 1;
    }
    let best =
        arms.iter().filter(|a| a.best.complete).max_by(|a, b| a.best.ratio().total_cmp(&b.best.ratio()));
    match best {
        Some(arm) => Ok(arm.best.clone()),
        None => Err(arms.into_iter().map(|a| a.best).max_by_key(|f| f.worth).unwrap_or(Found {
            aisles: Vec::new(),
            orders: Vec::new(),
            worth: 0,
            units: 0,
            complete: false,
        })),
    }
}

/// Moves of a round: short at first, so that every number of aisles that may be best gets its look.
fn round_length(rounds: u32) -> u64 {
    (2_000.0 * 1.5f64.powi(rounds.min(16) as i32)) as u64
}

/// A wave for each number of aisles, from all aisles down by closing the least useful one.
fn begin(problem: &Problem, budget: &Budget, rng: &mut fastrand::Rng) -> Vec<Arm> {
    let aisles = problem.aisles.len();
    let mut by_units: Vec<u32> = (0..problem.takes.len() as u32).collect();
    by_units.sort_by_key(|o| (std::cmp::Reverse(problem.worth[*o as usize]), *o));
    let closing = closing_order(problem, &by_units, budget, rng);
    let mut state = State::new(problem);
    let mut arms = Vec::with_capacity(aisles);
    for k in 1..=aisles {
        state.load(&closing[aisles - k..], &[]);
        state.fill(&by_units);
        arms.push(Arm { best: Found::of(&state), rounds: 0 });
        if budget.spent() && arms.iter().any(|a| a.best.complete) {
            break;
        }
    }
    arms
}

/// The aisles in the order in which they can best be spared, the most useful last. Losses grow as aisles close, so a stale loss that
/// is still the least after a second look is the least (lazy greedy).
fn closing_order(problem: &Problem, orders: &[u32], budget: &Budget, rng: &mut fastrand::Rng) -> Vec<u32> {
    let aisles = problem.aisles.len();
    let mut state = State::uncapped(problem);
    state.load(&(0..aisles as u32).collect::<Vec<_>>(), &[]);
    state.fill(orders);
    let mut losses = std::collections::BTreeSet::new();
    let mut rest = Vec::new();
    for aisle in 0..aisles as u32 {
        if budget.spent() {
            rest.push(aisle);
        } else {
            losses.insert((loss(&mut state, aisle, rng), aisle));
        }
    }
    let mut closing = Vec::with_capacity(aisles);
    while let Some((_, aisle)) = losses.pop_first() {
        let spent = budget.spent();
        let now = if spent { 0 } else { loss(&mut state, aisle, rng) };
        if spent || losses.first().is_none_or(|(next, _)| now <= *next) {
            state.mark();
            state.exchange(&[aisle], &[], rng);
            closing.push(aisle);
        } else {
            losses.insert((now, aisle));
        }
    }
    rest.extend(closing);
    rest
}

fn loss(state: &mut State, aisle: u32, rng: &mut fastrand::Rng) -> i64 {
    let before = state.worth();
    state.mark();
    state.exchange(&[aisle], &[], rng);
    let loss = before - state.worth();
    state.undo(&[aisle]);
    loss
}

/// The number of aisles (less one) whose units per aisle may be raised highest, seen with an optimism that wears off.
///
/// At first every number up to the best of the first waves has its turn: waves of few aisles are often not to be seen from above.
fn promising(problem: &Problem, arms: &[Arm]) -> Option<usize> {
    let complete = arms.iter().enumerate().filter(|(_, a)| a.best.complete);
    let first = complete
        .max_by(|a, b| a.1.best.ratio().total_cmp(&b.1.best.ratio()))
        .map_or(arms.len(), |(k, _)| k + 1);
    if let Some(new) = arms[..first].iter().rposition(|a| a.rounds == 0) {
        return Some(new);
    }
    let mut best: Option<(f64, usize)> = None;
    for (k, arm) in arms.iter().enumerate() {
        let hope = if arm.rounds == 0 { 2.0 } else { 0.3 / f64::from(arm.rounds).powf(1.3) + 0.003 };
        let units = (arm.best.units as f64 * (1.0 + hope) + 1.0).min(problem.caps[UNITS] as f64);
        if !arm.best.complete && units < problem.least as f64 {
            continue;
        }
        let ratio = units / (k + 1) as f64 / (1.0 + 0.0005 * f64::from(arm.rounds));
        if best.is_none_or(|(most, _)| ratio > most) {
            best = Some((ratio, k));
        }
    }
    // Nothing in sight reaches the least: all aisles are the best chance.
    best.map(|(_, k)| k).or_else(|| arms.len().checked_sub(1))
}

/// Where a round begins: at the best of this number of aisles or of a neighbour.
fn start<'a>(arms: &'a [Arm], k: usize, rng: &mut fastrand::Rng) -> &'a Found {
    let near = match rng.u32(0..4) {
        0 => k.checked_sub(1),
        1 => Some(k + 1),
        _ => None,
    };
    let above = arms
        .get(k + 1)
        .filter(|n| arms[k].rounds == 0 && n.rounds > 0 && n.best.worth > 2 * arms[k].best.worth);
    let arm = near.and_then(|n| arms.get(n)).filter(|n| arms[k].rounds > 0 && n.rounds > 0);
    &above.or(arm).unwrap_or(&arms[k]).best
}

/// One round at `k` aisles. A wave of more worth than `least`, if it met one.
fn anneal(
    state: &mut State,
    start: &Found,
    k: usize,
    length: u64,
    heat: f64,
    least: i64,
    budget: &Budget,
    rng: &mut fastrand::Rng,
) -> Option<Found> {
    state.load(&start.aisles, &start.orders);
    while state.opened().len() > k {
        let aisle = state.opened()[rng.usize(0..state.opened().len())];
        state.exchange(&[aisle], &[], rng);
    }
    while state.opened().len() < k {
        let aisle = state.closed()[rng.usize(0..state.closed().len())];
        state.exchange(&[], &[aisle], rng);
    }
    let mut best = least;
    let mut found = None;
    let mut scratch = Exchange::default();
    let hot = (heat * state.units().max(k as i64) as f64 / k as f64).max(0.6);
    let cold = (hot * 0.04).clamp(0.12, 2.0);
    let mut temperature = hot;
    for step in 0..length {
        if budget.spent() {
            break;
        }
        if step % 64 == 0 {
            temperature = hot * (cold / hot).powf(step as f64 / length as f64);
        }
        let before = state.worth();
        if !step_once(state, before, temperature, &mut scratch, rng) {
            continue;
        }
        if state.worth() > best {
            best = state.worth();
            found = Some(Found::of(state));
        }
    }
    found
}

/// One move, kept or undone. Whether it was kept.
fn step_once(
    state: &mut State,
    before: i64,
    temperature: f64,
    scratch: &mut Exchange,
    rng: &mut fastrand::Rng,
) -> bool {
    state.mark();
    let dearest = (temperature * f64::from(rng.f32().max(1e-9)).ln()) as i64;
    let orders = state.problem.takes.len() as u32;
    let kind = rng.u32(0..8);
    if state.closed().is_empty() || kind == 0 {
        let order = rng.u32(0..orders);
        if state.is_in(order) {
            return false;
        }
        let kept = state.force(order, rng) && state.worth() - before >= dearest;
        if !kept {
            state.undo(&[]);
        }
        return kept;
    }
    scratch.clear();
    if kind > 4 || !scratch.make_way(state, rng) {
        scratch.clear();
        scratch.close.push(spare(state, rng));
        scratch.open.push(state.closed()[rng.usize(0..state.closed().len())]);
    }
    state.exchange(&scratch.close, &scratch.open, rng);
    let kept = state.worth() - before >= dearest;
    if !kept {
        state.undo(&scratch.close);
        state.undo(&scratch.open);
    }
    kept
}

/// An open aisle: of up to three at random the one whose closing leaves least short.
fn spare(state: &State, rng: &mut fastrand::Rng) -> u32 {
    let mut best = state.opened()[rng.usize(0..state.opened().len())];
    let looks = rng.u32(0..3);
    if looks > 0 {
        let mut least = state.short_without(best);
        for _ in 0..looks {
            let aisle = state.opened()[rng.usize(0..state.opened().len())];
            let short = state.short_without(aisle);
            if short < least {
                (best, least) = (aisle, short);
            }
        }
    }
    best
}

/// Aisles that change places.
#[derive(Default)]
struct Exchange {
    close: Vec<u32>,
    open: Vec<u32>,
}

impl Exchange {
    fn clear(&mut self) {
        self.close.clear();
        self.open.clear();
    }

    /// Opens what an order that waits lacks, and closes as many others. False if no order was found for which that can be.
    fn make_way(&mut self, state: &State, rng: &mut fastrand::Rng) -> bool {
        let problem = state.problem;
        let most = state.opened().len();
        for _ in 0..4 {
            let order = rng.u32(0..problem.takes.len() as u32);
            if state.is_in(order) {
                continue;
            }
            self.clear();
            for (item, quantity) in problem.orders.of(order) {
                let mut lacks = i64::from(*quantity) - state.free(*item);
                let held = problem.held.of(*item);
                lacks -= self.open.iter().map(|a| units_of(held, *a)).sum::<i64>();
                let begin = rng.usize(0..held.len());
                for turn in 0..held.len() {
                    if lacks <= 0 || self.open.len() > most {
                        break;
                    }
                    let (aisle, units) = held[(begin + turn) % held.len()];
                    if !state.is_open(aisle) && !self.open.contains(&aisle) {
                        self.open.push(aisle);
                        lacks -= i64::from(units);
                    }
                }
            }
            // Nothing lacking means the order fits but for a cap; that is for `force`.
            if self.open.is_empty() || self.open.len() > most {
                continue;
            }
            while self.close.len() < self.open.len() {
                let aisle = spare(state, rng);
                if !self.close.contains(&aisle) {
                    self.close.push(aisle);
                }
            }
            return true;
        }
        false
    }
}

/// Units in an aisle, out of an item's list of aisles (ascending).
fn units_of(held: &[(u32, i32)], aisle: u32) -> i64 {
    held.binary_search_by_key(&aisle, |(a, _)| *a).map_or(0, |at| i64::from(held[at].1))
}
