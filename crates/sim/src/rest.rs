//! The end of a simulation: nothing goes wrong outside any more, and the program gets the time it needs. Invariant: then no job waits or is
//! parked but what never can be done, no answer is unknown, every law holds, and the books say what happened outside.

use crate::Trouble;
use crate::outside::ENDPOINTS;
use crate::sim::Sim;
use crate::step::Hook;
use db::{laws, write};
use kernel::{Actor, Timestamp};

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
        self.now = usize::MAX;
        self.world.look().begin(self.now);
        self.world.look().calm_down();
        self.parked_jobs_again().await?;
        for endpoint in 0..ENDPOINTS {
            self.hear().await?;
            if !self.model.hooks.is_on(endpoint) {
                self.hook(endpoint, Hook::On).await?;
            }
        }
        for round in 0.. {
            let came = self.messages(self.now as u64).await?;
            let done = self.work(u64::MAX, u64::MAX).await?;
            if came + done > 0 {
                continue;
            }
            let next = self.next_work().await?;
            let open: i64 = self.db.read().scalar(OPEN, []).await?.unwrap_or(0);
            // What is tried again and again, is so for days: nobody has to watch each try.
            let least = if round < PATIENCE / 2 { Timestamp::SECOND } else { 2 * Timestamp::HOUR };
            match next {
                None if open == 0 => break,
                _ if round > PATIENCE => {
                    let says = format!("{open} answers are still unknown after {round} rounds");
                    return Err(Trouble::new("rest.ends", says));
                }
                // Nobody asks: the timer does, when an operation is forgotten.
                None => self.clock.advance(11 * Timestamp::MINUTE),
                Some(at) => self.clock.advance((at - self.at().0 + Timestamp::SECOND).max(least)),
            }
        }
        self.no_job_is_parked().await?;
        self.audit_at_rest().await?;
        self.laws_hold().await
    }
    /// When a job or a webhook is due.
    async fn next_work(&self) -> Result<Option<i64>, Trouble> {
        let jobs = "SELECT MIN(CASE WHEN locked_until > run_at THEN locked_until ELSE run_at END) FROM job WHERE parked = FALSE";
        let hooks = "SELECT MIN(d.next_at) FROM webhook_delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id \
                     WHERE d.state = 'waiting' AND w.active = TRUE";
        let jobs: Option<Option<i64>> = self.db.read().scalar(jobs, []).await?;
        let hooks: Option<Option<i64>> = self.db.read().scalar(hooks, []).await?;
        Ok(jobs.flatten().into_iter().chain(hooks.flatten()).min())
    }
    /// Whoever was lost as often as a job is tried had it parked: somebody has to say that it be tried again, and that is enough.
    async fn parked_jobs_again(&self) -> Result<(), Trouble> {
        let text = "SELECT id FROM job WHERE parked = TRUE ORDER BY id";
        let parked: Vec<automation::jobs::JobRef> = self.db.read().column(text, []).await?;
        let actor = Actor::system("sim");
        let moved = write!(self.db, &actor, |tx| {
            automation::jobs::move_jobs(tx, &parked, automation::jobs::Move::Retry).await
        })?;
        for outcome in moved {
            outcome.map_err(|refused| Trouble::new("jobs.end", refused.to_string()))?;
        }
        Ok(())
    }
    async fn no_job_is_parked(&self) -> Result<(), Trouble> {
        // An e-mail whose mailbox stays full is given up, and stands there with the reason.
        let text = "SELECT name || ': ' || COALESCE(error, '') FROM job WHERE parked = TRUE \
                    AND NOT (name = 'automation.send_mail' AND error LIKE '%mailbox full%') ORDER BY id LIMIT 1";
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
