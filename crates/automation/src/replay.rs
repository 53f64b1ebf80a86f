//! Replay: deliveries go back into the queue with all their attempts, one by one or everything that died at an endpoint. And a test: an
//! event for one endpoint alone, which goes the way that all go.

use crate::deliver::enqueue;
use crate::events::{WebhookReplayed, WebhookTested};
use crate::model::{DeliveryId, EndpointId};
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Sends a delivery again, whatever became of it.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub delivery: DeliveryId,
}

/// Sends everything again that died at an endpoint.
#[derive(Debug, Clone, Copy)]
pub struct ReplayDead {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub endpoint: EndpointId,
}

/// Tries whether an endpoint hears.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub endpoint: EndpointId,
}

kernel::refusals! {
    /// Why nothing is sent again.
    pub enum ReplayRefused {
        UnknownDelivery { delivery: DeliveryId } => NotFound, "automation.unknown_delivery", "There is no webhook delivery {delivery}.";
        UnknownEndpoint { endpoint: EndpointId } => NotFound, "automation.unknown_replay_webhook", "There is no webhook endpoint {endpoint}.";
        Off { endpoint: EndpointId } => Conflict, "automation.webhook_off", "The endpoint {endpoint} is switched off. Switch it on first.";
    }
}

#[derive(FromRow)]
struct Known {
    id: DeliveryId,
    endpoint_id: EndpointId,
    active: bool,
}

const AGAIN: &str = "state = 'waiting', attempts = 0, last_status = NULL, last_error = NULL, last_answer = NULL, delivered_at = NULL, next_at = $1";

/// Puts single deliveries back into the queue.
///
/// # Errors
/// A fault of the database.
pub async fn replay(tx: &Tx, batch: &[Replay]) -> Result<Vec<Result<(), ReplayRefused>>, Fault> {
    let mut wanted = Rows::new("id BIGINT");
    for id in batch.iter().map(|r| r.delivery).collect::<BTreeSet<_>>() {
        wanted.push([id.into()]);
    }
    let text = "SELECT d.id, d.endpoint_id, w.active FROM webhook_delivery d JOIN input ON input.id = d.id \
                JOIN webhook_endpoint w ON w.id = d.endpoint_id ORDER BY d.id /*pg FOR UPDATE OF d */";
    let known: HashMap<DeliveryId, Known> =
        tx.all_from::<Known>(&wanted, text, []).await?.into_iter().map(|k| (k.id, k)).collect();
    let mut again = Rows::new("id BIGINT");
    let mut by_endpoint: BTreeMap<EndpointId, i64> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(match known.get(&want.delivery) {
            None => Err(ReplayRefused::UnknownDelivery { delivery: want.delivery }),
            Some(k) if !k.active => Err(ReplayRefused::Off { endpoint: k.endpoint_id }),
            Some(k) => {
                again.push([k.id.into()]);
                *by_endpoint.entry(k.endpoint_id).or_default() += 1;
                Ok(())
            }
        });
    }
    let text = format!("UPDATE webhook_delivery SET {AGAIN} WHERE id IN (SELECT id FROM input)");
    tx.exec_from(&again, &text, [tx.now().into()]).await?;
    finish(tx, batch.first().map(|r| r.at), &by_endpoint).await?;
    Ok(outcomes)
}

#[derive(FromRow)]
struct EndpointState {
    id: EndpointId,
    active: bool,
}

/// Puts back what died at endpoints; how many deliveries each.
///
/// # Errors
/// A fault of the database.
pub async fn replay_dead(tx: &Tx, batch: &[ReplayDead]) -> Result<Vec<Result<i64, ReplayRefused>>, Fault> {
    let mut wanted = Rows::new("id BIGINT");
    for id in batch.iter().map(|r| r.endpoint).collect::<BTreeSet<_>>() {
        wanted.push([id.into()]);
    }
    let text = "SELECT w.id, w.active FROM webhook_endpoint w JOIN input ON input.id = w.id ORDER BY w.id /*pg FOR UPDATE OF w */";
    let known: Vec<EndpointState> = tx.all_from(&wanted, text, []).await?;
    let known: HashMap<EndpointId, bool> = known.into_iter().map(|k| (k.id, k.active)).collect();
    let mut on = Rows::new("id BIGINT");
    for (id, _) in known.iter().filter(|(_, active)| **active) {
        on.push([(*id).into()]);
    }
    let text = format!(
        "UPDATE webhook_delivery SET {AGAIN} WHERE state = 'dead' AND endpoint_id IN (SELECT id FROM input) RETURNING endpoint_id AS id"
    );
    let mut by_endpoint: BTreeMap<EndpointId, i64> = BTreeMap::new();
    for Returned { id } in tx.all_from(&on, &text, [tx.now().into()]).await? {
        *by_endpoint.entry(id).or_default() += 1;
    }
    finish(tx, batch.first().map(|r| r.at), &by_endpoint).await?;
    let outcome = |want: &ReplayDead| match known.get(&want.endpoint) {
        None => Err(ReplayRefused::UnknownEndpoint { endpoint: want.endpoint }),
        Some(false) => Err(ReplayRefused::Off { endpoint: want.endpoint }),
        Some(true) => Ok(by_endpoint.get(&want.endpoint).copied().unwrap_or(0)),
    };
    Ok(batch.iter().map(outcome).collect())
}

/// Records tests of endpoints; each is delivered to its endpoint like any event.
///
/// # Errors
/// A fault of the database.
pub async fn test(tx: &Tx, batch: &[Test]) -> Result<Vec<Result<(), ReplayRefused>>, Fault> {
    let mut wanted = Rows::new("id BIGINT");
    for id in batch.iter().map(|t| t.endpoint).collect::<BTreeSet<_>>() {
        wanted.push([id.into()]);
    }
    let text = "SELECT w.id, w.active FROM webhook_endpoint w JOIN input ON input.id = w.id ORDER BY w.id";
    let known: Vec<EndpointState> = tx.all_from(&wanted, text, []).await?;
    let known: HashMap<EndpointId, bool> = known.into_iter().map(|k| (k.id, k.active)).collect();
    let mut outcomes = Vec::with_capacity(batch.len());
    for Test { at, endpoint } in batch.iter().copied() {
        outcomes.push(match known.get(&endpoint) {
            None => Err(ReplayRefused::UnknownEndpoint { endpoint }),
            Some(false) => Err(ReplayRefused::Off { endpoint }),
            Some(true) => {
                let message = "This is a test. Nothing happened.".to_owned();
                tx.record(at, endpoint, None, WebhookTested { endpoint, message })?;
                Ok(())
            }
        });
    }
    Ok(outcomes)
}

#[derive(FromRow)]
struct Returned {
    id: EndpointId,
}

async fn finish(
    tx: &Tx,
    at: Option<Timestamp>,
    by_endpoint: &BTreeMap<EndpointId, i64>,
) -> Result<(), Fault> {
    for (endpoint, deliveries) in by_endpoint {
        let fact = WebhookReplayed { endpoint: *endpoint, deliveries: *deliveries };
        tx.record(at.unwrap_or(tx.now()), endpoint, None, fact)?;
    }
    enqueue(tx, &by_endpoint.keys().copied().collect::<Vec<_>>()).await
}
