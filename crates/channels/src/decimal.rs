//! Decimal text to scaled integers, and back to whole minor units. Invariant: no floating point anywhere, and
//! digits that do not fit are an error or counted by the caller, never cut off.

/// Reads `-12.5` at `scale` 2 as `-1250`. Zeros beyond the scale are accepted, other digits are not; neither are
/// exponents, thousands separators, or an empty text.
///
/// # Errors
/// A reason naming the text.
pub fn parse_scaled(text: &str, scale: usize) -> Result<i64, String> {
    let bad = || format!("{text:?} is not a decimal number");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(bad());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > scale {
        return Err(format!("{text:?} has more than {scale} decimals"));
    }
    let mut value: i64 = 0;
    let padding = std::iter::repeat_n(b'0', scale - fraction.len());
    for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
        let next = value.checked_mul(10).and_then(|v| v.checked_add(i64::from(digit - b'0')));
        value = next.ok_or_else(|| format!("{text:?} is too large"))?;
    }
    Ok(if negative { -value } else { value })
}

/// Reads an integer; `"2.0"` counts as one.
///
/// # Errors
/// A reason naming the text.
pub fn parse_whole(text: &str) -> Result<i64, String> {
    parse_scaled(text, 0).map_err(|_| format!("{text:?} is not a whole number"))
}

/// Divides rounding half to even, so that rounding many values does not drift.
pub fn divide_half_even(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value.div_euclid(by), value.rem_euclid(by));
    match (rest * 2).cmp(&by) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_seen_in_files() {
        let good = [
            ("99.9", 2, 9990),
            ("27.65", 2, 2765),
            ("0.0", 2, 0),
            ("-11062.06", 2, -1_106_206),
            ("7", 2, 700),
        ];
        for (text, scale, value) in good {
            assert_eq!(parse_scaled(text, scale), Ok(value), "{text}");
        }
        assert_eq!(parse_scaled("0.001", 6), Ok(1000));
        assert_eq!(parse_scaled("1.2300", 2), Ok(123));
        assert_eq!(parse_whole("17850.0"), Ok(17850));
        for text in ["", "-", ".", "1e3", "1,5", "1.2.3", "+1", "1.005", "99999999999999999999", "£1"] {
            assert!(parse_scaled(text, 2).is_err(), "{text}");
        }
    }

    #[test]
    fn halves_go_to_even() {
        for (value, expected) in [(5, 0), (15, 2), (25, 2), (-5, 0), (-15, -2), (14, 1), (16, 2), (-14, -1)] {
            assert_eq!(divide_half_even(value, 10), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in -9_000_000_000_000i64..9_000_000_000_000, scale in 0usize..6) {
            let unit = 10i64.pow(u32::try_from(scale).unwrap());
            let sign = if value < 0 { "-" } else { "" };
            let (whole, rest) = (value.abs() / unit, value.abs() % unit);
            let text = if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0scale$}") };
            prop_assert_eq!(parse_scaled(&text, scale), Ok(value));
        }
    }
}
