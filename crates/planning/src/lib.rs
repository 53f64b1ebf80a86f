//! Around the planner: files in, plans, drawings and figures out. The decisions themselves are in `planner`; here they meet instance
//! files, references to compare with, and a person's CSV or JSON. Invariant: a row that cannot be read is named, never skipped.

pub mod bench_batching;
pub mod bench_cartons;
pub mod bench_container_fill;
pub mod bench_demand;
pub mod bench_parcel_plan;
pub mod bench_pick_tours;
pub mod bench_promise;
pub mod bench_risk;
pub mod bench_routes;
pub mod bench_sourcing;
pub mod bench_waves;
pub mod cli;
mod clock;
pub mod dates;
mod error;
pub mod files;
pub mod plan_batching;
pub mod plan_cartons;
pub mod plan_container_fill;
pub mod plan_demand;
pub mod plan_parcel_plan;
pub mod plan_pick_tours;
pub mod plan_promise;
pub mod plan_risk;
pub mod plan_routes;
pub mod plan_sourcing;
pub mod plan_waves;
mod row;
pub mod svg;

pub use clock::seconds_now;
pub use error::PlanningError;
pub use row::Row;
