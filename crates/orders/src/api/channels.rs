//! REST of channels: those that orders may name.

use super::{ReadOrders, SetUpChannels};
use crate::channel::{SaveChannel, channels, save_channels};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::Sql;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Key, May, Problem, Reply, Segment};

/// The routes of channels.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(save))
}

/// A channel.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ChannelView {
    /// As orders name it.
    code: String,
    /// As people read it.
    name: String,
    /// When its newest order was placed.
    newest_order_at: Option<Timestamp>,
}

/// All channels.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ChannelList {
    data: Vec<ChannelView>,
}

async fn all(sql: &Sql) -> Result<ChannelList, Fault> {
    let view = |c: crate::Channel| ChannelView { code: c.code, name: c.name, newest_order_at: c.newest };
    Ok(ChannelList { data: channels(sql).await?.into_iter().map(view).collect() })
}

/// List channels
#[utoipa::path(get, path = "/channels", tag = "orders", operation_id = "listChannels", responses((status = 200, body = ChannelList)))]
async fn list(State(app): State<App>, _: May<ReadOrders>) -> Result<Json<ChannelList>, Problem> {
    Ok(Json(all(app.db.read()).await?))
}

/// A channel as it shall be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChannelBody {
    /// As people read it: 1 to 80 characters.
    name: String,
}

/// Save a channel
///
/// Makes it, or renames the one with this code: 1 to 32 small letters, digits and hyphens.
#[utoipa::path(put, path = "/channels/{code}", tag = "orders", operation_id = "putChannel", params(("code" = String, Path)), request_body = ChannelBody, responses((status = 200, body = ChannelList)))]
async fn save(
    State(app): State<App>,
    caller: May<SetUpChannels>,
    key: Key,
    Segment(code): Segment<String>,
    Body(body): Body<ChannelBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.put_channel", &body, |tx| {
        let want = SaveChannel { at: tx.now(), code: code.clone(), name: body.name.clone() };
        save_channels(tx, &[want]).await?.remove(0).map_err(|refused| {
            let problem = Problem::refused(&refused);
            if problem.code() == "orders.no_channel_name" { problem.at("/name") } else { problem }
        })?;
        web::reply(StatusCode::OK, &all(tx).await?)
    })
}
