//! Routes as they will be driven: what the search found, with times, and why what is left out is left out. Invariant: every stop of the
//! problem is in exactly one route or in `unassigned`.

use super::anneal::Best;
use super::model::Model;
use super::problem::{Problem, Reason};
use super::state::State;
use super::tour::Tour;
use serde::{Deserialize, Serialize};

/// A visit of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Which stop.
    pub stop: usize,
    /// At the door.
    pub arrive: i64,
    /// Service begins.
    pub begin: i64,
    /// And is over.
    pub leave: i64,
}

/// What one vehicle does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Which vehicle.
    pub vehicle: usize,
    /// Leaves its start.
    pub leave: i64,
    /// In this order.
    pub visits: Vec<Visit>,
    /// Is at its end (or done with the last stop, where it has none).
    pub back: i64,
    /// Length of all ways.
    pub distance: i64,
    /// Fixed, distance and time cost.
    pub cost: i64,
}

/// A stop in no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unassigned {
    /// Which stop.
    pub stop: usize,
    /// Why.
    #[serde(flatten)]
    pub why: Reason,
}

/// Who visits whom, when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutePlan {
    /// Vehicles with stops.
    pub routes: Vec<Route>,
    /// Stops without a vehicle.
    pub unassigned: Vec<Unassigned>,
    /// Sum of the routes' costs.
    pub cost: i64,
    /// Sum of the routes' lengths.
    pub distance: i64,
}

/// The plan of the best state.
pub(super) fn plan(problem: &Problem, model: &Model, best: &Best) -> RoutePlan {
    let mut plan = RoutePlan::default();
    for (vehicle, tour) in best.tours.iter().enumerate().filter(|(_, t)| t.stops() > 0) {
        let route = drive(problem, vehicle, tour, tour.leaves(model));
        plan.cost += route.cost;
        plan.distance += route.distance;
        plan.routes.push(route);
    }
    plan.unassigned = model
        .refused
        .iter()
        .enumerate()
        .filter_map(|(stop, why)| why.map(|why| Unassigned { stop, why }))
        .chain(best.absent.iter().map(|c| {
            let stop = *c as usize;
            Unassigned { stop, why: why_absent(problem, model, stop) }
        }))
        .collect();
    plan.unassigned.sort_by_key(|u| u.stop);
    plan
}

fn drive(problem: &Problem, vehicle: usize, tour: &Tour, leave: i64) -> Route {
    let v = &problem.vehicles[vehicle];
    let mut route = Route { vehicle, leave, visits: Vec::new(), back: 0, distance: 0, cost: 0 };
    let (mut now, mut here) = (leave, v.start);
    let go = |from: usize, to: usize| {
        let length = problem.travel.distance(from, to).unwrap_or_default();
        (length, problem.travel.duration(from, to).unwrap_or_default())
    };
    let prefix = v.prefix.len();
    for (at, leg) in tour.legs[1..tour.legs.len() - 1].iter().enumerate() {
        let s = &problem.stops[leg.node as usize];
        let (length, time) = go(here, s.place);
        let arrive = now + time;
        let begin = arrive.max(s.earliest);
        now = begin + s.service;
        if at + 1 == prefix {
            now = now.max(v.free_at.unwrap_or(0));
        }
        route.distance += length;
        route.visits.push(Visit { stop: leg.node as usize, arrive, begin, leave: now });
        here = s.place;
    }
    let (length, time) = v.end.map_or((0, 0), |end| go(here, end));
    route.distance += length;
    route.back = now + time;
    route.cost = v.fixed_cost + route.distance * v.distance_cost + (route.back - leave) * v.duration_cost;
    route
}

/// Why a stop that some vehicle could hold is in no route: no way, no time even alone, or no room beside the others.
fn why_absent(problem: &Problem, model: &Model, stop: usize) -> Reason {
    let place = problem.stops[stop].place;
    let alone = State::new(model);
    let (mut reached, mut able) = (false, false);
    for (v, van) in problem.vehicles.iter().zip(&model.vans).filter(|(_, van)| model.allows(van.class, stop))
    {
        let from = v.prefix.last().map_or(v.start, |s| problem.stops[*s].place);
        let way = |a: usize, b: usize| {
            problem.travel.distance(a, b).is_some() && problem.travel.duration(a, b).is_some()
        };
        reached |= way(from, place) && v.end.is_none_or(|end| way(place, end));
        let tour = &alone.tours
            [alone.tours.iter().position(|t| model.vans[t.van as usize].class == van.class).unwrap_or(0)];
        able |= tour.place(model, stop, i64::MAX, &mut || false).is_some();
    }
    match (able, reached) {
        (true, _) => Reason::FleetFull,
        (false, true) => Reason::OutOfTime,
        (false, false) => Reason::Unreachable,
    }
}
