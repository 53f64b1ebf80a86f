//! Where links lead: accepting an invitation, and choosing a new password; and asking for such a link.
//!
//! Invariant: a link that is over, was used or is not ours leads to the same page, which says how to get another.

use super::invite::{self, InvitationRow};
use super::origin::Origin;
use super::{CreateUserRefused, Public, Role, forms, reset, sign_in};
use crate::{App, Form, Problem, shell};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kernel::Secret;
use maud::{Markup, html};
use serde::Deserialize;

/// The pages of links.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/welcome", get(show_invitation).post(accept))
        .route("/new-password", get(show_new).post(choose))
        .route("/forgot", get(show_forgot).post(forgot))
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    t: String,
}

#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    t: String,
    #[serde(default)]
    name: String,
    new: Secret<String>,
}

#[derive(Deserialize)]
struct Forgot {
    #[serde(default)]
    email: String,
}

fn refused(page: Markup) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

fn over(app: &App, title: &str, way_out: &str) -> Response {
    let body = html! {
        p { "This link was used already, is over, or a newer one was sent." }
        p.mb-0 { (way_out) }
        p.mt-3.mb-0 { a href="/sign-in" { "To the sign-in" } }
    };
    (StatusCode::GONE, shell::bare(&app.setup.merchant, title, body)).into_response()
}

fn no_invitation(app: &App) -> Response {
    over(app, "This invitation is no longer good", "Ask who invited you to send it again.")
}

async fn show_invitation(
    _: Public,
    State(app): State<App>,
    axum::extract::Query(link): axum::extract::Query<Link>,
) -> Result<Response, Problem> {
    Ok(match invite::of_link(&app, &link.t).await? {
        Some(invitation) => invitation_form(&app, &invitation, &link.t, "", None).into_response(),
        None => no_invitation(&app),
    })
}

fn invitation_form(
    app: &App,
    invitation: &InvitationRow,
    token: &str,
    name: &str,
    error: Option<&CreateUserRefused>,
) -> Markup {
    let role = invitation.role.parse::<Role>().map_or("", |role| role.title());
    let said = error.map(ToString::to_string);
    shell::bare(
        &app.setup.merchant,
        "Welcome",
        html! {
            p { "You sign in as " strong { (invitation.email) } ", as " (role.to_lowercase()) "." }
            form method="post" action="/welcome" {
                input type="hidden" name="t" value=(token);
                // For password managers: they keep the address with the password.
                input type="hidden" name="username" autocomplete="username" value=(invitation.email);
                div.mb-3 {
                    label.form-label.required for="field-name" { "Your name" }
                    input #field-name.form-control name="name" type="text" required maxlength="100" autocomplete="name" value=(name);
                }
                (forms::new_password(said.as_deref()))
                button.btn.btn-primary.w-100 type="submit" { "Accept and sign in" }
            }
        },
    )
}

async fn accept(
    _: Public,
    State(app): State<App>,
    from: Origin,
    headers: HeaderMap,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Problem> {
    let Some(invitation) = invite::of_link(&app, &chosen.t).await? else { return Ok(no_invitation(&app)) };
    let name: String = chosen.name.trim().chars().take(100).collect();
    let name = if name.is_empty() { invitation.email.clone() } else { name };
    match invite::accept(&app, &invitation, &name, chosen.new.clone(), &from.short()).await? {
        Err(weak) => Ok(refused(invitation_form(&app, &invitation, &chosen.t, &name, Some(&weak)))),
        Ok(None) => Ok(no_invitation(&app)),
        Ok(Some(_)) => match sign_in(&app, &invitation.email, chosen.new, &from, None).await? {
            Ok(session) => Ok(super::pages::let_in(&app, &headers, &session, "/")),
            Err(_) => Ok(Redirect::to("/sign-in").into_response()),
        },
    }
}

fn no_reset(app: &App) -> Response {
    over(app, "This link is no longer good", "Ask for a new one at the sign-in, or ask who manages people.")
}

async fn show_new(
    _: Public,
    State(app): State<App>,
    axum::extract::Query(link): axum::extract::Query<Link>,
) -> Result<Response, Problem> {
    Ok(match reset::of_link(&app, &link.t).await? {
        Some(who) => new_form(&app, &who.email, &link.t, None).into_response(),
        None => no_reset(&app),
    })
}

fn new_form(app: &App, email: &str, token: &str, error: Option<&str>) -> Markup {
    shell::bare(
        &app.setup.merchant,
        "Choose a new password",
        html! {
            p { "For " strong { (email) } ". Your other sessions end." }
            form method="post" action="/new-password" {
                input type="hidden" name="t" value=(token);
                input type="hidden" name="username" autocomplete="username" value=(email);
                (forms::new_password(error))
                button.btn.btn-primary.w-100 type="submit" { "Take this password" }
            }
        },
    )
}

async fn choose(
    _: Public,
    State(app): State<App>,
    from: Origin,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Problem> {
    let Some(who) = reset::of_link(&app, &chosen.t).await? else { return Ok(no_reset(&app)) };
    Ok(match reset::choose(&app, &who, chosen.new, &from.short()).await? {
        Err(weak) => refused(new_form(&app, &who.email, &chosen.t, Some(&weak.to_string()))),
        Ok(false) => no_reset(&app),
        // With the password, and the second factor where there is one.
        Ok(true) => Redirect::to("/sign-in").into_response(),
    })
}

async fn show_forgot(_: Public, State(app): State<App>) -> Markup {
    forgot_form(&app, None)
}

fn forgot_form(app: &App, error: Option<&str>) -> Markup {
    shell::bare(
        &app.setup.merchant,
        "Forgot your password?",
        html! {
            p { "We send a link to choose a new one. It is good for an hour." }
            form method="post" action="/forgot" {
                (forms::said("danger", error))
                div.mb-3 {
                    label.form-label.required for="field-email" { "E-mail" }
                    input #field-email.form-control name="email" type="email" required autocomplete="username" autofocus;
                }
                button.btn.btn-primary.w-100 type="submit" { "Send the link" }
            }
            p.text-center.mt-3.mb-0 { a href="/sign-in" { "Back to the sign-in" } }
        },
    )
}

async fn forgot(
    _: Public,
    State(app): State<App>,
    from: Origin,
    Form(asked): Form<Forgot>,
) -> Result<Response, Problem> {
    // Counted as failed for good: nobody needs many links, and whose mailbox it is has no use for them.
    let login = format!("forgot {}", super::users::normal(&asked.email));
    if let Err(seconds) = app.throttle.attempt(&login, &from.address, app.db.now()) {
        let text = format!("Too many attempts. Try again in {seconds} seconds.");
        let mut response = forgot_form(&app, Some(&text)).into_response();
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(response);
    }
    reset::forgot(&app, &asked.email, &from.short()).await?;
    let body = html! {
        p { "If this address signs in here, a link is on its way to it." }
        p.mb-0 { "Nothing comes? Ask who manages people here for a link." }
        p.mt-3.mb-0 { a href="/sign-in" { "Back to the sign-in" } }
    };
    Ok(shell::bare(&app.setup.merchant, "Look into your mailbox", body).into_response())
}
