//! `cargo xtask fuzz`: libFuzzer on the targets of `crates/fuzz`, without another toolchain. Invariant: a target that fails leaves the
//! input that did it and the line that repeats it; what was learned stays under `target/fuzz` and nothing of it in the repository.
//!
//! The compiler's own coverage pass is stable, so all that is needed is to pass it for our crates: this program stands between cargo and
//! rustc for them (`RUSTC_WORKSPACE_WRAPPER`), and dependencies are compiled as ever. Coverage is then of our code, which is what is
//! looked for.

use crate::run::{Done, cargo, output, step, succeed, target};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str = "usage: cargo xtask fuzz [TARGET…] [--seconds N]   (all targets, 60 seconds each)";

/// Set while cargo is to take this program for rustc.
const WRAPPING: &str = "FULMAR_FUZZ_WRAPPING";
/// The program that has the engine.
const ENGINE: &str = "libfuzzer";
/// Megabytes and seconds that one input may take; more is a failure.
const MEGABYTES: u32 = 1_536;
const PATIENCE: u32 = 30;
/// Bytes of an input at most: what is wrong with a long one is wrong with a short one.
const LONGEST: u32 = 4_096;

/// What makes a crate of ours tell libFuzzer where it has been, and what it compared.
const INSTRUMENTED: &[&str] = &[
    "-Copt-level=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Runs targets one after the other.
///
/// # Errors
/// When a target is not known, does not build or fails; the message has the line that repeats it.
pub fn fuzz(args: &[String]) -> Done {
    let (wanted, seconds) = read(args)?;
    let engine = step("build", build)?;
    let known = output(Command::new(&engine).env("FULMAR_FUZZ_TARGET", "list"))?;
    let known: Vec<&str> = known.lines().collect();
    if let Some(other) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("there is no target {other}; there are {}\n{USAGE}", known.join(", ")));
    }
    let all = wanted.is_empty();
    for name in known.iter().filter(|name| all || wanted.iter().any(|w| w == *name)) {
        step(name, || run(&engine, name, seconds))?;
    }
    Ok(())
}

fn read(args: &[String]) -> Done<(Vec<String>, u32)> {
    let (mut wanted, mut seconds) = (Vec::new(), 60);
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--seconds" => seconds = rest.next().and_then(|n| n.parse().ok()).ok_or(USAGE)?,
            flag if flag.starts_with('-') => return Err(USAGE.to_owned()),
            name => wanted.push(name.to_owned()),
        }
    }
    Ok((wanted, seconds))
}

fn build() -> Done<PathBuf> {
    let me = std::env::current_exe().map_err(|e| format!("cannot find my own program: {e}"))?;
    let mut build = cargo(["build", "-q", "-p", "fuzz", "--features", "libfuzzer", "--bin", ENGINE]);
    succeed(build.env("RUSTC_WORKSPACE_WRAPPER", me).env(WRAPPING, "1"))?;
    Ok(target().join("debug").join(ENGINE))
}

fn run(engine: &Path, name: &str, seconds: u32) -> Done {
    let shelf = target().join("fuzz").join(name);
    let (corpus, seeds, crashes) = (shelf.join("corpus"), shelf.join("seeds"), shelf.join("crashes"));
    for folder in [&corpus, &seeds, &crashes] {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut fuzzer = Command::new(engine);
    fuzzer.env("FULMAR_FUZZ_TARGET", name).env("FULMAR_FUZZ_SEEDS", &seeds);
    fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
    fuzzer.arg(format!("-timeout={PATIENCE}")).arg(format!("-rss_limit_mb={MEGABYTES}"));
    fuzzer
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .args(["-print_final_stats=1", "-verbosity=0"]);
    fuzzer.arg(&corpus).arg(&seeds);
    succeed(&mut fuzzer).map_err(|why| {
        format!(
            "{why}\nThe input is in {0}; FULMAR_FUZZ_TARGET={name} {1} {0}/FILE repeats it. Mend the program, and keep the input \
             as a test of what was wrong.",
            crashes.display(),
            engine.display()
        )
    })
}

/// Whether cargo called this program as its compiler.
pub fn is_compiler() -> bool {
    std::env::var_os(WRAPPING).is_some()
}

/// Is rustc: libraries and the engine are instrumented, what runs during the build (build scripts, macros) is not.
///
/// # Errors
/// When rustc fails.
pub fn compile() -> Done {
    let mut words = std::env::args_os().skip(1);
    let rustc = words.next().ok_or("cargo names the compiler first")?;
    let words: Vec<OsString> = words.collect();
    let mut command = Command::new(rustc);
    command.args(&words).env_remove(WRAPPING);
    if is_driven(&words) {
        command.args(INSTRUMENTED);
    }
    let status = command.status().map_err(|e| format!("rustc cannot be run: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("rustc ended with {status}")) }
}

fn is_driven(words: &[OsString]) -> bool {
    let after = |flag: &str| words.iter().position(|w| w == flag).and_then(|at| words.get(at + 1));
    match (after("--crate-name"), after("--crate-type")) {
        (Some(name), _) if name == ENGINE => true,
        (Some(_), Some(kind)) => kind == "lib",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_asked() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(read(&[]), Ok((vec![], 60)));
        assert_eq!(read(&words("api ids --seconds 600")), Ok((words("api ids"), 600)));
        for wrong in ["--seconds", "--seconds many", "--minutes 3"] {
            assert!(read(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_runs_during_the_build_is_not_instrumented() {
        let words = |text: &str| text.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        for (line, driven) in [
            ("--crate-name orders --edition=2024 src/lib.rs --crate-type lib", true),
            ("--crate-name libfuzzer src/libfuzzer.rs --crate-type bin", true),
            ("--crate-name build_script_build build.rs --crate-type bin", false),
            ("--crate-name words src/lib.rs --crate-type proc-macro", false),
            ("--version --verbose", false),
        ] {
            assert_eq!(is_driven(&words(line)), driven, "{line}");
        }
    }
}
