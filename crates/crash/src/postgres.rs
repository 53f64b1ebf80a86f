//! A throw-away PostgreSQL that is meant to be killed. Invariants: it keeps its defaults of durability; it runs as an unprivileged user;
//! it is stopped when dropped.

use crate::Stopped;
use std::fs::OpenOptions;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Child;

const PATIENCE: Duration = Duration::from_secs(60);
const OPTIONS: &[&str] =
    &["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=60", "max_wal_size=64MB"];

/// PostgreSQL's programs, and as whom they run.
#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
    run_as: Option<(u32, u32)>,
}

impl Binaries {
    /// Looks in Debian's folders and on the search path.
    ///
    /// # Errors
    /// When there are none, or we are root and there is nobody else to run them as: with the way out.
    pub fn find() -> Result<Self, Stopped> {
        let releases = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut debian: Vec<(u32, PathBuf)> = releases
            .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
            .collect();
        debian.sort();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folder = debian
            .into_iter()
            .rev()
            .map(|(_, folder)| folder)
            .chain(std::env::split_paths(&path))
            .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
            .ok_or_else(|| {
                Stopped::Cannot(
                    "PostgreSQL is not installed here: install it (on Debian, apt-get install postgresql), or use --database sqlite"
                        .to_owned(),
                )
            })?;
        let run_as = match is_root() {
            true => Some((id("-u")?, id("-g")?)),
            false => None,
        };
        Ok(Self { folder, run_as })
    }

    fn command(&self, program: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(self.folder.join(program));
        if let Some((user, group)) = self.run_as {
            command.uid(user).gid(group);
        }
        command.current_dir("/").stdin(Stdio::null()).env_remove("PGDATA").env("LC_ALL", "C");
        command
    }
}

/// A cluster and its server.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    postmaster: Option<Child>,
}

impl Cluster {
    /// Makes an empty cluster in a folder and starts it.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn create(binaries: Binaries, folder: &Path, log: PathBuf) -> Result<Self, Stopped> {
        let data = folder.join("cluster");
        std::fs::create_dir_all(&data)?;
        if let Some((user, group)) = binaries.run_as {
            chown(&data, Some(user), Some(group))?;
        }
        let made = binaries
            .command("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
            .output()
            .await?;
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(Stopped::Cannot(format!(
                "PostgreSQL cannot make a cluster in {} ({}); set TMPDIR to a folder that everybody may enter",
                data.display(),
                why.trim()
            )));
        }
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut cluster = Self { binaries, data, log, port, postmaster: None };
        cluster.start()?;
        cluster.until_ready().await?;
        Ok(cluster)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the server without waiting for it.
    pub fn start(&mut self) -> Result<(), Stopped> {
        let log = || OpenOptions::new().create(true).append(true).open(&self.log);
        let mut command = self.binaries.command("postgres");
        command.arg("-D").arg(&self.data).args(["-p", &self.port.to_string()]);
        for option in OPTIONS {
            command.args(["-c", option]);
        }
        self.postmaster = Some(command.stdout(log()?).stderr(log()?).kill_on_drop(true).spawn()?);
        Ok(())
    }

    /// Starts the server if it has ended by itself, as it does when it cannot write its log; whether it had.
    pub fn start_if_ended(&mut self) -> Result<bool, Stopped> {
        let ended = match &mut self.postmaster {
            Some(child) => child.try_wait()?.is_some(),
            None => true,
        };
        if ended {
            self.start()?;
        }
        Ok(ended)
    }

    /// Waits until it takes connections; starts it again when it ends before that.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub async fn until_ready(&mut self) -> Result<(), Stopped> {
        let began = Instant::now();
        loop {
            let mut ask = self.binaries.command("pg_isready");
            let said = ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status().await?;
            if said.success() {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(Stopped::Failed(format!("PostgreSQL did not start: see {}", self.log.display())));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.start_if_ended()?;
        }
    }

    /// SIGKILL to every process of the server, and waits until they are gone.
    ///
    /// # Errors
    /// When they cannot be listed, or one does not go.
    pub async fn kill(&mut self) -> Result<(), Stopped> {
        let Some(mut postmaster) = self.postmaster.take() else { return Ok(()) };
        let Some(pid) = postmaster.id() else { return Ok(()) };
        // Stopped first, so that it makes no child while its children are listed.
        signal("-STOP", &[pid])?;
        let children = children_of(pid)?;
        signal("-KILL", &children)?;
        signal("-KILL", &[pid])?;
        postmaster.wait().await?;
        let began = Instant::now();
        for child in children {
            while is_alive(child) {
                if began.elapsed() > PATIENCE {
                    return Err(Stopped::Failed(format!("process {child} of PostgreSQL survives SIGKILL")));
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Immediate: nothing in it is worth a checkpoint. An error means that it does not run, which is what we want.
        let mut stop = self.binaries.command("pg_ctl").into_std();
        stop.arg("-D").arg(&self.data).args(["-m", "immediate", "-w", "-s", "stop"]);
        stop.stdout(Stdio::null()).stderr(Stdio::null()).status().map(drop).unwrap_or_default();
    }
}

/// Whether we may do everything.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout.trim_ascii() == b"0")
}

fn id(which: &str) -> Result<u32, Stopped> {
    let said = Command::new("id").args([which, "postgres"]).output()?;
    String::from_utf8_lossy(&said.stdout).trim().parse().map_err(|_| {
        Stopped::Cannot(
            "PostgreSQL refuses to run as root and there is no user postgres: make one (useradd postgres), or run as another user"
                .to_owned(),
        )
    })
}

fn signal(which: &str, pids: &[u32]) -> Result<(), Stopped> {
    if pids.is_empty() {
        return Ok(());
    }
    // One that has just ended is no error.
    Command::new("kill").arg(which).args(pids.iter().map(u32::to_string)).stderr(Stdio::null()).status()?;
    Ok(())
}

fn is_alive(pid: u32) -> bool {
    Command::new("kill")
        .args(["-0", &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn children_of(parent: u32) -> Result<Vec<u32>, Stopped> {
    let said = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output()?;
    Ok(children_in(&String::from_utf8_lossy(&said.stdout), parent))
}

fn children_in(table: &str, parent: u32) -> Vec<u32> {
    let row = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    table.lines().filter_map(row).filter(|(_, of)| *of == parent).map(|(pid, _)| pid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_those_of_this_parent() {
        assert_eq!(children_in("    1     0\n   20    1\n   21   20\n 22 1\n", 1), [20, 22]);
    }
}
