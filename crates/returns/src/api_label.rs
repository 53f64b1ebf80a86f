//! REST of the labels of returns, and the paper.

use crate::api::{ReadReturns, WriteReturns, single};
use crate::label::{GiveLabel, LabelRow, labels_of};
use crate::model::{ReturnId, ReturnLabelId};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use db::Sql;
use documents::DocumentError;
use documents::label::{Label, label_pdf};
use kernel::money::decimal;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use shipping::Carriers;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Key, May, Problem, Reply, Segment};

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_label, post_label)).routes(routes!(get_label_pdf))
}

/// The label of a return.
#[derive(Debug, Serialize, ToSchema)]
struct ReturnLabelView {
    id: ReturnLabelId,
    /// Who carries it.
    carrier: String,
    /// The carrier's product.
    service: String,
    /// The carrier's number; none until the carrier has answered.
    tracking_number: Option<String>,
    /// When it was bought.
    bought_at: Option<Timestamp>,
    /// Grams of what is sent back.
    weight_g: i64,
}

impl From<LabelRow> for ReturnLabelView {
    fn from(l: LabelRow) -> Self {
        Self {
            id: l.id,
            carrier: l.carrier,
            service: l.service,
            tracking_number: l.tracking_number,
            bought_at: l.bought_at,
            weight_g: l.weight_g,
        }
    }
}

/// Which label: a carrier's service, or the cheapest offer when neither is named.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ReturnLabelBody {
    /// The carrier's code; with `service`, or not at all.
    carrier: Option<String>,
    /// The service's code.
    service: Option<String>,
}

async fn view(sql: &Sql, id: ReturnId) -> Result<ReturnLabelView, Fault> {
    let label = labels_of(sql, &[id]).await?.remove(&id);
    let label = label.ok_or_else(|| Problem::not_found(format!("label of return {id}")))?;
    Ok(ReturnLabelView::from(label))
}

/// The label of a return.
#[utoipa::path(get, path = "/returns/{id}/label", tag = "returns", params(("id" = ReturnId, Path)),
    responses((status = 200, body = ReturnLabelView), (status = 404, body = Problem)))]
async fn get_label(
    State(app): State<App>,
    _: May<ReadReturns>,
    Segment(id): Segment<ReturnId>,
) -> Result<Json<ReturnLabelView>, Problem> {
    Ok(Json(view(app.db.read(), id).await?))
}

/// Gives an approved return its label, on our account.
#[utoipa::path(post, path = "/returns/{id}/label", tag = "returns", params(("id" = ReturnId, Path)), request_body = ReturnLabelBody,
    responses((status = 201, body = ReturnLabelView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn post_label(
    State(app): State<App>,
    caller: May<WriteReturns>,
    key: Key,
    Segment(id): Segment<ReturnId>,
    Body(body): Body<ReturnLabelBody>,
) -> Result<Reply, Problem> {
    let by = match (&body.carrier, &body.service) {
        (Some(carrier), Some(service)) => Some((carrier.clone(), service.clone())),
        (None, None) => None,
        _ => return Err(Problem::invalid("/service", "Name carrier and service, or neither.")),
    };
    let carriers = app.ctx.parts.get::<Carriers>()?;
    web::command!(app, caller, key, "returns.give_label", &body, |tx| {
        let give = GiveLabel { at: tx.now(), return_id: id, by: by.clone() };
        single(crate::give_labels(tx, &carriers, &[give]).await?)?;
        web::reply(StatusCode::CREATED, &view(tx, id).await?)
    })
}

/// The label of a return as a PDF of 4 × 6 inches.
#[utoipa::path(get, path = "/returns/{id}/label.pdf", tag = "returns", params(("id" = ReturnId, Path)),
    responses((status = 200, content_type = "application/pdf"), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn get_label_pdf(
    State(app): State<App>,
    _: May<ReadReturns>,
    Segment(id): Segment<ReturnId>,
) -> Result<Response, Problem> {
    label_file(&app, id).await
}

/// The answer that is the paper of a return's label. Who may have it is for the caller to know: it shows where the customer lives.
///
/// # Errors
/// A problem where there is no label yet, or what it says does not fit.
pub async fn label_file(app: &App, id: ReturnId) -> Result<Response, Problem> {
    let label = paper(app.db.read(), id).await?;
    let label = label.ok_or_else(|| Problem::not_found(format!("label of return {id}")))?;
    let name = format!("inline; filename=\"return-{}.pdf\"", label.reference);
    let printed = tokio::task::spawn_blocking(move || label_pdf(&label)).await.map_err(Fault::from)?;
    let pdf = printed.map_err(|e| match e {
        DocumentError::Typeset(_) => Problem::from(Fault::from(e)),
        other => Problem::new(StatusCode::CONFLICT, "shipping.not_printable", other.to_string()),
    })?;
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/pdf")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(Fault::from)?),
    ];
    Ok((fixed, pdf).into_response())
}

/// What the label says; none while there is no label that is bought.
async fn paper(sql: &Sql, id: ReturnId) -> Result<Option<Label>, Fault> {
    let label = labels_of(sql, &[id]).await?.remove(&id);
    let back = crate::label::back_to(sql, id, label.as_ref().map(|l| l.location_id)).await?;
    let (Some(label), Some(parcel)) = (label, back) else { return Ok(None) };
    let (Some(tracking_number), Some(bought_at)) = (label.tracking_number, label.bought_at) else {
        return Ok(None);
    };
    let cards = shipping::rate_cards(sql).await?;
    let named = cards.iter().find(|c| {
        c.carrier == label.carrier && c.service == label.service && c.origin_country == parcel.from.country
    });
    let abroad = parcel.from.country != parcel.to.country;
    Ok(Some(Label {
        from: shipping::paper::lines(&parcel.from, abroad),
        to: shipping::paper::lines(&parcel.to, abroad),
        carrier: label.carrier,
        service: named.map_or(label.service, |c| c.name.clone()),
        tracking_number,
        weight_text: format!("{} kg", decimal(label.weight_g, 3)),
        reference: parcel.reference,
        piece: "1 of 1".to_owned(),
        country_code: parcel.to.country,
        ship_date: bought_at.day(),
    }))
}
