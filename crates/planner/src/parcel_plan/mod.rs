//! Parcel plan: which boxes, by which services, with what in each, so that the whole costs least and arrives in time.
//!
//! Problem: boxing and rating are decided one after the other almost everywhere; but the fewest boxes are not the cheapest parcels
//! where prices go by steps of weight, by volume, by surcharges, or where one service takes only small ones. Method: the price of a
//! parcel is that of its cheapest (box, service) that holds it, so a plan is a partition of the pieces: exact by dynamic programming
//! over sub-multisets where there are few (set partitioning as in Held & Karp 1962), otherwise a local search (move, swap, merge,
//! split by filling a box; steepest over parcels, restarts by merging two: iterated local search, Lourenço, Martin & Stützle 2003)
//! that starts from pack-then-rate. Complexity: sub-multisets² packings at most, those that no price can justify left out.
//! Limits: "exact" means over the packings that `cartons` finds; where stock of cartons is limited, plans that would overdraw it are
//! dropped, not repaired. Invariant: never dearer than pack-then-rate, whose figure is in the plan; every parcel keeps the promise, or
//! the plan says that nothing could.

mod search;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Budget;
use crate::cartons::prepare::{Sending, check_postage};
use crate::cartons::{self, Carton, Filler, Item, Parcel, Postage, Prepared, Protection};
use crate::packing::Size;
use crate::packing::check::Fault;

/// What is to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// What goes in.
    pub items: Vec<Item>,
    /// What there is to put it in.
    pub cartons: Vec<Carton>,
    /// Wrapping by fragility.
    #[serde(default)]
    pub protection: Vec<Protection>,
    /// What fills the rest of a box.
    #[serde(default)]
    pub filler: Option<Filler>,
    /// Share of each base that must be carried.
    #[serde(default)]
    pub support: f64,
    /// Who could take it, with prices for this destination.
    pub services: Vec<Service>,
    /// The last day on which it may arrive, in the days that services count in.
    pub promise: i64,
    /// Minor units of work for every parcel.
    #[serde(default)]
    pub handling: i64,
}

/// A carrier's service, for one origin and destination.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Service {
    /// As people call it.
    pub name: String,
    /// The day on which it arrives.
    pub arrives: i64,
    /// Prices by billable weight.
    pub prices: Postage,
    /// The heaviest parcel it takes, in gross grams.
    #[serde(default)]
    pub max_g: Option<i64>,
    /// The longest edge it takes.
    #[serde(default)]
    pub max_length_mm: Option<i64>,
    /// The largest length plus girth (two of each other edge) it takes.
    #[serde(default)]
    pub max_girth_mm: Option<i64>,
    /// What it asks for on top.
    #[serde(default)]
    pub surcharges: Vec<Surcharge>,
    /// On price and surcharges, in hundredths of a percent (fuel).
    #[serde(default)]
    pub fuel_bp: i64,
}

/// A price for what is large or heavy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Surcharge {
    /// As people call it.
    pub name: String,
    /// Beyond what it is asked for.
    pub over: Limit,
    /// Minor units.
    pub price: i64,
}

/// What a surcharge looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Gross grams.
    Grams(i64),
    /// The longest edge.
    LengthMm(i64),
    /// The second longest edge.
    WidthMm(i64),
    /// Length plus girth.
    GirthMm(i64),
}

impl Service {
    /// Billable grams and minor units for a parcel; `None` when it does not take it.
    pub fn price(&self, gross_g: i64, outer_mm: Size) -> Option<(i64, i64)> {
        let mut edges = outer_mm.map(i64::from);
        edges.sort_unstable();
        let girth = edges[2] + 2 * (edges[0] + edges[1]);
        let within = |limit: Option<i64>, value: i64| limit.is_none_or(|limit| value <= limit);
        if !within(self.max_g, gross_g)
            || !within(self.max_length_mm, edges[2])
            || !within(self.max_girth_mm, girth)
        {
            return None;
        }
        let billable = self.prices.billable(gross_g, outer_mm);
        let mut price = self.prices.price(billable)?;
        for surcharge in &self.surcharges {
            let over = match surcharge.over {
                Limit::Grams(limit) => gross_g > limit,
                Limit::LengthMm(limit) => edges[2] > limit,
                Limit::WidthMm(limit) => edges[1] > limit,
                Limit::GirthMm(limit) => girth > limit,
            };
            if over {
                price = price.checked_add(surcharge.price)?;
            }
        }
        let fuel = i128::from(price) * i128::from(self.fuel_bp);
        // What is begun counts, as on the carrier's invoice.
        let fuel = i64::try_from((fuel + 9_999) / 10_000).ok()?;
        Some((billable, price.checked_add(fuel)?))
    }
}

/// Why nothing can be planned at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Items, cartons or material.
    #[error(transparent)]
    Packing(#[from] cartons::Refused),
    /// A service's numbers make no sense.
    #[error("service {service}: {problem}")]
    Service {
        /// Its index.
        service: usize,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// The price of work is not between 0 and 1,000,000,000.
    #[error("handling must be between 0 and 1,000,000,000")]
    Handling,
}

/// Why the plan is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variant says what its fields are")]
pub enum Reason {
    /// A piece that goes nowhere.
    Packing(cartons::Reason),
    /// There is nobody to send it with.
    NoServices,
    /// No service arrives in time: the earliest ones were taken.
    PromiseBroken { earliest: i64, promise: i64 },
    /// Boxes first and rates second would have cost more.
    Saved { minor: i64, parcels_then: usize },
    /// Boxes first and rates second find nothing cheaper or dearer.
    SameAsPackThenRate,
    /// Boxes first and rates second have a parcel that no service takes in time.
    PackThenRateImpossible,
    /// All partitions were weighed, over the packings there are.
    Exact,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packing(cartons::Reason::NoPostage { item }) => {
                write!(f, "no service takes a parcel with item {item} in time")
            }
            Self::Packing(reason) => write!(f, "{reason}"),
            Self::NoServices => write!(f, "there is no service to send anything with"),
            Self::PromiseBroken { earliest, promise } => {
                write!(f, "nothing arrives by day {promise}: the earliest, day {earliest}, was taken")
            }
            Self::Saved { minor, parcels_then } => {
                write!(f, "{minor} less than boxes first and rates second ({parcels_then} parcels)")
            }
            Self::SameAsPackThenRate => write!(f, "boxes first and rates second cost the same"),
            Self::PackThenRateImpossible => {
                write!(f, "boxes first and rates second have a parcel that nobody takes in time")
            }
            Self::Exact => write!(f, "all ways to split it were weighed"),
        }
    }
}

/// What was decided.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The parcels; `service` says who takes each.
    pub parcels: Vec<Parcel>,
    /// Pieces of each item in no parcel.
    pub left: Vec<u32>,
    /// Minor units in all, handling included.
    pub cost: i64,
    /// What boxes first and rates second cost for the same pieces, if that is possible at all.
    pub pack_then_rate: Option<i64>,
    /// The day on which the last parcel arrives.
    pub arrives: Option<i64>,
    /// Why it is so.
    pub reasons: Vec<Reason>,
}

/// Plans the parcels. The budget counts pieces put down and plans compared. Error: numbers that make no sense.
pub fn plan(order: &Order, budget: &Budget<'_>) -> Result<Plan, Refused> {
    validate(order)?;
    let mut reasons = Vec::new();
    let earliest = order.services.iter().map(|s| s.arrives).min();
    let latest = match earliest {
        Some(day) if day > order.promise => {
            reasons.push(Reason::PromiseBroken { earliest: day, promise: order.promise });
            day
        }
        Some(_) => order.promise,
        None => {
            reasons.push(Reason::NoServices);
            order.promise
        }
    };
    let send = |gross: i64, outer: Size| rate(order, latest, gross, outer);
    let packing = as_cartons(order);
    let in_time = order.services.iter().filter(|s| s.arrives <= latest);
    let heaviest = in_time.map(|s| s.max_g.unwrap_or(i64::MAX).min(s.prices.heaviest())).max().unwrap_or(0);
    let prepared = Prepared::sent_by(&packing, Some(&send as Sending<'_>), heaviest)?;
    reasons.extend(prepared.reasons.iter().cloned().map(Reason::Packing));
    let found = search::cheapest(&prepared, &packing, order.handling, budget)?;
    if found.exact {
        reasons.push(Reason::Exact);
    }
    let mut parcels = found.parcels;
    let mut left = prepared.name_items(&mut parcels);
    for (left, impossible) in left.iter_mut().zip(&prepared.left) {
        *left = (*left).max(*impossible);
    }
    for (item, pieces) in left.iter().enumerate().filter(|(item, n)| **n > prepared.left[*item]) {
        reasons.push(Reason::Packing(cartons::Reason::CartonsRanOut { item, pieces: *pieces }));
    }
    let cost = search::cost(&parcels, order.handling);
    match found.pack_then_rate {
        Some((then, parcels_then)) if then > cost => {
            reasons.push(Reason::Saved { minor: then - cost, parcels_then });
        }
        Some(_) => reasons.push(Reason::SameAsPackThenRate),
        None if parcels.is_empty() => {}
        None => reasons.push(Reason::PackThenRateImpossible),
    }
    let arrives = parcels.iter().filter_map(|p| p.service).map(|s| order.services[s].arrives).max();
    let pack_then_rate = found.pack_then_rate.map(|p| p.0);
    Ok(Plan { parcels, left, cost, pack_then_rate, arrives, reasons })
}

/// What the independent checker finds wrong with the packings, and prices and days with the parcels (as `TooHeavy`: nobody takes it so).
/// Error: the order itself makes no sense.
pub fn faults(order: &Order, plan: &Plan) -> Result<Vec<(usize, Fault)>, Refused> {
    let packing = as_cartons(order);
    let boxes = cartons::Plan {
        parcels: plan.parcels.clone(),
        left: plan.left.clone(),
        cost: plan.cost,
        bound: 0,
        reasons: Vec::new(),
    };
    let mut faults = cartons::faults(&packing, &boxes)?;
    let broken = plan.reasons.iter().any(|r| matches!(r, Reason::PromiseBroken { .. }));
    for (i, parcel) in plan.parcels.iter().enumerate() {
        let service = parcel.service.and_then(|s| order.services.get(s));
        let outer = order.cartons[parcel.carton].outer_mm;
        let price = service.and_then(|s| s.price(parcel.gross_g, outer)).map(|p| p.1);
        let late = service.is_none_or(|s| s.arrives > order.promise) && !broken;
        if late || price != Some(parcel.postage) {
            faults.push((i, Fault::TooHeavy { weight: parcel.gross_g, limit: 0 }));
        }
    }
    Ok(faults)
}

/// The cheapest service that takes it and arrives in time; of equals, the one that arrives first.
fn rate(order: &Order, latest: i64, gross: i64, outer: Size) -> Option<(i64, i64, usize)> {
    order
        .services
        .iter()
        .enumerate()
        .filter(|(_, s)| s.arrives <= latest)
        .filter_map(|(i, s)| s.price(gross, outer).map(|(billable, price)| (billable, price, i)))
        .min_by_key(|(_, price, i)| (*price, order.services[*i].arrives, *i))
}

fn as_cartons(order: &Order) -> cartons::Order {
    cartons::Order {
        items: order.items.clone(),
        cartons: order.cartons.clone(),
        protection: order.protection.clone(),
        filler: order.filler.clone(),
        postage: None,
        support: order.support,
    }
}

fn validate(order: &Order) -> Result<(), Refused> {
    const MOST: i64 = 1_000_000_000;
    if !(0..=MOST).contains(&order.handling) {
        return Err(Refused::Handling);
    }
    for (service, s) in order.services.iter().enumerate() {
        check_postage(&s.prices).map_err(|problem| Refused::Service { service, problem })?;
        if s.surcharges.iter().any(|c| !(0..=MOST).contains(&c.price)) || !(0..=100_000).contains(&s.fuel_bp)
        {
            let problem =
                "surcharges must be between 0 and 1,000,000,000 and fuel between 0 and 100,000 basis points";
            return Err(Refused::Service { service, problem });
        }
    }
    Ok(())
}
