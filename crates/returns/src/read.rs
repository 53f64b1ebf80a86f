//! Reading returns. Invariant: a return's status is derived from its times and its units, here and nowhere else.

use crate::model::{Acceptance, Disposition, Reason, Reception, Resolution, ReturnId, ReturnUnitId, Status};
use db::FromRow;
use db::{Rows, Sql, Value};
use kernel::{Currency, Fault, Timestamp};
use orders::{LineId, OrderId};

/// A return.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ReturnRow {
    /// Id.
    pub id: ReturnId,
    /// For people.
    pub number: String,
    /// The order.
    pub order_id: OrderId,
    /// The order's number.
    pub order_number: String,
    /// Who ordered.
    pub name: String,
    /// What the customer wants, or got.
    pub resolution: Resolution,
    /// Shipping is given back whatever the reason.
    pub refund_shipping: bool,
    /// For us.
    pub note: Option<String>,
    /// Of the credit.
    pub currency: Currency,
    /// What the customer gets for the accepted units.
    pub credited: i64,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// When it was declined.
    pub declined_at: Option<Timestamp>,
    /// Why.
    pub decline_reason: Option<String>,
    /// When the customer got what was due.
    pub settled_at: Option<Timestamp>,
    /// The order that replaces what came back (raw id).
    pub exchange_order_id: Option<i64>,
    /// The refund of what did not go into that (raw id).
    pub refund_id: Option<i64>,
    /// How far it is.
    pub status: Status,
    /// Units.
    pub units: i64,
    /// Photos.
    pub photos: i64,
    /// For `If-Match`.
    pub version: i64,
}

/// A unit of a return.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct UnitRow {
    /// Id.
    pub id: ReturnUnitId,
    /// The return.
    pub return_id: ReturnId,
    /// The line.
    pub line_id: LineId,
    /// What.
    pub sku: String,
    /// Its title.
    pub title: String,
    /// Which unit of the line, from 0.
    pub unit: i64,
    /// Why.
    pub reason: Reason,
    /// More about it.
    pub comment: Option<String>,
    /// Where it is.
    pub reception: Reception,
    /// What was decided.
    pub acceptance: Acceptance,
    /// Where it goes.
    pub disposition: Option<Disposition>,
    /// Where it lies.
    pub location_id: Option<inventory::LocationId>,
    /// When it was received.
    pub received_at: Option<Timestamp>,
    /// When it was inspected.
    pub inspected_at: Option<Timestamp>,
    /// What the customer gets for it.
    pub credit: i64,
}

const STATUS: &str = "CASE WHEN r.declined_at IS NOT NULL THEN 'declined' WHEN r.settled_at IS NOT NULL THEN 'settled' \
    WHEN r.approved_at IS NULL THEN 'requested' \
    WHEN NOT EXISTS (SELECT 1 FROM return_unit u WHERE u.return_id = r.id AND u.acceptance IN ('pending', 'manual_review')) THEN 'inspected' \
    WHEN NOT EXISTS (SELECT 1 FROM return_unit u WHERE u.return_id = r.id AND u.reception IN ('awaiting', 'in_transit')) THEN 'received' \
    WHEN NOT EXISTS (SELECT 1 FROM return_unit u WHERE u.return_id = r.id AND u.reception = 'awaiting') THEN 'in_transit' \
    ELSE 'approved' END";

fn columns() -> String {
    format!(
        "r.id, r.number, r.order_id, o.number AS order_number, o.name, r.resolution, r.refund_shipping, r.note, o.currency, r.credited, r.requested_at, \
         r.approved_at, r.declined_at, r.decline_reason, r.settled_at, r.exchange_order_id, r.refund_id, {STATUS} AS status, \
         (SELECT COUNT(*) FROM return_unit u WHERE u.return_id = r.id) AS units, \
         (SELECT COUNT(*) FROM return_photo p WHERE p.return_id = r.id) AS photos, r.version"
    )
}

/// Which returns.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this order.
    pub order: Option<OrderId>,
    /// With this status.
    pub status: Option<Status>,
    /// With this resolution.
    pub resolution: Option<Resolution>,
    /// With this number, or of the order with this number.
    pub number: Option<String>,
}

/// A page of returns, newest first, after the last one seen.
///
/// # Errors
/// A fault of the database.
pub async fn list(
    sql: &Sql,
    filter: &Filter,
    after: Option<(Timestamp, ReturnId)>,
    limit: i64,
) -> Result<Vec<ReturnRow>, Fault> {
    let mut values: Vec<Value> = vec![limit.into()];
    let mut text =
        format!("SELECT {} FROM return_request r JOIN orders o ON o.id = r.order_id WHERE TRUE", columns());
    if let Some(number) = &filter.number {
        values.push(number.trim().into());
        text += " AND r.id IN (SELECT n.id FROM return_request n WHERE n.number = $2 UNION ALL \
            SELECT n.id FROM return_request n JOIN orders p ON p.id = n.order_id WHERE p.number = $2)";
    }
    let mut and = |sql: &str, value: Value| {
        values.push(value);
        text += &format!(" AND {sql} = ${}", values.len());
    };
    if let Some(order) = filter.order {
        and("r.order_id", order.into());
    }
    if let Some(resolution) = filter.resolution {
        and("r.resolution", resolution.into());
    }
    if let Some(status) = filter.status {
        and(&format!("({STATUS})"), status.into());
    }
    if let Some((at, id)) = after {
        values.extend([at.into(), id.into()]);
        text += &format!(" AND (r.requested_at, r.id) < (${}, ${})", values.len() - 1, values.len());
    }
    text += " ORDER BY r.requested_at DESC, r.id DESC LIMIT $1";
    sql.all(&text, values).await
}

/// A return by its id.
///
/// # Errors
/// A fault of the database.
pub async fn by_id(sql: &Sql, id: ReturnId) -> Result<Option<ReturnRow>, Fault> {
    let text = format!(
        "SELECT {} FROM return_request r JOIN orders o ON o.id = r.order_id WHERE r.id = $1",
        columns()
    );
    sql.one(&text, [id.into()]).await
}

/// The units of a return, in the order they were asked.
///
/// # Errors
/// A fault of the database.
pub async fn units_of(sql: &Sql, returns: &[ReturnId]) -> Result<Vec<UnitRow>, Fault> {
    let mut ids = Rows::new("id BIGINT");
    for id in returns {
        ids.push([(*id).into()]);
    }
    let text = "SELECT u.id, u.return_id, u.line_id, l.sku, l.title, u.unit, u.reason, u.comment, u.reception, u.acceptance, u.disposition, \
        u.location_id, u.received_at, u.inspected_at, u.credit FROM return_unit u JOIN input ON input.id = u.return_id \
        JOIN order_line l ON l.id = u.line_id ORDER BY u.return_id, u.id";
    sql.all_from(&ids, text, []).await
}
