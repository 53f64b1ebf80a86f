//! Set the secret that a carrier signs its webhooks with. Invariant: it is kept and never shown again, neither by a page nor in an event.

use crate::cards::rate_cards;
use crate::carrier::Carriers;
use crate::webhook::secret_setting;
use db::{Tx, settings};
use kernel::{Fault, Secret, Timestamp};
use serde::{Deserialize, Serialize};

/// Characters of a secret at least.
const SHORTEST: usize = 16;

/// The secret of a carrier from now on.
#[derive(Debug, Clone)]
pub struct SetSecret {
    /// When.
    pub at: Timestamp,
    /// The carrier's code.
    pub carrier: String,
    /// What it signs with.
    pub secret: Secret<String>,
}

kernel::refusals! {
    /// Why a secret is not taken.
    pub enum SetSecretRefused {
        UnknownCarrier { carrier: String } => NotFound, "shipping.unknown_carrier", "There is no carrier “{carrier}”, neither a connector nor rate cards.";
        ShortSecret { least: usize } => Invalid, "shipping.short_secret", "A secret has at least {least} characters.";
    }
}

/// The secret of a carrier's webhooks was set. What it is, is nowhere but in the settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CarrierSecretSet {
    /// The carrier's code.
    pub carrier: String,
}
kernel::fact!(CarrierSecretSet, "carrier.secret_set");

/// Sets secrets: one outcome per item, in order.
///
/// # Errors
/// A fault of the database.
pub async fn set_secrets(
    tx: &Tx,
    carriers: &Carriers,
    batch: &[SetSecret],
) -> Result<Vec<Result<(), SetSecretRefused>>, Fault> {
    let cards = rate_cards(tx).await?;
    let (mut outcomes, mut secrets) = (Vec::with_capacity(batch.len()), Vec::new());
    for set in batch {
        let by_cards = cards.iter().any(|c| c.carrier == set.carrier);
        let outcome = if carriers.find(&set.carrier, by_cards).is_none() {
            Err(SetSecretRefused::UnknownCarrier { carrier: set.carrier.clone() })
        } else if set.secret.expose().trim().chars().count() < SHORTEST {
            Err(SetSecretRefused::ShortSecret { least: SHORTEST })
        } else {
            Ok(())
        };
        if outcome.is_ok() {
            secrets.push((secret_setting(&set.carrier), set.secret.expose().as_str().into()));
            let fact = CarrierSecretSet { carrier: set.carrier.clone() };
            tx.record(set.at, format_args!("carrier:{}", set.carrier), None, fact)?;
        }
        outcomes.push(outcome);
    }
    settings::set_all(tx, secrets).await?;
    Ok(outcomes)
}
