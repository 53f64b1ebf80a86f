//! A person's orders in, risk out. See `docs/planner/risk.md` for both formats.
//!
//! CSV: `order,label,device_24h,email_24h,ip_24h,card_24h,countries_differ,disposable_email,minutes_since_sign_up,amount_ratio,address_reuse`.
//! Rows with a label (1 or `bad`: chargeback or reject; 0 or `good`) are learned from, rows without are assessed. JSON: the same as objects,
//! with rules. Invariant: a field that does not read is named with its line, and nothing is assessed then.

use crate::PlanningError;
use planner::risk::learn::{Labelled, NotLearned, learn};
use planner::risk::rules::{Extra, Rule, Rules};
use planner::risk::{Model, Signals, assess};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// An order of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Its name.
    pub order: String,
    /// How it ended, if it has.
    #[serde(default)]
    pub bad: Option<bool>,
    /// What was known of it.
    #[serde(default)]
    pub signals: Signals,
    /// What rules may ask for beside the signals.
    #[serde(default)]
    pub extra: BTreeMap<String, Extra>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default = "half")]
    hold_at: f64,
    orders: Vec<Order>,
}

fn half() -> f64 {
    0.5
}

/// Learns from what has a label, assesses what has none. There is nothing to draw.
pub fn run(input: &Path, svg: Option<&Path>, _seconds: f64) -> Result<Value, PlanningError> {
    if let Some(svg) = svg {
        return Err(PlanningError::input(svg, "--svg", "risk has no drawing"));
    }
    let wish = if input.extension().is_some_and(|e| e == "csv") {
        Input { rules: vec![], hold_at: half(), orders: read(input)? }
    } else {
        let text = std::fs::read_to_string(input).map_err(|e| PlanningError::file(input, e))?;
        serde_json::from_str(&text).map_err(|e| {
            PlanningError::input(input, format!("line {}, column {}", e.line(), e.column()), e.to_string())
        })?
    };
    if !(0.0..=1.0).contains(&wish.hold_at) {
        return Err(PlanningError::input(input, "hold_at", format!("{} is not 0 to 1", wish.hold_at)));
    }
    if let Some(bad) = wish.orders.iter().find(|o| !sound(o.signals.amount_ratio)) {
        let problem = format!("{:e} is not a number from 0 to 1e9", bad.signals.amount_ratio);
        return Err(PlanningError::input(input, format!("order {}, amount_ratio", bad.order), problem));
    }
    let labels: Vec<Labelled> =
        wish.orders.iter().filter_map(|o| Some(Labelled { signals: o.signals, bad: o.bad? })).collect();
    let learned: Result<Model, NotLearned> = learn(&labels);
    let note = learned.as_ref().err().map(ToString::to_string);
    let model = learned.unwrap_or_default();
    let Some(sample) = wish.orders.iter().find(|o| o.bad.is_none()).map(|o| &o.extra) else {
        return Ok(json!({ "learned_from": model.labels, "note": note, "orders": [] }));
    };
    let rules = Rules::compile(&wish.rules, sample)
        .map_err(|bad| PlanningError::input(input, "rules", bad.to_string()))?;
    let assessed = wish.orders.iter().filter(|o| o.bad.is_none()).map(|order| {
        let found = assess(&model, &order.signals);
        let verdict = rules.decide(&order.signals, &found, &order.extra, wish.hold_at);
        let reasons: Vec<String> =
            found.reasons.iter().map(|r| format!("{} (odds × {:.1})", r.text, r.factor)).collect();
        json!({
            "order": order.order, "probability": found.probability, "score": found.score, "reasons": reasons,
            "action": verdict.action, "rules": verdict.because,
        })
    });
    let assessed: Vec<Value> = assessed.collect();
    Ok(json!({ "learned_from": model.labels, "note": note, "orders": assessed }))
}

/// What an amount may be over the usual one.
fn sound(ratio: f64) -> bool {
    (0.0..=1e9).contains(&ratio)
}

/// Columns; any may be missing.
const KNOWN: [&str; 11] = [
    "order",
    "label",
    "device_24h",
    "email_24h",
    "ip_24h",
    "card_24h",
    "countries_differ",
    "disposable_email",
    "minutes_since_sign_up",
    "amount_ratio",
    "address_reuse",
];

/// Reads labelled and unlabelled orders from CSV.
pub fn read(file: &Path) -> Result<Vec<Order>, PlanningError> {
    let open = std::fs::File::open(file).map_err(|e| PlanningError::file(file, e))?;
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(std::io::BufReader::new(open));
    let fail = |e: csv::Error| PlanningError::input(file, "CSV", e.to_string());
    let headers = reader.headers().map_err(fail)?.clone();
    if let Some(strange) = headers.iter().find(|h| !KNOWN.contains(h)) {
        let problem = format!("no column is called “{strange}”; there are: {}", KNOWN.join(", "));
        return Err(PlanningError::input(file, "header", problem));
    }
    if headers.is_empty() {
        return Err(PlanningError::input(
            file,
            "header",
            format!("missing; columns are {}", KNOWN.join(", ")),
        ));
    }
    let mut orders = Vec::new();
    for record in reader.records() {
        let record = record.map_err(fail)?;
        orders.push(order(file, &headers, &record)?);
    }
    Ok(orders)
}

fn order(
    file: &Path,
    headers: &csv::StringRecord,
    record: &csv::StringRecord,
) -> Result<Order, PlanningError> {
    let line = record.position().map_or(0, csv::Position::line);
    let text = |name: &str| headers.iter().position(|h| h == name).and_then(|i| record.get(i)).unwrap_or("");
    let bad = |name: &str, wanted: &str| {
        let problem = format!("“{}” is not {wanted}", text(name));
        PlanningError::input(file, format!("line {line}, {name}"), problem)
    };
    let count = |name: &str| match text(name) {
        "" => Ok(0),
        text => text.parse::<u32>().map_err(|_| bad(name, "a whole number of 0 or more")),
    };
    let flag = |name: &str| match text(name) {
        "1" | "true" | "yes" | "bad" => Ok(Some(true)),
        "0" | "false" | "no" | "good" => Ok(Some(false)),
        "" => Ok(None),
        _ => Err(bad(name, "0 or 1")),
    };
    let ratio = match text("amount_ratio") {
        "" => 1.0,
        text => text
            .parse::<f64>()
            .ok()
            .filter(|x| sound(*x))
            .ok_or_else(|| bad("amount_ratio", "a number from 0 to 1e9"))?,
    };
    let sign_up = text("minutes_since_sign_up");
    let signals = Signals {
        device_24h: count("device_24h")?,
        email_24h: count("email_24h")?,
        ip_24h: count("ip_24h")?,
        card_24h: count("card_24h")?,
        countries_differ: count("countries_differ")?,
        disposable_email: flag("disposable_email")?.unwrap_or(false),
        minutes_since_sign_up: if sign_up.is_empty() { None } else { Some(count("minutes_since_sign_up")?) },
        amount_ratio: ratio,
        address_reuse: count("address_reuse")?,
    };
    Ok(Order { order: text("order").to_owned(), bad: flag("label")?, signals, extra: BTreeMap::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(kind: &str) -> String {
        let document = include_str!("../../../docs/planner/risk.md");
        let fence = format!("```{kind}");
        document
            .split(fence.as_str())
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .unwrap()
            .trim()
            .to_owned()
    }

    #[test]
    fn the_examples_of_the_document_are_assessed() {
        let place = std::env::temp_dir().join(format!("fulmar-risk-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let file = place.join("orders.json");
        std::fs::write(&file, example("json")).unwrap();
        let found = run(&file, None, 1.0).unwrap();
        let actions: Vec<&str> =
            found["orders"].as_array().unwrap().iter().map(|o| o["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["reject", "accept"], "{found}");
        for (change, named) in
            [("\"amount_ratio\": -9.0", "order 2001, amount_ratio"), ("\"amount_ratio\": 1e300", "1e300")]
        {
            std::fs::write(&file, example("json").replace("\"amount_ratio\": 9.0", change)).unwrap();
            assert!(run(&file, None, 1.0).unwrap_err().to_string().contains(named));
        }
        std::fs::write(&file, example("json").replace("0.3", "5")).unwrap();
        assert!(run(&file, None, 1.0).unwrap_err().to_string().contains("hold_at"));
        std::fs::write(
            &file,
            r#"{"rules": [{"name": "x", "when": "order.total > 5", "then": "hold"}], "orders": []}"#,
        )
        .unwrap();
        assert_eq!(
            run(&file, None, 1.0).unwrap()["orders"],
            json!([]),
            "no order, nothing a rule could fail on"
        );
        let file = place.join("orders.csv");
        std::fs::write(&file, example("csv")).unwrap();
        let found = run(&file, None, 1.0).unwrap();
        assert_eq!(found["orders"].as_array().unwrap().len(), 2);
        assert!(found["note"].as_str().unwrap().contains("experience decides"));
        std::fs::write(&file, "order,label,ip_24h\nA,,-3\n").unwrap();
        assert!(run(&file, None, 1.0).unwrap_err().to_string().contains("line 2, ip_24h"));
        std::fs::write(&file, "order,lable\nA,1\n").unwrap();
        assert!(run(&file, None, 1.0).unwrap_err().to_string().contains("lable"));
        std::fs::remove_dir_all(place).unwrap();
    }
}
