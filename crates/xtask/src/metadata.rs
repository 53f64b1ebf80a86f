//! What cargo knows about the workspace and its dependencies. Invariant: only the fields that a check reads are described.

use crate::run::{Done, cargo, output};
use serde::Deserialize;
use std::path::PathBuf;

/// `cargo metadata`.
#[derive(Deserialize)]
pub struct Metadata {
    /// Ours alone with `--no-deps`, else all in the lock file.
    pub packages: Vec<Package>,
    workspace_members: Vec<String>,
}

/// One crate.
#[derive(Deserialize)]
pub struct Package {
    /// As in its manifest.
    pub name: String,
    /// As in its manifest.
    pub version: String,
    id: String,
    /// An SPDX expression, or two licences with a slash.
    pub license: Option<String>,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// As declared, whether or not the lock file uses them.
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
    /// Libraries, binaries, tests, …
    #[serde(default)]
    pub targets: Vec<Target>,
}

/// One line of a manifest's `[dependencies]`.
#[derive(Deserialize)]
pub struct Dependency {
    /// The crate's name (not what it is renamed to).
    pub name: String,
    /// Behind a feature.
    pub optional: bool,
    /// Set for crates of the workspace.
    pub path: Option<PathBuf>,
}

/// Something cargo compiles.
#[derive(Deserialize)]
pub struct Target {
    /// The root file.
    pub src_path: PathBuf,
}

/// Asks cargo.
///
/// # Errors
/// When cargo fails or answers something else than expected.
pub fn read(flags: &[&str]) -> Done<Metadata> {
    let said = output(cargo(["metadata", "--format-version", "1"]).args(flags))?;
    serde_json::from_str(&said).map_err(|e| format!("cannot read what `cargo metadata` says: {e}"))
}

impl Metadata {
    /// The crates of the workspace.
    pub fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }
}
