//! Puts together what `/assets` serves: the styles and scripts named in `assets/ui/package-lock.json`, fetched with `npm ci`, and our own
//! files beside it. Nothing is written to the source tree.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

const FETCHED: &[(&str, &str)] = &[
    ("@tabler/core/dist/css/tabler.min.css", "tabler.css"),
    ("@tabler/core/dist/js/tabler.min.js", "tabler.js"),
    ("htmx.org/dist/htmx.min.js", "htmx.js"),
];
const OURS: &[&str] = &["app.css", "app.js", "favicon.svg"];

fn main() {
    if let Err(e) = assemble() {
        eprintln!("error: the files of /assets cannot be put together: {e}");
        std::process::exit(1);
    }
}

fn assemble() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=FULMAR_NODE_MODULES");
    for file in ["ui/package.json", "ui/package-lock.json"].iter().chain(OURS) {
        println!("cargo::rerun-if-changed=assets/{file}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?);
    let dist = out.join("dist");
    fs::create_dir_all(&dist)?;
    for file in OURS {
        fs::copy(Path::new("assets").join(file), dist.join(file))?;
    }
    match env::var_os("FULMAR_NODE_MODULES") {
        Some(modules) => copy_fetched(Path::new(&modules), &dist),
        None => fetch(&out, &dist),
    }
}

/// Runs `npm ci` beside the output and keeps only what is served. What the lock file names already is not fetched again.
fn fetch(out: &Path, dist: &Path) -> io::Result<()> {
    let stage = out.join("npm");
    let lock = fs::read("assets/ui/package-lock.json")?;
    let done = stage.join("done");
    if fs::read(&done).is_ok_and(|fetched| fetched == lock)
        && FETCHED.iter().all(|(_, to)| dist.join(to).exists())
    {
        return Ok(());
    }
    fs::create_dir_all(&stage)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(Path::new("assets/ui").join(file), stage.join(file))?;
    }
    let ran = Command::new("npm")
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--omit=optional",
            "--prefer-offline",
            "--loglevel=error",
        ])
        .current_dir(&stage)
        .status();
    if !ran.is_ok_and(|status| status.success()) {
        return Err(io::Error::other(
            "`npm ci` failed. Install Node.js 20 or newer with npm, or set FULMAR_NODE_MODULES to a node_modules folder that has \
             what crates/web/assets/ui/package.json names",
        ));
    }
    let modules = stage.join("node_modules");
    copy_fetched(&modules, dist)?;
    fs::remove_dir_all(&modules)?;
    fs::write(done, lock)
}

fn copy_fetched(modules: &Path, dist: &Path) -> io::Result<()> {
    for (from, to) in FETCHED {
        fs::copy(modules.join(from), dist.join(to)).map_err(|e| io::Error::other(format!("{from}: {e}")))?;
    }
    Ok(())
}
