//! A person's backlog in, a wave out: JSON as [`planner::waves::Backlog`] reads it, or a `.txt` file of the wave challenge. See
//! `docs/planner/waves.md`. Invariant: the answer has a sentence for each order.

use std::path::Path;

use planner::Budget;
use planner::waves::{Backlog, plan};
use serde_json::{Value, json};

use crate::{PlanningError, bench_waves, seconds_now};

/// Plans a wave within `seconds`. There is nothing to draw: `svg` is answered with an error.
pub fn run(input: &Path, svg: Option<&Path>, seconds: f64) -> Result<Value, PlanningError> {
    if let Some(svg) = svg {
        return Err(PlanningError::input(
            svg,
            "--svg",
            "a wave has no drawing; draw its tours with pick_tours",
        ));
    }
    let backlog: Backlog = if input.extension().is_some_and(|e| e == "txt") {
        bench_waves::read(input)?
    } else {
        let text = std::fs::read_to_string(input).map_err(|e| PlanningError::file(input, e))?;
        serde_json::from_str(&text).map_err(|e| {
            PlanningError::input(input, format!("line {}, column {}", e.line(), e.column()), e.to_string())
        })?
    };
    let begin = seconds_now();
    let stop = || seconds_now() - begin >= seconds;
    let wave = plan(&backlog, &Budget::until(&stop), 1);
    let sentences: Vec<String> = wave.why.iter().map(ToString::to_string).collect();
    let no_wave = wave.no_wave.map(|n| n.to_string());
    Ok(json!({
        "units_per_aisle": wave.units_per_aisle, "units": wave.units, "aisles": wave.aisles, "orders": wave.orders,
        "lists": wave.tasks, "picks": wave.picks, "why": sentences, "no_wave": no_wave,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_document_gives_a_wave() {
        let document = include_str!("../../../docs/planner/waves.md");
        let example = document.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let file = std::env::temp_dir().join(format!("fulmar-wave-{}.json", std::process::id()));
        std::fs::write(&file, example).unwrap();
        let plan = run(&file, None, 0.05).unwrap();
        assert_eq!(plan["no_wave"], Value::Null, "{plan}");
        assert!(plan["units_per_aisle"].as_f64().unwrap() > 0.0);
        assert_eq!(plan["why"].as_array().unwrap().len(), 3);
        assert!(run(&file, Some(Path::new("x.svg")), 0.05).is_err());
        std::fs::write(&file, "{\"orders\": 3}").unwrap();
        assert!(run(&file, None, 0.05).unwrap_err().to_string().contains("line 1"));
        std::fs::remove_file(file).unwrap();
    }
}
