//! The planner on the files of `FULMAR_DATA`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod data_cartons;
mod data_container_fill;
mod data_demand;
mod data_promise;
mod data_routes;
mod data_waves;
