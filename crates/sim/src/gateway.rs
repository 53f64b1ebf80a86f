//! A gateway and a carrier that are called over HTTP, as the real ones are: their calls go to the simulated outside world
//! ([`crate::outside`]), which answers, loses, delays or garbles.
//!
//! Invariants: every call carries the operation's id as its idempotency key; what does not read is unknown.

use connectors::carriers::rate_table::RateTable;
use kernel::outside::{HttpAnswer, HttpCall};
use kernel::{Currency, Money};
use payments::{Answer, Ask, BadWebhook, FactKind, Gateway, GatewayFact, Phase, Plan, RawRequest, Subject};
use serde::{Deserialize, Serialize};
use shipping::carrier::{self, Bought, BuyAsk, Carrier, Consignment, TrackFact, VoidAsk};
use shipping::rate::Quote;

/// Host of the gateway.
pub const GATEWAY: &str = "https://gateway.sim";
/// Host of the carrier.
pub const CARRIER: &str = "https://carrier.sim";
/// The header with the idempotency key.
pub const KEY: &str = "idempotency-key";

/// What the gateway is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Our payment.
    pub payment: i64,
    /// `authorise`, `capture`, `void`, `refund`.
    pub act: String,
    /// Minor units.
    pub amount: i64,
    /// The card.
    pub token: Option<String>,
}

/// What the gateway says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The operation that it answers, by its key; absent for what nobody asked for.
    pub key: Option<String>,
    /// The payment, by our id.
    pub payment: i64,
    /// What it is about.
    pub kind: FactKind,
    /// How far.
    pub phase: Phase,
    /// Minor units.
    pub amount: i64,
    /// The gateway's reference of it.
    pub reference: String,
    /// Where the customer has to go.
    pub action: Option<String>,
}

/// A message of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// What it says.
    pub said: Vec<Said>,
    /// What it is about, whatever ids are; for chance.
    #[serde(skip)]
    pub tag: String,
}

/// The gateway `sim`.
#[derive(Debug, Clone, Copy)]
pub struct SimGateway;

fn post(host: &str, path: &str, key: &str, body: Vec<u8>) -> HttpCall {
    let headers = vec![(KEY.to_owned(), key.to_owned())];
    HttpCall { method: "POST", url: format!("{host}/{path}"), headers, body }
}

fn call(ask: &Ask, path: &str) -> Plan {
    let asked = Asked {
        payment: ask.payment.0,
        act: ask.act.as_str().to_owned(),
        amount: ask.amount,
        token: ask.token.clone(),
    };
    match serde_json::to_vec(&asked) {
        Ok(body) => Plan::Call(post(GATEWAY, path, &ask.key, body)),
        Err(e) => Plan::Settled(Answer::Unknown(e.to_string())),
    }
}

fn fact(said: &Said, subject: Subject) -> GatewayFact {
    GatewayFact {
        subject,
        kind: said.kind,
        phase: said.phase,
        amount: said.amount,
        reference: said.reference.clone(),
        payment_reference: Some(format!("sim_{}", said.payment)),
        at: None,
        detail: (said.phase == Phase::Failed).then(|| "the simulated gateway declined".to_owned()),
        action_url: said.action.clone(),
    }
}

impl Gateway for SimGateway {
    fn card(&self) -> payments::Card {
        payments::Card {
            code: "sim",
            name: "Simulated",
            documentation: "Lives in simulations.",
            webhooks: true,
            online: &[],
        }
    }
    fn authorise(&self, ask: &Ask) -> Plan {
        call(ask, "do")
    }
    fn capture(&self, ask: &Ask) -> Plan {
        call(ask, "do")
    }
    fn void(&self, ask: &Ask) -> Plan {
        call(ask, "do")
    }
    fn refund(&self, ask: &Ask) -> Plan {
        call(ask, "do")
    }
    fn query(&self, ask: &Ask) -> Plan {
        call(ask, "ask")
    }
    fn read(&self, _: &Ask, answer: &HttpAnswer) -> Answer {
        match (answer.status, serde_json::from_slice::<Vec<Said>>(&answer.body)) {
            (200, Ok(said)) => Answer::Facts(said.iter().map(|s| fact(s, Subject::Asked)).collect()),
            (404, _) => Answer::NeverHappened,
            (status, _) => Answer::Unknown(format!("the gateway answered {status}")),
        }
    }
    fn verify(&self, secret: &str, request: &RawRequest) -> Result<String, BadWebhook> {
        match request.header("sim-secret") == Some(secret) {
            true => Ok(message(request)?.id),
            false => Err(BadWebhook::Signature),
        }
    }
    fn webhook(&self, request: &RawRequest) -> Result<Vec<GatewayFact>, BadWebhook> {
        let subject = |said: &Said| match said.key.as_deref().map(str::parse) {
            Some(Ok(operation)) => Ok(Subject::Operation(operation)),
            Some(Err(_)) => Err(BadWebhook::Unreadable("that is no operation".to_owned())),
            None => Ok(Subject::Payment(payments::PaymentId(said.payment))),
        };
        message(request)?.said.iter().map(|said| Ok(fact(said, subject(said)?))).collect()
    }
}

fn message(request: &RawRequest) -> Result<Message, BadWebhook> {
    serde_json::from_slice(&request.body).map_err(|e| BadWebhook::Unreadable(e.to_string()))
}

/// A label as the carrier answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its number.
    pub number: String,
    /// What it costs.
    pub cost: i64,
    /// It is not sold.
    pub declined: bool,
}

/// The carrier `sim`, which charges in a currency, and tells of parcels as the carriers of rate cards do.
#[derive(Debug, Clone, Copy)]
pub struct SimCarrier(pub Currency);

impl Carrier for SimCarrier {
    fn card(&self) -> carrier::Card {
        let documentation = "Lives in simulations.";
        carrier::Card { code: "sim", name: "Simulated", documentation, by_rate_cards: false }
    }
    fn quote(&self, _: &Consignment) -> carrier::Plan<Vec<Quote>> {
        carrier::Plan::Settled(carrier::Answer::Done(Vec::new()))
    }
    fn buy(&self, ask: &BuyAsk) -> carrier::Plan<Bought> {
        carrier::Plan::Call(post(CARRIER, "buy", &ask.key, Vec::new()))
    }
    fn void(&self, ask: &VoidAsk) -> carrier::Plan<()> {
        carrier::Plan::Call(post(CARRIER, "void", &ask.shipment.to_string(), Vec::new()))
    }
    fn read_quote(&self, _: &Consignment, _: &HttpAnswer) -> carrier::Answer<Vec<Quote>> {
        carrier::Answer::Unknown("nobody asked".to_owned())
    }
    fn read_buy(&self, _: &BuyAsk, answer: &HttpAnswer) -> carrier::Answer<Bought> {
        match (answer.status, serde_json::from_slice::<Label>(&answer.body)) {
            (200, Ok(label)) if label.declined => carrier::Answer::Declined("not today".to_owned()),
            (200, Ok(label)) => carrier::Answer::Done(Bought {
                tracking_number: label.number,
                cost: Money::new(label.cost, self.0),
                max_days: Some(3),
            }),
            (status, _) => carrier::Answer::Unknown(format!("the carrier answered {status}")),
        }
    }
    fn read_void(&self, _: &VoidAsk, answer: &HttpAnswer) -> carrier::Answer<()> {
        match (answer.status, answer.body.as_slice()) {
            (200, b"done") => carrier::Answer::Done(()),
            (200, b"no") => carrier::Answer::Declined("it was used".to_owned()),
            (status, _) => carrier::Answer::Unknown(format!("the carrier answered {status}")),
        }
    }
    fn verify(&self, secret: &str, request: &RawRequest) -> Result<String, BadWebhook> {
        RateTable.verify(secret, request)
    }
    fn webhook(&self, request: &RawRequest) -> Result<Vec<TrackFact>, BadWebhook> {
        RateTable.webhook(request)
    }
}
