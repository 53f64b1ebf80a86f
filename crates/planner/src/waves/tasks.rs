//! From a wave to pickers' lists: which aisle gives what to whom, and who picks it. Invariant: every pick is on exactly one list.
//!
//! *Batch*: whole orders, grouped by shared aisles. *Zone*: each zone picks its part of all orders; parts meet afterwards. *Wave*: all
//! orders are picked as one, aisle by aisle, and sorted afterwards. A list that would exceed a limit is continued on another one; an
//! order that exceeds a limit alone has a list of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Backlog, Caps};

/// How a wave is picked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each list has whole orders, those that share aisles together.
    #[default]
    Batch,
    /// Each list stays in one zone; orders are brought together afterwards.
    Zone,
    /// All orders as one, aisle by aisle, sorted to orders afterwards.
    Wave,
}

/// Units of an item that an aisle gives to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// Index in the backlog.
    pub order: usize,
    /// Item.
    pub item: u64,
    /// Index in the backlog.
    pub aisle: usize,
    /// Units.
    pub quantity: i64,
}

/// One picker's list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its zone, if it stays in one.
    pub zone: Option<u32>,
    /// Orders it picks for, ascending.
    pub orders: Vec<usize>,
    /// Indices of the plan's picks.
    pub picks: Vec<usize>,
}

/// Gives each order its units: from an aisle the order visits anyway if one has enough, else from the one that has most.
pub(super) fn picks(
    backlog: &Backlog,
    orders: &[usize],
    aisles: &[usize],
    lines: &[BTreeMap<u64, i64>],
) -> Vec<Pick> {
    let mut held: BTreeMap<u64, BTreeMap<usize, i64>> = BTreeMap::new();
    for aisle in aisles {
        for line in backlog.aisles[*aisle].stock.iter().filter(|l| l.quantity > 0) {
            let units = held.entry(line.item).or_default().entry(*aisle).or_default();
            *units = units.saturating_add(line.quantity);
        }
    }
    let mut picks = Vec::new();
    for order in orders {
        let mut visited = BTreeSet::new();
        // Items of few aisles fix the visits; the others follow them.
        let mut items: Vec<(usize, u64, i64)> = lines[*order]
            .iter()
            .map(|(item, q)| (held.get(item).map_or(0, BTreeMap::len), *item, *q))
            .collect();
        items.sort_unstable();
        for (_, item, mut wanted) in items {
            let Some(held) = held.get_mut(&item) else { continue };
            while wanted > 0 {
                let best =
                    held.iter().max_by_key(|(a, units)| (visited.contains(*a) && **units >= wanted, **units));
                let Some((aisle, units)) = best.map(|(a, u)| (*a, *u)) else { break };
                let quantity = units.min(wanted);
                wanted -= quantity;
                visited.insert(aisle);
                if quantity == units {
                    held.remove(&aisle);
                } else {
                    held.insert(aisle, units - quantity);
                }
                picks.push(Pick { order: *order, item, aisle, quantity });
            }
        }
    }
    picks
}

/// Pickers' lists of all picks.
pub(super) fn tasks(backlog: &Backlog, picks: &[Pick]) -> Vec<Task> {
    let mut by_order: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, pick) in picks.iter().enumerate() {
        by_order.entry(pick.order).or_default().push(index);
    }
    match backlog.mode {
        Mode::Batch => batches(backlog, picks, by_order),
        Mode::Zone => {
            let mut zones: BTreeMap<u32, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
            for (order, indices) in by_order {
                for index in indices {
                    let zone = backlog.aisles[picks[index].aisle].zone;
                    zones.entry(zone).or_default().entry(order).or_default().push(index);
                }
            }
            zones
                .into_iter()
                .flat_map(|(zone, parts)| lists(backlog, Some(zone), parts.into_values(), picks))
                .collect()
        }
        Mode::Wave => {
            let mut aisles: BTreeMap<(usize, u64), Vec<usize>> = BTreeMap::new();
            for (index, pick) in picks.iter().enumerate() {
                aisles.entry((pick.aisle, pick.item)).or_default().push(index);
            }
            lists(backlog, None, aisles.into_values(), picks)
        }
    }
}

/// Load of a list, with the share of an order's weight and totes that its picks have of its units.
#[derive(Default, Clone)]
struct Load {
    orders: BTreeSet<usize>,
    lines: i64,
    weight: f64,
    totes: f64,
}

impl Load {
    fn add(&mut self, backlog: &Backlog, pick: &Pick) {
        let order = &backlog.orders[pick.order];
        let units: i64 = order.lines.iter().map(|l| l.quantity).sum();
        let share = pick.quantity as f64 / units as f64;
        self.orders.insert(pick.order);
        self.lines += 1;
        self.weight += share * order.weight as f64;
        self.totes += share * order.totes as f64;
    }

    fn within(&self, caps: &Caps) -> bool {
        let under = |value: f64, cap: Option<i64>| cap.is_none_or(|cap| value <= cap as f64 + 1e-6);
        under(self.orders.len() as f64, caps.orders)
            && under(self.lines as f64, caps.lines)
            && under(self.weight, caps.weight)
            && under(self.totes, caps.totes)
    }
}

/// Fills lists in the order given; a part that does not fit begins the next list.
fn lists(
    backlog: &Backlog,
    zone: Option<u32>,
    parts: impl Iterator<Item = Vec<usize>>,
    picks: &[Pick],
) -> Vec<Task> {
    let mut tasks = Vec::new();
    let mut load = Load::default();
    let mut current: Vec<usize> = Vec::new();
    for part in parts {
        for index in &part {
            load.add(backlog, &picks[*index]);
        }
        if !current.is_empty() && !load.within(&backlog.list) {
            tasks.push(task(zone, std::mem::take(&mut current), picks));
            load = Load::default();
            part.iter().for_each(|index| load.add(backlog, &picks[*index]));
        }
        current.extend(part);
    }
    if !current.is_empty() {
        tasks.push(task(zone, current, picks));
    }
    tasks
}

fn task(zone: Option<u32>, indices: Vec<usize>, picks: &[Pick]) -> Task {
    let orders: BTreeSet<usize> = indices.iter().map(|i| picks[*i].order).collect();
    Task { zone, orders: orders.into_iter().collect(), picks: indices }
}

/// Orders that did not fit before a list is called full.
const REFUSALS: usize = 8;

/// Whole orders: a list begins with the order of most aisles, and goes on with those that add fewest.
fn batches(backlog: &Backlog, picks: &[Pick], by_order: BTreeMap<usize, Vec<usize>>) -> Vec<Task> {
    let visits = |indices: &[usize]| indices.iter().map(|i| picks[*i].aisle).collect::<BTreeSet<usize>>();
    let mut waiting: Vec<(BTreeSet<usize>, Vec<usize>)> =
        by_order.into_values().map(|indices| (visits(&indices), indices)).collect();
    waiting.sort_by_key(|(aisles, indices)| (std::cmp::Reverse(aisles.len()), indices.clone()));
    let mut tasks = Vec::new();
    while !waiting.is_empty() {
        let (mut aisles, mut list) = waiting.remove(0);
        let mut load = Load::default();
        list.iter().for_each(|index| load.add(backlog, &picks[*index]));
        let mut asked = vec![false; waiting.len()];
        let mut refused = 0;
        while refused < REFUSALS {
            let open = waiting.iter().enumerate().filter(|(at, _)| !asked[*at]);
            let Some((_, at)) = open.map(|(at, (own, _))| (own.difference(&aisles).count(), at)).min() else {
                break;
            };
            asked[at] = true;
            let mut tried = load.clone();
            waiting[at].1.iter().for_each(|index| tried.add(backlog, &picks[*index]));
            if !tried.within(&backlog.list) {
                refused += 1;
                continue;
            }
            load = tried;
            aisles.extend(waiting[at].0.iter().copied());
            list.append(&mut waiting[at].1);
        }
        waiting.retain(|(_, indices)| !indices.is_empty());
        tasks.push(task(None, list, picks));
    }
    tasks
}
