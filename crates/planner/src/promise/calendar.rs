//! Working days, holidays and the cut-off. Invariant: `day_at(position(t))` is the first working day on which something begun at `t` can go on,
//! and both grow with their argument.
//!
//! Times are minutes since 1970-01-01 00:00 on the clock of the wall where parcels are packed; days are days since that date.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Minutes of a day.
pub const DAY: i64 = 1_440;

/// When there is work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    /// Monday first.
    pub workdays: [bool; 7],
    /// Days on which nobody works, as days since 1970-01-01.
    pub holidays: BTreeSet<i64>,
    /// Minute of the day after which an order waits for the next working day; 1440 for none.
    pub cut_off: i64,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            workdays: [true, true, true, true, true, false, false],
            holidays: BTreeSet::new(),
            cut_off: DAY,
        }
    }
}

impl Calendar {
    /// 0 for Monday.
    pub fn weekday(day: i64) -> usize {
        // 1970-01-01 was a Thursday.
        (day + 3).rem_euclid(7) as usize
    }

    /// Whether there is work on a day.
    pub fn works(&self, day: i64) -> bool {
        self.workdays[Self::weekday(day)] && !self.holidays.contains(&day)
    }

    /// Whether there is work on any weekday at all, and the cut-off is a time of day.
    pub fn is_possible(&self) -> bool {
        self.workdays.contains(&true) && (0..=DAY).contains(&self.cut_off)
    }

    /// Working days since 1970-01-01 begun before `day`.
    fn before(&self, day: i64) -> i64 {
        let weeks = day.div_euclid(7);
        let a_week = self.workdays.iter().filter(|w| **w).count() as i64;
        let rest = (weeks * 7..day).filter(|d| self.workdays[Self::weekday(*d)]).count() as i64;
        let lost = |d: &&i64| self.workdays[Self::weekday(**d)];
        let holidays = if day >= 0 {
            -(self.holidays.range(0..day).filter(lost).count() as i64)
        } else {
            self.holidays.range(day..0).filter(lost).count() as i64
        };
        weeks * a_week + rest + holidays
    }

    /// Working days since 1970-01-01 at a time, with the part of the day that is over.
    pub fn position(&self, at: i64) -> f64 {
        let day = at.div_euclid(DAY);
        let part = at.rem_euclid(DAY) as f64 / DAY as f64;
        self.before(day) as f64 + if self.works(day) { part } else { 0.0 }
    }

    /// The same for an order: after the cut-off it is the next working day.
    pub fn position_of_order(&self, at: i64) -> f64 {
        let day = at.div_euclid(DAY);
        if self.works(day) && at.rem_euclid(DAY) >= self.cut_off {
            return self.before(day + 1) as f64;
        }
        self.position(at)
    }

    /// The time that a position stands for: the working day it falls on, and the part of it.
    pub fn time_at(&self, position: f64) -> i64 {
        let whole = position.floor();
        let wanted = whole as i64;
        // Weeks bring it near; holidays and week-ends are walked.
        let a_week = self.workdays.iter().filter(|w| **w).count().max(1) as i64;
        let mut day = wanted.div_euclid(a_week) * 7;
        while self.before(day) > wanted {
            day -= 7;
        }
        // A year of holidays in a row is the longest walk that a calendar with any work can ask for.
        let end = day + 3_660;
        while day < end && !(self.before(day) == wanted && self.works(day)) {
            day += 1;
        }
        day * DAY + ((position - whole) * DAY as f64) as i64
    }

    /// The day that a position falls on.
    pub fn day_at(&self, position: f64) -> i64 {
        self.time_at(position).div_euclid(DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // 2026-01-01 is a Thursday, 20,454 days after 1970-01-01.
    const NEW_YEAR: i64 = 20_454;

    #[test]
    fn week_ends_holidays_and_the_cut_off_are_jumped() {
        let calendar = Calendar { holidays: [NEW_YEAR].into(), cut_off: 14 * 60, ..Calendar::default() };
        let at = |day: i64, hour: i64| day * DAY + hour * 60;
        let start = |t| calendar.day_at(calendar.position_of_order(t));
        assert_eq!(Calendar::weekday(NEW_YEAR), 3);
        assert_eq!(start(at(NEW_YEAR - 1, 13)), NEW_YEAR - 1);
        assert_eq!(start(at(NEW_YEAR - 1, 14)), NEW_YEAR + 1, "over the holiday");
        assert_eq!(start(at(NEW_YEAR + 1, 15)), NEW_YEAR + 4, "over the week-end");
        assert_eq!(start(at(NEW_YEAR + 2, 9)), NEW_YEAR + 4);
        let two_days = calendar.position_of_order(at(NEW_YEAR - 1, 9)) + 2.0;
        assert_eq!(calendar.day_at(two_days), NEW_YEAR + 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn there_and_back(at in -3_000_000i64..40_000_000, gap in 0i64..20_000, off in 0usize..7, cut_off in 0i64..=DAY) {
            let mut calendar = Calendar { cut_off, ..Calendar::default() };
            calendar.workdays[off] = !calendar.workdays[off];
            calendar.holidays.insert(at.div_euclid(DAY) + 1);
            let day = calendar.day_at(calendar.position_of_order(at));
            prop_assert!(calendar.works(day) && day >= at.div_euclid(DAY));
            prop_assert!(calendar.position(at + gap) >= calendar.position(at));
            prop_assert!(calendar.position_of_order(at + gap) >= calendar.position_of_order(at));
            if calendar.works(at.div_euclid(DAY)) {
                prop_assert!((calendar.time_at(calendar.position(at)) - at).abs() <= 1);
            }
        }
    }
}
