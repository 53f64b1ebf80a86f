//! What sourcing of many orders knows: locations with stock and capacity, lanes to zones, orders, and what a choice costs. Invariant:
//! after [`Network::verify`] and [`Order::problem`] no number can overflow and no index points nowhere.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Largest quantity, weight, price or number of days that is taken for real.
pub const MAX_NUMBER: i64 = 1_000_000_000;
/// Most lines of an order, and most parcels it may be split into.
pub const MAX_LINES: usize = 1_000;
/// Costs are counted in thousandths of a cent, so that a price for a kilogram is exact for a gram.
pub const MILLI: i64 = 1_000;

/// A location that ships.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Location {
    /// As reasons call it.
    pub name: String,
    /// Lower ships first.
    pub priority: i64,
    /// Free units of each item.
    pub stock: Vec<i64>,
    /// Units of each item that are not to be promised; empty: none.
    pub safety: Vec<i64>,
    /// Parcels it can still send today; `None`: no limit.
    pub parcels: Option<i64>,
    /// Units it can still send today; `None`: no limit.
    pub units: Option<i64>,
    /// Closed locations ship nothing.
    pub closed: bool,
    /// What rules can ask for: "store", "cold", …
    pub tags: Vec<String>,
}

/// From a location to a zone.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lane {
    /// Kilometres, where known.
    pub distance_km: Option<f64>,
    /// Cents for a parcel …
    pub parcel: i64,
    /// … and for each kilogram in it.
    pub per_kg: i64,
    /// Days from order to door.
    pub days: i64,
}

/// Locations and lanes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// How many items there are; `stock` has so many columns.
    pub items: usize,
    /// How many zones there are.
    pub zones: usize,
    /// Who ships.
    pub locations: Vec<Location>,
    /// `lanes[location * zones + zone]`; `None`: does not ship there.
    pub lanes: Vec<Option<Lane>>,
}

/// Units of one thing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Whole units.
    pub quantity: i64,
    /// What one unit takes: `(item, pieces)`. A bundle takes several, always from one location.
    pub takes: Vec<(usize, i64)>,
    /// Grams of a unit.
    pub grams: i64,
    /// Cents that a unit is worth.
    pub value: i64,
    /// Lines with the same number ship whole and from one location, or not at all.
    pub together: Option<u32>,
    /// The only location allowed.
    pub only: Option<usize>,
    /// A location that must not ship it.
    pub except: Option<usize>,
}

/// An order to be sourced.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// Where it goes.
    pub zone: usize,
    /// Day it was placed.
    pub day: i64,
    /// Day it was promised for.
    pub promise: Option<i64>,
    /// Higher is sourced first.
    pub priority: i64,
    /// What rules can ask for: "express", "wholesale", …
    pub tags: Vec<String>,
    /// What was ordered.
    pub lines: Vec<Line>,
}

/// What a choice costs beside the lane, and which splits are allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Most parcels of an order.
    pub max_parcels: usize,
    /// Orders worth less (cents) are never split.
    pub split_from: i64,
    /// Cents for each parcel after the first, beyond its postage: packing, and a customer who waits twice.
    pub extra_parcel: i64,
    /// Cents for each day after the promise, for each parcel.
    pub late_day: i64,
    /// Whether a location that would miss the promise is not asked at all.
    pub keep_promise: bool,
    /// Cents for a step of a location's priority, for each parcel.
    pub priority_step: i64,
    /// Cents for a unit that nobody ships now. Should exceed any postage.
    pub short_unit: i64,
    /// Whether an order may be shipped in part.
    pub partial: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_parcels: 3,
            split_from: 0,
            extra_parcel: 150,
            late_day: 300,
            keep_promise: false,
            priority_step: 20,
            short_unit: 5_000,
            partial: true,
        }
    }
}

/// What is wrong with the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourcingError {
    /// Lanes are not locations × zones.
    #[error("there are {found} lanes; locations × zones makes {expected}")]
    Lanes {
        /// locations × zones.
        expected: usize,
        /// What there is.
        found: usize,
    },
    /// A location whose stock does not match the items.
    #[error("location {0}: stock (and safety stock, if any) needs one number for each item")]
    Columns(usize),
    /// A location with a negative or unreal number.
    #[error("location {0}: quantities and capacities are 0 to {MAX_NUMBER}, priorities within ±{MAX_NUMBER}")]
    Location(usize),
    /// A lane with a negative or unreal number.
    #[error("lane {0}: prices and days are 0 to 1000000, distances finite and not negative")]
    Lane(usize),
    /// A policy with a negative or unreal number.
    #[error("policy: prices are 0 to 1000000, at least one parcel")]
    Policy,
}

/// Why an order cannot be sourced at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderProblem {
    /// No such zone.
    Zone,
    /// No such item, or a bundle of nothing.
    Item,
    /// Zero or less, or beyond what is real.
    Quantity,
    /// More lines than [`MAX_LINES`].
    Lines,
}

impl fmt::Display for OrderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zone => "its zone does not exist",
            Self::Item => "a line names an item that does not exist, or takes nothing",
            Self::Quantity => "a quantity, weight, value or day is negative, zero or unreal",
            Self::Lines => "it has too many lines",
        })
    }
}

const MAX_PRICE: i64 = 1_000_000;

impl Network {
    /// Checks shapes and ranges.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), SourcingError> {
        let expected = self.locations.len().saturating_mul(self.zones);
        if self.lanes.len() != expected {
            return Err(SourcingError::Lanes { expected, found: self.lanes.len() });
        }
        for (at, l) in self.locations.iter().enumerate() {
            if l.stock.len() != self.items || !(l.safety.is_empty() || l.safety.len() == self.items) {
                return Err(SourcingError::Columns(at));
            }
            let limits = l.parcels.iter().chain(&l.units);
            let real = l.stock.iter().chain(&l.safety).chain(limits).all(|n| (0..=MAX_NUMBER).contains(n));
            if !real || l.priority.saturating_abs() > MAX_NUMBER {
                return Err(SourcingError::Location(at));
            }
        }
        for (at, lane) in self.lanes.iter().enumerate() {
            let Some(lane) = lane else { continue };
            let prices = [lane.parcel, lane.per_kg, lane.days].iter().all(|n| (0..=MAX_PRICE).contains(n));
            if !prices || lane.distance_km.is_some_and(|d| !d.is_finite() || d < 0.0) {
                return Err(SourcingError::Lane(at));
            }
        }
        Ok(())
    }

    /// The lane to a zone, if there is one.
    pub fn lane(&self, location: usize, zone: usize) -> Option<&Lane> {
        self.lanes[location * self.zones + zone].as_ref()
    }

    /// Units of an item that may be promised.
    pub fn free(&self, location: usize, item: usize) -> i64 {
        let l = &self.locations[location];
        (l.stock[item] - l.safety.get(item).copied().unwrap_or(0)).max(0)
    }
}

impl Policy {
    /// Checks ranges.
    ///
    /// # Errors
    /// [`SourcingError::Policy`].
    pub fn verify(&self) -> Result<(), SourcingError> {
        let prices = [self.extra_parcel, self.late_day, self.priority_step, self.short_unit];
        let real = prices.iter().all(|n| (0..=MAX_PRICE).contains(n)) && self.max_parcels > 0;
        if real { Ok(()) } else { Err(SourcingError::Policy) }
    }

    /// How many parcels an order may become.
    pub fn parcels(&self, order: &Order) -> usize {
        let worth: i64 =
            order.lines.iter().map(|l| l.value.saturating_mul(l.quantity)).fold(0, i64::saturating_add);
        if worth < self.split_from { 1 } else { self.max_parcels }
    }

    /// Thousandths of a cent for a parcel from a location, its weight not counted.
    pub fn parcel_cost(&self, network: &Network, order: &Order, location: usize, lane: &Lane) -> i64 {
        let best = network.locations.iter().map(|l| l.priority).min().unwrap_or(0);
        let steps = (network.locations[location].priority - best).clamp(0, 1_000);
        (lane.parcel + steps * self.priority_step + days_late(order, lane) * self.late_day) * MILLI
    }
}

/// Days after the promise.
pub fn days_late(order: &Order, lane: &Lane) -> i64 {
    order.promise.map_or(0, |promise| (order.day + lane.days - promise).max(0))
}

impl Order {
    /// Why it cannot be sourced, if so.
    pub fn problem(&self, network: &Network) -> Option<OrderProblem> {
        let day = |d: i64| (-MAX_PRICE..=MAX_PRICE).contains(&d);
        if self.zone >= network.zones {
            return Some(OrderProblem::Zone);
        }
        if self.lines.len() > MAX_LINES {
            return Some(OrderProblem::Lines);
        }
        if !day(self.day) || !self.promise.is_none_or(day) {
            return Some(OrderProblem::Quantity);
        }
        for line in &self.lines {
            if line.takes.is_empty() || line.takes.iter().any(|(item, _)| *item >= network.items) {
                return Some(OrderProblem::Item);
            }
            let pieces = line.takes.iter().all(|(_, p)| (1..=100_000).contains(p));
            let small = (1..=100_000).contains(&line.quantity) && (0..=MAX_PRICE).contains(&line.grams);
            if !pieces || !small || !(0..=MAX_NUMBER).contains(&line.value) {
                return Some(OrderProblem::Quantity);
            }
        }
        None
    }
}
