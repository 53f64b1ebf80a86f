//! The clock is an input: the system's, or one that tests and simulations move by hand.

use kernel::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Stands until it is moved.
    Manual(Arc<AtomicI64>),
    /// Stands until it is moved, and decides when the program dies: for simulations, in which everything repeats down to the ids.
    Simulated {
        /// Now, in microseconds since 1970.
        at: Arc<AtomicI64>,
        /// How long the program lives.
        life: Arc<Life>,
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
            Self::Manual(at) | Self::Simulated { at, .. } => Timestamp(at.load(Ordering::Relaxed)),
        }
    }
    /// Moves a manual clock by `micros`; the system's clock does not move for anyone.
    pub fn advance(&self, micros: i64) {
        if let Self::Manual(at) | Self::Simulated { at, .. } = self {
            at.fetch_add(micros, Ordering::Relaxed);
        }
    }
    /// Goes on when a transaction may begin; a simulated program that is dead never does.
    pub(crate) async fn alive(&self) {
        if let Self::Simulated { life, .. } = self
            && !life.spend()
        {
            std::future::pending::<()>().await;
        }
    }
    /// Whether everything that follows from the time is to repeat, down to the ids.
    pub(crate) fn repeats(&self) -> bool {
        matches!(self, Self::Simulated { .. })
    }
}

/// How many transactions a simulated program begins before it dies. Dying between two transactions is all there is: one that had begun
/// is rolled back, as if it had not.
#[derive(Debug)]
pub struct Life {
    left: AtomicU64,
    over: AtomicBool,
}

impl Default for Life {
    fn default() -> Self {
        Self { left: AtomicU64::new(u64::MAX), over: AtomicBool::new(false) }
    }
}

impl Life {
    /// A new life of so many transactions.
    pub fn begin(&self, transactions: u64) {
        self.left.store(transactions, Ordering::Relaxed);
        self.over.store(false, Ordering::Relaxed);
    }
    /// Whether it is over: who wanted to begin a transaction waits for ever.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
    fn spend(&self) -> bool {
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        self.over.store(spent.is_err(), Ordering::Relaxed);
        spent.is_ok()
    }
}

/// The machine's time, also where a manual clock rules (leases must hold in real time).
#[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub(crate) fn system_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
