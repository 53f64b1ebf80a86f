//! `fulmar migrate`. Opening the database is what lays the schema; this command says so.

use super::Out;
use crate::Failure;
use crate::config::Config;
use db::Ctx;
use serde::Serialize;

#[derive(Serialize)]
struct Migrated {
    database: String,
}

/// Reports that the schema is the one of this program.
///
/// # Errors
/// A fault when the result cannot be printed.
pub fn run(_: &Ctx, config: &Config, out: Out) -> Result<(), Failure> {
    let done = Migrated { database: config.database_shown() };
    out.result(&done, || format!("The schema of {} is up to date.", done.database))
}
