//! Makes a trace that breaks something short: cuts it where it broke, then leaves out ever smaller parts, then orders out of steps, as long
//! as the same thing breaks. Invariant: what is left breaks the same law.

use crate::run::World;
use crate::step::Step;

/// The shortest trace found with so many attempts that breaks the same law.
pub fn shrink(world: &World<'_>, at: usize, law: &str, mut attempts: usize) -> Vec<Step> {
    let mut best: Vec<Step> = world.steps.iter().take(at.saturating_add(1)).cloned().collect();
    let mut breaks = |steps: &[Step]| {
        attempts = attempts.saturating_sub(1);
        attempts > 0 && World { steps, ..*world }.run().is_err_and(|broken| broken.trouble.law == law)
    };
    if !breaks(&best) {
        // It breaks at rest only.
        best = world.steps.to_vec();
    }
    let mut part = best.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        while from < best.len() {
            let to = (from + part).min(best.len());
            let less: Vec<Step> = best[..from].iter().chain(&best[to..]).cloned().collect();
            if breaks(&less) {
                best = less;
            } else {
                from = to;
            }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    let mut n = 0;
    while n < best.len() {
        let mut order = 0;
        while let Some(step) = best[n].without(order) {
            let mut less = best.clone();
            less[n] = step;
            if breaks(&less) {
                best = less;
            } else {
                order += 1;
            }
        }
        n += 1;
    }
    best
}
