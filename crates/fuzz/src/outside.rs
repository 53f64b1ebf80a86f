//! What outside parties send: webhooks, and answers to our calls. Invariant: what is not theirs by its signature is not read; what does
//! not read is never taken for success or failure.

use crate::{is_clean, texts};
use connectors::{carriers, gateways};
use contact::address::Address;
use kernel::Money;
use kernel::outside::HttpAnswer;
use payments::{Act, Answer, Ask, BadWebhook, Gateway, OperationId, PaymentId, RawRequest, Subject};
use shipping::ShipmentId;
use shipping::carrier::{Answer as Told, BuyAsk, Carrier, Consignment, VoidAsk};

const SECRET: &str = "a secret of sixteen";

fn request(header: &str, value: Option<String>, body: &[u8]) -> RawRequest {
    let headers = value.map(|v| (header.to_owned(), v)).into_iter().collect();
    RawRequest { headers, body: body.to_vec() }
}

/// The first line as the signature that came, the rest as the body.
fn parts(bytes: &[u8]) -> (String, &[u8]) {
    let at = bytes.iter().position(|b| *b == b'\n').unwrap_or(0);
    (String::from_utf8_lossy(&bytes[..at]).into_owned(), &bytes[at..])
}

pub(crate) fn gateway_webhook(bytes: &[u8]) {
    let (forged, rest) = parts(bytes);
    let sandbox = gateways::sandbox::Sandbox;
    let header = gateways::sandbox::SIGNATURE;
    for given in [None, Some(forged)] {
        let read = sandbox.verify(SECRET, &request(header, given.clone(), rest));
        assert_eq!(read, Err(BadWebhook::Signature), "{given:?}");
    }
    let signed = request(header, gateways::sandbox::sign(SECRET, bytes), bytes);
    let known = sandbox.verify(SECRET, &signed);
    assert!(!matches!(known, Err(BadWebhook::Signature)), "our own signature");
    let facts = match sandbox.webhook(&signed) {
        Ok(facts) => facts,
        Err(bad) => return assert!(matches!(bad, BadWebhook::Unreadable(why) if !why.is_empty())),
    };
    assert!(known.is_ok(), "a webhook with facts and without an id");
    for fact in &facts {
        assert!(fact.amount >= 0 && !fact.reference.is_empty() && fact.subject != Subject::Asked, "{fact:?}");
        // What is asked before it is stored keeps such texts out.
        let said = [Some(&fact.reference), fact.payment_reference.as_ref(), fact.detail.as_ref()];
        let clean = said.into_iter().flatten().all(|t| is_clean(t));
        assert!(clean || web::check_json(bytes).is_err(), "{fact:?}");
    }
    for other in gateways::all().0 {
        let _ = other.webhook(&signed);
        let _ = other.verify(SECRET, &signed);
    }
}

pub(crate) fn gateway_seeds() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"id":"m1","facts":[{"kind":"capture","phase":"succeeded","amount":1990,"reference":"r1","payment":"pay_0000000000001"}]}"#,
        r#"{"id":"m2","facts":[{"kind":"refund","phase":"failed","amount":0,"reference":"r2","operation":"pop_0000000000001","at":"2026-01-05T09:00:00Z","detail":"d"},{"kind":"fee","phase":"requested","amount":9223372036854775807,"reference":"é","payment_reference":"sbx_1"}]}"#,
        "sha256=00\n{\"id\":\"m\",\"facts\":[]}",
        r#"{"id":"m3","facts":[{"kind":"dispute","phase":"succeeded","amount":1e2,"reference":"\u0041","payment":"x"}],"more":1e999}"#,
    ])
}

pub(crate) fn carrier_webhook(bytes: &[u8]) {
    let (forged, rest) = parts(bytes);
    let table = carriers::rate_table::RateTable;
    let header = carriers::rate_table::SIGNATURE;
    for given in [None, Some(forged)] {
        let read = table.verify(SECRET, &request(header, given.clone(), rest));
        assert_eq!(read, Err(BadWebhook::Signature), "{given:?}");
    }
    // Both connectors sign alike.
    let signed = request(header, gateways::sandbox::sign(SECRET, bytes), bytes);
    let known = table.verify(SECRET, &signed);
    assert!(!matches!(known, Err(BadWebhook::Signature)), "our own signature");
    match table.webhook(&signed) {
        Ok(facts) => {
            assert!(known.is_ok());
            for fact in &facts {
                let said = [
                    Some(&fact.source_id),
                    Some(&fact.tracking_number),
                    fact.place.as_ref(),
                    fact.description.as_ref(),
                ];
                let clean = said.into_iter().flatten().all(|t| is_clean(t));
                assert!(clean || web::check_json(bytes).is_err(), "{fact:?}");
            }
        }
        Err(bad) => assert!(matches!(bad, BadWebhook::Unreadable(why) if !why.is_empty())),
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && carriers::rate_table::is_tracking_number(text)
    {
        assert!(text.len() == 20 && text.bytes().all(|b| b.is_ascii_digit()));
    }
}

pub(crate) fn carrier_seeds() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"id":"m1","events":[{"id":"e1","tracking_number":"00000000000000000017","status":"delivered","at":"2026-01-06T10:00:00+01:00","place":"Köln","description":"left"}]}"#,
        r#"{"id":"m2","events":[{"id":"e","tracking_number":"1","status":"in_transit","at":"2026-01-06T10:00:00Z"},{"id":"e","tracking_number":"1","status":"lost","at":"2026-01-06T10:00:00Z","place":null}]}"#,
        "sha256=zz\n{}",
        "00000000000000000017",
    ])
}

/// Status, a line, and the body of an answer. Neither connector ever calls, so whatever comes is not theirs: only `unknown` is true.
pub(crate) fn answers(bytes: &[u8]) {
    let (first, body) = parts(bytes);
    let status = first.parse().unwrap_or(200);
    let answer = HttpAnswer { status, headers: vec![("content-type".into(), first)], body: body.to_vec() };
    for act in [Act::Authorise, Act::Capture, Act::Void, Act::Refund] {
        let token = std::str::from_utf8(body).ok().map(|t| t.trim().to_owned());
        let ask = ask(act, token, i64::from(status) * 4_001);
        for gateway in gateways::all().0 {
            assert!(matches!(gateway.read(&ask, &answer), Answer::Unknown(_)), "{}", gateway.card().code);
            let plan =
                [gateway.authorise(&ask), gateway.capture(&ask), gateway.void(&ask), gateway.refund(&ask)];
            let again =
                [gateway.authorise(&ask), gateway.capture(&ask), gateway.void(&ask), gateway.refund(&ask)];
            assert_eq!(plan, again, "{}: the same ask, another plan", gateway.card().code);
        }
    }
    let consignment = consignment();
    let buy = BuyAsk {
        shipment: ShipmentId(7),
        key: "k".into(),
        service: "s".into(),
        consignment: consignment.clone(),
    };
    let void = VoidAsk { shipment: ShipmentId(7), tracking_number: "1".into() };
    let table = carriers::rate_table::RateTable;
    assert!(matches!(table.read_quote(&consignment, &answer), Told::Unknown(_)));
    assert!(matches!(table.read_buy(&buy, &answer), Told::Unknown(_)));
    assert!(matches!(table.read_void(&void, &answer), Told::Unknown(_)));
}

fn ask(act: Act, token: Option<String>, amount: i64) -> Ask {
    let money = Money::new(amount, "EUR".parse().expect("a currency"));
    Ask {
        payment: PaymentId(1),
        operation: OperationId(2),
        key: OperationId(2).to_string(),
        act,
        method: "card".into(),
        token,
        reference: None,
        currency: money.currency,
        amount: money.minor,
        attempt: 1,
    }
}

fn consignment() -> Consignment {
    Consignment {
        carrier: "post".into(),
        from: Address::default(),
        to: Address::default(),
        weight_g: 1,
        dims: None,
        reference: "1".into(),
        rate_cards: Vec::new(),
    }
}
