//! The program in process, serving a demo shop with its worker.

use db::testing::TestDb;
use db::{Clock, Ctx};
use fulmar::config::Config;
use fulmar::{demo, people, program, serve};
use kernel::Actor;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use web::Role;

/// Password of everybody the tests make.
const PASSWORD: &str = "correct horse battery";

/// A demo shop that is served.
pub struct Shop {
    /// The program.
    pub ctx: Ctx,
    /// Where it is, as `http://127.0.0.1:12345`.
    pub url: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    // Its file or schema goes when it is dropped.
    _db: TestDb,
}

impl Shop {
    /// On SQLite.
    pub async fn sqlite() -> Self {
        Self::start(db::testing::sqlite(program::options(4, Clock::System)).await).await
    }
    /// On PostgreSQL.
    pub async fn postgres() -> Self {
        Self::start(db::testing::postgres(program::options(4, Clock::System)).await).await
    }

    async fn start(db: TestDb) -> Self {
        fulmar::outside::install_tls();
        let mut config = Config { database_url: db.url().to_owned(), ..Config::default() };
        // A process has one recorder of metrics, and may have several shops.
        config.metrics.enabled = false;
        let ctx = program::open(&config, Clock::System).await.expect("the program");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        serve::welcome(&ctx, &config, address, true).await.expect("a demo shop");
        let (stop, told) = oneshot::channel();
        let told = async move { told.await.unwrap_or_default() };
        let served = ctx.clone();
        let serving = tokio::spawn(async move {
            serve::serve(served, &config, listener, told).await.expect("serving to the end");
        });
        Self { ctx, url: format!("http://{address}"), stop, serving, _db: db }
    }

    /// Somebody with a role, who signs in with the address that is given back and [`Shop::password`].
    ///
    /// # Panics
    /// When the person cannot be made.
    pub async fn person(&self, role: Role) -> String {
        let email = format!("{}@fulmar.test", role.as_str());
        people::add(&self.ctx.db, &Actor::system("test"), &email, "Robin Tester", role, PASSWORD)
            .await
            .expect("a person");
        email
    }
    /// The password of everybody a test makes.
    pub fn password() -> &'static str {
        PASSWORD
    }
    /// Who owns the demo shop: address and password.
    pub fn owner() -> (&'static str, &'static str) {
        (demo::EMAIL, demo::PASSWORD)
    }
    /// One text of the database, as the number of an order to type.
    ///
    /// # Panics
    /// When the query gives nothing.
    pub async fn text(&self, query: &str) -> String {
        let found: Option<String> = self.ctx.db.read().scalar(query, []).await.expect("a query");
        found.unwrap_or_else(|| panic!("the demo shop has nothing for {query}"))
    }
    /// One number of the database, as a raw id.
    ///
    /// # Panics
    /// When the query gives nothing.
    pub async fn number(&self, query: &str) -> i64 {
        let found: Option<i64> = self.ctx.db.read().scalar(query, []).await.expect("a query");
        found.unwrap_or_else(|| panic!("the demo shop has nothing for {query}"))
    }
    /// Another program on the same database, as `fulmar work` beside `fulmar serve`.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn other_process(&self) -> Ctx {
        let config = Config { database_url: self._db.url().to_owned(), ..Config::default() };
        program::open(&config, Clock::System).await.expect("another program")
    }
    /// Ends it as SIGTERM does.
    ///
    /// # Panics
    /// When it does not end well.
    pub async fn stop(self) {
        self.stop.send(()).expect("it serves until it is told to stop");
        self.serving.await.expect("an end without panic");
    }
}
