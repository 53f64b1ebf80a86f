//! A throw-away PostgreSQL. Invariant: it never outlives the chore that started it, however that chore ends.
//!
//! The server is started and stopped by a second process of this program, the *keeper*, which sits in a process group of its
//! own (ctrl-c does not reach it) and reads a pipe whose other end only the chore holds. When the chore ends (return, panic,
//! ctrl-c, even SIGKILL) the pipe closes, and the keeper stops the server and removes its files.

use crate::run::{Done, on_path, output, root};
use crate::tools::is_root;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The hidden chore that is the keeper.
pub const KEEPER: &str = "postgres-keeper";

/// The variable the tests read; without it they run on SQLite alone.
pub const VARIABLE: &str = "FULMAR_TEST_POSTGRES";

/// The oldest release we support.
const OLDEST: u32 = 15;

/// A running server. Dropping it stops it and removes its files.
pub struct Server {
    keeper: Child,
    port: u16,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1 with an empty cluster.
    ///
    /// # Errors
    /// When PostgreSQL is missing or too old, or does not start; the message ends with its log.
    pub fn start() -> Done<Server> {
        let me = std::env::current_exe().map_err(|e| format!("cannot find my own program: {e}"))?;
        let mut keeper = Command::new(me)
            .args([KEEPER, &std::process::id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|e| format!("cannot start the keeper of PostgreSQL: {e}"))?;
        let mut line = String::new();
        if let Some(said) = keeper.stdout.take() {
            // An unreadable line is the same as none: the keeper failed and said why on standard error.
            BufReader::new(said).read_line(&mut line).unwrap_or_default();
        }
        match line.trim().parse() {
            Ok(port) => Ok(Server { keeper, port }),
            Err(_) => {
                drop(keeper.stdin.take());
                let ended = keeper.wait().map_or_else(|e| e.to_string(), |status| status.to_string());
                Err(format!("PostgreSQL did not start (keeper: {ended}); see above"))
            }
        }
    }

    /// The address of the database that is always there.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(e) = self.keeper.wait() {
            eprintln!("the keeper of PostgreSQL cannot be waited for: {e}");
        }
    }
}

/// `cargo xtask postgres`: serves until the process is ended.
///
/// # Errors
/// When the server does not start.
pub fn foreground() -> Done {
    let server = Server::start()?;
    println!("{VARIABLE}={}", server.url());
    println!("ctrl-c stops it and removes its files");
    loop {
        std::thread::park();
    }
}

/// `cargo xtask with-postgres CMD…`: runs a command with the variable set, in the current directory.
///
/// # Errors
/// When there is no command, the server does not start or the command fails.
pub fn with_postgres(words: &[String]) -> Done {
    let (program, args) = words.split_first().ok_or("with-postgres needs a command to run")?;
    let server = Server::start()?;
    let status = Command::new(program)
        .args(args)
        .env(VARIABLE, server.url())
        .status()
        .map_err(|e| format!("`{program}` cannot be run: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{program}` ended with {status}")) }
}

/// The keeper: starts the server, prints its port, waits for the end of its input, stops the server.
///
/// # Errors
/// When the server cannot be started; nothing is left on disk.
pub fn keep(args: &[String]) -> Done {
    let name = args.first().ok_or("the keeper is told the id of the process it works for")?;
    let binaries = Binaries::find()?;
    let shelf = root().join("target").join("postgres");
    sweep(&binaries, &shelf);
    let cluster = Cluster::create(binaries, &shelf, name)?;
    let port = cluster.start()?;
    // The chore may be gone already: then the next read ends at once and the server is stopped.
    writeln!(std::io::stdout(), "{port}").unwrap_or_default();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap_or_default();
    Ok(())
}

/// PostgreSQL's programs, which Debian does not put on the search path.
pub struct Binaries {
    folder: PathBuf,
    /// User and group to run as: PostgreSQL refuses root.
    run_as: Option<(u32, u32)>,
}

impl Binaries {
    /// Looks on the search path and in Debian's folders, the newest release first.
    ///
    /// # Errors
    /// When there is none, it is too old, or we are root and there is no user `postgres`.
    pub fn find() -> Done<Binaries> {
        let on_path = on_path("pg_ctl").and_then(|file| file.parent().map(Path::to_path_buf));
        let folder = debian()
            .into_iter()
            .chain(on_path)
            .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
            .ok_or_else(|| format!("PostgreSQL {OLDEST} or newer is not installed"))?;
        let said = output(Command::new(folder.join("initdb")).arg("--version"))?;
        if release(&said).is_none_or(|found| found < OLDEST) {
            return Err(format!("PostgreSQL {OLDEST} or newer is needed; found {}", said.trim()));
        }
        let run_as = if is_root() { Some((id_of_postgres("-u")?, id_of_postgres("-g")?)) } else { None };
        Ok(Binaries { folder, run_as })
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.run_as {
            command.uid(user).gid(group);
        }
        command.current_dir("/");
        command
    }

    fn stop(&self, data: &Path) {
        // Immediate: nothing in it is worth a checkpoint. An error means that it does not run, which is what we want.
        let mut stop = self.command(self.folder.join("pg_ctl"));
        output(stop.args(["-D"]).arg(data).args(["-m", "immediate", "-w", "-s", "stop"])).unwrap_or_default();
    }
}

/// A cluster's files. Dropping it stops its server and removes them.
struct Cluster {
    binaries: Binaries,
    folder: PathBuf,
}

impl Cluster {
    fn create(binaries: Binaries, shelf: &Path, name: &str) -> Done<Cluster> {
        let folder = shelf.join(name);
        let cluster = Cluster { binaries, folder };
        cluster.make_folder()?;
        if cluster.reachable() {
            return cluster.initialise();
        }
        // The repository lies where the user `postgres` may not go, such as /root.
        let folder = std::env::temp_dir().join(format!("fulmar-postgres-{name}"));
        let binaries = Binaries { folder: cluster.binaries.folder.clone(), run_as: cluster.binaries.run_as };
        drop(cluster);
        let cluster = Cluster { binaries, folder };
        cluster.make_folder()?;
        cluster.initialise()
    }

    fn make_folder(&self) -> Done {
        let fail = |e| format!("{} cannot be made: {e}", self.folder.display());
        std::fs::create_dir_all(&self.folder).map_err(fail)?;
        match self.binaries.run_as {
            Some((user, group)) => chown(&self.folder, Some(user), Some(group)).map_err(fail),
            None => Ok(()),
        }
    }

    fn reachable(&self) -> bool {
        output(self.binaries.command("test").arg("-w").arg(&self.folder)).is_ok()
    }

    fn initialise(self) -> Done<Cluster> {
        let mut initdb = self.binaries.command(self.binaries.folder.join("initdb"));
        output(initdb.arg("-D").arg(self.data()).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]))?;
        Ok(self)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn start(&self) -> Done<u16> {
        let mut why = String::new();
        // Between choosing a free port and listening on it somebody else may take it.
        for _ in 0..3 {
            let port = free_port()?;
            // No socket file: a socket's path may have 107 bytes, and nobody needs one here.
            let options = format!(
                "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200"
            );
            let mut start = self.binaries.command(self.binaries.folder.join("pg_ctl"));
            start.arg("-D").arg(self.data()).arg("-l").arg(self.log());
            match output(start.args(["-w", "-s", "-o", &options, "start"])) {
                Ok(_) => return Ok(port),
                Err(e) => why = e,
            }
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        Err(format!("{why}\n{}", lines[lines.len().saturating_sub(20)..].join("\n")))
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.data().is_dir() {
            self.binaries.stop(&self.data());
        }
        if let Err(e) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("{} cannot be removed: {e}", self.folder.display());
        }
    }
}

/// Stops and removes what a keeper left that was itself killed: folders named after processes that are gone.
fn sweep(binaries: &Binaries, shelf: &Path) {
    for entry in std::fs::read_dir(shelf).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if output(Command::new("kill").arg("-0").arg(&name)).is_ok() {
            continue;
        }
        binaries.stop(&entry.path().join("data"));
        // A keeper that is just finishing may be faster: gone is gone.
        std::fs::remove_dir_all(entry.path()).unwrap_or_default();
    }
}

fn free_port() -> Done<u16> {
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).map_err(|e| format!("no free port on 127.0.0.1: {e}"))
}

fn debian() -> Vec<PathBuf> {
    let releases = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = releases
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

fn id_of_postgres(which: &str) -> Done<u32> {
    let said = output(Command::new("id").args([which, "postgres"]))
        .map_err(|e| format!("PostgreSQL refuses to run as root and there is no user `postgres`: {e}"))?;
    said.trim().parse().map_err(|e| format!("`id {which} postgres` said {said:?}: {e}"))
}

/// The release in `initdb (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn release(said: &str) -> Option<u32> {
    let after = said.split(") ").nth(1)?;
    after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_release() {
        assert_eq!(release("initdb (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(release("initdb (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(release("initdb"), None);
    }

    #[test]
    fn a_free_port_can_be_listened_on() {
        let port = free_port().unwrap();
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok());
    }
}
