//! Months of the books, by UTC. Invariant: a month's text sorts as the month does.

use kernel::{Fault, Timestamp};
use std::fmt;
use std::str::FromStr;

/// A month, as `2026-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u8,
}

/// Text that is no month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAMonth(pub String);
impl fmt::Display for NotAMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” is not a month of the form 2026-01", self.0)
    }
}
impl std::error::Error for NotAMonth {}

impl Month {
    /// The month a moment lies in.
    ///
    /// # Errors
    /// A fault for moments outside of the years 0 to 9999.
    pub fn of(at: Timestamp) -> Result<Self, Fault> {
        let day = at.day();
        day.get(..7).unwrap_or(&day).parse().map_err(Fault::from)
    }
    /// Its first moment.
    pub fn start(self) -> Timestamp {
        // Days since 1970-01-01 of a date of the civil calendar, counted in years that begin in March.
        let (y, m) = (i64::from(self.year) - i64::from(self.month <= 2), i64::from(self.month));
        let era = y.div_euclid(400);
        let year_of_era = y - era * 400;
        let day_of_year = (153 * ((m + 9) % 12) + 2) / 5;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Timestamp((era * 146_097 + day_of_era - 719_468) * Timestamp::DAY)
    }
    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { year: self.year, month: month + 1 },
        }
    }
}
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
impl FromStr for Month {
    type Err = NotAMonth;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no = || NotAMonth(text.to_owned());
        let (year, month) = text.split_once('-').ok_or_else(no)?;
        let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(no());
        }
        let month: u8 = month.parse().map_err(|_| no())?;
        if !(1..=12).contains(&month) {
            return Err(no());
        }
        Ok(Self { year: year.parse().map_err(|_| no())?, month })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_moment_lies_in_its_month(micros in 0i64..4_000_000_000_000_000) {
            let at = Timestamp(micros);
            let month = Month::of(at).unwrap();
            prop_assert!(month.start() <= at && at < month.next().start());
            prop_assert_eq!(month.to_string().parse::<Month>(), Ok(month));
            prop_assert_eq!(month.start().to_string(), format!("{month}-01T00:00:00Z"));
        }
    }

    #[test]
    fn other_text_is_no_month() {
        for text in ["2026", "2026-13", "2026-00", "26-01", "2026-1", "2026-01-01", "+026-01"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
