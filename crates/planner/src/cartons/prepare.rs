//! An order made ready for packing: numbers checked, pieces wrapped, alike pieces taken together. Invariant: what is prepared has no
//! number that could overflow, and every kind fits at least one carton alone.

use super::{Item, Order, Parcel, Reason, Refused, Wrapped, sound};
use crate::Budget;
use crate::packing::{Effort, Kind, LONGEST, MOST_PIECES, Placed, Room, Size, Top, fill, turns, volume};

/// The most that weights and costs may be.
const MOST: i64 = 1_000_000_000;

/// What a parcel costs to send: billable grams, minor units and the service's index, from gross grams and outer edges. `None`: nobody
/// takes it.
pub(crate) type Sending<'a> = &'a dyn Fn(i64, Size) -> Option<(i64, i64, usize)>;

/// An order ready for packing.
pub struct Prepared<'a> {
    /// As it was asked.
    pub(crate) order: &'a Order,
    /// Who sends it, where that is more than the order's own table.
    sending: Option<Sending<'a>>,
    /// No parcel heavier than this has a price.
    heaviest: i64,
    /// Pieces that are alike in everything that packing looks at, with their wrapping.
    pub(crate) kinds: Vec<Kind>,
    /// Items of each kind.
    pub(crate) members: Vec<Vec<usize>>,
    /// Wrapping of each kind, as index.
    wraps: Vec<Option<usize>>,
    /// Pieces of each item that fit no carton, and why.
    pub(crate) left: Vec<u32>,
    /// Why they are left.
    pub(crate) reasons: Vec<Reason>,
}

impl<'a> Prepared<'a> {
    /// Error: numbers that make no sense.
    pub fn new(order: &'a Order) -> Result<Self, Refused> {
        let heaviest = order.postage.as_ref().map_or(i64::MAX, super::Postage::heaviest);
        Self::sent_by(order, None, heaviest)
    }

    /// With prices from elsewhere than the order's table, and the heaviest parcel that has one. Error: numbers that make no sense.
    pub(crate) fn sent_by(
        order: &'a Order,
        sending: Option<Sending<'a>>,
        heaviest: i64,
    ) -> Result<Self, Refused> {
        validate(order)?;
        let mut it = Self {
            order,
            sending,
            heaviest,
            kinds: Vec::new(),
            members: Vec::new(),
            wraps: Vec::new(),
            left: vec![0; order.items.len()],
            reasons: Vec::new(),
        };
        for (item, asked) in order.items.iter().enumerate().filter(|(_, i)| i.quantity > 0) {
            let (kind, wrap) = wrapped(order, asked);
            if let Some(reason) = it.impossible(item, &kind, wrap) {
                it.reasons.push(reason);
                it.left[item] = asked.quantity;
                continue;
            }
            let like = |k: &Kind| Kind { count: kind.count, ..k.clone() } == kind;
            match (0..it.kinds.len()).find(|k| like(&it.kinds[*k]) && it.wraps[*k] == wrap) {
                Some(k) => {
                    it.kinds[k].count += kind.count;
                    it.members[k].push(item);
                }
                None => {
                    it.kinds.push(kind);
                    it.members.push(vec![item]);
                    it.wraps.push(wrap);
                }
            }
        }
        Ok(it)
    }

    fn impossible(&self, item: usize, kind: &Kind, wrap: Option<usize>) -> Option<Reason> {
        let alone = [(kind, wrap, 1u32)];
        let (mut large, mut heavy) = (true, true);
        for carton in 0..self.order.cartons.len() {
            let room = self.order.cartons[carton].inner_mm;
            if !turns(kind.size, kind.upright).iter().any(|t| (0..3).all(|a| t[a] <= room[a])) {
                continue;
            }
            large = false;
            let Some(parcel) = self.weigh(carton, &alone) else { continue };
            heavy = false;
            if parcel.postage.is_some() {
                return None;
            }
        }
        Some(match (large, heavy) {
            (true, _) => Reason::TooLarge { item },
            (false, true) => Reason::TooHeavy { item },
            (false, false) => Reason::NoPostage { item },
        })
    }

    /// The items as the checker is to see them: each with its wrapping, none taken together.
    pub(super) fn wrapped_items(&self) -> Vec<Kind> {
        self.order.items.iter().map(|item| wrapped(self.order, item).0).collect()
    }

    /// What a carton holds beside its own weight and that of the filler these pieces leave room for.
    pub(super) fn room_of(&self, carton: usize, placed: &[Placed]) -> Room {
        let box_ = &self.order.cartons[carton];
        let solid: i64 = placed.iter().map(|p| volume(p.size)).sum();
        let filler = self.filler(volume(box_.inner_mm) - solid).0;
        Room { size: box_.inner_mm, weight: box_.max_g - box_.empty_g - filler }
    }

    /// Grams and minor units of filler for so many cubic millimetres.
    fn filler(&self, void_mm3: i64) -> (i64, i64) {
        let Some(filler) = &self.order.filler else { return (0, 0) };
        (
            part(void_mm3, filler.grams_per_100l, 100_000_000),
            part(void_mm3, filler.cost_per_100l, 100_000_000),
        )
    }

    /// Weight and price of a carton with these pieces; `None` when it is too heavy.
    fn weigh(&self, carton: usize, contents: &[(&Kind, Option<usize>, u32)]) -> Option<Weighed> {
        let box_ = &self.order.cartons[carton];
        let (mut solid, mut gross, mut material) = (0i64, box_.empty_g, box_.cost);
        let mut wrapped: Vec<Wrapped> = Vec::new();
        for (kind, wrap, n) in contents.iter().filter(|c| c.2 > 0) {
            solid += volume(kind.size) * i64::from(*n);
            gross += kind.weight * i64::from(*n);
            if let Some(protection) = *wrap {
                let area_cm2 = surface(kind.size) * i64::from(*n) / 100;
                match wrapped.iter_mut().find(|w| w.protection == protection) {
                    Some(w) => {
                        w.pieces += n;
                        w.area_cm2 += area_cm2;
                    }
                    None => wrapped.push(Wrapped { protection, pieces: *n, area_cm2 }),
                }
            }
        }
        let void = volume(box_.inner_mm) - solid;
        if void < 0 {
            return None;
        }
        let (grams, cost) = self.filler(void);
        gross += grams;
        material += cost;
        for w in &wrapped {
            material += part(w.area_cm2, self.order.protection[w.protection].cost_per_m2, 10_000);
        }
        if gross > box_.max_g {
            return None;
        }
        let filler_cm3 = if self.order.filler.is_some() { void / 1_000 } else { 0 };
        let fill = solid as f64 / volume(box_.inner_mm) as f64;
        let (billable, postage, service) = match (&self.sending, &self.order.postage) {
            (Some(sending), _) => match sending(gross, box_.outer_mm) {
                Some((billable, price, service)) => (billable, Some(price), Some(service)),
                None => (gross, None, None),
            },
            (None, None) => (gross, Some(0), None),
            (None, Some(table)) => {
                let billable = table.billable(gross, box_.outer_mm);
                (billable, table.price(billable), None)
            }
        };
        Some(Weighed { gross, billable, fill, wrapped, filler_cm3, material, postage, service })
    }

    /// The parcel of these counts without positions: what it would weigh and cost. `None` when it may not be.
    pub(crate) fn price(&self, carton: usize, counts: &[u32]) -> Option<Parcel> {
        let contents: Vec<_> =
            self.kinds.iter().zip(&self.wraps).zip(counts).map(|((k, w), n)| (k, *w, *n)).collect();
        let w = self.weigh(carton, &contents)?;
        Some(Parcel {
            carton,
            placed: Vec::new(),
            gross_g: w.gross,
            billable_g: w.billable,
            fill: w.fill,
            wrapped: w.wrapped,
            filler_cm3: w.filler_cm3,
            material_cost: w.material,
            postage: w.postage?,
            service: w.service,
        })
    }

    /// Whether edges alone rule it out that a carton holds these counts (volume and weight are `price`'s).
    pub(crate) fn each_fits(&self, carton: usize, counts: &[u32]) -> bool {
        let room = self.order.cartons[carton].inner_mm;
        self.kinds
            .iter()
            .zip(counts)
            .filter(|(_, n)| **n > 0)
            .all(|(k, _)| turns(k.size, k.upright).iter().any(|t| (0..3).all(|a| t[a] <= room[a])))
    }

    /// Fills a carton from these counts with as much worth as is found; counts that went in, and positions by kind.
    pub(crate) fn fill(
        &self,
        carton: usize,
        counts: &[u32],
        worth: impl Fn(usize) -> i64,
        effort: Effort,
        budget: &Budget<'_>,
    ) -> (Vec<u32>, Vec<Placed>) {
        let box_ = &self.order.cartons[carton];
        let wanted: i64 = self.kinds.iter().zip(counts).map(|(k, n)| volume(k.size) * i64::from(*n)).sum();
        // The filler's weight is not known before the filling: what is sure to be enough is set aside.
        let void = (volume(box_.inner_mm) - wanted).max(0);
        let reserve = if wanted > volume(box_.inner_mm) {
            self.filler(volume(box_.inner_mm)).0
        } else {
            self.filler(void).0
        };
        let room =
            Room { size: box_.inner_mm, weight: self.heaviest.min(box_.max_g) - box_.empty_g - reserve };
        let (known, kinds): (Vec<usize>, Vec<Kind>) = self
            .kinds
            .iter()
            .enumerate()
            .filter(|(i, k)| counts[*i] > 0 && k.weight <= room.weight)
            .map(|(i, k)| (i, Kind { count: counts[i], worth: worth(i).max(1), ..k.clone() }))
            .unzip();
        let filled =
            fill(&room, &kinds, Effort { support: effort.support.max(self.order.support), ..effort }, budget);
        let mut inside = vec![0; counts.len()];
        let mut placed = filled.placed;
        for piece in &mut placed {
            piece.kind = known[piece.kind];
            inside[piece.kind] += 1;
        }
        (inside, placed)
    }

    /// Gives parcels the items back instead of the kinds: each kind's items in their order.
    pub(crate) fn name_items(&self, parcels: &mut [Parcel]) -> Vec<u32> {
        let mut left: Vec<u32> = self.order.items.iter().map(|i| i.quantity).collect();
        for parcel in parcels {
            for piece in &mut parcel.placed {
                // A kind's count is the sum of its items', so one of them has a unit left.
                if let Some(item) = self.members[piece.kind].iter().copied().find(|i| left[*i] > 0) {
                    left[item] -= 1;
                    piece.kind = item;
                }
            }
        }
        left
    }
}

struct Weighed {
    gross: i64,
    billable: i64,
    fill: f64,
    wrapped: Vec<Wrapped>,
    filler_cm3: i64,
    material: i64,
    postage: Option<i64>,
    service: Option<usize>,
}

/// `amount × rate / per`, what is begun counts.
fn part(amount: i64, rate: i64, per: i64) -> i64 {
    let exact = i128::from(amount.max(0)) * i128::from(rate);
    i64::try_from((exact + i128::from(per) - 1) / i128::from(per)).unwrap_or(i64::MAX / 4)
}

fn surface(size: Size) -> i64 {
    let [a, b, c] = size.map(i64::from);
    2 * (a * b + b * c + a * c)
}

/// A piece with its wrapping around it.
fn wrapped(order: &Order, item: &Item) -> (Kind, Option<usize>) {
    let wrap = (0..order.protection.len())
        .filter(|p| item.fragility > 0 && order.protection[*p].fragility <= item.fragility)
        .max_by_key(|p| order.protection[*p].fragility);
    let thick = wrap.map_or(0, |w| 2 * order.protection[w].thickness_mm);
    let size = item.size_mm.map(|edge| edge + thick);
    let more = wrap.map_or(0, |w| part(surface(size) / 100, order.protection[w].grams_per_m2, 10_000));
    let top = match (item.stackable, item.fragility) {
        (false, _) => Top::Nothing,
        (true, 0) => Top::Anything,
        (true, _) => Top::Fragile,
    };
    let kind = Kind {
        size,
        upright: item.upright,
        count: item.quantity,
        weight: item.weight_g + more,
        worth: volume(size),
        fragile: item.fragility > 0,
        top,
        bears: item.bears_g,
    };
    (kind, wrap)
}

fn validate(order: &Order) -> Result<(), Refused> {
    let mut pieces = 0u32;
    for (item, i) in order.items.iter().enumerate() {
        let problem = |problem| Err(Refused::Item { item, problem });
        if !sound(i.size_mm) {
            return problem("edges must be between 1 and 50,000 mm");
        }
        if !(0..=MOST).contains(&i.weight_g) || i.bears_g.is_some_and(|b| !(0..=MOST).contains(&b)) {
            return problem("weights must be between 0 and 1,000,000,000 g");
        }
        if i.upright == [false; 3] {
            return problem("at least one edge must be allowed to stand upright");
        }
        pieces = pieces.saturating_add(i.quantity);
    }
    if pieces > MOST_PIECES {
        return Err(Refused::TooMany);
    }
    for (carton, c) in order.cartons.iter().enumerate() {
        let problem = |problem| Err(Refused::Carton { carton, problem });
        if !sound(c.inner_mm) || !sound(c.outer_mm) {
            return problem("edges must be between 1 and 50,000 mm");
        }
        if !(0..=MOST).contains(&c.empty_g) || !(0..=MOST).contains(&c.max_g) {
            return problem("weights must be between 0 and 1,000,000,000 g");
        }
        if !(0..=MOST).contains(&c.cost) {
            return problem("its cost must be between 0 and 1,000,000,000");
        }
    }
    materials(order)
}

fn materials(order: &Order) -> Result<(), Refused> {
    let sane = |amount: i64| (0..=MOST).contains(&amount);
    let problem = |field, problem| Err(Refused::Field { field, problem });
    for p in &order.protection {
        let longest = order.items.iter().flat_map(|i| i.size_mm).max().unwrap_or(0);
        if !(0..=1_000).contains(&p.thickness_mm) || longest + 2 * p.thickness_mm > LONGEST {
            return problem("protection", "its thickness must be between 0 and 1,000 mm");
        }
        if !sane(p.cost_per_m2) || !sane(p.grams_per_m2) {
            return problem("protection", "cost and weight must be between 0 and 1,000,000,000");
        }
    }
    if order.filler.as_ref().is_some_and(|f| !sane(f.cost_per_100l) || !sane(f.grams_per_100l)) {
        return problem("filler", "cost and weight must be between 0 and 1,000,000,000");
    }
    if let Some(table) = &order.postage {
        check_postage(table).map_err(|problem| Refused::Field { field: "postage", problem })?;
    }
    if !(0.0..=1.0).contains(&order.support) {
        return problem("support", "it is a share between 0 and 1");
    }
    Ok(())
}

/// What is wrong with a table of prices.
pub(crate) fn check_postage(table: &super::Postage) -> Result<(), &'static str> {
    let sane = |amount: i64| (0..=MOST).contains(&amount);
    if table.divisor.is_some_and(|d| !(1..=MOST).contains(&d)) {
        return Err("its divisor must be between 1 and 1,000,000,000");
    }
    if table.steps.is_empty() {
        return Err("a table of prices needs at least one step");
    }
    if table.steps.iter().any(|s| !sane(s.0) || !sane(s.1)) || table.beyond_per_kg.is_some_and(|p| !sane(p)) {
        return Err("weights and prices must be between 0 and 1,000,000,000");
    }
    Ok(())
}
