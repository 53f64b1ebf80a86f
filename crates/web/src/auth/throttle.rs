//! Slows guessing down: few attempts a minute and an hour for one login (an address, a second factor), some more from one address (an
//! office shares one). In the memory of this process: it forgets on restart, and every process counts for itself.

use kernel::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Failures of one login, each in a span.
const PER_LOGIN: &[(usize, i64)] = &[(5, Timestamp::MINUTE), (20, Timestamp::HOUR)];
/// Failures from one address, each in a span.
const PER_ADDRESS: &[(usize, i64)] = &[(20, Timestamp::MINUTE), (200, Timestamp::HOUR)];
/// The longest span.
const REMEMBERED: i64 = Timestamp::HOUR;
/// Keys after which those without recent attempts are dropped.
const TIDY_AT: usize = 10_000;

/// Attempts of the last hour by login and by address.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<(Kind, String), Vec<Timestamp>>>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Login,
    Address,
}

impl Throttle {
    /// Counts an attempt as failed until it [succeeded](Self::succeeded), so that many at once do not slip through.
    ///
    /// # Errors
    /// The seconds to wait when there were too many.
    pub(crate) fn attempt(&self, login: &str, address: &str, now: Timestamp) -> Result<(), i64> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Timestamp| at.plus(REMEMBERED) > now;
        if seen.len() > TIDY_AT {
            seen.retain(|_, attempts| attempts.iter().any(recent));
        }
        let keys = [
            ((Kind::Login, login.to_owned()), PER_LOGIN),
            ((Kind::Address, address.to_owned()), PER_ADDRESS),
        ];
        for (key, limits) in &keys {
            let Some(attempts) = seen.get_mut(key) else { continue };
            attempts.retain(recent);
            if let Some(free) = limits.iter().filter_map(|limit| free_at(attempts, *limit, now)).max() {
                return Err(((free.0 - now.0 + Timestamp::SECOND - 1) / Timestamp::SECOND).max(1));
            }
        }
        for (key, _) in keys {
            seen.entry(key).or_default().push(now);
        }
        Ok(())
    }
    /// Takes back what [`attempt`](Self::attempt) counted: the password was right.
    pub(crate) fn succeeded(&self, login: &str, address: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(&(Kind::Login, login.to_owned()));
        if let Some(attempts) = seen.get_mut(&(Kind::Address, address.to_owned())) {
            attempts.pop();
        }
    }
}

/// When there may be another attempt, if not now.
fn free_at(attempts: &[Timestamp], (most, span): (usize, i64), now: Timestamp) -> Option<Timestamp> {
    let oldest = attempts.len().checked_sub(most).and_then(|n| attempts.get(n))?;
    Some(oldest.plus(span)).filter(|free| *free > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_of_a_login_then_a_minute_of_rest() {
        let throttle = Throttle::default();
        let at = |seconds: i64| Timestamp(seconds * Timestamp::SECOND);
        for n in 0..5 {
            assert_eq!(throttle.attempt("a@b.co", &format!("10.0.0.{n}"), at(n)), Ok(()));
        }
        assert_eq!(throttle.attempt("a@b.co", "10.0.0.9", at(10)), Err(50));
        assert_eq!(throttle.attempt("other@b.co", "10.0.0.9", at(10)), Ok(()));
        assert_eq!(throttle.attempt("a@b.co", "10.0.0.9", at(60)), Ok(()));
    }

    #[test]
    fn who_waits_every_minute_has_twenty_attempts_in_an_hour() {
        let throttle = Throttle::default();
        let tried =
            |minute: i64| throttle.attempt("a@b.co", "10.0.0.1", Timestamp(minute * Timestamp::MINUTE));
        let taken = (0..60).filter(|minute| tried(*minute).is_ok()).count();
        assert_eq!(taken, PER_LOGIN[1].0);
        assert_eq!(tried(60), Ok(()), "the first is an hour ago");
    }

    #[test]
    fn an_address_has_more_attempts_and_success_does_not_count() {
        let throttle = Throttle::default();
        for n in 0..100 {
            assert_eq!(throttle.attempt(&format!("u{n}@b.co"), "10.0.0.1", Timestamp(0)), Ok(()));
            throttle.succeeded(&format!("u{n}@b.co"), "10.0.0.1");
        }
        let failed = (0..100)
            .filter(|n| throttle.attempt(&format!("u{n}@b.co"), "10.0.0.1", Timestamp(0)).is_ok())
            .count();
        assert_eq!(failed, PER_ADDRESS[0].0);
    }
}
