//! The pages in a real browser: what tests and pictures need to start the program on a demo shop, drive Chromium, and judge what they see.
//! Development only; no other crate uses this one.
//!
//! ```ignore
//! #[tokio::test]
//! async fn a_clerk_does_something() {
//!     on_demo(async |desk| {
//!         desk.sign_in().await;
//!         desk.go("/orders").await;
//!         desk.click("New order").await;
//!         desk.type_into("Name", "Ada Lovelace").await;
//!         desk.see("Order 10").await;
//!     })
//!     .await;
//! }
//! ```
//!
//! Things are named as people name them: a button by what stands on it, a field by its label. A name that is not there within
//! [`desk::PATIENCE`] fails the test with what the page says instead. Every test ends with a look at the browser's console: an error there,
//! as a script that throws or a policy that refuses, fails it.
//!
//! Invariant: nothing is skipped. Without Chromium, chromedriver or npm a test fails and says what to install.

pub mod desk;
pub mod driver;
pub mod pages;
pub mod shop;

pub use desk::Desk;

use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// Runs a test against a demo shop on SQLite.
pub async fn on_demo(work: impl AsyncFnOnce(&Desk)) {
    run(shop::Shop::sqlite().await, work).await;
}

/// Runs a test against a demo shop on PostgreSQL, which `cargo xtask test` brings.
pub async fn on_postgres(work: impl AsyncFnOnce(&Desk)) {
    run(shop::Shop::postgres().await, work).await;
}

/// Whatever happens, the browser is closed and the program stopped.
async fn run(shop: shop::Shop, work: impl AsyncFnOnce(&Desk)) {
    let driver = driver::Driver::start().await;
    let desk = Desk::open(&driver, &shop).await;
    let ended = AssertUnwindSafe(async {
        work(&desk).await;
        desk.no_errors().await;
    })
    .catch_unwind()
    .await;
    if ended.is_err() {
        eprintln!("the page was {}\n{}", desk.address().await, desk.text().await);
    }
    desk.close().await;
    shop.stop().await;
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}
