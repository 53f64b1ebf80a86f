//! What comes in by itself: messages of the gateway and of carriers, and what others send in their names; and what people do about what
//! goes out. Invariant: who cannot sign changes nothing.

use super::ship::rank;
use crate::Trouble;
use crate::outside::{News, forged, signed};
use crate::sim::Sim;
use crate::step::{Hook, No};
use automation::subscribe::Change;
use automation::{MailId, replay, send};
use payments::{Gateways, RawRequest};

impl Sim {
    /// Messages come in.
    pub(crate) async fn messages(&mut self, seed: u64) -> Result<usize, Trouble> {
        Ok(self.of_gateway(seed).await? + self.of_carriers(seed).await?)
    }
    async fn of_gateway(&mut self, seed: u64) -> Result<usize, Trouble> {
        let messages = self.world.look().messages(seed);
        if messages.is_empty() {
            return Ok(0);
        }
        let gateways = self.ctx.parts.get::<Gateways>()?;
        let (mut requests, mut lies) = (Vec::new(), Vec::new());
        for message in &messages {
            let body = serde_json::to_vec(message).map_err(kernel::Fault::from)?;
            let with = |secret: &str| vec![("sim-secret".into(), secret.into())];
            lies.push(RawRequest { headers: with("guessed"), body: body.clone() });
            requests.push(RawRequest { headers: with("sim"), body });
        }
        let believed = db::write!(self.db, &self.by, |tx| {
            for request in &requests {
                let taken = payments::webhook::accept(tx, &gateways, "sim", request).await?;
                taken
                    .map_err(|refused| kernel::Fault::broken(format!("a message was refused: {refused}")))?;
            }
            let mut believed = 0;
            for lie in &lies {
                let taken = payments::webhook::accept(tx, &gateways, "sim", lie).await?;
                believed +=
                    usize::from(!matches!(taken, Err(payments::webhook::WebhookRefused::BadSignature)));
            }
            Ok(believed)
        })?;
        match believed {
            0 => Ok(messages.len()),
            _ => Err(Trouble::new("webhooks.forged", "a message with another secret was believed")),
        }
    }
    async fn of_carriers(&mut self, seed: u64) -> Result<usize, Trouble> {
        let news = self.world.look().news(seed);
        for message in &news {
            let (request, carriers) = (signed(message), self.carriers.clone());
            let taken = db::write!(self.db, &self.by, |tx| {
                shipping::webhook::accept(tx, &carriers, &message.carrier, &request).await
            })?;
            if let Err(refused) = taken {
                return Err(Trouble::new("webhooks.taken", format!("{message:?}: {refused}")));
            }
            for event in &message.events {
                // Told in another message before: it counts once.
                if self.model.heard.insert(event.id.clone())
                    && let Some(sent) = self.model.sent.get_mut(&event.shipment)
                {
                    sent.told.push(rank(event.status));
                }
            }
        }
        Ok(news.len())
    }
    /// A message that its carrier did not sign is refused; the model hears nothing of it.
    pub(crate) async fn refused(&mut self, news: &News) -> Result<(), Trouble> {
        let (lies, carriers) = (forged(news), self.carriers.clone());
        for lie in &lies {
            let taken = db::write!(self.db, &self.by, |tx| {
                shipping::webhook::accept(tx, &carriers, &news.carrier, lie).await
            })?;
            if !matches!(taken, Err(shipping::webhook::WebhookRefused::BadSignature)) {
                return Err(Trouble::new("webhooks.forged", format!("{lie:?}: {taken:?}")));
            }
            self.heard(&[Ok::<_, ()>("refused")]);
        }
        Ok(())
    }
    /// A receiver of webhooks is switched off, or on again with all that died meanwhile.
    pub(crate) async fn hook(&mut self, endpoint: usize, what: Hook) -> Result<(), Trouble> {
        let (at, on) = (self.at(), what == Hook::On);
        let Some(id) = self.shop.endpoints.get(endpoint).copied() else { return Ok(()) };
        let change = Change { at, endpoint: id, url: None, kinds: None, active: Some(on), new_secret: false };
        let told = db::write!(self.db, &self.by, |tx| {
            let told = automation::subscribe::change(tx, std::slice::from_ref(&change)).await?;
            if on {
                replay::replay_dead(tx, &[replay::ReplayDead { at, endpoint: id }]).await?;
            }
            Ok(told)
        })?;
        // Not what was answered: it holds a secret.
        self.heard(&told.iter().map(|t| t.as_ref().map(|e| e.active)).collect::<Vec<_>>());
        Ok(())
    }
    /// The e-mails of an order are sent again.
    pub(crate) async fn resend(&mut self, no: No) -> Result<(), Trouble> {
        let known = self.known(&[no]);
        for (_, order) in known {
            let mails = automation::read::mails(self.db.read(), Some(order.0), false, None, 100).await?;
            let ids: Vec<MailId> = mails.iter().map(|m| m.id).collect();
            let told = db::write!(self.db, &self.by, |tx| send::send_again(tx, &ids).await)?;
            self.heard(&told);
            for id in ids {
                self.world.look().may_come_again(&id.to_string());
            }
        }
        Ok(())
    }
}
