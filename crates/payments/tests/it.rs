//! Payments on both databases: folds, gateways with every way to fail, refunds to the cent, races, webhooks. After each test every law of
//! the slice holds, and the events tell exactly what changed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "it/fold.rs"]
mod fold;
#[path = "it/gateways.rs"]
mod gateways;
#[path = "it/hand.rs"]
mod hand;
#[path = "it/refunds.rs"]
mod refunds;
#[path = "it/rest.rs"]
mod rest;
#[path = "it/shop.rs"]
mod shop;
#[path = "it/webhooks.rs"]
mod webhooks;
