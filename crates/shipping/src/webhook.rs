//! Webhooks of carriers.
//!
//! Invariants: a webhook is stored raw before it is acknowledged, once for each id of its source; a replay changes nothing; one that
//! names a parcel we do not know yet waits and is tried again.

use crate::cards::rate_cards;
use crate::carrier::{Carriers, TrackFact};
use crate::read::shipments_by_tracking;
use crate::track::{Track, track};
use db::{Ctx, FromRow, Job, Tx};
use kernel::{Actor, Fault};
use payments::{BadWebhook, RawRequest, WebhookId};
use serde::{Deserialize, Serialize};

kernel::refusals! {
    /// Why a webhook is not taken.
    pub enum WebhookRefused {
        UnknownCarrier { carrier: String } => NotFound, "shipping.unknown_carrier", "There is no carrier “{carrier}”, neither a connector nor rate cards.";
        NoSecret { carrier: String } => Conflict, "shipping.no_webhook_secret", "Set the webhook secret of {carrier} before it may send webhooks.";
        BadSignature => Forbidden, "shipping.bad_signature", "The signature of the webhook does not fit.";
        Unreadable { what: String } => Invalid, "shipping.unreadable_webhook", "The webhook does not read: {what}.";
    }
}

/// The setting that holds a carrier's webhook secret (a JSON string).
pub fn secret_setting(carrier: &str) -> String {
    format!("carrier.{carrier}.webhook_secret")
}

/// Under what webhooks of a carrier are stored.
pub(crate) fn source(carrier: &str) -> String {
    format!("carrier:{carrier}")
}

fn bad(bad: BadWebhook) -> WebhookRefused {
    match bad {
        BadWebhook::Signature => WebhookRefused::BadSignature,
        BadWebhook::Unreadable(what) => WebhookRefused::Unreadable { what },
    }
}

/// Stores a webhook and has it applied. One that is stored already is accepted and changes nothing.
///
/// # Errors
/// A fault of the database.
pub async fn accept(
    tx: &Tx,
    carriers: &Carriers,
    code: &str,
    request: &RawRequest,
) -> Result<Result<(), WebhookRefused>, Fault> {
    let by_cards = rate_cards(tx).await?.iter().any(|c| c.carrier == code);
    let Some(carrier) = carriers.find(code, by_cards) else {
        return Ok(Err(WebhookRefused::UnknownCarrier { carrier: code.to_owned() }));
    };
    let Some(secret) = db::settings::get::<String>(tx, &secret_setting(code)).await? else {
        return Ok(Err(WebhookRefused::NoSecret { carrier: code.to_owned() }));
    };
    let source_id = match carrier.verify(&secret, request) {
        Ok(id) => id,
        Err(refused) => return Ok(Err(bad(refused))),
    };
    let Ok(body) = std::str::from_utf8(&request.body) else {
        return Ok(Err(WebhookRefused::Unreadable { what: "it is not UTF-8".to_owned() }));
    };
    // Whoever signs may still send what no text of ours holds.
    if let Err(problem) = web::check_json(&request.body) {
        return Ok(Err(WebhookRefused::Unreadable {
            what: problem.detail().trim_end_matches('.').to_owned(),
        }));
    }
    let id: WebhookId = tx.id();
    let text = "INSERT INTO inbound_webhook (id, source, source_id, received_at, headers, body) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (source, source_id) DO NOTHING";
    let headers = serde_json::to_string(&request.headers)?;
    let values =
        [id.into(), source(code).into(), source_id.into(), tx.now().into(), headers.into(), body.into()];
    if tx.touched(text, values).await? > 0 {
        tx.enqueue(tx.now(), &[(ApplyWebhook { carrier: code.to_owned(), webhook: id }, None)]).await?;
    }
    Ok(Ok(()))
}

/// Applies what a carrier sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplyWebhook {
    carrier: String,
    webhook: WebhookId,
}

#[derive(FromRow)]
struct Stored {
    headers: String,
    body: String,
}

impl Job for ApplyWebhook {
    const NAME: &'static str = "shipping.apply_webhook";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let carriers = ctx.parts.get::<Carriers>()?;
        let actor = Actor::of("carrier", &self.carrier);
        let waits = db::write!(ctx.db, &actor, |tx| apply(tx, &carriers, self).await)?;
        match waits {
            Some(why) => Err(Fault::broken(why)),
            None => Ok(()),
        }
    }
}

/// Applies one webhook; why it waits, if it does. What it says is a fold, so it does not matter which of several is applied first.
async fn apply(tx: &Tx, carriers: &Carriers, job: &ApplyWebhook) -> Result<Option<String>, Fault> {
    let text =
        "SELECT headers, body FROM inbound_webhook WHERE id = $1 AND applied_at IS NULL /*pg FOR UPDATE */";
    let Some(stored) = tx.one::<Stored>(text, [job.webhook.into()]).await? else { return Ok(None) };
    let by_cards = rate_cards(tx).await?.iter().any(|c| c.carrier == job.carrier);
    let carrier = carriers.find(&job.carrier, by_cards);
    let carrier = carrier.ok_or_else(|| Fault::broken(format!("no carrier “{}”", job.carrier)))?;
    let request =
        RawRequest { headers: serde_json::from_str(&stored.headers)?, body: stored.body.into_bytes() };
    let (applied, error) = match carrier.webhook(&request) {
        Err(unreadable) => (true, Some(format!("{unreadable:?}"))),
        Ok(facts) => take(tx, &job.carrier, &facts).await?,
    };
    let text = "UPDATE inbound_webhook SET applied_at = $1, error = $2 WHERE id = $3";
    let at = applied.then(|| tx.now());
    tx.exec(text, [at.into(), error.clone().into(), job.webhook.into()]).await?;
    Ok(error.filter(|_| !applied))
}

/// Tracks what is known; whether all of it was, and what was wrong.
async fn take(tx: &Tx, carrier: &str, facts: &[TrackFact]) -> Result<(bool, Option<String>), Fault> {
    let known = shipments_by_tracking(tx, carrier, facts.iter().map(|f| f.tracking_number.as_str())).await?;
    if let Some(stranger) = facts.iter().find(|f| !known.contains_key(&f.tracking_number)) {
        return Ok((false, Some(format!("there is no shipment {}", stranger.tracking_number))));
    }
    let batch: Vec<Track> = facts
        .iter()
        .map(|f| Track {
            at: f.at,
            shipment: known[&f.tracking_number],
            source_id: f.source_id.clone(),
            status: f.status,
            place: f.place.clone(),
            description: f.description.clone(),
        })
        .collect();
    let refused: Vec<String> =
        track(tx, &batch).await?.into_iter().filter_map(|o| o.err().map(|r| r.to_string())).collect();
    Ok((true, (!refused.is_empty()).then(|| refused.join(" "))))
}
