//! Delivery routes of an own fleet: which vehicle visits whom, in which order, and when.
//!
//! **Problem.** Vehicle routing with capacities (two measures), time windows, shifts, longest duration, skills, several depots, open
//! routes, fixed, distance and time costs, deliveries and pick-ups of returns on one route, priorities for when not all fit, and fixed
//! beginnings of routes for planning again while the vehicles are out.
//!
//! **Method.** Slack induction by string removals: J. Christiaens, G. Vanden Berghe, *Slack Induction by String Removals for Vehicle
//! Routing Problems*, Transportation Science 54(2), 2020. Simulated annealing cools with the time given. Whether an insertion is
//! feasible is answered in constant time: latest begins backwards for windows, running peaks for loads with pick-ups, and concatenated
//! pieces for metered time (T. Vidal et al., *A hybrid genetic algorithm with adaptive diversity management for a large class of
//! vehicle routing problems with time-windows*, Computers & OR 40, 2013).
//!
//! **Complexity.** A step costs about (stops taken out) × (stops in the routes tried). Memory is (stops + depots)² × 4 bytes, twice for
//! ways that are not symmetric, twice again when times and lengths differ.
//!
//! **Limits.** One window a stop; no breaks within a shift; a vehicle that reloads is two vehicles; travel times do not depend on the
//! hour. Up to a few thousand stops.

mod anneal;
mod check;
mod dice;
mod model;
mod plan;
mod problem;
mod replan;
mod state;
mod tour;

#[cfg(test)]
mod tests;

pub use anneal::{Pace, Settings};
pub use check::{Violation, check};
pub use plan::{Route, RoutePlan, Unassigned, Visit};
pub use problem::{
    Load, MAX_LEG, MAX_RATE, MAX_TIME, Problem, Reason, RoutesError, Stop, Travel, UNREACHABLE, Vehicle,
    VehicleProblem,
};
pub use replan::{Event, Goods, ReplanError, replan};

use model::Model;
use state::State;

/// Plans routes from nothing, or from routes there are already: `begin` lists vehicles with their stops in order, of which everything
/// that is feasible is kept as the beginning of the search.
///
/// # Errors
/// [`RoutesError`] when the ways or a vehicle make no sense. A bad stop is no error: it comes back unassigned with its reason.
pub fn route(
    problem: &Problem,
    begin: &[(usize, Vec<usize>)],
    settings: &Settings,
    pace: &Pace<'_>,
) -> Result<RoutePlan, RoutesError> {
    problem.verify()?;
    let model = Model::new(problem);
    let mut state = State::new(&model);
    state.load(begin);
    let best = anneal::anneal(state, settings, pace);
    Ok(plan::plan(problem, &model, &best))
}
