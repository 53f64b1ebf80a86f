//! Figures of the parcel plan on random cases: what the parcels cost, against boxes first and rates second.
//!
//! Cases are drawn from a seed (orders of 1 to 6 SKUs, six cartons, two to four services with steps, volume weight, limits, surcharges),
//! so there is nothing to read. JSON files as `plan_parcel_plan` reads them, in `--data` or in a `parcel_plan` folder in it, are measured
//! instead. ours and reference = minor units; the last row sums them.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use planner::Budget;
use planner::cartons::{Carton, Item, Postage};
use planner::parcel_plan::{Limit, Order, Service, Surcharge, faults, plan};

use crate::{PlanningError, Row, files, plan_cartons, seconds_now};

/// Cases drawn.
const CASES: u64 = 100;
/// Pieces put down and plans compared for one case, at most.
const STEPS: u64 = 60_000;

/// One row for each case that boxes first and rates second can send, and their sum. `seconds` is the most for one case.
pub fn rows(data: Option<&Path>, seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let files = files::given(data, "parcel_plan", ".json")?;
    if files.is_empty() {
        return measure((0..CASES).map(|case| Ok((format!("random {case}"), draw(case)))), seconds, out);
    }
    let read = |file: &PathBuf| -> Result<_, PlanningError> {
        Ok((files::name(file), plan_cartons::read_json(file)?))
    };
    measure(files.iter().map(read), seconds, out)
}

fn measure(
    cases: impl Iterator<Item = Result<(String, Order), PlanningError>>,
    seconds: f64,
    out: &mut dyn FnMut(Row),
) -> Result<(), PlanningError> {
    let mut sum = Row::new("parcel_plan", "sum", 0.0, 0.0, 0.0, true);
    for case in cases {
        let (name, order) = case?;
        let begin = seconds_now();
        let asked = Cell::new(0);
        let stop = || {
            // A budget asks every 64 steps.
            asked.set(asked.get() + 64);
            asked.get() >= STEPS || seconds_now() - begin >= seconds
        };
        let made = plan(&order, &Budget::until(&stop))
            .map_err(|e| PlanningError::input(Path::new("case"), name.clone(), e.to_string()))?;
        let took = seconds_now() - begin;
        let feasible = faults(&order, &made).is_ok_and(|f| f.is_empty());
        sum.feasible &= feasible;
        sum.seconds += took;
        if let Some(reference) = made.pack_then_rate.filter(|then| *then > 0) {
            let row = Row::new("parcel_plan", name, made.cost as f64, reference as f64, took, feasible);
            sum.ours += row.ours;
            sum.reference += row.reference;
            out(row);
        }
    }
    out(Row { ratio: sum.ours / sum.reference, ..sum });
    Ok(())
}

/// A case: the same for the same seed.
fn draw(seed: u64) -> Order {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd1b5_4a32_d192_ed03;
    let mut random = move |low: i64, high: i64| {
        // Splitmix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + ((z ^ (z >> 31)) % (high - low + 1) as u64) as i64
    };
    let cartons =
        [[200, 150, 100], [250, 200, 60], [300, 200, 150], [350, 250, 200], [400, 300, 250], [600, 400, 300]];
    let cartons: Vec<Carton> = cartons
        .iter()
        .enumerate()
        .map(|(i, inner_mm)| Carton {
            name: format!("box {i}"),
            outer_mm: inner_mm.map(|edge| edge + 8),
            inner_mm: *inner_mm,
            empty_g: 60 + 70 * i as i64,
            max_g: 25_000,
            cost: 25 + 22 * i as i64,
            available: None,
        })
        .collect();
    let items = (0..random(1, 6))
        .map(|_| Item {
            size_mm: [random(40, 300) as i32, random(30, 220) as i32, random(15, 160) as i32],
            upright: [random(0, 3) > 0, random(0, 3) > 0, true],
            quantity: random(1, 4) as u32,
            weight_g: random(60, 3_500),
            fragility: 0,
            stackable: true,
            bears_g: None,
        })
        .collect();
    let services = (0..random(2, 4))
        .map(|i| {
            let (first, more) = (random(280, 650), random(15, 160));
            let steps = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 31_500];
            let prices = steps.iter().enumerate().map(|(n, up_to)| (*up_to, first + more * (n * n) as i64));
            Service {
                name: format!("service {i}"),
                arrives: random(1, 6),
                prices: Postage {
                    divisor: [None, Some(5_000), Some(6_000)][random(0, 2) as usize],
                    steps: prices.collect(),
                    beyond_per_kg: None,
                },
                max_g: (random(0, 2) == 0).then(|| random(2_000, 10_000)),
                max_length_mm: (random(0, 3) == 0).then_some(450),
                max_girth_mm: None,
                surcharges: vec![Surcharge {
                    name: "large".into(),
                    over: Limit::GirthMm(1_500),
                    price: random(0, 900),
                }],
                fuel_bp: random(0, 1_500),
            }
        })
        .collect();
    let handling = random(0, 80);
    Order { items, cartons, protection: vec![], filler: None, support: 0.0, services, promise: 4, handling }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_dearer_and_checked() {
        let mut seen = Vec::new();
        let cases = (0..3).map(|case| Ok((format!("random {case}"), draw(case))));
        measure(cases, 0.3, &mut |row| seen.push(row)).unwrap();
        assert!(seen.iter().all(|r| r.feasible && r.ratio <= 1.0 && r.ours > 0.0), "{seen:?}");
        assert_eq!(seen.last().map(|r| r.instance.as_str()), Some("sum"));
    }

    #[test]
    fn files_are_measured_in_place_of_random_cases() {
        let folder = std::env::temp_dir().join(format!("fulmar-parcel-files-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("mine.json"), serde_json::to_string(&draw(7)).unwrap()).unwrap();
        let mut seen = Vec::new();
        rows(Some(&folder), 0.3, &mut |row| seen.push(row)).unwrap();
        assert_eq!(seen.iter().map(|r| r.instance.as_str()).collect::<Vec<_>>(), ["mine", "sum"]);
        std::fs::write(folder.join("mine.json"), "{}").unwrap();
        let error = rows(Some(&folder), 0.3, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("mine.json"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
