//! Reading database errors: what is worth another try, what a constraint said.

use kernel::Fault;
use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::ErrorKind;

fn database_error(fault: &Fault) -> Option<&dyn sqlx::error::DatabaseError> {
    match fault.cause::<DbErr>()? {
        DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e))
        | DbErr::Conn(RuntimeErr::SqlxError(e)) => e.as_database_error(),
        _ => None,
    }
}

/// Whether a CHECK constraint refused the write: a law held where code did not.
pub fn is_check_violation(fault: &Fault) -> bool {
    database_error(fault).is_some_and(|e| e.kind() == ErrorKind::CheckViolation)
}

/// Whether a unique constraint refused the write: somebody else was first.
pub fn is_unique_violation(fault: &Fault) -> bool {
    database_error(fault).is_some_and(|e| e.kind() == ErrorKind::UniqueViolation)
}

/// Whether the database itself could not (disk full, I/O, out of memory), rather than a constraint that refused: SQLite may have ended
/// the transaction then.
pub(crate) fn gave_up(fault: &Fault) -> bool {
    matches!(fault.cause::<DbErr>(), Some(DbErr::Exec(_) | DbErr::Query(_) | DbErr::Conn(_)))
        && database_error(fault).is_none_or(|e| matches!(e.kind(), ErrorKind::Other))
}

/// Whether the same transaction may succeed when run again: busy, deadlock, serialisation, or another writer who was first with a
/// unique key (the second run sees his row and answers accordingly).
pub(crate) fn may_succeed_again(fault: &Fault) -> bool {
    let Some(error) = database_error(fault) else { return false };
    if error.kind() == ErrorKind::UniqueViolation {
        return true;
    }
    // PostgreSQL: serialization_failure, deadlock_detected, lock_not_available. SQLite: BUSY and its extended codes, LOCKED.
    error.code().is_some_and(|code| {
        matches!(code.as_ref(), "40001" | "40P01" | "55P03" | "5" | "6" | "261" | "262" | "517" | "773")
    })
}
