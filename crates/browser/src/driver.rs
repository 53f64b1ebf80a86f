//! Chromedriver on a free port, and sessions of Chromium with it.

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long chromedriver may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);
const INSTALL: &str = "chromium and chromedriver are needed: sudo apt-get install --no-install-recommends chromium chromium-driver";

/// A running chromedriver; ends when it is dropped.
pub struct Driver {
    child: Child,
    url: String,
    scratch: PathBuf,
}

impl Driver {
    /// Starts it.
    ///
    /// # Panics
    /// Without chromedriver and Chromium, with what to install.
    pub async fn start() -> Self {
        let port =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port").port();
        let scratch = std::env::temp_dir().join(format!("fulmar-browser-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&scratch).expect("a folder for the browser's profile");
        let child = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .args(["--log-level=SEVERE", "--allowed-ips=127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|e| panic!("{INSTALL} ({e})"));
        let driver = Self { child, url: format!("http://127.0.0.1:{port}"), scratch };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "chromedriver does not answer on port {port}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        driver
    }

    /// A browser with a profile of its own, `width` × `height`.
    ///
    /// # Panics
    /// When Chromium does not start.
    pub async fn browser(&self, width: u32, height: u32) -> Client {
        let profile = self.scratch.join(format!("{width}x{height}"));
        let wish = json!({
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en-GB",
                "--force-device-scale-factor=1", "--disable-background-networking", "--no-first-run",
                format!("--window-size={width},{height}"), format!("--user-data-dir={}", profile.display()),
            ] },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let wish: Map<String, Value> = serde_json::from_value(wish).expect("an object");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wish);
        builder.connect(&self.url).await.unwrap_or_else(|e| panic!("{INSTALL} ({e})"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Gone already is as good.
        self.child.kill().unwrap_or_default();
        if let Err(e) = self.child.wait() {
            eprintln!("chromedriver cannot be waited for: {e}");
        }
        // The browser may still be writing to its profile; what is left is in the system's temporary folder.
        std::fs::remove_dir_all(&self.scratch).unwrap_or_default();
    }
}
