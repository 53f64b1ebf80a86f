//! Figures of risk: learned weights against those of experience, on orders that were not learned from.
//!
//! CSV files in `--data`, or in a `risk` folder in it, are labelled orders in the format of [`crate::plan_risk`], oldest first: the first
//! 70 % are learned from, the others measured. Without any, 20,000 made-up orders of [`planner::risk::synthetic`] are. Invariant: what is
//! measured was not learned from.

use crate::{PlanningError, Row, files, plan_risk, seconds_now};
use planner::risk::learn::{Labelled, Quality, learn, quality};
use planner::risk::{Model, assess, synthetic};
use std::path::Path;

const DECISION: &str = "risk";

/// Measures on labelled files, or else on made-up orders.
pub fn rows(data: Option<&Path>, _seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let files = files::given(data, DECISION, ".csv")?;
    if files.is_empty() {
        // A folder without labelled orders is not an error: there are none in public.
        for seed in [1, 2] {
            let name = format!("made up, seed {seed}");
            measure(&name, &synthetic::orders(20_000, seed), Path::new("synthetic"), out)?;
        }
    }
    for file in files {
        let orders = plan_risk::read(&file)?;
        let labelled: Vec<Labelled> =
            orders.iter().filter_map(|o| Some(Labelled { signals: o.signals, bad: o.bad? })).collect();
        let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        measure(&name, &labelled, &file, out)?;
    }
    Ok(())
}

fn measure(name: &str, all: &[Labelled], file: &Path, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let (seen, unseen) = all.split_at(all.len() * 7 / 10);
    let begun = seconds_now();
    let model = learn(seen).map_err(|e| PlanningError::input(file, "labels", e.to_string()))?;
    let took = seconds_now() - begun;
    let of = |model: &Model| -> Quality {
        quality(unseen.iter().map(|l| (assess(model, &l.signals).probability, l.bad)).collect())
    };
    let (learned, experience) = (of(&model), of(&Model::default()));
    let sane = model.weights.iter().all(|w| *w >= 0.0) && model.calibration.0 > 0.0;
    let (expected, found) = learned.table.iter().fold((0.0, 0.0), |s, t| (s.0 + t.0, s.1 + t.1));
    let (top_expected, top_found) = learned.table.last().copied().unwrap_or_default();
    let mut row = |what: &str, ours, reference| {
        out(Row::new(DECISION, format!("{name}: {what}"), ours, reference, took, sane));
    };
    row("AUC, experience", learned.auc, experience.auc);
    row("log loss, base rate", learned.log_loss, learned.base_loss);
    row("log loss, experience", learned.log_loss, experience.log_loss);
    row("bad expected, found", expected, found);
    row("riskiest tenth", top_expected, top_found);
    row("calibration error, experience", learned.calibration_error, experience.calibration_error);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_there_without_any_data() {
        let mut rows = Vec::new();
        measure("x", &synthetic::orders(3_000, 3), Path::new("x"), &mut |r| rows.push(r)).unwrap();
        assert_eq!(rows.len(), 6);
        assert!(rows.iter().all(|r| r.feasible && r.ratio.is_finite()));
        assert!(rows[1].ratio < 0.8, "{:?}", rows[1]);
    }
}
