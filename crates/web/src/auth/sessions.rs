//! Sessions of people: a random token in a cookie, its hash in the database, over after twelve hours or at sign-out.

use super::users::{UserId, normal, password_fits};
use super::{Role, token_hash};
use crate::App;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::{BoxFuture, Ctx, FromRow};
use kernel::{Actor, Fault, Secret, Timestamp};
use serde::{Deserialize, Serialize};

/// The name of the cookie.
pub const COOKIE: &str = "fulmar_session";
/// How long a session lasts.
pub const SESSION_HOURS: i64 = 12;
/// How long answers to API calls are kept for repetition of the call.
const ANSWER_DAYS: i64 = 30;

kernel::refusals! {
    /// Why somebody is not let in.
    pub enum SignInRefused {
        TooManyAttempts { seconds: i64 } => Forbidden, "auth.too_many_attempts", "Too many attempts. Try again in {seconds} seconds.";
        WrongPassword {} => Invalid, "auth.wrong_password", "This address and password do not belong together.";
    }
}

/// Somebody signed in.
pub struct SignedInAs {
    /// Who.
    pub user: UserId,
    /// The token for the cookie.
    pub token: Secret<String>,
    /// When the session is over.
    pub until: Timestamp,
}

/// Somebody signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UserSignedIn {
    user: UserId,
    from: String,
}
kernel::fact!(UserSignedIn, "user.signed_in");

#[derive(FromRow)]
struct Account {
    id: UserId,
    password_hash: String,
}

/// Lets somebody in by address and password; `from` is where the request came from, for the throttle.
///
/// # Errors
/// A fault of the database.
pub async fn sign_in(
    app: &App,
    email: &str,
    password: Secret<String>,
    from: &str,
) -> Result<Result<SignedInAs, SignInRefused>, Fault> {
    let email = normal(email);
    let now = app.db.now();
    if let Err(seconds) = app.throttle.attempt(&email, from, now) {
        return Ok(Err(SignInRefused::TooManyAttempts { seconds }));
    }
    let text = "SELECT id, password_hash FROM user_account WHERE email = $1 AND active = TRUE";
    let account: Option<Account> = app.db.read().one(text, [email.as_str().into()]).await?;
    let (id, stored) = account.map(|a| (a.id, a.password_hash)).unzip();
    let fits = password_fits(app, password, stored).await?;
    let Some(user) = id.filter(|_| fits) else { return Ok(Err(SignInRefused::WrongPassword {})) };
    app.throttle.succeeded(&email, from);
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let until = now.plus(SESSION_HOURS * Timestamp::HOUR);
    let hash = token_hash(&token);
    db::write!(app.db, &Actor::of("user", user), |tx| {
        let text = "INSERT INTO session (id_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
        tx.exec(text, [hash.as_str().into(), user.into(), now.into(), until.into()]).await?;
        tx.record(tx.now(), user, None, UserSignedIn { user, from: from.to_owned() })
    })?;
    Ok(Ok(SignedInAs { user, token: Secret::new(token), until }))
}

/// Ends a session; one that is over already is no error.
///
/// # Errors
/// A fault of the database.
pub async fn sign_out(app: &App, by: &Actor, token: &str) -> Result<(), Fault> {
    let hash = token_hash(token);
    db::write!(app.db, by, |tx| tx
        .exec("DELETE FROM session WHERE id_hash = $1", [hash.as_str().into()])
        .await)?;
    Ok(())
}

#[derive(FromRow)]
pub(super) struct Person {
    pub id: UserId,
    pub name: String,
    pub role: String,
}

impl Person {
    pub fn role(&self) -> Result<Role, Fault> {
        Ok(self.role.parse()?)
    }
}

/// Whose session a token is, while it lasts.
pub(super) async fn of_token(app: &App, token: &str) -> Result<Option<Person>, Fault> {
    let text = "SELECT u.id, u.name, u.role FROM session s JOIN user_account u ON u.id = s.user_id \
                WHERE s.id_hash = $1 AND s.expires_at > $2 AND u.active = TRUE";
    app.db.read().one(text, [token_hash(token).into(), app.db.now().into()]).await
}

/// Removes what nobody can use any more: sessions that are over and answers that are too old to be asked for again.
pub(super) fn sweep(ctx: Ctx) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        db::write!(ctx.db, &Actor::system("web.sweep"), |tx| {
            tx.exec("DELETE FROM session WHERE expires_at <= $1", [tx.now().into()]).await?;
            tx.exec(
                "DELETE FROM answer WHERE at < $1 AND status > 0",
                [tx.now().plus(-ANSWER_DAYS * Timestamp::DAY).into()],
            )
            .await
        })?;
        Ok(())
    })
}
