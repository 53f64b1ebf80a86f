//! The page of people: who signs in, who is invited, and what is done about either.

use super::invite::{self, InvitationId, InvitationRow};
use super::reset::reset_password;
use super::second_factor::{self, vault};
use super::sessions::{Which, end_sessions};
use super::users::{self, ChangeUser, UserId, UserRow, change_user, may_touch, reset_second_factor};
use super::{Caller, ManagePeople, May, Role, actor_name, forms};
use crate::toast;
use crate::{App, Form, OrProblem, Problem, Segment, html, shell};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kernel::Fault;
use maud::{Markup, html};
use serde::Deserialize;

/// People shown at most; a shop has fewer.
const SHOWN: i64 = 500;

/// The pages of people.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/people", get(show).post(invite))
        .route("/people/second-factor", post(require))
        .route("/people/{id}", post(act))
        .route("/people/invitations/{id}", post(act_on_invitation))
}

async fn show(State(app): State<App>, caller: May<ManagePeople>) -> Result<Response, Problem> {
    Ok(page(&app, &caller, html! {}, None).await?.into_response())
}

#[derive(Deserialize)]
struct Invite {
    #[serde(default)]
    email: String,
    role: Role,
}

async fn invite(
    State(app): State<App>,
    caller: May<ManagePeople>,
    Form(asked): Form<Invite>,
) -> Result<Response, Problem> {
    let full = caller.may_everything();
    let invited: Result<_, Fault> =
        db::write!(app.db, &caller.actor, |tx| Ok(invite::invite(tx, &asked.email, asked.role, full)
            .await?
            .or_problem()?));
    match invited.map_err(Problem::from) {
        Ok(invited) => {
            let said = link_once(&app, &invited).await?;
            Ok(page(&app, &caller, said, None).await?.into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            let said = forms::said("danger", Some(problem.detail()));
            let page = page(&app, &caller, said, Some(&asked)).await?;
            Ok((problem.status(), page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn link_once(app: &App, invited: &invite::UserInvited) -> Result<Markup, Fault> {
    let link = invited.ticket().link(&vault(app), &app.db).await?;
    let hint = format!(
        "The invitation goes to {} by e-mail, where e-mails are sent. You can also give them this link yourself; it is shown this once and good until {} UTC.",
        invited.email,
        invited.expires_at.minute()
    );
    Ok(forms::once(&format!("{} is invited", invited.email), &link, &hint))
}

#[derive(Deserialize)]
struct Act {
    #[serde(rename = "do")]
    what: What,
    #[serde(default)]
    role: Option<Role>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum What {
    Role,
    Deactivate,
    Activate,
    Reset,
    RemoveSecondFactor,
    SignOut,
}

impl What {
    fn done(self) -> &'static str {
        match self {
            Self::Role => "The role is changed",
            Self::Deactivate => "Deactivated, and signed out everywhere",
            Self::Activate => "May sign in again",
            Self::Reset => "There is a link to a new password",
            Self::RemoveSecondFactor => "The second factor is removed",
            Self::SignOut => "Signed out everywhere",
        }
    }
}

async fn act(
    State(app): State<App>,
    caller: May<ManagePeople>,
    Segment(id): Segment<UserId>,
    Form(asked): Form<Act>,
) -> Result<Response, Problem> {
    match done(&app, &caller, id, &asked).await {
        Ok(Some(said)) => Ok(page(&app, &caller, said, None).await?.into_response()),
        Ok(None) => Ok(toast::done(asked.what.done()).to("/people")),
        Err(problem) if problem.status().is_client_error() => {
            let page = page(&app, &caller, forms::said("danger", Some(problem.detail())), None).await?;
            Ok((problem.status(), page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// Does it; what there is to say once.
async fn done(app: &App, caller: &Caller, id: UserId, asked: &Act) -> Result<Option<Markup>, Problem> {
    let full = caller.may_everything();
    let change = match asked.what {
        What::Role => ChangeUser { role: asked.role, active: None },
        What::Deactivate => ChangeUser { role: None, active: Some(false) },
        What::Activate => ChangeUser { role: None, active: Some(true) },
        _ => ChangeUser::default(),
    };
    let made: Result<_, Fault> = db::write!(app.db, &caller.actor, |tx| {
        match asked.what {
            What::Role | What::Deactivate | What::Activate => {
                change_user(tx, id, change, full).await?.or_problem()?;
            }
            What::RemoveSecondFactor => reset_second_factor(tx, id, full).await?.or_problem()?,
            What::SignOut => {
                may_touch(tx, id, full).await?.or_problem()?;
                end_sessions(tx, id, Which::All).await?;
            }
            What::Reset => return Ok(Some(reset_password(tx, id, full).await?.or_problem()?)),
        }
        Ok(None)
    });
    let Some(asked) = made? else { return Ok(None) };
    let link = asked.ticket().link(&vault(app), &app.db).await?;
    let hint = format!(
        "It goes to {} by e-mail, where e-mails are sent. You can also give it to them yourself; it is shown this once and good for an hour, until {} UTC.",
        asked.email,
        asked.expires_at.minute()
    );
    Ok(Some(forms::once(&format!("A link to a new password for {}", asked.name), &link, &hint)))
}

#[derive(Deserialize)]
struct ActOnInvitation {
    #[serde(rename = "do")]
    what: OnInvitation,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum OnInvitation {
    Resend,
    Revoke,
}

async fn act_on_invitation(
    State(app): State<App>,
    caller: May<ManagePeople>,
    Segment(id): Segment<InvitationId>,
    Form(asked): Form<ActOnInvitation>,
) -> Result<Response, Problem> {
    let full = caller.may_everything();
    let made: Result<_, Fault> = db::write!(app.db, &caller.actor, |tx| {
        Ok(match asked.what {
            OnInvitation::Resend => Some(invite::resend(tx, id, full).await?.or_problem()?),
            OnInvitation::Revoke => {
                invite::revoke(tx, id, full).await?.or_problem()?;
                None
            }
        })
    });
    match made? {
        Some(invited) => {
            let said = link_once(&app, &invited).await?;
            Ok(page(&app, &caller, said, None).await?.into_response())
        }
        None => Ok(toast::done("The invitation is revoked").to("/people")),
    }
}

#[derive(Deserialize)]
struct Required {
    #[serde(default)]
    roles: Vec<Role>,
}

async fn require(
    State(app): State<App>,
    caller: May<ManagePeople>,
    Form(asked): Form<Required>,
) -> Result<Response, Problem> {
    let done: Result<(), Fault> =
        db::write!(app.db, &caller.actor, |tx| second_factor::require(tx, asked.roles.clone()).await);
    done?;
    Ok(toast::done("Saved").to("/people"))
}

async fn page(app: &App, caller: &Caller, said: Markup, asked: Option<&Invite>) -> Result<Markup, Fault> {
    let sql = app.db.read();
    let people = users::users(sql, None, SHOWN).await?;
    let invitations = invite::open_ones(sql, None, SHOWN).await?;
    let inviting: Vec<&str> = invitations.iter().map(|i| i.invited_by.as_str()).collect();
    let names = users::names(sql, &inviting).await?;
    let required = second_factor::required(app).await?;
    Ok(shell::page(
        caller,
        "People",
        html! {
            (said)
            (invite_form(caller, asked))
            (html::card("Who signs in", html! {
                (html::Table::new("Who signs in", &PEOPLE, people.iter().map(|p| row(caller, p))).show())
                p.mt-3.mb-0 { a href="/people/roles" { "Permissions" } }
            }))
            @if !invitations.is_empty() {
                (html::card("Invited", html::Table::new("Invited", &INVITED,
                    invitations.iter().map(|i| invitation(caller, i, &actor_name(&names, &i.invited_by))),
                ).show()))
            }
            (html::card("Second factor required", require_form(&required)))
        },
    ))
}

fn invite_form(caller: &Caller, asked: Option<&Invite>) -> Markup {
    let (email, role) = asked.map_or(("", Role::Support), |asked| (asked.email.as_str(), asked.role));
    html::card(
        "Invite somebody",
        html! {
            form.row.g-2.align-items-end method="post" action="/people" {
                div.col-12.col-md {
                    label.form-label.required for="invite-email" { "E-mail" }
                    input #invite-email.form-control name="email" type="email" required autocomplete="off" value=(email) placeholder="ada@example.com";
                }
                div."col-8"."col-md-3" {
                    label.form-label for="invite-role" { "Role" }
                    (forms::roles("invite-role", role, caller.may_everything()))
                }
                div."col-4"."col-md-auto" { button.btn.btn-primary.w-100 type="submit" { "Invite" } }
            }
        },
    )
}

fn role_title(role: &str) -> &str {
    role.parse::<Role>().map_or(role, |role| role.title())
}

const PEOPLE: [html::Col<'static>; 5] = [
    html::Col::text("Name"),
    html::Col::text("Role"),
    html::Col::text("Second factor"),
    html::Col::text("Last seen"),
    html::Col::text(""),
];
const INVITED: [html::Col<'static>; 5] = [
    html::Col::text("E-mail"),
    html::Col::text("Role"),
    html::Col::text("Invited by"),
    html::Col::text("Link good until"),
    html::Col::text(""),
];

fn row(caller: &Caller, person: &UserRow) -> html::Row {
    let mine = caller.user == Some(person.id);
    let may = caller.may_everything() || person.role != Role::Owner.as_str();
    html::Row::new([
        html! {
            div { strong { bdi { (person.name) } } @if mine { span.badge.ms-2 { "you" } } @if !person.active { " " (html::badge("inactive")) } }
            div.text-secondary { (person.email) }
        },
        html! { @if may && person.active { (role_form(caller, person)) } @else { (role_title(&person.role)) } },
        html! { @if person.totp_on_at.is_some() { span.text-success { "On" } } @else { span.text-secondary { "Off" } } },
        html! { @match person.seen_at { Some(at) => { (html::time(at)) }, None => (html::none()) } },
        html! { @if may { (actions(person)) } },
    ])
    .quiet(!person.active)
}

fn role_form(caller: &Caller, person: &UserRow) -> Markup {
    let id = format!("role-{}", person.id);
    let role = person.role.parse::<Role>().unwrap_or(Role::ReadOnly);
    html! {
        form.role-form method="post" action={ "/people/" (person.id) } {
            input type="hidden" name="do" value="role";
            (forms::roles(&id, role, caller.may_everything()))
            button.btn type="submit" aria-label={ "Change the role of " (person.name) } { "Change" }
        }
    }
}

fn actions(person: &UserRow) -> Markup {
    let here = format!("/people/{}", person.id);
    if !person.active {
        return html::button(&here, "Activate", "sm", &[("do", "activate")]);
    }
    let mut items = vec![html::Item::Post("Make a link to a new password", &here, &[("do", "reset")])];
    if person.totp_on_at.is_some() {
        items.push(html::Item::Post("Remove the second factor", &here, &[("do", "remove_second_factor")]));
    }
    if person.seen_at.is_some() {
        items.push(html::Item::Post("Sign out everywhere", &here, &[("do", "sign_out")]));
    }
    items.extend([html::Item::Line, html::Item::Post("Deactivate", &here, &[("do", "deactivate")])]);
    html::menu("More", &items)
}

fn invitation(caller: &Caller, invited: &InvitationRow, by: &str) -> html::Row {
    let here = format!("/people/invitations/{}", invited.id);
    let may = caller.may_everything() || invited.role != Role::Owner.as_str();
    html::Row::new([
        html! { (invited.email) },
        html! { (role_title(&invited.role)) },
        html! { bdi { (by) } },
        html::time(invited.expires_at),
        html! { @if may {
            div.btn-list.flex-nowrap {
                (html::button(&here, "Send again", "sm", &[("do", "resend")]))
                (html::button(&here, "Revoke", "sm btn-outline-danger", &[("do", "revoke")]))
            }
        } },
    ])
}

fn require_form(required: &[Role]) -> Markup {
    html! {
        p.text-secondary { "Who has one of these roles sets up a second factor before anything else." }
        form method="post" action="/people/second-factor" {
            div.mb-3.tick-grid { @for role in Role::ALL {
                label.form-check {
                    input.form-check-input type="checkbox" name="roles[]" value=(role.as_str()) checked[required.contains(&role)];
                    span.form-check-label { (role.title()) }
                }
            } }
            button.btn type="submit" { "Save" }
        }
    }
}
