//! What rests on what: whether a block may be put down among the pieces that lie there. Invariant: looks at single pieces, so a block
//! never hides that one of them hangs in the air or stands on something that bears nothing.

use super::{Kind, Placed, Room, Top};

/// What is asked of every piece.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Least share of the base that is carried.
    pub support: f64,
    /// Some kind says what may lie on it.
    pub tops: bool,
    /// Some kind has a load limit.
    pub loads: bool,
}

impl Rules {
    /// What these kinds ask for.
    pub fn of(kinds: &[Kind], support: f64) -> Self {
        Self {
            support,
            tops: kinds.iter().any(|k| k.top != Top::Anything),
            loads: kinds.iter().any(|k| k.bears.is_some()),
        }
    }

    /// Whether pieces have to be looked at one by one.
    pub fn any(self) -> bool {
        self.support > 0.0 || self.tops || self.loads
    }
}

/// Area that two pieces share, seen from above.
fn shared(a: &Placed, b: &Placed) -> i64 {
    let along =
        |d: usize| i64::from((a.at[d] + a.size[d]).min(b.at[d] + b.size[d]) - a.at[d].max(b.at[d])).max(0);
    along(0) * along(1)
}

fn lies_on(upper: &Placed, lower: &Placed) -> bool {
    upper.at[2] == lower.at[2] + lower.size[2]
}

fn may_carry(kinds: &[Kind], lower: &Placed, upper: &Placed) -> bool {
    match kinds[lower.kind].top {
        Top::Anything => true,
        Top::Fragile => kinds[upper.kind].fragile,
        Top::Nothing => false,
    }
}

/// Whether the pieces `all[new..]` may lie with those before them.
pub fn allowed(rules: Rules, kinds: &[Kind], all: &[Placed], new: usize) -> bool {
    let (old, fresh) = all.split_at(new);
    for piece in fresh {
        let mut carried = 0;
        for other in all.iter().filter(|o| lies_on(piece, o)) {
            let area = shared(piece, other);
            if area > 0 && rules.tops && !may_carry(kinds, other, piece) {
                return false;
            }
            carried += area;
        }
        let base = i64::from(piece.size[0]) * i64::from(piece.size[1]);
        if piece.at[2] > 0 && (carried as f64) < rules.support * base as f64 {
            return false;
        }
        let presses = |above: &&Placed| lies_on(above, piece) && shared(above, piece) > 0;
        if rules.tops && old.iter().filter(presses).any(|above| !may_carry(kinds, piece, above)) {
            return false;
        }
    }
    !rules.loads || loads_hold(kinds, all)
}

/// Whether no piece bears more than it may: each hands its weight and its load down by the areas it stands on.
fn loads_hold(kinds: &[Kind], all: &[Placed]) -> bool {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(all[*i].at[2]));
    let mut load = vec![0.0f64; all.len()];
    for i in order {
        let piece = &all[i];
        // A hair of rounding is not a crushed box.
        if kinds[piece.kind].bears.is_some_and(|bears| load[i] > bears as f64 + 1e-7) {
            return false;
        }
        let under: Vec<(usize, i64)> = all
            .iter()
            .enumerate()
            .filter(|(_, lower)| lies_on(piece, lower))
            .map(|(j, lower)| (j, shared(piece, lower)))
            .filter(|(_, area)| *area > 0)
            .collect();
        let total: i64 = under.iter().map(|u| u.1).sum();
        let weight = load[i] + kinds[piece.kind].weight as f64;
        for (j, area) in under {
            load[j] += weight * area as f64 / total as f64;
        }
    }
    true
}

/// Whether so much weight may still come in.
pub fn light_enough(room: &Room, weight: i64, more: i64) -> bool {
    weight.checked_add(more).is_some_and(|sum| sum <= room.weight)
}
