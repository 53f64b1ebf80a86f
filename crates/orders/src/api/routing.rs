//! REST of routing rules: all of them, in their order.

use super::{ReadOrders, SetUpChannels};
use crate::routing::{RoutingRule, SetRouting, routing_rules, set_routing};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Key, May, Problem, Reply};

/// The routes of routing rules.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, put))
}

/// Routing rules in the order in which they are tried.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoutingRules {
    /// The first that fits an order is the only one it meets.
    #[schema(max_items = 100)]
    rules: Vec<RoutingRule>,
}

/// Show the routing rules
#[utoipa::path(get, path = "/routing-rules", tag = "orders", operation_id = "getRoutingRules", responses((status = 200, body = RoutingRules)))]
async fn show(State(app): State<App>, _: May<ReadOrders>) -> Result<Json<RoutingRules>, Problem> {
    Ok(Json(RoutingRules { rules: routing_rules(app.db.read()).await? }))
}

/// Set the routing rules
///
/// All of them at once: which locations orders of a kind come from, and which first. Orders that no rule fits go by the locations' priority
/// and distance.
#[utoipa::path(put, path = "/routing-rules", tag = "orders", operation_id = "putRoutingRules", request_body = RoutingRules, responses((status = 200, body = RoutingRules)))]
async fn put(
    State(app): State<App>,
    caller: May<SetUpChannels>,
    key: Key,
    Body(body): Body<RoutingRules>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "orders.put_routing", &body, |tx| {
        let want = SetRouting { at: tx.now(), rules: body.rules.clone() };
        set_routing(tx, &[want]).await?.remove(0).map_err(|refused| {
            let problem = Problem::refused(&refused);
            match refused.place() {
                Some((rule, field)) => problem.at(format!("/rules/{}/{field}", rule - 1)),
                None => problem.at("/rules"),
            }
        })?;
        web::reply(StatusCode::OK, &body)
    })
}
