//! Whether a packing is right, judged piece by piece from the input alone. Shares no code with the search. Invariant: an empty list of
//! faults means that the box closes, nothing overlaps, every piece lies as it may, is carried as asked, bears no more than it may,
//! and the weight holds.

use std::fmt;

use serde::Serialize;

use super::{Kind, Placed, Room, Top};

/// What is wrong. Indices are those of the placed pieces.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variant says what its fields are")]
pub enum Fault {
    /// There is no such kind.
    UnknownKind { piece: usize },
    /// More pieces of a kind than there are.
    TooMany { kind: usize, placed: u32, count: u32 },
    /// It sticks out.
    Outside { piece: usize },
    /// Two want the same room.
    Overlap { piece: usize, other: usize },
    /// These are not its edges, or it stands on a side it may not.
    Turned { piece: usize },
    /// Too little of its base is carried.
    Floating { piece: usize, share: f64 },
    /// Something lies on it that may not.
    Covered { piece: usize, by: usize },
    /// More rests on it than it bears.
    Crushed { piece: usize, load: f64 },
    /// The box is too heavy.
    TooHeavy { weight: i64, limit: i64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind { piece } => write!(f, "piece {piece} is of no known kind"),
            Self::TooMany { kind, placed, count } => {
                write!(f, "{placed} pieces of kind {kind}, there are {count}")
            }
            Self::Outside { piece } => write!(f, "piece {piece} sticks out of the box"),
            Self::Overlap { piece, other } => write!(f, "pieces {piece} and {other} overlap"),
            Self::Turned { piece } => write!(f, "piece {piece} lies in a way it may not"),
            Self::Floating { piece, share } => {
                write!(f, "only {:.0} % of piece {piece} is carried", share * 100.0)
            }
            Self::Covered { piece, by } => write!(f, "piece {by} may not lie on piece {piece}"),
            Self::Crushed { piece, load } => {
                write!(f, "{load:.0} g rest on piece {piece}, more than it bears")
            }
            Self::TooHeavy { weight, limit } => write!(f, "{weight} g in a box for {limit} g"),
        }
    }
}

/// All faults of a packing. `support`: the share of each base that must be carried. Quadratic in the pieces.
pub fn check(room: &Room, kinds: &[Kind], placed: &[Placed], support: f64) -> Vec<Fault> {
    if let Some(piece) = placed.iter().position(|p| p.kind >= kinds.len()) {
        return vec![Fault::UnknownKind { piece }];
    }
    let mut faults = counts(room, kinds, placed);
    for (i, piece) in placed.iter().enumerate() {
        if (0..3).any(|d| piece.at[d] < 0 || piece.size[d] <= 0 || piece.at[d] > room.size[d] - piece.size[d])
        {
            faults.push(Fault::Outside { piece: i });
        }
        if !lies_as_it_may(&kinds[piece.kind], piece) {
            faults.push(Fault::Turned { piece: i });
        }
        for (j, other) in placed.iter().enumerate().skip(i + 1) {
            let end = |p: &Placed, d: usize| i64::from(p.at[d]) + i64::from(p.size[d]);
            let apart = (0..3)
                .any(|d| end(piece, d) <= i64::from(other.at[d]) || end(other, d) <= i64::from(piece.at[d]));
            if !apart {
                faults.push(Fault::Overlap { piece: i, other: j });
            }
        }
    }
    // Loads mean nothing where pieces are inside each other.
    if faults.is_empty() {
        faults.extend(carried(kinds, placed, support));
    }
    faults
}

fn counts(room: &Room, kinds: &[Kind], placed: &[Placed]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut weight = 0i64;
    for (kind, k) in kinds.iter().enumerate() {
        let n = placed.iter().filter(|p| p.kind == kind).count() as u32;
        if n > k.count {
            faults.push(Fault::TooMany { kind, placed: n, count: k.count });
        }
        weight = weight.saturating_add(k.weight.saturating_mul(i64::from(n)));
    }
    if weight > room.weight {
        faults.push(Fault::TooHeavy { weight, limit: room.weight });
    }
    faults
}

/// One of the edges that may stand upright does, and the others are the two that remain, either way round.
fn lies_as_it_may(kind: &Kind, piece: &Placed) -> bool {
    (0..3).filter(|up| kind.upright[*up]).any(|up| {
        let mut flat: Vec<i32> = (0..3).filter(|d| *d != up).map(|d| kind.size[d]).collect();
        let mut base = vec![piece.size[0], piece.size[1]];
        flat.sort_unstable();
        base.sort_unstable();
        piece.size[2] == kind.size[up] && base == flat
    })
}

/// Support, what lies on what, and loads, from the bottom up: the load of a piece is asked of those above it.
fn carried(kinds: &[Kind], placed: &[Placed], support: f64) -> Vec<Fault> {
    let n = placed.len();
    // above[i]: who stands on i, and on what area; stands[i]: area on which i stands.
    let mut above: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
    let mut stands = vec![0.0f64; n];
    for (i, lower) in placed.iter().enumerate() {
        for (j, upper) in placed.iter().enumerate() {
            if i == j || lower.at[2] + lower.size[2] != upper.at[2] {
                continue;
            }
            let mut area = 1.0;
            for d in 0..2 {
                let from = lower.at[d].max(upper.at[d]);
                let to = (lower.at[d] + lower.size[d]).min(upper.at[d] + upper.size[d]);
                area *= f64::from((to - from).max(0));
            }
            if area > 0.0 {
                above[i].push((j, area));
                stands[j] += area;
            }
        }
    }
    let mut faults = Vec::new();
    let mut loads: Vec<Option<f64>> = vec![None; n];
    for (i, piece) in placed.iter().enumerate() {
        let share = stands[i] / (f64::from(piece.size[0]) * f64::from(piece.size[1]));
        if piece.at[2] != 0 && share + 1e-9 < support {
            faults.push(Fault::Floating { piece: i, share });
        }
        for (j, _) in &above[i] {
            let fits = match kinds[piece.kind].top {
                Top::Anything => true,
                Top::Fragile => kinds[placed[*j].kind].fragile,
                Top::Nothing => false,
            };
            if !fits {
                faults.push(Fault::Covered { piece: i, by: *j });
            }
        }
        if let Some(bears) = kinds[piece.kind].bears {
            let load = load_on(i, kinds, placed, &above, &stands, &mut loads);
            if load > bears as f64 + 1e-6 {
                faults.push(Fault::Crushed { piece: i, load });
            }
        }
    }
    faults
}

/// Grams on a piece: each that stands on it gives the part of its weight and load that its area here has in all it stands on.
fn load_on(
    i: usize,
    kinds: &[Kind],
    placed: &[Placed],
    above: &[Vec<(usize, f64)>],
    stands: &[f64],
    loads: &mut [Option<f64>],
) -> f64 {
    if let Some(load) = loads[i] {
        return load;
    }
    let mut load = 0.0;
    for (j, area) in &above[i] {
        let total = kinds[placed[*j].kind].weight as f64 + load_on(*j, kinds, placed, above, stands, loads);
        load += total * area / stands[*j];
    }
    loads[i] = Some(load);
    load
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(size: [i32; 3], count: u32) -> Kind {
        let upright = [false, false, true];
        Kind { size, upright, count, weight: 100, worth: 1, fragile: false, top: Top::Anything, bears: None }
    }

    fn at(kind: usize, at: [i32; 3], size: [i32; 3]) -> Placed {
        Placed { kind, at, size }
    }

    #[test]
    fn every_fault_is_found() {
        let room = Room { size: [10, 10, 10], weight: 300 };
        let kinds = [kind([6, 4, 5], 3), Kind { top: Top::Nothing, ..kind([4, 4, 4], 1) }];
        let sound = [at(0, [0, 0, 0], [6, 4, 5]), at(0, [0, 0, 5], [6, 4, 5]), at(1, [6, 0, 0], [4, 4, 4])];
        assert_eq!(check(&room, &kinds, &sound, 1.0), []);
        let with = |i: usize, piece: Placed| {
            let mut all = sound.to_vec();
            all[i] = piece;
            check(&room, &kinds, &all, 1.0)
        };
        assert_eq!(with(0, at(7, [0; 3], [1; 3])), [Fault::UnknownKind { piece: 0 }]);
        assert_eq!(with(1, at(0, [0, 0, 6], [6, 4, 5])), [Fault::Outside { piece: 1 }]);
        assert_eq!(with(1, at(0, [0, 0, i32::MAX - 2], [6, 4, 5])), [Fault::Outside { piece: 1 }]);
        assert_eq!(with(1, at(0, [0, 0, 4], [6, 4, 5])), [Fault::Overlap { piece: 0, other: 1 }]);
        assert_eq!(with(1, at(0, [0, 4, 0], [6, 5, 4])), [Fault::Turned { piece: 1 }]);
        assert_eq!(with(1, at(0, [3, 0, 5], [6, 4, 5])), [Fault::Floating { piece: 1, share: 0.5 }]);
        let covered = with(1, at(0, [4, 0, 5], [6, 4, 5]));
        assert!(
            matches!(covered[..], [Fault::Floating { piece: 1, .. }]),
            "not on the small one, which ends lower: {covered:?}"
        );
        let on_top = [at(1, [0, 0, 0], [4, 4, 4]), at(0, [0, 0, 4], [6, 4, 5])];
        assert_eq!(check(&room, &kinds, &on_top, 0.0), [Fault::Covered { piece: 0, by: 1 }]);
        let heavy = check(&Room { weight: 299, ..room.clone() }, &kinds, &sound, 1.0);
        assert_eq!(heavy, [Fault::TooHeavy { weight: 300, limit: 299 }]);
        let few = [kind([6, 4, 5], 1), kinds[1].clone()];
        assert_eq!(check(&room, &few, &sound, 1.0), [Fault::TooMany { kind: 0, placed: 2, count: 1 }]);
    }

    #[test]
    fn loads_go_down_by_the_areas_stood_on() {
        let room = Room { size: [8, 4, 12], weight: 1_000 };
        // A plank over two cubes, a weight on the plank: each cube bears 100 g.
        let kinds = [
            Kind { bears: Some(99), ..kind([4, 4, 4], 2) },
            kind([8, 4, 4], 1),
            Kind { fragile: true, ..kind([2, 2, 2], 1) },
        ];
        let all = [
            at(0, [0, 0, 0], [4, 4, 4]),
            at(0, [4, 0, 0], [4, 4, 4]),
            at(1, [0, 0, 4], [8, 4, 4]),
            at(2, [0, 0, 8], [2, 2, 2]),
        ];
        assert_eq!(
            check(&room, &kinds, &all, 1.0),
            [Fault::Crushed { piece: 0, load: 100.0 }, Fault::Crushed { piece: 1, load: 100.0 }]
        );
        let strong = [Kind { bears: Some(100), ..kinds[0].clone() }, kinds[1].clone(), kinds[2].clone()];
        assert_eq!(check(&room, &strong, &all, 1.0), []);
        // Only what is fragile may lie on what takes nothing else.
        let glass = [strong[0].clone(), Kind { top: Top::Fragile, ..kinds[1].clone() }, kinds[2].clone()];
        assert_eq!(check(&room, &glass, &all, 1.0), []);
        let stone = [glass[0].clone(), glass[1].clone(), Kind { fragile: false, ..kinds[2].clone() }];
        assert_eq!(check(&room, &stone, &all, 1.0), [Fault::Covered { piece: 2, by: 3 }]);
    }
}
