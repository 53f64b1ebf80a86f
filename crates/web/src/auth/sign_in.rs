//! Signing in: address and password, then the second factor where there is one.
//!
//! Invariants: an unknown address, a wrong password and a deactivated person cannot be told apart, neither by what is said nor by how long
//! it takes; every failure is counted before it is known to be one; what opens a session has a new token.

use super::origin::Origin;
use super::password::password_fits;
use super::sessions::{self, SESSION_HOURS, WAITING};
use super::users::{UserId, normal};
use super::{attempts, second_factor};
use crate::App;
use db::FromRow;
use kernel::{Actor, Fault, Refuse, Secret, Timestamp};
use serde::{Deserialize, Serialize};

kernel::refusals! {
    /// Why somebody is not let in.
    pub enum SignInRefused {
        TooManyAttempts { seconds: i64 } => Forbidden, "auth.too_many_attempts", "Too many attempts. Try again in {seconds} seconds.";
        WrongPassword {} => Invalid, "auth.wrong_password", "This address and password do not belong together.";
        WrongCode {} => Invalid, "auth.wrong_code", "This code is not right, or was used before. Wait for the next one.";
        Over {} => Conflict, "auth.sign_in_over", "This took too long. Start again with your password.";
    }
}

/// Somebody is let in, or asked for the second factor first.
#[derive(Debug)]
pub struct SignedInAs {
    /// Who.
    pub user: UserId,
    /// The token for the cookie.
    pub token: Secret<String>,
    /// Seconds until the session is over.
    pub seconds: i64,
    /// Whether the second factor is asked for: the session opens nothing but that page.
    pub waiting: bool,
}

/// Somebody signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UserSignedIn {
    user: UserId,
    from: String,
    /// By which second factor.
    #[serde(default)]
    second_factor: Option<String>,
}
kernel::fact!(UserSignedIn, "user.signed_in");

#[derive(FromRow)]
struct Account {
    id: UserId,
    password_hash: String,
    active: bool,
    totp_on_at: Option<Timestamp>,
}

/// Lets somebody in by address and password. `present` is the token of the session they have, which ends.
///
/// # Errors
/// A fault of the database.
pub async fn sign_in(
    app: &App,
    email: &str,
    password: Secret<String>,
    from: &Origin,
    present: Option<&str>,
) -> Result<Result<SignedInAs, SignInRefused>, Fault> {
    let email = normal(email);
    let now = app.db.now();
    if let Err(seconds) = app.throttle.attempt(&email, &from.address, now) {
        let refused = SignInRefused::TooManyAttempts { seconds };
        attempts::sign_in_failed(app, None, &email, from, refused.code()).await;
        return Ok(Err(refused));
    }
    let text = "SELECT id, password_hash, active, totp_on_at FROM user_account WHERE email = $1";
    let account: Option<Account> = app.db.read().one(text, [email.as_str().into()]).await?;
    let stored = account.as_ref().filter(|a| a.active).map(|a| a.password_hash.clone());
    let fits = password_fits(app, password, stored).await?;
    let Some(account) = account.as_ref().filter(|_| fits) else {
        let refused = SignInRefused::WrongPassword {};
        attempts::sign_in_failed(app, account.map(|a| a.id), &email, from, refused.code()).await;
        return Ok(Err(refused));
    };
    app.throttle.succeeded(&email, &from.address);
    let (user, waiting) = (account.id, account.totp_on_at.is_some());
    let span = if waiting { WAITING } else { SESSION_HOURS * Timestamp::HOUR };
    let token = db::write!(app.db, &Actor::of("user", user).at(&from.short()), |tx| {
        if let Some(present) = present {
            sessions::close(tx, present).await?;
        }
        if !waiting {
            let fact = UserSignedIn { user, from: from.address.clone(), second_factor: None };
            tx.record(tx.now(), user, None, fact)?;
        }
        sessions::open(tx, user, from, now.plus(span), waiting).await
    })?;
    Ok(Ok(SignedInAs { user, token, seconds: span / Timestamp::SECOND, waiting }))
}

/// Lets somebody in who gave the password and now a code of the second factor, or one of the recovery codes.
///
/// # Errors
/// A fault of the database.
pub async fn sign_in_with_code(
    app: &App,
    waiting: &str,
    code: &str,
    from: &Origin,
) -> Result<Result<SignedInAs, SignInRefused>, Fault> {
    let now = app.db.now();
    let Some(user) = sessions::waiting(app, waiting).await? else {
        return Ok(Err(SignInRefused::Over {}));
    };
    let login = user.to_string();
    if let Err(seconds) = app.throttle.attempt(&login, &from.address, now) {
        let refused = SignInRefused::TooManyAttempts { seconds };
        attempts::sign_in_failed(app, Some(user), &login, from, refused.code()).await;
        return Ok(Err(refused));
    }
    let proof = second_factor::recognise(app, user, code).await?;
    let span = SESSION_HOURS * Timestamp::HOUR;
    let actor = Actor::of("user", user).at(&from.short());
    let opened: Option<Secret<String>> = match proof {
        None => None,
        Some(proof) => db::write!(app.db, &actor, |tx| {
            if !second_factor::spend(tx, user, &proof).await? {
                return Ok(None);
            }
            sessions::close(tx, waiting).await?;
            let by = Some(proof.name().to_owned());
            tx.record(
                tx.now(),
                user,
                None,
                UserSignedIn { user, from: from.address.clone(), second_factor: by },
            )?;
            sessions::open(tx, user, from, now.plus(span), false).await.map(Some)
        })?,
    };
    let Some(token) = opened else {
        let refused = SignInRefused::WrongCode {};
        attempts::sign_in_failed(app, Some(user), &login, from, refused.code()).await;
        return Ok(Err(refused));
    };
    app.throttle.succeeded(&login, &from.address);
    Ok(Ok(SignedInAs { user, token, seconds: span / Timestamp::SECOND, waiting: false }))
}
