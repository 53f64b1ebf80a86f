//! Decisions without actions: input snapshot → plan and reasons. No I/O, no clock, no database, no randomness that is not seeded.

pub mod batching;
pub mod budget;
pub mod cartons;
pub mod container_fill;
pub mod demand;
pub mod packing;
pub mod parcel_plan;
pub mod pick_tours;
pub mod promise;
pub mod risk;
pub mod routes;
pub mod sourcing;
pub mod waves;

pub use budget::Budget;
