//! Figures of the delivery promise: weekly origins on a marketplace's orders, against the estimate its customers were given.
//!
//! At each origin the model learns from what was known then (orders before it; what was not delivered yet is under way) and promises for the
//! orders of the next seven days. Errors are between the expected and the real time of delivery, in days; late means on a later date.
//! Invariant: nothing after an origin reaches a promise made at it.
//!
//! Which orders are in the file is not for us to know at the origin: those that were never delivered are left out, because the file has
//! all of them beside a sample of the delivered ones.

mod olist;

use crate::{PlanningError, Row, seconds_now};
use planner::promise::{Calendar, DAY, Options, learn};
use std::path::Path;

const DECISION: &str = "promise";
const QUANTILES: [f64; 5] = [0.5, 0.7, 0.8, 0.9, 0.95];
/// Orders known before the first origin, at least, and as a share of all.
const LEARNT_FIRST: (usize, f64) = (200, 0.15);

/// Measures on the CSV files of `olist/`.
pub fn rows(data: Option<&Path>, _seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let data = data.ok_or(PlanningError::NoData { decision: DECISION })?;
    let orders = olist::orders(data)?;
    let calendar = Calendar { holidays: olist::holidays(&orders), ..Calendar::default() };
    let past: Vec<_> = orders.iter().map(|o| o.past.clone()).collect();
    let first = LEARNT_FIRST.0.max((orders.len() as f64 * LEARNT_FIRST.1) as usize);
    let Some(begin) = orders.get(first) else {
        let problem = format!("{} delivered orders: more than {first} are needed", orders.len());
        return Err(PlanningError::input(data, "olist", problem));
    };
    let begun = seconds_now();
    let mut tally = Tally { sane: true, ..Tally::default() };
    let mut origin = begin.past.trip.ordered_at.div_euclid(DAY) * DAY;
    while orders.last().is_some_and(|o| o.past.trip.ordered_at >= origin) {
        let next = origin + 7 * DAY;
        let week = orders.iter().filter(|o| (origin..next).contains(&o.past.trip.ordered_at));
        let promises = learn(&past, origin, &calendar, Options::default())
            .map_err(|e| PlanningError::input(data, "olist", e.to_string()))?;
        for order in week {
            let quote = promises
                .quote(&order.past.trip, &QUANTILES)
                .map_err(|e| PlanningError::input(data, "olist", e.to_string()))?;
            tally.add(order, &quote);
        }
        origin = next;
    }
    tally.rows(seconds_now() - begun, out);
    Ok(())
}

#[derive(Default)]
struct Tally {
    ours: Vec<f64>,
    estimates: Vec<f64>,
    late: [f64; QUANTILES.len()],
    days: [f64; QUANTILES.len()],
    estimate_late: f64,
    estimate_days: f64,
    sane: bool,
}

impl Tally {
    fn add(&mut self, order: &olist::Order, quote: &planner::promise::Quote) {
        let Some(delivered) = order.past.delivered_at else { return };
        let days = |minutes: i64| minutes as f64 / DAY as f64;
        let ordered = order.past.trip.ordered_at;
        self.ours.push(days(quote.expected_at - delivered).abs());
        self.estimates.push(days(order.estimate - delivered).abs());
        let on = delivered.div_euclid(DAY);
        let late = |promised: i64| f64::from(u8::from(on > promised));
        for (i, promised) in quote.days.iter().enumerate() {
            self.late[i] += late(*promised);
            self.days[i] += *promised as f64 - days(ordered);
        }
        self.estimate_late += late(order.estimate.div_euclid(DAY));
        self.estimate_days += days(order.estimate - ordered);
        self.sane &= quote.days.is_sorted() && quote.days[0] >= ordered.div_euclid(DAY);
    }

    fn rows(mut self, took: f64, out: &mut dyn FnMut(Row)) {
        let n = self.ours.len().max(1) as f64;
        let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
        let mut row = |name: String, ours, reference| {
            out(Row::new(DECISION, name, ours, reference, took, self.sane));
        };
        row("mean absolute error, days".into(), mean(&self.ours), mean(&self.estimates));
        row("median absolute error, days".into(), median(&mut self.ours), median(&mut self.estimates));
        for (i, q) in QUANTILES.iter().enumerate() {
            row(format!("late at {q}"), self.late[i] / n, 1.0 - q);
        }
        // The quantile that is late as seldom as the estimate was: how much sooner is it?
        let as_good =
            (0..QUANTILES.len()).find(|i| self.late[*i] <= self.estimate_late).unwrap_or(QUANTILES.len() - 1);
        let name = format!("days promised at {}, late {:.3}", QUANTILES[as_good], self.late[as_good] / n);
        row(name, self.days[as_good] / n, self.estimate_days / n);
    }
}

fn median(x: &mut [f64]) -> f64 {
    x.sort_by(f64::total_cmp);
    x.get(x.len() / 2).copied().unwrap_or_default()
}
