//! Shipping on both databases: from order to door, out-of-order tracking, carriers that are called, webhooks, documents, the API.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod api;
mod carriers;
mod journey;
mod pages;
#[path = "../../../warehouse/tests/it/shop.rs"]
#[allow(dead_code, reason = "the warehouse's tests use all of it")]
mod shop;
mod tracking;
