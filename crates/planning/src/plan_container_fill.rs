//! A person's load in, a loaded container out: JSON as [`planner::container_fill::Load`] reads it, or the first instance of a `thpack`
//! file. See `docs/planner/container_fill.md`. Invariant: the answer has been before the independent checker.

use std::path::Path;

use planner::Budget;
use planner::container_fill::{Load, faults, load};
use serde_json::{Value, json};

use crate::plan_cartons::{draw_one, read_json};
use crate::{PlanningError, bench_container_fill, seconds_now};

/// Loads the container within `seconds`; with `svg`, draws it. Error: what cannot be read, by line; numbers that make no sense, by item.
pub fn run(input: &Path, svg: Option<&Path>, seconds: f64) -> Result<Value, PlanningError> {
    let asked: Load = if input.extension().is_some_and(|e| e == "txt") {
        let mut all = bench_container_fill::read(input)?;
        if all.is_empty() {
            return Err(PlanningError::input(input, "start", "there is no instance in it"));
        }
        all.swap_remove(0)
    } else {
        read_json(input)?
    };
    let begin = seconds_now();
    let stop = || seconds_now() - begin >= seconds;
    let refused = |e: planner::container_fill::Refused| PlanningError::input(input, "load", e.to_string());
    let plan = load(&asked, &Budget::until(&stop)).map_err(refused)?;
    let checked: Vec<String> =
        faults(&asked, &plan).map_err(refused)?.iter().map(ToString::to_string).collect();
    if let Some(path) = svg {
        let title = format!("{} pieces, {:.1} % full", plan.placed.len(), plan.fill * 100.0);
        draw_one(path, title, asked.container, &plan.placed)?;
    }
    let why: Vec<String> = plan.reasons.iter().map(ToString::to_string).collect();
    Ok(json!({
        "fill": plan.fill, "placed": plan.placed, "left": plan.left, "reasons": plan.reasons, "why": why, "faults": checked,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_document_is_loaded_and_drawn() {
        let document = include_str!("../../../docs/planner/container_fill.md");
        let (plan, drawn) = crate::plan_cartons::tests::example(document, "container", run);
        assert_eq!(plan["faults"], json!([]));
        assert!(plan["fill"].as_f64().unwrap() > 0.8, "{plan}");
        assert!(drawn.contains("% full"));
    }
}
