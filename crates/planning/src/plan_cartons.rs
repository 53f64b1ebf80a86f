//! A person's order in, boxes out: JSON as [`planner::cartons::Order`] reads it. See `docs/planner/cartons.md`. Invariant: the answer
//! has been before the independent checker.

use std::path::Path;

use planner::Budget;
use planner::cartons::{Order, Parcel, faults, pack};
use planner::packing::Placed;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{PlanningError, seconds_now, svg};

/// Boxes the order within `seconds`; with `svg`, draws the boxes. Error: what cannot be read, by line; numbers that make no sense, by item.
pub fn run(input: &Path, svg: Option<&Path>, seconds: f64) -> Result<Value, PlanningError> {
    let order: Order = read_json(input)?;
    let begin = seconds_now();
    let stop = || seconds_now() - begin >= seconds;
    let refused = |e: planner::cartons::Refused| PlanningError::input(input, "order", e.to_string());
    let plan = pack(&order, &Budget::until(&stop)).map_err(refused)?;
    let faults = faults(&order, &plan).map_err(refused)?;
    if let Some(path) = svg {
        draw(path, &plan.parcels, &|carton| {
            (order.cartons[carton].name.clone(), order.cartons[carton].inner_mm)
        })?;
    }
    let why: Vec<String> = plan.reasons.iter().map(ToString::to_string).collect();
    let checked: Vec<String> =
        faults.iter().map(|(parcel, fault)| format!("parcel {parcel}: {fault}")).collect();
    Ok(json!({
        "parcels": parcels(&plan.parcels, &|carton| order.cartons[carton].name.clone()),
        "left": plan.left, "cost": plan.cost, "bound": plan.bound, "reasons": plan.reasons, "why": why, "faults": checked,
    }))
}

/// Reads JSON; what is wrong is named with its line and column.
pub(crate) fn read_json<T: DeserializeOwned>(input: &Path) -> Result<T, PlanningError> {
    let text = std::fs::read_to_string(input).map_err(|e| PlanningError::file(input, e))?;
    serde_json::from_str(&text).map_err(|e| {
        PlanningError::input(input, format!("line {}, column {}", e.line(), e.column()), e.to_string())
    })
}

/// Parcels with their cartons' names.
pub(crate) fn parcels(parcels: &[Parcel], name: &dyn Fn(usize) -> String) -> Vec<Value> {
    let named = parcels.iter().map(|parcel| {
        let mut value = json!(parcel);
        value["carton_name"] = json!(name(parcel.carton));
        value["cost"] = json!(parcel.cost());
        value
    });
    named.collect()
}

/// Draws boxes with what is in them.
pub(crate) fn draw(
    path: &Path,
    parcels: &[Parcel],
    carton: &dyn Fn(usize) -> (String, [i32; 3]),
) -> Result<(), PlanningError> {
    let packed: Vec<svg::Packed<'_>> = parcels
        .iter()
        .map(|parcel| {
            let (name, room) = carton(parcel.carton);
            let title = format!("{name}: {} g, {:.0} % full", parcel.gross_g, parcel.fill * 100.0);
            svg::Packed { title, room, pieces: &parcel.placed }
        })
        .collect();
    svg::write(path, &svg::boxes(&packed, &|item| format!("item {item}")))
}

/// Draws one box.
pub(crate) fn draw_one(
    path: &Path,
    title: String,
    room: [i32; 3],
    pieces: &[Placed],
) -> Result<(), PlanningError> {
    svg::write(path, &svg::boxes(&[svg::Packed { title, room, pieces }], &|item| format!("item {item}")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs the first JSON of a document; the plan and its drawing.
    pub(crate) fn example(
        document: &str,
        name: &str,
        run: fn(&Path, Option<&Path>, f64) -> Result<Value, PlanningError>,
    ) -> (Value, String) {
        let example = document.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let folder = std::env::temp_dir().join(format!("fulmar-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (file, drawing) = (folder.join("in.json"), folder.join("out.svg"));
        std::fs::write(&file, example).unwrap();
        let plan = run(&file, Some(&drawing), 0.2).unwrap();
        let drawn = std::fs::read_to_string(&drawing).unwrap();
        std::fs::write(&file, "{\"items\": 3}").unwrap();
        let error = run(&file, None, 0.1).unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
        (plan, drawn)
    }

    #[test]
    fn the_example_of_the_document_is_packed_and_drawn() {
        let (plan, drawn) = example(include_str!("../../../docs/planner/cartons.md"), "cartons", run);
        assert_eq!(plan["faults"], json!([]));
        assert_eq!(plan["parcels"].as_array().unwrap().len(), 1, "{plan}");
        assert_eq!(plan["parcels"][0]["carton_name"], "M");
        assert!(drawn.contains("M: ") && drawn.contains("<polygon"));
    }
}
