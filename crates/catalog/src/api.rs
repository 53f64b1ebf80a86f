//! REST of the catalogue: SKUs, suppliers, tax rates. Thin: JSON becomes a command, an outcome becomes JSON or a problem.

use crate::read::{self, Filter, SkuDetail};
use crate::{SaveSku, SaveSupplier, SetActive, SetTaxRate, SkuId, SkuKind, SupplierId};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use kernel::{Fault, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{
    App, Body, IfMatch, Key, May, OrProblem, Page, Paging, Params, Problem, ProblemBody, Reply, Segment,
};

kernel::permission!(ReadCatalog, "catalog:read", "See the catalogue");
kernel::permission!(WriteCatalog, "catalog:write", "Change SKUs, suppliers and tax rates");

/// Items of one request at most.
const MOST: usize = 1000;

/// The routes of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_skus, save_many))
        .routes(routes!(show_sku, save_one))
        .routes(routes!(list_suppliers, put_suppliers))
        .routes(routes!(list_tax_rates, put_tax_rates))
        .routes(routes!(remove_tax_rate))
        .merge(crate::api_import::routes())
}

/// A part of a bundle.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SkuComponent {
    /// Code of a simple SKU.
    sku: String,
    /// Units of it in one bundle.
    quantity: i64,
}

/// A SKU.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct SkuView {
    id: SkuId,
    code: String,
    title: String,
    kind: SkuKind,
    tax_class: String,
    barcodes: Vec<String>,
    prices: Vec<Money>,
    weight_g: Option<i64>,
    length_mm: Option<i64>,
    width_mm: Option<i64>,
    height_mm: Option<i64>,
    supplier: Option<String>,
    components: Vec<SkuComponent>,
    active: bool,
    version: i64,
}

impl From<SkuDetail> for SkuView {
    fn from(detail: SkuDetail) -> Self {
        let SkuDetail { sku, barcodes, supplier_code, version } = detail;
        let component = |c: crate::Component| SkuComponent { sku: c.code, quantity: c.quantity };
        Self {
            id: sku.id,
            code: sku.code,
            title: sku.title,
            kind: sku.kind,
            tax_class: sku.tax_class,
            barcodes,
            prices: sku.prices,
            weight_g: sku.weight_g,
            length_mm: sku.length_mm,
            width_mm: sku.width_mm,
            height_mm: sku.height_mm,
            supplier: supplier_code,
            components: sku.components.into_iter().map(component).collect(),
            active: sku.active,
            version,
        }
    }
}

/// A SKU as it shall be; what is left out is empty.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SkuInput {
    /// 1 to 64 printable characters. Needed where the path does not name it, and the same where it does.
    code: Option<String>,
    title: String,
    kind: SkuKind,
    #[serde(default = "standard")]
    tax_class: String,
    #[serde(default)]
    barcodes: Vec<String>,
    #[serde(default)]
    prices: Vec<Money>,
    weight_g: Option<i64>,
    length_mm: Option<i64>,
    width_mm: Option<i64>,
    height_mm: Option<i64>,
    /// Code of its supplier.
    supplier: Option<String>,
    /// What a bundle consists of.
    #[serde(default)]
    components: Vec<SkuComponent>,
    /// Whether it is for sale; as it was (a new one is) when left out.
    active: Option<bool>,
}

fn standard() -> String {
    "standard".to_owned()
}

impl SkuInput {
    fn code(&self) -> &str {
        self.code.as_deref().unwrap_or("")
    }
    /// The command for a SKU of this code; none at all is refused like any bad code.
    fn command(&self, at: Timestamp, code: &str) -> SaveSku {
        SaveSku {
            at,
            code: code.to_owned(),
            title: self.title.clone(),
            kind: self.kind,
            tax_class: self.tax_class.clone(),
            barcodes: self.barcodes.clone(),
            prices: self.prices.clone(),
            weight_g: self.weight_g,
            length_mm: self.length_mm,
            width_mm: self.width_mm,
            height_mm: self.height_mm,
            supplier: self.supplier.clone(),
            components: self.components.iter().map(|c| (c.sku.clone(), c.quantity)).collect(),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListSkus {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The beginning of the code.
    q: Option<String>,
    /// Only those for sale, or only those not.
    active: Option<bool>,
}

/// List SKUs by code
#[utoipa::path(get, path = "/skus", tag = "catalog", operation_id = "listSkus", params(ListSkus), responses((status = 200, body = Page<SkuView>)))]
async fn list_skus(
    State(app): State<App>,
    _: May<ReadCatalog>,
    Params(q): Params<ListSkus>,
) -> Result<Json<Page<SkuView>>, Problem> {
    let paging = Paging::<String>::read(q.limit, q.cursor.as_deref())?;
    let filter = Filter { q: q.q, active: q.active, ..Filter::default() };
    let rows = read::list(app.db.read(), &filter, paging.after.as_deref(), paging.fetch()).await?;
    Ok(Json(paging.page(rows, |d| d.sku.code.clone()).map(SkuView::from)))
}

/// Show a SKU
#[utoipa::path(get, path = "/skus/{code}", tag = "catalog", operation_id = "getSku", params(("code" = String, Path)), responses((status = 200, body = SkuView)))]
async fn show_sku(
    State(app): State<App>,
    _: May<ReadCatalog>,
    Segment(code): Segment<String>,
) -> Result<impl IntoResponse, Problem> {
    let detail =
        read::detail(app.db.read(), &code).await?.ok_or_else(|| Problem::not_found(format!("SKU {code}")))?;
    Ok(([(header::ETAG, web::etag(detail.version))], Json(SkuView::from(detail))))
}

/// Save a SKU
///
/// Makes it, or changes the one with this code to be exactly so. Send the `ETag` you know as `If-Match` to change that version only.
#[utoipa::path(put, path = "/skus/{code}", tag = "catalog", operation_id = "putSku", params(("code" = String, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` you know: change that version only.")), request_body = SkuInput, responses((status = 200, body = SkuView)))]
async fn save_one(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    key: Key,
    known: IfMatch,
    Segment(code): Segment<String>,
    Body(body): Body<SkuInput>,
) -> Result<Reply, Problem> {
    if body.code.as_ref().is_some_and(|named| *named != code) {
        return Err(Problem::invalid(
            "/code",
            "The path names another code, and a SKU keeps its code for ever.",
        ));
    }
    web::command!(app, caller, key, "catalog.put_sku", &body, |tx| {
        known.check(read::lock_version(tx, &code).await?.unwrap_or(0))?;
        crate::save_skus(tx, &[body.command(tx.now(), &code)]).await?.remove(0).or_problem()?;
        if let Some(active) = body.active {
            let item = SetActive { at: tx.now(), code: code.clone(), active };
            crate::set_active(tx, &[item]).await?.remove(0).or_problem()?;
        }
        let detail =
            read::detail(tx, &code).await?.ok_or_else(|| Fault::broken("a saved SKU is not there"))?;
        web::reply(StatusCode::OK, &SkuView::from(detail))
    })
}

/// SKUs to save.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaveSkus {
    /// One to 1,000.
    items: Vec<SkuInput>,
}

/// What became of one SKU: its id, or the problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct SkuOutcome {
    code: String,
    id: Option<SkuId>,
    problem: Option<ProblemBody>,
}

/// What became of each, in order.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct SkuOutcomes {
    results: Vec<SkuOutcome>,
}

/// Save one or many SKUs
///
/// Up to 1,000, in order; one result for each. A problem of one does not touch the others.
#[utoipa::path(post, path = "/skus", tag = "catalog", operation_id = "saveSkus", request_body = SaveSkus, responses((status = 200, body = SkuOutcomes)))]
async fn save_many(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    key: Key,
    Body(body): Body<SaveSkus>,
) -> Result<Reply, Problem> {
    at_most(body.items.len())?;
    web::command!(app, caller, key, "catalog.save_skus", &body, |tx| {
        let batch: Vec<SaveSku> = body.items.iter().map(|i| i.command(tx.now(), i.code())).collect();
        let saved = crate::save_skus(tx, &batch).await?;
        let switched: Vec<SetActive> = body
            .items
            .iter()
            .zip(&saved)
            .filter(|(_, outcome)| outcome.is_ok())
            .filter_map(|(i, _)| {
                i.active.map(|active| SetActive { at: tx.now(), code: i.code().to_owned(), active })
            })
            .collect();
        crate::set_active(tx, &switched).await?;
        let results = saved
            .into_iter()
            .zip(batch)
            .map(|(outcome, item)| SkuOutcome {
                code: item.code,
                id: outcome.as_ref().ok().copied(),
                problem: outcome.err().map(|r| Problem::refused(&r).body()),
            })
            .collect();
        web::reply(StatusCode::OK, &SkuOutcomes { results })
    })
}

fn at_most(items: usize) -> Result<(), Problem> {
    match items {
        1..=MOST => Ok(()),
        _ => Err(Problem::invalid("/items", "Send between 1 and 1,000 items at once.")),
    }
}

/// A supplier.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct SupplierView {
    id: SupplierId,
    code: String,
    name: String,
}

/// A supplier as it shall be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SupplierInput {
    code: String,
    name: String,
}

/// Suppliers to save.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaveSuppliers {
    /// One to 1,000.
    items: Vec<SupplierInput>,
}

/// All suppliers.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Suppliers {
    data: Vec<SupplierView>,
}

async fn suppliers(sql: &db::Sql) -> Result<Suppliers, Fault> {
    let all = crate::suppliers(sql).await?;
    Ok(Suppliers {
        data: all.into_iter().map(|s| SupplierView { id: s.id, code: s.code, name: s.name }).collect(),
    })
}

/// List suppliers by code
#[utoipa::path(get, path = "/suppliers", tag = "catalog", operation_id = "listSuppliers", responses((status = 200, body = Suppliers)))]
async fn list_suppliers(State(app): State<App>, _: May<ReadCatalog>) -> Result<Json<Suppliers>, Problem> {
    Ok(Json(suppliers(app.db.read()).await?))
}

/// Save suppliers
///
/// Makes them, or renames those with these codes; the others stay.
#[utoipa::path(put, path = "/suppliers", tag = "catalog", operation_id = "putSuppliers", request_body = SaveSuppliers, responses((status = 200, body = Suppliers)))]
async fn put_suppliers(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    key: Key,
    Body(body): Body<SaveSuppliers>,
) -> Result<Reply, Problem> {
    at_most(body.items.len())?;
    for (n, item) in body.items.iter().enumerate() {
        if item.code.trim().is_empty() || item.code.chars().count() > 64 || item.name.trim().is_empty() {
            return Err(Problem::invalid(
                format!("/items/{n}"),
                "A supplier needs a code of 1 to 64 characters and a name.",
            ));
        }
    }
    web::command!(app, caller, key, "catalog.put_suppliers", &body, |tx| {
        let save =
            |i: &SupplierInput| SaveSupplier { at: tx.now(), code: i.code.clone(), name: i.name.clone() };
        crate::save_suppliers(tx, &body.items.iter().map(save).collect::<Vec<_>>()).await?;
        web::reply(StatusCode::OK, &suppliers(tx).await?)
    })
}

/// A tax rate.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TaxRateItem {
    /// ISO 3166 code; `*` for every country without a rate of its own.
    country: String,
    /// Region of the country; left out for all of it.
    region: Option<String>,
    /// The tax class of SKUs.
    #[serde(default = "standard")]
    tax_class: String,
    /// Parts per million: 190,000 is 19 %.
    rate_ppm: i64,
}

/// Tax rates to set.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetTaxRates {
    /// One to 1,000.
    items: Vec<TaxRateItem>,
}

/// All tax rates.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct TaxRateList {
    data: Vec<TaxRateItem>,
}

async fn tax_rates(sql: &db::Sql) -> Result<TaxRateList, Fault> {
    let item = |r: crate::TaxRate| TaxRateItem {
        country: r.country,
        region: Some(r.region).filter(|t| !t.is_empty()),
        tax_class: r.tax_class,
        rate_ppm: r.rate_ppm,
    };
    Ok(TaxRateList { data: crate::tax::all_rates(sql).await?.into_iter().map(item).collect() })
}

/// List tax rates
#[utoipa::path(get, path = "/tax-rates", tag = "catalog", operation_id = "listTaxRates", responses((status = 200, body = TaxRateList)))]
async fn list_tax_rates(State(app): State<App>, _: May<ReadCatalog>) -> Result<Json<TaxRateList>, Problem> {
    Ok(Json(tax_rates(app.db.read()).await?))
}

/// Set tax rates
///
/// Sets these; the others stay. Orders that are placed keep the rates they were placed with.
#[utoipa::path(put, path = "/tax-rates", tag = "catalog", operation_id = "putTaxRates", request_body = SetTaxRates, responses((status = 200, body = TaxRateList)))]
async fn put_tax_rates(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    key: Key,
    Body(body): Body<SetTaxRates>,
) -> Result<Reply, Problem> {
    at_most(body.items.len())?;
    let set = |i: &TaxRateItem| SetTaxRate {
        country: i.country.clone(),
        region: i.region.clone(),
        class: i.tax_class.clone(),
        rate_ppm: i.rate_ppm,
    };
    let rates: Vec<SetTaxRate> = body.items.iter().map(set).collect();
    for (n, rate) in rates.iter().enumerate() {
        if let Some((field, says)) = rate.wrong() {
            return Err(Problem::invalid(format!("/items/{n}/{field}"), says));
        }
    }
    web::command!(app, caller, key, "catalog.put_tax_rates", &body, |tx| {
        crate::set_tax_rates(tx, &rates).await?;
        web::reply(StatusCode::OK, &tax_rates(tx).await?)
    })
}

/// Which rate.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct RateOf {
    /// Region of the country; left out for the rate of all of it.
    #[param(nullable = false)]
    region: Option<String>,
}

/// Remove a tax rate
///
/// Orders that are placed keep the rates they were placed with; new ones to a country without any rate of the class are refused.
#[utoipa::path(delete, path = "/tax-rates/{country}/{tax_class}", tag = "catalog", operation_id = "removeTaxRate",
    params(("country" = String, Path, description = "ISO 3166 code, or `*`"), ("tax_class" = String, Path), RateOf),
    responses((status = 204), (status = 404, body = ProblemBody)))]
async fn remove_tax_rate(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    key: Key,
    Segment((country, class)): Segment<(String, String)>,
    Params(of): Params<RateOf>,
) -> Result<Reply, Problem> {
    let want = crate::RemoveTaxRate { country, region: of.region.filter(|r| !r.is_empty()), class };
    web::command!(app, caller, key, "catalog.remove_tax_rate", &(), |tx| {
        crate::remove_tax_rates(tx, std::slice::from_ref(&want)).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })
}
