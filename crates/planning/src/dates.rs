//! Dates and times as text, to days and minutes and back. Invariant: `date(day(text)) == text`; what is no date is `None`, never a guess.
//!
//! Proleptic Gregorian, by Howard Hinnant's `days_from_civil` (2013).

/// Days since 1970-01-01 of `YYYY-MM-DD` at the beginning of a text.
pub fn day(text: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten()
    };
    let (y, m, d) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let found = from_civil(y, m, d);
    (text.get(4..5)? == "-" && text.get(7..8)? == "-" && civil(found) == (y, m, d)).then_some(found)
}

/// Minutes since 1970-01-01 of `YYYY-MM-DD HH:MM…` (or `T` between, or the date alone).
pub fn minute(text: &str) -> Option<i64> {
    let midnight = day(text)? * 1_440;
    if text.len() == 10 {
        return Some(midnight);
    }
    let time = text.get(10..16)?;
    let part = |range: std::ops::Range<usize>| time.get(range)?.parse::<u8>().ok().map(i64::from);
    let (h, m) = (part(1..3)?, part(4..6)?);
    let shaped = matches!(time.as_bytes(), [b' ' | b'T', _, _, b':', ..]) && h < 24 && m < 60;
    shaped.then_some(midnight + h * 60 + m)
}

/// `YYYY-MM-DD` of days since 1970-01-01.
pub fn date(day: i64) -> String {
    let (y, m, d) = civil(day);
    format!("{y:04}-{m:02}-{d:02}")
}

/// `YYYY-MM-DD HH:MM` of minutes since 1970-01-01.
pub fn date_time(minute: i64) -> String {
    let rest = minute.rem_euclid(1_440);
    format!("{} {:02}:{:02}", date(minute.div_euclid(1_440)), rest / 60, rest % 60)
}

/// Days since 1970-01-01 of a year, month and day.
pub fn from_civil(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970-01-01.
pub fn civil(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let d = of_year - (153 * month + 2) / 5 + 1;
    let m = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(m <= 2), m, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_and_what_is_none() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2026-01-01 and more"), Some(20_454));
        assert_eq!(minute("1970-01-02T01:30:59"), Some(1_440 + 90));
        for bad in ["2026-02-29", "2026-13-01", "26-01-01", "2026/01/01", "", "+026-01-01"] {
            assert_eq!(day(bad), None, "{bad}");
        }
        assert_eq!(minute("2026-01-01 25:00"), None);
        for d in (-100_000..100_000).step_by(37) {
            assert_eq!(day(&date(d)).filter(|_| d > -719_000), Some(d).filter(|_| d > -719_000));
        }
        assert_eq!(date_time(-1), "1969-12-31 23:59");
    }
}
