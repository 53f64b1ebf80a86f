//! The clock is an input: the system's, or one that tests and simulations move by hand.

use kernel::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Stands until it is moved.
    Manual(Arc<AtomicI64>),
    /// Stands until it is moved, and counts how often somebody looked: every transaction looks once when it begins, so a simulation can
    /// say between which two of them the program dies.
    Counted {
        /// Now, in microseconds since 1970.
        at: Arc<AtomicI64>,
        /// Looks so far.
        looks: Arc<AtomicU64>,
    },
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
            Self::Counted { at, looks } => {
                looks.fetch_add(1, Ordering::Relaxed);
                Timestamp(at.load(Ordering::Relaxed))
            }
        }
    }
    /// Moves a manual clock by `micros`; the system's clock does not move for anyone.
    pub fn advance(&self, micros: i64) {
        if let Self::Manual(at) | Self::Counted { at, .. } = self {
            at.fetch_add(micros, Ordering::Relaxed);
        }
    }
    /// Whether everything that follows from the time is to repeat, down to the ids.
    pub(crate) fn repeats(&self) -> bool {
        matches!(self, Self::Counted { .. })
    }
}

/// The machine's time, also where a manual clock rules (leases must hold in real time).
#[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub(crate) fn system_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
