//! People and keys as the command line manages them. Invariant: a password is shown to the one who asked for it, once, and kept nowhere;
//! a new password ends the sessions that the old one opened.

use crate::Failure;
use db::{Db, FromRow, Sql};
use kernel::{Actor, Fault, Secret, Timestamp};
use serde::Serialize;
use web::auth::{CreateUser, KeyId, Role, UserId, create_user};

/// Somebody who signs in.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Person {
    /// Id.
    pub id: UserId,
    /// The address they sign in with.
    pub email: String,
    /// As colleagues know them.
    pub name: String,
    /// What they are in the shop.
    pub role: String,
    /// Whether they may sign in.
    pub active: bool,
    /// Since when.
    pub created_at: Timestamp,
}

/// An API key, without the key itself.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct ApiKey {
    /// Id.
    pub id: KeyId,
    /// What it is for.
    pub name: String,
    /// What it may, separated by spaces.
    pub scopes: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, when it is over.
    pub revoked_at: Option<Timestamp>,
}

/// Everyone, by address.
///
/// # Errors
/// A fault of the database.
pub async fn people(sql: &Sql) -> Result<Vec<Person>, Fault> {
    sql.all("SELECT id, email, name, role, active, created_at FROM user_account ORDER BY email", []).await
}

/// Every API key, oldest first.
///
/// # Errors
/// A fault of the database.
pub async fn keys(sql: &Sql) -> Result<Vec<ApiKey>, Fault> {
    sql.all("SELECT id, name, scopes, created_at, revoked_at FROM api_key ORDER BY id", []).await
}

/// Whether nobody can sign in yet: the database is new.
///
/// # Errors
/// A fault of the database.
pub async fn nobody(sql: &Sql) -> Result<bool, Fault> {
    let some: Option<i64> = sql.scalar("SELECT id FROM user_account LIMIT 1", []).await?;
    Ok(some.is_none())
}

/// A password that nobody guesses: 20 letters and digits that cannot be taken for each other.
pub fn random_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    rand::random::<[u8; 20]>().iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}

/// Lets somebody sign in.
///
/// # Errors
/// The refusal as a sentence, a fault of the database.
pub async fn add(
    db: &Db,
    by: &Actor,
    email: &str,
    name: &str,
    role: Role,
    password: &str,
) -> Result<UserId, Failure> {
    let new = CreateUser {
        email: email.to_owned(),
        name: name.to_owned(),
        role,
        password: Secret::new(password.to_owned()),
    };
    create_user(db, by, new).await?.map_err(|refusal| Failure::refused(&refusal))
}

/// Gives somebody a new password and ends their sessions.
///
/// # Errors
/// A refusal when nobody has the address or the password is too short; a fault of the database.
pub async fn set_password(db: &Db, by: &Actor, email: &str, password: &str) -> Result<(), Failure> {
    let secret = Secret::new(password.to_owned());
    let known = web::auth::set_password(db, by, email, secret).await?.map_err(|no| Failure::refused(&no))?;
    known.map(drop).ok_or_else(|| nobody_is(email))
}

fn nobody_is(email: &str) -> Failure {
    Failure::Refused(format!("Nobody signs in as {}.", email.trim()))
}

/// Who signs in with an address.
///
/// # Errors
/// A refusal when nobody does; a fault of the database.
pub async fn find(sql: &Sql, email: &str) -> Result<UserId, Failure> {
    let text = "SELECT id FROM user_account WHERE email = $1";
    let known: Option<UserId> = sql.scalar(text, [email.trim().to_lowercase().into()]).await?;
    known.ok_or_else(|| nobody_is(email))
}
