//! Running programs and timing steps. Invariant: a step's name is printed before it starts and its time after it ends, also
//! when it fails, so that a long run shows where it stands and where the time went.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What every chore returns: nothing, or a sentence for the person who ran it.
pub type Done<T = ()> = Result<T, String>;

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").filter(|name| !name.is_empty());
    root().join(named.map_or_else(|| PathBuf::from("target"), PathBuf::from))
}

/// Runs `work` as a named step and prints how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Done<T>) -> Done<T> {
    println!("── {name}");
    let start = Instant::now();
    let done = work();
    let verdict = if done.is_ok() { "ok" } else { "FAILED" };
    println!("── {name}: {verdict} in {:.1} s\n", start.elapsed().as_secs_f64());
    done
}

/// `cargo` at the repository's root, freed of the variables that `cargo run` sets for this very program: build scripts would
/// take them for their own and rebuild.
pub fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text.starts_with("CARGO_BIN_")
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs to the end with our own input and output.
///
/// # Errors
/// When the program cannot be started or does not exit with 0.
pub fn succeed(command: &mut Command) -> Done {
    let line = describe(command);
    println!("   {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` ended with {status}")),
        Err(e) => Err(format!("`{line}` cannot be run: {e}")),
    }
}

/// Runs to the end and returns what the program printed.
///
/// # Errors
/// When the program cannot be started or does not exit with 0; the message carries what it wrote to standard error.
pub fn output(command: &mut Command) -> Done<String> {
    let line = describe(command);
    let out = command.stdin(Stdio::null()).output().map_err(|e| format!("`{line}` cannot be run: {e}"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        return Err(format!("`{line}` ended with {}: {}", out.status, said.trim()));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// The first file of that name on the search path.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| Path::new(word).file_name().filter(|_| word == command.get_program()).unwrap_or(word))
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
