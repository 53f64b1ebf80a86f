//! Tables and properties of the parcel plan.

use proptest::prelude::*;

use super::*;

fn item(size_mm: Size, quantity: u32, weight_g: i64) -> Item {
    Item { size_mm, upright: [true; 3], quantity, weight_g, fragility: 0, stackable: true, bears_g: None }
}

fn carton(name: &str, inner_mm: Size, cost: i64) -> Carton {
    let outer_mm = inner_mm.map(|e| e + 6);
    Carton { name: name.to_owned(), outer_mm, inner_mm, empty_g: 100, max_g: 30_000, cost, available: None }
}

fn service(name: &str, arrives: i64, steps: &[(i64, i64)]) -> Service {
    Service {
        name: name.to_owned(),
        arrives,
        prices: Postage { divisor: None, steps: steps.to_vec(), beyond_per_kg: None },
        max_g: None,
        max_length_mm: None,
        max_girth_mm: None,
        surcharges: vec![],
        fuel_bp: 0,
    }
}

fn order(items: Vec<Item>, services: Vec<Service>) -> Order {
    Order {
        items,
        cartons: vec![
            carton("S", [200, 150, 100], 40),
            carton("M", [300, 200, 150], 60),
            carton("L", [400, 300, 200], 90),
        ],
        protection: vec![],
        filler: None,
        support: 0.0,
        services,
        promise: 5,
        handling: 0,
    }
}

fn planned(order: &Order) -> Plan {
    let plan = plan(order, &Budget::steps(20_000)).unwrap();
    assert_eq!(faults(order, &plan), Ok(vec![]));
    plan
}

#[test]
fn two_light_parcels_are_cheaper_than_one_heavy_one() {
    // One box of 3.1 kg costs 1,000; two of 1.6 kg cost 300 each.
    let plan = planned(&order(
        vec![item([190, 140, 90], 2, 1_500)],
        vec![service("ground", 4, &[(2_000, 300), (5_000, 1_000)])],
    ));
    assert_eq!((plan.parcels.len(), plan.cost, plan.pack_then_rate), (2, 680, Some(1_060)));
    assert_eq!(plan.reasons, [Reason::Exact, Reason::Saved { minor: 380, parcels_then: 1 }]);
}

#[test]
fn handling_makes_parcels_dear_again() {
    let mut asked = order(
        vec![item([190, 140, 90], 2, 1_500)],
        vec![service("ground", 4, &[(2_000, 300), (5_000, 1_000)])],
    );
    asked.handling = 400;
    let plan = planned(&asked);
    assert_eq!((plan.parcels.len(), plan.cost), (1, 1_460));
    assert!(plan.reasons.contains(&Reason::SameAsPackThenRate));
}

#[test]
fn parcels_go_by_different_services() {
    // The letter service takes small and light ones only; the heavy piece goes by ground, the late one by nobody.
    let mut letter = service("letter", 5, &[(500, 100)]);
    letter.max_length_mm = Some(250);
    let ground = service("ground", 3, &[(10_000, 700), (20_000, 1_900)]);
    let plan = planned(&order(
        vec![item([390, 290, 190], 1, 9_800), item([100, 100, 50], 1, 200)],
        vec![letter, ground, service("slow", 9, &[(20_000, 1)])],
    ));
    let mut services: Vec<_> = plan.parcels.iter().map(|p| p.service).collect();
    services.sort();
    assert_eq!((services, plan.cost, plan.arrives), (vec![Some(0), Some(1)], 100 + 40 + 700 + 90, Some(5)));
}

#[test]
fn a_promise_nobody_keeps_is_said_and_the_earliest_taken() {
    let asked = order(
        vec![item([50, 50, 50], 1, 100)],
        vec![service("slow", 9, &[(9_000, 100)]), service("fast", 7, &[(9_000, 900)])],
    );
    let plan = planned(&asked);
    assert_eq!(plan.reasons[0], Reason::PromiseBroken { earliest: 7, promise: 5 });
    assert_eq!(plan.parcels[0].service, Some(1));
}

#[test]
fn what_cannot_be_sent_is_named_and_the_rest_goes() {
    let plan = planned(&order(
        vec![item([900, 10, 10], 1, 1), item([10, 10, 10], 2, 9_000), item([10, 10, 10], 3, 10)],
        vec![service("ground", 4, &[(5_000, 300)])],
    ));
    assert_eq!(plan.left, [1, 2, 0]);
    assert_eq!(
        plan.reasons[..2],
        [
            Reason::Packing(cartons::Reason::TooLarge { item: 0 }),
            Reason::Packing(cartons::Reason::NoPostage { item: 1 })
        ]
    );
    let nobody = planned(&order(vec![item([10, 10, 10], 1, 1)], vec![]));
    assert_eq!(
        (nobody.reasons[0].clone(), nobody.left, nobody.pack_then_rate),
        (Reason::NoServices, vec![1], None)
    );
}

#[test]
fn surcharges_limits_and_fuel_are_in_the_price() {
    let mut ground = service("ground", 1, &[(10_000, 1_000)]);
    ground.surcharges = vec![
        Surcharge { name: "long".into(), over: Limit::LengthMm(500), price: 250 },
        Surcharge { name: "heavy".into(), over: Limit::Grams(5_000), price: 100 },
        Surcharge { name: "wide".into(), over: Limit::WidthMm(300), price: 10 },
        Surcharge { name: "girth".into(), over: Limit::GirthMm(1_100), price: 1 },
    ];
    ground.fuel_bp = 1_050;
    assert_eq!(ground.price(4_000, [500, 200, 100]), Some((4_000, 1_105)));
    assert_eq!(ground.price(6_000, [501, 200, 100]), Some((6_000, 1_493)));
    ground.max_girth_mm = Some(1_101);
    assert_eq!(ground.price(1, [501, 200, 101]), None);
    let mut bad = order(vec![], vec![ground]);
    bad.services[0].prices.steps.clear();
    assert!(
        plan(&bad, &Budget::steps(1)).unwrap_err().to_string().starts_with("service 0: a table of prices")
    );
    bad.services.clear();
    bad.handling = -1;
    assert_eq!(plan(&bad, &Budget::steps(1)).unwrap_err(), Refused::Handling);
}

fn any_service() -> impl Strategy<Value = Service> {
    (
        0i64..8,
        200i64..900,
        1i64..900,
        proptest::option::of(3_000i64..7_000),
        proptest::option::of(1_000i64..9_000),
    )
        .prop_map(|(arrives, first, more, divisor, max_g)| Service {
            prices: Postage {
                divisor,
                steps: vec![
                    (1_000, first),
                    (2_000, first + more),
                    (5_000, first + 3 * more),
                    (12_000, first + 9 * more),
                ],
                beyond_per_kg: None,
            },
            max_g,
            ..service("any", arrives, &[])
        })
}

type Known = std::collections::HashMap<Vec<u32>, Option<i64>>;

/// The cheapest partition by trying each: a piece joins any parcel so far or opens one.
fn brute(
    order: &Order,
    known: &mut Known,
    pieces: &[usize],
    parcels: &mut Vec<Vec<u32>>,
    best: &mut Option<i64>,
) {
    let Some((piece, rest)) = pieces.split_first() else {
        let mut price =
            |counts: &Vec<u32>| *known.entry(counts.clone()).or_insert_with(|| alone(order, counts));
        let total: Option<i64> = parcels.iter().map(&mut price).sum();
        *best = [*best, total].into_iter().flatten().min();
        return;
    };
    for i in 0..parcels.len() {
        parcels[i][*piece] += 1;
        brute(order, known, rest, parcels, best);
        parcels[i][*piece] -= 1;
    }
    let mut counts = vec![0; order.items.len()];
    counts[*piece] = 1;
    parcels.push(counts);
    brute(order, known, rest, parcels, best);
    parcels.pop();
}

/// What these pieces cost in one box: any carton, any service in time.
fn alone(order: &Order, counts: &[u32]) -> Option<i64> {
    let mut best: Option<i64> = None;
    for carton in &order.cartons {
        let mut one = as_cartons(order);
        one.cartons = vec![carton.clone()];
        one.items.iter_mut().zip(counts).for_each(|(item, n)| item.quantity = *n);
        let packed = cartons::pack(&one, &Budget::steps(3_000)).unwrap();
        if packed.parcels.len() != 1 || packed.left.iter().any(|l| *l > 0) {
            continue;
        }
        let parcel = &packed.parcels[0];
        let prices = order.services.iter().filter(|s| s.arrives <= order.promise);
        let price = prices.filter_map(|s| s.price(parcel.gross_g, carton.outer_mm)).map(|p| p.1).min();
        best = [best, price.map(|p| p + parcel.material_cost + order.handling)].into_iter().flatten().min();
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn a_few_pieces_cost_what_trying_everything_finds(
        items in proptest::collection::vec(([40i32..300, 40i32..200, 20i32..150], 50i64..4_000), 1..5),
        services in proptest::collection::vec(any_service(), 1..4),
        handling in 0i64..200,
    ) {
        let mut asked = order(items.iter().map(|(size, weight)| item(*size, 1, *weight)).collect(), services);
        asked.handling = handling;
        let plan = plan(&asked, &Budget::steps(200_000)).unwrap();
        prop_assert_eq!(faults(&asked, &plan), Ok(vec![]));
        let in_time = asked.services.iter().any(|s| s.arrives <= asked.promise);
        if in_time && plan.left.iter().all(|l| *l == 0) {
            prop_assert!(plan.reasons.contains(&Reason::Exact));
            let mut best = None;
            let pieces: Vec<usize> = (0..asked.items.len()).collect();
            brute(&asked, &mut Known::new(), &pieces, &mut Vec::new(), &mut best);
            prop_assert_eq!(Some(plan.cost), best);
        }
    }

    #[test]
    fn any_numbers_give_a_plan_or_a_reason(
        size_mm in (any::<i32>(), 1i32..60_000, 1i32..400).prop_map(|(a, b, c)| [a, b, c]), quantity in any::<u32>(),
        numbers in proptest::collection::vec(prop_oneof![2 => 0i64..9_000, 1 => any::<i64>()], 12), support in any::<f64>(),
        limit in 0usize..4,
    ) {
        let n = |i: usize| numbers[i];
        let over = [Limit::Grams(n(0)), Limit::LengthMm(n(0)), Limit::WidthMm(n(0)), Limit::GirthMm(n(0))][limit];
        let odd = Service {
            prices: Postage { divisor: Some(n(1)), steps: vec![(n(2), n(3))], beyond_per_kg: Some(n(4)) },
            max_g: Some(n(5)), max_length_mm: Some(n(6)), max_girth_mm: Some(n(7)),
            surcharges: vec![Surcharge { name: "x".into(), over, price: n(8) }], fuel_bp: n(9),
            ..service("odd", n(10), &[])
        };
        let ground = || service("ground", 1, &[(9_000, 500)]);
        let asked = order(vec![item(size_mm, quantity % 9, n(11)), item([90, 60, 30], 2, 400)], vec![odd, ground()]);
        let mut wild = asked.clone();
        (wild.support, wild.handling, wild.promise, wild.items[1].quantity) = (support, n(3), n(10), quantity);
        let mut mild = asked.clone();
        mild.services = vec![ground()];
        for asked in [asked, wild, mild] {
            match plan(&asked, &Budget::steps(200)) {
                Ok(plan) => prop_assert_eq!(faults(&asked, &plan), Ok(vec![])),
                Err(refused) => prop_assert!(!refused.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn never_dearer_than_boxes_first_and_everything_in_time(
        items in proptest::collection::vec(([20i32..300, 20i32..200, 10i32..150], 1u32..6, 20i64..4_000), 1..6),
        services in proptest::collection::vec(any_service(), 0..4),
        handling in 0i64..200, steps in 1u64..3_000, available in proptest::option::of(0u32..3),
    ) {
        let mut asked = order(items.iter().map(|(size, n, weight)| item(*size, *n, *weight)).collect(), services);
        asked.handling = handling;
        asked.cartons[2].available = available;
        let plan = plan(&asked, &Budget::steps(steps)).unwrap();
        prop_assert_eq!(faults(&asked, &plan), Ok(vec![]));
        prop_assert!(plan.pack_then_rate.is_none_or(|then| plan.cost <= then));
        let said = plan.pack_then_rate.map(|then| then - plan.cost).filter(|s| *s > 0);
        let saved = plan.reasons.iter().find_map(|r| match r { Reason::Saved { minor, .. } => Some(*minor), _ => None });
        prop_assert_eq!(said, saved);
        let used = plan.parcels.iter().filter(|p| p.carton == 2).count();
        prop_assert!(available.is_none_or(|there| used <= there as usize));
    }
}
