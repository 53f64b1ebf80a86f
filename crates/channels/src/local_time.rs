//! Wall-clock times of a file to instants (µs since the epoch, UTC). Invariant: a time that a change of the
//! clocks made ambiguous is the earlier instant; one that the change skipped is the instant the clocks jumped to
//! plus what was beyond it. Both rules are deterministic and keep the order of times.

use chrono::{Days, LocalResult, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// Reads `2017-07-09 21:57:05` as local time of `zone`.
///
/// # Errors
/// A reason naming the text.
pub fn parse_local(zone: Tz, text: &str) -> Result<i64, String> {
    Ok(to_instant(zone, parse_naive(text)?))
}

/// The last µs of the local day that `text` falls on: what a promise "by that day" means.
///
/// # Errors
/// A reason naming the text.
pub fn end_of_day(zone: Tz, text: &str) -> Result<i64, String> {
    let next = parse_naive(text)?.date().checked_add_days(Days::new(1));
    let midnight = next.ok_or_else(|| format!("{text:?} is too late a date"))?.and_time(NaiveTime::MIN);
    Ok(to_instant(zone, midnight) - 1)
}

fn parse_naive(text: &str) -> Result<NaiveDateTime, String> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")
        .map_err(|_| format!("{text:?} is not a time like 2017-07-09 21:57:05"))
}

fn to_instant(zone: Tz, local: NaiveDateTime) -> i64 {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.timestamp_micros(),
        // Skipped: what the clock showed an hour earlier exists, and an hour after that is meant.
        LocalResult::None => match zone.from_local_datetime(&(local - TimeDelta::hours(1))).earliest() {
            Some(at) => at.timestamp_micros() + 3_600_000_000,
            None => local.and_utc().timestamp_micros(),
        },
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::{America::Sao_Paulo, Europe::London};

    use super::*;

    fn utc(text: &str) -> i64 {
        text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros()
    }

    #[test]
    fn winter_summer_and_the_changes_between() {
        let cases = [
            (Sao_Paulo, "2017-07-09 21:57:05", "2017-07-10T00:57:05Z"),
            (Sao_Paulo, "2017-12-05 01:07:52", "2017-12-05T03:07:52Z"),
            // Midnight of this day did not exist in São Paulo: the clocks went from 23:59:59 to 01:00:00.
            (Sao_Paulo, "2017-10-15 00:00:00", "2017-10-15T03:00:00Z"),
            // 23:30 came twice: the first is meant.
            (Sao_Paulo, "2018-02-17 23:30:00", "2018-02-18T01:30:00Z"),
            (London, "2010-12-01 08:26:00", "2010-12-01T08:26:00Z"),
            (London, "2011-07-26 10:13:00", "2011-07-26T09:13:00Z"),
            (London, "2011-03-27 01:30:00", "2011-03-27T01:30:00Z"),
        ];
        for (zone, text, expected) in cases {
            assert_eq!(parse_local(zone, text), Ok(utc(expected)), "{zone} {text}");
        }
        assert!(parse_local(London, "1/12/2010 8:26").is_err());
    }

    #[test]
    fn the_end_of_a_day_is_the_last_instant_before_the_next() {
        assert_eq!(end_of_day(Sao_Paulo, "2018-01-11 00:00:00"), Ok(utc("2018-01-12T02:00:00Z") - 1));
        assert_eq!(end_of_day(Sao_Paulo, "2017-10-14 00:00:00"), Ok(utc("2017-10-15T03:00:00Z") - 1));
    }
}
