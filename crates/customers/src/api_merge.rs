//! REST of merging customers: who is probably the same person, what a merge would come to, and the merge. Thin.

use crate::api::{CustomerView, ReadCustomers, WriteCustomers, seen};
use crate::consent::Channel;
use crate::duplicates::{self, Likeness, duplicates};
use crate::merge::{Keep, Merge, Plan, Side, merge, preview};
use crate::{Customer, CustomerId, read};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kernel::{Fault, Money};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{App, Body, Key, May, OrProblem, Params, Problem, Reply, Segment};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(likely)).routes(routes!(show)).routes(routes!(submit))
}

/// Somebody who is probably the same person.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct LikelyView {
    customer: CustomerView,
    /// Why, the strongest reason first.
    because: Vec<Likeness>,
}

/// Who is probably the same person.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct DuplicatesView {
    customer: CustomerId,
    /// Those with the most reasons first.
    likely: Vec<LikelyView>,
}

/// Those who are probably the same person as a customer.
pub(crate) async fn likely_of(app: &App, customer: &Customer) -> Result<Vec<duplicates::Likely>, Fault> {
    let by_phone = app.find(duplicates::SAME_PHONE, &customer.id.0.to_string()).await?;
    duplicates(app.db.read(), customer, &by_phone).await
}

/// The customer of a path; of one who was merged, the survivor.
async fn customer(app: &App, id: CustomerId) -> Result<Customer, Problem> {
    let found = read::by_id(app.db.read(), &[id]).await?.remove(&id);
    found.ok_or_else(|| Problem::not_found(format!("customer {id}")))
}

/// List customers who are probably the same person
#[utoipa::path(get, path = "/customers/{id}/duplicates", tag = "customers", operation_id = "listDuplicates", params(("id" = CustomerId, Path)), responses((status = 200, body = DuplicatesView)))]
async fn likely(
    State(app): State<App>,
    _: May<ReadCustomers>,
    Segment(id): Segment<CustomerId>,
) -> Result<Json<DuplicatesView>, Problem> {
    let customer = customer(&app, id).await?;
    let mut likely = Vec::new();
    for one in likely_of(&app, &customer).await? {
        let view = seen(app.db.read(), one.customer).await?;
        likely.push(LikelyView { customer: view, because: one.because });
    }
    Ok(Json(DuplicatesView { customer: customer.id, likely }))
}

/// A word on marketing that the merge says.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct WordView {
    /// Of whom.
    of: Side,
    channel: Channel,
    /// Given, or withdrawn.
    given: bool,
}

/// What follows the one who is merged.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct FollowsView {
    /// As `orders`.
    what: String,
    count: i64,
}

/// What a merge would come to. It cannot be undone.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct MergePreview {
    /// Who has everything afterwards, as they are now.
    survivor: CustomerView,
    /// Who is merged into them, as they are now.
    merged: CustomerView,
    /// Whose contact is kept: where the one who is wished has none, it is the other's. What is not kept leads to the survivor.
    kept: Keep,
    /// What belongs to the one who is merged, and will belong to the survivor.
    follows: Vec<FollowsView>,
    /// Store credit that moves, one per currency.
    store_credit: Vec<Money>,
    /// What changes of consents to marketing.
    consents: Vec<WordView>,
}

#[derive(Deserialize, IntoParams, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct PreviewMerge {
    /// Whose name is kept.
    name: Side,
    /// Whose e-mail address is kept.
    email: Side,
    /// Whose phone number is kept.
    phone: Side,
    /// Whose address is kept.
    address: Side,
}

/// Preview a merge of customers
///
/// Whose contact is kept can be chosen; where that one has none, it is the other's. Refused as the merge would be.
#[utoipa::path(get, path = "/customers/{id}/merge/{from}", tag = "customers", operation_id = "previewMerge", params(("id" = CustomerId, Path), ("from" = CustomerId, Path, description = "Who would be merged into the customer."), PreviewMerge), responses((status = 200, body = MergePreview), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn show(
    State(app): State<App>,
    _: May<ReadCustomers>,
    Segment((id, from)): Segment<(CustomerId, CustomerId)>,
    Params(q): Params<PreviewMerge>,
) -> Result<Json<MergePreview>, Problem> {
    let keep = Keep { name: q.name, email: q.email, phone: q.phone, address: q.address };
    let plan: Plan = preview(app.db.read(), id, from, keep).await?.or_problem()?;
    let survivor = customer(&app, plan.survivor).await?;
    let merged = customer(&app, plan.merged).await?;
    let follows = app.follows(plan.merged.0).await?;
    Ok(Json(MergePreview {
        survivor: seen(app.db.read(), survivor).await?,
        merged: seen(app.db.read(), merged).await?,
        kept: plan.kept,
        follows: follows.into_iter().map(|(f, count)| FollowsView { what: f.what.into(), count }).collect(),
        store_credit: plan.credit,
        consents: plan
            .words
            .into_iter()
            .map(|w| WordView { of: w.of, channel: w.channel, given: w.given })
            .collect(),
    }))
}

/// Who to merge.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MergeBody {
    /// Who is merged into the customer of the path, and leads there afterwards.
    from: CustomerId,
    /// Whose contact is kept; the survivor's when absent.
    #[serde(default)]
    keep: Keep,
}

/// Merge another customer into this one
///
/// Orders, returns, store credit, notes and consents follow to the customer of the path. It cannot be undone: look at the preview first.
/// Afterwards the id, the e-mail address and the phone number of the one who was merged lead to the survivor.
#[utoipa::path(post, path = "/customers/{id}/merge", tag = "customers", operation_id = "mergeCustomers", params(("id" = CustomerId, Path)), request_body = MergeBody, responses((status = 200, body = CustomerView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn submit(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    key: Key,
    Segment(id): Segment<CustomerId>,
    Body(body): Body<MergeBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "customers.merge", &body, |tx| {
        let by = caller.actor.clone();
        let one = Merge { at: tx.now(), into: id, from: body.from, keep: body.keep, by };
        let survivor = merge(tx, &[one]).await?.remove(0).or_problem()?;
        let found = read::by_id(tx, &[survivor]).await?.remove(&survivor);
        let found = found.ok_or_else(|| Fault::broken("a survivor is gone"))?;
        web::reply(StatusCode::OK, &seen(tx, found).await?)
    })
}
