//! What our dependencies may be. Invariant: the lists are those of `deny.toml` and nowhere else, so that this check and
//! cargo-deny agree.

use super::{Offence, spdx};
use crate::metadata::Package;
use serde::Deserialize;
use std::collections::BTreeSet;

/// `deny.toml`, as far as this check goes.
#[derive(Deserialize)]
pub struct Rules {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    clarify: Vec<Clarification>,
}

/// The licence of a crate that does not declare it as it should.
#[derive(Deserialize)]
struct Clarification {
    #[serde(rename = "crate")]
    name: String,
    expression: String,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Then the crate itself is welcome, a second version of it is not.
    #[serde(default)]
    deny_multiple_versions: bool,
    reason: String,
}

impl Rules {
    /// Reads `deny.toml`.
    ///
    /// # Errors
    /// When it is not TOML or lacks a list.
    pub fn parse(text: &str) -> Result<Rules, String> {
        toml::from_str(text).map_err(|e| format!("deny.toml: {e}"))
    }
}

/// Licences, banned crates and crates that may be there only once.
pub fn check(rules: &Rules, packages: &[Package]) -> Vec<Offence> {
    let mut found: Vec<String> = packages.iter().filter_map(|package| licence(rules, package)).collect();
    for ban in &rules.bans.deny {
        let versions: BTreeSet<&str> = packages
            .iter()
            .filter(|package| package.name == ban.name)
            .map(|package| package.version.as_str())
            .collect();
        let most = usize::from(ban.deny_multiple_versions);
        if versions.len() > most {
            let versions: Vec<&str> = versions.into_iter().collect();
            let wish = if most == 0 { "is banned" } else { "may be there once" };
            found.push(format!(
                "`{}` {wish} ({}); found {}: cargo tree -i {}@{}",
                ban.name,
                ban.reason,
                versions.join(" and "),
                ban.name,
                versions[0]
            ));
        }
    }
    found.into_iter().map(|what| Offence { file: "Cargo.lock".into(), line: 1, what }).collect()
}

fn licence(rules: &Rules, package: &Package) -> Option<String> {
    let who = format!("`{}` {}", package.name, package.version);
    let clarified = rules.licenses.clarify.iter().find(|clarified| clarified.name == package.name);
    let expression = clarified.map(|clarified| &clarified.expression).or(package.license.as_ref());
    let Some(expression) = expression else {
        return Some(format!("{who} declares no licence: find out and add it to `clarify` in deny.toml"));
    };
    match spdx::satisfied(expression, &rules.licenses.allow) {
        Ok(true) => None,
        Ok(false) => Some(format!("{who} is `{expression}`, which deny.toml does not allow")),
        Err(e) => Some(format!("{who}: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT"]
        [[licenses.clarify]]
        crate = "quiet"
        expression = "MIT"
        [bans]
        deny = [
            { crate = "openssl-sys", reason = "rustls" },
            { crate = "tokio", deny-multiple-versions = true, reason = "one runtime" },
        ]"#;

    fn offences(packages: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        let packages: Vec<Package> = packages
            .iter()
            .map(|(name, version, license)| {
                let value = serde_json::json!({ "name": name, "version": version, "id": name, "license": license,
                    "manifest_path": "/nowhere/Cargo.toml" });
                serde_json::from_value(value).unwrap()
            })
            .collect();
        check(&Rules::parse(RULES).unwrap(), &packages).into_iter().map(|offence| offence.what).collect()
    }

    #[test]
    fn allowed_crates_pass() {
        assert!(
            offences(&[
                ("a", "1.0.0", Some("MIT")),
                ("quiet", "1.0.0", None),
                ("tokio", "1.0.0", Some("MIT"))
            ])
            .is_empty()
        );
    }

    #[test]
    fn licences_bans_and_second_versions_are_reported() {
        let found = offences(&[
            ("evil", "1.0.0", Some("AGPL-3.0")),
            ("mute", "1.0.0", None),
            ("openssl-sys", "0.9.0", Some("MIT")),
            ("tokio", "0.2.0", Some("MIT")),
            ("tokio", "1.0.0", Some("MIT")),
        ]);
        assert_eq!(found.len(), 4);
        assert!(found[0].contains("AGPL-3.0") && found[1].contains("declares no licence"), "{found:?}");
        assert!(found[2].contains("openssl-sys") && found[2].contains("(rustls)"), "{found:?}");
        assert!(found[3].contains("0.2.0 and 1.0.0"), "{found:?}");
    }

    #[test]
    fn our_own_rules_can_be_read() {
        let rules = Rules::parse(include_str!("../../../../deny.toml")).unwrap();
        assert!(rules.licenses.allow.contains(&"MIT".to_owned()));
        assert!(rules.bans.deny.iter().any(|ban| ban.name == "evalexpr" && !ban.deny_multiple_versions));
        assert!(rules.bans.deny.iter().any(|ban| ban.name == "libsqlite3-sys" && ban.deny_multiple_versions));
    }
}
