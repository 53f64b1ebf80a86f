//! Pictures of all pages, and Lighthouse. Invariant: both look at a demo shop made by this very source, in a database of its own that is
//! removed afterwards, so that anybody gets the same.
//!
//! The work is in the examples of `crates/browser`, which has the table of pages and drives the browser.

use crate::run::{Done, cargo, root, step, succeed, target};
use crate::tools;
use std::path::PathBuf;
use std::process::Command;

/// All pages into the folder named by the first argument, or `target/screenshots`; and those of the README into `docs/screenshots`.
///
/// # Errors
/// When Chromium or chromedriver is missing, the shop does not start or a page does not load.
pub fn take(args: &[String]) -> Done {
    step("tools", tools::ensure)?;
    let folder = args.first().map_or_else(|| target().join("screenshots"), PathBuf::from);
    let mut run = cargo(["run", "-q", "-p", "browser", "--example", "pictures", "--"]);
    step("pictures", || succeed(run.arg(&folder).arg(root().join("docs/screenshots"))))
}

/// Scores of the main pages; all four have to be 95 of 100.
///
/// # Errors
/// When Lighthouse cannot be fetched, or a page has too few points.
pub fn lighthouse() -> Done {
    step("tools", tools::ensure)?;
    let folder = target().join("lighthouse");
    step("fetch lighthouse", || {
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for file in ["package.json", "package-lock.json"] {
            let from = root().join("crates/browser/lighthouse").join(file);
            std::fs::copy(&from, folder.join(file)).map_err(|e| format!("{}: {e}", from.display()))?;
        }
        let words =
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
        succeed(Command::new("npm").args(words).current_dir(&folder))
    })?;
    let mut run = cargo(["run", "-q", "-p", "browser", "--example", "lighthouse", "--"]);
    step("lighthouse", || succeed(run.arg(&folder)))
}
