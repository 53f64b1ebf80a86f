//! REST of payments and refunds, and the door for gateways' webhooks. Handlers only translate.

use crate::view::{OrderRef, PaymentDetail, PaymentView, RefundView};
use crate::webhook::accept;
use crate::{
    Capture, Confirm, Gateways, GrantRefund, PaymentId, RawRequest, RefundTo, SetSecret, Void, read, view,
};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use db::{BoxFuture, Tx};
use kernel::{Fault, Refuse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Key, May, Operation, OrProblem, Outcome, Page, Problem, Public, Reply, Segment};

kernel::permission!(ReadPayments, "payments:read", "See payments and refunds");
kernel::permission!(WritePayments, "payments:write", "Capture, void and confirm payments");
kernel::permission!(WriteRefunds, "refunds:write", "Grant refunds");
kernel::permission!(SetUpPayments, "payments:setup", "Set up payment gateways: test them, set their secrets");

kernel::refusals! {
    /// Why no action is completed.
    pub enum CompleteRefused {
        Nothing => Conflict, "payments.nothing_to_complete", "No action of this payment can be completed here.";
    }
}

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_payment))
        .routes(routes!(list_payments))
        .routes(routes!(capture_payment))
        .routes(routes!(void_payment))
        .routes(routes!(confirm_payment))
        .routes(routes!(list_refunds, grant_refund))
        .routes(routes!(take_webhook))
        .routes(routes!(put_secret))
        .routes(routes!(complete_sandbox_payment))
}

/// Show a payment
///
/// With what was asked of its gateway, and its disputes.
#[utoipa::path(get, path = "/payments/{id}", tag = "payments", operation_id = "getPayment", params(("id" = PaymentId, Path)),
    responses((status = 200, body = PaymentDetail)))]
async fn get_payment(
    State(app): State<App>,
    _: May<ReadPayments>,
    Segment(id): Segment<PaymentId>,
) -> Result<Json<PaymentDetail>, Problem> {
    show(&app, id).await
}

async fn show(app: &App, id: PaymentId) -> Result<Json<PaymentDetail>, Problem> {
    view::detail(app.db.read(), id)
        .await?
        .map(Json)
        .ok_or_else(|| Problem::not_found(format!("payment {id}")))
}

/// List the payments of an order
#[utoipa::path(get, path = "/orders/{id}/payments", tag = "payments", operation_id = "listOrderPayments", params(("id" = OrderRef, Path)),
    responses((status = 200, body = Page<PaymentView>)))]
async fn list_payments(
    State(app): State<App>,
    _: May<ReadPayments>,
    Segment(order): Segment<OrderRef>,
) -> Result<Json<Page<PaymentView>>, Problem> {
    let payments = read::payments_of(app.db.read(), &[order.0]).await?.remove(&order.0).unwrap_or_default();
    if payments.is_empty() {
        known(&app, order).await?;
    }
    Ok(Json(Page { data: payments.iter().map(PaymentView::of).collect(), next_cursor: None }))
}

/// How much to capture.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaptureBody {
    /// Minor units; all that is authorised and uncaptured when absent.
    amount: Option<i64>,
}

/// Capture a payment
///
/// The gateway is asked after the answer: `capture_pending` becomes `captured` when it says so.
#[utoipa::path(post, path = "/payments/{id}/capture", tag = "payments", operation_id = "capturePayment", params(("id" = PaymentId, Path)),
    request_body = CaptureBody, responses((status = 202, body = PaymentDetail)))]
async fn capture_payment(
    State(app): State<App>,
    caller: May<WritePayments>,
    key: Key,
    Segment(id): Segment<PaymentId>,
    Body(body): Body<CaptureBody>,
) -> Result<Reply, Problem> {
    let call = CaptureCall { payment: id, amount: body.amount };
    app.send(&caller, &key, &body, call).await
}

/// One call of [`capture_payment`].
struct CaptureCall {
    payment: PaymentId,
    amount: Option<i64>,
}

impl Operation for CaptureCall {
    const NAME: &'static str = "payments.capture";
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(async move {
            let item = |c: &&Self| Capture { at: tx.now(), payment: c.payment, amount: c.amount };
            let items: Vec<Capture> = calls.iter().map(item).collect();
            let done = crate::capture(tx, &items).await?;
            shown(tx, StatusCode::ACCEPTED, calls.iter().map(|c| c.payment), done).await
        })
    }
}

/// The payments of calls that went well, as they are now.
async fn shown<T, R: Refuse>(
    tx: &Tx,
    status: StatusCode,
    payments: impl Iterator<Item = PaymentId>,
    done: Vec<Result<T, R>>,
) -> Result<Vec<Outcome>, Fault> {
    let payments: Vec<PaymentId> = payments.collect();
    let details = view::details(tx, &payments).await?;
    web::outcomes(done, |n, _| web::reply(status, &details.get(&payments[n])))
}

/// Nothing to say.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoBody {}

/// Void a payment
///
/// Lets go all that is authorised and uncaptured; a bank transfer is no longer waited for.
#[utoipa::path(post, path = "/payments/{id}/void", tag = "payments", operation_id = "voidPayment", params(("id" = PaymentId, Path)),
    request_body = NoBody, responses((status = 202, body = PaymentDetail)))]
async fn void_payment(
    State(app): State<App>,
    caller: May<WritePayments>,
    key: Key,
    Segment(id): Segment<PaymentId>,
    Body(body): Body<NoBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "payments.void", &body, |tx| {
        crate::void(tx, &[Void { at: tx.now(), payment: id }]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::ACCEPTED, &view::detail(tx, id).await?)
    })
}

/// Money that arrived by hand.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmBody {
    /// Minor units; all that is open when absent.
    amount: Option<i64>,
    /// The line of the bank statement or cash book; it is counted once.
    reference: String,
}

/// Confirm money that arrived by hand
///
/// For bank transfers and cash on delivery. A part of the amount may be confirmed.
#[utoipa::path(post, path = "/payments/{id}/confirm", tag = "payments", operation_id = "confirmPayment", params(("id" = PaymentId, Path)),
    request_body = ConfirmBody, responses((status = 200, body = PaymentDetail)))]
async fn confirm_payment(
    State(app): State<App>,
    caller: May<WritePayments>,
    key: Key,
    Segment(id): Segment<PaymentId>,
    Body(body): Body<ConfirmBody>,
) -> Result<Reply, Problem> {
    let call = ConfirmCall { payment: id, amount: body.amount, reference: body.reference.clone() };
    app.send(&caller, &key, &body, call).await
}

/// One call of [`confirm_payment`].
struct ConfirmCall {
    payment: PaymentId,
    amount: Option<i64>,
    reference: String,
}

impl Operation for ConfirmCall {
    const NAME: &'static str = "payments.confirm";
    fn run<'a>(tx: &'a Tx, calls: &'a [&'a Self]) -> BoxFuture<'a, Result<Vec<Outcome>, Fault>> {
        Box::pin(async move {
            let item = |c: &&Self| {
                let (amount, reference) = (c.amount, c.reference.clone());
                Confirm { at: tx.now(), payment: c.payment, amount, reference }
            };
            let items: Vec<Confirm> = calls.iter().map(item).collect();
            let done = crate::confirm(tx, &items).await?;
            shown(tx, StatusCode::OK, calls.iter().map(|c| c.payment), done).await
        })
    }
}

/// List the refunds of an order
#[utoipa::path(get, path = "/orders/{id}/refunds", tag = "payments", operation_id = "listOrderRefunds", params(("id" = OrderRef, Path)),
    responses((status = 200, body = Page<RefundView>)))]
async fn list_refunds(
    State(app): State<App>,
    _: May<ReadPayments>,
    Segment(order): Segment<OrderRef>,
) -> Result<Json<Page<RefundView>>, Problem> {
    let refunds = view::refunds(app.db.read(), order).await?;
    if refunds.is_empty() {
        known(&app, order).await?;
    }
    Ok(Json(Page { data: refunds, next_cursor: None }))
}

/// An order without payments is not an order that nobody knows.
async fn known(app: &App, order: OrderRef) -> Result<(), Problem> {
    match read::is_order(app.db.read(), order.0).await? {
        true => Ok(()),
        false => Err(Problem::not_found(format!("order {order}"))),
    }
}

/// A refund to grant.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefundBody {
    /// Minor units of the order's currency.
    amount: i64,
    /// Why.
    reason: String,
    /// Where it goes; back the ways it was paid when absent.
    #[serde(default = "tenders")]
    to: RefundTo,
}

fn tenders() -> RefundTo {
    RefundTo::Tenders
}

/// Refund an order
///
/// Never more than captured − refunded − pending − lost disputes. It is split over the tenders; gateways pay out after the answer.
#[utoipa::path(post, path = "/orders/{id}/refunds", tag = "payments", operation_id = "grantRefund", params(("id" = OrderRef, Path)),
    request_body = RefundBody, responses((status = 201, body = RefundView)))]
async fn grant_refund(
    State(app): State<App>,
    caller: May<WriteRefunds>,
    key: Key,
    Segment(order): Segment<OrderRef>,
    Body(body): Body<RefundBody>,
) -> Result<Reply, Problem> {
    if body.reason.trim().is_empty() {
        return Err(Problem::invalid("/reason", "Say why the money goes back."));
    }
    web::command!(app, caller, key, "payments.refund", &body, |tx| {
        let item = GrantRefund {
            at: tx.now(),
            order: order.0,
            return_id: None,
            amount: body.amount,
            reason: body.reason.clone(),
            to: body.to,
            recorded: false,
        };
        let id = crate::grant_refunds(tx, &[item]).await?.remove(0).or_problem()?;
        let refund = view::refunds(tx, order).await?.into_iter().find(|r| r.id == id);
        web::reply(StatusCode::CREATED, &refund)
    })
}

/// The secret that a gateway signs its webhooks with.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GatewaySecretBody {
    /// At least 16 characters. It is not shown again.
    #[schema(min_length = 16)]
    secret: String,
}

/// Set the secret of a gateway's webhooks
///
/// It takes the place of the one before at once, and is not shown again.
#[utoipa::path(put, path = "/gateways/{gateway}/webhook-secret", tag = "payments", operation_id = "putGatewaySecret",
    params(("gateway" = String, Path)), request_body = GatewaySecretBody, responses((status = 204)))]
async fn put_secret(
    State(app): State<App>,
    caller: May<SetUpPayments>,
    key: Key,
    Segment(gateway): Segment<String>,
    Body(body): Body<GatewaySecretBody>,
) -> Result<Reply, Problem> {
    let gateways = app.ctx.parts.get::<Gateways>()?;
    web::command!(app, caller, key, "payments.put_secret", &body, |tx| {
        let secret = kernel::Secret::new(body.secret.trim().to_owned());
        let set = SetSecret { at: tx.now(), gateway: gateway.clone(), secret };
        let outcome = crate::set_secrets(tx, &gateways, &[set]).await?.remove(0);
        outcome.map_err(|refused| {
            let problem = Problem::refused(&refused);
            if problem.code() == "payments.short_secret" { problem.at("/secret") } else { problem }
        })?;
        Ok(Reply::empty())
    })
}

/// Take a gateway's webhook
///
/// Signed by the gateway; stored before it is acknowledged, applied afterwards. The same message twice is taken once.
#[utoipa::path(post, path = "/webhooks/gateways/{gateway}", tag = "payments", operation_id = "takeGatewayWebhook",
    params(("gateway" = String, Path)), request_body(content = Object, content_type = "application/json"), security(()), responses((status = 204)))]
async fn take_webhook(
    State(app): State<App>,
    _: Public,
    Segment(gateway): Segment<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let gateways = app.ctx.parts.get::<Gateways>()?;
    let headers = headers
        .iter()
        .filter_map(|(name, value)| value.to_str().ok().map(|v| (name.as_str().to_owned(), v.to_owned())))
        .collect();
    let request = RawRequest { headers, body: body.to_vec() };
    let actor = kernel::Actor::of("gateway", &gateway);
    let taken: Result<(), Fault> = db::write!(app.db, &actor, |tx| {
        accept(tx, &gateways, &gateway, &request).await?.or_problem()?;
        Ok(())
    });
    taken?;
    Ok(StatusCode::NO_CONTENT)
}

/// Do what the sandbox asks of the customer
///
/// For payments with status `requires_action` at a gateway with no world behind it.
#[utoipa::path(post, path = "/sandbox/payments/{id}/complete", tag = "payments", operation_id = "completeSandboxPayment",
    params(("id" = PaymentId, Path)), responses((status = 200, body = PaymentDetail)))]
async fn complete_sandbox_payment(
    State(app): State<App>,
    _: May<WritePayments>,
    Segment(id): Segment<PaymentId>,
) -> Result<Json<PaymentDetail>, Problem> {
    if !crate::complete_action(&app.ctx, id).await? {
        return Err(Problem::refused(&CompleteRefused::Nothing));
    }
    show(&app, id).await
}
