//! Signing in and out, and the way from `/` to the first page a person may see.

use super::{COOKIE, May, Public, SESSION_HOURS, SignInRefused, SignedIn, sign_in, sign_out};
use crate::{App, Form, Problem, html, shell};
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::cookie::CookieJar;
use kernel::Secret;
use maud::{Markup, html};
use serde::Deserialize;
use std::convert::Infallible;
use std::net::SocketAddr;

/// The pages of signing in and out.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/", get(first))
        .route("/sign-in", get(show).post(enter))
        .route("/sign-out", post(leave))
}

/// Leads to the first page of the menu that the caller may see.
async fn first(State(app): State<App>, caller: May<SignedIn>) -> Response {
    let menu = crate::all(&app.slices, |s| s.menu);
    match menu.iter().find(|item| item.path != "/" && caller.scopes.allow(item.scope)) {
        Some(item) => Redirect::to(item.path).into_response(),
        None => {
            let body =
                html::empty("Nothing to see yet", "Your role has no pages. Ask the owner for another role.");
            shell::page(&caller, "Welcome", body).into_response()
        }
    }
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    email: String,
    password: Secret<String>,
    #[serde(default)]
    next: String,
}

/// Only paths of our own: a link to our sign-in must not lead on to somebody else's server.
fn safe_next(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if own { next } else { "/" }
}

async fn show(
    _: Public,
    axum::extract::Query(query): axum::extract::Query<Next>,
    State(app): State<App>,
) -> Markup {
    form(&app, "", safe_next(&query.next), None)
}

async fn enter(
    _: Public,
    State(app): State<App>,
    from: From,
    headers: HeaderMap,
    Form(asked): Form<SignIn>,
) -> Result<Response, Problem> {
    let next = safe_next(&asked.next);
    let refused = match sign_in(&app, &asked.email, asked.password, &from.0).await? {
        Ok(session) => {
            let cookie = cookie(session.token.expose(), is_https(&app, &headers), SESSION_HOURS);
            return Ok((cookie, Redirect::to(next)).into_response());
        }
        Err(refused) => refused,
    };
    let mut response = form(&app, &asked.email, next, Some(&refused.to_string())).into_response();
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    if let SignInRefused::TooManyAttempts { seconds } = refused {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

async fn leave(
    State(app): State<App>,
    caller: May<SignedIn>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = CookieJar::from_headers(&headers).get(COOKIE) {
        sign_out(&app, &caller.actor, token.value()).await?;
    }
    Ok((cookie("", is_https(&app, &headers), 0), Redirect::to("/sign-in")).into_response())
}

/// The header that sets the session cookie; for zero hours, the one that removes it.
fn cookie(token: &str, secure: bool, hours: i64) -> [(HeaderName, String); 1] {
    let secure = if secure { "; Secure" } else { "" };
    let seconds = hours * 3600;
    [(
        header::SET_COOKIE,
        format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"),
    )]
}

/// Where a request came from: the peer, or what the proxy in front says.
struct From(String);

impl FromRequestParts<App> for From {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        // The last entry is the one the proxy wrote; those before it are what anybody could send.
        let forwarded =
            parts.headers.get_all("x-forwarded-for").iter().next_back().and_then(|v| v.to_str().ok());
        let forwarded =
            forwarded.and_then(|v| v.rsplit(',').next()).map(str::trim).filter(|_| app.setup.behind_proxy);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_string());
        Ok(Self(forwarded.map(str::to_owned).or(peer).unwrap_or_else(|| "unknown".to_owned())))
    }
}

fn is_https(app: &App, headers: &HeaderMap) -> bool {
    let public = app.setup.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    public
        || app.setup.behind_proxy
            && headers.get("x-forwarded-proto").is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"https"))
}

fn form(app: &App, email: &str, next: &str, error: Option<&str>) -> Markup {
    shell::bare(
        &app.setup.merchant,
        "Sign in",
        html! {
            form method="post" action="/sign-in" {
                input type="hidden" name="next" value=(next);
                @if let Some(error) = error { (html::alert("danger", error)) }
                (html::field(&html::Field { label: "E-mail", name: "email", kind: "email", value: email, required: true, ..Default::default() }))
                (html::field(&html::Field { label: "Password", name: "password", kind: "password", required: true, ..Default::default() }))
                button.btn.btn-primary.w-100 type="submit" { "Sign in" }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn only_our_own_paths_are_gone_to() {
        for (next, to) in [
            ("/orders?page=2", "/orders?page=2"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil", "/"),
            ("", "/"),
        ] {
            assert_eq!(safe_next(next), to);
        }
    }
}
