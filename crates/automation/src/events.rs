//! What this slice tells the world. Single deliveries are not told: an endpoint that listens to everything would hear of its own
//! deliveries for ever.

use crate::model::{EndpointId, MailId};
use kernel::fact;
use serde::{Deserialize, Serialize};

/// An endpoint was made or changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookSaved {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Where it is.
    pub url: String,
    /// What it hears.
    pub kinds: Vec<String>,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether it has a new secret with this change.
    pub new_secret: bool,
}
fact!(WebhookSaved, "webhook.saved");

/// An endpoint was removed with its deliveries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookRemoved {
    /// The endpoint.
    pub endpoint: EndpointId,
}
fact!(WebhookRemoved, "webhook.removed");

/// An endpoint said 410 Gone and was switched off.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookDeactivated {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Where it was.
    pub url: String,
}
fact!(WebhookDeactivated, "webhook.deactivated");

/// Somebody tries whether an endpoint hears. It goes to that endpoint alone, whatever it asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookTested {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// So that who reads it knows what it is.
    pub message: String,
}
fact!(WebhookTested, "webhook.tested");

/// Deliveries to an endpoint were put back into the queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookReplayed {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// How many.
    pub deliveries: i64,
}
fact!(WebhookReplayed, "webhook.replayed");

/// A mail server took an e-mail to a customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailSent {
    /// The e-mail.
    pub mail: MailId,
    /// Which.
    pub template: String,
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
}
fact!(MailSent, "mail.sent");

/// A merchant changed the text of an e-mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailTemplateChanged {
    /// Which.
    pub template: String,
    /// Whether it is our own text again.
    pub reset: bool,
}
fact!(MailTemplateChanged, "mail.template_changed");
