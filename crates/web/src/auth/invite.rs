//! Invitations: somebody who manages people asks somebody in by e-mail, and who is asked chooses name and password.
//!
//! Invariants: there is one open invitation for an address; its link is good once, for seven days, and no longer once it was sent again or
//! revoked; nobody asks in an owner but who may do everything.

use super::links::{Purpose, Ticket};
use super::password::{check_password, hash_password};
use super::second_factor::vault;
use super::users::{self, UserId, is_address, normal};
use super::{CreateUserRefused, Role};
use crate::App;
use db::{FromRow, Sql, Tx};
use kernel::{Actor, Fault, Secret, Timestamp};
use serde::{Deserialize, Serialize};

kernel::id!(InvitationId, "inv", "An invitation to sign in.");

/// How long a link is good.
const GOOD_FOR: i64 = 7 * Timestamp::DAY;

kernel::refusals! {
    /// Why somebody is not asked in.
    pub enum InviteRefused {
        BadEmail { email: String } => Invalid, "users.bad_email", "“{email}” is not an e-mail address.";
        OwnersOnly {} => Forbidden, "users.owners_only", "Only an owner can make an owner, or change one.";
        EmailTaken { email: String } => Conflict, "users.email_taken", "{email} signs in here already.";
        Open { email: String } => Conflict, "invitations.open", "{email} has an invitation already. Send it again, or revoke it.";
    }
}
kernel::refusals! {
    /// Why an invitation stays as it is.
    pub enum InvitationRefused {
        Unknown { invitation: InvitationId } => NotFound, "invitations.unknown", "There is no invitation {invitation}.";
        OwnersOnly {} => Forbidden, "users.owners_only", "Only an owner can make an owner, or change one.";
        Over {} => Conflict, "invitations.over", "This invitation was accepted or revoked.";
    }
}

/// Somebody is asked in. Whoever tells them makes the link of it (see [`super::mail_link`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserInvited {
    /// The invitation.
    pub invitation: InvitationId,
    /// Whom.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Until when the link is good.
    pub expires_at: Timestamp,
    /// The how manieth link it is.
    pub generation: i64,
}
kernel::fact!(UserInvited, "user.invited");

/// An invitation is void.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct InvitationRevoked {
    invitation: InvitationId,
    email: String,
}
kernel::fact!(InvitationRevoked, "invitation.revoked");

/// An invitation was accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct InvitationAccepted {
    invitation: InvitationId,
    user: UserId,
}
kernel::fact!(InvitationAccepted, "invitation.accepted");

impl UserInvited {
    /// The link by which it is accepted. Show it to who may see it, and keep it nowhere.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn link(&self, vault: &super::Vault, db: &db::Db) -> Result<String, Fault> {
        self.ticket().link(vault, db).await
    }
    pub(super) fn ticket(&self) -> Ticket {
        Ticket {
            purpose: Purpose::Invitation,
            subject: self.invitation.to_string(),
            generation: self.generation,
            until: self.expires_at,
        }
    }
}

/// An invitation, for lists.
#[derive(Debug, Clone, FromRow)]
pub(super) struct InvitationRow {
    pub id: InvitationId,
    pub email: String,
    pub role: String,
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub generation: i64,
    pub accepted_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

const INVITATION: &str = "SELECT id, email, role, invited_by, created_at, expires_at, generation, accepted_at, revoked_at FROM invitation";

/// Invitations that are open, newest first.
pub(super) async fn open_ones(
    sql: &Sql,
    before: Option<InvitationId>,
    limit: i64,
) -> Result<Vec<InvitationRow>, Fault> {
    let before = before.map_or(i64::MAX, |id| id.0);
    let text = format!(
        "{INVITATION} WHERE id < $1 AND accepted_at IS NULL AND revoked_at IS NULL ORDER BY id DESC LIMIT $2"
    );
    sql.all(&text, [before.into(), limit.into()]).await
}

/// Asks somebody in.
///
/// # Errors
/// A fault of the database.
pub async fn invite(
    tx: &Tx,
    email: &str,
    role: Role,
    full: bool,
) -> Result<Result<UserInvited, InviteRefused>, Fault> {
    let address = normal(email);
    if !is_address(&address) {
        return Ok(Err(InviteRefused::BadEmail { email: email.to_owned() }));
    }
    if role == Role::Owner && !full {
        return Ok(Err(InviteRefused::OwnersOnly {}));
    }
    let taken: Option<i64> =
        tx.scalar("SELECT id FROM user_account WHERE email = $1", [address.as_str().into()]).await?;
    if taken.is_some() {
        return Ok(Err(InviteRefused::EmailTaken { email: address }));
    }
    let id: InvitationId = tx.id();
    let expires_at = tx.now().plus(GOOD_FOR);
    let text = "INSERT INTO invitation (id, email, role, invited_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
                ON CONFLICT (email) WHERE accepted_at IS NULL AND revoked_at IS NULL DO NOTHING";
    let by = tx.actor().as_str().to_owned();
    let values = [
        id.into(),
        address.as_str().into(),
        role.as_str().into(),
        by.into(),
        tx.now().into(),
        expires_at.into(),
    ];
    if tx.touched(text, values).await? == 0 {
        return Ok(Err(InviteRefused::Open { email: address }));
    }
    let invited = UserInvited { invitation: id, email: address, role, expires_at, generation: 0 };
    tx.record(tx.now(), id, None, invited.clone())?;
    Ok(Ok(invited))
}

/// An invitation, locked, that is open to a change.
async fn open_one(
    tx: &Tx,
    id: InvitationId,
    full: bool,
) -> Result<Result<InvitationRow, InvitationRefused>, Fault> {
    let text = format!("{INVITATION} WHERE id = $1 /*pg FOR UPDATE */");
    let Some(row) = tx.one::<InvitationRow>(&text, [id.into()]).await? else {
        return Ok(Err(InvitationRefused::Unknown { invitation: id }));
    };
    if row.role == Role::Owner.as_str() && !full {
        return Ok(Err(InvitationRefused::OwnersOnly {}));
    }
    if row.accepted_at.is_some() || row.revoked_at.is_some() {
        return Ok(Err(InvitationRefused::Over {}));
    }
    Ok(Ok(row))
}

/// Sends an invitation again: a new link that is good for seven days, and the one before no longer.
///
/// # Errors
/// A fault of the database.
pub async fn resend(
    tx: &Tx,
    id: InvitationId,
    full: bool,
) -> Result<Result<UserInvited, InvitationRefused>, Fault> {
    let row = match open_one(tx, id, full).await? {
        Ok(row) => row,
        Err(refused) => return Ok(Err(refused)),
    };
    let (expires_at, generation) = (tx.now().plus(GOOD_FOR), row.generation + 1);
    let text = "UPDATE invitation SET expires_at = $1, generation = $2 WHERE id = $3";
    tx.exec(text, [expires_at.into(), generation.into(), id.into()]).await?;
    let invited =
        UserInvited { invitation: id, email: row.email, role: row.role.parse()?, expires_at, generation };
    tx.record(tx.now(), id, None, invited.clone())?;
    Ok(Ok(invited))
}

/// Takes an invitation back.
///
/// # Errors
/// A fault of the database.
pub async fn revoke(tx: &Tx, id: InvitationId, full: bool) -> Result<Result<(), InvitationRefused>, Fault> {
    let row = match open_one(tx, id, full).await? {
        Ok(row) => row,
        Err(refused) => return Ok(Err(refused)),
    };
    tx.exec("UPDATE invitation SET revoked_at = $1 WHERE id = $2", [tx.now().into(), id.into()]).await?;
    tx.record(tx.now(), id, None, InvitationRevoked { invitation: id, email: row.email })?;
    Ok(Ok(()))
}

/// The open invitation that a link leads to.
pub(super) async fn of_link(app: &App, text: &str) -> Result<Option<InvitationRow>, Fault> {
    let Some(ticket) = Ticket::read(&vault(app), &app.db, Purpose::Invitation, text).await? else {
        return Ok(None);
    };
    let Ok(id) = ticket.subject.parse::<InvitationId>() else { return Ok(None) };
    let sql = format!(
        "{INVITATION} WHERE id = $1 AND generation = $2 AND accepted_at IS NULL AND revoked_at IS NULL"
    );
    app.db.read().one(&sql, [id.into(), ticket.generation.into()]).await
}

/// Lets in who was asked: they get the name and password they chose, and the link is void. None when it was void before.
pub(super) async fn accept(
    app: &App,
    invitation: &InvitationRow,
    name: &str,
    password: Secret<String>,
    origin: &str,
) -> Result<Result<Option<UserId>, CreateUserRefused>, Fault> {
    if let Err(weak) = check_password(&password, &invitation.email, name) {
        return Ok(Err(weak.into()));
    }
    let hash = hash_password(password).await?;
    let by = Actor::of("invitation", invitation.id).at(origin);
    let role: Role = invitation.role.parse()?;
    db::write!(app.db, &by, |tx| {
        let text = "SELECT id FROM invitation WHERE id = $1 AND generation = $2 AND accepted_at IS NULL AND revoked_at IS NULL /*pg FOR UPDATE */";
        let open: Option<i64> = tx.scalar(text, [invitation.id.into(), invitation.generation.into()]).await?;
        if open.is_none() {
            return Ok(Ok(None));
        }
        let user = match users::insert(tx, &invitation.email, name, role, &hash).await? {
            Ok(user) => user,
            Err(refused) => return Ok(Err(refused)),
        };
        let text = "UPDATE invitation SET accepted_at = $1, user_id = $2 WHERE id = $3";
        tx.exec(text, [tx.now().into(), user.into(), invitation.id.into()]).await?;
        tx.record(tx.now(), invitation.id, None, InvitationAccepted { invitation: invitation.id, user })?;
        Ok(Ok(Some(user)))
    })
}
