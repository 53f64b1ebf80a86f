//! Payments on both databases: folds, gateways with every way to fail, refunds to the cent, races, webhooks. After each test every law of
//! the slice holds, and the events tell exactly what changed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "it/fold.rs"]
mod fold;
#[path = "it/gateways.rs"]
mod gateways;
#[path = "it/hand.rs"]
mod hand;
// The gateways that ship with the program, by their source: they need nothing but this crate, and their crate needs half of the river.
#[path = "../../connectors/src/gateways/manual.rs"]
mod manual;
#[path = "it/refunds.rs"]
mod refunds;
#[path = "it/rest.rs"]
mod rest;
#[path = "../../connectors/src/gateways/sandbox.rs"]
mod sandbox;
#[path = "it/sandbox_tokens.rs"]
mod sandbox_tokens;
#[path = "it/shop.rs"]
mod shop;
#[path = "it/webhooks.rs"]
mod webhooks;
