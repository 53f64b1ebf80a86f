//! Sourcing by the merchant's own rules: a run has routing rules, each order goes to the first one that fits; a routing rule has
//! inventory rules, the first one that ships the order wins; what nobody ships meets the action. Invariant: every location that was
//! looked at and not used has a reason, in the order of the rules.

use super::batch::BatchPlan;
use super::choose::{Choice, Left, Menu, choose, cost, menu};
use super::network::{MILLI, Network, Order, OrderProblem, Policy, SourcingError, days_late};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which orders a routing rule is for; all that is stated has to hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderFilter {
    /// Has one of these tags; empty: any.
    pub tags: Vec<String>,
    /// Goes to one of these zones; empty: any.
    pub zones: Vec<usize>,
    /// Worth at least so many cents.
    pub value_from: Option<i64>,
    /// Worth less than so many cents.
    pub value_below: Option<i64>,
    /// At least so many units.
    pub units_from: Option<i64>,
}

/// Which locations an inventory rule asks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LocationFilter {
    /// Has one of these tags; empty: any.
    pub tags: Vec<String>,
    /// Has none of these.
    pub without: Vec<String>,
    /// Not farther than so many kilometres.
    pub within_km: Option<f64>,
    /// Keeps at least so many pieces of every item it ships, beyond its safety stock.
    pub keep: i64,
}

/// What makes one location better than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Lower priority number.
    Priority,
    /// Fewer kilometres.
    Nearest,
    /// Fewer days.
    Fastest,
    /// Lower postage for a parcel.
    Cheapest,
    /// More stock of what is wanted.
    MostStock,
    /// Smaller share of the daily capacity used so far: spreads work fairly.
    LeastLoaded,
}

/// What an inventory rule wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Least cost by the policy.
    Cost,
    /// Fewest parcels, and among them the first locations in this order.
    InOrder(Vec<Sort>),
}

/// A way to source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryRule {
    /// As reasons call it.
    pub name: String,
    /// Who is asked.
    pub locations: LocationFilter,
    /// Who is preferred.
    pub goal: Goal,
    /// Costs and splits.
    pub policy: Policy,
}

impl Default for InventoryRule {
    fn default() -> Self {
        Self {
            name: String::new(),
            locations: LocationFilter::default(),
            goal: Goal::Cost,
            policy: Policy::default(),
        }
    }
}

/// What becomes of units that no rule ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// They wait for stock.
    #[default]
    Backorder,
    /// The whole order waits for a person; nothing ships.
    Hold,
    /// They are cancelled.
    Cancel,
}

/// Orders of a kind and how they are sourced.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RoutingRule {
    /// As reasons call it.
    pub name: String,
    /// Which orders.
    pub orders: OrderFilter,
    /// Tried in this order.
    pub inventory: Vec<InventoryRule>,
    /// When none of them shipped everything.
    pub action: Action,
}

/// All rules of a run, in order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The first that fits an order is the only one it meets.
    pub routing: Vec<RoutingRule>,
}

/// Why a location ships nothing, or something, of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It ships.
    Ships,
    /// It is closed.
    Closed,
    /// It does not ship to the zone.
    NoLane,
    /// The rule asks other locations.
    Filtered,
    /// It is too far away.
    TooFar,
    /// It would miss the promise.
    TooLate,
    /// Its parcels or units of the day are used up.
    DailyCapacity,
    /// The order excludes it, or allows another one only.
    Excluded,
    /// It has none of what is wanted.
    NoStock,
    /// Other orders took what it had.
    Taken,
    /// All it has is safety stock, or what the rule keeps.
    SafetyStock,
    /// It has a part only, and another choice ships more or in fewer parcels.
    OnlyPart,
    /// It has everything, and another choice is better by the rule's goal.
    Worse,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ships => "ships",
            Self::Closed => "skipped: closed",
            Self::NoLane => "skipped: does not ship to this zone",
            Self::Filtered => "skipped: not one of the rule's locations",
            Self::TooFar => "skipped: too far away",
            Self::TooLate => "skipped: would miss the promised day",
            Self::DailyCapacity => "skipped: daily capacity reached",
            Self::Excluded => "skipped: excluded by the order",
            Self::NoStock => "skipped: has none of it",
            Self::Taken => "skipped: other orders took what it had",
            Self::SafetyStock => "skipped: only safety stock left",
            Self::OnlyPart => "skipped: has only a part",
            Self::Worse => "skipped: another choice is better",
        })
    }
}

/// A reason, with its rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Index of the inventory rule in its routing rule.
    pub rule: usize,
    /// Index of the location.
    pub location: usize,
    /// What became of it.
    pub why: Why,
}

impl Note {
    /// "berlin skipped: daily capacity reached".
    pub fn sentence(&self, network: &Network) -> String {
        let name = network.locations.get(self.location).map_or("", |l| l.name.as_str());
        let number = format!("location {}", self.location);
        format!("{} {}", if name.is_empty() { &number } else { name }, self.why)
    }
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sourced {
    /// Who ships what.
    pub choice: Choice,
    /// Index of the routing rule; `None`: none fits, or the order is no order.
    pub routing: Option<usize>,
    /// Index of the inventory rule that won.
    pub rule: Option<usize>,
    /// For what nobody ships.
    pub action: Option<Action>,
    /// Why the order could not be looked at.
    pub refused: Option<OrderProblem>,
    /// Thousandths of a cent by the winning rule's policy.
    pub cost: i64,
    /// What every location was good for.
    pub notes: Vec<Note>,
}

/// Sources orders one after another by rules, from what is left, and takes it. Higher priority first, then the earlier promise.
///
/// # Errors
/// [`SourcingError`] when the network or a policy makes no sense.
pub fn run(
    network: &Network,
    left: &mut Left,
    orders: &[Order],
    run: &Run,
) -> Result<Vec<Sourced>, SourcingError> {
    network.verify()?;
    for rule in run.routing.iter().flat_map(|r| &r.inventory) {
        rule.policy.verify()?;
    }
    let mut sequence: Vec<usize> = (0..orders.len()).collect();
    sequence.sort_by_key(|o| {
        let o = &orders[*o];
        (std::cmp::Reverse(o.priority), o.promise.unwrap_or(i64::MAX), o.day)
    });
    let mut done: Vec<(usize, Sourced)> =
        sequence.into_iter().map(|o| (o, source(network, left, &orders[o], run))).collect();
    done.sort_by_key(|d| d.0);
    Ok(done.into_iter().map(|d| d.1).collect())
}

/// What every location was good for in a plan of all orders together: a list for each order, empty for one that was refused. What is left
/// is what the whole plan leaves.
pub fn reasons(network: &Network, orders: &[Order], policy: &Policy, plan: &BatchPlan) -> Vec<Vec<Note>> {
    let mut left = Left::of(network);
    for (order, choice) in orders.iter().zip(&plan.choices) {
        left.apply(order, choice, -1);
    }
    let rule = InventoryRule { policy: policy.clone(), ..InventoryRule::default() };
    let one = |((order, choice), refused): ((&Order, &Choice), &Option<OrderProblem>)| {
        let mut notes = Vec::new();
        if refused.is_none() {
            note(network, &left, order, (0, &rule), choice, &mut notes);
        }
        notes
    };
    orders.iter().zip(&plan.choices).zip(&plan.refused).map(one).collect()
}

fn source(network: &Network, left: &mut Left, order: &Order, run: &Run) -> Sourced {
    let mut sourced = Sourced {
        choice: Choice::nothing(order),
        routing: None,
        rule: None,
        action: None,
        refused: order.problem(network),
        cost: 0,
        notes: Vec::new(),
    };
    if sourced.refused.is_some() {
        return sourced;
    }
    sourced.routing = run.routing.iter().position(|r| fits(&r.orders, order));
    let Some(routing) = sourced.routing.map(|at| &run.routing[at]) else { return sourced };
    for (at, rule) in routing.inventory.iter().enumerate() {
        let offers = ask(network, left, order, rule);
        let (_, choice) = choose(network, order, &offers, Some(left));
        note(network, left, order, (at, rule), &choice, &mut sourced.notes);
        // A rule that ships nothing has not matched; one that ships a part has, if it may.
        if !choice.ships.is_empty() {
            sourced.cost = cost(network, order, &rule.policy, &choice);
            sourced.rule = Some(at);
            sourced.choice = choice;
            break;
        }
    }
    if sourced.choice.short_units() > 0 {
        sourced.action = Some(routing.action);
        if routing.action == Action::Hold {
            sourced.choice = Choice::nothing(order);
            sourced.cost = 0;
        }
    }
    left.apply(order, &sourced.choice, -1);
    sourced
}

fn worth(order: &Order) -> i64 {
    order.lines.iter().map(|l| l.value.saturating_mul(l.quantity)).fold(0, i64::saturating_add)
}

fn fits(filter: &OrderFilter, order: &Order) -> bool {
    let units: i64 = order.lines.iter().map(|l| l.quantity).sum();
    (filter.tags.is_empty() || filter.tags.iter().any(|t| order.tags.contains(t)))
        && (filter.zones.is_empty() || filter.zones.contains(&order.zone))
        && filter.value_from.is_none_or(|v| worth(order) >= v)
        && filter.value_below.is_none_or(|v| worth(order) < v)
        && filter.units_from.is_none_or(|u| units >= u)
}

/// The menu of a rule: its locations, at its prices.
fn ask(network: &Network, left: &Left, order: &Order, rule: &InventoryRule) -> Menu {
    let mut menu = menu(network, order, &rule.policy, left);
    menu.offers.retain(|o| turned_away(network, order, rule, o.location).is_none());
    if rule.locations.keep > 0 {
        for at in 0..menu.offers.len() {
            for (l, line) in order.lines.iter().enumerate() {
                menu.limit(at, l, above(left, line, menu.offers[at].location, rule.locations.keep));
            }
        }
    }
    if let Goal::InOrder(sorts) = &rule.goal {
        let mut rank: Vec<usize> = (0..menu.offers.len()).collect();
        let keys: Vec<Vec<f64>> = menu
            .offers
            .iter()
            .map(|o| sorts.iter().map(|s| key(network, left, order, *s, o.location)).collect())
            .collect();
        rank.sort_by(|a, b| {
            let by = keys[*a].iter().zip(&keys[*b]).map(|(a, b)| a.total_cmp(b)).find(|c| c.is_ne());
            by.unwrap_or(std::cmp::Ordering::Equal)
        });
        // First all units, then few parcels, then first in order: three sizes of cost that cannot be confused.
        for (place, at) in rank.into_iter().enumerate() {
            menu.rank(at, 1e6 + place as f64 * 10.0, place as f64 * 1e-7);
        }
        menu.extra = 0.0;
        menu.short.fill(1e9);
        menu.sort();
    }
    menu
}

/// Units of a line that leave so many pieces of each of its items.
fn above(left: &Left, line: &super::Line, location: usize, keep: i64) -> i64 {
    let units = |(item, pieces): &(usize, i64)| (left.stock(location, *item) - keep).max(0) / pieces;
    line.takes.iter().map(units).min().unwrap_or(0)
}

/// Smaller is better.
fn key(network: &Network, left: &Left, order: &Order, sort: Sort, location: usize) -> f64 {
    let lane = network.lane(location, order.zone).copied().unwrap_or_default();
    match sort {
        Sort::Priority => network.locations[location].priority as f64,
        Sort::Nearest => lane.distance_km.unwrap_or(f64::MAX),
        Sort::Fastest => lane.days as f64,
        Sort::Cheapest => lane.parcel as f64 * MILLI as f64,
        Sort::MostStock => {
            let pieces =
                |l: &super::Line| l.takes.iter().map(|t| left.stock(location, t.0) as f64).sum::<f64>();
            -order.lines.iter().map(pieces).sum::<f64>()
        }
        Sort::LeastLoaded => {
            let all = network.locations[location].parcels.map(|p| p as f64).filter(|p| *p > 0.0);
            all.map_or(0.0, |all| 1.0 - left.parcels[location] as f64 / all)
        }
    }
}

/// Why a rule does not even ask a location, whatever it has.
fn turned_away(network: &Network, order: &Order, rule: &InventoryRule, location: usize) -> Option<Why> {
    let l = &network.locations[location];
    let filter = &rule.locations;
    let Some(lane) = network.lane(location, order.zone) else { return Some(Why::NoLane) };
    let tagged = filter.tags.is_empty() || filter.tags.iter().any(|t| l.tags.contains(t));
    if l.closed {
        Some(Why::Closed)
    } else if !tagged || filter.without.iter().any(|t| l.tags.contains(t)) {
        Some(Why::Filtered)
    } else if filter.within_km.is_some_and(|most| lane.distance_km.is_none_or(|km| km > most)) {
        Some(Why::TooFar)
    } else if rule.policy.keep_promise && days_late(order, lane) > 0 {
        Some(Why::TooLate)
    } else {
        None
    }
}

/// What every location was good for under a rule.
fn note(
    network: &Network,
    left: &Left,
    order: &Order,
    (at, rule): (usize, &InventoryRule),
    choice: &Choice,
    notes: &mut Vec<Note>,
) {
    for location in 0..network.locations.len() {
        let ships = choice.ships.iter().any(|s| s.location == location);
        let why = if ships {
            Why::Ships
        } else {
            turned_away(network, order, rule, location)
                .unwrap_or_else(|| passed_over(network, left, order, rule, location))
        };
        notes.push(Note { rule: at, location, why });
    }
}

/// Why a location that was asked ships nothing.
fn passed_over(network: &Network, left: &Left, order: &Order, rule: &InventoryRule, location: usize) -> Why {
    let may = |l: &&super::Line| l.only.is_none_or(|o| o == location) && l.except != Some(location);
    let lines: Vec<&super::Line> = order.lines.iter().filter(may).collect();
    if left.parcels[location] <= 0 || left.units[location] <= 0 {
        return Why::DailyCapacity;
    }
    if lines.is_empty() {
        return Why::Excluded;
    }
    let units = |l: &&super::Line| above(left, l, location, rule.locations.keep);
    if lines.iter().all(|l| units(l) == 0) {
        // Stock before safety, less what this run took: what would be there if none were kept.
        let took = |i: usize| network.free(location, i) - left.stock(location, i);
        let raw = |(i, pieces): &(usize, i64)| (network.locations[location].stock[*i] - took(*i)) >= *pieces;
        let had = |(i, pieces): &(usize, i64)| network.free(location, *i) >= *pieces;
        let any = |has: &dyn Fn(&(usize, i64)) -> bool| lines.iter().any(|l| l.takes.iter().all(has));
        return match (any(&raw), any(&had)) {
            (true, _) => Why::SafetyStock,
            (false, true) => Why::Taken,
            (false, false) => Why::NoStock,
        };
    }
    let all = lines.len() == order.lines.len() && lines.iter().all(|l| units(l) >= l.quantity);
    if all { Why::Worse } else { Why::OnlyPart }
}
