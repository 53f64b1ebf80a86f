//! Payments: the tenders of an order, what gateways were asked and what they said, and refunds.
//!
//! Invariants
//! - A payment's amounts are the [fold] of its append-only facts, whatever order they arrive in and however often.
//! - The outside is asked in two transactions around one call: the operation is recorded, the gateway is called with the operation's id
//!   as idempotency key, the result is recorded. A crash in between is resumed with the same key; an answer that does not read is
//!   `unknown` and asked about until it is known.
//! - Refunds of an order never exceed captured − refunded − pending refunds − lost disputes, checked under the lock of its payments.
//!
//! Commands: [`open`], [`open_recorded`], [`record`], [`capture`], [`capture_for_orders`], [`void`], [`void_for_orders`], [`confirm`],
//! [`grant_refunds`], [`webhook::accept`].

pub mod api;
mod call;
mod capture;
mod confirm;
pub mod events;
pub mod fold;
mod gateway;
pub mod laws;
mod ledger;
mod model;
mod open;
mod pages;
mod probe;
pub mod read;
mod record;
mod refund;
mod set_secret;
mod tell;
mod view;
mod void;
pub mod webhook;

pub use call::{CallGateway, JOBS, TIMERS, complete_action};
pub use capture::{Capture, CaptureFor, CaptureRefused, capture, capture_for_orders};
pub use confirm::{Confirm, ConfirmRefused, confirm};
pub use gateway::{Answer, Ask, BadWebhook, Card, Gateway, GatewayFact, Gateways, Plan, RawRequest, Subject};
pub use model::{
    Act, FactKind, Operation, Payment, Phase, Refund, RefundPart, RefundTo, State, UnknownWord, internal,
};
pub use open::{Open, OpenRecorded, OpenRefused, acceptable, open, open_recorded};
pub use read::payments_of;
pub use record::{Record, record};
pub use refund::{GrantRefund, RefundRefused, grant_refunds};
pub use set_secret::{GatewaySecretSet, SetSecret, SetSecretRefused, set_secrets};
pub use void::{Void, VoidRefused, void, void_for_orders};

kernel::id!(PaymentId, "pay", "A tender on an order.");
kernel::id!(OperationId, "pop", "Something asked of a gateway; its text is the idempotency key there.");
kernel::id!(RefundId, "ref", "A granted refund.");
kernel::id!(FactId, "pfa", "A fact of a payment.");
kernel::id!(WebhookId, "iwh", "A webhook that came in.");

/// What this slice declares.
pub const SLICE: web::Slice = web::Slice {
    name: "payments",
    permissions: &[
        web::grant::<api::ReadPayments>(),
        web::grant::<api::WritePayments>(),
        web::grant::<api::WriteRefunds>(),
        web::grant::<api::SetUpPayments>(),
    ],
    jobs: JOBS,
    timers: TIMERS,
    laws: laws::LAWS,
    codes: &[
        OpenRefused::CODES,
        CaptureRefused::CODES,
        VoidRefused::CODES,
        ConfirmRefused::CODES,
        RefundRefused::CODES,
        SetSecretRefused::CODES,
        webhook::WebhookRefused::CODES,
        api::CompleteRefused::CODES,
    ],
    api: api::routes,
    pages: pages::routes,
    panels: &[pages::PANEL],
    menu: pages::MENU,
    ..web::Slice::EMPTY
};
