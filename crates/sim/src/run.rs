//! Runs the steps of one world, or many worlds of one seed. Invariant: a world has a database, a clock and a runtime of its own, so the
//! same seed and steps end the same way, however many worlds run beside it.

use crate::Trouble;
use crate::sim::{Answers, Program, Sim};
use crate::step::Step;
use crate::{Broken, merchant};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Steps after which the floor is compared place by place.
const CHECKPOINT: usize = 50;

/// A step with its number in the trace of the seed, by which things go wrong in it, whatever was left out before.
pub type Turn = (usize, Step);

/// What became of a world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// Steps.
    pub steps: usize,
    /// Orders that were taken.
    pub placed: usize,
    /// Orders that were refused.
    pub refused: usize,
    /// Hash of all that was asked and answered.
    pub trace: u64,
    /// Items of each kind of step that were taken, and that were refused.
    pub answers: Answers,
}

/// A world: its seed, its steps, and what is planted in it.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The program.
    pub program: Program,
    /// Decides what goes wrong outside.
    pub seed: u64,
    /// What happens.
    pub steps: &'a [Turn],
    /// What a test planted.
    #[cfg(test)]
    pub plant: Option<crate::sim::Plant>,
}

impl World<'_> {
    /// Runs it, from an empty database until it has come to rest.
    ///
    /// # Errors
    /// Where it broke.
    pub fn run(&self) -> Result<Ran, Broken> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Broken { at: 0, trouble: Trouble::odd(e.to_string()) })?;
        let mut at = 0;
        let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(self.go(&mut at))));
        match ended {
            Ok(Ok(ran)) => Ok(ran),
            Ok(Err(trouble)) => Err(Broken { at, trouble }),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|t| (*t).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                Err(Broken { at, trouble: Trouble::new("panic", text) })
            }
        }
    }
    async fn go(&self, at: &mut usize) -> Result<Ran, Trouble> {
        let mut sim = Sim::open(self.program, self.seed).await?;
        #[cfg(test)]
        self.plant_in(&mut sim);
        for (n, (turn, step)) in self.steps.iter().enumerate() {
            *at = n;
            sim.step(*turn, step).await?;
            #[cfg(test)]
            sim.plant_after().await?;
            sim.audit().await?;
            if n % CHECKPOINT == CHECKPOINT - 1 {
                sim.floor_agrees().await?;
            }
        }
        *at = self.steps.len();
        sim.rest().await?;
        Ok(Ran {
            steps: self.steps.len(),
            placed: sim.model.orders.len(),
            refused: sim.model.refused.len(),
            trace: sim.trace.0,
            answers: sim.answers,
        })
    }
    #[cfg(test)]
    fn plant_in(&self, sim: &mut Sim) {
        sim.plant = self.plant;
        if self.plant == Some(crate::sim::Plant::FreshKey) {
            sim.world.look().plant_fresh_keys();
        }
    }
}

/// The steps of a seed.
pub fn steps(seed: u64, orders: usize) -> Vec<Turn> {
    merchant::steps(seed, orders).into_iter().enumerate().collect()
}
