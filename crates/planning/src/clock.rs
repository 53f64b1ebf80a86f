//! The clock of searches and figures: time on the wall, because that is what somebody waits for. A busy machine searches less, it does
//! not answer later.

use std::time::Instant;

thread_local! {
    static BEGIN: Instant = Instant::now();
}

/// Seconds from some beginning: take differences.
pub fn seconds_now() -> f64 {
    BEGIN.with(|begin| begin.elapsed().as_secs_f64())
}
