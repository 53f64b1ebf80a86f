//! Money: integer minor units with an ISO 4217 currency, and the two splits that make every partial sum exact.
//!
//! Invariant: whatever is split here adds up to what was split, to the last minor unit, in any order of parts.

use crate::row::{self, Cell, FromCell, Nullable, Value};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An ISO 4217 currency that exists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// A text that is no ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCurrency(pub String);
impl fmt::Display for UnknownCurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” is not an ISO 4217 currency code such as EUR", self.0)
    }
}
impl std::error::Error for UnknownCurrency {}

impl Currency {
    /// The code, as `EUR`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
    /// Digits after the decimal point: 0 for JPY, 2 for EUR, 3 for KWD.
    pub fn exponent(&self) -> u32 {
        iso_currency::Currency::from_code(self.as_str()).and_then(|c| c.exponent()).map_or(2, u32::from)
    }
}
impl FromStr for Currency {
    type Err = UnknownCurrency;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownCurrency(text.to_owned());
        iso_currency::Currency::from_code(text).ok_or_else(unknown)?;
        text.as_bytes().try_into().map(Self).map_err(|_| unknown())
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
impl From<Currency> for Value {
    fn from(currency: Currency) -> Self {
        currency.as_str().into()
    }
}
impl Nullable for Currency {
    fn null() -> Value {
        Value::String(None)
    }
}
impl FromCell for Currency {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        row::parsed(cell)
    }
}
#[cfg(feature = "api")]
impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("ISO 4217 code"))
            .pattern(Some("^[A-Z]{3}$"))
            .into()
    }
}
#[cfg(feature = "api")]
impl utoipa::ToSchema for Currency {}

/// An amount in minor units of a currency. Displays as `12.34 EUR`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "api", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units (cents; yen; fils), negative for a credit.
    pub minor: i64,
    /// ISO 4217.
    pub currency: Currency,
}

impl Money {
    /// An amount of `minor` units.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
    /// The amount without the currency, as `12.34`.
    pub fn amount(&self) -> String {
        decimal(self.minor, self.currency.exponent())
    }
}
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}
impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Minor units as decimal text with `exponent` digits after the point.
pub fn decimal(minor: i64, exponent: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = minor.unsigned_abs();
    if exponent == 0 {
        return format!("{sign}{digits}");
    }
    let unit = 10u64.pow(exponent);
    format!("{sign}{}.{:0width$}", digits / unit, digits % unit, width = exponent as usize)
}

/// Decimal text as minor units, exactly.
///
/// # Errors
/// A sentence when the text is no plain decimal, has more digits after the point than the currency (zeros may follow), or overflows.
pub fn parse_decimal(text: &str, exponent: u32) -> Result<i64, String> {
    let trimmed = text.trim();
    let bad =
        || format!("“{text}” is not an amount such as 12.34 with at most {exponent} digits after the point");
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !plain(whole) || !plain(fraction) {
        return Err(bad());
    }
    let (kept, rest) = fraction.split_at(fraction.len().min(exponent as usize));
    if rest.bytes().any(|b| b != b'0') {
        return Err(bad());
    }
    let padded = format!("{whole}{kept:0<width$}", width = exponent as usize);
    let minor: i64 = if padded.is_empty() { 0 } else { padded.parse().map_err(|_| bad())? };
    Ok(if negative { -minor } else { minor })
}

/// An amount as a person typed it into a form: [`parse_decimal`], where a comma may stand for the point, as in “12,50”. It is taken for one
/// where it cannot mean thousands: the only separator there is, and not before exactly three digits, unless three are what the currency has.
///
/// # Errors
/// A sentence that says what is wanted.
pub fn parse_typed(text: &str, exponent: u32) -> Result<i64, String> {
    let trimmed = text.trim();
    let Some((whole, fraction)) = trimmed.split_once(',') else { return parse_decimal(text, exponent) };
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let before = whole.strip_prefix('-').unwrap_or(whole);
    if !digits(before) || !digits(fraction) {
        return parse_decimal(text, exponent);
    }
    // “,500” has no thousands.
    if fraction.len() == 3 && exponent < 3 && !before.is_empty() {
        let example = if exponent == 0 { "12500" } else { "12.50 or 12500" };
        return Err(format!(
            "“{text}” may mean thousands or a part: write it without the comma, as {example}"
        ));
    }
    parse_decimal(&format!("{whole}.{fraction}"), exponent).map_err(|_| {
        format!("“{text}” is not an amount such as 12.34 with at most {exponent} digits after the comma")
    })
}

/// The part of `total` that belongs to units `from..to` of `n`: `floor(to·T/N) − floor(from·T/N)`. Any set of disjoint ranges that
/// covers `0..n` sums to `total`.
///
/// # Panics
/// Never: `n = 0` gives 0.
pub fn units_share(total: i64, n: i64, from: i64, to: i64) -> i64 {
    if n <= 0 {
        return 0;
    }
    let upto = |k: i64| (i128::from(total) * i128::from(k)).div_euclid(i128::from(n));
    i64::try_from(upto(to) - upto(from)).unwrap_or(0)
}

/// Splits `total` over `weights` so that the parts sum to it and each is within one unit of its exact share (cumulative rounding, so
/// equal input gives equal output). All weights zero: an even split. No weights: nothing.
pub fn prorate(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|w| i128::from((*w).max(0))).sum();
    if sum == 0 {
        let n = weights.len() as i64;
        return (0..n).map(|k| units_share(total, n, k, k + 1)).collect();
    }
    let (mut seen, mut given) = (0i128, 0i128);
    weights
        .iter()
        .map(|weight| {
            seen += i128::from((*weight).max(0));
            let upto = (i128::from(total) * seen).div_euclid(sum);
            let part = upto - given;
            given = upto;
            i64::try_from(part).unwrap_or(0)
        })
        .collect()
}

/// Tax on a net amount at a rate in parts per million (190,000 = 19 %), half away from zero.
pub fn tax_on_net(net: i64, rate_ppm: i64) -> i64 {
    round_div(i128::from(net) * i128::from(rate_ppm), 1_000_000)
}

/// Tax contained in a gross amount at a rate in parts per million, half away from zero.
pub fn tax_in_gross(gross: i64, rate_ppm: i64) -> i64 {
    round_div(i128::from(gross) * i128::from(rate_ppm), 1_000_000 + i128::from(rate_ppm))
}

/// `a / b` rounded half away from zero; `b > 0`.
pub fn round_div(a: i128, b: i128) -> i64 {
    let half = if a < 0 { -b } else { b };
    i64::try_from((2 * a + half) / (2 * b)).unwrap_or(if a < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unit_shares_sum_to_the_total(total in -1_000_000_000i64..1_000_000_000, n in 1i64..500) {
            let parts: Vec<i64> = (0..n).map(|k| units_share(total, n, k, k + 1)).collect();
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let (low, high) = (parts.iter().min().unwrap(), parts.iter().max().unwrap());
            prop_assert!(high - low <= 1);
        }
        #[test]
        fn ranges_in_any_order_sum_to_the_total(total in 0i64..1_000_000_000, cuts in proptest::collection::vec(0i64..200, 0..10)) {
            let n = 200;
            let mut points = cuts; points.push(0); points.push(n); points.sort_unstable();
            let sum: i64 = points.windows(2).rev().map(|w| units_share(total, n, w[0], w[1])).sum();
            prop_assert_eq!(sum, total);
        }
        #[test]
        fn prorated_parts_sum_and_are_near_exact(total in -1_000_000i64..1_000_000, weights in proptest::collection::vec(0i64..100_000, 1..40)) {
            let parts = prorate(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let sum: i64 = weights.iter().sum();
            if sum > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    let exact = total as f64 * *weight as f64 / sum as f64;
                    prop_assert!((*part as f64 - exact).abs() <= 1.0 + 1e-6);
                }
            }
        }
        #[test]
        fn inclusive_and_exclusive_tax_agree_within_a_unit(net in 0i64..10_000_000, rate in 0i64..400_000) {
            let tax = tax_on_net(net, rate);
            prop_assert!((tax_in_gross(net + tax, rate) - tax).abs() <= 1);
        }
        #[test]
        fn decimal_text_round_trips(minor in -1_000_000_000i64..1_000_000_000, exponent in 0u32..4) {
            prop_assert_eq!(parse_decimal(&decimal(minor, exponent), exponent), Ok(minor));
        }
    }

    proptest! {
        #[test]
        fn a_comma_for_the_point_reads_the_same_or_not_at_all(minor in -1_000_000_000i64..1_000_000_000, exponent in 0u32..4) {
            let point = decimal(minor, exponent);
            prop_assert_eq!(parse_typed(&point, exponent), Ok(minor));
            prop_assert_eq!(parse_typed(&point.replace('.', ","), exponent), Ok(minor));
        }
        #[test]
        fn what_is_typed_never_reads_as_something_else(text in "-?[0-9.,' ]{0,9}", exponent in 0u32..4) {
            if let Ok(minor) = parse_typed(&text, exponent) {
                prop_assert_eq!(parse_decimal(&text.replace(',', "."), exponent), Ok(minor));
            }
        }
    }

    #[test]
    fn a_decimal_comma_is_taken_where_it_cannot_mean_thousands() {
        for (text, exponent, expect) in [
            ("12,50", 2, Some(1250)),
            (" 12,5 ", 2, Some(1250)),
            ("-0,05", 2, Some(-5)),
            (",5", 2, Some(50)),
            ("12,", 2, Some(1200)),
            ("12,5000", 2, Some(1250)),
            ("1234.5", 2, Some(123_450)),
            ("1,250", 3, Some(1250)),
            ("1,2", 3, Some(1200)),
            ("12,0", 0, Some(12)),
            // Thousands, perhaps.
            ("1,250", 2, None),
            ("1,250", 0, None),
            ("1,500", 2, None),
            // More than one separator, or no amount.
            ("1.234,50", 2, None),
            ("1,234.50", 2, None),
            ("1,234,567", 2, None),
            ("1 234,50", 2, None),
            ("12,5", 0, None),
            ("12,345", 0, None),
            ("12,3456", 3, None),
            ("12,34x", 2, None),
            (",", 2, None),
        ] {
            assert_eq!(parse_typed(text, exponent).ok(), expect, "{text} with {exponent} digits");
        }
        let says = parse_typed("1,250", 2).unwrap_err();
        assert!(says.contains("thousands") && says.contains("12.50"), "{says}");
        for bad in ["12,345", "1,5"] {
            assert!(parse_decimal(bad, 2).is_err(), "{bad}: programs write a point");
        }
    }

    #[test]
    fn currencies_have_their_digits() {
        for (code, digits, shown) in
            [("JPY", 0, "1234 JPY"), ("EUR", 2, "12.34 EUR"), ("KWD", 3, "1.234 KWD")]
        {
            let currency: Currency = code.parse().unwrap();
            assert_eq!(currency.exponent(), digits);
            assert_eq!(Money::new(1234, currency).to_string(), shown);
        }
        assert!("EURO".parse::<Currency>().is_err() && "ZZZ".parse::<Currency>().is_err());
    }

    #[test]
    fn amounts_that_are_not_exact_are_refused() {
        for bad in ["", ".", "1,5", "12.345", "1e3", "--1", "9999999999999999999"] {
            assert!(parse_decimal(bad, 2).is_err(), "{bad}");
        }
        assert_eq!(parse_decimal("12.3400", 2), Ok(1234));
        assert_eq!(parse_decimal("-.5", 2), Ok(-50));
    }
}
