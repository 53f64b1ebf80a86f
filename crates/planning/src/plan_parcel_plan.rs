//! A person's order and rate tables in, the cheapest parcels out: JSON as [`planner::parcel_plan::Order`] reads it. See
//! `docs/planner/parcel_plan.md`. Invariant: the answer has been before the independent checker.

use std::path::Path;

use planner::Budget;
use planner::parcel_plan::{Order, Refused, faults, plan};
use serde_json::{Value, json};

use crate::plan_cartons::{draw, parcels, read_json};
use crate::{PlanningError, seconds_now};

/// Plans parcels within `seconds`; with `svg`, draws the boxes. Error: what cannot be read, by line; numbers that make no sense, by name.
pub fn run(input: &Path, svg: Option<&Path>, seconds: f64) -> Result<Value, PlanningError> {
    let order: Order = read_json(input)?;
    let begin = seconds_now();
    let stop = || seconds_now() - begin >= seconds;
    let refused = |e: Refused| PlanningError::input(input, "order", e.to_string());
    let plan = plan(&order, &Budget::until(&stop)).map_err(refused)?;
    let faults = faults(&order, &plan).map_err(refused)?;
    if let Some(path) = svg {
        draw(path, &plan.parcels, &|carton| {
            (order.cartons[carton].name.clone(), order.cartons[carton].inner_mm)
        })?;
    }
    let mut named = parcels(&plan.parcels, &|carton| order.cartons[carton].name.clone());
    for (value, parcel) in named.iter_mut().zip(&plan.parcels) {
        if let Some(service) = parcel.service.and_then(|s| order.services.get(s)) {
            value["service_name"] = json!(service.name);
            value["arrives"] = json!(service.arrives);
        }
    }
    let why: Vec<String> = plan.reasons.iter().map(ToString::to_string).collect();
    let checked: Vec<String> =
        faults.iter().map(|(parcel, fault)| format!("parcel {parcel}: {fault}")).collect();
    Ok(json!({
        "parcels": named, "left": plan.left, "cost": plan.cost, "pack_then_rate": plan.pack_then_rate,
        "arrives": plan.arrives, "reasons": plan.reasons, "why": why, "faults": checked,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_document_saves_what_it_says() {
        let document = include_str!("../../../docs/planner/parcel_plan.md");
        let (plan, drawn) = crate::plan_cartons::tests::example(document, "parcels", run);
        assert_eq!(plan["faults"], json!([]));
        assert!(plan["cost"].as_i64().unwrap() < plan["pack_then_rate"].as_i64().unwrap(), "{plan}");
        assert!(plan["parcels"][0]["service_name"].is_string());
        assert!(drawn.contains("<polygon"));
    }
}
