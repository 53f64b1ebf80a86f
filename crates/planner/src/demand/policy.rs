//! The stock policy on a past that it did not know: does it reach the service level it promises? Invariant: every decision at a period
//! uses the periods before it alone; leads are drawn from the seed.
//!
//! Every period the policy forecasts the demand over lead time and review, orders up to its quantile, and receives what it ordered when a
//! drawn lead time is over; unmet demand waits. A cycle is served if it ends with nothing owed. The model is fitted anew every four
//! periods. Cost: a fit per four periods, and items × periods forecasts.

use super::aim::{self, Aim};
use super::pooled::Target;
use super::stock::{Lead, Protection, Supply, check_supply};
use super::trees::Draw;
use super::{Model, Options, Series, Unfit, check, check_options};
use serde::{Deserialize, Serialize};

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Item-periods looked at.
    pub cycles: u64,
    /// Of these, ended with nothing owed.
    pub served: u64,
    /// Units asked for.
    pub asked: f64,
    /// Units that had to wait.
    pub waited: f64,
    /// Units on the shelf at the end of a period, summed.
    pub held: f64,
}

impl Outcome {
    /// Share of cycles without a stock-out.
    pub fn service(&self) -> f64 {
        self.served as f64 / self.cycles.max(1) as f64
    }

    /// Share of units served at once.
    pub fn fill_rate(&self) -> f64 {
        1.0 - self.waited / self.asked.max(1e-9)
    }
}

struct Shelf {
    /// Negative: owed.
    stock: f64,
    /// Units by the period they arrive in.
    coming: Vec<(usize, f64)>,
}

/// What was expected to go wrong, and what did; what is long ago counts less.
#[derive(Default)]
struct Record {
    /// By the period of the order.
    risks: Vec<f64>,
    expected: f64,
    missed: f64,
}

/// What a period's record counts for a period later.
const FADES: f64 = 0.8;

impl Record {
    fn aim(&self, aim: Aim) -> Aim {
        match aim {
            Aim::Each => aim,
            Aim::Together { .. } => Aim::Together { expected: self.expected, missed: self.missed },
        }
    }

    /// The period of the last risk is over. What it ends with was decided a lead time before.
    fn add(&mut self, supply: &Supply, missed: f64) {
        let now = self.risks.len() - 1;
        let decided = |lead: &Lead| lead.probability * self.risks[now - lead.periods];
        let expected: f64 = supply.lead.iter().map(decided).sum();
        self.expected = FADES * self.expected + expected;
        self.missed = FADES * self.missed + missed;
    }
}

impl Shelf {
    /// What arrives now or should have.
    fn receive(&mut self, now: usize) {
        self.stock += self.coming.iter().filter(|c| c.0 <= now).map(|c| c.1).sum::<f64>();
        self.coming.retain(|c| c.0 > now);
    }

    /// Lifts the position to a target; the lead time in periods is drawn only if something is ordered.
    fn order(&mut self, target: f64, now: usize, lead: impl FnOnce() -> usize) {
        let units = target - self.position();
        if units <= 0.0 {
            return;
        }
        match lead() {
            0 => self.stock += units,
            lead => self.coming.push((now + lead, units)),
        }
    }

    /// Units that have to wait.
    fn sell(&mut self, asked: f64) -> f64 {
        let waited = (asked - self.stock.max(0.0)).max(0.0);
        self.stock -= asked;
        waited
    }

    fn position(&self) -> f64 {
        self.stock + self.coming.iter().map(|c| c.1).sum::<f64>()
    }
}

/// Runs the policy over the last `periods` of the panel; items that began later are left out. The first cycles, until orders of its own
/// arrive, are not counted. `supply` says lead, review (1 is meant) and service, `aim` whose service that is.
pub fn simulate(
    panel: &[Series],
    periods: usize,
    supply: &Supply,
    aim: Aim,
    options: Options,
) -> Result<Outcome, Unfit> {
    check_supply(supply)?;
    let longest = supply.lead.iter().map(|l| l.periods).max().unwrap_or(0);
    let options = Options { horizon: (longest + supply.review).max(1), ..options };
    check_options(options)?;
    panel.iter().try_for_each(check)?;
    let known: Vec<&Series> = panel.iter().filter(|s| s.units.len() > periods).collect();
    let mut shelves: Vec<Shelf> = known.iter().map(|_| Shelf { stock: -1.0, coming: vec![] }).collect();
    let mut outcome = Outcome::default();
    let mut draw = Draw::new(options.seed);
    let mut record = Record::default();
    let mut model = None;
    for now in 0..periods {
        let past = |s: &Series| {
            let end = s.units.len() - periods + now;
            Series {
                group: s.group,
                units: s.units[..end].to_vec(),
                orders: s.orders.get(..end).map(<[f64]>::to_vec).unwrap_or_default(),
            }
        };
        let histories: Vec<Series> = known.iter().map(|s| past(s)).collect();
        if now % 4 == 0 {
            model = Some(Model::fit(&histories, Target::Sum, options));
        }
        let Some(model) = &model else { break };
        shelves.iter_mut().for_each(|shelf| shelf.receive(now));
        let demand: Vec<Protection> =
            histories.iter().enumerate().map(|(item, h)| Protection::of(model, item, h, supply)).collect();
        let aimed: Vec<aim::Item> = shelves
            .iter()
            .zip(&demand)
            .map(|(shelf, demand)| aim::Item { demand, position: shelf.position(), service: supply.service })
            .collect();
        let targets = aim::levels(&aimed, record.aim(aim));
        record.risks.push(aim::risk(&aimed, &targets));
        let mut missed = 0.0;
        for (item, shelf) in shelves.iter_mut().enumerate() {
            if now == 0 {
                shelf.stock = targets[item];
            }
            shelf.order(targets[item], now, || drawn(supply, draw.unit()));
            let asked = known[item].units[histories[item].units.len()];
            let waited = shelf.sell(asked);
            missed += f64::from(u8::from(shelf.stock < 0.0));
            if now >= longest {
                outcome.cycles += 1;
                outcome.served += u64::from(shelf.stock >= 0.0);
                outcome.asked += asked;
                outcome.waited += waited;
                outcome.held += shelf.stock.max(0.0);
            }
        }
        if now >= longest {
            record.add(supply, missed);
        }
    }
    Ok(outcome)
}

fn drawn(supply: &Supply, mut unit: f64) -> usize {
    for lead in &supply.lead {
        if unit < lead.probability {
            return lead.periods;
        }
        unit -= lead.probability;
    }
    supply.lead.last().map_or(0, |l| l.periods)
}
