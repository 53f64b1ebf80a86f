//! `fulmar torture crash`, a short run of it: nothing that was acknowledged is lost, and what cannot be run says so.

use serde_json::Value;
use std::process::{Command, Output};

fn torture(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fulmar"))
        .args(["torture", "crash", "--json"])
        .args(args)
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap()
}

/// Runs rounds that must all hold.
fn survives(args: &[&str], rounds: usize) {
    let done = torture(args);
    let (said, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{args:?}\n{said}\n{errors}");
    let rows: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), rounds, "{said}");
    for row in &rows {
        for wrong in ["lost", "duplicated", "changed", "partial", "absurd", "broken"] {
            assert_eq!(row[wrong], 0, "{row}");
        }
        assert!(row["recovery_ms"].is_u64(), "{row}");
    }
    // One round may be killed before anything was answered, not all of them.
    assert!(rows.iter().any(|row| row["acknowledged"].as_u64().unwrap() > 8), "{said}");
    assert!(rows.iter().all(|row| row["retried"].as_u64().unwrap() > 0), "{said}");
}

#[test]
fn what_was_acknowledged_survives_a_kill_on_sqlite() {
    survives(&["--rounds", "5", "--kind", "server", "--patience", "0"], 5);
}

#[test]
fn what_was_acknowledged_survives_a_kill_on_postgres() {
    if crate::support::has_postgres() {
        survives(&["--rounds", "5", "--kind", "server", "--database", "postgres", "--patience", "0"], 5);
    }
}

#[test]
fn what_cannot_be_made_to_fail_is_an_error_with_the_way_out() {
    let done = torture(&["--kind", "postgres", "--database", "sqlite"]);
    assert_eq!(done.status.code(), Some(2), "{done:?}");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("--database postgres"), "{said}");
    assert!(done.stdout.is_empty());
    let url = torture(&["--kind", "disk-full", "--database", "sqlite:somewhere.db"]);
    assert_eq!(url.status.code(), Some(2), "{url:?}");
}
