//! Puts together what `/assets` serves: the styles, scripts and icons named in `assets/ui/package-lock.json`, fetched with `npm ci`, and
//! our own files beside them; each also as brotli. Nothing is written to the source tree.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

const FETCHED: &[(&str, &str)] =
    &[("@tabler/core/dist/css/tabler.min.css", "tabler.css"), ("htmx.org/dist/htmx.min.js", "htmx.js")];
const OURS: &[&str] =
    &["app.css", "app.js", "forms.js", "live.js", "scan.css", "scan.js", "theme.js", "favicon.svg"];
/// Where the outlines of icons are; the few of `assets/icons.txt` become one sprite.
const ICONS: &str = "@tabler/icons/icons/outline";
/// Compresses every file of a folder beside itself. Node is what fetched the files, so it is there.
const COMPRESS: &str = "const fs=require('fs'),z=require('zlib'),d=process.argv[1];for(const f of fs.readdirSync(d))\
    if(!f.endsWith('.br'))fs.writeFileSync(d+'/'+f+'.br',z.brotliCompressSync(fs.readFileSync(d+'/'+f)))";

fn main() {
    if let Err(e) = assemble() {
        eprintln!("error: the files of /assets cannot be put together: {e}");
        std::process::exit(1);
    }
}

fn assemble() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=FULMAR_NODE_MODULES");
    for file in ["ui/package.json", "ui/package-lock.json", "icons.txt"].iter().chain(OURS) {
        println!("cargo::rerun-if-changed=assets/{file}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?);
    let dist = out.join("dist");
    fs::create_dir_all(&dist)?;
    for file in OURS {
        fs::copy(Path::new("assets").join(file), dist.join(file))?;
    }
    let names = fs::read_to_string("assets/icons.txt")?;
    let names: Vec<&str> = names.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    fs::write(out.join("icons.rs"), declared(&names))?;
    match env::var_os("FULMAR_NODE_MODULES") {
        Some(modules) => copy_fetched(Path::new(&modules), &dist, &names)?,
        None => fetch(&out, &dist, &names)?,
    }
    compress(&dist)
}

/// Runs `npm ci` beside the output and keeps only what is served. What the lock file names already is not fetched again.
fn fetch(out: &Path, dist: &Path, icons: &[&str]) -> io::Result<()> {
    let stage = out.join("npm");
    let wanted = [fs::read("assets/ui/package-lock.json")?, icons.join(" ").into_bytes()].concat();
    let done = stage.join("done");
    let there = FETCHED.iter().map(|(_, to)| *to).chain(["icons.svg"]).all(|to| dist.join(to).exists());
    if there && fs::read(&done).is_ok_and(|fetched| fetched == wanted) {
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
    copy_fetched(&modules, dist, icons)?;
    fs::remove_dir_all(&modules)?;
    fs::write(done, wanted)
}

fn copy_fetched(modules: &Path, dist: &Path, icons: &[&str]) -> io::Result<()> {
    for (from, to) in FETCHED {
        fs::copy(modules.join(from), dist.join(to)).map_err(|e| io::Error::other(format!("{from}: {e}")))?;
    }
    let mut sprite = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\">");
    for name in icons {
        let file = modules.join(ICONS).join(format!("{name}.svg"));
        let svg =
            fs::read_to_string(&file).map_err(|e| io::Error::other(format!("{}: {e}", file.display())))?;
        let _ =
            write!(sprite, "<symbol id=\"{name}\" viewBox=\"0 0 24 24\">{}</symbol>", inside(&svg, &file)?);
    }
    sprite.push_str("</svg>");
    fs::write(dist.join("icons.svg"), sprite)
}

/// What stands between `<svg …>` and `</svg>`, without the invisible square every icon begins with.
fn inside(svg: &str, file: &Path) -> io::Result<String> {
    let begin = svg.find("<svg").and_then(|at| svg[at..].find('>').map(|end| at + end + 1));
    let (Some(begin), Some(end)) = (begin, svg.rfind("</svg>")) else {
        return Err(io::Error::other(format!("{} is no SVG", file.display())));
    };
    let lines = svg[begin..end].lines().map(str::trim).filter(|l| !l.contains("M0 0h24v24H0z"));
    Ok(lines.collect())
}

/// The icons as an enumeration, so that a name without a picture does not compile.
fn declared(names: &[&str]) -> String {
    let mut code = String::from(
        "/// An icon of the sprite.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum Icon {\n",
    );
    let (mut arms, mut all) = (String::new(), String::new());
    for name in names {
        let variant: String = name
            .split('-')
            .map(|w| {
                w.chars().next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + &w[1..])
            })
            .collect();
        let _ = writeln!(code, "    #[doc = \"`{name}`\"]\n    {variant},");
        let _ = writeln!(arms, "            Self::{variant} => \"{name}\",");
        let _ = write!(all, "Self::{variant}, ");
    }
    let _ = write!(
        code,
        "}}\nimpl Icon {{\n    /// Every icon.\n    pub const ALL: &'static [Self] = &[{all}];\n    /// As the sprite names it.\n    \
         pub fn name(self) -> &'static str {{\n        match self {{\n{arms}        }}\n    }}\n}}\n"
    );
    code
}

/// Brotli at its slowest, once, rather than at every request. Without Node the files go out as they are compressed on the way.
fn compress(dist: &Path) -> io::Result<()> {
    let ran = Command::new("node").arg("-e").arg(COMPRESS).arg(dist).status();
    if !ran.is_ok_and(|status| status.success()) {
        for file in fs::read_dir(dist)? {
            let path = file?.path();
            if path.extension().is_some_and(|e| e == "br") {
                fs::remove_file(path)?;
            }
        }
        println!("cargo::warning=node could not compress the assets; they are compressed at each request");
    }
    Ok(())
}
