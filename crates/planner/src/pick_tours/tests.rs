//! Tours against an exact solver that knows nothing of aisles: shortest ways by relaxation, then Held and Karp over the picks.

use proptest::prelude::*;

use super::*;

/// Shortest metres between all pairs of: start, finish, picks. By Floyd and Warshall over corners and picks.
fn ways(layout: &Layout, start: Corner, finish: Corner, picks: &[Spot]) -> Vec<Vec<f64>> {
    let rows = layout.blocks.len() + 1;
    let corner = |aisle: usize, cross: usize| aisle * rows + cross;
    let n = layout.aisles * rows + picks.len();
    let mut metres = vec![vec![f64::INFINITY; n]; n];
    (0..n).for_each(|i| metres[i][i] = 0.0);
    for aisle in 0..layout.aisles {
        for cross in 0..rows {
            if aisle > 0 {
                metres[corner(aisle, cross)][corner(aisle - 1, cross)] = layout.spacing;
                metres[corner(aisle - 1, cross)][corner(aisle, cross)] = layout.spacing;
            }
        }
        for (block, length) in layout.blocks.iter().enumerate() {
            let mut stops = vec![(0.0, corner(aisle, block)), (*length, corner(aisle, block + 1))];
            for (index, pick) in
                picks.iter().enumerate().filter(|(_, p)| (p.aisle, p.block) == (aisle, block))
            {
                stops.push((pick.offset, layout.aisles * rows + index));
            }
            for (y, a) in &stops {
                for (z, b) in &stops {
                    let way = layout.one_way.get(aisle).copied().unwrap_or_default();
                    if (way != Way::Up || z >= y) && (way != Way::Down || z <= y) {
                        metres[*a][*b] = metres[*a][*b].min((y - z).abs());
                    }
                }
            }
        }
    }
    for via in 0..n {
        for from in 0..n {
            for to in 0..n {
                metres[from][to] = metres[from][to].min(metres[from][via] + metres[via][to]);
            }
        }
    }
    let mut wanted = vec![corner(start.aisle, start.cross), corner(finish.aisle, finish.cross)];
    wanted.extend(layout.aisles * rows..n);
    wanted.iter().map(|a| wanted.iter().map(|b| metres[*a][*b]).collect()).collect()
}

fn held_karp(ways: &[Vec<f64>]) -> f64 {
    let picks = ways.len() - 2;
    if picks == 0 {
        return ways[0][1];
    }
    let mut best = vec![vec![f64::INFINITY; picks]; 1 << picks];
    (0..picks).for_each(|p| best[1 << p][p] = ways[0][p + 2]);
    for seen in 1usize..1 << picks {
        for last in (0..picks).filter(|p| seen >> p & 1 == 1) {
            for next in (0..picks).filter(|p| seen >> p & 1 == 0) {
                let metres = best[seen][last] + ways[last + 2][next + 2];
                let entry = &mut best[seen | 1 << next][next];
                *entry = entry.min(metres);
            }
        }
    }
    (0..picks).map(|last| best[(1 << picks) - 1][last] + ways[last + 2][1]).fold(f64::INFINITY, f64::min)
}

/// The tour passes every pick, keeps to the aisles' ways, and is as long as it says.
fn faults(layout: &Layout, start: Corner, finish: Corner, picks: &[Spot], tour: &Tour) -> Option<String> {
    if tour.path.first() != Some(&layout.place(start)) || tour.path.last() != Some(&layout.place(finish)) {
        return Some(format!("ends {:?}", tour.path));
    }
    let mut sum = 0.0;
    for pair in tour.path.windows(2) {
        let ((a, y), (b, z)) = (pair[0], pair[1]);
        let at_cross = (0..=layout.blocks.len()).any(|c| (layout.front(c) - y).abs() < 1e-9);
        if a != b && (y != z || a.abs_diff(b) != 1 || !at_cross) {
            return Some(format!("step {pair:?}"));
        }
        let way = layout.way(a);
        if a == b && ((way == Way::Up && z < y) || (way == Way::Down && z > y)) {
            return Some(format!("against the way {pair:?}"));
        }
        sum += (y - z).abs() + layout.spacing * a.abs_diff(b) as f64;
    }
    let mut seen = tour.sequence.clone();
    seen.sort_unstable();
    let passed = picks.iter().all(|p| {
        let y = layout.front(p.block) + p.offset;
        tour.path.iter().any(|(a, z)| *a == p.aisle && (y - z).abs() < 1e-9)
    });
    let wrong = seen != (0..picks.len()).collect::<Vec<_>>() || !passed || (sum - tour.length).abs() > 1e-6;
    wrong.then(|| format!("sum {sum}, {tour:?}"))
}

/// A layout with up to `most` blocks, depots anywhere, picks in whole half-metres.
fn case(most: usize) -> impl Strategy<Value = (Layout, Corner, Corner, Vec<Spot>)> {
    let pick = (0usize..64, 0usize..64, 0u32..=20);
    let layout = (1usize..6, proptest::collection::vec(4u32..11, 1..=most), 1u32..6);
    (layout, proptest::collection::vec(pick, 0..7), any::<[u8; 4]>()).prop_map(
        |((aisles, blocks, spacing), picks, ends)| {
            let blocks: Vec<f64> = blocks.into_iter().map(f64::from).collect();
            let picks = picks
                .into_iter()
                .map(|(aisle, block, offset)| {
                    let block = block % blocks.len();
                    Spot { aisle: aisle % aisles, block, offset: f64::from(offset) / 20.0 * blocks[block] }
                })
                .collect();
            let corner =
                |a: u8, c: u8| Corner { aisle: a as usize % aisles, cross: c as usize % (blocks.len() + 1) };
            let (start, finish) = (corner(ends[0], ends[1]), corner(ends[2], ends[3]));
            (
                Layout { aisles, spacing: f64::from(spacing), blocks, one_way: Vec::new() },
                start,
                finish,
                picks,
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_tour_is_shorter((layout, start, finish, picks) in case(3)) {
        let mut router = Router::new(layout.clone(), start, finish).unwrap();
        let tour = router.tour(&picks).unwrap();
        let best = held_karp(&ways(&layout, start, finish, &picks));
        prop_assert!((tour.length - best).abs() < 1e-6, "{} but {} can be", tour.length, best);
        prop_assert_eq!(faults(&layout, start, finish, &picks, &tour), None);
        prop_assert_eq!(Some(tour.length), router.length(&mut picks.clone()));
        prop_assert!(tour.exact);
        for rule in [tour.s_shape, tour.largest_gap] {
            prop_assert!(rule.is_some_and(|metres| metres >= tour.length - 1e-6), "{rule:?} under {}", tour.length);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn one_way_aisles_are_kept_to_and_cost_no_more_than_they_must(
        (mut layout, start, finish, picks) in case(2),
        ways_of in proptest::collection::vec(0u8..3, 6),
    ) {
        layout.one_way = ways_of[..layout.aisles].iter().map(|w| [Way::Both, Way::Up, Way::Down][*w as usize]).collect();
        let mut router = Router::new(layout.clone(), start, finish).unwrap();
        let best = held_karp(&ways(&layout, start, finish, &picks));
        match router.tour(&picks) {
            Ok(tour) => {
                prop_assert!((tour.length - best).abs() < 1e-6, "{} but {} can be", tour.length, best);
                prop_assert_eq!(faults(&layout, start, finish, &picks, &tour), None);
            }
            Err(error) => {
                prop_assert_eq!(error, NoTour::Unreachable);
                prop_assert_eq!(best, f64::INFINITY);
            }
        }
    }

    #[test]
    fn anything_at_all_has_an_answer(
        aisles in 0usize..4, spacing in any::<f64>(), blocks in proptest::collection::vec(any::<f64>(), 0..9),
        cross in 0usize..9, pick in (0usize..5, 0usize..9, any::<f64>()), sane in any::<bool>(),
    ) {
        let blocks = if sane { vec![5.0; blocks.len()] } else { blocks };
        let spacing = if sane { 2.0 } else { spacing };
        let layout = Layout { aisles, spacing, blocks, one_way: vec![Way::Up; aisles % 3] };
        if let Ok(mut router) = Router::new(layout, Corner { aisle: 0, cross }, Corner::default())
            && let Ok(tour) = router.tour(&[Spot { aisle: pick.0, block: pick.1, offset: pick.2 }])
        {
            prop_assert!(tour.length >= 0.0 && tour.sequence == [0]);
        }
    }
}

#[test]
fn the_rules_walk_what_the_books_say() {
    // Four aisles of ten metres, two apart; start and finish at the front left.
    let layout = Layout { aisles: 4, spacing: 2.0, blocks: vec![10.0], one_way: Vec::new() };
    let spot = |aisle, offset| Spot { aisle, block: 0, offset };
    let picks = [spot(0, 3.0), spot(1, 9.0), spot(1, 1.0), spot(3, 4.0)];
    let tour = Router::new(layout, Corner::default(), Corner::default()).unwrap().tour(&picks).unwrap();
    // S-shape: up aisle 0, down aisle 1, into aisle 3 as far as 4 and back, home.
    assert_eq!(tour.s_shape, Some(10.0 + 2.0 + 10.0 + 4.0 + 8.0 + 6.0));
    // Largest gap: up aisle 0, aisle 1 from the back to 9, down aisle 3, aisle 1 from the front to 1, home.
    assert_eq!(tour.largest_gap, Some(10.0 + 2.0 + 2.0 + 4.0 + 10.0 + 4.0 + 2.0 + 2.0));
    // Nothing beats the largest gap here (Held and Karp agree).
    assert_eq!((tour.length, tour.exact), (36.0, true));
}

#[test]
fn what_cannot_be_has_a_reason() {
    let layout = Layout { aisles: 2, spacing: 2.0, blocks: vec![10.0], one_way: Vec::new() };
    let router =
        |layout: Layout, aisle| Router::new(layout, Corner { aisle, cross: 0 }, Corner::default()).err();
    assert_eq!(router(layout.clone(), 2), Some(NoTour::Corner { name: "start" }));
    for broken in [
        Layout { aisles: 0, ..layout.clone() },
        Layout { blocks: vec![], ..layout.clone() },
        Layout { blocks: vec![f64::NAN], ..layout.clone() },
        Layout { spacing: -1.0, ..layout.clone() },
        Layout { one_way: vec![Way::Up], ..layout.clone() },
    ] {
        assert!(matches!(router(broken, 0), Some(NoTour::Layout(_))));
    }
    let up = Layout { one_way: vec![Way::Up; 2], ..layout };
    let mut up = Router::new(up, Corner::default(), Corner::default()).unwrap();
    let pick = |offset| [Spot { aisle: 1, block: 0, offset }];
    assert_eq!(up.tour(&pick(3.0)), Err(NoTour::Unreachable));
    assert_eq!(up.tour(&pick(11.0)), Err(NoTour::Pick { pick: 0 }));
    assert_eq!(up.tour(&pick(f64::NAN)), Err(NoTour::Pick { pick: 0 }));
}
