//! REST of customers and their store credit. Thin: JSON becomes a command, an outcome becomes JSON or a problem.

use crate::model::EntryId;
use crate::read::{self, Filter};
use crate::survivor::{self, Alias};
use crate::{CreditEntry, Customer, CustomerId};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use contact::address::Address;
use kernel::{Currency, Fault, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use web::{App, Body, Key, May, OrProblem, Page, Paging, Params, Problem, Reply, Segment};

kernel::permission!(ReadCustomers, "customers:read", "See customers and their store credit");
kernel::permission!(
    WriteCustomers,
    "customers:write",
    "Grant and take store credit, write notes and consents, merge customers"
);

/// Entries that an answer shows.
const ENTRIES: i64 = 200;

/// The routes of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(credit, grant))
}

/// Somebody who was merged into a customer. The id, the e-mail address and the phone number lead to that customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct MergedView {
    id: CustomerId,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    merged_at: Timestamp,
}

/// A customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CustomerView {
    id: CustomerId,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    address: Option<Address>,
    created_at: Timestamp,
    version: i64,
    /// Who turned out to be this customer and was merged into them, the latest first.
    merged: Vec<MergedView>,
}

impl From<Customer> for CustomerView {
    fn from(c: Customer) -> Self {
        Self {
            id: c.id,
            name: c.name,
            email: c.email,
            phone: c.phone,
            address: c.address,
            created_at: c.created_at,
            version: c.version,
            merged: Vec::new(),
        }
    }
}

/// A customer with who was merged into them.
pub(crate) async fn seen(sql: &db::Sql, customer: Customer) -> Result<CustomerView, Fault> {
    let mut views = [CustomerView::from(customer)];
    with_merged(sql, &mut views).await?;
    let [view] = views;
    Ok(view)
}

async fn with_merged(sql: &db::Sql, views: &mut [CustomerView]) -> Result<(), Fault> {
    let ids: Vec<CustomerId> = views.iter().map(|view| view.id).collect();
    for alias in survivor::aliases(sql, &ids).await? {
        let Alias { survivor, id, name, email, phone, merged_at } = alias;
        if let Some(view) = views.iter_mut().find(|view| view.id == survivor) {
            view.merged.push(MergedView { id, name, email, phone, merged_at });
        }
    }
    Ok(())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListCustomers {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// An e-mail address; other spellings of the same mailbox are found too.
    email: Option<String>,
    /// A phone number with its country code.
    phone: Option<String>,
    /// The beginning of the name.
    name: Option<String>,
}

/// List customers, newest first
#[utoipa::path(get, path = "/customers", tag = "customers", operation_id = "listCustomers", params(ListCustomers), responses((status = 200, body = Page<CustomerView>)))]
async fn list(
    State(app): State<App>,
    _: May<ReadCustomers>,
    Params(q): Params<ListCustomers>,
) -> Result<Json<Page<CustomerView>>, Problem> {
    let paging = Paging::<CustomerId>::read(q.limit, q.cursor.as_deref())?;
    let email = q.email.filter(|t| !t.is_empty()).map(|t| contact::email::email(&t)).transpose();
    let email = email.map_err(|p| Problem::invalid("email", p.message))?;
    let phone = q.phone.filter(|t| !t.is_empty()).map(|t| contact::phone::phone(&t, "")).transpose();
    let phone = phone.map_err(|p| Problem::invalid("phone", p.message))?;
    let filter = Filter { email_key: email.map(|e| e.key), phone, name: q.name };
    let rows = read::list(app.db.read(), &filter, paging.after, paging.fetch()).await?;
    let mut page = paging.page(rows, |c| c.id).map(CustomerView::from);
    with_merged(app.db.read(), &mut page.data).await?;
    Ok(Json(page))
}

/// Show a customer
///
/// The id of somebody who was merged shows the survivor, whose address is in `Content-Location`.
#[utoipa::path(get, path = "/customers/{id}", tag = "customers", operation_id = "getCustomer", params(("id" = CustomerId, Path)), responses((status = 200, body = CustomerView)))]
async fn show(
    State(app): State<App>,
    _: May<ReadCustomers>,
    Segment(id): Segment<CustomerId>,
) -> Result<impl IntoResponse, Problem> {
    let found = read::by_id(app.db.read(), &[id]).await?.remove(&id);
    let customer = found.ok_or_else(|| Problem::not_found(format!("customer {id}")))?;
    let headers = [
        (header::ETAG, web::etag(customer.version)),
        (header::CONTENT_LOCATION, format!("/v1/customers/{}", customer.id)),
    ];
    Ok((headers, Json(seen(app.db.read(), customer).await?)))
}

/// A change of store credit.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct CreditEntryView {
    /// Positive was granted, negative was spent or taken back.
    amount: Money,
    reason: String,
    reference: String,
    at: Timestamp,
}

/// The store credit of a customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct StoreCreditView {
    customer: CustomerId,
    /// One per currency.
    balances: Vec<Money>,
    /// The newest 200.
    entries: Vec<CreditEntryView>,
}

async fn store_credit(sql: &db::Sql, customer: CustomerId) -> Result<StoreCreditView, Fault> {
    let customer = survivor::survivor(sql, customer).await?;
    let entry = |e: read::Entry| CreditEntryView {
        amount: Money::new(e.amount, e.currency),
        reason: e.reason,
        reference: e.reference,
        at: e.at,
    };
    Ok(StoreCreditView {
        customer,
        balances: read::balances(sql, customer)
            .await?
            .into_iter()
            .map(|b| Money::new(b.balance, b.currency))
            .collect(),
        entries: read::entries(sql, customer, ENTRIES).await?.into_iter().map(entry).collect(),
    })
}

/// Show store credit
#[utoipa::path(get, path = "/customers/{id}/store-credit", tag = "customers", operation_id = "getStoreCredit", params(("id" = CustomerId, Path)), responses((status = 200, body = StoreCreditView)))]
async fn credit(
    State(app): State<App>,
    _: May<ReadCustomers>,
    Segment(id): Segment<CustomerId>,
) -> Result<Json<StoreCreditView>, Problem> {
    if !read::by_id(app.db.read(), &[id]).await?.contains_key(&id) {
        return Err(Problem::not_found(format!("customer {id}")));
    }
    Ok(Json(store_credit(app.db.read(), id).await?))
}

/// A change of store credit to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GrantCredit {
    currency: Currency,
    /// Minor units: positive grants, negative takes back.
    amount: i64,
    /// Why, for people and the books.
    reason: String,
    /// Your own reference: the same one again changes nothing.
    reference: Option<String>,
}

/// Grant or take back store credit
#[utoipa::path(post, path = "/customers/{id}/store-credit", tag = "customers", operation_id = "grantStoreCredit", params(("id" = CustomerId, Path)), request_body = GrantCredit, responses((status = 200, body = StoreCreditView)))]
async fn grant(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    key: Key,
    Segment(id): Segment<CustomerId>,
    Body(body): Body<GrantCredit>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "customers.grant_credit", &body, |tx| {
        // References of callers live beside our own (`refund:…`) and must not be able to stand for one of those.
        let reference = match &body.reference {
            Some(theirs) => format!("grant:{theirs}"),
            None => format!("grant:{}", tx.id::<EntryId>()),
        };
        let entry = CreditEntry {
            at: tx.now(),
            customer: id,
            currency: body.currency,
            amount: body.amount,
            reason: body.reason.clone(),
            order: None,
            reference,
        };
        crate::post_credit(tx, &[entry]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &store_credit(tx, id).await?)
    })
}
