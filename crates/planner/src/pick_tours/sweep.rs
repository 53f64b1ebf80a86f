//! The shortest tour by a sweep from the left aisle to the right one. Invariant: the arcs it returns form one connected walk from start
//! to finish that passes every pick, and their lengths add up to the length it returns.

use super::machine::{EMPTY, MOST_PASSES, Machine, Op};
use super::{Corner, Layout, Spot, Way};

/// More states than this at one step are cut to the best: only with six or seven cross aisles or with one-way aisles in several blocks.
const MOST_STATES: usize = 6_000;

/// Finds tours in one layout between one start and one finish; what it learns of the layout's states is kept.
pub(super) struct Sweep {
    layout: Layout,
    start: Corner,
    finish: Corner,
    machine: Machine,
    now: Vec<f64>,
    then: Vec<f64>,
    here: Vec<u32>,
    there: Vec<u32>,
}

/// A way to do a step: operation, metres, what it walks.
#[derive(Debug, Clone, Copy)]
struct Choice {
    op: u32,
    metres: f64,
    walk: Walk,
}

/// What a choice walks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Walk {
    /// Nothing.
    Rest,
    /// Passes to the right and to the left between the corner and the next aisle's.
    Across(Corner, i8, i8),
    /// Passes to the back and to the front of a piece of aisle.
    Along(Corner, i8, i8),
    /// Into the piece behind the corner as far as these picks from the front and from the back (counts), and out again.
    Returns(Corner, usize, usize),
}

/// A choice's origin: state before, number of the choice.
type Origin = (u32, u8);

impl Sweep {
    pub(super) fn new(layout: Layout, start: Corner, finish: Corner) -> Self {
        let one_way = layout.one_way.iter().any(|w| *w != Way::Both);
        let machine = Machine::new(layout.blocks.len() + 1, one_way);
        let (now, then, here, there) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { layout, start, finish, machine, now, then, here, there }
    }

    /// Shortest length; `picks` sorted by aisle, block and offset.
    pub(super) fn length(&mut self, picks: &[Spot]) -> Option<f64> {
        self.run(picks, f64::INFINITY, None).map(|(length, _, _)| length)
    }

    /// Shortest length, what is walked, and whether nothing was cut. There is a tour of `known` metres: longer ones are not followed.
    pub(super) fn tour(&mut self, picks: &[Spot], known: f64) -> Option<(f64, Vec<Walk>, bool)> {
        let mut origins = Vec::new();
        let (length, mut state, exact) = self.run(picks, known * (1.0 + 1e-9), Some(&mut origins))?;
        let steps: Vec<Vec<Choice>> = self.steps(picks);
        let mut walks = Vec::new();
        for (choices, origins) in steps.iter().zip(&origins).rev() {
            let (before, choice) = origins[state as usize];
            walks.push(choices[choice as usize].walk);
            state = before;
        }
        Some((length, walks, exact))
    }

    fn run(
        &mut self,
        picks: &[Spot],
        most: f64,
        mut origins: Option<&mut Vec<Vec<Origin>>>,
    ) -> Option<(f64, u32, bool)> {
        let mut exact = true;
        self.now.clear();
        self.now.resize(self.machine.len(), f64::INFINITY);
        self.now[EMPTY as usize] = 0.0;
        self.here.clear();
        self.here.push(EMPTY);
        self.then.clear();
        self.there.clear();
        for choices in self.steps(picks) {
            let mut origin = Vec::new();
            // Known metres are those of the states listed, here as there: all others are endless.
            for state in self.there.drain(..) {
                self.then[state as usize] = f64::INFINITY;
            }
            self.then.resize(self.machine.len(), f64::INFINITY);
            for state in &self.here {
                for (number, choice) in choices.iter().enumerate() {
                    let metres = self.now[*state as usize] + choice.metres;
                    if metres > most {
                        continue;
                    }
                    let Some(next) = self.machine.step(*state, choice.op) else { continue };
                    let next_at = next as usize;
                    if next_at >= self.then.len() {
                        self.then.resize(next_at + 1, f64::INFINITY);
                    }
                    if metres < self.then[next_at] {
                        if self.then[next_at] == f64::INFINITY {
                            self.there.push(next);
                        }
                        self.then[next_at] = metres;
                        if origins.is_some() {
                            origin.resize(origin.len().max(next_at + 1), (0, 0));
                            origin[next_at] = (*state, number as u8);
                        }
                    }
                }
            }
            if self.there.len() > MOST_STATES {
                let then = &self.then;
                self.there.sort_unstable_by(|a, b| then[*a as usize].total_cmp(&then[*b as usize]));
                for state in self.there.drain(MOST_STATES..) {
                    self.then[state as usize] = f64::INFINITY;
                }
                exact = false;
            }
            if let Some(origins) = &mut origins {
                origins.push(origin);
            }
            std::mem::swap(&mut self.now, &mut self.then);
            std::mem::swap(&mut self.here, &mut self.there);
        }
        let ends = self.here.iter().filter(|s| self.machine.complete(**s));
        let best = ends.min_by(|a, b| self.now[**a as usize].total_cmp(&self.now[**b as usize]))?;
        Some((self.now[*best as usize], *best, exact))
    }

    /// The choices of every step, from left to right and in each aisle from front to back.
    fn steps(&mut self, picks: &[Spot]) -> Vec<Vec<Choice>> {
        let (mut left, mut right) = (0, self.layout.aisles - 1);
        if !self.machine.one_way() {
            // Nothing outside of what must be visited can shorten a tour.
            let ends = [self.start.aisle, self.finish.aisle];
            let must = || picks.iter().map(|p| p.aisle).chain(ends);
            (left, right) = (must().min().unwrap_or(left), must().max().unwrap_or(right));
        }
        let mut steps = Vec::new();
        let mut rest = picks;
        for aisle in left..=right {
            if aisle > left {
                for cross in 0..=self.layout.blocks.len() {
                    steps.push(self.across(Corner { aisle: aisle - 1, cross }));
                }
            }
            self.depots(aisle, &mut steps);
            for block in 0..self.layout.blocks.len() {
                let here = rest.iter().take_while(|p| (p.aisle, p.block) <= (aisle, block)).count();
                let (own, others) = rest.split_at(here);
                rest = others;
                steps.push(self.along(Corner { aisle, cross: block }, own));
            }
        }
        steps
    }

    fn depots(&mut self, aisle: usize, steps: &mut Vec<Vec<Choice>>) {
        for (corner, balance) in [(self.start, -1i8), (self.finish, 1)] {
            if corner.aisle == aisle {
                // Without one-way aisles only odd and even count, and −1 is as odd as 1.
                let balance = if self.machine.one_way() { balance } else { 1 };
                let op = self.machine.op(Op::Depot(corner.cross as u8, balance));
                steps.push(vec![Choice { op, metres: 0.0, walk: Walk::Rest }]);
            }
        }
    }

    /// Passes of both ways that may be of use.
    fn passes(&self, way: Way) -> impl Iterator<Item = (i8, i8)> + use<> {
        let most = if self.machine.one_way() { MOST_PASSES } else { 1 };
        let both = way == Way::Both;
        // Where only odd and even count, a pass to the back is as good as one to the front.
        let front = way != Way::Up && self.machine.one_way();
        let up = (1..=most).filter(move |_| way != Way::Down).map(|n| (n, 0));
        up.chain((1..=most).filter(move |_| front).map(|n| (0, n))).chain(both.then_some((1, 1)))
    }

    fn across(&mut self, corner: Corner) -> Vec<Choice> {
        let row = corner.cross as u8;
        let op = self.machine.op(Op::Across(row, 0, 0));
        let mut choices = vec![Choice { op, metres: 0.0, walk: Walk::Rest }];
        for (right, left) in self.passes(Way::Both) {
            let op = self.machine.op(Op::Across(row, right, left));
            let metres = self.layout.spacing * f64::from(right + left);
            choices.push(Choice { op, metres, walk: Walk::Across(corner, right, left) });
        }
        choices
    }

    /// A piece of aisle with its picks, from front to back.
    fn along(&mut self, corner: Corner, picks: &[Spot]) -> Vec<Choice> {
        let row = corner.cross as u8;
        let length = self.layout.blocks[corner.cross];
        let way = self.layout.way(corner.aisle);
        let mut choices = Vec::new();
        for (back, front) in self.passes(way) {
            let op = self.machine.op(Op::Along(row, back, front));
            let metres = length * f64::from(back + front);
            choices.push(Choice { op, metres, walk: Walk::Along(corner, back, front) });
        }
        let (Some(first), Some(last)) = (picks.first(), picks.last()) else {
            choices.push(Choice { op: self.machine.op(Op::Nothing), metres: 0.0, walk: Walk::Rest });
            return choices;
        };
        if way != Way::Both && picks.iter().any(|p| p.offset > 0.0 && p.offset < length) {
            return choices;
        }
        let mut returns = |op: Op, metres: f64, front: usize, back: usize| {
            let op = self.machine.op(op);
            choices.push(Choice { op, metres: 2.0 * metres, walk: Walk::Returns(corner, front, back) });
        };
        // Of a one-way aisle only what lies at its very ends can be picked without passing through.
        let both = way == Way::Both;
        if both || last.offset == 0.0 {
            returns(Op::Touch(row), last.offset, picks.len(), 0);
        }
        if both || first.offset == length {
            returns(Op::Touch(row + 1), length - first.offset, 0, picks.len());
        }
        let gaps = picks.windows(2).enumerate().map(|(at, pair)| (pair[1].offset - pair[0].offset, at + 1));
        let widest = gaps.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(gap, _)| both || *gap == length);
        if let Some((gap, front)) = widest {
            returns(Op::TouchBoth(row), length - gap, front, picks.len() - front);
        }
        choices
    }
}
