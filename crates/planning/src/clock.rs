//! The clock of the figures: processor time of this thread, so that a busy machine does not make a plan look slow.

use cpu_time::ThreadTime;

thread_local! {
    static BEGIN: ThreadTime = ThreadTime::now();
}

/// Processor seconds of this thread, from some beginning: take differences.
pub fn cpu_seconds() -> f64 {
    BEGIN.with(|begin| begin.elapsed().as_secs_f64())
}
