//! The gateway, as it really is: purses, operations by key, and the messages it sends. Invariant: an operation has its effect once, by its
//! key, and money comes from where it is.

use super::{World, answer};
use crate::gateway::{Asked, Message, Said};
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer};
use payments::{Act, FactKind, Phase};
use std::collections::BTreeMap;

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
pub struct Operation {
    asked: Asked,
    /// What was said; nothing while it is at work.
    said: Option<Vec<Said>>,
    /// It waits for the customer.
    waits: bool,
    #[cfg(test)]
    life: u64,
}

impl World {
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
    /// Keys are not kept over a crash: the bug that charges twice.
    #[cfg(test)]
    pub fn plant_fresh_keys(&mut self) {
        self.fresh_keys = true;
    }

    /// What a call to the gateway is about, for chance.
    pub(super) fn asked_name(&self, call: &HttpCall) -> String {
        match serde_json::from_slice::<Asked>(&call.body) {
            Ok(asked) => format!("{} {}", asked.act, self.name_of(&asked.payment.to_string())),
            Err(_) => "nonsense".to_owned(),
        }
    }
    pub(super) fn gateway(
        &mut self,
        call: &HttpCall,
        key: String,
        slow: bool,
    ) -> Result<HttpAnswer, NoAnswer> {
        let Ok(asked) = serde_json::from_slice::<Asked>(&call.body) else {
            self.offences.push("the gateway was asked in a way that does not read".to_owned());
            return answer(400, Vec::new());
        };
        #[cfg(test)]
        let key = self.planted_key(key, &asked);
        let thing = format!("at work {} {}", asked.act, self.name_of(&asked.payment.to_string()));
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
                if at_work && (self.calm || self.streams.of(&thing).chance(500)) {
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
        let thing = format!("{} {}", asked.act, self.name_of(&asked.payment.to_string()));
        let decline = !self.calm && self.streams.of(&format!("declined {thing}")).chance(20);
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
        if waited || self.streams.of(&format!("told {thing}")).chance(400) {
            self.tell(said.clone());
        }
        if let Some(operation) = self.operations.get_mut(key) {
            (operation.said, operation.waits) = (Some(said), false);
        }
    }
    fn tell(&mut self, said: Vec<Said>) {
        self.said += 1;
        let about = said.first().map(|s| (s.kind, s.phase, self.name_of(&s.payment.to_string())));
        self.messages.push(Message { id: format!("m{}", self.said), said, tag: format!("{about:?}") });
    }
    /// Customers come back, and what was slow gets done.
    pub(super) fn finish_waiting(&mut self) {
        let open = self.operations.iter().filter(|(_, o)| o.said.is_none());
        let open: Vec<(String, i64)> = open.map(|(key, o)| (key.clone(), o.asked.payment)).collect();
        for (key, payment) in open {
            let thing = format!("comes back {}", self.name_of(&payment.to_string()));
            if self.calm || self.streams.of(&thing).chance(400) {
                self.perform(&key);
            }
        }
    }
    /// The messages that arrive now: in any order, some twice, some later.
    pub fn messages(&mut self, seed: u64) -> Vec<Message> {
        self.finish_waiting();
        let mut now = Vec::new();
        for message in std::mem::take(&mut self.messages) {
            let (place, fate) = super::arrival(seed, &message.tag);
            match fate {
                0 | 1 if !self.calm => self.messages.push(message),
                2 if !self.calm => {
                    // The same message again, and the same news in another one.
                    self.tell(message.said.clone());
                    now.extend([(place, message.clone()), (place, message)]);
                }
                _ => now.push((place, message)),
            }
        }
        now.sort_by_key(|(place, _)| *place);
        now.into_iter().map(|(_, message)| message).collect()
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
