//! Webhooks of gateways. Invariants: a webhook is stored raw before it is acknowledged, once for each id of its source; a replay changes
//! nothing; what it says is applied in the order it came in; one that names a payment we do not know yet waits and is tried again.

use crate::gateway::{BadWebhook, GatewayFact, Gateways, RawRequest, Subject};
use crate::ledger::Ledger;
use crate::model::{Act, FactKind};
use crate::{OperationId, PaymentId, WebhookId, call};
use db::{Ctx, FromRow, Job, Rows, Sql, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

refusals! {
    /// Why a webhook is not taken.
    pub enum WebhookRefused {
        UnknownGateway { gateway: String } => NotFound, "payments.unknown_gateway", "There is no gateway “{gateway}”.";
        NoSecret { gateway: String } => Conflict, "payments.no_webhook_secret", "Set the webhook secret of {gateway} (Settings, Payment gateways) before it may send webhooks.";
        BadSignature => Forbidden, "payments.bad_signature", "The signature of the webhook does not fit.";
        Unreadable { what: String } => Invalid, "payments.unreadable_webhook", "The webhook does not read: {what}.";
    }
}

/// The setting that holds a gateway's webhook secret (a JSON string).
pub fn secret_setting(gateway: &str) -> String {
    format!("gateway.{gateway}.webhook_secret")
}

/// What came in from a source, as `gateway:sandbox` or `carrier:post`.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct Inbox {
    /// When the newest came.
    pub newest: Option<Timestamp>,
    /// How many are stored and not applied.
    pub waiting: i64,
    /// How many were applied in vain: they did not read.
    pub failed: i64,
    /// What was wrong with one of these.
    pub error: Option<String>,
}

/// What came in from a source.
///
/// # Errors
/// A fault of the database.
pub async fn inbox(sql: &Sql, source: &str) -> Result<Inbox, Fault> {
    let text = "SELECT MAX(received_at) AS newest, COUNT(*) FILTER (WHERE applied_at IS NULL) AS waiting, COUNT(error) AS failed, \
         MAX(error) AS error FROM inbound_webhook WHERE source = $1";
    Ok(sql.one(text, [source.into()]).await?.unwrap_or_default())
}

/// Under what webhooks of a gateway are stored.
pub(crate) fn source(gateway: &str) -> String {
    format!("gateway:{gateway}")
}

/// Stores a webhook and has it applied. One that is stored already is accepted and changes nothing.
///
/// # Errors
/// A fault of the database.
pub async fn accept(
    tx: &Tx,
    gateways: &Gateways,
    gateway: &str,
    request: &RawRequest,
) -> Result<Result<(), WebhookRefused>, Fault> {
    let Some(found) = gateways.find(gateway) else {
        return Ok(Err(WebhookRefused::UnknownGateway { gateway: gateway.to_owned() }));
    };
    let Some(secret) = db::settings::get::<String>(tx, &secret_setting(gateway)).await? else {
        return Ok(Err(WebhookRefused::NoSecret { gateway: gateway.to_owned() }));
    };
    let source_id = match found.verify(&secret, request) {
        Ok(id) => id,
        Err(BadWebhook::Signature) => return Ok(Err(WebhookRefused::BadSignature)),
        Err(BadWebhook::Unreadable(what)) => return Ok(Err(WebhookRefused::Unreadable { what })),
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
    let stored = tx
        .touched(
            "INSERT INTO inbound_webhook (id, source, source_id, received_at, headers, body) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (source, source_id) DO NOTHING",
            [
                id.into(),
                source(gateway).into(),
                source_id.into(),
                tx.now().into(),
                serde_json::to_string(&request.headers)?.into(),
                body.into(),
            ],
        )
        .await?;
    if stored > 0 {
        tx.enqueue(tx.now(), &[(ApplyWebhook { gateway: gateway.to_owned(), webhook: id }, None)]).await?;
    }
    Ok(Ok(()))
}

/// Applies what a gateway sent, up to and including one webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplyWebhook {
    gateway: String,
    webhook: WebhookId,
}

#[derive(FromRow)]
struct Stored {
    id: WebhookId,
    headers: String,
    body: String,
}

impl Job for ApplyWebhook {
    const NAME: &'static str = "payments.apply_webhook";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let gateways = ctx.parts.get::<Gateways>()?;
        let actor = Actor::of("gateway", &self.gateway);
        let waits = db::write!(ctx.db, &actor, |tx| apply(tx, &gateways, self).await)?;
        match waits {
            Some(why) => Err(Fault::broken(why)),
            None => Ok(()),
        }
    }
}

/// Applies the open webhooks; why the one of the job still waits, if it does.
async fn apply(tx: &Tx, gateways: &Gateways, job: &ApplyWebhook) -> Result<Option<String>, Fault> {
    let gateway =
        gateways.find(&job.gateway).ok_or_else(|| Fault::broken(format!("no gateway “{}”", job.gateway)))?;
    let text = "SELECT id, headers, body FROM inbound_webhook WHERE source = $1 AND id <= $2 AND applied_at IS NULL ORDER BY id \
                /*pg FOR UPDATE */";
    let open: Vec<Stored> = tx.all(text, [source(&job.gateway).into(), job.webhook.into()]).await?;
    let mut read: Vec<(WebhookId, Result<Vec<GatewayFact>, String>)> = Vec::new();
    for stored in open {
        let headers: Vec<(String, String)> = serde_json::from_str(&stored.headers)?;
        let facts = gateway.webhook(&RawRequest { headers, body: stored.body.into_bytes() });
        read.push((stored.id, facts.map_err(|bad| format!("{bad:?}"))));
    }
    let all: Vec<&GatewayFact> = read.iter().filter_map(|(_, facts)| facts.as_ref().ok()).flatten().collect();
    let known = Known::find(tx, &job.gateway, &all).await?;
    let payments: Vec<PaymentId> = all.iter().filter_map(|f| known.payment(&f.subject)).collect();
    let mut ledger = Ledger::lock(tx, payments).await?;
    let mut rows = Rows::new("id BIGINT, applied_at BIGINT?, error TEXT?");
    let mut waits = None;
    for (id, facts) in &read {
        let (applied, error) = match facts {
            Err(unreadable) => (true, Some(unreadable.clone())),
            Ok(facts) => match facts.iter().find(|f| known.payment(&f.subject).is_none()) {
                Some(stranger) => (false, Some(format!("there is no payment for {:?}", stranger.subject))),
                None => {
                    for fact in facts {
                        if let Some(payment) = known.payment(&fact.subject) {
                            call::push(tx, &mut ledger, payment, known.operation(&fact.subject), fact)?;
                        }
                    }
                    (true, None)
                }
            },
        };
        if !applied && *id == job.webhook {
            waits = error.clone();
        }
        rows.push([(*id).into(), applied.then(|| tx.now()).into(), error.into()]);
    }
    ledger.save(tx).await?;
    let text = "UPDATE inbound_webhook SET applied_at = input.applied_at, error = input.error FROM input WHERE inbound_webhook.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(waits)
}

/// The payments that facts are about, of one gateway.
struct Known {
    operations: HashMap<OperationId, (PaymentId, FactKind)>,
    payments: HashMap<PaymentId, PaymentId>,
    references: HashMap<String, PaymentId>,
}

#[derive(FromRow)]
struct OfOperation {
    id: OperationId,
    payment_id: PaymentId,
    kind: Act,
}
#[derive(FromRow)]
struct OfPayment {
    id: PaymentId,
    reference: Option<String>,
}

impl Known {
    async fn find(tx: &Tx, gateway: &str, facts: &[&GatewayFact]) -> Result<Self, Fault> {
        let (mut operations, mut payments, mut references) =
            (Rows::new("id BIGINT"), Rows::new("id BIGINT"), Rows::new("reference TEXT"));
        for fact in facts {
            match &fact.subject {
                Subject::Operation(id) => operations.push([(*id).into()]),
                Subject::Payment(id) => payments.push([(*id).into()]),
                Subject::Reference(text) => references.push([text.as_str().into()]),
                Subject::Asked => {}
            }
        }
        let text = "SELECT o.id, o.payment_id, o.kind FROM payment_operation o JOIN payment p ON p.id = o.payment_id \
                    WHERE p.gateway = $1 AND o.id IN (SELECT id FROM input)";
        let of_operations: Vec<OfOperation> = tx.all_from(&operations, text, [gateway.into()]).await?;
        let text =
            "SELECT p.id, p.reference FROM payment p WHERE p.gateway = $1 AND p.id IN (SELECT id FROM input)";
        let of_payments: Vec<OfPayment> = tx.all_from(&payments, text, [gateway.into()]).await?;
        let text = "SELECT p.id, p.reference FROM payment p WHERE p.gateway = $1 AND p.reference IN (SELECT reference FROM input)";
        let of_references: Vec<OfPayment> = tx.all_from(&references, text, [gateway.into()]).await?;
        Ok(Self {
            operations: of_operations.into_iter().map(|o| (o.id, (o.payment_id, o.kind.fact()))).collect(),
            payments: of_payments.into_iter().map(|p| (p.id, p.id)).collect(),
            references: of_references.into_iter().filter_map(|p| p.reference.map(|r| (r, p.id))).collect(),
        })
    }
    fn payment(&self, subject: &Subject) -> Option<PaymentId> {
        match subject {
            Subject::Asked => None,
            Subject::Operation(id) => self.operations.get(id).map(|(payment, _)| *payment),
            Subject::Payment(id) => self.payments.get(id).copied(),
            Subject::Reference(text) => self.references.get(text).copied(),
        }
    }
    fn operation(&self, subject: &Subject) -> Option<(OperationId, FactKind)> {
        match subject {
            Subject::Operation(id) => self.operations.get(id).map(|(_, kind)| (*id, *kind)),
            _ => None,
        }
    }
}
