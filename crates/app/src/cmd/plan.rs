//! `fulmar plan`: a decision of the planner on a person's file. Invariant: it plans and changes nothing.

use super::write_out;
use crate::Failure;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// sourcing, waves, batching, pick_tours, cartons, container_fill, parcel_plan, routes, demand, promise or risk
    decision: String,
    /// What is to be planned; docs/planner has the format of each with an example
    file: PathBuf,
    /// Draw the plan into this file (tours, routes and packings)
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Seconds to search for, instead of the decision's own
    #[arg(long)]
    seconds: Option<f64>,
}

/// Plans, and prints the plan as JSON.
///
/// # Errors
/// A file that does not read, with the place and the way out.
pub fn run(args: &Args) -> Result<(), Failure> {
    let plan = planning::cli::plan(&args.decision, &args.file, args.svg.as_deref(), args.seconds)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let text = serde_json::to_string_pretty(&plan).map_err(kernel::Fault::from)?;
    write_out(format!("{text}\n").as_bytes())
}
