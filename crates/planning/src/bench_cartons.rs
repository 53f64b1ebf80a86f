//! Figures of cartons: real orders, and the boxes another packer needed for each (BoxPacker, with pieces turned freely).
//!
//! Files: `boxes.csv` (name, outer width, length, depth, empty weight, inner width, length, depth, most weight), `items.csv` (order,
//! quantity, SKU, width, length, depth, weight), `expected.csv` (order, boxes kept flat, …, boxes turned freely in the fifth column).
//! Without a header; millimetres and grams. ours and reference = boxes; a row for each order that takes a different number, and
//! `total`, whose seconds are those of a middle order (median); the row of the bound has those of the 99th percentile.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use planner::Budget;
use planner::cartons::{Carton, Item, Order, faults, pack};
use planner::packing::Size;

use crate::{PlanningError, Row, seconds_now};

/// Pieces put down in the search for one order, at most.
pub const STEPS: u64 = 40_000;
/// Share of each base that must be carried.
const SUPPORT: f64 = 0.0;

/// Rows as the module says. `seconds` is the most for one order; without files: an error that names `--data`.
pub fn rows(data: Option<&Path>, seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let data = data.ok_or(PlanningError::NoData { decision: "cartons" })?;
    let folder = if data.join("cartons").is_dir() { data.join("cartons") } else { data.to_owned() };
    if !folder.join("items.csv").is_file() {
        return Err(PlanningError::missing("cartons", &folder, "items.csv"));
    }
    let cartons = read_cartons(&folder.join("boxes.csv"))?;
    let orders = read_items(&folder.join("items.csv"))?;
    let expected = read_expected(&folder.join("expected.csv"))?;
    let mut times = Vec::with_capacity(orders.len());
    let mut total = Row::new("cartons", "total", 0.0, 0.0, 0.0, true);
    let mut bound = 0.0;
    for (id, items) in orders {
        let Some(reference) = expected.get(&id).copied() else {
            return Err(PlanningError::input(
                &folder.join("expected.csv"),
                id,
                "there is no row for this order",
            ));
        };
        let cartons = cartons.clone();
        let order =
            Order { items, cartons, protection: Vec::new(), filler: None, postage: None, support: SUPPORT };
        let begin = seconds_now();
        let asked = Cell::new(0);
        let stop = || {
            // A budget asks every 64 steps.
            asked.set(asked.get() + 64);
            asked.get() >= STEPS || seconds_now() - begin >= seconds
        };
        let plan = pack(&order, &Budget::until(&stop))
            .map_err(|e| PlanningError::input(&folder.join("items.csv"), id.clone(), e.to_string()))?;
        let took = seconds_now() - begin;
        let whole = plan.left.iter().all(|left| *left == 0);
        let feasible = whole && faults(&order, &plan).is_ok_and(|f| f.is_empty());
        let boxes = plan.parcels.len() as f64;
        times.push(took);
        bound += plan.bound as f64;
        total.ours += boxes;
        total.reference += reference;
        total.feasible &= feasible;
        if boxes != reference || !feasible {
            out(Row::new("cartons", id, boxes, reference, took, feasible));
        }
    }
    summary(total, bound, times, out);
    Ok(())
}

/// The total against the other packer and against the bound by volume and weight; the time of a middle order and of a hard one.
fn summary(total: Row, bound: f64, mut times: Vec<f64>, out: &mut dyn FnMut(Row)) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    out(Row::new("cartons", "bound by volume and weight", total.ours, bound, at(0.99), total.feasible));
    out(Row::new("cartons", "total", total.ours, total.reference, at(0.5), total.feasible));
}

/// `boxes.csv`.
pub fn read_cartons(path: &Path) -> Result<Vec<Carton>, PlanningError> {
    let mut cartons = Vec::new();
    each_row(path, &mut |row| {
        let numbers: Vec<i64> = (1..9).map(|field| number(path, row, field)).collect::<Result<_, _>>()?;
        let size = |first: usize| edges(path, row, &numbers[first..first + 3]);
        cartons.push(Carton {
            name: row.get(0).unwrap_or_default().to_owned(),
            outer_mm: size(0)?,
            inner_mm: size(4)?,
            empty_g: numbers[3],
            max_g: numbers[7],
            cost: 0,
            available: None,
        });
        Ok(())
    })?;
    Ok(cartons)
}

/// `items.csv`, by order.
pub fn read_items(path: &Path) -> Result<BTreeMap<String, Vec<Item>>, PlanningError> {
    let mut orders: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    each_row(path, &mut |row| {
        let numbers: Vec<i64> = (3..7).map(|field| number(path, row, field)).collect::<Result<_, _>>()?;
        let quantity = u32::try_from(number(path, row, 1)?)
            .map_err(|_| PlanningError::input(path, place(row), "the quantity must not be negative"))?;
        orders.entry(row.get(0).unwrap_or_default().to_owned()).or_default().push(Item {
            size_mm: edges(path, row, &numbers[..3])?,
            upright: [true; 3],
            quantity,
            weight_g: numbers[3],
            fragility: 0,
            stackable: true,
            bears_g: None,
        });
        Ok(())
    })?;
    Ok(orders)
}

/// Boxes of the other packer, pieces turned freely.
fn read_expected(path: &Path) -> Result<BTreeMap<String, f64>, PlanningError> {
    let mut expected = BTreeMap::new();
    each_row(path, &mut |row| {
        expected.insert(row.get(0).unwrap_or_default().to_owned(), number(path, row, 4)? as f64);
        Ok(())
    })?;
    Ok(expected)
}

fn each_row(
    path: &Path,
    take: &mut dyn FnMut(&csv::StringRecord) -> Result<(), PlanningError>,
) -> Result<(), PlanningError> {
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(path);
    let mut reader = reader.map_err(|e| PlanningError::input(path, "file", e.to_string()))?;
    for row in reader.records() {
        take(&row.map_err(|e| PlanningError::input(path, "row", e.to_string()))?)?;
    }
    Ok(())
}

fn place(row: &csv::StringRecord) -> String {
    format!("line {}", row.position().map_or(0, csv::Position::line))
}

fn number(path: &Path, row: &csv::StringRecord, field: usize) -> Result<i64, PlanningError> {
    let text = row.get(field).unwrap_or_default().trim();
    text.parse().map_err(|_| {
        PlanningError::input(
            path,
            format!("{}, field {}", place(row), field + 1),
            format!("“{text}” is not a whole number"),
        )
    })
}

fn edges(path: &Path, row: &csv::StringRecord, numbers: &[i64]) -> Result<Size, PlanningError> {
    let mut size = [0; 3];
    for (edge, number) in size.iter_mut().zip(numbers) {
        *edge = i32::try_from(*number).map_err(|_| {
            PlanningError::input(path, place(row), format!("an edge of {number} mm is too long"))
        })?;
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_format_is_measured_and_a_broken_row_named() {
        let folder = std::env::temp_dir().join(format!("fulmar-cartons-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("boxes.csv", "A,100,100,100,50,98,98,98,5000\nB,200,100,100,80,198,98,98,5000");
        write("items.csv", "o1,2,sku,98,98,98,300\no2,1,sku,10,20,30,40\no2,3,sku2,98,98,90,40");
        write("expected.csv", "o1,2,0,1,2,0,1\no2,1,0,1,2,0,1");
        let mut seen = Vec::new();
        rows(Some(&folder), 1.0, &mut |row| seen.push(row)).unwrap();
        // o1 fits the larger box at once, which the other packer did not see; o2 needs two boxes.
        assert_eq!(
            seen.iter().map(|r| r.instance.as_str()).collect::<Vec<_>>(),
            ["o1", "bound by volume and weight", "total"]
        );
        assert_eq!((seen[2].ours, seen[2].reference, seen[2].feasible), (3.0, 4.0, true));
        write("items.csv", "o1,2,sku,98,wide,98,300");
        let error = rows(Some(&folder), 1.0, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("line 1, field 5: “wide” is not a whole number"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
