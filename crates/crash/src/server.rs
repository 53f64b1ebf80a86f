//! The binary under test as child processes. Invariants: it sees no configuration of its surroundings; it never outlives the driver's
//! handle to it.

use crate::Stopped;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A start that takes longer is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the binary is run.
#[derive(Debug, Clone)]
pub struct Binary {
    pub program: PathBuf,
    pub url: String,
    /// Working directory, and where logs go.
    pub folder: PathBuf,
}

/// A serving process.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// As `http://127.0.0.1:1234`.
    pub address: String,
    /// From its start until it said its address.
    pub ready: Duration,
    /// When it was started.
    pub began: Instant,
}

impl Binary {
    fn command(&self, program: &Path, args: &[&str]) -> Result<Command, Stopped> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FULMAR_") {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .current_dir(&self.folder)
            .env("DATABASE_URL", &self.url)
            .env("FULMAR_LISTEN", "127.0.0.1:0")
            .env("FULMAR_OWNER_PASSWORD", "nobody signs in here")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }
    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Starts `fulmar serve` without waiting for it. `limit`: no file may grow beyond so many bytes.
    pub fn spawn(&self, limit: Option<u64>) -> Result<Child, Stopped> {
        let mut command = match limit {
            None => self.command(&self.program, &["serve"])?,
            Some(bytes) => {
                // POSIX counts in blocks of 512 bytes. The signal is ignored, so that a write fails as on a full disk.
                let script = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
                let program = self.program.to_string_lossy();
                let blocks = (bytes / 512).to_string();
                self.command(Path::new("sh"), &["-c", script, &blocks, &program, "serve"])?
            }
        };
        Ok(command.spawn()?)
    }

    /// Starts `fulmar serve` and waits until it says its address.
    ///
    /// # Errors
    /// When it does not within a minute; the message names its log.
    pub async fn serve(&self, limit: Option<u64>) -> Result<Server, Stopped> {
        let began = Instant::now();
        let mut child = self.spawn(limit)?;
        let reading = async {
            let mut lines = BufReader::new(child.stdout.take()?).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.starts_with("Fulmar") {
                    return line.split_whitespace().last().map(str::to_owned);
                }
            }
            None
        };
        let said = tokio::time::timeout(PATIENCE, reading).await.ok().flatten();
        match said {
            Some(address) => Ok(Server { child, address, ready: began.elapsed(), began }),
            None => {
                child.start_kill().unwrap_or_default();
                let ended = child.wait().await?;
                Err(Stopped::Failed(format!("the server did not start ({ended}): {}", self.last_words())))
            }
        }
    }

    /// The end of the log.
    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }

    async fn run(&self, args: &[&str]) -> Result<(i32, String), Stopped> {
        let output = self.command(&self.program, args)?.output().await?;
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// Makes an API key for everything; this also lays the schema.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn key(&self) -> Result<String, Stopped> {
        let (code, said) =
            self.run(&["key", "create", "--name", "torture", "--scopes", "*", "--json"]).await?;
        let key = serde_json::from_str::<serde_json::Value>(&said).ok();
        let key = key.and_then(|made| made["key"].as_str().map(str::to_owned));
        key.ok_or_else(|| Stopped::Failed(format!("no API key (exit code {code}): {}", self.last_words())))
    }

    /// Runs `fulmar verify`: the laws that are broken, each with its first offender.
    ///
    /// # Errors
    /// When it cannot be run to its end.
    pub async fn verify(&self) -> Result<Vec<String>, Stopped> {
        let (code, said) = self.run(&["verify", "--json"]).await?;
        let verdicts: Vec<serde_json::Value> = serde_json::from_str(&said)
            .map_err(|e| Stopped::Failed(format!("verify ended with {code} ({e}): {}", self.last_words())))?;
        let broken = verdicts.iter().filter(|v| v["holds"] != true);
        Ok(broken.map(|v| format!("{}: {}", v["law"], v["offenders"][0])).collect())
    }
}

impl Server {
    /// SIGKILL, and waits for the end.
    pub async fn kill(&mut self) -> Result<(), Stopped> {
        Ok(self.child.kill().await?)
    }
    /// Whether it ended by itself.
    pub fn ended(&mut self) -> Result<Option<String>, Stopped> {
        Ok(self.child.try_wait()?.map(|status| status.to_string()))
    }
}
