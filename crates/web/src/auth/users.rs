//! People who sign in.

use super::Role;
use crate::App;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use db::Db;
use kernel::{Actor, Fault, Secret};
use serde::{Deserialize, Serialize};

kernel::id!(UserId, "usr", "A person who signs in.");

/// Characters of a password at least.
const SHORTEST: usize = 8;

/// Lets a person sign in.
#[derive(Debug, Clone)]
pub struct CreateUser {
    /// The address they sign in with; case does not matter.
    pub email: String,
    /// As colleagues know them.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// At least eight characters.
    pub password: Secret<String>,
}

kernel::refusals! {
    /// Why a person cannot be let in.
    pub enum CreateUserRefused {
        BadEmail { email: String } => Invalid, "users.bad_email", "“{email}” is not an e-mail address.";
        WeakPassword {} => Invalid, "users.weak_password", "A password needs at least 8 characters.";
        EmailTaken { email: String } => Conflict, "users.email_taken", "{email} signs in here already.";
    }
}

/// A person may sign in from now on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserCreated {
    /// Who.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// What they may.
    pub role: Role,
}
kernel::fact!(UserCreated, "user.created");

/// How an address is kept and compared.
pub(crate) fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Lets a person sign in.
///
/// # Errors
/// A fault of the database or of the hasher.
pub async fn create_user(
    db: &Db,
    by: &Actor,
    new: CreateUser,
) -> Result<Result<UserId, CreateUserRefused>, Fault> {
    let email = normal(&new.email);
    let parts = email.split_once('@');
    if !parts.is_some_and(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !email.contains(char::is_whitespace)
    }) {
        return Ok(Err(CreateUserRefused::BadEmail { email: new.email }));
    }
    if new.password.expose().chars().count() < SHORTEST {
        return Ok(Err(CreateUserRefused::WeakPassword {}));
    }
    let hash = hash_password(new.password).await?;
    let id: UserId = db.id();
    db::write!(db, by, |tx| {
        let text = "INSERT INTO user_account (id, email, name, password_hash, role, active, created_at) \
                    VALUES ($1, $2, $3, $4, $5, TRUE, $6) ON CONFLICT (email) DO NOTHING";
        let values = [
            id.into(),
            email.as_str().into(),
            new.name.as_str().into(),
            hash.as_str().into(),
            new.role.as_str().into(),
            tx.now().into(),
        ];
        if tx.exec(text, values).await? == 0 {
            return Ok(Err(CreateUserRefused::EmailTaken { email: email.clone() }));
        }
        tx.record(tx.now(), id, None, UserCreated { user: id, email: email.clone(), role: new.role })?;
        Ok(Ok(id))
    })
}

async fn hash_password(password: Secret<String>) -> Result<String, Fault> {
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.expose().as_bytes()).map(|h| h.to_string())
    })
    .await?;
    hashed.map_err(|e| Fault::broken(format!("hash a password: {e}")))
}

/// Whether a password is the one of a stored hash. Without a hash (nobody of that name) it takes as long and is not.
pub(super) async fn password_fits(
    app: &App,
    password: Secret<String>,
    stored: Option<String>,
) -> Result<bool, Fault> {
    let _turn = app.hashing.acquire().await?;
    let fits = tokio::task::spawn_blocking(move || match stored {
        Some(stored) => PasswordHash::new(&stored)
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()),
        None => {
            let _ = Argon2::default().hash_password(password.expose().as_bytes());
            false
        }
    });
    Ok(fits.await?)
}
