//! Deterministic simulation: the real program on SQLite in memory, with a seeded clock, seeded ids and an outside world that loses,
//! doubles, delays and garbles; random merchants doing legal and illegal things; and an auditor with a model of his own who compares after
//! every step. `fulmar torture sim` runs it.
//!
//! Invariants: a seed decides everything, so what broke once breaks again; the auditor's model is fed by what was asked, what was answered
//! and what the outside world did, never by the program's tables.
//!
//! Reading order: [`step`] (what can happen) · [`merchant`] (seed → steps) · [`outside`] (the world) · [`sim`] and `drive` (doing a step) ·
//! [`model`] and [`auditor`] · [`run`], [`shrink`].

mod auditor;
mod dice;
mod drive;
mod gateway;
mod merchant;
mod model;
mod outside;
mod rest;
mod run;
mod shop;
mod shrink;
mod sim;
mod simpler;
mod step;
#[cfg(test)]
mod tests;

pub use run::{Ran, Turn, World, steps};
pub use sim::{Answers, Program};

use kernel::Fault;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Runs that shrinking a trace may take.
const ATTEMPTS: usize = 600;

/// Something that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which law it breaks.
    pub law: String,
    /// How.
    pub says: String,
}
impl Trouble {
    /// A broken law.
    pub fn new(law: impl Into<String>, says: impl Into<String>) -> Self {
        Self { law: law.into(), says: says.into() }
    }
    /// An answer that makes no sense.
    pub fn odd(says: impl Into<String>) -> Self {
        Self::new("answers.make_sense", says)
    }
}
impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::new("no_fault", fault.to_string())
    }
}

/// Where a world broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// At which step; their number when it broke at rest.
    pub at: usize,
    /// What broke.
    pub trouble: Trouble,
}

/// What is to be simulated.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The seed of the first world; the others have the next ones.
    pub seed: u64,
    /// Orders in all.
    pub orders: usize,
    /// Orders of a world at most.
    pub per_world: usize,
    /// Worlds at the same time.
    pub at_once: usize,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// Worlds that ended well.
    pub worlds: usize,
    /// Orders that somebody wanted.
    pub orders: usize,
    /// Of these, taken.
    pub placed: usize,
    /// And refused.
    pub refused: usize,
    /// Steps.
    pub steps: usize,
}

/// A world that broke.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// Its orders.
    pub orders: usize,
    /// The law that it broke.
    pub law: String,
    /// How.
    pub says: String,
    /// The shortest trace found, one step a line, with its number in the whole.
    pub trace: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// What was done.
    pub done: Progress,
    /// Hash of everything that was asked and answered, in hexadecimal: the same for the same seed and orders.
    pub trace: String,
    /// Items of each kind of step that were taken, and that were refused.
    pub answers: sim::Answers,
    /// The first world that broke.
    pub failure: Option<Failure>,
}

/// The seeds of the worlds of a plan, with their orders.
fn worlds(plan: &Plan) -> Vec<(u64, usize)> {
    let size = plan.per_world.max(1);
    (0..plan.orders.div_ceil(size))
        .map(|n| (plan.seed.wrapping_add(n as u64), size.min(plan.orders - n * size)))
        .collect()
}

/// Runs all worlds of a plan, some at the same time; stops at the first that breaks. Told of each that ends well.
pub fn run(program: Program, plan: &Plan, tell: &mut dyn FnMut(Progress)) -> Summary {
    let worlds = worlds(plan);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (said, heard) = mpsc::channel::<(usize, Result<Ran, Broken>)>();
    let mut done = Progress::default();
    let mut traces = vec![0; worlds.len()];
    let mut answers = sim::Answers::new();
    let mut broken: Option<(usize, Broken)> = None;
    std::thread::scope(|scope| {
        for _ in 0..plan.at_once.clamp(1, worlds.len().max(1)) {
            let (said, worlds, next, stop) = (said.clone(), &worlds, &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some((seed, orders)) = worlds.get(n).copied() else { return };
                    let steps = steps(seed, orders);
                    if said.send((n, world(program, seed, &steps).run())).is_err() {
                        return;
                    }
                }
            });
        }
        drop(said);
        for (n, ended) in heard {
            match ended {
                Ok(ran) => {
                    traces[n] = ran.trace;
                    done.worlds += 1;
                    done.orders += worlds[n].1;
                    done.placed += ran.placed;
                    done.refused += ran.refused;
                    done.steps += ran.steps;
                    for (step, (taken, refused)) in ran.answers {
                        let sum = answers.entry(step).or_default();
                        (sum.0, sum.1) = (sum.0 + taken, sum.1 + refused);
                    }
                    tell(done);
                }
                Err(trouble) => {
                    stop.store(true, Ordering::Relaxed);
                    if broken.as_ref().is_none_or(|(first, _)| n < *first) {
                        broken = Some((n, trouble));
                    }
                }
            }
        }
    });
    let mut trace = dice::Trace::default();
    for one in traces {
        let _ = write!(trace, "{one:016x}");
    }
    let failure = broken.map(|(n, broken)| failure(program, worlds[n], &broken));
    Summary { done, trace: format!("{:016x}", trace.0), answers, failure }
}

fn world(program: Program, seed: u64, steps: &[run::Turn]) -> World<'_> {
    World {
        program,
        seed,
        steps,
        #[cfg(test)]
        plant: None,
    }
}

/// A failure with its shortest trace.
fn failure(program: Program, (seed, orders): (u64, usize), broken: &Broken) -> Failure {
    let steps = steps(seed, orders);
    let world = world(program, seed, &steps);
    let short = shrink::shrink(&world, broken.at, &broken.trouble.law, ATTEMPTS);
    let says = match (World { steps: &short, ..world }).run() {
        Err(again) => again.trouble.says,
        Ok(_) => broken.trouble.says.clone(),
    };
    let trace = short.iter().map(|(turn, step)| format!("{turn} {step:?}")).collect();
    Failure { seed, orders, law: broken.trouble.law.clone(), says, trace }
}
