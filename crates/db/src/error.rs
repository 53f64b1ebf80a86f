//! Reading database errors: what is worth another try, what a constraint said.

use crate::postgres::{Failed, is_outdated};
use kernel::Fault;
use rusqlite::ffi;
use tokio_postgres::error::SqlState;

/// What a constraint refused.
#[derive(PartialEq, Eq)]
enum Refused {
    Unique,
    Check,
    ForeignKey,
    Null,
    /// None did.
    Not,
}

fn on_postgres(fault: &Fault) -> Option<&SqlState> {
    fault.cause::<Failed>()?.0.code()
}

/// SQLite's extended result code.
fn on_sqlite(error: &rusqlite::Error) -> Option<i32> {
    match error {
        rusqlite::Error::SqliteFailure(e, _) | rusqlite::Error::SqlInputError { error: e, .. } => {
            Some(e.extended_code)
        }
        _ => None,
    }
}

fn refused(fault: &Fault) -> Refused {
    if let Some(state) = on_postgres(fault) {
        return match *state {
            SqlState::UNIQUE_VIOLATION => Refused::Unique,
            SqlState::CHECK_VIOLATION => Refused::Check,
            SqlState::FOREIGN_KEY_VIOLATION => Refused::ForeignKey,
            SqlState::NOT_NULL_VIOLATION => Refused::Null,
            _ => Refused::Not,
        };
    }
    match fault.cause().and_then(on_sqlite) {
        Some(
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID,
        ) => Refused::Unique,
        Some(ffi::SQLITE_CONSTRAINT_CHECK) => Refused::Check,
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER) => Refused::ForeignKey,
        Some(ffi::SQLITE_CONSTRAINT_NOTNULL) => Refused::Null,
        _ => Refused::Not,
    }
}

/// Whether a CHECK constraint refused the write: a law held where code did not.
pub fn is_check_violation(fault: &Fault) -> bool {
    refused(fault) == Refused::Check
}

/// Whether a unique constraint refused the write: somebody else was first.
pub fn is_unique_violation(fault: &Fault) -> bool {
    refused(fault) == Refused::Unique
}

/// Whether SQLite itself could not (disk full, I/O, out of memory), rather than a constraint that refused: it may have ended the
/// transaction then.
pub(crate) fn gave_up(fault: &Fault) -> bool {
    fault.cause::<rusqlite::Error>().is_some() && refused(fault) == Refused::Not
}

/// Whether another connection is in the way.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(on_sqlite(error).map(|code| code & 0xff), Some(ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED))
}

/// Whether the same transaction may succeed when run again: busy, deadlock, serialisation, or another writer who was first with a
/// unique key (the second run sees his row and answers accordingly).
pub(crate) fn may_succeed_again(fault: &Fault) -> bool {
    if is_unique_violation(fault) || fault.cause().is_some_and(is_busy) {
        return true;
    }
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE]
        .iter()
        .any(|state| on_postgres(fault) == Some(state))
        || fault.cause::<Failed>().is_some_and(|failed| is_outdated(&failed.0))
}
