//! The fold alone: any order and duplication of facts gives the same amounts, and contradictions are never lost.

use kernel::Timestamp;
use payments::fold::{Amounts, Entry, fold};
use payments::{FactKind, OperationId, Phase};
use proptest::prelude::*;

fn entry(
    id: i64,
    at: i64,
    kind: FactKind,
    phase: Phase,
    amount: i64,
    reference: &str,
    operation: Option<i64>,
) -> Entry {
    Entry {
        id,
        at: Timestamp(at),
        kind,
        phase,
        amount,
        reference: reference.into(),
        operation: operation.map(OperationId),
        detail: None,
    }
}

prop_compose! {
    fn any_entry()(
        at in 0i64..6,
        kind in prop::sample::select(FactKind::ALL),
        phase in prop::sample::select(Phase::ALL),
        amount in 0i64..2_000,
        reference in 0u8..4,
        operation in prop::option::of(0i64..3),
    ) -> Entry {
        entry(0, at, kind, phase, amount, &format!("r{reference}"), operation)
    }
}

/// Facts with ids of their own, some of them told again, in any order.
fn facts_and_shuffle() -> impl Strategy<Value = (Vec<Entry>, Vec<Entry>)> {
    prop::collection::vec(any_entry(), 0..25)
        .prop_map(|mut facts| {
            for (n, fact) in facts.iter_mut().enumerate() {
                fact.id = n as i64;
            }
            facts
        })
        .prop_flat_map(|facts| {
            let again = prop::collection::vec(any::<prop::sample::Index>(), 0..25);
            (Just(facts), again)
        })
        .prop_flat_map(|(facts, again)| {
            let mut more = facts.clone();
            if !facts.is_empty() {
                more.extend(again.iter().map(|i| i.get(&facts).clone()));
            }
            (Just(facts), Just(more).prop_shuffle())
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn order_and_duplication_change_nothing((facts, shuffled) in facts_and_shuffle(), amount in 0i64..4_000) {
        prop_assert_eq!(fold(amount, &facts), fold(amount, &shuffled));
    }
    #[test]
    fn what_went_out_is_within_what_came_in_unless_conflicted((facts, _) in facts_and_shuffle(), amount in 0i64..4_000) {
        let a = fold(amount, &facts).amounts;
        prop_assert!(a.conflicted || a.refunded + a.refund_pending + a.dispute_lost <= a.captured);
        prop_assert!(a.conflicted || a.captured <= a.authorised.max(amount));
        prop_assert!(a.authorised >= 0 && a.captured >= 0 && a.capturable() >= 0 && a.refundable() >= 0);
    }
    #[test]
    fn a_success_is_counted_whatever_comes_after((mut facts, _) in facts_and_shuffle(), captured in 1i64..500) {
        facts.push(entry(99, 3, FactKind::Capture, Phase::Succeeded, captured, "mine", None));
        let without: i64 = fold(1, &facts[..facts.len() - 1]).amounts.captured;
        prop_assert_eq!(fold(1, &facts).amounts.captured, without + captured);
    }
}

use FactKind::*;
use Phase::*;

/// Facts as (kind, phase, amount, reference, operation), a minute apart; what they fold to.
fn amounts(amount: i64, facts: &[(FactKind, Phase, i64, &str, Option<i64>)]) -> Amounts {
    let entries: Vec<Entry> =
        facts.iter().enumerate().map(|(n, f)| entry(n as i64, n as i64, f.0, f.1, f.2, f.3, f.4)).collect();
    fold(amount, &entries).amounts
}

#[test]
fn the_ways_of_a_payment() {
    let asked = (Authorise, Requested, 100, "op1", Some(1));
    let authorised = (Authorise, Succeeded, 100, "g1", Some(1));
    let a = amounts(100, &[asked]);
    assert!(a.authorise_pending && !a.failed && a.capturable() == 0);
    let a = amounts(100, &[asked, (Authorise, Failed, 100, "g1", Some(1))]);
    assert!(a.failed && !a.conflicted && !a.authorise_pending);
    let a = amounts(100, &[asked, authorised, (Capture, Requested, 60, "op2", Some(2))]);
    assert_eq!((a.authorised, a.capture_pending, a.capturable()), (100, 60, 40));
    let a = amounts(
        100,
        &[
            asked,
            authorised,
            (Capture, Requested, 60, "op2", Some(2)),
            (Capture, Succeeded, 60, "g2", Some(2)),
        ],
    );
    assert_eq!((a.captured, a.capture_pending, a.capturable(), a.refundable()), (60, 0, 40, 60));
    let a =
        amounts(100, &[authorised, (Capture, Succeeded, 60, "g2", None), (Void, Succeeded, 40, "g3", None)]);
    assert_eq!((a.captured, a.voided, a.capturable(), a.conflicted), (60, 40, 0, false));
    let a = amounts(100, &[authorised, (Expire, Succeeded, 100, "g4", None)]);
    assert!(a.expired && a.capturable() == 0);
    let a = amounts(
        100,
        &[authorised, (Capture, Failed, 60, "g2", Some(2)), (Capture, Succeeded, 60, "g2", Some(2))],
    );
    assert!(a.captured == 60 && !a.conflicted, "a success that comes after a failure stands");
}

#[test]
fn contradictions_show_and_are_not_lost() {
    let authorised = (Authorise, Succeeded, 100, "g1", None);
    let captured = (Capture, Succeeded, 100, "g2", Some(2));
    for (why, facts) in [
        ("captured beyond the authorised", vec![authorised, captured, (Capture, Succeeded, 1, "g3", None)]),
        ("voided after all was captured", vec![authorised, captured, (Void, Succeeded, 100, "g4", None)]),
        ("refunded beyond the captured", vec![authorised, captured, (Refund, Succeeded, 101, "g5", None)]),
        ("failed after it succeeded", vec![authorised, captured, (Capture, Failed, 100, "g2", None)]),
        (
            "failed after its operation succeeded",
            vec![authorised, captured, (Capture, Failed, 100, "g9", Some(2))],
        ),
        (
            "refunded and lost",
            vec![captured, (Refund, Succeeded, 50, "g5", None), (Chargeback, Succeeded, 60, "d", None)],
        ),
    ] {
        let a = amounts(100, &facts);
        assert!(a.conflicted, "{why}");
        assert!(a.captured >= 100, "{why}: the money is still counted");
    }
}

#[test]
fn disputes_are_opened_lost_won_and_given_back() {
    let captured = (Capture, Succeeded, 100, "g2", None);
    let opened = (Chargeback, Requested, 100, "d1", None);
    let lost = (Chargeback, Succeeded, 100, "d1", None);
    let won = (Chargeback, Failed, 100, "d1", None);
    let of = |facts: &[_]| {
        let a = amounts(100, facts);
        (a.disputed, a.dispute_lost, a.refundable(), a.conflicted)
    };
    assert_eq!(of(&[captured, opened]), (100, 0, 100, false));
    assert_eq!(of(&[captured, opened, lost]), (0, 100, 0, false));
    assert_eq!(of(&[captured, opened, won]), (0, 0, 100, false));
    assert_eq!(of(&[captured, opened, lost, won]), (0, 0, 100, false));
    assert_eq!(of(&[captured, opened, lost, (Reversal, Succeeded, 100, "d1", None)]), (0, 0, 100, false));
}
