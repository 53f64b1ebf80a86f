//! The optimum of a small batch, proven. With the multipliers of the relaxation every option of an order has a regret: what it costs
//! beyond the order's cheapest one. A better plan cannot have more regret in total than the gap, so only options within the gap are
//! listed, and a depth-first search over them is complete (reduced-cost fixing, then enumeration). Invariant: it answers with a bound
//! only when nothing was left unseen.

use super::batch::Batch;
use super::choose::{Choice, Menu, Prices, Ship, choose, cost, menu};
use super::network::Order;
use crate::Budget;

/// More options than that for one order are not worth listing.
const MOST: usize = 20_000;

struct Way {
    regret: f64,
    cost: i64,
    choice: Choice,
    /// What it takes of each resource.
    takes: Vec<(usize, i64)>,
}

struct Level {
    order: usize,
    ways: Vec<Way>,
}

/// Shares of the gap that are searched one after another. Each that is searched to its end raises the bound, even if the last is not.
const SHARES: [f64; 8] = [1.0 / 64.0, 1.0 / 32.0, 1.0 / 16.0, 1.0 / 8.0, 1.0 / 4.0, 1.0 / 2.0, 0.75, 1.0];

/// Improves the batch towards the optimum as far as the budget goes; the best bound that was proven, or 0.
pub(super) fn close(batch: &mut Batch<'_>, prices: &Prices, budget: &Budget<'_>) -> i64 {
    let mut least = Vec::new();
    for o in &batch.sequence {
        let order = &batch.orders[*o];
        let mut offers = menu(batch.network, order, batch.policy, &batch.all);
        offers.price(batch.network, order, prices);
        least.push((choose(batch.network, order, &offers, None).0, offers));
    }
    let free = resources(batch);
    let price = prices.stock.iter().chain(&prices.parcels).chain(&prices.units);
    let paid: f64 = price.zip(&free).filter(|(p, _)| **p > 0.0).map(|(p, n)| p * *n as f64).sum();
    let root = least.iter().map(|l| l.0).sum::<f64>() - paid;
    let mut bound = 0;
    for share in SHARES {
        // A plan with more regret than that costs at least the root and that much.
        let most = (batch.total as f64 - 1.0 - root + 0.01) * share;
        let Some(levels) = levels(batch, &least, most, budget) else { break };
        let open = (0..levels.len()).collect();
        let (free, total) = (free.clone(), batch.total);
        let mut search = Search { levels: &levels, free, picked: Vec::new(), best: None, most, total, root };
        let complete = search.descend(open, 0.0, 0, budget);
        search.keep(batch);
        if !complete {
            break;
        }
        bound = batch.total.min((root + most - 0.01).ceil() as i64);
        if share >= 1.0 || bound >= batch.total {
            return batch.total;
        }
    }
    bound
}

/// All ways within a regret, for each order; `None` if they are too many.
fn levels(batch: &Batch<'_>, least: &[(f64, Menu)], most: f64, budget: &Budget<'_>) -> Option<Vec<Level>> {
    let mut levels = Vec::with_capacity(least.len());
    for (o, (least, offers)) in batch.sequence.iter().zip(least) {
        let order = &batch.orders[*o];
        let mut listing = Listing::new(order, offers, least + most);
        listing.sets(0, 0.0, budget);
        if listing.full {
            return None;
        }
        let way = |(priced, choice): (f64, Choice)| Way {
            regret: (priced - least).max(0.0),
            cost: cost(batch.network, order, batch.policy, &choice),
            takes: takes(batch, order, &choice),
            choice,
        };
        let mut ways: Vec<Way> = listing.found.into_iter().map(way).collect();
        ways.sort_by(|a, b| a.regret.total_cmp(&b.regret));
        levels.push(Level { order: *o, ways });
    }
    Some(levels)
}

/// What there is of each resource: stock, then parcels, then units of each location.
fn resources(batch: &Batch<'_>) -> Vec<i64> {
    let (places, items) = (batch.network.locations.len(), batch.network.items);
    let stock = (0..places).flat_map(|l| (0..items).map(move |i| (l, i)));
    let stock = stock.map(|(l, i)| batch.all.stock(l, i));
    stock.chain(batch.all.parcels.iter().copied()).chain(batch.all.units.iter().copied()).collect()
}

fn takes(batch: &Batch<'_>, order: &Order, choice: &Choice) -> Vec<(usize, i64)> {
    let (places, items) = (batch.network.locations.len(), batch.network.items);
    let mut takes: Vec<(usize, i64)> = Vec::new();
    let mut add = |resource: usize, amount: i64| match takes.iter_mut().find(|t| t.0 == resource) {
        Some(take) => take.1 += amount,
        None => takes.push((resource, amount)),
    };
    for ship in &choice.ships {
        for (item, pieces) in &order.lines[ship.line].takes {
            add(ship.location * items + item, pieces * ship.quantity);
        }
        add(places * (items + 1) + ship.location, ship.quantity);
    }
    choice.locations().into_iter().for_each(|l| add(places * items + l, 1));
    takes
}

struct Search<'a> {
    levels: &'a [Level],
    free: Vec<i64>,
    /// Levels with the way picked.
    picked: Vec<(usize, usize)>,
    best: Option<Vec<(usize, usize)>>,
    /// Most regret that still makes a better plan.
    most: f64,
    total: i64,
    root: f64,
}

impl Search<'_> {
    fn fits(&self, way: &Way) -> bool {
        way.takes.iter().all(|(resource, amount)| self.free[*resource] >= *amount)
    }

    /// Whether everything below was seen. What is left decides which ways are still open to each order, and the least regret among
    /// them has to be paid; the order with the fewest ways left is next.
    fn descend(&mut self, mut open: Vec<usize>, regret: f64, cost: i64, budget: &Budget<'_>) -> bool {
        if open.is_empty() {
            if cost < self.total {
                self.total = cost;
                self.most = self.most.min(cost as f64 - 1.0 - self.root + 0.01);
                self.best = Some(self.picked.clone());
            }
            return true;
        }
        let firsts: Vec<Option<f64>> = open
            .iter()
            .map(|l| self.levels[*l].ways.iter().find(|w| self.fits(w)).map(|w| w.regret))
            .collect();
        let mut due = regret;
        for first in &firsts {
            match first {
                Some(first) => due += first,
                None => return true,
            }
        }
        if due > self.most {
            return true;
        }
        let room = |at: usize| self.most - due + firsts[at].unwrap_or(0.0);
        let ways = |at: usize| {
            let near = self.levels[open[at]].ways.iter().take_while(|w| w.regret <= room(at));
            near.filter(|w| self.fits(w)).take(50).count()
        };
        let Some(at) = (0..open.len()).min_by_key(|at| ways(*at)) else { return true };
        let (level, room) = (open[at], room(at));
        open.swap_remove(at);
        let levels = self.levels;
        for (i, way) in levels[level].ways.iter().enumerate().take_while(|(_, w)| w.regret <= room) {
            if budget.spent() {
                return false;
            }
            if !self.fits(way) {
                continue;
            }
            way.takes.iter().for_each(|(resource, amount)| self.free[*resource] -= amount);
            self.picked.push((level, i));
            let seen = self.descend(open.clone(), regret + way.regret, cost + way.cost, budget);
            self.picked.pop();
            way.takes.iter().for_each(|(resource, amount)| self.free[*resource] += amount);
            if !seen {
                return false;
            }
        }
        true
    }

    fn keep(&self, batch: &mut Batch<'_>) {
        let Some(best) = &self.best else { return };
        batch.left = batch.all.clone();
        for (level, way) in best {
            let (order, way) = (self.levels[*level].order, &self.levels[*level].ways[*way]);
            batch.left.apply(&batch.orders[order], &way.choice, -1);
            batch.costs[order] = way.cost;
            batch.choices[order] = way.choice.clone();
        }
        batch.total = self.total;
    }
}

/// All ways to ship one order that cost at most `most` with prices.
struct Listing<'a> {
    order: &'a Order,
    menu: &'a Menu,
    most: f64,
    set: Vec<usize>,
    ships: Vec<Ship>,
    found: Vec<(f64, Choice)>,
    full: bool,
    /// Least that lines from each group on can cost.
    floor: Vec<f64>,
}

impl<'a> Listing<'a> {
    fn new(order: &'a Order, menu: &'a Menu, most: f64) -> Self {
        let least = |l: usize| {
            let unit = (0..menu.offers.len()).map(|o| menu.unit(o, l)).fold(menu.short, f64::min);
            unit * order.lines[l].quantity as f64
        };
        let mut floor = vec![0.0];
        for group in menu.groups.iter().rev() {
            let last = floor[floor.len() - 1];
            floor.push(last + group.iter().map(|l| least(*l)).sum::<f64>());
        }
        floor.reverse();
        Self { order, menu, most, set: Vec::new(), ships: Vec::new(), found: Vec::new(), full: false, floor }
    }

    fn sets(&mut self, from: usize, fixed: f64, budget: &Budget<'_>) {
        self.groups(0, fixed, budget);
        if self.set.len() >= self.menu.parcels {
            return;
        }
        let extra = if self.set.is_empty() { 0.0 } else { self.menu.extra };
        for at in from..self.menu.offers.len() {
            let fixed = fixed + extra + self.menu.offers[at].fixed;
            if fixed + self.floor[0] > self.most || self.full {
                return;
            }
            self.set.push(at);
            self.sets(at + 1, fixed, budget);
            self.set.pop();
        }
    }

    fn groups(&mut self, group: usize, cost: f64, budget: &Budget<'_>) {
        if cost + self.floor[group] > self.most || self.full {
            return;
        }
        let Some(lines) = self.menu.groups.get(group) else {
            self.full = budget.spent() || self.found.len() >= MOST;
            self.add(cost);
            return;
        };
        if self.order.lines[lines[0]].together.is_none() {
            self.compose(group, 0, self.order.lines[lines[0]].quantity, cost, budget);
            return;
        }
        let quantity = |l: &usize| self.order.lines[*l].quantity;
        for at in self.set.clone() {
            let offer = &self.menu.offers[at];
            if lines.iter().all(|l| self.menu.most(at, *l) >= quantity(l)) {
                let price: f64 = lines.iter().map(|l| quantity(l) as f64 * self.menu.unit(at, *l)).sum();
                let before = self.ships.len();
                let ships =
                    lines.iter().map(|l| Ship { line: *l, location: offer.location, quantity: quantity(l) });
                self.ships.extend(ships);
                self.groups(group + 1, cost + price, budget);
                self.ships.truncate(before);
            }
        }
        let none: f64 = lines.iter().map(|l| quantity(l) as f64 * self.menu.short).sum();
        self.groups(group + 1, cost + none, budget);
    }

    /// All divisions of a line's units among the set and nobody.
    fn compose(&mut self, group: usize, member: usize, units: i64, cost: f64, budget: &Budget<'_>) {
        let Some(at) = self.set.get(member).copied() else {
            self.groups(group + 1, cost + units as f64 * self.menu.short, budget);
            return;
        };
        let line = self.menu.groups[group][0];
        let location = self.menu.offers[at].location;
        for quantity in (0..=units.min(self.menu.most(at, line))).rev() {
            self.full |= budget.spent();
            if self.full {
                return;
            }
            if quantity > 0 {
                self.ships.push(Ship { line, location, quantity });
            }
            self.compose(
                group,
                member + 1,
                units - quantity,
                cost + quantity as f64 * self.menu.unit(at, line),
                budget,
            );
            if quantity > 0 {
                self.ships.pop();
            }
        }
    }

    fn add(&mut self, cost: f64) {
        let mut choice = Choice::nothing(self.order);
        for ship in &self.ships {
            choice.short[ship.line] -= ship.quantity;
        }
        choice.ships.clone_from(&self.ships);
        let complete = self.menu.partial || choice.short_units() == 0 || choice.ships.is_empty();
        // A set with an idle member is listed without it.
        if complete && choice.locations().len() == self.set.len() {
            self.found.push((cost, choice));
        }
    }
}
