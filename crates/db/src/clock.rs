//! The clock is an input: the system's, or one that tests and simulations move by hand.

use kernel::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Stands until it is moved.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at`.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.0)))
    }
    /// Now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Manual(at) => Timestamp(at.load(Ordering::Relaxed)),
        }
    }
    /// Moves a manual clock by `micros`; the system's clock does not move for anyone.
    pub fn advance(&self, micros: i64) {
        if let Self::Manual(at) = self {
            at.fetch_add(micros, Ordering::Relaxed);
        }
    }
}

/// The machine's time, also where a manual clock rules (leases must hold in real time).
#[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub(crate) fn system_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
