//! New passwords by link, for who forgot theirs: somebody who manages people makes the link, or the person asks for it at the sign-in.
//!
//! Invariants: a link is good once and for an hour, and no longer once another was made, the password changed or the person deactivated;
//! who asks is told the same whether there is such a person or not. The second factor stays.

use super::links::{Purpose, Ticket};
use super::password::{WeakPassword, check_password, hash_password};
use super::second_factor::vault;
use super::sessions::Which;
use super::users::{self, ChangeUserRefused, UserId, may_touch, normal};
use crate::App;
use db::{FromRow, Tx};
use kernel::{Actor, Fault, Secret, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a link is good.
const GOOD_FOR: i64 = Timestamp::HOUR;

/// Somebody may choose a new password. Whoever tells them makes the link of it (see [`super::mail_link`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PasswordResetAsked {
    /// Who.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// As colleagues know them.
    pub name: String,
    /// Until when the link is good.
    pub expires_at: Timestamp,
    /// The how manieth link it is.
    pub generation: i64,
}
kernel::fact!(PasswordResetAsked, "user.password_reset");

impl PasswordResetAsked {
    pub(super) fn ticket(&self) -> Ticket {
        Ticket {
            purpose: Purpose::Password,
            subject: self.user.to_string(),
            generation: self.generation,
            until: self.expires_at,
        }
    }
}

#[derive(FromRow)]
struct Renewed {
    email: String,
    name: String,
    reset_generation: i64,
}

async fn make(tx: &Tx, user: UserId) -> Result<Option<PasswordResetAsked>, Fault> {
    let expires_at = tx.now().plus(GOOD_FOR);
    let text = "UPDATE user_account SET reset_generation = reset_generation + 1, reset_until = $1 WHERE id = $2 AND active = TRUE \
                RETURNING email, name, reset_generation";
    let Some(row) = tx.one::<Renewed>(text, [expires_at.into(), user.into()]).await? else { return Ok(None) };
    let asked = PasswordResetAsked {
        user,
        email: row.email,
        name: row.name,
        expires_at,
        generation: row.reset_generation,
    };
    tx.record(tx.now(), user, None, asked.clone())?;
    Ok(Some(asked))
}

/// Makes a link to a new password for a person who may sign in.
///
/// # Errors
/// A fault of the database.
pub async fn reset_password(
    tx: &Tx,
    user: UserId,
    full: bool,
) -> Result<Result<PasswordResetAsked, ChangeUserRefused>, Fault> {
    if let Err(refused) = may_touch(tx, user, full).await? {
        return Ok(Err(refused));
    }
    Ok(make(tx, user).await?.ok_or(ChangeUserRefused::Unknown { user }))
}

/// Somebody says that they forgot their password. Whether there is such a person is not answered.
pub(super) async fn forgot(app: &App, email: &str, origin: &str) -> Result<(), Fault> {
    let text = "SELECT id FROM user_account WHERE email = $1 AND active = TRUE";
    let user: Option<UserId> = app.db.read().scalar(text, [normal(email).into()]).await?;
    // A transaction either way, so that both take as long.
    db::write!(app.db, &Actor::system("web.forgot").at(origin), |tx| match user {
        Some(user) => make(tx, user).await.map(drop),
        None => Ok(()),
    })
}

/// Whom a link gives a new password.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Forgetful {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub reset_generation: i64,
}

/// Whom a link gives a new password, while it is good.
pub(super) async fn of_link(app: &App, text: &str) -> Result<Option<Forgetful>, Fault> {
    let Some(ticket) = Ticket::read(&vault(app), &app.db, Purpose::Password, text).await? else {
        return Ok(None);
    };
    let Ok(user) = ticket.subject.parse::<UserId>() else { return Ok(None) };
    let sql = "SELECT id, email, name, reset_generation FROM user_account \
               WHERE id = $1 AND reset_generation = $2 AND reset_until > $3 AND active = TRUE";
    app.db.read().one(sql, [user.into(), ticket.generation.into(), app.db.now().into()]).await
}

/// Gives somebody the password they chose; whether the link was still good.
pub(super) async fn choose(
    app: &App,
    who: &Forgetful,
    password: Secret<String>,
    origin: &str,
) -> Result<Result<bool, WeakPassword>, Fault> {
    if let Err(weak) = check_password(&password, &who.email, &who.name) {
        return Ok(Err(weak));
    }
    let hash = hash_password(password).await?;
    let good = db::write!(app.db, &Actor::of("user", who.id).at(origin), |tx| {
        let text = "SELECT id FROM user_account WHERE id = $1 AND reset_generation = $2 AND reset_until > $3 AND active = TRUE /*pg FOR UPDATE */";
        let values = [who.id.into(), who.reset_generation.into(), tx.now().into()];
        if tx.scalar::<i64>(text, values).await?.is_none() {
            return Ok(false);
        }
        users::put_password(tx, who.id, &hash, Which::All).await?;
        Ok(true)
    })?;
    Ok(Ok(good))
}
