//! Whether a wave holds what it promises, worked out from the backlog alone. Invariant: shares no code with the search.

use std::collections::{BTreeMap, BTreeSet};

use super::{Backlog, WavePlan};

/// What is wrong with a wave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// An order or aisle that is not there, or is there twice.
    #[error("order or aisle {0} is unknown or named twice")]
    Named(usize),
    /// Too few or too many units, or the sum is wrong.
    #[error("{0} units")]
    Units(i64),
    /// A cap of the wave.
    #[error("over the cap on {0}")]
    Cap(&'static str),
    /// More of an item than the open aisles hold.
    #[error("item {0} is short")]
    Stock(u64),
    /// Picks that are not what the orders want, or that an aisle cannot give.
    #[error("picks do not match at order {0}")]
    Picks(usize),
    /// A pick that is on no list or on two.
    #[error("pick {0} is not on exactly one list")]
    Lists(usize),
}

/// Checks a wave against its backlog. A plan without a wave passes.
pub fn check(backlog: &Backlog, plan: &WavePlan) -> Result<(), Breach> {
    if plan.no_wave.is_some() {
        return Ok(());
    }
    named(&plan.orders, backlog.orders.len())?;
    named(&plan.aisles, backlog.aisles.len())?;
    let mut need: BTreeMap<u64, i64> = BTreeMap::new();
    let (mut units, mut lines, mut weight, mut totes) = (0, 0, 0, 0);
    for order in plan.orders.iter().map(|o| &backlog.orders[*o]) {
        let mut items = BTreeSet::new();
        for line in &order.lines {
            *need.entry(line.item).or_default() += line.quantity;
            units += line.quantity;
            items.insert(line.item);
        }
        lines += items.len() as i64;
        weight += order.weight;
        totes += order.totes;
    }
    if units != plan.units || units > backlog.most || units < backlog.least {
        return Err(Breach::Units(units));
    }
    let caps = &backlog.caps;
    for (name, value, cap) in [
        ("orders", plan.orders.len() as i64, caps.orders),
        ("lines", lines, caps.lines),
        ("weight", weight, caps.weight),
        ("totes", totes, caps.totes),
    ] {
        if cap.is_some_and(|cap| value > cap) {
            return Err(Breach::Cap(name));
        }
    }
    for line in plan.aisles.iter().flat_map(|a| &backlog.aisles[*a].stock) {
        if let Some(need) = need.get_mut(&line.item) {
            *need = need.saturating_sub(line.quantity.max(0));
        }
    }
    match need.into_iter().find(|(_, short)| *short > 0) {
        Some((item, _)) => Err(Breach::Stock(item)),
        None => picked(backlog, plan),
    }
}

fn named(indices: &[usize], len: usize) -> Result<(), Breach> {
    let mut seen = BTreeSet::new();
    match indices.iter().find(|i| **i >= len || !seen.insert(**i)) {
        Some(index) => Err(Breach::Named(*index)),
        None => Ok(()),
    }
}

/// Picks give each order what it wants out of what the open aisles hold, and each pick is on one list.
fn picked(backlog: &Backlog, plan: &WavePlan) -> Result<(), Breach> {
    let mut wanted: BTreeMap<(usize, u64), i64> = BTreeMap::new();
    let mut held: BTreeMap<(usize, u64), i64> = BTreeMap::new();
    for order in &plan.orders {
        for line in &backlog.orders[*order].lines {
            *wanted.entry((*order, line.item)).or_default() += line.quantity;
        }
    }
    for aisle in &plan.aisles {
        for line in &backlog.aisles[*aisle].stock {
            let held = held.entry((*aisle, line.item)).or_default();
            *held = held.saturating_add(line.quantity.max(0));
        }
    }
    for pick in &plan.picks {
        let left = held.entry((pick.aisle, pick.item)).or_default();
        *left -= pick.quantity;
        if pick.quantity <= 0 || *left < 0 {
            return Err(Breach::Picks(pick.order));
        }
        *wanted.entry((pick.order, pick.item)).or_default() -= pick.quantity;
    }
    if let Some(((order, _), _)) = wanted.iter().find(|(_, left)| **left != 0) {
        return Err(Breach::Picks(*order));
    }
    let mut listed = vec![0; plan.picks.len()];
    for pick in plan.tasks.iter().flat_map(|t| &t.picks) {
        match listed.get_mut(*pick) {
            Some(times) => *times += 1,
            None => return Err(Breach::Lists(*pick)),
        }
    }
    listed.iter().position(|times| *times != 1).map_or(Ok(()), |pick| Err(Breach::Lists(pick)))
}
