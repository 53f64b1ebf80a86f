//! How promising a block is in a space: lengths that can still be used, and surfaces that touch. Invariant: none of it decides whether
//! a block may lie somewhere, only which is tried first.

use std::collections::HashMap;
use std::rc::Rc;

use super::space::Space;
use super::{Kind, Room, Size, turns};

/// Surfaces closer than this share of the block's edge touch (VCS, p).
const NEAR: f64 = 0.04;
/// Longest table; longer rooms are looked at in coarser steps.
const CELLS: i32 = 4_096;

/// For every length along an axis, how much of it edges of the kinds that are left can use.
pub struct Lengths {
    used: [Vec<i32>; 3],
    step: [i32; 3],
    /// Shortest edge along each axis.
    pub least: Size,
}

impl Lengths {
    fn new(room: &Room, kinds: &[Kind], left: &[u32]) -> Self {
        let step = room.size.map(|edge| edge / CELLS + 1);
        let mut used: [Vec<i32>; 3] = std::array::from_fn(|a| vec![0; (room.size[a] / step[a] + 1) as usize]);
        let mut least = [i32::MAX; 3];
        let mut edges: [Vec<i32>; 3] = Default::default();
        for (kind, _) in kinds.iter().zip(left).filter(|(_, left)| **left > 0) {
            for turn in turns(kind.size, kind.upright) {
                if (0..3).any(|a| turn[a] > room.size[a]) {
                    continue;
                }
                for a in 0..3 {
                    least[a] = least[a].min(turn[a]);
                    edges[a].push(turn[a]);
                }
            }
        }
        for a in 0..3 {
            edges[a].sort_unstable();
            edges[a].dedup();
            fill_lengths(&mut used[a], &edges[a], step[a]);
        }
        Self { used, step, least }
    }

    /// The most of `length` that edges can use.
    fn of(&self, axis: usize, length: i32) -> i32 {
        self.used[axis][(length / self.step[axis]) as usize]
    }

    /// Share of the space that is of use when the block lies in its corner: its own and that of what can be put beside it.
    pub fn share(&self, space: Size, block: Size) -> f64 {
        let mut share = 1.0;
        for a in 0..3 {
            share *= f64::from(block[a] + self.of(a, space[a] - block[a])) / f64::from(space[a]);
        }
        share
    }
}

/// Unbounded knapsack over lengths: exact where the step is 1, otherwise lengths are rounded up.
fn fill_lengths(used: &mut [i32], edges: &[i32], step: i32) {
    for cell in 1..used.len() {
        let mut best = used[cell - 1];
        for edge in edges {
            let cells = ((edge + step - 1) / step) as usize;
            if cells > cell {
                break;
            }
            best = best.max(used[cell - cells] + edge);
        }
        used[cell] = best.min(cell as i32 * step);
    }
}

/// Tables by which kinds are left: a state needs new ones only when a kind runs out.
#[derive(Default)]
pub struct Tables(HashMap<Vec<u64>, Rc<Lengths>>);

impl Tables {
    pub fn of(&mut self, room: &Room, kinds: &[Kind], left: &[u32]) -> Rc<Lengths> {
        let mut key = vec![0u64; left.len().div_ceil(64)];
        for (i, _) in left.iter().enumerate().filter(|(_, left)| **left > 0) {
            key[i / 64] |= 1 << (i % 64);
        }
        Rc::clone(self.0.entry(key).or_insert_with(|| Rc::new(Lengths::new(room, kinds, left))))
    }
}

/// An upper bound of [`contact`]: the three surfaces in the corner, and those that nearly reach the space's other side.
pub fn contact_at_most(space: Size, block: Size) -> f64 {
    let area = [
        block[1] as f32 * block[2] as f32,
        block[0] as f32 * block[2] as f32,
        block[0] as f32 * block[1] as f32,
    ];
    let mut touching = 0.0;
    for a in 0..3 {
        let both = f64::from(space[a] - block[a]) <= NEAR * f64::from(block[a]);
        touching += area[a] * if both { 2.0 } else { 1.0 };
    }
    f64::from(touching / (2.0 * (area[0] + area[1] + area[2])))
}

/// Share of the block's surface that touches walls or what lies there.
pub fn contact(room: Size, lies: &[(Size, Size)], at: Size, size: Size) -> f64 {
    let end: Size = std::array::from_fn(|a| at[a] + size[a]);
    let near: [f64; 3] = std::array::from_fn(|a| NEAR * f64::from(size[a]));
    let area = |a: usize| i64::from(size[(a + 1) % 3]) * i64::from(size[(a + 2) % 3]);
    let mut touching = 0i64;
    for a in 0..3 {
        if f64::from(at[a]) <= near[a] {
            touching += area(a);
        }
        if f64::from(room[a] - end[a]) <= near[a] {
            touching += area(a);
        }
    }
    for (from, to) in lies {
        let shared: [i32; 3] = std::array::from_fn(|a| end[a].min(to[a]) - at[a].max(from[a]));
        // Exactly one axis along which they are apart, by little.
        for a in 0..3 {
            let (b, c) = ((a + 1) % 3, (a + 2) % 3);
            if shared[a] <= 0 && f64::from(-shared[a]) <= near[a] && shared[b] > 0 && shared[c] > 0 {
                touching += i64::from(shared[b]) * i64::from(shared[c]);
            }
        }
    }
    touching as f64 / (2 * (area(0) + area(1) + area(2))) as f64
}

/// Whether any piece that is left goes into the space at all.
pub fn holds_any(space: &Space, kinds: &[Kind], left: &[u32]) -> bool {
    let size = space.size();
    kinds
        .iter()
        .zip(left)
        .filter(|(_, left)| **left > 0)
        .any(|(kind, _)| turns(kind.size, kind.upright).iter().any(|t| (0..3).all(|a| t[a] <= size[a])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_the_best_sums_of_edges() {
        let mut used = vec![0; 21];
        fill_lengths(&mut used, &[6, 9], 1);
        assert_eq!(
            [used[5], used[6], used[8], used[9], used[11], used[12], used[15], used[20]],
            [0, 6, 6, 9, 9, 12, 15, 18]
        );
    }

    #[test]
    fn contact_counts_walls_and_neighbours() {
        let room = [10, 10, 10];
        assert!((contact(room, &[], [0, 0, 0], [5, 5, 5]) - 0.5).abs() < 1e-9);
        let lies = [([5, 0, 0], [10, 5, 5])];
        assert!((contact(room, &lies, [0, 0, 0], [5, 5, 5]) - 4.0 / 6.0).abs() < 1e-9);
        assert!((contact_at_most([5, 10, 10], [5, 5, 5]) - 4.0 / 6.0).abs() < 1e-6);
    }
}
