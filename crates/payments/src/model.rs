//! The words of payments: what a fact is about, how far an operation is, and a payment as it is stored. Pure but for the conversions.
//!
//! Invariant: an unknown word from the database is an error that names it, never a silent default.

use crate::{OperationId, PaymentId, RefundId};
use customers::CustomerId;
use db::FromRow;
use kernel::{Currency, Timestamp};
use serde::{Deserialize, Serialize};

/// A word that is none of the ones expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// What was to be read, as `FactKind`.
    pub what: &'static str,
    /// The word that came.
    pub word: String,
}
impl std::fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "“{}” is no {}", self.word, self.what)
    }
}
impl std::error::Error for UnknownWord {}

/// Declares an enum whose variants are words in the database, in JSON and in the log. (`tt`: a `literal` would be opaque to the derive
/// of the schema, which would then show the names of the variants.)
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:tt,)* }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        $(#[$meta])*
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $word)] $variant,)* }
        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The word.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),* } }
        }
        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word { $($word => Ok(Self::$variant),)* _ => Err(UnknownWord { what: stringify!($name), word: word.to_owned() }) }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl From<$name> for db::Value {
            fn from(word: $name) -> Self { word.as_str().into() }
        }
        impl kernel::row::FromCell for $name {
            fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
                kernel::row::parsed(cell)
            }
        }
    };
}

words! {
    /// What a payment fact is about.
    FactKind {
        /// Money was set aside.
        Authorise = "authorise",
        /// Money was taken.
        Capture = "capture",
        /// What was set aside was let go.
        Void = "void",
        /// Money was given back.
        Refund = "refund",
        /// The customer's bank disputes: requested = opened, succeeded = lost, failed = won.
        Chargeback = "chargeback",
        /// A lost dispute was given back to us (same reference as the chargeback).
        Reversal = "reversal",
        /// What the gateway charges us.
        Fee = "fee",
        /// The authorisation ran out.
        Expire = "expire",
    }
}
words! {
    /// How far it is.
    Phase {
        /// Asked for.
        Requested = "requested",
        /// It happened.
        Succeeded = "succeeded",
        /// It did not happen and will not.
        Failed = "failed",
    }
}
words! {
    /// What we ask of a gateway.
    Act {
        /// Set money aside.
        Authorise = "authorise",
        /// Take it.
        Capture = "capture",
        /// Let it go.
        Void = "void",
        /// Give it back.
        Refund = "refund",
    }
}
words! {
    /// How far an operation is.
    #[schema(as = OperationState)]
    State {
        /// Recorded; the gateway has not answered yet.
        Requested = "requested",
        /// It happened.
        Succeeded = "succeeded",
        /// It did not happen.
        Failed = "failed",
        /// The gateway was called and we do not know what it did: it is asked until it says.
        Unknown = "unknown",
        /// Somebody else has to act: the customer at the gateway, or whoever confirms a transfer.
        RequiresAction = "requires_action",
    }
}
words! {
    /// Where a refund goes.
    RefundTo {
        /// Back the ways it was paid.
        Tenders = "tenders",
        /// To the customer's store credit.
        StoreCredit = "store_credit",
        /// Into the order that replaces what came back.
        Exchange = "exchange",
    }
}

impl Act {
    /// The kind of fact this act leaves.
    pub fn fact(self) -> FactKind {
        match self {
            Self::Authorise => FactKind::Authorise,
            Self::Capture => FactKind::Capture,
            Self::Void => FactKind::Void,
            Self::Refund => FactKind::Refund,
        }
    }
}

/// Gateways that live inside: nothing is called for them, ever.
pub mod internal {
    /// Pays from the customer's store credit.
    pub const STORE_CREDIT: &str = "store_credit";
    /// Pays with the credit of a return.
    pub const EXCHANGE: &str = "exchange";
    /// Bank transfers and cash, confirmed by a person.
    pub const MANUAL: &str = "manual";
    /// The manual method that is authorised at once: whoever delivers collects.
    pub const COD: &str = "cod";
    /// The manual method that waits for money to arrive.
    pub const BANK_TRANSFER: &str = "bank_transfer";
}

/// One tender on an order, as stored: amounts in minor units of `currency`, each the fold of its facts.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The order it pays.
    pub order_id: i64,
    /// Who pays.
    pub customer_id: CustomerId,
    /// Code of the gateway.
    pub gateway: String,
    /// The gateway's method, as `card`.
    pub method: String,
    /// What the shop got from the gateway's form for this payment.
    pub token: Option<String>,
    /// The gateway's own reference of the payment.
    pub reference: Option<String>,
    /// ISO 4217.
    pub currency: Currency,
    /// What it is to bring.
    pub amount: i64,
    /// Set aside in all.
    pub authorised: i64,
    /// Taken in all.
    pub captured: i64,
    /// Let go.
    pub voided: i64,
    /// Given back.
    pub refunded: i64,
    /// Asked to be taken, no answer yet.
    pub capture_pending: i64,
    /// Asked to be given back, no answer yet.
    pub refund_pending: i64,
    /// In open disputes.
    pub disputed: i64,
    /// In lost disputes.
    pub dispute_lost: i64,
    /// What the gateway charged us.
    pub fees: i64,
    /// Where the customer has to go.
    pub action_url: Option<String>,
    /// The authorisation was refused.
    pub failed: bool,
    /// The authorisation ran out.
    pub expired: bool,
    /// The facts contradict each other: a person has to look.
    pub conflicted: bool,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When the authorisation runs out, where that is known.
    pub expires_at: Option<Timestamp>,
    /// Derived by the database.
    pub status: String,
}

impl Payment {
    /// What a refund could still take from this tender.
    pub fn refundable(&self) -> i64 {
        (self.captured - self.refunded - self.refund_pending - self.dispute_lost).max(0)
    }
    /// What could still be captured.
    pub fn capturable(&self) -> i64 {
        match self.expired {
            true => 0,
            false => (self.authorised - self.voided - self.captured - self.capture_pending).max(0),
        }
    }
}

/// Something asked of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Operation {
    /// Its id, whose text is the idempotency key at the gateway.
    pub id: OperationId,
    /// On which payment.
    pub payment_id: PaymentId,
    /// What is asked.
    pub kind: Act,
    /// How much, in minor units of the payment's currency.
    pub amount: i64,
    /// How far it is.
    pub state: State,
    /// When it was recorded.
    pub requested_at: Timestamp,
    /// When the answer was recorded.
    pub answered_at: Option<Timestamp>,
    /// How often the gateway was called or asked about it.
    pub attempts: i64,
    /// Why it failed or is not known.
    pub problem: Option<String>,
}

/// A granted refund.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// Of which order.
    pub order_id: i64,
    /// For which return (raw id), where one caused it.
    pub return_id: Option<i64>,
    /// ISO 4217.
    pub currency: Currency,
    /// Granted, in minor units.
    pub amount: i64,
    /// Why.
    pub reason: String,
    /// When.
    pub granted_at: Timestamp,
    /// By whom, as the event log keeps actors.
    pub granted_by: String,
}

/// The part of a refund that one tender pays out.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RefundPart {
    /// Of which refund.
    pub refund_id: RefundId,
    /// Over which tender.
    pub payment_id: PaymentId,
    /// By which operation.
    pub operation_id: OperationId,
    /// Minor units.
    pub amount: i64,
    /// How far the operation is.
    pub state: State,
    /// Why it failed or is not known.
    pub problem: Option<String>,
}
