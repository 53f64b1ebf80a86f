//! The problem as the search wants it: small numbers side by side in memory. Node `c < n` is stop `c`; nodes from `n` on are places
//! where vehicles start and end. Invariant: everything here is in range, so that sums of a way, a service and a time fit 32 bits.

use super::problem::{Load, MAX_TIME, Problem, Reason, UNREACHABLE};

/// Stands for a way that does not exist: later than any time there is.
pub(super) const NO_WAY: i32 = 1_000_000_000;
/// How many near stops are known of each.
const NEAR: usize = 100;

/// A square of numbers that can be read along both directions.
pub(super) struct Square {
    side: usize,
    rows: Vec<i32>,
    /// Transposed; `None` if it is the same.
    columns: Option<Vec<i32>>,
}

impl Square {
    fn new(side: usize, number: impl Fn(usize, usize) -> i32) -> Self {
        let rows: Vec<i32> = (0..side * side).map(|i| number(i / side, i % side)).collect();
        let same = (0..side).all(|i| (0..i).all(|j| rows[i * side + j] == rows[j * side + i]));
        let turned = || (0..side * side).map(|i| rows[(i % side) * side + i / side]).collect();
        let columns = if same { None } else { Some(turned()) };
        Self { side, rows, columns }
    }

    /// From a node to every other.
    pub(super) fn from(&self, node: usize) -> &[i32] {
        &self.rows[node * self.side..(node + 1) * self.side]
    }

    /// To a node from every other.
    pub(super) fn to(&self, node: usize) -> &[i32] {
        let turned = self.columns.as_ref().unwrap_or(&self.rows);
        &turned[node * self.side..(node + 1) * self.side]
    }

    pub(super) fn way(&self, from: usize, to: usize) -> i32 {
        self.rows[from * self.side + to]
    }
}

/// A stop.
#[derive(Clone, Copy)]
pub(super) struct Door {
    pub early: i32,
    pub late: i32,
    pub service: i32,
    pub deliver: Load,
    pub collect: Load,
    /// What leaving it out weighs.
    pub weight: i64,
}

/// A vehicle.
pub(super) struct Van {
    pub capacity: Load,
    pub start: usize,
    pub end: usize,
    pub from: i32,
    pub until: i32,
    pub max_duration: i64,
    pub fixed_cost: i64,
    pub distance_cost: i64,
    pub duration_cost: i64,
    pub prefix: Vec<u32>,
    pub free_at: i32,
    /// Vehicles of one class are the same in all respects.
    pub class: usize,
    /// Whether the time on the road matters beyond the shift.
    pub meter: bool,
}

pub(super) struct Model {
    pub n: usize,
    pub doors: Vec<Door>,
    pub vans: Vec<Van>,
    pub classes: usize,
    pub distance: Square,
    duration: Option<Square>,
    /// Whether times can forbid anything.
    pub timed: bool,
    /// Whether anything is collected.
    pub mixed: bool,
    near: Vec<u32>,
    near_each: usize,
    /// `[class * n + stop]`.
    allowed: Vec<bool>,
    /// Why a stop cannot be in any route, for those that cannot.
    pub refused: Vec<Option<Reason>>,
}

impl Model {
    /// Of a problem that was verified.
    pub(super) fn new(problem: &Problem) -> Self {
        let n = problem.stops.len();
        let (vans, nodes) = vans(problem);
        let spot = |node: usize| if node < n { Some(problem.stops[node].place) } else { nodes[node - n] };
        let number = |list: &[i64], i: usize, j: usize| match (spot(i), spot(j)) {
            (Some(a), Some(b)) if a < problem.travel.places && b < problem.travel.places => {
                small(list[a * problem.travel.places + b])
            }
            (None, _) | (_, None) => 0,
            _ => NO_WAY,
        };
        let side = n + nodes.len();
        let distance = Square::new(side, |i, j| number(&problem.travel.distance, i, j));
        let duration =
            problem.travel.duration.as_ref().map(|list| Square::new(side, |i, j| number(list, i, j)));
        let doors: Vec<Door> = problem.stops.iter().map(|s| door(problem, s)).collect();
        let closed = doors.iter().any(|d| d.early > 0 || d.late < MAX_TIME as i32);
        let short = vans.iter().any(|v| v.from > 0 || v.until < MAX_TIME as i32 || v.meter || v.free_at > 0);
        let broken = distance.rows.contains(&NO_WAY)
            || duration.as_ref().is_some_and(|d: &Square| d.rows.contains(&NO_WAY));
        let classes = vans.iter().map(|v| v.class + 1).max().unwrap_or(0);
        let (allowed, refused) = allowed(problem, &vans, classes);
        let near_each = NEAR.min(n.saturating_sub(1));
        let near = near(&distance, n, near_each);
        Self {
            n,
            timed: closed || short || broken,
            mixed: doors.iter().any(|d| d.collect != [0; 2]),
            doors,
            vans,
            classes,
            distance,
            duration,
            near,
            near_each,
            allowed,
            refused,
        }
    }

    pub(super) fn duration(&self) -> &Square {
        self.duration.as_ref().unwrap_or(&self.distance)
    }

    /// Whether times and lengths are two different things.
    pub(super) fn two_measures(&self) -> bool {
        self.duration.is_some()
    }

    /// Other stops, nearest first.
    pub(super) fn near(&self, stop: usize) -> &[u32] {
        &self.near[stop * self.near_each..(stop + 1) * self.near_each]
    }

    pub(super) fn allows(&self, class: usize, stop: usize) -> bool {
        self.allowed[class * self.n + stop]
    }
}

fn small(way: i64) -> i32 {
    if way == UNREACHABLE { NO_WAY } else { i32::try_from(way).unwrap_or(NO_WAY) }
}

fn time(t: i64) -> i32 {
    i32::try_from(t.clamp(-1, MAX_TIME)).unwrap_or(0)
}

fn door(problem: &Problem, stop: &super::Stop) -> Door {
    let sound = problem.stop_problem(stop).is_none();
    let load = |l: Load| if sound { l } else { [0; 2] };
    Door {
        early: time(stop.earliest).max(0),
        late: time(stop.latest),
        service: if sound { stop.service as i32 } else { 0 },
        deliver: load(stop.deliver),
        collect: load(stop.collect),
        weight: 1i64 << (2 * stop.priority.min(5)),
    }
}

/// The vehicles, and the places of the nodes behind the stops (`None`: nowhere, the end of an open route).
fn vans(problem: &Problem) -> (Vec<Van>, Vec<Option<usize>>) {
    let n = problem.stops.len();
    let mut nodes: Vec<Option<usize>> = Vec::new();
    let mut node = |place: Option<usize>| match nodes.iter().position(|p| *p == place) {
        Some(at) => n + at,
        None => {
            nodes.push(place);
            n + nodes.len() - 1
        }
    };
    let bound: Vec<bool> = {
        let mut bound = vec![false; problem.vehicles.len()];
        for only in problem.stops.iter().filter_map(|s| s.only) {
            if let Some(b) = bound.get_mut(only) {
                *b = true;
            }
        }
        bound
    };
    let mut heads: Vec<usize> = Vec::new();
    let mut vans = Vec::with_capacity(problem.vehicles.len());
    for (at, v) in problem.vehicles.iter().enumerate() {
        let alone = bound[at] || !v.prefix.is_empty();
        let same = heads.iter().position(|h| !alone && !bound[*h] && problem.vehicles[*h] == *v);
        let class = same.unwrap_or_else(|| {
            heads.push(at);
            heads.len() - 1
        });
        vans.push(Van {
            capacity: v.capacity,
            start: node(Some(v.start)),
            end: node(v.end),
            from: time(v.shift_start),
            until: time(v.shift_end),
            max_duration: v.max_duration.unwrap_or(i64::MAX),
            fixed_cost: v.fixed_cost,
            distance_cost: v.distance_cost,
            duration_cost: v.duration_cost,
            prefix: v.prefix.iter().map(|s| *s as u32).collect(),
            free_at: time(v.free_at.unwrap_or(0)),
            class,
            meter: v.max_duration.is_some() || v.duration_cost > 0,
        });
    }
    (vans, nodes)
}

fn allowed(problem: &Problem, vans: &[Van], classes: usize) -> (Vec<bool>, Vec<Option<Reason>>) {
    let n = problem.stops.len();
    let mut allowed = vec![false; classes * n];
    let mut heads = vec![usize::MAX; classes];
    for (at, van) in vans.iter().enumerate().rev() {
        heads[van.class] = at;
    }
    let mut refused = Vec::with_capacity(n);
    let any = problem.vehicles.iter().any(|v| v.available);
    for (c, stop) in problem.stops.iter().enumerate() {
        let mut reason = match problem.stop_problem(stop) {
            Some(reason) => Some(reason),
            None if !any => Some(Reason::NoVehicle),
            None => None,
        };
        if reason.is_none() {
            let named = stop.only.is_none_or(|o| problem.vehicles.get(o).is_some_and(|v| v.available));
            reason = Some(if named { Reason::NoSkill } else { Reason::VehicleUnavailable });
            for (class, head) in heads.iter().enumerate() {
                let v = &problem.vehicles[*head];
                if !v.available || stop.only.is_some_and(|o| o != *head) || stop.skills & !v.skills != 0 {
                    continue;
                }
                let fits = (0..2).all(|m| stop.deliver[m].max(stop.collect[m]) <= v.capacity[m]);
                if fits {
                    allowed[class * n + c] = true;
                    reason = None;
                } else if reason.is_some() {
                    reason = Some(Reason::OverCapacity);
                }
            }
        }
        refused.push(reason);
    }
    for stop in problem.vehicles.iter().flat_map(|v| &v.prefix) {
        refused[*stop] = None;
    }
    (allowed, refused)
}

fn near(distance: &Square, n: usize, each: usize) -> Vec<u32> {
    let mut near = Vec::with_capacity(n * each);
    let mut others: Vec<(i32, u32)> = Vec::with_capacity(n);
    for c in 0..n {
        let (out, back) = (distance.from(c), distance.to(c));
        others.clear();
        others.extend((0..n).filter(|o| *o != c).map(|o| (out[o].saturating_add(back[o]), o as u32)));
        if each > 0 && each < others.len() {
            others.select_nth_unstable(each - 1);
        }
        others.truncate(each);
        others.sort_unstable();
        near.extend(others.iter().map(|(_, o)| *o));
    }
    near
}
