//! Risk as a whole: monotone whatever the labels, calibrated on orders not seen, reasons in words, rules that cannot break.

use super::learn::{Labelled, NotLearned, learn, quality};
use super::synthetic::orders;
use super::*;
use proptest::prelude::*;

fn signals() -> impl Strategy<Value = Signals> {
    let counts = (0u32..30, 0u32..30, 0u32..30, 0u32..30, 0u32..4, 0u32..20);
    let rest = (any::<bool>(), proptest::option::of(0u32..100_000), 0.0f64..30.0);
    (counts, rest).prop_map(
        |((device_24h, email_24h, ip_24h, card_24h, countries_differ, address_reuse), rest)| Signals {
            device_24h,
            email_24h,
            ip_24h,
            card_24h,
            countries_differ,
            address_reuse,
            disposable_email: rest.0,
            minutes_since_sign_up: rest.1,
            amount_ratio: rest.2,
        },
    )
}

/// The same order with one signal worse.
fn worse(s: Signals, which: usize, by: u32) -> Signals {
    match which {
        0 => Signals { device_24h: s.device_24h + by, ..s },
        1 => Signals { email_24h: s.email_24h + by, ..s },
        2 => Signals { ip_24h: s.ip_24h + by, ..s },
        3 => Signals { card_24h: s.card_24h + by, ..s },
        4 => Signals { countries_differ: s.countries_differ + by, ..s },
        5 => Signals { disposable_email: true, ..s },
        6 => Signals {
            minutes_since_sign_up: Some(s.minutes_since_sign_up.unwrap_or(500_000) / (1 + by)),
            ..s
        },
        7 => Signals { amount_ratio: s.amount_ratio + f64::from(by), ..s },
        _ => Signals { address_reuse: s.address_reuse + by, ..s },
    }
}

#[test]
fn learned_weights_beat_experience_and_mean_what_they_say() {
    let all = orders(6_000, 1);
    let (seen, unseen) = all.split_at(4_000);
    let model = learn(seen).unwrap();
    let of = |model: &Model| {
        quality(unseen.iter().map(|l| (assess(model, &l.signals).probability, l.bad)).collect())
    };
    let (learned, experience) = (of(&model), of(&Model::default()));
    // A quarter of the bad ones are unlike any pattern: 0.88 is about what anything can reach.
    assert!(learned.auc > 0.85 && learned.auc >= experience.auc - 0.005, "{learned:?} {experience:?}");
    assert!(learned.log_loss < 0.6 * learned.base_loss, "{learned:?}");
    assert!(learned.calibration_error < 0.015, "{learned:?}");
    assert!(learned.log_loss < experience.log_loss);
}

#[test]
fn reasons_are_in_plain_words_strongest_first() {
    let s = Signals {
        device_24h: 9,
        minutes_since_sign_up: Some(4),
        countries_differ: 2,
        amount_ratio: 12.3,
        ..Signals::default()
    };
    let found = assess(&Model::default(), &s);
    let texts: Vec<&str> = found.reasons.iter().map(|r| r.text.as_str()).collect();
    assert_eq!(texts[0], "9 other orders from this device in 24 hours");
    assert!(texts.contains(&"bought 4 minutes after signing up"));
    assert!(texts.contains(&"12.3 times the usual amount"));
    assert!(found.reasons.is_sorted_by(|a, b| a.factor >= b.factor));
    let calm = assess(&Model::default(), &Signals { amount_ratio: 1.0, ..Signals::default() });
    assert_eq!((calm.score, calm.reasons.len()), (0, 0));
    assert!(calm.probability < 0.005 && found.probability > 0.3);
}

#[test]
fn too_few_labels_are_not_learned_from() {
    let good = Labelled { signals: Signals::default(), bad: false };
    assert_eq!(learn(&[good; 50]), Err(NotLearned::TooFew { good: 50, bad: 0 }));
}

#[test]
fn quality_by_hand() {
    let q = quality(vec![(0.1, false), (0.4, true), (0.4, false), (0.8, true)]);
    assert!((q.auc - 0.875).abs() < 1e-12);
    assert!((q.base_loss - 2f64.ln()).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    /// Labels drawn without regard to the signals, or against them, must not turn a signal round.
    #[test]
    fn a_worse_signal_never_lowers_the_risk(
        labels in proptest::collection::vec((signals(), any::<bool>()), 60..90),
        probes in proptest::collection::vec((signals(), 0usize..9, 1u32..9), 60),
    ) {
        let labels: Vec<Labelled> = labels.into_iter().map(|(signals, bad)| Labelled { signals, bad }).collect();
        let mut models = vec![Model::default()];
        models.extend(learn(&labels));
        for model in &models {
            for (s, which, by) in &probes {
                let (before, after) = (assess(model, s), assess(model, &worse(*s, *which, *by)));
                prop_assert!(after.probability >= before.probability - 1e-12, "{:?} {}", s, which);
                prop_assert!(after.score >= before.score);
                prop_assert!((0.0..=1.0).contains(&before.probability));
            }
        }
    }
}

#[cfg(feature = "rules")]
mod of_rules {
    use super::super::rules::{Action, BadRule, Extra, Rule, Rules};
    use super::*;
    use std::collections::BTreeMap;

    fn rule(name: &str, when: &str, then: Action) -> Rule {
        Rule { name: name.into(), when: when.into(), then }
    }

    fn extra() -> BTreeMap<String, Extra> {
        BTreeMap::from([
            ("total".into(), Extra::Whole(12_900)),
            ("email".into(), Extra::Text("a@b.example".into())),
        ])
    }

    #[test]
    fn the_strictest_rule_decides_and_accepting_overrules_the_model_alone() {
        let rules = [
            rule("staff", r#"order.email.endsWith("@b.example")"#, Action::Accept),
            rule("many devices", "order.device_24h >= 5", Action::Hold),
            rule("large and abroad", "order.total > 10000 && order.countries_differ >= 2", Action::Reject),
        ];
        let rules = Rules::compile(&rules, &extra()).unwrap();
        let decide = |s: Signals| {
            let sure = Assessment { probability: 0.9, score: 90, reasons: vec![] };
            rules.decide(&s, &sure, &extra(), 0.5)
        };
        assert_eq!(decide(Signals::default()).action, Action::Accept);
        assert_eq!(decide(Signals { device_24h: 6, ..Signals::default() }).action, Action::Hold);
        let found = decide(Signals { device_24h: 6, countries_differ: 3, ..Signals::default() });
        assert_eq!(found.action, Action::Reject);
        assert_eq!(found.because, ["staff", "many devices", "large and abroad"]);
    }

    #[test]
    fn bad_rules_are_refused_and_a_missing_field_holds() {
        let refused = |when: &str| Rules::compile(&[rule("x", when, Action::Hold)], &extra()).err();
        assert!(matches!(refused("order.total >"), Some(BadRule::Syntax { .. })));
        assert!(matches!(refused("order.nothing > 1"), Some(BadRule::Meaning { .. })));
        assert!(matches!(refused("order.total"), Some(BadRule::Meaning { .. })));
        assert!(matches!(refused(&"(".repeat(3_000)), Some(BadRule::TooLong { .. })));
        assert!(matches!(refused(&"!".repeat(1_000)), Some(BadRule::TooLong { .. })));
        let rules = Rules::compile(&[rule("x", "order.total > 1", Action::Accept)], &extra()).unwrap();
        let calm = Assessment { probability: 0.0, score: 0, reasons: vec![] };
        let found = rules.decide(&Signals::default(), &calm, &BTreeMap::new(), 0.5);
        assert_eq!(found.action, Action::Hold);
        assert!(found.because[0].contains("could not be decided"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-z0-9 .()\\[\\]{}!<>=&|?:'\"+*/%-]{0,40}") {
            let _ = Rules::compile(&[rule("x", &text, Action::Hold)], &extra());
        }
    }
}
