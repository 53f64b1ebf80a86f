//! Promises on generated lanes: calibration, who is slow, what is under way, and bad input.

use super::*;
use crate::demand::trees::Draw;
use proptest::prelude::*;

/// Two lanes and two senders; days are geometric-ish sums, slower to "far" and from "slow".
fn shipments(n: usize, seed: u64) -> Vec<Past> {
    let mut draw = Draw::new(seed);
    (0..n)
        .map(|i| {
            let far = draw.unit() < 0.4;
            let slow = draw.unit() < 0.3;
            let noise: f64 = (0..6).map(|_| draw.unit() - 0.5).sum();
            let days = 3.0 * if far { 2.5 } else { 1.0 } * if slow { 1.5 } else { 1.0 } * (0.6 * noise).exp();
            let ordered_at = 20_000 * DAY + i as i64 * 90;
            let trip = Trip {
                from: "north".into(),
                to: if far { "far" } else { "near" }.into(),
                sender: if slow { "slow" } else { "quick" }.into(),
                ordered_at,
                ..Trip::default()
            };
            let calendar = Calendar::default();
            let at = calendar.time_at(calendar.position_of_order(ordered_at) + days);
            Past { trip, delivered_at: Some(at) }
        })
        .collect()
}

#[test]
fn the_late_rate_is_the_one_promised_and_reasons_name_the_slow() {
    let all = shipments(2_400, 4);
    let as_of = all[1_600].trip.ordered_at;
    let promises = learn(&all, as_of, &Calendar::default(), Options::default()).unwrap();
    let mut late = [0.0; 3];
    let mut expected = 0.0;
    for past in &all[1_600..] {
        let quote = promises.quote(&past.trip, &[0.5, 0.8, 0.9]).unwrap();
        let day = past.delivered_at.unwrap().div_euclid(DAY);
        for (late, promised) in late.iter_mut().zip(&quote.days) {
            *late += f64::from(u8::from(day > *promised)) / 800.0;
        }
        expected += f64::from(u8::from(past.delivered_at.unwrap() > quote.expected_at)) / 800.0;
    }
    assert!((0.44..0.56).contains(&expected), "{expected}");
    // Whole days promise a little more than the quantile.
    assert!((0.05..0.12).contains(&late[2]) && (0.1..0.22).contains(&late[1]), "{late:?}");
    let trip = Trip { to: "far".into(), sender: "slow".into(), ..all[0].trip.clone() };
    let parts = promises.quote(&trip, &[]).unwrap().parts;
    assert!(parts.iter().any(|p| p.kind == Kind::To && p.factor > 1.2), "{parts:?}");
    assert!(parts.iter().any(|p| p.to_string().starts_with("packed by slow:")), "{parts:?}");
}

#[test]
fn lanes_are_told_apart_and_a_calendar_that_is_right_is_worth_it() {
    // Packed on working days until 14:00, two or five working days on the road; a holiday every other Wednesday.
    let first = 20_000 - 20_000 % 7 + 4;
    let calendar = Calendar {
        holidays: (0..40).map(|week| first + 14 * week + 2).collect(),
        cut_off: 14 * 60,
        ..Calendar::default()
    };
    let mut draw = Draw::new(6);
    let all: Vec<Past> = (0..1_200)
        .map(|i| {
            let ordered_at = first * DAY + i * 240 + (draw.unit() * 240.0) as i64;
            let (to, days) = if draw.unit() < 0.5 { ("near", 2.0) } else { ("far", 5.0) };
            let position = calendar.position_of_order(ordered_at) + days * (0.8 + 0.4 * draw.unit());
            let trip = Trip {
                from: "north".into(),
                to: to.into(),
                carrier: "van".into(),
                ordered_at,
                ..Trip::default()
            };
            Past { trip, delivered_at: Some(calendar.time_at(position)) }
        })
        .collect();
    let as_of = all[900].trip.ordered_at;
    let error = |calendar: &Calendar, known: &dyn Fn(&Trip) -> Trip| {
        let seen: Vec<Past> = all.iter().map(|p| Past { trip: known(&p.trip), ..p.clone() }).collect();
        let promises = learn(&seen, as_of, calendar, Options::default()).unwrap();
        let off =
            |p: &Past| (promises.quote(&p.trip, &[]).unwrap().expected_at - p.delivered_at.unwrap()).abs();
        seen[900..].iter().map(off).sum::<i64>() as f64 / 300.0 / DAY as f64
    };
    let right = error(&calendar, &Clone::clone);
    let every_day = Calendar { workdays: [true; 7], ..Calendar::default() };
    let blind = error(&calendar, &|trip| Trip { ordered_at: trip.ordered_at, ..Trip::default() });
    let wrong = error(&every_day, &Clone::clone);
    assert!(right < 0.7, "{right} {wrong} {blind}");
    assert!(right < 0.8 * wrong && right < 0.5 * blind, "{right} {wrong} {blind}");
}

#[test]
fn what_is_under_way_counts() {
    let all = shipments(1_000, 8);
    let as_of = all[999].trip.ordered_at;
    let day = |past: &[Past]| {
        let promises = learn(past, as_of, &Calendar::default(), Options::default()).unwrap();
        promises.quote(&Trip { ordered_at: as_of, ..all[0].trip.clone() }, &[0.9]).unwrap().days[0]
    };
    let known = |p: &&Past| p.delivered_at.is_some_and(|d| d <= as_of);
    let blind: Vec<Past> = all.iter().filter(known).cloned().collect();
    let mut stuck = all.clone();
    stuck[700..].iter_mut().for_each(|p| p.delivered_at = None);
    assert!(day(&stuck) > day(&all), "a jam is seen before it is over");
    assert!(day(&blind) <= day(&all), "leaving out what is under way looks fast");
}

#[test]
fn bad_input_has_its_reason() {
    let mut all = shipments(50, 1);
    let end = 30_000 * DAY;
    all[3].delivered_at = Some(all[3].trip.ordered_at - 5);
    all[4].trip.km = Some(f64::NAN);
    all[5].trip.ordered_at = -1;
    let promises = learn(&all, end, &Calendar::default(), Options::default()).unwrap();
    assert_eq!(promises.left_out.iter().map(|l| l.0).collect::<Vec<_>>(), vec![3, 4, 5]);
    assert_eq!(promises.left_out[0].1, NoPromise::Backwards { minutes: 5 });
    assert!(promises.quote(&Trip { km: Some(-1.0), ..all[0].trip.clone() }, &[0.9]).is_err());
    let idle = Calendar { workdays: [false; 7], ..Calendar::default() };
    assert_eq!(learn(&all, end, &idle, Options::default()).err(), Some(NoPromise::Calendar));
    assert!(matches!(
        learn(&[], end, &Calendar::default(), Options::default()),
        Err(NoPromise::NothingDelivered { .. })
    ));
    let never = Options { pace_half_life: 0.0, ..Options::default() };
    assert_eq!(learn(&all, end, &Calendar::default(), never).err(), Some(NoPromise::HalfLife));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn days_grow_with_the_quantile_and_are_not_before_the_order(
        seed in 0u64..500, n in 1usize..60, cut_off in 0i64..=DAY, later in 0i64..100_000, km in proptest::option::of(0.0f64..9_000.0),
    ) {
        let all = shipments(n, seed);
        let calendar = Calendar { cut_off, ..Calendar::default() };
        let promises = learn(&all, 30_000 * DAY, &calendar, Options::default()).unwrap();
        let trip = Trip { to: "elsewhere".into(), km, ordered_at: 20_100 * DAY + later, ..Trip::default() };
        let quote = promises.quote(&trip, &[0.0, 0.5, 0.9, 1.0]).unwrap();
        prop_assert!(quote.days.is_sorted());
        prop_assert!(quote.days[0] >= trip.ordered_at.div_euclid(DAY));
        prop_assert!(quote.expected_at >= trip.ordered_at.div_euclid(DAY) * DAY);
    }
}
