//! Figures of delivery routes: VRPLIB instances (CVRP and VRPTW) against the best known cost beside them, and planning again after a
//! breakdown against putting the stops of the broken vehicle where they cost least.
//!
//! `seconds` is for an instance of up to 500 stops; larger ones get six times as much. ours and reference are costs in the unit of the
//! instance; without a `.sol` the reference is the construction that the search starts from.

pub mod vrplib;

use crate::{PlanningError, Row, seconds_now};
use planner::routes::{self, Event, Goods, Pace, RoutePlan, Settings};
use std::path::{Path, PathBuf};
use vrplib::Instance;

/// From so many stops on an instance counts as large.
const LARGE: usize = 500;
/// Seconds for planning again, all included: the vehicles are on the road.
const REPLAN_SECONDS: f64 = 1.6;

/// One row for each instance; for those with time windows a second one for the breakdown.
pub fn rows(data: Option<&Path>, seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let data = data.ok_or(PlanningError::NoData { decision: "routes" })?;
    let mut files = Vec::new();
    let home = data.join("vrp");
    find(if home.is_dir() { &home } else { data }, 0, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(PlanningError::missing("routes", data, "*.vrp in it or below"));
    }
    for file in files {
        let begin = seconds_now();
        let instance = vrplib::read(&file)?;
        let wrong = |e: String| PlanningError::input(&file, instance.name.clone(), e);
        let most = if instance.problem.stops.len() > LARGE { 6.0 * seconds } else { seconds };
        let clock = || (seconds_now() - begin) / most;
        let settings = Settings::default();
        let plan = routes::route(&instance.problem, &[], &settings, &Pace::Clock(&clock))
            .map_err(|e| wrong(e.to_string()))?;
        let took = seconds_now() - begin;
        let best = match instance.best {
            Some(best) => best,
            None => {
                let plain = routes::route(&instance.problem, &[], &settings, &Pace::Steps(0));
                plain.map_err(|e| wrong(e.to_string()))?.cost as f64 / instance.scale
            }
        };
        let feasible = plan.unassigned.is_empty() && routes::check(&instance.problem, &plan).is_empty();
        out(Row::new("routes", &instance.name, plan.cost as f64 / instance.scale, best, took, feasible));
        if instance.problem.stops.iter().any(|s| s.earliest > 0) {
            out(breakdown(&instance, &plan).map_err(|e| wrong(e.to_string()))?);
        }
    }
    Ok(())
}

fn find(place: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), PlanningError> {
    let is_instance = |p: &Path| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("vrp"));
    if place.is_file() {
        files.push(place.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(place).map_err(|e| PlanningError::file(place, e))? {
        let path = entry.map_err(|e| PlanningError::file(place, e))?.path();
        if path.is_dir() && depth < 2 {
            find(&path, depth + 1, files)?;
        } else if is_instance(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// The vehicle with the most stops left breaks down when a third of the day is over.
fn breakdown(instance: &Instance, plan: &RoutePlan) -> Result<Row, routes::ReplanError> {
    let begin = seconds_now();
    let problem = &instance.problem;
    let day = problem.vehicles.first().map_or(0, |v| v.shift_end);
    let now = day / 3;
    let open = |r: &&routes::Route| r.visits.iter().filter(|v| v.leave > now).count();
    let vehicle = plan.routes.iter().max_by_key(open).map_or(0, |r| r.vehicle);
    let events = [Event::Breakdown { vehicle }];
    let again = |pace: &Pace<'_>| {
        routes::replan(problem, plan, now, &events, Goods::Anywhere, (&Settings::default(), pace))
    };
    let clock = || (seconds_now() - begin) / REPLAN_SECONDS;
    let (then, after) = again(&Pace::Clock(&clock))?;
    let took = seconds_now() - begin;
    let (_, plain) = again(&Pace::Steps(0))?;
    let feasible =
        routes::check(&then, &after).is_empty() && after.unassigned.len() <= plain.unassigned.len();
    // A stop that nobody visits counts as a trip of its own, or leaving it out would look cheap.
    let there = |place: usize| {
        let way = |from: usize, to: usize| problem.travel.distance[from * problem.travel.places + to];
        way(0, place).saturating_add(way(place, 0))
    };
    let worth = |plan: &RoutePlan| {
        let left: i64 = plan.unassigned.iter().map(|u| there(then.stops[u.stop].place)).sum();
        plan.cost.saturating_add(left) as f64 / instance.scale
    };
    let (ours, reference) = (worth(&after), worth(&plain));
    Ok(Row::new("routes", format!("{} breakdown", instance.name), ours, reference, took, feasible))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CVRP: &str = "NAME : tiny\nTYPE : CVRP\nDIMENSION : 4\nEDGE_WEIGHT_TYPE : EUC_2D\nCAPACITY : 2\n\
        NODE_COORD_SECTION\n1 0 0\n2 10 0\n3 10 3\n4 0 7\nDEMAND_SECTION\n1 0\n2 1\n3 1\n4 1\n\
        DEPOT_SECTION\n1\n-1\nEOF\n";

    #[test]
    fn distances_follow_the_convention_of_the_solution() {
        let folder = std::env::temp_dir().join(format!("fulmar-vrp-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("tiny.vrp");
        std::fs::write(&path, CVRP).unwrap();
        let sol = |cost: &str| {
            std::fs::write(folder.join("tiny.sol"), format!("Route #1: 1 2\nRoute #2: 3\nCost {cost}\n"))
                .unwrap();
            let mut seen = Vec::new();
            rows(Some(&folder), 0.02, &mut |row| seen.push(row)).unwrap();
            seen.remove(0)
        };
        let whole = sol("37");
        assert!(whole.feasible && whole.ours == 37.0 && whole.ratio == 1.0, "{whole:?}");
        assert_eq!(sol("37.4").ours, 37.4);
        std::fs::remove_file(folder.join("tiny.sol")).unwrap();
        std::fs::write(&path, CVRP.replace("4 0 7", "4 0 x")).unwrap();
        let error = rows(Some(&folder), 0.02, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("line 10: numbers expected"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(rows(None, 1.0, &mut |_| ()), Err(PlanningError::NoData { .. })));
    }

    #[test]
    fn weights_comments_and_odd_line_ends_are_read() {
        let path = std::env::temp_dir().join(format!("fulmar-vrp-{}.vrp", std::process::id()));
        let stated = |form: &str, weights: &str| {
            let text = format!(
                "\u{feff}# a comment\r\nDIMENSION: 3\r\n\r\nCAPACITY: 9\r\nEDGE_WEIGHT_TYPE: EXPLICIT\r\n\
                 EDGE_WEIGHT_FORMAT: {form}\r\nEDGE_WEIGHT_SECTION :\r\n{weights}\r\nDEMAND_SECTION\r\n1 0\r\n2 1\r\n3 1\r\n"
            );
            std::fs::write(&path, text).unwrap();
            vrplib::read(&path).map(|i| i.problem.travel.distance).map_err(|e| e.to_string())
        };
        let all = vec![0, 5, 6, 5, 0, 7, 6, 7, 0];
        for (form, weights) in [
            ("LOWER_ROW", "5\r\n6 7"),
            ("LOWER_DIAG_ROW", "0 5 0 6 7 0"),
            ("UPPER_ROW", "5 6 7"),
            ("UPPER_DIAG_ROW", "0 5 6 0 7 0"),
            ("FULL_MATRIX", "0 5 6 5 0 7 6 7 0"),
        ] {
            assert_eq!(stated(form, weights).unwrap(), all, "{form}");
        }
        assert!(stated("UPPER_ROW", "5 6").unwrap_err().contains("fewer weights"));
        assert!(stated("SPIRAL", "5 6").unwrap_err().contains("“SPIRAL”"));
        for (from, to, why) in [
            ("EUC_2D", "GEO", "EDGE_WEIGHT_TYPE"),
            ("2 1\n", "2 1.5\n", "DEMAND_SECTION"),
            ("DEMAND_SECTION", "OTHER_SECTION", "DEMAND_SECTION: missing"),
        ] {
            std::fs::write(&path, CVRP.replace(from, to)).unwrap();
            let error = vrplib::read(&path).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains(why), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_breakdown_is_answered_with_a_plan_that_checks() {
        let stop = |place: usize| routes::Stop {
            place,
            deliver: [1, 0],
            earliest: place as i64,
            ..routes::Stop::default()
        };
        let ways = (0..49i64).map(|i| ((i / 7) - (i % 7)).abs() * 10).collect();
        let van = routes::Vehicle { capacity: [3, 0], shift_end: 300, ..routes::Vehicle::default() };
        let problem = routes::Problem {
            stops: (1..7).map(stop).collect(),
            vehicles: vec![van; 4],
            travel: routes::Travel { places: 7, distance: ways, duration: None },
        };
        let plan = routes::route(&problem, &[], &Settings::default(), &Pace::Steps(200)).unwrap();
        let instance =
            Instance { name: "street".to_owned(), problem, points: vec![], scale: 1.0, best: None };
        let row = breakdown(&instance, &plan).unwrap();
        assert!(row.feasible && row.ratio <= 1.0, "{row:?}");
    }
}
