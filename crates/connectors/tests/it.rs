//! Connectors on both databases, driven by the slices they serve.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "it/payments.rs"]
mod sandbox_payments;
