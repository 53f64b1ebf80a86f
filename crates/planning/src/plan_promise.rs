//! A person's shipments in, promises out. See `docs/planner/promise.md` for the format.
//!
//! CSV: `from,to,area,sender,carrier,km,ordered_at,delivered_at` (times `YYYY-MM-DD HH:MM`). Rows without `delivered_at` are under way; those
//! ordered after the last delivery are quoted. JSON: the same as objects, with calendar and quantiles, and what to quote by name.
//! Invariant: a field that does not read is named with its line; a shipment that cannot be learned from is listed with its reason.

use crate::{PlanningError, dates};
use planner::promise::{Calendar, Options, Past, Trip, learn};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    calendar: Work,
    #[serde(default = "quantiles")]
    quantiles: Vec<f64>,
    #[serde(default)]
    options: Options,
    /// Now; without, the last delivery.
    #[serde(default)]
    as_of: Option<String>,
    past: Vec<Shipment>,
    quote: Vec<Shipment>,
}

/// The calendar as people write it.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Work {
    /// Monday first.
    workdays: Option<[bool; 7]>,
    holidays: Vec<String>,
    /// `HH:MM`.
    cut_off: Option<String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default, deny_unknown_fields)]
struct Shipment {
    from: String,
    to: String,
    area: String,
    sender: String,
    carrier: String,
    km: Option<f64>,
    ordered_at: String,
    delivered_at: Option<String>,
}

fn quantiles() -> Vec<f64> {
    vec![0.5, 0.8, 0.9, 0.95]
}

/// Learns and quotes. There is nothing to draw.
pub fn run(input: &Path, svg: Option<&Path>, _seconds: f64) -> Result<Value, PlanningError> {
    if let Some(svg) = svg {
        return Err(PlanningError::input(svg, "--svg", "a promise has no drawing"));
    }
    let csv = input.extension().is_some_and(|e| e == "csv");
    let mut wish = if csv { read_csv(input)? } else { read_json(input)? };
    let bad = |place: String, problem: String| PlanningError::input(input, place, problem);
    if let Some(q) = wish.quantiles.iter().find(|q| !(**q > 0.0 && **q < 1.0)) {
        return Err(bad("quantiles".into(), format!("{q} is not between 0 and 1")));
    }
    let past = all(input, "past", &wish.past)?;
    let last = past.iter().filter_map(|p| p.delivered_at).max();
    let as_of = match &wish.as_of {
        Some(text) => {
            dates::minute(text).ok_or_else(|| bad("as_of".into(), format!("“{text}” is not a time")))?
        }
        None => last.map_or(0, |l| l + 1),
    };
    if csv {
        let under_way = wish.past.iter().zip(&past).filter(|(_, p)| p.trip.ordered_at >= as_of);
        wish.quote = under_way.map(|(s, _)| s.clone()).collect();
    }
    let calendar = calendar(input, &wish.calendar)?;
    let promises =
        learn(&past, as_of, &calendar, wish.options).map_err(|e| bad("past".into(), e.to_string()))?;
    let mut quotes = Vec::new();
    for one in all(input, "quote", &wish.quote)? {
        quotes.push(match promises.quote(&one.trip, &wish.quantiles) {
            Err(problem) => json!({ "problem": problem.to_string() }),
            Ok(quote) => {
                let days = wish.quantiles.iter().zip(&quote.days);
                let days: Vec<Value> =
                    days.map(|(q, d)| json!({ "quantile": q, "by": dates::date(*d) })).collect();
                let why: Vec<String> = quote.parts.iter().map(ToString::to_string).collect();
                json!({
                    "to": one.trip.to, "ordered_at": dates::date_time(one.trip.ordered_at),
                    "expected_at": dates::date_time(quote.expected_at), "promises": days, "why": why,
                })
            }
        });
    }
    let left_out: Vec<Value> =
        promises.left_out.iter().map(|(i, why)| json!({ "row": i, "problem": why.to_string() })).collect();
    Ok(json!({ "as_of": dates::date_time(as_of), "quotes": quotes, "left_out": left_out }))
}

fn read_json(file: &Path) -> Result<Input, PlanningError> {
    let text = std::fs::read_to_string(file).map_err(|e| PlanningError::file(file, e))?;
    serde_json::from_str(&text).map_err(|e| {
        PlanningError::input(file, format!("line {}, column {}", e.line(), e.column()), e.to_string())
    })
}

fn read_csv(file: &Path) -> Result<Input, PlanningError> {
    let open = std::fs::File::open(file).map_err(|e| PlanningError::file(file, e))?;
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(std::io::BufReader::new(open));
    let mut past = Vec::new();
    for (number, row) in reader.deserialize::<Shipment>().enumerate() {
        past.push(
            row.map_err(|e| PlanningError::input(file, format!("line {}", number + 2), e.to_string()))?,
        );
    }
    let (calendar, options) = (Work::default(), Options::default());
    Ok(Input { calendar, quantiles: quantiles(), options, as_of: None, past, quote: vec![] })
}

fn all(file: &Path, list: &str, shipments: &[Shipment]) -> Result<Vec<Past>, PlanningError> {
    let read = |(number, one): (usize, &Shipment)| {
        let time = |field: &str, text: &str| {
            let problem = format!("“{text}” is not YYYY-MM-DD HH:MM");
            let place = format!("{list}, row {}, {field}", number + 1);
            dates::minute(text).ok_or_else(|| PlanningError::input(file, place, problem))
        };
        let delivered_at = match one.delivered_at.as_deref() {
            None | Some("") => None,
            Some(text) => Some(time("delivered_at", text)?),
        };
        let trip = Trip {
            from: one.from.clone(),
            to: one.to.clone(),
            area: one.area.clone(),
            sender: one.sender.clone(),
            carrier: one.carrier.clone(),
            km: one.km,
            ordered_at: time("ordered_at", &one.ordered_at)?,
        };
        Ok(Past { trip, delivered_at })
    };
    shipments.iter().enumerate().map(read).collect()
}

fn calendar(file: &Path, work: &Work) -> Result<Calendar, PlanningError> {
    let mut calendar = Calendar::default();
    calendar.workdays = work.workdays.unwrap_or(calendar.workdays);
    for text in &work.holidays {
        let bad = || PlanningError::input(file, "calendar, holidays", format!("“{text}” is not YYYY-MM-DD"));
        calendar.holidays.insert(dates::day(text).ok_or_else(bad)?);
    }
    if let Some(text) = &work.cut_off {
        let bad = || PlanningError::input(file, "calendar, cut_off", format!("“{text}” is not HH:MM"));
        calendar.cut_off = dates::minute(&format!("1970-01-01 {text}")).ok_or_else(bad)?;
    }
    Ok(calendar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(kind: &str) -> String {
        let document = include_str!("../../../docs/planner/promise.md");
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
    fn the_examples_of_the_document_are_quoted() {
        let place = std::env::temp_dir().join(format!("fulmar-promise-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let file = place.join("lanes.json");
        std::fs::write(&file, example("json")).unwrap();
        let found = run(&file, None, 1.0).unwrap();
        let by = |i: usize| found["quotes"][0]["promises"][i]["by"].as_str().unwrap().to_owned();
        assert!(by(0) <= by(1) && by(0).as_str() > "2026-03-06", "{found}");
        assert_eq!(found["left_out"].as_array().unwrap().len(), 1);
        let file = place.join("lanes.csv");
        std::fs::write(&file, example("csv")).unwrap();
        assert_eq!(run(&file, None, 1.0).unwrap()["quotes"].as_array().unwrap().len(), 1);
        std::fs::write(&file, "from,to,ordered_at\nA,B,yesterday\n").unwrap();
        assert!(run(&file, None, 1.0).unwrap_err().to_string().contains("row 1, ordered_at"));
        std::fs::remove_dir_all(place).unwrap();
    }
}
