//! Setting up a second factor: the square for the app, the first code, the recovery codes; and turning it off.

use super::profile::{person, refused};
use super::second_factor::{self, State as Factor};
use super::{Caller, May, SecondFactorRefused, SignedIn, UserId, forms};
use crate::{App, Form, Problem, html, shell, toast};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use kernel::{Fault, Secret};
use maud::{Markup, html};
use qrcode::{Color, QrCode};
use serde::Deserialize;

/// The page of the second factor.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(super::may::SECOND_FACTOR, get(show).post(act))
}

async fn show(State(app): State<App>, caller: May<SignedIn>) -> Result<Markup, Problem> {
    page(&app, &caller, None).await
}

#[derive(Deserialize)]
struct Act {
    #[serde(rename = "do")]
    what: What,
    #[serde(default)]
    code: String,
    #[serde(default = "nothing")]
    password: Secret<String>,
}

fn nothing() -> Secret<String> {
    Secret::new(String::new())
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum What {
    Begin,
    Confirm,
    NewCodes,
    TurnOff,
}

async fn act(
    State(app): State<App>,
    caller: May<SignedIn>,
    Form(asked): Form<Act>,
) -> Result<Response, Problem> {
    let user = person(&caller)?;
    let done = match asked.what {
        What::Begin => match second_factor::begin(&app, &caller.actor, user).await? {
            Ok(()) => return Ok(Redirect::to(super::may::SECOND_FACTOR).into_response()),
            Err(no) => Err(no),
        },
        What::Confirm => confirm(&app, &caller, user, &asked.code).await?,
        What::NewCodes | What::TurnOff => with_password(&app, &caller, user, asked).await?,
    };
    match done {
        Ok(codes) if codes.is_empty() => Ok(toast::done("The second factor is off").to("/profile")),
        Ok(codes) => Ok(codes_page(&caller, &codes).into_response()),
        Err(no) => Ok(refused(&no, page(&app, &caller, Some(&no)).await?)),
    }
}

type Codes = Result<Vec<String>, SecondFactorRefused>;

async fn confirm(app: &App, caller: &Caller, user: UserId, code: &str) -> Result<Codes, Fault> {
    let login = format!("set up {user}");
    if let Err(seconds) = app.throttle.attempt(&login, &caller.origin.address, app.db.now()) {
        return Ok(Err(SecondFactorRefused::TooManyAttempts { seconds }));
    }
    let done = db::write!(app.db, &caller.actor, |tx| second_factor::confirm(app, tx, user, code).await)?;
    if done.is_ok() {
        app.throttle.succeeded(&login, &caller.origin.address);
    }
    Ok(done)
}

/// New recovery codes, or none at all: both want the password once more.
async fn with_password(app: &App, caller: &Caller, user: UserId, asked: Act) -> Result<Codes, Fault> {
    let what = asked.what;
    let address = &caller.origin.address;
    if let Err(no) = second_factor::is_their_password(app, user, asked.password, address).await? {
        return Ok(Err(no));
    }
    db::write!(app.db, &caller.actor, |tx| {
        if what == What::TurnOff {
            second_factor::turn_off(tx, user).await?;
            return Ok(Ok(Vec::new()));
        }
        let on: Option<bool> = tx
            .scalar(
                "SELECT totp_on_at IS NOT NULL FROM user_account WHERE id = $1 /*pg FOR UPDATE */",
                [user.into()],
            )
            .await?;
        match on {
            Some(true) => second_factor::recovery_codes(tx, user).await.map(Ok),
            _ => Ok(Err(SecondFactorRefused::NotBegun {})),
        }
    })
}

async fn page(app: &App, caller: &Caller, no: Option<&SecondFactorRefused>) -> Result<Markup, Problem> {
    let user = person(caller)?;
    let state = second_factor::state(app, user).await?;
    let body = match (&state.totp_on_at, &state.totp_secret) {
        (Some(_), _) => on_page(&state, no),
        (None, Some(_)) => match second_factor::generator(app, user, &state).await? {
            Some(totp) => {
                let address =
                    totp.to_url().map_err(|e| Fault::broken(format!("the address for an app: {e}")))?;
                set_up(&address, &second_factor::secret_of(&totp), no)
            }
            None => begin_page(no),
        },
        (None, None) => begin_page(no),
    };
    Ok(shell::page(caller, "Second factor", body))
}

fn begin_page(no: Option<&SecondFactorRefused>) -> Markup {
    html::card(
        "",
        html! {
            @if let Some(no) = no { (html::alert("danger", &no.to_string())) }
            p { "An app on your phone (any that knows “TOTP”: Aegis, 2FAS, Google Authenticator, 1Password …) shows six digits that change every 30 seconds. They are asked for after your password." }
            form method="post" {
                input type="hidden" name="do" value="begin";
                button.btn.btn-primary type="submit" { "Begin" }
                a.btn.btn-link href="/profile" { "Not now" }
            }
        },
    )
}

fn set_up(address: &str, secret: &str, no: Option<&SecondFactorRefused>) -> Markup {
    let groups: Vec<&str> =
        (0..secret.len()).step_by(4).filter_map(|at| secret.get(at..(at + 4).min(secret.len()))).collect();
    html::card(
        "",
        html! {
            div.row.g-4 {
                div."col-md-auto" { (square(address)) }
                div.col-md {
                    h2.h3 { "1. Scan this square with the app" }
                    p { "Or open it " a href=(address) { "on this device" } ", or type this in: " }
                    p { code.user-select-all { (groups.join(" ")) } }
                    h2.h3 { "2. Type in what it shows" }
                    form method="post" {
                        input type="hidden" name="do" value="confirm";
                        (forms::code("Code", no.map(ToString::to_string).as_deref(), "Six digits. Nothing is asked for before you have typed one in."))
                        button.btn.btn-primary type="submit" { "Turn on" }
                        a.btn.btn-link href="/profile" { "Not now" }
                    }
                }
            }
        },
    )
}

fn on_page(state: &Factor, no: Option<&SecondFactorRefused>) -> Markup {
    html::card(
        "",
        html! {
            p { "The second factor is on. " (state.codes_left) " recovery codes are left." }
            form method="post" {
                (forms::password(no.map(ToString::to_string).as_deref()))
                div.btn-list {
                    button.btn.btn-primary type="submit" name="do" value="new_codes" { "Make new recovery codes" }
                    button.btn.btn-outline-danger type="submit" name="do" value="turn_off" { "Turn the second factor off" }
                    a.btn.btn-link href="/profile" { "Back" }
                }
            }
        },
    )
}

fn codes_page(caller: &Caller, codes: &[String]) -> Markup {
    shell::page(
        caller,
        "Recovery codes",
        html::card(
            "",
            html! {
                (html::alert("success", "The second factor is on."))
                p { "Each of these codes lets you in once in place of the app, on the day the phone is lost. They are shown this once: print them, or keep them with your passwords. Codes made before are void." }
                ul.list-unstyled.row.row-cols-1.row-cols-sm-2.g-2.fs-3 { @for code in codes { li.col { code { (code) } } } }
                a.btn.btn-primary href="/profile" { "I have kept them" }
            },
        ),
    )
}

/// The square that an app scans, as SVG: a path of one pixel a module, with the white margin that cameras need, in both colour schemes.
fn square(address: &str) -> Markup {
    let Ok(code) = QrCode::new(address.as_bytes()) else { return html! {} };
    let width = code.width();
    let mut path = String::new();
    for (n, colour) in code.to_colors().into_iter().enumerate() {
        if colour == Color::Dark {
            path.push_str(&format!("M{} {}h1v1h-1z", n % width + 4, n / width + 4));
        }
    }
    let side = width + 8;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width="232" height="232" viewBox={ "0 0 " (side) " " (side) } role="img" aria-label="Square for the app" shape-rendering="crispEdges" {
            rect width=(side) height=(side) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::square;

    #[test]
    fn a_square_has_its_margin_and_no_style() {
        let shown = square("otpauth://totp/Fulmar:ada%40shop.example?secret=GEZDGNBVGY3TQOJQ&issuer=Fulmar")
            .into_string();
        assert!(
            shown.contains("viewBox=\"0 0 ") && shown.contains("M4 4h1v1h-1z") && !shown.contains("style="),
            "{shown:.300}"
        );
        assert!(!shown.contains("M3 ") && !shown.contains("M0 "), "four modules of margin");
    }
}
