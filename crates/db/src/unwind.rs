//! Panics of what runs in a loop that must not end: lanes and background work. A panic becomes a fault, so that it costs the one command
//! or job that caused it, never those that come after.

use kernel::Fault;
use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs a future; a panic inside is a fault. What it held (a transaction) is dropped by the unwinding, which rolls it back, so nothing
/// half-done is seen afterwards.
pub(crate) async fn caught<T>(running: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let mut running = pin!(running);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Err(Fault::broken(format!("panic: {}", words(&*panic))))),
    })
    .await
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}
