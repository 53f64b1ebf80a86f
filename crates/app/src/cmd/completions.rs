//! `fulmar completions SHELL`.

use crate::Failure;
use crate::cli::Cli;
use clap::CommandFactory;
use clap_complete::Shell;

/// Prints the completions of a shell.
///
/// # Errors
/// A fault when they cannot be written.
pub fn run(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fulmar", &mut text);
    super::write_out(&text)
}
