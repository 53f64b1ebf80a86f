//! REST of stock: levels, movements and the commands that change them. Thin: codes become ids, JSON becomes commands, one result per item.

use crate::read::{self, Filter, Level, Movement};
use crate::{
    Adjust, Count, LocationId, Quarantine, QuarantineStep, Receive, SetBin, SetSafety, Transfer,
    api_location, api_purchase, api_reservation, api_sheet,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use catalog::SkuId;
use db::{FromRow, Rows, Sql};
use kernel::{Fault, Refuse, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{App, Body, Key, May, Page, Paging, Params, Problem, ProblemBody, Reply, Segment};

kernel::permission!(ReadInventory, "inventory:read", "See locations, stock and movements");
kernel::permission!(WriteInventory, "inventory:write", "Change locations and stock");
kernel::permission!(ReadPurchasing, "purchasing:read", "See purchase orders");
kernel::permission!(WritePurchasing, "purchasing:write", "Make, order and cancel purchase orders");

/// Items of one request at most.
const MOST: usize = 1000;

/// The routes of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_stock))
        .routes(routes!(list_movements))
        .routes(routes!(receive))
        .routes(routes!(adjust))
        .routes(routes!(count))
        .routes(routes!(transfer))
        .routes(routes!(quarantine))
        .routes(routes!(set_safety))
        .routes(routes!(set_bins))
        .merge(api_location::routes())
        .merge(api_reservation::routes())
        .merge(api_purchase::routes())
        .merge(api_sheet::routes())
}

/// Items of a command.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Items<T> {
    /// One to 1,000.
    pub items: Vec<T>,
}

impl<T> Items<T> {
    /// Refuses none, and too many.
    pub fn check(&self) -> Result<(), Problem> {
        match self.items.len() {
            1..=MOST => Ok(()),
            _ => Err(Problem::invalid("/items", "Send between 1 and 1,000 items at once.")),
        }
    }
}

/// What became of one item: done, or the problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StockOutcome {
    done: bool,
    problem: Option<ProblemBody>,
}

/// What became of each item, in order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StockOutcomes {
    results: Vec<StockOutcome>,
}

/// The ids behind the codes of a request.
pub(crate) struct Names {
    skus: HashMap<String, SkuId>,
    places: HashMap<String, LocationId>,
}

impl Names {
    /// Looks the codes up.
    pub async fn of<'a>(
        sql: &Sql,
        skus: impl Iterator<Item = &'a str>,
        places: impl Iterator<Item = &'a str>,
    ) -> Result<Self, Fault> {
        let skus = catalog::skus_by_code(sql, &skus.collect::<Vec<_>>()).await?;
        #[derive(FromRow)]
        struct Row {
            id: LocationId,
            code: String,
        }
        let mut input = Rows::new("code TEXT");
        for code in places.collect::<BTreeSet<_>>() {
            input.push([code.into()]);
        }
        let text = "SELECT l.id, l.code FROM location l JOIN input ON input.code = l.code";
        let places: Vec<Row> = sql.all_from(&input, text, []).await?;
        Ok(Self {
            skus: skus.into_iter().map(|(code, sku)| (code, sku.id)).collect(),
            places: places.into_iter().map(|r| (r.code, r.id)).collect(),
        })
    }
    /// The SKU of a code.
    pub fn sku(&self, code: &str) -> Result<SkuId, Problem> {
        self.skus.get(code).copied().ok_or_else(|| Problem::not_found(format!("SKU {code}")))
    }
    /// The location of a code.
    pub fn place(&self, code: &str) -> Result<LocationId, Problem> {
        self.places.get(code).copied().ok_or_else(|| Problem::not_found(format!("location {code}")))
    }
}

/// The commands of the items whose codes are known, and the problems of the others in their places.
pub(crate) fn split<C>(built: impl Iterator<Item = Result<C, Problem>>) -> (Vec<C>, Vec<Option<Problem>>) {
    let mut commands = Vec::new();
    let problems = built
        .map(|item| match item {
            Ok(command) => {
                commands.push(command);
                None
            }
            Err(problem) => Some(problem),
        })
        .collect();
    (commands, problems)
}

/// One result per item: its problem, or the next outcome.
pub(crate) fn answer<T, R: Refuse>(
    problems: Vec<Option<Problem>>,
    outcomes: Vec<Result<T, R>>,
) -> Result<Reply, Fault> {
    let mut outcomes = outcomes.into_iter();
    let mut next = || match outcomes.next() {
        Some(Ok(_)) => None,
        Some(Err(refused)) => Some(Problem::refused(&refused)),
        None => Some(Problem::from(Fault::broken("fewer outcomes than items"))),
    };
    let results = problems
        .into_iter()
        .map(|problem| problem.or_else(&mut next))
        .map(|problem| StockOutcome { done: problem.is_none(), problem: problem.map(|p| p.body()) })
        .collect();
    web::reply(StatusCode::OK, &StockOutcomes { results })
}

/// The stock of a SKU at a location.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct StockView {
    sku_id: SkuId,
    sku: String,
    title: String,
    location_id: LocationId,
    location: String,
    /// On the shelf.
    on_hand: i64,
    /// Of these, promised.
    allocated: i64,
    incoming: i64,
    quarantined: i64,
    safety: i64,
    channel_safety: i64,
    /// On hand less allocated less safety.
    available: i64,
    /// Where on the shelves it lies, as the label says it.
    bin: Option<String>,
}

impl From<Level> for StockView {
    fn from(l: Level) -> Self {
        Self {
            sku_id: l.sku_id,
            sku: l.sku,
            title: l.title,
            location_id: l.location_id,
            location: l.location,
            on_hand: l.on_hand,
            allocated: l.allocated,
            incoming: l.incoming,
            quarantined: l.quarantined,
            safety: l.safety,
            channel_safety: l.channel_safety,
            available: l.available,
            bin: l.bin,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListStock {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The code of a SKU.
    sku: Option<String>,
    /// The code of a location.
    location: Option<String>,
}

/// List stock by SKU and location
#[utoipa::path(get, path = "/stock", tag = "inventory", operation_id = "listStock", params(ListStock), responses((status = 200, body = Page<StockView>)))]
async fn list_stock(
    State(app): State<App>,
    _: May<ReadInventory>,
    Params(q): Params<ListStock>,
) -> Result<Json<Page<StockView>>, Problem> {
    let paging = Paging::<(SkuId, LocationId)>::read(q.limit, q.cursor.as_deref())?;
    let filter = Filter { sku: q.sku, location: q.location, ..Filter::default() };
    let rows = read::levels(app.db.read(), &filter, paging.after, paging.fetch()).await?;
    Ok(Json(paging.page(rows, |l| (l.sku_id, l.location_id)).map(StockView::from)))
}

/// A movement of stock; the numbers are differences.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct MovementView {
    at: Timestamp,
    location: String,
    kind: String,
    on_hand: i64,
    allocated: i64,
    incoming: i64,
    quarantined: i64,
    /// Value at cost, in the base currency's minor units.
    value: i64,
    reference: Option<String>,
    reason: Option<String>,
}

impl From<Movement> for MovementView {
    fn from(m: Movement) -> Self {
        Self {
            at: m.at,
            location: m.location,
            kind: m.kind,
            on_hand: m.on_hand,
            allocated: m.allocated,
            incoming: m.incoming,
            quarantined: m.quarantined,
            value: m.value,
            reference: m.reference,
            reason: m.reason,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListMovements {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List the movements of a SKU, newest first
#[utoipa::path(get, path = "/stock/{sku}/movements", tag = "inventory", operation_id = "listMovements", params(("sku" = String, Path), ListMovements), responses((status = 200, body = Page<MovementView>)))]
async fn list_movements(
    State(app): State<App>,
    _: May<ReadInventory>,
    Segment(code): Segment<String>,
    Params(q): Params<ListMovements>,
) -> Result<Json<Page<MovementView>>, Problem> {
    let paging = Paging::read(q.limit, q.cursor.as_deref())?;
    let sku =
        Names::of(app.db.read(), std::iter::once(code.as_str()), std::iter::empty()).await?.sku(&code)?;
    let rows = read::movements(app.db.read(), sku, paging.after, paging.fetch()).await?;
    Ok(Json(paging.page(rows, |m| m.id).map(MovementView::from)))
}

/// Goods that came in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReceiptItem {
    sku: String,
    location: String,
    quantity: i64,
    /// Minor units of the base currency; not needed at a supplier's location.
    #[serde(default)]
    unit_cost: i64,
    /// Delivery note or purchase order.
    reference: Option<String>,
}

/// Receive goods
#[utoipa::path(post, path = "/receipts", tag = "inventory", operation_id = "receiveStock", request_body = Items<ReceiptItem>, responses((status = 200, body = StockOutcomes)))]
async fn receive(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<Items<ReceiptItem>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.receive", &body, |tx| {
        let items = &body.items;
        let names =
            Names::of(tx, items.iter().map(|i| i.sku.as_str()), items.iter().map(|i| i.location.as_str()))
                .await?;
        let (commands, problems) = split(items.iter().map(|i| {
            let (sku, location) = (names.sku(&i.sku)?, names.place(&i.location)?);
            let reference = i.reference.clone();
            Ok(Receive {
                at: tx.now(),
                sku,
                location,
                quantity: i.quantity,
                unit_cost: i.unit_cost,
                reference,
            })
        }));
        answer(problems, crate::receive(tx, &commands).await?)
    })
}

/// A correction of stock on hand.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AdjustmentItem {
    sku: String,
    location: String,
    /// Units, up or down.
    delta: i64,
    reason: String,
}

/// Adjust stock
#[utoipa::path(post, path = "/adjustments", tag = "inventory", operation_id = "adjustStock", request_body = Items<AdjustmentItem>, responses((status = 200, body = StockOutcomes)))]
async fn adjust(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<Items<AdjustmentItem>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.adjust", &body, |tx| {
        let items = &body.items;
        let names =
            Names::of(tx, items.iter().map(|i| i.sku.as_str()), items.iter().map(|i| i.location.as_str()))
                .await?;
        let (commands, problems) = split(items.iter().map(|i| {
            let (sku, location) = (names.sku(&i.sku)?, names.place(&i.location)?);
            Ok(Adjust { at: tx.now(), sku, location, delta: i.delta, reason: i.reason.clone() })
        }));
        answer(problems, crate::adjust(tx, &commands).await?)
    })
}

/// Units found on the shelf.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CountItem {
    sku: String,
    location: String,
    /// Promised units included, without quarantine.
    counted: i64,
}

/// Count stock
#[utoipa::path(post, path = "/counts", tag = "inventory", operation_id = "countStock", request_body = Items<CountItem>, responses((status = 200, body = StockOutcomes)))]
async fn count(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<Items<CountItem>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.count", &body, |tx| {
        let items = &body.items;
        let names =
            Names::of(tx, items.iter().map(|i| i.sku.as_str()), items.iter().map(|i| i.location.as_str()))
                .await?;
        let (commands, problems) = split(items.iter().map(|i| {
            let (sku, location) = (names.sku(&i.sku)?, names.place(&i.location)?);
            Ok(Count { at: tx.now(), sku, location, counted: i.counted })
        }));
        answer(problems, crate::count(tx, &commands).await?)
    })
}

/// Stock that goes to another location.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TransferItem {
    sku: String,
    from: String,
    to: String,
    quantity: i64,
    reason: Option<String>,
}

/// Transfer stock between our locations
#[utoipa::path(post, path = "/transfers", tag = "inventory", operation_id = "transferStock", request_body = Items<TransferItem>, responses((status = 200, body = StockOutcomes)))]
async fn transfer(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<Items<TransferItem>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.transfer", &body, |tx| {
        let items = &body.items;
        let places = items.iter().flat_map(|i| [i.from.as_str(), i.to.as_str()]);
        let names = Names::of(tx, items.iter().map(|i| i.sku.as_str()), places).await?;
        let (commands, problems) = split(items.iter().map(|i| {
            let (sku, from, to) = (names.sku(&i.sku)?, names.place(&i.from)?, names.place(&i.to)?);
            Ok(Transfer { at: tx.now(), sku, from, to, quantity: i.quantity, reason: i.reason.clone() })
        }));
        answer(problems, crate::transfer(tx, &commands).await?)
    })
}

/// Units that go into quarantine or leave it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuarantineItem {
    sku: String,
    location: String,
    quantity: i64,
    step: QuarantineStep,
    reason: String,
}

/// Put stock aside, back, or write it off
#[utoipa::path(post, path = "/quarantines", tag = "inventory", operation_id = "quarantineStock", request_body = Items<QuarantineItem>, responses((status = 200, body = StockOutcomes)))]
async fn quarantine(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<Items<QuarantineItem>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.quarantine", &body, |tx| {
        let items = &body.items;
        let names =
            Names::of(tx, items.iter().map(|i| i.sku.as_str()), items.iter().map(|i| i.location.as_str()))
                .await?;
        let (commands, problems) = split(items.iter().map(|i| {
            let (sku, location) = (names.sku(&i.sku)?, names.place(&i.location)?);
            Ok(Quarantine {
                at: tx.now(),
                sku,
                location,
                quantity: i.quantity,
                step: i.step,
                reason: i.reason.clone(),
            })
        }));
        answer(problems, crate::quarantine(tx, &commands).await?)
    })
}

/// What is kept back; what is left out stays as it is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SafetyItem {
    sku: String,
    location: String,
    /// Units that sourcing leaves on the shelf.
    safety: Option<i64>,
    /// Units that channels are not told of.
    channel_safety: Option<i64>,
}

/// Set safety stocks
#[utoipa::path(post, path = "/safety-stocks", tag = "inventory", operation_id = "setSafetyStock", request_body = Items<SafetyItem>, responses((status = 200, body = StockOutcomes)))]
async fn set_safety(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<Items<SafetyItem>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.set_safety", &body, |tx| {
        let items = &body.items;
        let names =
            Names::of(tx, items.iter().map(|i| i.sku.as_str()), items.iter().map(|i| i.location.as_str()))
                .await?;
        let (commands, problems) = split(items.iter().map(|i| {
            let (sku, location) = (names.sku(&i.sku)?, names.place(&i.location)?);
            Ok(SetSafety { at: tx.now(), sku, location, safety: i.safety, channel_safety: i.channel_safety })
        }));
        answer(problems, crate::set_safety(tx, &commands).await?)
    })
}

/// Where on the shelves a SKU lies.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BinItem {
    sku: String,
    location: String,
    /// As its label says it, at most 32 characters; null when it has no place of its own.
    bin: Option<String>,
}

/// Say where on the shelves SKUs lie
#[utoipa::path(post, path = "/bins", tag = "inventory", operation_id = "setBins", request_body = Items<BinItem>, responses((status = 200, body = StockOutcomes)))]
async fn set_bins(
    State(app): State<App>,
    caller: May<WriteInventory>,
    key: Key,
    Body(body): Body<Items<BinItem>>,
) -> Result<Reply, Problem> {
    body.check()?;
    web::command!(app, caller, key, "inventory.set_bins", &body, |tx| {
        let items = &body.items;
        let names =
            Names::of(tx, items.iter().map(|i| i.sku.as_str()), items.iter().map(|i| i.location.as_str()))
                .await?;
        let (commands, problems) = split(items.iter().map(|i| {
            let (sku, location) = (names.sku(&i.sku)?, names.place(&i.location)?);
            Ok(SetBin { at: tx.now(), sku, location, bin: i.bin.clone() })
        }));
        answer(problems, crate::set_bins(tx, &commands).await?)
    })
}
