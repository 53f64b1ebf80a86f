//! The programs the tests call. Invariant: afterwards they are all there, or the message names the exact line to type.

use crate::postgres::Binaries;
use crate::run::{Done, on_path, output, succeed};
use crate::schemathesis::system_python;
use std::process::Command;

/// The oldest Node.js that can fetch the pages' assets during the build.
const NODE: u32 = 20;

struct Tool {
    what_for: &'static str,
    package: &'static str,
    found: fn() -> bool,
}

const TOOLS: &[Tool] = &[
    Tool {
        what_for: "the PostgreSQL half of the tests",
        package: "postgresql",
        found: || Binaries::find().is_ok(),
    },
    Tool {
        what_for: "checking the exported journal",
        package: "hledger",
        found: || on_path("hledger").is_some(),
    },
    Tool {
        what_for: "reading printed barcodes back",
        package: "zbar-tools",
        found: || on_path("zbarimg").is_some(),
    },
    Tool {
        what_for: "reading PDF documents back",
        package: "poppler-utils",
        found: || on_path("pdftotext").is_some() && on_path("pdftoppm").is_some(),
    },
    Tool {
        what_for: "looking at the pages in a browser",
        package: "chromium",
        found: || on_path("chromium").is_some(),
    },
    Tool {
        what_for: "driving that browser",
        package: "chromium-driver",
        found: || on_path("chromedriver").is_some(),
    },
    // Brings Python itself where there is none.
    Tool {
        what_for: "asking the API what its document promises",
        package: "python3-venv",
        found: || system_python().is_ok(),
    },
];

/// Checks for every tool, installs what is missing when that is possible.
///
/// # Errors
/// When something is missing and cannot be installed from here: not root, no apt, or apt failed.
pub fn ensure() -> Done {
    node()?;
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !(tool.found)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    let by_hand = by_hand(&missing);
    if on_path("apt-get").is_none() || !is_root() {
        return Err(by_hand);
    }
    apt(&["update"]).map_err(|e| format!("{e}\n{by_hand}"))?;
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&packages);
    apt(&install).map_err(|e| format!("{e}\n{by_hand}"))?;
    let still: Vec<&Tool> = missing.into_iter().filter(|tool| !(tool.found)()).collect();
    if still.is_empty() { Ok(()) } else { Err(self::by_hand(&still)) }
}

/// Whether we may install packages, and must not run PostgreSQL as ourselves.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn apt(args: &[&str]) -> Done {
    // RUNLEVEL=1 keeps Debian's scripts from starting the server they install: the tests bring their own.
    succeed(
        Command::new("apt-get")
            .args(args)
            .arg("-q")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1"),
    )
}

fn by_hand(missing: &[&Tool]) -> String {
    let mut text = String::from("these programs are missing:\n");
    for tool in missing {
        text.push_str(&format!("  {:<14} {}\n", tool.package, tool.what_for));
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    text.push_str("install them and run this again; on Debian or Ubuntu:\n");
    text.push_str(&format!("  sudo apt-get install --no-install-recommends {}", packages.join(" ")));
    text
}

fn node() -> Done {
    let wanted = format!(
        "Node.js {NODE} or newer is needed (it fetches the pages' styles and scripts): https://nodejs.org"
    );
    let said = output(Command::new("node").arg("--version")).map_err(|_| wanted.clone())?;
    match major(&said) {
        Some(found) if found >= NODE => Ok(()),
        _ => Err(format!("{wanted}; found {}", said.trim())),
    }
}

fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major("v20.11.1\n"), Some(20));
        assert_eq!(major("22.0.0"), Some(22));
        assert_eq!(major("not a version"), None);
    }

    #[test]
    fn the_message_can_be_typed() {
        let text = by_hand(&[&TOOLS[0], &TOOLS[2]]);
        assert!(
            text.ends_with("sudo apt-get install --no-install-recommends postgresql zbar-tools"),
            "{text}"
        );
        assert!(text.contains("reading printed barcodes back"), "{text}");
    }
}
