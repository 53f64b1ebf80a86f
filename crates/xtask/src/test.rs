//! `make test` and `make test-data`. Invariant: one order of steps for everybody, the cheap ones first, and the first that
//! fails is the last that runs.

use crate::postgres::{Server, VARIABLE};
use crate::run::{Done, cargo, output, step, succeed};
use crate::{schemathesis, tidy, tools};
use std::path::PathBuf;

/// The test target that holds a crate's tests on real data; `test = false` in its manifest keeps it out of `make test`.
const REAL_DATA: &str = "real_data";

/// Everything that has to hold; with `args`, only the tests they select.
///
/// # Errors
/// The first step that failed.
pub fn test(args: &[String]) -> Done {
    if !args.is_empty() {
        step("tools", tools::ensure)?;
        return step("tests", || with_server(|url| succeed(runner(args).env(VARIABLE, url))));
    }
    step("tools", tools::ensure)?;
    step("format", || succeed(&mut cargo(["fmt", "--all", "--check"])))?;
    step("clippy", || {
        succeed(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    step("tidy", tidy::tidy)?;
    step("tests", || {
        with_server(|url| {
            succeed(runner(&["--workspace".to_owned()]).env(VARIABLE, url))?;
            succeed(cargo(["test", "--workspace", "--doc"]).env(VARIABLE, url))
        })
    })?;
    step("the API against its document", || schemathesis::check(&[]))
}

/// The tests on real data: every test target `real_data`. The whole workspace is named, so that what `make test` has built
/// is not built again with other features of its dependencies.
///
/// # Errors
/// When `FULMAR_DATA` is not a folder, or a test fails.
pub fn test_data(args: &[String]) -> Done {
    let data = data_folder()?;
    let mut words = vec!["--workspace".to_owned(), "--test".to_owned(), REAL_DATA.to_owned()];
    words.extend_from_slice(args);
    step("tools", tools::ensure)?;
    step("tests on real data", || {
        with_server(|url| succeed(runner(&words).env(VARIABLE, url).env("FULMAR_DATA", &data)))
    })
}

fn with_server(work: impl FnOnce(&str) -> Done) -> Done {
    let server = Server::start()?;
    work(&server.url())
}

fn runner(args: &[String]) -> std::process::Command {
    let nextest = output(&mut cargo(["nextest", "--version"])).is_ok();
    let words: &[&str] = if nextest { &["nextest", "run"] } else { &["test"] };
    let mut command = cargo(words);
    command.args(args);
    command
}

fn data_folder() -> Done<PathBuf> {
    let named = std::env::var_os("FULMAR_DATA")
        .filter(|name| !name.is_empty())
        .ok_or("set FULMAR_DATA to the folder with the real data, for example FULMAR_DATA=../shared/data make test-data")?;
    let folder =
        std::path::absolute(&named).map_err(|e| format!("FULMAR_DATA={}: {e}", named.to_string_lossy()))?;
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(format!("FULMAR_DATA={} is not a folder ({})", named.to_string_lossy(), folder.display()))
    }
}
