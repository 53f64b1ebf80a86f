//! The search: slack induction by string removals (Christiaens & Vanden Berghe 2020). Strings of neighbouring stops are taken out of a
//! few neighbouring routes and put back greedily, now and then overlooking the best place; simulated annealing decides what stays.
//! Invariant: every state between two steps is feasible; the best one is kept.

use super::dice::Dice;
use super::model::Model;
use super::state::{NOWHERE, State};
use super::tour::{Slot, Tour};

/// How far the search is.
pub enum Pace<'a> {
    /// So many steps: the same input and seed give the same plan on every machine.
    Steps(u64),
    /// The fraction of the time that has gone, 0 to 1, asked every few dozen steps. Annealing has to know how long it will last, which a
    /// plain "is it over?" cannot say.
    Clock(&'a dyn Fn() -> f64),
}

/// What the search may be told. [`Settings::default`] holds for most problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Beginning of chance.
    pub seed: u64,
    /// Stops taken out in a step, on average.
    pub ruin: f64,
    /// Longest string.
    pub string: f64,
    /// First temperature, in average ways between two stops.
    pub hot: f64,
    /// Last temperature.
    pub cold: f64,
    /// Chance to overlook the best place.
    pub blink: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 1, ruin: 10.0, string: 10.0, hot: 0.5, cold: 0.005, blink: 0.01 }
    }
}

/// Steps between two looks at the clock.
const LOOK: u64 = 32;
/// Chance that a string keeps some stops in its middle, and that it keeps one more.
const SPLIT: f64 = 0.5;
const KEEP_MORE: f64 = 0.01;
/// Problems up to this size try every route for every stop; larger ones those with a near stop.
const TRY_ALL: usize = 300;
/// How many near stops say which routes to try.
const TRY_NEAR: usize = 40;

/// The best set of routes found, one for each vehicle.
pub(super) struct Best {
    pub tours: Vec<Tour>,
    pub absent: Vec<u32>,
    missing: i64,
    cost: i64,
}

struct Search<'m, 's> {
    state: State<'m>,
    dice: Dice,
    settings: &'s Settings,
    /// Keys by which absent stops are sorted before they are put back.
    keys: Vec<Vec<i64>>,
    /// How often each stop was left out at the end of a step.
    left_out: Vec<u64>,
    /// Marks of routes: already ruined, already tried.
    mark: Vec<u64>,
    marks: u64,
    /// Routes that differ from those of the best.
    stale: Vec<bool>,
    /// Stops that may be moved.
    movable: Vec<u32>,
    order: Vec<(i64, u32)>,
}

/// Improves a state as long as the pace says.
pub(super) fn anneal(mut state: State<'_>, settings: &Settings, pace: &Pace<'_>) -> Best {
    let model = state.model;
    state.mark();
    let mut locked = vec![false; model.n];
    for c in model.vans.iter().flat_map(|v| &v.prefix) {
        locked[*c as usize] = true;
    }
    let movable: Vec<u32> = (0..model.n as u32)
        .filter(|c| !locked[*c as usize] && model.refused[*c as usize].is_none())
        .collect();
    let mut search = Search {
        dice: Dice::new(settings.seed),
        settings,
        keys: keys(model),
        left_out: vec![0; model.n],
        mark: vec![0; model.vans.len()],
        marks: 0,
        stale: vec![false; model.vans.len()],
        movable,
        order: Vec::new(),
        state,
    };
    search.recreate();
    search.state.mark();
    let mut best = search.best();
    if search.movable.is_empty() || search.state.used.is_empty() {
        return best;
    }
    let each = (search.state.cost as f64 / (model.n + search.state.used.len()) as f64).max(1e-9);
    let mut heat = 0.0;
    for step in 0u64.. {
        if step.is_multiple_of(LOOK) {
            let gone = match pace {
                Pace::Steps(steps) => step as f64 / (*steps).max(1) as f64,
                Pace::Clock(clock) => clock(),
            };
            if gone >= 1.0 {
                break;
            }
            heat = each * settings.hot * (settings.cold / settings.hot).powf(gone.max(0.0));
        }
        search.step(heat, &mut best);
    }
    best
}

impl Search<'_, '_> {
    fn step(&mut self, heat: f64, best: &mut Best) {
        let (cost, missing) = (self.state.cost, self.state.missing);
        self.ruin();
        self.recreate();
        let now = (self.state.missing, self.state.cost);
        let accepted = if now.0 == missing {
            (now.1 as f64) < cost as f64 - heat * self.dice.unit().max(1e-300).ln()
        } else {
            now.0 < missing || self.overdue()
        };
        for c in &self.state.absent {
            self.left_out[*c as usize] += 1;
        }
        if !accepted {
            self.state.undo();
            return;
        }
        for tour in self.state.touched() {
            self.stale[*tour as usize] = true;
        }
        self.state.mark();
        if now < (best.missing, best.cost) {
            self.keep(best);
        }
    }

    /// Whether the stops left out now were left out less often than those left out before: without it, a full fleet would never try
    /// whom else to leave out.
    fn overdue(&self) -> bool {
        let sum = |list: &[u32]| -> u64 { list.iter().map(|c| self.left_out[*c as usize]).sum() };
        sum(&self.state.absent) < sum(self.state.absent_before())
    }

    fn best(&self) -> Best {
        Best {
            tours: self.state.tours.clone(),
            absent: self.state.absent.clone(),
            missing: self.state.missing,
            cost: self.state.cost,
        }
    }

    fn keep(&mut self, best: &mut Best) {
        for (at, stale) in self.stale.iter_mut().enumerate().filter(|(_, s)| **s) {
            best.tours[at].copy(&self.state.tours[at]);
            *stale = false;
        }
        best.absent.clone_from(&self.state.absent);
        (best.missing, best.cost) = (self.state.missing, self.state.cost);
    }

    /// Takes strings out of neighbouring routes.
    fn ruin(&mut self) {
        let model = self.state.model;
        let routes = self.state.used.len().max(1);
        let average = (model.n as f64 / routes as f64).max(1.0);
        let longest = self.settings.string.min(average);
        let most = (4.0 * self.settings.ruin / (1.0 + longest) - 1.0).max(1.0);
        let strings = (self.dice.unit() * most + 1.0) as usize;
        let seed = self.movable[self.dice.below(self.movable.len())] as usize;
        self.marks += 1;
        let mut ruined = 0;
        for c in std::iter::once(seed as u32).chain(model.near(seed).iter().copied()) {
            let at = self.state.tour_of[c as usize];
            if at == NOWHERE || self.mark[at as usize] == self.marks {
                continue;
            }
            let leg = self.state.leg_of[c as usize] as usize;
            if leg < self.state.tours[at as usize].locked {
                continue;
            }
            self.mark[at as usize] = self.marks;
            self.cut(at as usize, leg, longest);
            ruined += 1;
            if ruined >= strings {
                break;
            }
        }
    }

    /// Takes a string that holds a leg out of a route.
    fn cut(&mut self, at: usize, leg: usize, longest: f64) {
        let tour = &self.state.tours[at];
        let (locked, free) = (tour.locked, tour.free());
        let length = (self.dice.unit() * longest.min(free as f64) + 1.0).min(free as f64) as usize;
        let mut kept = 0;
        if length > 1 && length < free && self.dice.unit() < SPLIT {
            kept = 1;
            while length + kept < free && self.dice.unit() < KEEP_MORE {
                kept += 1;
            }
        }
        let window = length + kept;
        let first = (leg + 1).saturating_sub(window).max(locked);
        let last = leg.min(locked + free - window);
        let start = first + self.dice.below(last + 1 - first);
        let hole = if kept > 0 { start + 1 + self.dice.below(length - 1) } else { usize::MAX };
        let held = |i: usize| hole != usize::MAX && (hole..hole + kept).contains(&i);
        self.state.remove(at, |i| (start..start + window).contains(&i) && !held(i));
    }

    /// Puts absent stops back, each where it costs least.
    fn recreate(&mut self) {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        let key = self.sort();
        for c in self.state.absent.drain(..) {
            let by = match key {
                Some(key) => self.keys[key][c as usize],
                None => (self.dice.unit() * 1e9) as i64,
            };
            order.push((by, c));
        }
        order.sort_unstable();
        for (_, c) in &order {
            match self.cheapest(*c as usize) {
                Some((tour, slot)) => self.state.insert(*c as usize, tour, slot),
                None => self.state.absent.push(*c),
            }
        }
        self.order = order;
        self.state.count_missing();
    }

    /// One of the orders, by the weights of the paper: chance 4, demand 4, far 2, near 1; with times also narrow 2, early 2, late 2.
    fn sort(&mut self) -> Option<usize> {
        let weights: &[usize] = if self.state.model.timed { &[4, 4, 2, 1, 2, 2, 2] } else { &[4, 4, 2, 1] };
        let mut draw = self.dice.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            if draw < *weight {
                return at.checked_sub(1);
            }
            draw -= weight;
        }
        None
    }

    fn cheapest(&mut self, stop: usize) -> Option<(usize, Slot)> {
        let model = self.state.model;
        let mut best: Option<(usize, Slot)> = None;
        let (dice, blink) = (&mut self.dice, self.settings.blink);
        let mut blind = || dice.unit() < blink;
        let mut look = |at: u32, best: &mut Option<(usize, Slot)>| {
            let limit = best.map_or(i64::MAX, |b| b.1.cost);
            if let Some(slot) = self.state.tours[at as usize].place(model, stop, limit, &mut blind) {
                *best = Some((at as usize, slot));
            }
        };
        if model.n <= TRY_ALL {
            self.state.used.iter().for_each(|at| look(*at, &mut best));
        } else {
            self.marks += 1;
            for c in model.near(stop).iter().take(TRY_NEAR) {
                let at = self.state.tour_of[*c as usize];
                if at != NOWHERE && self.mark[at as usize] != self.marks {
                    self.mark[at as usize] = self.marks;
                    look(at, &mut best);
                }
            }
        }
        self.state.openings().for_each(|at| look(at, &mut best));
        if best.is_none() {
            self.state.used.iter().for_each(|at| look(*at, &mut best));
        }
        best
    }
}

/// What absent stops are sorted by: demand, far, near, narrow window, early window, late window; always with the smaller key first.
fn keys(model: &Model) -> Vec<Vec<i64>> {
    let starts: Vec<usize> = {
        let mut starts: Vec<usize> = model.vans.iter().map(|v| v.start).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    };
    let stop = |key: &dyn Fn(usize) -> i64| (0..model.n).map(key).collect::<Vec<i64>>();
    let away =
        |c: usize| starts.iter().map(|s| i64::from(model.distance.way(*s, c))).min().unwrap_or_default();
    vec![
        stop(&|c| -(0..2).map(|m| model.doors[c].deliver[m] + model.doors[c].collect[m]).sum::<i64>()),
        stop(&|c| -away(c)),
        stop(&away),
        stop(&|c| i64::from(model.doors[c].late) - i64::from(model.doors[c].early)),
        stop(&|c| i64::from(model.doors[c].early)),
        stop(&|c| -i64::from(model.doors[c].late)),
    ]
}
