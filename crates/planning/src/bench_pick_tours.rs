//! Figures of pick tours on seeded random warehouses. ours = metres; reference = the exact solver's metres where picks are few (Held and
//! Karp over shortest ways), and the better of S-shape and largest gap for 100 picks.
//!
//! JSON files as `plan_pick_tours` reads them, in `--data` or in a `pick_tours` folder in it, are measured against the two rules
//! instead; where aisles are one-way, which the rules do not know, against the shortest tour there would be if they were not.

use std::path::Path;

use planner::pick_tours::{Corner, Layout, NoTour, Router, Spot, Tour, metres};

use crate::{PlanningError, Row, files, plan_pick_tours, seconds_now};

const DECISION: &str = "pick_tours";
/// Warehouses of each kind.
const EACH: u64 = 20;

/// One row for each kind of warehouse (sums over its cases), or for each file. Seconds are those of one tour; there is no search.
pub fn rows(data: Option<&Path>, _seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let files = files::given(data, DECISION, ".json")?;
    if !files.is_empty() {
        for file in files {
            let job = plan_pick_tours::read(&file)?;
            let wrong = |e: NoTour| PlanningError::input(&file, "job", e.to_string());
            let mut router = Router::new(job.layout.clone(), job.start, job.finish).map_err(wrong)?;
            let begin = seconds_now();
            let tour = router.tour(&job.picks).map_err(wrong)?;
            let took = seconds_now() - begin;
            let rules = tour.s_shape.into_iter().chain(tour.largest_gap).reduce(f64::min);
            let reference = match rules {
                Some(metres) => metres,
                None => both_ways(&job).map_err(wrong)?,
            };
            let fine = feasible(&job.layout, job.start, job.finish, &job.picks, &tour);
            out(Row::new(DECISION, files::name(&file), tour.length, reference, took, fine));
        }
        return Ok(());
    }
    for (blocks, picks) in [(1, 8), (1, 12), (2, 8), (2, 12), (3, 12), (4, 12)] {
        out(against_exact(blocks, picks)?);
    }
    for blocks in 1..=4 {
        out(against_rules(blocks, 100)?);
    }
    Ok(())
}

/// Metres of the shortest tour if no aisle were one-way.
fn both_ways(job: &plan_pick_tours::Job) -> Result<f64, NoTour> {
    let layout = Layout { one_way: Vec::new(), ..job.layout.clone() };
    Ok(Router::new(layout, job.start, job.finish)?.tour(&job.picks)?.length)
}

/// A warehouse with picks at random.
pub struct Case {
    /// The warehouse.
    pub layout: Layout,
    /// Start.
    pub start: Corner,
    /// Finish.
    pub finish: Corner,
    /// Picks.
    pub picks: Vec<Spot>,
}

/// Seeded: 10 to 20 aisles, blocks of 10 to 30 metres, start and finish at the front.
pub fn case(blocks: usize, picks: usize, seed: u64) -> Case {
    let mut rng = fastrand::Rng::with_seed(seed);
    let aisles = rng.usize(10..=20);
    let blocks: Vec<f64> = (0..blocks).map(|_| f64::from(rng.u32(10..=30))).collect();
    let mut front = || Corner { aisle: rng.usize(0..aisles), cross: 0 };
    let start = front();
    let finish = if seed.is_multiple_of(2) { start } else { front() };
    let picks = (0..picks).map(|_| spot(&blocks, aisles, &mut rng)).collect();
    Case { layout: Layout { aisles, spacing: 3.0, blocks, one_way: Vec::new() }, start, finish, picks }
}

/// A place at random, on a half-metre.
pub fn spot(blocks: &[f64], aisles: usize, rng: &mut fastrand::Rng) -> Spot {
    let block = rng.usize(0..blocks.len());
    let places = (blocks[block] * 2.0) as u32;
    Spot { aisle: rng.usize(0..aisles), block, offset: f64::from(rng.u32(0..places)) / 2.0 + 0.25 }
}

fn solve(case: &Case) -> Result<(Tour, f64), PlanningError> {
    let wrong =
        |e: planner::pick_tours::NoTour| PlanningError::input(Path::new("random case"), "", e.to_string());
    let begin = seconds_now();
    let mut router = Router::new(case.layout.clone(), case.start, case.finish).map_err(wrong)?;
    let tour = router.tour(&case.picks).map_err(wrong)?;
    Ok((tour, seconds_now() - begin))
}

fn against_exact(blocks: usize, picks: usize) -> Result<Row, PlanningError> {
    let name = format!("{blocks} block(s), {picks} picks, exact");
    let mut sum = Row::new(DECISION, name, 0.0, 0.0, 0.0, true);
    for seed in 0..EACH {
        let case = case(blocks, picks, seed);
        let (tour, took) = solve(&case)?;
        sum.ours += tour.length;
        sum.reference += held_karp(&case);
        sum.seconds += took / EACH as f64;
        sum.feasible &= feasible(&case.layout, case.start, case.finish, &case.picks, &tour);
    }
    sum.ratio = sum.ours / sum.reference;
    Ok(sum)
}

fn against_rules(blocks: usize, picks: usize) -> Result<Row, PlanningError> {
    let name = format!("{blocks} block(s), {picks} picks, rules");
    let mut sum = Row::new(DECISION, name, 0.0, 0.0, 0.0, true);
    for seed in 0..EACH {
        let case = case(blocks, picks, seed);
        let (tour, took) = solve(&case)?;
        sum.ours += tour.length;
        sum.reference += tour.s_shape.into_iter().chain(tour.largest_gap).fold(f64::INFINITY, f64::min);
        sum.seconds += took / EACH as f64;
        sum.feasible &= feasible(&case.layout, case.start, case.finish, &case.picks, &tour);
    }
    sum.ratio = sum.ours / sum.reference;
    Ok(sum)
}

/// Shortest walk past all picks in any order (Held and Karp 1962).
fn held_karp(case: &Case) -> f64 {
    let layout = &case.layout;
    let picks: Vec<(usize, f64)> =
        case.picks.iter().map(|p| (p.aisle, layout.front(p.block) + p.offset)).collect();
    let ends = [case.start, case.finish].map(|c| (c.aisle, layout.front(c.cross)));
    let n = picks.len();
    let between: Vec<Vec<f64>> =
        picks.iter().map(|a| picks.iter().map(|b| metres(layout, *a, *b)).collect()).collect();
    let mut best = vec![f64::INFINITY; n << n];
    for (pick, place) in picks.iter().enumerate() {
        best[(1 << pick) * n + pick] = metres(layout, ends[0], *place);
    }
    for seen in 1usize..1 << n {
        for last in (0..n).filter(|p| seen >> p & 1 == 1) {
            for next in (0..n).filter(|p| seen >> p & 1 == 0) {
                let length = best[seen * n + last] + between[last][next];
                let entry = &mut best[(seen | 1 << next) * n + next];
                *entry = entry.min(length);
            }
        }
    }
    let all = ((1 << n) - 1) * n;
    (0..n).map(|last| best[all + last] + metres(layout, picks[last], ends[1])).fold(f64::INFINITY, f64::min)
}

/// Whether the walk is one, passes every pick and is as long as it says.
fn feasible(layout: &Layout, start: Corner, finish: Corner, picks: &[Spot], tour: &Tour) -> bool {
    let place = |c: Corner| (c.aisle, layout.front(c.cross));
    let ends = tour.path.first() == Some(&place(start)) && tour.path.last() == Some(&place(finish));
    let passed = picks.iter().all(|p| {
        let y = layout.front(p.block) + p.offset;
        tour.path.iter().any(|(aisle, at)| *aisle == p.aisle && (at - y).abs() < 1e-9)
    });
    let mut seen = tour.sequence.clone();
    seen.sort_unstable();
    let steps = tour.path.windows(2).map(|pair| {
        let ((a, y), (b, z)) = (pair[0], pair[1]);
        let crossing = (0..=layout.blocks.len()).any(|c| layout.front(c) == y);
        if a != b && (y != z || !crossing) { f64::NAN } else { metres(layout, (a, y), (b, z)) }
    });
    let length: f64 = steps.sum();
    ends && passed && seen.into_iter().eq(0..picks.len()) && (length - tour.length).abs() < 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_are_exact_and_the_check_sees_a_missing_pick() {
        let row = against_exact(2, 5).unwrap();
        assert!(row.feasible && (row.ratio - 1.0).abs() < 1e-9, "{row:?}");
        let case = case(2, 5, 1);
        let (mut tour, _) = solve(&case).unwrap();
        tour.sequence.pop();
        assert!(!feasible(&case.layout, case.start, case.finish, &case.picks, &tour));
    }

    #[test]
    fn one_way_aisles_in_a_file_are_compared_with_the_same_aisles_both_ways() {
        let folder = std::env::temp_dir().join(format!("fulmar-one-way-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let job = r#"{"layout": {"aisles": 3, "spacing": 2.0, "blocks": [10.0], "one_way": ["up", "down", "up"]},
            "picks": [{"aisle": 0, "block": 0, "offset": 1.0}]}"#;
        std::fs::write(folder.join("mine.json"), job).unwrap();
        let mut seen = Vec::new();
        rows(Some(&folder), 1.0, &mut |row| seen.push(row)).unwrap();
        // Up aisle 0, down aisle 1 and home; or one metre in and out.
        assert_eq!((seen[0].ours, seen[0].reference, seen[0].feasible), (24.0, 2.0, true), "{seen:?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
