//! What the tree of [`super::branch`] branches on: kinds of counts, the ways of orders they count, and which of them are fractional.
//! Invariant: a count is linear in parcels, units and short units, so a price on it is a price on those.

use super::batch::Batch;
use super::choose::{Choice, Menu, Ship};
use super::lp::{Lp, Sense};
use super::network::Order;

/// Farther from a whole number than that is fractional.
const WHOLE: f64 = 1e-4;
/// Candidates of each kind.
const EACH: usize = 8;

/// What a branch counts; orders by their place in the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// Units short of all orders.
    Short,
    /// Units short of lines that take an item.
    ItemShort(usize),
    /// Parcels of all orders.
    Parcels,
    /// Parcels of a location.
    ParcelsOf(usize),
    /// Whether an order gets a parcel from a location.
    Parcel(usize, usize),
    /// Units short of a line of an order.
    LineShort(usize, usize),
    /// Units of a line of an order from a location.
    Units(usize, usize, usize),
}

/// At most or at least so many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    pub what: What,
    pub sense: Sense,
    pub number: f64,
}

impl Branch {
    /// Whether it needs a row: a limit on what one order does is kept by its columns.
    pub(super) fn has_row(&self) -> bool {
        self.sense != Sense::Most || !matches!(self.what, What::Parcel(..) | What::Units(..))
    }

    /// Keeps the search for one order to it, where it has no row.
    pub(super) fn limit(&self, menu: &mut Menu, at: usize) {
        match self.what {
            What::Parcel(of, location) if of == at => menu.offers.retain(|o| o.location != location),
            What::Units(of, line, location) if of == at => {
                let offer = menu.offers.iter().position(|o| o.location == location);
                offer.into_iter().for_each(|o| menu.limit(o, line, self.number as i64));
            }
            _ => {}
        }
    }

    /// Whether a column keeps to it, where it has no row.
    pub(super) fn keeps(&self, piece: &Piece) -> bool {
        self.has_row() || coefficient(self.what, piece) <= self.number
    }
}

/// One way to ship one order, which is a column of the program.
pub(super) struct Piece {
    pub order: usize,
    pub cost: f64,
    pub set: Vec<usize>,
    pub ships: Vec<Ship>,
    pub short: Vec<i64>,
    /// Amounts in the rows of the program.
    pub entries: Vec<(usize, f64)>,
    /// Units short by item.
    pub items: Vec<(usize, f64)>,
}

/// How many of it a column has.
pub(super) fn coefficient(what: What, piece: &Piece) -> f64 {
    let of = |order: usize| order == piece.order;
    match what {
        What::Short => piece.short.iter().sum::<i64>() as f64,
        What::ItemShort(item) => piece.items.iter().filter(|i| i.0 == item).map(|i| i.1).sum(),
        What::Parcels => piece.set.len() as f64,
        What::ParcelsOf(location) => f64::from(u8::from(piece.set.contains(&location))),
        What::Parcel(order, location) => f64::from(u8::from(of(order) && piece.set.contains(&location))),
        What::LineShort(order, line) => {
            if of(order) {
                piece.short[line] as f64
            } else {
                0.0
            }
        }
        What::Units(order, line, location) => {
            let ships = piece.ships.iter().filter(|s| of(order) && s.line == line && s.location == location);
            ships.map(|s| s.quantity as f64).sum()
        }
    }
}

/// Something fractional.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub what: What,
    pub value: f64,
    /// Values are whole multiples of that.
    pub step: f64,
}

impl Candidate {
    /// The whole number of steps below it.
    pub(super) fn above(&self) -> f64 {
        (self.value / self.step).fract()
    }

    /// From a whole number of steps.
    fn far(&self) -> f64 {
        self.above().min(1.0 - self.above())
    }
}

/// Items that a line takes, each once.
pub(super) fn distinct(takes: &[(usize, i64)]) -> impl Iterator<Item = usize> + '_ {
    takes.iter().enumerate().filter(|(at, t)| !takes[..*at].iter().any(|b| b.0 == t.0)).map(|(_, t)| t.0)
}

/// Adds a price to whatever a branch counts.
pub(super) fn charge(menu: &mut Menu, order: &Order, at: usize, what: What, price: f64) {
    if price == 0.0 {
        return;
    }
    let offer = |menu: &Menu, location: usize| menu.offers.iter().position(|o| o.location == location);
    match what {
        What::Short => menu.short.iter_mut().for_each(|s| *s += price),
        What::ItemShort(item) => {
            let lines = menu.short.iter_mut().zip(&order.lines);
            lines.filter(|(_, l)| l.takes.iter().any(|t| t.0 == item)).for_each(|(s, _)| *s += price);
        }
        What::Parcels => (0..menu.offers.len()).for_each(|o| menu.charge_parcel(o, price)),
        What::Parcel(of, _) | What::LineShort(of, _) | What::Units(of, ..) if of != at => {}
        What::LineShort(_, line) => menu.short[line] += price,
        What::ParcelsOf(location) | What::Parcel(_, location) => {
            offer(menu, location).into_iter().for_each(|o| menu.charge_parcel(o, price));
        }
        What::Units(_, line, location) => {
            offer(menu, location).into_iter().for_each(|o| menu.charge_unit(o, line, price));
        }
    }
}

/// A fractional plan by what can be branched on.
pub(super) struct Picture {
    places: usize,
    /// By order and location.
    parcels: Vec<f64>,
    /// By order, line and location.
    units: Vec<Vec<f64>>,
    /// By order and line.
    short: Vec<Vec<f64>>,
    items: Vec<f64>,
}

impl Picture {
    pub(super) fn of(batch: &Batch<'_>, pieces: &[Piece], lp: &Lp) -> Self {
        let (places, n) = (batch.network.locations.len(), batch.sequence.len());
        let lines = |at: usize| batch.orders[batch.sequence[at]].lines.len();
        let mut picture = Self {
            places,
            parcels: vec![0.0; n * places],
            units: (0..n).map(|at| vec![0.0; lines(at) * places]).collect(),
            short: (0..n).map(|at| vec![0.0; lines(at)]).collect(),
            items: vec![0.0; batch.network.items],
        };
        for (piece, share) in lp.used() {
            let piece = &pieces[piece];
            piece.set.iter().for_each(|l| picture.parcels[piece.order * places + l] += share);
            for ship in &piece.ships {
                picture.units[piece.order][ship.line * places + ship.location] +=
                    share * ship.quantity as f64;
            }
            for (at, short) in piece.short.iter().enumerate() {
                picture.short[piece.order][at] += share * *short as f64;
            }
            piece.items.iter().for_each(|(i, s)| picture.items[*i] += share * s);
        }
        picture
    }

    /// What can be branched on: of each kind what is most fractional.
    pub(super) fn fractional(&self, batch: &Batch<'_>) -> Vec<Candidate> {
        let (n, places) = (self.short.len(), self.places);
        let step = |at: usize, line: usize| {
            let line = &batch.orders[batch.sequence[at]].lines[line];
            if line.together.is_some() { line.quantity as f64 } else { 1.0 }
        };
        let one = |what: What, value: f64| Candidate { what, value, step: 1.0 };
        let mut list = Vec::new();
        keep(&mut list, [one(What::Short, self.short.iter().flatten().sum())]);
        keep(&mut list, self.items.iter().enumerate().map(|(i, v)| one(What::ItemShort(i), *v)));
        keep(&mut list, [one(What::Parcels, self.parcels.iter().sum())]);
        let of = |l: usize| (0..n).map(|at| self.parcels[at * places + l]).sum();
        keep(&mut list, (0..places).map(|l| one(What::ParcelsOf(l), of(l))));
        let sends = |at: usize| one(What::Parcel(at / places, at % places), self.parcels[at]);
        keep(&mut list, (0..n * places).map(sends));
        let short = |(at, line): (usize, usize)| {
            let what = What::LineShort(at, line);
            Candidate { what, value: self.short[at][line], step: step(at, line) }
        };
        let pairs = |lists: &[Vec<f64>]| -> Vec<(usize, usize)> {
            (0..n).flat_map(|at| (0..lists[at].len()).map(move |i| (at, i))).collect()
        };
        keep(&mut list, pairs(&self.short).into_iter().map(short));
        let units = |(at, i): (usize, usize)| {
            let what = What::Units(at, i / places, i % places);
            Candidate { what, value: self.units[at][i], step: step(at, i / places) }
        };
        keep(&mut list, pairs(&self.units).into_iter().map(units));
        list
    }

    /// The plan, where nothing is fractional.
    pub(super) fn plan(&self, batch: &Batch<'_>) -> Vec<Choice> {
        let mut choices = batch.choices.clone();
        for (at, o) in batch.sequence.iter().enumerate() {
            let order = &batch.orders[*o];
            let mut choice = Choice::nothing(order);
            for (i, units) in self.units[at].iter().enumerate().filter(|u| *u.1 > 0.5) {
                let (line, location, quantity) = (i / self.places, i % self.places, units.round() as i64);
                choice.short[line] -= quantity;
                choice.ships.push(Ship { line, location, quantity });
            }
            choices[*o] = choice;
        }
        choices
    }
}

/// Of each kind those few that are most fractional.
fn keep(list: &mut Vec<Candidate>, kind: impl IntoIterator<Item = Candidate>) {
    let mut kind: Vec<Candidate> = kind.into_iter().filter(|c| c.far() > WHOLE).collect();
    kind.sort_by(|a, b| b.far().total_cmp(&a.far()));
    list.extend(kind.into_iter().take(EACH));
}
