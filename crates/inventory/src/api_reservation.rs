//! REST of reservations: a checkout keeps stock while its customer pays.

use crate::api::{Names, WriteInventory};
use crate::{ReservationId, Reserve};
use axum::extract::State;
use axum::http::StatusCode;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{App, Body, Key, May, OrProblem, Problem, Reply, Segment};

/// The routes of reservations.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(make)).routes(routes!(release))
}

/// Units to keep.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReservationLine {
    /// Code of a SKU; of a bundle the components are kept, of a service nothing.
    sku: String,
    quantity: i64,
}

/// A cart to keep stock for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReservationInput {
    /// Until when.
    expires_at: Timestamp,
    lines: Vec<ReservationLine>,
}

/// Stock that is kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ReservationView {
    /// Send it with the order.
    id: ReservationId,
    expires_at: Timestamp,
}

/// Reserve stock for a cart
///
/// All lines or none. The order that names the reservation takes the units over.
#[utoipa::path(post, path = "/reservations", tag = "inventory", operation_id = "reserveStock", request_body = ReservationInput, responses((status = 201, body = ReservationView)))]
async fn make(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<ReservationInput>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.reserve", &body, |tx| {
        let names = Names::of(tx, body.lines.iter().map(|l| l.sku.as_str()), std::iter::empty()).await?;
        let lines = body
            .lines
            .iter()
            .map(|l| Ok((names.sku(&l.sku)?, l.quantity)))
            .collect::<Result<_, Problem>>()?;
        let want = Reserve { at: tx.now(), expires_at: body.expires_at, lines };
        let id = crate::reserve(tx, &[want]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::CREATED, &ReservationView { id, expires_at: body.expires_at })
    })
}

/// Release a reservation
#[utoipa::path(delete, path = "/reservations/{id}", tag = "inventory", operation_id = "releaseReservation", params(("id" = ReservationId, Path)), responses((status = 204)))]
async fn release(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Segment(id): Segment<ReservationId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.release_reservation", &id, |tx| {
        match crate::release_reservations(tx, &[id]).await?.as_slice() {
            [true] => Ok(Reply::empty()),
            _ => Err(Problem::not_found(format!("open reservation {id}")).into()),
        }
    })
}
