//! Tables and properties of cartons.

use proptest::prelude::*;

use super::*;
use crate::demand::trees::Draw;

fn item(size_mm: Size, quantity: u32, weight_g: i64) -> Item {
    Item { size_mm, upright: [true; 3], quantity, weight_g, fragility: 0, stackable: true, bears_g: None }
}

fn carton(name: &str, inner_mm: Size, max_g: i64, cost: i64) -> Carton {
    let outer_mm = inner_mm.map(|e| e + 6);
    Carton { name: name.to_owned(), outer_mm, inner_mm, empty_g: 100, max_g, cost, available: None }
}

fn order(items: Vec<Item>, cartons: Vec<Carton>) -> Order {
    Order { items, cartons, protection: vec![], filler: None, postage: None, support: 0.0 }
}

fn three() -> Vec<Carton> {
    vec![
        carton("S", [200, 150, 100], 5_000, 40),
        carton("M", [300, 200, 150], 10_000, 60),
        carton("L", [400, 300, 200], 20_000, 90),
    ]
}

fn planned(order: &Order) -> Plan {
    let plan = pack(order, &Budget::steps(5_000)).unwrap();
    assert_eq!(faults(order, &plan), Ok(vec![]));
    plan
}

#[test]
fn one_box_and_the_cheapest_that_holds_it() {
    let plan = planned(&order(vec![item([190, 140, 90], 1, 500)], three()));
    assert_eq!((plan.parcels.len(), plan.parcels[0].carton, plan.cost), (1, 0, 40));
    // Two of them are too much for the small one, and one larger box is fewer than two small ones.
    let plan = planned(&order(vec![item([190, 140, 90], 2, 500)], three()));
    assert_eq!((plan.parcels.len(), plan.parcels[0].carton, plan.parcels[0].gross_g), (1, 1, 1_100));
    assert_eq!(plan.reasons, [Reason::FewestProven { boxes: 1 }]);
}

#[test]
fn weight_opens_a_second_box_and_the_bound_proves_it() {
    let plan = planned(&order(vec![item([50, 50, 50], 10, 3_000)], three()));
    assert_eq!((plan.parcels.len(), plan.bound), (2, 2));
    assert!(plan.reasons.contains(&Reason::FewestProven { boxes: 2 }));
}

#[test]
fn what_no_box_can_take_is_named_and_the_rest_goes() {
    let plan = planned(&order(
        vec![item([500, 10, 10], 1, 1), item([10, 10, 10], 1, 30_000), item([10, 10, 10], 3, 1)],
        three(),
    ));
    assert_eq!(plan.left, [1, 1, 0]);
    assert_eq!(plan.reasons[..2], [Reason::TooLarge { item: 0 }, Reason::TooHeavy { item: 1 }]);
    assert_eq!(plan.parcels.len(), 1);
    let plan = planned(&order(vec![item([10, 10, 10], 1, 1)], vec![]));
    assert_eq!(plan.reasons, [Reason::TooLarge { item: 0 }]);
}

#[test]
fn this_side_up_stays_up() {
    let mut tall = item([100, 100, 190], 1, 100);
    tall.upright = [false, false, true];
    let plan = planned(&order(vec![tall], three()));
    assert_eq!(plan.parcels[0].carton, 2, "only the large box is high enough");
}

#[test]
fn nothing_lies_on_what_bears_nothing() {
    let cube = |stackable| Item { stackable, ..item([100, 100, 100], 2, 100) };
    let tower = vec![carton("tower", [100, 100, 200], 9_000, 10)];
    assert_eq!(planned(&order(vec![cube(true)], tower.clone())).parcels.len(), 1);
    assert_eq!(planned(&order(vec![cube(false)], tower.clone())).parcels.len(), 2);
    // One that bears nothing goes on one that does.
    let mixed = vec![Item { quantity: 1, ..cube(false) }, Item { quantity: 1, ..cube(true) }];
    let plan = planned(&order(mixed, tower));
    assert_eq!(plan.parcels.len(), 1);
    assert!(plan.parcels[0].placed.iter().any(|p| p.kind == 0 && p.at[2] == 100));
}

#[test]
fn fragile_goes_on_top_and_is_wrapped() {
    let mut glass = item([90, 90, 90], 1, 200);
    glass.fragility = 2;
    let mut asked =
        order(vec![glass, item([100, 100, 100], 1, 900)], vec![carton("tower", [100, 100, 200], 9_000, 10)]);
    let wrap = |name: &str, fragility, thickness_mm| Protection {
        name: name.to_owned(),
        fragility,
        thickness_mm,
        cost_per_m2: 100,
        grams_per_m2: 50,
    };
    asked.protection = vec![wrap("paper", 1, 2), wrap("bubbles", 2, 5), wrap("foam", 3, 30)];
    asked.filler = Some(Filler { cost_per_100l: 500, grams_per_100l: 1_000 });
    let plan = planned(&asked);
    let parcel = &plan.parcels[0];
    assert!(parcel.placed.iter().any(|p| p.kind == 0 && p.at[2] == 100 && p.size == [100; 3]));
    // 6 × 100 cm² of bubbles: 6 minor units and 3 g; the box is full, no filler.
    assert_eq!(parcel.wrapped, [Wrapped { protection: 1, pieces: 1, area_cm2: 600 }]);
    assert_eq!((parcel.material_cost, parcel.gross_g, parcel.filler_cm3), (16, 100 + 200 + 3 + 900, 0));
}

#[test]
fn loads_are_limited() {
    let weak = Item { bears_g: Some(150), ..item([100, 100, 100], 1, 10) };
    let heavy = item([100, 100, 100], 1, 400);
    let tower = vec![carton("tower", [100, 100, 200], 9_000, 10)];
    let plan = planned(&order(vec![weak.clone(), heavy.clone()], tower.clone()));
    assert_eq!(plan.parcels.len(), 1, "the weak one goes on top");
    let plan = planned(&order(
        vec![Item { quantity: 3, ..weak }, heavy],
        vec![carton("tower", [100, 100, 400], 9_000, 10)],
    ));
    assert_eq!(plan.parcels.len(), 1);
}

#[test]
fn postage_by_volume_prefers_the_small_box() {
    let mut asked = order(vec![item([190, 140, 90], 1, 200)], three());
    asked.cartons[0].cost = 95;
    let steps = vec![(1_000, 400), (2_000, 500), (10_000, 900)];
    asked.postage = Some(Postage { divisor: Some(5_000), steps, beyond_per_kg: None });
    let plan = planned(&asked);
    let parcel = &plan.parcels[0];
    assert_eq!((parcel.carton, parcel.billable_g, parcel.postage), (0, 682, 400));
    assert_eq!(plan.cost, 495);
}

#[test]
fn a_table_of_prices_is_read_as_carriers_mean_it() {
    let mut table =
        Postage { divisor: Some(5_000), steps: vec![(2_000, 50), (1_000, 40)], beyond_per_kg: Some(7) };
    assert_eq!(table.price(1_000), Some(40));
    assert_eq!(table.price(1_001), Some(50));
    assert_eq!(table.price(2_001), Some(57));
    assert_eq!(table.price(4_000), Some(64));
    assert_eq!(table.billable(10, [100, 100, 101]), 202);
    table.beyond_per_kg = None;
    assert_eq!(table.price(2_001), None);
}

#[test]
fn cartons_run_out() {
    let mut only = carton("S", [100, 100, 100], 5_000, 40);
    only.available = Some(2);
    let plan = planned(&order(vec![item([100, 100, 60], 2, 1), item([100, 100, 60], 1, 1)], vec![only]));
    assert_eq!((plan.parcels.len(), plan.left), (2, vec![0, 1]));
    assert!(plan.reasons.contains(&Reason::CartonsRanOut { item: 1, pieces: 1 }));
}

#[test]
fn numbers_without_sense_are_refused_by_name() {
    let refused = |asked: &Order| pack(asked, &Budget::steps(10)).unwrap_err();
    let good = order(vec![item([10, 10, 10], 1, 1)], three());
    let mut bad = good.clone();
    bad.items[0].size_mm[1] = -3;
    assert!(refused(&bad).to_string().starts_with("item 0: edges"));
    let mut bad = good.clone();
    bad.cartons[2].max_g = -1;
    assert!(matches!(refused(&bad), Refused::Carton { carton: 2, .. }));
    let mut bad = good.clone();
    bad.support = f64::NAN;
    assert!(matches!(refused(&bad), Refused::Field { field: "support", .. }));
    let mut bad = good.clone();
    bad.postage = Some(Postage { divisor: Some(0), steps: vec![], beyond_per_kg: None });
    assert!(matches!(refused(&bad), Refused::Field { field: "postage", .. }));
    let mut bad = good;
    bad.items[0].quantity = u32::MAX;
    assert_eq!(refused(&bad), Refused::TooMany);
}

/// A box cut by planes into so many parts, each a little smaller than its part was: the box holds them again.
fn cut(inside: Size, parts: usize, draw: &mut Draw) -> Vec<Size> {
    let mut pieces = vec![inside];
    while pieces.len() < parts {
        let largest = (0..pieces.len()).max_by_key(|i| pieces[*i].map(i64::from).iter().product::<i64>());
        let mut piece = pieces.swap_remove(largest.unwrap_or(0));
        let edge = (0..3).max_by_key(|d| piece[*d]).unwrap_or(0);
        let at = (f64::from(piece[edge]) * (0.35 + 0.3 * draw.unit())) as i32;
        let mut other = piece;
        (piece[edge], other[edge]) = (at, piece[edge] - at);
        pieces.extend([piece, other]);
    }
    pieces.iter().map(|p| p.map(|edge| edge * 97 / 100)).collect()
}

#[test]
fn boxes_that_were_cut_up_are_put_together_again() {
    let mut draw = Draw::new(3);
    let (mut ours, mut cuts, mut bound) = (0, 0, 0);
    for case in 0..24 {
        let boxes = 1 + case % 3;
        let items: Vec<Item> =
            (0..boxes).flat_map(|_| cut([400, 300, 200], 5, &mut draw)).map(|s| item(s, 1, 200)).collect();
        let plan = pack(&order(items.clone(), three()), &Budget::steps(8_000)).unwrap();
        assert_eq!(faults(&order(items, three()), &plan), Ok(vec![]));
        assert_eq!(plan.left.iter().sum::<u32>(), 0);
        assert!(plan.bound <= boxes && plan.bound <= plan.parcels.len(), "{boxes}: {}", plan.bound);
        (ours, cuts, bound) = (ours + plan.parcels.len(), cuts + boxes, bound + plan.bound);
    }
    assert!(ours <= cuts + 2, "{ours} boxes, {cuts} were cut up");
    assert!(bound * 10 >= cuts * 8, "{bound} of {cuts}: a weak bound");
}

#[test]
fn any_orders_take_few_more_boxes_than_their_volume() {
    let mut draw = Draw::new(9);
    let (mut ours, mut bound) = (0, 0);
    for _ in 0..40 {
        let mut edge = |low: i32, high: i32| low + (draw.unit() * f64::from(high - low)) as i32;
        let items: Vec<Item> = (0..edge(1, 6))
            .map(|_| {
                item([edge(30, 250), edge(20, 180), edge(10, 120)], edge(1, 5) as u32, edge(50, 900).into())
            })
            .collect();
        let plan = planned(&order(items, three()));
        (ours, bound) = (ours + plan.parcels.len(), bound + plan.bound);
    }
    assert!(ours * 100 <= bound * 110, "{ours} boxes, {bound} by volume and weight");
}

fn any_item() -> impl Strategy<Value = Item> {
    let size = [10i32..220, 10i32..220, 5i32..120];
    (size, 1u8..8, 1u32..6, 0i64..3_000, 0u8..3, any::<bool>(), proptest::option::of(0i64..4_000)).prop_map(
        |(size_mm, sides, quantity, weight_g, fragility, stackable, bears_g)| Item {
            size_mm,
            upright: [sides & 1 > 0, sides & 2 > 0, sides & 4 > 0],
            quantity,
            weight_g,
            fragility,
            stackable,
            bears_g,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn every_plan_stands_before_the_checker_loses_nothing_and_is_the_same_again(
        items in proptest::collection::vec(any_item(), 1..5),
        support in prop_oneof![Just(0.0), Just(0.6), Just(1.0)],
        available in proptest::option::of(0u32..3),
        rich in any::<bool>(),
    ) {
        let mut asked = order(items, three());
        asked.support = support;
        asked.cartons[2].available = available;
        if rich {
            asked.protection = vec![Protection {
                name: "bubbles".into(), fragility: 1, thickness_mm: 4, cost_per_m2: 90, grams_per_m2: 40,
            }];
            asked.filler = Some(Filler { cost_per_100l: 300, grams_per_100l: 900 });
            asked.postage = Some(Postage { divisor: Some(5_000), steps: vec![(2_000, 390), (8_000, 790)], beyond_per_kg: Some(60) });
        }
        let plan = pack(&asked, &Budget::steps(600)).unwrap();
        prop_assert_eq!(faults(&asked, &plan), Ok(vec![]));
        prop_assert!(plan.left.iter().zip(&asked.items).all(|(left, item)| *left <= item.quantity));
        let explained = |i: usize| plan.reasons.iter().any(|r| matches!(r, Reason::TooLarge { item } | Reason::TooHeavy { item }
            | Reason::NoPostage { item } | Reason::CartonsRanOut { item, .. } if *item == i));
        for i in 0..asked.items.len() {
            prop_assert_eq!(plan.left[i] > 0, explained(i));
        }
        prop_assert!(plan.parcels.iter().all(|p| !p.placed.is_empty()));
        prop_assert_eq!(plan.cost, plan.parcels.iter().map(Parcel::cost).sum::<i64>());
        prop_assert_eq!(pack(&asked, &Budget::steps(600)).unwrap().parcels, plan.parcels);
    }

    #[test]
    fn any_numbers_give_a_plan_or_a_reason(
        size_mm in (any::<i32>(), 1i32..60_000, 1i32..60_000).prop_map(|(a, b, c)| [a, b, c]), quantity in any::<u32>(), weight_g in any::<i64>(),
        inner_mm in (1i32..60_000, 1i32..60_000, any::<i32>()).prop_map(|(a, b, c)| [a, b, c]), max_g in any::<i64>(), cost in any::<i64>(),
        support in any::<f64>(), step in any::<(i64, i64)>(), divisor in proptest::option::of(any::<i64>()),
    ) {
        let mut asked = order(vec![item(size_mm, quantity % 20, weight_g), item([9, 9, 9], quantity, 1)], three());
        asked.cartons[0] = carton("X", [1, 1, 1], max_g, cost);
        asked.cartons[0].inner_mm = inner_mm;
        asked.support = support;
        asked.postage = Some(Postage { divisor, steps: vec![step], beyond_per_kg: Some(cost) });
        let mut mild = asked.clone();
        (mild.support, mild.postage) = (0.0, None);
        mild.items[1].quantity %= 30;
        for asked in [asked, mild] {
            if let Ok(plan) = pack(&asked, &Budget::steps(50)) {
                prop_assert_eq!(faults(&asked, &plan), Ok(vec![]));
            }
        }
    }
}
