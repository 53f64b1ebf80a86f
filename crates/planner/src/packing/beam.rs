//! The search itself: states, greedy completions and the beam. Invariant: a state holds exactly what was put down, and its spaces are
//! all the room that is free.

use std::rc::Rc;

use super::block::{Block, Blocks, build};
use super::rest::{Rules, allowed, light_enough};
use super::score::{Lengths, Tables, contact, contact_at_most, holds_any};
use super::space::{Cut, Space, add, cut};
use super::{Effort, Filled, Kind, Placed, Room, Size, Top, volume};
use crate::Budget;

/// Power of the contact surface in the rating (VCS, α).
const CONTACT: i32 = 4;

/// What does not change during a search.
struct Task<'a> {
    room: &'a Room,
    kinds: &'a [Kind],
    rules: Rules,
    effort: Effort,
    blocks: Blocks,
    total: i64,
}

#[derive(Clone)]
struct State {
    spaces: Vec<Space>,
    /// Blocks as index and corner.
    put: Vec<(u32, Size)>,
    /// Their cuboids, for contact.
    lies: Vec<(Size, Size)>,
    /// Their pieces; only kept where pieces are looked at.
    pieces: Vec<Placed>,
    left: Vec<u32>,
    worth: i64,
    weight: i64,
    /// Blocks there are still pieces for.
    alive: Rc<Vec<u32>>,
    lengths: Rc<Lengths>,
    /// Which pieces are put down now: those that bear anything come first.
    phase: Top,
}

/// A block for a space.
#[derive(Clone, Copy)]
struct Choice {
    block: u32,
    at: Size,
    rating: f64,
}

/// A successor in the beam, and how it ends.
struct Node {
    state: State,
    end: i64,
}

pub(super) fn fill(room: &Room, kinds: &[Kind], effort: Effort, budget: &Budget<'_>) -> Filled {
    let blocks = build(room, kinds, effort);
    let rules = Rules::of(kinds, effort.support);
    let total = kinds.iter().map(|k| k.worth * i64::from(k.count)).sum();
    let task = Task { room, kinds, rules, effort, blocks, total };
    let mut tables = Tables::default();
    let root = task.root(&mut tables);
    let mut best = root.clone();
    task.complete(&mut best, &mut tables, budget);
    let mut width = 1.0f64;
    loop {
        width *= std::f64::consts::SQRT_2;
        let w = width.round() as usize;
        if best.worth >= task.total || w > effort.width || budget.spent() {
            break;
        }
        task.beam(&root, w, &mut best, &mut tables, budget);
    }
    task.filled(&best)
}

impl Task<'_> {
    fn root(&self, tables: &mut Tables) -> State {
        let left: Vec<u32> = self.kinds.iter().map(|k| k.count).collect();
        let bottom = self.effort.support > 0.0;
        State {
            spaces: vec![Space::new([0; 3], self.room.size, self.room.size, bottom)],
            put: Vec::new(),
            lies: Vec::new(),
            pieces: Vec::new(),
            lengths: tables.of(self.room, self.kinds, &left),
            left,
            worth: 0,
            weight: 0,
            alive: Rc::new((0..self.blocks.all.len() as u32).collect()),
            phase: Top::Anything,
        }
    }

    /// One run with a beam of width `w`.
    fn beam(&self, root: &State, w: usize, best: &mut State, tables: &mut Tables, budget: &Budget<'_>) {
        let mut beam = vec![root.clone()];
        while !beam.is_empty() {
            let mut next: Vec<Node> = Vec::new();
            for mut state in beam {
                for choice in self.choose(&mut state, w) {
                    let mut successor = state.clone();
                    self.put(&mut successor, choice, tables);
                    let mut end = successor.clone();
                    self.complete(&mut end, tables, budget);
                    let worth = end.worth;
                    if worth > best.worth {
                        *best = end;
                    }
                    if best.worth >= self.total || budget.spent() {
                        return;
                    }
                    next.push(Node { state: successor, end: worth });
                }
            }
            next.sort_by_key(|n| std::cmp::Reverse(n.end));
            // States that end alike are, as a rule, one arrangement in two orders.
            next.dedup_by_key(|n| n.end);
            next.truncate(w);
            beam = next.into_iter().map(|n| n.state).collect();
        }
    }

    /// Puts down the best block again and again.
    fn complete(&self, state: &mut State, tables: &mut Tables, budget: &Budget<'_>) {
        while let Some(choice) = self.choose(state, 1).first() {
            self.put(state, *choice, tables);
            if budget.spent() {
                return;
            }
        }
    }

    /// The best blocks for the space that is next; empty when nothing goes anywhere any more.
    fn choose(&self, state: &mut State, most: usize) -> Vec<Choice> {
        loop {
            let Some(index) = next_space(&state.spaces) else {
                match state.phase {
                    Top::Anything if self.rules.tops => state.phase = Top::Fragile,
                    Top::Fragile => state.phase = Top::Nothing,
                    _ => return Vec::new(),
                }
                state.spaces.iter_mut().for_each(|s| s.stale = false);
                continue;
            };
            let choices = self.rate(state, &state.spaces[index], most);
            if !choices.is_empty() {
                return choices;
            }
            if self.rules.any() && holds_any(&state.spaces[index], self.kinds, &state.left) {
                state.spaces[index].stale = true;
            } else {
                state.spaces.swap_remove(index);
            }
        }
    }

    /// The `most` best blocks for a space.
    fn rate(&self, state: &State, space: &Space, most: usize) -> Vec<Choice> {
        let room = space.size();
        let mut best: Vec<Choice> = Vec::with_capacity(most + 1);
        for index in state.alive.iter() {
            let block = &self.blocks.all[*index as usize];
            let size = block.size;
            if size[0] > room[0] || size[1] > room[1] || size[2] > room[2] || block.top != state.phase {
                continue;
            }
            let floor = if best.len() == most { best[most - 1].rating } else { -1.0 };
            if block.base <= floor {
                // Blocks come by falling base, and nothing raises a rating above it.
                break;
            }
            let base = block.base * state.lengths.share(room, size);
            if base * contact_at_most(room, size).powi(CONTACT) <= floor
                || !light_enough(self.room, state.weight, block.weight)
            {
                continue;
            }
            let at = space.corner(size);
            let rating = base * contact(self.room.size, &state.lies, at, size).powi(CONTACT);
            if rating > floor && self.may(state, block, at) {
                let place = best.partition_point(|c| c.rating >= rating);
                best.insert(place, Choice { block: *index, at, rating });
                best.truncate(most);
            }
        }
        best
    }

    fn may(&self, state: &State, block: &Block, at: Size) -> bool {
        if !self.rules.any() {
            return true;
        }
        let mut all = state.pieces.clone();
        self.blocks.pieces(block, at, &mut all);
        allowed(self.rules, self.kinds, &all, state.pieces.len())
    }

    fn put(&self, state: &mut State, choice: Choice, tables: &mut Tables) {
        let block = &self.blocks.all[choice.block as usize];
        let min = choice.at;
        let max: Size = std::array::from_fn(|a| min[a] + block.size[a]);
        state.put.push((choice.block, min));
        state.lies.push((min, max));
        state.worth += block.worth;
        state.weight += block.weight;
        let mut gone = false;
        for (kind, n) in &block.uses {
            let left = &mut state.left[usize::from(*kind)];
            *left -= n;
            gone |= *left == 0;
        }
        if gone {
            state.lengths = tables.of(self.room, self.kinds, &state.left);
        }
        let alive = state.alive.iter().copied().filter(|b| self.enough(&state.left, *b)).collect();
        state.alive = Rc::new(alive);
        if self.rules.any() {
            self.blocks.pieces(block, min, &mut state.pieces);
            state.spaces.iter_mut().for_each(|s| s.stale = false);
        }
        let carried = self.effort.support >= 1.0;
        let how = Cut {
            room: self.room.size,
            bottom: self.effort.support > 0.0,
            carried,
            least: state.lengths.least,
        };
        // Nothing may lie on it: the room above it is taken, too.
        let top = if block.top == Top::Nothing { [max[0], max[1], self.room.size[2]] } else { max };
        cut(&mut state.spaces, min, top, how);
        if carried && block.flat && block.top != Top::Nothing {
            self.join_tops(state, how);
        }
    }

    fn enough(&self, left: &[u32], block: u32) -> bool {
        self.blocks.all[block as usize].uses.iter().all(|(kind, n)| left[usize::from(*kind)] >= *n)
    }

    /// Where tops of one height meet, the space above may span them.
    fn join_tops(&self, state: &mut State, how: Cut) {
        let Some((min, max)) = state.lies.last().copied() else { return };
        let ceiling = self.room.size[2];
        let mut wider: Vec<(Size, Size)> = vec![(min, max)];
        for (from, to) in state.lies.iter().zip(&state.put).rev().skip(1).map(|(cuboid, _)| cuboid) {
            if to[2] != max[2] {
                continue;
            }
            for i in 0..wider.len() {
                let (a, b) = wider[i];
                for axis in 0..2 {
                    let side = 1 - axis;
                    let (low, high) = (a[side].max(from[side]), b[side].min(to[side]));
                    if (b[axis] == from[axis] || to[axis] == a[axis]) && low < high && wider.len() < 64 {
                        let (mut x, mut y) = (a, b);
                        (x[side], y[side]) = (low, high);
                        (x[axis], y[axis]) = (a[axis].min(from[axis]), b[axis].max(to[axis]));
                        wider.push((x, y));
                    }
                }
            }
        }
        for (a, b) in wider.into_iter().skip(1) {
            if b[2] >= ceiling {
                continue;
            }
            let mut above =
                vec![Space::new([a[0], a[1], max[2]], [b[0], b[1], ceiling], self.room.size, true)];
            for (from, to) in &state.lies {
                cut(&mut above, *from, *to, how);
            }
            above.retain(|s| (0..3).all(|d| s.max[d] - s.min[d] >= how.least[d]));
            add(&mut state.spaces, above);
        }
    }

    fn filled(&self, state: &State) -> Filled {
        let mut placed = Vec::new();
        for (block, at) in &state.put {
            self.blocks.pieces(&self.blocks.all[*block as usize], *at, &mut placed);
        }
        debug_assert!(placed.iter().map(|p| volume(p.size)).sum::<i64>() <= volume(self.room.size));
        Filled { placed, left: state.left.clone(), worth: state.worth }
    }
}

fn next_space(spaces: &[Space]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (i, space) in spaces.iter().enumerate().filter(|(_, s)| !s.stale) {
        if best.is_none_or(|b| space.before(&spaces[b])) {
            best = Some(i);
        }
    }
    best
}
