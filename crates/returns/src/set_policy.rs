//! Set the policy of returns. Invariant: the settings are written together, and who changed them is in the event.

use crate::model::Reason;
use crate::policy::Policy;
use db::{Tx, settings};
use kernel::{Fault, Timestamp, refusals};
use serde::{Deserialize, Serialize};

/// Days of a window at most.
const LONGEST: i64 = 3650;

/// The policy that shall hold from now on.
#[derive(Debug, Clone)]
pub struct SetPolicy {
    /// When.
    pub at: Timestamp,
    /// What.
    pub policy: Policy,
}

refusals! {
    /// Why a policy is not taken.
    pub enum PolicyRefused {
        BadWindow { days: i64, most: i64 } => Invalid, "returns.bad_window", "A window of {days} days is not between 0 and {most}.";
    }
}

/// The policy of returns was changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyChanged {
    /// Days from delivery within which customers may ask.
    pub window_days: i64,
    /// Requests are approved as they come.
    pub auto_approve: bool,
    /// Who may send units gets a label for it.
    #[serde(default)]
    pub gives_label: bool,
    /// Reasons for which shipping is given back.
    pub our_fault: Vec<Reason>,
}
kernel::fact!(PolicyChanged, "return_policy.changed");

/// What the event of a changed policy is about.
pub const SUBJECT: &str = "return_policy";

/// Sets policies: one outcome per item, in order; the last one holds.
///
/// # Errors
/// A fault of the database.
pub async fn set_policies(tx: &Tx, batch: &[SetPolicy]) -> Result<Vec<Result<(), PolicyRefused>>, Fault> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for set in batch {
        let p = &set.policy;
        if !(0..=LONGEST).contains(&p.window_days) {
            outcomes.push(Err(PolicyRefused::BadWindow { days: p.window_days, most: LONGEST }));
            continue;
        }
        let fact = PolicyChanged {
            window_days: p.window_days,
            auto_approve: p.auto_approve,
            gives_label: p.gives_label,
            our_fault: p.our_fault.clone(),
        };
        tx.record(set.at, SUBJECT, None, fact)?;
        outcomes.push(Ok(()));
    }
    let last = batch.iter().zip(&outcomes).rfind(|(_, outcome)| outcome.is_ok());
    if let Some((SetPolicy { policy, .. }, _)) = last {
        let all = [
            ("return_window_days", serde_json::to_value(policy.window_days)?),
            ("return_auto_approve", serde_json::to_value(policy.auto_approve)?),
            ("return_label", serde_json::to_value(policy.gives_label)?),
            ("return_our_fault", serde_json::to_value(&policy.our_fault)?),
        ];
        settings::set_all(tx, all.map(|(key, value)| (key.to_owned(), value))).await?;
    }
    Ok(outcomes)
}
