//! Sourcing of many orders: tables for the rules, brute force for the optimum, properties for everything else.

use super::rules::{Action, Goal, InventoryRule, LocationFilter, OrderFilter, RoutingRule, Run, Sort, Why};
use super::*;
use crate::Budget;
use proptest::prelude::*;

fn place(name: &str, stock: &[i64]) -> Location {
    Location { name: name.to_owned(), stock: stock.to_vec(), ..Location::default() }
}

fn lane(parcel: i64, days: i64, km: f64) -> Option<Lane> {
    Some(Lane { distance_km: Some(km), parcel, per_kg: 0, days })
}

fn line(item: usize, quantity: i64) -> Line {
    Line { quantity, takes: vec![(item, 1)], grams: 100, value: 1_000, ..Line::default() }
}

fn order(lines: &[Line]) -> Order {
    Order { lines: lines.to_vec(), ..Order::default() }
}

fn network(locations: Vec<Location>, lanes: Vec<Option<Lane>>) -> Network {
    let items = locations.first().map_or(0, |l| l.stock.len());
    Network { items, zones: 1, locations, lanes }
}

fn planned(network: &Network, orders: &[Order], policy: &Policy) -> BatchPlan {
    let plan = plan(network, orders, policy, &Budget::steps(30_000), 1).unwrap();
    let choices: Vec<_> =
        (0..orders.len()).map(|o| plan.refused[o].is_none().then(|| &plan.choices[o])).collect();
    assert_eq!(check(network, orders, policy, &choices), []);
    let sum: i64 =
        orders.iter().zip(&choices).filter_map(|(o, c)| c.map(|c| cost(network, o, policy, c))).sum();
    assert_eq!(sum, plan.cost);
    assert!(plan.bound <= plan.cost, "{} > {}", plan.bound, plan.cost);
    plan
}

#[test]
fn orders_that_compete_are_planned_together() {
    // The first order alone would take what only the near location has, and force the second one far away.
    let n = network(
        vec![place("near", &[1, 1]), place("far", &[1, 0])],
        vec![lane(400, 1, 5.0), lane(900, 3, 500.0)],
    );
    let orders = [order(&[line(0, 1)]), order(&[line(0, 1), line(1, 1)])];
    let plan = planned(&n, &orders, &Policy::default());
    assert_eq!(plan.choices[0].locations(), [1]);
    assert_eq!(plan.choices[1].locations(), [0]);
    assert!(plan.proven());
    assert_eq!(plan.cost, 1_300 * MILLI);
    // Every location has its reason in a plan of all orders, too.
    let why = |n: &Network, orders: &[Order], plan: &BatchPlan| -> Vec<Vec<Why>> {
        let notes = rules::reasons(n, orders, &Policy::default(), plan);
        notes.iter().map(|notes| notes.iter().map(|note| note.why).collect()).collect()
    };
    assert_eq!(why(&n, &orders, &plan), [[Why::Taken, Why::Ships], [Why::Ships, Why::Taken]]);
    let mut busy = n.clone();
    busy.locations[0] = Location { parcels: Some(1), ..place("near", &[9, 9]) };
    let unknown = order(&[line(7, 1)]);
    let orders = [order(&[line(0, 1)]), order(&[line(1, 1)]), unknown];
    let plan = planned(&busy, &orders, &Policy::default());
    assert_eq!(plan.choices.iter().map(Choice::locations).collect::<Vec<_>>(), [vec![1], vec![0], vec![]]);
    assert_eq!(
        why(&busy, &orders, &plan),
        [vec![Why::DailyCapacity, Why::Ships], vec![Why::Ships, Why::NoStock], vec![]]
    );
    let notes = rules::reasons(&busy, &orders, &Policy::default(), &plan);
    assert_eq!(notes[0][0].sentence(&busy), "near skipped: daily capacity reached");
}

#[test]
fn split_rules_hold() {
    let n =
        network(vec![place("a", &[1, 0]), place("b", &[0, 1])], vec![lane(400, 1, 5.0), lane(400, 1, 5.0)]);
    let both = [order(&[line(0, 1), line(1, 1)])];
    let parcels =
        |policy: &Policy, orders: &[Order]| planned(&n, orders, policy).choices[0].locations().len();
    assert_eq!(parcels(&Policy::default(), &both), 2);
    assert_eq!(parcels(&Policy { split_from: 2_001, ..Policy::default() }, &both), 1);
    assert_eq!(parcels(&Policy { split_from: 2_000, ..Policy::default() }, &both), 2);
    assert_eq!(parcels(&Policy { max_parcels: 1, partial: false, ..Policy::default() }, &both), 0);
    let together = |l: Line| Line { together: Some(7), ..l };
    assert_eq!(parcels(&Policy::default(), &[order(&[together(line(0, 1)), together(line(1, 1))])]), 0);
}

#[test]
fn promise_priority_and_safety_are_weighed() {
    let mut n =
        network(vec![place("cheap", &[5]), place("fast", &[5])], vec![lane(300, 5, 5.0), lane(700, 1, 5.0)]);
    let promised = [Order { promise: Some(2), ..order(&[line(0, 1)]) }];
    let who = |n: &Network, policy: &Policy| planned(n, &promised, policy).choices[0].locations();
    assert_eq!(who(&n, &Policy { late_day: 100, ..Policy::default() }), [0]);
    assert_eq!(who(&n, &Policy { late_day: 200, ..Policy::default() }), [1]);
    assert_eq!(who(&n, &Policy { late_day: 0, keep_promise: true, ..Policy::default() }), [1]);
    n.locations[0].priority = 5;
    assert_eq!(who(&n, &Policy { late_day: 0, priority_step: 100, ..Policy::default() }), [1]);
    n.locations[1].safety = vec![5];
    assert_eq!(who(&n, &Policy { late_day: 0, priority_step: 100, ..Policy::default() }), [0]);
}

fn rule(name: &str, goal: Goal) -> InventoryRule {
    InventoryRule { name: name.to_owned(), goal, ..InventoryRule::default() }
}

#[test]
fn rules_are_tried_in_order_and_every_location_gets_its_reason() {
    let mut berlin = place("berlin", &[9]);
    berlin.parcels = Some(1);
    let mut shop = place("shop", &[9]);
    shop.tags = vec!["store".to_owned()];
    let mut spare = place("spare", &[9]);
    spare.safety = vec![9];
    let n = network(
        vec![berlin, shop, spare, place("empty", &[0]), place("abroad", &[9])],
        vec![lane(400, 1, 9.0), lane(500, 1, 1.0), lane(500, 1, 1.0), lane(500, 1, 1.0), None],
    );
    let warehouses = InventoryRule {
        locations: LocationFilter { without: vec!["store".to_owned()], ..LocationFilter::default() },
        ..rule("warehouses", Goal::InOrder(vec![Sort::Nearest]))
    };
    let run = Run {
        routing: vec![
            RoutingRule {
                orders: OrderFilter { tags: vec!["vip".to_owned()], ..OrderFilter::default() },
                ..RoutingRule::default()
            },
            RoutingRule { inventory: vec![warehouses, rule("all", Goal::Cost)], ..RoutingRule::default() },
        ],
    };
    let orders = [order(&[line(0, 1)]), order(&[line(0, 1)])];
    let sourced = rules::run(&n, &mut Left::of(&n), &orders, &run).unwrap();
    assert_eq!(
        (sourced[0].routing, sourced[0].rule, sourced[0].choice.locations()),
        (Some(1), Some(0), vec![0])
    );
    assert_eq!((sourced[1].rule, sourced[1].choice.locations()), (Some(1), vec![1]));
    let why: Vec<Why> = sourced[1].notes.iter().filter(|n| n.rule == 0).map(|n| n.why).collect();
    assert_eq!(why, [Why::DailyCapacity, Why::Filtered, Why::SafetyStock, Why::NoStock, Why::NoLane]);
    assert_eq!(sourced[1].notes[0].sentence(&n), "berlin skipped: daily capacity reached");
}

#[test]
fn every_other_reason_is_given_too() {
    let names = ["closed", "far", "late", "part", "excluded", "best", "dearer"];
    let stock = |name: &str| if name == "part" { [9, 0] } else { [9, 9] };
    let mut places: Vec<Location> = names.iter().map(|name| place(name, &stock(name))).collect();
    places[0].closed = true;
    let lanes = vec![
        lane(100, 1, 1.0),
        lane(100, 1, 900.0),
        lane(100, 9, 1.0),
        lane(400, 1, 1.0),
        lane(300, 1, 1.0),
        lane(400, 1, 1.0),
        lane(500, 1, 1.0),
    ];
    let n = network(places, lanes);
    let wanted = [0, 1].map(|item| Line { except: Some(4), ..line(item, 1) });
    let orders = [Order { promise: Some(2), ..order(&wanted) }];
    let why = |keep: i64| -> Vec<Why> {
        let asked = InventoryRule {
            locations: LocationFilter { within_km: Some(600.0), keep, ..LocationFilter::default() },
            policy: Policy { keep_promise: true, ..Policy::default() },
            ..rule("all", Goal::Cost)
        };
        let run = Run { routing: vec![RoutingRule { inventory: vec![asked], ..RoutingRule::default() }] };
        let sourced = rules::run(&n, &mut Left::of(&n), &orders, &run).unwrap().remove(0);
        sourced.notes.iter().map(|note| note.why).collect()
    };
    use Why::{Closed, Excluded, OnlyPart, SafetyStock, Ships, TooFar, TooLate, Worse};
    assert_eq!(why(0), [Closed, TooFar, TooLate, OnlyPart, Excluded, Ships, Worse]);
    assert_eq!(why(9), [Closed, TooFar, TooLate, SafetyStock, Excluded, SafetyStock, SafetyStock]);
}

#[test]
fn preferences_choose_and_work_is_spread_over_capacities() {
    let a = Location { priority: 1, parcels: Some(10), ..place("a", &[5]) };
    let b = Location { priority: 2, parcels: Some(2), ..place("b", &[9]) };
    let n = network(vec![a, b], vec![lane(500, 3, 10.0), lane(400, 1, 20.0)]);
    let who = |sort: Sort, orders: usize| -> Vec<usize> {
        let asked = rule("r", Goal::InOrder(vec![sort]));
        let run = Run { routing: vec![RoutingRule { inventory: vec![asked], ..RoutingRule::default() }] };
        let orders = vec![order(&[line(0, 1)]); orders];
        let sourced = rules::run(&n, &mut Left::of(&n), &orders, &run).unwrap();
        sourced.iter().flat_map(|s| s.choice.locations()).collect()
    };
    let sorts = [Sort::Priority, Sort::Nearest, Sort::Fastest, Sort::Cheapest, Sort::MostStock];
    assert_eq!(sorts.map(|sort| who(sort, 1)[0]), [0, 0, 1, 1, 1]);
    assert_eq!(
        who(Sort::LeastLoaded, 4),
        [1, 0, 0, 0],
        "nothing yet: the cheaper; then 0 to 2 of 10 against 1 of 2"
    );
}

#[test]
fn the_first_routing_rule_that_fits_is_the_only_one() {
    let n = network(vec![place("a", &[9])], vec![lane(400, 1, 1.0), lane(400, 1, 1.0)]);
    let n = Network { zones: 2, ..n };
    let with = |orders: OrderFilter| RoutingRule { orders, ..RoutingRule::default() };
    let none = OrderFilter::default;
    let run = Run {
        routing: vec![
            with(OrderFilter { zones: vec![1], ..none() }),
            with(OrderFilter { value_from: Some(3_000), ..none() }),
            with(OrderFilter { value_below: Some(2_000), ..none() }),
            with(OrderFilter { units_from: Some(2), tags: vec!["vip".to_owned()], ..none() }),
        ],
    };
    let vip = |o: Order| Order { tags: vec!["new".to_owned(), "vip".to_owned()], ..o };
    let orders = [
        Order { zone: 1, ..order(&[line(0, 5)]) },
        order(&[line(0, 3)]),
        order(&[line(0, 1)]),
        vip(order(&[line(0, 2)])),
        order(&[line(0, 2)]),
    ];
    let sourced = rules::run(&n, &mut Left::of(&n), &orders, &run).unwrap();
    let routing: Vec<Option<usize>> = sourced.iter().map(|s| s.routing).collect();
    assert_eq!(routing, [Some(0), Some(1), Some(2), Some(3), None]);
    assert!(sourced[4].notes.is_empty() && sourced[4].choice.short == [2], "no rule, nothing is asked");
}

#[test]
fn what_nobody_ships_meets_the_action() {
    let n = network(vec![place("a", &[1])], vec![lane(400, 1, 1.0)]);
    let with = |action: Action| {
        let routing =
            RoutingRule { inventory: vec![rule("all", Goal::Cost)], action, ..RoutingRule::default() };
        let mut left = Left::of(&n);
        let run = Run { routing: vec![routing] };
        let sourced = rules::run(&n, &mut left, &[order(&[line(0, 3)])], &run).unwrap().remove(0);
        (sourced.action, sourced.choice.short_units(), left.stock(0, 0))
    };
    assert_eq!(with(Action::Backorder), (Some(Action::Backorder), 2, 0));
    assert_eq!(with(Action::Cancel), (Some(Action::Cancel), 2, 0));
    assert_eq!(with(Action::Hold), (Some(Action::Hold), 3, 1));
}

#[test]
fn a_backtest_compares_rules_on_the_same_days() {
    let n = network(
        vec![place("near", &[1, 1]), place("far", &[2, 2])],
        vec![lane(400, 1, 5.0), lane(900, 4, 500.0)],
    );
    let day = |day: i64, lines: &[Line]| Order { day, promise: Some(day + 2), ..order(lines) };
    let orders = [day(2, &[line(0, 1), line(1, 1)]), day(1, &[line(0, 1)]), day(1, &[line(9, 1)])];
    let run = |sort: Sort| Run {
        routing: vec![RoutingRule {
            inventory: vec![rule("r", Goal::InOrder(vec![sort]))],
            ..RoutingRule::default()
        }],
    };
    let near = backtest::replay(&n, &orders, &[], &run(Sort::Nearest)).unwrap();
    let most = backtest::replay(&n, &orders, &[], &run(Sort::MostStock)).unwrap();
    assert_eq!((near.orders, near.refused, near.late_orders, near.late_days), (2, 1, 1, 2));
    assert_eq!((near.postage, near.by_location.clone()), (1_300.0, vec![1, 1]));
    assert_eq!((most.late_orders, most.postage), (2, 1_800.0));
    let receipt = backtest::Receipt { day: 2, location: 0, item: 0, pieces: 1 };
    let restocked = backtest::replay(&n, &orders, &[receipt], &run(Sort::Nearest)).unwrap();
    assert_eq!((restocked.late_orders, restocked.complete), (0, 2));
    assert!(restocked.stock_outs > 0);
}

#[test]
fn a_bad_order_is_refused_alone_and_a_bad_network_as_a_whole() {
    let n = network(vec![place("a", &[5])], vec![lane(400, 1, 1.0)]);
    let orders = [
        order(&[line(3, 1)]),
        order(&[line(0, -1)]),
        Order { zone: 4, ..order(&[line(0, 1)]) },
        order(&[line(0, i64::MAX)]),
        order(&[line(0, 1)]),
    ];
    let plan = planned(&n, &orders, &Policy::default());
    use OrderProblem::{Item, Quantity, Zone};
    assert_eq!(plan.refused, [Some(Item), Some(Quantity), Some(Zone), Some(Quantity), None]);
    let broken = Network { lanes: vec![], ..n.clone() };
    assert_eq!(broken.verify(), Err(SourcingError::Lanes { expected: 1, found: 0 }));
    let nan = network(vec![place("a", &[5])], vec![lane(400, 1, f64::NAN)]);
    assert_eq!(nan.verify(), Err(SourcingError::Lane(0)));
}

/// The cheapest plan of two orders of one line each, by trying everything.
fn brute(n: &Network, orders: &[Order], policy: &Policy) -> i64 {
    fn all(left: i64, locations: usize) -> Vec<Vec<i64>> {
        if locations == 0 {
            return vec![vec![]];
        }
        let more = |q: i64| {
            all(left - q, locations - 1).into_iter().map(move |mut rest| {
                rest.push(q);
                rest
            })
        };
        (0..=left).flat_map(more).collect()
    }
    let options = |o: &Order| -> Vec<Choice> {
        let divided = all(o.lines[0].quantity, n.locations.len());
        let choice = |d: Vec<i64>| {
            let short = vec![o.lines[0].quantity - d.iter().sum::<i64>()];
            let ship = |(location, quantity): (usize, &i64)| Ship { line: 0, location, quantity: *quantity };
            Choice { ships: d.iter().enumerate().filter(|(_, q)| **q > 0).map(ship).collect(), short }
        };
        divided.into_iter().map(choice).collect()
    };
    let mut best = i64::MAX;
    for a in options(&orders[0]) {
        for b in options(&orders[1]) {
            if check(n, orders, policy, &[Some(&a), Some(&b)]).is_empty() {
                best = best.min(cost(n, &orders[0], policy, &a) + cost(n, &orders[1], policy, &b));
            }
        }
    }
    best
}

/// All ways to ship an order, good and bad.
fn ways(n: &Network, order: &Order) -> Vec<Choice> {
    let mut all = vec![Choice::nothing(order)];
    for line in 0..order.lines.len() {
        for location in 0..n.locations.len() {
            let more = |c: Choice| {
                (0..=c.short[line]).map(move |quantity| {
                    let mut c = c.clone();
                    c.short[line] -= quantity;
                    if quantity > 0 {
                        c.ships.push(Ship { line, location, quantity });
                    }
                    c
                })
            };
            all = all.into_iter().flat_map(more).collect();
        }
    }
    all
}

/// Orders of one or two lines that want a little more than the stock of a few locations, unequally far away.
fn market(orders: usize, locations: usize, seed: u64) -> (Network, Vec<Order>) {
    let mut draw = crate::demand::trees::Draw::new(seed);
    let mut below = |end: usize| (draw.unit() * end as f64) as i64;
    let items = orders / 5;
    let list: Vec<Order> = (0..orders)
        .map(|_| {
            let lines: Vec<Line> =
                (0..1 + below(2)).map(|_| line(below(items) as usize, 1 + below(2))).collect();
            Order { zone: below(4) as usize, ..order(&lines) }
        })
        .collect();
    let places: Vec<Location> = (0..locations)
        .map(|_| {
            let stock: Vec<i64> = (0..items).map(|_| below(36) * below(2) / locations as i64).collect();
            Location { parcels: Some((orders / 3) as i64), ..place("x", &stock) }
        })
        .collect();
    let lanes = (0..locations * 4).map(|_| lane(300 + 10 * below(70), 1, 9.0)).collect();
    (Network { zones: 4, ..network(places, lanes) }, list)
}

#[test]
fn batches_too_large_for_a_proof_come_near_their_bound_and_beat_orders_one_by_one() {
    for seed in 1..=3 {
        let (n, orders) = market(150, 5, seed);
        let run = Run {
            routing: vec![RoutingRule { inventory: vec![rule("all", Goal::Cost)], ..RoutingRule::default() }],
        };
        let one_by_one: i64 = rules::run(&n, &mut Left::of(&n), &orders, &run)
            .unwrap()
            .iter()
            .zip(&orders)
            .map(|(s, o)| cost(&n, o, &Policy::default(), &s.choice))
            .sum();
        let found = planned(&n, &orders, &Policy::default());
        assert!(found.gap() < 0.03, "seed {seed}: {}", found.gap());
        assert!(found.cost * 100 < one_by_one * 99, "seed {seed}: {} {one_by_one}", found.cost);
        assert_eq!(found, planned(&n, &orders, &Policy::default()), "the same for the same seed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_optimum_with_every_rule_is_found_and_proven(
        stock in proptest::collection::vec((proptest::collection::vec(0i64..4, 2), proptest::option::of(1i64..3)), 2),
        lines in proptest::collection::vec((1i64..3, 0usize..2, 1i64..3, any::<bool>()), 6),
        prices in proptest::collection::vec(100i64..900, 2),
        rules in (1usize..3, any::<bool>(), 200i64..3_000),
    ) {
        let (max_parcels, partial, short_unit) = rules;
        let places = stock.iter().map(|(s, parcels)| Location { parcels: *parcels, ..place("x", s) }).collect();
        let n = network(places, prices.iter().map(|p| lane(*p, 1, 1.0)).collect());
        let of = |(quantity, item, pieces, together): &(i64, usize, i64, bool)| {
            let mut takes = vec![(*item, 1)];
            if *pieces > 1 {
                takes.push((1 - *item, 1));
            }
            Line { takes, together: together.then_some(1), ..line(*item, *quantity) }
        };
        let orders: Vec<Order> =
            lines.chunks(2).map(|l| order(&l.iter().map(of).collect::<Vec<_>>())).collect();
        let policy = Policy { max_parcels, partial, short_unit, ..Policy::default() };
        let plan = planned(&n, &orders, &policy);
        prop_assert!(plan.proven());
        let cheap = |o: &Order| -> Vec<(i64, Choice)> {
            let fits = |c: &Choice| check(&n, std::slice::from_ref(o), &policy, &[Some(c)]).is_empty();
            ways(&n, o).into_iter().filter(fits).map(|c| (cost(&n, o, &policy, &c), c)).collect()
        };
        let all: Vec<Vec<(i64, Choice)>> = orders.iter().map(cheap).collect();
        let mut best = i64::MAX;
        for a in &all[0] {
            for b in &all[1] {
                for c in &all[2] {
                    let sum = a.0 + b.0 + c.0;
                    let together = [Some(&a.1), Some(&b.1), Some(&c.1)];
                    if sum < best && check(&n, &orders, &policy, &together).is_empty() {
                        best = sum;
                    }
                }
            }
        }
        prop_assert_eq!(plan.cost, best);
    }

    #[test]
    fn the_optimum_is_found_and_proven(
        stock in proptest::collection::vec((0i64..4, 0i64..2, 300i64..900, 0i64..4, proptest::option::of(0i64..3)), 3),
        quantities in proptest::collection::vec(1i64..4, 2),
        pieces in 1i64..3,
    ) {
        let places = stock.iter().map(|(stock, safety, _, priority, parcels)| Location {
            safety: vec![*safety], priority: *priority, parcels: *parcels, ..place("x", &[*stock])
        });
        let n = network(places.collect(), stock.iter().map(|s| lane(s.2, 1, 1.0)).collect());
        let orders: Vec<Order> = quantities
            .iter()
            .map(|q| order(&[Line { takes: vec![(0, pieces)], ..line(0, *q) }]))
            .collect();
        let policy = Policy { short_unit: 1_500, ..Policy::default() };
        let plan = planned(&n, &orders, &policy);
        prop_assert_eq!(plan.cost, brute(&n, &orders, &policy));
        prop_assert!(plan.proven());
    }

    #[test]
    fn nothing_panics_and_every_plan_checks(
        stock in proptest::collection::vec(-2i64..6, 6),
        numbers in proptest::collection::vec((-1i64..5, 0usize..4, -1i64..3, proptest::option::of(0u32..2)), 1..8),
        limits in (proptest::option::of(-1i64..4), proptest::option::of(0i64..9), 0usize..4, any::<bool>()),
        km in prop_oneof![Just(f64::NAN), Just(5.0)],
    ) {
        let (parcels, units, max_parcels, partial) = limits;
        let places = stock.chunks(3).map(|s| Location { parcels, units, ..place("x", s) }).collect();
        let n = Network { items: 3, ..network(places, vec![lane(400, 1, km), lane(500, 2, 3.0)]) };
        let lines: Vec<Line> = numbers
            .iter()
            .map(|(q, item, pieces, together)| Line { takes: vec![(*item, *pieces)], together: *together, ..line(0, *q) })
            .collect();
        let orders: Vec<Order> = lines.chunks(2).map(order).collect();
        let policy = Policy { max_parcels, partial, ..Policy::default() };
        match plan(&n, &orders, &policy, &Budget::steps(3_000), 3) {
            Ok(_) => { planned(&n, &orders, &policy); }
            Err(e) => prop_assert!(!e.to_string().is_empty()),
        }
        let run = Run { routing: vec![RoutingRule {
            inventory: vec![InventoryRule { policy, ..rule("r", Goal::InOrder(vec![Sort::LeastLoaded, Sort::Cheapest])) }],
            ..RoutingRule::default()
        }] };
        let _ = backtest::replay(&n, &orders, &[], &run);
    }
}
