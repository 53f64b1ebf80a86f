//! REST of purchase orders. Thin: codes become ids, JSON becomes a command, an outcome becomes the purchase order or a problem.

use crate::api::{Names, ReadPurchasing, WriteInventory, WritePurchasing};
use crate::purchase::{
    self, CancelPurchase, OrderPurchase, Purchase, PurchaseFilter, PurchaseId, PurchaseLine, PurchaseStatus,
    ReceivePurchase, SavePurchase, Wanted, cancel_purchases, order_purchases, receive_purchases,
    save_purchases,
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
        .routes(routes!(list, create))
        .routes(routes!(show, change))
        .routes(routes!(order))
        .routes(routes!(cancel))
        .routes(routes!(receive))
}

/// A line of a purchase order.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct PurchaseLineView {
    sku: String,
    title: String,
    quantity: i64,
    /// What a unit costs, in the base currency's minor units.
    unit_cost: i64,
    /// Units that came.
    received: i64,
    /// Of these, more than was ordered.
    surplus: i64,
    /// Units that will not come.
    cancelled: i64,
    /// Units that are still to come.
    open: i64,
}

/// A purchase order.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct PurchaseView {
    id: PurchaseId,
    number: String,
    supplier: String,
    location: String,
    status: PurchaseStatus,
    /// The supplier's own number of it.
    reference: Option<String>,
    created_at: Timestamp,
    ordered_at: Option<Timestamp>,
    expected_at: Option<Timestamp>,
    units: i64,
    received: i64,
    cancelled: i64,
    /// Units that are still to come; incoming stock of the location once it is ordered.
    open: i64,
    /// What the units that were ordered cost, in the base currency's minor units.
    value: i64,
    version: i64,
    lines: Vec<PurchaseLineView>,
}

impl PurchaseView {
    fn of(p: Purchase, lines: Vec<PurchaseLineView>) -> Self {
        Self {
            id: p.id,
            number: p.number,
            supplier: p.supplier,
            location: p.location,
            status: p.status,
            reference: p.reference,
            created_at: p.created_at,
            ordered_at: p.ordered_at,
            expected_at: p.expected_at,
            units: p.units,
            received: p.received,
            cancelled: p.cancelled,
            open: p.open,
            value: p.value,
            version: p.version,
            lines,
        }
    }
}

impl From<PurchaseLine> for PurchaseLineView {
    fn from(l: PurchaseLine) -> Self {
        Self {
            sku: l.sku,
            title: l.title,
            quantity: l.ordered,
            unit_cost: l.unit_cost,
            received: l.received,
            surplus: l.surplus,
            cancelled: l.cancelled,
            open: l.open,
        }
    }
}

async fn views(sql: &Sql, found: Vec<Purchase>) -> Result<Vec<PurchaseView>, Fault> {
    let ids: Vec<PurchaseId> = found.iter().map(|p| p.id).collect();
    let mut lines = purchase::purchase_lines(sql, &ids).await?;
    let mut views = Vec::with_capacity(found.len());
    for p in found {
        let (mine, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|l| l.purchase_id == p.id);
        lines = others;
        views.push(PurchaseView::of(p, mine.into_iter().map(PurchaseLineView::from).collect()));
    }
    Ok(views)
}

async fn view(sql: &Sql, id: PurchaseId) -> Result<PurchaseView, Fault> {
    let found = purchase::purchase(sql, id).await?;
    let view = views(sql, found.into_iter().collect()).await?.pop();
    view.ok_or_else(|| Problem::not_found(format!("purchase order {id}")).into())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListPurchases {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    status: Option<PurchaseStatus>,
    /// Only those of the supplier with this code.
    supplier: Option<String>,
    /// The whole number, ours or the supplier's.
    number: Option<String>,
}

/// List purchase orders, newest first
#[utoipa::path(get, path = "/purchase-orders", tag = "inventory", operation_id = "listPurchaseOrders", params(ListPurchases), responses((status = 200, body = Page<PurchaseView>)))]
async fn list(
    State(app): State<App>,
    _: May<ReadPurchasing>,
    Params(q): Params<ListPurchases>,
) -> Result<Json<Page<PurchaseView>>, Problem> {
    let paging = Paging::<PurchaseId>::read(q.limit, q.cursor.as_deref())?;
    let filter = PurchaseFilter { status: q.status, supplier: q.supplier, number: q.number };
    let sql = app.db.read();
    let page = paging.page(purchase::purchases(sql, &filter, paging.after, paging.fetch()).await?, |p| p.id);
    Ok(Json(Page { data: views(sql, page.data).await?, next_cursor: page.next_cursor }))
}

/// Show a purchase order
#[utoipa::path(get, path = "/purchase-orders/{id}", tag = "inventory", operation_id = "getPurchaseOrder", params(("id" = PurchaseId, Path)), responses((status = 200, body = PurchaseView)))]
async fn show(
    State(app): State<App>,
    _: May<ReadPurchasing>,
    Segment(id): Segment<PurchaseId>,
) -> Result<Json<PurchaseView>, Problem> {
    Ok(Json(view(app.db.read(), id).await?))
}

/// A line as it shall be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PurchaseLineInput {
    sku: String,
    quantity: i64,
    /// What a unit costs, in the base currency's minor units.
    unit_cost: i64,
}

/// A purchase order as it shall be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PurchaseInput {
    /// Code of the supplier.
    supplier: String,
    /// Code of a location of ours.
    location: String,
    /// The supplier's own number of it.
    reference: Option<String>,
    expected_at: Option<Timestamp>,
    /// One to 500, each SKU once.
    lines: Vec<PurchaseLineInput>,
}

impl PurchaseInput {
    async fn command(
        &self,
        sql: &Sql,
        at: Timestamp,
        purchase: Option<PurchaseId>,
    ) -> Result<SavePurchase, Fault> {
        let skus: Vec<&str> = self.lines.iter().map(|l| l.sku.as_str()).collect();
        let names = Names::of(sql, skus.into_iter(), std::iter::once(self.location.as_str())).await?;
        let supplier = catalog::suppliers(sql).await?.into_iter().find(|s| s.code == self.supplier);
        let supplier = supplier.ok_or_else(|| Problem::not_found(format!("supplier {}", self.supplier)))?.id;
        let line = |l: &PurchaseLineInput| {
            Ok(Wanted { sku: names.sku(&l.sku)?, quantity: l.quantity, unit_cost: l.unit_cost })
        };
        Ok(SavePurchase {
            at,
            purchase,
            supplier,
            location: names.place(&self.location)?,
            reference: self.reference.clone(),
            expected_at: self.expected_at,
            lines: self.lines.iter().map(line).collect::<Result<_, Problem>>()?,
        })
    }
}

/// Make a purchase order
///
/// A draft: nothing is expected before it is ordered.
#[utoipa::path(post, path = "/purchase-orders", tag = "inventory", operation_id = "createPurchaseOrder", request_body = PurchaseInput, responses((status = 201, body = PurchaseView)))]
async fn create(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    key: Key,
    Body(body): Body<PurchaseInput>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.create_purchase", &body, |tx| {
        let want = body.command(tx, tx.now(), None).await?;
        let id = save_purchases(tx, &[want]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::CREATED, &view(tx, id).await?)
    })
}

/// Change a draft
///
/// To be exactly so. What is ordered stays as it is.
#[utoipa::path(put, path = "/purchase-orders/{id}", tag = "inventory", operation_id = "putPurchaseOrder", params(("id" = PurchaseId, Path)), request_body = PurchaseInput, responses((status = 200, body = PurchaseView)))]
async fn change(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    key: Key,
    Segment(id): Segment<PurchaseId>,
    Body(body): Body<PurchaseInput>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.put_purchase", &body, |tx| {
        let want = body.command(tx, tx.now(), Some(id)).await?;
        save_purchases(tx, &[want]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &view(tx, id).await?)
    })
}

/// Order a draft
///
/// It was sent to the supplier: from now on its units are incoming stock.
#[utoipa::path(post, path = "/purchase-orders/{id}/order", tag = "inventory", operation_id = "orderPurchaseOrder", params(("id" = PurchaseId, Path)), responses((status = 200, body = PurchaseView)))]
async fn order(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    key: Key,
    Segment(id): Segment<PurchaseId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.order_purchase", &"", |tx| {
        order_purchases(tx, &[OrderPurchase { at: tx.now(), purchase: id }]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &view(tx, id).await?)
    })
}

/// Why it will not come.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelPurchaseBody {
    /// Needed once it is ordered.
    #[serde(default)]
    reason: String,
}

/// Cancel what is still to come
#[utoipa::path(post, path = "/purchase-orders/{id}/cancel", tag = "inventory", operation_id = "cancelPurchaseOrder", params(("id" = PurchaseId, Path)), request_body = CancelPurchaseBody, responses((status = 200, body = PurchaseView)))]
async fn cancel(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    key: Key,
    Segment(id): Segment<PurchaseId>,
    Body(body): Body<CancelPurchaseBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.cancel_purchase", &body, |tx| {
        let want = CancelPurchase { at: tx.now(), purchase: id, reason: body.reason.clone() };
        cancel_purchases(tx, &[want]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &view(tx, id).await?)
    })
}

/// Units of a line that came.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CameInput {
    sku: String,
    quantity: i64,
}

/// Goods that came.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReceivePurchaseBody {
    /// All are taken or none; each SKU once.
    lines: Vec<CameInput>,
    /// The delivery note.
    reference: Option<String>,
    /// Why more came than was still to come; without it that is refused.
    surplus_reason: Option<String>,
}

/// Receive goods against a purchase order
///
/// They go on the shelf of its location at the cost they were ordered for.
#[utoipa::path(post, path = "/purchase-orders/{id}/receive", tag = "inventory", operation_id = "receivePurchaseOrder", params(("id" = PurchaseId, Path)), request_body = ReceivePurchaseBody, responses((status = 200, body = PurchaseView)))]
async fn receive(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Segment(id): Segment<PurchaseId>,
    Body(body): Body<ReceivePurchaseBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "inventory.receive_purchase", &body, |tx| {
        let names = Names::of(tx, body.lines.iter().map(|l| l.sku.as_str()), std::iter::empty()).await?;
        let line = |l: &CameInput| Ok((names.sku(&l.sku)?, l.quantity));
        let want = ReceivePurchase {
            at: tx.now(),
            purchase: id,
            lines: body.lines.iter().map(line).collect::<Result<_, Problem>>()?,
            reference: body.reference.clone(),
            surplus_reason: body.surplus_reason.clone(),
        };
        receive_purchases(tx, &[want]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &view(tx, id).await?)
    })
}
