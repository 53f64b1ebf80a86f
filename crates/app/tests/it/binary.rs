//! The real binary: what it prints, how it ends, and that ending loses nothing.

use crate::support::shop;
use db::{Db, Options};
use fulmar::config::Config;
use fulmar::{cmd, program, slices, verify};
use serde_json::Value;
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A directory that goes away.
pub(crate) struct Scratch(pub(crate) PathBuf);
impl Scratch {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("fulmar-bin-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn database(&self) -> String {
        format!("sqlite:{}", self.0.join("shop.db").display())
    }
}
impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fulmar(scratch: &Scratch, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fulmar"));
    command
        .args(args)
        .current_dir(&scratch.0)
        .env("DATABASE_URL", scratch.database())
        .env("FULMAR_LISTEN", "127.0.0.1:0");
    command
}

pub(crate) fn run(scratch: &Scratch, args: &[&str]) -> Output {
    fulmar(scratch, args).output().unwrap()
}

/// Starts `fulmar serve`; the address it prints.
fn serve(scratch: &Scratch) -> (Child, String) {
    let mut child = fulmar(scratch, &["serve"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let address = first.split_whitespace().last().unwrap_or_default().to_owned();
    assert!(address.starts_with("http://127.0.0.1:"), "{first}");
    (child, address)
}

fn terminate(child: &Child) {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn exit_codes_say_what_happened() {
    let scratch = Scratch::new();
    let ok = run(&scratch, &["verify", "--json"]);
    assert_eq!(ok.status.code(), Some(0), "{ok:?}");
    let verdicts: Vec<Value> = serde_json::from_slice(&ok.stdout).unwrap();
    assert!(!verdicts.is_empty() && verdicts.iter().all(|v| v["holds"] == true));

    let refused = run(&scratch, &["key", "create", "--scopes", "orders:fly"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("orders:fly") && said.lines().count() == 1, "{said}");

    assert_eq!(run(&scratch, &["dance"]).status.code(), Some(2));
    std::fs::write(scratch.0.join("fulmar.toml"), "lisen = \"0.0.0.0:1\"\n").unwrap();
    let typo = run(&scratch, &["verify"]);
    assert_eq!(typo.status.code(), Some(2));
    assert!(String::from_utf8(typo.stderr).unwrap().contains("lisen"));
    std::fs::remove_file(scratch.0.join("fulmar.toml")).unwrap();

    let away =
        fulmar(&scratch, &["verify"]).env("DATABASE_URL", "sqlite:/nowhere/at/all.db").output().unwrap();
    assert_eq!(away.status.code(), Some(3), "{away:?}");
}

#[test]
fn a_backup_is_one_whole_file() {
    let scratch = Scratch::new();
    let people = run(&scratch, &["user", "add", "ada@example.com", "--json"]);
    assert_eq!(people.status.code(), Some(0), "{people:?}");
    assert_eq!(run(&scratch, &["backup", "shop.fulmar"]).status.code(), Some(0));
    assert!(scratch.0.join("shop.fulmar").is_file() && !scratch.0.join("shop.fulmar.part").exists());

    let other = Scratch::new();
    std::fs::copy(scratch.0.join("shop.fulmar"), other.0.join("shop.fulmar")).unwrap();
    let restored = run(&other, &["restore", "shop.fulmar"]);
    assert_eq!(restored.status.code(), Some(0), "{restored:?}");
    let list: Vec<Value> = serde_json::from_slice(&run(&other, &["user", "list", "--json"]).stdout).unwrap();
    assert_eq!(list[0]["email"], "ada@example.com");
}

#[test]
fn serving_tells_prometheus_and_ends_when_told() {
    let scratch = Scratch::new();
    let (mut child, address) = serve(&scratch);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = runtime.block_on(async {
        let client = http_client();
        for path in ["/healthz", "/readyz"] {
            assert_eq!(client.get(format!("{address}{path}")).send().await.unwrap().status(), 200, "{path}");
        }
        client.get(format!("{address}/metrics")).send().await.unwrap().text().await.unwrap()
    });
    for name in ["fulmar_http_request_seconds_bucket", "fulmar_jobs_waiting", "fulmar_events_pending"] {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

fn http_client() -> reqwest::Client {
    fulmar::outside::install_tls();
    reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

async fn prepare(scratch: &Scratch) -> String {
    let config = Config { database_url: scratch.database(), ..Config::default() };
    let ctx = program::open(&config, db::Clock::System).await.unwrap();
    shop::open(&ctx.db, 1_000_000).await;
    let key = cmd::key::create(&ctx, "test", vec!["orders:*".into()]).await.unwrap().key;
    cmd::close(ctx).await.unwrap();
    key
}

/// Sixteen customers order without a pause until the server is gone; what each was told is in the ids.
async fn order_until_gone(address: &str, key: &str) -> HashSet<String> {
    let mut running = tokio::task::JoinSet::new();
    for n in 0..16 {
        let (address, key) = (address.to_owned(), key.to_owned());
        running.spawn(async move {
            let client = http_client();
            let mut placed = Vec::new();
            for i in 0.. {
                let body = shop::order(&format!("c{n}-{i}"), &[("TEE", 1)]);
                let request = client.post(format!("{address}/v1/orders")).bearer_auth(&key).json(&body);
                let Ok(answer) = request.send().await else { break };
                let status = answer.status();
                // An answer that broke off promised nothing.
                let Ok(text) = answer.text().await else { break };
                assert_eq!(status, 201, "{text}");
                let body: Value = serde_json::from_str(&text).unwrap();
                placed.push(body["id"].as_str().unwrap().to_owned());
            }
            placed
        });
    }
    running.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_before_the_end_is_there_after_it() {
    let scratch = Scratch::new();
    let key = prepare(&scratch).await;
    let (mut child, address) = serve(&scratch);
    let customers = tokio::spawn({
        let (address, key) = (address.clone(), key.clone());
        async move { order_until_gone(&address, &key).await }
    });
    tokio::time::sleep(Duration::from_millis(800)).await;
    terminate(&child);
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(status.success(), "{status}");
    let told = customers.await.unwrap();
    assert!(!told.is_empty());
    check_after(&scratch.database(), &told).await;
}

async fn check_after(url: &str, told: &HashSet<String>) {
    let db = Db::open(url, Options::default()).await.unwrap();
    let ids: Vec<i64> = db.read().column("SELECT id FROM orders", []).await.unwrap();
    let there: HashSet<String> = ids.into_iter().map(|id| orders::OrderId(id).to_string()).collect();
    let lost: Vec<&String> = told.difference(&there).collect();
    assert!(lost.is_empty(), "{} of {} orders are lost: {lost:?}", lost.len(), told.len());
    let leases: Option<i64> = db.read().scalar("SELECT COUNT(*) FROM node_lease", []).await.unwrap();
    assert_eq!(leases, Some(1), "only this test holds a node number: the server gave its own back");
    let verdicts = verify::verify(&db, &slices::laws()).await.unwrap();
    assert!(verdicts.iter().all(|v| v.holds), "{verdicts:#?}");
}
