//! The program under load: a process of its own, so that its processor time and memory are its own. Invariant: it ends with the value.

use kernel::Fault;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks of /proc in a second; 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// A running `fulmar serve`.
pub struct Server {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process until it answered.
    pub start_up: Duration,
}

impl Server {
    /// Starts it on a database and a free port.
    ///
    /// # Errors
    /// A fault when it does not come up.
    pub async fn start(exe: &Path, database: &str) -> Result<Self, Fault> {
        let began = Instant::now();
        let mut process = Command::new(exe)
            .args(["--json", "serve"])
            .env("DATABASE_URL", database)
            .env("FULMAR_LISTEN", "127.0.0.1:0")
            .env("FULMAR_LOG__FILTER", "warn")
            .env("FULMAR_CONNECTIONS", "32")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = process.stdout.take().ok_or_else(|| Fault::broken("the server has no output"))?;
        let address = tokio::task::spawn_blocking(move || address(BufReader::new(out))).await??;
        let mut server = Self { process, address, start_up: Duration::ZERO };
        let mut client = crate::client::Client::connect(address, "none").await?;
        client.get("/healthz").await?;
        server.start_up = began.elapsed();
        Ok(server)
    }
    /// Processor seconds so far.
    ///
    /// # Errors
    /// A fault where there is no /proc.
    pub fn cpu_seconds(&self) -> Result<f64, Fault> {
        cpu_seconds(&self.process.id().to_string())
    }
    /// Resident memory in MB (10⁶ bytes).
    ///
    /// # Errors
    /// A fault where there is no /proc.
    pub fn rss_mb(&self) -> Result<f64, Fault> {
        rss_mb(&self.process.id().to_string())
    }
    /// Stops it in order.
    ///
    /// # Errors
    /// A fault when it ended badly.
    pub fn stop(mut self) -> Result<(), Fault> {
        Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status()?;
        match self.process.wait()? {
            status if status.success() => Ok(()),
            status => Err(Fault::broken(format!("the server ended with {status}"))),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing to be done when it has gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How a command of the program went.
pub struct Ran {
    /// How long it took, from the start of the process to its end.
    pub took: Duration,
    /// Processor seconds.
    pub cpu_seconds: f64,
    /// The most memory it had, in MB.
    pub peak_mb: f64,
}

/// How often a running command is looked at: what it used is only known while it runs.
const LOOK: Duration = Duration::from_millis(20);

/// Runs a command of the program on a database to its end.
///
/// # Errors
/// A fault with what it said when it failed.
pub async fn command(exe: &Path, database: &str, args: &[&str]) -> Result<Ran, Fault> {
    let began = Instant::now();
    let mut process = Command::new(exe)
        .args(args)
        .env("DATABASE_URL", database)
        .env("FULMAR_LOG__FILTER", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let (mut peak_mb, mut cpu) = (0.0, 0.0);
    let id = process.id().to_string();
    let status = loop {
        if let Some(status) = process.try_wait()? {
            break status;
        }
        // It may have ended since.
        peak_mb = memory_mb(&id, "VmHWM:").unwrap_or(peak_mb);
        cpu = cpu_seconds(&id).unwrap_or(cpu);
        tokio::time::sleep(LOOK).await;
    };
    match status.success() {
        true => Ok(Ran { took: began.elapsed(), cpu_seconds: cpu, peak_mb }),
        false => Err(Fault::broken(format!("`fulmar {}` ended with {status}", args.join(" ")))),
    }
}

fn cpu_seconds(process: &str) -> Result<f64, Fault> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// Resident memory of a process (`self` is this one), in MB.
///
/// # Errors
/// A fault where there is no /proc.
pub fn rss_mb(process: &str) -> Result<f64, Fault> {
    memory_mb(process, "VmRSS:")
}

fn memory_mb(process: &str, what: &str) -> Result<f64, Fault> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kib: f64 = line.and_then(|l| l.split_whitespace().next()).unwrap_or_default().parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// The address in the JSON the server prints first.
fn address(mut out: impl BufRead) -> Result<SocketAddr, Fault> {
    let mut said = String::new();
    while out.read_line(&mut said)? > 0 {
        if let Ok(welcome) = serde_json::from_str::<serde_json::Value>(&said) {
            let url = welcome["address"].as_str().unwrap_or_default();
            return Ok(url.trim_start_matches("http://").parse()?);
        }
    }
    Err(Fault::broken("the server ended before it said where it listens"))
}
