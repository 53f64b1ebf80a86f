//! Orders on both databases: placing, refusing, retrying, racing, holding, cancelling, waiting, moving along and coming back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod life;
mod meeting;
mod placing;
mod routing;
mod shop;
