//! The sandbox: a gateway with no world behind it, for demos and tests. Invariant: what it answers follows from token, amount, operation
//! and attempt alone, so that the same ask always gets the same answer, and asking twice takes money once.

use hmac::{Hmac, KeyInit, Mac};
use kernel::Timestamp;
use kernel::money::round_div;
use kernel::outside::HttpAnswer;
use payments::{
    Act, Answer, Ask, BadWebhook, Card, FactKind, Gateway, GatewayFact, Phase, Plan, RawRequest, Subject,
};
use serde::Deserialize;
use sha2::Sha256;

/// The header that carries the signature.
pub const SIGNATURE: &str = "sandbox-signature";

/// What customers can pay with on a page: no money moves.
const ONLINE: &[(&str, &str, &str)] =
    &[("card", "tok_ok", "Test card"), ("card", "tok_declined", "Test card that is declined")];

/// The sandbox gateway.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

/// What is to become of an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Succeeds,
    SucceedsTwice,
    Fails(&'static str),
    NeedsAction {
        then: Option<&'static str>,
    },
    /// No answer; a query says it succeeded.
    TimesOut,
    /// No answer; a query says it never arrived; sent again, it succeeds.
    GetsLost,
    /// No answer; the first query says it is still at work, later ones that it succeeded.
    IsLate,
}

/// What becomes of an ask: the table of `docs/sandbox-gateway.md`.
fn fate(ask: &Ask) -> Fate {
    let token = ask.token.as_deref().unwrap_or("tok_ok");
    match ask.act {
        Act::Authorise => match token {
            "tok_ok" => by_amount(ask.amount),
            "tok_declined" => Fate::Fails("card_declined"),
            "tok_insufficient" => Fate::Fails("insufficient_funds"),
            "tok_action" => Fate::NeedsAction { then: None },
            "tok_action_declined" => Fate::NeedsAction { then: Some("authentication_failed") },
            "tok_timeout" => Fate::TimesOut,
            "tok_timeout_lost" => Fate::GetsLost,
            "tok_late" => Fate::IsLate,
            "tok_duplicate" => Fate::SucceedsTwice,
            _ if later(token).is_some() => Fate::Succeeds,
            _ => Fate::Fails("unknown_token"),
        },
        act => match (token, later(token)) {
            ("tok_duplicate", _) => Fate::SucceedsTwice,
            (_, Some((on, fate))) if on == act => fate,
            _ => Fate::Succeeds,
        },
    }
}

/// Tokens that authorise and have their say on a later act.
fn later(token: &str) -> Option<(Act, Fate)> {
    Some(match token {
        "tok_capture_fails" => (Act::Capture, Fate::Fails("authorisation_expired")),
        "tok_capture_timeout" => (Act::Capture, Fate::TimesOut),
        "tok_capture_lost" => (Act::Capture, Fate::GetsLost),
        "tok_void_fails" => (Act::Void, Fate::Fails("already_settled")),
        "tok_refund_fails" => (Act::Refund, Fate::Fails("account_closed")),
        "tok_refund_timeout" => (Act::Refund, Fate::TimesOut),
        "tok_refund_lost" => (Act::Refund, Fate::GetsLost),
        _ => return None,
    })
}

/// The last four digits of the minor amount choose, too.
fn by_amount(amount: i64) -> Fate {
    match amount % 10_000 {
        4002 => Fate::Fails("card_declined"),
        4008 => Fate::TimesOut,
        4051 => Fate::Fails("insufficient_funds"),
        4054 => Fate::Fails("expired_card"),
        4093 => Fate::NeedsAction { then: None },
        _ => Fate::Succeeds,
    }
}

fn reference(ask: &Ask) -> String {
    format!("sbx_{}_{}", ask.act, ask.key)
}

/// 2.9 % and 30 minor units of what is captured.
pub fn fee(captured: i64) -> i64 {
    round_div(i128::from(captured) * 29, 1000) + 30
}

fn succeeded(ask: &Ask) -> Vec<GatewayFact> {
    let mut fact = GatewayFact::of(ask, Phase::Succeeded, reference(ask));
    fact.payment_reference = Some(format!("sbx_{}", ask.payment));
    let mut facts = vec![fact];
    if ask.act == Act::Capture {
        let mut charged = GatewayFact::of(ask, Phase::Succeeded, format!("sbx_fee_{}", ask.key));
        charged.kind = FactKind::Fee;
        charged.amount = fee(ask.amount);
        facts.push(charged);
    }
    facts
}

fn failed(ask: &Ask, why: &str) -> Vec<GatewayFact> {
    vec![GatewayFact::of(ask, Phase::Failed, reference(ask)).because(why)]
}

fn at_work(ask: &Ask, action_url: Option<String>) -> Vec<GatewayFact> {
    vec![GatewayFact { action_url, ..GatewayFact::of(ask, Phase::Requested, reference(ask)) }]
}

fn answer(ask: &Ask) -> Answer {
    let no_answer = || Answer::Unknown("the sandbox did not answer in time".to_owned());
    match fate(ask) {
        Fate::Succeeds => Answer::Facts(succeeded(ask)),
        Fate::SucceedsTwice => Answer::Facts([succeeded(ask), succeeded(ask)].concat()),
        Fate::Fails(why) => Answer::Facts(failed(ask, why)),
        Fate::NeedsAction { .. } => {
            Answer::Facts(at_work(ask, Some(format!("/v1/sandbox/payments/{}/complete", ask.payment))))
        }
        // Sent again after it got lost, it arrives.
        Fate::GetsLost if ask.attempt > 1 => Answer::Facts(succeeded(ask)),
        Fate::TimesOut | Fate::GetsLost | Fate::IsLate => no_answer(),
    }
}

impl Gateway for Sandbox {
    fn card(&self) -> Card {
        Card {
            code: "sandbox",
            name: "Sandbox",
            documentation: include_str!("../../../../docs/sandbox-gateway.md"),
            webhooks: true,
            online: ONLINE,
        }
    }
    fn authorise(&self, ask: &Ask) -> Plan {
        Plan::Settled(answer(ask))
    }
    fn capture(&self, ask: &Ask) -> Plan {
        Plan::Settled(answer(ask))
    }
    fn void(&self, ask: &Ask) -> Plan {
        Plan::Settled(answer(ask))
    }
    fn refund(&self, ask: &Ask) -> Plan {
        Plan::Settled(answer(ask))
    }
    fn query(&self, ask: &Ask) -> Plan {
        Plan::Settled(match fate(ask) {
            Fate::GetsLost => Answer::NeverHappened,
            Fate::IsLate if ask.attempt <= 2 => Answer::Facts(at_work(ask, None)),
            Fate::IsLate | Fate::TimesOut => Answer::Facts(succeeded(ask)),
            _ => answer(ask),
        })
    }
    fn read(&self, _ask: &Ask, answer: &HttpAnswer) -> Answer {
        Answer::Unknown(format!("the sandbox has no network, yet an answer of status {} came", answer.status))
    }
    fn verify(&self, secret: &str, request: &RawRequest) -> Result<String, BadWebhook> {
        let given = request
            .header(SIGNATURE)
            .and_then(|h| h.strip_prefix("sha256="))
            .and_then(unhex)
            .ok_or(BadWebhook::Signature)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| BadWebhook::Signature)?;
        mac.update(&request.body);
        mac.verify_slice(&given).map_err(|_| BadWebhook::Signature)?;
        Ok(parse(request)?.id)
    }
    fn webhook(&self, request: &RawRequest) -> Result<Vec<GatewayFact>, BadWebhook> {
        parse(request)?.facts.into_iter().map(Told::into_fact).collect()
    }
    fn complete(&self, ask: &Ask) -> Vec<GatewayFact> {
        match fate(ask) {
            Fate::NeedsAction { then: Some(why) } => failed(ask, why),
            Fate::NeedsAction { then: None } => succeeded(ask),
            _ => Vec::new(),
        }
    }
}

/// The value of the signature header for a body.
pub fn sign(secret: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    Some(format!("sha256={hex}"))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|d| d.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The body of a webhook.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    id: String,
    facts: Vec<Told>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    kind: FactKind,
    phase: Phase,
    amount: i64,
    reference: String,
    operation: Option<String>,
    payment: Option<String>,
    payment_reference: Option<String>,
    at: Option<Timestamp>,
    detail: Option<String>,
}

fn parse(request: &RawRequest) -> Result<Message, BadWebhook> {
    serde_json::from_slice(&request.body).map_err(|e| BadWebhook::Unreadable(e.to_string()))
}

impl Told {
    fn into_fact(self) -> Result<GatewayFact, BadWebhook> {
        let unreadable = |e: kernel::ids::NotAnId| BadWebhook::Unreadable(e.to_string());
        let subject = match (&self.operation, &self.payment, &self.payment_reference) {
            (Some(operation), _, _) => Subject::Operation(operation.parse().map_err(unreadable)?),
            (None, Some(payment), _) => Subject::Payment(payment.parse().map_err(unreadable)?),
            (None, None, Some(reference)) => Subject::Reference(reference.clone()),
            (None, None, None) => {
                return Err(BadWebhook::Unreadable(
                    "a fact names its operation, payment or payment_reference".to_owned(),
                ));
            }
        };
        if self.amount < 0 || self.reference.is_empty() {
            return Err(BadWebhook::Unreadable(
                "a fact has an amount of zero or more and a reference".to_owned(),
            ));
        }
        Ok(GatewayFact {
            subject,
            kind: self.kind,
            phase: self.phase,
            amount: self.amount,
            reference: self.reference,
            payment_reference: self.payment_reference,
            at: self.at,
            detail: self.detail,
            action_url: None,
        })
    }
}
