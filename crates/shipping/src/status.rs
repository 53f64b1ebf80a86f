//! The status of a shipment as a fold of what is known about it.
//!
//! Invariant: the fold takes the highest rank, so any order and any repetition of the same facts gives the same status, and it never
//! goes backwards. The ranks are the order of [`Status::ALL`]:
//!
//! - on the way: `in_transit` < `out_for_delivery` < `attempt_failed` < `available_for_pickup` < `exception`. A parcel with an exception
//!   stays visible as one until it ends;
//! - ended: `lost` < `delivered` < `returned_to_sender` < `voided`. A lost parcel that turns up at the customer is delivered; "delivered"
//!   beside "returned to sender" means delivered to the sender; a voided label never moves.
//!
//! The units of the order are counted once, by the first end that arrives (`delivered_at` or `lost_at`, never both): a parcel that is
//! found after it was written off shows as delivered, and its units stay counted as lost until a person decides.

use crate::model::Status;

/// The rank of a status; higher wins.
pub fn rank(status: Status) -> usize {
    Status::ALL.iter().position(|s| *s == status).unwrap_or(0)
}

/// The status after one more fact.
pub fn fold(now: Status, fact: Status) -> Status {
    if rank(fact) > rank(now) { fact } else { now }
}

/// Whether a carrier may say it: everything between the hand-over and the end.
pub fn is_tracking(status: Status) -> bool {
    rank(status) >= rank(Status::InTransit) && status != Status::Voided
}

/// What a fact means for the order's units, given what was counted already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Nothing.
    Nothing,
    /// They are delivered.
    Delivered,
    /// They are lost.
    Lost,
}

/// Counts the units once: by the first end that moves the status.
pub fn count(before: Status, after: Status, counted: bool) -> Count {
    match after {
        _ if counted || before == after => Count::Nothing,
        Status::Delivered => Count::Delivered,
        Status::Lost => Count::Lost,
        _ => Count::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tracking() -> impl Strategy<Value = Status> {
        proptest::sample::select(Status::ALL.into_iter().filter(|s| is_tracking(*s)).collect::<Vec<_>>())
    }
    fn folded(facts: &[Status]) -> Status {
        facts.iter().fold(Status::Shipped, |now, fact| fold(now, *fact))
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_give_the_same_status(
            facts in proptest::collection::vec(tracking(), 1..12), again in proptest::collection::vec(any::<prop::sample::Index>(), 0..12)
        ) {
            let expected = folded(&facts);
            let mut other: Vec<Status> = facts.clone();
            other.extend(again.iter().map(|i| facts[i.index(facts.len())]));
            other.reverse();
            prop_assert_eq!(folded(&other), expected);
            other.sort_by_key(|s| s.as_str());
            prop_assert_eq!(folded(&other), expected);
        }
        #[test]
        fn a_status_never_goes_backwards(facts in proptest::collection::vec(tracking(), 1..12)) {
            let mut now = Status::LabelPurchased;
            for fact in facts {
                let next = fold(now, fact);
                prop_assert!(rank(next) >= rank(now));
                now = next;
            }
        }
        #[test]
        fn units_are_counted_at_most_once(facts in proptest::collection::vec(tracking(), 1..12)) {
            let (mut now, mut counts) = (Status::Shipped, 0);
            for fact in facts {
                let next = fold(now, fact);
                counts += i32::from(count(now, next, counts > 0) != Count::Nothing);
                now = next;
            }
            prop_assert!(counts <= 1);
            prop_assert!(counts == 1 || !matches!(now, Status::Delivered | Status::Lost));
        }
    }

    #[test]
    fn ends_have_a_precedence() {
        use Status::{Delivered, Exception, InTransit, Lost, ReturnedToSender, Voided};
        for (facts, expected) in [
            (&[Delivered, InTransit][..], Delivered),
            (&[Lost, Delivered], Delivered),
            (&[ReturnedToSender, Delivered], ReturnedToSender),
            (&[Exception, InTransit], Exception),
            (&[Voided, Delivered], Voided),
        ] {
            assert_eq!(folded(facts), expected, "{facts:?}");
        }
    }
}
