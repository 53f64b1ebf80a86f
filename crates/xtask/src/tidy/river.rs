//! Which crate may use which. Invariant: dependencies of the workspace follow the river: a slice uses what is above it, never
//! what is below, and the pure crates touch neither runtime nor database.

use super::Offence;
use crate::metadata::{Metadata, Package};
use std::path::Path;

/// The ground: what each may use of ours.
const GROUND: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("contact", &["kernel"]),
    ("planner", &[]),
    ("row-derive", &[]),
    ("db", &["kernel", "row-derive"]),
    ("web", &["kernel", "contact", "db"]),
    ("documents", &["kernel"]),
    ("sheets", &["kernel"]),
    ("planning", &["planner"]),
    // It drives the binary and shares nothing with it.
    ("crash", &[]),
];

/// The river, downstream. A slice may use the ground and the slices before it.
const RIVER: &[&str] = &[
    "catalog",
    "customers",
    "inventory",
    "payments",
    "risk",
    "orders",
    "warehouse",
    "shipping",
    "returns",
    "portal",
    "care",
    "books",
    "channels",
    "automation",
    "insight",
];

/// `connectors` uses the slices that define its traits.
const CONNECTORS: &[&str] = &["kernel", "payments", "shipping", "channels"];

/// Crates that describe or decide and never do.
const PURE: &[&str] = &["kernel", "contact", "planner", "connectors"];
const IMPURE: &[&str] = &["tokio", "axum", "hyper", "reqwest", "rusqlite", "tokio-postgres"];

/// Every dependency in the workspace, dev- and build-dependencies too: a test that needs a downstream crate belongs there.
pub fn check(root: &Path, metadata: &Metadata) -> Vec<Offence> {
    let mut found = Vec::new();
    for package in metadata.ours() {
        for dependency in &package.dependencies {
            let judged = if dependency.path.is_some() {
                judge(&package.name, &dependency.name)
            } else if PURE.contains(&package.name.as_str())
                && IMPURE.contains(&dependency.name.as_str())
                && !dependency.optional
            {
                Err(format!("`{}` is pure and may not use `{}`", package.name, dependency.name))
            } else {
                Ok(())
            };
            if let Err(what) = judged {
                found.push(offence(root, package, &dependency.name, what));
            }
        }
    }
    found
}

fn offence(root: &Path, package: &Package, dependency: &str, what: String) -> Offence {
    let manifest = std::fs::read_to_string(&package.manifest_path).unwrap_or_default();
    let line = manifest.lines().position(|line| {
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        name == dependency
    });
    let file = package.manifest_path.strip_prefix(root).unwrap_or(&package.manifest_path).to_path_buf();
    Offence { file, line: line.map_or(1, |line| line + 1), what }
}

/// Whether a crate of ours may use another.
fn judge(from: &str, to: &str) -> Result<(), String> {
    let place = |name: &str| RIVER.iter().position(|slice| *slice == name);
    let ground = |name: &str| GROUND.iter().find(|(crate_, _)| *crate_ == name);
    let allowed = match (from, place(from), ground(from)) {
        // A crate's tests may turn on one of its own features.
        _ if from == to => true,
        (_, _, Some((_, allowed))) => allowed.contains(&to),
        (_, Some(here), _) => ground(to).is_some() || place(to).is_some_and(|there| there < here),
        ("connectors", ..) => CONNECTORS.contains(&to),
        ("app", ..) => !["xtask", "fuzz", "browser"].contains(&to),
        // What loads and what simulates use every slice; the program gives them the rest.
        ("bench" | "sim", ..) => !["app", "xtask", "fuzz", "bench", "sim", "crash", "browser"].contains(&to),
        // Its targets are parsers of every crate, and the program as a whole.
        ("fuzz", ..) => to != "xtask",
        // It looks at the program from outside, and behind it.
        ("browser", ..) => !["xtask", "fuzz"].contains(&to),
        ("xtask", ..) => false,
        _ => return Err(format!("`{from}` has no place in the river yet: give it one in {}", file!())),
    };
    if allowed {
        return Ok(());
    }
    Err(match (place(from), place(to)) {
        (Some(here), Some(there)) if there > here => {
            format!("`{from}` may not use `{to}`, which is downstream: let `{to}` react to its events")
        }
        _ => format!("`{from}` may not use `{to}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_use_the_ground_and_what_is_upstream() {
        for (from, to) in [
            ("catalog", "db"),
            ("orders", "inventory"),
            ("orders", "planner"),
            ("insight", "catalog"),
            ("connectors", "shipping"),
            ("app", "connectors"),
            ("sim", "orders"),
            ("app", "sim"),
            ("app", "bench"),
            ("contact", "kernel"),
            ("web", "db"),
            ("db", "db"),
        ] {
            assert_eq!(judge(from, to), Ok(()), "{from} -> {to}");
        }
    }

    #[test]
    fn nothing_flows_upwards() {
        for (from, to) in [
            ("kernel", "db"),
            ("planner", "kernel"),
            ("db", "web"),
            ("web", "orders"),
            ("inventory", "orders"),
            ("orders", "connectors"),
            ("orders", "app"),
            ("connectors", "db"),
            ("connectors", "orders"),
            ("sim", "app"),
            ("bench", "app"),
            ("app", "fuzz"),
            ("app", "browser"),
            ("sim", "browser"),
            ("xtask", "kernel"),
            ("stranger", "kernel"),
        ] {
            assert!(judge(from, to).is_err(), "{from} -> {to}");
        }
        assert!(judge("inventory", "orders").unwrap_err().contains("downstream"));
    }

    #[test]
    fn a_pure_crate_may_have_conversions_behind_a_feature() {
        let metadata = |optional: bool| {
            let text = format!(
                r#"{{"packages":[{{"name":"kernel","version":"1.0.0","id":"k","license":null,
                    "manifest_path":"/nowhere/crates/kernel/Cargo.toml",
                    "dependencies":[{{"name":"rusqlite","optional":{optional},"path":null}}]}}],"workspace_members":["k"]}}"#
            );
            serde_json::from_str::<Metadata>(&text).unwrap()
        };
        assert_eq!(check(Path::new("/nowhere"), &metadata(true)), []);
        let found = check(Path::new("/nowhere"), &metadata(false));
        assert_eq!(
            found[0].to_string(),
            "crates/kernel/Cargo.toml:1: `kernel` is pure and may not use `rusqlite`"
        );
    }
}
