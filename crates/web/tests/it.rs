//! The web on both databases, through the whole router: problems, rights, idempotency, cursors, sign-in, other sites, assets, OpenAPI.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

#[path = "it/birds.rs"]
mod birds;
#[path = "it/calls.rs"]
mod calls;
#[path = "it/live.rs"]
mod live;
#[path = "it/people.rs"]
mod people;
#[path = "it/served.rs"]
mod served;
#[path = "it/shop.rs"]
mod shop;
#[path = "it/team.rs"]
mod team;
