//! A person's orders in, pickers' tours out. JSON: see `docs/planner/batching.md`. Invariant: each order is in one batch or left out
//! with a sentence that says why.

use std::path::Path;

use planner::Budget;
use planner::batching::{Job, plan};
use planner::pick_tours::{Router, Spot, Tour};
use serde_json::{Value, json};

use crate::{PlanningError, plan_pick_tours, seconds_now, svg};

/// Reads a file. Errors name line and column.
pub fn read(path: &Path) -> Result<Job, PlanningError> {
    let text = std::fs::read_to_string(path).map_err(|e| PlanningError::file(path, e))?;
    serde_json::from_str(&text).map_err(|e| {
        PlanningError::input(path, format!("line {}, column {}", e.line(), e.column()), e.to_string())
    })
}

/// Batches within `seconds`, each with its scan sequence as pairs of order and pick; the drawing has the tours of all of them.
pub fn run(input: &Path, drawing: Option<&Path>, seconds: f64) -> Result<Value, PlanningError> {
    let job = read(input)?;
    let wrong = |e: planner::pick_tours::NoTour| PlanningError::input(input, "layout", e.to_string());
    let begin = seconds_now();
    let stop = || seconds_now() - begin >= seconds;
    let best = plan(&job, &Budget::until(&stop), 1).map_err(wrong)?;
    let mut router = Router::new(job.layout.clone(), job.start, job.finish).map_err(wrong)?;
    let mut batches = Vec::new();
    let mut tours = Vec::new();
    for batch in &best.batches {
        let lines = |o: &usize| (0..job.orders[*o].picks.len()).map(|pick| (*o, pick)).collect::<Vec<_>>();
        let lines: Vec<(usize, usize)> = batch.orders.iter().flat_map(lines).collect();
        let spots: Vec<Spot> = lines.iter().map(|(order, pick)| job.orders[*order].picks[*pick]).collect();
        let tour = router.tour(&spots).map_err(wrong)?;
        let sequence: Vec<(usize, usize)> = tour.sequence.iter().map(|at| lines[*at]).collect();
        batches.push(json!({ "orders": batch.orders, "length": batch.length, "sequence": sequence }));
        tours.push((tour, spots));
    }
    if let Some(drawing) = drawing {
        let tours: Vec<(&Tour, &[Spot])> =
            tours.iter().map(|(tour, spots)| (tour, spots.as_slice())).collect();
        let drawn = plan_pick_tours::draw(&job.layout, [job.start, job.finish], &tours, &best.to_string());
        svg::write(drawing, &drawn)?;
    }
    let left_out: Vec<Value> =
        best.left_out.iter().map(|(order, why)| json!({ "order": order, "why": why.to_string() })).collect();
    Ok(json!({
        "batches": batches, "length": best.length, "first_come": best.first_come, "savings": best.savings,
        "left_out": left_out, "says": best.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_document_gives_batches() {
        let document = include_str!("../../../docs/planner/batching.md");
        let example = document.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let file = std::env::temp_dir().join(format!("fulmar-batch-{}.json", std::process::id()));
        std::fs::write(&file, example).unwrap();
        let drawing = file.with_extension("svg");
        let plan = run(&file, Some(&drawing), 0.05).unwrap();
        let drawn = std::fs::read_to_string(&drawing).unwrap();
        let tours = plan["batches"].as_array().unwrap().len();
        assert_eq!((drawn.matches("<circle").count(), drawn.matches("<polyline").count()), (6, tours));
        std::fs::remove_file(drawing).unwrap();
        let lines: usize =
            plan["batches"].as_array().unwrap().iter().map(|b| b["sequence"].as_array().unwrap().len()).sum();
        assert_eq!((lines, plan["left_out"].as_array().unwrap().len()), (6, 0), "{plan}");
        assert!(plan["length"].as_f64() <= plan["first_come"].as_f64());
        std::fs::write(&file, "[]").unwrap();
        assert!(run(&file, None, 0.05).is_err());
        std::fs::remove_file(file).unwrap();
    }
}
