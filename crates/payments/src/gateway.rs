//! The interface of payment gateways, without I/O: a gateway turns what is asked into a description of an HTTP call, and answers and
//! webhooks into facts.
//!
//! Invariants: every call carries [`Ask::key`] as its idempotency key, so that asking again can never take money twice; an answer that
//! does not read is [`Answer::Unknown`], never success and never failure.

use crate::{Act, FactKind, OperationId, PaymentId, Phase};
use kernel::outside::{HttpAnswer, HttpCall};
use kernel::{Currency, Timestamp};
use std::sync::Arc;

/// What a gateway is, for settings, forms and documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Stable code, as `sandbox`.
    pub code: &'static str,
    /// For people.
    pub name: &'static str,
    /// What it does and how to set it up, in Markdown.
    pub documentation: &'static str,
    /// Whether it sends webhooks, for which it needs a secret.
    pub webhooks: bool,
    /// What customers can pay with on a page of ours, as (method, token, name); none where they cannot.
    pub online: &'static [(&'static str, &'static str, &'static str)],
}

/// What is asked: one operation on one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The payment.
    pub payment: PaymentId,
    /// The operation.
    pub operation: OperationId,
    /// The operation's id as text: the idempotency key, and the reference the gateway is to echo.
    pub key: String,
    /// What is asked.
    pub act: Act,
    /// The gateway's method, as `card`.
    pub method: String,
    /// What the shop got from the gateway's form.
    pub token: Option<String>,
    /// The gateway's own reference of the payment, once it is known.
    pub reference: Option<String>,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units.
    pub amount: i64,
    /// Calls and questions about this operation, this one included: 1 for the first.
    pub attempt: i64,
}

/// Which payment a gateway's fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The operation that was asked.
    Asked,
    /// One of our operations, echoed.
    Operation(OperationId),
    /// One of our payments, echoed; nobody of ours asked for what happened.
    Payment(PaymentId),
    /// The gateway's own reference of the payment.
    Reference(String),
}

/// Something a gateway says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayFact {
    /// About what.
    pub subject: Subject,
    /// What.
    pub kind: FactKind,
    /// How far. `Requested` of our own operation means: still at work.
    pub phase: Phase,
    /// Minor units of the payment's currency.
    pub amount: i64,
    /// The gateway's own reference of this fact: the same fact told twice has the same one.
    pub reference: String,
    /// The gateway's own reference of the payment, when it tells one.
    pub payment_reference: Option<String>,
    /// When it happened there; `None` for now.
    pub at: Option<Timestamp>,
    /// Why, where it failed.
    pub detail: Option<String>,
    /// Where the customer has to go before it goes on.
    pub action_url: Option<String>,
}

impl GatewayFact {
    /// The end of the asked operation.
    pub fn of(ask: &Ask, phase: Phase, reference: impl Into<String>) -> Self {
        Self {
            subject: Subject::Asked,
            kind: ask.act.fact(),
            phase,
            amount: ask.amount,
            reference: reference.into(),
            payment_reference: None,
            at: None,
            detail: None,
            action_url: None,
        }
    }
    /// With a reason.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// What a gateway answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What it said.
    Facts(Vec<GatewayFact>),
    /// It is not known what happened: ask again later. The text says why.
    Unknown(String),
    /// It never heard of the operation: it may be called again, with the same key.
    NeverHappened,
}

/// How an ask is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// By this call; [`Gateway::read`] reads what comes back.
    Call(HttpCall),
    /// Without one.
    Settled(Answer),
}

/// A request that came in, raw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRequest {
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}
impl RawRequest {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Why a webhook is not taken, or not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadWebhook {
    /// Its signature does not fit.
    Signature,
    /// It does not read; the text says what.
    Unreadable(String),
}

/// A payment gateway. Registered in [`Gateways`]; found by the code on its card.
pub trait Gateway: Send + Sync {
    /// What it is.
    fn card(&self) -> Card;
    /// Sets money aside.
    fn authorise(&self, ask: &Ask) -> Plan;
    /// Takes money that was set aside.
    fn capture(&self, ask: &Ask) -> Plan;
    /// Lets go what was set aside.
    fn void(&self, ask: &Ask) -> Plan;
    /// Gives money back.
    fn refund(&self, ask: &Ask) -> Plan;
    /// Asks what became of an operation whose answer was not understood or never came.
    fn query(&self, ask: &Ask) -> Plan;
    /// Reads the answer to a call.
    fn read(&self, ask: &Ask, answer: &HttpAnswer) -> Answer;
    /// Checks a webhook's signature with the merchant's secret; gives the source's own id of the message.
    ///
    /// # Errors
    /// [`BadWebhook`] when it is not from the gateway, or carries no id.
    fn verify(&self, secret: &str, request: &RawRequest) -> Result<String, BadWebhook>;
    /// Reads a webhook that was verified and stored.
    ///
    /// # Errors
    /// [`BadWebhook`] when it does not read.
    fn webhook(&self, request: &RawRequest) -> Result<Vec<GatewayFact>, BadWebhook>;
    /// What the customer's completing of the required action leads to. Only a gateway with no world behind it answers.
    fn complete(&self, _ask: &Ask) -> Vec<GatewayFact> {
        Vec::new()
    }
}

/// The gateways of the program, one of the parts of [`db::Ctx`].
#[derive(Clone)]
pub struct Gateways(pub Vec<Arc<dyn Gateway>>);

impl Gateways {
    /// The gateway of a code.
    pub fn find(&self, code: &str) -> Option<&dyn Gateway> {
        self.0.iter().find(|g| g.card().code == code).map(|g| &**g)
    }
}
