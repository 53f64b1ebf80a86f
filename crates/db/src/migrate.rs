//! Numbered migrations, one text for both databases, applied in order at opening; never edited once released.
//!
//! A line that starts with `--pg ` is for PostgreSQL only, `--sqlite ` for SQLite only. On SQLite `BIGINT PRIMARY KEY` becomes `INTEGER
//! PRIMARY KEY`, which makes the id the table's own key instead of a second index.

use crate::open::Backend;
use kernel::Fault;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use sha2::{Digest, Sha256};

struct Migration {
    version: i64,
    name: &'static str,
    text: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),* $(,)?) => {
        const MIGRATIONS: &[Migration] = &[$( Migration { version: $version, name: $name, text: include_str!(concat!("../migrations/", $name, ".sql")) } ),*];
    };
}
migrations! {
    1 "0001_spine",
}

/// Applies what is missing, each migration in its own transaction; several processes may start at once.
#[allow(clippy::disallowed_methods, reason = "the schema is laid before Db exists")]
pub(crate) async fn migrate(conn: &DatabaseConnection, backend: Backend) -> Result<(), Fault> {
    conn.execute_unprepared(
        "CREATE TABLE IF NOT EXISTS schema_migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)",
    )
    .await?;
    for migration in MIGRATIONS {
        let tx = conn.begin().await?;
        if backend == Backend::Postgres {
            tx.execute_unprepared("SELECT pg_advisory_xact_lock(4610)").await?;
        }
        let found = tx
            .query_one_raw(Statement::from_sql_and_values(
                backend.sea(),
                "SELECT checksum FROM schema_migration WHERE version = $1",
                [migration.version.into()],
            ))
            .await?;
        let checksum = checksum(migration.text);
        if let Some(row) = found {
            let applied: String = row.try_get_by_index(0)?;
            if applied != checksum {
                return Err(Fault::broken(format!(
                    "migration {} was changed after it was applied: this database was made by another build",
                    migration.name
                )));
            }
            tx.rollback().await?;
            continue;
        }
        tx.execute_unprepared(&for_backend(migration.text, backend))
            .await
            .map_err(|e| Fault::from(e).while_doing(format!("migration {}", migration.name)))?;
        tx.execute_raw(Statement::from_sql_and_values(
            backend.sea(),
            "INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)",
            [migration.version.into(), migration.name.into(), checksum.into()],
        ))
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

fn for_backend(text: &str, backend: Backend) -> String {
    let (ours, theirs) = match backend {
        Backend::Postgres => ("--pg ", "--sqlite "),
        Backend::Sqlite => ("--sqlite ", "--pg "),
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|l| !l.trim_start().starts_with(theirs))
        .map(|l| l.trim_start().strip_prefix(ours).unwrap_or(l))
        .collect();
    let text = lines.join("\n");
    match backend {
        Backend::Sqlite => {
            text.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY").replace(" COLLATE \"C\"", "")
        }
        Backend::Postgres => text,
    }
}
