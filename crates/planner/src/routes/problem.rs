//! What is asked of the routes: stops, vehicles and the ways between places. Plain data; nothing here is trusted, and everything
//! that does not make sense has a name in [`Reason`] or [`RoutesError`]. Invariant: a problem that passed [`Problem::verify`] has only
//! indices that exist and numbers that cannot overflow.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How much of something a stop or a vehicle holds: two measures, for example grams and millilitres. Unused ones stay 0.
pub type Load = [i64; 2];

/// The way that does not exist.
pub const UNREACHABLE: i64 = i64::MAX;
/// Longest way and longest service that is taken for real (seconds, metres or whatever the unit is).
pub const MAX_LEG: i64 = 200_000_000;
/// Latest time.
pub const MAX_TIME: i64 = 500_000_000;
/// Dearest vehicle, unit of distance or unit of time.
pub const MAX_RATE: i64 = 1_000_000;

/// A delivery, a pick-up of returns, or both at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stop {
    /// Row of the travel matrix.
    pub place: usize,
    /// What comes from the start of the route.
    pub deliver: Load,
    /// What is taken along to its end.
    pub collect: Load,
    /// Time at the door.
    pub service: i64,
    /// Service begins not before …
    pub earliest: i64,
    /// … and not after.
    pub latest: i64,
    /// Bits that the vehicle must have.
    pub skills: u64,
    /// Who is left out last when not all fit: 0 to 5, higher matters more; one outweighs three of the next lower.
    pub priority: u8,
    /// The only vehicle that may come (its goods are aboard), if there is one.
    pub only: Option<usize>,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            place: 0,
            deliver: [0; 2],
            collect: [0; 2],
            service: 0,
            earliest: 0,
            latest: MAX_TIME,
            skills: 0,
            priority: 0,
            only: None,
        }
    }
}

/// One vehicle with its driver's shift. A second shift, or a second tour after reloading, is a second vehicle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vehicle {
    /// Most of each measure aboard at any time.
    pub capacity: Load,
    /// Place where the route begins.
    pub start: usize,
    /// Place where it ends; `None`: at the last stop.
    pub end: Option<usize>,
    /// Leaves not before …
    pub shift_start: i64,
    /// … and is back not after.
    pub shift_end: i64,
    /// Longest time from leaving to returning.
    pub max_duration: Option<i64>,
    /// What it and its driver can do, as bits.
    pub skills: u64,
    /// Cost of using it at all.
    pub fixed_cost: i64,
    /// Cost of a unit of distance.
    pub distance_cost: i64,
    /// Cost of a unit of time between leaving and returning.
    pub duration_cost: i64,
    /// Whether it takes stops beyond its prefix. A vehicle that broke down does not.
    pub available: bool,
    /// Stops it has done or is committed to, in order: they stay first, even late.
    pub prefix: Vec<usize>,
    /// When it is free after the prefix, if that is known to be later than planned.
    pub free_at: Option<i64>,
}

impl Default for Vehicle {
    fn default() -> Self {
        Self {
            capacity: [0; 2],
            start: 0,
            end: Some(0),
            shift_start: 0,
            shift_end: MAX_TIME,
            max_duration: None,
            skills: 0,
            fixed_cost: 0,
            distance_cost: 1,
            duration_cost: 0,
            available: true,
            prefix: Vec::new(),
            free_at: None,
        }
    }
}

/// Ways between places, row-major: `distance[from * places + to]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Travel {
    /// How many places there are.
    pub places: usize,
    /// Lengths; [`UNREACHABLE`] where there is no way.
    pub distance: Vec<i64>,
    /// Times; `None`: the same numbers as the lengths.
    pub duration: Option<Vec<i64>>,
}

impl Travel {
    /// Length of the way, if there is one.
    pub fn distance(&self, from: usize, to: usize) -> Option<i64> {
        Some(self.distance[from * self.places + to]).filter(|d| *d != UNREACHABLE)
    }

    /// Time of the way, if there is one.
    pub fn duration(&self, from: usize, to: usize) -> Option<i64> {
        let times = self.duration.as_ref().unwrap_or(&self.distance);
        Some(times[from * self.places + to]).filter(|d| *d != UNREACHABLE)
    }
}

/// Everything the search knows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Problem {
    /// To be visited, each once.
    pub stops: Vec<Stop>,
    /// The fleet.
    pub vehicles: Vec<Vehicle>,
    /// The ways.
    pub travel: Travel,
}

/// Why a stop is in no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// The place has no row in the matrix.
    UnknownPlace,
    /// A negative quantity or service time.
    Negative,
    /// A quantity or time beyond what is taken for real.
    TooLarge,
    /// The window ends before it begins.
    EmptyWindow,
    /// There is no vehicle that takes stops.
    NoVehicle,
    /// It asks for a vehicle that does not exist or takes no stops.
    VehicleUnavailable,
    /// No vehicle has all the skills.
    NoSkill,
    /// More than any vehicle with the skills holds.
    OverCapacity,
    /// No way there and back for any vehicle that could.
    Unreachable,
    /// Every vehicle that could would come after the window, be back after its shift, or be out too long.
    OutOfTime,
    /// It could be done alone, but nothing was found beside the stops that are planned.
    FleetFull,
    /// It is not wanted any more.
    Cancelled,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownPlace => "its place is not in the travel matrix",
            Self::Negative => "a quantity or time is negative",
            Self::TooLarge => "a quantity or time is too large to be real",
            Self::EmptyWindow => "its time window ends before it begins",
            Self::NoVehicle => "no vehicle takes stops",
            Self::VehicleUnavailable => "the only vehicle that may come is not available",
            Self::NoSkill => "no vehicle has the skills it asks for",
            Self::OverCapacity => "it is more than any suitable vehicle holds",
            Self::Unreachable => "no suitable vehicle has a way there and back",
            Self::OutOfTime => "no suitable vehicle is there in its window and back within its shift",
            Self::Cancelled => "it was cancelled",
            Self::FleetFull => "the vehicles are full or out of time with the other stops",
        })
    }
}

/// What is wrong with a problem as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum RoutesError {
    /// The matrix is not places × places.
    #[error("the travel matrix has {found} entries, {places} places need {expected}")]
    Matrix {
        /// Places stated.
        places: usize,
        /// Entries that follow.
        expected: usize,
        /// Entries there are.
        found: usize,
    },
    /// A way is negative or longer than [`MAX_LEG`].
    #[error("the way from place {from} to place {to} is {value}: ways are 0 to {MAX_LEG}")]
    Leg {
        /// From where.
        from: usize,
        /// To where.
        to: usize,
        /// The number.
        value: i64,
    },
    /// A vehicle that cannot be.
    #[error("vehicle {vehicle}: {problem}")]
    Vehicle {
        /// Which one.
        vehicle: usize,
        /// What is wrong.
        problem: VehicleProblem,
    },
}

/// What is wrong with a vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VehicleProblem {
    /// Start or end has no row in the matrix.
    UnknownPlace,
    /// Capacity, cost or duration below zero.
    Negative,
    /// A number beyond the limits of this module.
    TooLarge,
    /// The shift ends before it begins.
    EmptyShift,
    /// A stop of its prefix does not exist, or is in another prefix too.
    Prefix,
    /// The stops of its prefix do not fit into it, or have no way between them.
    PrefixImpossible,
}

impl fmt::Display for VehicleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownPlace => "start or end is not in the travel matrix",
            Self::Negative => "capacity, cost or duration is negative",
            Self::TooLarge => "a number is too large to be real",
            Self::EmptyShift => "the shift ends before it begins",
            Self::Prefix => "its prefix names a stop that does not exist or is in two prefixes",
            Self::PrefixImpossible => "the stops of its prefix do not fit or have no way between them",
        })
    }
}

impl Problem {
    /// Checks all that a search relies on. Stops are judged one by one elsewhere: a bad one does not spoil the others.
    pub fn verify(&self) -> Result<(), RoutesError> {
        let places = self.travel.places;
        for list in [Some(&self.travel.distance), self.travel.duration.as_ref()].into_iter().flatten() {
            if places.checked_mul(places) != Some(list.len()) {
                let expected = places.saturating_mul(places);
                return Err(RoutesError::Matrix { places, expected, found: list.len() });
            }
            let bad = list.iter().position(|v| *v != UNREACHABLE && !(0..=MAX_LEG).contains(v));
            if let Some(at) = bad {
                return Err(RoutesError::Leg { from: at / places, to: at % places, value: list[at] });
            }
        }
        let mut taken = vec![false; self.stops.len()];
        for (vehicle, v) in self.vehicles.iter().enumerate() {
            if let Some(problem) = self.vehicle_problem(v, &mut taken) {
                return Err(RoutesError::Vehicle { vehicle, problem });
            }
        }
        Ok(())
    }

    fn vehicle_problem(&self, v: &Vehicle, taken: &mut [bool]) -> Option<VehicleProblem> {
        let places = self.travel.places;
        if v.start >= places || v.end.is_some_and(|end| end >= places) {
            return Some(VehicleProblem::UnknownPlace);
        }
        let costs = [v.fixed_cost, v.distance_cost, v.duration_cost];
        let times = [v.shift_start, v.shift_end, v.max_duration.unwrap_or(0), v.free_at.unwrap_or(0)];
        if costs.iter().chain(&times).chain(&v.capacity).any(|n| *n < 0) {
            return Some(VehicleProblem::Negative);
        }
        let large = v.fixed_cost > MAX_LEG || costs[1..].iter().any(|c| *c > MAX_RATE);
        if large || times.iter().any(|t| *t > MAX_TIME) || v.capacity.iter().any(|c| *c > i64::MAX / 4) {
            return Some(VehicleProblem::TooLarge);
        }
        if v.shift_end < v.shift_start {
            return Some(VehicleProblem::EmptyShift);
        }
        for stop in &v.prefix {
            if taken.get(*stop) != Some(&false) {
                return Some(VehicleProblem::Prefix);
            }
            taken[*stop] = true;
        }
        let sound = v.prefix.iter().all(|s| self.stop_problem(&self.stops[*s]).is_none());
        let mut places: Vec<usize> = vec![v.start];
        places.extend(v.prefix.iter().map(|s| self.stops[*s].place));
        places.extend(v.end);
        let way = |w: &[usize]| {
            self.travel.distance(w[0], w[1]).is_some() && self.travel.duration(w[0], w[1]).is_some()
        };
        let possible = sound && (v.prefix.is_empty() || places.windows(2).all(way) && self.prefix_fits(v));
        (!possible).then_some(VehicleProblem::PrefixImpossible)
    }

    fn prefix_fits(&self, v: &Vehicle) -> bool {
        (0..2).all(|m| {
            let mut aboard: i64 = v.prefix.iter().map(|s| self.stops[*s].deliver[m]).sum();
            let begin = aboard <= v.capacity[m];
            begin
                && v.prefix.iter().all(|s| {
                    aboard += self.stops[*s].collect[m] - self.stops[*s].deliver[m];
                    aboard <= v.capacity[m]
                })
        })
    }

    /// What is wrong with a stop whatever the fleet is.
    pub(super) fn stop_problem(&self, s: &Stop) -> Option<Reason> {
        let numbers = [s.service, s.deliver[0], s.deliver[1], s.collect[0], s.collect[1]];
        if s.place >= self.travel.places {
            Some(Reason::UnknownPlace)
        } else if numbers.iter().any(|n| *n < 0) {
            Some(Reason::Negative)
        } else if s.service > MAX_LEG
            || s.earliest > MAX_TIME
            || numbers.iter().any(|n| *n > i64::MAX / (4 * self.stops.len() as i64))
        {
            Some(Reason::TooLarge)
        } else if s.latest < s.earliest {
            Some(Reason::EmptyWindow)
        } else {
            None
        }
    }
}
