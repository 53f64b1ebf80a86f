//! The rules that neither rustc nor clippy know. Invariant: every offence is reported in one run, as `file:line: sentence`.

mod licences;
mod modules;
mod river;
mod scan;
mod spdx;
mod style;
mod words;

use crate::metadata;
use crate::run::{Done, root};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a rule is broken, and which.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offence {
    /// Relative to the repository.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// A text file of the repository.
pub struct Source {
    /// Relative to the repository.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// The same with comments and literals blanked, for Rust.
    pub code: Option<String>,
}

impl Source {
    fn new(path: PathBuf, text: String) -> Source {
        let code = path.extension().is_some_and(|ext| ext == "rs").then(|| scan::blank(&text));
        Source { path, text, code }
    }
}

/// Checks the whole repository.
///
/// # Errors
/// When a rule is broken, or the repository cannot be read.
pub fn tidy() -> Done {
    let root = root();
    let sources = read_all(&root)?;
    let metadata = metadata::read(&[])?;
    let mut offences = Vec::new();
    for source in &sources {
        offences.extend(words::check(source));
        offences.extend(style::check(source));
    }
    offences.extend(modules::check(&root, &metadata, &sources));
    offences.extend(river::check(&root, &metadata));
    let rules = std::fs::read_to_string(root.join("deny.toml")).map_err(|e| format!("deny.toml: {e}"))?;
    offences.extend(licences::check(&licences::Rules::parse(&rules)?, &metadata.packages));
    offences.sort();
    for offence in &offences {
        println!("{offence}");
    }
    let crates = metadata.packages.len();
    match offences.len() {
        0 => {
            println!("   {} files and {crates} crates are tidy", sources.len());
            Ok(())
        }
        count => Err(format!("{count} offences in {} files and {crates} crates", sources.len())),
    }
}

/// Sources and documents, not data: a customer in a fixture may be called anything.
const EXTENSIONS: &[&str] =
    &["rs", "toml", "md", "sql", "js", "ts", "css", "html", "sh", "yml", "yaml", "typ", "txt"];
const BARE_NAMES: &[&str] = &["Makefile", "run", "LICENSE"];
/// Generated, or not ours.
const SKIPPED: &[&str] = &["target", "node_modules", ".git", "fixtures", "snapshots"];

fn read_all(root: &Path) -> Done<Vec<Source>> {
    let mut sources = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let fail = |e| format!("{}: {e}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if is_ours(&path, &name) {
                let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                let relative = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
                sources.push(Source::new(relative, text));
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn is_ours(path: &Path, name: &str) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    BARE_NAMES.contains(&name) || EXTENSIONS.contains(&extension.as_ref())
}
