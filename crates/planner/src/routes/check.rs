//! Is a plan right? Follows every route through the problem as stated, with nothing of the search: no shared schedule, no shared loads.
//! Invariant: an empty list means that the plan can be driven as written and costs what it says.

use super::plan::{Route, RoutePlan};
use super::problem::Problem;
use std::fmt;

/// Something wrong with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A vehicle or stop that does not exist, or one vehicle twice.
    Unknown(usize),
    /// A stop not exactly once in routes and unassigned.
    Times {
        /// Which stop.
        stop: usize,
        /// How often it is there.
        times: usize,
    },
    /// A way that does not exist.
    NoWay(usize),
    /// Service outside the window, beyond what the prefix excuses.
    Window(usize),
    /// A time that does not follow from the one before.
    Clock(usize),
    /// More aboard than the vehicle holds.
    Load(usize),
    /// Leaves before or is back after the shift, or is out too long.
    Shift(usize),
    /// A vehicle that may not visit this stop.
    Skill(usize),
    /// The prefix of this vehicle is not at the beginning of its route, or it got stops though it takes none.
    Prefix(usize),
    /// Cost or distance do not add up.
    Sum,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(v) => write!(f, "route of vehicle {v}: unknown vehicle or stop, or a second route"),
            Self::Times { stop, times } => write!(f, "stop {stop} is planned {times} times"),
            Self::NoWay(s) => write!(f, "no way to stop {s}, or from it"),
            Self::Window(s) => write!(f, "stop {s} is served outside its window"),
            Self::Clock(s) => write!(f, "the times at stop {s} do not follow from those before"),
            Self::Load(v) => write!(f, "vehicle {v} carries more than it holds"),
            Self::Shift(v) => write!(f, "vehicle {v} is out beyond its shift"),
            Self::Skill(s) => write!(f, "stop {s} is visited by a vehicle that may not"),
            Self::Prefix(v) => write!(f, "vehicle {v} does not keep to its prefix"),
            Self::Sum => f.write_str("cost or distance do not add up"),
        }
    }
}

/// Everything wrong with a plan for a problem that verifies.
pub fn check(problem: &Problem, plan: &RoutePlan) -> Vec<Violation> {
    let mut wrong = Vec::new();
    let mut times = vec![0usize; problem.stops.len()];
    let mut used = vec![false; problem.vehicles.len()];
    let (mut cost, mut distance) = (0, 0);
    for route in &plan.routes {
        let known = route.vehicle < used.len() && route.visits.iter().all(|v| v.stop < times.len());
        if !known || used[route.vehicle] {
            wrong.push(Violation::Unknown(route.vehicle));
            continue;
        }
        used[route.vehicle] = true;
        route.visits.iter().for_each(|v| times[v.stop] += 1);
        follow(problem, route, &mut wrong);
        load(problem, route, &mut wrong);
        allowed(problem, route, &mut wrong);
        cost += route.cost;
        distance += route.distance;
    }
    for (vehicle, v) in problem.vehicles.iter().enumerate() {
        if !v.prefix.is_empty() && !used[vehicle] {
            wrong.push(Violation::Prefix(vehicle));
        }
    }
    for u in &plan.unassigned {
        match times.get_mut(u.stop) {
            Some(t) => *t += 1,
            None => wrong.push(Violation::Times { stop: u.stop, times: 0 }),
        }
    }
    let off = times.iter().enumerate().filter(|(_, t)| **t != 1);
    wrong.extend(off.map(|(stop, times)| Violation::Times { stop, times: *times }));
    if cost != plan.cost || distance != plan.distance {
        wrong.push(Violation::Sum);
    }
    wrong
}

/// Ways, times and cost of a route.
fn follow(problem: &Problem, route: &Route, wrong: &mut Vec<Violation>) {
    let vehicle = &problem.vehicles[route.vehicle];
    let prefix = vehicle.prefix.len();
    let (mut place, mut time, mut length) = (vehicle.start, route.leave, 0);
    // What a prefix made unavoidable: how late the vehicle would be home without any further stop.
    let mut excuse = 0;
    for (i, visit) in route.visits.iter().enumerate() {
        let stop = &problem.stops[visit.stop];
        let (Some(way), Some(ride)) =
            (problem.travel.distance(place, stop.place), problem.travel.duration(place, stop.place))
        else {
            wrong.push(Violation::NoWay(visit.stop));
            return;
        };
        length += way;
        let held = if i + 1 == prefix { vehicle.free_at.unwrap_or(0) } else { 0 };
        let leave = (visit.begin + stop.service).max(held);
        if visit.arrive != time + ride || visit.begin < visit.arrive || visit.leave != leave {
            wrong.push(Violation::Clock(visit.stop));
        }
        if visit.begin < stop.earliest || (i >= prefix && visit.begin > stop.latest) {
            wrong.push(Violation::Window(visit.stop));
        }
        time = visit.leave;
        place = stop.place;
        if i + 1 == prefix {
            let home = vehicle.end.and_then(|end| problem.travel.duration(place, end)).unwrap_or(0);
            excuse = time + home;
        }
    }
    if let Some(end) = vehicle.end {
        match (problem.travel.distance(place, end), problem.travel.duration(place, end)) {
            (Some(way), Some(ride)) => {
                length += way;
                time += ride;
            }
            _ => wrong.push(Violation::NoWay(route.visits.last().map_or(0, |v| v.stop))),
        }
    }
    let out = time - route.leave;
    let added = route.visits.len() > prefix;
    let long = added && vehicle.max_duration.is_some_and(|most| out > most);
    if route.leave < vehicle.shift_start || time > vehicle.shift_end.max(excuse) || long {
        wrong.push(Violation::Shift(route.vehicle));
    }
    let cost = vehicle.fixed_cost + length * vehicle.distance_cost + out * vehicle.duration_cost;
    if time != route.back || length != route.distance || cost != route.cost {
        wrong.push(Violation::Sum);
    }
}

fn load(problem: &Problem, route: &Route, wrong: &mut Vec<Violation>) {
    let capacity = problem.vehicles[route.vehicle].capacity;
    for (m, most) in capacity.into_iter().enumerate() {
        let mut aboard: i64 = route.visits.iter().map(|v| problem.stops[v.stop].deliver[m]).sum();
        let mut peak = aboard;
        for visit in &route.visits {
            let stop = &problem.stops[visit.stop];
            aboard = aboard - stop.deliver[m] + stop.collect[m];
            peak = peak.max(aboard);
        }
        if peak > most {
            wrong.push(Violation::Load(route.vehicle));
        }
    }
}

fn allowed(problem: &Problem, route: &Route, wrong: &mut Vec<Violation>) {
    let vehicle = &problem.vehicles[route.vehicle];
    let first: Vec<usize> = route.visits.iter().take(vehicle.prefix.len()).map(|v| v.stop).collect();
    let extra = &route.visits[first.len()..];
    if first != vehicle.prefix || (!vehicle.available && !extra.is_empty()) {
        wrong.push(Violation::Prefix(route.vehicle));
    }
    for visit in extra {
        let stop = &problem.stops[visit.stop];
        if stop.skills & !vehicle.skills != 0 || stop.only.is_some_and(|only| only != route.vehicle) {
            wrong.push(Violation::Skill(visit.stop));
        }
    }
}
