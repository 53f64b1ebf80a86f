//! Carriers, as they really are: labels they sold, parcels they scan, and the signed messages in which they tell of it. Invariant: a fact
//! has one id, in however many messages it is told.

use super::{World, answer};
use crate::gateway::Label;
use connectors::carriers::rate_table::SIGNATURE;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Timestamp;
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer};
use payments::RawRequest;
use serde::Serialize;
use sha2::Sha256;
use shipping::{ShipmentId, Status};

/// A label that was bought.
#[derive(Debug, Clone)]
pub struct Bought {
    label: Label,
    voided: bool,
    used: bool,
}

/// Something a carrier knows of a parcel.
#[derive(Debug, Clone, Serialize)]
pub struct Scan {
    /// Its own id of it.
    pub id: String,
    /// The number on the label.
    pub tracking_number: String,
    /// What.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// Which shipment of ours.
    #[serde(skip)]
    pub shipment: ShipmentId,
}

/// A message of a carrier.
#[derive(Debug, Clone, Serialize)]
pub struct News {
    /// Its id.
    pub id: String,
    /// What it tells.
    pub events: Vec<Scan>,
    /// Whose.
    #[serde(skip)]
    pub carrier: String,
}

/// The secret a carrier signs with.
fn secret(carrier: &str) -> String {
    format!("secret of {carrier}")
}

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mac) => mac,
        Err(never) => return never.to_string(),
    };
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256={hex}")
}

/// A message as it is sent.
pub fn signed(news: &News) -> RawRequest {
    let body = serde_json::to_vec(news).unwrap_or_default();
    let headers = vec![(SIGNATURE.to_owned(), signature(&secret(&news.carrier), &body))];
    RawRequest { headers, body }
}

/// The same message as others send it, who do not know the secret: signed with another one, not at all, or changed after it was signed.
pub fn forged(news: &News) -> Vec<RawRequest> {
    let honest = signed(news);
    let other = vec![(SIGNATURE.to_owned(), signature("guessed", &honest.body))];
    let mut changed = news.clone();
    changed.id.push('x');
    let changed = serde_json::to_vec(&changed).unwrap_or_default();
    vec![
        RawRequest { headers: other, body: honest.body.clone() },
        RawRequest { headers: Vec::new(), body: honest.body.clone() },
        RawRequest { headers: honest.headers, body: changed },
    ]
}

impl World {
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
    /// A carrier scans parcels, and will tell of it: in one message, or one for each.
    pub fn scanned(&mut self, carrier: &str, scans: Vec<Scan>, together: bool) {
        for scan in &scans {
            self.handed_over(&scan.shipment.to_string());
        }
        let news = |events: Vec<Scan>| {
            let id = events.first().map_or_else(String::new, |e| format!("n-{}", e.id));
            News { id, events, carrier: carrier.to_owned() }
        };
        match together {
            true if !scans.is_empty() => self.news.push(news(scans)),
            _ => self.news.extend(scans.into_iter().map(|scan| news(vec![scan]))),
        }
    }
    /// The messages of carriers that arrive now: in any order, some twice, some later.
    pub fn news(&mut self, seed: u64) -> Vec<News> {
        let mut now = Vec::new();
        for message in std::mem::take(&mut self.news) {
            let (place, fate) = super::arrival(seed, &message.id);
            match fate {
                0 | 1 if !self.calm => self.news.push(message),
                2 if !self.calm => {
                    // The same message again, and the same facts in another one.
                    let mut other = message.clone();
                    other.id.push('+');
                    self.news.push(other);
                    now.extend([(place, message.clone()), (place, message)]);
                }
                _ => now.push((place, message)),
            }
        }
        now.sort_by_key(|(place, _)| *place);
        now.into_iter().map(|(_, message)| message).collect()
    }

    pub(super) fn carrier(&mut self, call: &HttpCall, key: &str) -> Result<HttpAnswer, NoAnswer> {
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
            let mut dice = self.streams.of(&format!("label {}", self.name_of(key)));
            let declined = !self.calm && dice.chance(50);
            let label =
                Label { number: format!("SIM{}", self.labels.len()), cost: dice.range(100, 900), declined };
            self.labels.insert(key.to_owned(), Bought { label, voided: false, used: false });
        }
        let label = self.labels.get(key).map(|b| &b.label);
        answer(200, serde_json::to_vec(&label).unwrap_or_default())
    }
}
