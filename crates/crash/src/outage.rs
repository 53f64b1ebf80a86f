//! The failures themselves. Invariant: an outage ends with everything running again and no client at work, or with an error.

use crate::client::Load;
use crate::round::Series;
use crate::site::{Site, Space};
use crate::{Kind, Stopped};
use rand::Rng;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Problems after which the disk has been full for long enough, or else this time after the first.
const FULL: u64 = 20;
const LINGER: Duration = Duration::from_secs(3);
/// The longest stretch of load before something fails.
const LONGEST: Duration = Duration::from_secs(5);
/// How long a disk may take to get full: SQLite writes over its log again and again before it needs a new page.
const FILLING: Duration = Duration::from_secs(180);
/// How long it may take until orders are acknowledged again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of an outage without end: how long clients go on after the first order was acknowledged again.
const AFTERMATH: Duration = Duration::from_millis(150);

/// How an outage went.
#[derive(Debug, Default)]
pub struct Outage {
    pub ready: Option<Duration>,
    pub recovery: Option<Duration>,
    pub how: Option<String>,
}

impl Series<'_> {
    /// Puts load on, makes things fail, makes them run again.
    pub(crate) async fn outage(&mut self) -> Result<Outage, Stopped> {
        match self.kind {
            Kind::Server => self.server_dies().await,
            Kind::Postgres => self.postgres_dies().await,
            Kind::DiskFull if matches!(self.site.space, Space::Limited) => self.files_are_limited().await,
            Kind::DiskFull => self.disk_is_full().await,
        }
    }

    fn moment(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(from..to))
    }

    /// A random moment under load: after some orders, so that a slow machine has as much to lose as a fast one, and a little longer.
    async fn some_moment(&mut self, load: &Load) {
        let (orders, more) = (self.rng.random_range(0..60), self.moment(0, 150));
        let mut placed = load.placed.subscribe();
        // Without so many in time the moment has come all the same.
        tokio::time::timeout(LONGEST, placed.wait_for(|n| *n >= orders)).await.map(drop).unwrap_or_default();
        tokio::time::sleep(more).await;
    }

    async fn server_dies(&mut self) -> Result<Outage, Stopped> {
        let load = self.load(true)?;
        let running = self.go(&load);
        self.some_moment(&load).await;
        self.server.kill().await?;
        self.come_back(running).await?;
        let mut how = None;
        if self.rng.random_bool(0.2) {
            // The second time while it starts: opening, recovering, migrating.
            let mut child = self.site.binary.spawn(None)?;
            let pause = self.moment(0, 400);
            tokio::time::sleep(pause).await;
            child.kill().await?;
            how = Some(format!("again {} ms after its restart", pause.as_millis()));
        }
        self.serve_again(how).await
    }

    async fn postgres_dies(&mut self) -> Result<Outage, Stopped> {
        let both = self.rng.random_bool(0.3);
        let load = self.load(both)?;
        let running = self.go(&load);
        self.some_moment(&load).await;
        cluster(&mut self.site)?.kill().await?;
        if both {
            self.server.kill().await?;
            self.come_back(running).await?;
            cluster(&mut self.site)?.start()?;
            cluster(&mut self.site)?.until_ready().await?;
            return self.serve_again(Some("the server too".to_owned())).await;
        }
        tokio::time::sleep(self.moment(0, 500)).await;
        let (began, before) = (Instant::now(), *load.placed.borrow());
        cluster(&mut self.site)?.start()?;
        cluster(&mut self.site)?.until_ready().await?;
        let ready = Some(began.elapsed());
        let recovery = self.first_order(&load, began, before).await?;
        tokio::time::sleep(AFTERMATH).await;
        load.stop.store(true, Ordering::Relaxed);
        self.come_back(running).await?;
        Ok(Outage { ready, recovery, how: None })
    }

    async fn disk_is_full(&mut self) -> Result<Outage, Stopped> {
        let restart = self.rng.random_bool(0.5);
        let load = self.load(restart)?;
        let running = self.go(&load);
        self.some_moment(&load).await;
        let leave = self.rng.random_range(0..128) << 10;
        if let Space::Small(disk) = &self.site.space {
            disk.fill(leave)?;
        }
        until_full(&load).await?;
        tokio::time::sleep(self.moment(0, 500)).await;
        if restart {
            self.server.kill().await?;
            self.come_back(running).await?;
            self.make_room()?;
            if let Some(cluster) = &mut self.site.cluster {
                cluster.start_if_ended()?;
                cluster.until_ready().await?;
            }
            return self.serve_again(Some("and the server killed".to_owned())).await;
        }
        let (began, before) = (Instant::now(), *load.placed.borrow());
        self.make_room()?;
        let recovery = self.first_order(&load, began, before).await?;
        tokio::time::sleep(AFTERMATH).await;
        load.stop.store(true, Ordering::Relaxed);
        self.come_back(running).await?;
        Ok(Outage { ready: None, recovery, how: None })
    }

    fn make_room(&self) -> Result<(), Stopped> {
        match &self.site.space {
            Space::Small(disk) => disk.free(),
            Space::Plenty | Space::Limited => Ok(()),
        }
    }

    /// Without the right to mount a file system: no file of the server may grow, which SQLite meets as a failing write.
    async fn files_are_limited(&mut self) -> Result<Outage, Stopped> {
        self.server.kill().await?;
        let room = self.rng.random_range(256..1024) << 10;
        self.server = self.site.binary.serve(Some(self.site.largest_file()? + room)).await?;
        let load = self.load(true)?;
        let running = self.go(&load);
        until_full(&load).await?;
        tokio::time::sleep(self.moment(0, 500)).await;
        self.server.kill().await?;
        self.come_back(running).await?;
        self.serve_again(Some(
            "by a limit on the size of files: no file system can be mounted here".to_owned(),
        ))
        .await
    }

    /// Starts the server and lets every client place one order at once.
    async fn serve_again(&mut self, how: Option<String>) -> Result<Outage, Stopped> {
        self.server = self.site.binary.serve(None).await?;
        let load = self.load(false)?;
        let clients = std::mem::take(&mut self.clients);
        let mut running = tokio::task::JoinSet::new();
        for client in clients {
            running.spawn(client.place_one(Arc::clone(&load)));
        }
        let recovery = self.first_order(&load, self.server.began, 0).await?;
        if recovery.is_none() {
            load.stop.store(true, Ordering::Relaxed);
        }
        self.come_back(running).await?;
        Ok(Outage { ready: Some(self.server.ready), recovery, how })
    }

    /// From `began` until more than `before` orders are acknowledged; none when that takes too long. Meanwhile a PostgreSQL that ends by
    /// itself is started again.
    async fn first_order(
        &mut self,
        load: &Load,
        began: Instant,
        before: u64,
    ) -> Result<Option<Duration>, Stopped> {
        let mut placed = load.placed.subscribe();
        let wait = Instant::now();
        loop {
            if *placed.borrow_and_update() > before {
                return Ok(Some(began.elapsed()));
            }
            if wait.elapsed() > PATIENCE {
                return Ok(None);
            }
            if tokio::time::timeout(Duration::from_millis(100), placed.changed()).await.is_err()
                && let Some(cluster) = &mut self.site.cluster
            {
                cluster.start_if_ended()?;
            }
        }
    }
}

fn cluster(site: &mut Site) -> Result<&mut crate::postgres::Cluster, Stopped> {
    site.cluster.as_mut().ok_or_else(|| Stopped::Failed("there is no PostgreSQL of ours here".to_owned()))
}

/// Waits until the server answers problems, and a little longer: what is acknowledged between them counts too.
async fn until_full(load: &Load) -> Result<(), Stopped> {
    let mut problems = load.problems.subscribe();
    let first = problems.wait_for(|n| *n > 0);
    if tokio::time::timeout(FILLING, first).await.is_err() {
        return Err(Stopped::Failed("the disk did not get full, or nobody was told so".to_owned()));
    }
    let many = problems.wait_for(|n| *n >= FULL);
    // An outcome of its own is not needed: a full disk may still take small things.
    tokio::time::timeout(LINGER, many).await.map(drop).unwrap_or_default();
    Ok(())
}
