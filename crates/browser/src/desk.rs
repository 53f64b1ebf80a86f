//! Somebody at a screen: goes to pages, clicks, types, scans, reads. Everything waits until what it names is there.

mod find;
mod judge;

use crate::driver::Driver;
use crate::shop::Shop;
use fantoccini::Client;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub use judge::Weight;

/// Whether the page says a text; states begin with a capital by their looks, whatever the program calls them.
const HOLDS: &str = "const page = document.body.innerText.replace(/\\s+/g, ' '), text = arguments[0];
    const holds = page.includes(text) || page.includes(text.charAt(0).toUpperCase() + text.slice(1));";

/// How long something may take to appear.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody at a screen of a shop.
pub struct Desk<'a> {
    /// The browser, for what has no word here.
    pub client: Client,
    /// The shop, for looking behind the pages.
    pub shop: &'a Shop,
}

impl<'a> Desk<'a> {
    /// Opens a browser of a desk's size.
    pub async fn open(driver: &Driver, shop: &'a Shop) -> Desk<'a> {
        Desk { client: driver.browser(1440, 900).await, shop }
    }
    /// Closes it.
    pub async fn close(&self) {
        if let Err(e) = self.client.clone().close().await {
            eprintln!("the browser cannot be closed: {e}");
        }
    }

    /// Signs in as the owner of the demo shop.
    pub async fn sign_in(&self) {
        let (email, password) = Shop::owner();
        self.sign_in_with(email, password).await;
    }
    /// Signs in as a new colleague with this role.
    pub async fn sign_in_as(&self, role: web::Role) {
        let email = self.shop.person(role).await;
        self.sign_in_with(&email, Shop::password()).await;
    }
    /// Signs out, from wherever one is.
    pub async fn sign_out(&self) {
        self.js("document.querySelector('form[action=\"/sign-out\"]').requestSubmit()", vec![]).await;
        self.until("the page of sign-in", "return location.pathname === '/sign-in'").await;
    }
    async fn sign_in_with(&self, email: &str, password: &str) {
        self.go("/sign-in").await;
        self.type_into("E-mail", email).await;
        self.type_into("Password", password).await;
        self.click("Sign in").await;
        self.until("the menu of somebody who is signed in", "return !!document.querySelector('nav#nav')")
            .await;
    }

    /// Goes to a page, `/orders`.
    ///
    /// # Panics
    /// When it does not load.
    pub async fn go(&self, path: &str) {
        let url = format!("{}{path}", self.shop.url);
        self.client.goto(&url).await.unwrap_or_else(|e| panic!("{path}: {e}"));
    }
    /// The path and query of the page that is shown.
    pub async fn address(&self) -> String {
        self.js("return location.pathname + location.search", vec![])
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
    /// Makes the screen that of a phone, a desk, a wall: windows cannot be as narrow as a phone, screens can.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }
    /// Asks the browser for something of its developer tools.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        let body = json!({ "cmd": command, "params": params });
        let said = self.client.issue_cmd(judge::Beyond("goog/cdp/execute", body)).await;
        said.unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// Clicks a button, link, box or tab by its name: all of it, else its beginning, else a part.
    pub async fn click(&self, name: &str) {
        let element = self.named("click", name).await;
        if let Err(first) = element.click().await {
            // Something may have moved in between: a page that refreshed itself.
            let again = self.named("click", name).await;
            again.click().await.unwrap_or_else(|e| panic!("“{name}” cannot be clicked: {first}, then {e}"));
        }
    }
    /// Puts a text into the field with this label, instead of what it holds.
    ///
    /// # Panics
    /// When the field takes none.
    pub async fn type_into(&self, label: &str, text: &str) {
        let field = self.named("field", label).await;
        self.js("arguments[0].focus(); arguments[0].select?.()", vec![json!(field)]).await;
        if text.is_empty() {
            field.clear().await.unwrap_or_else(|e| panic!("“{label}” cannot be cleared: {e}"));
        }
        field.send_keys(text).await.unwrap_or_else(|e| panic!("“{label}” takes no text: {e}"));
    }
    /// Chooses an entry of a select by its label.
    ///
    /// # Panics
    /// When there is no such entry.
    pub async fn choose(&self, label: &str, entry: &str) {
        let field = self.named("field", label).await;
        field.select_by_label(entry).await.unwrap_or_else(|e| panic!("“{label}” has no “{entry}”: {e}"));
    }
    /// Scans a code as a hand scanner does: its characters, then enter, wherever the cursor is.
    pub async fn scan(&self, code: &str) {
        self.press(&format!("{code}{}", char::from(Key::Enter))).await;
    }
    /// Presses keys where the cursor is.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn press(&self, keys: &str) {
        let at = self.client.active_element().await.expect("something has the cursor");
        at.send_keys(keys).await.unwrap_or_else(|e| panic!("the keys “{keys}” cannot be pressed: {e}"));
    }

    /// Waits until a text is on the page.
    pub async fn see(&self, text: &str) {
        let holds = format!("{HOLDS} return holds");
        self.until_with(&format!("“{text}”"), &holds, vec![json!(text)]).await;
    }
    /// Waits until a text is not on the page, or no longer.
    pub async fn see_no(&self, text: &str) {
        let holds = format!("{HOLDS} return !holds");
        self.until_with(&format!("no “{text}”"), &holds, vec![json!(text)]).await;
    }
    /// What the page says.
    pub async fn text(&self) -> String {
        self.js("return document.body.innerText", vec![]).await.as_str().unwrap_or_default().to_owned()
    }
    /// Waits until a script gives true.
    pub async fn until(&self, what: &str, script: &str) {
        self.until_with(what, script, vec![]).await;
    }
    async fn until_with(&self, what: &str, script: &str, arguments: Vec<Value>) {
        let began = Instant::now();
        loop {
            // While a page goes, there is none to ask.
            let holds = self.client.execute(script, arguments.clone()).await;
            if holds.is_ok_and(|v| v == Value::Bool(true)) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "waited for {what} in vain; the page says:\n{}",
                self.text().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    /// Runs a script in the page.
    ///
    /// # Panics
    /// When it throws.
    pub async fn js(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }
    async fn named(&self, what: &str, name: &str) -> Element {
        let began = Instant::now();
        loop {
            let found = self.client.execute(find::SCRIPT, vec![json!(what), json!(name)]).await;
            if let Some(element) = found.ok().and_then(|v| find::element(&self.client, v)) {
                return element;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "nothing to {what} is called “{name}”; the page says:\n{}",
                self.text().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
