//! How long a search may go on. Invariant: the planner reads no clock; who calls it says when to stop.

use std::cell::Cell;

/// The end of a search: a number of steps (deterministic), or a question asked now and then (a clock of the caller's).
pub struct Budget<'a> {
    left: Cell<u64>,
    stop: Option<&'a dyn Fn() -> bool>,
}

/// Steps between two questions: a clock costs tens of nanoseconds, a step often less than a microsecond.
const ASK_EVERY: u64 = 64;

impl<'a> Budget<'a> {
    /// So many steps: the same input and seed give the same plan on every machine.
    pub fn steps(steps: u64) -> Self {
        Self { left: Cell::new(steps), stop: None }
    }

    /// Until the caller says so: asked every 64 steps.
    pub fn until(stop: &'a dyn Fn() -> bool) -> Self {
        Self { left: Cell::new(u64::MAX), stop: Some(stop) }
    }

    /// Counts one step; whether it was the last. Once spent, it stays spent.
    pub fn spent(&self) -> bool {
        let left = self.left.get();
        if left == 0 {
            return true;
        }
        self.left.set(left - 1);
        let due = left.is_multiple_of(ASK_EVERY);
        if due && self.stop.is_some_and(|stop| stop()) {
            self.left.set(0);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_and_an_answer_is_final() {
        let budget = Budget::steps(2);
        assert_eq!([budget.spent(), budget.spent(), budget.spent()], [false, false, true]);
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() == 2
        };
        let budget = Budget::until(&stop);
        let steps = (0..1_000).take_while(|_| !budget.spent()).count();
        assert!(steps < 2 * ASK_EVERY as usize, "{steps}");
        assert!(budget.spent());
        assert_eq!(asked.get(), 2, "asked no more once it was over");
    }
}
