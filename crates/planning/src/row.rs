//! One figure of `fulmar bench plan`.

use serde::Serialize;

/// How a decision did on one instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// sourcing, waves, batching, pick_tours, cartons, container_fill, parcel_plan, routes, demand, promise or risk.
    pub decision: &'static str,
    /// Name of the instance.
    pub instance: String,
    /// Our objective.
    pub ours: f64,
    /// Best known value, or that of the peer rule.
    pub reference: f64,
    /// ours / reference.
    pub ratio: f64,
    /// Seconds it took.
    pub seconds: f64,
    /// Whether an independent check found nothing wrong with the plan.
    pub feasible: bool,
}

impl Row {
    /// A row; the ratio follows.
    pub fn new(
        decision: &'static str,
        instance: impl Into<String>,
        ours: f64,
        reference: f64,
        seconds: f64,
        feasible: bool,
    ) -> Self {
        Self {
            decision,
            instance: instance.into(),
            ours,
            reference,
            ratio: ours / reference,
            seconds,
            feasible,
        }
    }
}
