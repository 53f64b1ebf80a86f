//! How many boxes, and which. Invariant: a packing is only replaced by one with fewer boxes, or as many for less.

use std::cell::Cell;

use super::{Parcel, Plan, Prepared, Reason, bound};
use crate::Budget;
use crate::packing::{Effort, Placed, volume};

/// One greedy run over few blocks: most orders need no more.
const QUICK: Effort = Effort { blocks: 300, width: 1, support: 0.0 };
/// For a cheaper box, or for one in a row of boxes.
pub(crate) const MORE: Effort = Effort { blocks: 1_000, width: 3, support: 0.0 };
/// Where a whole box can be saved.
const DEEP: Effort = Effort { blocks: 4_000, width: 24, support: 0.0 };
/// Pieces put down in one of the last.
const DEEP_STEPS: u64 = 3_000;
/// Pieces put down in one of the middle.
pub(crate) const MORE_STEPS: u64 = 256;
/// Rounds that draw worths anew, at most; the budget ends most searches before.
const ROUNDS: u64 = 400;
/// Rounds made for the price alone once the number of boxes cannot fall.
const ROUNDS_FOR_PRICE: u64 = 4;

/// A box with its contents by kind.
#[derive(Clone)]
pub(crate) struct Packed {
    pub(crate) counts: Vec<u32>,
    pub(crate) parcel: Parcel,
}

/// Boxes and what found none.
#[derive(Clone, Default)]
struct Packing {
    boxes: Vec<Packed>,
    left: Vec<u32>,
}

impl Packing {
    fn rank(&self) -> (u32, usize, i64) {
        (self.left.iter().sum(), self.boxes.len(), self.boxes.iter().map(|b| b.parcel.cost()).sum())
    }
}

struct Search<'a> {
    p: &'a Prepared<'a>,
    budget: &'a Budget<'a>,
    counts: Vec<u32>,
    /// Cartons that no other is at least as large and as strong as.
    ample: Vec<usize>,
}

pub(super) fn pack(p: &Prepared<'_>, budget: &Budget<'_>) -> Plan {
    let counts: Vec<u32> = p.kinds.iter().map(|k| k.count).collect();
    let search = Search { p, budget, counts, ample: ample(p) };
    let bound = bound::boxes(p, &search.counts);
    let mut best = if bound == 0 { Packing::default() } else { search.fewest(bound) };
    for packed in &mut best.boxes {
        steady(p, packed);
    }
    let mut reasons = p.reasons.clone();
    let mut left = p.left.clone();
    for (kind, pieces) in best.left.iter().enumerate().filter(|(_, n)| **n > 0) {
        // Which of the alike items stay is arbitrary: the last ones.
        let mut pieces = *pieces;
        for item in p.members[kind].iter().rev() {
            let n = pieces.min(p.order.items[*item].quantity);
            if n > 0 {
                left[*item] += n;
                reasons.push(Reason::CartonsRanOut { item: *item, pieces: n });
            }
            pieces -= n;
        }
    }
    let boxes = best.boxes.len();
    if boxes > 1 || (boxes == 1 && left.iter().all(|l| *l == 0)) {
        reasons.push(match boxes <= bound {
            true => Reason::FewestProven { boxes },
            false => Reason::FewestNotProven { boxes, bound },
        });
    }
    let mut parcels: Vec<Parcel> = best.boxes.into_iter().map(|b| b.parcel).collect();
    p.name_items(&mut parcels);
    let cost = parcels.iter().fold(0i64, |sum, parcel| sum.saturating_add(parcel.cost()));
    Plan { parcels, left, cost, bound, reasons }
}

fn ample(p: &Prepared<'_>) -> Vec<usize> {
    let sorted = |c: usize| {
        let mut edges = p.order.cartons[c].inner_mm;
        edges.sort_unstable();
        edges
    };
    let holds = |c: usize| p.order.cartons[c].max_g - p.order.cartons[c].empty_g;
    let none = vec![0; p.kinds.len()];
    let usable = |c: usize| p.price(c, &none).is_some();
    let plenty = |c: usize| p.order.cartons[c].available.unwrap_or(u32::MAX);
    (0..p.order.cartons.len())
        .filter(|a| usable(*a))
        .filter(|a| {
            !(0..p.order.cartons.len()).any(|b| {
                let larger = (0..3).all(|d| sorted(b)[d] >= sorted(*a)[d]);
                let same = sorted(b) == sorted(*a) && holds(b) == holds(*a);
                larger
                    && holds(b) >= holds(*a)
                    && plenty(b) == u32::MAX
                    && usable(b)
                    && (!same || b < *a)
                    && b != *a
            })
        })
        .collect()
}

/// Whether `p` can put all of `counts` into this carton, and where. Trusts `price` to have said yes.
pub(crate) fn fits(
    p: &Prepared<'_>,
    carton: usize,
    counts: &[u32],
    effort: Effort,
    budget: &Budget<'_>,
) -> Option<Vec<Placed>> {
    let (inside, placed) = p.fill(carton, counts, |k| volume(p.kinds[k].size), effort, budget);
    (inside == counts).then_some(placed)
}

/// Runs a part of the search on at most `steps` of the budget.
pub(crate) fn within<T>(budget: &Budget<'_>, steps: u64, run: impl FnOnce(&Budget<'_>) -> T) -> T {
    let used = Cell::new(0);
    // A budget asks every 64 steps; the outer one pays for them then.
    let stop = || {
        used.set(used.get() + 64);
        used.get() >= steps || (0..64).any(|_| budget.spent())
    };
    run(&Budget::until(&stop))
}

/// The cheapest box for all of `counts` among `cartons`, by effort: quick for all, more for what would be cheaper, deep if none fits.
pub(crate) fn one_box(
    p: &Prepared<'_>,
    counts: &[u32],
    cartons: impl Iterator<Item = usize>,
    deep: bool,
    budget: &Budget<'_>,
) -> Option<Packed> {
    let mut choices: Vec<Parcel> =
        cartons.filter(|c| p.each_fits(*c, counts)).filter_map(|c| p.price(c, counts)).collect();
    choices.sort_by_key(|parcel| (parcel.cost(), volume(p.order.cartons[parcel.carton].outer_mm)));
    let packed = |parcel: &Parcel, placed| Packed {
        counts: counts.to_vec(),
        parcel: Parcel { placed, ..parcel.clone() },
    };
    let mut found: Option<(usize, Packed)> = None;
    for (i, parcel) in choices.iter().enumerate() {
        let placed = within(budget, QUICK_STEPS, |b| fits(p, parcel.carton, counts, QUICK, b));
        if let Some(placed) = placed {
            found = Some((i, packed(parcel, placed)));
            break;
        }
    }
    let cheaper = found.as_ref().map_or(choices.len(), |f| f.0);
    for parcel in &choices[..cheaper] {
        if budget.spent() {
            break;
        }
        if let Some(placed) = within(budget, MORE_STEPS, |b| fits(p, parcel.carton, counts, MORE, b)) {
            return Some(packed(parcel, placed));
        }
    }
    if found.is_none() && deep {
        for parcel in &choices {
            if budget.spent() {
                break;
            }
            if let Some(placed) = within(budget, DEEP_STEPS, |b| fits(p, parcel.carton, counts, DEEP, b)) {
                return Some(packed(parcel, placed));
            }
        }
    }
    found.map(|f| f.1)
}

/// Packs a box again with more of every base carried, as far as a quick run finds it: steadier for the same price.
fn steady(p: &Prepared<'_>, packed: &mut Packed) {
    for support in [1.0, 0.75, 0.5] {
        if support <= p.order.support {
            return;
        }
        let volumes = |k: usize| volume(p.kinds[k].size);
        let effort = Effort { support, ..QUICK };
        let (inside, placed) =
            p.fill(packed.parcel.carton, &packed.counts, volumes, effort, &Budget::steps(QUICK_STEPS));
        if inside == packed.counts {
            packed.parcel.placed = placed;
            return;
        }
    }
}

/// More than a greedy run can take: it always ends by itself.
const QUICK_STEPS: u64 = 1 << 20;

impl Search<'_> {
    fn fewest(&self, bound: usize) -> Packing {
        let all = 0..self.p.order.cartons.len();
        let there = all.filter(|c| self.p.order.cartons[*c].available != Some(0));
        let one = (bound == 1).then(|| one_box(self.p, &self.counts, there, true, self.budget));
        if let Some(one) = one.flatten() {
            return Packing { boxes: vec![one], left: vec![0; self.counts.len()] };
        }
        let mut best = self.round(0, usize::MAX, false);
        for round in 1..ROUNDS {
            let done = best.rank().0 == 0 && best.boxes.len() <= bound;
            if self.budget.spent() || (done && round > ROUNDS_FOR_PRICE) {
                break;
            }
            let limit = if best.rank().0 == 0 { best.boxes.len() } else { usize::MAX };
            let other = self.round(round, limit, !done);
            if !other.boxes.is_empty() && other.rank() < best.rank() {
                best = other;
            }
        }
        self.cheaper(&mut best);
        best
    }

    /// Fills one box after the other. Gives up, with nothing, where more than `limit` boxes would be needed.
    fn round(&self, round: u64, limit: usize, deep: bool) -> Packing {
        let worths = self.worths(round);
        let effort = if round == 0 { QUICK } else { MORE };
        let mut stock: Vec<u32> =
            self.p.order.cartons.iter().map(|c| c.available.unwrap_or(u32::MAX)).collect();
        let mut packing = Packing { boxes: Vec::new(), left: self.counts.clone() };
        let mut random = Random::new(round);
        while packing.left.iter().any(|n| *n > 0) {
            let there = (0..stock.len()).filter(|c| stock[*c] > 0);
            // The last box decides whether the round was worth it.
            let last = deep && packing.boxes.len() + 1 < limit && limit != usize::MAX;
            if let Some(one) = one_box(self.p, &packing.left, there, last, self.budget) {
                packing.left.iter_mut().for_each(|n| *n = 0);
                packing.boxes.push(one);
                return packing;
            }
            if packing.boxes.len() + 2 > limit {
                return Packing::default();
            }
            let Some(one) = self.next_box(&packing.left, &stock, &worths, effort, round, &mut random) else {
                return packing;
            };
            stock[one.parcel.carton] = stock[one.parcel.carton].saturating_sub(1);
            packing.left.iter_mut().zip(&one.counts).for_each(|(left, n)| *left -= n);
            packing.boxes.push(one);
        }
        packing
    }

    /// The box that takes most worth; from the second half of the rounds on, any of the ample ones.
    fn next_box(
        &self,
        left: &[u32],
        stock: &[u32],
        worths: &[i64],
        effort: Effort,
        round: u64,
        random: &mut Random,
    ) -> Option<Packed> {
        let mut cartons: Vec<usize> = self.ample.iter().copied().filter(|c| stock[*c] > 0).collect();
        if cartons.is_empty() {
            cartons = (0..stock.len()).filter(|c| stock[*c] > 0).collect();
        } else if round > 3 && random.next(2) == 0 {
            cartons = vec![cartons[random.next(cartons.len() as u64) as usize]];
        }
        let mut best: Option<(i64, i64, Packed)> = None;
        for carton in cartons {
            let (counts, placed) =
                within(self.budget, MORE_STEPS, |b| self.p.fill(carton, left, |k| worths[k], effort, b));
            let worth: i64 = counts.iter().zip(worths).map(|(n, w)| i64::from(*n) * w).sum();
            if worth == 0 {
                continue;
            }
            let Some(parcel) = self.p.price(carton, &counts) else { continue };
            let cost = parcel.cost();
            if best.as_ref().is_none_or(|b| (worth, -cost) > (b.0, -b.1)) {
                best = Some((worth, cost, Packed { counts, parcel: Parcel { placed, ..parcel } }));
            }
        }
        if best.is_none() {
            // No filling has a price, or what is left fits another box only: one piece in whatever takes it.
            let there = (0..stock.len()).filter(|c| stock[*c] > 0);
            let single: Vec<u32> = first_piece(left);
            return one_box(self.p, &single, there, false, self.budget);
        }
        best.map(|b| b.2)
    }

    /// What a piece of each kind is worth in this round: volume, weight, both; then drawn around one of them.
    fn worths(&self, round: u64) -> Vec<i64> {
        let solid: f64 =
            self.p.kinds.iter().zip(&self.counts).map(|(k, n)| volume(k.size) as f64 * f64::from(*n)).sum();
        let grams: f64 =
            self.p.kinds.iter().zip(&self.counts).map(|(k, n)| k.weight as f64 * f64::from(*n)).sum();
        let by_weight = match round % 3 {
            0 => 0.0,
            1 => 0.5,
            _ => 1.0,
        };
        let mut random = Random::new(round ^ 0x5bd1_e995);
        self.p
            .kinds
            .iter()
            .map(|k| {
                let share = (1.0 - by_weight) * volume(k.size) as f64 / solid.max(1.0)
                    + by_weight * k.weight as f64 / grams.max(1.0);
                let noise = if round < 3 { 1.0 } else { 0.5 + random.next(1_001) as f64 / 1_000.0 };
                (share * noise * 1e9) as i64 + 1
            })
            .collect()
    }

    /// Smaller boxes for single parcels; then pairs packed again into cheaper ones.
    fn cheaper(&self, best: &mut Packing) {
        let mut stock: Vec<u32> =
            self.p.order.cartons.iter().map(|c| c.available.unwrap_or(u32::MAX)).collect();
        for packed in &best.boxes {
            stock[packed.parcel.carton] = stock[packed.parcel.carton].saturating_sub(1);
        }
        for packed in &mut best.boxes {
            let there = (0..stock.len()).filter(|c| stock[*c] > 0);
            if self.budget.spent() {
                return;
            }
            if let Some(other) = one_box(self.p, &packed.counts, there, false, self.budget)
                && other.parcel.cost() < packed.parcel.cost()
            {
                stock[packed.parcel.carton] = stock[packed.parcel.carton].saturating_add(1);
                stock[other.parcel.carton] = stock[other.parcel.carton].saturating_sub(1);
                *packed = other;
            }
        }
        for i in 0..best.boxes.len() {
            for j in 0..best.boxes.len() {
                if i != j && !self.budget.spent() {
                    self.again(best, i, j, &mut stock);
                }
            }
        }
    }

    /// Packs two boxes' contents into another two that cost less, if it finds them.
    fn again(&self, best: &mut Packing, i: usize, j: usize, stock: &mut [u32]) {
        let (a, b) = (&best.boxes[i], &best.boxes[j]);
        let cost = a.parcel.cost().saturating_add(b.parcel.cost());
        let both: Vec<u32> = a.counts.iter().zip(&b.counts).map(|(a, b)| a + b).collect();
        for carton in (0..stock.len()).filter(|c| stock[*c] > 0) {
            let worth = |k: usize| volume(self.p.kinds[k].size);
            let (inside, placed) =
                within(self.budget, MORE_STEPS, |b| self.p.fill(carton, &both, worth, QUICK, b));
            let rest: Vec<u32> = both.iter().zip(&inside).map(|(all, n)| all - n).collect();
            let Some(first) = self.p.price(carton, &inside) else { continue };
            if inside.iter().all(|n| *n == 0) || first.cost() >= cost {
                continue;
            }
            let there = (0..stock.len()).filter(|c| stock[*c] > u32::from(*c == carton));
            let Some(second) = one_box(self.p, &rest, there, false, self.budget) else { continue };
            if first.cost().saturating_add(second.parcel.cost()) < cost {
                for gone in [i, j] {
                    let carton = best.boxes[gone].parcel.carton;
                    stock[carton] = stock[carton].saturating_add(1);
                }
                stock[carton] = stock[carton].saturating_sub(1);
                stock[second.parcel.carton] = stock[second.parcel.carton].saturating_sub(1);
                best.boxes[i] = Packed { counts: inside, parcel: Parcel { placed, ..first } };
                best.boxes[j] = second;
                return;
            }
        }
    }
}

fn first_piece(left: &[u32]) -> Vec<u32> {
    let first = left.iter().position(|n| *n > 0);
    (0..left.len()).map(|k| u32::from(Some(k) == first)).collect()
}

/// Splitmix64: a seed gives the same draws everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// From 0 to below `below`.
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }
}
