//! Pictures of the pages for the README. Invariant: they show a demo shop made by this very source, in a database of its own
//! that is removed afterwards, so that a picture can be taken again by anybody.
//!
//! Chromium is driven through chromedriver's HTTP interface (W3C WebDriver), a handful of requests: no crate is needed.

use crate::run::{Done, cargo, on_path, root, succeed, target};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Who signs in to the demo shop; `fulmar serve --demo` prints the same.
const SIGN_IN: (&str, &str) = ("demo@fulmar.test", "fulmar-demo");

/// Name of the picture, page, and the link to follow from there.
const PICTURES: &[(&str, &str, Option<&str>)] = &[
    ("orders", "/orders", None),
    ("order", "/orders", Some("table tbody tr a[href]")),
    ("order-entry", "/orders/new", None),
];

/// Seconds a program may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes all pictures into the folder named by the first argument, or `docs/screenshots`.
///
/// # Errors
/// When chromium or chromedriver is missing, the shop does not start or a page does not load.
pub fn take(args: &[String]) -> Done {
    if on_path("chromedriver").is_none() || on_path("chromium").is_none() {
        return Err(
            "chromium and chromedriver are needed: sudo apt-get install chromium chromium-driver".to_owned()
        );
    }
    let folder = args.first().map_or_else(|| root().join("docs/screenshots"), PathBuf::from);
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    succeed(&mut cargo(["build", "-q", "-p", "app", "--bin", "fulmar"]))?;
    let scratch = target().join("screenshots");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
    }
    std::fs::create_dir_all(&scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
    let done = photograph(&scratch, &folder);
    std::fs::remove_dir_all(&scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
    done
}

fn photograph(scratch: &Path, folder: &Path) -> Done {
    let (shop_at, driver_at) = (free_address()?, free_address()?);
    let mut shop = Command::new(target().join("debug/fulmar"));
    shop.args(["serve", "--demo"]).current_dir(scratch);
    shop.env("FULMAR_LISTEN", &shop_at).env("DATABASE_URL", "sqlite:demo.db");
    let _shop = Running::start(&mut shop)?;
    let port = driver_at.rsplit(':').next().unwrap_or_default();
    let _driver = Running::start(Command::new("chromedriver").arg(format!("--port={port}")))?;
    wait_for(&shop_at, "/healthz")?;
    wait_for(&driver_at, "/status")?;
    let browser = Browser::open(&driver_at, &scratch.join("profile"))?;
    sign_in(&browser, &shop_at)?;
    for (name, page, link) in PICTURES {
        browser.go(&format!("http://{shop_at}{page}"))?;
        if let Some(link) = link {
            let next = browser.attribute(link, "href")?;
            browser.go(&absolute(&shop_at, &next))?;
        }
        let file = folder.join(format!("{name}.png"));
        std::fs::write(&file, browser.picture()?).map_err(|e| format!("{}: {e}", file.display()))?;
        println!("   {}", file.display());
    }
    Ok(())
}

fn sign_in(browser: &Browser, shop_at: &str) -> Done {
    browser.go(&format!("http://{shop_at}/"))?;
    browser.type_into("input[type=email]", SIGN_IN.0)?;
    browser.type_into("input[type=password]", SIGN_IN.1)?;
    browser.type_into("input[type=password]", "\u{e007}") // Enter
}

fn absolute(shop_at: &str, href: &str) -> String {
    if href.starts_with("http") { href.to_owned() } else { format!("http://{shop_at}{href}") }
}

/// A WebDriver session; dropping it closes the browser.
struct Browser<'a> {
    driver_at: &'a str,
    session: String,
}

impl<'a> Browser<'a> {
    fn open(driver_at: &'a str, profile: &Path) -> Done<Browser<'a>> {
        let wish = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
            "--window-size=1360,900", format!("--user-data-dir={}", profile.display())]}}}});
        let said = ask(driver_at, "POST", "/session", &wish)?;
        let session = said["sessionId"].as_str().ok_or_else(|| format!("no session: {said}"))?;
        Ok(Browser { driver_at, session: session.to_owned() })
    }

    fn go(&self, url: &str) -> Done {
        self.ask("POST", "/url", &json!({ "url": url })).map(drop)
    }

    fn type_into(&self, selector: &str, text: &str) -> Done {
        let path = format!("/element/{}/value", self.find(selector)?);
        self.ask("POST", &path, &json!({ "text": text })).map(drop)
    }

    fn attribute(&self, selector: &str, name: &str) -> Done<String> {
        let said =
            self.ask("GET", &format!("/element/{}/attribute/{name}", self.find(selector)?), &Value::Null)?;
        said.as_str().map(str::to_owned).ok_or_else(|| format!("`{selector}` has no `{name}`"))
    }

    fn find(&self, selector: &str) -> Done<String> {
        let said = self.ask("POST", "/element", &json!({ "using": "css selector", "value": selector }))?;
        let id = said.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| format!("nothing on the page is `{selector}`"))
    }

    fn picture(&self) -> Done<Vec<u8>> {
        let said = self.ask("GET", "/screenshot", &Value::Null)?;
        Ok(base64(said.as_str().unwrap_or_default()))
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Done<Value> {
        ask(self.driver_at, method, &format!("/session/{}{path}", self.session), body)
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        if let Err(e) = self.ask("DELETE", "", &Value::Null) {
            eprintln!("the browser cannot be closed: {e}");
        }
    }
}

/// A program in the background; dropping it ends it.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Done<Running> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        child.map(Running).map_err(|e| format!("`{name}` cannot be run: {e}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already: then there is nothing to end.
        self.0.kill().unwrap_or_default();
        if let Err(e) = self.0.wait() {
            eprintln!("a program cannot be waited for: {e}");
        }
    }
}

fn free_address() -> Done<String> {
    let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    address.map(|address| address.to_string()).map_err(|e| format!("no free port on 127.0.0.1: {e}"))
}

fn wait_for(address: &str, path: &str) -> Done {
    let start = Instant::now();
    loop {
        match http(address, "GET", path, "") {
            Ok((200, _)) => return Ok(()),
            Ok((status, _)) if start.elapsed() > PATIENCE => {
                return Err(format!("{address}{path} says {status}"));
            }
            Err(e) if start.elapsed() > PATIENCE => {
                return Err(format!("{address}{path} does not answer: {e}"));
            }
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// One WebDriver request; the answer is what stands under `value`.
fn ask(address: &str, method: &str, path: &str, body: &Value) -> Done<Value> {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = http(address, method, path, &text).map_err(|e| format!("{method} {path}: {e}"))?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|e| format!("{method} {path}: {e}"))?;
    let value = answer["value"].take();
    if status == 200 { Ok(value) } else { Err(format!("{method} {path}: {}", value["message"])) }
}

/// One HTTP/1.1 request on a connection of its own: the status and the body.
fn http(address: &str, method: &str, path: &str, body: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    // chromedriver keeps the connection open whatever it is asked, so the length has to be believed.
    let mut reader = BufReader::new(stream);
    let (mut status, mut expected) = (0, None);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest.split(' ').next().and_then(|status| status.parse().ok()).unwrap_or_default();
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            expected = value.trim().parse().ok();
        }
        line.clear();
    }
    let mut answer = Vec::new();
    reader.take(expected.unwrap_or(u64::MAX)).read_to_end(&mut answer)?;
    Ok((status, answer))
}

fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xff) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_base64() {
        for (text, expected) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")]
        {
            assert_eq!(base64(text), expected.as_bytes());
        }
        assert_eq!(base64("+/8="), [0xfb, 0xff]);
    }
}
