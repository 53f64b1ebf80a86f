//! Figures of waves: files of the SBPO 2025 wave challenge. ours = units per aisle; reference = the best known objective.
//!
//! Format: `orders items aisles`; a line for each order and then for each aisle: `pairs item units item units …`; last line: least and
//! most units of a wave. Best known objectives are read from `best_known.csv` (`instance,objective`) beside the file or one folder
//! up; without one, the reference is our own first wave, found in a hundredth of the time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use planner::Budget;
use planner::waves::{Aisle, Backlog, Line, Order, check, plan};

use crate::{PlanningError, Row, seconds_now};

const DECISION: &str = "waves";
const SEED: u64 = 1;

/// One row for each file below `data/waves`, or below `data`. `seconds` is for one instance.
pub fn rows(data: Option<&Path>, seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let data = data.ok_or(PlanningError::NoData { decision: DECISION })?;
    let below = data.join(DECISION);
    let mut files = Vec::new();
    collect(if below.is_dir() { &below } else { data }, &mut files)?;
    if files.is_empty() {
        return Err(PlanningError::missing(DECISION, data, "*.txt in it or below"));
    }
    for file in files {
        let backlog = read(&file)?;
        let begin = seconds_now();
        let stop = || seconds_now() - begin >= seconds;
        let best = plan(&backlog, &Budget::until(&stop), SEED);
        let took = seconds_now() - begin;
        let feasible = best.no_wave.is_none() && check(&backlog, &best).is_ok();
        let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let reference = match best_known(&file, &name)? {
            Some(value) => value,
            None => {
                let begin = seconds_now();
                let stop = || seconds_now() - begin >= seconds / 100.0;
                plan(&backlog, &Budget::until(&stop), SEED).units_per_aisle
            }
        };
        out(Row::new(DECISION, name, best.units_per_aisle, reference, took, feasible));
    }
    Ok(())
}

/// The `.txt` files in and below a folder, by path; a file stands for itself.
fn collect(place: &Path, files: &mut Vec<PathBuf>) -> Result<(), PlanningError> {
    if place.is_file() {
        files.push(place.to_owned());
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(place).map_err(|e| PlanningError::file(place, e))? {
        entries.push(entry.map_err(|e| PlanningError::file(place, e))?.path());
    }
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "txt") {
            files.push(path);
        }
    }
    Ok(())
}

fn best_known(file: &Path, name: &str) -> Result<Option<f64>, PlanningError> {
    for folder in file.ancestors().skip(1).take(2) {
        let path = folder.join("best_known.csv");
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|e| PlanningError::file(&path, e))?;
        for (row, line) in text.lines().enumerate().skip(1) {
            let Some((instance, value)) = line.split_once(',') else { continue };
            if instance.trim() == name {
                let value = f64::from_str(value.trim());
                return value.map(Some).map_err(|_| {
                    PlanningError::input(&path, format!("row {}", row + 1), "the objective is not a number")
                });
            }
        }
    }
    Ok(None)
}

/// Reads an instance. Errors name the line.
pub fn read(path: &Path) -> Result<Backlog, PlanningError> {
    let text = std::fs::read_to_string(path).map_err(|e| PlanningError::file(path, e))?;
    let mut lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
    let mut next = |what: &str| {
        let Some((number, line)) = lines.next() else {
            return Err(PlanningError::input(path, "end of file", format!("expected {what}")));
        };
        let numbers: Result<Vec<i64>, _> = line.split_ascii_whitespace().map(i64::from_str).collect();
        match numbers {
            Ok(numbers) => Ok((format!("line {}", number + 1), numbers)),
            Err(_) => {
                Err(PlanningError::input(path, format!("line {}", number + 1), "expected whole numbers"))
            }
        }
    };
    let (place, head) = next("orders, items and aisles")?;
    let [orders, items, aisles] = head[..] else {
        return Err(PlanningError::input(path, place, "expected three numbers: orders, items and aisles"));
    };
    let mut backlog = Backlog::default();
    for _ in 0..orders {
        let (place, numbers) = next("an order")?;
        let lines = pairs(path, place, &numbers, items)?;
        backlog.orders.push(Order { lines, ..Order::default() });
    }
    for _ in 0..aisles {
        let (place, numbers) = next("an aisle")?;
        backlog.aisles.push(Aisle { zone: 0, stock: pairs(path, place, &numbers, items)? });
    }
    let (place, ends) = next("least and most units")?;
    let [least, most] = ends[..] else {
        return Err(PlanningError::input(path, place, "expected two numbers: least and most units"));
    };
    (backlog.least, backlog.most) = (least, most);
    Ok(backlog)
}

fn pairs(path: &Path, place: String, numbers: &[i64], items: i64) -> Result<Vec<Line>, PlanningError> {
    let wrong = |problem: String| PlanningError::input(path, place.clone(), problem);
    let (count, rest) = numbers.split_first().ok_or_else(|| wrong("empty".to_owned()))?;
    if rest.len() as i64 != count.saturating_mul(2) {
        return Err(wrong(format!("says {count} pairs, has {} numbers", rest.len())));
    }
    let mut merged: BTreeMap<u64, i64> = BTreeMap::new();
    for pair in rest.chunks_exact(2) {
        if !(0..items).contains(&pair[0]) {
            return Err(wrong(format!("item {} is not among the {items} items", pair[0])));
        }
        let units = merged.entry(pair[0].unsigned_abs()).or_default();
        *units = units.saturating_add(pair[1]);
    }
    Ok(merged.into_iter().map(|(item, quantity)| Line { item, quantity }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_read_measured_and_their_mistakes_named() {
        let folder = std::env::temp_dir().join(format!("fulmar-waves-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("x")).unwrap();
        let file = folder.join("x/one.txt");
        std::fs::write(&file, "2 2 2\n1 0 3\n2 0 1 1 1\n1 0 4\n1 1 1\n1 5\n").unwrap();
        std::fs::write(folder.join("best_known.csv"), "instance,obj\none,3.0\n").unwrap();
        let mut found = Vec::new();
        rows(Some(&folder), 0.05, &mut |row| found.push(row)).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].feasible && found[0].ours == 3.0 && found[0].ratio == 1.0, "{found:?}");
        for (text, place) in [
            ("2 2", "line 1"),
            ("1 1 1\n1 5 1", "line 2"),
            ("1 1 1\n2 0 1", "line 2"),
            ("1 1 1\n1 0 1", "end"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = read(&file).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
