//! `make test` and `make test-data`. Invariant: one order of steps for everybody, the cheap ones first, and the first that
//! fails is the last that runs.

use crate::postgres::{Server, VARIABLE};
use crate::run::{Done, cargo, output, step, succeed};
use crate::{metadata, schemathesis, tidy, tools};
use std::path::PathBuf;

/// The feature that lets a crate's tests on real data be built, and the name of the test target that holds them.
const REAL_DATA: (&str, &str) = ("real-data", "real_data");

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

/// The tests on real data: every crate with a feature `real-data` and a test target `real_data`.
///
/// # Errors
/// When `FULMAR_DATA` is not a folder, no crate has such tests, or one fails.
pub fn test_data(args: &[String]) -> Done {
    let data = data_folder()?;
    let (feature, target) = REAL_DATA;
    let crates = metadata::read(&["--no-deps"])?.with_feature_and_test(feature, target);
    if crates.is_empty() {
        return Err(format!("no crate has a feature `{feature}` and a test target `{target}`"));
    }
    let mut words: Vec<String> = crates.iter().flat_map(|name| ["-p".to_owned(), name.clone()]).collect();
    let features: Vec<String> = crates.iter().map(|name| format!("{name}/{feature}")).collect();
    words.extend(["--features".to_owned(), features.join(","), "--test".to_owned(), target.to_owned()]);
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
