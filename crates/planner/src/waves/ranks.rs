//! For each item, which of the orders that want it are in the wave, which are ready to come in, and which wait for aisles. Invariant:
//! the list of an item's orders has those that are ready at its front and those that are in at its end, and an order is ready if and
//! only if it is not in and the open aisles hold enough of each of its items, taken or not.
//!
//! So that letting orders in and out walks past those few that matter, and not past all that want an item.

use super::problem::Problem;

/// The lists.
pub(super) struct Ranks {
    inside: Vec<bool>,
    /// Lines of each order of which the open aisles hold too little.
    lacking: Vec<u32>,
    /// (order, quantity) by item, partitioned.
    lists: Vec<(u32, i32)>,
    /// Which line of all orders an entry of the lists is, and the other way round.
    line: Vec<u32>,
    entry: Vec<u32>,
    ready: Vec<u32>,
    inner: Vec<u32>,
}

impl Ranks {
    /// No aisle open: all orders wait.
    pub(super) fn new(problem: &Problem) -> Self {
        let orders = problem.orders.len() as u32;
        let items = problem.wanted.len();
        let mut next: Vec<usize> = (0..items as u32).map(|i| problem.wanted.range(i).start).collect();
        let lines = (0..orders).map(|o| problem.orders.of(o).len()).sum();
        let mut ranks = Self {
            inside: vec![false; orders as usize],
            lacking: (0..orders).map(|o| problem.orders.of(o).len() as u32).collect(),
            lists: vec![(0, 0); lines],
            line: vec![0; lines],
            entry: vec![0; lines],
            ready: vec![0; items],
            inner: vec![0; items],
        };
        for order in 0..orders {
            for (line, (item, quantity)) in problem.orders.range(order).zip(problem.orders.of(order)) {
                let entry = next[*item as usize];
                next[*item as usize] += 1;
                ranks.lists[entry] = (order, *quantity);
                ranks.line[entry] = line as u32;
                ranks.entry[line] = entry as u32;
            }
        }
        ranks
    }

    pub(super) fn is_in(&self, order: u32) -> bool {
        self.inside[order as usize]
    }

    /// The `at`-th order that is ready and wants the item.
    pub(super) fn ready(&self, problem: &Problem, item: u32, at: usize) -> Option<(u32, i32)> {
        let begin = problem.wanted.range(item).start;
        (at < self.ready[item as usize] as usize).then(|| self.lists[begin + at])
    }

    /// The orders that are in and want the item.
    pub(super) fn inside(&self, problem: &Problem, item: u32) -> &[(u32, i32)] {
        let end = problem.wanted.range(item).end;
        &self.lists[end - self.inner[item as usize] as usize..end]
    }

    /// The order comes in. It may be short of something for the moment.
    pub(super) fn put(&mut self, problem: &Problem, order: u32) {
        if self.lacking[order as usize] == 0 {
            self.set_ready(problem, order, false);
        }
        self.inside[order as usize] = true;
        for (line, (item, _)) in problem.orders.range(order).zip(problem.orders.of(order)) {
            self.inner[*item as usize] += 1;
            let border = problem.wanted.range(*item).end - self.inner[*item as usize] as usize;
            self.swap(line, border);
        }
    }

    /// The order goes out.
    pub(super) fn take_out(&mut self, problem: &Problem, order: u32) {
        self.inside[order as usize] = false;
        for (line, (item, _)) in problem.orders.range(order).zip(problem.orders.of(order)) {
            let border = problem.wanted.range(*item).end - self.inner[*item as usize] as usize;
            self.swap(line, border);
            self.inner[*item as usize] -= 1;
        }
        if self.lacking[order as usize] == 0 {
            self.set_ready(problem, order, true);
        }
    }

    /// The open aisles held `before` of the item and hold `now`.
    pub(super) fn held_changed(&mut self, problem: &Problem, item: u32, before: i64, now: i64) {
        for (order, quantity) in problem.wanted.of(item) {
            let (had, has) = (i64::from(*quantity) <= before, i64::from(*quantity) <= now);
            if had == has {
                continue;
            }
            let lacking = &mut self.lacking[*order as usize];
            let was_ready = *lacking == 0;
            *lacking = if has { *lacking - 1 } else { *lacking + 1 };
            let is_ready = *lacking == 0;
            if was_ready != is_ready && !self.inside[*order as usize] {
                self.set_ready(problem, *order, is_ready);
            }
        }
    }

    fn set_ready(&mut self, problem: &Problem, order: u32, ready: bool) {
        for (line, (item, _)) in problem.orders.range(order).zip(problem.orders.of(order)) {
            let begin = problem.wanted.range(*item).start;
            if ready {
                self.swap(line, begin + self.ready[*item as usize] as usize);
                self.ready[*item as usize] += 1;
            } else {
                self.ready[*item as usize] -= 1;
                self.swap(line, begin + self.ready[*item as usize] as usize);
            }
        }
    }

    /// Brings a line's entry to a place of its item's list.
    fn swap(&mut self, line: usize, to: usize) {
        let from = self.entry[line] as usize;
        if from != to {
            self.lists.swap(from, to);
            self.line.swap(from, to);
            self.entry[self.line[from] as usize] = from as u32;
            self.entry[self.line[to] as usize] = to as u32;
        }
    }
}
