//! An order on its way, as the client sees it. Invariant: a request that was sent stays the same request, with the same key, until it is
//! answered; what was answered is never forgotten.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::time::Instant;

/// What one unit of TEE costs, tax included, minor units.
pub const TEE: i64 = 2000;
/// What one unit of CAP costs.
pub const CAP: i64 = 1500;
/// What shipping costs.
pub const SHIPPING: i64 = 490;
/// A refund out of goodwill.
pub const GOODWILL: i64 = 100;

/// A command of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Place,
    Confirm,
    Refund,
    Cancel,
    Release,
    PickTee,
    PickCap,
    Pack,
    Label,
    Ship,
    Deliver,
    Ask,
    Approve,
    Receive,
    Inspect,
    Settle,
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Refunded,
    Cancelled,
    Shipped,
    Returned,
}

/// A request with its key.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub step: Step,
    pub key: String,
    pub path: String,
    pub body: Value,
    /// How often it was sent.
    pub sent: u32,
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Fact {
    pub attempt: Attempt,
    pub status: u16,
    pub answer: Value,
    /// The round in which it was answered.
    pub round: u32,
}

/// Whether a step was done, as far as its caller can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was not asked for.
    No,
    /// It was asked for and not answered.
    Maybe,
    /// It was acknowledged.
    Yes,
}

/// An order on its way.
#[derive(Debug, Clone)]
pub struct Journey {
    /// Unlike any other; the order's customer has it in the address.
    pub tag: String,
    /// Units of TEE; one CAP goes with them.
    pub tees: i64,
    /// A card is charged in the background, a transfer is confirmed by a command.
    pub card: bool,
    /// With a reference of the channel's, which alone keeps the order single too.
    reference: bool,
    steps: Vec<Step>,
    /// What was acknowledged, in order.
    pub facts: Vec<Fact>,
    /// What was sent and not answered.
    pub open: Option<Attempt>,
    /// The last round in which something happened to it.
    pub touched: u32,
    /// Its money was there when somebody looked.
    pub seen_paid: bool,
    /// Not to be looked at before: it waits for background work.
    pub rests_until: Option<Instant>,
    /// Something was wrong with it; it is left as it is.
    pub given_up: bool,
}

impl Journey {
    pub fn new(tag: String, round: u32, rng: &mut StdRng) -> Self {
        let card = rng.random_bool(0.4);
        let fate = match rng.random_range(0..100) {
            0..30 => Fate::Stays,
            30..40 => Fate::Refunded,
            40..50 => Fate::Cancelled,
            50..70 => Fate::Shipped,
            _ => Fate::Returned,
        };
        Self {
            tag,
            tees: rng.random_range(1..=3),
            card,
            reference: rng.random_bool(0.5),
            steps: steps(card, fate),
            facts: Vec::new(),
            open: None,
            touched: round,
            seen_paid: false,
            rests_until: None,
            given_up: false,
        }
    }
    pub fn email(&self) -> String {
        format!("{}@example.com", self.tag)
    }
    pub fn total(&self) -> i64 {
        TEE * self.tees + CAP + SHIPPING
    }
    pub fn units(&self) -> i64 {
        self.tees + 1
    }
    /// The step to come; none when the journey is over.
    pub fn next(&self) -> Option<Step> {
        self.steps.get(self.facts.len()).copied().filter(|_| !self.given_up)
    }
    pub fn is_over(&self) -> bool {
        self.open.is_none() && self.next().is_none()
    }
    pub fn known(&self, step: Step) -> Known {
        if self.fact(step).is_some() {
            Known::Yes
        } else if self.open.as_ref().is_some_and(|a| a.step == step) {
            Known::Maybe
        } else {
            Known::No
        }
    }
    fn fact(&self, step: Step) -> Option<&Fact> {
        self.facts.iter().find(|f| f.attempt.step == step)
    }
    /// The id that the answer to a step gave.
    fn id(&self, step: Step) -> Option<&str> {
        self.fact(step)?.answer["id"].as_str()
    }
    /// The order's id, when it is known.
    pub fn order(&self) -> Option<&str> {
        self.id(Step::Place)
    }
    fn line(&self, n: usize) -> Option<&str> {
        self.fact(Step::Place)?.answer["lines"][n].as_str()
    }
    /// Money must have arrived before it.
    pub fn needs_money(step: Step) -> bool {
        matches!(step, Step::Refund | Step::Cancel | Step::Release)
    }

    /// The request of a step; `found` is the id of what had to be looked up for it (payment, fulfilment order). `None` when an id that
    /// an earlier answer should have given is missing.
    pub fn attempt(&self, step: Step, found: Option<&str>, warehouse: &str) -> Option<Attempt> {
        let order = || self.order();
        let (path, body) = match step {
            Step::Place => ("/v1/orders".to_owned(), self.new_order()),
            Step::Confirm => (
                format!("/v1/payments/{}/confirm", found?),
                json!({"amount": self.total(), "reference": format!("statement of {}", self.tag)}),
            ),
            Step::Refund => (
                format!("/v1/orders/{}/refunds", order()?),
                json!({"amount": GOODWILL, "reason": "a scratch"}),
            ),
            Step::Cancel => (format!("/v1/orders/{}/cancel", order()?), json!({"reason": "changed my mind"})),
            Step::Release => (format!("/v1/fulfilments/{}/release", found?), json!({})),
            Step::PickTee => {
                (format!("{}/pick", self.fulfilment()?), json!({"scan": "TEE", "quantity": self.tees}))
            }
            Step::PickCap => (format!("{}/pick", self.fulfilment()?), json!({"scan": "CAP", "quantity": 1})),
            Step::Pack => (format!("{}/pack", self.fulfilment()?), json!({})),
            Step::Label => (format!("/v1/parcels/{}/label", self.id(Step::Pack)?), json!({"cheapest": true})),
            Step::Ship => (format!("/v1/shipments/{}/ship", self.id(Step::Label)?), json!({})),
            Step::Deliver => (
                format!("/v1/shipments/{}/track", self.id(Step::Label)?),
                json!({"source_id": "door", "status": "delivered"}),
            ),
            Step::Ask => (
                format!("/v1/orders/{}/returns", order()?),
                json!({"units": [{"line": self.line(0)?, "quantity": 1, "reason": "too_small"}], "resolution": "refund"}),
            ),
            Step::Approve => (format!("/v1/returns/{}/approve", self.id(Step::Ask)?), json!({})),
            Step::Receive => {
                (format!("/v1/returns/{}/receive", self.id(Step::Ask)?), json!({"location": warehouse}))
            }
            Step::Inspect => (
                format!("/v1/returns/{}/inspect", self.id(Step::Ask)?),
                json!({"acceptance": "accepted", "disposition": "restock"}),
            ),
            Step::Settle => (format!("/v1/returns/{}/settle", self.id(Step::Ask)?), json!({})),
        };
        Some(Attempt { step, key: format!("{}-{step:?}", self.tag), path, body, sent: 0 })
    }
    fn fulfilment(&self) -> Option<String> {
        Some(format!("/v1/fulfilments/{}", self.id(Step::Release)?))
    }
    fn new_order(&self) -> Value {
        let mut order = json!({
            "buyer": {"name": "Ada Lovelace", "email": self.email()},
            "ship_to": {"name": "Ada Lovelace", "line1": "Torstraße 1", "postal_code": "10119", "city": "Berlin", "country": "DE"},
            "currency": "EUR",
            "tax_inclusive": true,
            "lines": [{"sku": "TEE", "quantity": self.tees}, {"sku": "CAP", "quantity": 1}],
            "shipping": SHIPPING,
            "tenders": [match self.card {
                true => json!({"gateway": "sandbox", "method": "card", "token": "tok_ok", "capture": true}),
                false => json!({"gateway": "manual", "method": "bank_transfer"}),
            }],
        });
        if self.reference {
            order["reference"] = json!(self.tag);
        }
        order
    }
    /// Takes the answer to what is open.
    pub fn acknowledge(&mut self, status: u16, answer: Value, round: u32) {
        if let Some(attempt) = self.open.take() {
            self.facts.push(Fact { attempt, status, answer, round });
        }
        self.touched = round;
    }
}

fn steps(card: bool, fate: Fate) -> Vec<Step> {
    use Step::*;
    let mut steps = vec![Place];
    if !card {
        steps.push(Confirm);
    }
    match fate {
        Fate::Stays => {}
        Fate::Refunded => steps.push(Refund),
        Fate::Cancelled => steps.push(Cancel),
        Fate::Shipped | Fate::Returned => {
            steps.extend([Release, PickTee, PickCap, Pack, Label, Ship, Deliver]);
        }
    }
    if fate == Fate::Returned {
        steps.extend([Ask, Approve, Receive, Inspect, Settle]);
    }
    steps
}

impl Fact {
    /// Whether a later answer to the same key is the same answer.
    pub fn is_repeated_by(&self, status: u16, answer: &Value) -> bool {
        self.status == status && self.answer == *answer
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use rand::SeedableRng;

    /// A journey of a transfer that goes all the way, acknowledged up to and with `done` steps.
    pub fn returned(done: usize) -> Journey {
        let mut journey = Journey::new("t-1".into(), 1, &mut StdRng::seed_from_u64(1));
        journey.card = false;
        journey.tees = 2;
        journey.steps = steps(false, Fate::Returned);
        for step in journey.steps.clone().into_iter().take(done) {
            journey.open = journey.attempt(step, Some("x"), "loc");
            assert!(journey.open.is_some(), "{step:?}");
            journey.acknowledge(200, json!({"id": format!("{step:?}"), "lines": ["l1", "l2"]}), 1);
        }
        journey
    }

    #[test]
    fn a_journey_knows_what_was_answered_and_what_was_only_asked() {
        let mut journey = returned(2);
        assert_eq!(journey.next(), Some(Step::Release));
        assert_eq!(journey.known(Step::Confirm), Known::Yes);
        assert_eq!(journey.known(Step::Release), Known::No);
        journey.open = journey.attempt(Step::Release, Some("ful_1"), "loc");
        assert_eq!(journey.known(Step::Release), Known::Maybe);
        assert!(!journey.is_over());
        assert!(returned(14).is_over());
    }

    #[test]
    fn a_repeated_answer_is_the_same_to_the_letter() {
        let journey = returned(2);
        let [place, _] = &journey.facts[..] else { panic!() };
        assert!(place.is_repeated_by(200, &place.answer) && !place.is_repeated_by(201, &place.answer));
        let mut other = place.answer.clone();
        other["id"] = json!("another");
        assert!(!place.is_repeated_by(200, &other));
    }

    #[test]
    fn keys_are_one_per_step_and_stay() {
        let journey = returned(1);
        let key = |step| journey.attempt(step, Some("x"), "l").unwrap().key;
        assert_eq!(key(Step::Confirm), key(Step::Confirm));
        assert_ne!(key(Step::Confirm), key(Step::Place));
    }
}
