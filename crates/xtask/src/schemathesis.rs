//! The program against its OpenAPI document: schemathesis (a Python package, pinned) asks the dev binary, on a demo shop in SQLite and in
//! PostgreSQL. Invariant: it ends with the laws proven of what it left in the database; nothing is installed outside of `target`.

use crate::postgres::Server;
use crate::run::{Done, cargo, on_path, output, succeed, target};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The oldest Python that the pinned packages run on.
const PYTHON: (u32, u32) = (3, 10);
/// Examples of each operation in `make test`; the cases that follow from the document's bounds come on top.
const EXAMPLES: u32 = 10;
/// What to say when Python is missing.
const WANTED: &str = "Python 3.10 or newer is needed (schemathesis checks the API with it); on Debian or Ubuntu: \
                      sudo apt-get install --no-install-recommends python3 python3-venv";

const USAGE: &str = "usage: cargo xtask schemathesis [--examples N] [--seed N] [--only sqlite|postgres]";

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    examples: u32,
    /// The one of the configuration when absent.
    seed: Option<u64>,
    sqlite: bool,
    postgres: bool,
}

/// `cargo xtask schemathesis`.
///
/// # Errors
/// When Python is missing, the program does not start, an answer is not what the document says, or a law does not hold afterwards.
pub fn check(args: &[String]) -> Done {
    let options = read(args)?;
    let python = Python::prepare()?;
    // With the tests' features of the whole workspace: the very program that the tests have built.
    succeed(&mut cargo(["build", "-q", "--workspace", "--bin", "fulmar", "--test", "it"]))?;
    if options.sqlite {
        let scratch = Scratch::make()?;
        ask(&python, &options, &format!("sqlite:{}", scratch.0.join("shop.db").display()), &scratch)?;
    }
    if options.postgres {
        let (scratch, server) = (Scratch::make()?, Server::start()?);
        ask(&python, &options, &server.url(), &scratch)?;
    }
    Ok(())
}

fn read(args: &[String]) -> Done<Options> {
    let mut options = Options { examples: EXAMPLES, seed: None, sqlite: true, postgres: true };
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        let value = rest.next().ok_or(USAGE)?;
        match (word.as_str(), value.as_str()) {
            ("--examples", n) => options.examples = n.parse().map_err(|_| USAGE)?,
            ("--seed", n) => options.seed = Some(n.parse().map_err(|_| USAGE)?),
            ("--only", "sqlite") => options.postgres = false,
            ("--only", "postgres") => options.sqlite = false,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

/// Asks the program on one database, then proves the laws of what is left.
fn ask(python: &Python, options: &Options, database: &str, scratch: &Scratch) -> Done {
    let shop = Shop::start(database, &scratch.0)?;
    let mut run = python.command();
    run.args(["-c", "from schemathesis.cli import schemathesis; schemathesis()", "--config-file"]);
    run.arg(folder().join("schemathesis.toml")).args([
        "run",
        &format!("{}/v1/openapi.json", shop.address),
        "--no-color",
    ]);
    run.arg("--max-examples").arg(options.examples.to_string());
    if let Some(seed) = options.seed {
        run.arg("--seed").arg(seed.to_string());
    }
    run.env("FULMAR_BASE", &shop.address).env("FULMAR_KEY", &shop.key).current_dir(&scratch.0);
    run.env("SCHEMATHESIS_HOOKS", folder().join("hooks.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    succeed(&mut run)?;
    drop(shop);
    succeed(binary().arg("verify").env("DATABASE_URL", database).current_dir(&scratch.0))
}

/// Where the configuration and the list of packages are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis")
}

fn binary() -> Command {
    Command::new(target().join("debug/fulmar"))
}

/// A folder that goes away.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> Done<Scratch> {
        let folder = target().join("schemathesis").join(format!("shop-{}", std::process::id()));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} cannot be removed: {e}", self.0.display());
        }
    }
}

/// The program with a demo shop; dropping it ends it.
struct Shop {
    program: Child,
    address: String,
    key: String,
}

impl Shop {
    fn start(database: &str, scratch: &Path) -> Done<Shop> {
        let mut command = binary();
        command.args(["serve", "--demo"]).current_dir(scratch).stdin(Stdio::null()).stdout(Stdio::piped());
        command
            .env("DATABASE_URL", database)
            .env("FULMAR_LISTEN", "127.0.0.1:0")
            .env("FULMAR_LOG__FILTER", "error");
        let program = command.spawn().map_err(|e| format!("the program cannot be run: {e}"))?;
        let mut shop = Shop { program, address: String::new(), key: String::new() };
        let said = shop.program.stdout.take().ok_or("the program has no output")?;
        let mut lines = BufReader::new(said);
        let mut told = String::new();
        while shop.address.is_empty() || shop.key.is_empty() {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or_default() == 0 {
                return Err(format!("the demo shop did not start; it said:\n{told}"));
            }
            let words = || line.split([' ', ',', '\n']);
            shop.address.extend(words().find(|word| word.starts_with("http://")));
            shop.key.extend(words().find(|word| word.starts_with("fk_")));
            told.push_str(&line);
        }
        // A full pipe would stop the program in the middle of a word.
        std::thread::spawn(move || std::io::copy(&mut lines.take(u64::MAX), &mut std::io::sink()));
        Ok(shop)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Asked to end, it gives back its place in the database; SIGKILL would leave it to time out.
        output(Command::new("kill").arg(self.program.id().to_string())).unwrap_or_default();
        if let Err(e) = self.program.wait() {
            eprintln!("the program cannot be waited for: {e}");
        }
    }
}

/// A Python that has the pinned packages.
struct Python {
    program: PathBuf,
    /// Where the packages are, when there is no virtual environment.
    packages: Option<PathBuf>,
}

impl Python {
    /// Finds Python, and installs the packages where they are not yet: in a virtual environment, or where Python comes without
    /// `venv` (Debian splits it off), beside it.
    fn prepare() -> Done<Python> {
        let system = system_python()?;
        let shelf = target().join("schemathesis");
        std::fs::create_dir_all(&shelf).map_err(|e| format!("{}: {e}", shelf.display()))?;
        let wanted = folder().join("requirements.txt");
        let pins = std::fs::read_to_string(&wanted).map_err(|e| format!("{}: {e}", wanted.display()))?;
        let (venv, packages, marker) = (shelf.join("venv"), shelf.join("packages"), shelf.join("installed"));
        let in_venv = Python { program: venv.join("bin/python"), packages: None };
        let beside = Python { program: system.clone(), packages: Some(packages.clone()) };
        match std::fs::read_to_string(&marker).unwrap_or_default().split_once('\n') {
            Some(("venv", rest)) if rest == pins && in_venv.program.exists() => return Ok(in_venv),
            Some(("packages", rest)) if rest == pins && packages.is_dir() => return Ok(beside),
            _ => {}
        }
        let pip = |python: &Path| {
            let mut pip = Command::new(python);
            pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"]).arg(&wanted);
            pip
        };
        let made = output(Command::new(&system).args(["-m", "venv", "--clear"]).arg(&venv));
        let (kind, python) = match made {
            Ok(_) => {
                succeed(&mut pip(&in_venv.program))?;
                ("venv", in_venv)
            }
            Err(_) => {
                succeed(pip(&system).arg("--target").arg(&packages).arg("--upgrade"))
                    .map_err(|e| format!("{e}\nPython has neither venv nor pip. {WANTED}"))?;
                ("packages", beside)
            }
        };
        std::fs::write(&marker, format!("{kind}\n{pins}"))
            .map_err(|e| format!("{}: {e}", marker.display()))?;
        Ok(python)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }
}

/// The machine's Python.
///
/// # Errors
/// The line to type, when there is none or it is too old.
pub fn system_python() -> Done<PathBuf> {
    let program = on_path("python3").ok_or(WANTED)?;
    let said = output(Command::new(&program).arg("--version"))?;
    match version(&said) {
        Some(found) if found >= PYTHON => Ok(program),
        _ => Err(format!("{WANTED}; found {}", said.trim())),
    }
}

/// `Python 3.11.7` → (3, 11).
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn reads_what_is_asked() {
        let all = Options { examples: EXAMPLES, seed: None, sqlite: true, postgres: true };
        assert_eq!(read(&[]), Ok(all));
        let one = Options { examples: 500, seed: Some(7), sqlite: false, postgres: true };
        assert_eq!(read(&words("--examples 500 --only postgres --seed 7")), Ok(one));
        for wrong in ["--examples", "--examples many", "--only mysql", "--all 1"] {
            assert!(read(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_the_version_of_python() {
        assert_eq!(version("Python 3.11.7\n"), Some((3, 11)));
        assert_eq!(version("Python 3.9.2"), Some((3, 9)));
        assert_eq!(version("pypy"), None);
    }

    #[test]
    fn every_package_is_pinned() {
        let pins = std::fs::read_to_string(folder().join("requirements.txt")).unwrap();
        assert!(pins.lines().any(|line| line.starts_with("schemathesis==")));
        assert!(pins.lines().all(|line| line.contains("==")), "{pins}");
    }
}
