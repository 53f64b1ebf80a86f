//! `fulmar export hledger`: the journal as plain text, in pieces, so that years of it need no memory.

use crate::Failure;
use clap::Subcommand;
use db::Ctx;
use kernel::Timestamp;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// What can be exported.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// The journal, as `hledger check --strict` accepts it
    Hledger {
        /// File to write; without it stdout
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Entries before this day or moment only
        #[arg(long, value_parser = super::moment, value_name = "DAY")]
        until: Option<Timestamp>,
    },
}

/// Runs an export.
///
/// # Errors
/// Faults of the database and of the file.
pub async fn run(ctx: &Ctx, export: &Export) -> Result<(), Failure> {
    let Export::Hledger { out, until } = export;
    let mut pieces = books::hledger::Export::new(ctx.db.clone(), *until);
    let Some(path) = out else {
        while let Some(piece) = pieces.next().await? {
            super::write_out(piece.as_bytes())?;
        }
        return Ok(());
    };
    let file = File::create(path)
        .map_err(|e| Failure::Usage(format!("{} cannot be written: {e}", path.display())))?;
    let mut file = BufWriter::new(file);
    while let Some(piece) = pieces.next().await? {
        file.write_all(piece.as_bytes())?;
    }
    file.flush().map_err(Failure::from)
}
