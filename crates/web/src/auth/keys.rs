//! API keys: `fk_` and 32 random bytes in base 32, shown once. The database keeps the hash.

use super::token_hash;
use crate::auth::roles::covers;
use crate::{App, Slice};
use db::{FromRow, Tx};
use kernel::{Actor, Fault, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use utoipa::ToSchema;

kernel::id!(KeyId, "key", "An API key.");

/// Makes an API key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What it is for.
    #[schema(example = "web shop")]
    pub name: String,
    /// What it may: scopes as `orders:write`, patterns as `orders:*` or `*:read`, or `*`.
    pub scopes: Vec<String>,
    /// When it stops by itself; without it, when it is revoked.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A new API key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedKey {
    /// Its id.
    pub id: KeyId,
    /// What it is for.
    pub name: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// When it stops by itself.
    pub expires_at: Option<Timestamp>,
    /// The key itself. It is shown this once.
    pub key: String,
}

kernel::refusals! {
    /// Why there is no new key.
    pub enum CreateKeyRefused {
        NoName {} => Invalid, "keys.no_name", "Give the key a name, so that you know later what it is for.";
        NoScopes {} => Invalid, "keys.no_scopes", "A key without scopes can do nothing.";
        UnknownScope { scope: String } => Invalid, "keys.unknown_scope", "There is no scope “{scope}”.";
        Expired {} => Invalid, "keys.expired", "A key that stops at a time that is over is of no use.";
    }
}
kernel::refusals! {
    /// Why a key is not revoked.
    pub enum RevokeKeyRefused {
        Unknown { key: KeyId } => NotFound, "keys.unknown", "There is no key {key}.";
    }
}

/// A key exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeyCreated {
    key: KeyId,
    name: String,
    scopes: Vec<String>,
}
kernel::fact!(KeyCreated, "api_key.created");

/// A key is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyRevoked {
    /// Which.
    pub key: KeyId,
}
kernel::fact!(KeyRevoked, "api_key.revoked");

/// Makes an API key for the scopes that the slices know.
///
/// # Errors
/// A fault of the database.
pub async fn create_api_key(
    tx: &Tx,
    slices: &[Slice],
    new: &CreateKey,
) -> Result<Result<CreatedKey, CreateKeyRefused>, Fault> {
    let name = new.name.trim().to_owned();
    if name.is_empty() {
        return Ok(Err(CreateKeyRefused::NoName {}));
    }
    if new.scopes.is_empty() {
        return Ok(Err(CreateKeyRefused::NoScopes {}));
    }
    let known = crate::all(slices, |s| s.permissions);
    if let Some(scope) = new.scopes.iter().find(|grant| {
        grant.contains(' ') || *grant != "*" && !known.iter().any(|(scope, _)| covers(grant, scope))
    }) {
        return Ok(Err(CreateKeyRefused::UnknownScope { scope: scope.clone() }));
    }
    if new.expires_at.is_some_and(|at| at <= tx.now()) {
        return Ok(Err(CreateKeyRefused::Expired {}));
    }
    let key = format!("fk_{}", base32(&rand::random::<[u8; 32]>()));
    let id: KeyId = tx.id();
    let values = [
        id.into(),
        name.as_str().into(),
        token_hash(&key).into(),
        new.scopes.join(" ").into(),
        tx.now().into(),
        new.expires_at.map(|at| at.0).into(),
    ];
    let text = "INSERT INTO api_key (id, name, hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.exec(text, values).await?;
    tx.record(tx.now(), id, None, KeyCreated { key: id, name: name.clone(), scopes: new.scopes.clone() })?;
    Ok(Ok(CreatedKey { id, name, scopes: new.scopes.clone(), expires_at: new.expires_at, key }))
}

/// Ends an API key; it stops at once. One that was revoked before stays so.
///
/// # Errors
/// A fault of the database.
pub async fn revoke_api_key(tx: &Tx, key: KeyId) -> Result<Result<(), RevokeKeyRefused>, Fault> {
    if tx
        .touched(
            "UPDATE api_key SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
            [tx.now().into(), key.into()],
        )
        .await?
        == 0
    {
        let known: Option<i64> = tx.scalar("SELECT id FROM api_key WHERE id = $1", [key.into()]).await?;
        return Ok(known.map(|_| ()).ok_or(RevokeKeyRefused::Unknown { key }));
    }
    tx.record(tx.now(), key, None, KeyRevoked { key })?;
    Ok(Ok(()))
}

/// RFC 4648 base 32 in lower case, without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let (mut text, mut held, mut bits) = (String::new(), 0u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(DIGITS[(held >> bits) as usize & 31]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(DIGITS[(held << (5 - bits)) as usize & 31]));
    }
    text
}

#[derive(Clone)]
pub(crate) struct KnownKey {
    pub id: KeyId,
    pub name: String,
    pub scopes: String,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// Which keys have these hashes, unless they were revoked. Every request of every program asks it.
pub(crate) struct WhoseKey;

impl db::Question for WhoseKey {
    type Found = KnownKey;
    fn ask<'a>(
        sql: &'a db::Sql,
        hashes: &'a [String],
    ) -> db::BoxFuture<'a, Result<HashMap<String, KnownKey>, Fault>> {
        #[derive(FromRow)]
        struct Row {
            hash: String,
            id: KeyId,
            name: String,
            scopes: String,
            expires_at: Option<Timestamp>,
            last_used_at: Option<Timestamp>,
        }
        Box::pin(async move {
            let mut input = db::Rows::new("hash TEXT");
            for hash in hashes {
                input.push([hash.as_str().into()]);
            }
            let text = "SELECT k.hash, k.id, k.name, k.scopes, k.expires_at, k.last_used_at \
                        FROM api_key k JOIN input ON input.hash = k.hash WHERE k.revoked_at IS NULL";
            let rows: Vec<Row> = sql.all_from(&input, text, []).await?;
            let known = |r: Row| {
                let Row { hash, id, name, scopes, expires_at, last_used_at } = r;
                (hash, KnownKey { id, name, scopes, expires_at, last_used_at })
            };
            Ok(rows.into_iter().map(known).collect())
        })
    }
}

/// Which key a secret is, unless it was revoked or is over.
pub(super) async fn of_secret(app: &App, secret: &str) -> Result<Option<KnownKey>, Fault> {
    let now = app.db.now();
    let known = app.keys().find(token_hash(secret)).await?;
    let known = known.filter(|key| key.expires_at.is_none_or(|at| at > now));
    if let Some(key) = &known
        && key.last_used_at.is_none_or(|at| at.plus(USED_EVERY) <= now)
        && app.used.is_due(key.id, now)
    {
        used(app, key.id, now).await;
    }
    Ok(known)
}

/// How exactly the last use of a key is known; every call would be a write otherwise.
const USED_EVERY: i64 = 5 * Timestamp::MINUTE;

/// When the use of each key was noted last, by this process: calls that come at once note it once.
#[derive(Default)]
pub(crate) struct Used(Mutex<HashMap<KeyId, Timestamp>>);

impl Used {
    fn is_due(&self, key: KeyId, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = noted.get(&key).is_none_or(|at| at.plus(USED_EVERY) <= now);
        if due {
            noted.insert(key, now);
        }
        due
    }
}

/// Notes the use of a key. That it was not noted is no reason to refuse the call.
async fn used(app: &App, key: KeyId, now: Timestamp) {
    let noted = db::write!(app.db, &Actor::system("web.used"), |tx| tx
        .exec("UPDATE api_key SET last_used_at = $1 WHERE id = $2", [now.into(), key.into()])
        .await);
    if let Err(fault) = noted {
        tracing::warn!(%fault, "the use of a key was not noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_32_is_the_one_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "my"),
            ("fo", "mzxq"),
            ("foo", "mzxw6"),
            ("foob", "mzxw6yq"),
            ("fooba", "mzxw6ytb"),
            ("foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn calls_at_once_note_the_use_of_a_key_once() {
        let used = Used::default();
        let due = (0..50).filter(|_| used.is_due(KeyId(1), Timestamp(1))).count();
        assert_eq!(due, 1);
        assert!(used.is_due(KeyId(2), Timestamp(1)) && used.is_due(KeyId(1), Timestamp(1 + USED_EVERY)));
    }
}
