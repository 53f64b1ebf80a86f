//! REST of consents to marketing. Thin.

use crate::api::{ReadCustomers, WriteCustomers};
use crate::consent::{Channel, ConsentId, ConsentRow, SetConsent, consents_of, in_force, set_consents};
use crate::{CustomerId, read, survivor};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{App, Body, Key, May, OrProblem, Problem, Reply, Segment};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, set))
}

/// A word of a customer on marketing.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ConsentView {
    id: ConsentId,
    /// Who said it: the customer, or one who was merged into them since.
    customer: CustomerId,
    channel: Channel,
    /// Given, or withdrawn.
    given: bool,
    at: Timestamp,
    /// How we know.
    source: String,
    /// Who wrote it down.
    by: String,
}

impl From<&ConsentRow> for ConsentView {
    fn from(row: &ConsentRow) -> Self {
        let (source, by) = (row.source.clone(), row.by_actor.clone());
        Self {
            id: row.id,
            customer: row.customer_id,
            channel: row.channel,
            given: row.given,
            at: row.at,
            source,
            by,
        }
    }
}

/// What a customer said on marketing. A channel that is not named was never given.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ConsentsView {
    customer: CustomerId,
    /// What holds, by channel.
    in_force: Vec<ConsentView>,
    /// All of it, the newest first.
    history: Vec<ConsentView>,
}

/// The words of a customer with those of whom was merged into them, the newest first.
pub(crate) async fn history_of(
    sql: &db::Sql,
    customer: CustomerId,
    own: &[ConsentRow],
) -> Result<Vec<ConsentRow>, Fault> {
    let aliases = survivor::aliases(sql, &[customer]).await?;
    let mut rows = consents_of(sql, &aliases.iter().map(|a| a.id).collect::<Vec<_>>()).await?;
    rows.extend_from_slice(own);
    rows.sort_by_key(|row| std::cmp::Reverse((row.at, row.id)));
    Ok(rows)
}

async fn view(sql: &db::Sql, customer: CustomerId) -> Result<ConsentsView, Fault> {
    let customer = survivor::survivor(sql, customer).await?;
    let rows = consents_of(sql, &[customer]).await?;
    let history = history_of(sql, customer, &rows).await?;
    Ok(ConsentsView {
        customer,
        in_force: in_force(&rows).into_values().map(ConsentView::from).collect(),
        history: history.iter().map(ConsentView::from).collect(),
    })
}

/// Show consents to marketing
#[utoipa::path(get, path = "/customers/{id}/consents", tag = "customers", operation_id = "getConsents", params(("id" = CustomerId, Path)), responses((status = 200, body = ConsentsView)))]
async fn show(
    State(app): State<App>,
    _: May<ReadCustomers>,
    Segment(id): Segment<CustomerId>,
) -> Result<Json<ConsentsView>, Problem> {
    if !read::by_id(app.db.read(), &[id]).await?.contains_key(&id) {
        return Err(Problem::not_found(format!("customer {id}")));
    }
    Ok(Json(view(app.db.read(), id).await?))
}

/// A consent that was given or withdrawn.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetConsentBody {
    channel: Channel,
    /// Given, or withdrawn.
    given: bool,
    /// How we know, as `form on the site`.
    #[schema(min_length = 1, max_length = 200)]
    source: String,
    /// When it was said; now when absent. Not in the future.
    #[serde(default)]
    at: Option<Timestamp>,
}

/// Give or withdraw consent to marketing
///
/// The same word again changes nothing. A word that is older than the one that holds is refused.
#[utoipa::path(post, path = "/customers/{id}/consents", tag = "customers", operation_id = "setConsent", params(("id" = CustomerId, Path)), request_body = SetConsentBody, responses((status = 200, body = ConsentsView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn set(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    key: Key,
    Segment(id): Segment<CustomerId>,
    Body(body): Body<SetConsentBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "customers.set_consent", &body, |tx| {
        let at = body.at.unwrap_or_else(|| tx.now());
        if at > tx.now() {
            return Err(Problem::invalid("/at", "Nobody has said this yet: it is in the future.").into());
        }
        let (source, by) = (body.source.clone(), caller.actor.clone());
        let one = SetConsent { at, customer: id, channel: body.channel, given: body.given, source, by };
        set_consents(tx, &[one]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &view(tx, id).await?)
    })
}
