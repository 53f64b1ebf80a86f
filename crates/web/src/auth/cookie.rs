//! The session cookie. Invariants: no script reads it, no form of another site sends it, and over https its name begins with `__Host-`, so
//! that browsers take it only from this very host, encrypted, for every path.

use super::origin::is_https;
use crate::App;
use axum::http::{HeaderMap, HeaderName, header};
use axum_extra::extract::cookie::CookieJar;

/// The name of the cookie.
pub const COOKIE: &str = "fulmar_session";
/// Its name over https.
pub const SECURE_COOKIE: &str = "__Host-fulmar_session";

/// The token that came with a request.
pub(super) fn token(app: &App, headers: &HeaderMap) -> Option<String> {
    let name = if is_https(app, headers) { SECURE_COOKIE } else { COOKIE };
    CookieJar::from_headers(headers).get(name).map(|cookie| cookie.value().to_owned())
}

/// The header that sets the cookie; for zero seconds, the one that removes it.
pub(super) fn set(app: &App, headers: &HeaderMap, token: &str, seconds: i64) -> [(HeaderName, String); 1] {
    let (name, secure) = if is_https(app, headers) { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
    [(
        header::SET_COOKIE,
        format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"),
    )]
}
