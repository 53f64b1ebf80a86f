//! The carrier of rate cards: prices from the merchant's own tables, numbers of its own, tracking by a signed webhook. It serves every
//! carrier code that has rate cards and no connector.
//!
//! Invariants: the same shipment always gets the same number; a mistyped digit of a number is noticed by its check digit; a webhook
//! without the merchant's signature is not read.

use hmac::{Hmac, KeyInit, Mac};
use kernel::Timestamp;
use kernel::outside::HttpAnswer;
use payments::{BadWebhook, RawRequest};
use serde::Deserialize;
use sha2::Sha256;
use shipping::carrier::{Answer, Bought, BuyAsk, Card, Carrier, Consignment, Plan, TrackFact, VoidAsk};
use shipping::rate::{Parcel, Quote, RateCard};
use shipping::{ShipmentId, Status};

/// The header that carries the signature of a webhook.
pub const SIGNATURE: &str = "carrier-signature";

const DOCUMENTATION: &str = "\
Prices come from the rate cards (`PUT /v1/rate-cards`). Labels are bought at once and carry a number of twenty digits whose last one is
a check digit.

Tracking comes in as `POST /v1/webhooks/carriers/{carrier}` with the body

```json
{\"id\": \"msg-1\", \"events\": [{\"id\": \"e-1\", \"tracking_number\": \"…\", \"status\": \"in_transit\",
  \"at\": \"2026-11-21T08:30:00Z\", \"place\": \"Leipzig\", \"description\": \"Sorted\"}]}
```

and the header `Carrier-Signature: sha256=…`, the HMAC-SHA256 of the body with the webhook secret in hexadecimal. Statuses: `in_transit`,
`out_for_delivery`, `attempt_failed`, `available_for_pickup`, `exception`, `lost`, `delivered`, `returned_to_sender`. A message that
comes twice counts once, and so does an event.";

/// The carrier of rate cards.
#[derive(Debug, Clone, Copy, Default)]
pub struct RateTable;

/// The body of a webhook.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    id: String,
    events: Vec<Told>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    id: String,
    tracking_number: String,
    status: Status,
    at: Timestamp,
    #[serde(default)]
    place: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

/// The number of a shipment: its id in nineteen digits, and a check digit.
pub fn tracking_number(shipment: ShipmentId) -> String {
    let digits = format!("{:019}", shipment.0);
    let check = check_digit(&digits);
    format!("{digits}{check}")
}

/// The check digit of GS1: weights 3 and 1 from the right, up to the next ten.
fn check_digit(digits: &str) -> u32 {
    let weighted = |(i, d): (usize, char)| d.to_digit(10).unwrap_or(0) * if i % 2 == 0 { 3 } else { 1 };
    let sum: u32 = digits.chars().rev().enumerate().map(weighted).sum();
    (10 - sum % 10) % 10
}

/// Whether a number is one of ours, by its check digit.
pub fn is_tracking_number(text: &str) -> bool {
    let all_digits = text.len() == 20 && text.bytes().all(|b| b.is_ascii_digit());
    all_digits && text.ends_with(&check_digit(&text[..19]).to_string())
}

fn parcel(ask: &Consignment) -> Parcel<'_> {
    Parcel {
        from_country: &ask.from.country,
        country: &ask.to.country,
        postal_code: ask.to.postal_code.as_deref(),
        weight_g: ask.weight_g,
        dims: ask.dims,
    }
}

fn unreadable() -> String {
    "this carrier is never called".to_owned()
}

fn read(request: &RawRequest) -> Result<Message, BadWebhook> {
    serde_json::from_slice(&request.body).map_err(|e| BadWebhook::Unreadable(e.to_string()))
}

impl Carrier for RateTable {
    fn card(&self) -> Card {
        Card { code: "rate_table", name: "Rate cards", documentation: DOCUMENTATION, by_rate_cards: true }
    }
    fn quote(&self, ask: &Consignment) -> Plan<Vec<Quote>> {
        Plan::Settled(Answer::Done(
            ask.rate_cards.iter().filter_map(|card| card.quote(&parcel(ask))).collect(),
        ))
    }
    fn buy(&self, ask: &BuyAsk) -> Plan<Bought> {
        let of_service = |card: &&std::sync::Arc<RateCard>| card.service == ask.service;
        let mut quotes = ask
            .consignment
            .rate_cards
            .iter()
            .filter(of_service)
            .filter_map(|card| card.quote(&parcel(&ask.consignment)));
        let Some(quote) = quotes.next() else {
            let why = format!("its service “{}” does not carry this parcel there", ask.service);
            return Plan::Settled(Answer::Declined(why));
        };
        Plan::Settled(Answer::Done(Bought {
            tracking_number: tracking_number(ask.shipment),
            cost: quote.cost,
            max_days: Some(quote.max_days),
        }))
    }
    fn void(&self, _: &VoidAsk) -> Plan<()> {
        Plan::Settled(Answer::Done(()))
    }
    fn read_quote(&self, _: &Consignment, _: &HttpAnswer) -> Answer<Vec<Quote>> {
        Answer::Unknown(unreadable())
    }
    fn read_buy(&self, _: &BuyAsk, _: &HttpAnswer) -> Answer<Bought> {
        Answer::Unknown(unreadable())
    }
    fn read_void(&self, _: &VoidAsk, _: &HttpAnswer) -> Answer<()> {
        Answer::Unknown(unreadable())
    }
    fn verify(&self, secret: &str, request: &RawRequest) -> Result<String, BadWebhook> {
        let hex = request.header(SIGNATURE).and_then(|h| h.strip_prefix("sha256="));
        let given = hex.and_then(bytes).ok_or(BadWebhook::Signature)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| BadWebhook::Signature)?;
        mac.update(&request.body);
        mac.verify_slice(&given).map_err(|_| BadWebhook::Signature)?;
        let message = read(request)?;
        if message.id.is_empty() {
            return Err(BadWebhook::Unreadable("it has no id".to_owned()));
        }
        Ok(message.id)
    }
    fn webhook(&self, request: &RawRequest) -> Result<Vec<TrackFact>, BadWebhook> {
        let fact = |told: Told| TrackFact {
            tracking_number: told.tracking_number,
            source_id: told.id,
            status: told.status,
            at: told.at,
            place: told.place,
            description: told.description,
        };
        Ok(read(request)?.events.into_iter().map(fact).collect())
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let pair = |p: &[u32]| u8::try_from(p[0] * 16 + p[1]).ok();
    (digits.len().is_multiple_of(2)).then(|| digits.chunks(2).map(pair).collect::<Option<_>>()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(secret: &str, body: &str) -> RawRequest {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        RawRequest { headers: vec![(SIGNATURE.into(), format!("sha256={hex}"))], body: body.into() }
    }

    const BODY: &str = r#"{"id":"m1","events":[{"id":"e1","tracking_number":"1","status":"delivered","at":"2026-11-21T08:30:00Z"}]}"#;

    #[test]
    fn numbers_are_the_shipments_own_and_notice_a_mistyped_digit() {
        let number = tracking_number(ShipmentId(3_702_894_000_123_456_789));
        assert_eq!(
            (number.as_str(), number.len()),
            (tracking_number(ShipmentId(3_702_894_000_123_456_789)).as_str(), 20)
        );
        assert!(is_tracking_number(&number));
        for i in 0..20 {
            let mut digits: Vec<char> = number.chars().collect();
            digits[i] = if digits[i] == '9' { '0' } else { char::from(digits[i] as u8 + 1) };
            assert!(!is_tracking_number(&digits.into_iter().collect::<String>()), "digit {i}");
        }
        // An example of GS1: 629104150021 has the check digit 3.
        assert_eq!(check_digit("629104150021"), 3);
    }

    #[test]
    fn webhooks_are_read_only_with_the_right_signature() {
        let request = signed("s3cret", BODY);
        assert_eq!(RateTable.verify("s3cret", &request), Ok("m1".to_owned()));
        assert_eq!(RateTable.verify("other", &request), Err(BadWebhook::Signature));
        let mut changed = request.clone();
        changed.body.push(b' ');
        assert_eq!(RateTable.verify("s3cret", &changed), Err(BadWebhook::Signature));
        assert_eq!(
            RateTable.verify("s3cret", &RawRequest { headers: vec![], body: BODY.into() }),
            Err(BadWebhook::Signature)
        );
        let facts = RateTable.webhook(&request).unwrap();
        assert_eq!(facts, RateTable.webhook(&request).unwrap());
        assert_eq!((facts[0].source_id.as_str(), facts[0].status), ("e1", Status::Delivered));
    }

    #[test]
    fn what_does_not_read_is_named() {
        for body in
            ["", "{", r#"{"id":"m"}"#, &BODY.replace("delivered", "teleported"), &BODY[..BODY.len() / 2]]
        {
            assert!(
                matches!(RateTable.webhook(&signed("s", body)), Err(BadWebhook::Unreadable(_))),
                "{body}"
            );
        }
    }
}
