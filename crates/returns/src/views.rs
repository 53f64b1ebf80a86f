//! What the API shows and takes of returns. Shapes only.

use crate::model::{Acceptance, Disposition, Reason, Reception, Resolution, ReturnId, ReturnUnitId, Status};
use crate::read::{ReturnRow, UnitRow};
use crate::{Exchange, ReturnWish};
use contact::address::Address;
use inventory::LocationId;
use kernel::{Currency, Timestamp};
use orders::{IfOutOfStock, LineId, OrderId, Tender, WantedLine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A return.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReturnView {
    /// Id.
    pub id: ReturnId,
    /// For people.
    pub number: String,
    /// The order.
    pub order: OrderId,
    /// Its number.
    pub order_number: String,
    /// How far it is.
    pub status: Status,
    /// What the customer wants, or got.
    pub resolution: Resolution,
    /// Shipping is given back whatever the reason.
    pub refund_shipping: bool,
    /// For us.
    pub note: Option<String>,
    /// Of the credit.
    pub currency: Currency,
    /// What the customer gets for the accepted units, minor units; absent for who sees no money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credited: Option<i64>,
    /// How many units.
    pub unit_count: i64,
    /// How many photos; see `/photos`.
    pub photo_count: i64,
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
    /// The order that replaces what came back.
    pub exchange_order: Option<OrderId>,
    /// The refund of what did not go into that.
    #[schema(value_type = Option<String>)]
    pub refund: Option<payments::RefundId>,
    /// The units; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<Vec<UnitView>>,
    /// For `If-Match`.
    pub version: i64,
}

/// A unit of a return.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnitView {
    /// Id.
    pub id: ReturnUnitId,
    /// The line.
    pub line: LineId,
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
    pub location: Option<LocationId>,
    /// When it was received.
    pub received_at: Option<Timestamp>,
    /// When it was inspected.
    pub inspected_at: Option<Timestamp>,
    /// What the customer gets for it, minor units; absent for who sees no money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<i64>,
}

impl ReturnView {
    /// The view; what it gives is shown with `money` alone.
    pub(crate) fn new(row: ReturnRow, units: Option<Vec<UnitRow>>, money: bool) -> Self {
        let unit = |u| UnitView::new(u, money);
        Self {
            id: row.id,
            number: row.number,
            order: row.order_id,
            order_number: row.order_number,
            status: row.status,
            resolution: row.resolution,
            refund_shipping: row.refund_shipping,
            note: row.note,
            currency: row.currency,
            credited: money.then_some(row.credited),
            unit_count: row.units,
            photo_count: row.photos,
            requested_at: row.requested_at,
            approved_at: row.approved_at,
            declined_at: row.declined_at,
            decline_reason: row.decline_reason,
            settled_at: row.settled_at,
            exchange_order: row.exchange_order_id.map(OrderId),
            refund: row.refund_id.map(payments::RefundId),
            units: units.map(|all| all.into_iter().map(unit).collect()),
            version: row.version,
        }
    }
}

impl UnitView {
    fn new(u: UnitRow, money: bool) -> Self {
        Self {
            id: u.id,
            line: u.line_id,
            sku: u.sku,
            title: u.title,
            unit: u.unit,
            reason: u.reason,
            comment: u.comment,
            reception: u.reception,
            acceptance: u.acceptance,
            disposition: u.disposition,
            location: u.location_id,
            received_at: u.received_at,
            inspected_at: u.inspected_at,
            credit: money.then_some(u.credit),
        }
    }
}

/// A return to request.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturn {
    /// What comes back.
    pub units: Vec<NewReturnUnits>,
    /// What for.
    pub resolution: Resolution,
    /// Give the share of shipping and fees back too, whatever the reason.
    #[serde(default)]
    pub refund_shipping: bool,
    /// Take it although the window is over.
    #[serde(default)]
    pub override_window: bool,
    /// For us.
    #[serde(default)]
    pub note: Option<String>,
}

/// Units of a line to give back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturnUnits {
    /// The line.
    pub line: LineId,
    /// Units.
    pub quantity: i64,
    /// Why.
    pub reason: Reason,
    /// More about it.
    #[serde(default)]
    pub comment: Option<String>,
}

impl From<NewReturnUnits> for ReturnWish {
    fn from(u: NewReturnUnits) -> Self {
        Self { line: u.line, quantity: u.quantity, reason: u.reason, comment: u.comment }
    }
}

/// Why a return is declined.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclineBody {
    /// For the customer.
    pub reason: String,
}

/// What became known of units on their way back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiveBody {
    /// Which units; none named: all that are still awaited or on their way.
    #[serde(default)]
    pub units: Vec<ReturnUnitId>,
    /// Where they arrived.
    pub location: LocationId,
    /// What became known; received when absent.
    #[serde(default)]
    pub reception: Option<Reception>,
}

/// What was found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InspectBody {
    /// Which units; none named: all that are received and undecided.
    #[serde(default)]
    pub units: Vec<ReturnUnitId>,
    /// Accepted, rejected, or left to a person.
    pub acceptance: Acceptance,
    /// Where accepted units go.
    #[serde(default)]
    pub disposition: Option<Disposition>,
    /// Where units that go back into stock lie from now on; absent: where they were received.
    #[serde(default)]
    pub location: Option<LocationId>,
}

/// How a return is settled.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleBody {
    /// How; absent: as it was asked.
    #[serde(default)]
    pub resolution: Option<Resolution>,
    /// What the customer takes instead, for an exchange.
    #[serde(default)]
    pub exchange: Option<ExchangeBody>,
}

/// What a customer takes instead.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeBody {
    /// What.
    pub lines: Vec<ExchangeLine>,
    /// Off the whole new order, minor units.
    #[serde(default)]
    pub discount: i64,
    /// Price of shipping it, minor units.
    #[serde(default)]
    pub shipping: i64,
    /// Where to; absent: as the order that is exchanged.
    #[serde(default)]
    pub ship_to: Option<Address>,
    /// How a difference is paid; without any it is due, and holds the new order.
    #[serde(default)]
    pub tenders: Vec<ExchangeTender>,
    /// Credit that is left becomes store credit rather than money.
    #[serde(default)]
    pub rest_to_store_credit: bool,
    /// Refuse or backorder.
    #[serde(default)]
    pub if_out_of_stock: IfOutOfStock,
}

/// A line of the new order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeLine {
    /// SKU code.
    pub sku: String,
    /// Units.
    pub quantity: i64,
    /// Minor units; absent: the catalogue's.
    #[serde(default)]
    pub unit_price: Option<i64>,
    /// Off the line, minor units.
    #[serde(default)]
    pub discount: i64,
}

/// How a difference is paid.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeTender {
    /// `sandbox`, `manual`, `store_credit`, …
    pub gateway: String,
    /// `card`, `bank_transfer`, `cod`, …
    pub method: String,
    /// The gateway's token of the card.
    #[serde(default)]
    pub token: Option<String>,
    /// Minor units; absent: what is left.
    #[serde(default)]
    pub amount: Option<i64>,
    /// Capture at once instead of when units ship.
    #[serde(default)]
    pub capture: bool,
}

impl From<ExchangeBody> for Exchange {
    fn from(body: ExchangeBody) -> Self {
        let line = |l: ExchangeLine| WantedLine {
            sku: l.sku,
            quantity: l.quantity,
            unit_price: l.unit_price,
            discount: l.discount,
            tax_rate_ppm: None,
            location: None,
        };
        let tender = |t: ExchangeTender| Tender {
            gateway: t.gateway,
            method: t.method,
            token: t.token,
            amount: t.amount,
            capture: t.capture,
            paid_at: None,
            reference: None,
        };
        Self {
            lines: body.lines.into_iter().map(line).collect(),
            discount: body.discount,
            shipping: body.shipping,
            ship_to: body.ship_to,
            tenders: body.tenders.into_iter().map(tender).collect(),
            rest_to_store_credit: body.rest_to_store_credit,
            if_out_of_stock: body.if_out_of_stock,
        }
    }
}

/// What the customer got.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettledView {
    /// Credit of the accepted units, minor units of the order's currency.
    pub credited: i64,
    /// Of it, given back as money, store credit or into the exchange.
    pub refunded: i64,
    /// Of it, taken off what was still owed for the order.
    pub offset: i64,
    /// The new order.
    pub exchange: Option<orders::Placed>,
    /// What went into it.
    pub exchanged: i64,
    /// What the customer pays for it besides.
    pub due: i64,
    /// Why a tender for that was not taken.
    pub tender_refused: Option<String>,
    /// The return as it is now.
    #[serde(rename = "return")]
    pub of: ReturnView,
}
