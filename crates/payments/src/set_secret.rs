//! Set the secret that a gateway signs its webhooks with. Invariant: it is kept and never shown again, neither by a page nor in an event.

use crate::gateway::Gateways;
use crate::webhook::secret_setting;
use db::{Tx, settings};
use kernel::{Fault, Secret, Timestamp, refusals};
use serde::{Deserialize, Serialize};

/// Characters of a secret at least.
pub const SHORTEST: usize = 16;

/// The secret of a gateway from now on.
#[derive(Debug, Clone)]
pub struct SetSecret {
    /// When.
    pub at: Timestamp,
    /// The gateway's code.
    pub gateway: String,
    /// What it signs with.
    pub secret: Secret<String>,
}

refusals! {
    /// Why a secret is not taken.
    pub enum SetSecretRefused {
        UnknownGateway { gateway: String } => NotFound, "payments.unknown_gateway", "There is no gateway “{gateway}”.";
        NoWebhooks { gateway: String } => Conflict, "payments.no_webhooks", "{gateway} sends no webhooks, and needs no secret.";
        ShortSecret { least: usize } => Invalid, "payments.short_secret", "A secret has at least {least} characters.";
    }
}

/// The secret of a gateway's webhooks was set. What it is, is nowhere but in the settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GatewaySecretSet {
    /// The gateway's code.
    pub gateway: String,
}
kernel::fact!(GatewaySecretSet, "gateway.secret_set");

/// Sets secrets: one outcome per item, in order.
///
/// # Errors
/// A fault of the database.
pub async fn set_secrets(
    tx: &Tx,
    gateways: &Gateways,
    batch: &[SetSecret],
) -> Result<Vec<Result<(), SetSecretRefused>>, Fault> {
    let (mut outcomes, mut secrets) = (Vec::with_capacity(batch.len()), Vec::new());
    for set in batch {
        let outcome = decide(gateways, set);
        if outcome.is_ok() {
            secrets.push((secret_setting(&set.gateway), set.secret.expose().as_str().into()));
            let fact = GatewaySecretSet { gateway: set.gateway.clone() };
            tx.record(set.at, format_args!("gateway:{}", set.gateway), None, fact)?;
        }
        outcomes.push(outcome);
    }
    settings::set_all(tx, secrets).await?;
    Ok(outcomes)
}

fn decide(gateways: &Gateways, set: &SetSecret) -> Result<(), SetSecretRefused> {
    let gateway = set.gateway.clone();
    match gateways.find(&gateway).map(|g| g.card()) {
        None => Err(SetSecretRefused::UnknownGateway { gateway }),
        Some(card) if !card.webhooks => Err(SetSecretRefused::NoWebhooks { gateway }),
        Some(_) if set.secret.expose().trim().chars().count() < SHORTEST => {
            Err(SetSecretRefused::ShortSecret { least: SHORTEST })
        }
        Some(_) => Ok(()),
    }
}
