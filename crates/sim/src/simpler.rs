//! Simpler steps that may do the same, for short traces. Invariant: a simpler step is smaller in some way, so simplifying ends.

use crate::step::{No, Step, Wish};
use std::collections::BTreeSet;

/// Smaller numbers of the same sign.
fn smaller(n: i64) -> Vec<i64> {
    let mut less = vec![n.signum(), n / 2, n / 4 * 3 + n % 4 / 2];
    less.retain(|l| l.abs() < n.abs() && *l != 0);
    less.dedup();
    less
}
fn fewer(n: u64) -> Vec<u64> {
    let mut less = vec![0, n / 2, n.saturating_sub(1)];
    less.retain(|l| *l < n);
    less.dedup();
    less
}

impl Wish {
    fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut other = self.clone();
            change(&mut other);
            if other != *self {
                all.push(other);
            }
        };
        with(&|w| (w.off, w.shipping, w.fee, w.cart, w.reference) = (0, 0, 0, None, None));
        with(&|w| (w.off, w.cart) = (0, None));
        with(&|w| (w.shipping, w.fee) = (0, 0));
        with(&|w| w.reference = None);
        for n in 0..self.items.len() {
            if self.items.len() > 1 {
                with(&|w| {
                    w.items.remove(n);
                });
            }
            with(&|w| w.items[n].off = 0);
            for units in smaller(self.items[n].units) {
                with(&|w| w.items[n].units = units);
            }
            if self.items[n].price > 100 {
                with(&|w| w.items[n].price = 100);
            }
        }
        all
    }
}

impl Step {
    /// The orders it is about.
    pub fn orders(&self) -> Vec<No> {
        match self {
            Self::Place(wishes) => wishes.iter().map(|w| w.no).collect(),
            Self::PlaceAndDie(wish, _) | Self::Again(wish, _) => vec![wish.no],
            Self::Unhold(list)
            | Self::Release(list)
            | Self::Ask(list)
            | Self::Accept(list)
            | Self::Pick(list, _)
            | Self::Pack(list)
            | Self::Station(list, _)
            | Self::Label(list, _)
            | Self::Ship(list)
            | Self::Track(list, ..)
            | Self::Scan(list, ..)
            | Self::Forge(list, _)
            | Self::Arrives(list, _) => list.clone(),
            Self::Hold(no)
            | Self::Reject(no)
            | Self::Move(no, _)
            | Self::Cancel { no, .. }
            | Self::Decline(no)
            | Self::Short(no, _)
            | Self::Unpick(no)
            | Self::Unpack(no)
            | Self::Unlabel(no)
            | Self::Resend(no)
            | Self::Capture(no, _)
            | Self::Void(no)
            | Self::Refund { no, .. }
            | Self::Dispute(no, _)
            | Self::Disputed(no, _)
            | Self::Grant(no, _)
            | Self::Return { no, .. }
            | Self::Approve(no)
            | Self::Refuse(no)
            | Self::Arrive(no, _)
            | Self::Inspect(no, _)
            | Self::Settle(no, _) => vec![*no],
            Self::Merge { no, other, .. } => vec![*no, *other],
            _ => Vec::new(),
        }
    }
    /// The same step about no other orders than these; nothing when it is about none of them. Steps about no order stay.
    pub fn only(&self, keep: &BTreeSet<No>) -> Option<Self> {
        let about = self.orders();
        if about.is_empty() {
            return Some(self.clone());
        }
        if about.iter().all(|no| !keep.contains(no)) {
            return None;
        }
        // Of two, one is not enough.
        if matches!(self, Self::Merge { .. }) && !about.iter().all(|no| keep.contains(no)) {
            return None;
        }
        let mut less = self.clone();
        match &mut less {
            Self::Place(wishes) => wishes.retain(|w| keep.contains(&w.no)),
            other => {
                if let Some(list) = other.list() {
                    list.retain(|no| keep.contains(no));
                }
            }
        }
        Some(less)
    }
    fn list(&mut self) -> Option<&mut Vec<No>> {
        match self {
            Self::Unhold(list)
            | Self::Release(list)
            | Self::Ask(list)
            | Self::Accept(list)
            | Self::Pick(list, _)
            | Self::Pack(list)
            | Self::Station(list, _)
            | Self::Label(list, _)
            | Self::Ship(list)
            | Self::Track(list, ..)
            | Self::Scan(list, ..)
            | Self::Forge(list, _)
            | Self::Arrives(list, _) => Some(list),
            _ => None,
        }
    }
    /// Steps that are a little less: about fewer orders, lines, units, rounds, seconds.
    pub fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let about = self.orders();
        if about.len() > 1 {
            for no in &about {
                let keep: BTreeSet<No> = about.iter().copied().filter(|other| other != no).collect();
                all.extend(self.only(&keep));
            }
        }
        match self {
            Self::Place(wishes) => {
                for (n, wish) in wishes.iter().enumerate() {
                    for other in wish.simpler() {
                        let mut wishes = wishes.clone();
                        wishes[n] = other;
                        all.push(Self::Place(wishes));
                    }
                }
            }
            Self::PlaceAndDie(wish, after) => {
                all.extend(wish.simpler().into_iter().map(|w| Self::PlaceAndDie(w, *after)));
            }
            Self::Work(rounds) if *rounds > 1 => all.push(Self::Work(1)),
            Self::WorkAndDie(after) => all.extend(fewer(*after).into_iter().map(Self::WorkAndDie)),
            Self::Wait(seconds) => all.extend(smaller(*seconds).into_iter().map(Self::Wait)),
            Self::Short(no, units) => all.extend(smaller(*units).into_iter().map(|n| Self::Short(*no, n))),
            Self::Grant(no, amount) => all.extend(smaller(*amount).into_iter().map(|n| Self::Grant(*no, n))),
            Self::Refund { no, amount, credit } => {
                let less = |amount| Self::Refund { no: *no, amount, credit: *credit };
                all.extend(smaller(*amount).into_iter().map(less));
            }
            Self::Shelf { stock, sku, place, units } => {
                let less = |units| Self::Shelf { stock: *stock, sku: *sku, place: *place, units };
                all.extend(smaller(*units).into_iter().map(less));
            }
            _ => {}
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::steps;

    #[test]
    fn simplifying_ends_and_keeps_what_a_step_is() {
        for (_, mut step) in steps(3, 60) {
            let name = step.name();
            for round in 0.. {
                assert!(round < 2_000, "{step:?}");
                match step.simpler().pop() {
                    Some(less) => step = less,
                    None => break,
                }
                assert_eq!(step.name(), name);
            }
        }
    }

    #[test]
    fn a_step_about_some_orders_is_about_those_of_them_that_are_kept() {
        let keep: BTreeSet<No> = [1, 3].into();
        assert_eq!(Step::Pack(vec![1, 2, 3]).only(&keep), Some(Step::Pack(vec![1, 3])));
        assert_eq!(Step::Pack(vec![2]).only(&keep), None);
        assert_eq!(Step::Hold(2).only(&keep), None);
        assert_eq!(Step::Die.only(&keep), Some(Step::Die));
    }
}
