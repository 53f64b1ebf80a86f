//! Makes a trace that breaks something short: cuts it where it broke, then leaves out orders, then steps, each in ever smaller parts, then
//! makes what is left simpler, and begins again while that helps. What goes wrong in a step goes by the step's number in the whole trace,
//! so leaving one out changes nothing in the others.
//!
//! Invariant: what is left breaks the same law.

use crate::run::{Turn, World};
use crate::step::No;
use std::collections::BTreeSet;

/// Runs that are left to look for a shorter trace.
struct Search<'a> {
    world: World<'a>,
    law: &'a str,
    left: usize,
}

impl Search<'_> {
    /// Whether these steps still break the law. When no runs are left, nothing does.
    fn breaks(&mut self, steps: &[Turn]) -> bool {
        if self.left == 0 || steps.is_empty() {
            return false;
        }
        self.left -= 1;
        World { steps, ..self.world }.run().is_err_and(|broken| broken.trouble.law == self.law)
    }
    fn fewer_orders(&mut self, steps: Vec<Turn>) -> Vec<Turn> {
        let all: BTreeSet<No> = steps.iter().flat_map(|(_, step)| step.orders()).collect();
        let only = |keep: &[No]| -> Vec<Turn> {
            let keep: BTreeSet<No> = keep.iter().copied().collect();
            steps.iter().filter_map(|(turn, step)| Some((*turn, step.only(&keep)?))).collect()
        };
        let kept = least(all.into_iter().collect(), |keep| self.breaks(&only(keep)));
        only(&kept)
    }
    fn simpler(&mut self, mut steps: Vec<Turn>) -> Vec<Turn> {
        for n in 0..steps.len() {
            // Each time from the first idea on: what did not help before may help now.
            while let Some(better) = steps[n].1.simpler().into_iter().find_map(|step| {
                let mut less = steps.clone();
                less[n].1 = step;
                self.breaks(&less).then_some(less)
            }) {
                steps = better;
            }
        }
        steps
    }
}

/// The fewest things found that still do it: leaves out halves, quarters, and so on down to single ones, until none can be left out.
fn least<T: Clone>(mut all: Vec<T>, mut does: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut part = all.len().div_ceil(2);
    while part > 0 {
        let (mut from, mut cut) = (0, false);
        while from < all.len() {
            let to = (from + part).min(all.len());
            let less: Vec<T> = all[..from].iter().chain(&all[to..]).cloned().collect();
            if does(&less) {
                (all, cut) = (less, true);
            } else {
                from = to;
            }
        }
        part = match part {
            1 if cut => 1,
            1 => 0,
            _ => part.div_ceil(2),
        };
    }
    all
}

/// The shortest trace found with so many attempts that breaks the same law.
pub fn shrink(world: &World<'_>, at: usize, law: &str, attempts: usize) -> Vec<Turn> {
    let mut search = Search { world: *world, law, left: attempts };
    let mut best: Vec<Turn> = world.steps.iter().take(at.saturating_add(1)).cloned().collect();
    if !search.breaks(&best) {
        // It breaks at rest only.
        best = world.steps.to_vec();
    }
    loop {
        let before = best.clone();
        best = search.fewer_orders(best);
        best = least(best, |steps| search.breaks(steps));
        best = search.simpler(best);
        if best == before || search.left == 0 {
            return best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::least;

    #[test]
    fn what_is_needed_is_found_wherever_it_is() {
        for needed in [vec![0], vec![99], vec![3, 4, 50], vec![0, 33, 66, 99], Vec::new()] {
            let mut runs = 0;
            let found = least((0..100).collect(), |some: &[i32]| {
                runs += 1;
                needed.iter().all(|n| some.contains(n))
            });
            assert_eq!(found, needed);
            assert!(runs < 200, "{runs}");
        }
    }
}
