//! The optimum of a batch, proven by branch and price (Barnhart et al., *Branch-and-Price: Column Generation for Solving Huge Integer
//! Programs*, Operations Research 46, 1998). A column is one way to ship one order; the linear program over columns shares out stock
//! and capacity, its duals are prices with which the search for one order finds columns that are missing, and the same search gives
//! the bound. What is fractional is branched on: units short in total and of an item, who sends a parcel, how many units. Invariant: a
//! bound is made of prices and of the cheapest way of every order at these prices, and of nothing the linear program says.

use super::batch::{Batch, whole};
use super::choose::{Choice, Found, Menu, Prices, Ship, choose, cost, menu, search};
use super::counts::{Branch, Candidate, Picture, Piece, What, charge, coefficient, distinct};
use super::lp::{Basic, Column, Lp, Sense};
use super::network::MILLI;
use crate::Budget;
use std::collections::{BTreeMap, BTreeSet};

/// A column has to save so much (thousandths of a cent) to be taken in.
const SAVES: f64 = 1e-3;
/// How many candidates are tried out at one node, and how often until what they are worth is known.
const TRIALS: usize = 30;
const SURE: f64 = 4.0;
/// Most rounds of columns at one node.
const ROUNDS: usize = 400;
/// Most rows of a program: its inverse is dense.
const MOST_ROWS: usize = 500;

/// A part of all plans.
struct Node {
    bound: f64,
    branches: Vec<Branch>,
    basis: Vec<Basic>,
    /// What could be branched on.
    candidates: Vec<Candidate>,
}

/// By how much branching raised bounds so far, for the whole way from one whole number to the next: sum and count of each side.
#[derive(Debug, Clone, Copy, Default)]
struct Worth([(f64, f64); 2]);

/// Order, locations, and units of lines from them.
type Key = (usize, Vec<usize>, Vec<(usize, usize, i64)>);

struct Tree<'a, 'b, 'c> {
    batch: &'a mut Batch<'b>,
    budget: &'a Budget<'c>,
    rows: Vec<(Sense, f64)>,
    /// Row of each resource that can run out: stock, then parcels, then units.
    row_of: Vec<Option<usize>>,
    pieces: Vec<Piece>,
    known: BTreeSet<Key>,
    menus: Vec<Menu>,
    worth: BTreeMap<What, Worth>,
    /// What missing a limit costs: more than anything.
    missed: f64,
    /// Least bound of what could not be divided.
    stuck: f64,
}

/// Improves the batch towards the optimum as far as the budget goes; the bound that was proven, or 0.
pub(super) fn close(batch: &mut Batch<'_>, prices: &Prices, budget: &Budget<'_>) -> i64 {
    let mut tree = Tree::new(batch, budget);
    if tree.rows.len() > MOST_ROWS {
        return 0;
    }
    tree.begin(prices);
    let (lp, _) = tree.program(&[], tree.first_basis());
    let mut open: Vec<Node> = tree.visit(0.0, Vec::new(), lp).into_iter().collect();
    loop {
        let total = tree.batch.total;
        open.retain(|n| whole(n.bound) < total);
        // The lowest bound is everybody's.
        let next = (0..open.len()).min_by(|a, b| open[*a].bound.total_cmp(&open[*b].bound));
        let Some(next) = next else { break };
        if open[next].bound >= tree.stuck || budget.spent() {
            tree.stuck = tree.stuck.min(open[next].bound);
            break;
        }
        let node = open.swap_remove(next);
        open.extend(tree.branch(&node));
    }
    if tree.stuck.is_finite() { whole(tree.stuck).min(tree.batch.total) } else { tree.batch.total }
}

impl<'a, 'b, 'c> Tree<'a, 'b, 'c> {
    fn new(batch: &'a mut Batch<'b>, budget: &'a Budget<'c>) -> Self {
        let (places, items) = (batch.network.locations.len(), batch.network.items);
        let menus: Vec<Menu> = batch
            .sequence
            .iter()
            .map(|o| menu(batch.network, &batch.orders[*o], batch.policy, &batch.all))
            .collect();
        let mut most = vec![0i64; places * (items + 2)];
        for (o, menu) in batch.sequence.iter().zip(&menus) {
            let order = &batch.orders[*o];
            for (at, offer) in menu.offers.iter().enumerate() {
                let l = offer.location;
                for (line, of) in order.lines.iter().enumerate() {
                    let units = menu.most(at, line);
                    of.takes.iter().for_each(|(item, pieces)| most[l * items + item] += units * pieces);
                    most[places * (items + 1) + l] += units;
                }
                most[places * items + l] += 1;
            }
        }
        let (n, missed) = (batch.sequence.len(), batch.total as f64 + 1e6);
        let mut rows = vec![(Sense::Equal, 1.0); n];
        let mut row_of = vec![None; most.len()];
        for (resource, (most, free)) in most.iter().zip(resources(batch)).enumerate() {
            if *most > free {
                row_of[resource] = Some(rows.len());
                rows.push((Sense::Most, free as f64));
            }
        }
        Self {
            batch,
            budget,
            rows,
            row_of,
            pieces: Vec::new(),
            known: BTreeSet::new(),
            menus,
            worth: BTreeMap::new(),
            missed,
            stuck: f64::INFINITY,
        }
    }

    /// First columns: the plan so far, nothing for nobody, and what orders would do at these prices.
    fn begin(&mut self, prices: &Prices) {
        for at in 0..self.batch.sequence.len() {
            let o = self.batch.sequence[at];
            let choice = self.batch.choices[o].clone();
            self.take_in(at, choice.locations(), choice.ships);
        }
        for at in 0..self.batch.sequence.len() {
            self.take_in(at, Vec::new(), Vec::new());
            let mut menu = self.menus[at].clone();
            let order = &self.batch.orders[self.batch.sequence[at]];
            menu.price(self.batch.network, order, prices);
            let found = search(self.batch.network, order, &menu, None);
            self.take_in(at, found.set, found.ships);
        }
    }

    /// The plan so far as a basis.
    fn first_basis(&self) -> Vec<Basic> {
        let n = self.batch.sequence.len();
        (0..self.rows.len()).map(|r| if r < n { Basic::Column(r) } else { Basic::Slack(r) }).collect()
    }

    /// A column more, unless it is there.
    fn take_in(&mut self, at: usize, mut set: Vec<usize>, mut ships: Vec<Ship>) -> bool {
        set.sort_unstable();
        ships.sort_unstable_by_key(|s| (s.line, s.location));
        let key = ships.iter().map(|s| (s.line, s.location, s.quantity)).collect();
        if !self.known.insert((at, set.clone(), key)) {
            return false;
        }
        let piece = self.piece(at, set, ships);
        self.pieces.push(piece);
        true
    }

    fn piece(&self, at: usize, set: Vec<usize>, ships: Vec<Ship>) -> Piece {
        let Batch { network, orders, policy, sequence, .. } = &*self.batch;
        let order = &orders[sequence[at]];
        let mut cost = (set.len() as i64 - 1).max(0) * policy.extra_parcel * MILLI;
        let mut amounts: Vec<(usize, i64)> = Vec::new();
        let (places, items) = (network.locations.len(), network.items);
        for l in &set {
            cost +=
                network.lane(*l, order.zone).map_or(0, |lane| policy.parcel_cost(network, order, *l, lane));
            amounts.push((places * items + l, 1));
        }
        let mut short: Vec<i64> = order.lines.iter().map(|l| l.quantity).collect();
        for ship in &ships {
            let line = &order.lines[ship.line];
            short[ship.line] -= ship.quantity;
            cost +=
                network.lane(ship.location, order.zone).map_or(0, |l| l.per_kg * line.grams * ship.quantity);
            amounts.extend(line.takes.iter().map(|(i, p)| (ship.location * items + i, p * ship.quantity)));
            amounts.push((places * (items + 1) + ship.location, ship.quantity));
        }
        cost += short.iter().sum::<i64>() * policy.short_unit * MILLI;
        let mut entries = vec![(at, 1.0)];
        for (resource, amount) in amounts {
            let Some(row) = self.row_of[resource] else { continue };
            match entries.iter_mut().find(|e| e.0 == row) {
                Some(entry) => entry.1 += amount as f64,
                None => entries.push((row, amount as f64)),
            }
        }
        let lines = order.lines.iter().zip(&short).filter(|(_, s)| **s > 0);
        let items = lines.flat_map(|(l, s)| distinct(&l.takes).map(move |i| (i, *s as f64))).collect();
        Piece { order: at, cost: cost as f64, set, ships, short, entries, items }
    }

    /// Divides a part of all plans in two: where that raises the bound most, as far as it is known, and tried out where it is not.
    fn branch(&mut self, node: &Node) -> Vec<Node> {
        let mut best: Option<(f64, Candidate, Option<Vec<Option<Node>>>)> = None;
        let mut trials = 0;
        let base = self.program(&node.branches, node.basis.clone());
        for candidate in &node.candidates {
            let known = self.worth.get(&candidate.what).copied().unwrap_or_default();
            let (score, children) = if trials < TRIALS && known.0.iter().any(|w| w.1 < SURE) {
                trials += 1;
                let children = self.divide(node, &base, *candidate);
                if self.budget.spent() || children.iter().all(Option::is_none) {
                    return children.into_iter().flatten().collect();
                }
                let most = self.batch.total as f64 - node.bound;
                let rise = |c: &Option<Node>| c.as_ref().map_or(most, |c| c.bound - node.bound).max(1.0);
                (children.iter().map(rise).product::<f64>(), Some(children))
            } else {
                let way = [candidate.above(), 1.0 - candidate.above()];
                let rise = |(w, way): (&(f64, f64), f64)| (w.0 / w.1.max(1.0) * way).max(1.0);
                (known.0.iter().zip(way).map(rise).product(), None)
            };
            if best.as_ref().is_none_or(|b| score > b.0) {
                best = Some((score, *candidate, children));
            }
        }
        let Some((_, candidate, children)) = best else {
            self.stuck = self.stuck.min(node.bound);
            return Vec::new();
        };
        let children = children.unwrap_or_else(|| self.divide(node, &base, candidate));
        children.into_iter().flatten().collect()
    }

    /// Both sides of a candidate.
    fn divide(
        &mut self,
        node: &Node,
        (base, known): &(Lp, usize),
        candidate: Candidate,
    ) -> Vec<Option<Node>> {
        let below = (candidate.value / candidate.step).floor() * candidate.step;
        let sides = [(Sense::Most, below), (Sense::Least, below + candidate.step)];
        let mut children = Vec::with_capacity(2);
        for (side, (sense, number)) in sides.into_iter().enumerate() {
            let branch = Branch { what: candidate.what, sense, number };
            let mut branches = node.branches.clone();
            branches.push(branch);
            let mut lp = base.clone();
            if branch.has_row() {
                lp.row(sense, number, |column| coefficient(candidate.what, &self.pieces[column]));
            } else {
                for (at, piece) in self.pieces[..*known].iter().enumerate() {
                    if !branch.keeps(piece) {
                        lp.charge(at, piece.cost + self.missed);
                    }
                }
            }
            self.pieces[*known..].iter().for_each(|piece| lp.add(self.column(piece, &branches)));
            lp.settle();
            let child = self.visit(node.bound, branches, lp);
            let rise = child.as_ref().map_or(self.batch.total as f64, |c| c.bound) - node.bound;
            let way = if side == 0 { candidate.above() } else { 1.0 - candidate.above() };
            let worth = &mut self.worth.entry(candidate.what).or_default().0[side];
            *worth = (worth.0 + rise.max(0.0) / way.max(0.01), worth.1 + 1.0);
            children.push(child);
        }
        children
    }

    /// A column of the program that minds these branches.
    fn column(&self, piece: &Piece, branches: &[Branch]) -> Column {
        let mut entries = piece.entries.clone();
        let mut cost = piece.cost;
        let mut row = self.rows.len();
        for branch in branches {
            if branch.has_row() {
                let amount = coefficient(branch.what, piece);
                if amount != 0.0 {
                    entries.push((row, amount));
                }
                row += 1;
            } else if !branch.keeps(piece) {
                cost += self.missed;
            }
        }
        Column { cost, entries }
    }

    /// The program of a part of all plans, and how many columns it knows.
    fn program(&self, branches: &[Branch], basis: Vec<Basic>) -> (Lp, usize) {
        let mut rows = self.rows.clone();
        rows.extend(branches.iter().filter(|b| b.has_row()).map(|b| (b.sense, b.number)));
        let columns = self.pieces.iter().map(|p| self.column(p, branches)).collect();
        (Lp::new(rows, columns, self.missed, basis), self.pieces.len())
    }

    /// Bounds a part of all plans; `None` if it holds no better plan.
    fn visit(&mut self, mut bound: f64, branches: Vec<Branch>, mut lp: Lp) -> Option<Node> {
        let rowed: Vec<Branch> = branches.iter().filter(|b| b.has_row()).copied().collect();
        for _ in 0..ROUNDS {
            lp.solve(&|| self.budget.spent());
            let Some((value, found)) = self.price(&lp, &branches, &rowed) else { break };
            bound = bound.max(value);
            if whole(bound) >= self.batch.total {
                return None;
            }
            let before = self.pieces.len();
            for (at, found) in found.into_iter().enumerate() {
                if found.cost < lp.duals()[at] - SAVES {
                    self.take_in(at, found.set, found.ships);
                }
            }
            if self.pieces.len() == before {
                break;
            }
            self.pieces[before..].iter().for_each(|piece| lp.add(self.column(piece, &branches)));
        }
        let picture = Picture::of(self.batch, &self.pieces, &lp);
        self.round(&lp);
        if whole(bound) >= self.batch.total {
            return None;
        }
        let candidates = picture.fractional(self.batch);
        if candidates.is_empty() {
            self.adopt(picture.plan(self.batch));
            if whole(bound) < self.batch.total {
                // Numbers were not exact enough to tell.
                self.stuck = self.stuck.min(bound);
            }
            return None;
        }
        Some(Node { bound, branches, basis: lp.basis().to_vec(), candidates })
    }

    /// The cheapest way of each order at the prices of a program, and the bound that follows; `None` when there was no time.
    fn price(&self, lp: &Lp, branches: &[Branch], rowed: &[Branch]) -> Option<(f64, Vec<Found>)> {
        let network = self.batch.network;
        let n = self.batch.sequence.len();
        let mut rows = self.rows.clone();
        rows.extend(rowed.iter().map(|b| (b.sense, b.number)));
        let sound = |row: usize| match rows[row].0 {
            Sense::Equal => lp.duals()[row],
            Sense::Most => lp.duals()[row].min(0.0),
            Sense::Least => lp.duals()[row].max(0.0),
        };
        let price = |resource: usize| self.row_of[resource].map_or(0.0, |row| -sound(row));
        let (places, items) = (network.locations.len(), network.items);
        let prices = Prices {
            stock: (0..places * items).map(price).collect(),
            parcels: (places * items..places * (items + 1)).map(price).collect(),
            units: (places * (items + 1)..places * (items + 2)).map(price).collect(),
        };
        let mut value: f64 = (n..rows.len()).map(|row| sound(row) * rows[row].1).sum();
        let mut all = Vec::with_capacity(n);
        for at in 0..n {
            if self.budget.spent() {
                return None;
            }
            let order = &self.batch.orders[self.batch.sequence[at]];
            let mut menu = self.menus[at].clone();
            menu.price(network, order, &prices);
            branches.iter().filter(|b| !b.has_row()).for_each(|b| b.limit(&mut menu, at));
            for (row, branch) in rowed.iter().enumerate() {
                charge(&mut menu, order, at, branch.what, -sound(self.rows.len() + row));
            }
            menu.sort();
            let found = search(network, order, &menu, None);
            value += found.cost;
            all.push(found);
        }
        Some((value, all))
    }

    /// A plan from a fractional one: orders that are nearly whole first, the others from what is left.
    fn round(&mut self, lp: &Lp) {
        let n = self.batch.sequence.len();
        let mut top: Vec<(f64, Option<usize>)> = vec![(0.0, None); n];
        for (piece, share) in lp.used() {
            let top = &mut top[self.pieces[piece].order];
            if share > top.0 {
                *top = (share, Some(piece));
            }
        }
        let mut turns: Vec<usize> = (0..n).collect();
        turns.sort_by(|a, b| top[*b].0.total_cmp(&top[*a].0));
        let mut left = self.batch.all.clone();
        let mut choices = self.batch.choices.clone();
        for at in turns {
            let o = self.batch.sequence[at];
            let order = &self.batch.orders[o];
            let piece = top[at].1.map(|piece| &self.pieces[piece]);
            let choice = piece.map(|p| Choice { ships: p.ships.clone(), short: p.short.clone() });
            let choice = choice.filter(|c| left.holds(order, c)).unwrap_or_else(|| {
                let mut menu = self.menus[at].clone();
                menu.shrink(order, &left);
                choose(self.batch.network, order, &menu, Some(&left)).1
            });
            left.apply(order, &choice, -1);
            choices[o] = choice;
        }
        self.adopt(choices);
    }

    /// Takes a plan over if it is better and there is all it takes.
    fn adopt(&mut self, choices: Vec<Choice>) {
        let mut left = self.batch.all.clone();
        let mut costs = self.batch.costs.clone();
        let mut total = 0i64;
        for o in &self.batch.sequence {
            let order = &self.batch.orders[*o];
            if !left.holds(order, &choices[*o]) {
                return;
            }
            left.apply(order, &choices[*o], -1);
            costs[*o] = cost(self.batch.network, order, self.batch.policy, &choices[*o]);
            total = total.saturating_add(costs[*o]);
        }
        if total < self.batch.total {
            self.batch.total = total;
            self.batch.left = left;
            self.batch.costs = costs;
            self.batch.choices = choices;
        }
    }
}

/// What there is of each resource: stock, then parcels, then units of each location.
fn resources(batch: &Batch<'_>) -> Vec<i64> {
    let (places, items) = (batch.network.locations.len(), batch.network.items);
    let stock = (0..places).flat_map(|l| (0..items).map(move |i| (l, i)));
    let stock = stock.map(|(l, i)| batch.all.stock(l, i));
    stock.chain(batch.all.parcels.iter().copied()).chain(batch.all.units.iter().copied()).collect()
}
