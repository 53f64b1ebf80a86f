//! REST of locations. A location is read and written by its code.

use crate::api::{Items, ReadInventory, WriteInventory};
use crate::{Location, LocationId, LocationKind, SaveLocation, read};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use catalog::{Supplier, SupplierId};
use contact::address::Address;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{App, Body, Key, May, OrProblem, Problem, ProblemBody, Reply, Segment};

/// The routes of locations.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, save_many)).routes(routes!(show, save_one))
}

/// A place that holds stock.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct LocationView {
    id: LocationId,
    code: String,
    name: String,
    kind: LocationKind,
    /// Id of its supplier, for a supplier's location.
    supplier: Option<SupplierId>,
    priority: i64,
    address: Address,
    lat: Option<f64>,
    lon: Option<f64>,
    active: bool,
}

impl From<Location> for LocationView {
    fn from(l: Location) -> Self {
        Self {
            id: l.id,
            code: l.code,
            name: l.name,
            kind: l.kind,
            supplier: l.supplier,
            priority: l.priority,
            address: l.address,
            lat: l.lat,
            lon: l.lon,
            active: l.active,
        }
    }
}

/// All locations.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Locations {
    data: Vec<LocationView>,
}

/// A location as it shall be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LocationInput {
    /// 1 to 64 printable characters. Needed where the path does not name it, and the same where it does.
    code: Option<String>,
    name: String,
    kind: LocationKind,
    /// Code of its supplier: for a supplier's location, and only for one.
    supplier: Option<String>,
    /// Lower ships first.
    #[serde(default = "usual")]
    priority: i64,
    /// Where parcels leave; the country is needed.
    address: Address,
    lat: Option<f64>,
    lon: Option<f64>,
    #[serde(default = "yes")]
    active: bool,
}

fn usual() -> i64 {
    100
}
fn yes() -> bool {
    true
}

impl LocationInput {
    fn code(&self) -> &str {
        self.code.as_deref().unwrap_or("")
    }
    /// The command for a location of this code; none at all is refused like any bad code.
    fn command(&self, at: Timestamp, code: &str, suppliers: &[Supplier]) -> Result<SaveLocation, Problem> {
        let supplier = match &self.supplier {
            None => None,
            Some(wanted) => {
                let found = suppliers.iter().find(|s| s.code == *wanted);
                Some(found.ok_or_else(|| Problem::not_found(format!("supplier {wanted}")))?.id)
            }
        };
        Ok(SaveLocation {
            at,
            code: code.to_owned(),
            name: self.name.clone(),
            kind: self.kind,
            supplier,
            priority: self.priority,
            address: self.address.clone(),
            lat: self.lat,
            lon: self.lon,
            active: self.active,
        })
    }
}

/// List locations, those that ship first at the front
#[utoipa::path(get, path = "/locations", tag = "inventory", operation_id = "listLocations", responses((status = 200, body = Locations)))]
async fn list(State(app): State<App>, _: May<ReadInventory>) -> Result<Json<Locations>, Problem> {
    let all = crate::locations(app.db.read()).await?;
    Ok(Json(Locations { data: all.into_iter().map(LocationView::from).collect() }))
}

/// Show a location
#[utoipa::path(get, path = "/locations/{code}", tag = "inventory", operation_id = "getLocation", params(("code" = String, Path)), responses((status = 200, body = LocationView)))]
async fn show(
    State(app): State<App>,
    _: May<ReadInventory>,
    Segment(code): Segment<String>,
) -> Result<Json<LocationView>, Problem> {
    let found = read::location_by_code(app.db.read(), &code).await?;
    Ok(Json(found.ok_or_else(|| Problem::not_found(format!("location {code}")))?.into()))
}

/// Save a location
///
/// Makes it, or changes the one with this code to be exactly so.
#[utoipa::path(put, path = "/locations/{code}", tag = "inventory", operation_id = "putLocation", params(("code" = String, Path)), request_body = LocationInput, responses((status = 200, body = LocationView)))]
async fn save_one(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Segment(code): Segment<String>,
    Body(body): Body<LocationInput>,
) -> Result<Reply, Problem> {
    if body.code.as_ref().is_some_and(|named| *named != code) {
        return Err(Problem::invalid(
            "/code",
            "The path names another code, and a location keeps its code for ever.",
        ));
    }
    web::command!(app, caller, key, "inventory.put_location", &body, |tx| {
        let item = body.command(tx.now(), &code, &catalog::suppliers(tx).await?)?;
        crate::save_locations(tx, &[item]).await?.remove(0).or_problem()?;
        let saved = read::location_by_code(tx, &code).await?;
        let saved = saved.ok_or_else(|| Fault::broken("a saved location is not there"))?;
        web::reply(StatusCode::OK, &LocationView::from(saved))
    })
}

/// What became of one location: its id, or the problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct LocationOutcome {
    code: String,
    id: Option<LocationId>,
    problem: Option<ProblemBody>,
}

/// What became of each, in order.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct LocationOutcomes {
    results: Vec<LocationOutcome>,
}

/// Save one or many locations
///
/// Up to 1,000, in order; one result for each. A problem of one does not touch the others.
#[utoipa::path(post, path = "/locations", tag = "inventory", operation_id = "saveLocations", request_body = Items<LocationInput>, responses((status = 200, body = LocationOutcomes)))]
async fn save_many(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<Items<LocationInput>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.save_locations", &body, |tx| {
        let suppliers = catalog::suppliers(tx).await?;
        let built: Vec<Result<SaveLocation, Problem>> =
            body.items.iter().map(|i| i.command(tx.now(), i.code(), &suppliers)).collect();
        let batch: Vec<SaveLocation> = built.iter().filter_map(|b| b.as_ref().ok().cloned()).collect();
        let mut saved = crate::save_locations(tx, &batch).await?.into_iter();
        let results = body.items.iter().zip(built).map(|(item, built)| {
            let outcome = built.and_then(|_| match saved.next() {
                Some(outcome) => outcome.or_problem(),
                None => Err(Fault::broken("fewer outcomes than locations").into()),
            });
            LocationOutcome {
                code: item.code().to_owned(),
                id: outcome.as_ref().ok().copied(),
                problem: outcome.err().map(|p| p.body()),
            }
        });
        web::reply(StatusCode::OK, &LocationOutcomes { results: results.collect() })
    })
}
