//! Figures of sourcing: seeded random cases, always the same. ours = cost of our plan, reference = a proven lower bound on the cost of
//! every plan (so a ratio of 1 is a proven optimum), both in cents; feasible by the independent check. The case with 10,000 orders is
//! planned within a second whatever `seconds` says.
//!
//! JSON files as `plan_sourcing` reads them, in `--data` or in a `sourcing` folder in it, are measured instead.

use crate::{PlanningError, Row, files, plan_sourcing, seconds_now};
use planner::Budget;
use planner::sourcing::{
    self, BatchPlan, Lane, Line, Location, MILLI, Network, Order, Policy, SourcingError,
};
use std::path::Path;

/// Orders, locations, and how much of the demand is in stock, in percent.
const CASES: &[(usize, usize, i64)] =
    &[(5, 3, 90), (10, 4, 110), (20, 6, 130), (30, 8, 100), (30, 8, 130), (30, 8, 160), (30, 8, 250)];
/// Random cases of each kind.
const EACH: u64 = 3;
/// Seconds for the large case, and what is left of them for checking the time.
const LARGE_SECONDS: f64 = 0.75;

/// One row for each case.
pub fn rows(data: Option<&Path>, seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let files = files::given(data, "sourcing", ".json")?;
    if !files.is_empty() {
        for file in files {
            let asked = plan_sourcing::read(&file)?;
            out(row(files::name(&file), &asked.network, &asked.orders, &asked.policy, seconds)?);
        }
        return Ok(());
    }
    let policy = Policy::default();
    for (orders, locations, percent) in CASES {
        for seed in 1..=EACH {
            let (network, list) = case(*orders, *locations, *percent, seed);
            let name = format!("{orders} orders × {locations} locations, stock {percent} %, seed {seed}");
            out(row(name, &network, &list, &policy, seconds)?);
        }
    }
    let (network, list) = case(10_000, 20, 130, 1);
    let name = "10000 orders × 20 locations".to_owned();
    out(row(name, &network, &list, &policy, LARGE_SECONDS.min(seconds))?);
    Ok(())
}

fn row(
    name: String,
    network: &Network,
    orders: &[Order],
    policy: &Policy,
    seconds: f64,
) -> Result<Row, PlanningError> {
    let begin = seconds_now();
    let stop = || seconds_now() - begin >= seconds;
    let plan =
        sourcing::plan(network, orders, policy, &Budget::until(&stop), 1).map_err(|e: SourcingError| {
            PlanningError::input(Path::new("generated"), name.clone(), e.to_string())
        })?;
    let took = seconds_now() - begin;
    let feasible = sound(network, orders, policy, &plan);
    let cents = |milli: i64| milli as f64 / MILLI as f64;
    Ok(Row::new("sourcing", name, cents(plan.cost), cents(plan.bound), took, feasible))
}

/// Whether the independent check finds nothing, the costs add up, and the bound is one.
fn sound(network: &Network, orders: &[Order], policy: &Policy, plan: &BatchPlan) -> bool {
    let looked_at = |o: usize| plan.refused[o].is_none().then(|| &plan.choices[o]);
    let choices: Vec<_> = (0..orders.len()).map(looked_at).collect();
    let costs = orders.iter().zip(&choices).filter_map(|(o, c)| c.map(|c| (o, c)));
    let cost: i64 = costs.map(|(o, c)| sourcing::cost(network, o, policy, c)).sum();
    sourcing::check(network, orders, policy, &choices).is_empty() && cost == plan.cost && plan.bound <= cost
}

/// A random network with orders that compete for its stock.
pub fn case(orders: usize, locations: usize, percent: i64, seed: u64) -> (Network, Vec<Order>) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut roll = move |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % end.max(1) as u64) as usize
    };
    let items = (orders / 3).clamp(4, 500);
    let zones = 6;
    let mut wanted = vec![0i64; items];
    let mut list = Vec::with_capacity(orders);
    for _ in 0..orders {
        let mut lines = Vec::new();
        for at in 0..1 + roll(3) {
            let item = roll(items);
            let mut takes = vec![(item, 1)];
            if roll(8) == 0 && items > 1 {
                takes.push(((item + 1) % items, 1 + roll(2) as i64));
            }
            let quantity = 1 + roll(3) as i64;
            takes.iter().for_each(|(i, pieces)| wanted[*i] += pieces * quantity);
            let (grams, value) = (100 + roll(3_000) as i64, 500 + roll(9_000) as i64);
            let together = (at < 2 && roll(10) == 0).then_some(1);
            lines.push(Line { quantity, takes, grams, value, together, ..Line::default() });
        }
        let promise = Some(1 + roll(4) as i64);
        list.push(Order { zone: roll(zones), promise, priority: roll(2) as i64, lines, ..Order::default() });
    }
    let mut lanes = Vec::new();
    let mut places = Vec::new();
    let mut stock = vec![vec![0i64; items]; locations];
    for (item, wanted) in wanted.iter().enumerate() {
        // Nobody stocks everything: an item is at about half of the locations, in unequal lots.
        let mut holders: Vec<usize> = (0..locations).filter(|_| roll(2) == 0).collect();
        holders.push(roll(locations));
        for _ in 0..(wanted * percent + 99) / 100 {
            let at = roll(holders.len()).min(roll(holders.len()));
            stock[holders[at]][item] += 1;
        }
    }
    for (at, stock) in stock.into_iter().enumerate() {
        let safety = stock.iter().map(|s| i64::from(*s > 4)).collect();
        places.push(Location {
            name: format!("location {at}"),
            priority: roll(3) as i64,
            stock,
            safety,
            parcels: (roll(3) > 0).then(|| (orders * 3 / 2 / locations).max(1) as i64),
            units: (roll(4) == 0).then(|| (orders * 5 / locations).max(2) as i64),
            ..Location::default()
        });
        for _ in 0..zones {
            let km = 20.0 + roll(900) as f64;
            let lane = Lane {
                distance_km: Some(km),
                parcel: 350 + (km * 0.6) as i64 + roll(60) as i64,
                per_kg: 20 + roll(80) as i64,
                days: 1 + (km / 350.0) as i64,
            };
            lanes.push((roll(15) > 0).then_some(lane));
        }
    }
    (Network { items, zones, locations: places, lanes }, list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_the_same_each_time_and_its_row_is_sound() {
        assert_eq!(case(5, 3, 90, 1), case(5, 3, 90, 1));
        assert_ne!(case(5, 3, 90, 1), case(5, 3, 90, 2));
        let (network, orders) = case(5, 3, 90, 1);
        let row = row("small".to_owned(), &network, &orders, &Policy::default(), 0.5).unwrap();
        assert!(row.feasible && row.ratio >= 1.0 && row.ours > 0.0, "{row:?}");
    }
}
