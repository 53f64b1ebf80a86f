//! The slices the program is made of, in the order of the river: reactions to an event run in this order too.

use db::{JobKind, Law, Timer};
use std::sync::LazyLock;
use web::Slice;

/// Every slice.
pub fn slices() -> Vec<Slice> {
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
        portal::SLICE,
        books::SLICE,
        automation::SLICE,
    ]
}

/// Every background job, for workers that live as long as the process.
pub fn jobs() -> &'static [JobKind] {
    static JOBS: LazyLock<Vec<JobKind>> = LazyLock::new(|| web::all(&slices(), |s| s.jobs));
    &JOBS
}

/// All timed work.
pub fn timers() -> &'static [Timer] {
    static TIMERS: LazyLock<Vec<Timer>> = LazyLock::new(|| web::all(&slices(), |s| s.timers));
    &TIMERS
}

/// Every law.
pub fn laws() -> Vec<Law> {
    web::all(&slices(), |s| s.laws)
}
