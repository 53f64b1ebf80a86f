//! Faults: the machine could not. A source and the place it surfaced at, logged once at the edge, never shown to a caller.

use std::error::Error;
use std::fmt;
use std::panic::Location;

/// A failure that is nobody's decision: the database, the disk, a broken invariant.
pub struct Fault {
    context: Option<String>,
    source: Box<dyn Error + Send + Sync>,
    location: &'static Location<'static>,
}

impl Fault {
    /// A fault of our own: something that must hold does not.
    #[track_caller]
    pub fn broken(what: impl Into<String>) -> Self {
        Self { context: None, source: what.into().into(), location: Location::caller() }
    }
    /// Adds what was being done.
    #[must_use]
    pub fn while_doing(mut self, what: impl Into<String>) -> Self {
        let what = what.into();
        self.context = Some(match self.context {
            Some(inner) => format!("{what}: {inner}"),
            None => what,
        });
        self
    }
    /// The cause as its own type, for the one place that decides about retries.
    pub fn cause<E: Error + 'static>(&self) -> Option<&E> {
        self.source.downcast_ref()
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Fault {
    #[track_caller]
    fn from(source: E) -> Self {
        Self { context: None, source: Box::new(source), location: Location::caller() }
    }
}
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(context) = &self.context {
            write!(f, "{context}: ")?;
        }
        write!(f, "{}", self.source)?;
        let mut cause = self.source.source();
        while let Some(inner) = cause {
            write!(f, ": {inner}")?;
            cause = inner.source();
        }
        write!(f, " (at {}:{})", self.location.file(), self.location.line())
    }
}
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
