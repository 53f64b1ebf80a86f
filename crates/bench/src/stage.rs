//! Where a workload runs: a database with the shop in it, its twin for the floors, and the server on it. Invariant: everything it made is
//! gone when it ends.

use crate::server::{self, Ran, Server};
use crate::shop::{self, HOT, Shop};
use crate::{Key, Program};
use db::{Clock, Db};
use kernel::{Actor, Fault};
use std::path::PathBuf;

/// The stage.
pub struct Stage {
    /// The database, opened in this process too.
    pub db: Db,
    /// `sqlite` or `postgres`.
    pub name: &'static str,
    /// URL of the twin.
    pub twin: String,
    /// The API key.
    pub key: Key,
    /// The shop in it.
    pub shop: Shop,
    program: Program,
    server: Option<Server>,
    runs: usize,
    quiet: bool,
    kept: bool,
    made: Made,
}

/// What is to be removed.
enum Made {
    Files(Vec<PathBuf>),
    Schemas {
        url: String,
        names: Vec<String>,
    },
    /// Nothing but the API key: the database was there.
    Key,
}

/// Which database.
#[derive(Debug, Clone)]
pub enum Where {
    /// Files in this folder.
    Sqlite(PathBuf),
    /// Schemas of their own on this server.
    Postgres(String),
}

impl Stage {
    /// Sets it up: shop, twin, key; no server yet.
    ///
    /// # Errors
    /// Faults of the databases.
    pub async fn open(program: &Program, place: &Where, quiet: bool) -> Result<Self, Fault> {
        let mut stage = Self::empty(program, place, quiet).await?;
        stage.shop = shop::open(&stage.db, 0).await?;
        stage.key = (program.api_key)(stage.db.clone(), "*").await?;
        let mut base = Vec::new();
        db::backup::backup(&stage.db, &mut base).await?;
        let copy = Db::open(&stage.twin, (program.options)(2, Clock::System)).await?;
        db::backup::restore(&copy, base.as_slice()).await?;
        copy.close().await?;
        Ok(stage)
    }
    /// A database with nothing in it.
    ///
    /// # Errors
    /// Faults of the databases.
    pub async fn empty(program: &Program, place: &Where, quiet: bool) -> Result<Self, Fault> {
        let run = format!("fulmar_bench_{:08x}", rand::random::<u32>());
        let twin_run = format!("{run}_twin");
        let (url, twin, name, made) = match place {
            Where::Sqlite(dir) => {
                let files = [dir.join(format!("{run}.db")), dir.join(format!("{twin_run}.db"))];
                let urls = files.each_ref().map(|f| format!("sqlite:{}", f.display()));
                let [url, twin] = urls;
                (url, twin, "sqlite", Made::Files(files.into()))
            }
            Where::Postgres(base) => {
                for schema in [&run, &twin_run] {
                    on_server(base, &format!("CREATE SCHEMA {schema}")).await?;
                }
                let joint = if base.contains('?') { '&' } else { '?' };
                let of = |schema: &str| format!("{base}{joint}options=-c%20search_path%3D{schema}");
                (
                    of(&run),
                    of(&twin_run),
                    "postgres",
                    Made::Schemas { url: base.clone(), names: vec![run, twin_run] },
                )
            }
        };
        let db = Db::open(&url, (program.options)(8, Clock::System)).await?;
        let mut stage = Self::on(program, db, name, made, quiet);
        stage.twin = twin;
        Ok(stage)
    }
    fn on(program: &Program, db: Db, name: &'static str, made: Made, quiet: bool) -> Self {
        let shop = Shop { warehouse: inventory::LocationId(0) };
        let (twin, key, program) = (String::new(), Key::default(), program.clone());
        Self { db, name, twin, key, shop, program, server: None, runs: 0, quiet, kept: false, made }
    }
    /// A database that is there, to be read as it is.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn there(program: &Program, url: &str, quiet: bool) -> Result<Self, Fault> {
        let db = Db::open(url, (program.options)(8, Clock::System)).await?;
        let name = if url.starts_with("sqlite:") { "sqlite" } else { "postgres" };
        let mut stage = Self::on(program, db, name, Made::Key, quiet);
        stage.key = (program.api_key)(stage.db.clone(), "orders:read").await?;
        Ok(stage)
    }
    /// Starts the server.
    ///
    /// # Errors
    /// A fault when it does not come up.
    pub async fn serve(&mut self) -> Result<(), Fault> {
        self.server = Some(Server::start(&self.program.exe, self.db.url()).await?);
        Ok(())
    }
    /// Stops the server, if it runs.
    ///
    /// # Errors
    /// A fault when it ended badly.
    pub fn rest(&mut self) -> Result<(), Fault> {
        self.server.take().map_or(Ok(()), Server::stop)
    }
    /// The running server.
    ///
    /// # Errors
    /// A fault when there is none.
    pub fn server(&self) -> Result<&Server, Fault> {
        self.server.as_ref().ok_or_else(|| Fault::broken("the server does not run"))
    }
    /// A name for the orders of a round that no other has.
    pub fn series(&mut self, name: &str) -> String {
        self.runs += 1;
        format!("{name}{}", self.runs)
    }
    /// Puts so many units of the hot SKU there; how many are free then.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn stock_hot(&self, units: i64) -> Result<i64, Fault> {
        let sku: Option<catalog::SkuId> =
            self.db.read().scalar("SELECT id FROM sku WHERE code = $1", [HOT.into()]).await?;
        let sku = sku.ok_or_else(|| Fault::broken("the shop has no hot SKU"))?;
        let receipt = inventory::Receive {
            at: self.db.now(),
            sku,
            location: self.shop.warehouse,
            quantity: units,
            unit_cost: 700,
            reference: None,
        };
        db::write!(self.db, &Actor::system("bench"), |tx| {
            let done = inventory::receive(tx, std::slice::from_ref(&receipt)).await?;
            done.into_iter().try_for_each(|r| r.map_err(shop::refused).map(drop))
        })?;
        let text = "SELECT CAST(SUM(available) AS BIGINT) FROM stock WHERE sku_id = $1";
        Ok(self.db.read().scalar(text, [sku.into()]).await?.unwrap_or(0))
    }
    /// Orders in the database.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn orders(&self) -> Result<u64, Fault> {
        let n: Option<i64> = self.db.read().scalar("SELECT COUNT(*) FROM orders", []).await?;
        Ok(u64::try_from(n.unwrap_or(0))?)
    }
    /// Says on standard error how far it is.
    pub fn progress(&self, text: &str) {
        if !self.quiet {
            eprintln!("  {}: {text}", self.name);
        }
    }
    /// Lets PostgreSQL do at once what its autovacuum does in the course of a year of orders.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn settle(&self) -> Result<(), Fault> {
        match self.db.backend() {
            db::Backend::Sqlite => Ok(()),
            db::Backend::Postgres => on_server(self.db.url(), "VACUUM ANALYZE").await,
        }
    }
    /// Runs a command of the program on the database.
    ///
    /// # Errors
    /// A fault when it failed.
    pub async fn command(&self, args: &[&str]) -> Result<Ran, Fault> {
        server::command(&self.program.exe, self.db.url(), args).await
    }
    /// A folder for files.
    pub fn dir(&self) -> PathBuf {
        match &self.made {
            Made::Files(files) => files.first().and_then(|f| f.parent()).map(PathBuf::from),
            Made::Schemas { .. } | Made::Key => None,
        }
        .unwrap_or_else(std::env::temp_dir)
    }
    /// Leaves what was made where it is, and says where.
    pub fn keep(&mut self) {
        eprintln!("  {}: kept as {}", self.name, self.db.url());
        self.kept = true;
    }
    /// Checks every law.
    ///
    /// # Errors
    /// A fault when one is broken.
    pub async fn verify(&self) -> Result<(), Fault> {
        match (self.program.broken_laws)(self.db.clone()).await? {
            0 => Ok(()),
            n => Err(Fault::broken(format!("{n} laws are broken after the load"))),
        }
    }
    /// Ends it: server, databases, files.
    ///
    /// # Errors
    /// Faults of the databases.
    pub async fn close(mut self) -> Result<(), Fault> {
        self.rest()?;
        if let Made::Key = self.made {
            self.command(&["key", "revoke", &self.key.id]).await?;
        }
        self.db.close().await?;
        match self.made {
            _ if self.kept => {}
            Made::Key => {}
            Made::Files(files) => {
                for file in files {
                    for suffix in ["", "-wal", "-shm"] {
                        match std::fs::remove_file(format!("{}{suffix}", file.display())) {
                            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                            _ => {}
                        }
                    }
                }
            }
            Made::Schemas { url, names } => {
                for name in names {
                    on_server(&url, &format!("DROP SCHEMA {name} CASCADE")).await?;
                }
            }
        }
        Ok(())
    }
}

async fn on_server(url: &str, text: &str) -> Result<(), Fault> {
    db::Session::connect(url).await?.script(text).await
}
