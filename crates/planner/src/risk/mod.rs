//! Risk: how likely an order ends in a chargeback or a reject, why, and what to do about it.
//!
//! **Problem.** From a few signals of an order a probability that means what it says, reasons that a reviewer understands, and the merchant's own
//! rules beside them; with few labels, or none at all, on the first day.
//!
//! **Method.** Each signal is turned into steps (1 or more, 3 or more, …), each step has a weight of log-odds that is never negative, and the
//! weights are learned by logistic regression, held near the weights of experience that everybody starts with (a Gaussian prior: Genkin,
//! Lewis & Madigan 2007; steps with non-negative weights make an isotonic additive model, Bacchetti 1989). So a worse signal can never
//! lower the score, whatever the labels say. Probabilities are calibrated on folds that the weights have not seen (Platt 1999). `rules`
//! evaluates the merchant's conditions in the Common Expression Language; the strictest that holds decides.
//!
//! **Complexity.** Learning: labels × steps × 300 rounds, some 0.2 s for 20,000; an assessment is a few dozen additions.
//!
//! **Limits.** Signals act on their own, not together; what is together belongs in a rule. No pattern is known that labels have not shown
//! and experience does not weigh.
//!
//! **Invariant**: probability and score grow with every signal (property-tested for any labels); the same input gives the same answer.
//!
//! Rules are behind the feature `rules`: their parser is the only heavy dependency here, and the crates that only source or pack do not
//! need to build it.

pub mod learn;
#[cfg(feature = "rules")]
pub mod rules;
pub mod synthetic;

use serde::{Deserialize, Serialize};

/// What is known of an order when it is placed. Counts are of *other* orders.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Signals {
    /// Orders from this device in 24 hours.
    pub device_24h: u32,
    /// Orders with this e-mail in 24 hours.
    pub email_24h: u32,
    /// Orders from this IP address in 24 hours.
    pub ip_24h: u32,
    /// Orders with this card in 24 hours.
    pub card_24h: u32,
    /// Countries of shipping address, IP address and card that are not the billing country: 0 to 3.
    pub countries_differ: u32,
    /// The e-mail's domain hands out throw-away addresses.
    pub disposable_email: bool,
    /// Minutes from sign-up to this order; nothing for guests and for who bought before.
    pub minutes_since_sign_up: Option<u32>,
    /// The amount over the customer's usual one, or over the shop's median where there is no history; 1 is as usual.
    pub amount_ratio: f64,
    /// Other customers who had parcels sent to this address in 30 days.
    pub address_reuse: u32,
}

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Velocity by device.
    Device,
    /// Velocity by e-mail.
    Email,
    /// Velocity by IP address.
    Ip,
    /// Velocity by card.
    Card,
    /// Countries that differ.
    Countries,
    /// Throw-away e-mail.
    Disposable,
    /// Bought soon after signing up.
    Fresh,
    /// Large against history.
    Amount,
    /// An address that many use.
    Address,
}

impl Signals {
    /// How bad a signal is: grows with it; minutes since sign-up count the other way round.
    pub fn value(&self, signal: Signal) -> f64 {
        match signal {
            Signal::Device => f64::from(self.device_24h),
            Signal::Email => f64::from(self.email_24h),
            Signal::Ip => f64::from(self.ip_24h),
            Signal::Card => f64::from(self.card_24h),
            Signal::Countries => f64::from(self.countries_differ),
            Signal::Disposable => f64::from(u8::from(self.disposable_email)),
            Signal::Fresh => self.minutes_since_sign_up.map_or(0.0, |m| 1.0 / (1.0 + f64::from(m))),
            Signal::Amount if self.amount_ratio.is_nan() => 0.0,
            Signal::Amount => self.amount_ratio,
            Signal::Address => f64::from(self.address_reuse),
        }
    }
}

/// A step of a signal and the log-odds that experience gives it before any label is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Of which signal.
    pub signal: Signal,
    /// From this value on.
    pub from: f64,
    /// Weight of experience.
    pub prior: f64,
}

const fn step(signal: Signal, from: f64, prior: f64) -> Step {
    Step { signal, from, prior }
}

/// All steps. A signal's weight is the sum of the steps it has reached.
pub const STEPS: [Step; 29] = [
    step(Signal::Device, 1.0, 0.2),
    step(Signal::Device, 2.0, 0.4),
    step(Signal::Device, 4.0, 0.8),
    step(Signal::Device, 8.0, 0.8),
    step(Signal::Email, 2.0, 0.2),
    step(Signal::Email, 4.0, 0.5),
    step(Signal::Email, 8.0, 0.5),
    step(Signal::Ip, 2.0, 0.1),
    step(Signal::Ip, 4.0, 0.4),
    step(Signal::Ip, 8.0, 0.5),
    step(Signal::Ip, 16.0, 0.5),
    step(Signal::Card, 1.0, 0.1),
    step(Signal::Card, 3.0, 0.6),
    step(Signal::Card, 6.0, 0.8),
    step(Signal::Countries, 1.0, 0.5),
    step(Signal::Countries, 2.0, 0.7),
    step(Signal::Countries, 3.0, 0.5),
    step(Signal::Disposable, 1.0, 1.2),
    step(Signal::Fresh, 1.0 / 1_441.0, 0.2),
    step(Signal::Fresh, 1.0 / 61.0, 0.3),
    step(Signal::Fresh, 1.0 / 11.0, 0.4),
    step(Signal::Amount, 2.0, 0.3),
    step(Signal::Amount, 4.0, 0.5),
    step(Signal::Amount, 8.0, 0.6),
    step(Signal::Amount, 16.0, 0.4),
    step(Signal::Address, 1.0, 0.1),
    step(Signal::Address, 2.0, 0.4),
    step(Signal::Address, 4.0, 0.6),
    step(Signal::Address, 8.0, 0.6),
];

/// Whether each step is reached.
pub(crate) fn reached(signals: &Signals) -> [bool; STEPS.len()] {
    STEPS.map(|s| signals.value(s.signal) >= s.from)
}

/// Weights. `Default` has those of experience, for a shop where one order in 200 goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Log-odds of an order without any signal.
    pub base: f64,
    /// One weight ≥ 0 per step of [`STEPS`].
    pub weights: Vec<f64>,
    /// Slope and shift of the calibration: probability = σ(slope · log-odds + shift), slope > 0.
    pub calibration: (f64, f64),
    /// Labels learned from; 0 for experience alone.
    pub labels: usize,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            base: -6.0,
            weights: STEPS.iter().map(|s| s.prior).collect(),
            calibration: (1.0, 0.0),
            labels: 0,
        }
    }
}

/// One reason, with what it does to the odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Which signal.
    pub signal: Signal,
    /// How the odds grow by it: 3 makes it three times as likely.
    pub factor: f64,
    /// In plain words.
    pub text: String,
}

/// What is thought of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Of a chargeback or reject, 0 to 1.
    pub probability: f64,
    /// 0 to 100: 50 where the odds are ten times those of an order without signals, 100 at a hundred times.
    pub score: u32,
    /// Strongest first.
    pub reasons: Vec<Reason>,
}

/// Assesses an order.
pub fn assess(model: &Model, signals: &Signals) -> Assessment {
    let mut sums: Vec<(Signal, f64)> = Vec::new();
    for ((step, weight), reached) in STEPS.iter().zip(&model.weights).zip(reached(signals)) {
        if reached {
            match sums.last_mut().filter(|(signal, _)| *signal == step.signal) {
                Some((_, sum)) => *sum += weight,
                None => sums.push((step.signal, *weight)),
            }
        }
    }
    let total: f64 = sums.iter().map(|s| s.1).sum();
    let slope = model.calibration.0;
    let probability = sigmoid(slope * (model.base + total) + model.calibration.1);
    let score = (slope * total / 100f64.ln() * 100.0).round().clamp(0.0, 100.0) as u32;
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    // Less than a twentieth more is not worth a reviewer's line.
    let worth =
        sums.into_iter().map(|(signal, sum)| (signal, (slope * sum).exp())).filter(|(_, f)| *f >= 1.05);
    let reasons =
        worth.map(|(signal, factor)| Reason { signal, factor, text: words(signal, signals) }).collect();
    Assessment { probability, score, reasons }
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn words(signal: Signal, s: &Signals) -> String {
    let orders = |n: u32| if n == 1 { "1 other order".to_owned() } else { format!("{n} other orders") };
    match signal {
        Signal::Device => format!("{} from this device in 24 hours", orders(s.device_24h)),
        Signal::Email => format!("{} with this e-mail in 24 hours", orders(s.email_24h)),
        Signal::Ip => format!("{} from this IP address in 24 hours", orders(s.ip_24h)),
        Signal::Card => format!("{} with this card in 24 hours", orders(s.card_24h)),
        Signal::Countries => {
            format!("{} of shipping, IP and card are in another country than billing", s.countries_differ)
        }
        Signal::Disposable => "the e-mail address is a throw-away one".to_owned(),
        Signal::Fresh => match s.minutes_since_sign_up.unwrap_or_default() {
            m if m < 120 => format!("bought {m} minutes after signing up"),
            m => format!("bought {} hours after signing up", m / 60),
        },
        Signal::Amount => format!("{:.1} times the usual amount", s.amount_ratio),
        Signal::Address => format!("{} other customers had parcels sent to this address", s.address_reuse),
    }
}

#[cfg(test)]
mod tests;
