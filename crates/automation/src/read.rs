//! Queries for lists and details. Secrets of endpoints are not among them.

use crate::model::{DeliveryId, EndpointId, MailId};
use db::{FromRow, Sql, Value};
use kernel::fact::EventId;
use kernel::{Fault, Timestamp};

/// An endpoint, without its secret.
#[derive(Debug, Clone, FromRow)]
pub struct EndpointRow {
    /// Its id.
    pub id: EndpointId,
    /// Where it is.
    pub url: String,
    /// What it hears, a JSON list.
    pub kinds: String,
    /// Whether it is switched on.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A delivery with what it delivers.
#[derive(Debug, Clone, FromRow)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub endpoint_id: EndpointId,
    /// What.
    pub event_id: EventId,
    /// The event's kind.
    pub kind: String,
    /// `waiting`, `delivered`, `dead`.
    pub state: String,
    /// Attempts since it was queued or replayed.
    pub attempts: i64,
    /// When the next attempt is made, while it waits.
    pub next_at: Timestamp,
    /// HTTP status of the last attempt, where one came.
    pub last_status: Option<i64>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was taken.
    pub delivered_at: Option<Timestamp>,
}

/// An e-mail.
#[derive(Debug, Clone, FromRow)]
pub struct MailRow {
    /// Its id.
    pub id: MailId,
    /// The event it tells of.
    pub event_id: EventId,
    /// Which.
    pub template: String,
    /// The order (raw id).
    pub order_id: Option<i64>,
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Plain text.
    pub body_text: String,
    /// HTML.
    pub body_html: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When a server took it.
    pub sent_at: Option<Timestamp>,
    /// Why it was not taken.
    pub error: Option<String>,
}

const ENDPOINT: &str = "SELECT id, url, kinds, active, created_at FROM webhook_endpoint";
const MAIL: &str = "SELECT id, event_id, template, order_id, recipient, subject, body_text, body_html, created_at, sent_at, error FROM mail";

/// Endpoints, oldest first.
///
/// # Errors
/// A fault of the database.
pub async fn endpoints(sql: &Sql, after: Option<EndpointId>, limit: i64) -> Result<Vec<EndpointRow>, Fault> {
    sql.all(
        &format!("{ENDPOINT} WHERE id > $1 ORDER BY id LIMIT $2"),
        [after.map_or(-1, |id| id.0).into(), limit.into()],
    )
    .await
}

/// One endpoint.
///
/// # Errors
/// A fault of the database.
pub async fn endpoint(sql: &Sql, id: EndpointId) -> Result<Option<EndpointRow>, Fault> {
    sql.one(&format!("{ENDPOINT} WHERE id = $1"), [id.into()]).await
}

/// Deliveries of an endpoint, newest first, of one state or all.
///
/// # Errors
/// A fault of the database.
pub async fn deliveries(
    sql: &Sql,
    endpoint: EndpointId,
    state: Option<&str>,
    after: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<DeliveryRow>, Fault> {
    let mut text = "SELECT d.id, d.endpoint_id, d.event_id, e.kind, d.state, d.attempts, d.next_at, d.last_status, d.last_error, d.delivered_at \
                    FROM webhook_delivery d JOIN event e ON e.id = d.event_id WHERE d.endpoint_id = $1 AND d.id < $2"
        .to_owned();
    let mut params: Vec<Value> = vec![endpoint.into(), after.map_or(i64::MAX, |id| id.0).into()];
    if let Some(state) = state {
        params.push(state.into());
        text.push_str(" AND d.state = $3");
    }
    params.push(limit.into());
    text.push_str(&format!(" ORDER BY d.id DESC LIMIT ${}", params.len()));
    sql.all(&text, params).await
}

/// A delivery with all that is known of it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// As lists show it.
    pub row: DeliveryRow,
    /// Where it goes.
    pub url: String,
    /// The beginning of what was answered last.
    pub answer: Option<String>,
    at: Timestamp,
    subject: String,
    payload: String,
}

impl Delivery {
    /// What is sent, to the letter.
    ///
    /// # Errors
    /// A fault when the event's payload does not read.
    pub fn body(&self) -> Result<String, Fault> {
        crate::deliver::body(&self.row.kind, self.at, self.row.event_id, &self.subject, &self.payload)
    }
}

#[derive(FromRow)]
struct Told {
    endpoint_id: EndpointId,
    url: String,
    answer: Option<String>,
    at: Timestamp,
    subject: String,
    payload: String,
}

/// One delivery.
///
/// # Errors
/// A fault of the database.
pub async fn delivery(sql: &Sql, id: DeliveryId) -> Result<Option<Delivery>, Fault> {
    let text = "SELECT d.endpoint_id, w.url, d.last_answer AS answer, e.at, e.subject, e.payload FROM webhook_delivery d \
                JOIN event e ON e.id = d.event_id JOIN webhook_endpoint w ON w.id = d.endpoint_id WHERE d.id = $1";
    let Some(told) = sql.one::<Told>(text, [id.into()]).await? else { return Ok(None) };
    let next = DeliveryId(id.0.saturating_add(1));
    let row = deliveries(sql, told.endpoint_id, None, Some(next), 1).await?.pop().filter(|d| d.id == id);
    let Told { url, answer, at, subject, payload, .. } = told;
    Ok(row.map(|row| Delivery { row, url, answer, at, subject, payload }))
}

/// E-mails, newest first; of one order, or only those that are not sent.
///
/// # Errors
/// A fault of the database.
pub async fn mails(
    sql: &Sql,
    order: Option<i64>,
    unsent: bool,
    after: Option<MailId>,
    limit: i64,
) -> Result<Vec<MailRow>, Fault> {
    let mut text = format!("{MAIL} WHERE id < $1");
    let mut params: Vec<Value> = vec![after.map_or(i64::MAX, |id| id.0).into()];
    if let Some(order) = order {
        params.push(order.into());
        text.push_str(" AND order_id = $2");
    }
    if unsent {
        text.push_str(" AND sent_at IS NULL");
    }
    params.push(limit.into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", params.len()));
    sql.all(&text, params).await
}

/// One e-mail.
///
/// # Errors
/// A fault of the database.
pub async fn mail(sql: &Sql, id: MailId) -> Result<Option<MailRow>, Fault> {
    sql.one(&format!("{MAIL} WHERE id = $1"), [id.into()]).await
}
