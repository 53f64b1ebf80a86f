//! Who goes next where few may go at a time: SQLite's one writer, and the few transactions that PostgreSQL is given at once.
//!
//! Whoever has the most commands behind it goes first. A transaction costs nearly the same for one command as for many, and callers who
//! are answered together come back together: so those who take one step after the other (pick, pack, ship) gather into few large
//! batches, where in the order of arrival they would stay spread over all steps, with a transaction for every few of them.
//!
//! Invariants: nobody is passed more than [`PATIENCE`] times by those who came later; a turn that is not taken goes to the next.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How often those who came later may go first.
const PATIENCE: u32 = 8;

/// How somebody stands in the queue.
pub(crate) enum Standing {
    /// With so many commands, asked for when somebody may go.
    With(Box<dyn Fn() -> usize + Send>),
    /// Goes when everyone who came before has gone, and then before all others.
    Last,
}
impl Standing {
    /// Somebody with a single command.
    pub(crate) fn single() -> Self {
        Self::With(Box::new(|| 1))
    }
}

/// The queue, and how many more may go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Mutex<Queue>>);

struct Queue {
    free: usize,
    waiting: VecDeque<Waiter>,
}
struct Waiter {
    standing: Standing,
    passed: u32,
    go: oneshot::Sender<Held>,
}

/// A turn; dropped, it goes to the next.
pub(crate) struct Held {
    /// Nothing once it was given back.
    turns: Option<Turns>,
}

impl Turns {
    /// As many as `free` may go at a time.
    pub(crate) fn new(free: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { free, waiting: VecDeque::new() })))
    }
    /// Takes a place in the queue, now and not when the answer is first looked at.
    pub(crate) fn ask(&self, standing: Standing) -> oneshot::Receiver<Held> {
        let (go, turn) = oneshot::channel();
        self.queue().waiting.push_back(Waiter { standing, passed: 0, go });
        self.call();
        turn
    }
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Calls those who may go.
    fn call(&self) {
        loop {
            let next = match &mut *self.queue() {
                Queue { free: 0, .. } => return,
                queue => match queue.next() {
                    None => return,
                    Some(next) => {
                        queue.free -= 1;
                        next
                    }
                },
            };
            if let Err(mut held) = next.go.send(Held { turns: Some(self.clone()) }) {
                // Who has gone away does not keep the others.
                held.turns = None;
                self.queue().free += 1;
            }
        }
    }
}

impl Queue {
    fn next(&mut self) -> Option<Waiter> {
        let n = next(&self.waiting)?;
        for passed in self.waiting.iter_mut().take(n) {
            passed.passed += 1;
        }
        self.waiting.remove(n)
    }
}

/// Whose turn it is.
fn next(waiting: &VecDeque<Waiter>) -> Option<usize> {
    if matches!(waiting.front()?.standing, Standing::Last) {
        return Some(0);
    }
    let mut best: Option<(usize, usize)> = None;
    for (n, waiter) in waiting.iter().enumerate() {
        let Standing::With(commands) = &waiter.standing else { continue };
        if waiter.passed >= PATIENCE {
            return Some(n);
        }
        let commands = commands();
        if best.is_none_or(|(_, most)| commands > most) {
            best = Some((n, commands));
        }
    }
    best.map(|(n, _)| n)
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.queue().free += 1;
            turns.call();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs a queue of one: who asks with how many commands (none: stands last), who goes away, whose turn ends; the order in which they went.
    fn order(asks: &[Option<usize>], away: &[usize]) -> Vec<usize> {
        let turns = Turns::new(1);
        let busy = turns.ask(Standing::single()).try_recv();
        let mut waiting: Vec<_> = (0..)
            .zip(asks)
            .map(|(n, ask)| {
                (n, turns.ask(ask.map_or(Standing::Last, |c| Standing::With(Box::new(move || c)))))
            })
            .filter(|(n, _)| !away.contains(n))
            .collect();
        drop(busy);
        let mut gone = Vec::new();
        while let Some((at, held)) =
            waiting.iter_mut().enumerate().find_map(|(at, (_, turn))| Some((at, turn.try_recv().ok()?)))
        {
            gone.push(waiting.remove(at).0);
            drop(held);
        }
        assert!(waiting.is_empty(), "{} were never called", waiting.len());
        gone
    }

    #[test]
    fn who_has_most_behind_it_goes_first() {
        for (asks, away, went) in [
            (vec![Some(1), Some(1), Some(1)], vec![], vec![0, 1, 2]),
            (vec![Some(1), Some(9), Some(3)], vec![], vec![1, 2, 0]),
            (vec![Some(1), Some(9), Some(3)], vec![1], vec![2, 0]),
            // The last waits for those before it, and no longer.
            (vec![Some(2), None, Some(9), Some(9)], vec![], vec![2, 3, 0, 1]),
            (vec![None, Some(1), None, Some(9)], vec![], vec![0, 3, 1, 2]),
            (vec![Some(1), None, Some(9)], vec![0, 1], vec![2]),
        ] {
            assert_eq!(order(&asks, &away), went, "{asks:?} without {away:?}");
        }
    }

    #[test]
    fn as_many_go_as_may() {
        let turns = Turns::new(2);
        let mut all: Vec<_> = (0..3).map(|_| turns.ask(Standing::single())).collect();
        let first = all[0].try_recv().expect("free");
        let second = all[1].try_recv().expect("free");
        assert!(all[2].try_recv().is_err());
        drop((first, second));
        all[2].try_recv().expect("given back");
    }

    proptest! {
        /// Everyone who stays has a turn, and those who came later go first only so often.
        #[test]
        fn nobody_waits_for_ever(
            asks in prop::collection::vec(prop::option::weighted(0.8, 1usize..5), 1..60),
            away in prop::collection::vec(0usize..60, 0..10),
        ) {
            let went = order(&asks, &away);
            for (at, n) in went.iter().enumerate() {
                let later = went[..at].iter().filter(|other| *other > n).count();
                if asks[*n].is_some() {
                    // Those before it that have been passed as often go before it as well.
                    let before = asks[..*n].len();
                    prop_assert!(later <= PATIENCE as usize + before, "{n} was passed {later} times: {went:?}");
                } else {
                    prop_assert!(went[..at].iter().filter(|other| *other < n).count() == (0..*n).filter(|o| !away.contains(o)).count());
                }
            }
        }
    }
}
