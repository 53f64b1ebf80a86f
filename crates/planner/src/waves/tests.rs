//! Waves by table and property; what is feasible is asked of the independent check.

use proptest::prelude::*;

use super::*;
use crate::demand::trees::Draw;

fn lines(pairs: &[(u64, i64)]) -> Vec<Line> {
    pairs.iter().map(|(item, quantity)| Line { item: *item, quantity: *quantity }).collect()
}

fn order(pairs: &[(u64, i64)]) -> Order {
    Order { lines: lines(pairs), ..Order::default() }
}

fn aisle(pairs: &[(u64, i64)]) -> Aisle {
    Aisle { zone: 0, stock: lines(pairs) }
}

/// The example of the challenge's description: two aisles give five units for two orders or more.
fn small() -> Backlog {
    Backlog {
        orders: vec![
            order(&[(0, 3), (2, 1)]),
            order(&[(1, 1), (3, 1)]),
            order(&[(2, 1), (4, 2)]),
            order(&[(0, 1), (2, 2), (3, 1), (4, 1)]),
            order(&[(1, 1)]),
        ],
        aisles: vec![
            aisle(&[(0, 2), (1, 1), (2, 1), (4, 1)]),
            aisle(&[(0, 2), (1, 1), (2, 2), (4, 1)]),
            aisle(&[(1, 2), (3, 1), (4, 2)]),
            aisle(&[(0, 2), (1, 1), (3, 1), (4, 1)]),
            aisle(&[(1, 1), (2, 2), (3, 1), (4, 2)]),
        ],
        least: 5,
        most: 12,
        ..Backlog::default()
    }
}

/// Best units per aisle by trying all sets of orders and aisles.
fn brute_force(backlog: &Backlog) -> f64 {
    let mut best = 0.0f64;
    for open in 1u32..1 << backlog.aisles.len() {
        let mut held: BTreeMap<u64, i64> = BTreeMap::new();
        for line in
            backlog.aisles.iter().enumerate().filter(|(a, _)| open >> a & 1 == 1).flat_map(|(_, a)| &a.stock)
        {
            *held.entry(line.item).or_default() += line.quantity;
        }
        for inside in 0u32..1 << backlog.orders.len() {
            let mut need: BTreeMap<u64, i64> = BTreeMap::new();
            for line in backlog
                .orders
                .iter()
                .enumerate()
                .filter(|(o, _)| inside >> o & 1 == 1)
                .flat_map(|(_, o)| &o.lines)
            {
                *need.entry(line.item).or_default() += line.quantity;
            }
            let units: i64 = need.values().sum();
            let enough = need.iter().all(|(item, need)| held.get(item).is_some_and(|h| h >= need));
            if enough && units >= backlog.least && units <= backlog.most {
                best = best.max(units as f64 / f64::from(open.count_ones()));
            }
        }
    }
    best
}

#[test]
fn the_example_is_solved_to_the_best_and_every_order_has_a_reason() {
    let backlog = small();
    let plan = plan(&backlog, &Budget::steps(20_000), 1);
    assert_eq!(check(&backlog, &plan), Ok(()));
    assert_eq!(plan.units_per_aisle, brute_force(&backlog));
    for (index, why) in plan.why.iter().enumerate() {
        assert_eq!(*why == Why::Fits, plan.orders.contains(&index), "{why}");
    }
    assert_eq!(plan, super::plan(&backlog, &Budget::steps(20_000), 1), "the same for the same seed");
}

#[test]
fn waves_of_any_size_come_near_the_best_there_can_be() {
    let mut ratios = Vec::new();
    for (seed, open, each) in [(1, 3, 20), (2, 5, 30), (3, 8, 40), (4, 12, 25)] {
        let backlog = planted(seed, open, each);
        let plan = plan(&backlog, &Budget::steps(60_000), 1);
        assert_eq!(check(&backlog, &plan), Ok(()));
        ratios.push(plan.units_per_aisle / each as f64);
    }
    assert!(ratios.iter().all(|r| (0.97..=1.0).contains(r)), "{ratios:?}");
    assert!(ratios.iter().sum::<f64>() / 4.0 >= 0.99, "{ratios:?}");
}

#[test]
fn late_due_and_first_orders_go_and_say_why() {
    let mut backlog = small();
    backlog.orders[0].cut_off = Some(5);
    backlog.orders[1].cut_off = Some(15);
    backlog.orders[3].priority = -1;
    backlog.orders[4].cut_off = Some(25);
    (backlog.ready_at, backlog.next_ready_at) = (Some(10), Some(20));
    backlog.first_up_to = Some(-1);
    let plan = plan(&backlog, &Budget::steps(10_000), 1);
    assert_eq!(check(&backlog, &plan), Ok(()));
    assert_eq!(plan.why[..2], [Why::Late, Why::Due]);
    assert_eq!(plan.why[3], Why::First { priority: -1 });
    assert!([0, 1, 3].iter().all(|o| plan.orders.contains(o)), "{:?}", plan.orders);
    // With room for one of them, the late one comes before the one of priority.
    backlog.caps.orders = Some(1);
    backlog.least = 1;
    let plan = super::plan(&backlog, &Budget::steps(10_000), 1);
    assert_eq!((plan.orders.as_slice(), plan.why[3]), ([0].as_slice(), Why::Crowded));
}

#[test]
fn bad_input_has_a_reason() {
    let mut backlog = small();
    backlog.least = 0;
    backlog.orders = vec![
        order(&[]),
        order(&[(0, -1)]),
        order(&[(0, i64::MAX), (0, 1)]),
        order(&[(0, 7)]),
        order(&[(99, 1)]),
        Order { weight: -1, ..order(&[(0, 1)]) },
        Order { totes: 3, ..order(&[(0, 1)]) },
        order(&[(1, 1)]),
    ];
    backlog.caps.totes = Some(2);
    backlog.aisles[0].stock.push(Line { item: 0, quantity: i64::MIN });
    let plan = plan(&backlog, &Budget::steps(500), 1);
    assert_eq!(check(&backlog, &plan), Ok(()));
    assert_eq!(
        plan.why,
        [
            Why::Empty,
            Why::BadQuantity { item: 0, quantity: -1 },
            Why::BadQuantity { item: 0, quantity: i64::MAX },
            Why::Short { item: 0, wanted: 7, held: 6 },
            Why::Short { item: 99, wanted: 1, held: 0 },
            Why::BadMeasure { measure: Measure::Weight, value: -1 },
            Why::TooLarge { measure: Measure::Totes, takes: 3, cap: 2 },
            Why::Fits,
        ]
    );
    backlog.least = 9;
    let none = super::plan(&backlog, &Budget::steps(500), 1);
    assert_eq!(none.no_wave, Some(NoWave::LeastOutOfReach { least: 9, reached: 1 }));
    assert_eq!((none.why[0], none.why[7]), (Why::Empty, Why::NoWave));
    backlog.caps.lines = Some(-1);
    assert_eq!(
        super::plan(&backlog, &Budget::steps(5), 1).no_wave,
        Some(NoWave::BadCap { measure: Measure::Lines, cap: -1 })
    );
    backlog.most = 3;
    assert_eq!(
        super::plan(&backlog, &Budget::steps(5), 1).no_wave,
        Some(NoWave::Limits { least: 9, most: 3 })
    );
}

#[test]
fn lists_keep_to_their_mode_and_limits() {
    let mut backlog = small();
    (backlog.least, backlog.most) = (9, 12);
    backlog.aisles.iter_mut().enumerate().for_each(|(a, aisle)| aisle.zone = a as u32 % 2);
    backlog.list.lines = Some(3);
    for mode in [Mode::Batch, Mode::Zone, Mode::Wave] {
        backlog.mode = mode;
        let plan = plan(&backlog, &Budget::steps(10_000), 1);
        assert_eq!(check(&backlog, &plan), Ok(()), "{mode:?}");
        for task in &plan.tasks {
            let aisles: BTreeSet<usize> = task.picks.iter().map(|p| plan.picks[*p].aisle).collect();
            match mode {
                Mode::Zone => assert!(aisles.iter().all(|a| Some(backlog.aisles[*a].zone) == task.zone)),
                Mode::Batch => {
                    for order in &task.orders {
                        let all = plan.picks.iter().filter(|p| p.order == *order).count();
                        let here = task.picks.iter().filter(|p| plan.picks[**p].order == *order).count();
                        assert_eq!(all, here, "an order stays together");
                    }
                }
                Mode::Wave => {}
            }
            assert!(task.picks.len() <= 3 || task.orders.len() == 1, "{task:?}");
        }
    }
}

/// A backlog whose best wave is known: `open` aisles hold exactly what some orders want, `each` units apiece, and no aisle holds more, so
/// no wave can have more units per aisle. Other orders and aisles stand between them.
fn planted(seed: u64, open: usize, each: usize) -> Backlog {
    let mut draw = Draw::new(seed);
    let mut below = |end: usize| (draw.unit() * end as f64) as usize;
    let (items, mut orders, mut pool) = (open * 30, Vec::new(), Vec::new());
    while pool.len() < open * each {
        let room = open * each - pool.len();
        let wanted: Vec<u64> = (0..(1 + below(6)).min(room)).map(|_| below(items) as u64).collect();
        orders.push(order(&wanted.iter().map(|item| (*item, 1)).collect::<Vec<_>>()));
        pool.extend(wanted);
    }
    for at in (1..pool.len()).rev() {
        pool.swap(at, below(at + 1));
    }
    let mut aisles: Vec<Aisle> = pool
        .chunks(each)
        .map(|held| aisle(&held.iter().map(|item| (*item, 1)).collect::<Vec<_>>()))
        .collect();
    for _ in 0..orders.len() {
        let wanted: Vec<(u64, i64)> =
            (0..1 + below(6)).map(|_| (below(items) as u64, 1 + below(2) as i64)).collect();
        orders.insert(below(orders.len() + 1), order(&wanted));
    }
    for _ in 0..2 * open {
        let held: Vec<(u64, i64)> =
            (0..each / 2 + below(each / 3)).map(|_| (below(items) as u64, 1)).collect();
        aisles.insert(below(aisles.len() + 1), aisle(&held));
    }
    Backlog {
        orders,
        aisles,
        least: (open * each / 2) as i64,
        most: (open * each) as i64,
        ..Backlog::default()
    }
}

prop_compose! {
    fn quantities(items: u64, most: i64)(
        pairs in proptest::collection::vec((0..items, 1..=most), 1..4)
    ) -> Vec<(u64, i64)> { pairs }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn small_waves_are_as_good_as_trying_everything(
        orders in proptest::collection::vec(quantities(5, 3), 2..7),
        aisles in proptest::collection::vec(quantities(5, 5), 2..6),
        least in 0i64..6,
        more in 0i64..10,
    ) {
        let backlog = Backlog {
            orders: orders.iter().map(|o| order(o)).collect(),
            aisles: aisles.iter().map(|a| aisle(a)).collect(),
            least,
            most: least + more,
            ..Backlog::default()
        };
        let plan = plan(&backlog, &Budget::steps(20_000), 7);
        prop_assert_eq!(check(&backlog, &plan), Ok(()));
        let best = brute_force(&backlog);
        prop_assert!(plan.units_per_aisle >= best - 1e-9, "{} of {}", plan.units_per_aisle, best);
        prop_assert!(plan.no_wave.is_none() || best == 0.0);
    }

    #[test]
    fn anything_at_all_has_an_answer(
        orders in proptest::collection::vec((proptest::collection::vec((0u64..4, any::<i64>()), 0..3), any::<i64>(), any::<i64>()), 0..5),
        aisles in proptest::collection::vec(proptest::collection::vec((0u64..4, any::<i64>()), 0..3), 0..4),
        least in any::<i64>(), most in any::<i64>(), cap in proptest::option::of(any::<i64>()),
        at in any::<i64>(),
    ) {
        let backlog = Backlog {
            orders: orders.iter().map(|(o, weight, cut_off)| Order { weight: *weight, cut_off: Some(*cut_off), ..order(o) }).collect(),
            aisles: aisles.iter().map(|a| aisle(a)).collect(),
            least, most,
            caps: Caps { weight: cap, lines: cap, ..Caps::default() },
            next_ready_at: Some(at),
            list: Caps { totes: cap, weight: cap, ..Caps::default() },
            ..Backlog::default()
        };
        let plan = plan(&backlog, &Budget::steps(50), 7);
        prop_assert_eq!(plan.why.len(), backlog.orders.len());
        prop_assert_eq!(check(&backlog, &plan), Ok(()));
        prop_assert!(plan.why.iter().all(|w| !w.to_string().is_empty()));
    }
}
