//! One route in the search: its stops with what an insertion has to know, so that one costs a handful of additions. Invariant: after
//! [`Tour::refresh`] all numbers belong to the sequence of nodes, and every stop after the prefix is on time and fits.

use super::model::Model;
use super::problem::Load;

/// A node of a route and the way to the next one.
#[derive(Clone, Copy, Default)]
pub(super) struct Leg {
    pub node: u32,
    /// Earliest time of leaving this node.
    leave: i32,
    /// Latest time at which the next one's service may begin.
    must: i32,
    /// Length of the way to the next one.
    length: i32,
}

/// Later than any time there is, and small enough to add a way and a service.
const NEVER: i32 = 700_000_000;

/// A piece of a route: how long it takes, and the earliest and latest beginning with that duration (Vidal et al. 2013, without time warp
/// because no piece is late).
#[derive(Clone, Copy, Default)]
struct Piece {
    duration: i64,
    early: i64,
    late: i64,
}

impl Piece {
    fn then(self, way: i64, next: Self) -> Self {
        let after = self.duration + way;
        let wait = (next.early - after - self.late).max(0);
        Self {
            duration: after + next.duration + wait,
            early: (next.early - after).max(self.early) - wait,
            late: (next.late - after).min(self.late),
        }
    }
}

/// A route. The first and the last leg are where the vehicle starts and ends.
#[derive(Clone, Default)]
pub(super) struct Tour {
    pub legs: Vec<Leg>,
    pub van: u32,
    /// Legs that stay as they are, the start among them.
    pub locked: usize,
    pub cost: i64,
    delivered: Load,
    collected: Load,
    /// Most aboard up to and including the way after each leg, and from it on; only if something is collected.
    peaks: Vec<(Load, Load)>,
    /// Pieces up to each leg, and from each leg on; only if the vehicle's time is metered.
    pieces: Vec<(Piece, Piece)>,
}

/// Where a stop could go.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub cost: i64,
    /// Index in `legs` that it would have.
    pub at: usize,
}

impl Tour {
    /// The prefix of a vehicle, or nothing.
    pub(super) fn new(model: &Model, van: usize) -> Self {
        let v = &model.vans[van];
        let leg = |node: usize| Leg { node: node as u32, ..Leg::default() };
        let mut legs = vec![leg(v.start)];
        legs.extend(v.prefix.iter().map(|s| leg(*s as usize)));
        legs.push(leg(v.end));
        let mut tour = Self { legs, van: van as u32, locked: v.prefix.len() + 1, ..Self::default() };
        tour.refresh(model);
        tour
    }

    /// Becomes the same as another, keeping its memory.
    pub(super) fn copy(&mut self, from: &Self) {
        self.legs.clone_from(&from.legs);
        self.peaks.clone_from(&from.peaks);
        self.pieces.clone_from(&from.pieces);
        (self.van, self.locked, self.cost) = (from.van, from.locked, from.cost);
        (self.delivered, self.collected) = (from.delivered, from.collected);
    }

    /// Stops of the route.
    pub(super) fn stops(&self) -> usize {
        self.legs.len() - 2
    }

    /// Stops that may be moved.
    pub(super) fn free(&self) -> usize {
        self.legs.len() - 1 - self.locked
    }

    /// Everything that follows from the sequence of nodes.
    pub(super) fn refresh(&mut self, model: &Model) {
        let van = &model.vans[self.van as usize];
        let last = self.legs.len() - 1;
        let mut length = 0i64;
        self.delivered = [0; 2];
        self.collected = [0; 2];
        for i in 0..last {
            let to = self.legs[i + 1].node as usize;
            let way = model.distance.way(self.legs[i].node as usize, to);
            self.legs[i].length = way;
            length += i64::from(way);
            if i + 1 < last {
                let door = &model.doors[to];
                for m in 0..2 {
                    self.delivered[m] += door.deliver[m];
                    self.collected[m] += door.collect[m];
                }
            }
        }
        if last == 1 {
            // Nothing is driven: the first stop pays for the whole way.
            self.legs[0].length = 0;
        }
        let mut cost = length * van.distance_cost;
        if model.timed {
            self.clock(model);
            if van.meter {
                self.meter(model);
                cost += self.pieces[last].0.duration * van.duration_cost;
            }
        }
        if model.mixed {
            self.weigh(model);
        }
        self.cost = if last > 1 { cost + van.fixed_cost } else { 0 };
    }

    fn clock(&mut self, model: &Model) {
        let van = &model.vans[self.van as usize];
        let times = model.duration();
        let last = self.legs.len() - 1;
        let way = |legs: &[Leg], i: usize| {
            if model.two_measures() {
                times.way(legs[i].node as usize, legs[i + 1].node as usize)
            } else {
                legs[i].length
            }
        };
        let mut leave = van.from;
        for i in 0..last {
            if i > 0 {
                let door = &model.doors[self.legs[i].node as usize];
                leave = (leave + way(&self.legs, i - 1)).max(door.early) + door.service;
            }
            if i > 0 && i + 1 == self.locked {
                leave = leave.max(van.free_at);
            }
            // Only a prefix can be as late as that.
            leave = leave.min(NEVER);
            self.legs[i].leave = leave;
        }
        // A vehicle that is late already comes home late: only what is added must not make it later.
        let home = self.legs[self.locked - 1].leave.saturating_add(model_way_home(model, self));
        let mut must = if self.locked > 1 { van.until.max(home) } else { van.until };
        for i in (0..last).rev() {
            self.legs[i].must = must;
            if i >= self.locked {
                let door = &model.doors[self.legs[i].node as usize];
                must = door.late.min(must - door.service - way(&self.legs, i));
            }
        }
    }

    fn meter(&mut self, model: &Model) {
        let van = &model.vans[self.van as usize];
        let times = model.duration();
        let last = self.legs.len() - 1;
        let way =
            |i: usize, legs: &[Leg]| i64::from(times.way(legs[i].node as usize, legs[i + 1].node as usize));
        let until = i64::from(self.legs[last - 1].must);
        let piece = |i: usize, legs: &[Leg]| -> Piece {
            if i == 0 {
                let late = if legs.len() > 1 && self.locked > 1 { i64::from(van.from) } else { until };
                return Piece { duration: 0, early: i64::from(van.from), late };
            }
            if i == last {
                return Piece { duration: 0, early: 0, late: until };
            }
            let mut own = door_piece(model, legs[i].node as usize);
            if i < self.locked {
                // Done or promised: what was late stays late, and a wait after it counts.
                own.late = i64::from(i32::MAX);
                if i + 1 == self.locked {
                    let begun = i64::from(legs[i].leave) - own.duration;
                    own = Piece { duration: own.duration, early: begun, late: begun };
                }
            }
            own
        };
        self.pieces.clear();
        self.pieces.resize(last + 1, (Piece::default(), Piece::default()));
        self.pieces[0].0 = piece(0, &self.legs);
        for i in 1..=last {
            self.pieces[i].0 = self.pieces[i - 1].0.then(way(i - 1, &self.legs), piece(i, &self.legs));
        }
        self.pieces[last].1 = piece(last, &self.legs);
        for i in (0..last).rev() {
            self.pieces[i].1 = piece(i, &self.legs).then(way(i, &self.legs), self.pieces[i + 1].1);
        }
    }

    fn weigh(&mut self, model: &Model) {
        let last = self.legs.len() - 1;
        self.peaks.clear();
        let (mut aboard, mut peak) = (self.delivered, [0; 2]);
        for i in 0..last {
            if i > 0 {
                let door = &model.doors[self.legs[i].node as usize];
                for (m, load) in aboard.iter_mut().enumerate() {
                    *load += door.collect[m] - door.deliver[m];
                }
            }
            for m in 0..2 {
                peak[m] = peak[m].max(aboard[m]);
            }
            self.peaks.push((peak, aboard));
        }
        for i in (0..last.saturating_sub(1)).rev() {
            let later = self.peaks[i + 1].1;
            for (m, later) in later.into_iter().enumerate() {
                self.peaks[i].1[m] = self.peaks[i].1[m].max(later);
            }
        }
    }

    /// The cheapest place for a stop below a limit. A better place than the best so far is overlooked when `blind` says so.
    pub(super) fn place(
        &self,
        model: &Model,
        stop: usize,
        limit: i64,
        blind: &mut impl FnMut() -> bool,
    ) -> Option<Slot> {
        self.place_from(model, stop, (self.locked, limit), blind)
    }

    /// The place with this index, if the stop may go there.
    pub(super) fn place_at(&self, model: &Model, stop: usize, at: usize) -> Option<Slot> {
        self.place_from(model, stop, (at, i64::MAX), &mut || false)
    }

    fn place_from(
        &self,
        model: &Model,
        stop: usize,
        (first, limit): (usize, i64),
        blind: &mut impl FnMut() -> bool,
    ) -> Option<Slot> {
        let van = &model.vans[self.van as usize];
        let door = &model.doors[stop];
        let fits = |m: usize| {
            self.delivered[m] + door.deliver[m] <= van.capacity[m]
                && self.collected[m] + door.collect[m] <= van.capacity[m]
        };
        if !fits(0) || !fits(1) || !model.allows(van.class, stop) {
            return None;
        }
        if model.mixed || van.meter {
            self.place_any(model, stop, (first, limit), blind)
        } else if model.timed {
            self.place_timed(model, stop, (first, limit), blind)
        } else {
            self.place_near(model, stop, (first, limit), blind)
        }
    }

    /// When to leave so that the route takes as little time as it can and is over as early as that allows.
    pub(super) fn leaves(&self, model: &Model) -> i64 {
        let van = &model.vans[self.van as usize];
        let from = i64::from(van.from);
        if self.locked > 1 {
            return from;
        }
        let mut whole = Piece { duration: 0, early: from, late: i64::from(van.until) };
        let last = self.legs.len() - 1;
        for pair in self.legs[..last].windows(2) {
            let way = model.duration().way(pair[0].node as usize, pair[1].node as usize);
            whole = whole.then(i64::from(way), door_piece(model, pair[1].node as usize));
        }
        whole.early
    }

    fn opening(&self, model: &Model) -> i64 {
        if self.legs.len() == 2 { model.vans[self.van as usize].fixed_cost } else { 0 }
    }

    fn place_near(
        &self,
        model: &Model,
        stop: usize,
        (first, limit): (usize, i64),
        blind: &mut impl FnMut() -> bool,
    ) -> Option<Slot> {
        let (out, back) = (model.distance.from(stop), model.distance.to(stop));
        let each = model.vans[self.van as usize].distance_cost;
        let opening = self.opening(model);
        let mut best = Slot { cost: limit, at: 0 };
        for (i, pair) in self.legs.windows(2).enumerate().skip(first - 1) {
            let longer = back[pair[0].node as usize] + out[pair[1].node as usize] - pair[0].length;
            let cost = opening + i64::from(longer) * each;
            if cost < best.cost && !blind() {
                best = Slot { cost, at: i + 1 };
            }
        }
        (best.at > 0).then_some(best)
    }

    fn place_timed(
        &self,
        model: &Model,
        stop: usize,
        (first, limit): (usize, i64),
        blind: &mut impl FnMut() -> bool,
    ) -> Option<Slot> {
        let (out, back) = (model.distance.from(stop), model.distance.to(stop));
        let (go, come) = (model.duration().from(stop), model.duration().to(stop));
        let each = model.vans[self.van as usize].distance_cost;
        let opening = self.opening(model);
        let door = &model.doors[stop];
        let mut best = Slot { cost: limit, at: 0 };
        for (i, pair) in self.legs.windows(2).enumerate().skip(first - 1) {
            let leg = pair[0];
            if leg.leave > door.late {
                break;
            }
            if leg.must < door.early {
                continue;
            }
            let (a, b) = (leg.node as usize, pair[1].node as usize);
            let begin = (leg.leave + come[a]).max(door.early);
            if begin > door.late || begin + door.service + go[b] > leg.must {
                continue;
            }
            let cost = opening + i64::from(back[a] + out[b] - leg.length) * each;
            if cost < best.cost && !blind() {
                best = Slot { cost, at: i + 1 };
            }
        }
        (best.at > 0).then_some(best)
    }

    /// With everything: pick-ups on the way and metered time.
    fn place_any(
        &self,
        model: &Model,
        stop: usize,
        (first, limit): (usize, i64),
        blind: &mut impl FnMut() -> bool,
    ) -> Option<Slot> {
        let van = &model.vans[self.van as usize];
        let (out, back) = (model.distance.from(stop), model.distance.to(stop));
        let (go, come) = (model.duration().from(stop), model.duration().to(stop));
        let opening = self.opening(model);
        let door = &model.doors[stop];
        let own = door_piece(model, stop);
        let empty = self.legs.len() == 2;
        let mut best = Slot { cost: limit, at: 0 };
        for (i, pair) in self.legs.windows(2).enumerate().skip(first - 1) {
            let leg = pair[0];
            let (a, b) = (leg.node as usize, pair[1].node as usize);
            if model.timed {
                let begin = (leg.leave + come[a]).max(door.early);
                if begin > door.late || begin + door.service + go[b] > leg.must {
                    continue;
                }
            }
            if model.mixed && !self.carries(i, door.deliver, door.collect, van.capacity) {
                continue;
            }
            let mut cost = opening + i64::from(back[a] + out[b] - leg.length) * van.distance_cost;
            if van.meter {
                let before = self.pieces[i].0.then(i64::from(come[a]), own);
                let after = before.then(i64::from(go[b]), self.pieces[i + 1].1);
                if after.duration > van.max_duration {
                    continue;
                }
                let now = if empty { 0 } else { self.pieces[self.legs.len() - 1].0.duration };
                cost += (after.duration - now) * van.duration_cost;
            }
            if cost < best.cost && !blind() {
                best = Slot { cost, at: i + 1 };
            }
        }
        (best.at > 0).then_some(best)
    }

    /// Whether the vehicle holds it all when it visits one more between legs `i` and `i + 1`.
    fn carries(&self, i: usize, deliver: Load, collect: Load, capacity: Load) -> bool {
        (0..2).all(|m| {
            self.peaks[i].0[m] + deliver[m] <= capacity[m] && self.peaks[i].1[m] + collect[m] <= capacity[m]
        })
    }

    pub(super) fn insert(&mut self, model: &Model, stop: usize, at: usize) {
        self.legs.insert(at, Leg { node: stop as u32, ..Leg::default() });
        self.refresh(model);
    }
}

fn door_piece(model: &Model, stop: usize) -> Piece {
    let door = &model.doors[stop];
    Piece { duration: i64::from(door.service), early: i64::from(door.early), late: i64::from(door.late) }
}

/// From the end of the prefix straight to the end of the route.
fn model_way_home(model: &Model, tour: &Tour) -> i32 {
    let end = tour.legs[tour.legs.len() - 1].node as usize;
    model.duration().way(tour.legs[tour.locked - 1].node as usize, end)
}
