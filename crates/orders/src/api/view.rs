//! Orders as the API shows them.

use crate::model::{LineRow, OrderId};
use crate::read::{HoldRow, OrderRow, TimelineRow};
use contact::address::Address;
use kernel::{Currency, Fault, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// An order. Amounts are minor units of its currency. Statuses are derived from units and money.
#[derive(Serialize, ToSchema)]
pub(super) struct OrderView {
    pub id: OrderId,
    pub number: String,
    pub channel: String,
    pub reference: Option<String>,
    #[schema(value_type = String)]
    pub customer: customers::CustomerId,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub placed_at: Timestamp,
    pub promised_at: Option<Timestamp>,
    #[schema(value_type = String)]
    pub currency: Currency,
    pub tax_inclusive: bool,
    pub express: bool,
    pub fulfilment_status: String,
    pub payment_status: String,
    /// How many reasons there are not to go on.
    pub hold_count: i64,
    pub totals: Totals,
    pub units: Units,
    pub version: i64,
    /// In full only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// The money of an order.
#[derive(Serialize, ToSchema)]
pub(super) struct Totals {
    goods: i64,
    discount: i64,
    net: i64,
    tax: i64,
    shipping: i64,
    shipping_tax: i64,
    fee: i64,
    total: i64,
    /// Share of cancelled units.
    cancelled: i64,
    /// Credit for returned units.
    returned: i64,
    authorised: i64,
    captured: i64,
    refunded: i64,
}

/// The units of an order.
#[derive(Serialize, ToSchema)]
pub(super) struct Units {
    ordered: i64,
    cancelled: i64,
    backordered: i64,
    shipped: i64,
    delivered: i64,
    returned: i64,
}

/// What a list leaves out.
#[derive(Serialize, ToSchema)]
pub(super) struct Details {
    ship_to: Address,
    bill_to: Address,
    gift_note: Option<String>,
    note: Option<String>,
    tags: Vec<String>,
    pay_later: bool,
    lines: Vec<LineRow>,
    holds: Vec<HoldView>,
}

/// A reason not to go on.
#[derive(Serialize, ToSchema)]
pub(super) struct HoldView {
    kind: String,
    reason: String,
    at: Timestamp,
}

impl OrderView {
    pub(super) fn brief(row: &OrderRow) -> Self {
        Self {
            id: row.id,
            number: row.number.clone(),
            channel: row.channel.clone(),
            reference: row.reference.clone(),
            customer: row.customer_id,
            name: row.name.clone(),
            email: row.email.clone(),
            phone: row.phone.clone(),
            placed_at: row.placed_at,
            promised_at: row.promised_at,
            currency: row.currency,
            tax_inclusive: row.tax_inclusive,
            express: row.priority > 0,
            fulfilment_status: row.fulfilment_status.clone(),
            payment_status: row.payment_status.clone(),
            hold_count: row.holds,
            totals: Totals {
                goods: row.goods,
                discount: row.discount,
                net: row.net,
                tax: row.tax,
                shipping: row.shipping,
                shipping_tax: row.shipping_tax,
                fee: row.fee,
                total: row.total,
                cancelled: row.cancelled_total,
                returned: row.returned_total,
                authorised: row.authorised,
                captured: row.captured,
                refunded: row.refunded,
            },
            units: Units {
                ordered: row.units,
                cancelled: row.units_cancelled,
                backordered: row.units_backordered,
                shipped: row.units_shipped,
                delivered: row.units_delivered,
                returned: row.units_returned,
            },
            version: row.version,
            details: None,
        }
    }

    pub(super) fn full(row: &OrderRow, lines: &[LineRow], holds: &[HoldRow]) -> Result<Self, Fault> {
        let details = Details {
            ship_to: serde_json::from_str(&row.ship_to)?,
            bill_to: serde_json::from_str(&row.bill_to)?,
            gift_note: row.gift_note.clone(),
            note: row.note.clone(),
            tags: serde_json::from_str(&row.tags)?,
            pay_later: row.pay_later,
            lines: lines.to_vec(),
            holds: holds
                .iter()
                .map(|h| HoldView { kind: h.kind.clone(), reason: h.reason.clone(), at: h.at })
                .collect(),
        };
        Ok(Self { details: Some(details), ..Self::brief(row) })
    }
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderEventView)]
pub(super) struct EventView {
    #[schema(value_type = String)]
    id: kernel::fact::EventId,
    at: Timestamp,
    /// As `order.placed`.
    kind: String,
    /// Who did it.
    actor: String,
    /// Id of what it is about.
    subject: String,
    /// The fact.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}
impl From<TimelineRow> for EventView {
    fn from(row: TimelineRow) -> Self {
        let data = serde_json::from_str(&row.payload).unwrap_or(serde_json::Value::Null);
        Self { id: row.id, at: row.at, kind: row.kind, actor: row.actor, subject: row.subject, data }
    }
}
