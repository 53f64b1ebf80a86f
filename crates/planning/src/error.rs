//! What can be wrong with a file or a wish. Each message names the thing and the way out.

use std::path::PathBuf;

/// Why there is no plan and no figure.
#[derive(Debug, thiserror::Error)]
pub enum PlanningError {
    /// The file system said no.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in a file does not read.
    #[error("{path}, {place}: {problem}")]
    Input {
        /// Which file.
        path: PathBuf,
        /// Line, row or field.
        place: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The decision needs files that were not named.
    #[error("{decision} is measured on files: name their folder with --data or FULMAR_DATA")]
    NoData {
        /// Which decision.
        decision: &'static str,
    },
    /// The folder has no files of the decision.
    #[error("{decision}: {folder} has no {needs}")]
    Missing {
        /// Which decision.
        decision: &'static str,
        /// Where it looked.
        folder: PathBuf,
        /// What it looked for.
        needs: &'static str,
    },
    /// A time that cannot be.
    #[error("--seconds {seconds}: a number of seconds, 0 or more, is needed")]
    Seconds {
        /// As it was asked for.
        seconds: f64,
    },
    /// No such decision.
    #[error("“{name}” is not a decision of the planner; there are: {known}")]
    UnknownDecision {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

impl PlanningError {
    /// A problem of a file's content.
    pub fn input(path: &std::path::Path, place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Input { path: path.to_owned(), place: place.into(), problem: problem.into() }
    }

    /// Nothing to measure in a folder.
    pub fn missing(decision: &'static str, folder: &std::path::Path, needs: &'static str) -> Self {
        Self::Missing { decision, folder: folder.to_owned(), needs }
    }

    /// A problem of the file system.
    pub fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
