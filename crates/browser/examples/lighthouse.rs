//! Lighthouse on the main pages of a demo shop. `cargo xtask lighthouse` fetches it and runs this with the folder it is in.
//!
//! `lighthouse FOLDER`: fails when one of the four scores of a page is below [`ENOUGH`].

use browser::Desk;
use browser::driver::Driver;
use browser::pages::{MAIN, PUBLIC, every};
use browser::shop::Shop;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::process::Command;

/// Of a hundred.
const ENOUGH: f64 = 95.0;
/// How long one page may take.
const PATIENCE: Duration = Duration::from_secs(120);
const CATEGORIES: &[&str] = &["performance", "accessibility", "best-practices", "seo"];

#[tokio::main]
async fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).expect("the folder Lighthouse is in");
    let shop = Shop::sqlite().await;
    let driver = Driver::start().await;
    let desk = Desk::open(&driver, &shop).await;
    desk.sign_in().await;
    let cookies = desk.client.get_all_cookies().await.expect("a session");
    let cookie: Vec<String> = cookies.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
    desk.close().await;
    let mut good = true;
    for route in MAIN {
        let page =
            every().find(|p| p.route == *route).unwrap_or_else(|| panic!("{route} is not in the table"));
        let address = page.address(&shop).await;
        let public = PUBLIC.iter().any(|p| p.route == page.route);
        let header = if public { String::new() } else { cookie.join("; ") };
        match audit(&folder, &format!("{}{address}", shop.url), &header).await {
            Ok(report) => good &= tell(route, &report, public),
            Err(why) => {
                println!("{route}: {why}");
                good = false;
            }
        }
    }
    shop.stop().await;
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn audit(folder: &Path, url: &str, cookie: &str) -> Result<Value, String> {
    let mut command = Command::new("node");
    command.arg(folder.join("node_modules/lighthouse/cli/index.js")).arg(url);
    command.args([
        "--quiet",
        "--output=json",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage",
    ]);
    command.arg(format!("--only-categories={}", CATEGORIES.join(",")));
    if !cookie.is_empty() {
        command.arg(format!("--extra-headers={}", json!({ "Cookie": cookie })));
    }
    command.kill_on_drop(true).stdin(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let ran = tokio::time::timeout(PATIENCE, command.output())
        .await
        .map_err(|_| "Lighthouse took too long".to_owned())?;
    let ran = ran.map_err(|e| format!("node cannot be run: {e}"))?;
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).into_owned());
    }
    serde_json::from_slice(&ran.stdout).map_err(|e| format!("the report does not read: {e}"))
}

/// Prints the scores and what cost points; whether they are enough. Pages behind a sign-in are nothing for search engines.
fn tell(route: &str, report: &Value, public: bool) -> bool {
    let mut good = true;
    print!("{route}");
    for category in CATEGORIES {
        let score = report["categories"][category]["score"].as_f64().map(|s| (s * 100.0).round());
        print!("  {category} {}", score.map_or("–".into(), |s| s.to_string()));
        good &= score.is_some_and(|s| s >= ENOUGH);
    }
    println!("{}", if public { "  (public)" } else { "" });
    let audits = report["audits"].as_object().into_iter().flatten();
    for (_, audit) in audits.filter(|(_, a)| a["score"].as_f64().is_some_and(|s| s < 0.9) && a["weight"] != 0)
    {
        println!(
            "    {} {} {}",
            audit["score"],
            audit["title"].as_str().unwrap_or_default(),
            audit["displayValue"].as_str().unwrap_or_default()
        );
    }
    good
}
