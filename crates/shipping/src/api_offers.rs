//! REST of what is asked before an order is placed: services with price and promise, and when parcels leave. Handlers only translate.

use crate::carrier::Carriers;
use crate::promise::Paces;
use crate::{Dispatch, Offers, ReadShipping, SetDispatch, SetUpShipping};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kernel::Currency;
use orders::Draft;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Key, May, OrProblem, Params, Problem, Reply};

/// Lines that are asked for at most.
const LINES: usize = 100;
/// Units of a line at most.
const UNITS: i64 = 1_000_000;

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_offers)).routes(routes!(get_dispatch, put_dispatch))
}

/// Where it goes and what is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// ISO 3166-1 alpha-2 of the destination.
    #[param(pattern = "^[A-Z]{2}$")]
    country: String,
    /// Postal code of the destination.
    #[param(max_length = 32)]
    postal_code: Option<String>,
    /// Of the prices.
    currency: Currency,
    /// What is wanted: code or barcode of a SKU, a colon, units, as `TEE:2`. Once for each line.
    #[serde(default)]
    #[param(min_items = 1, max_items = 100)]
    line: Vec<String>,
}

fn draft(asked: &Asked) -> Result<Draft, Problem> {
    let bad = |field: &str, why: &str| Problem::invalid(field, why);
    if contact::country::name(&asked.country).is_none() {
        return Err(bad("country", "A country is two letters, as DE."));
    }
    if asked.line.is_empty() || asked.line.len() > LINES {
        return Err(bad("line", "Give 1 to 100 lines, as line=TEE:2."));
    }
    let line = |text: &String| {
        let (sku, units) = text.rsplit_once(':')?;
        let units: i64 = units.parse().ok().filter(|n| (1..=UNITS).contains(n))?;
        (!sku.trim().is_empty()).then(|| (sku.trim().to_owned(), units))
    };
    let lines: Option<Vec<(String, i64)>> = asked.line.iter().map(line).collect();
    let lines =
        lines.ok_or_else(|| bad("line", "A line is a SKU, a colon and 1 to 1,000,000 units, as TEE:2."))?;
    let postal_code = asked.postal_code.clone().filter(|p| !p.trim().is_empty());
    Ok(Draft { country: asked.country.clone(), postal_code, lines })
}

/// What carriers ask, and by which day it is there.
///
/// For an order that is not placed yet, from the stock and the cut-off of this moment. Services that do not carry every parcel, carriers
/// that have to be called, and prices in other currencies are left out. Nothing is kept for it.
#[utoipa::path(get, path = "/shipping-offers", tag = "shipping", operation_id = "getShippingOffers", params(Asked),
    responses((status = 200, body = Offers), (status = 422, body = Problem)))]
async fn get_offers(
    State(app): State<App>,
    _: May<ReadShipping>,
    Params(asked): Params<Asked>,
) -> Result<Json<Offers>, Problem> {
    Ok(Json(of(&app, draft(&asked)?, asked.currency).await?))
}

/// The offers for one draft, now.
pub(crate) async fn of(app: &App, draft: Draft, currency: Currency) -> Result<Offers, Problem> {
    let carriers = app.ctx.parts.get::<Carriers>()?;
    let pace = app.state::<Paces>()?.pace(&app.db).await?;
    let found = crate::offers(app.db.read(), &carriers, &pace, app.db.now(), &[(draft, currency)]).await?;
    let one = found.into_iter().next();
    Ok(one.ok_or_else(|| kernel::Fault::broken("a draft without its offers"))?)
}

/// When parcels leave.
#[utoipa::path(get, path = "/dispatch", tag = "shipping", operation_id = "getDispatch", responses((status = 200, body = Dispatch)))]
async fn get_dispatch(State(app): State<App>, _: May<ReadShipping>) -> Result<Json<Dispatch>, Problem> {
    Ok(Json(Dispatch::read(app.db.read()).await?))
}

/// Sets cut-off, working days and holidays.
#[utoipa::path(put, path = "/dispatch", tag = "shipping", operation_id = "setDispatch", request_body = Dispatch,
    responses((status = 200, body = Dispatch), (status = 422, body = Problem)))]
async fn put_dispatch(
    State(app): State<App>,
    caller: May<SetUpShipping>,
    key: Key,
    Body(dispatch): Body<Dispatch>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "shipping.dispatch", &dispatch, |tx| {
        let set = SetDispatch { at: tx.now(), dispatch: dispatch.clone() };
        crate::set_dispatch(tx, &[set]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &dispatch)
    })
}
