//! Savings (Clarke and Wright 1964), measured anew after each merger. Invariant: a merger always shortens the sum of the tours.

use super::{Draft, Floor, plus};
use crate::Budget;

/// Each order on its own tour, then again and again the two batches merged that save most.
pub(super) fn savings(floor: &mut Floor, fit: &[usize], budget: &Budget) -> Draft {
    let mut batches: Vec<Option<_>> = Vec::with_capacity(fit.len());
    for order in fit {
        let length = floor.length(std::iter::once(*order));
        batches.push(Some((vec![*order], floor.loads[*order], length)));
    }
    // For each batch the best partner among those after it: (metres saved, partner).
    let mut partner: Vec<Option<(f64, usize)>> =
        (0..batches.len()).map(|at| best_partner(floor, &batches, at, budget)).collect();
    loop {
        let pairs =
            partner.iter().enumerate().filter_map(|(at, p)| p.map(|(saved, other)| (saved, at, other)));
        let Some((saved, at, other)) = pairs.max_by(|a, b| a.0.total_cmp(&b.0)) else { break };
        let (Some(a), Some(b)) = (batches[at].take(), batches[other].take()) else { break };
        let orders: Vec<usize> = a.0.into_iter().chain(b.0).collect();
        batches[at] = Some((orders, plus(&a.1, &b.1, 1), a.2 + b.2 - saved));
        partner[other] = None;
        for old in 0..batches.len() {
            let lost = partner[old].is_some_and(|(_, p)| p == at || p == other);
            if old == at || (lost && batches[old].is_some()) {
                partner[old] = best_partner(floor, &batches, old, budget);
            } else if old < at && batches[old].is_some() {
                // The merged batch may be a better partner than the one there was.
                let new = saving(floor, &batches, old, at, budget);
                if new > partner[old].map_or(0.0, |(saved, _)| saved) {
                    partner[old] = Some((new, at));
                }
            }
        }
    }
    Draft { batches: batches.into_iter().flatten().collect() }
}

type Batches = [Option<(Vec<usize>, super::Load, f64)>];

fn best_partner(floor: &mut Floor, batches: &Batches, at: usize, budget: &Budget) -> Option<(f64, usize)> {
    let mut best: Option<(f64, usize)> = None;
    for other in at + 1..batches.len() {
        let saved = saving(floor, batches, at, other, budget);
        if saved > best.map_or(0.0, |(most, _)| most) {
            best = Some((saved, other));
        }
    }
    best
}

/// Metres saved by a merger; 0 if it may not be, or when the budget is spent.
fn saving(floor: &mut Floor, batches: &Batches, at: usize, other: usize, budget: &Budget) -> f64 {
    let (Some(a), Some(b)) = (&batches[at], &batches[other]) else { return 0.0 };
    if !floor.fits(&plus(&a.1, &b.1, 1)) || budget.spent() {
        return 0.0;
    }
    a.2 + b.2 - floor.length(a.0.iter().chain(&b.0).copied())
}
