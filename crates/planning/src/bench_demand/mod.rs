//! Figures of demand: rolling origins on the sales of a wholesaler, against the methods everybody knows.
//!
//! Weeks are blocks of seven days that end with the last day of the file, so that none is cut short at the end. An origin is a week's end; the
//! next four weeks are forecast from what came before, and compared with what was sold. Up to ten origins, a week apart, the last four weeks
//! before the end; items are those sold at least once before the origin. WAPE is the sum of absolute errors over the sum of units, over all
//! items, origins and the four weeks. Invariant: nothing after an origin reaches a forecast made at it.

mod retail;

use crate::{PlanningError, Row, files, seconds_now};
use planner::demand::aim::Aim;
use planner::demand::peers::Peer;
use planner::demand::policy::simulate;
use planner::demand::stock::{Lead, Supply};
use planner::demand::{Forecast, Options, Series, forecast};
use std::path::Path;

const DECISION: &str = "demand";
const HORIZON: usize = 4;
const ORIGINS: usize = 10;
/// Weeks that the first origin has behind it at least.
const HISTORY: usize = 8;

/// Measures on `online_retail/*.csv` or `*.csv.gz`; several files are one history.
pub fn rows(data: Option<&Path>, _seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let data = data.ok_or(PlanningError::NoData { decision: DECISION })?;
    let wanted = |name: &str| name.ends_with(".csv.gz") || name.ends_with(".csv");
    let files = files::of(data, "online_retail", wanted)?;
    if files.is_empty() {
        return Err(PlanningError::missing(DECISION, data, "sales: *.csv or *.csv.gz"));
    }
    let panel = retail::weekly(&files)?;
    let weeks = panel.first().map_or(0, |s| s.units.len());
    if weeks < HISTORY + HORIZON {
        let problem = format!("{weeks} whole weeks of sales: {} are needed", HISTORY + HORIZON);
        return Err(PlanningError::input(data, "online_retail", problem));
    }
    errors(&panel, weeks, out);
    services(&panel, weeks, data, out)
}

#[derive(Default)]
struct Sums {
    units: f64,
    ours: f64,
    mean: f64,
    peers: [f64; Peer::COMPARED.len()],
    expected: f64,
    periods: f64,
    inside: f64,
    sane: bool,
}

impl Sums {
    fn add(&mut self, history: &[f64], forecast: &Forecast, ahead: &[f64]) {
        let rates = Peer::COMPARED.map(|peer| peer.rate(history));
        for (period, actual) in forecast.periods.iter().zip(ahead) {
            self.units += actual;
            self.ours += (period.median - actual).abs();
            self.mean += (period.mean - actual).abs();
            self.expected += period.mean;
            for (sum, rate) in self.peers.iter_mut().zip(rates) {
                *sum += (rate - actual).abs();
            }
            self.periods += 1.0;
            self.inside += f64::from(u8::from((period.low..=period.high).contains(actual)));
            let ordered = 0.0 <= period.low && period.low <= period.median && period.median <= period.high;
            self.sane &= ordered && period.high.is_finite() && period.mean.is_finite();
        }
    }
}

fn errors(panel: &[Series], weeks: usize, out: &mut dyn FnMut(Row)) {
    let origins = ORIGINS.min(weeks - HORIZON - HISTORY + 1);
    let mut sums = Sums { sane: true, ..Sums::default() };
    let begun = seconds_now();
    let mut peers_took = 0.0;
    for back in HORIZON..HORIZON + origins {
        let (past, ahead) = known_at(panel, weeks - back);
        let forecasts = forecast(&past, Options { horizon: HORIZON, ..Options::default() });
        let comparing = seconds_now();
        for ((series, forecast), ahead) in past.iter().zip(&forecasts).zip(&ahead) {
            match forecast {
                Ok(forecast) => sums.add(&series.units, forecast, ahead),
                Err(_) => sums.sane = false,
            }
        }
        peers_took += seconds_now() - comparing;
    }
    let took = seconds_now() - begun - peers_took;
    let wape = |error: f64| error / sums.units;
    let mut best = (f64::INFINITY, "");
    for (peer, error) in Peer::COMPARED.iter().zip(sums.peers) {
        if wape(error) < best.0 {
            best = (wape(error), peer.name());
        }
        let name = format!("WAPE 4 weeks, {}", peer.name());
        out(Row::new(DECISION, name, wape(sums.ours), wape(error), took, sums.sane));
    }
    let of_best = format!("WAPE 4 weeks, best ({})", best.1);
    out(Row::new(DECISION, of_best, wape(sums.ours), best.0, took, sums.sane));
    out(Row::new(DECISION, "WAPE of the mean, best", wape(sums.mean), best.0, took, sums.sane));
    out(Row::new(DECISION, "units expected, sold", sums.expected, sums.units, took, sums.sane));
    out(Row::new(DECISION, "coverage of 90 % intervals", sums.inside / sums.periods, 0.9, took, sums.sane));
}

/// Histories up to a week, from the first sale on, and the weeks after it.
fn known_at(panel: &[Series], week: usize) -> (Vec<Series>, Vec<Vec<f64>>) {
    let cut = |series: &Series| {
        let first = series.units[..week].iter().position(|x| *x > 0.0)?;
        let past = Series {
            group: series.group,
            units: series.units[first..week].to_vec(),
            orders: series.orders[first..week].to_vec(),
        };
        let end = (week + HORIZON).min(series.units.len());
        Some((past, series.units[week..end].to_vec()))
    };
    panel.iter().filter_map(cut).unzip()
}

/// The stock policy over the last weeks: supplier's lead of 1, 2 or 3 weeks, stock looked at weekly.
fn services(
    panel: &[Series],
    weeks: usize,
    data: &Path,
    out: &mut dyn FnMut(Row),
) -> Result<(), PlanningError> {
    let lead = [(1, 0.25), (2, 0.5), (3, 0.25)].map(|(periods, probability)| Lead { periods, probability });
    let (past, _) = known_at(panel, weeks);
    let aim = Aim::Together { expected: 0.0, missed: 0.0 };
    for service in [0.9, 0.95] {
        let supply = Supply {
            lead: lead.to_vec(),
            review: 1,
            service,
            on_hand: 0,
            on_order: 0,
            unit_cost: 1,
            order_cost: 0,
            holding: 0.0,
            minimum: 0,
            pack: 1,
        };
        let begun = seconds_now();
        let outcome = simulate(&past, 16.min(weeks - HISTORY), &supply, aim, Options::default())
            .map_err(|unfit| PlanningError::input(data, "online_retail", unfit.to_string()))?;
        let name = format!("service {service}, fill rate {:.3}", outcome.fill_rate());
        out(Row::new(DECISION, name, outcome.service(), service, seconds_now() - begun, outcome.cycles > 0));
    }
    Ok(())
}
