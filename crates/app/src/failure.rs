//! How a command of the binary ends when it does not end well: one sentence on stderr and a documented exit code.

use kernel::Fault;
use std::fmt;
use std::process::ExitCode;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// The business says no, or a law is broken (exit code 1).
    Refused(String),
    /// The command line or the configuration is wrong (exit code 2).
    Usage(String),
    /// The machine could not (exit code 3).
    Fault(Fault),
}

impl Failure {
    /// The exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Fault(_) => 3,
        })
    }
    /// A refusal of a command, as the command line shows it.
    pub fn refused(refusal: &impl kernel::Refuse) -> Self {
        Self::Refused(format!("{refusal} ({})", refusal.code()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::Usage(text) => f.write_str(text),
            Self::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
impl From<std::io::Error> for Failure {
    #[track_caller]
    fn from(error: std::io::Error) -> Self {
        Self::Fault(Fault::from(error))
    }
}
