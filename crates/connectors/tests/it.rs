//! Gateways without a database: the same ask gets the same answer, signatures hold, and nothing is said that was not asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use connectors::gateways::{all, sandbox};
use payments::{
    Act, Answer, Ask, BadWebhook, FactKind, Gateway, OperationId, PaymentId, Phase, Plan, RawRequest,
};

fn ask(act: Act, token: &str, attempt: i64) -> Ask {
    Ask {
        payment: PaymentId(1),
        operation: OperationId(2),
        key: OperationId(2).to_string(),
        act,
        method: "card".into(),
        token: Some(token.into()),
        reference: None,
        currency: "EUR".parse().unwrap(),
        amount: 1_000,
        attempt,
    }
}

fn plan(gateway: &dyn Gateway, ask: &Ask) -> Plan {
    match ask.act {
        Act::Authorise => gateway.authorise(ask),
        Act::Capture => gateway.capture(ask),
        Act::Void => gateway.void(ask),
        Act::Refund => gateway.refund(ask),
    }
}

/// Every token that the table of the documentation names.
fn tokens() -> Vec<String> {
    let text = sandbox::Sandbox.card().documentation;
    let named = text.split('`').filter(|word| word.starts_with("tok_")).map(str::to_owned);
    named.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[test]
fn every_documented_token_is_known_and_answers_the_same_twice() {
    assert!(tokens().len() >= 15, "{:?}", tokens());
    for token in tokens() {
        for act in Act::ALL {
            for attempt in 1..4 {
                let ask = ask(*act, &token, attempt);
                assert_eq!(plan(&sandbox::Sandbox, &ask), plan(&sandbox::Sandbox, &ask));
                assert_eq!(sandbox::Sandbox.query(&ask), sandbox::Sandbox.query(&ask));
                let Plan::Settled(answer) = plan(&sandbox::Sandbox, &ask) else {
                    panic!("the sandbox has no network")
                };
                if let Answer::Facts(facts) = answer {
                    let unknown = facts.iter().any(|f| f.detail.as_deref() == Some("unknown_token"));
                    assert!(!unknown, "{token} is documented");
                    assert!(facts.iter().all(|f| f.kind == act.fact() || f.kind == FactKind::Fee));
                }
            }
        }
    }
}

#[test]
fn a_question_never_contradicts_the_answer() {
    for token in tokens() {
        for act in Act::ALL {
            let ask = ask(*act, &token, 1);
            let Plan::Settled(Answer::Facts(said)) = plan(&sandbox::Sandbox, &ask) else { continue };
            let ended = said.iter().filter(|f| f.phase != Phase::Requested).count() > 0;
            if ended {
                assert_eq!(sandbox::Sandbox.query(&ask), Plan::Settled(Answer::Facts(said)), "{token} {act}");
            }
        }
    }
}

#[test]
fn only_the_right_secret_signs() {
    let body = br#"{"id":"m","facts":[]}"#.to_vec();
    let signed = |signature: String| RawRequest {
        headers: vec![(sandbox::SIGNATURE.into(), signature)],
        body: body.clone(),
    };
    let good = sandbox::sign("hush", &body).unwrap();
    assert_eq!(sandbox::Sandbox.verify("hush", &signed(good.clone())), Ok("m".to_owned()));
    for bad in
        ["", "sha256=", "sha256=zz", "sha256=abc", &good[..good.len() - 2], &good.replace("sha256=", "")]
    {
        assert_eq!(
            sandbox::Sandbox.verify("hush", &signed(bad.to_owned())),
            Err(BadWebhook::Signature),
            "{bad}"
        );
    }
    assert_eq!(sandbox::Sandbox.verify("other", &signed(good)), Err(BadWebhook::Signature));
}

#[test]
fn codes_are_unique_and_cards_say_what_they_are() {
    let cards: Vec<_> = all().0.iter().map(|g| g.card()).collect();
    let codes: std::collections::BTreeSet<_> = cards.iter().map(|c| c.code).collect();
    assert_eq!(codes.len(), cards.len());
    assert!(cards.iter().all(|c| !c.name.is_empty() && c.documentation.len() > 50));
}

#[test]
fn nothing_says_that_money_arrived_by_hand() {
    let manual = all();
    let manual = manual.find("manual").unwrap();
    for method in ["cod", "bank_transfer"] {
        for act in [Act::Authorise, Act::Capture] {
            let ask = Ask { method: method.into(), ..ask(act, "", 1) };
            for plan in [plan(manual, &ask), manual.query(&ask)] {
                let Plan::Settled(Answer::Facts(facts)) = plan else { panic!("nobody is called") };
                assert!(!facts.iter().any(|f| f.kind == FactKind::Capture && f.phase == Phase::Succeeded));
            }
        }
    }
}
