//! What payments tell the world. Subjects are `pay_…` and `ref_…`; the order is set on every event, so that it shows on its timeline.
//! Amounts are minor units of `currency`, and each event carries what changed, not the sum.

use crate::{PaymentId, RefundId};
use kernel::{Currency, fact};
use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($(#[$meta:meta])* $name:ident = $kind:literal { $($(#[$fmeta:meta])* $field:ident: $ty:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name {
                /// The tender.
                pub payment: PaymentId,
                /// The order it belongs to (raw id).
                pub order: i64,
                $($(#[$fmeta])* pub $field: $ty,)*
            }
            fact!($name, $kind);
        )*
    };
}

events! {
    /// A tender was put on an order.
    PaymentOpened = "payment.opened" {
        /// Code of the gateway.
        gateway: String,
        /// The gateway's method.
        method: String,
        /// What it is to bring.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
        /// Where the customer has to go, when that is known at once.
        action_url: Option<String>,
    }
    /// Money was set aside.
    PaymentAuthorised = "payment.authorised" {
        /// How much.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// The customer has to act at the gateway.
    PaymentActionRequired = "payment.action_required" {
        /// Where.
        url: String,
    }
    /// Money was taken.
    PaymentCaptured = "payment.captured" {
        /// Code of the gateway.
        gateway: String,
        /// The gateway's method.
        method: String,
        /// How much.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// The gateway charged us.
    PaymentFeeCharged = "payment.fee_charged" {
        /// Code of the gateway.
        gateway: String,
        /// How much.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// What was set aside was let go.
    PaymentVoided = "payment.voided" {
        /// How much.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// The gateway said no to an authorisation, a capture or a void.
    PaymentFailed = "payment.failed" {
        /// What was asked: `authorise`, `capture` or `void`.
        operation: String,
        /// Why, in the gateway's words.
        reason: String,
    }
    /// The authorisation ran out.
    PaymentExpired = "payment.expired" {
        /// What is no longer set aside.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// Money was given back.
    PaymentRefunded = "payment.refunded" {
        /// Code of the gateway of the tender.
        gateway: String,
        /// The gateway's method.
        method: String,
        /// How much.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
        /// Which refund; none when it was made at the gateway without us.
        refund: Option<RefundId>,
        /// Where it went: `tenders` (out through this gateway), `store_credit` or `exchange` (the captured money stays).
        to: String,
    }
    /// A granted refund could not be paid out over this tender.
    PaymentRefundFailed = "payment.refund_failed" {
        /// Code of the gateway.
        gateway: String,
        /// How much.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
        /// Which refund.
        refund: Option<RefundId>,
        /// Why, in the gateway's words.
        reason: String,
    }
    /// The customer's bank disputes the payment.
    PaymentDisputed = "payment.disputed" {
        /// Code of the gateway.
        gateway: String,
        /// How much.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// A dispute ended. A dispute that was lost and later given back ends twice, the second time won.
    PaymentDisputeClosed = "payment.dispute_closed" {
        /// Code of the gateway.
        gateway: String,
        /// How much.
        amount: i64,
        /// ISO 4217.
        currency: Currency,
        /// Whether the money is ours.
        won: bool,
        /// It had been lost before: what was written off comes back.
        after_loss: bool,
    }
    /// The facts contradict each other: a person has to look.
    PaymentConflicted = "payment.conflicted" {
        /// ISO 4217.
        currency: Currency,
    }
}

/// A refund was granted; paying it out is told by [`PaymentRefunded`] for each tender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundGranted {
    /// The refund.
    pub refund: RefundId,
    /// The order it belongs to (raw id).
    pub order: i64,
    /// The return that caused it (raw id).
    pub return_id: Option<i64>,
    /// How much.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Why.
    pub reason: String,
    /// Where it goes: `tenders`, `store_credit` or `exchange`.
    pub to: String,
}
fact!(RefundGranted, "refund.granted");
