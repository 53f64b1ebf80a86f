//! REST: webhook endpoints and their deliveries, the event feed, e-mails and their texts.

use crate::feed::{self, Ask, Fed};
use crate::read::{self, DeliveryRow, EndpointRow, MailRow};
use crate::replay::{Replay, ReplayDead, replay, replay_dead};
use crate::send::send_again;
use crate::subscribe::{Change, Endpoint, Subscribe, Unsubscribe, change, subscribe, unsubscribe};
use crate::templates::{self, SetTemplate, TemplateText, set_templates};
use crate::{DeliveryId, EndpointId, MailId};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kernel::fact::EventId;
use kernel::{Fault, Timestamp, ids};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, Body, Key, May, OrProblem, Page, Paging, Params, Problem, Reply, Segment, reply};

kernel::permission!(ReadEvents, "events:read", "Read the event log");
kernel::permission!(ReadWebhooks, "webhooks:read", "See webhook endpoints and deliveries");
kernel::permission!(WriteWebhooks, "webhooks:write", "Make and change webhook endpoints, replay deliveries");
kernel::permission!(ReadJobs, "jobs:read", "See background jobs and their errors");
kernel::permission!(WriteJobs, "jobs:write", "Try background jobs again and park them");
kernel::permission!(ReadMails, "mails:read", "See e-mails to customers");
kernel::permission!(WriteMails, "mails:write", "Send e-mails again and change their texts");

/// The routes of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_webhooks, create_webhook))
        .routes(routes!(show_webhook, change_webhook, remove_webhook))
        .routes(routes!(list_deliveries))
        .routes(routes!(replay_delivery))
        .routes(routes!(replay_all_dead))
        .routes(routes!(list_events))
        .routes(routes!(list_mails))
        .routes(routes!(send_mail))
        .routes(routes!(show_template, put_template, reset_template))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListPage {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

// ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A webhook endpoint.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookView {
    id: EndpointId,
    /// Where it is.
    url: String,
    /// Kinds of events it hears, or `*`.
    kinds: Vec<String>,
    /// Whether it is switched on. An endpoint that answers 410 is switched off.
    active: bool,
    created_at: Timestamp,
    /// Only when it was just made: what signatures are made with. It is shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}
impl WebhookView {
    fn of(row: EndpointRow) -> Result<Self, Fault> {
        let kinds = serde_json::from_str(&row.kinds)?;
        Ok(Self {
            id: row.id,
            url: row.url,
            kinds,
            active: row.active,
            created_at: row.created_at,
            secret: None,
        })
    }
    fn saved(e: Endpoint, with_secret: bool) -> Self {
        let secret = with_secret.then_some(e.secret);
        Self { id: e.id, url: e.url, kinds: e.kinds, active: e.active, created_at: e.created_at, secret }
    }
}

/// A new webhook endpoint.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    /// `https://…`; `http://` for this machine only.
    url: String,
    /// Kinds of events, as `order.placed`, or `["*"]` for all.
    kinds: Vec<String>,
}

/// Changes of a webhook endpoint; what is absent stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookChange {
    /// The new address.
    url: Option<String>,
    /// The new kinds.
    kinds: Option<Vec<String>>,
    /// Switches it on or off.
    active: Option<bool>,
    /// Makes a new secret, which is in the answer.
    #[serde(default)]
    new_secret: bool,
}

/// List webhook endpoints, oldest first
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", operation_id = "listWebhooks", params(ListPage), responses((status = 200, body = Page<WebhookView>)))]
async fn list_webhooks(
    State(app): State<App>,
    _: May<ReadWebhooks>,
    Params(q): Params<ListPage>,
) -> Result<Json<Page<WebhookView>>, Problem> {
    let paging = Paging::<EndpointId>::read(q.limit, q.cursor.as_deref())?;
    let page = paging.page(read::endpoints(app.db.read(), paging.after, paging.fetch()).await?, |row| row.id);
    let data = page.data.into_iter().map(WebhookView::of).collect::<Result<_, _>>()?;
    Ok(Json(Page { data, next_cursor: page.next_cursor }))
}

/// Make a webhook endpoint
///
/// Deliveries are POST requests in the form of Standard Webhooks: headers `webhook-id`, `webhook-timestamp`, `webhook-signature`, and a
/// body with `type`, `timestamp`, `id`, `subject` and `data`. Answer with 2xx within 15 seconds. Other answers are tried again after 5 s,
/// 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h; then the delivery is dead and can be replayed. 410 switches the endpoint off.
/// Deliveries come at least once and in no particular order. The secret is in this answer and nowhere else; the answer is not kept for
/// a repeated call, which makes another endpoint.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", operation_id = "createWebhook", request_body = NewWebhook, responses((status = 201, body = WebhookView)))]
async fn create_webhook(
    State(app): State<App>,
    caller: May<WriteWebhooks>,
    Body(body): Body<NewWebhook>,
) -> Result<Reply, Problem> {
    let done: Result<Reply, Fault> = db::write!(app.db, &caller.actor, |tx| {
        let item = Subscribe { at: tx.now(), url: body.url.clone(), kinds: body.kinds.clone() };
        let made = subscribe(tx, &[item]).await?.remove(0).or_problem()?;
        reply(StatusCode::CREATED, &WebhookView::saved(made, true))
    });
    Ok(done?)
}

/// Show a webhook endpoint
#[utoipa::path(get, path = "/webhooks/{id}", tag = "webhooks", operation_id = "getWebhook", params(("id" = EndpointId, Path)), responses((status = 200, body = WebhookView)))]
async fn show_webhook(
    State(app): State<App>,
    _: May<ReadWebhooks>,
    Segment(id): Segment<EndpointId>,
) -> Result<Json<WebhookView>, Problem> {
    let row = read::endpoint(app.db.read(), id)
        .await?
        .ok_or_else(|| Problem::not_found(format!("webhook endpoint {id}")))?;
    Ok(Json(WebhookView::of(row)?))
}

/// Change a webhook endpoint
///
/// With `new_secret` the answer holds the new secret; it is shown once, and a repeated call makes another one.
#[utoipa::path(patch, path = "/webhooks/{id}", tag = "webhooks", operation_id = "changeWebhook", params(("id" = EndpointId, Path)), request_body = WebhookChange,
    responses((status = 200, body = WebhookView)))]
async fn change_webhook(
    State(app): State<App>,
    caller: May<WriteWebhooks>,
    Segment(id): Segment<EndpointId>,
    Body(body): Body<WebhookChange>,
) -> Result<Reply, Problem> {
    let done: Result<Reply, Fault> = db::write!(app.db, &caller.actor, |tx| {
        let (url, kinds) = (body.url.clone(), body.kinds.clone());
        let item = Change {
            at: tx.now(),
            endpoint: id,
            url,
            kinds,
            active: body.active,
            new_secret: body.new_secret,
        };
        let changed = change(tx, &[item]).await?.remove(0).or_problem()?;
        reply(StatusCode::OK, &WebhookView::saved(changed, body.new_secret))
    });
    Ok(done?)
}

/// Remove a webhook endpoint with its deliveries
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "webhooks", operation_id = "removeWebhook", params(("id" = EndpointId, Path)), responses((status = 204)))]
async fn remove_webhook(
    State(app): State<App>,
    caller: May<WriteWebhooks>,
    key: Key,
    Segment(id): Segment<EndpointId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "webhooks.remove", &(), |tx| {
        unsubscribe(tx, &[Unsubscribe { at: tx.now(), endpoint: id }]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })
}

/// State of a delivery.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveryState {
    Waiting,
    Delivered,
    Dead,
}
impl DeliveryState {
    fn stored(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListDeliveries {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// `waiting`, `delivered` or `dead`; all when absent.
    state: Option<DeliveryState>,
}

/// An event on its way to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryView {
    id: DeliveryId,
    webhook: EndpointId,
    event: EventId,
    kind: String,
    #[schema(value_type = DeliveryState)]
    state: String,
    /// Attempts since it was queued or replayed.
    attempts: i64,
    /// When the next attempt is made, while it waits.
    next_at: Option<Timestamp>,
    /// HTTP status of the last attempt, where one came.
    last_status: Option<i64>,
    /// Why the last attempt failed.
    last_error: Option<String>,
    delivered_at: Option<Timestamp>,
}
impl From<DeliveryRow> for DeliveryView {
    fn from(r: DeliveryRow) -> Self {
        let next_at = (r.state == "waiting").then_some(r.next_at);
        let (last_status, last_error, delivered_at) = (r.last_status, r.last_error, r.delivered_at);
        let (state, attempts) = (r.state, r.attempts);
        Self {
            id: r.id,
            webhook: r.endpoint_id,
            event: r.event_id,
            kind: r.kind,
            state,
            attempts,
            next_at,
            last_status,
            last_error,
            delivered_at,
        }
    }
}

/// List deliveries of a webhook endpoint, newest first
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "listWebhookDeliveries",
    params(("id" = EndpointId, Path), ListDeliveries), responses((status = 200, body = Page<DeliveryView>)))]
async fn list_deliveries(
    State(app): State<App>,
    _: May<ReadWebhooks>,
    Segment(id): Segment<EndpointId>,
    Params(q): Params<ListDeliveries>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let paging = Paging::<DeliveryId>::read(q.limit, q.cursor.as_deref())?;
    read::endpoint(app.db.read(), id)
        .await?
        .ok_or_else(|| Problem::not_found(format!("webhook endpoint {id}")))?;
    let rows =
        read::deliveries(app.db.read(), id, q.state.map(DeliveryState::stored), paging.after, paging.fetch())
            .await?;
    Ok(Json(paging.page(rows, |row| row.id).map(DeliveryView::from)))
}

/// Send a delivery again
///
/// Whatever became of it, with all its attempts. The receiver gets the same `webhook-id`.
#[utoipa::path(post, path = "/webhook-deliveries/{id}/replay", tag = "webhooks", operation_id = "replayWebhookDelivery", params(("id" = DeliveryId, Path)), responses((status = 204)))]
async fn replay_delivery(
    State(app): State<App>,
    caller: May<WriteWebhooks>,
    key: Key,
    Segment(id): Segment<DeliveryId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "webhooks.replay", &(), |tx| {
        replay(tx, &[Replay { at: tx.now(), delivery: id }]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })
}

/// How many deliveries were put back into the queue.
#[derive(Debug, Serialize, ToSchema)]
struct Replayed {
    deliveries: i64,
}

/// Send everything again that died at an endpoint
#[utoipa::path(post, path = "/webhooks/{id}/replay-dead", tag = "webhooks", operation_id = "replayDeadWebhookDeliveries", params(("id" = EndpointId, Path)),
    responses((status = 200, body = Replayed)))]
async fn replay_all_dead(
    State(app): State<App>,
    caller: May<WriteWebhooks>,
    key: Key,
    Segment(id): Segment<EndpointId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "webhooks.replay_dead", &(), |tx| {
        let deliveries =
            replay_dead(tx, &[ReplayDead { at: tx.now(), endpoint: id }]).await?.remove(0).or_problem()?;
        reply(StatusCode::OK, &Replayed { deliveries })
    })
}

// ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListEvents {
    /// Events of a page, 1 to 200.
    limit: Option<i64>,
    /// Events after this one: the `last` of the answer before.
    after: Option<EventId>,
    /// Of this kind only, as `order.placed`.
    kind: Option<String>,
    /// Of this order only.
    order: Option<String>,
}

/// An event of the log.
#[derive(Debug, Serialize, ToSchema)]
struct EventView {
    id: EventId,
    #[serde(rename = "type")]
    kind: String,
    /// When it happened.
    timestamp: Timestamp,
    /// When we learnt of it; later than `timestamp` for imported history.
    recorded_at: Timestamp,
    actor: String,
    subject: String,
    order: Option<String>,
    #[schema(value_type = Object)]
    data: serde_json::Value,
}
impl EventView {
    fn of(e: Fed) -> Result<Self, Fault> {
        let order = e.order_id.map(|raw| OrderText(raw).to_string());
        let data = serde_json::from_str(&e.payload)?;
        Ok(Self {
            id: e.id,
            kind: e.kind,
            timestamp: e.at,
            recorded_at: e.recorded_at,
            actor: e.actor,
            subject: e.subject,
            order,
            data,
        })
    }
}

/// A raw order id as text; this slice knows no more of orders.
struct OrderText(i64);
impl std::fmt::Display for OrderText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        ids::write_id("ord", self.0, f)
    }
}

pub(crate) fn order_of(text: Option<&str>) -> Result<Option<i64>, Problem> {
    text.map(|t| ids::read_id("ord", t).map_err(|e| Problem::invalid("order", format!("{e}.")))).transpose()
}

/// Events after a cursor.
#[derive(Debug, Serialize, ToSchema)]
struct EventPage {
    /// Oldest first.
    data: Vec<EventView>,
    /// Pass it as `after` next time, also when nothing came.
    last: Option<EventId>,
}

/// Read the event log, oldest first
///
/// Keep `last` and pass it as `after`: no event is skipped and none comes twice, because only settled events are shown, before which no
/// running transaction can put another one. On PostgreSQL an event is settled about five seconds after its commit, later while a long
/// transaction runs. When you store the cursor apart from your work, you may get events again after a crash: work by event id.
#[utoipa::path(get, path = "/events", tag = "events", operation_id = "listEvents", params(ListEvents), responses((status = 200, body = EventPage)))]
async fn list_events(
    State(app): State<App>,
    _: May<ReadEvents>,
    Params(q): Params<ListEvents>,
) -> Result<Json<EventPage>, Problem> {
    let limit = Paging::<EventId>::read(q.limit, None)?.limit;
    let ask = Ask { after: q.after, kind: q.kind, order: order_of(q.order.as_deref())?, limit };
    let data =
        feed::feed(&app.db, &ask).await?.into_iter().map(EventView::of).collect::<Result<Vec<_>, _>>()?;
    let last = data.last().map(|e| e.id).or(q.after);
    Ok(Json(EventPage { data, last }))
}

// ── e-mails ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListMails {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Of this order only.
    order: Option<String>,
    /// Only those that no server took.
    #[serde(default)]
    unsent: bool,
}

/// An e-mail to a customer.
#[derive(Debug, Serialize, ToSchema)]
struct MailView {
    id: MailId,
    event: EventId,
    template: String,
    order: Option<String>,
    recipient: String,
    subject: String,
    text: String,
    html: String,
    created_at: Timestamp,
    /// When a mail server took it.
    sent_at: Option<Timestamp>,
    /// Why it was not taken at the last attempt.
    error: Option<String>,
}
impl From<MailRow> for MailView {
    fn from(m: MailRow) -> Self {
        let order = m.order_id.map(|raw| OrderText(raw).to_string());
        Self {
            id: m.id,
            event: m.event_id,
            template: m.template,
            order,
            recipient: m.recipient,
            subject: m.subject,
            text: m.body_text,
            html: m.body_html,
            created_at: m.created_at,
            sent_at: m.sent_at,
            error: m.error,
        }
    }
}

/// List e-mails to customers, newest first
#[utoipa::path(get, path = "/mails", tag = "mails", operation_id = "listMails", params(ListMails), responses((status = 200, body = Page<MailView>)))]
async fn list_mails(
    State(app): State<App>,
    _: May<ReadMails>,
    Params(q): Params<ListMails>,
) -> Result<Json<Page<MailView>>, Problem> {
    let paging = Paging::<MailId>::read(q.limit, q.cursor.as_deref())?;
    let rows =
        read::mails(app.db.read(), order_of(q.order.as_deref())?, q.unsent, paging.after, paging.fetch())
            .await?;
    Ok(Json(paging.page(rows, |row| row.id).map(MailView::from)))
}

/// Send an e-mail again
///
/// Also one that was sent before, or that waits because no mail server was configured.
#[utoipa::path(post, path = "/mails/{id}/send", tag = "mails", operation_id = "sendMail", params(("id" = MailId, Path)), responses((status = 204)))]
async fn send_mail(
    State(app): State<App>,
    caller: May<WriteMails>,
    key: Key,
    Segment(id): Segment<MailId>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "mails.send", &(), |tx| {
        send_again(tx, &[id]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })
}

/// The texts of an e-mail, as minijinja templates.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TemplateBody {
    /// One line.
    subject: String,
    /// Plain text.
    text: String,
    /// HTML; what is put in is escaped.
    html: String,
}

/// The texts in force.
#[derive(Debug, Serialize, ToSchema)]
struct TemplateView {
    name: String,
    subject: String,
    text: String,
    html: String,
    /// Whether they are the merchant's own.
    custom: bool,
    /// What a template may use, with sample values.
    #[schema(value_type = Object)]
    sample: serde_json::Value,
}

async fn template_view(sql: &db::Sql, name: &str) -> Result<TemplateView, Fault> {
    let (text, custom) = templates::current(sql, name).await?;
    let TemplateText { subject, text, html } = text;
    Ok(TemplateView { name: name.to_owned(), subject, text, html, custom, sample: templates::sample() })
}

/// Show the texts of an e-mail
///
/// Templates are `order_placed`, `order_payment_requested`, `shipment_shipped`, `shipment_delivered`, `return_label_bought` and `payment_refunded`.
#[utoipa::path(get, path = "/mail-templates/{name}", tag = "mails", operation_id = "getMailTemplate", params(("name" = String, Path)), responses((status = 200, body = TemplateView)))]
async fn show_template(
    State(app): State<App>,
    _: May<ReadMails>,
    Segment(name): Segment<String>,
) -> Result<Json<TemplateView>, Problem> {
    if !templates::NAMES.contains(&name.as_str()) {
        return Err(Problem::not_found(format!("e-mail template “{name}”")));
    }
    Ok(Json(template_view(app.db.read(), &name).await?))
}

/// Set the texts of an e-mail
#[utoipa::path(put, path = "/mail-templates/{name}", tag = "mails", operation_id = "setMailTemplate", params(("name" = String, Path)), request_body = TemplateBody,
    responses((status = 200, body = TemplateView)))]
async fn put_template(
    State(app): State<App>,
    caller: May<WriteMails>,
    key: Key,
    Segment(name): Segment<String>,
    Body(body): Body<TemplateBody>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "mails.set_template", &body, |tx| {
        let text =
            TemplateText { subject: body.subject.clone(), text: body.text.clone(), html: body.html.clone() };
        set_templates(tx, &[SetTemplate { at: tx.now(), name: name.clone(), text: Some(text) }])
            .await?
            .remove(0)
            .or_problem()?;
        reply(StatusCode::OK, &template_view(tx, &name).await?)
    })
}

/// Go back to our own texts of an e-mail
#[utoipa::path(delete, path = "/mail-templates/{name}", tag = "mails", operation_id = "resetMailTemplate", params(("name" = String, Path)), responses((status = 204)))]
async fn reset_template(
    State(app): State<App>,
    caller: May<WriteMails>,
    key: Key,
    Segment(name): Segment<String>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "mails.reset_template", &(), |tx| {
        set_templates(tx, &[SetTemplate { at: tx.now(), name: name.clone(), text: None }])
            .await?
            .remove(0)
            .or_problem()?;
        Ok(Reply::empty())
    })
}
