//! Signing in and out, and the way from `/` to the first page a person may see.

use super::origin::Origin;
use super::{
    May, Public, SignInRefused, SignedIn, SignedInAs, cookie, forms, sessions, sign_in, sign_in_with_code,
    sign_out,
};
use crate::{App, Form, Problem, html, shell};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use kernel::Secret;
use maud::{Markup, html};
use serde::Deserialize;

/// The pages of signing in and out.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/sign-in", get(show).post(enter))
        .route("/sign-in/code", get(show_code).post(enter_code))
        .route("/sign-out", post(leave))
}

/// Leads to the first page of the menu that a caller may see: for those to whom the home page shows nothing.
pub fn first(caller: &super::Caller) -> Response {
    let menu = crate::all(&caller.app.slices, |s| s.menu);
    let seen = menu.iter().filter(|item| item.path != "/" && caller.scopes.allow(item.scope));
    match seen.min_by_key(|item| (item.group, item.order)) {
        Some(item) => Redirect::to(item.path).into_response(),
        None => {
            let body =
                html::empty("Nothing to see yet", "Your role has no pages. Ask the owner for another role.");
            shell::page(caller, "Welcome", body).into_response()
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

#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    code: String,
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
    from: Origin,
    headers: HeaderMap,
    Form(asked): Form<SignIn>,
) -> Result<Response, Problem> {
    let next = safe_next(&asked.next);
    let present = cookie::token(&app, &headers);
    match sign_in(&app, &asked.email, asked.password, &from, present.as_deref()).await? {
        Ok(session) => Ok(let_in(&app, &headers, &session, next)),
        Err(refused) => Ok(not_let_in(&refused, form(&app, &asked.email, next, Some(&refused.to_string())))),
    }
}

/// The cookie of a session, and the way on.
pub(super) fn let_in(app: &App, headers: &HeaderMap, session: &SignedInAs, next: &str) -> Response {
    let cookie = cookie::set(app, headers, session.token.expose(), session.seconds);
    let to = match session.waiting {
        true => super::may::with_query("/sign-in/code", "next", next),
        false => next.to_owned(),
    };
    (cookie, Redirect::to(&to)).into_response()
}

fn not_let_in(refused: &SignInRefused, page: Markup) -> Response {
    let mut response = page.into_response();
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    if let SignInRefused::TooManyAttempts { seconds } = refused {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

async fn show_code(
    _: Public,
    axum::extract::Query(query): axum::extract::Query<Next>,
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let next = safe_next(&query.next);
    let waits = match cookie::token(&app, &headers) {
        Some(token) => sessions::waiting(&app, &token).await?.is_some(),
        None => false,
    };
    match waits {
        true => Ok(code_form(&app, next, None).into_response()),
        false => Ok(Redirect::to(&super::may::with_query("/sign-in", "next", next)).into_response()),
    }
}

async fn enter_code(
    _: Public,
    State(app): State<App>,
    from: Origin,
    headers: HeaderMap,
    Form(asked): Form<Code>,
) -> Result<Response, Problem> {
    let next = safe_next(&asked.next);
    let waiting = cookie::token(&app, &headers).unwrap_or_default();
    match sign_in_with_code(&app, &waiting, &asked.code, &from).await? {
        Ok(session) => Ok(let_in(&app, &headers, &session, next)),
        Err(SignInRefused::Over {}) => Ok(not_let_in(
            &SignInRefused::Over {},
            form(&app, "", next, Some(&SignInRefused::Over {}.to_string())),
        )),
        Err(refused) => Ok(not_let_in(&refused, code_form(&app, next, Some(&refused.to_string())))),
    }
}

async fn leave(
    State(app): State<App>,
    caller: May<SignedIn>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = cookie::token(&app, &headers) {
        sign_out(&app, &caller.actor, &token).await?;
    }
    Ok((cookie::set(&app, &headers, "", 0), Redirect::to("/sign-in")).into_response())
}

fn form(app: &App, email: &str, next: &str, error: Option<&str>) -> Markup {
    shell::bare(
        &app.setup.merchant,
        "Sign in",
        html! {
            form method="post" action="/sign-in" {
                input type="hidden" name="next" value=(next);
                (forms::said("danger", error))
                div.mb-3 {
                    label.form-label.required for="field-email" { "E-mail" }
                    input #field-email.form-control name="email" type="email" required autocomplete="username" value=(email);
                }
                (forms::password(None))
                button.btn.btn-primary.w-100 type="submit" { "Sign in" }
            }
            p.text-center.mt-3.mb-0 { a href="/forgot" { "I forgot my password" } }
        },
    )
}

fn code_form(app: &App, next: &str, error: Option<&str>) -> Markup {
    shell::bare(
        &app.setup.merchant,
        "One more step",
        html! {
            form method="post" action="/sign-in/code" {
                input type="hidden" name="next" value=(next);
                (forms::code("Code", error, "The six digits that your app shows, or one of your recovery codes."))
                button.btn.btn-primary.w-100 type="submit" { "Sign in" }
            }
            p.text-center.mt-3.mb-0 { a href="/sign-in" { "Start again" } }
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
