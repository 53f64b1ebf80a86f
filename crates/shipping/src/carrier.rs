//! The interface of carriers, without I/O: a carrier turns what is asked into a description of an HTTP call, and answers and webhooks
//! into facts. One that needs no call answers at once.
//!
//! Invariants: every call carries [`BuyAsk::key`] as its idempotency key, so that asking again never buys twice; an answer that does
//! not read is [`Answer::Unknown`], never success and never failure.

use crate::model::{ShipmentId, Status};
use crate::rate::{Quote, RateCard};
use contact::address::Address;
use kernel::outside::{HttpAnswer, HttpCall};
use kernel::{Money, Timestamp};
use payments::{BadWebhook, RawRequest};
use std::sync::Arc;

/// What a carrier is, for settings, forms and documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Stable code, as `rate_table`.
    pub code: &'static str,
    /// For people.
    pub name: &'static str,
    /// What it does and how to set it up, in Markdown.
    pub documentation: &'static str,
    /// Whether it serves every carrier code that has rate cards and no connector of its own.
    pub by_rate_cards: bool,
}

/// A parcel to be carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consignment {
    /// The carrier's code.
    pub carrier: String,
    /// Sender.
    pub from: Address,
    /// Recipient.
    pub to: Address,
    /// Grams.
    pub weight_g: i64,
    /// Length, width and height in millimetres, when measured.
    pub dims: Option<(i64, i64, i64)>,
    /// The order's number.
    pub reference: String,
    /// The rate cards of this carrier.
    pub rate_cards: Vec<Arc<RateCard>>,
}

/// A label to be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuyAsk {
    /// The shipment.
    pub shipment: ShipmentId,
    /// Its id as text: the idempotency key.
    pub key: String,
    /// The service's code.
    pub service: String,
    /// What is to be carried.
    pub consignment: Consignment,
}

/// A label that was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bought {
    /// The carrier's number: printable ASCII, up to 30 characters.
    pub tracking_number: String,
    /// What it costs.
    pub cost: Money,
    /// Days until it is there at the latest.
    pub max_days: Option<i64>,
}

/// A label to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoidAsk {
    /// The shipment.
    pub shipment: ShipmentId,
    /// The carrier's number.
    pub tracking_number: String,
}

/// What a carrier answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// It did.
    Done(T),
    /// It does not; the text says why.
    Declined(String),
    /// It is not known what happened: ask again. The text says why.
    Unknown(String),
}

/// How an ask is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan<T> {
    /// By this call; the matching `read_…` reads what comes back.
    Call(HttpCall),
    /// Without one.
    Settled(Answer<T>),
}

/// Something a carrier says about a shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackFact {
    /// Which, by its number.
    pub tracking_number: String,
    /// The carrier's own id of this fact: the same fact told twice has the same one.
    pub source_id: String,
    /// What.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub place: Option<String>,
    /// In the carrier's words.
    pub description: Option<String>,
}

/// A carrier. Registered in [`Carriers`]; found by the code on its card.
pub trait Carrier: Send + Sync {
    /// What it is.
    fn card(&self) -> Card;
    /// What its services cost.
    fn quote(&self, ask: &Consignment) -> Plan<Vec<Quote>>;
    /// Buys a label.
    fn buy(&self, ask: &BuyAsk) -> Plan<Bought>;
    /// Gives a label back.
    fn void(&self, ask: &VoidAsk) -> Plan<()>;
    /// Reads the answer to a call for quotes.
    fn read_quote(&self, ask: &Consignment, answer: &HttpAnswer) -> Answer<Vec<Quote>>;
    /// Reads the answer to a purchase.
    fn read_buy(&self, ask: &BuyAsk, answer: &HttpAnswer) -> Answer<Bought>;
    /// Reads the answer to a void.
    fn read_void(&self, ask: &VoidAsk, answer: &HttpAnswer) -> Answer<()>;
    /// Checks a webhook's signature with the merchant's secret; gives the source's own id of the message.
    ///
    /// # Errors
    /// [`BadWebhook`] when it is not from the carrier, or carries no id.
    fn verify(&self, secret: &str, request: &RawRequest) -> Result<String, BadWebhook>;
    /// Reads a webhook that was verified and stored.
    ///
    /// # Errors
    /// [`BadWebhook`] when it does not read.
    fn webhook(&self, request: &RawRequest) -> Result<Vec<TrackFact>, BadWebhook>;
}

/// The carriers of the program, one of the parts of [`db::Ctx`].
#[derive(Clone)]
pub struct Carriers(pub Vec<Arc<dyn Carrier>>);

impl Carriers {
    /// The connector of a code: the one with that code, else the one that goes by rate cards when there are any for the code.
    pub fn find(&self, code: &str, has_rate_cards: bool) -> Option<&dyn Carrier> {
        let own = self.0.iter().find(|c| c.card().code == code && !c.card().by_rate_cards);
        let table = || self.0.iter().find(|c| has_rate_cards && c.card().by_rate_cards);
        own.or_else(table).map(|c| &**c)
    }
    /// Whether some may have to be called for what they ask.
    pub(crate) fn are_called(&self) -> bool {
        self.0.iter().any(|c| !c.card().by_rate_cards)
    }
}
