//! The auditor's account of webhooks: what receivers are owed, and what they got.
//!
//! Invariants: a receiver that was on when something happened, and until it got it, gets it at least once, or it is parked where people
//! see it; it gets what stands in the log and nothing else. The order of events is not promised, and not checked.

use super::feed::Logged;
use crate::Trouble;
use crate::outside::{ENDPOINTS, POISON, Receipt};
use crate::sim::Sim;
use automation::EndpointId;
use automation::events::{WebhookDeactivated, WebhookSaved};
use db::FromRow;
use std::collections::{BTreeMap, BTreeSet};

/// Attempts after which a delivery is given up.
const ATTEMPTS: i64 = 10;

/// The account.
#[derive(Debug, Default)]
pub struct Hooks {
    /// What receivers hear, and whether they are on.
    kinds: [Vec<String>; ENDPOINTS],
    on: [bool; ENDPOINTS],
    /// Events by id.
    log: BTreeMap<String, Logged>,
    /// What must be delivered or parked.
    owed: BTreeSet<(usize, String)>,
}

#[derive(FromRow)]
struct Row {
    endpoint_id: EndpointId,
    event_id: kernel::fact::EventId,
    state: String,
    attempts: i64,
}

impl Hooks {
    /// What a receiver hears when it is on.
    pub fn hears(&mut self, endpoint: usize, kinds: &[&str]) {
        self.kinds[endpoint] = kinds.iter().map(|k| (*k).to_owned()).collect();
    }
    /// Whether a receiver is on.
    pub fn is_on(&self, endpoint: usize) -> bool {
        self.on[endpoint]
    }
    fn wants(&self, endpoint: usize, kind: &str) -> bool {
        self.kinds[endpoint].iter().any(|k| k == "*" || k == kind)
    }
    fn switch(&mut self, endpoint: usize, on: bool) {
        self.on[endpoint] = on;
        if !on {
            // What is not there yet may have been lost sight of, which is what switching off means.
            self.owed.retain(|(of, _)| *of != endpoint);
        }
    }
}

impl Sim {
    fn receiver(&self, id: EndpointId) -> Result<usize, Trouble> {
        let found = self.shop.endpoints.iter().position(|e| *e == id);
        found.ok_or_else(|| Trouble::odd(format!("a receiver {id} nobody made")))
    }
    /// Notes who is owed an event.
    pub(super) fn owed(&mut self, event: Logged) -> Result<(), Trouble> {
        let read = |e: serde_json::Error| Trouble::odd(format!("{} does not read: {e}", event.id));
        match event.kind.as_str() {
            "webhook.saved" => {
                let saved: WebhookSaved = serde_json::from_str(&event.payload).map_err(read)?;
                let endpoint = self.receiver(saved.endpoint)?;
                self.model.hooks.switch(endpoint, saved.active);
            }
            "webhook.deactivated" => {
                let off: WebhookDeactivated = serde_json::from_str(&event.payload).map_err(read)?;
                let endpoint = self.receiver(off.endpoint)?;
                if !self.world.look().said_gone(endpoint) {
                    let says = format!("{endpoint} never said that it is gone");
                    return Err(Trouble::new("webhooks.switched_off", says));
                }
                self.model.hooks.switch(endpoint, false);
            }
            _ => {}
        }
        let hooks = &mut self.model.hooks;
        let id = event.id.to_string();
        for endpoint in 0..ENDPOINTS {
            if hooks.on[endpoint] && hooks.wants(endpoint, &event.kind) {
                hooks.owed.insert((endpoint, id.clone()));
            }
        }
        hooks.log.insert(id, event);
        Ok(())
    }
    /// What was received stands in the log, word for word.
    ///
    /// # Errors
    /// The first that does not.
    pub(super) fn receipts_agree(&mut self) -> Result<(), Trouble> {
        let receipts = self.world.look().receipts();
        for Receipt { endpoint, event, body } in receipts {
            let Some(logged) = self.model.hooks.log.get(&event) else {
                let says = format!("{endpoint} was told of {event}, which never happened: {body}");
                return Err(Trouble::new("webhooks.happened", says));
            };
            let payload: serde_json::Value = serde_json::from_str(&logged.payload).unwrap_or_default();
            let at = serde_json::to_value(logged.at).unwrap_or_default();
            let same = body["type"] == logged.kind.as_str()
                && body["subject"] == logged.subject.as_str()
                && body["timestamp"] == at
                && body["data"] == payload;
            if !same || !self.model.hooks.wants(endpoint, &logged.kind) {
                let says = format!("{endpoint} was told {body} of {logged:?}");
                return Err(Trouble::new("webhooks.as_logged", says));
            }
        }
        Ok(())
    }
    /// At rest everything owed was received or is parked, and nothing says that it was received that was not.
    ///
    /// # Errors
    /// The first delivery for which that is not so.
    pub(crate) async fn hooks_agree(&self) -> Result<(), Trouble> {
        let text = "SELECT endpoint_id, event_id, state, attempts FROM webhook_delivery ORDER BY id";
        let rows: Vec<Row> = self.db.read().all(text, []).await?;
        let mut parked = BTreeSet::new();
        for row in rows {
            let (endpoint, event) = (self.receiver(row.endpoint_id)?, row.event_id.to_string());
            let (taken, refused) = self.world.look().delivery(endpoint, &event);
            let kind = self.model.hooks.log.get(&event).map_or("", |e| e.kind.as_str());
            let right = match row.state.as_str() {
                "delivered" => taken > 0,
                "dead" => endpoint == 1 && kind == POISON && refused > 0 && row.attempts >= ATTEMPTS,
                _ => false,
            };
            if !right {
                let says = format!(
                    "{event} ({kind}) for {endpoint} is {} after {} attempts; taken {taken}, refused {refused} times",
                    row.state, row.attempts
                );
                return Err(Trouble::new("webhooks.agree", says));
            }
            parked.insert((endpoint, event));
        }
        match self.model.hooks.owed.iter().find(|owed| !parked.contains(*owed)) {
            None => Ok(()),
            Some((endpoint, event)) => {
                let logged = self.model.hooks.log.get(event);
                Err(Trouble::new("webhooks.owed", format!("{endpoint} never heard of {logged:?}")))
            }
        }
    }
}
