//! Compares what was acknowledged with what is there. Pure. Invariant: an acknowledged step shows exactly once, one without an answer
//! wholly or not at all, one that was not asked for not at all.

use crate::journey::{GOODWILL, Journey, Known, Step, TEE};
use serde::Serialize;

/// What sort of wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// It was acknowledged and is gone.
    Lost,
    /// It is there more than once.
    Duplicated,
    /// The same key gave another answer.
    Changed,
    /// It is there in part, or nobody asked for it.
    Partial,
    /// An answer that cannot be.
    Absurd,
    /// A law that `fulmar verify` found broken.
    Broken,
}

/// Something that is wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Violation {
    /// What sort of wrong.
    pub sort: Sort,
    /// Of which order (the tag is in its customer's address); empty where it is none's.
    pub tag: String,
    /// What, as a sentence.
    pub says: String,
}

impl Violation {
    pub(crate) fn new(sort: Sort, tag: &str, says: impl Into<String>) -> Self {
        Self { sort, tag: tag.to_owned(), says: says.into() }
    }
}

/// An order as the API shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub lines: usize,
    pub total: i64,
    pub ordered: i64,
    pub cancelled: i64,
    pub shipped: i64,
    pub delivered: i64,
    pub returned: i64,
    pub captured: i64,
    pub refunded: i64,
    pub shipments: usize,
    pub returns: usize,
    /// Amounts of the refunds that were granted.
    pub refunds: Vec<i64>,
}

/// What is wrong with an order that is there.
pub fn judge(journey: &Journey, seen: &Seen) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut say = |sort, says: String| found.push(Violation::new(sort, &journey.tag, says));
    if seen.lines != 2 || seen.total != journey.total() || seen.ordered != journey.units() {
        say(
            Sort::Partial,
            format!(
                "it has {} lines, {} units and a total of {}; ordered were 2, {} and {}",
                seen.lines,
                seen.ordered,
                seen.total,
                journey.units(),
                journey.total()
            ),
        );
    }
    let known = |step| journey.known(step);
    let units = journey.units();
    let counters = [
        ("units shipped", known(Step::Ship), units, seen.shipped),
        ("units delivered", known(Step::Deliver), units, seen.delivered),
        ("units returned", known(Step::Inspect), 1, seen.returned),
        ("units cancelled", known(Step::Cancel), units, seen.cancelled),
        ("shipments", known(Step::Label), 1, count(seen.shipments)),
        ("returns", known(Step::Ask), 1, count(seen.returns)),
        ("minor units captured", paid(journey, seen), journey.total(), seen.captured),
    ];
    for (what, known, all, there) in counters {
        if let Some(sort) = wrong(known, all, there) {
            say(sort, format!("{there} {what}; {}", expectation(known, all)));
        }
    }
    let (asked, amount) = refund(journey);
    let granted = seen.refunds.iter().sum();
    if let Some(sort) = wrong(asked, amount, granted) {
        say(sort, format!("refunds of {:?} granted; {}", seen.refunds, expectation(asked, amount)));
    } else if seen.refunds.len() > 1 {
        say(Sort::Duplicated, format!("one refund was asked for, there are {:?}", seen.refunds));
    }
    if seen.refunded != 0 && seen.refunded != granted {
        say(Sort::Partial, format!("{} are refunded, granted were {granted}", seen.refunded));
    }
    found
}

/// Cards are charged in the background: whether they were is only known once somebody saw it.
fn paid(journey: &Journey, seen: &Seen) -> Known {
    match (journey.card, journey.seen_paid) {
        (true, true) => Known::Yes,
        (true, false) if seen.captured == 0 => Known::No,
        (true, false) => Known::Maybe,
        (false, _) => journey.known(Step::Confirm),
    }
}

/// Which refund the journey asks for, and whether it has.
fn refund(journey: &Journey) -> (Known, i64) {
    let asked = [(Step::Refund, GOODWILL), (Step::Settle, TEE), (Step::Cancel, journey.total())];
    let asked = asked.into_iter().map(|(step, amount)| (journey.known(step), amount));
    asked.into_iter().find(|(known, _)| *known != Known::No).unwrap_or((Known::No, 0))
}

fn wrong(known: Known, all: i64, there: i64) -> Option<Sort> {
    match known {
        Known::Yes if there == all => None,
        Known::Maybe if there == all || there == 0 => None,
        Known::No if there == 0 => None,
        _ if there > all && known != Known::No => Some(Sort::Duplicated),
        Known::Yes => Some(Sort::Lost),
        _ => Some(Sort::Partial),
    }
}

fn expectation(known: Known, all: i64) -> String {
    match known {
        Known::Yes => format!("{all} were acknowledged"),
        Known::Maybe => format!("{all} or nothing was asked for"),
        Known::No => "nothing was asked for".to_owned(),
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::tests::returned;
    use serde_json::json;

    fn whole(journey: &Journey) -> Seen {
        Seen {
            lines: 2,
            total: journey.total(),
            ordered: 3,
            shipped: 3,
            delivered: 3,
            returned: 1,
            captured: journey.total(),
            refunded: TEE,
            shipments: 1,
            returns: 1,
            refunds: vec![TEE],
            ..Seen::default()
        }
    }
    fn sorts(journey: &Journey, seen: &Seen) -> Vec<Sort> {
        judge(journey, seen).into_iter().map(|v| v.sort).collect()
    }

    #[test]
    fn what_was_acknowledged_is_there_exactly_once() {
        let journey = returned(14);
        let seen = whole(&journey);
        assert_eq!(sorts(&journey, &seen), []);
        assert_eq!(sorts(&journey, &Seen { shipped: 0, ..seen.clone() }), [Sort::Lost]);
        assert_eq!(sorts(&journey, &Seen { shipments: 2, ..seen.clone() }), [Sort::Duplicated]);
        assert_eq!(
            sorts(&journey, &Seen { captured: 2 * seen.captured, ..seen.clone() }),
            [Sort::Duplicated]
        );
        assert_eq!(
            sorts(&journey, &Seen { refunds: vec![TEE, TEE], ..seen.clone() }),
            [Sort::Duplicated, Sort::Partial]
        );
        assert_eq!(sorts(&journey, &Seen { refunds: Vec::new(), refunded: 0, ..seen.clone() }), [Sort::Lost]);
        assert_eq!(sorts(&journey, &Seen { lines: 1, ..seen }), [Sort::Partial]);
    }

    #[test]
    fn what_was_only_asked_for_is_there_wholly_or_not_at_all() {
        let mut journey = returned(7);
        journey.open = journey.attempt(Step::Ship, None, "loc");
        let bare = Seen {
            lines: 2,
            total: journey.total(),
            ordered: 3,
            captured: journey.total(),
            shipments: 1,
            ..Seen::default()
        };
        assert_eq!(sorts(&journey, &bare), []);
        assert_eq!(sorts(&journey, &Seen { shipped: 3, ..bare.clone() }), []);
        assert_eq!(sorts(&journey, &Seen { shipped: 2, ..bare.clone() }), [Sort::Partial]);
        assert_eq!(sorts(&journey, &Seen { delivered: 3, ..bare }), [Sort::Partial], "nobody asked for that");
    }

    #[test]
    fn a_card_that_was_seen_charged_stays_charged() {
        let mut journey = returned(1);
        journey.card = true;
        let bare = Seen { lines: 2, total: journey.total(), ordered: 3, ..Seen::default() };
        assert_eq!(sorts(&journey, &bare), []);
        assert_eq!(sorts(&journey, &Seen { captured: journey.total(), ..bare.clone() }), []);
        assert_eq!(sorts(&journey, &Seen { captured: 1, ..bare.clone() }), [Sort::Partial]);
        journey.seen_paid = true;
        assert_eq!(sorts(&journey, &bare), [Sort::Lost]);
        assert_eq!(json!(Sort::Lost), json!("lost"));
    }
}
