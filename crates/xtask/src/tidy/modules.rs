//! Dead files. Invariant: every Rust file of a crate is reached from one of its targets by `mod` declarations; a file that is
//! not is never compiled and rots unseen.

use super::scan::{closing, word};
use super::{Offence, Source};
use crate::metadata::Metadata;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Folders whose files cargo compiles through targets.
const FOLDERS: &[&str] = &["src", "tests", "benches", "examples"];

/// Reports every file that no target reaches.
pub fn check(root: &Path, metadata: &Metadata, sources: &[Source]) -> Vec<Offence> {
    let rust: BTreeMap<&Path, &Source> = sources
        .iter()
        .filter(|source| source.code.is_some())
        .map(|source| (source.path.as_path(), source))
        .collect();
    let mut crates = Vec::new();
    let mut queue = Vec::new();
    for package in metadata.ours() {
        let relative = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_path_buf();
        crates.extend(package.manifest_path.parent().map(relative));
        queue.extend(package.targets.iter().map(|target| (relative(&target.src_path), true)));
    }
    let reached = reach(&rust, queue);
    let compiled = |path: &Path| {
        crates.iter().any(|home| FOLDERS.iter().any(|folder| path.starts_with(home.join(folder))))
    };
    rust.keys()
        .filter(|path| compiled(path) && !reached.contains(**path))
        .map(|path| Offence {
            file: path.to_path_buf(),
            line: 1,
            what: "no `mod` leads here, so it is never compiled: declare it or delete it".to_owned(),
        })
        .collect()
}

fn reach(rust: &BTreeMap<&Path, &Source>, mut queue: Vec<(PathBuf, bool)>) -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    while let Some((file, is_root)) = queue.pop() {
        let Some(source) = rust.get(file.as_path()) else { continue };
        if !reached.insert(file.clone()) {
            continue;
        }
        queue.extend(children(source, is_root).into_iter().map(|child| (child, false)));
    }
    reached
}

/// The files that a source's `mod` declarations, `#[path]` attributes and `include!`s may mean.
fn children(source: &Source, is_root: bool) -> Vec<PathBuf> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    let owns_folder = is_root || source.path.file_name().is_some_and(|name| name == "mod.rs");
    let home = if owns_folder { folder.to_path_buf() } else { source.path.with_extension("") };
    let mut found = Vec::new();
    declared(source.code.as_deref().unwrap_or_default(), &home, &mut found);
    for marker in ["#[path = \"", "include!(\""] {
        for (at, _) in source.text.match_indices(marker) {
            let named = source.text[at + marker.len()..].split('"').next().unwrap_or_default();
            found.push(normal(&folder.join(named)));
        }
    }
    found
}

/// `mod x;` is `x.rs` or `x/mod.rs`; `mod x { … }` is looked into.
fn declared(code: &str, home: &Path, found: &mut Vec<PathBuf>) {
    let bytes = code.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = word(bytes, at);
        if &bytes[at..at + length] != b"mod" {
            at += length.max(1);
            continue;
        }
        let skip =
            |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let name_at = skip(at + length);
        let name_end = name_at + word(bytes, name_at);
        let name = &code[name_at..name_end];
        at = skip(name_end);
        match bytes.get(at) {
            Some(b';') => found.extend([home.join(format!("{name}.rs")), home.join(name).join("mod.rs")]),
            Some(b'{') => {
                let end = closing(code, at);
                declared(&code[at + 1..end.max(at + 2) - 1], &home.join(name), found);
                at = end;
            }
            _ => {}
        }
    }
}

fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_without_a_parent_are_dead() {
        let files = [
            (
                "crates/a/src/lib.rs",
                "mod one;\npub mod two;\nmod inline { mod deep; }\n// mod dead;\n#[path = \"../odd/x.rs\"] mod odd;",
            ),
            ("crates/a/src/one.rs", "mod below;"),
            ("crates/a/src/one/below.rs", ""),
            ("crates/a/src/two/mod.rs", "mod beside;"),
            ("crates/a/src/two/beside.rs", ""),
            ("crates/a/src/inline/deep.rs", ""),
            ("crates/a/odd/x.rs", ""),
            ("crates/a/src/dead.rs", "mod also_dead;"),
            ("crates/a/src/also_dead.rs", ""),
            ("crates/a/build.rs", ""),
        ];
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| Source::new(path.into(), (*text).to_owned())).collect();
        let metadata: Metadata = serde_json::from_str(
            r#"{"packages":[{"name":"a","version":"1.0.0","id":"a","license":null,"manifest_path":"/r/crates/a/Cargo.toml",
                "targets":[{"name":"a","kind":["lib"],"src_path":"/r/crates/a/src/lib.rs"}]}],"workspace_members":["a"]}"#,
        )
        .unwrap();
        let found: Vec<PathBuf> =
            check(Path::new("/r"), &metadata, &sources).into_iter().map(|offence| offence.file).collect();
        assert_eq!(found, [Path::new("crates/a/src/also_dead.rs"), Path::new("crates/a/src/dead.rs")]);
    }
}
