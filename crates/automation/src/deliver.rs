//! Webhooks: events become deliveries, deliveries are sent until the other side has them.
//!
//! Invariants: one delivery for an endpoint and event, however often we are told of the event; a delivery is claimed before it is sent,
//! so two workers do not send it at the same time, and a worker that dies leaves a claim that ends; no transaction is open while we wait
//! for the other side. The order of events is not kept: a receiver goes by the `id` and `timestamp` in the body.

use crate::events::{WebhookDeactivated, WebhookTested};
use crate::model::{DeliveryId, EndpointId};
use db::{BoxFuture, Ctx, FromRow, Job, Rows, Tx};
use kernel::fact::EventId;
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer};
use kernel::{Actor, Event, Fact, Fault, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::task::JoinSet;

/// How long after a failed attempt the next one is made. After the last, the delivery is dead.
const PAUSES: [i64; 9] = [
    5 * Timestamp::SECOND,
    5 * Timestamp::MINUTE,
    30 * Timestamp::MINUTE,
    2 * Timestamp::HOUR,
    5 * Timestamp::HOUR,
    10 * Timestamp::HOUR,
    14 * Timestamp::HOUR,
    20 * Timestamp::HOUR,
    24 * Timestamp::HOUR,
];
/// How long a claim holds.
const CLAIM: i64 = 2 * Timestamp::MINUTE;
/// Deliveries to one endpoint at the same time.
const AT_ONCE: i64 = 16;
/// A receiver that needs longer has not taken it.
const PATIENCE: Duration = Duration::from_secs(15);
const LONGEST_ERROR: usize = 500;
/// Bytes of an answer that are kept.
const LONGEST_ANSWER: usize = 1024;

/// What an endpoint hears.
#[derive(FromRow)]
struct Hears {
    id: EndpointId,
    kinds: String,
}

/// Writes the deliveries of events and wakes the job that sends them.
pub(crate) fn queue(ctx: Ctx, events: Vec<Event>) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let on = "SELECT id, kinds FROM webhook_endpoint WHERE active = TRUE ORDER BY id";
        let endpoints: Vec<Hears> = ctx.db.read().all(on, []).await?;
        let mut pairs = Vec::new();
        for endpoint in &endpoints {
            let kinds: Vec<String> = serde_json::from_str(&endpoint.kinds)?;
            let wanted = events.iter().filter(|e| match e.kind == WebhookTested::KIND {
                true => e.subject == endpoint.id.to_string(),
                false => kinds.iter().any(|k| k == "*" || *k == e.kind),
            });
            pairs.extend(wanted.map(|e| (endpoint.id, e.id)));
        }
        if pairs.is_empty() {
            return Ok(());
        }
        db::write!(ctx.db, &Actor::system("webhooks"), |tx| {
            let mut rows = Rows::new("id BIGINT, endpoint_id BIGINT, event_id BIGINT, next_at BIGINT");
            for (endpoint, event) in &pairs {
                rows.push([
                    tx.id::<DeliveryId>().into(),
                    (*endpoint).into(),
                    (*event).into(),
                    tx.now().into(),
                ]);
            }
            // An endpoint that was removed meanwhile gets none.
            let text = "INSERT INTO webhook_delivery (id, endpoint_id, event_id, state, next_at) \
                        SELECT input.id, input.endpoint_id, input.event_id, 'waiting', input.next_at FROM input \
                        JOIN webhook_endpoint w ON w.id = input.endpoint_id WHERE TRUE ON CONFLICT (endpoint_id, event_id) DO NOTHING";
            tx.exec_from(&rows, text, []).await?;
            let mut endpoints: Vec<EndpointId> = pairs.iter().map(|p| p.0).collect();
            endpoints.dedup();
            enqueue(tx, &endpoints).await
        })
    })
}

/// Wakes the job for endpoints with deliveries that are due: retries, and what a job that just ended overlooked.
pub(crate) fn wake(ctx: Ctx) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let text = "SELECT DISTINCT d.endpoint_id FROM webhook_delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id \
                    WHERE d.state = 'waiting' AND d.next_at <= $1 AND w.active = TRUE";
        let due: Vec<EndpointId> = ctx.db.read().column(text, [ctx.db.now().into()]).await?;
        match due.is_empty() {
            true => Ok(()),
            false => db::write!(ctx.db, &Actor::system("webhooks"), |tx| enqueue(tx, &due).await),
        }
    })
}

/// One waiting job for each endpoint is enough: it sends whatever is due.
pub(crate) async fn enqueue(tx: &Tx, endpoints: &[EndpointId]) -> Result<(), Fault> {
    let jobs: Vec<_> =
        endpoints.iter().map(|e| (Deliver { endpoint: *e }, Some(format!("webhooks:{e}")))).collect();
    tx.enqueue(tx.now(), &jobs).await
}

/// The job that sends what is due to one endpoint.
#[derive(Serialize, Deserialize)]
pub struct Deliver {
    endpoint: EndpointId,
}

impl Job for Deliver {
    const NAME: &'static str = "automation.deliver";
    // It fails only when the database does; parked, it would keep its endpoint from ever being served again.
    const ATTEMPTS: i64 = i64::MAX;
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        while let Some((endpoint, due)) = claim(&ctx, self.endpoint).await? {
            let verdicts = send(&ctx, &endpoint, due).await?;
            let answered = verdicts.iter().any(|v| v.state == "delivered");
            settle(&ctx, &endpoint, &verdicts).await?;
            if !answered {
                // Nobody there: the timer comes back, and other endpoints must not wait for this one.
                return Ok(());
            }
        }
        Ok(())
    }
}

#[derive(FromRow)]
struct Target {
    id: EndpointId,
    url: String,
    secret: String,
}

#[derive(FromRow)]
struct Due {
    id: DeliveryId,
    attempts: i64,
    event_id: EventId,
    at: Timestamp,
    kind: String,
    subject: String,
    payload: String,
}

/// Takes deliveries that are due: counts the attempt and moves them out of sight for a while. `None` when there is nothing to do.
async fn claim(ctx: &Ctx, endpoint: EndpointId) -> Result<Option<(Target, Vec<Due>)>, Fault> {
    db::write!(ctx.db, &Actor::system("webhooks"), |tx| {
        let text = "SELECT id, url, secret FROM webhook_endpoint WHERE id = $1 AND active = TRUE";
        let Some(target) = tx.one::<Target>(text, [endpoint.into()]).await? else { return Ok(None) };
        let text = "UPDATE webhook_delivery SET next_at = $1, attempts = attempts + 1 WHERE id IN \
                    (SELECT id FROM webhook_delivery WHERE endpoint_id = $2 AND state = 'waiting' AND next_at <= $3 \
                     ORDER BY next_at, id LIMIT $4 /*pg FOR UPDATE SKIP LOCKED */) RETURNING id";
        let params = [tx.now().plus(CLAIM).into(), endpoint.into(), tx.now().into(), AT_ONCE.into()];
        let mut claimed = Rows::new("id BIGINT");
        for id in tx.column::<i64>(text, params).await? {
            claimed.push([id.into()]);
        }
        if claimed.is_empty() {
            return Ok(None);
        }
        let text = "SELECT d.id, d.attempts, e.id AS event_id, e.at, e.kind, e.subject, e.payload FROM webhook_delivery d \
                    JOIN input ON input.id = d.id JOIN event e ON e.id = d.event_id ORDER BY e.id";
        Ok(Some((target, tx.all_from(&claimed, text, []).await?)))
    })
}

/// What is sent, in the form of Standard Webhooks.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: Timestamp,
    id: EventId,
    subject: &'a str,
    data: serde_json::Value,
}

/// The body of a delivery: the same to the letter whenever it is sent.
pub(crate) fn body(
    kind: &str,
    timestamp: Timestamp,
    id: EventId,
    subject: &str,
    payload: &str,
) -> Result<String, Fault> {
    let data = serde_json::from_str(payload)?;
    Ok(serde_json::to_string(&Body { kind, timestamp, id, subject, data })?)
}

fn call(target: &Target, due: &Due, now: Timestamp) -> Result<HttpCall, Fault> {
    let body = body(&due.kind, due.at, due.event_id, &due.subject, &due.payload)?;
    let (id, seconds) = (due.event_id.to_string(), now.0.div_euclid(Timestamp::SECOND));
    let signature = standardwebhooks::Webhook::new(&target.secret)?.sign(&id, seconds, body.as_bytes())?;
    let headers = [
        ("content-type", "application/json".to_owned()),
        (standardwebhooks::HEADER_WEBHOOK_ID, id),
        (standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, seconds.to_string()),
        (standardwebhooks::HEADER_WEBHOOK_SIGNATURE, signature),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(HttpCall { method: "POST", url: target.url.clone(), headers, body: body.into_bytes() })
}

async fn send(ctx: &Ctx, target: &Target, due: Vec<Due>) -> Result<Vec<Verdict>, Fault> {
    let mut calls = JoinSet::new();
    for one in due {
        let call = call(target, &one, ctx.db.now())?;
        let (outside, id, attempts) = (std::sync::Arc::clone(&ctx.outside), one.id, one.attempts);
        calls.spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, outside.call(call)).await;
            (
                id,
                attempts,
                answer.unwrap_or_else(|_| {
                    Err(NoAnswer(format!("no answer within {} seconds", PATIENCE.as_secs())))
                }),
            )
        });
    }
    let mut verdicts = Vec::new();
    while let Some(done) = calls.join_next().await {
        let (id, attempts, answer) = done?;
        verdicts.push(judge(id, attempts, &answer, ctx.db.now()));
    }
    verdicts.sort_by_key(|v| v.id);
    Ok(verdicts)
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Verdict {
    id: DeliveryId,
    state: &'static str,
    next_at: Timestamp,
    status: Option<i64>,
    error: Option<String>,
    /// The beginning of what was answered.
    answer: Option<String>,
    gone: bool,
}

/// The beginning of an answer, as text that every database keeps.
fn begins(answer: &HttpAnswer) -> String {
    let bytes = &answer.body[..answer.body.len().min(LONGEST_ANSWER)];
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn judge(id: DeliveryId, attempts: i64, answer: &Result<HttpAnswer, NoAnswer>, now: Timestamp) -> Verdict {
    let said = answer.as_ref().ok().map(begins);
    let (status, error) = match answer {
        Ok(answer) if (200..300).contains(&answer.status) => {
            let status = Some(i64::from(answer.status));
            return Verdict {
                id,
                state: "delivered",
                next_at: now,
                status,
                error: None,
                answer: said,
                gone: false,
            };
        }
        Ok(answer) => {
            let said =
                String::from_utf8_lossy(&answer.body[..answer.body.len().min(LONGEST_ERROR)]).into_owned();
            (Some(answer.status), format!("status {} {said}", answer.status))
        }
        Err(NoAnswer(why)) => (None, why.clone()),
    };
    let error: String = error.chars().filter(|c| !c.is_control()).take(LONGEST_ERROR).collect();
    let gone = status == Some(410);
    let pause = usize::try_from(attempts - 1).ok().and_then(|n| PAUSES.get(n)).filter(|_| !gone);
    let state = if pause.is_some() { "waiting" } else { "dead" };
    let next_at = now.plus(pause.copied().unwrap_or(0));
    Verdict {
        id,
        state,
        next_at,
        status: status.map(i64::from),
        error: Some(error.trim_end().to_owned()),
        answer: said,
        gone,
    }
}

async fn settle(ctx: &Ctx, target: &Target, verdicts: &[Verdict]) -> Result<(), Fault> {
    db::write!(ctx.db, &Actor::system("webhooks"), |tx| {
        let now = tx.now();
        let mut rows = Rows::new(
            "id BIGINT, state TEXT, next_at BIGINT, status BIGINT?, error TEXT?, answer TEXT?, delivered_at BIGINT?",
        );
        for v in verdicts {
            let delivered_at = (v.state == "delivered").then_some(now.0);
            rows.push([
                v.id.into(),
                v.state.into(),
                v.next_at.into(),
                v.status.into(),
                v.error.clone().into(),
                v.answer.clone().into(),
                delivered_at.into(),
            ]);
        }
        let text = "UPDATE webhook_delivery SET state = input.state, next_at = input.next_at, last_status = input.status, \
                    last_error = input.error, last_answer = input.answer, delivered_at = input.delivered_at FROM input \
                    WHERE webhook_delivery.id = input.id AND webhook_delivery.state = 'waiting'";
        tx.exec_from(&rows, text, []).await?;
        if verdicts.iter().any(|v| v.gone) {
            deactivate(tx, target).await?;
        }
        Ok(())
    })
}

/// 410 says: never again. What still waits is dead, and can be replayed when somebody switches the endpoint on again.
async fn deactivate(tx: &Tx, target: &Target) -> Result<(), Fault> {
    let off = "UPDATE webhook_endpoint SET active = FALSE WHERE id = $1 AND active = TRUE";
    if tx.touched(off, [target.id.into()]).await? == 0 {
        return Ok(());
    }
    let text = "UPDATE webhook_delivery SET state = 'dead', last_error = 'the endpoint said 410 Gone' WHERE endpoint_id = $1 AND state = 'waiting'";
    tx.exec(text, [target.id.into()]).await?;
    tx.record(tx.now(), target.id, None, WebhookDeactivated { endpoint: target.id, url: target.url.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<HttpAnswer, NoAnswer> {
        Ok(HttpAnswer { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
    }

    #[test]
    fn an_attempt_ends_as_the_answer_says() {
        let now = Timestamp(1_000);
        let verdict =
            |attempts, answer: Result<HttpAnswer, NoAnswer>| judge(DeliveryId(1), attempts, &answer, now);
        for status in [200, 202, 204, 299] {
            let v = verdict(3, answer(status, "ok"));
            assert_eq!((v.state, v.status, v.error), ("delivered", Some(i64::from(status)), None));
        }
        for status in [199, 301, 302, 400, 404, 429, 500, 503] {
            assert_eq!(verdict(1, answer(status, "")).state, "waiting", "{status}");
        }
        let v = verdict(1, answer(500, "bro\u{0}ken\n"));
        assert_eq!(
            (v.error.as_deref(), v.next_at),
            (Some("status 500 broken"), now.plus(5 * Timestamp::SECOND))
        );
        let v = verdict(2, Err(NoAnswer("refused".into())));
        assert_eq!((v.state, v.status, v.next_at), ("waiting", None, now.plus(5 * Timestamp::MINUTE)));
        let v = verdict(1, answer(410, ""));
        assert_eq!((v.state, v.gone), ("dead", true));
    }

    #[test]
    fn every_pause_is_used_once_and_then_the_delivery_is_dead() {
        let failed = Err(NoAnswer("no".into()));
        let pauses: Vec<i64> =
            (1..=9).map(|n| judge(DeliveryId(1), n, &failed, Timestamp(0)).next_at.0).collect();
        assert_eq!(pauses, PAUSES);
        assert!(pauses.is_sorted());
        assert_eq!(judge(DeliveryId(1), 10, &failed, Timestamp(0)).state, "dead");
        assert_eq!(judge(DeliveryId(1), 11, &failed, Timestamp(0)).state, "dead");
    }
}
