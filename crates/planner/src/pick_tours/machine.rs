//! What a tour may look like at a cut through the warehouse, as an automaton that is built while it is used. Invariant: two partial
//! tours in the same state can be completed in the same ways, so only the shorter one needs to be kept.
//!
//! A state has, for each cross aisle, whether the partial tour touches the corner at the cut, which corners it connects, and by how many
//! passes each corner is out of balance: odd or even where every aisle goes both ways, arrivals less departures where some are one-way.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Most cross aisles: a state is one number.
pub(super) const MOST_ROWS: usize = 7;
/// Most passes of one way through a piece of aisle, where some aisles are one-way.
pub(super) const MOST_PASSES: i8 = 7;

/// A step of the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Op {
    /// From this aisle's corner to the next one's: passes to the right and to the left.
    Across(u8, i8, i8),
    /// Between a corner and the one behind it: passes to the back and to the front.
    Along(u8, i8, i8),
    /// In from the corner and out again.
    Touch(u8),
    /// From both ends of the piece behind the corner.
    TouchBoth(u8),
    /// Start or finish is here: what it adds to the balance.
    Depot(u8, i8),
    /// Nothing here.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    /// Component of each corner; 0: not touched.
    parts: [u8; MOST_ROWS],
    balance: [i8; MOST_ROWS],
    /// The tour is complete and lies behind.
    done: bool,
}

/// A hash of a few bytes by multiplication: states are our own, nobody chooses them to collide, and a new warehouse meets thousands.
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

const UNKNOWN: u32 = u32::MAX;
const NEVER: u32 = u32::MAX - 1;

/// States seen so far and where steps lead.
pub(super) struct Machine {
    rows: usize,
    one_way: bool,
    states: Vec<State>,
    index: HashMap<State, u32, BuildHasherDefault<Fold>>,
    ops: HashMap<Op, u32>,
    op_list: Vec<Op>,
    /// By operation, then by state.
    next: Vec<Vec<u32>>,
}

/// The state in which nothing is touched.
pub(super) const EMPTY: u32 = 0;

impl Machine {
    pub(super) fn new(rows: usize, one_way: bool) -> Self {
        let empty = State { parts: [0; MOST_ROWS], balance: [0; MOST_ROWS], done: false };
        Self {
            rows,
            one_way,
            states: vec![empty],
            index: std::iter::once((empty, EMPTY)).collect(),
            ops: HashMap::new(),
            op_list: Vec::new(),
            next: Vec::new(),
        }
    }

    pub(super) fn one_way(&self) -> bool {
        self.one_way
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// A number for an operation.
    pub(super) fn op(&mut self, op: Op) -> u32 {
        if let Some(known) = self.ops.get(&op) {
            return *known;
        }
        let new = self.op_list.len() as u32;
        self.ops.insert(op, new);
        self.op_list.push(op);
        self.next.push(Vec::new());
        new
    }

    /// Where an operation leads, if it may be done.
    pub(super) fn step(&mut self, state: u32, op: u32) -> Option<u32> {
        let row = &mut self.next[op as usize];
        if row.len() <= state as usize {
            row.resize(self.states.len(), UNKNOWN);
        }
        let known = row[state as usize];
        let next = if known == UNKNOWN {
            let next = match self.apply(self.states[state as usize], self.op_list[op as usize]) {
                Some(next) => self.intern(next),
                None => NEVER,
            };
            self.next[op as usize][state as usize] = next;
            next
        } else {
            known
        };
        (next != NEVER).then_some(next)
    }

    /// Whether a tour may end like this: in one piece, and everywhere in balance.
    pub(super) fn complete(&self, state: u32) -> bool {
        let state = &self.states[state as usize];
        state.done || (state.balance.iter().all(|b| *b == 0) && state.parts.iter().max() == Some(&1))
    }

    fn intern(&mut self, state: State) -> u32 {
        let new = self.states.len() as u32;
        let index = *self.index.entry(state).or_insert(new);
        if index == new {
            self.states.push(state);
        }
        index
    }

    fn apply(&self, mut state: State, op: Op) -> Option<State> {
        if state.done {
            let rests = matches!(op, Op::Nothing | Op::Across(_, 0, 0));
            return rests.then_some(state);
        }
        match op {
            Op::Nothing => {}
            Op::Across(row, right, left) => {
                let row = row as usize;
                let part = state.parts[row];
                if self.add(state.balance[row], right - left)? != 0 {
                    return None;
                }
                state.balance[row] = self.add(0, left - right)?;
                if right + left == 0 {
                    state.parts[row] = 0;
                    // A part that is cut off for good has to be the whole tour.
                    if part != 0 && !state.parts.contains(&part) {
                        if state.parts.iter().any(|p| *p != 0) {
                            return None;
                        }
                        state.done = true;
                    }
                } else if part == 0 {
                    return None;
                }
            }
            Op::Along(row, back, front) => {
                let row = row as usize;
                state.balance[row] = self.add(state.balance[row], back - front)?;
                state.balance[row + 1] = self.add(state.balance[row + 1], front - back)?;
                touch(&mut state.parts, row);
                touch(&mut state.parts, row + 1);
                let (keep, gone) = (state.parts[row], state.parts[row + 1]);
                state.parts.iter_mut().filter(|p| **p == gone).for_each(|p| *p = keep);
            }
            Op::Touch(row) => touch(&mut state.parts, row as usize),
            Op::TouchBoth(row) => {
                touch(&mut state.parts, row as usize);
                touch(&mut state.parts, row as usize + 1);
            }
            Op::Depot(row, balance) => {
                let row = row as usize;
                state.balance[row] = self.add(state.balance[row], balance)?;
                touch(&mut state.parts, row);
            }
        }
        Some(self.in_order(state))
    }

    fn add(&self, balance: i8, more: i8) -> Option<i8> {
        let sum = balance + more;
        if self.one_way { (sum.abs() <= MOST_PASSES).then_some(sum) } else { Some(sum & 1) }
    }

    /// Parts numbered from the front, so that equal states are equal.
    fn in_order(&self, mut state: State) -> State {
        let mut names = [0u8; 2 * MOST_ROWS + 2];
        let mut last = 0;
        for part in state.parts[..self.rows].iter_mut().filter(|p| **p != 0) {
            let name = &mut names[*part as usize];
            if *name == 0 {
                last += 1;
                *name = last;
            }
            *part = *name;
        }
        state
    }
}

fn touch(parts: &mut [u8; MOST_ROWS], row: usize) {
    if parts[row] == 0 {
        parts[row] = parts.iter().max().map_or(1, |p| p + 1);
    }
}
