//! Delivery promise: on which day will it be there, and how sure is that?
//!
//! **Problem.** From past shipments, each with its lane, carrier, sender and weekday, quantiles of the time from order to door for a shipment
//! that is not made yet; a promise at 0.9 should be late one time in ten.
//!
//! **Method.** Time is counted in working days of a calendar with cut-off and holidays. Its logarithm is a sum of effects (from, to, lane,
//! area, sender, carrier, carrier on the lane, distance, weekday), each shrunk towards nothing by how little is known of it: a random-effects
//! model by backfitting (Hastie & Tibshirani 1990; shrinkage as in Bühlmann & Straub 1970). What the effects leave over gives the quantiles:
//! residuals of shipments by fits that did not know them: of earlier weeks, so that drift is part of them, and of other folds before
//! that (conformal prediction, Vovk 2005, 2015), divided by the destination's own spread, recent ones counting more, open shipments as at least so long (Kaplan & Meier 1958: leaving them out makes the recent past
//! look fast).
//!
//! **Complexity.** Shipments × effects × rounds × 19 fits: 5,000 shipments learn in some 100 ms; a quote is a few look-ups.
//!
//! **Limits.** Shocks that no open shipment shows yet are not foreseen. A calendar is one for both ends of the lane. Effects multiply.
//!
//! **Invariant**: a quote's days grow with the quantile, are not before the order, and follow from what was known at `as_of` alone.

pub mod calendar;
mod effects;

pub use calendar::{Calendar, DAY};
use effects::{Effects, KINDS, Kind, keys};
use serde::{Deserialize, Serialize};

/// A shipment, made or to be made. Names that are empty are not known and have no effect.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trip {
    /// Region it leaves from.
    pub from: String,
    /// Region it goes to.
    pub to: String,
    /// A smaller part of that region (the first digits of a postal code).
    pub area: String,
    /// Who packs it: a warehouse, a seller.
    pub sender: String,
    /// Carrier and service.
    pub carrier: String,
    /// Kilometres between both ends.
    pub km: Option<f64>,
    /// Minutes since 1970-01-01, local.
    pub ordered_at: i64,
}

/// A shipment of the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// What it was.
    pub trip: Trip,
    /// When it was there; `None` while it is under way.
    pub delivered_at: Option<i64>,
}

/// Knobs; the defaults are good from a few hundred shipments on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Days after which a shipment says half as much of the pace of today.
    pub pace_half_life: f64,
    /// The same of what is peculiar to lanes, carriers and senders.
    pub effect_half_life: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { pace_half_life: 30.0, effect_half_life: 240.0 }
    }
}

/// Why there are no promises, or why a shipment was not learned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoPromise {
    /// Nothing to learn from.
    #[error("no shipment was delivered by then: there is nothing to learn from")]
    NothingDelivered {
        /// Minutes.
        as_of: i64,
    },
    /// The calendar has no working day, or its cut-off is no time of day.
    #[error(
        "the calendar needs at least one working day in the week and a cut-off between 0 and 1440 minutes"
    )]
    Calendar,
    /// Half-lives are days.
    #[error("half-lives are between 1 and 100,000 days")]
    HalfLife,
    /// Delivered before it was ordered.
    #[error("delivered {minutes} minutes before it was ordered")]
    Backwards {
        /// How much.
        minutes: i64,
    },
    /// A time or distance that cannot be.
    #[error("{field} is {value}: {allowed}")]
    Field {
        /// Which.
        field: String,
        /// What was there.
        value: String,
        /// What would be right.
        allowed: String,
    },
}

/// One reason of a quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What has the effect.
    pub kind: Kind,
    /// Which one.
    pub name: String,
    /// Factor on the working days: 1.2 takes a fifth longer.
    pub factor: f64,
    /// Shipments (weighted by their age) that speak for it.
    pub weight: f64,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = ((self.factor - 1.0).abs() * 100.0).round();
        let way = if self.factor >= 1.0 { "longer" } else { "less" };
        write!(f, "{} {}: {percent} % {way} ({:.0} shipments)", self.kind, self.name, self.weight)
    }
}

/// What can be promised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// The time it is expected: as likely before as after. Minutes since 1970-01-01.
    pub expected_at: i64,
    /// For each quantile asked for, in order: the day (since 1970-01-01) at whose end it is there with that probability.
    pub days: Vec<i64>,
    /// What makes it faster or slower than others, strongest first.
    pub parts: Vec<Part>,
}

/// What was learned.
#[derive(Debug, Clone)]
pub struct Promises {
    calendar: Calendar,
    effects: Effects,
    /// Standardised residuals of the time of delivery, ascending, with the probability that one is not larger.
    hours: Vec<(f64, f64)>,
    /// The same, of the beginning of the day of delivery: what a promise of a day has to reach.
    days: Vec<(f64, f64)>,
    /// Shipments that were not learned from, by their index.
    pub left_out: Vec<(usize, NoPromise)>,
}

const FOLDS: usize = 5;

/// Learns from what was known at `as_of`: later orders are ignored, and what arrived later counts as under way.
pub fn learn(
    past: &[Past],
    as_of: i64,
    calendar: &Calendar,
    options: Options,
) -> Result<Promises, NoPromise> {
    if !calendar.is_possible() {
        return Err(NoPromise::Calendar);
    }
    if [options.pace_half_life, options.effect_half_life].iter().any(|d| !(1.0..=100_000.0).contains(d)) {
        return Err(NoPromise::HalfLife);
    }
    let mut left_out = Vec::new();
    let mut seen = Vec::new();
    for (number, one) in past.iter().enumerate().filter(|(_, p)| p.trip.ordered_at < as_of) {
        match check(one) {
            Ok(()) => seen.push(observe(one, as_of, calendar, options)),
            Err(reason) => left_out.push((number, reason)),
        }
    }
    if !seen.iter().any(|s| s.arrived) {
        return Err(NoPromise::NothingDelivered { as_of });
    }
    let effects = Effects::fit(&seen, None);
    let good: Vec<&Past> = past.iter().filter(|p| p.trip.ordered_at < as_of && check(p).is_ok()).collect();
    let unseen = unseen(&good, &seen, as_of, calendar, options);
    let hours = distribution(unseen.iter().map(|u| (u.time, u.arrived, u.weight)).collect());
    let days = distribution(unseen.iter().map(|u| (u.day, u.arrived, u.weight)).collect());
    Ok(Promises { calendar: calendar.clone(), effects, hours, days, left_out })
}

/// A shipment as the model sees it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    keys: Vec<Option<String>>,
    /// Logarithm of one more than the working days so far.
    log: f64,
    /// The same to the beginning of that day.
    log_day: f64,
    arrived: bool,
    /// Weight for the pace of today.
    pace: f64,
    /// Weight for effects.
    weight: f64,
}

fn observe(one: &Past, as_of: i64, calendar: &Calendar, options: Options) -> Seen {
    let start = calendar.position_of_order(one.trip.ordered_at);
    let end = one.delivered_at.filter(|d| *d <= as_of);
    let end_position = calendar.position(end.unwrap_or(as_of));
    let age = (as_of - one.trip.ordered_at) as f64 / DAY as f64;
    Seen {
        keys: keys(&one.trip),
        log: (end_position - start).max(0.0).ln_1p(),
        log_day: (end_position.floor() - start).max(0.0).ln_1p(),
        arrived: end.is_some(),
        pace: 0.5f64.powf(age / options.pace_half_life),
        weight: 0.5f64.powf(age / options.effect_half_life),
    }
}

fn check(past: &Past) -> Result<(), NoPromise> {
    check_trip(&past.trip)?;
    match past.delivered_at {
        Some(at) if at < past.trip.ordered_at => {
            Err(NoPromise::Backwards { minutes: past.trip.ordered_at.saturating_sub(at) })
        }
        Some(at) => check_time("delivered_at", at),
        None => Ok(()),
    }
}

fn check_trip(trip: &Trip) -> Result<(), NoPromise> {
    if let Some(km) = trip.km.filter(|km| !(0.0..=25_000.0).contains(km)) {
        let allowed = "0 to 25,000 km, or nothing".to_owned();
        return Err(NoPromise::Field { field: "km".into(), value: km.to_string(), allowed });
    }
    check_time("ordered_at", trip.ordered_at)
}

fn check_time(field: &str, at: i64) -> Result<(), NoPromise> {
    // Until 2200: further off it is seconds or milliseconds, not minutes.
    if (0..=121_000_000).contains(&at) {
        return Ok(());
    }
    let allowed = "minutes since 1970-01-01, until 2200".to_owned();
    Err(NoPromise::Field { field: field.into(), value: at.to_string(), allowed })
}

/// How a shipment came out against a fit that had not seen it.
struct Unseen {
    time: f64,
    day: f64,
    arrived: bool,
    weight: f64,
}

impl Unseen {
    fn of(one: &Seen, effects: &Effects) -> Self {
        let (middle, spread) = effects.predict(&one.keys);
        let standard = |log: f64| (log - middle) / spread;
        Self { time: standard(one.log), day: standard(one.log_day), arrived: one.arrived, weight: one.pace }
    }
}

/// Residuals by fits that did not know: for the last quarter from what was known a week at a time, so that the drift from one
/// week to the next is part of them; before that, and where too little was known, from the other folds.
fn unseen(good: &[&Past], seen: &[Seen], as_of: i64, calendar: &Calendar, options: Options) -> Vec<Unseen> {
    const BLOCK: i64 = 7 * DAY;
    let mut found = Vec::with_capacity(seen.len());
    let mut done_from = as_of;
    for back in 1..=13 {
        let start = as_of - back * BLOCK;
        let known: Vec<Seen> = good
            .iter()
            .filter(|p| p.trip.ordered_at < start)
            .map(|p| observe(p, start, calendar, options))
            .collect();
        if known.iter().filter(|k| k.arrived).count() < 200 {
            break;
        }
        let effects = Effects::fit(&known, None);
        let block = good.iter().zip(seen).filter(|(p, _)| (start..done_from).contains(&p.trip.ordered_at));
        found.extend(block.map(|(_, one)| Unseen::of(one, &effects)));
        done_from = start;
    }
    for fold in 0..FOLDS {
        // Neighbours in time fall into different folds.
        let inside = |number: usize| number % FOLDS == fold;
        let effects = Effects::fit(seen, Some(&inside));
        let older = (0..seen.len()).filter(|n| inside(*n) && good[*n].trip.ordered_at < done_from);
        found.extend(older.map(|n| Unseen::of(&seen[n], &effects)));
    }
    found
}

/// Residuals (value, arrived, weight) as a distribution: Kaplan–Meier with weights.
fn distribution(mut found: Vec<(f64, bool, f64)>) -> Vec<(f64, f64)> {
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let mut left: f64 = found.iter().map(|f| f.2).sum();
    let mut survival = 1.0;
    let mut curve = Vec::new();
    for (value, arrived, weight) in found {
        if arrived && left > 1e-12 {
            survival *= (1.0 - weight / left).max(0.0);
            curve.push((value, 1.0 - survival));
        }
        left -= weight;
    }
    curve
}

impl Promises {
    /// Days for a shipment at each quantile (0 to 1, exclusive; others are taken as the nearest that can be).
    pub fn quote(&self, trip: &Trip, quantiles: &[f64]) -> Result<Quote, NoPromise> {
        check_trip(trip)?;
        let keys = keys(trip);
        let (middle, spread) = self.effects.predict(&keys);
        let start = self.calendar.position_of_order(trip.ordered_at);
        let position = |curve: &[(f64, f64)], p: f64| {
            let log = middle + spread * residual(curve, p);
            // Two years: beyond that it is not a promise any more.
            start + log.clamp(0.0, 6.2).exp_m1()
        };
        Ok(Quote {
            expected_at: self.calendar.time_at(position(&self.hours, 0.5)),
            days: quantiles.iter().map(|p| self.calendar.day_at(position(&self.days, *p))).collect(),
            parts: self.effects.parts(&keys),
        })
    }
}

fn residual(curve: &[(f64, f64)], p: f64) -> f64 {
    let at = curve.partition_point(|(_, below)| *below < p);
    curve.get(at).or(curve.last()).map_or(0.0, |(value, _)| *value)
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(KINDS.iter().find(|(k, _, _)| k == self).map_or("", |(_, words, _)| words))
    }
}

#[cfg(test)]
mod tests;
