//! Routes: tables for each constraint, planning again, and properties with the independent check.

use super::*;
use proptest::prelude::*;

/// Places on a line, stops at the given positions, the depot at 0.
fn street(positions: &[i64]) -> Problem {
    let all: Vec<i64> = std::iter::once(0).chain(positions.iter().copied()).collect();
    let ways = all.iter().flat_map(|a| all.iter().map(move |b| (a - b).abs())).collect();
    Problem {
        stops: (1..all.len()).map(|place| Stop { place, deliver: [1, 0], ..Stop::default() }).collect(),
        vehicles: vec![Vehicle { capacity: [10, 10], ..Vehicle::default() }],
        travel: Travel { places: all.len(), distance: ways, duration: None },
    }
}

fn planned(problem: &Problem) -> RoutePlan {
    let plan = route(problem, &[], &Settings::default(), &Pace::Steps(400)).unwrap();
    assert_eq!(check(problem, &plan), []);
    plan
}

fn stops(route: &Route) -> Vec<usize> {
    route.visits.iter().map(|v| v.stop).collect()
}

fn reason(plan: &RoutePlan, stop: usize) -> Option<Reason> {
    plan.unassigned.iter().find(|u| u.stop == stop).map(|u| u.why)
}

#[test]
fn the_shortest_way_and_the_same_one_each_time() {
    let problem = street(&[10, -5, 30, -20, 20]);
    let plan = planned(&problem);
    assert_eq!((plan.distance, plan.cost, plan.routes.len()), (100, 100, 1));
    assert_eq!(plan, planned(&problem));
}

#[test]
fn capacity_needs_a_second_vehicle_and_pick_ups_fill_what_deliveries_left() {
    let mut problem = street(&[10, 20, 30]);
    problem.vehicles = vec![Vehicle { capacity: [2, 2], ..Vehicle::default() }; 2];
    assert_eq!(planned(&problem).routes.len(), 2);
    // Three to collect and two to deliver: the returns have to come after there is room.
    problem.vehicles = vec![Vehicle { capacity: [2, 0], ..Vehicle::default() }];
    problem.stops[0] = Stop { collect: [1, 0], deliver: [0, 0], ..problem.stops[0].clone() };
    let plan = planned(&problem);
    assert_eq!(plan.distance, 60);
    assert_ne!(plan.routes[0].visits[0].stop, 0, "the return cannot come first");
    problem.stops[1].deliver = [0, 1];
    assert_eq!(reason(&planned(&problem), 1), Some(Reason::OverCapacity));
}

#[test]
fn windows_shifts_and_service_times_are_kept() {
    let mut problem = street(&[10, 20, 30]);
    problem.stops[2] = Stop { earliest: 0, latest: 30, service: 5, ..problem.stops[2].clone() };
    problem.stops[0] = Stop { earliest: 100, latest: 120, ..problem.stops[0].clone() };
    let plan = planned(&problem);
    assert_eq!(plan.routes[0].visits.last().map(|v| (v.stop, v.begin)), Some((0, 100)));
    problem.vehicles[0].shift_end = 90;
    assert_eq!(reason(&planned(&problem), 0), Some(Reason::OutOfTime));
    problem.vehicles[0].shift_end = 200;
    problem.vehicles[0].max_duration = Some(64);
    assert_eq!(reason(&planned(&problem), 2), Some(Reason::OutOfTime), "alone it takes 65");
    problem.vehicles[0].max_duration = Some(65);
    let plan = planned(&problem);
    assert_eq!(plan.unassigned, [Unassigned { stop: 2, why: Reason::FleetFull }], "40 is shorter than 60");
}

#[test]
fn a_paid_driver_leaves_late_rather_than_waits() {
    let mut problem = street(&[10]);
    problem.stops[0] = Stop { earliest: 500, latest: 600, ..problem.stops[0].clone() };
    problem.vehicles[0].duration_cost = 2;
    let plan = planned(&problem);
    assert_eq!((plan.routes[0].leave, plan.routes[0].back, plan.cost), (490, 510, 20 + 40));
}

#[test]
fn skills_depots_and_open_ends() {
    let mut problem = street(&[10, 100]);
    let far = Vehicle { capacity: [10, 0], start: 2, end: None, skills: 2, ..Vehicle::default() };
    problem.vehicles.push(far);
    problem.stops[0].skills = 2;
    let plan = planned(&problem);
    assert_eq!(plan.distance, 90, "from 100 to 10, and stays there");
    problem.stops[0].skills = 4;
    assert_eq!(reason(&planned(&problem), 0), Some(Reason::NoSkill));
    problem.stops[0] = Stop { skills: 0, only: Some(9), ..problem.stops[0].clone() };
    assert_eq!(reason(&planned(&problem), 0), Some(Reason::VehicleUnavailable));
}

#[test]
fn who_matters_more_is_left_out_last() {
    let mut problem = street(&[10, 500, 20]);
    problem.vehicles[0].capacity = [1, 0];
    problem.stops[1].priority = 3;
    let plan = planned(&problem);
    assert_eq!(stops(&plan.routes[0]), [1]);
    assert_eq!(reason(&plan, 0), Some(Reason::FleetFull));
}

#[test]
fn bad_stops_have_their_reasons_and_bad_fleets_are_errors() {
    let mut problem = street(&[10, 20, 30, 40, 50]);
    problem.stops[0].place = 99;
    problem.stops[1].service = -1;
    problem.stops[2].latest = -1;
    problem.stops[3].deliver = [i64::MAX, 0];
    for other in 0..6 {
        problem.travel.distance[5 * 6 + other] = UNREACHABLE;
        problem.travel.distance[other * 6 + 5] = UNREACHABLE;
    }
    let plan = planned(&problem);
    let reasons: Vec<_> = (0..5).map(|s| reason(&plan, s)).collect();
    use Reason::{EmptyWindow, Negative, TooLarge, UnknownPlace, Unreachable};
    assert_eq!(reasons, [UnknownPlace, Negative, EmptyWindow, TooLarge, Unreachable].map(Some));
    assert!(plan.unassigned.iter().all(|u| !u.why.to_string().is_empty()));
    problem.vehicles.clear();
    assert_eq!(planned(&street(&[])), RoutePlan::default());
    assert_eq!(reason(&planned(&problem), 4), Some(Reason::NoVehicle));
    problem.vehicles = vec![Vehicle { capacity: [-1, 0], ..Vehicle::default() }];
    let error = problem.verify();
    assert_eq!(error, Err(RoutesError::Vehicle { vehicle: 0, problem: VehicleProblem::Negative }));
    problem.travel.distance.pop();
    assert_eq!(problem.verify(), Err(RoutesError::Matrix { places: 6, expected: 36, found: 35 }));
}

#[test]
fn the_check_sees_what_is_wrong() {
    let problem = street(&[10, 20, 30]);
    let good = planned(&problem);
    let broken = |change: &dyn Fn(&mut RoutePlan)| {
        let mut plan = good.clone();
        change(&mut plan);
        check(&problem, &plan)
    };
    assert!(broken(&|p| p.cost += 1).contains(&Violation::Sum));
    assert!(
        broken(&|p| p.routes[0].visits[1].arrive += 1)
            .contains(&Violation::Clock(good.routes[0].visits[1].stop))
    );
    assert!(matches!(
        broken(&|p| p.routes[0].visits.truncate(good.routes[0].visits.len() - 1))[..],
        [Violation::Sum, Violation::Times { .. }]
    ));
    assert!(broken(&|p| p.routes[0].vehicle = 7).contains(&Violation::Unknown(7)));
    let tight = Problem {
        vehicles: vec![Vehicle { capacity: [2, 0], shift_end: 30, ..Vehicle::default() }],
        ..problem.clone()
    };
    assert_eq!(check(&tight, &good), [Violation::Shift(0), Violation::Load(0)]);
}

/// A day with two vehicles, one on each side of the depot.
fn day() -> (Problem, RoutePlan) {
    let mut problem = street(&[10, 20, 30, 40, -10, -20, -30, -40]);
    problem.vehicles = vec![Vehicle { capacity: [10, 10], max_duration: Some(170), ..Vehicle::default() }; 3];
    problem.stops.iter_mut().for_each(|s| s.service = 5);
    problem.vehicles[0].shift_end = 1_000;
    let plan = planned(&problem);
    assert!(plan.unassigned.is_empty());
    (problem, plan)
}

fn again(now: i64, event: Event, goods: Goods) -> (Problem, RoutePlan, RoutePlan) {
    let (problem, before) = day();
    let (settings, pace) = (Settings::default(), Pace::Steps(400));
    let (then, after) = replan(&problem, &before, now, &[event], goods, (&settings, &pace)).unwrap();
    assert_eq!(check(&then, &after), []);
    for route in &before.routes {
        let done: Vec<usize> = route.visits.iter().filter(|v| v.leave <= now).map(|v| v.stop).collect();
        let kept = after.routes.iter().find(|r| r.vehicle == route.vehicle).map(stops).unwrap_or_default();
        assert!(kept.starts_with(&done), "what is done stays: {done:?} {kept:?}");
    }
    (then, before, after)
}

#[test]
fn a_breakdown_moves_what_is_open_to_others() {
    let (_, before, after) =
        again(20, Event::Breakdown { vehicle: day().1.routes[0].vehicle }, Goods::Anywhere);
    assert!(after.unassigned.is_empty());
    let broken = before.routes[0].vehicle;
    let mut rest = after.routes.iter().filter(|r| r.vehicle == broken).flat_map(|r| &r.visits);
    assert!(rest.all(|v| v.leave <= 20));
}

#[test]
fn goods_in_a_broken_vehicle_go_with_one_that_has_not_left() {
    let broken = day().1.routes[0].vehicle;
    let (_, before, after) = again(20, Event::Breakdown { vehicle: broken }, Goods::Aboard);
    let open: Vec<usize> = before.routes[0].visits.iter().filter(|v| v.leave > 20).map(|v| v.stop).collect();
    let left: Vec<usize> = before.routes.iter().filter(|r| r.leave < 20).map(|r| r.vehicle).collect();
    assert!(!open.is_empty());
    for route in after.routes.iter().filter(|r| left.contains(&r.vehicle)) {
        assert!(stops(route).iter().all(|s| !open.contains(s)), "{route:?}");
    }
    assert!(after.unassigned.is_empty(), "there is a spare vehicle");
}

#[test]
fn delays_and_cancellations_are_taken_as_they_come() {
    let vehicle = day().1.routes[0].vehicle;
    let (_, _, after) = again(20, Event::Delay { vehicle, free_at: 60 }, Goods::Anywhere);
    let route = after.routes.iter().find(|r| r.vehicle == vehicle).unwrap();
    assert!(route.visits.iter().all(|v| v.leave <= 60 || v.arrive >= 60), "{route:?}");
    let last = day().1.routes[0].visits.last().unwrap().stop;
    let (_, _, after) = again(20, Event::Cancelled { stop: last }, Goods::Anywhere);
    assert_eq!(reason(&after, last), Some(Reason::Cancelled));
    let (problem, plan) = day();
    let none = replan(
        &problem,
        &plan,
        0,
        &[Event::Breakdown { vehicle: 9 }],
        Goods::Anywhere,
        (&Settings::default(), &Pace::Steps(1)),
    );
    assert_eq!(none, Err(ReplanError::Vehicle(9)));
}

fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0i64..60, 1 => Just(-1), 1 => Just(i64::MAX), 1 => Just(i64::MIN), 1 => Just(UNREACHABLE)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_plan_checks_whatever_the_constraints(
        positions in proptest::collection::vec((-50i64..50, 0i64..4, 0i64..3, 0i64..200, 10i64..120, 0u64..3), 1..14),
        fleet in proptest::collection::vec((1i64..9, 0i64..60, 60i64..300, proptest::option::of(20i64..200), 0i64..3, 0u64..4), 1..4),
        lengths in any::<bool>(),
    ) {
        let mut problem = street(&positions.iter().map(|p| p.0).collect::<Vec<_>>());
        if lengths {
            problem.travel.duration = Some(problem.travel.distance.iter().map(|d| d * 2 + 1).collect());
        }
        for (s, p) in problem.stops.iter_mut().zip(&positions) {
            *s = Stop {
                deliver: [p.1, 0], collect: [p.2, 1], service: p.1, earliest: p.3, latest: p.3 + p.4, skills: p.5, ..s.clone()
            };
        }
        problem.vehicles = fleet
            .iter()
            .map(|v| Vehicle {
                capacity: [v.0, 6], shift_start: v.1, shift_end: v.1 + v.2, max_duration: v.3, duration_cost: v.4,
                skills: v.5, fixed_cost: 7, ..Vehicle::default()
            })
            .collect();
        let plan = planned(&problem);
        let now = 60;
        let again = replan(&problem, &plan, now, &[Event::Breakdown { vehicle: 0 }], Goods::Anywhere,
            (&Settings::default(), &Pace::Steps(100)));
        let (then, after) = again.unwrap();
        prop_assert_eq!(check(&then, &after), vec![]);
    }

    #[test]
    fn nothing_panics(
        numbers in proptest::collection::vec(numbers(), 40),
        ways in proptest::collection::vec(prop_oneof![9 => 0i64..90, 1 => Just(UNREACHABLE)], 16),
        prefix in proptest::collection::vec(0usize..4, 0..2),
    ) {
        let mut problem = street(&[1, 2, 3]);
        problem.travel.distance = ways;
        for (s, n) in problem.stops.iter_mut().zip(numbers.chunks(6)) {
            let place = if n[5] < 0 { 77 } else { s.place };
            *s = Stop { deliver: [n[0], 0], collect: [0, n[1]], service: n[2], earliest: n[3], latest: n[4], place, ..Stop::default() };
        }
        let n = &numbers[18..];
        problem.vehicles = vec![
            Vehicle { prefix, ..problem.vehicles[0].clone() },
            Vehicle { capacity: [n[0], n[1]], shift_end: n[2], max_duration: Some(n[3]), duration_cost: 1, ..problem.vehicles[0].clone() },
        ];
        match route(&problem, &[(1, vec![2, 5, 0])], &Settings::default(), &Pace::Steps(50)) {
            Ok(plan) => prop_assert_eq!(check(&problem, &plan), vec![]),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
