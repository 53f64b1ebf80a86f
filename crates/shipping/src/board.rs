//! Shipments as people work through them: what waits for the carrier, what is on its way, late or in trouble.
//!
//! Invariant: a view is a set of statuses, so a page of it comes from the index on status.

use crate::model::{ShipmentId, Status};
use db::{FromRow, Sql, Value};
use kernel::{Currency, Fault, Timestamp};
use orders::OrderId;
use warehouse::ParcelId;

/// What a list of shipments shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// All of them.
    #[default]
    All,
    /// With a label, or with one that is being bought; not handed over.
    Ready,
    /// The carrier has them.
    OnTheWay,
    /// Promised for a time that has passed, and not there.
    Late,
    /// Somebody has to look at them.
    Trouble,
    /// The customers have them.
    Delivered,
}

const MOVING: &str =
    "'shipped', 'in_transit', 'out_for_delivery', 'attempt_failed', 'available_for_pickup', 'exception'";

impl View {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::All, Self::Ready, Self::OnTheWay, Self::Late, Self::Trouble, Self::Delivered];
    /// As an address says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Ready => "ready",
            Self::OnTheWay => "on_the_way",
            Self::Late => "late",
            Self::Trouble => "trouble",
            Self::Delivered => "delivered",
        }
    }
    /// As people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Ready => "To hand over",
            Self::OnTheWay => "On the way",
            Self::Late => "Late",
            Self::Trouble => "In trouble",
            Self::Delivered => "Delivered",
        }
    }
    /// The condition; `$1` is now.
    fn sql(self) -> String {
        match self {
            Self::All => "$1 = $1".to_owned(),
            Self::Ready => "$1 = $1 AND s.status IN ('draft', 'label_purchased')".to_owned(),
            Self::OnTheWay => format!("$1 = $1 AND s.status IN ({MOVING})"),
            Self::Late => format!("s.promised_at < $1 AND s.status IN ('label_purchased', {MOVING})"),
            Self::Trouble => {
                "$1 = $1 AND s.status IN ('exception', 'attempt_failed', 'lost', 'returned_to_sender')"
                    .to_owned()
            }
            Self::Delivered => "$1 = $1 AND s.status = 'delivered'".to_owned(),
        }
    }
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Which of them.
    pub view: View,
    /// In this status.
    pub status: Option<Status>,
    /// By this carrier.
    pub carrier: Option<String>,
    /// With this tracking number, or of the order with this number.
    pub search: Option<String>,
    /// Older than this one: the last of the page before.
    pub before: Option<ShipmentId>,
}

/// A shipment as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Listed {
    /// Id.
    pub id: ShipmentId,
    /// The parcel.
    pub parcel_id: ParcelId,
    /// The order.
    pub order_id: OrderId,
    /// Its number.
    pub order_number: String,
    /// Who gets it.
    pub name: String,
    /// Where it goes, as JSON.
    pub ship_to: String,
    /// Grams.
    pub weight_g: i64,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's product.
    pub service: String,
    /// The carrier's number.
    pub tracking_number: String,
    /// Where it is.
    pub status: Status,
    /// What the label costs.
    pub cost: i64,
    /// Of the cost.
    pub currency: Currency,
    /// When the label was asked for.
    pub label_at: Timestamp,
    /// When the carrier got it.
    pub shipped_at: Option<Timestamp>,
    /// When the carrier promised to be there.
    pub promised_at: Option<Timestamp>,
}

impl Listed {
    /// Whether it should be there by now.
    pub fn late(&self, now: Timestamp) -> bool {
        let over = matches!(
            self.status,
            Status::Draft | Status::Lost | Status::Delivered | Status::ReturnedToSender | Status::Voided
        );
        !over && self.promised_at.is_some_and(|at| at < now)
    }
}

/// A page of shipments, newest first.
///
/// # Errors
/// A fault of the database.
pub async fn page(sql: &Sql, ask: &Ask, now: Timestamp, limit: i64) -> Result<Vec<Listed>, Fault> {
    let mut params: Vec<Value> = vec![now.into(), limit.into()];
    let mut conditions = ask.view.sql();
    let mut and = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            params.push(value);
            conditions.push_str(&format!(" AND {column} ${}", params.len()));
        }
    };
    and("s.status =", ask.status.map(|s| s.as_str().into()));
    and("s.carrier =", ask.carrier.as_deref().map(Value::from));
    and("s.id <", ask.before.map(Value::from));
    if let Some(search) = &ask.search {
        params.extend([search.as_str().into(), search.to_uppercase().into()]);
        let n = params.len();
        // One index for each way to say it.
        conditions.push_str(&format!(
            " AND s.id IN (SELECT a.id FROM shipment a WHERE a.tracking_number = ${} UNION \
             SELECT b.id FROM shipment b JOIN orders c ON c.id = b.order_id WHERE c.number = ${n})",
            n - 1
        ));
    }
    let text = format!(
        "SELECT s.id, s.parcel_id, s.order_id, o.number AS order_number, o.name, o.ship_to, p.weight_g, s.carrier, s.service, s.tracking_number, \
         s.status, s.cost, s.currency, s.label_at, s.shipped_at, s.promised_at FROM shipment s JOIN orders o ON o.id = s.order_id \
         JOIN parcel p ON p.id = s.parcel_id WHERE {conditions} ORDER BY s.id DESC LIMIT $2"
    );
    sql.all(&text, params).await
}

/// How many shipments wait for the carrier, are late, and are in trouble.
///
/// # Errors
/// A fault of the database.
pub async fn counts(sql: &Sql, now: Timestamp) -> Result<[(View, u64); 3], Fault> {
    #[derive(FromRow)]
    struct Row {
        ready: i64,
        late: i64,
        trouble: i64,
    }
    let sum = |view: View| format!("(SELECT COUNT(*) FROM shipment s WHERE {})", view.sql());
    let (ready, late, trouble) = (sum(View::Ready), sum(View::Late), sum(View::Trouble));
    let text = format!("SELECT {ready} AS ready, {late} AS late, {trouble} AS trouble");
    let row: Option<Row> = sql.one(&text, [now.into()]).await?;
    let count = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    Ok([
        (View::Ready, count(row.as_ref().map(|r| r.ready))),
        (View::Late, count(row.as_ref().map(|r| r.late))),
        (View::Trouble, count(row.as_ref().map(|r| r.trouble))),
    ])
}
