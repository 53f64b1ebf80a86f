//! A wave in the making: aisles that are open, orders that are in, and what is left on the shelves. Invariant: after each public
//! operation nothing is short (`free ≥ 0`) and no cap is exceeded; `undo` leads back exactly to the last `mark`.

use super::problem::{MEASURES, MUST, Problem, UNITS};
use super::ranks::Ranks;

/// The state of the search.
pub(super) struct State<'p> {
    pub problem: &'p Problem,
    /// Units left of each item in the open aisles.
    free: Vec<i64>,
    /// Units of each item in the open aisles, taken or not.
    held: Vec<i64>,
    /// Which orders are in, and which might be.
    ranks: Ranks,
    /// All aisles: the open ones first.
    aisles: Vec<u32>,
    place: Vec<u32>,
    open: usize,
    /// Sum of the worth of the orders that are in.
    worth: i64,
    taken: [i64; MEASURES],
    caps: [i64; MEASURES],
    /// Orders that came or went since the mark, in order.
    journal: Vec<u32>,
    /// Items that may have room for another order, each once.
    loose: Vec<u32>,
    is_loose: Vec<bool>,
}

impl<'p> State<'p> {
    /// No aisle open, no order in.
    pub(super) fn new(problem: &'p Problem) -> Self {
        let aisles = problem.aisles.len();
        Self {
            problem,
            free: vec![0; problem.wanted.len()],
            held: vec![0; problem.wanted.len()],
            ranks: Ranks::new(problem),
            aisles: (0..aisles as u32).collect(),
            place: (0..aisles as u32).collect(),
            open: 0,
            worth: 0,
            taken: [0; MEASURES],
            caps: problem.caps,
            journal: Vec::new(),
            loose: Vec::new(),
            is_loose: vec![false; problem.wanted.len()],
        }
    }

    /// As if the wave had no caps: to see what aisles are good for.
    pub(super) fn uncapped(problem: &'p Problem) -> Self {
        Self { caps: [i64::MAX / 2; MEASURES], ..Self::new(problem) }
    }

    pub(super) fn worth(&self) -> i64 {
        self.worth
    }

    pub(super) fn units(&self) -> i64 {
        self.taken[UNITS]
    }

    /// Whether all orders that must go are in, and enough units.
    pub(super) fn complete(&self) -> bool {
        self.worth / MUST == self.problem.musts && self.units() >= self.problem.least
    }

    pub(super) fn opened(&self) -> &[u32] {
        &self.aisles[..self.open]
    }

    pub(super) fn closed(&self) -> &[u32] {
        &self.aisles[self.open..]
    }

    pub(super) fn is_open(&self, aisle: u32) -> bool {
        (self.place[aisle as usize] as usize) < self.open
    }

    pub(super) fn is_in(&self, order: u32) -> bool {
        self.ranks.is_in(order)
    }

    pub(super) fn free(&self, item: u32) -> i64 {
        self.free[item as usize]
    }

    /// Units that would be short if the aisle closed.
    pub(super) fn short_without(&self, aisle: u32) -> i64 {
        let lines = self.problem.aisles.of(aisle);
        lines.iter().map(|(item, units)| (i64::from(*units) - self.free[*item as usize]).max(0)).sum()
    }

    pub(super) fn orders(&self) -> Vec<u32> {
        (0..self.problem.takes.len() as u32).filter(|o| self.is_in(*o)).collect()
    }

    /// Exactly these aisles and orders, which are known to fit.
    pub(super) fn load(&mut self, aisles: &[u32], orders: &[u32]) {
        for order in self.orders() {
            self.take_out(order);
        }
        while self.open > 0 {
            self.switch(self.aisles[0]);
        }
        for aisle in aisles {
            self.switch(*aisle);
        }
        for order in orders {
            self.put(*order);
        }
        self.journal.clear();
    }

    /// Opens or closes an aisle: what it holds comes or goes, and orders may be short until [`Self::settle`].
    fn switch(&mut self, aisle: u32) {
        let at = self.place[aisle as usize] as usize;
        let closing = at < self.open;
        if closing {
            self.open -= 1;
        }
        let border = self.open;
        self.aisles.swap(at, border);
        self.place[self.aisles[at] as usize] = at as u32;
        self.place[aisle as usize] = border as u32;
        if !closing {
            self.open += 1;
        }
        let sign = if closing { -1i64 } else { 1 };
        for (item, units) in self.problem.aisles.of(aisle) {
            let change = sign * i64::from(*units);
            self.free[*item as usize] += change;
            let before = self.held[*item as usize];
            self.held[*item as usize] = before + change;
            if before.min(before + change) < self.problem.most_wanted[*item as usize] {
                self.ranks.held_changed(self.problem, *item, before, before + change);
            }
        }
    }

    fn put(&mut self, order: u32) {
        self.ranks.put(self.problem, order);
        self.count(order, 1);
    }

    fn take_out(&mut self, order: u32) {
        self.ranks.take_out(self.problem, order);
        self.count(order, -1);
    }

    fn count(&mut self, order: u32, sign: i64) {
        for (item, quantity) in self.problem.orders.of(order) {
            self.free[*item as usize] -= sign * i64::from(*quantity);
        }
        self.worth += sign * self.problem.worth[order as usize];
        for (taken, takes) in self.taken.iter_mut().zip(&self.problem.takes[order as usize]) {
            *taken += sign * takes;
        }
    }

    fn fits(&self, order: u32) -> bool {
        let takes = &self.problem.takes[order as usize];
        self.taken.iter().zip(takes).zip(&self.caps).all(|((taken, takes), cap)| taken + takes <= *cap)
            && self
                .problem
                .orders
                .of(order)
                .iter()
                .all(|(item, quantity)| self.free[*item as usize] >= i64::from(*quantity))
    }

    /// From here on, [`Self::undo`] leads back.
    pub(super) fn mark(&mut self) {
        self.journal.clear();
    }

    /// Back to the mark; `aisles` are those opened or closed since.
    pub(super) fn undo(&mut self, aisles: &[u32]) {
        while let Some(order) = self.journal.pop() {
            if self.is_in(order) {
                self.take_out(order);
            } else {
                self.put(order);
            }
        }
        for aisle in aisles {
            self.switch(*aisle);
        }
    }

    /// Closes and opens aisles; orders that are short leave, others that fit come in.
    pub(super) fn exchange(&mut self, close: &[u32], open: &[u32], rng: &mut fastrand::Rng) {
        for aisle in close.iter().chain(open) {
            self.switch(*aisle);
        }
        for aisle in close {
            for (item, _) in self.problem.aisles.of(*aisle) {
                self.relieve(*item, u32::MAX, rng);
            }
        }
        for aisle in open {
            for (item, _) in self.problem.aisles.of(*aisle) {
                self.loosen(*item);
            }
        }
        self.refill(rng);
    }

    /// Puts an order in at the cost of others. Whether the open aisles hold enough for it and no cap is in the way; if not,
    /// the caller undoes.
    pub(super) fn force(&mut self, order: u32, rng: &mut fastrand::Rng) -> bool {
        self.put(order);
        self.journal.push(order);
        for (item, _) in self.problem.orders.of(order) {
            if !self.relieve(*item, order, rng) {
                self.forget_loose();
                return false;
            }
        }
        let mut tries = 0;
        while self.taken.iter().zip(&self.caps).any(|(taken, cap)| taken > cap) {
            let other = rng.u32(0..self.problem.takes.len() as u32);
            tries += 1;
            if tries > 4 * self.problem.takes.len() {
                self.forget_loose();
                return false;
            }
            if self.is_in(other) && other != order {
                self.leave(other);
            }
        }
        self.refill(rng);
        true
    }

    fn forget_loose(&mut self) {
        for item in self.loose.drain(..) {
            self.is_loose[item as usize] = false;
        }
    }

    fn leave(&mut self, order: u32) {
        self.take_out(order);
        self.journal.push(order);
        for (item, _) in self.problem.orders.of(order) {
            self.loosen(*item);
        }
    }

    fn loosen(&mut self, item: u32) {
        if !std::mem::replace(&mut self.is_loose[item as usize], true) {
            self.loose.push(item);
        }
    }

    /// Takes orders out until the item is not short, those first that give least worth for the shortage they end.
    fn relieve(&mut self, item: u32, keep: u32, rng: &mut fastrand::Rng) -> bool {
        while self.free[item as usize] < 0 {
            let mut best: Option<(f32, u32)> = None;
            for (order, _) in self.ranks.inside(self.problem, item) {
                if *order == keep {
                    continue;
                }
                let mut ends = 0;
                for (item, quantity) in self.problem.orders.of(*order) {
                    ends += (-self.free[*item as usize]).clamp(0, i64::from(*quantity));
                }
                let price =
                    self.problem.worth[*order as usize] as f32 / ends as f32 * (0.8 + 0.4 * rng.f32());
                if best.is_none_or(|(least, _)| price < least) {
                    best = Some((price, *order));
                }
            }
            let Some((_, order)) = best else { return false };
            self.leave(order);
        }
        true
    }

    /// Lets in what fits of the orders that want something loose.
    fn refill(&mut self, rng: &mut fastrand::Rng) {
        let loose = std::mem::take(&mut self.loose);
        let begin = if loose.is_empty() { 0 } else { rng.usize(0..loose.len()) };
        for item in loose[begin..].iter().chain(&loose[..begin]) {
            self.is_loose[*item as usize] = false;
            if self.taken[UNITS] < self.caps[UNITS] {
                self.refill_from(*item);
            }
        }
        self.loose = loose;
        self.loose.clear();
    }

    fn refill_from(&mut self, item: u32) {
        let mut at = 0;
        while let Some((order, quantity)) = self.ranks.ready(self.problem, item, at) {
            let free = self.free[item as usize];
            if free <= 0 {
                break;
            }
            if i64::from(quantity) <= free && self.fits(order) {
                // Another order takes its place in the list.
                self.put(order);
                self.journal.push(order);
            } else {
                at += 1;
            }
        }
    }

    /// Lets in every order that fits, in the order given.
    pub(super) fn fill(&mut self, orders: &[u32]) {
        for order in orders {
            if !self.is_in(*order) && self.fits(*order) {
                self.put(*order);
            }
        }
    }
}
