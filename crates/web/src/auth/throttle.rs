//! Slows guessing of passwords down: few attempts a minute for one login, some more for one address (an office shares one).
//! In the memory of this process: it forgets on restart, and every process counts for itself.

use kernel::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Failures of one login in a minute.
const PER_LOGIN: usize = 5;
/// Failures from one address in a minute.
const PER_ADDRESS: usize = 20;
/// Keys after which those without recent attempts are dropped.
const TIDY_AT: usize = 10_000;

/// Attempts of the last minute by login and by address.
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
        let recent = |at: &Timestamp| at.plus(Timestamp::MINUTE) > now;
        if seen.len() > TIDY_AT {
            seen.retain(|_, attempts| attempts.iter().any(recent));
        }
        let keys = [
            ((Kind::Login, login.to_owned()), PER_LOGIN),
            ((Kind::Address, address.to_owned()), PER_ADDRESS),
        ];
        for (key, most) in &keys {
            let Some(attempts) = seen.get_mut(key) else { continue };
            attempts.retain(recent);
            if attempts.len() >= *most {
                let free = attempts.first().map_or(now, |first| first.plus(Timestamp::MINUTE));
                return Err(((free.0 - now.0) / Timestamp::SECOND).max(1));
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
    fn an_address_has_more_attempts_and_success_does_not_count() {
        let throttle = Throttle::default();
        for n in 0..100 {
            assert_eq!(throttle.attempt(&format!("u{n}@b.co"), "10.0.0.1", Timestamp(0)), Ok(()));
            throttle.succeeded(&format!("u{n}@b.co"), "10.0.0.1");
        }
        let failed = (0..100)
            .filter(|n| throttle.attempt(&format!("u{n}@b.co"), "10.0.0.1", Timestamp(0)).is_ok())
            .count();
        assert_eq!(failed, PER_ADDRESS);
    }
}
