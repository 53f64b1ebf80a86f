//! The outside world: what gateway and carrier really did, whatever they answer. Calls are lost before or after their effect, answered
//! late or in a garble, or the program dies while it waits; messages come late, twice and in any order.
//!
//! Invariants: the same idempotency key has one effect; money is only taken that was set aside, and only given back that was taken; what
//! happens follows from the seed and the order of calls.

use crate::dice::Dice;
use crate::gateway::{Asked, CARRIER, KEY, Label, Message, Said};
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use payments::{Act, FactKind, Phase};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What really happened to a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purse {
    /// Set aside in all.
    pub authorised: i64,
    /// How often.
    pub authorisations: i64,
    /// Taken in all.
    pub captured: i64,
    /// Let go.
    pub voided: i64,
    /// Given back.
    pub refunded: i64,
    /// Asked to be given back, and declined.
    pub declined: i64,
    /// The gateway's own share.
    pub fees: i64,
    /// Disputes: amount, and whether it was decided and for us.
    pub disputes: BTreeMap<String, (i64, Option<bool>)>,
}

impl Purse {
    /// What the customer's bank has taken back, for now or for good.
    pub fn taken_back(&self) -> i64 {
        self.disputes.values().filter(|(_, won)| *won != Some(true)).map(|(amount, _)| amount).sum()
    }
    /// What the gateway holds for us.
    pub fn balance(&self) -> i64 {
        self.captured - self.refunded - self.fees - self.taken_back()
    }
}

/// Something that was asked of the gateway.
#[derive(Debug, Clone)]
struct Operation {
    asked: Asked,
    /// What was said; nothing while it is at work.
    said: Option<Vec<Said>>,
    /// It waits for the customer.
    waits: bool,
    #[cfg(test)]
    life: u64,
}

/// A label that was bought.
#[derive(Debug, Clone)]
struct Bought {
    label: Label,
    voided: bool,
    used: bool,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    LostBefore,
    LostAfter,
    Garbled,
    Slow,
    DiesBefore,
    DiesAfter,
}

/// The world.
#[derive(Debug)]
pub struct World {
    dice: Dice,
    calm: bool,
    operations: BTreeMap<String, Operation>,
    purses: BTreeMap<i64, Purse>,
    labels: BTreeMap<String, Bought>,
    messages: Vec<Message>,
    said: u64,
    offences: Vec<String>,
    /// The program that made the call is dead: it never hears the answer.
    dead: bool,
    /// How often the program has died.
    life: u64,
    #[cfg(test)]
    fresh_keys: bool,
}

/// The world behind the executor of outside calls.
pub struct Everything(Mutex<World>);

impl Everything {
    /// A world of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(World {
            dice: Dice::new(seed, 2),
            calm: false,
            operations: BTreeMap::new(),
            purses: BTreeMap::new(),
            labels: BTreeMap::new(),
            messages: Vec::new(),
            said: 0,
            offences: Vec::new(),
            dead: false,
            life: 0,
            #[cfg(test)]
            fresh_keys: false,
        }))
    }
    /// The world itself.
    pub fn look(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outside for Everything {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        let answer = self.look().answer(&call);
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => pending().await,
            }
        })
    }
}

fn answer(status: u16, body: Vec<u8>) -> Result<HttpAnswer, NoAnswer> {
    Ok(HttpAnswer { status, headers: Vec::new(), body })
}

impl World {
    /// Nothing goes wrong any more, and what waits for somebody happens.
    pub fn calm_down(&mut self) {
        self.calm = true;
        self.finish_waiting();
    }
    /// The program died.
    pub fn program_died(&mut self) {
        self.dead = false;
        self.life += 1;
    }
    /// Whether the program is dead without knowing it.
    pub fn is_dead(&self) -> bool {
        self.dead
    }
    /// How calls went against the rules.
    pub fn offences(&mut self) -> Vec<String> {
        std::mem::take(&mut self.offences)
    }
    /// What really happened to a payment.
    pub fn purse(&self, payment: i64) -> Purse {
        self.purses.get(&payment).cloned().unwrap_or_default()
    }
    /// All of them.
    pub fn purses(&self) -> &BTreeMap<i64, Purse> {
        &self.purses
    }
    /// The channel took the money of a payment before we knew of it.
    pub fn paid_before(&mut self, payment: i64, amount: i64) {
        self.purses.entry(payment).or_default().captured += amount;
    }
    /// What labels cost that were bought, and what of it was given back.
    pub fn labels(&self) -> (i64, i64) {
        let sold = || self.labels.values().filter(|b| !b.label.declined);
        let back = sold().filter(|b| b.voided).map(|b| b.label.cost).sum();
        (sold().map(|b| b.label.cost).sum(), back)
    }
    /// A parcel is handed over: its label counts, whatever was said of it.
    pub fn handed_over(&mut self, shipment: &str) {
        if let Some(bought) = self.labels.get_mut(shipment) {
            (bought.voided, bought.used) = (false, true);
        }
    }
    /// Keys are not kept over a crash: the bug that charges twice.
    #[cfg(test)]
    pub fn plant_fresh_keys(&mut self) {
        self.fresh_keys = true;
    }

    fn answer(&mut self, call: &HttpCall) -> Option<Result<HttpAnswer, NoAnswer>> {
        let wrong = self.what_goes_wrong();
        if wrong == Wrong::DiesBefore {
            self.dead = true;
            return None;
        }
        if wrong == Wrong::LostBefore {
            return Some(Err(NoAnswer("the call was lost".to_owned())));
        }
        let key = call.headers.iter().find(|(name, _)| name == KEY).map(|(_, key)| key.clone());
        let key = key.unwrap_or_default();
        let result = match call.url.starts_with(CARRIER) {
            true => self.carrier(call, &key),
            false => self.gateway(call, key, wrong == Wrong::Slow),
        };
        match wrong {
            Wrong::LostAfter => Some(Err(NoAnswer("the answer was lost".to_owned()))),
            Wrong::Garbled => Some(answer(502, b"<html>Bad Gateway".to_vec())),
            Wrong::DiesAfter => {
                self.dead = true;
                None
            }
            _ => Some(result),
        }
    }
    fn what_goes_wrong(&mut self) -> Wrong {
        if self.calm {
            return Wrong::Nothing;
        }
        match self.dice.below(100) {
            0..=4 => Wrong::LostBefore,
            5..=10 => Wrong::LostAfter,
            11..=14 => Wrong::Garbled,
            15..=19 => Wrong::Slow,
            20 => Wrong::DiesBefore,
            21 | 22 => Wrong::DiesAfter,
            _ => Wrong::Nothing,
        }
    }

    fn gateway(&mut self, call: &HttpCall, key: String, slow: bool) -> Result<HttpAnswer, NoAnswer> {
        let Ok(asked) = serde_json::from_slice::<Asked>(&call.body) else {
            self.offences.push("the gateway was asked in a way that does not read".to_owned());
            return answer(400, Vec::new());
        };
        #[cfg(test)]
        let key = self.planted_key(key, &asked);
        let known = self.operations.get(&key).map(|o| o.asked.clone());
        let asks = call.url.ends_with("/ask");
        match known {
            None if asks => return answer(404, Vec::new()),
            None => {
                let waits = asked.act == "authorise" && asked.token.as_deref() == Some("asks");
                let operation = Operation {
                    asked,
                    said: None,
                    waits,
                    #[cfg(test)]
                    life: self.life,
                };
                self.operations.insert(key.clone(), operation);
                if !slow && !waits {
                    self.perform(&key);
                }
            }
            Some(before) if !asks && before != asked => {
                self.offences.push(format!("{key} was used for {before:?} and for {asked:?}"));
            }
            Some(_) => {
                let at_work = self.operations.get(&key).is_some_and(|o| o.said.is_none() && !o.waits);
                if at_work && (self.calm || self.dice.chance(500)) {
                    self.perform(&key);
                }
            }
        }
        let said = self.operations.get(&key).map(|o| said_of(&key, o)).unwrap_or_default();
        answer(200, serde_json::to_vec(&said).unwrap_or_default())
    }
    /// With the bug planted, what was asked in another life gets a key of its own.
    #[cfg(test)]
    fn planted_key(&self, key: String, asked: &Asked) -> String {
        let repeated =
            asked.act == "authorise" && self.operations.get(&key).is_some_and(|o| o.life < self.life);
        if self.fresh_keys && repeated { format!("{key}#{}", self.life) } else { key }
    }

    /// Does what was asked, once.
    fn perform(&mut self, key: &str) {
        let Some(operation) = self.operations.get(key) else { return };
        if operation.said.is_some() {
            return;
        }
        let asked = operation.asked.clone();
        let decline = !self.calm && self.dice.chance(20);
        let purse = self.purses.entry(asked.payment).or_default();
        let free = purse.authorised - purse.voided - purse.captured;
        let act: Option<Act> = asked.act.parse().ok();
        let (ok, mut fee) = (
            match act {
                Some(Act::Authorise) => asked.token.as_deref() != Some("bad"),
                Some(Act::Capture) => asked.amount <= free && !decline,
                Some(Act::Void) => asked.amount <= free,
                Some(Act::Refund) => {
                    asked.amount <= purse.captured - purse.refunded - purse.taken_back() && !decline
                }
                None => false,
            },
            0,
        );
        match (act, ok) {
            (Some(Act::Authorise), true) => {
                purse.authorised += asked.amount;
                purse.authorisations += 1;
            }
            (Some(Act::Capture), true) => {
                fee = asked.amount / 50 + 10;
                purse.captured += asked.amount;
                purse.fees += fee;
            }
            (Some(Act::Void), true) => purse.voided += asked.amount,
            (Some(Act::Refund), true) => purse.refunded += asked.amount,
            (Some(Act::Refund), false) => purse.declined += asked.amount,
            _ => {}
        }
        let kind = act.map_or(FactKind::Authorise, Act::fact);
        let phase = if ok { Phase::Succeeded } else { Phase::Failed };
        let one = |kind, phase, amount, reference| Said {
            key: Some(key.split('#').next().unwrap_or(key).to_owned()),
            payment: asked.payment,
            kind,
            phase,
            amount,
            reference,
            action: None,
        };
        let mut said = vec![one(kind, phase, asked.amount, format!("g_{key}"))];
        if fee > 0 {
            said.push(one(FactKind::Fee, Phase::Succeeded, fee, format!("f_{key}")));
        }
        let waited = operation_waits(&self.operations, key);
        if waited || self.dice.chance(400) {
            self.tell(said.clone());
        }
        if let Some(operation) = self.operations.get_mut(key) {
            (operation.said, operation.waits) = (Some(said), false);
        }
    }
    fn tell(&mut self, said: Vec<Said>) {
        self.said += 1;
        self.messages.push(Message { id: format!("m{}", self.said), said });
    }
    /// Customers come back, and what was slow gets done.
    fn finish_waiting(&mut self) {
        let open: Vec<String> =
            self.operations.iter().filter(|(_, o)| o.said.is_none()).map(|(key, _)| key.clone()).collect();
        for key in open {
            if self.calm || self.dice.chance(400) {
                self.perform(&key);
            }
        }
    }
    /// The messages that arrive now: in any order, some twice, some later.
    pub fn messages(&mut self, dice: &mut Dice) -> Vec<Message> {
        self.finish_waiting();
        let mut coming = std::mem::take(&mut self.messages);
        for n in (1..coming.len()).rev() {
            coming.swap(n, dice.below(n + 1));
        }
        if self.calm {
            return coming;
        }
        let mut now = Vec::new();
        for message in coming {
            match dice.below(10) {
                0 | 1 => self.messages.push(message),
                2 => {
                    // The same message again, and the same news in another one.
                    self.tell(message.said.clone());
                    now.extend([message.clone(), message]);
                }
                _ => now.push(message),
            }
        }
        now
    }
    /// The customer's bank takes back so many thousandths of what it can; whether it did.
    pub fn dispute(&mut self, payment: i64, permille: i64) -> bool {
        let Some(purse) = self.purses.get_mut(&payment) else { return false };
        let amount = (purse.captured - purse.refunded - purse.taken_back()) * permille / 1000;
        if amount <= 0 {
            return false;
        }
        let reference = format!("d_{payment}_{}", purse.disputes.len());
        purse.disputes.insert(reference.clone(), (amount, None));
        self.tell(vec![dispute(payment, Phase::Requested, amount, reference)]);
        true
    }
    /// The oldest open dispute of a payment ends.
    pub fn decide_dispute(&mut self, payment: i64, won: bool) {
        let Some(purse) = self.purses.get_mut(&payment) else { return };
        let open = purse.disputes.iter_mut().find(|(_, (_, decided))| decided.is_none());
        if let Some((reference, (amount, decided))) = open {
            *decided = Some(won);
            let (reference, amount) = (reference.clone(), *amount);
            let phase = if won { Phase::Failed } else { Phase::Succeeded };
            self.tell(vec![dispute(payment, phase, amount, reference)]);
        }
    }

    fn carrier(&mut self, call: &HttpCall, key: &str) -> Result<HttpAnswer, NoAnswer> {
        if call.url.ends_with("/void") {
            let done = match self.labels.get_mut(key) {
                Some(bought) if !bought.used => {
                    bought.voided = true;
                    true
                }
                _ => false,
            };
            return answer(200, if done { b"done".to_vec() } else { b"no".to_vec() });
        }
        if !self.labels.contains_key(key) {
            let declined = !self.calm && self.dice.chance(50);
            let label = Label {
                number: format!("SIM{}", self.labels.len()),
                cost: self.dice.range(100, 900),
                declined,
            };
            self.labels.insert(key.to_owned(), Bought { label, voided: false, used: false });
        }
        let label = self.labels.get(key).map(|b| &b.label);
        answer(200, serde_json::to_vec(&label).unwrap_or_default())
    }
}

fn operation_waits(operations: &BTreeMap<String, Operation>, key: &str) -> bool {
    operations.get(key).is_some_and(|o| o.waits)
}

fn dispute(payment: i64, phase: Phase, amount: i64, reference: String) -> Said {
    Said { key: None, payment, kind: FactKind::Chargeback, phase, amount, reference, action: None }
}

/// What is said of an operation; while it is at work, that it is.
fn said_of(key: &str, operation: &Operation) -> Vec<Said> {
    if let Some(said) = &operation.said {
        return said.clone();
    }
    let asked = &operation.asked;
    vec![Said {
        key: Some(key.to_owned()),
        payment: asked.payment,
        kind: asked.act.parse().map_or(FactKind::Authorise, Act::fact),
        phase: Phase::Requested,
        amount: asked.amount,
        reference: format!("g_{key}"),
        action: operation.waits.then(|| "https://gateway.sim/customer".to_owned()),
    }]
}
