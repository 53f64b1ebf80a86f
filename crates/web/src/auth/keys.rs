//! API keys: `fk_` and 32 random bytes in base 32, shown once. The database keeps the hash.

use super::{ManageKeys, token_hash};
use crate::auth::roles::covers;
use crate::auth::{May, SignedIn};
use crate::{App, Body, Key, OrProblem, Page, Paging, Params, Problem, Reply, Segment, Slice, reply};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::{FromRow, Tx};
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
    /// The key itself. It is shown this once.
    pub key: String,
}

kernel::refusals! {
    /// Why there is no new key.
    pub enum CreateKeyRefused {
        NoName {} => Invalid, "keys.no_name", "Give the key a name, so that you know later what it is for.";
        NoScopes {} => Invalid, "keys.no_scopes", "A key without scopes can do nothing.";
        UnknownScope { scope: String } => Invalid, "keys.unknown_scope", "There is no scope “{scope}”.";
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
    let key = format!("fk_{}", base32(&rand::random::<[u8; 32]>()));
    let id: KeyId = tx.id();
    let values = [
        id.into(),
        name.as_str().into(),
        token_hash(&key).into(),
        new.scopes.join(" ").into(),
        tx.now().into(),
    ];
    tx.exec("INSERT INTO api_key (id, name, hash, scopes, created_at) VALUES ($1, $2, $3, $4, $5)", values)
        .await?;
    tx.record(tx.now(), id, None, KeyCreated { key: id, name: name.clone(), scopes: new.scopes.clone() })?;
    Ok(Ok(CreatedKey { id, name, scopes: new.scopes.clone(), key }))
}

/// Ends an API key; it stops at once. One that was revoked before stays so.
///
/// # Errors
/// A fault of the database.
pub async fn revoke_api_key(tx: &Tx, key: KeyId) -> Result<Result<(), RevokeKeyRefused>, Fault> {
    if tx
        .exec(
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
fn base32(bytes: &[u8]) -> String {
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
        }
        Box::pin(async move {
            let mut input = db::Rows::new("hash TEXT");
            for hash in hashes {
                input.push([hash.as_str().into()]);
            }
            let text = "SELECT k.hash, k.id, k.name, k.scopes FROM api_key k JOIN input ON input.hash = k.hash WHERE k.revoked_at IS NULL";
            let rows: Vec<Row> = sql.all_from(&input, text, []).await?;
            let known = |r: Row| (r.hash, KnownKey { id: r.id, name: r.name, scopes: r.scopes });
            Ok(rows.into_iter().map(known).collect())
        })
    }
}

/// Which key a secret is, unless it was revoked.
pub(super) async fn of_secret(app: &App, secret: &str) -> Result<Option<KnownKey>, Fault> {
    app.keys().find(token_hash(secret)).await
}

/// The REST routes of keys and of the caller.
pub(super) fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke)).routes(routes!(me))
}

/// An API key, without the key itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ApiKey {
    id: KeyId,
    name: String,
    scopes: Vec<String>,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

/// Who is calling.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Me {
    /// As the event log names them.
    actor: String,
    name: String,
    scopes: Vec<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListKeys {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(FromRow)]
struct KeyRow {
    id: KeyId,
    name: String,
    scopes: String,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

/// Show who is calling and what they may
#[utoipa::path(get, path = "/me", tag = "access", operation_id = "getMe", responses((status = 200, body = Me)))]
async fn me(caller: May<SignedIn>) -> Json<Me> {
    Json(Me {
        actor: caller.actor.to_string(),
        name: caller.name.clone(),
        scopes: caller.scopes.grants().to_vec(),
    })
}

/// List API keys, oldest first
#[utoipa::path(get, path = "/api-keys", tag = "access", operation_id = "listApiKeys", params(ListKeys), responses((status = 200, body = Page<ApiKey>)))]
async fn list(
    State(app): State<App>,
    _: May<ManageKeys>,
    Params(query): Params<ListKeys>,
) -> Result<Json<Page<ApiKey>>, Problem> {
    let paging = Paging::<KeyId>::read(query.limit, query.cursor.as_deref())?;
    let text =
        "SELECT id, name, scopes, created_at, revoked_at FROM api_key WHERE id > $1 ORDER BY id LIMIT $2";
    let after = paging.after.map_or(-1, |id| id.0);
    let rows: Vec<KeyRow> = app.db.read().all(text, [after.into(), paging.fetch().into()]).await?;
    let show = |row: KeyRow| ApiKey {
        id: row.id,
        name: row.name,
        scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
        created_at: row.created_at,
        revoked_at: row.revoked_at,
    };
    Ok(Json(paging.page(rows, |row| row.id).map(show)))
}

/// Make an API key
///
/// The key is in the answer and nowhere else. A repeated call makes another key: the answer with the key is not kept.
#[utoipa::path(post, path = "/api-keys", tag = "access", operation_id = "createApiKey", request_body = CreateKey,
    responses((status = 201, body = CreatedKey)))]
async fn create(
    State(app): State<App>,
    caller: May<ManageKeys>,
    Body(body): Body<CreateKey>,
) -> Result<Reply, Problem> {
    let own = caller.scopes.grants();
    if let Some(grant) = body.scopes.iter().find(|grant| !own.iter().any(|held| covers(held, grant))) {
        let detail = format!("You cannot hand out “{grant}”, because you do not have it.");
        return Err(Problem::new(StatusCode::FORBIDDEN, "auth.scope_missing", detail));
    }
    let done: Result<Reply, Fault> = db::write!(app.db, &caller.actor, |tx| {
        let key = create_api_key(tx, &app.slices, &body).await?.or_problem()?;
        reply(StatusCode::CREATED, &key)
    });
    Ok(done?)
}

/// Revoke an API key
///
/// It stops at once.
#[utoipa::path(delete, path = "/api-keys/{id}", tag = "access", operation_id = "revokeApiKey", params(("id" = KeyId, Path)), responses((status = 204)))]
async fn revoke(
    State(app): State<App>,
    caller: May<ManageKeys>,
    key: Key,
    Segment(id): Segment<KeyId>,
) -> Result<Reply, Problem> {
    crate::command!(app, caller, key, "keys.revoke", &(), |tx| {
        revoke_api_key(tx, id).await?.or_problem()?;
        Ok(Reply::empty())
    })
}

#[cfg(test)]
mod tests {
    use super::base32;

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
}
