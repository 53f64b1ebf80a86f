//! Reading database errors: what is worth another try, what a constraint said.

use kernel::Fault;
use rusqlite::ffi;
use sqlx::error::ErrorKind;

fn on_postgres(fault: &Fault) -> Option<&dyn sqlx::error::DatabaseError> {
    fault.cause::<sqlx::Error>()?.as_database_error()
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

fn kind(fault: &Fault) -> ErrorKind {
    if let Some(error) = on_postgres(fault) {
        return error.kind();
    }
    match fault.cause().and_then(on_sqlite) {
        Some(
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID,
        ) => ErrorKind::UniqueViolation,
        Some(ffi::SQLITE_CONSTRAINT_CHECK) => ErrorKind::CheckViolation,
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER) => {
            ErrorKind::ForeignKeyViolation
        }
        Some(ffi::SQLITE_CONSTRAINT_NOTNULL) => ErrorKind::NotNullViolation,
        _ => ErrorKind::Other,
    }
}

/// Whether a CHECK constraint refused the write: a law held where code did not.
pub fn is_check_violation(fault: &Fault) -> bool {
    matches!(kind(fault), ErrorKind::CheckViolation)
}

/// Whether a unique constraint refused the write: somebody else was first.
pub fn is_unique_violation(fault: &Fault) -> bool {
    matches!(kind(fault), ErrorKind::UniqueViolation)
}

/// Whether SQLite itself could not (disk full, I/O, out of memory), rather than a constraint that refused: it may have ended the
/// transaction then.
pub(crate) fn gave_up(fault: &Fault) -> bool {
    fault.cause::<rusqlite::Error>().is_some() && matches!(kind(fault), ErrorKind::Other)
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
    // serialization_failure, deadlock_detected, lock_not_available
    let code = on_postgres(fault).and_then(|e| e.code());
    code.is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01" | "55P03"))
}
