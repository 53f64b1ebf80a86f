//! Is a sourcing right? Counts everything again from the input, with nothing of the search. Invariant: an empty list means that every
//! choice can be shipped, all together, under the policy.

use super::choose::Choice;
use super::network::{Network, Order, Policy};
use std::collections::BTreeMap;
use std::fmt;

/// Something wrong with choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Units of an order's line are lost, doubled or negative, or there is no such line.
    Units(usize),
    /// An order ships from where it must not: closed, no lane, excluded, or after its promise.
    Place(usize),
    /// More parcels than the order may have, or a part where all was asked.
    Split(usize),
    /// Lines that belong together do not.
    Together(usize),
    /// More of an item than the location may promise.
    Stock {
        /// Which location.
        location: usize,
        /// Which item.
        item: usize,
    },
    /// More parcels or units than the location sends in a day.
    Capacity(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(o) => write!(f, "order {o}: units are lost or doubled"),
            Self::Place(o) => write!(f, "order {o}: a location that must not ship it"),
            Self::Split(o) => write!(f, "order {o}: split more than allowed"),
            Self::Together(o) => write!(f, "order {o}: lines that belong together are apart"),
            Self::Stock { location, item } => {
                write!(f, "location {location}: more of item {item} than there is")
            }
            Self::Capacity(l) => write!(f, "location {l}: beyond its daily capacity"),
        }
    }
}

/// Everything wrong with choices for orders (`None`: not sourced) on a verified network.
pub fn check(
    network: &Network,
    orders: &[Order],
    policy: &Policy,
    choices: &[Option<&Choice>],
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut stock: BTreeMap<(usize, usize), i64> = BTreeMap::new();
    let mut sent = vec![(0i64, 0i64); network.locations.len()];
    for (o, (order, choice)) in orders.iter().zip(choices).enumerate() {
        let Some(choice) = choice else { continue };
        let known = |s: &super::Ship| s.line < order.lines.len() && s.location < network.locations.len();
        if choice.short.len() != order.lines.len() || !choice.ships.iter().all(known) {
            faults.push(Fault::Units(o));
            continue;
        }
        one(network, (o, order), policy, choice, &mut faults);
        for ship in &choice.ships {
            for (item, pieces) in &order.lines[ship.line].takes {
                *stock.entry((ship.location, *item)).or_default() += pieces * ship.quantity;
            }
            sent[ship.location].1 += ship.quantity;
        }
        for (location, sent) in sent.iter_mut().enumerate() {
            sent.0 += i64::from(choice.ships.iter().any(|s| s.location == location));
        }
    }
    let over = stock.into_iter().filter(|((l, i), used)| {
        let place = &network.locations[*l];
        *used > (place.stock[*i] - place.safety.get(*i).copied().unwrap_or(0)).max(0)
    });
    faults.extend(over.map(|((location, item), _)| Fault::Stock { location, item }));
    for (location, (parcels, units)) in sent.into_iter().enumerate() {
        let place = &network.locations[location];
        if place.parcels.is_some_and(|most| parcels > most) || place.units.is_some_and(|most| units > most) {
            faults.push(Fault::Capacity(location));
        }
    }
    faults
}

fn one(
    network: &Network,
    (o, order): (usize, &Order),
    policy: &Policy,
    choice: &Choice,
    faults: &mut Vec<Fault>,
) {
    let shipped =
        |line: usize| -> i64 { choice.ships.iter().filter(|s| s.line == line).map(|s| s.quantity).sum() };
    let whole = |l: usize| shipped(l) + choice.short[l] == order.lines[l].quantity && choice.short[l] >= 0;
    if !(0..order.lines.len()).all(whole) || choice.ships.iter().any(|s| s.quantity <= 0) {
        faults.push(Fault::Units(o));
    }
    let may = |s: &super::Ship| {
        let line = &order.lines[s.line];
        let lane = network.lanes[s.location * network.zones + order.zone].as_ref();
        let late = |l: &super::Lane| order.promise.is_some_and(|p| order.day + l.days > p);
        !network.locations[s.location].closed
            && lane.is_some_and(|l| !(policy.keep_promise && late(l)))
            && line.only.is_none_or(|only| only == s.location)
            && line.except != Some(s.location)
    };
    if !choice.ships.iter().all(may) {
        faults.push(Fault::Place(o));
    }
    let mut places: Vec<usize> = choice.ships.iter().map(|s| s.location).collect();
    places.sort_unstable();
    places.dedup();
    let worth: i64 = order.lines.iter().map(|l| l.value * l.quantity).sum();
    let most = if worth < policy.split_from { 1 } else { policy.max_parcels };
    let part = !places.is_empty() && choice.short.iter().any(|s| *s > 0);
    if places.len() > most || (part && !policy.partial) {
        faults.push(Fault::Split(o));
    }
    for (a, line) in order.lines.iter().enumerate().filter(|(_, l)| l.together.is_some()) {
        let of =
            |l: usize| choice.ships.iter().filter(move |s| s.line == l).map(|s| (s.location, s.quantity));
        for (b, other) in order.lines.iter().enumerate().filter(|(_, l)| l.together == line.together) {
            let (a, b): (Vec<_>, Vec<_>) = (of(a).collect(), of(b).collect());
            let fits = match (a.as_slice(), b.as_slice()) {
                ([], []) => true,
                ([(x, m)], [(y, n)]) => x == y && *m == line.quantity && *n == other.quantity,
                _ => false,
            };
            if !fits {
                faults.push(Fault::Together(o));
                return;
            }
        }
    }
}
