//! How few boxes there could be at best. Invariant: never more than any packing needs, so that "proven" is true.

use super::Prepared;
use crate::packing::volume;

/// Steps between "by volume alone" and "by weight alone".
const MIXES: u32 = 32;

/// No packing of these counts has fewer boxes.
///
/// The largest of: for every set of cartons, the pieces that go into no other, by volume and weight together (the dual of the
/// relaxation that lets pieces be cut); for every kind, its pieces over the most of them one carton holds; two, where no single carton
/// passes edges, volume, weight and price for all.
pub(super) fn boxes(p: &Prepared<'_>, counts: &[u32]) -> usize {
    if counts.iter().all(|n| *n == 0) {
        return 0;
    }
    let cartons = p.order.cartons.len();
    let homes: Vec<Vec<bool>> = (0..counts.len())
        .map(|kind| {
            let alone: Vec<u32> = (0..counts.len()).map(|k| u32::from(k == kind)).collect();
            (0..cartons).map(|c| p.each_fits(c, &alone)).collect()
        })
        .collect();
    let mut best = 1;
    for (kind, home) in homes.iter().enumerate() {
        best = best.max(of_a_kind(p, kind, counts[kind], home));
    }
    let mut sets: Vec<Vec<bool>> = vec![vec![true; cartons]];
    for home in &homes {
        if !sets.contains(home) {
            sets.push(home.clone());
        }
    }
    for set in &sets {
        best = best.max(within(p, counts, &homes, set));
    }
    let one = (0..cartons).any(|c| p.each_fits(c, counts) && p.price(c, counts).is_some());
    if one { best } else { best.max(2) }
}

fn of_a_kind(p: &Prepared<'_>, kind: usize, count: u32, home: &[bool]) -> usize {
    let k = &p.kinds[kind];
    let most = (0..home.len())
        .filter(|c| home[*c])
        .map(|c| {
            let carton = &p.order.cartons[c];
            let by_weight = (carton.max_g - carton.empty_g).checked_div(k.weight).unwrap_or(i64::MAX);
            (volume(carton.inner_mm) / volume(k.size)).min(by_weight)
        })
        .max()
        .unwrap_or(1)
        .max(1);
    usize::try_from((i64::from(count) + most - 1) / most).unwrap_or(usize::MAX)
}

/// By the pieces that go into cartons of the set only.
fn within(p: &Prepared<'_>, counts: &[u32], homes: &[Vec<bool>], set: &[bool]) -> usize {
    let (mut solid, mut grams) = (0i64, 0i64);
    for (kind, home) in homes.iter().enumerate() {
        if home.iter().zip(set).all(|(home, set)| *set || !home) {
            solid += volume(p.kinds[kind].size) * i64::from(counts[kind]);
            grams += p.kinds[kind].weight * i64::from(counts[kind]);
        }
    }
    let mut best = 0.0f64;
    for mix in 0..=MIXES {
        let share = f64::from(mix) / f64::from(MIXES);
        let weigh = |solid: i64, grams: i64, per: (i64, i64)| {
            (1.0 - share) * solid as f64 / per.0.max(1) as f64 + share * grams as f64 / per.1.max(1) as f64
        };
        // Scaled by the content, so that the steps are spread over what matters.
        let per = (solid, grams);
        let most = (0..set.len())
            .filter(|c| set[*c])
            .map(|c| {
                let carton = &p.order.cartons[c];
                weigh(volume(carton.inner_mm), carton.max_g - carton.empty_g, per)
            })
            .fold(0.0, f64::max);
        if most > 0.0 {
            best = best.max(weigh(solid, grams, per) / most);
        }
    }
    // A hair of rounding must not open a box.
    (best - 1e-9).ceil().max(0.0) as usize
}
