//! `fulmar backup FILE` and `fulmar restore FILE`. Invariant: FILE is either a whole backup or not there; a backup that broke off is
//! left as `FILE.part`.

use super::Out;
use crate::Failure;
use db::Ctx;
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;

/// Arguments of both.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file
    pub file: PathBuf,
}

#[derive(Serialize)]
struct Copied {
    file: PathBuf,
    tables: u64,
    rows: u64,
}

/// Writes the database to a file.
///
/// # Errors
/// Faults of the database and of the file.
pub async fn backup(ctx: &Ctx, args: &Args, out: Out) -> Result<(), Failure> {
    let mut part = args.file.clone().into_os_string();
    part.push(".part");
    let file = File::create(&part)
        .map_err(|e| Failure::Usage(format!("{} cannot be written: {e}", args.file.display())))?;
    let summary = db::backup::backup(&ctx.db, BufWriter::new(&file)).await?;
    file.sync_all()?;
    std::fs::rename(&part, &args.file)?;
    let done = Copied { file: args.file.clone(), tables: summary.tables as u64, rows: summary.rows as u64 };
    out.result(&done, || {
        format!("{} rows of {} tables are in {}.", done.rows, done.tables, done.file.display())
    })
}

/// Fills the database from a file.
///
/// # Errors
/// Faults of the database and of the file.
pub async fn restore(ctx: &Ctx, args: &Args, out: Out) -> Result<(), Failure> {
    let file = File::open(&args.file)
        .map_err(|e| Failure::Usage(format!("{} cannot be read: {e}", args.file.display())))?;
    let summary = db::backup::restore(&ctx.db, BufReader::new(file)).await?;
    let done = Copied { file: args.file.clone(), tables: summary.tables as u64, rows: summary.rows as u64 };
    out.result(&done, || {
        format!(
            "{} rows of {} tables came from {}. Check them with `fulmar verify`.",
            done.rows,
            done.tables,
            done.file.display()
        )
    })
}
