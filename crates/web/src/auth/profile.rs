//! The page of oneself: password, second factor, sessions.

use super::password::{check_password, hash_password};
use super::second_factor::{self, State as Factor};
use super::sessions::{self, SessionId, SessionRow, Which, end_sessions};
use super::users::{self, UserId};
use super::{Caller, May, Role, SecondFactorRefused, SignedIn, forms};
use crate::toast;
use crate::{App, Form, Problem, html, shell};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kernel::{Fault, Refuse, Secret};
use maud::{Markup, html};
use serde::Deserialize;

/// The pages of oneself.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/profile", get(show))
        .route("/profile/password", post(change_password))
        .route("/profile/sessions", post(end))
}

/// The person who calls; programs have no profile.
pub(super) fn person(caller: &Caller) -> Result<UserId, Problem> {
    let detail = "This is a page of a person. Programs have keys.";
    caller.user.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "request.not_found", detail))
}

/// A page that says why not, with the status that belongs to it.
pub(super) fn refused(refusal: &SecondFactorRefused, page: Markup) -> Response {
    let status = match refusal {
        SecondFactorRefused::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
        other => crate::problem::status_of(other.kind()),
    };
    let mut response = (status, page).into_response();
    if let SecondFactorRefused::TooManyAttempts { seconds } = refusal {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

/// What is said beside the form of the password.
#[derive(Default)]
struct Said {
    old: Option<String>,
    new: Option<String>,
}

async fn show(State(app): State<App>, caller: May<SignedIn>) -> Result<Markup, Problem> {
    page(&app, &caller, &Said::default()).await
}

#[derive(Deserialize)]
struct NewPassword {
    password: Secret<String>,
    new: Secret<String>,
}

async fn change_password(
    State(app): State<App>,
    caller: May<SignedIn>,
    Form(asked): Form<NewPassword>,
) -> Result<Response, Problem> {
    let user = person(&caller)?;
    let address = &caller.origin.address;
    if let Err(no) = second_factor::is_their_password(&app, user, asked.password, address).await? {
        let said = Said { old: Some(no.to_string()), ..Said::default() };
        return Ok(refused(&no, page(&app, &caller, &said).await?));
    }
    let state = second_factor::state(&app, user).await?;
    if let Err(weak) = check_password(&asked.new, &state.email, &caller.name) {
        let said = Said { new: Some(weak.to_string()), ..Said::default() };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&app, &caller, &said).await?).into_response());
    }
    let hash = hash_password(asked.new).await?;
    let which = caller.session.map_or(Which::All, Which::AllBut);
    let done: Result<(), Fault> =
        db::write!(app.db, &caller.actor, |tx| users::put_password(tx, user, &hash, which).await);
    done?;
    Ok(toast::done("Your password is changed, and your other sessions are over").to("/profile"))
}

#[derive(Deserialize)]
struct End {
    /// Without it, all but this one.
    #[serde(default)]
    session: Option<SessionId>,
    #[serde(rename = "do")]
    _what: EndWhat,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndWhat {
    SignOut,
}

async fn end(
    State(app): State<App>,
    caller: May<SignedIn>,
    Form(asked): Form<End>,
) -> Result<Response, Problem> {
    let user = person(&caller)?;
    let which = match (asked.session, caller.session) {
        (Some(session), _) => Which::One(session),
        (None, Some(own)) => Which::AllBut(own),
        (None, None) => Which::All,
    };
    let done: Result<u64, Fault> =
        db::write!(app.db, &caller.actor, |tx| end_sessions(tx, user, which).await);
    done?;
    Ok(toast::done("Signed out there").to("/profile"))
}

async fn page(app: &App, caller: &Caller, said: &Said) -> Result<Markup, Problem> {
    let user = person(caller)?;
    let state = second_factor::state(app, user).await?;
    let sessions = sessions::of_user(app.db.read(), user, app.db.now()).await?;
    let row = users::user(app.db.read(), user).await?;
    let role = row.and_then(|row| row.role.parse::<Role>().ok());
    Ok(shell::page(
        caller,
        "Your profile",
        html! {
            (html::card("You", html::facts([
                ("Name", html! { (caller.name) }),
                ("E-mail", html! { (state.email) }),
                ("Role", html! { @if let Some(role) = role { (role.title()) } " · " a href="/people/roles" { "Permissions" } }),
            ])))
            (html::halves(html::card("Password", password_form(said, &state)), html::card("Second factor", factor(&state))))
            (html::card("Where you are signed in", sessions_of(caller, &sessions)))
        },
    ))
}

fn password_form(said: &Said, state: &Factor) -> Markup {
    html! {
        form method="post" action="/profile/password" {
            input type="hidden" name="username" autocomplete="username" value=(state.email);
            (forms::password(said.old.as_deref()))
            (forms::new_password(said.new.as_deref()))
            button.btn.btn-primary type="submit" { "Change the password" }
            p.form-hint.mt-2.mb-0 { "Your other sessions end." }
        }
    }
}

fn factor(state: &Factor) -> Markup {
    html! {
        @if let Some(at) = state.totp_on_at {
            p { span.text-success { "On" } " since " (html::time(at)) ". " (state.codes_left) " recovery codes are left." }
            @if state.codes_left < 4 { (html::alert("warning", "Few recovery codes are left. Make new ones.")) }
            a.btn href="/profile/second-factor" { "New recovery codes, or turn it off" }
        } @else {
            p { "Off. With it, a password alone lets nobody in: an app on your phone shows a code that is asked for, too." }
            a.btn.btn-primary href="/profile/second-factor" { "Set up a second factor" }
        }
    }
}

const SESSIONS: [html::Col<'static>; 5] = [
    html::Col::text("Program"),
    html::Col::text("Address"),
    html::Col::text("Since"),
    html::Col::text("Last seen"),
    html::Col::text(""),
];

fn sessions_of(caller: &Caller, sessions: &[SessionRow]) -> Markup {
    let row = |session: &SessionRow| {
        let this = caller.session == Some(session.id);
        html::Row::new([
            html! { (super::origin::program(&session.agent)) @if this { span.badge.ms-2 { "this one" } } },
            html! { (session.address) },
            html::time(session.created_at),
            html::time(session.seen_at),
            html! { @if !this {
                (html::button("/profile/sessions", "Sign out", "sm", &[("do", "sign_out"), ("session", &session.id.to_string())]))
            } },
        ])
    };
    html! {
        (html::Table::new("Where you are signed in", &SESSIONS, sessions.iter().map(row)).show())
        @if sessions.len() > 1 {
            div.mt-3 { (html::button("/profile/sessions", "Sign out everywhere else", "secondary", &[("do", "sign_out")])) }
        }
    }
}
