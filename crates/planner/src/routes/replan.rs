//! Planning again while the vehicles are out: a vehicle breaks down, stops are cancelled, new ones come in, someone is late. Invariant:
//! what has been done or begun stays as it is; only what is still open is planned again.

use super::plan::RoutePlan;
use super::problem::{Problem, Reason, RoutesError};
use super::{Pace, Settings, route};
use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The vehicle goes no further: its open stops go to others.
    Breakdown {
        /// Which one.
        vehicle: usize,
    },
    /// The vehicle will be free only then.
    Delay {
        /// Which one.
        vehicle: usize,
        /// When it goes on.
        free_at: i64,
    },
    /// The stop is not visited any more.
    Cancelled {
        /// Which one.
        stop: usize,
    },
}

/// Where the goods of open deliveries are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goods {
    /// Any vehicle can have them: it carries enough of the same, or they are handed over on the road.
    #[default]
    Anywhere,
    /// In the vehicle that was to bring them. What a broken vehicle carries has to be sent again from the start, by vehicles that have
    /// not left. Pick-ups can still be done by anyone.
    Aboard,
}

/// What is wrong with a wish to plan again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplanError {
    /// An event, or the plan, names a vehicle that does not exist.
    #[error("there is no vehicle {0}")]
    Vehicle(usize),
    /// An event, or the plan, names a stop that does not exist.
    #[error("there is no stop {0}")]
    Stop(usize),
    /// The problem itself.
    #[error(transparent)]
    Routes(#[from] RoutesError),
}

/// Plans again at `now`. Returns the problem as it is now (prefixes fixed, broken vehicles unavailable), for [`super::check`], and its
/// plan. New stops are simply in `problem` and not in `plan`.
///
/// # Errors
/// [`ReplanError`] if plan or events do not belong to the problem.
pub fn replan(
    problem: &Problem,
    plan: &RoutePlan,
    now: i64,
    events: &[Event],
    goods: Goods,
    (settings, pace): (&Settings, &Pace<'_>),
) -> Result<(Problem, RoutePlan), ReplanError> {
    let mut then = problem.clone();
    let begin = freeze(&mut then, plan, now, events, goods)?;
    let mut cancelled: Vec<usize> = Vec::new();
    for event in events {
        match *event {
            Event::Breakdown { vehicle } | Event::Delay { vehicle, .. } if vehicle >= then.vehicles.len() => {
                return Err(ReplanError::Vehicle(vehicle));
            }
            Event::Breakdown { vehicle } => then.vehicles[vehicle].available = false,
            Event::Delay { vehicle, free_at } => {
                let v = &mut then.vehicles[vehicle];
                if v.prefix.is_empty() {
                    v.shift_start = v.shift_start.max(free_at);
                    v.shift_end = v.shift_end.max(v.shift_start);
                } else {
                    v.free_at = v.free_at.max(Some(free_at));
                }
            }
            Event::Cancelled { stop } if stop >= then.stops.len() => return Err(ReplanError::Stop(stop)),
            Event::Cancelled { stop } => cancelled.push(stop),
        }
    }
    for stop in cancelled.iter().copied() {
        if !then.vehicles.iter().any(|v| v.prefix.contains(&stop)) {
            then.stops[stop].only = Some(usize::MAX);
        }
    }
    let mut plan = route(&then, &begin, settings, pace)?;
    for u in plan.unassigned.iter_mut().filter(|u| cancelled.contains(&u.stop)) {
        u.why = Reason::Cancelled;
    }
    Ok((then, plan))
}

/// Fixes what is done or begun, and returns the open rest of the routes.
fn freeze(
    then: &mut Problem,
    plan: &RoutePlan,
    now: i64,
    events: &[Event],
    goods: Goods,
) -> Result<Vec<(usize, Vec<usize>)>, ReplanError> {
    let stopped = |v: usize| events.contains(&Event::Breakdown { vehicle: v });
    let mut begin = Vec::new();
    let mut left = vec![false; then.vehicles.len()];
    for r in &plan.routes {
        let vehicle = then.vehicles.get_mut(r.vehicle).ok_or(ReplanError::Vehicle(r.vehicle))?;
        if let Some(v) = r.visits.iter().find(|v| v.stop >= then.stops.len()) {
            return Err(ReplanError::Stop(v.stop));
        }
        // On the way to a stop counts as begun, unless the vehicle will never arrive.
        let mut on_way = r.leave;
        let mut done = Vec::new();
        for visit in &r.visits {
            let begun = if stopped(r.vehicle) { visit.leave <= now } else { on_way < now };
            if !begun {
                break;
            }
            done.push(visit.stop);
            on_way = visit.leave;
        }
        left[r.vehicle] = r.leave < now;
        begin.push((r.vehicle, r.visits[done.len()..].iter().map(|v| v.stop).collect()));
        if let Some(last) = done.len().checked_sub(1) {
            vehicle.shift_start = r.leave;
            vehicle.free_at = vehicle.free_at.max(Some(r.visits[last].leave.max(now)));
        }
        vehicle.prefix = done;
    }
    for (at, vehicle) in then.vehicles.iter_mut().enumerate() {
        if !left[at] {
            vehicle.shift_start = vehicle.shift_start.max(now);
            vehicle.shift_end = vehicle.shift_end.max(vehicle.shift_start);
        }
    }
    if goods == Goods::Aboard {
        aboard(then, plan, &left, &stopped);
    }
    Ok(begin)
}

/// Ties deliveries to the vehicles that carry them.
fn aboard(then: &mut Problem, plan: &RoutePlan, left: &[bool], stopped: &dyn Fn(usize) -> bool) {
    for r in plan.routes.iter().filter(|r| left[r.vehicle] && !stopped(r.vehicle)) {
        for visit in &r.visits {
            let stop = &mut then.stops[visit.stop];
            if stop.deliver != [0; 2] && stop.only.is_none() {
                stop.only = Some(r.vehicle);
            }
        }
    }
    // What has left has no room for goods that are still in the warehouse: it may only collect.
    let mark = 1u64 << 63;
    for (at, vehicle) in then.vehicles.iter_mut().enumerate() {
        vehicle.skills = if left[at] { vehicle.skills & !mark } else { vehicle.skills | mark };
    }
    for stop in then.stops.iter_mut().filter(|s| s.deliver != [0; 2] && s.only.is_none()) {
        stop.skills |= mark;
    }
}
