//! Receivers of our webhooks: they fail, take it and do not say so, answer slowly, never want some kind, or say that they are gone.
//!
//! Invariants: a receiver checks the signature by itself, as Standard Webhooks has it, and refuses what is older than five minutes; who
//! heard that an event was taken does not send it again in the same life.

use super::{World, Wrong, answer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Timestamp;
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer};
use serde_json::Value as Json;
use sha2::Sha256;

/// Receivers: one that hears much, one that never takes a kind, one that is gone at times.
pub const ENDPOINTS: usize = 3;
/// The kind that the second receiver never takes.
pub const POISON: &str = "order.cancelled";
/// The key that signs.
pub const SECRET: &[u8; 32] = b"a secret of receivers and sender";
/// Where they are.
const HOST: &str = "https://hooks.sim/";
/// What a receiver believes of a clock.
const TOLERANCE: i64 = 300;
/// The one that is gone at times.
const AWAY: usize = 2;

/// Something that was received.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// By which receiver.
    pub endpoint: usize,
    /// The event's id.
    pub event: String,
    /// What it got.
    pub body: Json,
}

/// What became of an event at a receiver.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivery {
    taken: u64,
    refused: u64,
    heard: Option<u64>,
}

/// The address of a receiver.
pub fn url(endpoint: usize) -> String {
    format!("{HOST}{endpoint}")
}

/// The receiver at an address.
pub(super) fn endpoint(url: &str) -> Option<usize> {
    url.strip_prefix(HOST)?.parse().ok()
}

fn header<'a>(call: &'a HttpCall, name: &str) -> &'a str {
    call.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
}

/// What is received, when it is from us, unchanged and of now.
fn read(call: &HttpCall, now: Timestamp) -> Result<(String, Json), String> {
    let (id, at) = (header(call, "webhook-id"), header(call, "webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).map_err(|e| e.to_string())?;
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&call.body);
    let known = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    if header(call, "webhook-signature") != known {
        return Err(format!("{id} is signed “{}” instead of “{known}”", header(call, "webhook-signature")));
    }
    let at: i64 = at.parse().map_err(|_| format!("{id} has the time “{at}”"))?;
    if (now.0.div_euclid(Timestamp::SECOND) - at).abs() > TOLERANCE {
        return Err(format!("{id} is of {at}, it is {now}"));
    }
    let body: Json = serde_json::from_slice(&call.body).map_err(|e| format!("{id} does not read: {e}"))?;
    match body["id"].as_str() == Some(id) {
        true => Ok((id.to_owned(), body)),
        false => Err(format!("{id} tells of {}", body["id"])),
    }
}

impl World {
    /// What was received since the last time.
    pub fn receipts(&mut self) -> Vec<Receipt> {
        std::mem::take(&mut self.receipts)
    }
    /// Times a receiver took an event, and refused it.
    pub fn delivery(&self, endpoint: usize, event: &str) -> (u64, u64) {
        let found = self.deliveries.get(&(endpoint, event.to_owned()));
        found.map_or((0, 0), |d| (d.taken, d.refused))
    }
    /// Whether a receiver said that it is gone, since somebody asked last.
    pub fn said_gone(&mut self, endpoint: usize) -> bool {
        self.gone.remove(&endpoint).is_some()
    }

    pub(super) fn receive(
        &mut self,
        endpoint: usize,
        call: &HttpCall,
    ) -> Option<Result<HttpAnswer, NoAnswer>> {
        let (event, body) = match read(call, self.clock.now()) {
            Ok(read) => read,
            Err(why) => {
                self.offences.push(format!("the receiver {endpoint} cannot take it: {why}"));
                return Some(answer(400, why.into_bytes()));
            }
        };
        let kind = body["type"].as_str().unwrap_or_default().to_owned();
        let thing = format!("hook {endpoint} {kind}");
        let wrong = self.what_goes_wrong(&thing, 2);
        match wrong {
            Wrong::DiesBefore => {
                self.die();
                return None;
            }
            Wrong::LostBefore => return Some(Err(NoAnswer("the connection was refused".to_owned()))),
            Wrong::Slow => self.takes_a_while(&thing, 14),
            _ => {}
        }
        let gone = endpoint == AWAY && !self.calm && self.streams.of(&format!("gone {thing}")).chance(10);
        let refusal = match wrong {
            _ if gone => Some(410),
            _ if endpoint == 1 && kind == POISON => Some(500),
            Wrong::Garbled => Some(503),
            _ => None,
        };
        let heard = matches!(wrong, Wrong::Nothing | Wrong::Slow).then_some(self.life);
        let life = self.life;
        let delivery = self.deliveries.entry((endpoint, event.clone())).or_default();
        match refusal {
            Some(_) => delivery.refused += 1,
            None => {
                if delivery.heard == Some(life) {
                    self.offences.push(format!("{event} went to {endpoint} again though it was taken"));
                }
                delivery.taken += 1;
                delivery.heard = heard.or(delivery.heard);
                self.receipts.push(Receipt { endpoint, event, body });
            }
        }
        if gone {
            *self.gone.entry(endpoint).or_default() += 1;
        }
        match wrong {
            Wrong::DiesAfter => {
                self.die();
                None
            }
            Wrong::LostAfter => Some(Err(NoAnswer("no answer within 15 seconds".to_owned()))),
            _ => Some(answer(refusal.unwrap_or(204), Vec::new())),
        }
    }
}
