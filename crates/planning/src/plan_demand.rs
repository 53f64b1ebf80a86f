//! A person's sales in, forecast, order and classes out. See `docs/planner/demand.md` for both formats.
//!
//! CSV: `sku,location,date,units` with one line per sale (or per day): weeks that end with the last date are forecast. JSON: histories by
//! period, with how each item is bought. Invariant: an item that cannot be planned has its reason in the answer, beside the others' plans.

use crate::{PlanningError, dates};
use planner::demand::aim::Aim;
use planner::demand::classes::{Counting, MOST_DAYS, classes, counts};
use planner::demand::stock::{Supply, plan};
use planner::demand::{Options, Series, forecast};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    options: Options,
    /// Minor units for all orders together.
    #[serde(default)]
    budget: Option<i64>,
    /// Whose service the items' levels mean.
    #[serde(default)]
    aim: Aim,
    #[serde(default)]
    counting: Counting,
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    sku: String,
    #[serde(default)]
    location: String,
    history: Series,
    /// Minor units, for classes; without, the supplier's.
    #[serde(default)]
    price: Option<i64>,
    #[serde(default)]
    supply: Option<Supply>,
    /// Working days since the last count.
    #[serde(default)]
    counted: Option<u32>,
}

/// Plans. There is nothing to draw.
pub fn run(input: &Path, svg: Option<&Path>, _seconds: f64) -> Result<Value, PlanningError> {
    if let Some(svg) = svg {
        return Err(PlanningError::input(svg, "--svg", "demand has no drawing"));
    }
    let wish = if input.extension().is_some_and(|e| e == "csv") {
        sales(input)?
    } else {
        let text = std::fs::read_to_string(input).map_err(|e| PlanningError::file(input, e))?;
        serde_json::from_str(&text).map_err(|e| {
            PlanningError::input(input, format!("line {}, column {}", e.line(), e.column()), e.to_string())
        })?
    };
    if let Some(budget) = wish.budget.filter(|b| *b < 0) {
        return Err(PlanningError::input(input, "budget", format!("{budget} is less than nothing")));
    }
    if wish.counting.days > MOST_DAYS {
        let problem = format!("{}: {MOST_DAYS} working days are planned at most", wish.counting.days);
        return Err(PlanningError::input(input, "counting, days", problem));
    }
    let panel: Vec<Series> = wish.items.iter().map(|i| i.history.clone()).collect();
    let forecasts = forecast(&panel, wish.options);
    let bought: Vec<(Series, Supply)> =
        wish.items.iter().filter_map(|i| Some((i.history.clone(), i.supply.clone()?))).collect();
    let mut orders = plan(&bought, wish.budget, wish.aim, wish.options).into_iter();
    let price = |i: &Item| i.price.or(i.supply.as_ref().map(|s| s.unit_cost)).unwrap_or(1);
    let valued: Vec<(Vec<f64>, i64)> =
        wish.items.iter().map(|i| (i.history.units.clone(), price(i))).collect();
    let class = classes(&valued);
    let counted: Vec<_> = wish.items.iter().zip(&class).map(|(i, c)| (c.0, i.counted)).collect();
    let counts = counts(&counted, wish.counting);
    let mut answers = Vec::with_capacity(wish.items.len());
    for (number, (item, forecast)) in wish.items.iter().zip(forecasts).enumerate() {
        let mut answer = json!({
            "sku": item.sku, "location": item.location, "class": format!("{:?}{:?}", class[number].0, class[number].1),
            "count": counts[number],
        });
        match forecast {
            Ok(f) => {
                answer["pattern"] = json!(f.pattern.to_string());
                answer["forecast"] = json!(f.periods);
                answer["seasonal"] = json!(f.seasonal);
            }
            Err(unfit) => answer["problem"] = json!(unfit.to_string()),
        }
        match item.supply.as_ref().and_then(|_| orders.next()) {
            Some(Ok(order)) => {
                let because: Vec<String> = order.because.iter().map(ToString::to_string).collect();
                answer["order"] = json!(order);
                answer["order"]["because"] = json!(because);
            }
            Some(Err(unfit)) => answer["problem"] = json!(unfit.to_string()),
            None => {}
        }
        answers.push(answer);
    }
    Ok(json!({ "items": answers }))
}

/// Longest history: forty years.
const MOST_WEEKS: usize = 2_080;

fn sales(file: &Path) -> Result<Input, PlanningError> {
    #[derive(Deserialize)]
    struct Sale {
        sku: String,
        #[serde(default)]
        location: String,
        date: String,
        units: f64,
    }
    let open = std::fs::File::open(file).map_err(|e| PlanningError::file(file, e))?;
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(std::io::BufReader::new(open));
    let mut lines = Vec::new();
    for (number, sale) in reader.deserialize::<Sale>().enumerate() {
        let place = || format!("line {}", number + 2);
        let sale = sale.map_err(|e| PlanningError::input(file, place(), e.to_string()))?;
        let day = dates::day(&sale.date).ok_or_else(|| {
            PlanningError::input(file, place(), format!("“{}” is not YYYY-MM-DD", sale.date))
        })?;
        if !(sale.units.is_finite() && sale.units >= 0.0) {
            return Err(PlanningError::input(file, place(), "units are 0 or more; returns are not demand"));
        }
        lines.push((sale, day));
    }
    let (Some(first), Some(last)) = (lines.iter().map(|l| l.1).min(), lines.iter().map(|l| l.1).max()) else {
        return Err(PlanningError::input(file, "CSV", "no sales"));
    };
    let weeks = ((last - first + 1) / 7).max(1) as usize;
    if weeks > MOST_WEEKS {
        let problem = format!("{weeks} weeks from first to last sale: {MOST_WEEKS} at most");
        return Err(PlanningError::input(file, "date", problem));
    }
    let begin = last + 1 - 7 * weeks as i64;
    let mut items: BTreeMap<(String, String), Series> = BTreeMap::new();
    for (sale, day) in lines {
        // Days before the first whole week are left out.
        let Ok(week) = usize::try_from((day - begin).div_euclid(7)) else { continue };
        let blank = || Series { group: 0, units: vec![0.0; weeks], orders: vec![0.0; weeks] };
        let series = items.entry((sale.sku, sale.location)).or_insert_with(blank);
        series.units[week] += sale.units;
        series.orders[week] += 1.0;
    }
    let item = |((sku, location), mut history): ((String, String), Series)| {
        // On sale since the first sale.
        let first = history.units.iter().position(|u| *u > 0.0).unwrap_or(weeks - 1);
        history.units.drain(..first);
        history.orders.drain(..first);
        Item { sku, location, history, price: None, supply: None, counted: None }
    };
    let items = items.into_iter().map(item).collect();
    Ok(Input {
        options: Options::default(),
        budget: None,
        aim: Aim::default(),
        counting: Counting::default(),
        items,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(kind: &str) -> String {
        let document = include_str!("../../../docs/planner/demand.md");
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
    fn the_examples_of_the_document_are_planned() {
        let place = std::env::temp_dir().join(format!("fulmar-demand-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let file = place.join("items.json");
        std::fs::write(&file, example("json")).unwrap();
        let found = run(&file, None, 1.0).unwrap();
        assert_eq!(found["items"][0]["order"]["quantity"].as_i64().unwrap() % 6, 0);
        assert_eq!(found["items"][0]["class"].as_str().unwrap().len(), 2);
        assert!(found["items"][1]["problem"].as_str().unwrap().contains("period 1 has -2"));
        std::fs::write(&file, example("json").replace("\"days\": 20", "\"days\": 4000000000")).unwrap();
        assert!(run(&file, None, 1.0).unwrap_err().to_string().contains("3660 working days"));
        let file = place.join("sales.csv");
        std::fs::write(&file, example("csv")).unwrap();
        let found = run(&file, None, 1.0).unwrap();
        assert_eq!(found["items"].as_array().unwrap().len(), 2);
        assert_eq!(found["items"][0]["forecast"].as_array().unwrap().len(), 4);
        std::fs::write(&file, "sku,date,units\nA,2026-02-30,1\n").unwrap();
        assert!(run(&file, None, 1.0).unwrap_err().to_string().contains("line 2"));
        std::fs::write(&file, "sku,date,units\nA,0001-01-01,1\nA,9999-12-31,1\n").unwrap();
        assert!(run(&file, None, 1.0).unwrap_err().to_string().contains("2080 at most"));
        std::fs::remove_dir_all(place).unwrap();
    }
}
