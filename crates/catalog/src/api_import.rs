//! REST of files of SKUs: read and shown, confirmed, and asked how far it is. Thin, as all of it.

use crate::api::{ReadCatalog, WriteCatalog};
use crate::import::{
    self, Import, ImportId, ImportRow, ReadImport, RowChange, Which, Wrong, confirm_import, read_import,
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
        .routes(routes!(read))
        .routes(routes!(show))
        .routes(routes!(list_rows))
        .routes(routes!(confirm))
}

/// A file of SKUs.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SkuImportBody {
    /// What it is called, for people.
    #[serde(default)]
    name: String,
    /// What is in it: CSV with the names of the columns in its first row, at most 2 MiB and 5,000 rows. Columns: sku (needed), title, kind,
    /// tax_class, barcodes (separated by `|`), price with currency or price_eur and the like, weight_g, length_mm, width_mm, height_mm,
    /// supplier, components (`TEE*1|CAP*2`), for_sale (yes or no). A column that is absent stays as it is; an empty cell takes the value
    /// away, except of title, kind, tax_class and for_sale.
    csv: String,
}

/// A file of SKUs, and how far it is.
#[derive(Serialize, ToSchema)]
struct SkuImportView {
    id: ImportId,
    name: String,
    read_at: Timestamp,
    /// When it was said that it shall be written; null while nothing is written.
    confirmed_at: Option<Timestamp>,
    /// When it was over; null while it goes on.
    ended_at: Option<Timestamp>,
    /// Rows that make a SKU.
    new: i64,
    /// Rows that change one.
    changed: i64,
    /// Rows that say what the catalogue says.
    same: i64,
    /// Rows that are left out.
    wrong: i64,
    /// Rows to be written: new and changed.
    total: i64,
    /// Of these, written.
    done: i64,
    /// Of these, refused when they were to be written.
    refused: i64,
}

impl From<Import> for SkuImportView {
    fn from(i: Import) -> Self {
        Self {
            id: i.id,
            name: i.name,
            read_at: i.read_at,
            confirmed_at: i.confirmed_at,
            ended_at: i.ended_at,
            new: i.new,
            changed: i.changed,
            same: i.same,
            wrong: i.wrong,
            total: i.total,
            done: i.done,
            refused: i.refused,
        }
    }
}

/// A row of a file.
#[derive(Serialize, ToSchema)]
struct SkuImportRow {
    /// Where in the file it begins.
    line: i64,
    sku: String,
    change: RowChange,
    /// The columns that change; empty for a new SKU.
    columns: Vec<String>,
    /// What is wrong with it, and the way out.
    problems: Vec<Wrong>,
    /// Whether it was written; null before.
    done: Option<bool>,
}

impl SkuImportRow {
    fn of(row: &ImportRow) -> Result<Self, Fault> {
        Ok(Self {
            line: row.line,
            sku: row.code.clone(),
            change: row.change,
            columns: row.columns()?,
            problems: row.problems()?,
            done: row.outcome.as_ref().map(|o| o == "done"),
        })
    }
}

async fn view(sql: &Sql, id: ImportId) -> Result<SkuImportView, Fault> {
    match import::import(sql, id).await? {
        Some(import) => Ok(import.into()),
        None => Err(Problem::not_found(format!("file of SKUs {id}")).into()),
    }
}

/// Read a file of SKUs
///
/// It is read and compared with the catalogue; nothing of the catalogue changes until it is confirmed. A file that nobody confirms is kept for a day.
#[utoipa::path(post, path = "/sku-imports", tag = "catalog", operation_id = "readSkuImport", request_body = SkuImportBody, responses((status = 201, body = SkuImportView)))]
async fn read(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    key: Key,
    Body(body): Body<SkuImportBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "catalog.read_import", &body, |tx| {
        let (name, bytes) = (body.name.clone(), body.csv.clone().into_bytes());
        let want = ReadImport { at: tx.now(), name, bytes, by: caller.actor.clone() };
        let id = read_import(tx, &want).await?.or_problem()?;
        web::reply(StatusCode::CREATED, &view(tx, id).await?)
    })
}

/// Show how far a file of SKUs is
#[utoipa::path(get, path = "/sku-imports/{id}", tag = "catalog", operation_id = "getSkuImport", params(("id" = ImportId, Path)), responses((status = 200, body = SkuImportView)))]
async fn show(
    State(app): State<App>,
    _: May<ReadCatalog>,
    Segment(id): Segment<ImportId>,
) -> Result<Json<SkuImportView>, Problem> {
    Ok(Json(view(app.db.read(), id).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListRows {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only rows that do this.
    change: Option<RowChange>,
}

/// List the rows of a file of SKUs
///
/// Each with what it does, or what is wrong with it by column.
#[utoipa::path(get, path = "/sku-imports/{id}/rows", tag = "catalog", operation_id = "listSkuImportRows", params(("id" = ImportId, Path), ListRows), responses((status = 200, body = Page<SkuImportRow>)))]
async fn list_rows(
    State(app): State<App>,
    _: May<ReadCatalog>,
    Segment(id): Segment<ImportId>,
    Params(q): Params<ListRows>,
) -> Result<Json<Page<SkuImportRow>>, Problem> {
    let paging = Paging::<i64>::read(q.limit, q.cursor.as_deref())?;
    let sql = app.db.read();
    view(sql, id).await?;
    let which = Which { change: q.change, refused: false };
    let page = paging.page(import::rows(sql, id, which, paging.after, paging.fetch()).await?, |r| r.line);
    let data = page.data.iter().map(SkuImportRow::of).collect::<Result<_, _>>()?;
    Ok(Json(Page { data, next_cursor: page.next_cursor }))
}

/// Write a file of SKUs
///
/// It runs in the background; what is answered says how far it is, and can be asked again.
#[utoipa::path(post, path = "/sku-imports/{id}/confirm", tag = "catalog", operation_id = "confirmSkuImport", params(("id" = ImportId, Path)), responses((status = 202, body = SkuImportView)))]
async fn confirm(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    key: Key,
    Segment(id): Segment<ImportId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "catalog.confirm_import", &"", |tx| {
        confirm_import(tx, tx.now(), id).await?.or_problem()?;
        web::reply(StatusCode::ACCEPTED, &view(tx, id).await?)
    })
}
