//! Numbered migrations, one text for both databases, applied in order at opening; never edited once released.
//!
//! A line that starts with `--pg ` is for PostgreSQL only, `--sqlite ` for SQLite only. On SQLite `BIGINT PRIMARY KEY` becomes `INTEGER
//! PRIMARY KEY`, which makes the id the table's own key instead of a second index.

use crate::Sql;
use crate::open::{Backend, Writer};
use crate::turns::Standing;
use kernel::Fault;
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

/// Applies what is missing in one transaction; several processes may start at once.
pub(crate) async fn migrate(writer: &Writer) -> Result<(), Fault> {
    let tx = writer.begin(Standing::single()).await?;
    match apply(&tx, writer.backend()).await {
        Ok(()) => tx.commit(1).await,
        Err(fault) => {
            tx.roll_back(&fault).await;
            Err(fault)
        }
    }
}

async fn apply(tx: &Sql, backend: Backend) -> Result<(), Fault> {
    if backend == Backend::Postgres {
        tx.script("SELECT pg_advisory_xact_lock(4610)").await?;
    }
    tx.script(
        "CREATE TABLE IF NOT EXISTS schema_migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)",
    )
    .await?;
    for migration in MIGRATIONS {
        let checksum = checksum(migration.text);
        let applied: Option<String> = tx
            .scalar("SELECT checksum FROM schema_migration WHERE version = $1", [migration.version.into()])
            .await?;
        match applied {
            Some(applied) if applied == checksum => continue,
            Some(_) => {
                return Err(Fault::broken(format!(
                    "migration {} was changed after it was applied: this database was made by another build",
                    migration.name
                )));
            }
            None => {}
        }
        tx.script(&for_backend(migration.text, backend))
            .await
            .map_err(|f| f.while_doing(format!("migration {}", migration.name)))?;
        tx.exec(
            "INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)",
            [migration.version.into(), migration.name.into(), checksum.into()],
        )
        .await?;
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
