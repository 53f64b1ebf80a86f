//! Imports: the plans of the files, driven through the real commands at their historic times.
//!
//! Invariants: a chunk of an import is one transaction with its place in `import_run`, so a crash resumes at the next chunk; the chunks
//! are a pure function of the files; an order that is there already is left alone; what could not be taken is listed with its reason.

mod account;
mod drive;
mod olist;
mod online_retail;
mod orders_csv;
mod reject;
mod run;
mod summary;
mod take_back;

use std::ops::ControlFlow;
use std::path::PathBuf;

use kernel::{Currency, Fault, refusals};

use crate::sheet::BadFile;

pub use olist::olist;
pub use online_retail::online_retail;
pub use orders_csv::orders_csv;
pub use summary::{Counts, FileReport, Outcome, Refused, Summary};

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being booked, for people.
    pub stage: &'static str,
    /// Chunks committed, of this and earlier attempts.
    pub chunk: usize,
    /// Chunks there are.
    pub chunks: usize,
    /// Orders booked or known so far.
    pub orders: u64,
    /// Orders of the files.
    pub orders_of: u64,
}

/// What an import is told besides its files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder for the files of rejected rows; without it beside their sources, or in the working directory where that cannot be
    /// written.
    pub rejected: Option<PathBuf>,
    /// What goods of `online-retail` cost, in percent of their average price. The file knows no costs.
    pub cost_percent: u32,
}

refusals! {
    /// Why an import was not begun.
    pub enum ImportRefused {
        OtherBase { base: Currency, currency: Currency } => Conflict, "channels.other_base_currency", "Costs are kept in {base} and these are in {currency}: leave out --cost-percent, or import into a database of its own.";
        BadCostPercent { percent: u32 } => Invalid, "channels.bad_cost_percent", "Costs are 0 to 100 percent of the price, not {percent}.";
    }
}

/// Why an import did not finish. What its finished chunks booked stays; the same import goes on from there.
#[derive(Debug)]
pub enum ImportFailed {
    /// A file cannot be read.
    File(BadFile),
    /// It may not be done.
    Refused(ImportRefused),
    /// The caller asked to stop.
    Stopped,
    /// The machine could not.
    Fault(Fault),
}

impl std::fmt::Display for ImportFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(bad) => match std::error::Error::source(bad) {
                Some(cause) => write!(f, "{bad}: {cause}"),
                None => write!(f, "{bad}"),
            },
            Self::Refused(refused) => write!(f, "{refused}"),
            Self::Stopped => write!(f, "stopped; the same import goes on where it was"),
            Self::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl From<Fault> for ImportFailed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
impl From<BadFile> for ImportFailed {
    fn from(bad: BadFile) -> Self {
        Self::File(bad)
    }
}

/// What is told after every chunk, and may say stop.
pub trait Watch: FnMut(&Progress) -> ControlFlow<()> {}
impl<F: FnMut(&Progress) -> ControlFlow<()>> Watch for F {}
