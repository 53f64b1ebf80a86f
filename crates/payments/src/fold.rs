//! A payment's amounts, as a fold over its facts.
//!
//! Invariants: the order in which facts arrive and how often they arrive change nothing; money that moved stays counted; facts that
//! contradict each other set `conflicted` and are never dropped; unless it is set, `refunded + refund_pending + dispute_lost ≤ captured`.
//!
//! Facts are keyed by (kind, the gateway's reference). Of the ends of one key the newest by (at, id) stands, but a success is never
//! undone by a later failure: that is a contradiction for a person to look at. A dispute is the exception: it may be lost and later
//! won. What was requested is pending until an end comes under its reference or for its operation.

use crate::{FactKind, OperationId, Phase};
use kernel::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A fact as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Breaks ties of time.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub kind: FactKind,
    /// How far.
    pub phase: Phase,
    /// Minor units.
    pub amount: i64,
    /// The gateway's own reference.
    pub reference: String,
    /// Our operation that it answers.
    pub operation: Option<OperationId>,
    /// A reason, or where a refund goes.
    pub detail: Option<String>,
}

/// The amounts, minor units all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Set aside in all.
    pub authorised: i64,
    /// Taken in all.
    pub captured: i64,
    /// Let go.
    pub voided: i64,
    /// Given back.
    pub refunded: i64,
    /// Asked to be taken.
    pub capture_pending: i64,
    /// Asked to be let go.
    pub void_pending: i64,
    /// Asked to be given back.
    pub refund_pending: i64,
    /// In open disputes.
    pub disputed: i64,
    /// In lost disputes.
    pub dispute_lost: i64,
    /// Charged by the gateway.
    pub fees: i64,
    /// An authorisation is asked for and not answered.
    pub authorise_pending: bool,
    /// The authorisation was refused.
    pub failed: bool,
    /// The authorisation ran out.
    pub expired: bool,
    /// The facts contradict each other.
    pub conflicted: bool,
}

impl Amounts {
    /// What a refund could still take.
    pub fn refundable(&self) -> i64 {
        (self.captured - self.refunded - self.refund_pending - self.dispute_lost).max(0)
    }
    /// What could still be captured.
    pub fn capturable(&self) -> i64 {
        match self.expired {
            true => 0,
            false => {
                (self.authorised - self.voided - self.void_pending - self.captured - self.capture_pending)
                    .max(0)
            }
        }
    }
}

/// How one (kind, reference) stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Asked for (a dispute: opened).
    Pending,
    /// Asked for, and its operation ended under another reference.
    Closed,
    /// It happened (a dispute: lost).
    Succeeded,
    /// It did not (a dispute: won).
    Failed,
}

/// Amounts, and how each (kind, reference) stands with its amount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// The sums.
    pub amounts: Amounts,
    /// Each key's standing and amount.
    pub standings: BTreeMap<(FactKind, String), (Standing, i64)>,
}

/// The newest fact of each phase.
#[derive(Default)]
struct Newest<'a> {
    requested: Option<&'a Entry>,
    succeeded: Option<&'a Entry>,
    failed: Option<&'a Entry>,
}

impl<'a> Newest<'a> {
    fn add(&mut self, entry: &'a Entry) {
        let slot = match entry.phase {
            Phase::Requested => &mut self.requested,
            Phase::Succeeded => &mut self.succeeded,
            Phase::Failed => &mut self.failed,
        };
        if slot.is_none_or(|old| rank(old) < rank(entry)) {
            *slot = Some(entry);
        }
    }
    fn failed_last(&self) -> bool {
        matches!((self.succeeded, self.failed), (Some(s), Some(f)) if rank(f) > rank(s))
    }
}

/// Newest by time, then id. The rest makes the order total, so that even facts that share both fold the same in any order.
fn rank(e: &Entry) -> (Timestamp, i64, i64) {
    (e.at, e.id, e.amount)
}

/// Folds the facts of a payment that is to bring `amount`.
pub fn fold(amount: i64, facts: &[Entry]) -> Folded {
    let mut by_key: BTreeMap<(FactKind, &str), Newest<'_>> = BTreeMap::new();
    let mut by_operation: BTreeMap<(FactKind, OperationId), Newest<'_>> = BTreeMap::new();
    for entry in facts {
        by_key.entry((entry.kind, &entry.reference)).or_default().add(entry);
        if let Some(operation) = entry.operation {
            by_operation.entry((entry.kind, operation)).or_default().add(entry);
        }
    }
    let contradicts =
        |kind: FactKind, newest: &Newest<'_>| kind != FactKind::Chargeback && newest.failed_last();
    let mut folded = Folded::default();
    let a = &mut folded.amounts;
    a.conflicted = by_key.iter().any(|((kind, _), n)| contradicts(*kind, n))
        || by_operation.iter().any(|((kind, _), n)| contradicts(*kind, n));
    let ended: BTreeSet<(FactKind, OperationId)> = by_operation
        .iter()
        .filter(|(_, n)| n.succeeded.is_some() || n.failed.is_some())
        .map(|(key, _)| *key)
        .collect();
    let given_back: BTreeSet<&str> = by_key
        .iter()
        .filter(|((k, _), n)| *k == FactKind::Reversal && n.succeeded.is_some())
        .map(|((_, r), _)| *r)
        .collect();
    let mut refused = false;
    for ((kind, reference), newest) in &by_key {
        let Some((standing, entry)) = stands(*kind, newest, &ended, given_back.contains(reference)) else {
            continue;
        };
        add(a, *kind, standing, entry.amount);
        refused |= *kind == FactKind::Authorise && standing == Standing::Failed;
        folded.standings.insert((*kind, (*reference).to_owned()), (standing, entry.amount));
    }
    a.failed = refused && a.authorised == 0 && a.captured == 0 && !a.authorise_pending;
    a.conflicted |= a.captured > if a.authorised > 0 { a.authorised } else { amount };
    a.conflicted |= a.voided > 0 && a.captured.saturating_add(a.voided) > a.authorised;
    a.conflicted |= a.refunded.saturating_add(a.refund_pending).saturating_add(a.dispute_lost) > a.captured;
    folded
}

fn stands<'a>(
    kind: FactKind,
    newest: &Newest<'a>,
    ended: &BTreeSet<(FactKind, OperationId)>,
    given_back: bool,
) -> Option<(Standing, &'a Entry)> {
    if kind == FactKind::Chargeback {
        let any = newest.succeeded.or(newest.failed).or(newest.requested)?;
        return Some(match (newest.succeeded, newest.failed) {
            _ if given_back => (Standing::Failed, any),
            (Some(lost), _) if !newest.failed_last() => (Standing::Succeeded, lost),
            (_, Some(won)) => (Standing::Failed, won),
            _ => (Standing::Pending, any),
        });
    }
    if let Some(succeeded) = newest.succeeded {
        return Some((Standing::Succeeded, succeeded));
    }
    if let Some(failed) = newest.failed {
        return Some((Standing::Failed, failed));
    }
    let requested = newest.requested?;
    let closed = requested.operation.is_some_and(|o| ended.contains(&(kind, o)));
    Some((if closed { Standing::Closed } else { Standing::Pending }, requested))
}

fn add(a: &mut Amounts, kind: FactKind, standing: Standing, amount: i64) {
    let sum = match (kind, standing) {
        (FactKind::Authorise, Standing::Succeeded) => &mut a.authorised,
        (FactKind::Capture, Standing::Succeeded) => &mut a.captured,
        (FactKind::Capture, Standing::Pending) => &mut a.capture_pending,
        (FactKind::Void, Standing::Succeeded) => &mut a.voided,
        (FactKind::Void, Standing::Pending) => &mut a.void_pending,
        (FactKind::Refund, Standing::Succeeded) => &mut a.refunded,
        (FactKind::Refund, Standing::Pending) => &mut a.refund_pending,
        (FactKind::Chargeback, Standing::Pending) => &mut a.disputed,
        (FactKind::Chargeback, Standing::Succeeded) => &mut a.dispute_lost,
        (FactKind::Fee, Standing::Succeeded) => &mut a.fees,
        (FactKind::Authorise, Standing::Pending) => {
            a.authorise_pending = true;
            return;
        }
        (FactKind::Expire, Standing::Succeeded) => {
            a.expired = true;
            return;
        }
        _ => return,
    };
    *sum = sum.saturating_add(amount);
}
