//! The command line. Invariant: what prints a result prints it for machines with `--json`.

use crate::cmd;
use crate::config::settings_help;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Fulmar runs the whole life of an e-commerce order.
#[derive(Debug, Parser)]
#[command(name = "fulmar", version, about, after_long_help = settings_help(), disable_help_subcommand = true)]
pub struct Cli {
    /// Configuration file; without it fulmar.toml in the working directory, when there is one
    #[arg(long, global = true, env = "FULMAR_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API and the pages, and run background jobs
    Serve(cmd::serve::Args),
    /// Run background jobs only, beside a `fulmar serve` on the same PostgreSQL
    Work,
    /// Measure how fast it is, beside a floor of bare SQL measured in the same run
    Bench(cmd::bench::Args),
    /// Try a decision of the planner on a file: what goes into which carton, who drives where, …
    Plan(cmd::plan::Args),
    /// Bring the database's schema up to date
    Migrate,
    /// Re-derive every counter, status, balance and total; exits 1 when one disagrees
    Verify,
    /// Write the whole database to one file, also while it is in use
    Backup(cmd::backup::Args),
    /// Fill an empty database from a backup, also one of the other kind of database
    Restore(cmd::backup::Args),
    /// Bring in history, or the orders of another system, through the real commands
    #[command(subcommand)]
    Import(cmd::import::Import),
    /// Write the books for other programs
    #[command(subcommand)]
    Export(cmd::export::Export),
    /// Print a report
    #[command(subcommand)]
    Report(cmd::report::Report),
    /// People who sign in
    #[command(subcommand)]
    User(cmd::user::User),
    /// API keys
    #[command(subcommand)]
    Key(cmd::key::Keys),
    /// Make the world fail around this program and prove that nothing was lost; exits 1 when something was
    #[command(subcommand)]
    Torture(cmd::torture::Torture),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the OpenAPI document
    Openapi,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_lists_every_setting() {
        let help = Cli::command().render_long_help().to_string();
        for setting in crate::config::SETTINGS {
            assert!(help.contains(setting.key), "{} is missing in --help", setting.key);
        }
    }
}
