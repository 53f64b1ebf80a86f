//! Figures of batching on seeded random warehouses (after Henn and Wäscher 2012: orders of 5 to 25 lines, tours of 30 to 75 lines).
//! ours = metres of all tours; reference = metres after savings, Clarke and Wright's with lengths measured anew, on exact tours.
//!
//! JSON files as `plan_batching` reads them, in `--data` or in a `batching` folder in it, are measured instead.

use std::path::Path;

use planner::Budget;
use planner::batching::{BatchPlan, Job, Order, plan};
use planner::pick_tours::{Corner, Layout, Router, Spot};
use planner::waves::Caps;

use crate::bench_pick_tours::spot;
use crate::{PlanningError, Row, files, plan_batching, seconds_now};

const DECISION: &str = "batching";

/// One row for each warehouse or file, and the mean of the random ones. `seconds` is for one instance.
pub fn rows(data: Option<&Path>, seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let files = files::given(data, DECISION, ".json")?;
    if !files.is_empty() {
        for file in files {
            out(measure(files::name(&file), &plan_batching::read(&file)?, seconds)?);
        }
        return Ok(());
    }
    let (mut ratios, mut took, mut feasible, mut count) = (0.0, 0.0, true, 0.0);
    for (number, (orders, lines)) in
        [40, 60, 80, 100].into_iter().flat_map(|o| [30, 45, 60, 75].map(|l| (o, l))).enumerate()
    {
        let row = measure(
            format!("{orders} orders, {lines} lines a tour"),
            &random(orders, lines, number as u64),
            seconds,
        )?;
        ratios += row.ratio;
        took += row.seconds;
        feasible &= row.feasible;
        count += 1.0;
        out(row);
    }
    out(Row::new(DECISION, "mean ratio to savings", ratios / count, 1.0, took / count, feasible));
    Ok(())
}

fn random(orders: usize, lines: i64, seed: u64) -> Job {
    let mut rng = fastrand::Rng::with_seed(seed);
    let blocks = vec![22.5; 1 + seed as usize % 2];
    let layout = Layout { aisles: 10, spacing: 5.0, blocks: blocks.clone(), one_way: Vec::new() };
    let mut order = || {
        let picks = (0..rng.usize(5..=25)).map(|_| spot(&blocks, 10, &mut rng)).collect();
        Order { picks, weight: 0, totes: 0 }
    };
    let orders = (0..orders).map(|_| order()).collect();
    let caps = Caps { lines: Some(lines), ..Caps::default() };
    Job { layout, start: Corner::default(), finish: Corner::default(), orders, caps }
}

fn measure(name: String, job: &Job, seconds: f64) -> Result<Row, PlanningError> {
    let begin = seconds_now();
    let stop = || seconds_now() - begin >= seconds;
    let best = plan(job, &Budget::until(&stop), 1)
        .map_err(|e| PlanningError::input(Path::new(&name), "layout", e.to_string()))?;
    let took = seconds_now() - begin;
    let fine = feasible(job, &best);
    Ok(Row::new(DECISION, name, best.length, best.savings, took, fine))
}

/// Every order in one batch or left out, limits kept, tours as long as they say, no longer than first come, first served.
fn feasible(job: &Job, plan: &BatchPlan) -> bool {
    let batched = plan.batches.iter().flat_map(|b| b.orders.iter().copied());
    let mut seen: Vec<usize> = batched.chain(plan.left_out.iter().map(|(order, _)| *order)).collect();
    seen.sort_unstable();
    let Ok(mut router) = Router::new(job.layout.clone(), job.start, job.finish) else { return false };
    let kept = plan.batches.iter().all(|batch| {
        let orders = || batch.orders.iter().map(|o| &job.orders[*o]);
        let under = |value: i64, cap: Option<i64>| cap.is_none_or(|cap| value <= cap);
        let picks: Vec<Spot> = orders().flat_map(|o| o.picks.iter().copied()).collect();
        under(batch.orders.len() as i64, job.caps.orders)
            && under(picks.len() as i64, job.caps.lines)
            && under(orders().map(|o| o.weight).sum(), job.caps.weight)
            && under(orders().map(|o| o.totes).sum(), job.caps.totes)
            && router.tour(&picks).is_ok_and(|tour| (tour.length - batch.length).abs() < 1e-6)
    });
    kept && seen.into_iter().eq(0..job.orders.len()) && plan.length <= plan.first_come + 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_warehouse_is_measured_and_the_check_sees_a_lost_order() {
        let job = random(8, 45, 3);
        let row = measure("small".to_owned(), &job, 0.1).unwrap();
        assert!(row.feasible && row.ratio <= 1.0 + 1e-9, "{row:?}");
        let mut lost = plan(&job, &Budget::steps(10), 1).unwrap();
        lost.batches[0].orders.pop();
        assert!(!feasible(&job, &lost));
    }
}
