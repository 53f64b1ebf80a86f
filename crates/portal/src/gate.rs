//! How often one address may ask: few look-ups, so that numbers and e-mails cannot be tried; more views of what a pass shows.
//! In the memory of this process, as the throttle of sign-in.

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use kernel::Timestamp;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use web::{App, Problem};

/// Look-ups of one address in a minute.
const LOOK_UPS: usize = 10;
/// Pages of one address in a minute.
const VIEWS: usize = 120;
/// Keys after which those without recent calls are dropped.
const TIDY_AT: usize = 10_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    LookUp,
    View,
}

/// Calls of the last minute by address.
#[derive(Default)]
pub struct Gate(Mutex<HashMap<(Kind, String), Vec<Timestamp>>>);

impl Gate {
    /// Counts a call.
    ///
    /// # Errors
    /// A problem when there were too many.
    pub(crate) fn pass(&self, kind: Kind, address: &str, now: Timestamp) -> Result<(), Problem> {
        let most = if kind == Kind::LookUp { LOOK_UPS } else { VIEWS };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Timestamp| at.plus(Timestamp::MINUTE) > now;
        if seen.len() > TIDY_AT {
            seen.retain(|_, calls| calls.iter().any(recent));
        }
        let calls = seen.entry((kind, address.to_owned())).or_default();
        calls.retain(recent);
        if calls.len() >= most {
            let detail = "That was often in a short time. Wait a minute, then try again.";
            return Err(
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "portal.too_often", detail).retry_after(60)
            );
        }
        calls.push(now);
        Ok(())
    }
}

/// The address a request comes from: the peer, or what the proxy in front says.
pub(crate) struct From(pub String);

impl FromRequestParts<App> for From {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        // The last entry is the one the proxy wrote; those before it are what anybody could send.
        let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let forwarded = forwarded.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
        let forwarded = forwarded.map(|v| v.trim().to_owned()).filter(|_| app.setup.behind_proxy);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_string());
        Ok(Self(forwarded.or(peer).unwrap_or_else(|| "unknown".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_looks_up_ten_times_a_minute_and_another_is_not_hindered() {
        let gate = Gate::default();
        let at = |s: i64| Timestamp(s * Timestamp::SECOND);
        for n in 0..10 {
            assert!(gate.pass(Kind::LookUp, "a", at(n)).is_ok());
        }
        assert_eq!(gate.pass(Kind::LookUp, "a", at(11)).unwrap_err().code(), "portal.too_often");
        assert!(gate.pass(Kind::LookUp, "b", at(11)).is_ok() && gate.pass(Kind::View, "a", at(11)).is_ok());
        assert!(gate.pass(Kind::LookUp, "a", at(60)).is_ok());
    }
}
