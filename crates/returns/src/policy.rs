//! The merchant's policy of returns: how long, who decides, whose fault gives the shipping back.
//!
//! Settings: `return_window_days` (30), `return_auto_approve` (false), `return_label` (false), `return_our_fault` (a list of reasons: damaged, wrong_item,
//! not_as_described, defective).

use crate::model::Reason;
use db::{Sql, settings};
use kernel::{Fault, Timestamp};

/// What holds for returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Days from delivery within which customers may ask.
    pub window_days: i64,
    /// Requests are approved as they come.
    pub auto_approve: bool,
    /// Who may send units gets a label for it, on our account.
    pub gives_label: bool,
    /// Reasons for which the share of shipping and fees is given back too.
    pub our_fault: Vec<Reason>,
}

impl Default for Policy {
    fn default() -> Self {
        let our_fault = vec![Reason::Damaged, Reason::WrongItem, Reason::NotAsDescribed, Reason::Defective];
        Self { window_days: 30, auto_approve: false, gives_label: false, our_fault }
    }
}

impl Policy {
    /// The policy as it is set.
    ///
    /// # Errors
    /// A fault of the database, or when a setting does not read.
    pub async fn read(sql: &Sql) -> Result<Self, Fault> {
        let default = Self::default();
        Ok(Self {
            window_days: settings::get(sql, "return_window_days").await?.unwrap_or(default.window_days),
            auto_approve: settings::get(sql, "return_auto_approve").await?.unwrap_or(default.auto_approve),
            gives_label: settings::get(sql, "return_label").await?.unwrap_or(default.gives_label),
            our_fault: settings::get(sql, "return_our_fault").await?.unwrap_or(default.our_fault),
        })
    }
    /// Whether units delivered at `delivered` may still be asked back at `at`. What has not arrived may.
    pub fn in_window(&self, delivered: Option<Timestamp>, at: Timestamp) -> bool {
        delivered.is_none_or(|d| at <= d.plus(self.window_days.saturating_mul(Timestamp::DAY)))
    }
    /// Whether shipping is given back for a unit returned for this reason.
    pub fn gives_shipping_back(&self, reason: Reason) -> bool {
        self.our_fault.contains(&reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_begins_with_delivery() {
        let policy = Policy { window_days: 2, ..Policy::default() };
        let (delivered, day) = (Timestamp(0), Timestamp::DAY);
        assert!(policy.in_window(None, Timestamp(100 * day)));
        assert!(policy.in_window(Some(delivered), Timestamp(2 * day)));
        assert!(!policy.in_window(Some(delivered), Timestamp(2 * day + 1)));
    }
}
