//! Batches by property: complete, within limits, measured right, and no longer than the rules they are compared with.

use proptest::prelude::*;

use super::*;
use crate::demand::trees::Draw;

fn layout() -> Layout {
    Layout { aisles: 4, spacing: 2.0, blocks: vec![10.0, 8.0], one_way: Vec::new() }
}

fn job(picks: &[Vec<(usize, usize, f64)>], lines: i64) -> Job {
    let orders = picks.iter().map(|picks| {
        let picks =
            picks.iter().map(|(aisle, block, offset)| Spot { aisle: *aisle, block: *block, offset: *offset });
        Order { picks: picks.collect(), weight: 10, totes: 1 }
    });
    let (start, finish) = (Corner::default(), Corner { aisle: 1, cross: 0 });
    Job {
        layout: layout(),
        start,
        finish,
        orders: orders.collect(),
        caps: Caps { lines: Some(lines), ..Caps::default() },
    }
}

/// All partitions into batches: fewest metres.
fn brute_force(job: &Job) -> f64 {
    fn go(job: &Job, order: usize, batches: &mut Vec<Vec<usize>>, best: &mut f64) {
        if order == job.orders.len() {
            let mut router = Router::new(job.layout.clone(), job.start, job.finish).unwrap();
            let metres = |batch: &Vec<usize>| {
                let picks: Vec<Spot> = batch.iter().flat_map(|o| job.orders[*o].picks.clone()).collect();
                router.tour(&picks).unwrap().length
            };
            *best = best.min(batches.iter().map(metres).sum());
            return;
        }
        for at in 0..=batches.len() {
            if at == batches.len() {
                batches.push(Vec::new());
            }
            batches[at].push(order);
            let lines: usize = batches[at].iter().map(|o| job.orders[*o].picks.len()).sum();
            if lines as i64 <= job.caps.lines.unwrap() {
                go(job, order + 1, batches, best);
            }
            batches[at].pop();
            batches.retain(|b| !b.is_empty());
        }
    }
    let mut best = f64::INFINITY;
    go(job, 0, &mut Vec::new(), &mut best);
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn small_jobs_are_as_good_as_trying_everything(
        picks in proptest::collection::vec(proptest::collection::vec((0usize..4, 0usize..2, 0.0f64..8.0), 1..4), 1..6),
        lines in 3i64..8,
    ) {
        let job = job(&picks, lines);
        let plan = plan(&job, &Budget::steps(1_500), 3).unwrap();
        let mut seen: Vec<usize> = plan.batches.iter().flat_map(|b| b.orders.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..job.orders.len()).collect::<Vec<_>>());
        for batch in &plan.batches {
            let own: usize = batch.orders.iter().map(|o| job.orders[*o].picks.len()).sum();
            prop_assert!(own as i64 <= lines);
        }
        let best = brute_force(&job);
        prop_assert!((plan.length - best).abs() < 1e-6, "{plan}: {best:.1} m can be");
        prop_assert!(plan.length <= plan.first_come + 1e-9 && plan.length <= plan.savings + 1e-9, "{plan}");
    }
}

#[test]
fn larger_jobs_walk_less_than_savings() {
    let mut draw = Draw::new(5);
    let (mut ours, mut savings) = (0.0, 0.0);
    for blocks in [1, 2, 1, 2] {
        let mut below = |end: usize| (draw.unit() * end as f64) as usize;
        let picks: Vec<Vec<(usize, usize, f64)>> = (0..30)
            .map(|_| (0..2 + below(6)).map(|_| (below(10), below(blocks), below(80) as f64 / 10.0)).collect())
            .collect();
        let mut job = job(&picks, 20);
        job.layout.aisles = 10;
        job.layout.blocks.truncate(blocks);
        let plan = plan(&job, &Budget::steps(4_000), 3).unwrap();
        assert!(plan.length <= plan.first_come + 1e-9 && plan.length <= plan.savings + 1e-9, "{plan}");
        (ours, savings) = (ours + plan.length, savings + plan.savings);
    }
    assert!(ours < 0.98 * savings, "{ours} {savings}");
}

#[test]
fn what_cannot_be_picked_is_left_out_with_a_reason() {
    let mut job =
        job(&[vec![(0, 0, 1.0)], vec![], vec![(9, 0, 1.0)], vec![(0, 0, f64::NAN)], vec![(1, 1, 1.0); 4]], 3);
    job.orders[0].weight = 5;
    job.orders.push(Order { weight: -1, ..job.orders[0].clone() });
    let plan = plan(&job, &Budget::steps(10), 1).unwrap();
    let reasons: Vec<LeftOut> = plan.left_out.iter().map(|(_, reason)| reason.clone()).collect();
    assert_eq!(
        reasons,
        [
            LeftOut::Empty,
            LeftOut::Pick { pick: 0 },
            LeftOut::Pick { pick: 0 },
            LeftOut::TooLarge { measure: Measure::Lines, takes: 4, cap: 3 },
            LeftOut::BadMeasure { measure: Measure::Weight, value: -1 },
        ]
    );
    assert_eq!(plan.batches.len(), 1);
    job.layout.one_way = vec![crate::pick_tours::Way::Up; 4];
    let none = super::plan(&job, &Budget::steps(10), 1).unwrap();
    assert_eq!((none.batches.len(), &none.left_out[0].1), (0, &LeftOut::Unreachable));
    job.layout.aisles = 0;
    assert!(super::plan(&job, &Budget::steps(10), 1).is_err());
}
