//! Figures of one decision, without building the whole program:
//! `cargo run --release -p planning --example figures -- DECISION [DATA] [SECONDS] [--json]`; the decision may be `all`.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let json = words.iter().any(|w| w == "--json");
    words.retain(|w| w != "--json");
    let name = words.first().map(String::as_str).filter(|n| *n != "all");
    let data = words.get(1).map(PathBuf::from).or_else(|| std::env::var_os("FULMAR_DATA").map(PathBuf::from));
    let seconds = words.get(2).and_then(|s| s.parse().ok());
    let done = planning::cli::bench(
        name,
        data.as_deref(),
        json,
        seconds,
        &mut std::io::stdout(),
        &mut std::io::stderr(),
    );
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
