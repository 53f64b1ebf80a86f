//! Reads VRPLIB instances (CVRP and VRPTW: `KEY : value` lines, then sections) and their `.sol` files. Invariant: distances follow the
//! convention under which the best known cost was computed.
//!
//! Conventions: CVRP rounds Euclidean distances to whole numbers (Uchoa et al. 2017), VRPTW truncates them to one decimal (DIMACS 2022).
//! Where a `.sol` beside the instance states a cost that its routes have under another one of the three, that one is taken.

use crate::PlanningError;
use planner::routes::{MAX_TIME, Problem, Stop, Travel, Vehicle};
use std::collections::HashMap;
use std::path::Path;

/// An instance.
pub struct Instance {
    /// As the file says.
    pub name: String,
    /// Node 0 is the depot, stop `i` is place `i + 1`.
    pub problem: Problem,
    /// Coordinates of the places, for drawings.
    pub points: Vec<(f64, f64)>,
    /// Units of the problem in one of the instance.
    pub scale: f64,
    /// Best known cost, if there is a `.sol` beside it.
    pub best: Option<f64>,
}

/// How a Euclidean distance becomes a number.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Rounding {
    Whole,
    OneDecimal,
    Exact,
}

impl Rounding {
    fn scale(self) -> f64 {
        match self {
            Self::Whole => 1.0,
            Self::OneDecimal => 10.0,
            Self::Exact => 1000.0,
        }
    }

    fn units(self, distance: f64) -> i64 {
        match self {
            Self::Whole => (distance + 0.5).floor() as i64,
            Self::OneDecimal => (distance * 10.0).floor() as i64,
            Self::Exact => (distance * 1000.0).round() as i64,
        }
    }
}

/// What a file says, before it is a problem.
#[derive(Default)]
struct Raw {
    header: HashMap<String, String>,
    sections: HashMap<String, Vec<Vec<f64>>>,
}

/// Reads an instance and the `.sol` beside it.
pub fn read(path: &Path) -> Result<Instance, PlanningError> {
    let text = std::fs::read_to_string(path).map_err(|e| PlanningError::file(path, e))?;
    let raw = sections(path, &text)?;
    let table = Table::of(path, &raw)?;
    let sol = path.with_extension("sol");
    let known = if sol.is_file() { Some(solution(&sol)?) } else { None };
    let usual = if table.timed { Rounding::OneDecimal } else { Rounding::Whole };
    let fits = |r: &Rounding| known.as_ref().is_some_and(|(routes, cost)| table.costs(routes, *r, *cost));
    let rounding = [usual, Rounding::Whole, Rounding::OneDecimal, Rounding::Exact]
        .into_iter()
        .find(fits)
        .unwrap_or(usual);
    Ok(Instance {
        name: raw.header.get("NAME").cloned().unwrap_or_default(),
        problem: table.problem(rounding),
        scale: rounding.scale(),
        best: known.map(|k| k.1),
        points: table.points,
    })
}

fn sections(path: &Path, text: &str) -> Result<Raw, PlanningError> {
    let mut raw = Raw::default();
    let mut section: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "EOF" {
            break;
        }
        let title = line.trim_end_matches(':').trim_end();
        if title.ends_with("_SECTION") {
            section = Some(title.to_owned());
            raw.sections.insert(title.to_owned(), Vec::new());
        } else if let Some((key, value)) = line.split_once(':') {
            raw.header.insert(key.trim().to_owned(), value.trim().trim_matches('"').to_owned());
        } else if let Some(rows) = section.as_ref().and_then(|s| raw.sections.get_mut(s)) {
            let row: Result<Vec<f64>, _> = line.split_ascii_whitespace().map(str::parse).collect();
            let row = row.ok().filter(|r: &Vec<f64>| r.iter().all(|n| n.is_finite() && n.abs() < 1e12));
            let place = || format!("line {}", number + 1);
            rows.push(row.ok_or_else(|| PlanningError::input(path, place(), "numbers expected"))?);
        } else {
            let place = format!("line {}", number + 1);
            return Err(PlanningError::input(path, place, "neither “KEY : value” nor within a section"));
        }
    }
    Ok(raw)
}

/// All weights from those a file states.
fn square(stated: &[f64], form: &str, size: usize) -> Result<Vec<f64>, String> {
    // Row by row, or column by column, which is the other triangle of a matrix that is the same both ways.
    let range = |i: usize| match form {
        "FULL_MATRIX" => Some(0..size),
        "LOWER_ROW" | "UPPER_COL" => Some(0..i),
        "LOWER_DIAG_ROW" | "UPPER_DIAG_COL" => Some(0..i + 1),
        "UPPER_ROW" | "LOWER_COL" => Some(i + 1..size),
        "UPPER_DIAG_ROW" | "LOWER_DIAG_COL" => Some(i..size),
        _ => None,
    };
    let mut matrix = vec![0.0; size * size];
    let mut next = 0;
    for i in 0..size {
        for j in range(i).ok_or_else(|| format!("EDGE_WEIGHT_FORMAT “{form}” is not known"))? {
            let weight = *stated.get(next).ok_or("fewer weights than nodes ask for")?;
            if weight < 0.0 {
                return Err("a weight is negative".to_owned());
            }
            matrix[i * size + j] = weight;
            if form != "FULL_MATRIX" {
                matrix[j * size + i] = weight;
            }
            next += 1;
        }
    }
    if next == stated.len() { Ok(matrix) } else { Err("more weights than nodes ask for".to_owned()) }
}

/// An instance by node; node 0 is the depot.
struct Table {
    points: Vec<(f64, f64)>,
    /// Full matrix of an instance that states one.
    matrix: Option<Vec<f64>>,
    demand: Vec<f64>,
    window: Vec<(f64, f64)>,
    service: Vec<f64>,
    capacity: f64,
    vehicles: usize,
    timed: bool,
}

impl Table {
    fn of(path: &Path, raw: &Raw) -> Result<Self, PlanningError> {
        let wrong = |place: &str, problem: &str| PlanningError::input(path, place, problem);
        let number = |key: &str| raw.header.get(key).and_then(|v| v.parse::<f64>().ok());
        let size = number("DIMENSION").ok_or_else(|| wrong("DIMENSION", "missing or no number"))?;
        if !(1.0..=20_000.0).contains(&size) {
            return Err(wrong("DIMENSION", "1 to 20000 nodes are possible"));
        }
        let size = size as usize;
        let column = |section: &str, width: usize| -> Result<Option<Vec<Vec<f64>>>, PlanningError> {
            let Some(rows) = raw.sections.get(section) else { return Ok(None) };
            let mut list = vec![Vec::new(); size];
            for row in rows {
                let node = row.first().map_or(0.0, |n| *n);
                if row.len() != width + 1 || node < 1.0 || node > size as f64 {
                    return Err(wrong(section, "each line is a node of the instance and its numbers"));
                }
                list[node as usize - 1] = row[1..].to_vec();
            }
            if list.iter().any(Vec::is_empty) {
                return Err(wrong(section, "a node has no line"));
            }
            Ok(Some(list))
        };
        if raw.sections.get("DEPOT_SECTION").is_some_and(|d| d.first().is_some_and(|r| r[0] != 1.0)) {
            return Err(wrong("DEPOT_SECTION", "the depot has to be node 1"));
        }
        let metric = raw.header.get("EDGE_WEIGHT_TYPE").map_or("EUC_2D", String::as_str);
        if !["EUC_2D", "EXPLICIT"].contains(&metric) {
            return Err(wrong("EDGE_WEIGHT_TYPE", "EUC_2D or EXPLICIT are read"));
        }
        let form = raw.header.get("EDGE_WEIGHT_FORMAT").map_or("FULL_MATRIX", String::as_str);
        let weights = raw.sections.get("EDGE_WEIGHT_SECTION").filter(|_| metric == "EXPLICIT");
        let matrix = weights.map(|rows| square(&rows.concat(), form, size)).transpose();
        let matrix = matrix.map_err(|problem| wrong("EDGE_WEIGHT_SECTION", &problem))?;
        if metric == "EXPLICIT" && matrix.is_none() {
            return Err(wrong("EDGE_WEIGHT_SECTION", "missing"));
        }
        let points = column("NODE_COORD_SECTION", 2)?;
        if points.is_none() && matrix.is_none() {
            return Err(wrong("NODE_COORD_SECTION", "missing"));
        }
        let demand = column("DEMAND_SECTION", 1)?.ok_or_else(|| wrong("DEMAND_SECTION", "missing"))?;
        if demand.iter().any(|d| d[0] < 0.0 || d[0].fract() != 0.0) {
            return Err(wrong("DEMAND_SECTION", "demands are whole numbers of 0 or more"));
        }
        let first = |rows: Option<Vec<Vec<f64>>>, otherwise: f64| {
            rows.map_or(vec![otherwise; size], |r| r.iter().map(|r| r[0]).collect())
        };
        let windows = column("TIME_WINDOW_SECTION", 2)?;
        let services = column("SERVICE_TIME_SECTION", 1)?;
        let mut service = first(services, number("SERVICE_TIME").unwrap_or(0.0));
        service[0] = 0.0;
        Ok(Self {
            points: points.map_or_else(Vec::new, |p| p.iter().map(|p| (p[0], p[1])).collect()),
            matrix,
            demand: first(Some(demand), 0.0),
            timed: windows.is_some(),
            window: windows
                .map_or_else(|| vec![(0.0, f64::MAX); size], |w| w.iter().map(|w| (w[0], w[1])).collect()),
            service,
            capacity: number("CAPACITY").ok_or_else(|| wrong("CAPACITY", "missing or no number"))?,
            vehicles: number("VEHICLES").map_or(size.saturating_sub(1), |v| v.clamp(0.0, 20_000.0) as usize),
        })
    }

    fn distance(&self, from: usize, to: usize) -> f64 {
        match &self.matrix {
            Some(matrix) => matrix[from * self.demand.len() + to],
            None => {
                let (a, b) = (self.points[from], self.points[to]);
                ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt()
            }
        }
    }

    /// Whether the routes have this cost when distances are rounded so.
    fn costs(&self, routes: &[Vec<usize>], rounding: Rounding, cost: f64) -> bool {
        let known = routes.iter().flatten().all(|c| *c < self.demand.len());
        let mut units = 0;
        for route in routes.iter().filter(|_| known) {
            let mut here = 0;
            for c in route.iter().chain(&[0]) {
                units += rounding.units(self.distance(here, *c));
                here = *c;
            }
        }
        (units as f64 / rounding.scale() - cost).abs() < 0.05
    }

    fn problem(&self, rounding: Rounding) -> Problem {
        let size = self.demand.len();
        let scale = rounding.scale();
        let time = |t: f64| if t >= MAX_TIME as f64 / scale { MAX_TIME } else { (t * scale).round() as i64 };
        let stop = |i: usize| Stop {
            place: i,
            deliver: [self.demand[i] as i64, 0],
            service: time(self.service[i]),
            earliest: time(self.window[i].0),
            latest: time(self.window[i].1),
            ..Stop::default()
        };
        let vehicle = Vehicle {
            capacity: [self.capacity as i64, 0],
            shift_start: time(self.window[0].0),
            shift_end: time(self.window[0].1),
            ..Vehicle::default()
        };
        let ways = (0..size * size).map(|i| rounding.units(self.distance(i / size, i % size)));
        Problem {
            stops: (1..size).map(stop).collect(),
            vehicles: vec![vehicle; self.vehicles],
            travel: Travel { places: size, distance: ways.collect(), duration: None },
        }
    }
}

/// Routes (nodes, the depot being 0) and cost of a `.sol` file.
pub fn solution(path: &Path) -> Result<(Vec<Vec<usize>>, f64), PlanningError> {
    let text = std::fs::read_to_string(path).map_err(|e| PlanningError::file(path, e))?;
    let (mut routes, mut cost) = (Vec::new(), None);
    for line in text.lines() {
        if let Some((_, stops)) = line.split_once(':').filter(|l| l.0.trim_start().starts_with("Route")) {
            let stops: Result<Vec<usize>, _> = stops.split_ascii_whitespace().map(str::parse).collect();
            routes.push(stops.map_err(|_| PlanningError::input(path, line, "stops are whole numbers"))?);
        } else if let Some(number) = line.trim().strip_prefix("Cost") {
            cost = number.trim_start_matches([':', ' ', '\t']).trim().parse().ok();
        }
    }
    let cost = cost.ok_or_else(|| PlanningError::input(path, "Cost", "missing or no number"))?;
    Ok((routes, cost))
}
