//! Keys over REST, and who calls.

use super::keys::{CreateKey, CreatedKey, KeyId, create_api_key, revoke_api_key};
use super::roles::covers;
use super::{ManageKeys, May, SignedIn};
use crate::{App, Body, Caller, Key, OrProblem, Page, Paging, Params, Problem, Reply, Segment, reply};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::{FromRow, Sql};
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
    /// When it stops by itself.
    expires_at: Option<Timestamp>,
    /// Its last use, to within five minutes.
    last_used_at: Option<Timestamp>,
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

/// A key, for lists.
#[derive(Debug, Clone, FromRow)]
pub(super) struct KeyRow {
    pub id: KeyId,
    pub name: String,
    pub scopes: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// Keys, oldest first.
pub(super) async fn keys(sql: &Sql, after: Option<KeyId>, limit: i64) -> Result<Vec<KeyRow>, Fault> {
    let text = "SELECT id, name, scopes, created_at, expires_at, last_used_at, revoked_at FROM api_key WHERE id > $1 ORDER BY id LIMIT $2";
    sql.all(text, [after.map_or(-1, |id| id.0).into(), limit.into()]).await
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
    let rows = keys(app.db.read(), paging.after, paging.fetch()).await?;
    let show = |row: KeyRow| ApiKey {
        id: row.id,
        name: row.name,
        scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
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
    has_to_give(&caller, &body.scopes)?;
    let done: Result<Reply, Fault> = db::write!(app.db, &caller.actor, |tx| {
        let key = create_api_key(tx, &app.slices, &body).await?.or_problem()?;
        reply(StatusCode::CREATED, &key)
    });
    Ok(done?)
}

/// Nobody hands out more than they have.
///
/// # Errors
/// Problem `auth.scope_missing`.
pub(super) fn has_to_give(caller: &Caller, grants: &[String]) -> Result<(), Problem> {
    let own = caller.scopes.grants();
    match grants.iter().find(|grant| !own.iter().any(|held| covers(held, grant))) {
        None => Ok(()),
        Some(grant) => {
            let detail = format!("You cannot hand out “{grant}”, because you do not have it.");
            Err(Problem::new(StatusCode::FORBIDDEN, "auth.scope_missing", detail))
        }
    }
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
