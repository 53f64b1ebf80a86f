//! Fetches axe-core, named in `ui/package-lock.json`, with `npm ci`: the tests put it into the pages they look at. Nothing of it is in the
//! source tree or in the program.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, io};

fn main() {
    if let Err(e) = fetch() {
        eprintln!("error: axe-core cannot be fetched: {e}");
        std::process::exit(1);
    }
}

fn fetch() -> io::Result<()> {
    println!("cargo::rerun-if-changed=ui/package-lock.json");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?);
    for file in ["package.json", "package-lock.json"] {
        fs::copy(PathBuf::from("ui").join(file), out.join(file))?;
    }
    let ran = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"])
        .current_dir(&out)
        .status();
    if !ran.is_ok_and(|status| status.success()) {
        return Err(io::Error::other("`npm ci` failed; Node.js 20 or newer with npm is needed"));
    }
    fs::copy(out.join("node_modules/axe-core/axe.min.js"), out.join("axe.js")).map(drop)
}
