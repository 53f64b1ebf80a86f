//! The end of a simulation: nothing goes wrong outside any more, and the program gets the time it needs. Invariant: then no job waits or is
//! parked, no answer is unknown, every law holds, and the books say what happened outside.

use crate::Trouble;
use crate::sim::Sim;
use db::laws;
use kernel::Timestamp;

/// Rounds of waiting after which something will never end.
const PATIENCE: usize = 400;
/// What of an operation is not known, but for voids that wait for an authorisation.
const OPEN: &str =
    "SELECT COUNT(*) FROM payment_operation WHERE state IN ('requested', 'unknown', 'requires_action')";

impl Sim {
    /// Comes to rest, and is compared.
    ///
    /// # Errors
    /// What never ends, and the first disagreement.
    pub(crate) async fn rest(&mut self) -> Result<(), Trouble> {
        self.now += 1;
        self.world.look().calm_down();
        for round in 0.. {
            let came = self.messages(self.now as u64).await?;
            let done = self.work(u64::MAX, u64::MAX).await?;
            if came + done > 0 {
                continue;
            }
            let text = "SELECT MIN(CASE WHEN locked_until > run_at THEN locked_until ELSE run_at END) FROM job WHERE parked = FALSE";
            let next: Option<Option<i64>> = self.db.read().scalar(text, []).await?;
            let open: i64 = self.db.read().scalar(OPEN, []).await?.unwrap_or(0);
            match next.flatten() {
                None if open == 0 => break,
                _ if round > PATIENCE => {
                    let says = format!("{open} answers are still unknown after {round} rounds");
                    return Err(Trouble::new("rest.ends", says));
                }
                // Nobody asks: the timer does, when an operation is forgotten.
                None => self.clock.advance(11 * Timestamp::MINUTE),
                Some(at) => self.clock.advance((at - self.at().0).max(0) + Timestamp::SECOND),
            }
        }
        self.no_job_is_parked().await?;
        self.audit_at_rest().await?;
        self.laws_hold().await
    }
    async fn no_job_is_parked(&self) -> Result<(), Trouble> {
        let text =
            "SELECT name || ': ' || COALESCE(error, '') FROM job WHERE parked = TRUE ORDER BY id LIMIT 1";
        match self.db.read().scalar::<String>(text, []).await? {
            None => Ok(()),
            Some(job) => Err(Trouble::new("jobs.end", format!("given up: {job}"))),
        }
    }
    /// Every law of the program holds.
    ///
    /// # Errors
    /// The first that does not.
    pub(crate) async fn laws_hold(&self) -> Result<(), Trouble> {
        for law in (self.program.laws)() {
            if let Some(offence) = laws::check(self.db.read(), &law).await?.into_iter().next() {
                return Err(Trouble::new(law.name, format!("{}: {}", offence.subject, offence.detail)));
            }
        }
        Ok(())
    }
}
