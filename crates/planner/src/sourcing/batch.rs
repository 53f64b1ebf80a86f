//! Many orders at once, sharing stock and capacity: a plan, and a proof of how good it is.
//!
//! Method: orders one after another by priority; then Lagrangian relaxation of stock and capacity (Geoffrion 1974; Fisher 1981) with
//! subgradient steps, whose multipliers are a lower bound and prices for better passes; then orders that compete are taken out and put
//! back in other sequences; and for small cases [`super::branch`] closes the gap. Large ones: see [`super::large`]. Invariant: the plan
//! is feasible at every moment; `bound` ≤ the cost of every possible plan.

use super::branch;
use super::choose::{Choice, Left, Menu, Prices, choose, cost, menu};
use super::network::{MILLI, Network, Order, OrderProblem, Policy, SourcingError};
use crate::Budget;
use serde::Serialize;

/// How all orders are shipped.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BatchPlan {
    /// One for each order.
    pub choices: Vec<Choice>,
    /// Why an order could not be looked at.
    pub refused: Vec<Option<OrderProblem>>,
    /// Thousandths of a cent of all choices.
    pub cost: i64,
    /// No plan can cost less.
    pub bound: i64,
}

impl BatchPlan {
    /// Whether no plan is better.
    pub fn proven(&self) -> bool {
        self.bound >= self.cost
    }

    /// How much better another plan could be at most, as a fraction of the cost.
    pub fn gap(&self) -> f64 {
        if self.cost == 0 { 0.0 } else { (self.cost - self.bound).max(0) as f64 / self.cost as f64 }
    }
}

/// Subgradient steps without a better bound before the next ones are shorter, and how much shorter.
const PATIENCE: u32 = 15;
const SHORTER: f64 = 0.7;
/// Most subgradient steps.
const ROUNDS: u32 = 3_000;
/// How much of the last direction goes on (deflected subgradients: Camerini, Fratta & Maffioli 1975), which damps zigzag.
const DEFLECTION: f64 = 0.7;
/// Times that a few orders are taken out and put back, for 30 orders: fewer for less, where all sequences are soon tried, and for
/// more, where the bound and its prices help more.
const SHUFFLES: usize = 30_000;
/// How often that is done for few orders, each time with other chances and from the best so far.
const ROUNDABOUTS: u64 = 4;
/// Shares of the prices with which orders are put back: prices say what is scarce in the mean, which is not what is scarce now.
const PRICED: [f64; 4] = [0.4, 0.7, 1.0, 1.3];
/// How many groups of a few orders are put back together, and how long one is looked at.
const GROUPS: usize = 200;
const GROUP_STEPS: u64 = 30_000;
/// Cost in thousandths of a cent that is accepted at first in one of three cases.
const HOT: f64 = 200_000.0;
/// Up to so many orders an optimum is proven, if the budget allows.
const SMALL: usize = 60;

pub(super) struct Batch<'a> {
    pub network: &'a Network,
    pub orders: &'a [Order],
    pub policy: &'a Policy,
    /// Orders that can be looked at, first come first.
    pub sequence: Vec<usize>,
    pub all: Left,
    /// No prices.
    pub(super) free: Prices,
    /// Offers for each order when nothing is taken yet.
    pub(super) menus: Vec<Menu>,
    pub choices: Vec<Choice>,
    pub costs: Vec<i64>,
    pub left: Left,
    pub total: i64,
}

/// Plans orders together.
///
/// # Errors
/// [`SourcingError`] when network or policy make no sense; a bad order is refused alone, in `refused`.
pub fn plan(
    network: &Network,
    orders: &[Order],
    policy: &Policy,
    budget: &Budget<'_>,
    seed: u64,
) -> Result<BatchPlan, SourcingError> {
    network.verify()?;
    policy.verify()?;
    let refused: Vec<Option<OrderProblem>> = orders.iter().map(|o| o.problem(network)).collect();
    let mut sequence: Vec<usize> = (0..orders.len()).filter(|o| refused[*o].is_none()).collect();
    sequence.sort_by_key(|o| {
        (-orders[*o].priority.max(-i64::MAX), orders[*o].promise.unwrap_or(i64::MAX), orders[*o].day)
    });
    let all = Left::of(network);
    let mut batch = Batch {
        network,
        orders,
        policy,
        sequence,
        left: all.clone(),
        menus: orders
            .iter()
            .zip(&refused)
            .map(|(o, r)| if r.is_none() { menu(network, o, policy, &all) } else { Menu::default() })
            .collect(),
        free: Prices::none(network),
        all,
        choices: orders.iter().map(|_| Choice::default()).collect(),
        costs: vec![0; orders.len()],
        total: i64::MAX,
    };
    batch.pass(None);
    let mut prices = batch.guess();
    let bound = if batch.sequence.len() > SMALL {
        batch.many(&mut prices, budget, seed)
    } else {
        batch.few(&mut prices, budget, seed)
    };
    for (o, refused) in refused.iter().enumerate() {
        if refused.is_some() {
            batch.choices[o].short = orders[o].lines.iter().map(|l| l.quantity.max(0)).collect();
        }
    }
    let (choices, cost) = (batch.choices, batch.total);
    Ok(BatchPlan { choices, refused, cost, bound: bound.min(cost) })
}

impl Batch<'_> {
    /// A plan and its bound, which meet where the budget allows.
    fn few(&mut self, prices: &mut Prices, budget: &Budget<'_>, seed: u64) -> i64 {
        let mut bound = self.relax(prices, (ROUNDS, 1.0), budget);
        if bound < self.total {
            self.reshuffle(prices, budget, seed);
            bound = bound.max(self.relax(prices, (ROUNDS, 1.0), budget));
            for turn in 1..ROUNDABOUTS {
                if bound < self.total && !budget.spent() {
                    self.reshuffle(prices, budget, seed.wrapping_add(turn));
                }
            }
            self.regroup(bound, prices, budget, seed);
        }
        if bound < self.total {
            bound = bound.max(branch::close(self, prices, budget));
        }
        bound
    }

    /// Orders one after another, with prices on what is scarce or without; kept if it is better.
    pub(super) fn pass(&mut self, prices: Option<&Prices>) {
        let mut left = self.all.clone();
        let mut choices = vec![Choice::default(); self.orders.len()];
        let mut costs = vec![0; self.orders.len()];
        let mut total = 0i64;
        for o in &self.sequence {
            let order = &self.orders[*o];
            let mut offers = self.menus[*o].clone();
            offers.shrink(order, &left);
            if let Some(prices) = prices {
                offers.price(self.network, order, prices);
            }
            let (_, choice) = choose(self.network, order, &offers, Some(&left));
            left.apply(order, &choice, -1);
            costs[*o] = cost(self.network, order, self.policy, &choice);
            total = total.saturating_add(costs[*o]);
            choices[*o] = choice;
        }
        if total < self.total {
            (self.left, self.choices, self.costs, self.total) = (left, choices, costs, total);
        }
    }

    /// Prices to begin with: where all orders want more of an item than there is, some of it will be short, and what is there is
    /// worth what a short unit costs.
    fn guess(&self) -> Prices {
        let mut prices = Prices::none(self.network);
        let (items, places) = (self.network.items, self.network.locations.len());
        let mut wanted = vec![(0i64, 0i64); items];
        for line in self.sequence.iter().flat_map(|o| &self.orders[*o].lines) {
            for (item, pieces) in &line.takes {
                wanted[*item].0 += line.quantity;
                wanted[*item].1 += line.quantity * pieces;
            }
        }
        for (item, (units, pieces)) in wanted.into_iter().enumerate() {
            if pieces > (0..places).map(|l| self.all.stock(l, item)).sum() {
                let worth = (self.policy.short_unit * MILLI) as f64 * units as f64 / pieces as f64;
                (0..places).for_each(|l| prices.stock[l * items + item] = worth);
            }
        }
        prices
    }

    /// The lower bound, by so many steps of which the first is as long as this; `prices` become those that prove it.
    pub(super) fn relax(
        &mut self,
        best_prices: &mut Prices,
        (rounds, first): (u32, f64),
        budget: &Budget<'_>,
    ) -> i64 {
        let mut prices = best_prices.clone();
        let mut best = f64::NEG_INFINITY;
        let mut way = Vec::new();
        let (mut step, mut idle) = (first, 0);
        for round in 0..rounds {
            let Some((value, used)) = self.relaxed(&prices, budget) else { break };
            if value > best + 1.0 {
                (best, idle) = (value, 0);
                best_prices.clone_from(&prices);
            } else {
                idle += 1;
                if idle >= PATIENCE {
                    (step, idle) = (step * SHORTER, 0);
                    prices.clone_from(best_prices);
                    way.clear();
                }
            }
            if whole(best) >= self.total || step < 1e-3 {
                break;
            }
            if round % 10 == 3 {
                self.pass(Some(&prices));
            }
            let aim = step * (self.total as f64 - value).max(1.0);
            if !used.move_prices(&mut prices, &self.all, &mut way, aim) {
                break;
            }
        }
        // Without a whole round nothing was learnt that a pass could use.
        if best > f64::NEG_INFINITY && !budget.spent() {
            self.pass(Some(best_prices));
        }
        whole(best)
    }

    /// Every order for itself, paying prices in place of minding limits: the value of the bound and what would be used.
    fn relaxed(&mut self, prices: &Prices, budget: &Budget<'_>) -> Option<(f64, Use)> {
        let mut used = Use::new(self, self.network.locations.len());
        let mut value = 0.0;
        for o in &self.sequence {
            if budget.spent() {
                return None;
            }
            let order = &self.orders[*o];
            self.menus[*o].price(self.network, order, prices);
            let (least, choice) = choose(self.network, order, &self.menus[*o], None);
            value += least;
            used.count(order, &choice, self.network.items);
        }
        Some((value - used.paid(prices, &self.all), used))
    }

    /// Takes a few competing orders out and puts them back in another sequence, with prices or without; annealed, the best is kept.
    pub(super) fn reshuffle(&mut self, prices: &Prices, budget: &Budget<'_>, seed: u64) {
        let n = self.sequence.len();
        let mut dice = Dice::new(seed);
        let rivals = self.rivals();
        let priced = PRICED.map(|share| prices.times(share));
        let rounds = SHUFFLES.min(33 * n * n).min(SHUFFLES * 30 / n.max(1));
        let mut best = (self.total, self.choices.clone(), self.costs.clone(), self.left.clone());
        for round in 0..rounds {
            if budget.spent() {
                break;
            }
            let mut out = vec![self.sequence[dice.below(n)]];
            for _ in 0..1 + dice.below(5) {
                let near = &rivals[out[0]];
                let any = near.is_empty() || dice.below(4) == 0;
                let other = if any { self.sequence[dice.below(n)] } else { near[dice.below(near.len())] };
                if !out.contains(&other) {
                    out.insert(dice.below(out.len() + 1), other);
                }
            }
            let heat = HOT * (1.0 - round as f64 / rounds as f64).powi(2);
            let slack = -heat * (dice.below(1 << 20).max(1) as f64 / f64::from(1 << 20)).ln();
            // As often without prices as with.
            self.again(&out, priced.get(dice.below(2 * PRICED.len())), slack as i64);
            if self.total < best.0 {
                best = (self.total, self.choices.clone(), self.costs.clone(), self.left.clone());
            }
        }
        (self.total, self.choices, self.costs, self.left) = best;
    }

    /// Takes a few competing orders out and puts them back in the best of all ways together, as far as a look at them goes; what nobody
    /// shipped is looked at first (large neighbourhood search: Shaw 1998).
    fn regroup(&mut self, bound: i64, prices: &Prices, budget: &Budget<'_>, seed: u64) {
        let n = self.sequence.len();
        let mut dice = Dice::new(seed);
        let rivals = self.rivals();
        for _ in 0..GROUPS {
            if bound >= self.total || budget.spent() {
                return;
            }
            let short: Vec<usize> =
                self.sequence.iter().copied().filter(|o| self.choices[*o].short_units() > 0).collect();
            let from = if short.is_empty() || dice.below(2) == 0 { &self.sequence } else { &short };
            let mut group = vec![from[dice.below(from.len())]];
            for _ in 0..3 + dice.below(4) {
                let near = &rivals[group[dice.below(group.len())]];
                let any = near.is_empty() || dice.below(4) == 0;
                let other = if any { self.sequence[dice.below(n)] } else { near[dice.below(near.len())] };
                if !group.contains(&other) {
                    group.push(other);
                }
            }
            self.together(group, prices, budget);
        }
    }

    /// The best way to ship some orders together, all others as they are.
    fn together(&mut self, group: Vec<usize>, prices: &Prices, budget: &Budget<'_>) {
        let mut all = self.left.clone();
        for o in &group {
            all.apply(&self.orders[*o], &self.choices[*o], 1);
        }
        let before: i64 = group.iter().map(|o| self.costs[*o]).sum();
        let mut part = Batch {
            network: self.network,
            orders: self.orders,
            policy: self.policy,
            sequence: group,
            left: self.left.clone(),
            all,
            free: Prices::default(),
            menus: Vec::new(),
            choices: self.choices.clone(),
            costs: self.costs.clone(),
            total: before,
        };
        let asked = std::cell::Cell::new(0);
        let stop = || {
            // A budget asks every 64 steps.
            asked.set(asked.get() + 64);
            asked.get() >= GROUP_STEPS || budget.spent()
        };
        branch::close(&mut part, prices, &Budget::until(&stop));
        if part.total < before {
            self.total += part.total - before;
            (self.left, self.choices, self.costs) = (part.left, part.choices, part.costs);
        }
    }

    /// Sources a few orders again in this sequence; kept unless it costs more than before by `slack`.
    pub(super) fn again(&mut self, out: &[usize], prices: Option<&Prices>, slack: i64) {
        let before: i64 = out.iter().map(|o| self.costs[*o]).sum();
        for o in out {
            self.left.apply(&self.orders[*o], &self.choices[*o], 1);
        }
        let mut new = Vec::with_capacity(out.len());
        for o in out {
            let order = &self.orders[*o];
            let mut offers = self.menus[*o].clone();
            offers.shrink(order, &self.left);
            match prices {
                Some(prices) => offers.price(self.network, order, prices),
                None => offers.price(self.network, order, &self.free),
            }
            let (_, choice) = choose(self.network, order, &offers, Some(&self.left));
            self.left.apply(order, &choice, -1);
            new.push((cost(self.network, order, self.policy, &choice), choice));
        }
        let after: i64 = new.iter().map(|n| n.0).sum();
        if after <= before + slack {
            self.total += after - before;
            for (o, (cost, choice)) in out.iter().zip(new) {
                (self.costs[*o], self.choices[*o]) = (cost, choice);
            }
            return;
        }
        for (o, (_, choice)) in out.iter().zip(&new) {
            self.left.apply(&self.orders[*o], choice, 1);
        }
        for o in out {
            self.left.apply(&self.orders[*o], &self.choices[*o], -1);
        }
    }

    /// Orders that want the same items, for each order; at most a few dozen.
    fn rivals(&self) -> Vec<Vec<usize>> {
        let mut by_item: Vec<Vec<usize>> = vec![Vec::new(); self.network.items];
        let items = |o: usize| self.orders[o].lines.iter().flat_map(|l| &l.takes).map(|t| t.0);
        for o in &self.sequence {
            items(*o).for_each(|i| by_item[i].push(*o));
        }
        let mut rivals = vec![Vec::new(); self.orders.len()];
        for o in &self.sequence {
            let near = items(*o).flat_map(|i| by_item[i].iter().copied().take(50)).filter(|r| r != o);
            rivals[*o] = near.collect();
        }
        rivals
    }
}

/// Small dice (xorshift by Marsaglia 2003).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 20) % end.max(1) as u64) as usize
    }
}

/// Costs are whole: a bound may be rounded up.
pub(super) fn whole(bound: f64) -> i64 {
    if bound.is_finite() { (bound - 0.05).ceil().max(0.0) as i64 } else { 0 }
}

/// What the relaxed choices take.
pub(super) struct Use {
    stock: Vec<i64>,
    parcels: Vec<i64>,
    units: Vec<i64>,
}

impl Use {
    pub(super) fn new(batch: &Batch<'_>, places: usize) -> Self {
        Self {
            stock: vec![0; places * batch.network.items],
            parcels: vec![0; places],
            units: vec![0; places],
        }
    }

    pub(super) fn count(&mut self, order: &Order, choice: &Choice, items: usize) {
        for ship in &choice.ships {
            for (item, pieces) in &order.lines[ship.line].takes {
                self.stock[ship.location * items + item] += pieces * ship.quantity;
            }
            self.units[ship.location] += ship.quantity;
        }
        for location in choice.locations() {
            self.parcels[location] += 1;
        }
    }

    /// Prices times limits.
    fn paid(&self, prices: &Prices, all: &Left) -> f64 {
        let sum = |p: &[f64], limit: &dyn Fn(usize) -> i64| -> f64 {
            p.iter().enumerate().filter(|(_, p)| **p > 0.0).map(|(i, p)| p * limit(i) as f64).sum()
        };
        let stock = sum(&prices.stock, &|i| all.stock(i / all.items(), i % all.items()));
        stock + sum(&prices.parcels, &|i| all.parcels[i]) + sum(&prices.units, &|i| all.units[i])
    }

    /// Prices after a part of the orders: up where it used more than its share, down where it used less, each thing by how much there is.
    pub(super) fn nudge(&self, prices: &mut Prices, all: &Left, pace: f64, share: f64) {
        let stock = |i: usize| all.stock(i / all.items(), i % all.items());
        let price = |price: &mut f64, used: i64, limit: i64| {
            if used > 0 || *price > 0.0 {
                *price = (*price + pace * (used as f64 / limit.max(1) as f64 - share)).max(0.0);
            }
        };
        prices.stock.iter_mut().enumerate().for_each(|(i, p)| price(p, self.stock[i], stock(i)));
        for l in 0..prices.parcels.len() {
            price(&mut prices.parcels[l], self.parcels[l], all.parcels[l]);
            price(&mut prices.units[l], self.units[l], all.units[l]);
        }
    }

    /// A step uphill, partly in the direction of the last one; whether there was anywhere to go.
    fn move_prices(&self, prices: &mut Prices, all: &Left, way: &mut Vec<f64>, step: f64) -> bool {
        let stock = |i: usize| all.stock(i / all.items(), i % all.items());
        let Prices { stock: stocks, parcels, units } = prices;
        let places = parcels.len();
        let slope = |used: i64, limit: i64, price: f64| {
            let over = (used - limit) as f64;
            if over < 0.0 && price <= 0.0 { 0.0 } else { over }
        };
        let slopes = stocks.iter().enumerate().map(|(i, p)| slope(self.stock[i], stock(i), *p));
        let slopes = slopes
            .chain((0..places).map(|i| slope(self.parcels[i], all.parcels[i], parcels[i])))
            .chain((0..places).map(|i| slope(self.units[i], all.units[i], units[i])));
        let slopes: Vec<f64> = slopes.collect();
        if slopes.iter().all(|s| *s == 0.0) {
            return false;
        }
        way.resize(slopes.len(), 0.0);
        way.iter_mut().zip(&slopes).for_each(|(w, s)| *w = *w * DEFLECTION + s);
        let norm: f64 = way.iter().map(|w| w * w).sum();
        let all = stocks.iter_mut().chain(parcels).chain(units);
        for (price, way) in all.zip(way.iter_mut()) {
            *price += step * *way / norm.max(1e-9);
            if *price <= 0.0 {
                (*price, *way) = (0.0, way.max(0.0));
            }
        }
        true
    }
}
