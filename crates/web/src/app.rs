//! The state of every handler: the database, what background work runs with, the slices, and parts shared by type.

use crate::Slice;
use crate::auth::{Meter, Throttle, Used, WhoseKey};
use crate::door::Doors;
use crate::live::Streams;
use db::{Ctx, Db, Lookup, Parts};
use kernel::Fault;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Password hashes computed at the same time; each takes 19 MiB.
const HASHES_AT_ONCE: usize = 4;

/// How the program is set up for the web.
#[derive(Clone, Default)]
pub struct Setup {
    /// The merchant's name, shown in the head of every page.
    pub merchant: String,
    /// Where people reach the program, as `https://shop.example`. With https the cookie is `Secure`; the origin is trusted for forms.
    pub public_url: Option<String>,
    /// A proxy in front sets `X-Forwarded-For` and `X-Forwarded-Proto`.
    pub behind_proxy: bool,
    /// Values that handlers share by type, as the order lane.
    pub parts: Parts,
}

/// The state of every handler. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What [`App`] holds.
pub struct Inner {
    /// The database.
    pub db: Db,
    /// What background work runs with: the registries of gateways and carriers are in its parts.
    pub ctx: Ctx,
    /// Every slice of the program.
    pub slices: Arc<[Slice]>,
    /// How the program is set up.
    pub setup: Setup,
    pub(crate) doors: Doors,
    keys: OnceLock<Lookup<WhoseKey>>,
    pub(crate) streams: Streams,
    pub(crate) throttle: Throttle,
    pub(crate) meter: Meter,
    pub(crate) used: Used,
    pub(crate) hashing: Semaphore,
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Puts the state together; the database is the one of `ctx`.
    pub fn new(ctx: Ctx, slices: impl Into<Arc<[Slice]>>, setup: Setup) -> Self {
        Self(Arc::new(Inner {
            db: ctx.db.clone(),
            ctx,
            slices: slices.into(),
            setup,
            doors: Doors::default(),
            keys: OnceLock::new(),
            streams: Streams::default(),
            throttle: Throttle::default(),
            meter: Meter::default(),
            used: Used::default(),
            hashing: Semaphore::new(HASHES_AT_ONCE),
        }))
    }
    /// The shared value of a type.
    ///
    /// # Errors
    /// A fault when the program was put together without it.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, Fault> {
        self.setup.parts.get::<T>()
    }
    /// Where requests ask whose key they came with.
    pub(crate) fn keys(&self) -> &Lookup<WhoseKey> {
        self.keys.get_or_init(|| Lookup::new(&self.db))
    }
    /// The raw ids of what a text stands for in the slices that have a [`Finder`](crate::Finder) of this kind of thing.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn find(&self, what: &str, text: &str) -> Result<Vec<i64>, Fault> {
        let mut found = Vec::new();
        for finder in crate::all(&self.slices, |s| s.finders).iter().filter(|f| f.what == what) {
            found.extend((finder.find)(self.db.read(), text).await?);
        }
        Ok(found)
    }
    /// What of all slices follows a customer (raw id) who is merged into another, with how many there are.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn follows(&self, customer: i64) -> Result<Vec<(crate::Follows, i64)>, Fault> {
        let mut found = Vec::new();
        for follows in crate::all(&self.slices, |s| s.follows) {
            found.push((follows, (follows.count)(self.db.read(), customer).await?));
        }
        Ok(found)
    }
    /// Every scope there is, with what it allows.
    pub fn permissions(&self) -> Vec<(&'static str, &'static str)> {
        crate::all(&self.slices, |s| s.permissions)
    }
}
