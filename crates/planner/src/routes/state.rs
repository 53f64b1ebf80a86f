//! A set of routes that can be changed and changed back. Invariant: every stop is in one route or absent, never both; `cost` is the sum
//! of the routes' costs; after [`State::undo`] everything is as it was at [`State::mark`].

use super::model::Model;
use super::tour::{Slot, Tour};

/// Not in any route.
pub(super) const NOWHERE: u32 = u32::MAX;

pub(super) struct State<'m> {
    pub model: &'m Model,
    /// One a vehicle.
    pub tours: Vec<Tour>,
    /// Route of each stop.
    pub tour_of: Vec<u32>,
    /// Leg of each stop in its route.
    pub leg_of: Vec<u32>,
    /// Routes with stops, in no order.
    pub used: Vec<u32>,
    used_at: Vec<u32>,
    /// Vehicles without stops, by class.
    idle: Vec<Vec<u32>>,
    idle_at: Vec<u32>,
    /// Stops that could be in a route and are not.
    pub absent: Vec<u32>,
    /// Sum of the absent stops' weights.
    pub missing: i64,
    pub cost: i64,
    touched: Vec<u32>,
    is_touched: Vec<bool>,
    saved: Vec<Tour>,
    spare: Vec<Tour>,
    saved_absent: Vec<u32>,
}

impl<'m> State<'m> {
    /// Only the prefixes; everything else that is possible is absent.
    pub(super) fn new(model: &'m Model) -> Self {
        let vans = model.vans.len();
        let mut state = Self {
            model,
            tours: (0..vans).map(|v| Tour::new(model, v)).collect(),
            tour_of: vec![NOWHERE; model.n],
            leg_of: vec![0; model.n],
            used: Vec::new(),
            used_at: vec![NOWHERE; vans],
            idle: vec![Vec::new(); model.classes],
            idle_at: vec![NOWHERE; vans],
            absent: Vec::new(),
            missing: 0,
            cost: 0,
            touched: Vec::new(),
            is_touched: vec![false; vans],
            saved: Vec::new(),
            spare: Vec::new(),
            saved_absent: Vec::new(),
        };
        for van in (0..vans).rev() {
            state.cost += state.tours[van].cost;
            state.settle(van);
        }
        state.absent = (0..model.n as u32)
            .filter(|c| state.tour_of[*c as usize] == NOWHERE && model.refused[*c as usize].is_none())
            .collect();
        state.count_missing();
        state
    }

    pub(super) fn count_missing(&mut self) {
        self.missing = self.absent.iter().map(|c| self.model.doors[*c as usize].weight).sum();
    }

    /// The next vehicle without stops of each class.
    pub(super) fn openings(&self) -> impl Iterator<Item = u32> + '_ {
        self.idle.iter().filter_map(|class| class.last().copied())
    }

    /// From here on changes can be undone.
    pub(super) fn mark(&mut self) {
        for tour in self.touched.drain(..) {
            self.is_touched[tour as usize] = false;
        }
        self.spare.append(&mut self.saved);
        self.saved_absent.clone_from(&self.absent);
    }

    /// Routes changed since the mark.
    pub(super) fn touched(&self) -> &[u32] {
        &self.touched
    }

    /// Absent stops at the mark.
    pub(super) fn absent_before(&self) -> &[u32] {
        &self.saved_absent
    }

    pub(super) fn undo(&mut self) {
        for i in 0..self.touched.len() {
            let at = self.touched[i] as usize;
            self.cost -= self.tours[at].cost;
            for leg in &self.tours[at].legs[1..self.tours[at].legs.len() - 1] {
                self.tour_of[leg.node as usize] = NOWHERE;
            }
            std::mem::swap(&mut self.tours[at], &mut self.saved[i]);
            self.cost += self.tours[at].cost;
        }
        for i in 0..self.touched.len() {
            self.settle(self.touched[i] as usize);
        }
        std::mem::swap(&mut self.absent, &mut self.saved_absent);
        for c in &self.absent {
            self.tour_of[*c as usize] = NOWHERE;
        }
        self.count_missing();
        self.mark();
    }

    fn touch(&mut self, at: usize) {
        if self.is_touched[at] {
            return;
        }
        self.is_touched[at] = true;
        self.touched.push(at as u32);
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.copy(&self.tours[at]);
        self.saved.push(copy);
    }

    /// Takes some legs out: those for which `out` says so, among the ones that may be moved. They become absent.
    pub(super) fn remove(&mut self, at: usize, mut out: impl FnMut(usize) -> bool) {
        self.touch(at);
        let tour = &mut self.tours[at];
        self.cost -= tour.cost;
        let (locked, last) = (tour.locked, tour.legs.len() - 1);
        let (absent, tour_of) = (&mut self.absent, &mut self.tour_of);
        let mut leg = 0;
        tour.legs.retain(|l| {
            let gone = leg >= locked && leg < last && out(leg);
            leg += 1;
            if gone {
                absent.push(l.node);
                tour_of[l.node as usize] = NOWHERE;
            }
            !gone
        });
        tour.refresh(self.model);
        self.cost += tour.cost;
        self.settle(at);
    }

    /// Puts a stop into a route. The caller takes it from `absent`.
    pub(super) fn insert(&mut self, stop: usize, tour: usize, slot: Slot) {
        self.touch(tour);
        self.cost -= self.tours[tour].cost;
        self.tours[tour].insert(self.model, stop, slot.at);
        self.cost += self.tours[tour].cost;
        self.settle(tour);
    }

    /// Brings the indices in line with one route.
    fn settle(&mut self, at: usize) {
        let tour = &self.tours[at];
        let last = tour.legs.len() - 1;
        for (leg, l) in tour.legs[..last].iter().enumerate().skip(1) {
            self.tour_of[l.node as usize] = at as u32;
            self.leg_of[l.node as usize] = leg as u32;
        }
        let class = self.model.vans[at].class;
        if last > 1 {
            leave(&mut self.idle[class], &mut self.idle_at, at);
            join(&mut self.used, &mut self.used_at, at);
        } else {
            leave(&mut self.used, &mut self.used_at, at);
            join(&mut self.idle[class], &mut self.idle_at, at);
        }
    }

    /// Loads routes: stops that do not fit as given stay absent.
    pub(super) fn load(&mut self, routes: &[(usize, Vec<usize>)]) {
        for (van, stops) in routes {
            for stop in stops {
                let known = *stop < self.model.n && self.tour_of[*stop] == NOWHERE;
                if !known || *van >= self.tours.len() || self.model.refused[*stop].is_some() {
                    continue;
                }
                let at = self.tours[*van].legs.len() - 1;
                if let Some(slot) = self.tours[*van].place_at(self.model, *stop, at) {
                    self.insert(*stop, *van, slot);
                }
            }
        }
        let tour_of = &self.tour_of;
        self.absent.retain(|c| tour_of[*c as usize] == NOWHERE);
        self.count_missing();
        self.mark();
    }
}

fn join(list: &mut Vec<u32>, at: &mut [u32], tour: usize) {
    if at[tour] == NOWHERE {
        at[tour] = list.len() as u32;
        list.push(tour as u32);
    }
}

fn leave(list: &mut Vec<u32>, at: &mut [u32], tour: usize) {
    let place = at[tour];
    if place != NOWHERE {
        list.swap_remove(place as usize);
        if let Some(moved) = list.get(place as usize) {
            at[*moved as usize] = place;
        }
        at[tour] = NOWHERE;
    }
}
