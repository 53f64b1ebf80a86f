//! Effects on the logarithm of a lead time. Invariant: an effect is shrunk by `prior / (weight + prior)`; a name never seen has none.

use super::{Part, Seen, Trip};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What can have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The region it goes to.
    To,
    /// The region it comes from.
    From,
    /// Both.
    Lane,
    /// Distance, in steps of a half octave.
    Distance,
    /// Part of the region it goes to.
    Area,
    /// Who packs it.
    Sender,
    /// Carrier and service.
    Carrier,
    /// Carrier on the lane.
    CarrierLane,
    /// Weekday of the order.
    Weekday,
}

/// Kinds in the order they are fitted (coarse first), their words, and the shipments that a prior of no effect counts for.
pub(crate) const KINDS: [(Kind, &str, f64); 9] = [
    (Kind::To, "to", 20.0),
    (Kind::From, "from", 30.0),
    (Kind::Distance, "at", 40.0),
    (Kind::Carrier, "with", 20.0),
    (Kind::Weekday, "ordered on", 60.0),
    (Kind::Lane, "on the lane", 15.0),
    (Kind::CarrierLane, "carrier on the lane", 15.0),
    (Kind::Area, "in the area", 15.0),
    (Kind::Sender, "packed by", 5.0),
];

/// Rounds of backfitting: effects overlap little, and shrinkage makes it converge fast.
const ROUNDS: usize = 4;

/// The name of each kind for a trip.
pub(crate) fn keys(trip: &Trip) -> Vec<Option<String>> {
    let name = |parts: &[&str]| parts.iter().all(|p| !p.is_empty()).then(|| parts.join(" → "));
    let day = super::Calendar::weekday(trip.ordered_at.div_euclid(super::DAY));
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    KINDS
        .iter()
        .map(|(kind, _, _)| match kind {
            Kind::To => name(&[&trip.to]),
            Kind::From => name(&[&trip.from]),
            Kind::Lane => name(&[&trip.from, &trip.to]),
            Kind::Distance => trip.km.map(|km| {
                let step = ((km + 10.0).log2() * 2.0).floor();
                format!("{:.0} km and more", ((step / 2.0).exp2() - 10.0).max(0.0))
            }),
            Kind::Area => name(&[&trip.to, &trip.area]),
            Kind::Sender => name(&[&trip.sender]),
            Kind::Carrier => name(&[&trip.carrier]),
            Kind::CarrierLane => name(&[&trip.carrier, &trip.from, &trip.to]),
            Kind::Weekday => Some(DAYS[day].to_owned()),
        })
        .collect()
}

/// Effect and the weight behind it.
type Table = BTreeMap<String, (f64, f64)>;

/// A fit.
#[derive(Debug, Clone)]
pub(crate) struct Effects {
    middle: f64,
    tables: Vec<Table>,
    /// Mean absolute residual per destination, and of all.
    spreads: BTreeMap<String, f64>,
    spread: f64,
}

/// A destination's own spread counts as much as everybody's from so many shipments.
const SPREAD_PRIOR: f64 = 40.0;

impl Effects {
    /// Fits to all shipments, or to those that are not `inside` the fold left out.
    pub(crate) fn fit(seen: &[Seen], inside: Option<&dyn Fn(usize) -> bool>) -> Self {
        let used: Vec<&Seen> = seen
            .iter()
            .enumerate()
            .filter(|(n, _)| inside.is_none_or(|inside| !inside(*n)))
            .map(|(_, s)| s)
            .collect();
        // Names as numbers: the loops below run over them many times.
        let mut names: Vec<BTreeMap<&str, usize>> = vec![BTreeMap::new(); KINDS.len()];
        let mut rows: Vec<Vec<usize>> = Vec::with_capacity(used.len());
        for one in &used {
            let row = one.keys.iter().zip(&mut names).map(|(key, names)| {
                let Some(key) = key.as_deref() else { return usize::MAX };
                let next = names.len();
                *names.entry(key).or_insert(next)
            });
            rows.push(row.collect());
        }
        let mut state = State {
            goal: used.iter().map(|s| s.log).collect(),
            fitted: vec![0.0; used.len()],
            effects: names.iter().map(|n| vec![(0.0, 0.0); n.len()]).collect(),
            middle: 0.0,
        };
        for _ in 0..ROUNDS {
            state.round(&used, &rows);
        }
        let tables = names
            .iter()
            .zip(&state.effects)
            .map(|(names, effects)| names.iter().map(|(name, i)| ((*name).to_owned(), effects[*i])).collect())
            .collect();
        let (spreads, spread) = spreads(&used, &state);
        Self { middle: state.middle, tables, spreads, spread }
    }

    /// Middle and spread of the logarithm.
    pub(crate) fn predict(&self, keys: &[Option<String>]) -> (f64, f64) {
        let effect = |(key, table): (&Option<String>, &Table)| {
            key.as_ref().and_then(|k| table.get(k)).map_or(0.0, |(effect, _)| *effect)
        };
        let sum: f64 = keys.iter().zip(&self.tables).map(effect).sum();
        let spread = keys[0].as_ref().and_then(|to| self.spreads.get(to)).unwrap_or(&self.spread);
        (self.middle + sum, *spread)
    }

    /// Effects of at least 3 %, strongest first.
    pub(crate) fn parts(&self, keys: &[Option<String>]) -> Vec<Part> {
        let part = |((key, table), (kind, _, _)): ((&Option<String>, &Table), &(Kind, &str, f64))| {
            let key = key.as_ref()?;
            let (effect, weight) = table.get(key)?;
            let factor = effect.exp();
            ((factor - 1.0).abs() >= 0.03).then(|| Part {
                kind: *kind,
                name: key.clone(),
                factor,
                weight: *weight,
            })
        };
        let mut parts: Vec<Part> = keys.iter().zip(&self.tables).zip(&KINDS).filter_map(part).collect();
        parts.sort_by(|a, b| b.factor.ln().abs().total_cmp(&a.factor.ln().abs()));
        parts
    }
}

struct State {
    /// The logarithm, or what it is expected to become where a shipment is under way.
    goal: Vec<f64>,
    fitted: Vec<f64>,
    effects: Vec<Vec<(f64, f64)>>,
    middle: f64,
}

impl State {
    fn round(&mut self, used: &[&Seen], rows: &[Vec<usize>]) {
        let pace: f64 = used.iter().map(|s| s.pace).sum();
        let off = |state: &Self, i: usize| state.goal[i] - state.fitted[i];
        let shift =
            used.iter().enumerate().map(|(i, s)| s.pace * off(self, i)).sum::<f64>() / pace.max(1e-12);
        self.middle += shift;
        self.fitted.iter_mut().for_each(|f| *f += shift);
        for (kind, (_, _, prior)) in KINDS.iter().enumerate() {
            let old = std::mem::take(&mut self.effects[kind]);
            let mut sums = vec![(0.0f64, 0.0f64); old.len()];
            for (i, row) in rows.iter().enumerate().filter(|(_, r)| r[kind] != usize::MAX) {
                let code = row[kind];
                sums[code].0 += used[i].weight * (self.goal[i] - self.fitted[i] + old[code].0);
                sums[code].1 += used[i].weight;
            }
            let new: Vec<(f64, f64)> = sums.iter().map(|(sum, w)| (sum / (w + prior), *w)).collect();
            for (i, row) in rows.iter().enumerate().filter(|(_, r)| r[kind] != usize::MAX) {
                self.fitted[i] += new[row[kind]].0 - old[row[kind]].0;
            }
            self.effects[kind] = new;
        }
        self.expect(used);
    }

    /// Shipments under way get the mean of what took longer than they have so far.
    fn expect(&mut self, used: &[&Seen]) {
        let arrived = used.iter().enumerate().filter(|(_, s)| s.arrived);
        let mut left: Vec<f64> = arrived.map(|(i, s)| s.log - self.fitted[i]).collect();
        left.sort_by(|a, b| b.total_cmp(a));
        let mut sums = vec![0.0];
        for x in &left {
            sums.push(sums[sums.len() - 1] + x);
        }
        for (i, one) in used.iter().enumerate().filter(|(_, s)| !s.arrived) {
            let so_far = one.log - self.fitted[i];
            let longer = left.partition_point(|x| *x > so_far);
            let beyond = if longer == 0 { so_far } else { sums[longer] / longer as f64 };
            self.goal[i] = self.fitted[i] + beyond;
        }
    }
}

fn spreads(used: &[&Seen], state: &State) -> (BTreeMap<String, f64>, f64) {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let (mut all, mut weights) = (0.0, 0.0);
    for (i, one) in used.iter().enumerate() {
        let size = one.weight * (state.goal[i] - state.fitted[i]).abs();
        (all, weights) = (all + size, weights + one.weight);
        if let Some(to) = one.keys[0].as_deref() {
            let sum = sums.entry(to).or_default();
            *sum = (sum.0 + size, sum.1 + one.weight);
        }
    }
    let spread = (all / f64::max(weights, 1e-12)).max(0.02);
    let own = |(to, (sum, w)): (&str, (f64, f64))| {
        (to.to_owned(), ((sum + spread * SPREAD_PRIOR) / (w + SPREAD_PRIOR)).max(0.02))
    };
    (sums.into_iter().map(own).collect(), spread)
}
