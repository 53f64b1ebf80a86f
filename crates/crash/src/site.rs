//! Where a series of rounds happens: a folder, a database in it, the disk under it. Invariant: everything in it goes away with it, except
//! logs that somebody has to read.

use crate::disk::SmallDisk;
use crate::postgres::{Binaries, Cluster, is_root};
use crate::server::Binary;
use crate::{Database, Kind, Plan, Stopped};
use std::path::{Path, PathBuf};

/// Megabytes of the disk that is filled: room for the database of a series.
const SQLITE_MB: u64 = 192;
const POSTGRES_MB: u64 = 384;

/// How the disk gets full.
#[derive(Debug)]
pub enum Space {
    /// It does not.
    Plenty,
    /// A small file system with ballast.
    Small(SmallDisk),
    /// No file of the server may grow beyond a limit that it is started with.
    Limited,
}

/// A place for a series of rounds.
#[derive(Debug)]
pub struct Site {
    // In the order in which they go: the cluster before the disk it lies on.
    pub cluster: Option<Cluster>,
    pub space: Space,
    pub binary: Binary,
    folder: Folder,
}

/// Whether a failure can be caused on this machine.
///
/// # Errors
/// Why not, and the way out.
pub fn possible(database: &Database, kind: Kind) -> Result<(), Stopped> {
    let cannot = |why: &str| Err(Stopped::Cannot(why.to_owned()));
    match (database, kind) {
        (Database::Sqlite, Kind::Postgres) => {
            cannot("SQLite has no server to kill: use --database postgres with --kind postgres")
        }
        (Database::Url(_), Kind::Postgres | Kind::DiskFull) => cannot(
            "a database given by its URL is not ours to kill or to fill up: use --kind server, or --database sqlite or postgres",
        ),
        (Database::Postgres, Kind::DiskFull) if !is_root() => cannot(
            "filling the disk under PostgreSQL needs a small file system, which only root may mount: run as root, or use --kind server, --kind postgres or --database sqlite",
        ),
        (Database::Postgres, _) => Binaries::find().map(drop),
        _ => Ok(()),
    }
}

impl Site {
    /// Makes a place.
    ///
    /// # Errors
    /// When the database or the disk cannot be had.
    pub async fn new(plan: &Plan, kind: Kind) -> Result<Self, Stopped> {
        let folder = Folder::new(kind)?;
        let disk = folder.path.join("disk");
        std::fs::create_dir(&disk)?;
        let space = match (kind, &plan.database) {
            (Kind::DiskFull, Database::Postgres) => {
                let mounted = SmallDisk::mount(&disk, POSTGRES_MB);
                Space::Small(mounted.map_err(|e| {
                    Stopped::Cannot(format!("a small file system cannot be mounted here ({e}): use --kind server or --kind postgres"))
                })?)
            }
            (Kind::DiskFull, _) => SmallDisk::mount(&disk, SQLITE_MB).map_or(Space::Limited, Space::Small),
            _ => Space::Plenty,
        };
        let cluster = match &plan.database {
            Database::Postgres => {
                Some(Cluster::create(Binaries::find()?, &disk, folder.path.join("postgres.log")).await?)
            }
            _ => None,
        };
        let url = match (&plan.database, &cluster) {
            (Database::Url(url), _) => url.clone(),
            (_, Some(cluster)) => cluster.url(),
            _ => format!("sqlite:{}", disk.join("shop.db").display()),
        };
        let binary = Binary { program: plan.program.clone(), url, folder: folder.path.clone() };
        Ok(Self { cluster, space, binary, folder })
    }

    /// The size of the largest file of SQLite, bytes.
    pub fn largest_file(&self) -> Result<u64, Stopped> {
        let files = std::fs::read_dir(self.folder.path.join("disk"))?;
        let sizes: Result<Vec<u64>, std::io::Error> = files.map(|f| Ok(f?.metadata()?.len())).collect();
        Ok(sizes?.into_iter().max().unwrap_or_default())
    }

    /// Leaves the logs where they are; where that is.
    pub fn keep(mut self) -> PathBuf {
        self.folder.keep = true;
        self.folder.path.clone()
    }
}

/// A folder that goes away.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn new(kind: Kind) -> Result<Self, Stopped> {
        let name = format!("fulmar-torture-{}-{kind}-{:08x}", std::process::id(), rand::random::<u32>());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self { path: path.canonicalize()?, keep: false })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let gone = |path: &Path| {
            if let Err(e) = std::fs::remove_dir_all(path) {
                eprintln!("{} cannot be removed: {e}", path.display());
            }
        };
        match self.keep {
            true => gone(&self.path.join("disk")),
            false => gone(&self.path),
        }
    }
}
