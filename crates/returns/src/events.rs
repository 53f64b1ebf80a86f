//! What returns tell the world. Money is in minor units of the order's currency. Units are told as counts by line: a return may have
//! thousands.

use crate::model::{Disposition, Reason, Reception, Resolution, ReturnId, ReturnLabelId, ReturnPhotoId};
use kernel::{Currency, fact};
use orders::{LineId, OrderId};
use serde::{Deserialize, Serialize};

/// Units of a line that shall come back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestedLine {
    /// The line.
    pub line: LineId,
    /// Units.
    pub quantity: i64,
    /// Why.
    pub reason: Reason,
}

/// A customer asked to give units back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnRequested {
    /// The return.
    pub return_id: ReturnId,
    /// Its number for people.
    pub number: String,
    /// The order.
    pub order: OrderId,
    /// What the customer wants for them.
    pub resolution: Resolution,
    /// The units.
    pub lines: Vec<RequestedLine>,
}
fact!(ReturnRequested, "return.requested");

/// The customer may send the units.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnApproved {
    /// The return.
    pub return_id: ReturnId,
    /// The order.
    pub order: OrderId,
}
fact!(ReturnApproved, "return.approved");

/// The units shall not come back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnDeclined {
    /// The return.
    pub return_id: ReturnId,
    /// The order.
    pub order: OrderId,
    /// Why.
    pub reason: String,
}
fact!(ReturnDeclined, "return.declined");

/// It became known where units are on their way back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnReceived {
    /// The return.
    pub return_id: ReturnId,
    /// The order.
    pub order: OrderId,
    /// Where they are.
    pub reception: Reception,
    /// Units.
    pub quantity: i64,
}
fact!(ReturnReceived, "return.received");

/// Units were looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnInspected {
    /// The return.
    pub return_id: ReturnId,
    /// The order.
    pub order: OrderId,
    /// Of the credit.
    pub currency: Currency,
    /// Units that are credited.
    pub accepted: i64,
    /// Units that are not.
    pub rejected: i64,
    /// Units a person has to look at.
    pub manual_review: i64,
    /// Where the accepted ones go.
    pub disposition: Option<Disposition>,
    /// What the customer gets for them.
    pub credit: i64,
}
fact!(ReturnInspected, "return.inspected");

/// The customer got what was due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnSettled {
    /// The return (raw id: the laws join on it).
    pub return_id: i64,
    /// The order.
    pub order: OrderId,
    /// Of the amounts.
    pub currency: Currency,
    /// How.
    pub resolution: Resolution,
    /// Credit of the accepted units.
    pub credited: i64,
    /// Of it, given back as money, store credit or into the exchange.
    pub refunded: i64,
    /// Of it, taken off what the customer still owed for the order.
    pub offset: i64,
    /// The order that replaces what came back.
    pub exchange: Option<OrderId>,
    /// Of the refunded, what went into that order.
    pub exchanged: i64,
}
fact!(ReturnSettled, "return.settled");

/// A photo of what comes back was added.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnPhotoAdded {
    /// The return.
    pub return_id: ReturnId,
    /// The order.
    pub order: OrderId,
    /// The photo.
    pub photo: ReturnPhotoId,
}
fact!(ReturnPhotoAdded, "return.photo_added");

/// A label to send units back with was bought: from now on the carrier is owed its cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnLabelBought {
    /// The return.
    pub return_id: ReturnId,
    /// Its number for people.
    pub number: String,
    /// The order.
    pub order: OrderId,
    /// The label.
    pub label: ReturnLabelId,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's product.
    pub service: String,
    /// The carrier's number.
    pub tracking_number: String,
    /// Minor units.
    pub cost: i64,
    /// Of the cost.
    pub currency: Currency,
}
fact!(ReturnLabelBought, "return.label_bought");

/// The carrier did not sell the label of a return.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnLabelDeclined {
    /// The return.
    pub return_id: ReturnId,
    /// The order.
    pub order: OrderId,
    /// The label that was asked for.
    pub label: ReturnLabelId,
    /// Who was asked.
    pub carrier: String,
    /// Why, in the carrier's words.
    pub reason: String,
}
fact!(ReturnLabelDeclined, "return.label_declined");
