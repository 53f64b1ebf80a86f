//! Sessions of people: a random token in a cookie, its hash in the database. One is over after twelve hours, after four hours without a
//! request, at sign-out, when the password or the second factor is reset, and when the person is deactivated.
//!
//! Invariant: a session that waits for the second factor opens nothing but the page that asks for it, and never becomes a full one: that
//! is another session with another token.

use super::origin::Origin;
use super::users::UserId;
use super::{Role, token_hash};
use crate::App;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::{BoxFuture, Ctx, FromRow, Sql, Tx};
use kernel::{Actor, Fault, Secret, Timestamp};
use serde::{Deserialize, Serialize};

kernel::id!(SessionId, "ses", "A session of a person.");

/// How long a session lasts.
pub const SESSION_HOURS: i64 = 12;
/// How long it lasts without a request.
const IDLE: i64 = 4 * Timestamp::HOUR;
/// How long the second factor is waited for.
pub(super) const WAITING: i64 = 10 * Timestamp::MINUTE;
/// How exactly the last request of a session is known; every request would be a write otherwise.
const SEEN_EVERY: i64 = 5 * Timestamp::MINUTE;
/// How long answers to API calls are kept for repetition of the call.
const ANSWER_DAYS: i64 = 30;
/// How long it is kept what was refused.
const ATTEMPT_DAYS: i64 = 400;

/// Somebody ended sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SessionsEnded {
    user: UserId,
    sessions: u64,
}
kernel::fact!(SessionsEnded, "user.sessions_ended");

/// Opens a session; the token for the cookie. `until` is when it is over at the latest.
pub(super) async fn open(
    tx: &Tx,
    user: UserId,
    from: &Origin,
    until: Timestamp,
    waiting: bool,
) -> Result<Secret<String>, Fault> {
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let text = "INSERT INTO session (id_hash, id, user_id, created_at, expires_at, seen_at, address, agent, waiting) \
                VALUES ($1, $2, $3, $4, $5, $4, $6, $7, $8)";
    let values = [
        token_hash(&token).into(),
        tx.id::<SessionId>().into(),
        user.into(),
        tx.now().into(),
        until.into(),
        from.address.as_str().into(),
        from.agent.as_str().into(),
        waiting.into(),
    ];
    tx.exec(text, values).await?;
    Ok(Secret::new(token))
}

/// Ends the session of a token; one that is over already is no error.
pub(super) async fn close(tx: &Tx, token: &str) -> Result<(), Fault> {
    tx.exec("DELETE FROM session WHERE id_hash = $1", [token_hash(token).into()]).await.map(drop)
}

/// Ends a session; one that is over already is no error.
///
/// # Errors
/// A fault of the database.
pub async fn sign_out(app: &App, by: &Actor, token: &str) -> Result<(), Fault> {
    db::write!(app.db, by, |tx| close(tx, token).await)
}

/// Which sessions of a person are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// All but this.
    AllBut(SessionId),
    /// This.
    One(SessionId),
}

/// Ends sessions of a person.
///
/// # Errors
/// A fault of the database.
pub async fn end_sessions(tx: &Tx, user: UserId, which: Which) -> Result<u64, Fault> {
    let (text, id) = match which {
        Which::All => ("DELETE FROM session WHERE user_id = $1 AND id <> $2", SessionId(-1)),
        Which::AllBut(id) => ("DELETE FROM session WHERE user_id = $1 AND id <> $2", id),
        Which::One(id) => ("DELETE FROM session WHERE user_id = $1 AND id = $2", id),
    };
    let sessions = tx.touched(text, [user.into(), id.into()]).await?;
    if sessions > 0 {
        tx.record(tx.now(), user, None, SessionsEnded { user, sessions })?;
    }
    Ok(sessions)
}

#[derive(FromRow)]
pub(super) struct Person {
    pub session: SessionId,
    pub id: UserId,
    pub name: String,
    pub role: String,
    pub seen_at: Timestamp,
    pub totp_on_at: Option<Timestamp>,
    /// The setting of roles that need a second factor, as JSON.
    pub required: Option<String>,
}

impl Person {
    pub fn role(&self) -> Result<Role, Fault> {
        Ok(self.role.parse()?)
    }
    /// Whether they have to set up a second factor before anything else.
    pub fn lacks_second_factor(&self) -> Result<bool, Fault> {
        let Some(required) = self.required.as_deref().filter(|_| self.totp_on_at.is_none()) else {
            return Ok(false);
        };
        let roles: Vec<Role> = serde_json::from_str(required)?;
        Ok(roles.contains(&self.role()?))
    }
}

/// Whose session a token is, while it lasts.
pub(super) async fn of_token(app: &App, token: &str) -> Result<Option<Person>, Fault> {
    let text = "SELECT s.id AS session, u.id, u.name, u.role, s.seen_at, u.totp_on_at, \
                (SELECT value FROM setting WHERE key = $4) AS required \
                FROM session s JOIN user_account u ON u.id = s.user_id \
                WHERE s.id_hash = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND s.waiting = FALSE AND u.active = TRUE";
    let now = app.db.now();
    let values = [
        token_hash(token).into(),
        now.into(),
        now.plus(-IDLE).into(),
        super::second_factor::REQUIRED_SETTING.into(),
    ];
    let person: Option<Person> = app.db.read().one(text, values).await?;
    if let Some(person) = &person
        && person.seen_at.plus(SEEN_EVERY) <= now
    {
        seen(app, person.session, now).await;
    }
    Ok(person)
}

/// Notes the last request of a session. That it was not noted is no reason to refuse the request.
async fn seen(app: &App, session: SessionId, now: Timestamp) {
    let noted = db::write!(app.db, &Actor::system("web.seen"), |tx| tx
        .exec("UPDATE session SET seen_at = $1 WHERE id = $2 AND seen_at < $1", [now.into(), session.into()])
        .await);
    if let Err(fault) = noted {
        tracing::warn!(%fault, "the last request of a session was not noted");
    }
}

/// Whose session waits for the second factor.
pub(super) async fn waiting(app: &App, token: &str) -> Result<Option<UserId>, Fault> {
    let text = "SELECT u.id FROM session s JOIN user_account u ON u.id = s.user_id \
                WHERE s.id_hash = $1 AND s.expires_at > $2 AND s.waiting = TRUE AND u.active = TRUE";
    app.db.read().scalar(text, [token_hash(token).into(), app.db.now().into()]).await
}

/// A session as its person sees it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct SessionRow {
    pub id: SessionId,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub address: String,
    pub agent: String,
}

/// The sessions of a person that last, the last seen first.
pub(super) async fn of_user(sql: &Sql, user: UserId, now: Timestamp) -> Result<Vec<SessionRow>, Fault> {
    let text = "SELECT id, created_at, seen_at, address, agent FROM session \
                WHERE user_id = $1 AND expires_at > $2 AND seen_at > $3 AND waiting = FALSE ORDER BY seen_at DESC, id LIMIT 100";
    sql.all(text, [user.into(), now.into(), now.plus(-IDLE).into()]).await
}

/// Removes what nobody can use any more: sessions that are over, answers that are too old to be asked for again, refusals of long ago.
pub(super) fn sweep(ctx: Ctx) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        db::write!(ctx.db, &Actor::system("web.sweep"), |tx| {
            tx.exec(
                "DELETE FROM session WHERE expires_at <= $1 OR seen_at <= $2",
                [tx.now().into(), tx.now().plus(-IDLE).into()],
            )
            .await?;
            tx.exec(
                "DELETE FROM attempt WHERE id < $1",
                [super::audit::first_id_at(tx.now().plus(-ATTEMPT_DAYS * Timestamp::DAY)).into()],
            )
            .await?;
            tx.exec(
                "DELETE FROM answer WHERE at < $1 AND status > 0",
                [tx.now().plus(-ANSWER_DAYS * Timestamp::DAY).into()],
            )
            .await
        })?;
        Ok(())
    })
}
