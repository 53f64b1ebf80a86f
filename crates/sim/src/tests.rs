//! That simulations pass, repeat, and can fail.

use crate::sim::Plant;
use crate::*;

const PROGRAM: Program = Program { options, jobs, timers, laws };

fn slices() -> Vec<web::Slice> {
    vec![
        web::SLICE,
        catalog::SLICE,
        customers::SLICE,
        inventory::SLICE,
        payments::SLICE,
        orders::SLICE,
        warehouse::SLICE,
        shipping::SLICE,
        returns::SLICE,
        books::SLICE,
        automation::SLICE,
    ]
}
fn options(connections: u32, clock: db::Clock) -> db::Options {
    let slices = slices();
    db::Options {
        clock,
        connections,
        reactions: web::all(&slices, |s| s.reactions),
        listeners: web::all(&slices, |s| s.listeners),
    }
}
fn jobs() -> &'static [db::JobKind] {
    static JOBS: std::sync::LazyLock<Vec<db::JobKind>> =
        std::sync::LazyLock::new(|| web::all(&slices(), |s| s.jobs));
    &JOBS
}
fn timers() -> &'static [db::Timer] {
    static TIMERS: std::sync::LazyLock<Vec<db::Timer>> =
        std::sync::LazyLock::new(|| web::all(&slices(), |s| s.timers));
    &TIMERS
}
fn laws() -> Vec<db::Law> {
    web::all(&slices(), |s| s.laws)
}

fn holds(seed: u64, orders: usize) {
    let plan = Plan { seed, orders, per_world: 250, at_once: 1 };
    let summary = run(PROGRAM, &plan, &mut |_| {});
    if let Some(failure) = summary.failure {
        panic!("seed {}, {}: {}\n{}", failure.seed, failure.law, failure.says, failure.trace.join("\n"));
    }
    assert_eq!(summary.done.orders, orders);
    assert!(summary.done.placed > orders / 2, "most orders are taken: {:?}", summary.done);
    // A merchant whose every wish is refused would prove nothing.
    let never: Vec<_> = summary.answers.iter().filter(|(_, (taken, _))| *taken == 0).collect();
    assert!(never.is_empty(), "never taken: {never:?} of {:?}", summary.answers);
    let refused = summary.answers.values().filter(|(_, refused)| *refused > 0).count();
    assert!(refused >= 20, "much is tried that cannot be: {:?}", summary.answers);
}

#[test]
fn a_thousand_orders_go_well() {
    holds(1, 1_000);
}

#[test]
fn another_thousand_go_well() {
    holds(2_001, 1_000);
}

#[test]
fn the_same_seed_is_the_same_world() {
    let plan = Plan { seed: 7, orders: 200, per_world: 100, at_once: 2 };
    let once = run(PROGRAM, &plan, &mut |_| {});
    let again = run(PROGRAM, &Plan { at_once: 1, ..plan }, &mut |_| {});
    assert_eq!(once, again);
    let other = run(PROGRAM, &Plan { seed: 8, ..plan }, &mut |_| {});
    assert_ne!(once.trace, other.trace);
}

/// Plants a bug, and gives the laws that break with the length of the shortest traces.
fn found(plant: Plant) -> (String, usize) {
    for seed in 1..40 {
        let steps = steps(seed, 60);
        let world = World { plant: Some(plant), ..world(PROGRAM, seed, &steps) };
        if let Err(broken) = world.run() {
            let law = broken.trouble.law;
            let short = shrink::shrink(&world, broken.at, &law, 300);
            let again = World { steps: &short, ..world }.run();
            assert!(again.is_err_and(|b| b.trouble.law == law), "the short trace breaks the same law");
            let sound = World { plant: None, ..World { steps: &short, ..world } }.run();
            assert!(sound.is_ok(), "without the bug it holds: {sound:?}");
            eprintln!("{plant:?}: {law} by {short:?}");
            return (law, short.len());
        }
    }
    panic!("{plant:?} is not found");
}

#[test]
fn a_cent_too_much_is_found() {
    let (law, steps) = found(Plant::CentTooMuch);
    // The model's sum of what was granted, or the customer's letter about it: whichever is looked at first.
    assert!(["refunds.granted", "mails.called_for"].contains(&law.as_str()), "{law}");
    assert!(steps <= 8, "{steps} steps");
}

#[test]
fn a_unit_that_is_promised_twice_is_found() {
    let (law, steps) = found(Plant::PromisedTwice);
    assert_eq!(law, "stock.promised_once");
    assert!(steps <= 6, "{steps} steps");
}

#[test]
fn a_card_that_is_charged_twice_is_found() {
    let (law, steps) = found(Plant::FreshKey);
    assert_eq!(law, "payments.charged_once");
    assert!(steps <= 8, "{steps} steps");
}

#[test]
fn an_email_that_is_forgotten_is_found() {
    let (law, steps) = found(Plant::NoConfirmation);
    assert_eq!(law, "mails.arrive");
    assert!(steps <= 4, "{steps} steps");
}

#[test]
fn a_webhook_that_is_not_sent_again_is_found() {
    let (law, steps) = found(Plant::NoSecondTry);
    assert_eq!(law, "webhooks.owed");
    assert!(steps <= 4, "{steps} steps");
}
