//! Sourcing of a person's file: JSON with locations, orders, and a policy or rules; who ships what comes back, with reasons.
//! Invariant: names in the file that are not known are errors that say where.
//!
//! The format is shown in docs/planner/sourcing.md. With `run` orders are sourced one after another by these rules; without, all
//! together at least cost. With `other_run` both are replayed over the days of the orders (`receipts` arriving meanwhile) and compared.

use crate::{PlanningError, seconds_now};
use planner::Budget;
use planner::sourcing::backtest::{Receipt, replay};
use planner::sourcing::rules::{self, Run};
use planner::sourcing::{
    self, Choice, Lane, Left, Line, Location, MILLI, Network, Order, Policy, SourcingError,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    locations: Vec<FileLocation>,
    orders: Vec<FileOrder>,
    #[serde(default)]
    policy: Policy,
    run: Option<Run>,
    other_run: Option<Run>,
    #[serde(default)]
    receipts: Vec<FileReceipt>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLocation {
    name: String,
    #[serde(default)]
    priority: i64,
    stock: BTreeMap<String, i64>,
    #[serde(default)]
    safety: BTreeMap<String, i64>,
    parcels: Option<i64>,
    units: Option<i64>,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    tags: Vec<String>,
    /// By zone.
    lanes: BTreeMap<String, Lane>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOrder {
    id: String,
    zone: String,
    #[serde(default)]
    day: i64,
    promise: Option<i64>,
    #[serde(default)]
    priority: i64,
    #[serde(default)]
    tags: Vec<String>,
    lines: Vec<FileLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLine {
    sku: String,
    quantity: i64,
    /// Components of a bundle; a plain SKU takes itself.
    takes: Option<BTreeMap<String, i64>>,
    #[serde(default)]
    grams: i64,
    #[serde(default)]
    value: i64,
    together: Option<u32>,
    only: Option<String>,
    except: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileReceipt {
    day: i64,
    location: String,
    sku: String,
    pieces: i64,
}

/// A file as the planner wants it, with the names to answer in.
pub struct Asked {
    /// Locations and lanes.
    pub network: Network,
    /// Orders, as in the file.
    pub orders: Vec<Order>,
    /// Costs and splits.
    pub policy: Policy,
    ids: Vec<String>,
    skus: Vec<Vec<String>>,
    run: Option<Run>,
    other_run: Option<Run>,
    receipts: Vec<Receipt>,
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Asked, PlanningError> {
    let text = std::fs::read_to_string(path).map_err(|e| PlanningError::file(path, e))?;
    let file: File = serde_json::from_str(&text).map_err(|e| {
        PlanningError::input(path, format!("line {}, column {}", e.line(), e.column()), e.to_string())
    })?;
    let names = Names::of(path, &file);
    let orders = file.orders.iter().map(|o| names.order(o)).collect::<Result<_, _>>()?;
    let receipts = file.receipts.iter().map(|r| {
        let location = names.location(&r.location, "receipts")?;
        Ok(Receipt { day: r.day, location, item: names.item(&r.sku), pieces: r.pieces })
    });
    let receipts = receipts.collect::<Result<_, PlanningError>>()?;
    let network = names.network();
    Ok(Asked {
        network,
        orders,
        receipts,
        ids: file.orders.iter().map(|o| o.id.clone()).collect(),
        skus: file.orders.iter().map(|o| o.lines.iter().map(|l| l.sku.clone()).collect()).collect(),
        policy: file.policy,
        run: file.run,
        other_run: file.other_run,
    })
}

/// The names of a file, by which its numbers are known.
struct Names<'a> {
    path: &'a Path,
    locations: &'a [FileLocation],
    zones: Vec<&'a String>,
    items: Vec<&'a String>,
}

impl<'a> Names<'a> {
    fn of(path: &'a Path, file: &'a File) -> Self {
        let mut zones: Vec<&String> = file.locations.iter().flat_map(|l| l.lanes.keys()).collect();
        zones.sort();
        zones.dedup();
        let stocked = file.locations.iter().flat_map(|l| l.stock.keys().chain(l.safety.keys()));
        let lines = || file.orders.iter().flat_map(|o| &o.lines);
        let mut items: Vec<&String> = stocked
            .chain(lines().flat_map(|l| l.takes.iter().flat_map(|t| t.keys())))
            .chain(lines().filter(|l| l.takes.is_none()).map(|l| &l.sku))
            .chain(file.receipts.iter().map(|r| &r.sku))
            .collect();
        items.sort();
        items.dedup();
        Self { path, locations: &file.locations, zones, items }
    }

    fn item(&self, sku: &String) -> usize {
        self.items.binary_search(&sku).unwrap_or(usize::MAX)
    }

    fn location(&self, name: &str, at: &str) -> Result<usize, PlanningError> {
        let found = self.locations.iter().position(|l| l.name == name);
        found.ok_or_else(|| PlanningError::input(self.path, at, format!("there is no location “{name}”")))
    }

    fn network(&self) -> Network {
        let column = |map: &BTreeMap<String, i64>| {
            let mut column = vec![0; self.items.len()];
            map.iter().for_each(|(sku, n)| column[self.item(sku)] = *n);
            column
        };
        let location = |l: &FileLocation| Location {
            name: l.name.clone(),
            priority: l.priority,
            stock: column(&l.stock),
            safety: column(&l.safety),
            parcels: l.parcels,
            units: l.units,
            closed: l.closed,
            tags: l.tags.clone(),
        };
        let lanes =
            |l: &FileLocation| self.zones.iter().map(|z| l.lanes.get(*z).copied()).collect::<Vec<_>>();
        Network {
            items: self.items.len(),
            zones: self.zones.len(),
            locations: self.locations.iter().map(location).collect(),
            lanes: self.locations.iter().flat_map(lanes).collect(),
        }
    }

    fn order(&self, o: &FileOrder) -> Result<Order, PlanningError> {
        let mut lines = Vec::with_capacity(o.lines.len());
        for l in &o.lines {
            let at = format!("order {}, line {}", o.id, l.sku);
            let named = |name: &Option<String>| name.as_ref().map(|n| self.location(n, &at)).transpose();
            let takes = l.takes.as_ref().map_or_else(
                || vec![(self.item(&l.sku), 1)],
                |t| t.iter().map(|(sku, pieces)| (self.item(sku), *pieces)).collect(),
            );
            let (only, except) = (named(&l.only)?, named(&l.except)?);
            let (quantity, grams, value, together) = (l.quantity, l.grams, l.value, l.together);
            lines.push(Line { quantity, takes, grams, value, together, only, except });
        }
        let zone = self.zones.binary_search(&&o.zone).unwrap_or(usize::MAX);
        let (day, promise, priority, tags) = (o.day, o.promise, o.priority, o.tags.clone());
        Ok(Order { zone, day, promise, priority, tags, lines })
    }
}

/// Sources the orders of a file. There is nothing to draw: `svg` is answered with an error.
pub fn run(input: &Path, svg: Option<&Path>, seconds: f64) -> Result<Value, PlanningError> {
    if let Some(svg) = svg {
        return Err(PlanningError::input(svg, "--svg", "sourcing has no drawing"));
    }
    let asked = read(input)?;
    let answer = match &asked.run {
        Some(run) => by_rules(&asked, run),
        None => together(&asked, seconds),
    };
    answer.map_err(|e| PlanningError::input(input, "locations", e.to_string()))
}

fn together(asked: &Asked, seconds: f64) -> Result<Value, SourcingError> {
    let begin = seconds_now();
    let stop = || seconds_now() - begin >= seconds;
    let plan = sourcing::plan(&asked.network, &asked.orders, &asked.policy, &Budget::until(&stop), 1)?;
    let notes = rules::reasons(&asked.network, &asked.orders, &asked.policy, &plan);
    let order = |o: usize| {
        let mut answer = shipped(asked, o, &plan.choices[o]);
        answer["refused"] = json!(plan.refused[o].map(|r| r.to_string()));
        answer["reasons"] = notes[o].iter().map(|n| n.sentence(&asked.network)).collect();
        answer
    };
    let orders: Vec<Value> = (0..asked.orders.len()).map(order).collect();
    let cents = |milli: i64| milli as f64 / MILLI as f64;
    Ok(json!({
        "orders": orders, "cost": cents(plan.cost), "least_possible": cents(plan.bound),
        "gap": plan.gap(), "proven": plan.proven(),
    }))
}

fn by_rules(asked: &Asked, run: &Run) -> Result<Value, SourcingError> {
    let mut left = Left::of(&asked.network);
    let sourced = rules::run(&asked.network, &mut left, &asked.orders, run)?;
    let order = |(o, s): (usize, &rules::Sourced)| {
        let mut answer = shipped(asked, o, &s.choice);
        let routing = s.routing.map(|r| &run.routing[r]);
        answer["refused"] = json!(s.refused.map(|r| r.to_string()));
        answer["routing"] = json!(routing.map(|r| r.name.as_str()));
        answer["rule"] = json!(s.rule.and_then(|i| routing.map(|r| r.inventory[i].name.as_str())));
        answer["action"] = json!(s.action);
        answer["reasons"] = s.notes.iter().map(|n| n.sentence(&asked.network)).collect();
        answer
    };
    let mut answer = json!({ "orders": sourced.iter().enumerate().map(order).collect::<Vec<_>>() });
    if let Some(other) = &asked.other_run {
        let replayed = |run: &Run| replay(&asked.network, &asked.orders, &asked.receipts, run);
        answer["backtest"] = json!({ "run": replayed(run)?, "other_run": replayed(other)? });
    }
    Ok(answer)
}

fn shipped(asked: &Asked, o: usize, choice: &Choice) -> Value {
    let ships: Vec<Value> = choice
        .ships
        .iter()
        .map(|s| {
            let location = &asked.network.locations[s.location].name;
            json!({ "sku": asked.skus[o][s.line], "location": location, "quantity": s.quantity })
        })
        .collect();
    let short: BTreeMap<&String, i64> =
        asked.skus[o].iter().zip(&choice.short).filter(|(_, n)| **n != 0).map(|(sku, n)| (sku, *n)).collect();
    json!({ "order": asked.ids[o], "ships": ships, "short": short })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "locations": [
            {"name": "berlin", "stock": {"MUG": 2}, "parcels": 1,
             "lanes": {"north": {"parcel": 400, "per_kg": 50, "days": 1, "distance_km": 10}}},
            {"name": "hamburg", "stock": {"MUG": 9, "LID": 9},
             "lanes": {"north": {"parcel": 600, "days": 2, "distance_km": 300}}}
        ],
        "orders": [
            {"id": "1", "zone": "north", "lines": [{"sku": "MUG", "quantity": 1, "grams": 1000, "value": 900}]},
            {"id": "2", "zone": "north", "lines": [{"sku": "SET", "takes": {"MUG": 2, "LID": 2}, "quantity": 1}]},
            {"id": "3", "zone": "south", "lines": [{"sku": "MUG", "quantity": 1}]}
        ],
        "run": {"routing": [{"name": "all", "inventory": [{"name": "nearest", "goal": {"in_order": ["nearest"]}}]}]},
        "other_run": {"routing": [{"name": "all", "inventory": [{"name": "cost"}]}]}
    }"#;

    #[test]
    fn a_file_is_sourced_by_rules_with_reasons_and_together_with_a_proof() {
        let path = std::env::temp_dir().join(format!("fulmar-sourcing-{}.json", std::process::id()));
        std::fs::write(&path, FILE).unwrap();
        let plan = run(&path, None, 0.5).unwrap();
        assert_eq!(plan["orders"][0]["ships"][0]["location"], "berlin");
        assert_eq!(
            plan["orders"][1]["ships"],
            json!([{ "sku": "SET", "location": "hamburg", "quantity": 1 }])
        );
        assert_eq!(plan["orders"][1]["reasons"][0], "berlin skipped: daily capacity reached");
        assert_eq!(plan["orders"][2]["refused"], "its zone does not exist");
        assert_eq!(plan["backtest"]["run"]["postage"], json!(1_050.0));
        let mut file: Value = serde_json::from_str(FILE).unwrap();
        file["run"] = Value::Null;
        std::fs::write(&path, file.to_string()).unwrap();
        let plan = run(&path, None, 0.5).unwrap();
        assert_eq!((&plan["proven"], &plan["cost"]), (&json!(true), &json!(1_050.0)));
        assert_eq!(
            plan["orders"][1]["reasons"],
            json!(["berlin skipped: daily capacity reached", "hamburg ships"])
        );
        assert!(run(&path, Some(Path::new("x.svg")), 0.5).unwrap_err().to_string().contains("no drawing"));
        file["orders"][0]["lines"][0]["only"] = json!("paris");
        std::fs::write(&path, file.to_string()).unwrap();
        let error = run(&path, None, 0.5).unwrap_err().to_string();
        assert!(error.contains("order 1, line MUG: there is no location “paris”"), "{error}");
        std::fs::remove_file(&path).unwrap();
    }
}
