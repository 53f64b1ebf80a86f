//! Blocks: pieces glued together so that (almost) nothing of their bounding box is empty. Invariant: a block of many pieces obeys what
//! its pieces ask for among themselves (support, what may lie on what).

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Effort, Kind, Placed, Room, Size, Top, turns, volume};

/// Least share of its bounding box that a block of unlike pieces fills (Fanslau & Bortfeldt 2010 use 0.98).
const DENSE: f64 = 0.98;
/// Pairs looked at, at most: most do not fit each other, and looking takes time, too.
const PAIRS: usize = 2_000_000;
/// Blocks with more pieces are rated lower, by this power of their number (VCS, γ).
const MANY: f64 = -0.2;

#[derive(Debug, Clone)]
enum Parts {
    /// The same piece, so many times along each axis.
    Grid { kind: usize, size: Size, times: Size },
    /// Two blocks, the second behind the first along an axis.
    Pair { first: u32, second: u32, axis: usize },
}

/// Pieces that are put down together.
#[derive(Debug, Clone)]
pub struct Block {
    pub size: Size,
    pub worth: i64,
    pub weight: i64,
    /// Worth, less for many pieces: the part of the rating that does not depend on where.
    pub base: f64,
    /// Volume of the pieces.
    solid: i64,
    /// Of every piece in it; phases of the search go by it.
    pub top: Top,
    /// Its upper side is one plane without holes.
    pub flat: bool,
    /// Pieces of each kind in it.
    pub uses: Box<[(u16, u32)]>,
    parts: Parts,
}

/// All blocks, most valuable first.
pub struct Blocks {
    pub all: Vec<Block>,
    /// Index of each block of the order in which they were made, which `Parts` speaks of.
    place: Vec<u32>,
}

impl Blocks {
    /// The pieces of a block that lies at `at`, lower ones first.
    pub fn pieces(&self, block: &Block, at: Size, out: &mut Vec<Placed>) {
        match block.parts {
            Parts::Grid { kind, size, times } => {
                for z in 0..times[2] {
                    for y in 0..times[1] {
                        for x in 0..times[0] {
                            let at = [at[0] + x * size[0], at[1] + y * size[1], at[2] + z * size[2]];
                            out.push(Placed { kind, at, size });
                        }
                    }
                }
            }
            Parts::Pair { first, second, axis } => {
                let first = &self.all[self.place[first as usize] as usize];
                self.pieces(first, at, out);
                let mut beyond = at;
                beyond[axis] += first.size[axis];
                self.pieces(&self.all[self.place[second as usize] as usize], beyond, out);
            }
        }
    }
}

/// Builds blocks of one kind first, then glues pairs until there are enough.
pub fn build(room: &Room, kinds: &[Kind], effort: Effort) -> Blocks {
    let mut all = Vec::new();
    for (kind, k) in kinds.iter().enumerate() {
        grids(room, kind, k, effort.blocks, &mut all);
    }
    // Few pieces first: these are what larger ones are made of.
    all.sort_by_key(|b| (pieces(b), std::cmp::Reverse(b.worth)));
    pairs(room, kinds, effort, &mut all);
    let mut order: Vec<u32> = (0..all.len() as u32).collect();
    order.sort_by(|a, b| all[*b as usize].base.total_cmp(&all[*a as usize].base));
    let mut place = vec![0; all.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old as usize] = new as u32;
    }
    let mut taken: Vec<Option<Block>> = all.into_iter().map(Some).collect();
    let all = order.iter().filter_map(|i| taken[*i as usize].take()).collect();
    Blocks { all, place }
}

fn pieces(block: &Block) -> u32 {
    block.uses.iter().map(|u| u.1).sum()
}

fn grids(room: &Room, kind: usize, k: &Kind, most: usize, all: &mut Vec<Block>) {
    let by_weight = if k.weight > 0 { room.weight / k.weight } else { i64::MAX };
    let count = i64::from(k.count).min(by_weight).min(i64::from(i32::MAX)) as i32;
    for size in turns(k.size, k.upright) {
        let times: Size = std::array::from_fn(|a| (room.size[a] / size[a]).min(count));
        let high = if k.top == Top::Nothing { 1.min(times[2]) } else { times[2] };
        for z in 1..=high {
            for y in 1..=times[1].min(count / z) {
                for x in 1..=times[0].min(count / (z * y)) {
                    if all.len() >= most {
                        return;
                    }
                    let n = x * y * z;
                    all.push(Block {
                        size: [size[0] * x, size[1] * y, size[2] * z],
                        worth: k.worth * i64::from(n),
                        weight: k.weight * i64::from(n),
                        base: (k.worth * i64::from(n)) as f64 * f64::from(n).powf(MANY),
                        solid: volume(size) * i64::from(n),
                        top: k.top,
                        flat: true,
                        uses: Box::new([(kind as u16, n as u32)]),
                        parts: Parts::Grid { kind, size, times: [x, y, z] },
                    });
                }
            }
        }
    }
}

/// Glues every block to every earlier one, in rounds, until `effort.blocks` are there.
fn pairs(room: &Room, kinds: &[Kind], effort: Effort, all: &mut Vec<Block>) {
    let mut known: HashSet<u64> = all.iter().map(mark).collect();
    let mut done = 0;
    let mut looks = 0;
    while done < all.len() && all.len() < effort.blocks {
        let end = all.len();
        for i in done..end {
            looks += i;
            if looks > PAIRS {
                return;
            }
            for j in 0..=i {
                for axis in 0..3 {
                    for (first, second) in [(i, j), (j, i)] {
                        let Some(block) = glue(room, kinds, effort, all, first, second, axis) else {
                            continue;
                        };
                        if known.insert(mark(&block)) {
                            all.push(block);
                            if all.len() >= effort.blocks {
                                return;
                            }
                        }
                        // Side by side, the order makes no difference worth a block.
                        if axis < 2 || i == j {
                            break;
                        }
                    }
                }
            }
        }
        done = end;
    }
}

/// Two blocks of one size with the same pieces serve the same.
fn mark(block: &Block) -> u64 {
    let mut hash = DefaultHasher::new();
    block.size.hash(&mut hash);
    block.uses.hash(&mut hash);
    block.flat.hash(&mut hash);
    hash.finish()
}

fn glue(
    room: &Room,
    kinds: &[Kind],
    effort: Effort,
    all: &[Block],
    first: usize,
    second: usize,
    axis: usize,
) -> Option<Block> {
    let (a, b) = (&all[first], &all[second]);
    let size: Size =
        std::array::from_fn(|d| if d == axis { a.size[d] + b.size[d] } else { a.size[d].max(b.size[d]) });
    if size[axis] > room.size[axis] {
        return None;
    }
    let solid = a.solid + b.solid;
    if (solid as f64) < DENSE * volume(size) as f64 || a.top != b.top {
        return None;
    }
    let weight = a.weight + b.weight;
    if weight > room.weight || (axis == 2 && !stands(a, b, effort)) {
        return None;
    }
    let flat = match axis {
        2 => b.flat && b.size[0] == size[0] && b.size[1] == size[1],
        _ => a.flat && b.flat && a.size[2] == b.size[2] && a.size[1 - axis] == b.size[1 - axis],
    };
    let uses = sum(&a.uses, &b.uses);
    if uses.iter().any(|(kind, n)| *n > kinds[usize::from(*kind)].count) {
        return None;
    }
    let worth = a.worth + b.worth;
    let n: u32 = uses.iter().map(|u| u.1).sum();
    let base = worth as f64 * f64::from(n).powf(MANY);
    let parts = Parts::Pair { first: first as u32, second: second as u32, axis };
    Some(Block { size, worth, weight, base, solid, top: a.top, flat, uses, parts })
}

/// Whether `b` may be put upon `a`.
fn stands(a: &Block, b: &Block, effort: Effort) -> bool {
    let carried = a.flat && b.size[0] <= a.size[0] && b.size[1] <= a.size[1];
    a.top != Top::Nothing && (carried || effort.support <= 0.0)
}

fn sum(a: &[(u16, u32)], b: &[(u16, u32)]) -> Box<[(u16, u32)]> {
    let mut out: Vec<(u16, u32)> = a.to_vec();
    for (kind, n) in b {
        match out.iter_mut().find(|o| o.0 == *kind) {
            Some(there) => there.1 += n,
            None => out.push((*kind, *n)),
        }
    }
    out.sort_unstable();
    out.into_boxed_slice()
}
