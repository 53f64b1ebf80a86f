//! The `fulmar` binary: reads the command line, runs the command, and ends with a documented exit code.

use clap::Parser;
use fulmar::Failure;
use fulmar::cli::Cli;
use std::process::ExitCode;

/// Also for SQLite: a transaction makes and drops many small things, and the system's allocator spent a sixth of the time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fulmar::outside::install_tls();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(&Failure::from(error)),
    };
    match runtime.block_on(fulmar::cmd::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(&failure),
    }
}

fn end(failure: &Failure) -> ExitCode {
    eprintln!("fulmar: {failure}");
    failure.exit_code()
}
