//! People, invitations and roles over REST, and the audit log.

use super::invite::{self, InvitationId, InvitationRow};
use super::reset::reset_password;
use super::second_factor::vault;
use super::sessions::{Which, end_sessions};
use super::users::{self, ChangeUser, UserId, UserRow, change_user, may_touch, reset_second_factor};
use super::{ManagePeople, May, Role, Scopes, SignedIn, audit};
use crate::{App, Body, Key, OrProblem, Page, Paging, Params, Problem, Reply, Segment, reply};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The REST routes of people.
pub(super) fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(change))
        .routes(routes!(reset))
        .routes(routes!(remove_second_factor))
        .routes(routes!(sign_out_everywhere))
        .routes(routes!(invitations, invite))
        .routes(routes!(resend))
        .routes(routes!(revoke))
        .routes(routes!(roles))
        .routes(routes!(audit::read))
}

/// Somebody who signs in.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct User {
    id: UserId,
    email: String,
    name: String,
    role: Role,
    /// Whether they may sign in.
    active: bool,
    /// Whether a second factor is asked for.
    second_factor: bool,
    created_at: Timestamp,
    /// Their last request, to within five minutes, while they have a session.
    seen_at: Option<Timestamp>,
}

impl User {
    fn of(row: UserRow) -> Result<Self, Fault> {
        Ok(Self {
            role: row.role.parse()?,
            second_factor: row.totp_on_at.is_some(),
            id: row.id,
            email: row.email,
            name: row.name,
            active: row.active,
            created_at: row.created_at,
            seen_at: row.seen_at,
        })
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListAll {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List people who sign in, oldest first
#[utoipa::path(get, path = "/users", tag = "people", operation_id = "listUsers", params(ListAll), responses((status = 200, body = Page<User>)))]
async fn list(
    State(app): State<App>,
    _: May<ManagePeople>,
    Params(query): Params<ListAll>,
) -> Result<Json<Page<User>>, Problem> {
    let paging = Paging::<UserId>::read(query.limit, query.cursor.as_deref())?;
    let rows = users::users(app.db.read(), paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |row| row.id);
    let data = page.data.into_iter().map(User::of).collect::<Result<Vec<User>, Fault>>()?;
    Ok(Json(Page { data, next_cursor: page.next_cursor }))
}

/// Changes a person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Changes {
    /// What they may from now on.
    #[serde(default)]
    role: Option<Role>,
    /// Whether they may sign in; without, their sessions end.
    #[serde(default)]
    active: Option<bool>,
}

/// Change somebody's role, or whether they may sign in
///
/// The last owner stays owner and active. Only an owner makes or changes an owner.
#[utoipa::path(patch, path = "/users/{id}", tag = "people", operation_id = "changeUser", params(("id" = UserId, Path)), request_body = Changes, responses((status = 200, body = User)))]
async fn change(
    State(app): State<App>,
    caller: May<ManagePeople>,
    key: Key,
    Segment(id): Segment<UserId>,
    Body(body): Body<Changes>,
) -> Result<Reply, Problem> {
    let full = caller.may_everything();
    crate::command!(app, caller, key, "users.change", &body, |tx| {
        change_user(tx, id, ChangeUser { role: body.role, active: body.active }, full).await?.or_problem()?;
        let row = users::user(tx, id).await?.ok_or_else(|| Problem::not_found(format!("user {id}")))?;
        reply(StatusCode::OK, &User::of(row)?)
    })
}

/// A link that is shown this once.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct OneLink {
    /// Give it to the person it is for, and to nobody else. It is good once.
    link: String,
    /// Until when.
    expires_at: Timestamp,
}

/// Make a link by which somebody chooses a new password
///
/// It is also sent by e-mail, where the program sends e-mails. The link is in the answer and nowhere else; one made before is void.
#[utoipa::path(post, path = "/users/{id}/password-reset", tag = "people", operation_id = "resetPassword", params(("id" = UserId, Path)), responses((status = 201, body = OneLink)))]
async fn reset(
    State(app): State<App>,
    caller: May<ManagePeople>,
    Segment(id): Segment<UserId>,
) -> Result<Reply, Problem> {
    let full = caller.may_everything();
    let asked: Result<_, Fault> =
        db::write!(app.db, &caller.actor, |tx| Ok(reset_password(tx, id, full).await?.or_problem()?));
    let asked = asked?;
    let link = asked.ticket().link(&vault(&app), &app.db).await?;
    Ok(reply(StatusCode::CREATED, &OneLink { link, expires_at: asked.expires_at })?)
}

/// Take somebody's second factor away, who lost it
///
/// Their sessions end.
#[utoipa::path(delete, path = "/users/{id}/second-factor", tag = "people", operation_id = "removeSecondFactor", params(("id" = UserId, Path)), responses((status = 204)))]
async fn remove_second_factor(
    State(app): State<App>,
    caller: May<ManagePeople>,
    key: Key,
    Segment(id): Segment<UserId>,
) -> Result<Reply, Problem> {
    let full = caller.may_everything();
    crate::command!(app, caller, key, "users.remove_second_factor", &(), |tx| {
        reset_second_factor(tx, id, full).await?.or_problem()?;
        Ok(Reply::empty())
    })
}

/// End all sessions of somebody
#[utoipa::path(delete, path = "/users/{id}/sessions", tag = "people", operation_id = "endSessions", params(("id" = UserId, Path)), responses((status = 204)))]
async fn sign_out_everywhere(
    State(app): State<App>,
    caller: May<ManagePeople>,
    key: Key,
    Segment(id): Segment<UserId>,
) -> Result<Reply, Problem> {
    let full = caller.may_everything();
    crate::command!(app, caller, key, "users.end_sessions", &(), |tx| {
        may_touch(tx, id, full).await?.or_problem()?;
        end_sessions(tx, id, Which::All).await?;
        Ok(Reply::empty())
    })
}

/// An invitation that is open.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Invitation {
    id: InvitationId,
    email: String,
    role: Role,
    /// As the event log names them.
    invited_by: String,
    created_at: Timestamp,
    /// Until when its link is good.
    expires_at: Timestamp,
}

impl Invitation {
    fn of(row: InvitationRow) -> Result<Self, Fault> {
        Ok(Self {
            role: row.role.parse()?,
            id: row.id,
            email: row.email,
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }
}

/// Invites somebody.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Invite {
    /// The address they will sign in with.
    #[schema(example = "ada@example.com")]
    email: String,
    /// What they will be.
    role: Role,
}

/// An invitation with its link.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Invited {
    id: InvitationId,
    /// Give it to the person it is for, and to nobody else. It is good once.
    link: String,
    /// Until when the link is good.
    expires_at: Timestamp,
}

impl Invited {
    async fn of(app: &App, invited: &invite::UserInvited) -> Result<Self, Fault> {
        let link = invited.ticket().link(&vault(app), &app.db).await?;
        Ok(Self { id: invited.invitation, link, expires_at: invited.expires_at })
    }
}

/// List open invitations, newest first
#[utoipa::path(get, path = "/invitations", tag = "people", operation_id = "listInvitations", params(ListAll), responses((status = 200, body = Page<Invitation>)))]
async fn invitations(
    State(app): State<App>,
    _: May<ManagePeople>,
    Params(query): Params<ListAll>,
) -> Result<Json<Page<Invitation>>, Problem> {
    let paging = Paging::<InvitationId>::read(query.limit, query.cursor.as_deref())?;
    let rows = invite::open_ones(app.db.read(), paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |row| row.id);
    let data = page.data.into_iter().map(Invitation::of).collect::<Result<Vec<Invitation>, Fault>>()?;
    Ok(Json(Page { data, next_cursor: page.next_cursor }))
}

/// Invite somebody by e-mail
///
/// The link is sent by e-mail, where the program sends e-mails, and is in the answer; it is good once, for seven days.
#[utoipa::path(post, path = "/invitations", tag = "people", operation_id = "inviteUser", request_body = Invite, responses((status = 201, body = Invited)))]
async fn invite(
    State(app): State<App>,
    caller: May<ManagePeople>,
    Body(body): Body<Invite>,
) -> Result<Reply, Problem> {
    let full = caller.may_everything();
    let invited: Result<_, Fault> = db::write!(app.db, &caller.actor, |tx| {
        Ok(invite::invite(tx, &body.email, body.role, full).await?.or_problem()?)
    });
    Ok(reply(StatusCode::CREATED, &Invited::of(&app, &invited?).await?)?)
}

/// Send an invitation again
///
/// With a new link; the one before is void.
#[utoipa::path(post, path = "/invitations/{id}/resend", tag = "people", operation_id = "resendInvitation", params(("id" = InvitationId, Path)), responses((status = 201, body = Invited)))]
async fn resend(
    State(app): State<App>,
    caller: May<ManagePeople>,
    Segment(id): Segment<InvitationId>,
) -> Result<Reply, Problem> {
    let full = caller.may_everything();
    let invited: Result<_, Fault> =
        db::write!(app.db, &caller.actor, |tx| Ok(invite::resend(tx, id, full).await?.or_problem()?));
    Ok(reply(StatusCode::CREATED, &Invited::of(&app, &invited?).await?)?)
}

/// Revoke an invitation
///
/// Its link is void at once.
#[utoipa::path(delete, path = "/invitations/{id}", tag = "people", operation_id = "revokeInvitation", params(("id" = InvitationId, Path)), responses((status = 204)))]
async fn revoke(
    State(app): State<App>,
    caller: May<ManagePeople>,
    key: Key,
    Segment(id): Segment<InvitationId>,
) -> Result<Reply, Problem> {
    let full = caller.may_everything();
    crate::command!(app, caller, key, "invitations.revoke", &(), |tx| {
        invite::revoke(tx, id, full).await?.or_problem()?;
        Ok(Reply::empty())
    })
}

/// A role with what it may.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct RoleOf {
    role: Role,
    /// As people read it.
    title: String,
    /// What it is for.
    meaning: String,
    /// Every scope it has.
    scopes: Vec<String>,
}

/// List roles and what they may
#[utoipa::path(get, path = "/roles", tag = "people", operation_id = "listRoles", responses((status = 200, body = Vec<RoleOf>)))]
async fn roles(State(app): State<App>, _: May<SignedIn>) -> Json<Vec<RoleOf>> {
    let all = app.permissions();
    let of = |role: Role| {
        let granted = Scopes::of(role);
        let scopes = all.iter().map(|(scope, _)| *scope).filter(|scope| granted.allow(scope));
        RoleOf {
            role,
            title: role.title().to_owned(),
            meaning: role.meaning().to_owned(),
            scopes: scopes.map(str::to_owned).collect(),
        }
    };
    Json(Role::ALL.into_iter().map(of).collect())
}
