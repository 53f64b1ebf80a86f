//! The best way to ship one order from what is left: all sets of locations up to the parcels allowed, cheapest first, with bounds that
//! end the search early. Invariant: a choice never takes more than is left, keeps bundles and groups whole, and costs what
//! [`cost`] says.

use super::network::{MILLI, Network, Order, Policy};
use serde::{Deserialize, Serialize};

/// Units of a line from a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ship {
    /// Index of the line.
    pub line: usize,
    /// Index of the location.
    pub location: usize,
    /// Whole units.
    pub quantity: i64,
}

/// How one order is shipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Who ships what.
    pub ships: Vec<Ship>,
    /// Units of each line that nobody ships.
    pub short: Vec<i64>,
}

impl Choice {
    /// Nothing is shipped.
    pub fn nothing(order: &Order) -> Self {
        Self { ships: Vec::new(), short: order.lines.iter().map(|l| l.quantity).collect() }
    }

    /// Locations that send a parcel, each once.
    pub fn locations(&self) -> Vec<usize> {
        let mut list: Vec<usize> = self.ships.iter().map(|s| s.location).collect();
        list.sort_unstable();
        list.dedup();
        list
    }

    /// Units that nobody ships.
    pub fn short_units(&self) -> i64 {
        self.short.iter().sum()
    }
}

/// Stock and capacity that is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    items: usize,
    stock: Vec<i64>,
    /// Parcels of each location.
    pub parcels: Vec<i64>,
    /// Units of each location.
    pub units: Vec<i64>,
}

impl Left {
    /// All that a verified network has.
    pub fn of(network: &Network) -> Self {
        let places = 0..network.locations.len();
        let stock = places.flat_map(|l| (0..network.items).map(move |i| network.free(l, i))).collect();
        let limit = |n: Option<i64>| n.unwrap_or(i64::MAX / 2);
        Self {
            items: network.items,
            stock,
            parcels: network.locations.iter().map(|l| limit(l.parcels)).collect(),
            units: network.locations.iter().map(|l| limit(l.units)).collect(),
        }
    }

    /// How many items there are.
    pub(super) fn items(&self) -> usize {
        self.items
    }

    /// Pieces of an item at a location.
    pub fn stock(&self, location: usize, item: usize) -> i64 {
        self.stock[location * self.items + item]
    }

    /// More stock, as of a delivery.
    pub fn receive(&mut self, location: usize, item: usize, pieces: i64) {
        let have = &mut self.stock[location * self.items + item];
        *have = have.saturating_add(pieces);
    }

    /// Takes a choice (`sign` −1), or gives it back (1).
    pub(super) fn apply(&mut self, order: &Order, choice: &Choice, sign: i64) {
        for ship in &choice.ships {
            for (item, pieces) in &order.lines[ship.line].takes {
                self.stock[ship.location * self.items + item] += sign * pieces * ship.quantity;
            }
            self.units[ship.location] += sign * ship.quantity;
        }
        for location in choice.locations() {
            self.parcels[location] += sign;
        }
    }

    /// Whether there is all that a choice takes.
    pub(super) fn holds(&self, order: &Order, choice: &Choice) -> bool {
        let mut after = self.clone();
        after.apply(order, choice, -1);
        let places = after.parcels.len();
        choice.short.iter().all(|s| *s >= 0)
            && after.parcels.iter().chain(&after.units).all(|n| *n >= 0)
            && (0..places).all(|l| (0..after.items()).all(|i| after.stock(l, i) >= 0))
    }
    fn can(&self, order: &Order, line: usize, location: usize) -> i64 {
        let line = &order.lines[line];
        if line.only.is_some_and(|o| o != location) || line.except == Some(location) {
            return 0;
        }
        let stock = line.takes.iter().map(|(item, pieces)| self.stock(location, *item) / pieces).min();
        stock.unwrap_or(0).min(self.units[location]).min(line.quantity).max(0)
    }
}

/// What a resource costs beyond its postage: multipliers of the relaxed limits.
#[derive(Debug, Clone, Default)]
pub(super) struct Prices {
    pub stock: Vec<f64>,
    pub parcels: Vec<f64>,
    pub units: Vec<f64>,
}

impl Prices {
    /// A share of all prices.
    pub(super) fn times(&self, share: f64) -> Self {
        let all = |prices: &[f64]| prices.iter().map(|p| p * share).collect();
        Self { stock: all(&self.stock), parcels: all(&self.parcels), units: all(&self.units) }
    }

    /// Others on top.
    pub(super) fn add(&mut self, more: &Self) {
        let add = |to: &mut [f64], more: &[f64]| to.iter_mut().zip(more).for_each(|(t, m)| *t += m);
        add(&mut self.stock, &more.stock);
        add(&mut self.parcels, &more.parcels);
        add(&mut self.units, &more.units);
    }

    /// Everything is free.
    pub(super) fn none(network: &Network) -> Self {
        let places = network.locations.len();
        Self {
            stock: vec![0.0; places * network.items],
            parcels: vec![0.0; places],
            units: vec![0.0; places],
        }
    }
}

/// A location for one order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub location: usize,
    /// For sending a parcel at all.
    pub fixed: f64,
    /// The same without prices of scarce things.
    plain: f64,
    /// Row of `unit` and `most` in the menu.
    row: usize,
}

/// The offers for an order, cheapest parcel first, and what everything else costs.
#[derive(Debug, Clone, Default)]
pub(super) struct Menu {
    pub offers: Vec<Offer>,
    /// For a unit of each line, by row.
    unit: Vec<f64>,
    /// The same without prices of scarce things.
    plain: Vec<f64>,
    /// Most units of each line, by row.
    most: Vec<i64>,
    lines: usize,
    /// For each parcel after the first.
    pub extra: f64,
    /// For a unit of each line that is not shipped.
    pub short: Vec<f64>,
    /// Most parcels.
    pub parcels: usize,
    pub partial: bool,
    /// Lines of each group that ships whole; a line alone is its own group and may be divided.
    pub groups: Vec<Vec<usize>>,
}

/// Offers of all locations that may ship to the order and have something of it.
pub(super) fn menu(network: &Network, order: &Order, policy: &Policy, left: &Left) -> Menu {
    let lines = order.lines.len();
    let mut menu = Menu {
        lines,
        extra: (policy.extra_parcel * MILLI) as f64,
        short: vec![(policy.short_unit * MILLI) as f64; lines],
        parcels: policy.parcels(order),
        partial: policy.partial,
        groups: groups(order),
        ..Menu::default()
    };
    for (location, l) in network.locations.iter().enumerate() {
        let Some(lane) = network.lane(location, order.zone) else { continue };
        let late = policy.keep_promise && super::network::days_late(order, lane) > 0;
        let any = (0..lines).any(|line| left.can(order, line, location) > 0);
        if l.closed || late || !any || left.parcels[location] <= 0 {
            continue;
        }
        let plain = policy.parcel_cost(network, order, location, lane) as f64;
        menu.offers.push(Offer { location, fixed: plain, plain, row: menu.offers.len() });
        menu.plain.extend(order.lines.iter().map(|l| (lane.per_kg * l.grams) as f64));
        menu.most.extend((0..lines).map(|line| left.can(order, line, location)));
    }
    menu.unit.clone_from(&menu.plain);
    menu.sort();
    menu
}

impl Menu {
    pub(super) fn unit(&self, offer: usize, line: usize) -> f64 {
        self.unit[self.offers[offer].row * self.lines + line]
    }

    pub(super) fn most(&self, offer: usize, line: usize) -> i64 {
        self.most[self.offers[offer].row * self.lines + line]
    }

    /// A goal of another kind: costs for each offer in place of money.
    pub(super) fn rank(&mut self, offer: usize, fixed: f64, unit: f64) {
        let row = self.offers[offer].row * self.lines;
        self.offers[offer].fixed = fixed;
        self.unit[row..row + self.lines].fill(unit);
    }

    /// Adds to what sending a parcel costs.
    pub(super) fn charge_parcel(&mut self, offer: usize, more: f64) {
        self.offers[offer].fixed += more;
    }

    /// Adds to what a unit costs.
    pub(super) fn charge_unit(&mut self, offer: usize, line: usize, more: f64) {
        self.unit[self.offers[offer].row * self.lines + line] += more;
    }

    pub(super) fn limit(&mut self, offer: usize, line: usize, most: i64) {
        let at = self.offers[offer].row * self.lines + line;
        self.most[at] = self.most[at].min(most);
    }

    pub(super) fn sort(&mut self) {
        self.offers.sort_by(|a, b| a.fixed.total_cmp(&b.fixed).then(a.location.cmp(&b.location)));
    }

    /// Least that the units of each group and those after it can cost.
    pub(super) fn floor(&self, order: &Order) -> Vec<f64> {
        let least = |l: usize| {
            let unit = (0..self.offers.len()).map(|o| self.unit(o, l)).fold(self.short[l], f64::min);
            unit * order.lines[l].quantity as f64
        };
        let mut floor = vec![0.0; self.groups.len() + 1];
        for (at, group) in self.groups.iter().enumerate().rev() {
            floor[at] = floor[at + 1] + group.iter().map(|l| least(*l)).sum::<f64>();
        }
        floor
    }

    /// Adds prices of scarce things to what the offers cost by themselves.
    pub(super) fn price(&mut self, network: &Network, order: &Order, prices: &Prices) {
        for offer in &mut self.offers {
            let l = offer.location;
            offer.fixed = offer.plain + prices.parcels[l];
            let stock = &prices.stock[l * network.items..(l + 1) * network.items];
            for (at, line) in order.lines.iter().enumerate() {
                let scarce: f64 = line.takes.iter().map(|(item, pieces)| stock[*item] * *pieces as f64).sum();
                let at = offer.row * self.lines + at;
                self.unit[at] = self.plain[at] + scarce + prices.units[l];
            }
        }
        self.sort();
    }

    /// What is left of the offers.
    pub(super) fn shrink(&mut self, order: &Order, left: &Left) {
        for offer in &self.offers {
            let open = left.parcels[offer.location] > 0;
            for line in 0..self.lines {
                let at = offer.row * self.lines + line;
                self.most[at] = if open { left.can(order, line, offer.location) } else { 0 };
            }
        }
        let (most, lines) = (&self.most, self.lines);
        self.offers.retain(|o| most[o.row * lines..(o.row + 1) * lines].iter().any(|m| *m > 0));
    }
}

fn groups(order: &Order) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::with_capacity(order.lines.len());
    for (at, line) in order.lines.iter().enumerate() {
        let same =
            |g: &&mut Vec<usize>| line.together.is_some() && order.lines[g[0]].together == line.together;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}

/// The best that was found for one order.
pub(super) struct Found {
    /// With the prices in the menu.
    pub cost: f64,
    pub ships: Vec<Ship>,
    /// Who sends a parcel: with prices below zero maybe one with nothing in it.
    pub set: Vec<usize>,
}

/// The search over sets of offers for one order.
struct Choosing<'a> {
    order: &'a Order,
    menu: &'a Menu,
    /// `None`: every line is judged alone against what was there at first (a bound); otherwise lines share what is left.
    left: Option<&'a Left>,
    items: usize,
    /// Least that the units of each group and those after it can cost.
    floor: Vec<f64>,
    /// Most that offers which cost less than nothing can give.
    gain: f64,
    set: Vec<usize>,
    best: f64,
    best_ships: Vec<Ship>,
    best_set: Vec<usize>,
    ships: Vec<Ship>,
    used: Vec<(usize, i64)>,
    /// Whether a location can be judged alone: what it saves beside others is never more than by itself, because lines are filled
    /// where it is cheapest and nothing is all or nothing.
    simple: bool,
    /// What each line costs with the set so far, level by level.
    paid: Vec<f64>,
}

/// The cheapest choice from what is left, and its cost with the prices in the menu.
pub(super) fn choose(network: &Network, order: &Order, menu: &Menu, left: Option<&Left>) -> (f64, Choice) {
    let found = search(network, order, menu, left);
    let mut choice = Choice::nothing(order);
    for ship in &found.ships {
        choice.short[ship.line] -= ship.quantity;
    }
    choice.ships = found.ships;
    (found.cost, choice)
}

/// The same, with the set of locations that it was found with. Prices may be below zero.
pub(super) fn search(network: &Network, order: &Order, menu: &Menu, left: Option<&Left>) -> Found {
    let extra = |fixed: f64| (fixed + menu.extra.min(0.0)).min(0.0);
    let none = |line: usize| order.lines[line].quantity as f64 * menu.short[line];
    let mut choosing = Choosing {
        order,
        menu,
        left,
        items: network.items,
        floor: menu.floor(order),
        gain: menu.offers.iter().map(|o| extra(o.fixed)).sum(),
        set: Vec::new(),
        best: (0..order.lines.len()).map(none).sum(),
        best_ships: Vec::new(),
        best_set: Vec::new(),
        ships: Vec::new(),
        used: Vec::new(),
        simple: menu.partial && menu.groups.iter().all(|g| order.lines[g[0]].together.is_none()),
        paid: (0..order.lines.len()).map(none).collect(),
    };
    choosing.grow(0, 0.0);
    let set = choosing.best_set.iter().map(|at| menu.offers[*at].location).collect();
    Found { cost: choosing.best, ships: choosing.best_ships, set }
}

impl Choosing<'_> {
    /// Tries all sets that go on with an offer from `from` on.
    fn grow(&mut self, from: usize, fixed: f64) {
        let extra = if self.set.is_empty() { 0.0 } else { self.menu.extra };
        for at in from..self.menu.offers.len() {
            let added = extra + self.menu.offers[at].fixed;
            if fixed + added + self.gain + self.floor[0] >= self.best {
                return;
            }
            if self.simple && self.saves(at) <= added {
                continue;
            }
            self.set.push(at);
            self.fill(fixed + added);
            if self.set.len() < self.menu.parcels {
                self.grow(at + 1, fixed + added);
            }
            if self.simple {
                self.paid.truncate(self.paid.len() - self.order.lines.len());
            }
            self.set.pop();
        }
    }

    /// Most that an offer can save on the lines as they are paid now.
    fn saves(&self, at: usize) -> f64 {
        let paid = &self.paid[self.paid.len() - self.order.lines.len()..];
        let line = |(line, paid): (usize, &f64)| {
            let (most, unit) = (self.menu.most(at, line), self.menu.unit(at, line));
            if most == 0 { 0.0 } else { (paid - self.order.lines[line].quantity as f64 * unit).max(0.0) }
        };
        let whole: f64 = paid.iter().enumerate().map(line).sum();
        // It has not more units than it has: each saves what a missing one costs at most.
        let units: f64 = (0..paid.len())
            .map(|l| self.menu.most(at, l) as f64 * (self.menu.short[l] - self.menu.unit(at, l)).max(0.0))
            .sum();
        whole.min(units)
    }

    /// The best use of the set: each group where it costs least.
    fn fill(&mut self, fixed: f64) {
        self.ships.clear();
        self.used.clear();
        let mut total = fixed;
        let mut missing = false;
        for group in 0..self.menu.groups.len() {
            let first = self.menu.groups[group][0];
            let (cost, short) = if self.order.lines[first].together.is_some() {
                self.whole(group)
            } else {
                self.divided(first)
            };
            if self.simple {
                self.paid.push(cost);
            }
            total += cost;
            missing |= short;
            if !self.simple && (total + self.floor[group + 1] >= self.best || (missing && !self.menu.partial))
            {
                return;
            }
        }
        if total < self.best {
            self.best = total;
            self.best_ships.clone_from(&self.ships);
            self.best_set.clone_from(&self.set);
        }
    }

    fn divided(&mut self, line: usize) -> (f64, bool) {
        let mut left = self.order.lines[line].quantity;
        let mut total = 0.0;
        let mut last = (f64::NEG_INFINITY, 0);
        // Who ships all or nothing ships a unit that is dearer than a missing one, too.
        let most = if self.menu.partial { self.menu.short[line] } else { f64::INFINITY };
        while left > 0 {
            // The next offer of the set by price, ties by place.
            let price = |at: usize| (self.menu.unit(at, line), at + 1);
            let open = self.set.iter().map(|at| price(*at)).filter(|p| *p > last && p.0 < most);
            let Some(next) = open.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) else { break };
            last = next;
            let units = self.room(line, next.1 - 1).min(left);
            if units > 0 {
                self.take(line, next.1 - 1, units);
                total += units as f64 * next.0;
                left -= units;
            }
        }
        (total + left as f64 * self.menu.short[line], left > 0)
    }

    fn whole(&mut self, group: usize) -> (f64, bool) {
        let lines = &self.menu.groups[group];
        let quantity = |l: &usize| self.order.lines[*l].quantity;
        let none: f64 = lines.iter().map(|l| quantity(l) as f64 * self.menu.short[*l]).sum();
        let most = if self.menu.partial { none } else { f64::INFINITY };
        let mut best: Option<(f64, usize)> = None;
        for at in &self.set {
            let price: f64 = lines.iter().map(|l| quantity(l) as f64 * self.menu.unit(*at, *l)).sum();
            if price < best.map_or(most, |b| b.0) && self.holds_group(lines, *at) {
                best = Some((price, *at));
            }
        }
        let Some((price, at)) = best else { return (none, true) };
        for line in lines {
            self.take(*line, at, self.order.lines[*line].quantity);
        }
        (price, false)
    }

    /// Whether an offer has all units of a group at once.
    fn holds_group(&self, lines: &[usize], at: usize) -> bool {
        let offer = &self.menu.offers[at];
        if lines.iter().any(|l| self.menu.most(at, *l) < self.order.lines[*l].quantity) {
            return false;
        }
        let Some(left) = self.left else { return true };
        let all = || lines.iter().map(|l| &self.order.lines[*l]);
        let wanted = |item: usize| -> i64 {
            let of = |l: &super::network::Line| -> i64 {
                l.takes.iter().filter(|t| t.0 == item).map(|t| t.1 * l.quantity).sum()
            };
            all().map(of).sum()
        };
        let stock = all().flat_map(|l| &l.takes).all(|(item, _)| {
            wanted(*item) + self.taken(offer.location * self.items + item)
                <= left.stock(offer.location, *item)
        });
        let units: i64 = all().map(|l| l.quantity).sum();
        stock && units + self.taken(usize::MAX - offer.location) <= left.units[offer.location]
    }

    /// Units of a line that an offer still has after what this set took already.
    fn room(&self, line: usize, at: usize) -> i64 {
        let offer = &self.menu.offers[at];
        let Some(left) = self.left else { return self.menu.most(at, line) };
        let mut room = self.menu.most(at, line);
        if room == 0 || self.used.is_empty() {
            return room;
        }
        for (item, pieces) in &self.order.lines[line].takes {
            let free = left.stock(offer.location, *item) - self.taken(offer.location * self.items + item);
            room = room.min(free / pieces);
        }
        room.min(left.units[offer.location] - self.taken(usize::MAX - offer.location)).max(0)
    }

    fn taken(&self, resource: usize) -> i64 {
        self.used.iter().filter(|u| u.0 == resource).map(|u| u.1).sum()
    }

    fn take(&mut self, line: usize, at: usize, quantity: i64) {
        let location = self.menu.offers[at].location;
        self.ships.push(Ship { line, location, quantity });
        if self.left.is_some() && self.order.lines.len() > 1 {
            for (item, pieces) in &self.order.lines[line].takes {
                self.used.push((location * self.items + item, pieces * quantity));
            }
            self.used.push((usize::MAX - location, quantity));
        }
    }
}

/// Thousandths of a cent that a choice costs: postage, lateness, priorities, splits, and what is short.
pub fn cost(network: &Network, order: &Order, policy: &Policy, choice: &Choice) -> i64 {
    let locations = choice.locations();
    let mut total = policy.short_unit * MILLI * choice.short_units();
    total += (locations.len() as i64 - 1).max(0) * policy.extra_parcel * MILLI;
    for location in locations {
        if let Some(lane) = network.lane(location, order.zone) {
            total = total.saturating_add(policy.parcel_cost(network, order, location, lane));
        }
    }
    for ship in &choice.ships {
        if let Some(lane) = network.lane(ship.location, order.zone) {
            let unit = lane.per_kg * order.lines[ship.line].grams;
            total = total.saturating_add(unit.saturating_mul(ship.quantity));
        }
    }
    total
}
