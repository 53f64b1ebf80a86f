//! Repository chores, run as `cargo xtask <chore>`. Invariant: a chore either succeeds completely or exits non-zero with a
//! sentence that says what to do, and leaves no process behind.

mod fuzz;
mod metadata;
mod postgres;
mod run;
mod schemathesis;
mod screenshots;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <chore>

  test [-- ARGS]         everything that has to hold: tools, fmt, clippy, tidy, tests on SQLite and PostgreSQL, doc tests, the API.
                         With ARGS only the tests, ARGS going to the test runner: cargo xtask test -p orders
  test-data [-- ARGS]    the tests on real data, in the folder FULMAR_DATA
  tidy                   the rules that neither rustc nor clippy know
  tools                  check for the programs the tests need; install them with apt when run as root
  postgres               a throw-away PostgreSQL in the foreground, until ctrl-c
  with-postgres CMD…     run CMD with FULMAR_TEST_POSTGRES pointing at a throw-away PostgreSQL
  schemathesis [--examples N] [--seed N] [--only sqlite|postgres]
                         the program against its OpenAPI document
  fuzz [TARGET…] [--seconds N]
                         libFuzzer on what reads bytes from outside (default: all targets, 60 seconds each)
  screenshots [FOLDER]   pictures of all pages of a demo shop (default: target/screenshots), and those of the README
  lighthouse             scores of the main pages; all have to be 95 of 100";

fn main() -> ExitCode {
    if fuzz::is_compiler() {
        // Cargo shows what rustc said.
        return if fuzz::compile().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (chore, rest) = match args.split_first() {
        Some((chore, rest)) => (chore.as_str(), rest),
        None => ("help", &[][..]),
    };
    // `cargo xtask test -p db` and `cargo xtask test -- -p db` are the same wish.
    let rest = match rest.split_first() {
        Some((dashes, after)) if dashes == "--" => after,
        _ => rest,
    };
    let done = match chore {
        "test" => test::test(rest),
        "test-data" => test::test_data(rest),
        "tidy" => tidy::tidy(),
        "tools" => tools::ensure(),
        "postgres" => postgres::foreground(),
        "with-postgres" => postgres::with_postgres(rest),
        "schemathesis" => schemathesis::check(rest),
        "fuzz" => fuzz::fuzz(rest),
        "screenshots" => screenshots::take(rest),
        "lighthouse" => screenshots::lighthouse(),
        postgres::KEEPER => postgres::keep(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!("there is no chore {other:?}\n\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask {chore}: {why}");
            ExitCode::FAILURE
        }
    }
}
