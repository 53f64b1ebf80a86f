//! REST of count sheets. Thin: codes become ids, JSON becomes commands, an outcome becomes the sheet or a problem.

use crate::api::{Items, Names, ReadInventory, StockOutcomes, WriteInventory, answer, split};
use crate::sheet::{
    self, ApproveSheet, DiscardSheet, EnterCount, LineOrder, Sheet, SheetId, SheetLine, SheetStatus, Show,
    StartSheet, approve_sheets, discard_sheets, enter_counts, start_sheets,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::Sql;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{App, Body, Key, May, OrProblem, Page, Paging, Params, Problem, Reply, Segment};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(show))
        .routes(routes!(lines))
        .routes(routes!(enter))
        .routes(routes!(approve))
        .routes(routes!(discard))
}

/// A count sheet.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct SheetView {
    id: SheetId,
    location: String,
    /// How the bins begin that are counted; empty for all of the location.
    bins: String,
    status: SheetStatus,
    started_at: Timestamp,
    approved_at: Option<Timestamp>,
    /// Lines.
    total: i64,
    /// Of these, counted.
    counted: i64,
    /// Of these, with a difference.
    differing: i64,
}

impl From<Sheet> for SheetView {
    fn from(s: Sheet) -> Self {
        Self {
            id: s.id,
            location: s.location,
            bins: s.bins,
            status: s.status,
            started_at: s.started_at,
            approved_at: s.approved_at,
            total: s.total,
            counted: s.counted,
            differing: s.differing,
        }
    }
}

async fn view(sql: &Sql, id: SheetId) -> Result<SheetView, Fault> {
    match sheet::sheet(sql, id).await? {
        Some(sheet) => Ok(sheet.into()),
        None => Err(Problem::not_found(format!("count sheet {id}")).into()),
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListSheets {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List count sheets, newest first
#[utoipa::path(get, path = "/count-sheets", tag = "inventory", operation_id = "listCountSheets", params(ListSheets), responses((status = 200, body = Page<SheetView>)))]
async fn list(
    State(app): State<App>,
    _: May<ReadInventory>,
    Params(q): Params<ListSheets>,
) -> Result<Json<Page<SheetView>>, Problem> {
    let paging = Paging::<SheetId>::read(q.limit, q.cursor.as_deref())?;
    let rows = sheet::sheets(app.db.read(), paging.after, paging.fetch()).await?;
    Ok(Json(paging.page(rows, |s| s.id).map(SheetView::from)))
}

/// What is counted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StartSheetBody {
    location: String,
    /// How the bins begin; left out for all of the location.
    #[serde(default)]
    bins: String,
}

/// Start a count sheet
///
/// At most 2,000 SKUs; where more lie there, count them by their bins.
#[utoipa::path(post, path = "/count-sheets", tag = "inventory", operation_id = "startCountSheet", request_body = StartSheetBody, responses((status = 201, body = SheetView)))]
async fn start(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<StartSheetBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.start_sheet", &body, |tx| {
        let names = Names::of(tx, std::iter::empty(), std::iter::once(body.location.as_str())).await?;
        let location = names.place(&body.location)?;
        let want = StartSheet { at: tx.now(), location, bins: body.bins.clone() };
        let id = start_sheets(tx, &[want]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::CREATED, &view(tx, id).await?)
    })
}

/// Show a count sheet
#[utoipa::path(get, path = "/count-sheets/{id}", tag = "inventory", operation_id = "getCountSheet", params(("id" = SheetId, Path)), responses((status = 200, body = SheetView)))]
async fn show(
    State(app): State<App>,
    _: May<ReadInventory>,
    Segment(id): Segment<SheetId>,
) -> Result<Json<SheetView>, Problem> {
    Ok(Json(view(app.db.read(), id).await?))
}

/// A line of a count sheet.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct SheetLineView {
    sku: String,
    title: String,
    bin: Option<String>,
    /// Units found; null before somebody counted.
    counted: Option<i64>,
    /// What the books said in that moment; null before, so that one counts blind.
    expected: Option<i64>,
    /// What the difference is worth, in the base currency's minor units.
    value: i64,
    /// `same`, `adjusted` or `refused` once the sheet is approved.
    outcome: Option<String>,
    /// Why it was refused.
    reason: Option<String>,
}

impl From<SheetLine> for SheetLineView {
    fn from(l: SheetLine) -> Self {
        let value = l.value();
        Self {
            sku: l.sku,
            title: l.title,
            bin: l.bin,
            counted: l.counted,
            expected: l.expected,
            value,
            outcome: l.outcome,
            reason: l.why,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListLines {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those that nobody counted yet, or only those that differ.
    #[param(inline)]
    show: Option<Show>,
}

/// List the lines of a count sheet by bin and SKU
#[utoipa::path(get, path = "/count-sheets/{id}/lines", tag = "inventory", operation_id = "listCountSheetLines", params(("id" = SheetId, Path), ListLines), responses((status = 200, body = Page<SheetLineView>)))]
async fn lines(
    State(app): State<App>,
    _: May<ReadInventory>,
    Segment(id): Segment<SheetId>,
    Params(q): Params<ListLines>,
) -> Result<Json<Page<SheetLineView>>, Problem> {
    let paging = Paging::<LineOrder>::read(q.limit, q.cursor.as_deref())?;
    let sql = app.db.read();
    view(sql, id).await?;
    let show = q.show.unwrap_or_default();
    let rows = sheet::sheet_lines(sql, id, show, paging.after.as_ref(), paging.fetch()).await?;
    let page = paging.page(rows, |l| (l.bin.clone().unwrap_or_default(), l.sku.clone()));
    Ok(Json(page.map(SheetLineView::from)))
}

/// Units found of a SKU.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SheetCount {
    sku: String,
    /// Promised units included, without quarantine.
    counted: i64,
}

/// Enter counts on a sheet
///
/// Each is compared with what the books say in this moment. One that was entered before is replaced; a SKU that is not on the sheet is put on it.
#[utoipa::path(post, path = "/count-sheets/{id}/counts", tag = "inventory", operation_id = "enterCounts", params(("id" = SheetId, Path)), request_body = Items<SheetCount>, responses((status = 200, body = StockOutcomes)))]
async fn enter(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Segment(id): Segment<SheetId>,
    Body(body): Body<Items<SheetCount>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.enter_counts", &body, |tx| {
        let names = Names::of(tx, body.items.iter().map(|i| i.sku.as_str()), std::iter::empty()).await?;
        let (commands, problems) = split(body.items.iter().map(|i| {
            Ok(EnterCount { at: tx.now(), sheet: id, sku: names.sku(&i.sku)?, counted: i.counted })
        }));
        answer(problems, enter_counts(tx, &commands).await?)
    })
}

/// Approve a count sheet
///
/// Every difference is corrected, with the reason `count`. One that would take promised units away is left out and says why.
#[utoipa::path(post, path = "/count-sheets/{id}/approve", tag = "inventory", operation_id = "approveCountSheet", params(("id" = SheetId, Path)), responses((status = 200, body = SheetView)))]
async fn approve(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Segment(id): Segment<SheetId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.approve_sheet", &"", |tx| {
        approve_sheets(tx, &[ApproveSheet { at: tx.now(), sheet: id }]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &view(tx, id).await?)
    })
}

/// Give a count sheet up
///
/// Nothing is corrected.
#[utoipa::path(post, path = "/count-sheets/{id}/discard", tag = "inventory", operation_id = "discardCountSheet", params(("id" = SheetId, Path)), responses((status = 200, body = SheetView)))]
async fn discard(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Segment(id): Segment<SheetId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.discard_sheet", &"", |tx| {
        discard_sheets(tx, &[DiscardSheet { at: tx.now(), sheet: id }]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &view(tx, id).await?)
    })
}
