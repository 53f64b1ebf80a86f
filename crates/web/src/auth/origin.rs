//! Where a request comes from: address and program, for the throttle, the sessions of a person and the audit log; and whether people
//! reach us over https.

use crate::App;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use std::convert::Infallible;
use std::net::SocketAddr;

/// Characters that are kept of what a program says of itself.
const LONGEST: usize = 200;

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The peer, or what the proxy in front says.
    pub address: String,
    /// What the program says it is, in full.
    pub agent: String,
}

impl Origin {
    /// Where the request of these parts comes from.
    pub(crate) fn of(parts: &Parts, app: &App) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_string());
        // The last entry is the one the proxy wrote; those before it are what anybody could send.
        let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let forwarded = forwarded.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
        let forwarded = forwarded.map(str::trim).filter(|_| app.setup.behind_proxy).map(printable);
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).map(printable);
        Self {
            address: forwarded.or(peer).unwrap_or_else(|| "unknown".to_owned()),
            agent: agent.unwrap_or_default(),
        }
    }
    /// Both in a few words: `203.0.113.5 · Firefox on Linux`.
    pub fn short(&self) -> String {
        format!("{} · {}", self.address, program(&self.agent))
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The program and system that a user agent names, as people know them.
pub(super) fn program(agent: &str) -> String {
    // Browsers name those they are built on as well, so the more particular comes first.
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|n| n.1);
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => match agent.split_whitespace().next() {
            Some(first) => first.chars().take(40).collect(),
            None => "unknown program".to_owned(),
        },
    }
}

impl FromRequestParts<App> for Origin {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

/// Whether people reach us over https, here or at the proxy in front.
pub(crate) fn is_https(app: &App, headers: &HeaderMap) -> bool {
    let public = app.setup.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    public
        || app.setup.behind_proxy
            && headers.get("x-forwarded-proto").is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"https"))
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn programs_are_called_as_people_call_them() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", "unknown program"),
        ] {
            assert_eq!(program(agent), name);
        }
    }
}
