//! Payments by hand: bank transfer and cash on delivery. Nobody is called; a person confirms what arrived, and pays refunds out.
//! Invariant: it never says that money arrived.

use kernel::outside::HttpAnswer;
use payments::{Answer, Ask, BadWebhook, Card, Gateway, GatewayFact, Phase, Plan, RawRequest, internal};

/// The manual gateway.
#[derive(Debug, Clone, Copy)]
pub struct Manual;

const DOCUMENTATION: &str = "\
Money that arrives by hand.

- `bank_transfer` waits until the transfer is confirmed with the reference of the bank statement (`POST /v1/payments/{id}/confirm`). It may
  arrive in parts, and after it was given up by a void.
- `cod` (cash on delivery) is authorised at once; what the carrier hands over is confirmed the same way.
- A refund counts as paid when it is granted: whoever grants it transfers the money or hands it out.
";

fn settled(ask: &Ask, phase: Phase) -> GatewayFact {
    GatewayFact::of(ask, phase, ask.key.clone())
}

impl Gateway for Manual {
    fn card(&self) -> Card {
        Card {
            code: internal::MANUAL,
            name: "Bank transfer and cash",
            documentation: DOCUMENTATION,
            webhooks: false,
            online: &[],
        }
    }
    fn authorise(&self, ask: &Ask) -> Plan {
        let phase = if ask.method == internal::COD { Phase::Succeeded } else { Phase::Requested };
        Plan::Settled(Answer::Facts(vec![settled(ask, phase)]))
    }
    fn capture(&self, ask: &Ask) -> Plan {
        Plan::Settled(Answer::Facts(vec![
            settled(ask, Phase::Failed).because("captured by confirming what arrived"),
        ]))
    }
    fn void(&self, ask: &Ask) -> Plan {
        Plan::Settled(Answer::Facts(vec![settled(ask, Phase::Succeeded)]))
    }
    fn refund(&self, ask: &Ask) -> Plan {
        Plan::Settled(Answer::Facts(vec![settled(ask, Phase::Succeeded)]))
    }
    fn query(&self, ask: &Ask) -> Plan {
        match ask.act {
            payments::Act::Authorise => self.authorise(ask),
            payments::Act::Capture => self.capture(ask),
            payments::Act::Void => self.void(ask),
            payments::Act::Refund => self.refund(ask),
        }
    }
    fn read(&self, _ask: &Ask, answer: &HttpAnswer) -> Answer {
        Answer::Unknown(format!("nobody was called, yet an answer of status {} came", answer.status))
    }
    fn verify(&self, _secret: &str, _request: &RawRequest) -> Result<String, BadWebhook> {
        Err(BadWebhook::Signature)
    }
    fn webhook(&self, _request: &RawRequest) -> Result<Vec<GatewayFact>, BadWebhook> {
        Err(BadWebhook::Unreadable("payments by hand send no webhooks".to_owned()))
    }
}
