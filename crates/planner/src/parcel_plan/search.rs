//! Partitions of the pieces. Invariant: a plan is only replaced by a cheaper one, and the first is pack-then-rate.

use std::collections::HashMap;

use crate::Budget;
use crate::cartons::search::{MORE, MORE_STEPS, Packed, Random, one_box, within};
use crate::cartons::{self, Order, Parcel, Prepared, Refused};
use crate::packing::{Placed, volume};

/// Sub-multisets up to which all partitions are weighed.
const EXACT: usize = 600;
/// Pieces up to which a box that a quick run does not fill is searched deeply.
const FEW_PIECES: u32 = 10;
/// Restarts of the local search, at most.
const RESTARTS: u64 = 40;
/// Share of the budget that pack-then-rate may take, in pieces put down.
const BASELINE_STEPS: u64 = 20_000;

/// What was found.
pub(super) struct Found {
    /// With kinds instead of items.
    pub parcels: Vec<Parcel>,
    /// Cost and parcels of pack-then-rate.
    pub pack_then_rate: Option<(i64, usize)>,
    /// Whether all partitions were weighed.
    pub exact: bool,
}

struct Search<'a> {
    p: &'a Prepared<'a>,
    budget: &'a Budget<'a>,
    handling: i64,
    /// The cheapest parcel of these counts; `None` when there is none.
    known: HashMap<Vec<u32>, Option<Packed>>,
}

type Partition = Vec<Vec<u32>>;

/// Minor units of parcels and the work on them.
pub(super) fn cost(parcels: &[Parcel], handling: i64) -> i64 {
    parcels.iter().fold(0i64, |sum, p| sum.saturating_add(p.cost()).saturating_add(handling))
}

/// The cheapest set of parcels. Error: the packing makes no sense (it was validated, so this does not happen twice).
pub(super) fn cheapest(
    p: &Prepared<'_>,
    packing: &Order,
    handling: i64,
    budget: &Budget<'_>,
) -> Result<Found, Refused> {
    let all: Vec<u32> = p.kinds.iter().map(|k| k.count).collect();
    let mut search = Search { p, budget, handling, known: HashMap::new() };
    if all.iter().all(|n| *n == 0) {
        return Ok(Found { parcels: Vec::new(), pack_then_rate: None, exact: false });
    }
    let first = pack_then_rate(p, packing, budget)?;
    let then = first.as_ref().map(|parcels| (cost(parcels, handling), parcels.len()));
    let mut best: Option<Vec<Parcel>> = first.clone();
    let exact = states(&all) <= EXACT && search.limited().is_none();
    let found = if exact { search.all_partitions(&all) } else { None };
    let exact = found.is_some();
    let mut better = |parcels: Vec<Parcel>, search: &Search<'_>| {
        let less = best.as_ref().is_none_or(|b| cost(&parcels, handling) < cost(b, handling));
        if less && search.in_stock(&parcels) {
            best = Some(parcels);
        }
    };
    match found {
        Some(partition) => {
            if let Some(parcels) = search.parcels(&partition) {
                better(parcels, &search);
            }
        }
        None => {
            let start =
                first.as_ref().map(|parcels| parcels.iter().map(|b| counts(&b.placed, all.len())).collect());
            for partition in search.local(&all, start) {
                if let Some(parcels) = search.parcels(&partition) {
                    better(parcels, &search);
                }
            }
        }
    }
    Ok(Found { parcels: best.unwrap_or_default(), pack_then_rate: then, exact })
}

/// The fewest and cheapest boxes without a look at rates, then the cheapest service for each. `None` when one of them has no service.
fn pack_then_rate(
    p: &Prepared<'_>,
    packing: &Order,
    budget: &Budget<'_>,
) -> Result<Option<Vec<Parcel>>, Refused> {
    // Pieces that nobody sends at all are left out on both sides.
    let mut sendable = packing.clone();
    for (item, left) in sendable.items.iter_mut().zip(&p.left) {
        item.quantity -= (*left).min(item.quantity);
    }
    let plan = within(budget, BASELINE_STEPS, |b| cartons::pack(&sendable, b))?;
    if plan.left.iter().any(|left| *left > 0) {
        return Ok(None);
    }
    let mut parcels = Vec::new();
    for parcel in plan.parcels {
        let mut placed = parcel.placed;
        for piece in &mut placed {
            piece.kind = p.members.iter().position(|m| m.contains(&piece.kind)).unwrap_or(0);
        }
        match p.price(parcel.carton, &counts(&placed, p.kinds.len())) {
            Some(priced) => parcels.push(Parcel { placed, ..priced }),
            None => return Ok(None),
        }
    }
    Ok(Some(parcels))
}

fn counts(placed: &[Placed], kinds: usize) -> Vec<u32> {
    let mut counts = vec![0; kinds];
    for piece in placed {
        counts[piece.kind] += 1;
    }
    counts
}

/// Sub-multisets there are.
fn states(all: &[u32]) -> usize {
    all.iter().fold(1usize, |n, count| n.saturating_mul(*count as usize + 1))
}

impl Search<'_> {
    fn limited(&self) -> Option<usize> {
        self.p.order.cartons.iter().position(|c| c.available.is_some())
    }

    fn in_stock(&self, parcels: &[Parcel]) -> bool {
        self.p.order.cartons.iter().enumerate().all(|(i, carton)| {
            let used = parcels.iter().filter(|p| p.carton == i).count();
            carton.available.is_none_or(|there| used <= there as usize)
        })
    }

    /// The cheapest parcel with exactly these counts.
    fn best(&mut self, counts: &[u32]) -> Option<i64> {
        if !self.known.contains_key(counts) {
            let cartons = self.p.order.cartons.iter().enumerate();
            let there: Vec<usize> = cartons.filter(|(_, c)| c.available != Some(0)).map(|c| c.0).collect();
            // A handful of pieces is searched well: there a fit that is missed would be the whole difference.
            let deep = counts.iter().sum::<u32>() <= FEW_PIECES;
            let one = one_box(self.p, counts, there.into_iter(), deep, self.budget);
            self.known.insert(counts.to_vec(), one);
        }
        let one = self.known.get(counts)?.as_ref()?;
        Some(one.parcel.cost().saturating_add(self.handling))
    }

    /// A price that no parcel with these counts is below: packing not looked at.
    fn at_least(&self, counts: &[u32]) -> Option<i64> {
        let cartons = 0..self.p.order.cartons.len();
        let priced = cartons.filter(|c| self.p.each_fits(*c, counts)).filter_map(|c| self.p.price(c, counts));
        Some(priced.map(|parcel| parcel.cost()).min()?.saturating_add(self.handling))
    }

    fn parcels(&mut self, partition: &Partition) -> Option<Vec<Parcel>> {
        let mut parcels = Vec::new();
        for counts in partition {
            self.best(counts)?;
            parcels.push(self.known.get(counts)?.as_ref()?.parcel.clone());
        }
        Some(parcels)
    }

    /// The cheapest of all partitions, or nothing when the budget ends before.
    fn all_partitions(&mut self, all: &[u32]) -> Option<Partition> {
        let n = states(all);
        // Mixed radix: state i has `digits(i)` pieces of each kind.
        let digits = |mut i: usize| -> Vec<u32> {
            all.iter()
                .map(|count| {
                    let digit = i % (*count as usize + 1);
                    i /= *count as usize + 1;
                    digit as u32
                })
                .collect()
        };
        let states: Vec<Vec<u32>> = (0..n).map(digits).collect();
        let floors: Vec<Option<i64>> = states.iter().map(|s| self.at_least(s)).collect();
        let mut cheapest: Vec<Option<(i64, usize)>> = vec![None; n];
        cheapest[0] = Some((0, 0));
        for whole in 1..n {
            // The parcel with a piece of the first kind that is there: each partition is looked at once.
            let first = states[whole].iter().position(|d| *d > 0)?;
            for part in 1..=whole {
                let fits = states[part].iter().zip(&states[whole]).all(|(a, b)| a <= b);
                if !fits || states[part][first] == 0 {
                    continue;
                }
                // Digits that are nowhere larger subtract without borrowing: so do the numbers.
                let (Some((rest, _)), Some(floor)) = (cheapest[whole - part], floors[part]) else { continue };
                let bar = cheapest[whole].map_or(i64::MAX, |c| c.0);
                if rest.saturating_add(floor) >= bar {
                    continue;
                }
                if self.budget.spent() {
                    return None;
                }
                if let Some(price) = self.best(&states[part])
                    && rest.saturating_add(price) < bar
                {
                    cheapest[whole] = Some((rest.saturating_add(price), part));
                }
            }
        }
        let mut partition = Vec::new();
        let mut whole = n - 1;
        while whole > 0 {
            let part = cheapest[whole]?.1;
            partition.push(states[part].clone());
            whole -= part;
        }
        Some(partition)
    }

    /// Local optima, the start and others from restarts.
    fn local(&mut self, all: &[u32], start: Option<Partition>) -> Vec<Partition> {
        let mut found = Vec::new();
        let mut random = Random::new(7);
        let mut best = match start.or_else(|| self.filled(all)) {
            Some(start) => start,
            None => return found,
        };
        self.descend(&mut best);
        found.push(best.clone());
        if let Some(mut other) = self.filled(all) {
            self.descend(&mut other);
            if self.total(&other) < self.total(&best) {
                best = other.clone();
            }
            found.push(other);
        }
        for _ in 0..RESTARTS {
            if self.budget.spent() {
                break;
            }
            let mut other = best.clone();
            self.shake(&mut other, &mut random);
            self.descend(&mut other);
            if self.total(&other) < self.total(&best) {
                best = other.clone();
                found.push(other);
            }
        }
        found
    }

    fn total(&mut self, partition: &Partition) -> i64 {
        partition.iter().fold(0i64, |sum, counts| sum.saturating_add(self.best(counts).unwrap_or(i64::MAX)))
    }

    /// Boxes filled one after the other, each time the one that is cheapest by what it takes.
    fn filled(&mut self, all: &[u32]) -> Option<Partition> {
        let mut rest = all.to_vec();
        let mut partition = Vec::new();
        while rest.iter().any(|n| *n > 0) {
            let mut best: Option<(f64, Vec<u32>)> = None;
            for carton in 0..self.p.order.cartons.len() {
                let worth = |k: usize| volume(self.p.kinds[k].size);
                let (inside, _) =
                    within(self.budget, MORE_STEPS, |b| self.p.fill(carton, &rest, worth, MORE, b));
                let solid: i64 = inside.iter().enumerate().map(|(k, n)| worth(k) * i64::from(*n)).sum();
                let Some(price) = self.best(&inside).filter(|_| solid > 0) else { continue };
                let rate = price as f64 / solid as f64;
                if best.as_ref().is_none_or(|b| rate < b.0) {
                    best = Some((rate, inside));
                }
            }
            let (_, inside) = best?;
            rest.iter_mut().zip(&inside).for_each(|(rest, n)| *rest -= n);
            partition.push(inside);
        }
        Some(partition)
    }

    /// Takes the best change of any pair of parcels until none is left.
    fn descend(&mut self, partition: &mut Partition) {
        loop {
            let mut best: Option<(i64, usize, Option<usize>, Vec<Vec<u32>>)> = None;
            for a in 0..partition.len() {
                for b in std::iter::once(None).chain((0..partition.len()).filter(|b| *b != a).map(Some)) {
                    if self.budget.spent() {
                        return;
                    }
                    let other = b.map(|b| partition[b].clone());
                    let now = self
                        .total(&[Some(partition[a].clone()), other.clone()].into_iter().flatten().collect());
                    let from = partition[a].clone();
                    let bar = best.as_ref().map_or(0, |best| best.0);
                    if let Some((gain, parts)) = self.change(&from, other.as_deref(), now, bar) {
                        best = Some((gain, a, b, parts));
                    }
                }
            }
            let Some((_, a, b, parts)) = best else { return };
            let mut gone: Vec<usize> = std::iter::once(a).chain(b).collect();
            gone.sort_unstable();
            for index in gone.into_iter().rev() {
                partition.swap_remove(index);
            }
            partition.extend(parts);
        }
    }

    /// The change of `a` and `b` (or of `a` and a new parcel) that gains more than `bar`, if there is one.
    fn change(&mut self, a: &[u32], b: Option<&[u32]>, now: i64, bar: i64) -> Option<(i64, Vec<Vec<u32>>)> {
        let empty = vec![0; a.len()];
        let b = b.unwrap_or(&empty);
        let mut best: Option<(i64, Vec<Vec<u32>>)> = None;
        for (x, y) in self.neighbours(a, b) {
            let parts: Vec<Vec<u32>> =
                [x, y].into_iter().filter(|part| part.iter().any(|n| *n > 0)).collect();
            let goal = now.saturating_sub(best.as_ref().map_or(bar, |best| best.0));
            let floor =
                parts.iter().try_fold(0i64, |sum, part| Some(sum.saturating_add(self.at_least(part)?)));
            if floor.is_none_or(|floor| floor >= goal) {
                continue;
            }
            if self.budget.spent() {
                break;
            }
            let total = self.total(&parts);
            if total < goal {
                best = Some((now - total, parts));
            }
        }
        best
    }

    /// Two parcels that share the pieces of `a` and `b` otherwise: moves, swaps, all in one, or a box filled and the rest.
    fn neighbours(&self, a: &[u32], b: &[u32]) -> Vec<(Vec<u32>, Vec<u32>)> {
        let both: Vec<u32> = a.iter().zip(b).map(|(a, b)| a + b).collect();
        let mut out = vec![(both.clone(), vec![0; a.len()])];
        let shifted = |moves: &[(usize, i64)]| {
            let mut x = a.to_vec();
            for (kind, n) in moves {
                x[*kind] = u32::try_from(i64::from(x[*kind]) - n).ok()?;
            }
            let y: Option<Vec<u32>> = both.iter().zip(&x).map(|(all, x)| all.checked_sub(*x)).collect();
            Some((x, y?))
        };
        for (kind, pieces) in a.iter().map(|n| i64::from(*n)).enumerate() {
            let mut amounts = vec![1, 2, pieces / 2, pieces];
            amounts.dedup();
            for n in amounts.into_iter().filter(|n| *n > 0) {
                out.extend(shifted(&[(kind, n)]));
                for back in (0..b.len()).filter(|back| *back != kind && b[*back] > 0) {
                    out.extend(shifted(&[(kind, n), (back, -1)]));
                }
            }
        }
        for carton in 0..self.p.order.cartons.len() {
            let worth = |k: usize| volume(self.p.kinds[k].size);
            let (inside, _) = within(self.budget, MORE_STEPS, |b| self.p.fill(carton, &both, worth, MORE, b));
            let rest = both.iter().zip(&inside).map(|(all, n)| all - n).collect();
            out.push((inside, rest));
        }
        out
    }

    /// Puts two parcels' pieces together and deals them out at random.
    fn shake(&mut self, partition: &mut Partition, random: &mut Random) {
        let a = random.next(partition.len() as u64) as usize;
        let from = partition.swap_remove(a);
        let with = if partition.is_empty() {
            vec![0; from.len()]
        } else {
            let b = random.next(partition.len() as u64) as usize;
            partition.swap_remove(b)
        };
        let mut parts = [vec![0; from.len()], vec![0; from.len()]];
        for (kind, n) in from.iter().zip(&with).map(|(a, b)| a + b).enumerate() {
            for _ in 0..n {
                parts[random.next(2) as usize][kind] += 1;
            }
        }
        let keep = parts.iter().all(|p| p.iter().all(|n| *n == 0) || self.best(p).is_some());
        let parts = if keep { parts } else { [from, with] };
        partition.extend(parts.into_iter().filter(|p| p.iter().any(|n| *n > 0)));
    }
}
